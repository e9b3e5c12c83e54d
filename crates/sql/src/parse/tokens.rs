//! Our tokens in sqlparser's words.

use sqlparser::tokenizer::{Location, Span, Token as Theirs, TokenWithSpan, Word};

use crate::lex::{Kind, Token};

/// Quote style of marker identifiers. No identifier of a client has it: to our lexer a backtick is
/// an operator. (sqlparser panics when it shows a token with a quote that no database has.)
pub(super) const MARKER_QUOTE: char = '`';
pub(super) const ONLY: &str = "\u{1}only";
pub(super) const VARIADIC: &str = "\u{1}variadic";
pub(super) const STAR: &str = "\u{1}*";
pub(super) const COLLATE: &str = "\u{1}collate";
pub(super) const SYMMETRIC: &str = "\u{1}symmetric";
pub(super) const MOVE: &str = "\u{1}move";
pub(super) const CURRENT_ROW: &str = "\u{1}current row";
pub(super) const UNBOUNDED: &str = "\u{1}unbounded";
pub(super) const EXCLUDE_CURRENT: &str = "\u{1}exclude current row";
pub(super) const EXCLUDE_GROUP: &str = "\u{1}exclude group";
pub(super) const EXCLUDE_TIES: &str = "\u{1}exclude ties";
pub(super) const EMPTY: &str = "\u{1}empty";
pub(super) const TIES: &str = "\u{1}ties";
pub(super) const ROWS_FROM: &str = "\u{1}rows from";
pub(super) const USING_ALIAS: &str = "\u{1}using as";
pub(super) const ANY: &str = "\u{1}any";
pub(super) const ALL: &str = "\u{1}all";
pub(super) const GROUPING_SETS: &str = "\u{1}grouping sets";
pub(super) const GROUP_DISTINCT: &str = "\u{1}group distinct";
pub(super) const NO_KEY: &str = "\u{1}no key";
pub(super) const KEY: &str = "\u{1}key";
pub(super) const OVERRIDING_SYSTEM: &str = "\u{1}overriding system";
pub(super) const OVERRIDING_USER: &str = "\u{1}overriding user";
pub(super) const CURRENT_OF: &str = "\u{1}current of";
pub(super) const UNTYPED: &str = "\u{1}untyped";
pub(super) const LOCAL: &str = "\u{1}local";
pub(super) const NESTED: &str = "\u{1}nested";
pub(super) const OPERAND: &str = "\u{1}operand";
/// What SEARCH and CYCLE say follows, each part after a zero byte.
pub(super) const SEARCH: &str = "\u{1}search";

/// Walks forward over a text, turning byte offsets into characters.
pub(super) struct Places<'a> {
    text: &'a str,
    byte: usize,
    characters: u64,
}

impl<'a> Places<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            byte: 0,
            characters: 0,
        }
    }

    /// The place of the token from `start` to `end`; a token before the last one asked for gets
    /// the last one's place.
    pub(super) fn span(&mut self, start: usize, end: usize) -> Span {
        Span::new(self.location(start), self.location(end))
    }

    fn location(&mut self, byte: usize) -> Location {
        if byte > self.byte {
            let passed = self.text.get(self.byte..byte).unwrap_or_default();
            self.characters += if passed.is_ascii() {
                passed.len() as u64
            } else {
                passed.chars().count() as u64
            };
            self.byte = byte;
        }
        Location {
            line: 1,
            column: self.characters + 1,
        }
    }
}

/// One of our tokens as sqlparser's parser knows it. `infix` tells of an operator whether an
/// operand stands before it.
pub(super) fn token(ours: &Token<'_>, infix: bool) -> Theirs {
    let text = &*ours.text;
    match ours.kind {
        Kind::Word => Theirs::make_word(text, None),
        Kind::QuotedIdentifier => Theirs::make_word(text, Some('"')),
        Kind::String => Theirs::SingleQuotedString(text.to_owned()),
        Kind::BitString => Theirs::SingleQuotedByteStringLiteral(text.to_owned()),
        Kind::HexString => Theirs::HexStringLiteral(text.to_owned()),
        Kind::Number => Theirs::Number(text.to_owned(), false),
        Kind::Parameter => Theirs::Placeholder(format!("${text}")),
        Kind::Punctuation => punctuation(text),
        Kind::Operator => operator(text, infix),
    }
}

/// An identifier that no client can write.
pub(super) fn marker(value: &str) -> Theirs {
    Theirs::Word(Word {
        value: value.to_owned(),
        quote_style: Some(MARKER_QUOTE),
        keyword: sqlparser::keywords::Keyword::NoKeyword,
    })
}

/// A token at a place.
pub(super) fn at(token: Theirs, span: Span) -> TokenWithSpan {
    TokenWithSpan { token, span }
}

/// An operator between two operands that PostgreSQL's grammar calls `Op`: all of one precedence,
/// which sqlparser only gives to custom operators (it binds `~` like `=`).
pub(super) fn custom(symbol: &str) -> Theirs {
    Theirs::CustomBinaryOperator(symbol.to_owned())
}

fn punctuation(text: &str) -> Theirs {
    match text {
        "," => Theirs::Comma,
        "(" => Theirs::LParen,
        ")" => Theirs::RParen,
        "[" => Theirs::LBracket,
        "]" => Theirs::RBracket,
        "." => Theirs::Period,
        ";" => Theirs::SemiColon,
        ":" => Theirs::Colon,
        "::" => Theirs::DoubleColon,
        // Both name an argument.
        ":=" | "=>" => Theirs::RArrow,
        // `..` has no place in SQL; the parser refuses this one.
        _ => Theirs::Backslash,
    }
}

pub(super) fn operator(text: &str, infix: bool) -> Theirs {
    match text {
        "+" => Theirs::Plus,
        "-" => Theirs::Minus,
        "*" => Theirs::Mul,
        "/" => Theirs::Div,
        "%" => Theirs::Mod,
        "^" => Theirs::Caret,
        "<" => Theirs::Lt,
        ">" => Theirs::Gt,
        "=" => Theirs::Eq,
        "<=" => Theirs::LtEq,
        ">=" => Theirs::GtEq,
        "<>" => Theirs::Neq,
        "||" => Theirs::StringConcat,
        "->" => Theirs::Arrow,
        "->>" => Theirs::LongArrow,
        "#>" => Theirs::HashArrow,
        "#>>" => Theirs::HashLongArrow,
        "@>" => Theirs::AtArrow,
        "<@" => Theirs::ArrowAt,
        "&&" => Theirs::Overlap,
        "&" => Theirs::Ampersand,
        "|" => Theirs::Pipe,
        _ if infix => custom(text),
        // Prefix operators.
        "~" => Theirs::Tilde,
        "|/" => Theirs::PGSquareRoot,
        "||/" => Theirs::PGCubeRoot,
        "@" => Theirs::AtSign,
        "#" => Theirs::Sharp,
        "@-@" => Theirs::AtDashAt,
        "@@" => Theirs::AtAt,
        "?-" => Theirs::QuestionMarkDash,
        "?|" => Theirs::QuestionPipe,
        "!!" => Theirs::DoubleExclamationMark,
        _ => custom(text),
    }
}
