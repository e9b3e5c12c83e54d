//! The two readers must agree: our lexer and sqlparser's tokenizer have to cut a text at the same
//! bytes and read the same values, or the statement is refused.
//!
//! Compared are comments, strings and quoted identifiers (bounds and values), words and numbers
//! (bounds), and *runs* of operators and punctuation (bounds of the run). Runs are enough, and `x<>-1`
//! needs them (sqlparser cuts it as `<>-`): what is parsed afterwards are our tokens, never
//! sqlparser's, so that only the question what is text and what is code must be answered alike.
//!
//! sqlparser gives lines and columns in characters. Its tokens, white space included, are
//! contiguous, so walking the text beside them turns each end into a byte offset.

use std::borrow::Cow;

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Location, Token as Theirs, TokenWithSpan, Tokenizer, Whitespace};

use crate::lex::{Kind, Lexed, Token, is_unicode};

/// Length of `U&`.
const UNICODE_PREFIX: usize = 2;

/// Where the readers part, as a byte offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Disagreement {
    pub(crate) at: usize,
}

/// Compares our reading of `text` with sqlparser's.
pub(crate) fn check(text: &str, ours: &Lexed<'_>) -> Result<(), Disagreement> {
    let dialect = PostgreSqlDialect {};
    let respelled = respelled(text, ours);
    let typed = text;
    let text = &*respelled;
    let theirs = Tokenizer::new(&dialect, text)
        .tokenize_with_location()
        .map_err(|error| Disagreement {
            at: Walk::new(text).advance(error.location),
        })?;
    let mut ours = Runs::new(our_pieces(typed, ours));
    let mut theirs = Runs::new(their_pieces(text, &theirs));
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return Ok(()),
            (Some(ours), Some(theirs)) if ours.agrees(&theirs) => {}
            (Some(ours), Some(theirs)) => {
                return Err(Disagreement {
                    at: ours.start.min(theirs.start),
                });
            }
            (Some(one), None) | (None, Some(one)) => return Err(Disagreement { at: one.start }),
        }
    }
}

/// The text with every operator `&>` written `&<`, and every `U&"..."` without its `U&`. Their tokenizer
/// takes the character after `&>` for a part of it, and knows no such identifiers. Were one of these
/// anything else to them, a part of a string or a comment, they would read another value or another
/// end there, and so disagree.
fn respelled<'t>(text: &'t str, ours: &Lexed<'_>) -> Cow<'t, str> {
    let mut respelled = String::new();
    let mut done = 0;
    for token in &ours.tokens {
        let (spelling, end) = if token.is("&>") {
            ("&<", token.end)
        } else if token.kind == Kind::QuotedIdentifier && is_unicode(text, token) {
            ("  ", token.start + UNICODE_PREFIX)
        } else {
            continue;
        };
        respelled.push_str(text.get(done..token.start).unwrap_or_default());
        respelled.push_str(spelling);
        done = end;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    respelled.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(respelled)
}

/// What both readers are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Comment,
    String,
    QuotedIdentifier,
    Word,
    Number,
    Parameter,
    Symbols,
    /// A token of theirs that PostgreSQL does not have.
    Foreign,
}

#[derive(Debug, Clone, Copy)]
struct Piece<'p> {
    class: Class,
    start: usize,
    end: usize,
    /// The decoded value where both readers decode.
    value: Option<&'p str>,
}

impl Piece<'_> {
    fn agrees(&self, other: &Self) -> bool {
        self.class == other.class
            && self.class != Class::Foreign
            && self.start == other.start
            && self.end == other.end
            && self.value == other.value
    }
}

/// Merges neighbouring symbols into runs.
struct Runs<'p, I: Iterator<Item = Piece<'p>>> {
    pieces: std::iter::Peekable<I>,
}

impl<'p, I: Iterator<Item = Piece<'p>>> Runs<'p, I> {
    fn new(pieces: I) -> Self {
        Self {
            pieces: pieces.peekable(),
        }
    }

    fn next(&mut self) -> Option<Piece<'p>> {
        let mut run = self.pieces.next()?;
        if run.class == Class::Symbols {
            while let Some(piece) = self
                .pieces
                .next_if(|piece| piece.class == Class::Symbols && piece.start == run.end)
            {
                run.end = piece.end;
            }
        }
        Some(run)
    }
}

/// Our tokens and comments in the order of the text.
fn our_pieces<'p>(text: &'p str, lexed: &'p Lexed<'_>) -> impl Iterator<Item = Piece<'p>> {
    let piece = |token: &'p Token<'_>| our_piece(text, token);
    let mut tokens = lexed.tokens.iter().map(piece).peekable();
    let mut comments = lexed
        .comments
        .iter()
        .map(|(start, end)| Piece {
            class: Class::Comment,
            start: *start,
            end: *end,
            value: None,
        })
        .peekable();
    std::iter::from_fn(move || match (tokens.peek(), comments.peek()) {
        (Some(token), Some(comment)) if comment.start < token.start => comments.next(),
        (None, Some(_)) => comments.next(),
        _ => tokens.next(),
    })
}

fn our_piece<'p>(text: &str, token: &'p Token<'_>) -> Piece<'p> {
    let (class, value) = match token.kind {
        Kind::Word => (Class::Word, None),
        Kind::QuotedIdentifier => (Class::QuotedIdentifier, None),
        Kind::String | Kind::BitString | Kind::HexString => (Class::String, Some(&*token.text)),
        Kind::Number => (Class::Number, None),
        Kind::Parameter => (Class::Parameter, None),
        Kind::Operator | Kind::Punctuation => (Class::Symbols, None),
    };
    let unicode = class == Class::QuotedIdentifier && is_unicode(text, token);
    Piece {
        class,
        start: token.start + if unicode { UNICODE_PREFIX } else { 0 },
        end: token.end,
        value,
    }
}

/// Their tokens without white space.
fn their_pieces<'p>(text: &'p str, tokens: &'p [TokenWithSpan]) -> impl Iterator<Item = Piece<'p>> {
    let mut walk = Walk::new(text);
    tokens.iter().filter_map(move |token| {
        let start = walk.byte;
        let mut end = walk.advance(token.span.end);
        let (mut class, mut value) = their_class(&token.token)?;
        let raw = text.get(start..end).unwrap_or_default();
        if class == Class::Comment && raw.starts_with("--") {
            // Theirs takes the newline that ends the comment with it.
            end = start + raw.trim_end_matches(['\n', '\r']).len();
        }
        if class == Class::String && raw.starts_with("0x") {
            // Theirs calls the number 0x1f and the string X'1f' by one name.
            (class, value) = (Class::Number, None);
        }
        Some(Piece {
            class,
            start,
            end,
            value,
        })
    })
}

/// How to compare a token of theirs; `None` for white space.
fn their_class(token: &Theirs) -> Option<(Class, Option<&str>)> {
    Some(match token {
        Theirs::Whitespace(Whitespace::Space | Whitespace::Newline | Whitespace::Tab) => {
            return None;
        }
        Theirs::Whitespace(
            Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_),
        ) => (Class::Comment, None),
        Theirs::Word(word) => match word.quote_style {
            None => (Class::Word, None),
            Some('"') => (Class::QuotedIdentifier, None),
            Some(_) => (Class::Foreign, None),
        },
        Theirs::Number(_, long) => (if *long { Class::Foreign } else { Class::Number }, None),
        Theirs::SingleQuotedString(value)
        | Theirs::EscapedStringLiteral(value)
        | Theirs::UnicodeStringLiteral(value)
        | Theirs::SingleQuotedByteStringLiteral(value)
        | Theirs::HexStringLiteral(value) => (Class::String, Some(value)),
        Theirs::DollarQuotedString(string) => (Class::String, Some(&string.value)),
        Theirs::Placeholder(_) => (Class::Parameter, None),
        Theirs::EOF
        | Theirs::Char(_)
        | Theirs::DoubleQuotedString(_)
        | Theirs::TripleSingleQuotedString(_)
        | Theirs::TripleDoubleQuotedString(_)
        | Theirs::DoubleQuotedByteStringLiteral(_)
        | Theirs::TripleSingleQuotedByteStringLiteral(_)
        | Theirs::TripleDoubleQuotedByteStringLiteral(_)
        | Theirs::SingleQuotedRawStringLiteral(_)
        | Theirs::DoubleQuotedRawStringLiteral(_)
        | Theirs::TripleSingleQuotedRawStringLiteral(_)
        | Theirs::TripleDoubleQuotedRawStringLiteral(_)
        | Theirs::NationalStringLiteral(_)
        | Theirs::QuoteDelimitedStringLiteral(_)
        | Theirs::NationalQuoteDelimitedStringLiteral(_)
        | Theirs::Backslash
        | Theirs::LBrace
        | Theirs::RBrace => (Class::Foreign, None),
        Theirs::Comma
        | Theirs::DoubleEq
        | Theirs::Eq
        | Theirs::Neq
        | Theirs::Lt
        | Theirs::Gt
        | Theirs::LtEq
        | Theirs::GtEq
        | Theirs::Spaceship
        | Theirs::Plus
        | Theirs::Minus
        | Theirs::Mul
        | Theirs::Div
        | Theirs::DuckIntDiv
        | Theirs::Mod
        | Theirs::StringConcat
        | Theirs::LParen
        | Theirs::RParen
        | Theirs::Period
        | Theirs::Colon
        | Theirs::DoubleColon
        | Theirs::Assignment
        | Theirs::SemiColon
        | Theirs::LBracket
        | Theirs::RBracket
        | Theirs::Ampersand
        | Theirs::Pipe
        | Theirs::Caret
        | Theirs::RArrow
        | Theirs::Sharp
        | Theirs::DoubleSharp
        | Theirs::Tilde
        | Theirs::TildeAsterisk
        | Theirs::ExclamationMarkTilde
        | Theirs::ExclamationMarkTildeAsterisk
        | Theirs::DoubleTilde
        | Theirs::DoubleTildeAsterisk
        | Theirs::ExclamationMarkDoubleTilde
        | Theirs::ExclamationMarkDoubleTildeAsterisk
        | Theirs::ShiftLeft
        | Theirs::ShiftRight
        | Theirs::Overlap
        | Theirs::ExclamationMark
        | Theirs::DoubleExclamationMark
        | Theirs::AtSign
        | Theirs::CaretAt
        | Theirs::PGSquareRoot
        | Theirs::PGCubeRoot
        | Theirs::Arrow
        | Theirs::LongArrow
        | Theirs::HashArrow
        | Theirs::AtDashAt
        | Theirs::QuestionMarkDash
        | Theirs::AmpersandLeftAngleBracket
        | Theirs::AmpersandRightAngleBracket
        | Theirs::AmpersandLeftAngleBracketVerticalBar
        | Theirs::VerticalBarAmpersandRightAngleBracket
        | Theirs::TwoWayArrow
        | Theirs::LeftAngleBracketCaret
        | Theirs::RightAngleBracketCaret
        | Theirs::QuestionMarkSharp
        | Theirs::QuestionMarkDashVerticalBar
        | Theirs::QuestionMarkDoubleVerticalBar
        | Theirs::TildeEqual
        | Theirs::ShiftLeftVerticalBar
        | Theirs::VerticalBarShiftRight
        | Theirs::VerticalBarRightAngleBracket
        | Theirs::HashLongArrow
        | Theirs::AtArrow
        | Theirs::ArrowAt
        | Theirs::HashMinus
        | Theirs::AtQuestion
        | Theirs::AtAt
        | Theirs::Question
        | Theirs::QuestionAnd
        | Theirs::QuestionPipe
        | Theirs::CustomBinaryOperator(_) => (Class::Symbols, None),
    })
}

/// Walks a text forward to sqlparser's locations (line and column in characters, both from 1; only
/// `\n` ends a line).
struct Walk<'a> {
    text: &'a str,
    byte: usize,
    line: u64,
    column: u64,
}

impl<'a> Walk<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            byte: 0,
            line: 1,
            column: 1,
        }
    }

    /// The byte offset of `location`, which must not lie behind the last one.
    fn advance(&mut self, location: Location) -> usize {
        let mut rest = self.text.get(self.byte..).unwrap_or_default().chars();
        while (self.line, self.column) < (location.line, location.column) {
            let Some(character) = rest.next() else { break };
            self.byte += character.len_utf8();
            if character == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.byte
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lex;

    fn agree(text: &str) -> bool {
        check(text, &lex::lex(text, 1_000).unwrap()).is_ok()
    }

    #[test]
    fn ordinary_sql_is_read_alike() {
        for text in [
            "",
            " \t\r\n\x0c",
            "select a.b, 'it''s', $$x$$, $a$ $$ $a$, E'\\'\\n\\x41\\u0042' from \"A\"\"b\" -- end",
            "select 1, 1.5, .5, 1., 1e5, 1.5e-3, 1_000, 0x1f, b'01', X'1f', U&'\\0041' /* a /* b */ */",
            "select a<>-1, b>=-1, c||'x', d->>'e', f::int, g[1:2], h @> '{}', i ?| j, $1",
            "select 'käse', \"Größe\" -- ü\n, x",
            "-- a\r\nselect 1; -- b",
            "select @5, |/4, a!=b, a<@b, a->b, a#>>b, a@@b, a~*b, a!~~*b, a<->b, a^@b",
        ] {
            assert!(agree(text), "{text}");
        }
    }

    /// Their tokenizer eats the character after `&>`, a quote too.
    #[test]
    fn what_follows_an_overlap_operator_is_not_eaten() {
        for text in [
            "select a &> b",
            "select a &>'x' || 'y'",
            "select a &>b, '&>'",
        ] {
            assert!(agree(text), "{text}");
        }
        assert!(!agree("select 'x' &>/* ' */ ssn from patients --'"));
        assert!(!agree("select 'x' &>--'\n ssn from patients --'"));
    }

    /// SQL.md P1: sqlparser reads the comment's start as part of the operator.
    #[test]
    fn p1_comment_start_inside_an_operator() {
        assert!(!agree(
            "SELECT 'x' ||/* ' FROM visits -- */ ssn FROM patients --'"
        ));
    }

    /// SQL.md P1b: the same with `--`, and with a comment that hides a quote, for each operator
    /// that sqlparser lets run on.
    #[test]
    fn p1b_comment_inside_an_operator() {
        let both = [
            "<@", "~", "<>", ">=", ">>", "%", "&", "&&", "#", "->", "<->", "||", "|",
        ];
        for operator in both {
            let line = format!("SELECT 'x' {operator}--'\n ssn FROM patients --'");
            assert!(!agree(&line), "{operator}");
        }
        for operator in both.into_iter().chain(["<", "<=", "-"]) {
            let block =
                format!("SELECT 'x' {operator}/* ' FROM visits -- */ ssn FROM patients --'");
            assert!(!agree(&block), "{operator}");
        }
    }

    /// Where sqlparser ends the operator as PostgreSQL does, there is nothing to refuse.
    #[test]
    fn comments_after_operators_that_cannot_run_on_are_read_alike() {
        for operator in ["=", "+", "*", "^", "@>"] {
            assert!(
                agree(&format!("SELECT 1 {operator}/* ' */ 2 -- '")),
                "{operator}"
            );
        }
        for operator in ["<", "<="] {
            assert!(
                agree(&format!("SELECT 1 {operator}-- '\n 2 -- '")),
                "{operator}"
            );
        }
    }

    #[test]
    fn a_disagreement_is_placed_in_bytes() {
        let text = "SELECT 'ä' ||/* ' */ x --'";
        let found = check(text, &lex::lex(text, 1_000).unwrap()).unwrap_err();
        assert_eq!(text.get(found.at..), Some("||/* ' */ x --'"));
    }
}
