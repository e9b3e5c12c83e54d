//! One condition of being ready.

/// Whether one thing that serving needs is there. Why it is not stands in the log: that may name hosts and
/// roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What: `lease`, `log`, `database clinic`.
    pub what: String,
    /// Whether it is there.
    pub is_good: bool,
}

impl Check {
    /// What, and whether it is there.
    pub fn new(what: impl Into<String>, is_good: bool) -> Self {
        Self {
            what: what.into(),
            is_good,
        }
    }
}
