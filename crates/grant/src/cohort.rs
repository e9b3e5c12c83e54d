//! Cohorts: the patients that a grant is limited to.

use std::fmt;

use crate::InvalidField;

/// The most patients that one grant may list.
pub const MAX_PATIENTS: usize = 100_000;

/// The longest id of a patient, in bytes.
pub const MAX_PATIENT_ID: usize = 64;

/// The patients that a grant is limited to: sorted, each once. Ids are as PostgreSQL prints the key.
/// Neither `Debug` nor anything else shows them.
#[derive(Clone, PartialEq, Eq)]
pub struct PatientList(Vec<String>);

/// What is known of a grant's cohort without its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohort {
    /// A keyed hash of the list, in hexadecimal: equal for equal lists of one control plane, and
    /// nothing to guess patients by.
    pub id: String,
    /// How many patients it has.
    pub patients: u32,
}

// === impl PatientList ===

impl PatientList {
    /// Sorts and deduplicates.
    ///
    /// # Errors
    /// With none, with more than [`MAX_PATIENTS`], or with an id that is empty, longer than
    /// [`MAX_PATIENT_ID`] or holds control characters. The error names its place, never the id.
    pub fn new(ids: Vec<String>) -> Result<Self, InvalidField> {
        let wrong = |message: String| Err(InvalidField::new("patients", message));
        if ids.is_empty() {
            return wrong("the list names no patient".to_owned());
        }
        if ids.len() > MAX_PATIENTS {
            return wrong(format!("the list has more than {MAX_PATIENTS} patients"));
        }
        let mut trimmed = Vec::with_capacity(ids.len());
        for (index, id) in ids.into_iter().enumerate() {
            let id = id.trim();
            if id.is_empty() || id.len() > MAX_PATIENT_ID || id.contains(char::is_control) {
                return wrong(format!(
                    "number {} is not 1 to {MAX_PATIENT_ID} bytes without control characters",
                    index + 1
                ));
            }
            trimmed.push(id.to_owned());
        }
        trimmed.sort_unstable();
        trimmed.dedup();
        Ok(Self(trimmed))
    }

    /// The ids, sorted.
    pub fn ids(&self) -> &[String] {
        &self.0
    }

    /// How many there are, at most [`MAX_PATIENTS`].
    pub fn len(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// Never: a list names at least one.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One id a line, as it is stored and hashed.
    pub fn to_lines(&self) -> String {
        self.0.join("\n")
    }

    /// What [`Self::to_lines`] wrote.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn from_lines(text: &str) -> Result<Self, InvalidField> {
        Self::new(text.split('\n').map(str::to_owned).collect())
    }
}

impl fmt::Debug for PatientList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} patients]", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(ids: &[&str]) -> Result<PatientList, InvalidField> {
        PatientList::new(ids.iter().map(|id| (*id).to_owned()).collect())
    }

    #[test]
    fn a_list_is_sorted_and_names_each_once() {
        let patients = list(&["b", " a", "b ", "10"]).unwrap();
        assert_eq!(patients.ids(), ["10", "a", "b"]);
        assert_eq!(
            PatientList::from_lines(&patients.to_lines()),
            Ok(patients.clone())
        );
        assert_eq!(format!("{patients:?}"), "[3 patients]");
    }

    /// An empty list must never become a grant without a limit.
    #[test]
    fn no_list_is_empty_and_no_error_shows_an_id() {
        for wrong in [
            &[][..],
            &["a", " "],
            &["a\nb"],
            &["secret\0"],
            &[&"x".repeat(65)],
        ] {
            let error = list(wrong).unwrap_err();
            assert_eq!(error.field, "patients");
            assert!(!error.message.contains("secret"), "{error}");
        }
        let many = vec!["1".to_owned(); MAX_PATIENTS + 1];
        assert!(PatientList::new(many).is_err());
    }
}
