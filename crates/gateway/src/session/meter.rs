//! Budgets: what leaves is counted row by row, and nothing leaves that was not drawn from the grant's
//! budget before. The control plane gives it out in parts, so that several sessions share it; patients
//! whose keys are in the rows one by one, so that none is counted twice.

mod cost;
mod patients;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use phigate_proto::v1;
use phigate_types::Secret;
use phigate_wire::frame::HEADER_LEN;

use crate::limits;
use patients::{PatientKey, Row, Seen};

pub(super) use cost::Cost;

/// What may leave of a session's results.
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
    seen: Seen,
    /// The patients that the control plane was asked for last.
    asked: Vec<PatientKey>,
}

/// What is left of a budget, for people: `rows 81 of 100, patients 5 of 5`.
#[derive(Debug)]
pub(crate) struct BudgetLeft([Left; 4]);

#[derive(Debug)]
struct Left {
    what: &'static str,
    limit: Option<u64>,
    amount: AtomicU64,
}

/// How far a stretch of rows may go.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Admitted {
    /// This many of its bytes.
    pub(super) len: usize,
    /// In which this many rows begin.
    pub(super) rows: u32,
    /// More has to be drawn before the next row.
    pub(super) wanted: Option<v1::DrawBudgetRequest>,
    /// The next row cannot be counted before this many more bytes of it are here.
    pub(super) missing: Option<usize>,
}

impl Meter {
    /// Of a grant with limits; nothing is drawn yet. `left` says from now on what is left: of what this
    /// session drew, and of what nobody had drawn when it last did.
    pub(super) fn new(
        limits: v1::Budget,
        undrawn: v1::Amounts,
        left: Arc<BudgetLeft>,
        project_key: &Secret<[u8; 32]>,
        grant: &str,
    ) -> Self {
        Self {
            limits,
            drawn: v1::Amounts::default(),
            used: v1::Amounts::default(),
            undrawn,
            left,
            unfinished: 0,
            seen: Seen::new(project_key, grant),
            asked: Vec::new(),
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
            left(undrawn.bytes, drawn.bytes, used.bytes),
        ];
        for (told, place) in told.into_iter().zip(&self.left.0) {
            place.amount.store(told, Ordering::Relaxed);
        }
    }

    /// What was used, so that the control plane can take the rest back.
    pub(super) fn used(&self) -> v1::Amounts {
        self.used
    }

    /// The control plane gave more, and says what nobody has drawn now, and how many of the patients it
    /// was asked for may be shown.
    pub(super) fn add(&mut self, answer: v1::DrawBudgetResponse) {
        let v1::DrawBudgetResponse {
            drawn,
            left,
            patient_keys,
        } = answer;
        let v1::Amounts {
            rows,
            patients,
            identifiers,
            bytes,
        } = drawn.unwrap_or_default();
        self.drawn.rows = self.drawn.rows.saturating_add(rows);
        self.drawn.patients = self.drawn.patients.saturating_add(patients);
        self.drawn.identifiers = self.drawn.identifiers.saturating_add(identifiers);
        self.drawn.bytes = self.drawn.bytes.saturating_add(bytes);
        self.undrawn = left.unwrap_or_default();
        let asked = std::mem::take(&mut self.asked);
        let admitted = usize::try_from(patient_keys).unwrap_or(0).min(asked.len());
        self.seen.add(asked.get(..admitted).unwrap_or_default());
        self.tell();
    }

    /// Counts the rows of `bytes`, which begin where the last stretch ended, until what was drawn is
    /// used. Allocates nothing but to ask.
    pub(super) fn admit(&mut self, bytes: &[u8], cost: Cost<'_>) -> Admitted {
        let cost = Cost {
            // Without a budget of patients nobody has to be told apart.
            keys: self.limits.patients.map_or(&[][..], |_| cost.keys),
            ..cost
        };
        let admitted = self.count(bytes, cost);
        self.tell();
        admitted
    }

    fn count(&mut self, bytes: &[u8], cost: Cost<'_>) -> Admitted {
        let mut at = self.unfinished.min(bytes.len());
        self.unfinished -= at;
        let mut rows = 0;
        while let Some(ahead) = bytes.get(at..)
            && let Some(whole) = frame_len(ahead)
        {
            let row = match readable(ahead, whole, cost) {
                Ok(row) => row,
                Err(missing) => {
                    return Admitted {
                        len: at,
                        rows,
                        missing: Some(missing),
                        ..Admitted::default()
                    };
                }
            };
            if let Some(mut wanted) = self.charge(&row, whole, cost) {
                self.ask_for_patients(ahead, cost, &mut wanted);
                return Admitted {
                    len: at,
                    rows,
                    wanted: Some(wanted),
                    ..Admitted::default()
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
            ..Admitted::default()
        }
    }

    /// Takes a row's cost off what was drawn, or says what of it is missing.
    fn charge(
        &mut self,
        row: &Row<'_>,
        len: usize,
        cost: Cost<'_>,
    ) -> Option<v1::DrawBudgetRequest> {
        let mut unseen = false;
        let without = self.seen.of_row(row, cost.keys, cost.formats, |patient| {
            unseen |= !self.seen.has(&patient);
        });
        let cost = v1::Amounts {
            rows: cost.rows,
            patients: cost.others.saturating_add(without),
            identifiers: cost.identifiers,
            bytes: cost.rows.saturating_mul(len as u64),
        };
        let short = |limit: Option<u64>, drawn: u64, used: u64, cost: u64| {
            limit.is_some() && drawn.saturating_sub(used) < cost
        };
        let (drawn, used, limits) = (self.drawn, &mut self.used, self.limits);
        let wanted = v1::DrawBudgetRequest {
            rows: short(limits.rows, drawn.rows, used.rows, cost.rows),
            patients: short(
                limits.patients,
                drawn.patients,
                used.patients,
                cost.patients,
            ),
            identifiers: short(
                limits.identifiers,
                drawn.identifiers,
                used.identifiers,
                cost.identifiers,
            ),
            bytes: short(limits.bytes, drawn.bytes, used.bytes, cost.bytes),
            ..v1::DrawBudgetRequest::default()
        };
        if unseen || wanted != v1::DrawBudgetRequest::default() {
            return Some(wanted);
        }
        used.rows = used.rows.saturating_add(cost.rows);
        used.patients = used.patients.saturating_add(cost.patients);
        used.identifiers = used.identifiers.saturating_add(cost.identifiers);
        used.bytes = used.bytes.saturating_add(cost.bytes);
        None
    }

    /// Asks for the patients of the rows that come, so that one question does for many.
    fn ask_for_patients(
        &mut self,
        mut ahead: &[u8],
        cost: Cost<'_>,
        wanted: &mut v1::DrawBudgetRequest,
    ) {
        self.asked.clear();
        while self.asked.len() < limits::PATIENTS_ASKED
            && !cost.keys.is_empty()
            && let Some(whole) = frame_len(ahead)
            && let Ok(row) = readable(ahead, whole, cost)
        {
            let (seen, asked) = (&self.seen, &mut self.asked);
            seen.of_row(&row, cost.keys, cost.formats, |patient| {
                let is_new = !seen.has(&patient) && !asked.contains(&patient);
                if is_new && asked.len() < limits::PATIENTS_ASKED {
                    asked.push(patient);
                }
            });
            ahead = ahead.get(whole..).unwrap_or_default();
        }
        wanted.patient_keys = self.asked.iter().map(|key| key.to_vec()).collect();
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
                left("bytes", limits.bytes, undrawn.bytes),
            ]))
        })
    }

    /// Whether patients have a limit.
    pub(crate) fn counts_patients(&self) -> bool {
        let [_, patients, _, _] = &self.0;
        patients.limit.is_some()
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

/// The row at the front as far as it has to be read, or how much of it is missing.
fn readable<'b>(ahead: &'b [u8], whole: usize, cost: Cost<'_>) -> Result<Row<'b>, usize> {
    if cost.keys.is_empty() || !patients::is_data_row(ahead) || whole > limits::COUNTED_ROW {
        return Ok(Row::Unread);
    }
    match ahead.get(..whole) {
        Some(row) => Ok(Row::Whole(row)),
        None => Err(whole - ahead.len()),
    }
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
    use phigate_sql::PatientColumns;

    use super::*;

    /// Rows of ten bytes.
    fn rows(count: usize) -> Vec<u8> {
        b"D\0\0\0\x09abcde".repeat(count)
    }

    const ROW: Cost<'static> = Cost {
        rows: 1,
        keys: &[],
        others: 1,
        identifiers: 2,
        formats: &[],
    };

    const UNDRAWN: v1::Amounts = v1::Amounts {
        rows: 97,
        patients: 0,
        identifiers: 100,
        bytes: 0,
    };

    fn meter(rows: Option<u64>, identifiers: Option<u64>) -> Meter {
        of(v1::Budget {
            rows,
            identifiers,
            ..v1::Budget::default()
        })
    }

    fn of(limits: v1::Budget) -> Meter {
        let left = BudgetLeft::new(limits, UNDRAWN).unwrap();
        Meter::new(limits, UNDRAWN, left, &Secret::new([7; 32]), "grant")
    }

    fn given(drawn: v1::Amounts, left: v1::Amounts) -> v1::DrawBudgetResponse {
        v1::DrawBudgetResponse {
            drawn: Some(drawn),
            left: Some(left),
            patient_keys: 0,
        }
    }

    /// A row of one integer.
    fn row_of(patient: &str) -> Vec<u8> {
        let len = u8::try_from(patient.len()).unwrap();
        let mut row = vec![b'D', 0, 0, 0, len + 10, 0, 1, 0, 0, 0, len];
        row.extend(patient.as_bytes());
        row
    }

    fn by_key() -> [PatientColumns; 1] {
        [PatientColumns {
            columns: [0].into(),
            kind: phigate_sql::KeyKind::Integer,
        }]
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
        meter.add(given(drawn, UNDRAWN));
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
                identifiers: 100,
                ..v1::Amounts::default()
            };
            meter.add(given(drawn, v1::Amounts::default()));
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
    fn a_patient_costs_once_and_is_asked_for_before_the_row_leaves() {
        let mut meter = of(v1::Budget {
            patients: Some(2),
            ..v1::Budget::default()
        });
        let keys = by_key();
        let cost = Cost {
            keys: &keys,
            others: 0,
            ..ROW
        };
        let all: Vec<u8> = ["7", "8", "7", "8", "9"].map(row_of).concat();
        let stopped = meter.admit(&all, cost);
        assert_eq!((stopped.len, stopped.rows), (0, 0));
        // One question for all that is here.
        assert_eq!(stopped.wanted.unwrap().patient_keys.len(), 3);
        // There is room for two.
        meter.add(v1::DrawBudgetResponse {
            patient_keys: 2,
            ..v1::DrawBudgetResponse::default()
        });
        let stopped = meter.admit(&all, cost);
        assert_eq!((stopped.len, stopped.rows), (12 * 4, 4));
        assert_eq!(stopped.wanted.unwrap().patient_keys.len(), 1);
        assert_eq!(
            meter.used().patients,
            0,
            "known to the control plane already"
        );
    }

    #[test]
    fn a_row_is_waited_for_until_its_key_is_here() {
        let keys = by_key();
        let cost = Cost {
            keys: &keys,
            others: 0,
            ..ROW
        };
        let row = row_of("4711");
        let limits = v1::Budget {
            patients: Some(2),
            ..v1::Budget::default()
        };
        for cut in HEADER_LEN..row.len() {
            let mut meter = of(limits);
            let stopped = meter.admit(&row[..cut], cost);
            assert_eq!((stopped.len, stopped.missing), (0, Some(row.len() - cut)));
            assert_eq!(stopped.wanted, None);
            let stopped = meter.admit(&row, cost);
            assert_eq!(stopped.wanted.unwrap().patient_keys.len(), 1);
        }
        // COPY, and what is longer than anybody waits for: a patient more, whoever it is.
        let mut line = row.clone();
        line[0] = b'd';
        let mut long = row.clone();
        long[1] = 0x7f;
        for row in [line, long] {
            let stopped = of(limits).admit(&row, cost);
            let wanted = stopped.wanted.unwrap();
            assert!(wanted.patients && wanted.patient_keys.is_empty());
        }
    }

    #[test]
    fn bytes_are_those_of_whole_rows() {
        let mut meter = of(v1::Budget {
            bytes: Some(1_000),
            ..v1::Budget::default()
        });
        let drawn = v1::Amounts {
            bytes: 25,
            ..v1::Amounts::default()
        };
        meter.add(given(drawn, v1::Amounts::default()));
        let stopped = meter.admit(&rows(4), ROW);
        assert_eq!((stopped.len, stopped.rows), (20, 2));
        assert!(stopped.wanted.unwrap().bytes);
        assert_eq!(meter.used().bytes, 20);
        let free = Cost::default();
        assert_eq!(meter.admit(&rows(4), free).len, 40);
    }

    #[test]
    fn no_limits_no_meter() {
        assert!(BudgetLeft::new(v1::Budget::default(), UNDRAWN).is_none());
    }
}
