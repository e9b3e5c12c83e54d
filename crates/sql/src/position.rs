//! Where in the typed text an error of the server is, which counts in the text that was sent
//! (field `P` of ErrorResponse, in characters from 1).
//!
//! Names of columns and functions carry their places through the whole analysis. Literals and
//! operators do not: the n-th one of its kind in what was sent is the n-th in what was typed, if
//! both have as many of them. What neither tells, such as an error within what stands for a masked
//! column, has no position.

use crate::Permit;
use crate::budget;
use crate::lex::{self, Kind, Token, character_position};

/// Longer texts are not read again to find a literal.
const SEARCHED_MAX: usize = 1 << 16;

/// What of a text that was sent is known to come from where.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// Byte in the text that was sent, character in the text that was typed.
    pub(crate) marks: Box<[(u32, u32)]>,
    /// Ranges of bytes that the gateway wrote itself.
    pub(crate) own: Box<[(u32, u32)]>,
}

/// The place in `typed` that `position` in what was sent for it means.
pub fn position(permits: &[Permit], typed: &str, position: u32) -> Option<u32> {
    let mut left = usize::try_from(position).ok()?.checked_sub(1)?;
    for permit in permits {
        let length = permit.sql.chars().count();
        if left < length {
            let byte = permit.sql.char_indices().nth(left)?.0;
            let alone = permits.len() == 1;
            return permit
                .marked(byte)
                .or_else(|| alone.then(|| permit.counted(typed, byte)).flatten());
        }
        // `; ` stands between statements.
        left = left.checked_sub(length + 2)?;
    }
    None
}

impl Permit {
    fn marked(&self, byte: usize) -> Option<u32> {
        let byte = u32::try_from(byte).ok()?;
        let marks = &self.places.marks;
        let found = marks.binary_search_by_key(&byte, |(at, _)| *at).ok()?;
        marks.get(found).map(|(_, place)| *place)
    }

    /// The place of the literal or operator at this byte of what was sent.
    fn counted(&self, typed: &str, byte: usize) -> Option<u32> {
        if typed.len() > SEARCHED_MAX || self.sql.len() > SEARCHED_MAX {
            return None;
        }
        let sent = lex::lex(&self.sql, budget::MAX_TOKENS * 16).ok()?.tokens;
        let mut typed_tokens = lex::lex(typed, budget::MAX_TOKENS).ok()?;
        lex::unicode_escapes(typed, &mut typed_tokens).ok()?;
        lex::join_continued(typed, &mut typed_tokens).ok()?;
        let at = sent.iter().position(|token| token.start == byte)?;
        // `OPERATOR(pg_catalog.+)`, which its first word stands for.
        let at = if sent.get(at)?.is_word("operator") {
            at + 4
        } else {
            at
        };
        let wanted = sent.get(at)?;
        if !is_counted(wanted) {
            return None;
        }
        let is = |token: &&Token<'_>| token.kind == wanted.kind && token.text == wanted.text;
        let own = |token: &&Token<'_>| !self.is_own(token.start);
        let all = sent.iter().filter(is).filter(own).count();
        let before = sent.iter().take(at).filter(is).filter(own).count();
        let mut found = typed_tokens.tokens.iter().filter(is);
        let count = found.clone().count();
        if self.is_own(wanted.start) || count != all {
            return None;
        }
        Some(character_position(typed, found.nth(before)?.start))
    }

    fn is_own(&self, byte: usize) -> bool {
        let within = |(start, end): &(u32, u32)| (*start as usize..*end as usize).contains(&byte);
        self.places.own.iter().any(within)
    }
}

fn is_counted(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::String
        | Kind::BitString
        | Kind::HexString
        | Kind::Number
        | Kind::Parameter
        | Kind::Operator => true,
        Kind::Word | Kind::QuotedIdentifier | Kind::Punctuation => false,
    }
}

#[cfg(test)]
mod tests {
    use super::position;
    use crate::testing::World;

    /// Where the error would be said to be that the server reports at `wanted`.
    fn found(typed: &str, wanted: &str) -> Option<usize> {
        let world = World::limited();
        let batch = world.analyse(typed).unwrap();
        let sent = batch.sql();
        let at = sent
            .find(wanted)
            .unwrap_or_else(|| panic!("{wanted} in {sent}"));
        let characters = sent[..at].chars().count() + 1;
        position(&batch.permits, typed, u32::try_from(characters).unwrap()).map(|p| p as usize)
    }

    #[test]
    fn names_functions_literals_and_operators_are_found() {
        let typed = "select 'ü', lower(v.ward) from visits v where v.id + 1 = 'x' and ward = 'x'";
        for (wanted, word) in [
            ("pg_catalog.\"lower\"", "lower"),
            ("\"v\".\"ward\")", "v.ward"),
            ("\"v\".\"id\"", "v.id"),
            ("OPERATOR(pg_catalog.+)", "+"),
            ("1)", "1 ="),
            ("'x')", "'x' and"),
        ] {
            let byte = typed.find(word).unwrap();
            let expected = typed[..byte].chars().count() + 1;
            assert_eq!(found(typed, wanted), Some(expected), "{wanted}");
        }
    }

    #[test]
    fn statements_of_a_batch_are_told_apart() {
        let typed = "select 1; select ward from visits";
        assert_eq!(found(typed, "\"visits\".\"ward\""), Some(18));
    }

    #[test]
    fn what_the_gateway_wrote_has_no_place() {
        let typed = "select name from patients";
        assert_eq!(found(typed, "'[redacted]'"), None);
        // As often in what was typed as in what was sent, but not there.
        let typed = "select '[redacted]' from patients where name = ''";
        assert_eq!(found(typed, "'[redacted]' AS pg_catalog"), None);
        assert_eq!(found(typed, "'[redacted]'"), Some(8));
    }

    #[test]
    fn positions_beyond_the_text_are_none() {
        let world = World::limited();
        let batch = world.analyse("select 1").unwrap();
        for beyond in [0, 9, 10, u32::MAX] {
            assert_eq!(
                position(&batch.permits, "select 1", beyond),
                None,
                "{beyond}"
            );
        }
    }
}
