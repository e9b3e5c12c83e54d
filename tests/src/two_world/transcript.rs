//! When two answers are the same. Frames are compared byte by byte, rows in their order. What differs is a
//! finding, but for what DESIGN section 5 leaves out:
//!
//! 1. Rows of one statement in another order, and rows before an error, are left open by SQL if the first
//!    world answers otherwise than itself, too, when its rows are stored in another order or read by
//!    another plan (`run.rs`). An order that SQL promises never does.
//! 2. Other answers are left open by SQL if those of the first world and itself differ in the same way
//!    beyond the order of rows: which row raises an error first, for instance.
//! 3. The rows of EXPLAIN may differ, for the shape of plans is outside the guarantee; but no estimate or
//!    count may stand in them then, and no canary ever.
//! 4. Timeouts (57014) and what runs out of memory or disk (53xxx) are not compared: time and
//!    resources are outside.
//! 5. Of what a login says: the session's id, its grant's, and the time left.
//! 6. Of a column's description: which number its table has, where the session made that itself. Numbers
//!    come from a counter of the whole server, which each backend that is the first with its own
//!    number moves on.

use std::fmt;

use bytes::BytesMut;
use phigate_testkit::client::{Answer, Session};
use phigate_wire::backend::{self, tag};
use phigate_wire::frame::Frame;

use super::generate::{Item, Message};
use crate::canary::World;

/// Words of EXPLAIN beside numbers that come from statistics or from running the statement.
const ESTIMATES: [&str; 9] = [
    "cost=",
    "rows=",
    "width=",
    "Cost",
    "Plan Rows",
    "Plan Width",
    "Actual",
    "actual",
    "Rows Removed",
];

/// What comparing two answers says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Byte for byte.
    Same,
    /// Of EXPLAIN: another plan, without a number in it.
    OtherPlan,
    /// One of them ran out of time or memory.
    Exhausted,
    /// The same but for the order of rows, or for rows before an error.
    OtherOrder,
    /// They differ.
    Different,
}

/// What differs between the answers to a script, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// What no order of rows explains.
    Leak(String),
    /// Anything but the order of rows.
    Content(String),
    /// The order of rows, or which there were before an error.
    Order(String),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leak(text) | Self::Content(text) => f.write_str(text),
            Self::Order(text) => write!(f, "in the order of rows, {text}"),
        }
    }
}

/// The comparisons of a script's answers, or what differs.
///
/// # Errors
/// What differs: a leak if there is any, else a difference in content if there is any.
pub fn differs(
    items: &[Item],
    one: &[Answer],
    two: &[Answer],
) -> Result<Vec<Comparison>, Difference> {
    leaks(items, one, two)?;
    if one.len() != two.len() {
        let lengths = format!("{} answers and {}", one.len(), two.len());
        return Err(Difference::Content(lengths));
    }
    let mut comparisons = Vec::new();
    let mut order = None;
    for ((item, one), two) in items.iter().zip(one).zip(two) {
        let comparison = compare(item, one, two);
        comparisons.push(comparison);
        match comparison {
            Comparison::Same | Comparison::OtherPlan => {}
            Comparison::OtherOrder => {
                order.get_or_insert_with(|| first_difference(item, &exact(one), &exact(two)));
            }
            // What follows in the same transaction follows from it.
            Comparison::Exhausted => break,
            Comparison::Different => {
                let (one, two) = (normalised(item, one), normalised(item, two));
                return Err(Difference::Content(first_difference(item, &one, &two)));
            }
        }
    }
    match order {
        Some(order) => Err(Difference::Order(order)),
        None => Ok(comparisons),
    }
}

/// What one world says and the other does not, and is no client's to know.
fn leaks(items: &[Item], one: &[Answer], two: &[Answer]) -> Result<(), Difference> {
    for ((item, one), two) in items.iter().zip(one).zip(two) {
        // What both worlds say is in neither alone.
        if is_same(one, two) {
            continue;
        }
        for (world, answer) in [(World::One, one), (World::Two, two)] {
            // Statements guess at what is masked, and plans and errors repeat them.
            let typed = |item: &Item| world.find(item.message.sql().as_bytes()).is_some();
            if items.iter().any(typed) {
                continue;
            }
            for frame in answer.frames() {
                if let Some(around) = world.find(frame.bytes()) {
                    return Err(Difference::Leak(format!("a canary left: {around}")));
                }
            }
        }
        if item.plan {
            for frame in one.frames().iter().chain(two.frames()) {
                let text = String::from_utf8_lossy(frame.body());
                let estimate = ESTIMATES.iter().find(|word| text.contains(**word));
                if let (tag::DATA_ROW, Some(_)) = (frame.tag(), estimate) {
                    return Err(Difference::Leak(format!("a plan tells numbers: {text}")));
                }
            }
        }
    }
    Ok(())
}

/// Compares the answers to an item.
pub fn compare(item: &Item, one: &Answer, two: &Answer) -> Comparison {
    if is_same(one, two) {
        return Comparison::Same;
    }
    if one.closed() != two.closed() {
        return Comparison::Different;
    }
    if exhausted(one) || exhausted(two) {
        return Comparison::Exhausted;
    }
    if normalised(item, one) == normalised(item, two) {
        return if item.plan {
            Comparison::OtherPlan
        } else {
            Comparison::OtherOrder
        };
    }
    Comparison::Different
}

/// Whether two answers are the same bytes.
fn is_same(one: &Answer, two: &Answer) -> bool {
    let (left, right) = (one.frames().iter(), two.frames().iter());
    one.closed() == two.closed() && left.map(Frame::bytes).eq(right.map(Frame::bytes))
}

/// A frame in which tables that are newer than `newest` have no number.
pub fn without_own_numbers(frame: Frame, newest: u32) -> Frame {
    if frame.tag() != tag::ROW_DESCRIPTION {
        return frame;
    }
    let Ok(mut fields) = backend::decode_row_description(frame.body()) else {
        return frame;
    };
    for field in fields.iter_mut().filter(|field| field.table_oid > newest) {
        field.table_oid = u32::MAX;
    }
    let mut out = BytesMut::new();
    backend::row_description(&fields, &mut out);
    Frame::from_bytes(out.freeze()).expect("a frame")
}

/// What a login says of the server: each parameter, and each notice from where it no longer says whose
/// session it is and how long it lasts.
pub fn greeting(session: &Session) -> Vec<String> {
    let parameters = session
        .parameters
        .iter()
        .filter(|(name, _)| *name != "application_name")
        .map(|(name, value)| format!("{name}={value}"));
    let notices = session.notices.iter().map(|notice| {
        let message = notice.message();
        let rest = message.split_once(" left, ").map(|(_, rest)| rest);
        rest.unwrap_or(&message).to_owned()
    });
    parameters.chain(notices).collect()
}

/// Whether the statement ran out of time or memory.
fn exhausted(answer: &Answer) -> bool {
    answer.errors().iter().any(|error| {
        let code = error.code();
        code.as_str() == "57014" || code.as_str().starts_with("53")
    })
}

fn exact(answer: &Answer) -> Vec<Vec<u8>> {
    let frames = answer.frames().iter();
    frames.map(|frame| frame.bytes().to_vec()).collect()
}

/// The frames, with the rows of each statement sorted in front of what ends it. Rows of a portal that
/// was not read to its end stand last, in their order: such portals have one.
fn normalised(item: &Item, answer: &Answer) -> Vec<Vec<u8>> {
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
    if matches!(item.message, Message::Wire(_)) {
        out.append(&mut rows);
    }
    out
}

fn first_difference(item: &Item, left: &[Vec<u8>], right: &[Vec<u8>]) -> String {
    let show = |frames: &[Vec<u8>], at: usize| {
        frames.get(at).map_or("nothing".to_owned(), |frame| {
            String::from_utf8_lossy(frame).chars().take(300).collect()
        })
    };
    let at = (0..left.len().max(right.len()))
        .find(|at| left.get(*at) != right.get(*at))
        .unwrap_or(0);
    format!(
        "{:?}\n  1 {:?}\n  2 {:?}",
        item.message.sql(),
        show(left, at),
        show(right, at)
    )
}
