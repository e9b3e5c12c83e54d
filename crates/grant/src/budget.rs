//! Budgets: how much may leave under a grant, over all its sessions.

use std::fmt;

/// An amount of each thing that is counted: a limit, what was used of it, or what is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Rows of results.
    pub rows: u64,
    /// Distinct patients, by the keys in results; rows, where a result has no patient's key.
    pub patients: u64,
    /// Cells of direct identifiers released as they are.
    pub identifiers: u64,
    /// Bytes of rows as they are sent.
    pub bytes: u64,
}

/// The keyed hash of a patient's key, by which a grant's sessions agree on who was seen.
pub type PatientKey = [u8; 16];

/// The most patients that are asked about at once.
pub const MAX_PATIENT_KEYS: usize = 256;

/// The limits of a grant; `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Budget {
    /// Of rows.
    pub rows: Option<u64>,
    /// Of patients.
    pub patients: Option<u64>,
    /// Of identifier cells.
    pub identifiers: Option<u64>,
    /// Of bytes.
    pub bytes: Option<u64>,
}

/// What a budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Rows of results.
    Rows,
    /// Patients.
    Patients,
    /// Identifier cells.
    Identifiers,
    /// Bytes.
    Bytes,
}

// === impl Budget ===

impl Budget {
    /// Into how many parts a budget is drawn: a session has a part at a time, so that several may run.
    const PARTS: u64 = 16;

    /// What is left when `used` of it is drawn; 0 of what has no limit.
    pub fn left(&self, used: Amounts) -> Amounts {
        let limits = Amounts {
            rows: self.rows.unwrap_or(0),
            patients: self.patients.unwrap_or(0),
            identifiers: self.identifiers.unwrap_or(0),
            bytes: self.bytes.unwrap_or(0),
        };
        limits.less(used)
    }

    /// Whether nothing is limited.
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }

    /// What one draw takes when `used` of the budget is drawn already: a part, or what is left.
    ///
    /// # Errors
    /// When something is used up that `wanted` asks for.
    pub fn draw(&self, used: Amounts, wanted: Wanted) -> Result<Amounts, Counted> {
        let part = |limit: Option<u64>, used: u64, wanted: bool, counted: Counted| {
            let Some(limit) = limit.filter(|_| wanted) else {
                return Ok(0);
            };
            match limit.saturating_sub(used) {
                0 => Err(counted),
                left => Ok(left.min(limit.div_ceil(Self::PARTS))),
            }
        };
        Ok(Amounts {
            rows: part(self.rows, used.rows, wanted.rows, Counted::Rows)?,
            patients: part(
                self.patients,
                used.patients,
                wanted.patients,
                Counted::Patients,
            )?,
            identifiers: part(
                self.identifiers,
                used.identifiers,
                wanted.identifiers,
                Counted::Identifiers,
            )?,
            bytes: part(self.bytes, used.bytes, wanted.bytes, Counted::Bytes)?,
        })
    }
}

/// Of which of its budgets a session needs more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of Budget")]
pub struct Wanted {
    pub rows: bool,
    pub patients: bool,
    pub identifiers: bool,
    pub bytes: bool,
}

impl Wanted {
    /// Of all.
    pub const ALL: Self = Self {
        rows: true,
        patients: true,
        identifiers: true,
        bytes: true,
    };
}

// === impl Amounts ===

impl Amounts {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            rows: self.rows.saturating_add(other.rows),
            patients: self.patients.saturating_add(other.patients),
            identifiers: self.identifiers.saturating_add(other.identifiers),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    /// What is left of each.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self {
            rows: self.rows.saturating_sub(other.rows),
            patients: self.patients.saturating_sub(other.patients),
            identifiers: self.identifiers.saturating_sub(other.identifiers),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rows => "rows",
            Self::Patients => "patients",
            Self::Identifiers => "identifier cells",
            Self::Bytes => "bytes",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_drawn_in_parts_and_never_beyond_its_end() {
        let budget = Budget {
            rows: Some(100),
            patients: Some(3),
            identifiers: None,
            bytes: Some(1 << 20),
        };
        let mut used = Amounts::default();
        let mut draws = 0;
        let end = loop {
            match budget.draw(used, Wanted::ALL) {
                Ok(part) => used = used.plus(part),
                Err(counted) => break counted,
            }
            draws += 1;
        };
        assert_eq!((end, draws), (Counted::Patients, 3));
        assert_eq!((used.rows, used.patients, used.identifiers), (21, 3, 0));
        assert_eq!(used.bytes, 3 << 16);
        let rows = Wanted {
            rows: true,
            ..Wanted::default()
        };
        while let Ok(part) = budget.draw(used, rows) {
            used = used.plus(part);
        }
        assert_eq!(used.rows, 100);
    }

    #[test]
    fn an_empty_budget_gives_nothing() {
        let none = Budget {
            rows: Some(0),
            ..Budget::default()
        };
        assert_eq!(
            none.draw(Amounts::default(), Wanted::ALL),
            Err(Counted::Rows)
        );
        assert!(!none.is_unlimited() && Budget::default().is_unlimited());
    }
}
