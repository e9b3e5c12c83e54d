//! Statements made of others: pieces taken out, doubled, exchanged with those of another, and what
//! readers of SQL have stumbled over put between them.

use crate::two_world::choices::Choices;

/// What is put between pieces: quotes, comments and words that begin or end something.
const STUMBLES: [&str; 40] = [
    "'",
    "\"",
    "''",
    "\\",
    "\\'",
    "$$",
    "$a$",
    "/*",
    "*/",
    "/**/",
    "--",
    "--\n",
    "E'",
    "U&'",
    "U&\"",
    "N'",
    "B'",
    "X'",
    ";",
    ",",
    "(",
    ")",
    "[",
    "]",
    ".",
    ".*",
    "*",
    "::",
    ":=",
    "=>",
    "ONLY",
    "TABLE",
    "END",
    "AS",
    "UNION ALL",
    "FROM",
    "SELECT",
    "WITH",
    "COLLATE",
    "ESCAPE",
];

/// The most changes of one statement.
const CHANGES: usize = 4;

/// A statement made of some of these.
///
/// # Panics
/// Without any.
pub fn mutate(of: &[String], choices: &mut Choices) -> String {
    let mut made = pieces(choices.one::<String>(of));
    for _ in 0..=choices.below(CHANGES) {
        let other = pieces(choices.one::<String>(of));
        let at = choices.below(made.len());
        let len = 1 + choices.below(3);
        let end = (at + len).min(made.len());
        match choices.below(5) {
            0 => drop(made.drain(at..end)),
            1 => {
                let twice: Vec<_> = made.get(at..end).unwrap_or_default().to_vec();
                made.splice(at..at, twice);
            }
            2 => made.insert(at, choices.one::<&str>(&STUMBLES)),
            _ => {
                let from = choices.below(other.len());
                let to = (from + 1 + choices.below(6)).min(other.len());
                let taken = other.get(from..to).unwrap_or_default().iter().copied();
                made.splice(at..end, taken);
            }
        }
    }
    made.concat()
}

/// Words, runs of white space and single other characters.
fn pieces(text: &str) -> Vec<&str> {
    let kind = |c: char| {
        if c.is_alphanumeric() || c == '_' {
            0
        } else if c.is_whitespace() {
            1
        } else {
            2
        }
    };
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match kind(first) {
            2 => first.len_utf8(),
            of => rest.find(|c| kind(c) != of).unwrap_or(rest.len()),
        };
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_whole_text_and_a_seed_makes_one_statement() {
        let text = "SELECT 'é' ||p.x  FROM t--c";
        assert_eq!(pieces(text).concat(), text);
        let of = [text.to_owned(), "TABLE u".to_owned()];
        let made = |seed| mutate(&of, &mut Choices::seeded(seed));
        assert_eq!(made(1), made(1));
        assert!((0..50).any(|seed| made(seed) != made(seed + 1)));
    }
}
