//! What the session's own temporary schema holds, as its connection says when it may have changed.
//!
//! INVARIANT: no text is analysed while something is under way, or has run, that may have changed
//! it: the text waits, the connection is asked, and then it is read (PostgreSQL:
//! catalog/namespace.c, InitTempTableNamespace; commands/tablecmds.c, PreCommit_on_commit_actions).

use bytes::BytesMut;
use phigate_sql::{Effect, RelationKind, Temporary, TemporaryRelation};
use phigate_wire::DecodeError;
use phigate_wire::backend::{self, TransactionStatus};
use phigate_wire::frontend::{self as out, Bind, Target};

/// The statement and the portal that ask. A client that takes the name for its own gets an error.
const NAME: &str = "phigate_temporary";

/// Every name qualified: the session's search path is its client's.
const LIST: &str = "\
    SELECT c.relname::pg_catalog.text, c.relkind::pg_catalog.text, a.attname::pg_catalog.text \
    FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_attribute a \
      ON a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped \
    WHERE c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema() \
      AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f,S}'::pg_catalog.\"char\"[]) \
    ORDER BY c.oid, a.attnum";

/// The longest answer that is read, in bytes: a thousand tables of a hundred columns.
const ANSWER_MAX: usize = 16 << 20;

/// What is known, and whether it still holds.
#[derive(Debug, Default)]
pub(super) struct Following {
    /// Something was sent that may have changed it since the connection was asked.
    stale: bool,
    /// The open transaction has changed it, and may take that back.
    changed: bool,
    /// The transaction has failed: nothing can be asked before it ends.
    failed: bool,
    /// A transaction is open: what it has made may be dropped when it commits.
    open: bool,
    /// Extended-protocol requests were sent after the last Sync.
    unsynced: bool,
    /// The connection could not be asked.
    lost: bool,
    /// How many answers there have been.
    listing: u64,
    /// The DataRows of the answer so far.
    answer: Vec<u8>,
}

impl Following {
    /// A statement with this effect is being sent.
    pub(super) fn sent(&mut self, effect: &Effect) {
        match effect {
            Effect::Temporary(_) | Effect::DiscardTemporary | Effect::DiscardAll => {
                self.stale = true;
                self.changed = true;
            }
            Effect::Commit { .. } | Effect::Rollback { .. } | Effect::RollbackToSavepoint(_) => {
                self.stale |= self.changed;
            }
            Effect::None
            | Effect::Begin
            | Effect::Savepoint(_)
            | Effect::ReleaseSavepoint(_)
            | Effect::SetSearchPath { .. }
            | Effect::Set { .. }
            | Effect::ResetAll
            | Effect::Declare(_)
            | Effect::CloseCursor(_)
            | Effect::Prepare(_)
            | Effect::Deallocate(_)
            | Effect::CatalogMayChange => {}
        }
    }

    /// A request of the extended protocol is being sent.
    pub(super) fn request(&mut self) {
        self.unsynced = true;
        self.open = true;
    }

    /// ReadyForQuery.
    pub(super) fn ready(&mut self, status: TransactionStatus, outstanding: bool) {
        self.failed = status == TransactionStatus::Failed;
        self.open = status != TransactionStatus::Idle;
        if !outstanding {
            self.unsynced = false;
        }
        if status == TransactionStatus::Idle && self.changed {
            // It may have been rolled back, or its tables dropped on commit.
            self.stale = true;
            self.changed = outstanding;
        }
    }

    /// Whether a text has to wait for replies that are outstanding.
    pub(super) fn unsettled(&self, outstanding: bool) -> bool {
        outstanding && self.stale
    }

    /// Whether the connection has to be asked before a text is read. One that was asked in vain is
    /// asked again for the next text.
    pub(super) fn must_ask(&self) -> bool {
        self.stale && !self.failed && !self.lost
    }

    /// Whether a transaction is open.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// The number of what is known now.
    pub(super) fn listing(&self) -> u64 {
        self.listing
    }

    /// Whether what was known as this listing still holds.
    pub(super) fn holds(&self, listing: u64) -> bool {
        self.listing == listing && !self.stale
    }

    /// Writes the question. Returns whether ReadyForQuery will follow the answer.
    pub(super) fn ask(&mut self, to: &mut BytesMut) -> bool {
        self.answer = Vec::new();
        out::parse(NAME, LIST, &[], to);
        let bind = Bind {
            portal: NAME,
            statement: NAME,
            ..Bind::default()
        };
        out::bind(&bind, to);
        out::execute(NAME, 0, to);
        out::close(Target::Portal(NAME), to);
        out::close(Target::Statement(NAME), to);
        if self.unsynced {
            // A Sync would end the transaction of the client's pipeline.
            out::flush(to);
        } else {
            out::sync(to);
        }
        !self.unsynced
    }

    /// Rows of the answer, whole frames or parts of them.
    pub(super) fn rows(&mut self, bytes: &[u8]) {
        if self.answer.len().saturating_add(bytes.len()) > ANSWER_MAX {
            self.lost = true;
            return;
        }
        self.answer.extend_from_slice(bytes);
    }

    /// The answer is complete.
    pub(super) fn answered(&mut self) -> Option<Temporary> {
        let answer = std::mem::take(&mut self.answer);
        let read = if self.lost {
            None
        } else {
            read(&answer, self.open).ok()
        };
        match read {
            Some(temporary) => {
                self.stale = false;
                self.listing += 1;
                Some(temporary)
            }
            None => {
                self.lost = true;
                None
            }
        }
    }

    /// There was an error in the place of an answer.
    pub(super) fn unanswered(&mut self) {
        self.answer = Vec::new();
        self.lost = true;
    }

    /// Whether the last question had no answer; the next text asks again.
    pub(super) fn take_lost(&mut self) -> bool {
        std::mem::take(&mut self.lost)
    }
}

/// The rows `name, kind, column`, a relation's one after the other.
fn read(frames: &[u8], vanishes: bool) -> Result<Temporary, DecodeError> {
    let mut relations: Vec<TemporaryRelation> = Vec::new();
    for row in backend::decode_text_rows(frames)? {
        let [Some(name), Some(kind), column] = row.as_slice() else {
            return Err(DecodeError::Value("a row of the catalog"));
        };
        let kind = match *kind {
            "r" => RelationKind::Table,
            "p" => RelationKind::PartitionedTable,
            "v" => RelationKind::View,
            "m" => RelationKind::MaterializedView,
            "f" => RelationKind::ForeignTable,
            _ => RelationKind::Sequence,
        };
        match relations.last_mut() {
            Some(last) if last.name == *name => last.columns.extend(column.map(str::to_owned)),
            _ => relations.push(TemporaryRelation {
                name: (*name).to_owned(),
                kind,
                columns: column.iter().map(|column| (*column).to_owned()).collect(),
                vanishes,
            }),
        }
    }
    Ok(Temporary::new(relations))
}

#[cfg(test)]
mod tests {
    use super::*;
    use phigate_sql::TemporaryChange;

    fn create() -> Effect {
        Effect::Temporary(TemporaryChange::Unknown("t".to_owned()))
    }

    fn asked(following: &mut Following) {
        assert!(following.must_ask());
        following.ask(&mut BytesMut::new());
        assert!(following.answered().is_some());
        assert!(!following.must_ask());
    }

    #[test]
    fn a_change_is_asked_for_once_and_again_when_its_transaction_ends() {
        let mut following = Following::default();
        assert!(!following.must_ask());
        following.sent(&create());
        assert!(following.unsettled(true) && !following.unsettled(false));
        following.ready(TransactionStatus::InTransaction, false);
        asked(&mut following);
        following.sent(&Effect::None);
        following.ready(TransactionStatus::InTransaction, false);
        assert!(!following.must_ask());
        following.sent(&Effect::RollbackToSavepoint("s".to_owned()));
        following.ready(TransactionStatus::InTransaction, false);
        asked(&mut following);
        following.sent(&Effect::Commit { chain: false });
        following.ready(TransactionStatus::Idle, false);
        asked(&mut following);
        following.sent(&Effect::Commit { chain: false });
        following.ready(TransactionStatus::Idle, false);
        assert!(!following.must_ask(), "nothing changed in it");
    }

    #[test]
    fn a_failed_transaction_is_asked_about_when_it_is_over() {
        let mut following = Following::default();
        following.sent(&create());
        following.ready(TransactionStatus::Failed, false);
        assert!(!following.must_ask());
        following.sent(&Effect::Rollback { chain: false });
        following.ready(TransactionStatus::Idle, false);
        asked(&mut following);
    }

    #[test]
    fn what_could_not_be_told_is_asked_again() {
        let mut following = Following::default();
        following.sent(&create());
        following.ready(TransactionStatus::Idle, false);
        following.ask(&mut BytesMut::new());
        following.unanswered();
        assert!(!following.must_ask(), "the text that waits is refused");
        assert!(following.take_lost());
        asked(&mut following);
    }

    #[test]
    fn rows_are_read_relation_by_relation() {
        let mut frames = BytesMut::new();
        for row in [
            [Some("t"), Some("r"), Some("a")],
            [Some("t"), Some("r"), Some("b")],
            [Some("none"), Some("r"), None],
            [Some("v"), Some("v"), Some("a")],
        ] {
            backend::data_row_text(&row, &mut frames);
        }
        let temporary = read(&frames, false).unwrap();
        let shapes: Vec<_> = (temporary.relations())
            .map(|relation| (relation.name.as_str(), relation.columns.join(",")))
            .collect();
        let expected = [("t", "a,b"), ("none", ""), ("v", "a")];
        assert_eq!(
            shapes,
            expected.map(|(name, columns)| (name, columns.to_owned()))
        );
        assert!(read(&frames[..frames.len() - 1], false).is_err());
    }
}
