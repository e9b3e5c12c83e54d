//! SQL as the gateway reads it: lex twice, parse, lower, resolve, substitute, render, or refuse.
//!
//! Pure: no I/O, no clock, no tokio. In: a statement's text and what the gateway knows (catalog
//! snapshot, bound policy, session). Out: a [`Permit`] to send another text, or a [`Refusal`].
//!
//! INVARIANT: the text that a permit carries is written by `render` from the intermediate form
//! alone. No byte of the client's text is ever forwarded, but names and literals, re-quoted.
//!
//! Callers need a big stack: 64 MiB is enough for every statement within the budgets.

mod agree;
mod allow;
mod budget;
mod ir;
mod lex;
mod lower;
mod parse;
mod patients;
mod permit;
mod policy;
mod position;
mod refusal;
mod render;
mod resolve;
mod snapshot;
mod statement;
mod temporary;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use patients::{KeyKind, PatientColumns, Patients};
pub use permit::{
    Batch, CopyDirection, Effect, Passthrough, Permit, StatementKind, Touch, passthrough,
};
pub use position::position;
pub use refusal::{Reason, Refusal};
pub use snapshot::{
    Column, ForeignKey, HardenedView, OwnCode, Relation, RelationKind, Snapshot, SnapshotBuilder,
    UserType, WriteFacts,
};

pub use budget::ANALYSIS_STACK_BYTES;
pub use policy::{
    BoundPolicy, Field, KnownColumns, MaskedView, ReleasedColumn, Strangers, Through, ToldColumn,
    classification_id, policy_schema, row_condition,
};
pub use statement::{analyse, analyse_one};
pub use temporary::{MAX_TEMPORARY, Temporary, TemporaryChange, TemporaryRelation};

/// What is known about the session a statement arrived on.
#[derive(Debug, Clone, Copy)]
pub struct Session<'a> {
    /// The principal.
    pub user: &'a str,
    /// The database, as clients name it.
    pub database: &'a str,
    /// The schemas that unqualified names are looked up in, `pg_catalog` implied first.
    pub search_path: &'a [String],
    /// The session's id, shown by `SHOW phigate.session`.
    pub id: &'a str,
    /// The grant's id, shown by `SHOW phigate.grant`.
    pub grant: &'a str,
    /// When the grant ends, shown by `SHOW phigate.expires`.
    pub expires_at: &'a str,
    /// What is left of the grant's budget, shown by `SHOW phigate.budget`.
    pub budget: &'a str,
    /// Whether the grant allows writes.
    pub write: bool,
}

/// Everything a statement is judged against.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The database's catalog.
    pub snapshot: &'a Snapshot,
    /// The grant's policy, bound to that catalog.
    pub policy: &'a BoundPolicy,
    /// The session.
    pub session: &'a Session<'a>,
    /// The session's own temporary relations.
    pub temporary: &'a Temporary,
}

impl<'a> Context<'a> {
    /// The relation that this number stands for in a resolution.
    fn relation(&self, oid: u32) -> Option<&'a Relation> {
        let own = self.temporary.relation(oid);
        own.or_else(|| self.snapshot.relation(oid))
    }

    /// What the statement may see of it.
    fn access(&self, oid: u32) -> Option<&'a policy::Access> {
        let own = self.temporary.access(oid);
        own.or_else(|| self.policy.access(oid))
    }

    /// Whose its rows are, and whether it is one of the session's own. What the session keeps may be
    /// anybody's.
    fn subjects(&self, oid: u32) -> (&'a [Option<patients::KeyColumn>], bool) {
        if temporary::is_temporary(oid) {
            return (&[None], true);
        }
        (self.policy.subjects(oid), false)
    }
}
