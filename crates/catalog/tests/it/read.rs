//! What a snapshot says of a database.

use phigate_phi::{ColumnType, TypeKind};
use phigate_sql::{OwnCode, RelationKind, Snapshot, UserType};
use phigate_testkit::{hospital, postgres};

const SCHEMA: &str = r#"
    CREATE SCHEMA "Odd ""Name";
    CREATE TYPE public.mood AS ENUM ('a', 'b');
    CREATE TYPE public.pair AS (first int, "Second" text);
    CREATE DOMAIN public.zip AS varchar(5) COLLATE "C" CHECK (VALUE ~ '^[0-9]{5}$');
    CREATE DOMAIN public.home_zip AS public.zip NOT NULL;
    CREATE TABLE "Odd ""Name"."T" (
        a smallint, b varchar(20), c char(5), d numeric(10,4), e timestamp(3) with time zone,
        f text COLLATE "C", g public.mood, h public.home_zip, i int[], j bit, k bpchar, l "char",
        m name, n interval(3), o public.pair, p public.mood[], q varchar(7)[], r uuid, s jsonb,
        gone int, t int GENERATED ALWAYS AS (a + 1) STORED, u double precision, v bit(8), w xml,
        x time, y public.zip
    );
    ALTER TABLE "Odd ""Name"."T" DROP COLUMN gone;
    CREATE TABLE keyed (a int, b int, c int, PRIMARY KEY (c, a));
    CREATE TABLE put_off (a int PRIMARY KEY DEFERRABLE);
    CREATE TABLE events (id bigint, at date) PARTITION BY RANGE (at);
    CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
    CREATE TABLE child () INHERITS (public.pair_table);
"#;

fn ty<'a>(snapshot: &'a Snapshot, column: &str) -> &'a ColumnType {
    &snapshot
        .find("Odd \"Name", "T")
        .unwrap()
        .column(column)
        .unwrap()
        .ty
}

#[tokio::test]
async fn every_kind_of_column_is_described() {
    let cluster = postgres();
    let schema = SCHEMA.replace(
        "CREATE TABLE child",
        "CREATE TABLE pair_table (x int); CREATE TABLE child",
    );
    cluster.execute("postgres", &schema).await.unwrap();
    let mut connection = crate::upstream(&cluster, "postgres")
        .connect()
        .await
        .unwrap();
    let snapshot = phigate_catalog::read(&mut connection).await.unwrap();

    for (column, kind, typmod, name) in [
        ("a", TypeKind::Int2, -1, "smallint"),
        ("b", TypeKind::Varchar, 24, "character varying(20)"),
        ("c", TypeKind::Bpchar, 9, "character(5)"),
        ("d", TypeKind::Numeric, (10 << 16) + 4 + 4, "numeric(10,4)"),
        ("e", TypeKind::Timestamptz, 3, "timestamp(3) with time zone"),
        ("f", TypeKind::Text, -1, "pg_catalog.text"),
        ("g", TypeKind::Enum, -1, "public.mood"),
        ("h", TypeKind::Varchar, 9, "public.home_zip"),
        ("i", TypeKind::Array, -1, "integer[]"),
        ("j", TypeKind::Other, 1, "bit(1)"),
        ("k", TypeKind::Bpchar, -1, "pg_catalog.bpchar"),
        ("l", TypeKind::Other, -1, "pg_catalog.\"char\""),
        ("m", TypeKind::Other, -1, "pg_catalog.name"),
        ("n", TypeKind::Other, (0x7fff << 16) + 3, "interval(3)"),
        ("o", TypeKind::Other, -1, "public.pair"),
        ("p", TypeKind::Array, -1, "public.mood[]"),
        ("q", TypeKind::Array, 11, "character varying(7)[]"),
        ("r", TypeKind::Uuid, -1, "pg_catalog.uuid"),
        ("s", TypeKind::Jsonb, -1, "pg_catalog.jsonb"),
        ("t", TypeKind::Int4, -1, "integer"),
        ("u", TypeKind::Float8, -1, "double precision"),
        ("v", TypeKind::Other, 8, "bit(8)"),
        ("w", TypeKind::Other, -1, "pg_catalog.xml"),
        ("x", TypeKind::Time, -1, "time without time zone"),
        ("y", TypeKind::Varchar, 9, "public.zip"),
    ] {
        let found = ty(&snapshot, column);
        assert_eq!(
            (found.kind, found.typmod, found.name.as_str()),
            (kind, typmod, name),
            "{column}"
        );
    }
    let home_zip = ty(&snapshot, "h");
    assert_eq!(home_zip.base.as_deref(), Some("character varying(5)"));
    assert!(home_zip.not_null_domain && !ty(&snapshot, "y").not_null_domain);
    assert_eq!(home_zip.collation.as_deref(), Some("pg_catalog.\"C\""));
    assert_eq!(
        ty(&snapshot, "f").collation.as_deref(),
        Some("pg_catalog.\"C\"")
    );
    assert_eq!(ty(&snapshot, "b").collation, None);
    assert_eq!(ty(&snapshot, "m").collation, None);

    let table = snapshot.find("Odd \"Name", "T").unwrap();
    assert!(table.column("gone").is_none());
    assert!(
        table
            .columns
            .iter()
            .all(|column| !column.name.contains("dropped"))
    );
    assert_eq!(table.column("t").unwrap().attnum, 21);
    assert_eq!(
        table.column("t").unwrap().generated.as_deref(),
        Some("(a + 1)")
    );
    assert_eq!(snapshot.user_type("public", "mood"), Some(UserType::Enum));
    assert_eq!(snapshot.user_type("public", "zip"), Some(UserType::Domain));
    assert_eq!(
        snapshot.user_type("public", "pair"),
        Some(UserType::Composite)
    );
    assert_eq!(snapshot.user_type("public", "_mood"), None);
    assert!(snapshot.has_collation("pg_catalog", "C"));

    let parent = snapshot.find("public", "events").unwrap();
    assert_eq!(parent.kind, RelationKind::PartitionedTable);
    let partition = snapshot.find("public", "events_1").unwrap();
    assert_eq!(partition.parents, [parent.oid]);
    assert_eq!(snapshot.children(parent.oid), [partition.oid]);
    let key = |table| snapshot.primary_key(snapshot.find("public", table).unwrap().oid);
    assert_eq!(key("keyed"), [3, 1]);
    assert!(key("put_off").is_empty() && key("events").is_empty());
}

#[tokio::test]
async fn views_are_written_out_and_rules_are_seen() {
    let cluster = postgres();
    let sql = "CREATE TABLE t (a int); CREATE VIEW v AS SELECT t.a AS b FROM t WHERE a > 0;
        CREATE MATERIALIZED VIEW m AS SELECT a FROM t; CREATE TABLE log (a int);
        CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (new.a);
        CREATE SEQUENCE s; CREATE TEMP TABLE hidden (a int)";
    cluster.execute("postgres", sql).await.unwrap();
    let mut connection = crate::upstream(&cluster, "postgres")
        .connect()
        .await
        .unwrap();
    let snapshot = phigate_catalog::read(&mut connection).await.unwrap();

    let definition = |name| {
        snapshot
            .find("public", name)
            .unwrap()
            .definition
            .clone()
            .unwrap()
    };
    assert!(
        definition("v").contains("FROM public.t"),
        "{}",
        definition("v")
    );
    assert!(
        definition("m").contains("FROM public.t"),
        "{}",
        definition("m")
    );
    assert!(snapshot.find("public", "t").unwrap().has_rules);
    assert!(!snapshot.find("public", "v").unwrap().has_rules);
    assert_eq!(
        snapshot.find("public", "s").unwrap().kind,
        RelationKind::Sequence
    );
    assert!(
        snapshot
            .relations()
            .all(|relation| relation.name != "hidden")
    );

    let catalog = snapshot.find("pg_catalog", "pg_class").unwrap();
    assert_eq!(catalog.oid, 1259);
    assert!(catalog.column("relname").is_some());
    let standard = snapshot.find("information_schema", "columns").unwrap();
    assert_eq!(
        standard.column("column_name").unwrap().ty.base.as_deref(),
        Some("pg_catalog.name")
    );
    assert!(snapshot.major >= 14);
}

#[tokio::test]
async fn an_ordinary_role_reads_it_too() {
    let cluster = hospital().await;
    let url = phigate_testkit::clinic::broker_url(&cluster);
    let mut connection = phigate_catalog::Upstream::parse(&url)
        .unwrap()
        .connect()
        .await
        .unwrap();
    let snapshot = phigate_catalog::read(&mut connection).await.unwrap();
    assert!(snapshot.find("public", "patients").is_some());
}

/// What a cast, an implied operator or a constraint runs is not in the text of any statement.
#[tokio::test]
async fn code_of_the_databases_own_is_seen_behind_casts_operators_and_constraints() {
    let cluster = postgres();
    let sql = "
        CREATE TYPE plain AS ENUM ('a'); CREATE TYPE cast_to AS ENUM ('a');
        CREATE FUNCTION spy(int) RETURNS cast_to LANGUAGE sql AS $$ SELECT 'a'::cast_to $$;
        CREATE CAST (int AS cast_to) WITH FUNCTION spy(int);
        CREATE FUNCTION look(int) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;
        CREATE DOMAIN checked AS int CHECK (value > 0);
        CREATE DOMAIN looked AS int CHECK (look(value)); CREATE DOMAIN above AS looked;
        CREATE TABLE t (a int, b text, c varchar);
        CREATE VIEW v_plain AS SELECT CASE b WHEN 'x' THEN a::bigint END AS x FROM t;
        CREATE VIEW v_cast AS SELECT a::cast_to AS x FROM t;
        CREATE SCHEMA other;
        CREATE FUNCTION same(text, varchar) RETURNS boolean LANGUAGE sql AS $$ SELECT $1 = $2 $$;
        CREATE OPERATOR other.= (LEFTARG = text, RIGHTARG = varchar, FUNCTION = same);
        SET search_path = public, other;
        CREATE VIEW v_implied AS SELECT CASE b WHEN c THEN 1 END AS x FROM t;
        CREATE TABLE holder (one t, many t[]); CREATE TABLE outer_holder (h holder)";
    cluster.execute("postgres", sql).await.unwrap();
    let mut connection = crate::upstream(&cluster, "postgres")
        .connect()
        .await
        .unwrap();
    let snapshot = phigate_catalog::read(&mut connection).await.unwrap();

    for (name, kind) in [
        ("plain", UserType::Enum),
        ("cast_to", UserType::Other),
        ("checked", UserType::Domain),
        ("looked", UserType::Other),
        ("above", UserType::Other),
    ] {
        assert_eq!(snapshot.user_type("public", name), Some(kind), "{name}");
    }
    let relation = |name| snapshot.find("public", name).unwrap();
    assert!(relation("v_plain").definition.is_some());
    assert!(relation("v_cast").definition.is_none());
    assert!(relation("v_implied").definition.is_none());

    let own = |schema: &str| snapshot.has_own_comparison(&[schema.to_owned()]);
    assert!(own("other") && !own("public") && snapshot.has_own_comparison(&[]));

    let t = relation("t").oid;
    for (table, column) in [("holder", "one"), ("holder", "many"), ("outer_holder", "h")] {
        let ty = relation(table).column(column).unwrap().ty.oid;
        assert!(snapshot.rows_within(ty).contains(&t), "{table}.{column}");
    }
    assert!(snapshot.rows_within(25).is_empty());
}

#[tokio::test]
async fn types_whose_values_run_code_are_read_with_what_is_made_of_them() {
    let cluster = postgres();
    let schema = "
        CREATE TYPE mood AS ENUM ('ok');
        CREATE TYPE given AS ENUM ('ok');
        CREATE TYPE free AS ENUM ('ok');
        CREATE TYPE span AS RANGE (subtype = int4);
        CREATE FUNCTION told(mood) RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$;
        CREATE FUNCTION gives(int) RETURNS given LANGUAGE sql AS $$ SELECT NULL::given $$;
        CREATE FUNCTION spans(int4range) RETURNS span LANGUAGE sql AS $$ SELECT NULL::span $$;
        CREATE FUNCTION evil(int) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;
        CREATE CAST (mood AS text) WITH FUNCTION told(mood);
        CREATE CAST (int AS given) WITH FUNCTION gives(int) AS IMPLICIT;
        CREATE CAST (int4range AS span) WITH FUNCTION spans(int4range) AS IMPLICIT;
        CREATE DOMAIN checked AS int CHECK (evil(VALUE));
        CREATE TABLE holder (id int, one mood, many mood[], to_it given, f free, s span, c checked);
        CREATE TABLE outer_holder (h holder, hs holder[]);";
    cluster.execute("postgres", schema).await.unwrap();
    let mut connection = crate::upstream(&cluster, "postgres")
        .connect()
        .await
        .unwrap();
    let snapshot = phigate_catalog::read(&mut connection).await.unwrap();
    for (table, column, runs, taken) in [
        ("holder", "one", true, false),
        ("holder", "many", true, false),
        ("holder", "to_it", true, true),
        ("holder", "f", false, false),
        ("holder", "s", true, true),
        ("holder", "c", true, true),
        ("outer_holder", "h", true, true),
        ("outer_holder", "hs", true, true),
        ("holder", "id", false, false),
    ] {
        let relation = snapshot.find("public", table).unwrap();
        let ty = relation.column(column).unwrap().ty.oid;
        let found = (snapshot.runs_code(ty), snapshot.runs_code_taken(ty));
        assert_eq!(found, (runs, taken), "{table}.{column}");
    }
    for name in ["mood", "given", "checked"] {
        assert_eq!(
            snapshot.user_type("public", name),
            Some(UserType::Other),
            "{name}"
        );
    }
    assert_eq!(snapshot.own_code(), None);
}

/// Operator classes, ranges, and what is made of checked domains.
#[tokio::test]
async fn types_that_are_compared_or_made_by_code_are_read() {
    let cluster = postgres();
    let schema = "
        CREATE TYPE rank AS ENUM ('low', 'high');
        CREATE FUNCTION ordered(rank, rank) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 0';
        CREATE FUNCTION is(rank, rank) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
        CREATE OPERATOR < (LEFTARG = rank, RIGHTARG = rank, FUNCTION = is);
        CREATE OPERATOR <= (LEFTARG = rank, RIGHTARG = rank, FUNCTION = is);
        CREATE OPERATOR = (LEFTARG = rank, RIGHTARG = rank, FUNCTION = is);
        CREATE OPERATOR >= (LEFTARG = rank, RIGHTARG = rank, FUNCTION = is);
        CREATE OPERATOR > (LEFTARG = rank, RIGHTARG = rank, FUNCTION = is);
        CREATE OPERATOR CLASS rank_ops DEFAULT FOR TYPE rank USING btree AS
            OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
            FUNCTION 1 ordered(rank, rank);
        CREATE FUNCTION ordered(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 0';
        CREATE OPERATOR CLASS own_int_ops FOR TYPE int USING btree AS
            OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
            FUNCTION 1 ordered(int, int);
        CREATE TYPE own_span AS RANGE (subtype = int, subtype_opclass = own_int_ops);
        CREATE TYPE span AS RANGE (subtype = int);
        CREATE FUNCTION evil(int) RETURNS boolean LANGUAGE sql AS 'SELECT true';
        CREATE DOMAIN checked AS int CHECK (evil(VALUE));
        CREATE DOMAIN checked_list AS checked[];
        CREATE TYPE pair AS (a int, b checked);
        CREATE TABLE t (r rank, rs rank[], o own_span, s span, l checked_list, p pair, i int);";
    cluster.execute("postgres", schema).await.unwrap();
    let mut connection = crate::upstream(&cluster, "postgres")
        .connect()
        .await
        .unwrap();
    let snapshot = phigate_catalog::read(&mut connection).await.unwrap();
    let table = snapshot.find("public", "t").unwrap();
    for (column, runs) in [
        ("r", true),
        ("rs", true),
        ("o", true),
        ("s", false),
        ("l", true),
        ("p", true),
        ("i", false),
    ] {
        let ty = table.column(column).unwrap().ty.oid;
        let found = (snapshot.runs_code(ty), snapshot.runs_code_taken(ty));
        assert_eq!(found, (runs, runs), "{column}");
    }
    for name in ["rank", "checked", "checked_list", "pair"] {
        let kind = snapshot.user_type("public", name);
        assert_eq!(kind, Some(UserType::Other), "{name}");
    }
    assert_eq!(snapshot.own_code(), None, "none of PostgreSQL's own types");
}

#[tokio::test]
async fn code_that_postgresqls_own_types_and_names_lead_to_is_read() {
    let cast = "
        CREATE FUNCTION gives(text) RETURNS date LANGUAGE sql AS 'SELECT current_date';
        CREATE CAST (text AS date) WITH FUNCTION gives(text) AS IMPLICIT;";
    let order = "
        CREATE FUNCTION ordered(json, json) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 0';
        CREATE OPERATOR CLASS json_ops DEFAULT FOR TYPE json USING btree AS FUNCTION 1 ordered(json, json);";
    let overload = "
        CREATE FUNCTION pg_catalog.round(float8, int) RETURNS float8 LANGUAGE sql AS 'SELECT $1';";
    let beside = "
        CREATE FUNCTION pg_catalog.of_nobody(float8) RETURNS float8 LANGUAGE sql AS 'SELECT $1';
        CREATE CAST (bytea AS xml) WITH INOUT;";
    let expected = [
        (
            cast,
            Some(OwnCode::Cast {
                from: "text".to_owned(),
                to: "date".to_owned(),
            }),
        ),
        (order, Some(OwnCode::Order("json".to_owned()))),
        (overload, Some(OwnCode::Overload("round".to_owned()))),
        (beside, None),
    ];
    for (schema, code) in expected {
        let cluster = postgres();
        cluster.execute("postgres", schema).await.unwrap();
        let upstream = crate::upstream(&cluster, "postgres");
        let mut connection = upstream.connect().await.unwrap();
        let snapshot = phigate_catalog::read(&mut connection).await.unwrap();
        assert_eq!(snapshot.own_code(), code.as_ref(), "{schema}");
    }
}

#[tokio::test]
async fn what_runs_when_rows_are_written_is_read() {
    let cluster = postgres();
    let schema = "
        CREATE FUNCTION evil(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
        CREATE FUNCTION fires() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE DOMAIN checked AS int CHECK (evil(VALUE) > 0);
        CREATE DOMAIN given AS int DEFAULT 7;
        CREATE TABLE plain (a int, b int DEFAULT 1, c serial, d given);
        CREATE TABLE parent (a int PRIMARY KEY, b int NOT NULL, c int CHECK (c > b), d int);
        CREATE UNIQUE INDEX ON parent ((d + 1));
        CREATE TABLE referring (x int, y int REFERENCES parent (a));
        CREATE TABLE triggered (a int);
        CREATE TRIGGER t BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION fires();
        CREATE TABLE guarded (a int);
        ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
        CREATE POLICY reads ON guarded USING (a > 1);
        CREATE POLICY adds ON guarded FOR INSERT WITH CHECK (a > 2);
        CREATE TABLE by_check (a int CHECK (evil(a) > 0));
        CREATE TABLE by_index (a int);
        CREATE INDEX ON by_index (evil(a));
        CREATE TABLE by_generated (a int, b int GENERATED ALWAYS AS (evil(a)) STORED);
        CREATE TABLE by_partition (a int) PARTITION BY LIST (evil(a));
        CREATE TABLE by_nothing (a int, b int GENERATED ALWAYS AS (a + 1) STORED);
        CREATE TABLE by_type (a checked);";
    cluster.execute("postgres", schema).await.unwrap();
    let mut connection = crate::upstream(&cluster, "postgres")
        .connect()
        .await
        .unwrap();
    let snapshot = phigate_catalog::read(&mut connection).await.unwrap();
    let oid = |name: &str| snapshot.find("public", name).unwrap().oid;
    let facts = |name: &str| snapshot.write_facts(oid(name)).unwrap();
    let plain = facts("plain");
    assert!(!plain.triggers && !plain.row_security && !plain.runs_code);
    assert_eq!(plain.constrained, [3], "serial is not null");
    let defaults: Vec<_> = plain
        .defaults
        .iter()
        .map(|(n, d)| (*n, d.as_str()))
        .collect();
    assert_eq!(
        defaults,
        [
            (2, "1"),
            (3, "nextval('public.plain_c_seq'::regclass)"),
            (4, "7")
        ]
    );
    let mut constrained = facts("parent").constrained.clone();
    constrained.sort_unstable();
    assert_eq!(constrained, [0, 1, 2, 3], "0: an expression");
    let key = &snapshot.foreign_keys(oid("parent"))[0];
    assert_eq!((key.from, &key.columns[..]), (oid("referring"), &[2][..]));
    assert_eq!((key.to, &key.referenced[..]), (oid("parent"), &[1][..]));
    assert_eq!(snapshot.foreign_keys(oid("referring")).len(), 1);
    assert!(facts("triggered").triggers && !facts("referring").triggers);
    assert!(facts("guarded").row_security);
    assert_eq!(facts("guarded").row_policies, ["(a > 1)"]);
    for table in ["by_check", "by_index", "by_generated", "by_partition"] {
        assert!(facts(table).runs_code, "{table}");
    }
    assert!(!facts("by_nothing").runs_code && !facts("by_type").runs_code);
}
