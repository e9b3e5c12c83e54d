//! Where PostgreSQL and sqlparser bind prefix operators differently, and what an operand is.
//!
//! PostgreSQL's unary minus binds tighter than `^`, AT TIME ZONE and COLLATE (`gram.y`, UMINUS):
//! `-2 ^ 2` is 4. sqlparser reads `-(2 ^ 2)`. Its other prefix operators bind tighter than `+` and
//! `*` (`@ a + b` is `(@ a) + b`), PostgreSQL's looser (`@ (a + b)`). The former gets its brackets from
//! the pre-pass; the latter is so rare that the person is asked for them.

use crate::allow::keyword::{self, Category};
use crate::lex::{Kind, Token, character_position};
use crate::refusal::{Reason, Refusal};

/// Finds the signs whose operand the two grammars end differently, each with the index after its
/// operand; refuses the other prefix operators of that kind.
pub(super) fn check(text: &str, tokens: &[Token<'_>]) -> Result<Vec<(usize, usize)>, Refusal> {
    let mut signed = Vec::new();
    // One operand for a run of prefix operators: only the first of them is asked.
    let mut in_run = false;
    for (index, token) in tokens.iter().enumerate() {
        let prefix = token.kind == Kind::Operator && token.text != "*" && !is_infix(tokens, index);
        let first = prefix && !in_run;
        in_run = prefix;
        if !first {
            continue;
        }
        let sign = tokens
            .iter()
            .skip(index)
            .take_while(|token| token.kind == Kind::Operator)
            .all(|token| matches!(&*token.text, "+" | "-"));
        let end = after_operand(tokens, index + 1);
        let Some(next) = tokens.get(end) else {
            continue;
        };
        let tighter = next.is("^") || next.is_word("at") || next.is_word("collate");
        let arithmetic = ["+", "-", "*", "/", "%"]
            .iter()
            .any(|symbol| next.is(symbol));
        if tighter && sign {
            signed.push((index, end));
        } else if tighter || arithmetic && !sign {
            let message = format!(
                "put parentheses around the operand of the prefix operator \"{}\"",
                token.text
            );
            return Err(Refusal::new(Reason::Construct, message)
                .with_detail("what it applies to is read in two ways")
                .at(character_position(text, token.start)));
        }
    }
    Ok(signed)
}

/// Whether an operand ends before the operator at `index`, so that it stands between two.
pub(super) fn is_infix(tokens: &[Token<'_>], index: usize) -> bool {
    index
        .checked_sub(1)
        .and_then(|before| tokens.get(before))
        .is_some_and(ends_operand)
}

fn ends_operand(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::QuotedIdentifier
        | Kind::String
        | Kind::BitString
        | Kind::HexString
        | Kind::Number
        | Kind::Parameter => true,
        Kind::Punctuation => token.is(")") || token.is("]"),
        Kind::Operator => false,
        Kind::Word => match keyword::category(&token.text) {
            None => true,
            Some(Category::Unreserved) => !matches!(
                &*token.text,
                "by" | "rows" | "range" | "groups" | "escape" | "set"
            ),
            Some(Category::Column) => !matches!(&*token.text, "between" | "values" | "row"),
            Some(Category::TypeOrFunction) => {
                matches!(&*token.text, "isnull" | "notnull" | "current_schema")
            }
            Some(Category::Reserved) => matches!(
                &*token.text,
                "null"
                    | "true"
                    | "false"
                    | "end"
                    | "default"
                    | "user"
                    | "current_catalog"
                    | "current_date"
                    | "current_role"
                    | "current_time"
                    | "current_timestamp"
                    | "current_user"
                    | "localtime"
                    | "localtimestamp"
                    | "session_user"
                    | "system_user"
            ),
        },
    }
}

/// The index after the simple operand at `index`: signs, a literal, name, call, CASE or brackets,
/// with its subscripts, fields and casts.
fn after_operand(tokens: &[Token<'_>], mut index: usize) -> usize {
    let at = |index: usize| tokens.get(index);
    let is = |index: usize, symbol: &str| at(index).is_some_and(|token| token.is(symbol));
    while at(index).is_some_and(|token| token.kind == Kind::Operator) {
        index += 1;
    }
    let Some(first) = at(index) else { return index };
    if first.is("(") || first.is_word("case") {
        index = after_group(tokens, index);
    } else {
        index += 1;
        // `interval '1 day'`: a type before its literal.
        if first.is_name() && at(index).is_some_and(|token| token.kind == Kind::String) {
            index += 1;
        }
    }
    loop {
        if is(index, ".") {
            index += 2;
        } else if is(index, "(") || is(index, "[") {
            index = after_group(tokens, index);
        } else if is(index, "::") {
            index += 2;
            while at(index).is_some_and(is_type_word) {
                index += 1;
            }
        } else {
            return index;
        }
    }
}

/// Words that follow the first one of a type's name.
fn is_type_word(token: &Token<'_>) -> bool {
    ["precision", "varying", "with", "without", "time", "zone"]
        .iter()
        .any(|word| token.is_word(word))
}

/// The index after the bracket that closes the one at `index`, or after CASE's END.
fn after_group(tokens: &[Token<'_>], index: usize) -> usize {
    let case = tokens.get(index).is_some_and(|token| token.is_word("case"));
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate().skip(index) {
        let (opens, closes) = if case {
            (token.is_word("case"), token.is_word("end"))
        } else {
            (
                token.is("(") || token.is("["),
                token.is(")") || token.is("]"),
            )
        };
        if opens {
            depth += 1;
        } else if closes {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at + 1;
            }
        }
    }
    tokens.len()
}
