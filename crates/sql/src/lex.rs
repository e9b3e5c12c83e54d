//! PostgreSQL's own lexical rules, read from scratch: the second reader of every statement.
//!
//! Follows `src/backend/parser/scan.l` of PostgreSQL 14 to 18, with
//! `standard_conforming_strings = on` and a UTF-8 client, which the gateway pins. What differs
//! between those majors, and what no client sends, is refused by a named [`LexError`] rather than
//! read in one of two ways.
//!
//! Offsets are bytes into the text that was given.

mod decode;
mod number;
mod operator;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

/// PostgreSQL's `NAMEDATALEN - 1`: identifiers are cut to this many bytes, whole characters only.
pub(crate) const MAX_IDENTIFIER_BYTES: usize = 63;

/// The first major version with numbers such as `0x1F` and `1_000`.
pub(crate) const NEW_NUMBERS_SINCE: u16 = 16;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An unquoted identifier or keyword; its text is folded to lower case (ASCII only) and cut.
    Word,
    /// A `"quoted"` identifier; its text is decoded and cut.
    QuotedIdentifier,
    /// `'plain'`, `E'escaped'`, `U&'unicode'` or `$$dollar$$`; its text is the value.
    String,
    /// `B'0101'`; its text is the digits.
    BitString,
    /// `X'1f'`; its text is the digits.
    HexString,
    /// A number in decimal, without underscores.
    Number,
    /// `$n`; its text is the digits.
    Parameter,
    /// An operator as `scan.l` cuts it, `!=` read as `<>`.
    Operator,
    /// One of `, ( ) [ ] . ; :` or `::`, `..`, `:=`, `=>`.
    Punctuation,
}

/// One token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) text: Cow<'a, str>,
}

impl Token<'_> {
    /// Whether this is the punctuation or operator `symbol`.
    pub(crate) fn is(&self, symbol: &str) -> bool {
        matches!(self.kind, Kind::Punctuation | Kind::Operator) && self.text == symbol
    }

    /// Whether this is the unquoted word `word`, given in lower case.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    /// Whether this can be a name: a word or a quoted identifier.
    pub(crate) fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::QuotedIdentifier)
    }
}

/// A text cut into tokens.
#[derive(Debug, Default)]
pub(crate) struct Lexed<'a> {
    pub(crate) tokens: Vec<Token<'a>>,
    /// Comments as byte ranges; the newline that ends a `--` comment is not part of it.
    pub(crate) comments: Vec<(usize, usize)>,
    /// Where the first number stands that only some majors read so, see [`NEW_NUMBERS_SINCE`].
    pub(crate) new_number: Option<usize>,
}

/// Why a text cannot be cut into tokens, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LexError {
    pub(crate) kind: LexErrorKind,
    pub(crate) at: usize,
}

/// The closed list of lexical refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LexErrorKind {
    #[error("statement contains a zero byte")]
    ZeroByte,
    #[error("character that PostgreSQL does not accept outside quotes")]
    InvalidCharacter,
    #[error("vertical tab outside quotes is white space only from PostgreSQL 16")]
    VerticalTab,
    #[error("unterminated quoted string")]
    UnterminatedString,
    #[error("unterminated quoted identifier")]
    UnterminatedIdentifier,
    #[error("unterminated dollar-quoted string")]
    UnterminatedDollarQuote,
    #[error("unterminated comment")]
    UnterminatedComment,
    #[error("zero-length delimited identifier")]
    EmptyIdentifier,
    #[error("invalid escape in string")]
    InvalidEscape,
    #[error("escape \\v means different characters to different PostgreSQL versions")]
    VersionDependentEscape,
    #[error("string escapes do not form valid UTF-8")]
    InvalidUtf8,
    #[error("this way of continuing a string on another line is not supported through the gateway")]
    StringContinuation,
    #[error("string literal directly after another string literal")]
    AdjacentStrings,
    #[error("UESCAPE must follow U&'...' or U&\"...\" and be followed by one character in quotes")]
    Uescape,
    #[error("N'...' strings are not supported through the gateway")]
    NationalString,
    #[error("invalid digit in a bit string")]
    InvalidBitString,
    #[error("trailing junk after number")]
    NumberJunk,
    #[error("number is too large")]
    NumberTooLarge,
    #[error("trailing junk after parameter")]
    ParameterJunk,
    #[error("parameter number is out of range")]
    ParameterOutOfRange,
    #[error("operator is too long")]
    OperatorTooLong,
    #[error("statement has too many tokens")]
    TooManyTokens,
}

/// Cuts `text` into at most `max_tokens` tokens.
pub(crate) fn lex(text: &str, max_tokens: usize) -> Result<Lexed<'_>, LexError> {
    if let Some(at) = text.bytes().position(|byte| byte == 0) {
        return Err(LexError {
            kind: LexErrorKind::ZeroByte,
            at,
        });
    }
    let mut lexer = Lexer { text, at: 0 };
    let mut lexed = Lexed::default();
    lexed.tokens.reserve(text.len() / 8);
    while let Some(piece) = lexer.next()? {
        match piece {
            Piece::Comment(start, end) => lexed.comments.push((start, end)),
            Piece::Token(token) => {
                if lexed.tokens.len() >= max_tokens {
                    return Err(LexError {
                        kind: LexErrorKind::TooManyTokens,
                        at: token.start,
                    });
                }
                if let Some(last) = lexed.tokens.last() {
                    check_neighbours(text, last, &token)?;
                }
                if token.kind == Kind::Number && lexed.new_number.is_none() {
                    let raw = text
                        .get(token.start..token.end)
                        .unwrap_or_default()
                        .as_bytes();
                    let based = matches!(raw, [b'0', b'x' | b'X' | b'o' | b'O' | b'b' | b'B', ..]);
                    if based || raw.contains(&b'_') {
                        lexed.new_number = Some(token.start);
                    }
                }
                lexed.tokens.push(token);
            }
        }
    }
    Ok(lexed)
}

/// Byte offset to character position from 1, as PostgreSQL counts (`pg_mbstrlen_with_len`).
pub(crate) fn character_position(text: &str, offset: usize) -> u32 {
    let before = text
        .char_indices()
        .take_while(|(at, _)| *at < offset)
        .count();
    u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
}

/// Makes one literal of what `scan.l` reads as one: `'a'`, a line's end, `'b'`.
pub(crate) fn join_continued(text: &str, lexed: &mut Lexed<'_>) -> Result<(), LexError> {
    let continues = |pair: &[Token<'_>]| match pair {
        [last, token] => is_literal(last) && is_literal(token),
        _other => false,
    };
    if !lexed.tokens.windows(2).any(continues) {
        return Ok(());
    }
    let mut joined: Vec<Token<'_>> = Vec::with_capacity(lexed.tokens.len());
    for token in std::mem::take(&mut lexed.tokens) {
        match joined.last_mut() {
            Some(last) if is_literal(last) && is_literal(&token) => {
                let raw = |token: &Token<'_>| text.get(token.start..token.end).unwrap_or_default();
                let (first, second) = (raw(last), raw(&token));
                // The second is read by the rules of the first; where these differ, nobody does it.
                let plain = second.starts_with('\'')
                    && !first.starts_with('$')
                    && (first.starts_with('\'') || !second.contains('\\'))
                    && last.kind == Kind::String;
                if !plain {
                    return Err(LexError {
                        kind: LexErrorKind::StringContinuation,
                        at: token.start,
                    });
                }
                last.text.to_mut().push_str(&token.text);
                last.end = token.end;
            }
            Some(_) | None => joined.push(token),
        }
    }
    lexed.tokens = joined;
    Ok(())
}

fn is_literal(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::String | Kind::BitString | Kind::HexString)
}

/// Refuses literals side by side, unless the second one continues the first on another line
/// ([`join_continued`]), and `U&'...' UESCAPE '!'`.
fn check_neighbours(text: &str, last: &Token<'_>, token: &Token<'_>) -> Result<(), LexError> {
    let fail = |kind| {
        Err(LexError {
            kind,
            at: token.start,
        })
    };
    if is_literal(last) && is_literal(token) {
        let between = text.get(last.end..token.start).unwrap_or_default();
        // Comments of one line may stand between, others not (`quotecontinue`).
        return if between.contains(['\n', '\r']) && !between.contains("/*") {
            Ok(())
        } else {
            fail(LexErrorKind::AdjacentStrings)
        };
    }
    if is_literal(last) && token.is_word("uescape") && !is_unicode(text, last) {
        return fail(LexErrorKind::Uescape);
    }
    Ok(())
}

/// Whether a token is `U&'...'` or `U&"..."`.
pub(crate) fn is_unicode(text: &str, token: &Token<'_>) -> bool {
    let raw = text.get(token.start..token.end).unwrap_or_default();
    matches!(token.kind, Kind::String | Kind::QuotedIdentifier)
        && matches!(raw.as_bytes(), [b'u' | b'U', b'&', ..])
}

/// Reads the escapes of `U&"..."`, and those of `U&'...'` and `U&"..."` before UESCAPE by the character
/// that it names (`parser.c`, base_yylex). Only once the readers agree on what each piece is: until
/// then such an identifier's text is what stands between its quotes.
pub(crate) fn unicode_escapes(text: &str, lexed: &mut Lexed<'_>) -> Result<(), LexError> {
    let is_named = |token: &Token<'_>| token.is_word("uescape");
    if !lexed.tokens.iter().any(|token| is_unicode(text, token)) {
        return Ok(());
    }
    let mut read: Vec<Token<'_>> = Vec::with_capacity(lexed.tokens.len());
    let mut tokens = std::mem::take(&mut lexed.tokens).into_iter().peekable();
    while let Some(mut token) = tokens.next() {
        if is_unicode(text, &token) {
            let named = tokens.next_if(is_named);
            let escape = match &named {
                None => '\\',
                Some(word) => {
                    let character = tokens.next().and_then(|next| escape_character(text, &next));
                    // Were the character's string to go on, it would be no single character.
                    let character = character.filter(|_| !tokens.peek().is_some_and(is_literal));
                    character.ok_or(LexError {
                        kind: LexErrorKind::Uescape,
                        at: word.start,
                    })?
                }
            };
            let identifier = token.kind == Kind::QuotedIdentifier;
            if identifier || named.is_some() {
                let body = text.get(token.start + 3..token.end.saturating_sub(1));
                let (doubled, single) = if identifier {
                    ("\"\"", "\"")
                } else {
                    ("''", "'")
                };
                let body = undouble(body.unwrap_or_default(), doubled, single);
                let value = decode::unicode(&body, escape, token.start + 3)?;
                token.text = if identifier {
                    cut(Cow::Owned(value))
                } else {
                    Cow::Owned(value)
                };
            }
        }
        read.push(token);
    }
    lexed.tokens = read;
    Ok(())
}

/// The character that UESCAPE names: no digit, sign, quote or white space (`check_uescapechar`).
fn escape_character(text: &str, token: &Token<'_>) -> Option<char> {
    let raw = text.get(token.start..token.end)?;
    let mut characters = token.text.chars();
    let (Some(character), None) = (characters.next(), characters.next()) else {
        return None;
    };
    let unfit = character.is_ascii_hexdigit()
        || matches!(
            character,
            '+' | '\'' | '"' | ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c'
        );
    let plain = token.kind == Kind::String && raw.starts_with('\'') && character.is_ascii();
    (plain && !unfit).then_some(character)
}

enum Piece<'a> {
    Token(Token<'a>),
    Comment(usize, usize),
}

/// A cursor. INVARIANT: the text holds no zero byte, so `0` from [`Lexer::peek`] is the end.
struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn next(&mut self) -> Result<Option<Piece<'a>>, LexError> {
        loop {
            let start = self.at;
            let token = match (self.peek(0), self.peek(1)) {
                (0, _) => return Ok(None),
                (b' ' | b'\t' | b'\n' | b'\r' | 0x0c, _) => {
                    self.at += 1;
                    continue;
                }
                (b'-', b'-') => {
                    self.skip_while(|byte| byte != b'\n' && byte != b'\r');
                    return Ok(Some(Piece::Comment(start, self.at)));
                }
                (b'/', b'*') => {
                    self.block_comment()?;
                    return Ok(Some(Piece::Comment(start, self.at)));
                }
                (b'\'', _) => self.plain_string(0)?,
                (b'e' | b'E', b'\'') => self.escape_string()?,
                (b'b' | b'B', b'\'') => self.digits_string(Kind::BitString)?,
                (b'x' | b'X', b'\'') => self.digits_string(Kind::HexString)?,
                (b'n' | b'N', b'\'') => return Self::fail(LexErrorKind::NationalString, start),
                (b'u' | b'U', b'&') if self.peek(2) == b'\'' => self.unicode_string()?,
                (b'u' | b'U', b'&') if self.peek(2) == b'"' => self.quoted_identifier(2)?,
                (b'"', _) => self.quoted_identifier(0)?,
                (b'0'..=b'9', _) | (b'.', b'0'..=b'9') => self.number()?,
                (b'$', _) => self.dollar()?,
                (byte, _) if is_identifier_start(byte) => self.word(),
                (b'.', b'.') | (b':', b':' | b'=') => self.punctuation(2),
                (b',' | b'(' | b')' | b'[' | b']' | b';' | b'.' | b':', _) => self.punctuation(1),
                (byte, _) if operator::is_operator_byte(byte) => self.operator()?,
                (0x0b, _) => return Self::fail(LexErrorKind::VerticalTab, start),
                _ => return Self::fail(LexErrorKind::InvalidCharacter, start),
            };
            return Ok(Some(Piece::Token(token)));
        }
    }

    /// `xc` states: comments nest.
    fn block_comment(&mut self) -> Result<(), LexError> {
        let start = self.at;
        let mut depth = 0usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (0, _) => return Self::fail(LexErrorKind::UnterminatedComment, start),
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// `xq`: only a doubled quote is special. `prefix` bytes stand before the opening quote.
    fn plain_string(&mut self, prefix: usize) -> Result<Token<'a>, LexError> {
        let start = self.at;
        let body = self.quoted_body(prefix, b'\'', LexErrorKind::UnterminatedString)?;
        Ok(self.token(Kind::String, start, undouble(body, "''", "'")))
    }

    fn escape_string(&mut self) -> Result<Token<'a>, LexError> {
        let start = self.at;
        let (value, end) = decode::escape_string(self.text, start + 2)?;
        self.at = end;
        Ok(self.token(Kind::String, start, value))
    }

    fn unicode_string(&mut self) -> Result<Token<'a>, LexError> {
        let start = self.at;
        let body = self.quoted_body(2, b'\'', LexErrorKind::UnterminatedString)?;
        let value = decode::unicode_string(body, start + 3)?;
        Ok(self.token(Kind::String, start, value))
    }

    fn digits_string(&mut self, kind: Kind) -> Result<Token<'a>, LexError> {
        let start = self.at;
        let body = self.quoted_body(1, b'\'', LexErrorKind::UnterminatedString)?;
        let valid = match kind {
            Kind::BitString => body.bytes().all(|byte| matches!(byte, b'0' | b'1')),
            _ => body.bytes().all(|byte| byte.is_ascii_hexdigit()),
        };
        if !valid {
            return Self::fail(LexErrorKind::InvalidBitString, start);
        }
        Ok(self.token(kind, start, Cow::Borrowed(body)))
    }

    /// `prefix` bytes stand before the opening quote.
    fn quoted_identifier(&mut self, prefix: usize) -> Result<Token<'a>, LexError> {
        let start = self.at;
        let body = self.quoted_body(prefix, b'"', LexErrorKind::UnterminatedIdentifier)?;
        if body.is_empty() {
            return Self::fail(LexErrorKind::EmptyIdentifier, start);
        }
        let name = cut(undouble(body, "\"\"", "\""));
        Ok(self.token(Kind::QuotedIdentifier, start, name))
    }

    /// What stands between the quotes, doubled quotes still doubled.
    fn quoted_body(
        &mut self,
        prefix: usize,
        quote: u8,
        unterminated: LexErrorKind,
    ) -> Result<&'a str, LexError> {
        let start = self.at;
        self.at += prefix + 1;
        let body = self.at;
        loop {
            match (self.peek(0), self.peek(1)) {
                (0, _) => return Self::fail(unterminated, start),
                (a, b) if a == quote && b == quote => self.at += 2,
                (a, _) if a == quote => break,
                _ => self.at += 1,
            }
        }
        let inside = self.slice(body, self.at);
        self.at += 1;
        Ok(inside)
    }

    /// `$1`, `$$...$$` or `$tag$...$tag$`; any other dollar is an error in PostgreSQL too.
    fn dollar(&mut self) -> Result<Token<'a>, LexError> {
        let start = self.at;
        if self.peek(1).is_ascii_digit() {
            self.at += 1;
            self.skip_while(|byte| byte.is_ascii_digit());
            if is_identifier_start(self.peek(0)) {
                return Self::fail(LexErrorKind::ParameterJunk, start);
            }
            let digits = self.slice(start + 1, self.at);
            return match digits.parse::<u16>() {
                Ok(1..) => Ok(self.token(Kind::Parameter, start, Cow::Borrowed(digits))),
                _ => Self::fail(LexErrorKind::ParameterOutOfRange, start),
            };
        }
        self.at += 1;
        if is_identifier_start(self.peek(0)) {
            self.skip_while(|byte| is_identifier_start(byte) || byte.is_ascii_digit());
        }
        if self.peek(0) != b'$' {
            return Self::fail(LexErrorKind::InvalidCharacter, start);
        }
        self.at += 1;
        let delimiter = self.slice(start, self.at);
        let rest = self.text.get(self.at..).unwrap_or_default();
        let Some(length) = rest.find(delimiter) else {
            return Self::fail(LexErrorKind::UnterminatedDollarQuote, start);
        };
        let body = self.slice(self.at, self.at + length);
        self.at += length + delimiter.len();
        Ok(self.token(Kind::String, start, Cow::Borrowed(body)))
    }

    fn word(&mut self) -> Token<'a> {
        let start = self.at;
        self.skip_while(is_identifier_part);
        let raw = self.slice(start, self.at);
        let folded = if raw.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(raw.to_ascii_lowercase())
        } else {
            Cow::Borrowed(raw)
        };
        self.token(Kind::Word, start, cut(folded))
    }

    fn number(&mut self) -> Result<Token<'a>, LexError> {
        let start = self.at;
        let (text, end) = number::number(self.text, start)?;
        self.at = end;
        Ok(self.token(Kind::Number, start, text))
    }

    fn operator(&mut self) -> Result<Token<'a>, LexError> {
        let start = self.at;
        let run = self.text.as_bytes().get(start..).unwrap_or_default();
        let Some(length) = operator::length(run) else {
            return Self::fail(LexErrorKind::OperatorTooLong, start);
        };
        self.at += length;
        let kind = match self.slice(start, self.at) {
            "=>" => Kind::Punctuation,
            _ => Kind::Operator,
        };
        let text = match self.slice(start, self.at) {
            "!=" => "<>",
            other => other,
        };
        Ok(self.token(kind, start, Cow::Borrowed(text)))
    }

    fn punctuation(&mut self, length: usize) -> Token<'a> {
        let start = self.at;
        self.at += length;
        self.token(
            Kind::Punctuation,
            start,
            Cow::Borrowed(self.slice(start, self.at)),
        )
    }

    fn token(&self, kind: Kind, start: usize, text: Cow<'a, str>) -> Token<'a> {
        Token {
            kind,
            start,
            end: self.at,
            text,
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.text
            .as_bytes()
            .get(self.at + ahead)
            .copied()
            .unwrap_or(0)
    }

    fn skip_while(&mut self, accept: impl Fn(u8) -> bool) {
        while self.peek(0) != 0 && accept(self.peek(0)) {
            self.at += 1;
        }
    }

    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn fail<T>(kind: LexErrorKind, at: usize) -> Result<T, LexError> {
        Err(LexError { kind, at })
    }
}

/// `ident_start`: ASCII letters, underscore, and every byte of a non-ASCII character.
fn is_identifier_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

/// `ident_cont`.
fn is_identifier_part(byte: u8) -> bool {
    is_identifier_start(byte) || byte.is_ascii_digit() || byte == b'$'
}

fn undouble<'a>(body: &'a str, doubled: &str, single: &str) -> Cow<'a, str> {
    if body.contains(doubled) {
        Cow::Owned(body.replace(doubled, single))
    } else {
        Cow::Borrowed(body)
    }
}

/// `truncate_identifier`: at most 63 bytes, cut at a character boundary.
fn cut(name: Cow<'_, str>) -> Cow<'_, str> {
    if name.len() <= MAX_IDENTIFIER_BYTES {
        return name;
    }
    let end = name.floor_char_boundary(MAX_IDENTIFIER_BYTES);
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(name.get(..end).unwrap_or_default()),
        Cow::Owned(mut name) => {
            name.truncate(end);
            Cow::Owned(name)
        }
    }
}
