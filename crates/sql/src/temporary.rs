//! The relations of a session's own temporary schema: they hold nothing but what was released to
//! it, and are looked up before every other schema, as PostgreSQL does (`namespace.c`,
//! `recomputeNamespacePath`).
//!
//! INVARIANT: each is written `pg_temp.name` and read through its listed columns, by bare names: were
//! its shape another than what is known here, PostgreSQL would find no column, but never a function
//! of that name (`parse_func.c` tries one for a qualified name).

use std::collections::BTreeSet;
use std::sync::Arc;

use phigate_phi::{ColumnType, Transform, Treatment, quote_identifier};

use crate::policy::{Access, Columns, INNER, Masked, SourceColumn};
use crate::snapshot::{Column, Relation, RelationKind};

/// The schema that a session names its own temporary relations by.
pub(crate) const PG_TEMP: &str = "pg_temp";

/// The most relations that are followed.
pub const MAX_TEMPORARY: usize = 1_000;

/// `pg_type.oid` of `unknown`: the types of temporary columns are PostgreSQL's business.
const UNKNOWN: u32 = 705;

/// A session's temporary relations, as PostgreSQL listed them or as the statements of one batch
/// leave them.
#[derive(Debug, Clone, Default)]
pub struct Temporary {
    own: Vec<Arc<Own>>,
    /// Names of which it is not known whether they are there: after a rollback within a batch.
    uncertain: BTreeSet<String>,
    /// Views show something else than when they were made.
    outdated_views: bool,
}

/// One temporary relation, as a statement made it or the session's connection listed it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TemporaryRelation {
    /// Its name.
    pub name: String,
    /// Table, view or sequence.
    pub kind: RelationKind,
    /// Its columns' names, in order.
    pub columns: Vec<String>,
    /// It may be gone when the open transaction has committed (`ON COMMIT DROP`).
    pub vanishes: bool,
}

/// What a statement does to the temporary relations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemporaryChange {
    /// One appears; with `keeps`, one of the same name stays as it is.
    Create {
        /// What appears.
        relation: TemporaryRelation,
        /// `IF NOT EXISTS`.
        keeps: bool,
    },
    /// One appears, or is changed, in a way that only PostgreSQL knows.
    Unknown(String),
    /// These go.
    Drop {
        /// Their names.
        names: Vec<String>,
        /// And with them the views that read them.
        cascade: bool,
    },
    /// One gets another name.
    Rename {
        /// Before.
        from: String,
        /// After.
        to: String,
    },
}

#[derive(Debug)]
struct Own {
    listed: TemporaryRelation,
    relation: Relation,
    access: Access,
}

/// The temporary relation of a name.
pub(crate) enum FoundTemporary<'a> {
    None,
    /// A batch makes it unclear.
    Uncertain,
    /// A view that shows something else than what it was made of.
    Outdated(&'a Relation),
    One(&'a Relation),
}

impl Temporary {
    /// No temporary relation.
    pub const NONE: &'static Self = &Self {
        own: Vec::new(),
        uncertain: BTreeSet::new(),
        outdated_views: false,
    };

    /// As the session's own connection lists them. More than [`MAX_TEMPORARY`] are not known.
    pub fn new(relations: impl IntoIterator<Item = TemporaryRelation>) -> Self {
        let mut temporary = Self::default();
        for relation in relations.into_iter().take(MAX_TEMPORARY) {
            let keeps = false;
            temporary.apply(&TemporaryChange::Create { relation, keeps });
        }
        temporary
    }

    /// The same, but that nothing is read through its views any more: what they read has changed.
    #[must_use]
    pub fn with_outdated_views(mut self) -> Self {
        self.outdated_views = true;
        self
    }

    /// Whether nothing is read through its views.
    pub fn has_outdated_views(&self) -> bool {
        self.outdated_views
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.own.is_empty()
    }

    /// The relations, in the order they were listed or made.
    pub fn relations(&self) -> impl Iterator<Item = &TemporaryRelation> {
        self.own.iter().map(|own| &own.listed)
    }

    pub(crate) fn find(&self, name: &str) -> FoundTemporary<'_> {
        if self.uncertain.contains(name) {
            return FoundTemporary::Uncertain;
        }
        match self.own.iter().find(|own| own.listed.name == name) {
            Some(own) if self.outdated_views && own.relation.kind == RelationKind::View => {
                FoundTemporary::Outdated(&own.relation)
            }
            Some(own) => FoundTemporary::One(&own.relation),
            None => FoundTemporary::None,
        }
    }

    pub(crate) fn relation(&self, oid: u32) -> Option<&Relation> {
        self.by_oid(oid).map(|own| &own.relation)
    }

    pub(crate) fn access(&self, oid: u32) -> Option<&Access> {
        self.by_oid(oid).map(|own| &own.access)
    }

    fn by_oid(&self, oid: u32) -> Option<&Own> {
        if !is_temporary(oid) {
            return None;
        }
        let found = self.own.iter().find(|own| own.relation.oid == oid);
        found.map(AsRef::as_ref)
    }

    /// What a statement of a batch leaves for the next one.
    pub(crate) fn apply(&mut self, change: &TemporaryChange) {
        match change {
            TemporaryChange::Create { relation, keeps } => {
                let known = self.own.iter().any(|own| own.listed.name == relation.name);
                if known && *keeps {
                    return;
                }
                self.remove(&relation.name);
                let mut own = Own::new(relation.clone());
                own.relation.oid = self.next_oid();
                self.own.push(Arc::new(own));
            }
            TemporaryChange::Unknown(name) => {
                self.remove(name);
                self.uncertain.insert(name.clone());
            }
            TemporaryChange::Drop { names, cascade } => {
                for name in names {
                    self.remove(name);
                }
                if *cascade {
                    self.doubt(|relation| relation.kind == RelationKind::View);
                }
            }
            TemporaryChange::Rename { from, to } => {
                self.remove(from);
                self.remove(to);
                self.uncertain.insert(to.clone());
            }
        }
    }

    /// A transaction commits within a batch.
    pub(crate) fn committed(&mut self) {
        self.doubt(|relation| relation.vanishes);
    }

    /// These may be gone.
    fn doubt(&mut self, which: impl Fn(&TemporaryRelation) -> bool) {
        let names: Vec<_> = self
            .relations()
            .filter(|relation| which(relation))
            .map(|relation| relation.name.clone())
            .collect();
        for name in names {
            self.remove(&name);
            self.uncertain.insert(name);
        }
    }

    /// Something is rolled back within a batch that began with `before`.
    pub(crate) fn rolled_back(&mut self, before: &Self) {
        let names: Vec<_> = before
            .relations()
            .chain(self.relations())
            .map(|relation| relation.name.clone())
            .collect();
        self.own.clear();
        self.uncertain.extend(names);
    }

    /// DISCARD TEMP, DISCARD ALL.
    pub(crate) fn discarded(&mut self) {
        *self = Self::default();
    }

    fn remove(&mut self, name: &str) {
        self.own.retain(|own| own.listed.name != name);
        self.uncertain.remove(name);
    }

    fn next_oid(&self) -> u32 {
        let lowest = self.own.iter().map(|own| own.relation.oid).min();
        lowest.map_or(u32::MAX, |lowest| lowest - 1)
    }
}

/// Numbers of our own, from the top: PostgreSQL's are never looked up here, because one that a
/// dropped relation had may be a temporary one's now.
pub(crate) fn is_temporary(oid: u32) -> bool {
    oid > u32::MAX - (1 << 20)
}

impl Own {
    fn new(listed: TemporaryRelation) -> Self {
        let number = |index: usize| i16::try_from(index + 1).unwrap_or(i16::MAX);
        let columns: Vec<_> = (listed.columns.iter().enumerate())
            .map(|(index, name)| Column {
                attnum: number(index),
                name: name.clone(),
                ty: ColumnType::builtin(UNKNOWN, -1, "pg_catalog.unknown"),
                generated: None,
            })
            .collect();
        let quoted: Vec<_> = listed.columns.iter().map(|c| quote_identifier(c)).collect();
        let sources: Columns = (listed.columns.iter())
            .map(|name| SourceColumn::made(name))
            .collect();
        let access = Access::Masked(Arc::new(Masked {
            from: format!(
                "\"{PG_TEMP}\".{} AS \"{INNER}\"",
                quote_identifier(&listed.name)
            ),
            takes_only: listed.kind == RelationKind::Table,
            own_rows: None,
            filter: None,
            barrier: false,
            columns: Arc::new(sources),
            treatments: vec![Treatment::Release(Transform::Keep); quoted.len()],
            released: quoted.into_iter().map(Some).collect(),
            // A view reads what is beneath it: its plan is no more public than theirs.
            catalog: listed.kind != RelationKind::View,
            beneath: Vec::new(),
        }));
        let relation = Relation {
            oid: u32::MAX,
            schema: PG_TEMP.to_owned(),
            name: listed.name.clone(),
            kind: listed.kind,
            columns,
            parents: Vec::new(),
            definition: None,
            has_rules: false,
        };
        Self {
            listed,
            relation,
            access,
        }
    }
}
