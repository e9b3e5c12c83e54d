//! What a statement may cost before it is parsed, counted on tokens.
//!
//! sqlparser reads left-associative chains (`a + b + ...`, `UNION ALL ...`) in a loop, so its
//! recursion limit never sees them, but the tree they make is as deep as the chain is long, and
//! dropping, lowering or cloning it recurses: a stack overflow aborts the process and every
//! session with it. [`shape`] therefore bounds the depth of the tree that a text can make, from
//! above, and everything that walks a tree runs on a stack of [`ANALYSIS_STACK_BYTES`].
//!
//! Measured on sqlparser 0.63, see `parse/stack_tests.rs`: parsing and dropping at every
//! budget takes less than half of that stack without optimisation (the worst: 120 subqueries in FROM
//! 16 MiB, EXPLAIN of EXPLAIN 22 MiB), and far less with it. Cloning is what costs: 5 KiB a link.

use crate::lex::{Kind, Lexed, Token};

/// The stack that analysis needs; the gateway's workers and our tests have it.
pub const ANALYSIS_STACK_BYTES: usize = 64 << 20;

/// Longest text of one simple query or Parse message that is analysed, in bytes.
pub(crate) const MAX_STATEMENT_BYTES: usize = 4 << 20;

/// Most tokens in one text: a list of 100,000 literals fits.
pub(crate) const MAX_TOKENS: usize = 1 << 18;

/// Most white space outside strings and comments, in bytes: sqlparser's tokenizer makes a token of a
/// hundred bytes of each character.
pub(crate) const MAX_WHITE_SPACE: usize = 1 << 20;

/// Most statements in one simple query.
pub(crate) const MAX_STATEMENTS: usize = 1_000;

/// Deepest nesting of parentheses, brackets and CASE.
pub(crate) const MAX_NESTING: usize = 120;

/// Recursion limit of sqlparser; one level of nesting takes one to four.
pub(crate) const PARSER_RECURSION: usize = 300;

/// Deepest tree, in links.
pub(crate) const MAX_DEPTH: u32 = 5_000;

/// What one set operation or join counts in links: their nodes are the largest.
const SET_OPERATION_LINKS: u32 = 5;

/// Which budget a text goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OverBudget {
    #[error("statement is longer than {MAX_STATEMENT_BYTES} bytes")]
    Bytes,
    #[error("statement has more than {MAX_TOKENS} tokens")]
    Tokens,
    #[error(
        "statement has more than {MAX_WHITE_SPACE} bytes of white space outside strings and comments"
    )]
    WhiteSpace,
    #[error("more than {MAX_STATEMENTS} statements in one query")]
    Statements,
    #[error("statement is nested too deeply")]
    Nesting,
    #[error("statement has too long a chain of operators, joins or set operations")]
    Chain,
}

/// Checks how much of `text` is in no token and no comment.
pub(crate) fn white_space(text: &str, lexed: &Lexed<'_>) -> Result<(), OverBudget> {
    let tokens = lexed.tokens.iter().map(|token| token.end - token.start);
    let comments = lexed.comments.iter().map(|(start, end)| end - start);
    let used: usize = tokens.chain(comments).sum();
    if text.len().saturating_sub(used) > MAX_WHITE_SPACE {
        return Err(OverBudget::WhiteSpace);
    }
    Ok(())
}

/// Checks nesting and the depth of the tree that `tokens` can make.
/// Returns the budget and the byte at which it is used up.
pub(crate) fn shape(tokens: &[Token<'_>]) -> Result<(), (OverBudget, usize)> {
    let mut open: Vec<Level> = vec![Level::new(Opener::Statement)];
    let mut statements = 1;
    for token in tokens {
        let over = |budget| Err((budget, token.start));
        let Some(level) = open.last_mut() else {
            return over(OverBudget::Nesting);
        };
        match step(token, level.opener) {
            Step::Operand => {}
            Step::Link => level.run += 1,
            Step::Logical => level.logical(),
            Step::SetOperation => level.sets += SET_OPERATION_LINKS,
            Step::Join => {
                level.sets += SET_OPERATION_LINKS;
                level.waiting += usize::from(!level.natural);
                level.natural = false;
                if level.waiting > MAX_NESTING {
                    return over(OverBudget::Nesting);
                }
            }
            Step::Natural => level.natural = true,
            Step::Condition => level.waiting = level.waiting.saturating_sub(1),
            Step::Separator => level.separate(),
            Step::Open(opener) => {
                // A subscript or a call also is a link of the chain it stands in.
                level.run += 1;
                if open.len() > MAX_NESTING {
                    return over(OverBudget::Nesting);
                }
                open.push(Level::new(opener));
            }
            Step::Close(opener) => close(&mut open, opener),
            Step::Statement => {
                statements += 1;
                if statements > MAX_STATEMENTS {
                    return over(OverBudget::Statements);
                }
                open.clear();
                open.push(Level::new(Opener::Statement));
            }
        }
        if open.last().is_some_and(|level| level.depth() > MAX_DEPTH) {
            return over(OverBudget::Chain);
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opener {
    Statement,
    Bracket,
    Case,
}

enum Step {
    Operand,
    Link,
    Logical,
    SetOperation,
    Join,
    Natural,
    Condition,
    Separator,
    Open(Opener),
    Close(Opener),
    Statement,
}

fn step(token: &Token<'_>, inside: Opener) -> Step {
    match token.kind {
        Kind::Operator => Step::Link,
        Kind::Punctuation => match &*token.text {
            "(" | "[" => Step::Open(Opener::Bracket),
            ")" | "]" => Step::Close(Opener::Bracket),
            "," => Step::Separator,
            ";" => Step::Statement,
            "::" | ":=" | "=>" | ":" => Step::Link,
            _ => Step::Operand,
        },
        Kind::Word => match &*token.text {
            "case" => Step::Open(Opener::Case),
            "end" if inside == Opener::Case => Step::Close(Opener::Case),
            "when" | "then" | "else" if inside == Opener::Case => Step::Separator,
            "and" | "or" | "not" => Step::Logical,
            "union" | "intersect" | "except" => Step::SetOperation,
            "join" => Step::Join,
            "natural" | "cross" => Step::Natural,
            "on" | "using" => Step::Condition,
            "is" | "isnull" | "notnull" | "in" | "like" | "ilike" | "similar" | "between"
            | "collate" | "at" | "operator" | "overlaps" | "over" | "filter" | "within" => {
                Step::Link
            }
            _ => Step::Operand,
        },
        Kind::QuotedIdentifier
        | Kind::String
        | Kind::BitString
        | Kind::HexString
        | Kind::Number
        | Kind::Parameter => Step::Operand,
    }
}

/// One pair of brackets, or one CASE, that is open.
struct Level {
    opener: Opener,
    /// AND, OR, NOT since the last separator: their chain is above every other operator's.
    logical: u32,
    /// Other operators since the last logical one, and the longest such run.
    run: u32,
    longest_run: u32,
    /// The deepest closed level inside the current segment.
    child: u32,
    /// Links of set operations and joins: a separator does not end their chain.
    sets: u32,
    /// The deepest segment between separators so far.
    worst: u32,
    /// Joins whose ON or USING has not come yet: `a JOIN b JOIN c ON x ON y` nests to the right,
    /// which sqlparser reads by recursion without counting it.
    waiting: usize,
    /// Whether CROSS or NATURAL stands before the next JOIN, so that nothing follows it.
    natural: bool,
}

impl Level {
    fn new(opener: Opener) -> Self {
        Self {
            opener,
            logical: 0,
            run: 0,
            longest_run: 0,
            child: 0,
            sets: 0,
            worst: 0,
            waiting: 0,
            natural: false,
        }
    }

    fn logical(&mut self) {
        self.logical += 1;
        self.longest_run = self.longest_run.max(self.run);
        self.run = 0;
    }

    fn separate(&mut self) {
        self.worst = self.worst.max(self.segment());
        (self.logical, self.run, self.longest_run, self.child) = (0, 0, 0, 0);
    }

    fn segment(&self) -> u32 {
        self.logical + self.longest_run.max(self.run) + self.child
    }

    fn depth(&self) -> u32 {
        1 + self.sets + self.worst.max(self.segment())
    }
}

/// Closes the innermost level of `opener`, and with a bracket every CASE left open inside it.
/// What does not match is left to the parser to refuse.
fn close(open: &mut Vec<Level>, opener: Opener) {
    while open.len() > 1 {
        let Some(level) = open.pop() else { return };
        if let Some(parent) = open.last_mut() {
            parent.child = parent.child.max(level.depth());
        }
        if level.opener == opener {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lex::lex;

    fn over(text: &str) -> Option<OverBudget> {
        shape(&lex(text, MAX_TOKENS).unwrap().tokens)
            .err()
            .map(|(budget, _)| budget)
    }

    #[test]
    fn long_chains_are_over_budget_in_every_form() {
        let n = MAX_DEPTH as usize + 1;
        for link in [
            "+1", "||'x'", " and x", " or x=1", "::int", "[1]", " not", " is null", "- ",
        ] {
            assert_eq!(
                over(&format!("select 1{}", link.repeat(n))),
                Some(OverBudget::Chain),
                "{link}"
            );
        }
        for link in [
            " union all select 1",
            " join t on true",
            " except select 1,2",
        ] {
            let text = format!("select 1{}", link.repeat(n / 4));
            assert_eq!(over(&text), Some(OverBudget::Chain), "{link}");
        }
    }

    #[test]
    fn chains_add_up_along_nesting() {
        let mut text = "1".to_owned();
        for _ in 0..60 {
            text = format!("({text}){}", "+1".repeat(100));
        }
        assert_eq!(over(&text), Some(OverBudget::Chain));
    }

    #[test]
    fn wide_statements_are_within_budget() {
        assert_eq!(
            over(&format!("select x in (1{})", ",2".repeat(100_000))),
            None
        );
        assert_eq!(
            over(&format!("values (1){}", ",(2+3)".repeat(40_000))),
            None
        );
        assert_eq!(
            over(&format!(
                "select a=1{}",
                " or a=2 and b+c*d=5".repeat(2_400)
            )),
            None
        );
        let arms = " when a = 1 and b = 2 then c || d".repeat(5_000);
        assert_eq!(over(&format!("select case{arms} else 0 end from t")), None);
    }

    #[test]
    fn nesting_and_statements_are_counted() {
        let nested = |n: usize| format!("select {}1{}", "(".repeat(n), ")".repeat(n));
        assert_eq!(over(&nested(MAX_NESTING)), None);
        assert_eq!(over(&nested(MAX_NESTING + 1)), Some(OverBudget::Nesting));
        assert_eq!(over(&"case ".repeat(1_000)), Some(OverBudget::Nesting));
        assert_eq!(
            over(&"select 1;".repeat(MAX_STATEMENTS)),
            Some(OverBudget::Statements)
        );
        assert_eq!(over(&"select 1;".repeat(MAX_STATEMENTS - 1)), None);
    }

    #[test]
    fn joins_that_nest_to_the_right_are_nesting() {
        let right = |n: usize| {
            format!(
                "select 1 from t{}{}",
                " join u".repeat(n),
                " on x".repeat(n)
            )
        };
        assert_eq!(over(&right(MAX_NESTING)), None);
        assert_eq!(over(&right(MAX_NESTING + 1)), Some(OverBudget::Nesting));
        for join in [
            " join u on x",
            " cross join u",
            " natural left join u",
            " join u using (x)",
        ] {
            assert_eq!(
                over(&format!("select 1 from t{}", join.repeat(500))),
                None,
                "{join}"
            );
        }
    }

    #[test]
    fn what_does_not_match_does_not_underflow() {
        assert_eq!(over(")))] end end select (]case) 1"), None);
    }
}
