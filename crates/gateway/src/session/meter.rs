//! Budgets: what leaves is counted row by row, and nothing leaves that was not drawn from the grant's
//! budget before. The control plane gives it out in parts, so that several sessions share it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use phigate_phi::{ColumnName, EffectivePolicy, Treatment};
use phigate_proto::v1;
use phigate_sql::{Permit, StatementKind};
use phigate_wire::frame::HEADER_LEN;

/// The schemas of PostgreSQL's own relations: what is read there is nobody's.
const OWN: [&str; 2] = ["pg_catalog.", "information_schema."];

/// What may leave of a session's results.
#[derive(Debug)]
pub(super) struct Meter {
    limits: v1::Budget,
    /// Drawn, and how much of it was used.
    drawn: v1::Amounts,
    used: v1::Amounts,
    /// What no session had drawn when the control plane last said so.
    undrawn: v1::Amounts,
    left: Arc<BudgetLeft>,
    /// Bytes still to come of a row that is counted already.
    unfinished: usize,
}

/// What is left of a budget, for people: `rows 81 of 100, patients 5 of 5`.
#[derive(Debug)]
pub(crate) struct BudgetLeft([Left; 3]);

#[derive(Debug)]
struct Left {
    what: &'static str,
    limit: Option<u64>,
    amount: AtomicU64,
}

/// What one row of a result costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cost {
    rows: u64,
    patients: u64,
    identifiers: u64,
}

/// How far a stretch of rows may go.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Admitted {
    /// This many of its bytes.
    pub(super) len: usize,
    /// In which this many rows begin.
    pub(super) rows: u32,
    /// More has to be drawn before the next row.
    pub(super) wanted: Option<v1::DrawBudgetRequest>,
}

impl Meter {
    /// Of a grant with limits; nothing is drawn yet. `left` says from now on what is left: of what this
    /// session drew, and of what nobody had drawn when it last did.
    pub(super) fn new(limits: v1::Budget, undrawn: v1::Amounts, left: Arc<BudgetLeft>) -> Self {
        Self {
            limits,
            drawn: v1::Amounts::default(),
            used: v1::Amounts::default(),
            undrawn,
            left,
            unfinished: 0,
        }
    }

    fn tell(&self) {
        let left = |undrawn: u64, drawn: u64, used: u64| {
            undrawn.saturating_add(drawn.saturating_sub(used))
        };
        let (undrawn, drawn, used) = (self.undrawn, self.drawn, self.used);
        let told = [
            left(undrawn.rows, drawn.rows, used.rows),
            left(undrawn.patients, drawn.patients, used.patients),
            left(undrawn.identifiers, drawn.identifiers, used.identifiers),
        ];
        for (told, place) in told.into_iter().zip(&self.left.0) {
            place.amount.store(told, Ordering::Relaxed);
        }
    }

    /// What was used, so that the control plane can take the rest back.
    pub(super) fn used(&self) -> v1::Amounts {
        self.used
    }

    /// The control plane gave more, and says what nobody has drawn now.
    pub(super) fn add(&mut self, more: v1::Amounts, undrawn: v1::Amounts) {
        let v1::Amounts {
            rows,
            patients,
            identifiers,
        } = more;
        self.drawn.rows = self.drawn.rows.saturating_add(rows);
        self.drawn.patients = self.drawn.patients.saturating_add(patients);
        self.drawn.identifiers = self.drawn.identifiers.saturating_add(identifiers);
        self.undrawn = undrawn;
        self.tell();
    }

    /// Counts the rows of `bytes`, which begin where the last stretch ended, until what was drawn is
    /// used. Allocates nothing.
    pub(super) fn admit(&mut self, bytes: &[u8], cost: Cost) -> Admitted {
        let admitted = self.count(bytes, cost);
        self.tell();
        admitted
    }

    fn count(&mut self, bytes: &[u8], cost: Cost) -> Admitted {
        let mut at = self.unfinished.min(bytes.len());
        self.unfinished -= at;
        let mut rows = 0;
        while let Some(whole) = bytes.get(at..).and_then(frame_len) {
            if let Some(wanted) = self.charge(cost) {
                let wanted = Some(wanted);
                return Admitted {
                    len: at,
                    rows,
                    wanted,
                };
            }
            rows += 1;
            let end = (at + whole).min(bytes.len());
            self.unfinished = at + whole - end;
            at = end;
        }
        Admitted {
            len: bytes.len(),
            rows,
            wanted: None,
        }
    }

    /// Takes a row's cost off what was drawn, or says what of it is missing.
    fn charge(&mut self, cost: Cost) -> Option<v1::DrawBudgetRequest> {
        let short = |limit: Option<u64>, drawn: u64, used: u64, cost: u64| {
            limit.is_some() && drawn.saturating_sub(used) < cost
        };
        let (drawn, used, limits) = (self.drawn, &mut self.used, self.limits);
        let rows = short(limits.rows, drawn.rows, used.rows, cost.rows);
        let patients = short(
            limits.patients,
            drawn.patients,
            used.patients,
            cost.patients,
        );
        let identifiers = short(
            limits.identifiers,
            drawn.identifiers,
            used.identifiers,
            cost.identifiers,
        );
        if rows || patients || identifiers {
            return Some(v1::DrawBudgetRequest {
                session_id: String::new(),
                rows,
                patients,
                identifiers,
            });
        }
        used.rows = used.rows.saturating_add(cost.rows);
        used.patients = used.patients.saturating_add(cost.patients);
        used.identifiers = used.identifiers.saturating_add(cost.identifiers);
        None
    }
}

impl BudgetLeft {
    /// Of a grant with limits, of which nobody has drawn this much.
    pub(super) fn new(limits: v1::Budget, undrawn: v1::Amounts) -> Option<Arc<Self>> {
        let left = |what, limit, undrawn| Left {
            what,
            limit,
            amount: AtomicU64::new(undrawn),
        };
        (limits != v1::Budget::default()).then(|| {
            Arc::new(Self([
                left("rows", limits.rows, undrawn.rows),
                left("patients", limits.patients, undrawn.patients),
                left("identifier cells", limits.identifiers, undrawn.identifiers),
            ]))
        })
    }
}

impl fmt::Display for BudgetLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limited = self.0.iter().filter_map(|of| Some((of, of.limit?)));
        for (index, (of, limit)) in limited.enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            let left = of.amount.load(Ordering::Relaxed);
            write!(f, "{comma}{} {left} of {limit}", of.what)?;
        }
        Ok(())
    }
}

impl Cost {
    /// Of a row of this statement. What reads nobody's data costs nothing. A row counts as a patient where the
    /// statement reads anything about patients, and as a cell for each direct identifier that it
    /// reads unmasked, in the select list or elsewhere. Rows of a cursor or an SQL-level
    /// prepared statement do not tell what they were made of, so they cost all the policy lets through.
    pub(super) fn of(permit: Option<&Permit>, policy: &EffectivePolicy) -> Self {
        let Some(permit) = permit else {
            return Self::most(policy);
        };
        match permit.kind() {
            StatementKind::Cursor | StatementKind::Prepare | StatementKind::Passthrough => {
                return Self::most(policy);
            }
            _ => {}
        }
        let mut cost = Self::default();
        for touch in permit.touches() {
            if OWN.iter().any(|schema| touch.relation.starts_with(schema)) {
                continue;
            }
            cost.rows = 1;
            let Some((schema, table)) = touch.relation.split_once('.') else {
                return Self::most(policy);
            };
            // A relation without a rule of its own is read through others', or is nobody's.
            if policy.is_about_patients(schema, table) {
                cost.patients = 1;
            }
            let direct = touch.columns.iter().filter(|(column, treatment)| {
                let name = ColumnName::new(schema, table, column.as_str());
                is_direct(*treatment, policy, &name)
            });
            cost.identifiers = cost.identifiers.saturating_add(direct.count() as u64);
        }
        cost
    }

    fn most(policy: &EffectivePolicy) -> Self {
        let direct = policy
            .rules
            .iter()
            .filter(|rule| is_direct(rule.treatment, policy, &rule.column));
        Self {
            rows: 1,
            patients: 1,
            identifiers: direct.count() as u64,
        }
    }
}

fn is_direct(treatment: Treatment, policy: &EffectivePolicy, column: &ColumnName) -> bool {
    treatment.is_keep()
        && policy
            .rule(column)
            .is_some_and(|rule| rule.identifier.is_direct())
}

/// The length of the frame at the front, header included.
fn frame_len(bytes: &[u8]) -> Option<usize> {
    let len: [u8; 4] = bytes.get(1..HEADER_LEN)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(len))
        .ok()?
        .checked_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of ten bytes.
    fn rows(count: usize) -> Vec<u8> {
        b"D\0\0\0\x09abcde".repeat(count)
    }

    const ROW: Cost = Cost {
        rows: 1,
        patients: 1,
        identifiers: 2,
    };

    const UNDRAWN: v1::Amounts = v1::Amounts {
        rows: 97,
        patients: 0,
        identifiers: 100,
    };

    fn meter(rows: Option<u64>, identifiers: Option<u64>) -> Meter {
        let limits = v1::Budget {
            rows,
            patients: None,
            identifiers,
        };
        let left = BudgetLeft::new(limits, UNDRAWN).unwrap();
        Meter::new(limits, UNDRAWN, left)
    }

    #[test]
    fn nothing_leaves_that_was_not_drawn() {
        let mut meter = meter(Some(100), None);
        let all = rows(5);
        let stopped = meter.admit(&all, ROW);
        assert_eq!((stopped.len, stopped.rows), (0, 0));
        assert!(stopped.wanted.unwrap().rows);
        let drawn = v1::Amounts {
            rows: 3,
            ..v1::Amounts::default()
        };
        meter.add(drawn, UNDRAWN);
        assert_eq!(meter.left.to_string(), "rows 100 of 100");
        let stopped = meter.admit(&all, ROW);
        assert_eq!((stopped.len, stopped.rows), (30, 3));
        let wanted = stopped.wanted.unwrap();
        assert!(wanted.rows && !wanted.patients && !wanted.identifiers);
        assert_eq!(meter.used().rows, 3);
        assert_eq!(meter.left.to_string(), "rows 97 of 100");
    }

    #[test]
    fn any_way_of_splitting_a_stream_costs_the_same() {
        let all = rows(4);
        for split in 1..all.len() {
            let mut meter = meter(Some(100), Some(100));
            let drawn = v1::Amounts {
                rows: 3,
                patients: 0,
                identifiers: 100,
            };
            meter.add(drawn, v1::Amounts::default());
            let (mut passed, mut buffer, mut left) = (0, Vec::new(), all.clone());
            'all: while !left.is_empty() || !buffer.is_empty() {
                let part: Vec<u8> = left.drain(..split.min(left.len())).collect();
                buffer.extend(part);
                // As the walker does: whole headers only.
                let mut walk = meter.unfinished;
                while let Some(whole) = buffer.get(walk..).and_then(frame_len) {
                    walk += whole;
                }
                let ready = walk.min(buffer.len());
                let admitted = meter.admit(&buffer[..ready], ROW);
                passed += admitted.len;
                buffer.drain(..admitted.len);
                if admitted.wanted.is_some() {
                    break 'all;
                }
            }
            assert_eq!((passed, meter.used().rows), (30, 3), "split at {split}");
            assert_eq!(meter.used().identifiers, 6);
            let left = "rows 0 of 100, identifier cells 94 of 100";
            assert_eq!(meter.left.to_string(), left);
        }
    }

    #[test]
    fn no_limits_no_meter() {
        assert!(BudgetLeft::new(v1::Budget::default(), UNDRAWN).is_none());
    }
}
