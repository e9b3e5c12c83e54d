//! What became of each statement of a message: answered, rejected by PostgreSQL, refused by the gateway, or
//! not run because it stood behind an error.

use std::collections::HashMap;

use phigate_sql::{Reason, Refusal};
use phigate_testkit::client::Answer;
use phigate_wire::backend::{ErrorFields, tag};
use phigate_wire::frame::Frame;

use super::generate::{Message, Step};
use super::judge::Judge;

/// What became of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Answered without an error.
    Answered,
    /// Let through by the gateway, and failed in PostgreSQL: its SQLSTATE and what was said.
    Rejected(String, String),
    /// Refused by the gateway: the reason and what was said.
    Refused(String, String),
    /// Behind an error in its transaction or pipeline.
    Skipped,
}

/// Kinds of statement, by what they ask of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// SELECT, WITH, VALUES, TABLE.
    Query,
    /// DECLARE, FETCH, MOVE, CLOSE.
    Cursor,
    /// PREPARE, EXECUTE, DEALLOCATE.
    Prepared,
    /// COPY.
    Copy,
    /// EXPLAIN.
    Explain,
    /// INSERT, UPDATE, DELETE, MERGE, TRUNCATE.
    Change,
    /// CREATE, DROP, ANALYZE and what else is about relations.
    Definition,
    /// SHOW, SET, RESET.
    Setting,
    /// BEGIN, SAVEPOINT, COMMIT, ROLLBACK and kin, and the empty statement: nothing to judge.
    Control,
}

// === impl Kind ===

impl Kind {
    /// The kind of a text, by its first word.
    pub fn of(sql: &str) -> Self {
        let text = sql.trim_start().trim_start_matches('(');
        let word = text.split(|c: char| !c.is_ascii_alphabetic()).next();
        match word.unwrap_or_default().to_ascii_lowercase().as_str() {
            "select" | "with" | "values" | "table" => Self::Query,
            "declare" | "fetch" | "move" | "close" => Self::Cursor,
            "prepare" | "execute" | "deallocate" => Self::Prepared,
            "copy" => Self::Copy,
            "explain" => Self::Explain,
            "insert" | "update" | "delete" | "merge" | "truncate" => Self::Change,
            "show" | "set" | "reset" => Self::Setting,
            "" | "begin" | "start" | "commit" | "end" | "rollback" | "abort" | "savepoint"
            | "release" => Self::Control,
            _ => Self::Definition,
        }
    }

    /// In a report.
    pub fn word(self) -> &'static str {
        match self {
            Self::Query => "queries",
            Self::Cursor => "cursors",
            Self::Prepared => "PREPARE, EXECUTE",
            Self::Copy => "COPY",
            Self::Explain => "EXPLAIN",
            Self::Change => "changes of rows",
            Self::Definition => "definitions",
            Self::Setting => "settings",
            Self::Control => "transaction control",
        }
    }
}

/// Each statement of a message that was sent, and what became of it.
pub fn outcomes<'m>(
    message: &'m Message,
    answer: &Answer,
    judge: &Judge,
) -> Vec<(&'m str, Outcome)> {
    let statements = message.statements();
    let Some(error) = answer.errors().into_iter().next() else {
        return statements
            .into_iter()
            .map(|sql| (sql, Outcome::Answered))
            .collect();
    };
    let (read, failed) = match message {
        Message::Wire(steps) => first_failure(steps, answer),
        Message::Simple(_) | Message::Extended { .. } | Message::Cancelled(_) => (1, Some(0)),
    };
    let outcome = |(number, sql)| {
        let outcome = if failed == Some(number) {
            failure(sql, message, &error, judge)
        } else if number < read {
            Outcome::Answered
        } else {
            Outcome::Skipped
        };
        (sql, outcome)
    };
    statements.into_iter().enumerate().map(outcome).collect()
}

/// Whose "no" an error is.
fn failure(sql: &str, message: &Message, error: &ErrorFields, judge: &Judge) -> Outcome {
    let code = error.code().as_str().to_owned();
    let said = skeleton(&error.message());
    if code == "25P02" {
        return Outcome::Skipped;
    }
    let refusal = judge.refusal_of(message, sql);
    let known = |refusal: &&Refusal| refusal.reason().sqlstate().as_str() == code;
    if let Some(refusal) = refusal.as_ref().filter(known) {
        let said = match refusal.reason() {
            // The words quoted are what is not understood.
            Reason::Syntax | Reason::Construct => error.message().into_owned(),
            _ => said,
        };
        return Outcome::Refused(refusal.reason().as_str().to_owned(), said);
    }
    // What the judge does not know of, such as rows out of scope, or a privilege that PostgreSQL misses; and
    // what it refuses only because it knows no relation of the session's own. Taken for ours.
    let unknown = refusal.is_some_and(|refusal| refusal.reason() == Reason::UnknownRelation);
    if code == "42501" || (code == "0A000" && unknown) {
        return Outcome::Refused("privilege".to_owned(), said);
    }
    Outcome::Rejected(code, said)
}

/// How many statements of a pipeline were read before its first error, that one included, and which of them
/// it is of; of none where the statement was prepared by an earlier message.
fn first_failure(steps: &[Step], answer: &Answer) -> (usize, Option<usize>) {
    let frames = answer.frames().iter().map(Frame::tag);
    let before = frames.take_while(|found| *found != tag::ERROR);
    let mut replies = before.filter(|found| ends_a_step(*found)).count();
    let mut read = 0;
    let mut statements: HashMap<&str, usize> = HashMap::new();
    let mut portals: HashMap<&str, Option<usize>> = HashMap::new();
    for step in steps {
        let of = match step {
            Step::Parse { name, .. } => {
                read += 1;
                statements.insert(name, read - 1);
                Some(read - 1)
            }
            Step::Query(_) => {
                read += 1;
                Some(read - 1)
            }
            Step::Bind {
                portal, statement, ..
            } => {
                let of = statements.get(statement).copied();
                portals.insert(portal, of);
                of
            }
            Step::DescribeStatement(name) | Step::CloseStatement(name) => {
                statements.get(name).copied()
            }
            Step::DescribePortal(portal) | Step::Execute(portal, _) | Step::ClosePortal(portal) => {
                portals.get(portal).copied().flatten()
            }
            Step::Flush | Step::Sync | Step::CopyData(_) | Step::CopyDone | Step::CopyFail => {
                continue;
            }
        };
        if replies == 0 {
            return (read, of);
        }
        replies -= 1;
    }
    (read, read.checked_sub(1))
}

/// Whether a frame is the last that answers a message other than Sync.
fn ends_a_step(found: u8) -> bool {
    [
        tag::PARSE_COMPLETE,
        tag::BIND_COMPLETE,
        tag::CLOSE_COMPLETE,
        tag::ROW_DESCRIPTION,
        tag::NO_DATA,
        tag::COMMAND_COMPLETE,
        tag::EMPTY_QUERY,
        tag::PORTAL_SUSPENDED,
    ]
    .contains(&found)
}

/// A message without what stands in quotes.
fn skeleton(message: &str) -> String {
    let mut out = String::new();
    for (number, part) in message.split('"').enumerate() {
        if number % 2 == 0 {
            out.push_str(part);
        } else {
            out.push_str("\"…\"");
        }
    }
    out.chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .take(110)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_reduced_to_its_kind() {
        assert_eq!(
            skeleton("column \"t1.x\" is 42 years old"),
            "column \"…\" is 00 years old"
        );
    }

    #[test]
    fn statements_are_told_apart_by_their_first_word() {
        assert_eq!(Kind::of("(SELECT 1) UNION (SELECT 2)"), Kind::Query);
        assert_eq!(Kind::of("ROLLBACK TO a"), Kind::Control);
        assert_eq!(Kind::of("ANALYZE m1"), Kind::Definition);
    }
}
