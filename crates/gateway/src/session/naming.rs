//! `search_path` as the session has it now: names are resolved here, before the server sees them.
//!
//! INVARIANT: only what the server confirmed counts; while a change is under way nothing new is
//! analysed (see `unsettled`). Rules of SET, SET LOCAL and savepoints: PostgreSQL utils/misc/guc.c,
//! AtEOXact_GUC.

use phigate_sql::Effect;

/// The path, and what the open transaction may still take back.
#[derive(Debug)]
pub(super) struct Naming {
    /// What RESET goes back to.
    start: Vec<String>,
    committed: Vec<String>,
    open: Overlay,
    savepoints: Vec<(String, Overlay)>,
    /// Statements under way that may change the path.
    under_way: usize,
    /// A statement failed since the last ReadyForQuery.
    failed: bool,
}

/// What the open transaction has set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Overlay {
    set: Option<Vec<String>>,
    local: Option<Vec<String>>,
}

impl Naming {
    pub(super) fn new(start: Vec<String>) -> Self {
        Self {
            committed: start.clone(),
            start,
            open: Overlay::default(),
            savepoints: Vec::new(),
            under_way: 0,
            failed: false,
        }
    }

    /// The schemas that unqualified names are looked up in.
    pub(super) fn path(&self) -> &[String] {
        self.open
            .local
            .as_ref()
            .or(self.open.set.as_ref())
            .unwrap_or(&self.committed)
    }

    /// A statement with this effect is being sent.
    pub(super) fn sent(&mut self, effect: &Effect) {
        if changes_path(effect) {
            self.under_way += 1;
        }
    }

    /// Whether the path may be another once everything outstanding is answered.
    pub(super) fn unsettled(&self, outstanding: bool) -> bool {
        outstanding && (self.under_way > 0 || self.open != Overlay::default())
    }

    /// Nothing is outstanding any more.
    pub(super) fn settled(&mut self) {
        self.under_way = 0;
    }

    /// A statement completed with this command tag.
    pub(super) fn completed(&mut self, effect: &Effect, tag: &str) {
        match effect {
            Effect::SetSearchPath { path, local } => {
                let path = path.clone().unwrap_or_else(|| self.start.clone());
                if *local {
                    self.open.local = Some(path);
                } else {
                    self.open = Overlay {
                        set: Some(path),
                        local: None,
                    };
                }
            }
            Effect::ResetAll | Effect::DiscardAll => {
                self.open = Overlay {
                    set: Some(self.start.clone()),
                    local: None,
                };
            }
            // COMMIT of a failed transaction answers ROLLBACK.
            Effect::Commit { .. } if tag == "COMMIT" => self.commit(),
            Effect::Commit { .. } | Effect::Rollback { .. } => self.roll_back(),
            Effect::Savepoint(name) => self.savepoints.push((name.clone(), self.open.clone())),
            Effect::ReleaseSavepoint(name) => {
                if let Some(at) = self.savepoint(name) {
                    self.savepoints.truncate(at);
                }
            }
            Effect::RollbackToSavepoint(name) => {
                if let Some(at) = self.savepoint(name) {
                    self.savepoints.truncate(at + 1);
                    if let Some((_, then)) = self.savepoints.last() {
                        self.open = then.clone();
                    }
                }
            }
            Effect::None
            | Effect::Begin
            | Effect::Set { .. }
            | Effect::Declare(_)
            | Effect::CloseCursor(_)
            | Effect::Prepare(_)
            | Effect::Deallocate(_)
            | Effect::Temporary(_)
            | Effect::DiscardTemporary
            | Effect::CatalogMayChange => {}
        }
    }

    /// A statement failed.
    pub(super) fn failed(&mut self) {
        self.failed = true;
    }

    /// ReadyForQuery, outside a transaction or inside one.
    pub(super) fn ready(&mut self, idle: bool) {
        let failed = std::mem::take(&mut self.failed);
        match (idle, failed) {
            (false, _) => {}
            // The implicit transaction of what ran since the last ReadyForQuery.
            (true, false) => self.commit(),
            (true, true) => self.roll_back(),
        }
    }

    fn commit(&mut self) {
        if let Some(path) = self.open.set.take() {
            self.committed = path;
        }
        self.roll_back();
    }

    fn roll_back(&mut self) {
        self.open = Overlay::default();
        self.savepoints.clear();
    }

    fn savepoint(&self, name: &str) -> Option<usize> {
        self.savepoints.iter().rposition(|(of, _)| of == name)
    }
}

fn changes_path(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::SetSearchPath { .. } | Effect::ResetAll | Effect::DiscardAll
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(naming: &mut Naming, schema: &str, local: bool) {
        let path = Some(vec![schema.to_owned()]);
        naming.completed(&Effect::SetSearchPath { path, local }, "SET");
    }

    fn naming() -> Naming {
        Naming::new(vec!["public".to_owned()])
    }

    #[test]
    fn a_rollback_takes_the_path_back() {
        let mut naming = naming();
        naming.completed(&Effect::Begin, "BEGIN");
        naming.ready(false);
        set(&mut naming, "a", false);
        assert_eq!(naming.path(), ["a"]);
        naming.completed(&Effect::Commit { chain: false }, "ROLLBACK");
        naming.ready(true);
        assert_eq!(naming.path(), ["public"]);
    }

    #[test]
    fn local_ends_with_the_transaction_and_set_stays() {
        let mut naming = naming();
        set(&mut naming, "a", false);
        set(&mut naming, "b", true);
        assert_eq!(naming.path(), ["b"]);
        naming.completed(&Effect::Commit { chain: false }, "COMMIT");
        assert_eq!(naming.path(), ["a"]);
    }

    #[test]
    fn a_savepoint_brings_back_what_was() {
        let mut naming = naming();
        set(&mut naming, "a", false);
        naming.completed(&Effect::Savepoint("s".to_owned()), "SAVEPOINT");
        set(&mut naming, "b", false);
        naming.completed(&Effect::RollbackToSavepoint("s".to_owned()), "ROLLBACK");
        assert_eq!(naming.path(), ["a"]);
        naming.completed(&Effect::Commit { chain: false }, "COMMIT");
        assert_eq!(naming.path(), ["a"]);
    }

    #[test]
    fn a_failed_batch_leaves_nothing_behind() {
        let mut naming = naming();
        set(&mut naming, "a", false);
        naming.failed();
        naming.ready(true);
        assert_eq!(naming.path(), ["public"]);
        set(&mut naming, "a", false);
        naming.ready(true);
        assert_eq!(naming.path(), ["a"]);
    }
}
