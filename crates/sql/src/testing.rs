//! A clinic to test against: PostgreSQL 15's own catalog relations, and tables, views, partitions
//! and types of the kinds that matter.

use phigate_phi::{
    Classification, ColumnName, ColumnType, EffectivePolicy, KeyAccess, ReleaseContext, RowRules,
    TypeKind, Unclassified,
};
use phigate_types::Profile;

use crate::snapshot::{
    Column, HardenedView, Relation, RelationKind, Snapshot, SnapshotBuilder, UserType,
};
use crate::{Batch, BoundPolicy, Context, Refusal, Session, Temporary, Through, analyse};

const CATALOG: &str = include_str!("testing/pg15-catalog.txt");

const CLASSIFICATION: &str = "\
table,column,pg_type,identifier,safe_harbor,limited_dataset
patients,id,integer,person_key,pseudonym,keep
patients,mrn,varchar(12),mrn,null,null
patients,name,text,name,redact,redact
patients,ssn,char(11),ssn,null,null
patients,birth_date,date,birth_date,year_cap90,keep
patients,zip,varchar(10),zip,zip3,keep
patients,diagnosis,text,clinical,keep,keep
patients,notes,text,free_text,text_block,text_block
visits,id,integer,none,keep,keep
visits,patient_id,integer,person_key,pseudonym,keep
visits,admitted,timestamp,date,year,keep
visits,ward,text,none,keep,keep
stays,visit_id,integer,record_key,pseudonym,keep
stays,began,timestamp,date,year,keep
wards,ward,text,none,keep,keep
wards,beds,integer,none,keep,keep
wards,mood,mood,none,keep,keep
measurements,id,integer,none,keep,keep
measurements,patient_id,integer,person_key,keep,keep
measurements,value,numeric,clinical,keep,keep
measurements_2024,value,numeric,clinical,keep,null
archive.patients,id,integer,person_key,keep,keep
archive.patients,ssn,char(11),ssn,null,null
classified_view,id,integer,person_key,keep,keep
";

/// The oid of the schema that hardening made.
const MACHINERY: u32 = 77_777;
/// What lies between a relation's oid and that of its masked view, and of the one of its own rows.
pub(crate) const MASKED_VIEWS: u32 = 1_000_000;
pub(crate) const OWN_ROWS: u32 = 2_000_000;

/// A database, a grant's policy, a session.
pub(crate) struct World {
    pub(crate) snapshot: Snapshot,
    pub(crate) effective: EffectivePolicy,
    pub(crate) policy: BoundPolicy,
    pub(crate) search_path: Vec<String>,
    pub(crate) write: bool,
    pub(crate) temporary: Temporary,
}

impl World {
    pub(crate) fn new(profile: Profile) -> Self {
        Self::with(profile, Unclassified::Refuse, &[], &[])
    }

    pub(crate) fn limited() -> Self {
        Self::new(Profile::LimitedDataset)
    }

    pub(crate) fn with(
        profile: Profile,
        unclassified: Unclassified,
        reveal: &[&str],
        block: &[&str],
    ) -> Self {
        Self::of(clinic().build(), profile, unclassified, reveal, block)
    }

    /// With a catalog that holds more than the clinic's.
    pub(crate) fn with_catalog(
        profile: Profile,
        unclassified: Unclassified,
        more: impl FnOnce(&mut SnapshotBuilder),
    ) -> Self {
        let mut builder = clinic();
        more(&mut builder);
        Self::of(builder.build(), profile, unclassified, &[], &[])
    }

    /// With row rules, under a grant that names these sensitivities.
    pub(crate) fn with_rows(profile: Profile, rules: &str, scoped: bool, named: &[&str]) -> Self {
        let rows = RowRules::parse(rules, "clinic.rows.toml").unwrap();
        let named = named.iter().map(|code| code.parse().unwrap()).collect();
        let classification = Classification::parse(CLASSIFICATION, "clinic.csv").unwrap();
        let policy =
            EffectivePolicy::derive(&classification, profile, &[], &[], Unclassified::Refuse)
                .unwrap()
                .with_rows(rows.policy(scoped, &named).unwrap());
        Self::bound(clinic().build(), &policy)
    }

    fn of(
        snapshot: Snapshot,
        profile: Profile,
        unclassified: Unclassified,
        reveal: &[&str],
        block: &[&str],
    ) -> Self {
        let classification = Classification::parse(CLASSIFICATION, "clinic.csv").unwrap();
        let names = |list: &[&str]| -> Vec<_> {
            list.iter()
                .map(|name| ColumnName::parse(name).unwrap())
                .collect()
        };
        let policy = EffectivePolicy::derive(
            &classification,
            profile,
            &names(reveal),
            &names(block),
            unclassified,
        )
        .unwrap();
        Self::bound(snapshot, &policy)
    }

    fn bound(snapshot: Snapshot, effective: &EffectivePolicy) -> Self {
        let cx = ReleaseContext::new(effective.profile, "2026-01-01", KeyAccess::Settings);
        let policy = BoundPolicy::bind(effective, &snapshot, &cx);
        Self {
            snapshot,
            policy,
            effective: effective.clone(),
            search_path: vec!["public".to_owned()],
            write: false,
            temporary: Temporary::default(),
        }
    }

    /// Bound as masked views are: keys and dates by the session's slot.
    pub(crate) fn slot(mut self) -> Self {
        let cx = ReleaseContext::new(self.effective.profile, "", KeyAccess::Slot);
        self.policy = BoundPolicy::bind(&self.effective, &self.snapshot, &cx);
        self
    }

    /// In views mode, with a masked view for each relation but those `without`.
    pub(crate) fn through_views_without(self, without: &[&str]) -> Self {
        let mut world = self.slot();
        let id = world.policy.policy_id().unwrap().clone();
        let views = world.policy.masked_views(&world.snapshot);
        let mut builder = SnapshotBuilder::from(world.snapshot);
        builder.machinery(MACHINERY);
        for view in views {
            let hardened = HardenedView {
                view: view.relation + MASKED_VIEWS,
                own_rows: view.own_rows_sql.map(|_| view.relation + OWN_ROWS),
                fingerprint: view.fingerprint,
            };
            builder.hardened(id.as_str(), view.relation, hardened);
        }
        for name in without {
            let oid = builder.clone().build().find("public", name).unwrap().oid;
            let stale = HardenedView {
                view: oid + MASKED_VIEWS,
                own_rows: None,
                fingerprint: "stale".to_owned(),
            };
            builder.hardened(id.as_str(), oid, stale);
        }
        world.snapshot = builder.build();
        let cx = ReleaseContext::new(world.effective.profile, "", KeyAccess::Slot);
        let through = Through {
            database: "clinic",
            user: "broker",
        };
        world.policy = BoundPolicy::bind(&world.effective, &world.snapshot, &cx)
            .through_views(&world.snapshot, &through);
        world
    }

    pub(crate) fn analyse(&self, text: &str) -> Result<Batch, Refusal> {
        let session = Session {
            user: "alice",
            database: "clinic",
            search_path: &self.search_path,
            id: "0000000000s1",
            grant: "0000000000g1",
            expires_at: "2026-01-01 12:00:00+00",
            budget: "rows 81 of 100",
            write: self.write,
        };
        let cx = Context {
            snapshot: &self.snapshot,
            policy: &self.policy,
            session: &session,
            temporary: &self.temporary,
        };
        analyse(text, &cx)
    }

    /// What is sent, or the refusal with SQLSTATE, position and hint, for snapshots.
    pub(crate) fn show(&self, text: &str) -> String {
        match self.analyse(text) {
            Ok(batch) => batch.sql(),
            Err(refusal) => {
                let position = refusal.position();
                let code = refusal.reason().sqlstate();
                let hint = refusal.hint().map(|hint| format!(" (hint: {hint})"));
                let at = position.map_or(String::new(), |at| format!(" at {at}"));
                format!(
                    "{code}{at}: {}{}",
                    refusal.message(),
                    hint.unwrap_or_default()
                )
            }
        }
    }

    /// The statement is admitted; what is sent.
    pub(crate) fn admit(&self, text: &str) -> String {
        match self.analyse(text) {
            Ok(batch) => batch.sql(),
            Err(refusal) => panic!("{text}\nrefused: {refusal:?}"),
        }
    }

    /// The statement is refused; the reason's label.
    pub(crate) fn refuse(&self, text: &str) -> &'static str {
        match self.analyse(text) {
            Ok(batch) => panic!("{text}\nadmitted: {}", batch.sql()),
            Err(refusal) => refusal.reason().as_str(),
        }
    }
}

fn clinic() -> SnapshotBuilder {
    let mut builder = SnapshotBuilder::new(7, 15);
    for line in CATALOG.lines() {
        builder.relation(catalog_relation(line));
    }
    let add = |oid, name: &str, columns: &[(&str, &str)]| {
        let (schema, name) = name.split_once('.').unwrap_or(("public", name));
        table(oid, schema, name, columns)
    };
    let patients = [
        ("id", "int4"),
        ("mrn", "varchar(12)"),
        ("name", "text"),
        ("ssn", "bpchar(11)"),
        ("birth_date", "date"),
        ("zip", "varchar(10)"),
        ("diagnosis", "text"),
        ("notes", "text"),
        ("nickname", "text"),
        ("initial", "text"),
    ];
    let mut relation = add(20_001, "patients", &patients);
    relation.columns[9].generated = Some("\"left\"(name, 1)".to_owned());
    builder.relation(relation);
    builder.primary_key(20_001, vec![1]);
    let visits = [
        ("id", "int4"),
        ("patient_id", "int4"),
        ("admitted", "timestamp"),
        ("ward", "text"),
    ];
    builder.relation(add(20_002, "visits", &visits));
    let stays = [("visit_id", "int4"), ("began", "timestamp")];
    builder.relation(add(20_009, "stays", &stays));
    let wards = [("ward", "text"), ("beds", "int4"), ("mood", "public.mood")];
    builder.relation(add(20_003, "wards", &wards));
    builder.relation(add(20_004, "secrets", &[("id", "int4"), ("text", "text")]));
    let measurements = [("id", "int4"), ("patient_id", "int4"), ("value", "numeric")];
    let mut parent = add(20_005, "measurements", &measurements);
    parent.kind = RelationKind::PartitionedTable;
    builder.relation(parent);
    let mut child = add(20_006, "measurements_2024", &measurements);
    child.parents = vec![20_005];
    builder.relation(child);
    builder.relation(add(
        20_007,
        "archive.patients",
        &[("id", "int4"), ("ssn", "bpchar(11)")],
    ));
    let mut sequence = add(20_008, "patients_id_seq", &[("last_value", "int8")]);
    sequence.kind = RelationKind::Sequence;
    builder.relation(sequence);
    for (oid, name, kind, columns, definition) in VIEWS {
        let mut view = add(*oid, name, columns);
        view.kind = *kind;
        view.definition = Some((*definition).to_owned());
        builder.relation(view);
    }
    for oid in [20_001, 20_002, 20_003, 20_004, 20_005, 20_006, 20_007] {
        builder.write_facts(oid, crate::WriteFacts::default());
    }
    builder.schema("public").schema("archive");
    builder.user_type("public", "mood", UserType::Enum);
    builder.user_type("public", "patients", UserType::Composite);
    builder.collation("pg_catalog", "en_US");
    builder
}

type View = (
    u32,
    &'static str,
    RelationKind,
    &'static [(&'static str, &'static str)],
    &'static str,
);

const VIEWS: &[View] = &[
    (
        20_101,
        "v_patients",
        RelationKind::View,
        &[("id", "int4"), ("who", "text"), ("ssn", "bpchar(11)")],
        " SELECT patients.id,\n    patients.name AS who,\n    patients.ssn\n   FROM public.patients\n  WHERE (patients.ssn ~~ '9%'::text);",
    ),
    (
        20_102,
        "v_twice",
        RelationKind::View,
        &[("id", "int4"), ("shout", "text")],
        " SELECT v_patients.id,\n    upper(v_patients.who) AS shout\n   FROM public.v_patients;",
    ),
    (
        20_103,
        "v_wards",
        RelationKind::View,
        &[("ward", "text")],
        " SELECT wards.ward\n   FROM public.wards;",
    ),
    (
        20_104,
        "v_secrets",
        RelationKind::View,
        &[("id", "int4")],
        " SELECT secrets.id\n   FROM public.secrets;",
    ),
    (
        20_105,
        "v_function",
        RelationKind::View,
        &[("id", "int4")],
        " SELECT public.leak(patients.ssn) AS id\n   FROM public.patients;",
    ),
    (
        20_106,
        "m_patients",
        RelationKind::MaterializedView,
        &[("ssn", "bpchar(11)")],
        " SELECT patients.ssn\n   FROM public.patients;",
    ),
    (
        20_107,
        "classified_view",
        RelationKind::View,
        &[("id", "int4"), ("score", "numeric")],
        " SELECT public.leak(patients.ssn) AS id, 1 AS score\n   FROM public.patients;",
    ),
];

fn table(oid: u32, schema: &str, name: &str, columns: &[(&str, &str)]) -> Relation {
    let columns = columns
        .iter()
        .enumerate()
        .map(|(index, (name, ty))| Column {
            attnum: i16::try_from(index + 1).unwrap(),
            name: (*name).to_owned(),
            ty: column_type(ty),
            generated: None,
        });
    Relation {
        oid,
        schema: schema.to_owned(),
        name: name.to_owned(),
        kind: RelationKind::Table,
        columns: columns.collect(),
        parents: Vec::new(),
        definition: None,
        has_rules: false,
    }
}

/// A view of one column of type text.
pub(crate) fn view(oid: u32, name: &str, column: &str, definition: &str) -> Relation {
    Relation {
        kind: RelationKind::View,
        definition: Some(definition.to_owned()),
        ..table(oid, "public", name, &[(column, "text")])
    }
}

/// `oid schema.name kind column:type-oid:type ...`
fn catalog_relation(line: &str) -> Relation {
    let mut words = line.split(' ');
    let oid = words.next().unwrap().parse().unwrap();
    let (schema, name) = match words.next().unwrap().split_once('.') {
        Some((schema, name)) => (schema.to_owned(), name.to_owned()),
        None => (
            "pg_catalog".to_owned(),
            line.split(' ').nth(1).unwrap().to_owned(),
        ),
    };
    let kind = if words.next() == Some("v") {
        RelationKind::View
    } else {
        RelationKind::Table
    };
    let columns = words.enumerate().map(|(index, word)| {
        let mut parts = word.split(':');
        let name = parts.next().unwrap().to_owned();
        let oid = parts.next().unwrap().parse().unwrap();
        let ty = parts.next().unwrap();
        let qualified = if ty.contains('.') {
            ty.to_owned()
        } else {
            format!("pg_catalog.\"{ty}\"")
        };
        Column {
            attnum: i16::try_from(index + 1).unwrap(),
            name,
            ty: ColumnType::builtin(oid, -1, &qualified),
            generated: None,
        }
    });
    let columns = columns.collect();
    Relation {
        oid,
        schema,
        name,
        kind,
        columns,
        parents: Vec::new(),
        definition: None,
        has_rules: false,
    }
}

fn column_type(written: &str) -> ColumnType {
    let (word, length) = match written.split_once('(') {
        Some((word, rest)) => (word, rest.trim_end_matches(')').parse().ok()),
        None => (written, None),
    };
    let oid = match word {
        "int4" => 23,
        "int8" => 20,
        "text" => 25,
        "varchar" => 1043,
        "bpchar" => 1042,
        "date" => 1082,
        "timestamp" => 1114,
        "numeric" => 1700,
        "public.mood" => 30_001,
        other => panic!("{other}"),
    };
    let typmod = length.map_or(-1, |length: i32| length + 4);
    let name = if word.contains('.') {
        written.to_owned()
    } else {
        format!("pg_catalog.{written}")
    };
    let mut ty = ColumnType::builtin(oid, typmod, &name);
    if word == "public.mood" {
        ty.kind = TypeKind::Enum;
    }
    ty
}
