//! One condition of being ready.

/// Whether one thing that serving needs is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What: `lease`, `log`, `database clinic`.
    pub what: String,
    /// Why it is not there; `None` when it is. For the operator, never a protected value.
    pub wrong: Option<String>,
}

impl Check {
    /// It is there where `wrong` is `None`.
    pub fn new(what: impl Into<String>, wrong: Option<String>) -> Self {
        Self {
            what: what.into(),
            wrong,
        }
    }

    /// Whether it is there.
    pub fn is_good(&self) -> bool {
        self.wrong.is_none()
    }
}
