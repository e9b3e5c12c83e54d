//! Syntax errors in PostgreSQL's words, without ever quoting a literal.

use crate::lex::{Kind, Token, character_position};
use crate::refusal::{Reason, Refusal};

/// `syntax error at or near "..."` for the token at character `column` of `text`.
pub(super) fn syntax_error(text: &str, tokens: &[Token<'_>], column: Option<u64>) -> Refusal {
    let at = column.filter(|column| *column > 0).and_then(|column| {
        let byte = text
            .char_indices()
            .nth(usize::try_from(column - 1).ok()?)?
            .0;
        tokens
            .iter()
            .find(|token| token.start <= byte && byte < token.end)
    });
    let Some(token) = at else {
        let end = tokens.last().map_or(0, |token| token.end);
        return refusal("syntax error at end of input".to_owned())
            .at(character_position(text, end));
    };
    let what = match token.kind {
        Kind::Word | Kind::QuotedIdentifier | Kind::Operator | Kind::Punctuation => {
            format!("\"{}\"", token.text)
        }
        Kind::String | Kind::BitString | Kind::HexString => "a string".to_owned(),
        Kind::Number => "a number".to_owned(),
        Kind::Parameter => "a parameter".to_owned(),
    };
    refusal(format!("syntax error at or near {what}")).at(character_position(text, token.start))
}

/// The column that sqlparser puts at the end of its message; only that is used of the message,
/// which may quote literals.
pub(super) fn column(message: &str) -> Option<u64> {
    message.rsplit_once("Column: ")?.1.trim().parse().ok()
}

fn refusal(message: String) -> Refusal {
    Refusal::new(Reason::Syntax, message)
        .with_detail("the gateway could not read it; PostgreSQL was not asked")
}
