//! What the gateway knows of a database: relations, columns, types and collations, keyed by oid, as
//! one transaction saw them. `phigate-catalog` reads it; everything here only looks things up.

use std::collections::{HashMap, HashSet};

use phigate_phi::{ColumnType, PolicyId};

/// The catalog of one database at one epoch. Build it with [`SnapshotBuilder`].
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Rises with every change of the catalog; part of each cache key.
    pub epoch: u64,
    /// The server's major version, such as 15.
    pub major: u16,
    relations: HashMap<u32, Relation>,
    schemas: HashMap<String, HashMap<String, u32>>,
    children: HashMap<u32, Vec<u32>>,
    types: HashMap<String, HashMap<String, UserType>>,
    composites: HashMap<u32, Vec<String>>,
    collations: HashSet<(String, String)>,
    comparisons: HashSet<String>,
    /// Types whose values run code; whether being given a value does.
    code: HashMap<u32, bool>,
    own_code: Option<OwnCode>,
    rows: HashMap<u32, Vec<u32>>,
    primary_keys: HashMap<u32, Vec<i16>>,
    write_facts: HashMap<u32, WriteFacts>,
    foreign_keys: HashMap<u32, Vec<ForeignKey>>,
    hardened: HashMap<String, HashMap<u32, HardenedView>>,
    machinery: Vec<u32>,
}

/// A masked view as it is in the database: what hardening wrote down of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HardenedView {
    /// The view's `pg_class.oid`.
    pub view: u32,
    /// That of the view over the relation's own rows, where there is one.
    pub own_rows: Option<u32>,
    /// [`MaskedView::fingerprint`](crate::MaskedView::fingerprint) when it was made.
    pub fingerprint: String,
}

/// A relation that can stand in FROM, or could.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// `pg_class.oid`.
    pub oid: u32,
    /// The schema's name.
    pub schema: String,
    /// `pg_class.relname`.
    pub name: String,
    /// What it is.
    pub kind: RelationKind,
    /// Live columns in order of `attnum`; no system columns.
    pub columns: Vec<Column>,
    /// The relations it inherits from or is a partition of (`pg_inherits.inhparent`).
    pub parents: Vec<u32>,
    /// `pg_get_viewdef` of a view or materialized view, read with an empty search path.
    pub definition: Option<String>,
    /// A rule other than a view's own `_RETURN` is attached (`pg_rewrite`).
    pub has_rules: bool,
}

/// What runs, and what is looked at, when rows of a table are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteFacts {
    /// A trigger of somebody's own is on it (`pg_trigger`, not `tgisinternal`).
    pub triggers: bool,
    /// Row security is on (`relrowsecurity`).
    pub row_security: bool,
    /// The conditions of its policies on rows that are read (`pg_policy.polqual`).
    pub row_policies: Vec<String>,
    /// The columns that a constraint or a unique index reads, by `attnum`; 0 where that cannot be
    /// told.
    pub constrained: Vec<i16>,
    /// A constraint, an index, a generated column or the partition key runs a function or operator that
    /// neither PostgreSQL nor an extension made; what its columns' types run is not counted.
    pub runs_code: bool,
    /// Each column's default (`pg_get_expr`), its type's where it has none of its own.
    pub defaults: Vec<(i16, String)>,
}

/// Code of the database's own that PostgreSQL's own types, functions or operators lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnCode {
    /// A cast between two types of PostgreSQL's runs a function of somebody's own.
    Cast {
        /// The type that is cast.
        from: String,
        /// The type it is cast to.
        to: String,
    },
    /// Such a function decides the order, equality or hash of a type of PostgreSQL's.
    Order(String),
    /// A function or operator of somebody's own has this name in `pg_catalog` beside PostgreSQL's.
    Overload(String),
}

/// A foreign key (`pg_constraint`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The table that it is on.
    pub from: u32,
    /// That table's columns, by `attnum`.
    pub columns: Vec<i16>,
    /// The table that it references.
    pub to: u32,
    /// That table's columns, by `attnum`.
    pub referenced: Vec<i16>,
    /// It changes rows of `from` when rows of `to` go or change: CASCADE, SET NULL, SET DEFAULT.
    pub acts: bool,
}

/// What a relation is: `pg_class.relkind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelationKind {
    /// `r`
    Table,
    /// `p`
    PartitionedTable,
    /// `v`
    View,
    /// `m`
    MaterializedView,
    /// `f`
    ForeignTable,
    /// `S`
    Sequence,
}

/// A column: `pg_attribute`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// `attnum`, from 1.
    pub attnum: i16,
    /// `attname`.
    pub name: String,
    /// Its type.
    pub ty: ColumnType,
    /// `pg_get_expr` of a generated column's expression.
    pub generated: Option<String>,
}

/// A type that somebody created in a user schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserType {
    /// `typtype = 'e'`
    Enum,
    /// `typtype = 'd'`
    Domain,
    /// `typtype = 'c'`, also each table's row type.
    Composite,
    /// Base and range types, of extensions mostly.
    Other,
}

/// The schema of PostgreSQL's own relations.
pub(crate) const PG_CATALOG: &str = "pg_catalog";
/// The schema of the standard's views over them.
pub(crate) const INFORMATION_SCHEMA: &str = "information_schema";

impl Snapshot {
    /// The relation with this oid.
    pub fn relation(&self, oid: u32) -> Option<&Relation> {
        self.relations.get(&oid)
    }

    /// The relation of this exact name.
    pub fn find(&self, schema: &str, name: &str) -> Option<&Relation> {
        self.relations.get(self.schemas.get(schema)?.get(name)?)
    }

    /// All relations, in no order.
    pub fn relations(&self) -> impl Iterator<Item = &Relation> {
        self.relations.values()
    }

    /// The relations that inherit directly from this one.
    pub fn children(&self, oid: u32) -> &[u32] {
        self.children.get(&oid).map_or(&[], Vec::as_slice)
    }

    /// Whether a schema of this name exists.
    pub fn has_schema(&self, schema: &str) -> bool {
        self.schemas.contains_key(schema)
    }

    /// The created type of this exact name.
    pub fn user_type(&self, schema: &str, name: &str) -> Option<UserType> {
        self.types.get(schema)?.get(name).copied()
    }

    /// The attribute names of a composite type, by its type's oid.
    pub(crate) fn composite(&self, type_oid: u32) -> Option<&[String]> {
        self.composites.get(&type_oid).map(Vec::as_slice)
    }

    /// The columns of a relation's primary key, by `attnum`; none without one.
    pub fn primary_key(&self, oid: u32) -> &[i16] {
        self.primary_keys.get(&oid).map_or(&[], Vec::as_slice)
    }

    /// Whether the database holds masked views of this policy.
    pub fn is_hardened(&self, policy: &PolicyId) -> bool {
        self.hardened.contains_key(policy.as_str())
    }

    /// The masked view of a relation (`pg_class.oid`) under a policy.
    pub fn hardened(&self, policy: &PolicyId, relation: u32) -> Option<&HardenedView> {
        self.hardened.get(policy.as_str())?.get(&relation)
    }

    /// The schemas (`pg_namespace.oid`) of masked views and of what they need, which no client sees;
    /// in order. What is in them is in no snapshot.
    pub(crate) fn machinery(&self) -> &[u32] {
        &self.machinery
    }

    /// What happens when rows of a table are written; nothing is known of what is no table.
    pub fn write_facts(&self, oid: u32) -> Option<&WriteFacts> {
        self.write_facts.get(&oid)
    }

    /// The foreign keys from and to a table.
    pub fn foreign_keys(&self, oid: u32) -> &[ForeignKey] {
        self.foreign_keys.get(&oid).map_or(&[], Vec::as_slice)
    }

    /// Whether a comparison operator of somebody's own lies in one of these schemas, or in any if
    /// there are none: where a construct looks its operator up by name, it may be found.
    pub fn has_own_comparison(&self, path: &[String]) -> bool {
        if path.is_empty() {
            return !self.comparisons.is_empty();
        }
        path.iter().any(|schema| self.comparisons.contains(schema))
    }

    /// Whether a value of this type (`pg_type.oid`), or a part of it, may be cast, compared, hashed or
    /// checked by a function that neither PostgreSQL nor an extension made; no text shows that it is.
    pub fn runs_code(&self, type_oid: u32) -> bool {
        self.code.contains_key(&type_oid)
    }

    /// Whether such a function runs where a value becomes one of this type: casts it, or checks it.
    pub fn runs_code_taken(&self, type_oid: u32) -> bool {
        self.code.get(&type_oid) == Some(&true)
    }

    /// Such a function that PostgreSQL's own types, functions or operators lead to, if there is one:
    /// then every statement may run it.
    pub fn own_code(&self) -> Option<&OwnCode> {
        self.own_code.as_ref()
    }

    /// The relations whose rows are, or are within, a value of this type.
    pub fn rows_within(&self, type_oid: u32) -> &[u32] {
        self.rows.get(&type_oid).map_or(&[], Vec::as_slice)
    }

    /// Whether a collation of this exact name exists.
    pub fn has_collation(&self, schema: &str, name: &str) -> bool {
        self.collations
            .contains(&(schema.to_owned(), name.to_owned()))
    }
}

impl std::fmt::Display for OwnCode {
    /// What the database does, as a sentence goes on after "the database".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cast { from, to } => {
                write!(f, "casts {from} to {to} by a function of its own")
            }
            Self::Order(ty) => write!(f, "compares values of type {ty} by functions of its own"),
            Self::Overload(name) => write!(f, "has a {name} of its own in pg_catalog"),
        }
    }
}

impl Relation {
    /// One of PostgreSQL's own relations, ruled by the allow-list and not by classification.
    pub fn is_catalog(&self) -> bool {
        self.schema == PG_CATALOG || self.schema == INFORMATION_SCHEMA
    }

    /// The column of this exact name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Collects what a catalog reader found; the order of calls does not matter.
#[derive(Debug, Clone, Default)]
pub struct SnapshotBuilder {
    snapshot: Snapshot,
}

impl SnapshotBuilder {
    /// An empty catalog of a server of this major version.
    pub fn new(epoch: u64, major: u16) -> Self {
        Self {
            snapshot: Snapshot {
                epoch,
                major,
                ..Snapshot::default()
            },
        }
    }

    /// Adds a schema, which may stay empty.
    pub fn schema(&mut self, name: &str) -> &mut Self {
        self.snapshot.schemas.entry(name.to_owned()).or_default();
        self
    }

    /// Adds a relation and, if need be, its schema.
    pub fn relation(&mut self, relation: Relation) -> &mut Self {
        let schema = self
            .snapshot
            .schemas
            .entry(relation.schema.clone())
            .or_default();
        schema.insert(relation.name.clone(), relation.oid);
        for parent in &relation.parents {
            self.snapshot
                .children
                .entry(*parent)
                .or_default()
                .push(relation.oid);
        }
        self.snapshot.relations.insert(relation.oid, relation);
        self
    }

    /// Adds the columns of a relation's primary key, by `attnum`; one that is not deferrable.
    pub fn primary_key(&mut self, oid: u32, columns: Vec<i16>) -> &mut Self {
        self.snapshot.primary_keys.insert(oid, columns);
        self
    }

    /// The relation that was added with this number, to be added in another form.
    #[cfg(test)]
    pub(crate) fn relation_of(&self, oid: u32) -> Relation {
        self.snapshot.relations.get(&oid).cloned().unwrap()
    }

    /// Adds what happens when rows of a table are written.
    pub fn write_facts(&mut self, oid: u32, facts: WriteFacts) -> &mut Self {
        self.snapshot.write_facts.insert(oid, facts);
        self
    }

    /// Adds a foreign key, for both its ends.
    pub fn foreign_key(&mut self, key: &ForeignKey) -> &mut Self {
        for end in [key.from, key.to] {
            let keys = self.snapshot.foreign_keys.entry(end).or_default();
            keys.push(key.clone());
        }
        self
    }

    /// Adds a type that somebody created.
    pub fn user_type(&mut self, schema: &str, name: &str, kind: UserType) -> &mut Self {
        let types = self.snapshot.types.entry(schema.to_owned()).or_default();
        types.insert(name.to_owned(), kind);
        self
    }

    /// Adds the attribute names of a composite type (`pg_type.oid`), so that `(column).attribute`
    /// can be told from a function call.
    pub fn composite(&mut self, type_oid: u32, attributes: Vec<String>) -> &mut Self {
        self.snapshot.composites.insert(type_oid, attributes);
        self
    }

    /// Adds a collation.
    pub fn collation(&mut self, schema: &str, name: &str) -> &mut Self {
        self.snapshot
            .collations
            .insert((schema.to_owned(), name.to_owned()));
        self
    }

    /// Adds the masked view of a relation (`pg_class.oid`) under a policy, by the policy's whole id.
    pub fn hardened(&mut self, policy: &str, relation: u32, view: HardenedView) -> &mut Self {
        let views = self.snapshot.hardened.entry(policy.to_owned()).or_default();
        views.insert(relation, view);
        self
    }

    /// Notes a schema (`pg_namespace.oid`) that hardening made.
    pub fn machinery(&mut self, schema: u32) -> &mut Self {
        let place = self.snapshot.machinery.binary_search(&schema);
        if let Err(place) = place {
            self.snapshot.machinery.insert(place, schema);
        }
        self
    }

    /// Notes that this schema holds an operator `=`, `<>`, `<`, `<=`, `>` or `>=` that neither
    /// PostgreSQL nor an extension made.
    pub fn own_comparison(&mut self, schema: &str) -> &mut Self {
        self.snapshot.comparisons.insert(schema.to_owned());
        self
    }

    /// Notes that values of a type (`pg_type.oid`) run a function that neither PostgreSQL nor an extension
    /// made; with whether being given a value does.
    pub fn runs_code(&mut self, type_oid: u32, taken: bool) -> &mut Self {
        self.snapshot.code.insert(type_oid, taken);
        self
    }

    /// Notes such a function that PostgreSQL's own types, functions or operators lead to.
    pub fn own_code(&mut self, code: OwnCode) -> &mut Self {
        self.snapshot.own_code = Some(code);
        self
    }

    /// Notes that values of a type (`pg_type.oid`) hold rows of a relation: its row type, and every
    /// array, domain and composite type over it.
    pub fn row_within(&mut self, type_oid: u32, relation: u32) -> &mut Self {
        self.snapshot
            .rows
            .entry(type_oid)
            .or_default()
            .push(relation);
        self
    }

    /// One that goes on from a finished snapshot.
    pub fn from(snapshot: Snapshot) -> Self {
        Self { snapshot }
    }

    /// The finished snapshot.
    pub fn build(self) -> Snapshot {
        self.snapshot
    }
}
