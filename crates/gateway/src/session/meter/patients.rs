//! Patients in rows: their keys found where they lie, and told apart by a keyed hash, whatever form a
//! client asked for.

use std::collections::HashSet;
use std::io::Write as _;

use phigate_sql::{KeyKind, PatientColumns};
use phigate_types::Secret;
use phigate_wire::backend::tag;
use phigate_wire::frame::HEADER_LEN;

use crate::limits;

/// What BLAKE3 derives the key of the hash for.
const CONTEXT: &str = "phigate 2026-12 patients counted by a budget";

/// Stands before the binary form of a key whose two forms are not compared: no text has it.
const BINARY: &[u8] = b"\0";

/// The patients that a session may show more of, since its grant's budget has them. A part of what
/// the control plane knows: forgetting some costs a question, never a patient.
pub(super) struct Seen {
    key: [u8; 32],
    patients: HashSet<PatientKey>,
}

/// As `phigate_grant::PatientKey`.
pub(super) type PatientKey = [u8; 16];

/// Whose one row is.
pub(super) enum Row<'r> {
    /// Its keys can be read.
    Whole(&'r [u8]),
    /// It is a line of COPY, or too long to be waited for.
    Unread,
}

impl Seen {
    /// Under a grant of this project: the keys of two grants cannot be compared.
    pub(super) fn new(project_key: &Secret<[u8; 32]>, grant: &str) -> Self {
        let mut material = project_key.expose().to_vec();
        material.extend_from_slice(grant.as_bytes());
        Self {
            key: blake3::derive_key(CONTEXT, &material),
            patients: HashSet::new(),
        }
    }

    pub(super) fn has(&self, patient: &PatientKey) -> bool {
        self.patients.contains(patient)
    }

    pub(super) fn add(&mut self, patients: &[PatientKey]) {
        if self.patients.len() + patients.len() > limits::PATIENTS_SEEN {
            self.patients = HashSet::new();
        }
        self.patients.extend(patients);
    }

    /// Calls `say` with each patient of a row whose key is in it; how many have none there.
    pub(super) fn of_row(
        &self,
        row: &Row<'_>,
        keys: &[PatientColumns],
        formats: &[i16],
        mut say: impl FnMut(PatientKey),
    ) -> u64 {
        let Row::Whole(row) = row else {
            return keys.len() as u64;
        };
        let mut without = 0;
        for PatientColumns { columns, kind } in keys {
            let mut found = columns
                .iter()
                .filter_map(|column| Some((*column, cell(row, *column)?)));
            match found.next() {
                Some((column, value)) => {
                    say(self.hash(value, *kind, is_binary(formats, column)));
                }
                None => without += 1,
            }
        }
        without
    }

    /// The same for a key in text and in binary: the hash of its text.
    fn hash(&self, value: &[u8], kind: KeyKind, binary: bool) -> PatientKey {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        let mut text = [0; 36];
        match (binary, kind, integer(value)) {
            (true, KeyKind::Integer, Some(number)) => {
                let mut rest = &mut text[..];
                let whole = rest.len();
                // No 64-bit number is longer.
                let _ = write!(rest, "{number}");
                let len = whole - rest.len();
                hasher.update(text.get(..len).unwrap_or_default());
            }
            (true, KeyKind::Uuid, _) => {
                for (index, byte) in value.iter().enumerate() {
                    let hyphen = matches!(index, 4 | 6 | 8 | 10);
                    let mut digits = [0; 2];
                    let _ = hex::encode_to_slice([*byte], &mut digits);
                    hasher.update(if hyphen { b"-" } else { b"" });
                    hasher.update(&digits);
                }
            }
            (true, KeyKind::Integer | KeyKind::Other, _) => {
                hasher.update(BINARY).update(value);
            }
            (true, KeyKind::Text, _) | (false, _, _) => {
                hasher.update(value);
            }
        }
        let mut key = PatientKey::default();
        for (to, from) in key.iter_mut().zip(hasher.finalize().as_bytes()) {
            *to = *from;
        }
        key
    }
}

/// Whether a row is one whose values can be told apart.
pub(super) fn is_data_row(frame: &[u8]) -> bool {
    frame.first() == Some(&tag::DATA_ROW)
}

/// The value of a column of a DataRow; `None` for NULL, or where there is no such column.
fn cell(row: &[u8], column: usize) -> Option<&[u8]> {
    let (count, mut rest) = row.get(HEADER_LEN..)?.split_first_chunk::<2>()?;
    if column >= usize::from(u16::from_be_bytes(*count)) {
        return None;
    }
    for _ in 0..column {
        let (len, after) = rest.split_first_chunk::<4>()?;
        let len = usize::try_from(i32::from_be_bytes(*len)).unwrap_or(0);
        rest = after.get(len..)?;
    }
    let (len, after) = rest.split_first_chunk::<4>()?;
    after.get(..usize::try_from(i32::from_be_bytes(*len)).ok()?)
}

/// As Bind's result formats: none is text for all, one is for all.
fn is_binary(formats: &[i16], column: usize) -> bool {
    let format = match formats {
        [one] => Some(one),
        formats => formats.get(column),
    };
    format.is_some_and(|format| *format != 0)
}

/// A binary integer of any width.
fn integer(value: &[u8]) -> Option<i64> {
    Some(match value.len() {
        2 => i16::from_be_bytes(value.try_into().ok()?).into(),
        4 => i32::from_be_bytes(value.try_into().ok()?).into(),
        8 => i64::from_be_bytes(value.try_into().ok()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> Seen {
        Seen::new(&Secret::new([7; 32]), "grant")
    }

    fn row(cells: &[Option<&[u8]>]) -> Vec<u8> {
        let mut body = u16::try_from(cells.len()).unwrap().to_be_bytes().to_vec();
        for cell in cells {
            let len = cell.map_or(-1, |cell| i32::try_from(cell.len()).unwrap());
            body.extend(len.to_be_bytes());
            body.extend(cell.unwrap_or_default());
        }
        let mut frame = vec![b'D'];
        frame.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
        frame.extend(body);
        frame
    }

    fn of(row: &[u8], columns: &[usize], kind: KeyKind, formats: &[i16]) -> (Vec<PatientKey>, u64) {
        let keys = [PatientColumns {
            columns: columns.into(),
            kind,
        }];
        let mut found = Vec::new();
        let without = seen().of_row(&Row::Whole(row), &keys, formats, |key| found.push(key));
        (found, without)
    }

    #[test]
    fn a_key_is_the_same_patient_in_every_form() {
        let text = of(
            &row(&[Some(b"x"), Some(b"-42")]),
            &[1],
            KeyKind::Integer,
            &[],
        );
        assert_eq!((text.0.len(), text.1), (1, 0));
        for binary in [
            &(-42i16).to_be_bytes()[..],
            &(-42i32).to_be_bytes(),
            &(-42i64).to_be_bytes(),
        ] {
            for formats in [&[1][..], &[0, 1]] {
                let binary = of(
                    &row(&[Some(b"x"), Some(binary)]),
                    &[1],
                    KeyKind::Integer,
                    formats,
                );
                assert_eq!(binary, text);
            }
        }
        let uuid = b"00112233-4455-6677-8899-aabbccddeeff";
        let bytes = hex::decode("00112233445566778899aabbccddeeff").unwrap();
        assert_eq!(
            of(&row(&[Some(uuid)]), &[0], KeyKind::Uuid, &[]),
            of(&row(&[Some(&bytes)]), &[0], KeyKind::Uuid, &[1])
        );
        assert_eq!(
            of(&row(&[Some(b"P7")]), &[0], KeyKind::Text, &[]),
            of(&row(&[Some(b"P7")]), &[0], KeyKind::Text, &[1])
        );
        assert_ne!(
            text,
            of(&row(&[None, Some(b"42")]), &[1], KeyKind::Integer, &[])
        );
    }

    #[test]
    fn the_first_column_that_is_there_counts_and_none_is_somebody() {
        let both = row(&[None, Some(b"7")]);
        assert_eq!(of(&both, &[0, 1], KeyKind::Integer, &[]).0.len(), 1);
        assert_eq!(of(&both, &[0], KeyKind::Integer, &[]), (vec![], 1));
        assert_eq!(of(&both, &[9], KeyKind::Integer, &[]), (vec![], 1));
        // Frames that are not what they say are somebody's, and no panic.
        for end in 0..both.len() {
            let (found, without) = of(&both[..end], &[1], KeyKind::Integer, &[]);
            assert_eq!((found.len(), without), (0, 1));
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut seen = seen();
        for n in 0..(limits::PATIENTS_SEEN as u64 * 2) {
            let mut key = PatientKey::default();
            key[..8].copy_from_slice(&n.to_be_bytes());
            seen.add(&[key]);
            assert!(seen.has(&key));
        }
        assert!(seen.patients.len() <= limits::PATIENTS_SEEN);
    }
}
