//! A catalog to analyse statements against, for the targets of SQL.

use phigate_phi::{
    ColumnType, EffectivePolicy, JsonPaths, KeyAccess, ReleaseContext, Rule, Transform, Treatment,
    Unclassified,
};
use phigate_sql::{
    BoundPolicy, Column, Context, Refusal, Relation, RelationKind, Session, Snapshot,
    SnapshotBuilder, Temporary,
};
use phigate_types::Profile;

/// What a masked text is replaced by; a statement that does not say so cannot see `secret`.
pub const SECRET: &str = "secret";

/// A catalog and a policy over it.
pub struct World {
    snapshot: Snapshot,
    policy: BoundPolicy,
    path: Vec<String>,
}

impl World {
    /// Two tables and views of these definitions; `transform` is what happens to `t.secret`.
    pub fn new(transform: Transform, definitions: &[&str]) -> Self {
        let mut catalog = SnapshotBuilder::new(1, 15);
        let (int, text) = ((23, "pg_catalog.int4"), (25, "pg_catalog.text"));
        catalog.relation(relation(
            20_001,
            "t",
            &[("id", int), (SECRET, text), ("kind", text)],
        ));
        catalog.relation(relation(
            20_002,
            "u",
            &[("id", int), ("n", int), ("word", text)],
        ));
        for (number, definition) in (20_010..).zip(definitions) {
            let name = format!("v{number}");
            let mut view = relation(number, &name, &[("a", int), ("b", text)]);
            view.kind = RelationKind::View;
            view.definition = Some((*definition).to_owned());
            catalog.relation(view);
        }
        catalog.schema("public");
        let snapshot = catalog.build();
        let rule = |column: &str, treatment| Rule {
            column: column.parse().expect("a column's name"),
            identifier: "ssn".parse().expect("a class"),
            treatment,
            json_paths: JsonPaths::default(),
        };
        let keep = Treatment::Release(Transform::Keep);
        let mut rules = vec![rule("t.secret", Treatment::Release(transform))];
        rules.extend(["t.id", "t.kind", "u.id", "u.n", "u.word"].map(|name| rule(name, keep)));
        let profile = Profile::LimitedDataset;
        let policy = EffectivePolicy::from_parts(profile, Unclassified::Refuse, rules);
        let release = ReleaseContext::new(profile, "2026-01-01", KeyAccess::Settings);
        let policy = BoundPolicy::bind(&policy.expect("a policy"), &snapshot, &release);
        Self {
            snapshot,
            policy,
            path: vec!["public".to_owned()],
        }
    }

    /// What is sent in a text's place.
    ///
    /// # Errors
    /// The refusal.
    pub fn analyse(&self, text: &str) -> Result<String, Refusal> {
        let session = Session {
            user: "alice",
            database: "clinic",
            search_path: &self.path,
            id: "0000000000s1",
            grant: "0000000000g1",
            expires_at: "2026-01-01 12:00:00+00",
            budget: "no limit",
            write: false,
        };
        let batch = phigate_sql::analyse(
            text,
            &Context {
                snapshot: &self.snapshot,
                policy: &self.policy,
                session: &session,
                temporary: Temporary::NONE,
            },
        )?;
        Ok(batch.sql())
    }
}

fn relation(oid: u32, name: &str, columns: &[(&str, (u32, &str))]) -> Relation {
    let column = |(index, (name, (oid, ty))): (usize, &(&str, (u32, &str)))| Column {
        attnum: index as i16 + 1,
        name: (*name).to_owned(),
        ty: ColumnType::builtin(*oid, -1, *ty),
        generated: None,
    };
    Relation {
        oid,
        schema: "public".to_owned(),
        name: name.to_owned(),
        kind: RelationKind::Table,
        columns: columns.iter().enumerate().map(column).collect(),
        parents: Vec::new(),
        definition: None,
        has_rules: false,
    }
}
