//! The grant's policy bound to one catalog: for each relation, what a statement may see of it.

mod bind;
mod columns;
mod inherit;
mod known;
mod machinery;
mod masked_view;
mod predicate;
mod scope;
mod subjects;
mod through;
mod told;
mod views;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use phigate_phi::{
    EffectivePolicy, IdentifierClass, PolicyId, ReleaseContext, Transform, Treatment,
};
use phigate_types::Profile;

use crate::patients::{KeyColumn, Subjects};
use crate::refusal::{Reason, Refusal};
use crate::snapshot::Relation;
use crate::{Snapshot, Touch};

pub(crate) use columns::{Columns, Found, SourceColumn, Visibility};
pub use known::{KnownColumns, Strangers, classification_id};
pub use masked_view::{MaskedView, ReleasedColumn, policy_schema};
pub use scope::row_condition;
pub(crate) use through::DEFINER;
pub use through::{Field, Through};
pub use told::ToldColumn;
pub(crate) use views::columns_of_expression;

/// An effective policy bound to a snapshot: make one for each grant and catalog epoch, and share it
/// among that grant's sessions.
#[derive(Debug, Default)]
pub struct BoundPolicy {
    id: Option<PolicyId>,
    profile: Option<Profile>,
    epoch: u64,
    access: HashMap<u32, Access>,
    /// A column that the catalog did not know when it was read is not released.
    pub(crate) pins: bool,
    /// Something is withheld that code of the database's own could read.
    pub(crate) guards_code: bool,
    /// Result fields (table oid, column number) that must never be seen as plain columns.
    fields: HashSet<(u32, i16)>,
    /// Relations of which some rows only are shown, by their masked views: no field of theirs may come
    /// from anywhere else.
    restricted: HashSet<u32>,
    /// What the columns that do not leave as they are hold, by table oid and column number.
    classes: HashMap<(u32, i16), IdentifierClass>,
    /// Relations with columns that are not what their names meant.
    renamed: HashSet<u32>,
    /// Whose the rows of each relation about patients are.
    subjects: HashMap<u32, Subjects>,
    /// In views mode, what stands in the place of relations.
    through: Option<through::Views>,
}

/// What a statement may see of one relation.
#[derive(Debug)]
pub(crate) enum Access {
    /// All of it, as it is.
    Open(Arc<Columns>),
    /// Its released columns, by a derived table in its place.
    Masked(Arc<Masked>),
    /// Nothing.
    Refused(Box<Refusal>),
}

/// How a relation is substituted.
#[derive(Debug)]
pub(crate) struct Masked {
    /// What stands after FROM, visible by [`INNER`]. Without ONLY.
    pub(crate) from: String,
    /// ONLY may stand before `from`.
    pub(crate) takes_only: bool,
    /// What stands in the place of `from` where ONLY is said, if it is something else.
    pub(crate) own_rows: Option<String>,
    /// What stands after WHERE, over unqualified columns or those of [`INNER`].
    pub(crate) filter: Option<Cow<'static, str>>,
    /// `filter` decides which of a patient's rows are seen: nothing else may be computed of a row
    /// before it.
    pub(crate) barrier: bool,
    /// The columns as catalogued, hidden ones too.
    pub(crate) columns: Arc<Columns>,
    /// For each column the expression that is released in its place, if any is.
    pub(crate) released: Vec<Option<String>>,
    pub(crate) treatments: Vec<Treatment>,
    /// One of PostgreSQL's own catalogs: nothing of a patient is in it.
    pub(crate) catalog: bool,
    /// What a view reads, for the record.
    pub(crate) beneath: Vec<Touch>,
}

/// Why a column is refused that was renamed.
pub(crate) const RENAMED: &str =
    "It is not the column that had this name, or it had another, when the gateway first saw it.";
/// What an administrator can do about it.
pub(crate) const RENAMED_HINT: &str = "ask an administrator to give the columns their names back, \
    or to confirm the classification: change the catalog file, or remove DATABASE.columns.json from \
    the gateway's directory, and start the gateway again";

/// The name by which a substituted relation is visible inside its derived table.
pub(crate) const INNER: &str = "t";

impl BoundPolicy {
    /// Binds a policy to a catalog. Never fails: what cannot be released is refused when it is
    /// named, and says why.
    pub fn bind(policy: &EffectivePolicy, snapshot: &Snapshot, cx: &ReleaseContext) -> Self {
        bind::bind(policy, snapshot, cx, &Strangers::default())
    }

    /// The same, with columns refused that are not what their names meant before.
    pub fn bind_known(
        policy: &EffectivePolicy,
        snapshot: &Snapshot,
        cx: &ReleaseContext,
        strangers: &Strangers,
    ) -> Self {
        bind::bind(policy, snapshot, cx, strangers)
    }

    /// The id of the policy that was bound.
    pub fn policy_id(&self) -> Option<&PolicyId> {
        self.id.as_ref()
    }

    /// The epoch of the catalog it was bound to.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether a result field that PostgreSQL describes as this very column must never reach the
    /// client: the tripwire. Column 0 is the whole row.
    pub fn is_masked_field(&self, table_oid: u32, attnum: i16) -> bool {
        self.fields.contains(&(table_oid, attnum))
    }

    /// Whether any user relation is masked or refused.
    pub fn masks_anything(&self) -> bool {
        !self.fields.is_empty() || !self.restricted.is_empty()
    }

    /// Refuses parameters of types (`pg_type.oid`; 0 where none is said) whose values run code of the
    /// database's own: what a Parse declares is in no text.
    ///
    /// # Errors
    /// The refusal of the first such type.
    pub fn check_parameters(&self, types: &[u32], snapshot: &Snapshot) -> Result<(), Refusal> {
        let runs_code = |oid: &u32| *oid != 0 && snapshot.runs_code(*oid);
        match types.iter().position(runs_code) {
            Some(index) if self.guards_code => Err(Refusal::new(
                Reason::OwnCode,
                format!("the type of parameter ${} runs code that is not PostgreSQL's own", index + 1),
            )
            .with_detail("a cast or a check of it runs a function of the database's, which may read anything")
            .with_hint("declare the parameter as text")),
            Some(_) | None => Ok(()),
        }
    }

    /// Each column of a user relation that does not leave as it is, as `schema.relation`, column
    /// and treatment; in no order.
    pub fn masked_columns<'s>(
        &'s self,
        snapshot: &'s Snapshot,
    ) -> impl Iterator<Item = (&'s Relation, &'s str, Treatment)> {
        self.access.iter().flat_map(move |(oid, access)| {
            let relation = snapshot
                .relation(*oid)
                .filter(|relation| !relation.is_catalog());
            let columns = relation.map_or(&[][..], |relation| &relation.columns);
            columns
                .iter()
                .enumerate()
                .filter_map(move |(index, column)| {
                    let treatment = access.treatment(index);
                    (!treatment.is_keep()).then_some((relation?, column.name.as_str(), treatment))
                })
        })
    }

    pub(crate) fn access(&self, oid: u32) -> Option<&Access> {
        self.access.get(&oid)
    }

    /// Whose its rows are; nothing where they are nobody's.
    pub(crate) fn subjects(&self, oid: u32) -> &[Option<KeyColumn>] {
        self.subjects.get(&oid).map_or(&[], AsRef::as_ref)
    }
}

impl Access {
    /// What is done to the column at this index.
    pub(crate) fn treatment(&self, index: usize) -> Treatment {
        match self {
            Self::Open(_) => Treatment::Release(Transform::Keep),
            Self::Masked(masked) => masked
                .treatments
                .get(index)
                .copied()
                .unwrap_or(Treatment::Block),
            Self::Refused(_) => Treatment::Block,
        }
    }
}

impl Masked {
    /// Whether it protects what people stored, not what PostgreSQL did.
    pub(crate) fn is_protected(&self) -> bool {
        !self.catalog
    }
}
