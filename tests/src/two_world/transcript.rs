//! When two answers are the same. Frames are compared byte by byte but for these normalisations,
//! each for a reason that DESIGN section 5 states:
//!
//! 1. Rows of one statement are compared as multisets where their order differs: the generator asks
//!    for no order but a total one, and there equal rows are the same row.
//! 2. Rows before an error are not compared: how many there were is a matter of order.
//! 3. The rows of EXPLAIN are not compared: the shape of plans is outside the guarantee.
//! 4. Timeouts (57014) and what runs out of memory or disk (53xxx) are not compared: time and
//!    resources are outside.
//! 5. What differs between the first world and itself with its rows stored in another order is not
//!    compared: SQL left it open (which row raises an error first, for instance).

use phigate_testkit::client::Answer;
use phigate_wire::backend::tag;

use super::generate::Item;

/// What comparing two answers says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Byte for byte.
    Same,
    /// After the normalisations.
    SameRows,
    /// One of them ran out of time or memory.
    Exhausted,
    /// They differ.
    Different,
}

/// Compares the answers to an item.
pub fn compare(item: &Item, one: &Answer, two: &Answer) -> Comparison {
    if one.closed() != two.closed() {
        return Comparison::Different;
    }
    let bytes = |answer: &Answer| -> Vec<Vec<u8>> {
        let frames = answer.frames().iter();
        frames.map(|frame| frame.bytes().to_vec()).collect()
    };
    if bytes(one) == bytes(two) {
        return Comparison::Same;
    }
    if exhausted(one) || exhausted(two) {
        return Comparison::Exhausted;
    }
    if normalised(item, one) == normalised(item, two) {
        return Comparison::SameRows;
    }
    Comparison::Different
}

/// Whether the statement ran out of time or memory.
fn exhausted(answer: &Answer) -> bool {
    answer.errors().iter().any(|error| {
        let code = error.code();
        code.as_str() == "57014" || code.as_str().starts_with("53")
    })
}

/// The frames, with the rows of each statement sorted in front of what ends it.
pub fn normalised(item: &Item, answer: &Answer) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut rows: Vec<Vec<u8>> = Vec::new();
    for frame in answer.frames() {
        let bytes = frame.bytes().to_vec();
        match frame.tag() {
            tag::DATA_ROW | tag::COPY_DATA => rows.push(bytes),
            tag::PORTAL_SUSPENDED => {}
            tag::ERROR => {
                rows.clear();
                out.push(bytes);
            }
            tag::COMMAND_COMPLETE => {
                if !item.plan {
                    rows.sort_unstable();
                    out.append(&mut rows);
                }
                rows.clear();
                out.push(bytes);
            }
            _ => out.push(bytes),
        }
    }
    out
}
