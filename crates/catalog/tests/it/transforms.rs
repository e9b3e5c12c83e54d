//! Every released expression against a real PostgreSQL: the vectors of `crates/phi/vectors`, types and
//! collations, totality, independence of the session, and collisions.

use std::collections::BTreeMap;

use phigate_phi::{
    ColumnType, JsonPaths, KeyAccess, PatientKey, ReleaseContext, Transform, TypeKind, collide,
    keys, release,
};
use phigate_testkit::{Cluster, postgres};
use phigate_types::Profile;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor, Row};

/// The key that the vectors of `pseudonym.csv` and `date_shift.csv` were made with.
const PROJECT_KEY: [u8; 32] = [42; 32];
/// The date at which their ages are judged.
const AS_OF: &str = "2026-06-15";
/// NULL in a vector file.
const NULL: &str = "\\N";

struct Vector {
    ty: String,
    input: Option<String>,
    patient: Option<String>,
    expected: Option<String>,
}

fn vectors(transform: Transform) -> Vec<Vector> {
    let path = format!(
        "{}/../phi/vectors/{transform}.csv",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut rows = csv_rows(&text).into_iter();
    let header = rows.next().unwrap();
    let cell = |row: &[String], name: &str| {
        let index = header.iter().position(|word| word == name)?;
        Some(row[index].clone()).filter(|cell| cell != NULL)
    };
    rows.map(|row| Vector {
        ty: row[0].clone(),
        input: cell(&row, "input"),
        patient: cell(&row, "patient"),
        expected: cell(&row, "expected"),
    })
    .collect()
}

/// RFC 4180, nothing trimmed.
fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (vec![], vec![], String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    rows
}

fn context(profile: Profile) -> ReleaseContext {
    ReleaseContext::new(profile, AS_OF, KeyAccess::Settings)
}

/// A connection that holds the project's keys as the gateway's sessions do.
async fn connect(cluster: &Cluster) -> PgConnection {
    let mut connection = crate::upstream(cluster, "postgres")
        .connect()
        .await
        .unwrap();
    for (name, value) in keys::settings(&PROJECT_KEY) {
        sqlx::query("SELECT set_config($1, $2, false)")
            .bind(name)
            .bind(value)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    connection
}

/// The types as the catalog reader describes them, by how they are written.
async fn types(connection: &mut PgConnection, written: &[&str]) -> BTreeMap<String, ColumnType> {
    let columns: Vec<String> = written
        .iter()
        .enumerate()
        .map(|(n, ty)| format!("c{n} {ty}"))
        .collect();
    let sql = format!(
        "DROP TABLE IF EXISTS typed; CREATE TABLE typed ({})",
        columns.join(", ")
    );
    run(connection, &sql).await;
    let snapshot = phigate_catalog::read(connection).await.unwrap();
    let table = snapshot.find("public", "typed").unwrap();
    let described = |n| table.column(&format!("c{n}")).unwrap().ty.clone();
    written
        .iter()
        .enumerate()
        .map(|(n, ty)| ((*ty).to_owned(), described(n)))
        .collect()
}

async fn run(connection: &mut PgConnection, sql: &str) {
    if let Err(error) = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await {
        panic!("{error}: {sql}");
    }
}

/// The expression's value for one input, as text.
async fn evaluate(
    connection: &mut PgConnection,
    expression: &str,
    written: &str,
    input: Option<&str>,
    patient: Option<&str>,
) -> Option<String> {
    let sql = format!(
        "SELECT CAST({expression} AS text) FROM \
         (SELECT CAST($1 AS {written}) AS v, CAST($2 AS int8) AS k OFFSET 0) AS p"
    );
    let row = sqlx::query(AssertSqlSafe(sql.clone()))
        .bind(input)
        .bind(patient.map(|key| key.parse::<i64>().unwrap()))
        .fetch_one(connection)
        .await;
    row.unwrap_or_else(|error| panic!("{input:?}: {error}: {sql}"))
        .get(0)
}

/// The paths that the vectors of `json_paths.csv` were made with.
fn json_paths() -> JsonPaths {
    "status payer.kind payer.plan.id".parse().unwrap()
}

fn patient_key() -> PatientKey {
    PatientKey {
        sql: "\"p\".\"k\"".to_owned(),
        kind: TypeKind::Int8,
        or_nobody: false,
    }
}

const COLUMN: &str = "\"p\".\"v\"";

#[tokio::test]
async fn vectors_hold() {
    let cluster = postgres();
    let mut connection = connect(&cluster).await;
    for transform in Transform::ALL {
        let vectors = vectors(transform);
        let written: Vec<&str> = vectors.iter().map(|vector| vector.ty.as_str()).collect();
        let types = types(&mut connection, &written).await;
        let mut cx = context(Profile::Expert);
        if transform == Transform::JsonPaths {
            cx = cx.with_json_paths(json_paths());
        }
        if transform == Transform::DateShift {
            cx = cx.with_patient_key(Some(patient_key()));
        }
        for Vector {
            ty,
            input,
            patient,
            expected,
        } in &vectors
        {
            let expression = release(transform, COLUMN, &types[ty], &cx).unwrap();
            let (input, patient) = (input.as_deref(), patient.as_deref());
            let found = evaluate(&mut connection, &expression, ty, input, patient).await;
            assert_eq!(&found, expected, "{transform} of {input:?} as {ty}");
        }
    }
}

/// Types as an analyst's schema has them, with a few values each: the ordinary, the extreme, NULL.
fn samples() -> Vec<(&'static str, Vec<Option<&'static str>>)> {
    let texts = "|a|b|Jane Doe|02139|03601|90|45|1990|1990-07-15|call 617-555-1234|Ünïcödé 東京|\\|'|%|\n|9999999999999999999999999|7|-7|Patient/7|Patient/7, 8|urn:uuid:b58731cc-2d8b-4c2d-b327-4cab771af3ef|10014354-67|Smith/7|7,|,|/|{7}|\"7\"";
    let dates = "1990-07-15|1990-01-01|1936-06-15|1936-06-16|1900-01-01|5874897-12-31|4714-11-24 BC|4714-12-31 BC|4713-01-01 BC|infinity|-infinity";
    let timestamps = "1990-07-15 12:34:56|1990-01-01 00:00:00|1920-01-01 00:00:00|294276-12-31 23:59:59.999999|4714-11-24 00:00:00 BC|4713-12-31 00:00:00 BC|infinity|-infinity";
    let zoned = "1990-07-15 12:34:56+00|1989-12-31 23:30:00+00|1920-01-01 00:00:00+00|294276-12-31 23:59:59.999999+00|4714-11-24 00:00:00+00 BC|4713-12-31 00:00:00+00 BC|4712-01-01 00:00:00+00 BC|infinity|-infinity";
    let small = "0|1|-1|89|90|1299|1300|1936|1990|9999|2139|3601|32767|-32768";
    let wide = "0|1|-1|89|90|1990|10000|99999|100000|2147483647|-2147483648";
    let big = "0|-1|90|1990|2147483648|-2147483649|9223372036854775807|-9223372036854775808";
    let floats = "0|-1|89|89.5|1936.5|1990.25|9999.9|NaN|Infinity|-Infinity|1e30|-1e-30";
    let numerics =
        "0|-1|89.5|1936.9|1990|9999.99|NaN|Infinity|-Infinity|1e100|123456789012345678901234567890";
    let list = |values: &'static str| {
        values
            .split('|')
            .map(Some)
            .chain([None])
            .collect::<Vec<_>>()
    };
    vec![
        ("text", list(texts)),
        ("text COLLATE \"C\"", list(texts)),
        ("varchar(60)", list(texts)),
        ("varchar(2)", list("|a|02|90|é")),
        ("char(12)", list("|a|02139|90|1990")),
        ("character(1)", list("|a|9")),
        ("letters", list(texts)),
        ("date", list(dates)),
        ("timestamp", list(timestamps)),
        ("timestamp(0)", list(timestamps)),
        ("timestamptz", list(zoned)),
        ("timestamptz(3)", list(zoned)),
        ("smallint", list(small)),
        ("integer", list(wide)),
        ("bigint", list(big)),
        ("positive", list("1|90|1990")),
        ("numeric", list(numerics)),
        ("numeric(5,2)", list("0|89.5|90.25|999.99|-1")),
        (
            "numeric(12,0)",
            list("0|-1|7|123456789012|999999999999|NaN"),
        ),
        (
            "numeric(22,3)",
            list("0|7.000|7.001|-2147483649|1234567890123456789|NaN"),
        ),
        ("ledger", list("1|9999999999")),
        ("numeric(4,0)", list("1936|1990|9999|89|90")),
        ("real", list(floats)),
        ("double precision", list(floats)),
        (
            "uuid",
            list("00000000-0000-0000-0000-000000000000|b58731cc-2d8b-4c2d-b327-4cab771af3ef"),
        ),
        ("boolean", list("t|f")),
        ("time", list("00:00:00|24:00:00")),
        ("json", list(JSON_ONLY)),
        ("json", list(DOCUMENTS)),
        ("jsonb", list(DOCUMENTS)),
        ("bytea", list("\\x|\\x00ff")),
        ("integer[]", list("{}|{1,NULL}")),
        ("text[]", list("{}|{Jane,Patient/7}")),
        ("uuid[]", list("{b58731cc-2d8b-4c2d-b327-4cab771af3ef}")),
        ("pair", list("(1,a)|(,)")),
        ("int4range", list("empty|[1,5)|(,)")),
        ("person_code", list("Patient/7|abc")),
        ("mood", list("x|y")),
        ("interval(3)", list("1 day|-1 mon")),
        ("citext_like", list("a|A")),
        ("inet", list("10.0.0.1")),
    ]
}

/// Documents that either type takes.
const DOCUMENTS: &str = r#"{}|null|[1]|1|"status"|{"status": "open", "ssn": "1"}|{"status": null}|{"status": {"ssn": 1}}|{"status": ["a"]}|{"payer": {"kind": 7, "plan": {"id": true, "x": 1}}}|{"payer": "kind"}|{"payer": [{"kind": 1}]}|[{"status": 1}]|{"status": "é\u0041"}"#;

/// Documents that `json` takes, and fails to read.
const JSON_ONLY: &str = r#"{"x": "\u0000", "status": "a"}|{"status": "\u0000\u0000"}|{"x": "\ud800", "status": 1e9999999}|{"x": "\\\u0000", "status": "\\u0000"}|{"status": 1, "status": 2}"#;

/// `hostile` stands first on the search path: whatever is not qualified falls into its hands.
const SAMPLE_TYPES: &str = "
    CREATE TYPE mood AS ENUM ('x', 'y');
    CREATE COLLATION loose (provider = icu, locale = 'und', deterministic = false);
    CREATE DOMAIN citext_like AS text COLLATE loose;
    CREATE DOMAIN letters AS text CHECK (VALUE !~ '[[]');
    CREATE DOMAIN positive AS int NOT NULL CHECK (VALUE > 0);
    CREATE DOMAIN ledger AS numeric(10,0) CHECK (VALUE > 0);
    CREATE DOMAIN person_code AS varchar(14) CHECK (VALUE <> 'nobody');
    CREATE TYPE pair AS (a int, b text);
    CREATE SCHEMA phigate;
    CREATE TABLE phigate.slot (login name PRIMARY KEY, as_of date, k_code_inner bytea, k_code_outer bytea,
      k_integer bytea, k_days bytea, project int8);
    INSERT INTO phigate.slot VALUES (SESSION_USER, '2026-06-15', '\\x01', '\\x02', '\\x03', '\\x04', 1);
    CREATE TABLE phigate.code_int2 (project int8, key int2, code int2);
    CREATE TABLE phigate.code_int (project int8, key int8, code int4);
    INSERT INTO phigate.code_int SELECT 1, g, 2147483600 - g FROM generate_series(-10, 10) g;
    CREATE TABLE phigate.code_uuid (project int8, key uuid, code uuid);
    CREATE TABLE phigate.code_text (project int8, key bytea, code text);
    INSERT INTO phigate.code_text SELECT 1, sha256(convert_to(v, 'UTF8')), 'abcdefghijklmnop' FROM unnest('{a,abc,Jane Doe}'::text[]) v;
    CREATE SCHEMA hostile;
    CREATE TYPE hostile.text AS ENUM (); CREATE TYPE hostile.date AS ENUM ();
    CREATE TYPE hostile.bytea AS ENUM (); CREATE TYPE hostile.uuid AS ENUM ();
    CREATE TYPE hostile.int4 AS ENUM (); CREATE TYPE hostile.int8 AS ENUM ();
    CREATE TYPE hostile.json AS ENUM (); CREATE TYPE hostile.jsonb AS ENUM ();
    CREATE TYPE hostile.bpchar AS ENUM (); CREATE TYPE hostile.timestamptz AS ENUM ();
    CREATE FUNCTION hostile.left(pg_catalog.text, int) RETURNS pg_catalog.text
        LANGUAGE sql AS $$ SELECT 'captured' $$;
    CREATE FUNCTION hostile.btrim(pg_catalog.text) RETURNS pg_catalog.text
        LANGUAGE sql AS $$ SELECT 'captured' $$;
    CREATE FUNCTION hostile.is(pg_catalog.text, pg_catalog.text) RETURNS boolean
        LANGUAGE sql AS $$ SELECT 1 / 0 = 1 $$;
    CREATE OPERATOR hostile.~ (LEFTARG = pg_catalog.text, RIGHTARG = pg_catalog.text, FUNCTION = hostile.is);
    CREATE OPERATOR hostile.= (LEFTARG = pg_catalog.text, RIGHTARG = pg_catalog.text, FUNCTION = hostile.is)";

/// Sessions under which an expression is evaluated; the last one is the reference.
const SESSIONS: [&str; 3] = [
    "SET timezone = '<W>+167:59'; SET datestyle = 'SQL, DMY'",
    "SET timezone = 'America/New_York'; SET datestyle = 'German, YMD'",
    "SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'",
];

/// Every transform on every type that has it: the expression keeps type, modifier and collation, never
/// fails, is the same whatever the session's settings, and does not tell collisions apart.
#[tokio::test]
async fn expressions_keep_the_type_and_never_fail_and_hide_what_they_should() {
    let cluster = postgres();
    let mut connection = connect(&cluster).await;
    run(&mut connection, SAMPLE_TYPES).await;
    run(&mut connection, "CREATE ROLE phigate_definer").await;
    run(&mut connection, &phigate_catalog::harden::functions()).await;
    let samples = samples();
    let written: Vec<&str> = samples.iter().map(|(ty, _)| *ty).collect();
    let types = types(&mut connection, &written).await;
    let (mut evaluated, mut collided) = (0, 0);
    for (written, values) in &samples {
        let ty = &types[*written];
        for transform in Transform::ALL.into_iter().filter(|t| t.type_supported(ty)) {
            for cx in contexts(transform) {
                let expression = release(transform, COLUMN, ty, &cx).unwrap();
                assert_type_kept(&mut connection, &expression, written).await;
                // Each value, and after it what it must not be told from.
                let mut pairs = Vec::new();
                let mut inputs = Vec::new();
                for value in values.iter().filter(|v| v.is_some() || !ty.not_null_domain) {
                    inputs.push(value.map(str::to_owned));
                    if let Some(other) = collide(transform, *value, ty, &cx) {
                        assert_ne!(Some(other.as_str()), *value, "{transform} as {written}");
                        pairs.push(inputs.len() - 1);
                        inputs.push(Some(other));
                    }
                }
                let found = released(&mut connection, &expression, written, &inputs).await;
                evaluated += found.len();
                collided += pairs.len();
                for first in pairs {
                    assert_eq!(
                        found[first],
                        found[first + 1],
                        "{transform} of {:?} and {:?} as {written}",
                        inputs[first],
                        inputs[first + 1]
                    );
                }
            }
        }
    }
    assert!(
        evaluated > 1_500 && collided > 500,
        "{evaluated} values, {collided} collisions"
    );
}

/// The contexts in which the transform differs.
fn contexts(transform: Transform) -> Vec<ReleaseContext> {
    let cx = context(Profile::Expert);
    let slot = |profile| ReleaseContext::new(profile, AS_OF, KeyAccess::Slot);
    let hardened = slot(Profile::Expert);
    match transform {
        Transform::Pseudonym => vec![
            cx,
            context(Profile::SafeHarbor),
            hardened,
            slot(Profile::SafeHarbor),
        ],
        Transform::DateShift => {
            let or_nobody = PatientKey {
                or_nobody: true,
                ..patient_key()
            };
            vec![
                cx.with_patient_key(Some(patient_key())),
                hardened.with_patient_key(Some(or_nobody)),
                cx,
            ]
        }
        Transform::YearCap90 => vec![cx, hardened],
        Transform::JsonPaths => vec![cx.with_json_paths(json_paths())],
        _ => vec![cx],
    }
}

/// The values' releases as text, by the last of [`SESSIONS`]; the others must agree, but for the
/// midnight of a `timestamptz`.
async fn released(
    connection: &mut PgConnection,
    expression: &str,
    written: &str,
    inputs: &[Option<String>],
) -> Vec<Option<String>> {
    let rows: Vec<String> = inputs
        .iter()
        .enumerate()
        .map(|(n, input)| match input {
            None => format!("({n}, NULL, 7)"),
            Some(text) => {
                format!(
                    "({n}, E'{}', 7)",
                    text.replace('\\', "\\\\").replace('\'', "''")
                )
            }
        })
        .collect();
    let load = format!(
        "RESET search_path; SET timezone = 'UTC'; SET datestyle = 'ISO, YMD';
         DROP TABLE IF EXISTS sample; CREATE TABLE sample (n int, v {written}, k int8);
         INSERT INTO sample VALUES {}",
        rows.join(", ")
    );
    run(connection, &load).await;
    let mut seen: Vec<Vec<Option<String>>> = Vec::new();
    for session in SESSIONS {
        let evaluate = format!(
            "{session}; SET search_path = hostile, pg_catalog;
             DROP TABLE IF EXISTS public.outcome;
             CREATE TABLE public.outcome AS SELECT n, {expression} AS v FROM public.sample AS p;
             RESET search_path; SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'"
        );
        run(connection, &evaluate).await;
        let outcome = "SELECT v::text FROM outcome ORDER BY n";
        let rows = connection.fetch_all(outcome).await.unwrap();
        seen.push(rows.iter().map(|row| row.get(0)).collect());
    }
    let reference = seen.pop().unwrap();
    assert_eq!(reference.len(), inputs.len());
    if !written.starts_with("timestamptz") {
        assert!(
            seen.iter().all(|other| *other == reference),
            "{seen:?}: {expression}"
        );
    }
    reference
}

async fn assert_type_kept(connection: &mut PgConnection, expression: &str, written: &str) {
    let sql = format!(
        "DROP TABLE IF EXISTS source, target; CREATE TABLE source (v {written}, k int8); \
         CREATE TABLE target AS SELECT {expression} AS v FROM source AS p"
    );
    run(connection, &sql).await;
    let row = connection
        .fetch_one(
            "SELECT s.atttypid = t.atttypid OR d.typbasetype = t.atttypid,
                    s.atttypmod = t.atttypmod OR d.typtype = 'd' AND d.typtypmod = t.atttypmod,
                    s.attcollation = t.attcollation
             FROM pg_attribute s JOIN pg_attribute t ON t.attname = s.attname
             JOIN pg_type d ON d.oid = s.atttypid
             WHERE s.attrelid = 'source'::regclass AND t.attrelid = 'target'::regclass
               AND s.attname = 'v'",
        )
        .await
        .unwrap();
    let kept: [bool; 3] = [row.get(0), row.get(1), row.get(2)];
    assert_eq!(
        kept, [true; 3],
        "type, modifier, collation of {written}: {expression}"
    );
}

/// Equal inputs, equal codes, in every table and in both widths; different inputs, different codes.
#[tokio::test]
async fn integer_codes_are_a_permutation() {
    let cluster = postgres();
    let mut connection = connect(&cluster).await;
    let types = types(&mut connection, &["smallint", "integer", "bigint"]).await;
    let cx = context(Profile::LimitedDataset);
    let code = |ty: &str, cast: &str| {
        let expression = release(Transform::Pseudonym, COLUMN, &types[ty], &cx).unwrap();
        format!("SELECT {expression} AS c, g FROM (SELECT g, {cast} AS v FROM g OFFSET 0) AS p")
    };
    run(
        &mut connection,
        "CREATE TABLE g AS SELECT g::int FROM generate_series(-32768, 32767) g",
    )
    .await;
    let small = code("smallint", "g::int2");
    let row = connection
        .fetch_one(AssertSqlSafe(format!(
            "SELECT count(DISTINCT c), count(*) FILTER (WHERE (c < 0) = (g < 0)) FROM ({small}) AS s"
        )))
        .await
        .unwrap();
    assert_eq!(
        (row.get::<i64, _>(0), row.get::<i64, _>(1)),
        (65_536, 65_536)
    );

    let (narrow, wide) = (code("integer", "g"), code("bigint", "g::int8"));
    let far = code("bigint", "g::int8 * 281474976710655");
    let row = connection
        .fetch_one(AssertSqlSafe(format!(
            "SELECT count(*), count(DISTINCT n.c), count(DISTINCT f.c),
                    count(*) FILTER (WHERE abs(f.c) > 2147483647)
             FROM ({narrow}) AS n JOIN ({wide}) AS w ON w.c = n.c AND w.g = n.g
             JOIN ({far}) AS f ON f.g = n.g"
        )))
        .await
        .unwrap();
    let counts: Vec<i64> = (0..4).map(|n| row.get(n)).collect();
    // All but 0 and -1 of the far ones lie outside the int4 range.
    assert_eq!(counts[..3], [65_536, 65_536, 65_536]);
    assert!(counts[3] >= 65_534, "{counts:?}");
}

#[tokio::test]
async fn without_keys_a_code_is_null_and_no_plan_shows_one() {
    let cluster = postgres();
    let mut connection = connect(&cluster).await;
    let types = types(&mut connection, &["integer", "text", "uuid", "date"]).await;
    let cx = context(Profile::Expert).with_patient_key(Some(patient_key()));
    let secrets: Vec<String> = keys::settings(&PROJECT_KEY)
        .into_iter()
        .map(|(_, v)| v)
        .collect();
    for (ty, transform, value) in [
        ("integer", Transform::Pseudonym, "1"),
        ("text", Transform::Pseudonym, "a"),
        (
            "uuid",
            Transform::Pseudonym,
            "b58731cc-2d8b-4c2d-b327-4cab771af3ef",
        ),
        ("date", Transform::DateShift, "2020-01-01"),
    ] {
        let expression = release(transform, COLUMN, &types[ty], &cx).unwrap();
        let mut bare = crate::upstream(&cluster, "postgres")
            .connect()
            .await
            .unwrap();
        let found = evaluate(&mut bare, &expression, ty, Some(value), Some("1")).await;
        assert_eq!(found, None, "{transform} of {ty}");

        run(&mut connection, &format!("DROP TABLE IF EXISTS one; CREATE TABLE one AS SELECT '{value}'::{ty} AS v, 1::int8 AS k")).await;
        let explain = format!("EXPLAIN (VERBOSE, ANALYZE) SELECT {expression} FROM one AS p");
        let plan = connection.fetch_all(AssertSqlSafe(explain)).await.unwrap();
        for line in plan {
            let line: String = line.get(0);
            assert!(
                !secrets.iter().any(|secret| line.contains(secret.as_str())),
                "{line}"
            );
        }
    }
}

/// The year of a `timestamptz` is cut in UTC: no time zone of the session moves the cut.
#[tokio::test]
async fn the_time_zone_does_not_move_the_year() {
    let cluster = postgres();
    let mut connection = connect(&cluster).await;
    let types = types(&mut connection, &["timestamptz"]).await;
    let cx = context(Profile::SafeHarbor);
    for zone in [
        "UTC",
        "America/New_York",
        "Pacific/Kiritimati",
        "<W>+167:59",
        "<E>-167:59",
    ] {
        for transform in [Transform::Year, Transform::YearCap90] {
            let expression = release(transform, COLUMN, &types["timestamptz"], &cx).unwrap();
            run(&mut connection, &format!("SET timezone = '{zone}'")).await;
            for (value, year) in [
                ("1990-12-31 23:59:59.999999+00", "1990"),
                ("1991-01-01 00:00:00+00", "1991"),
            ] {
                let year_of = format!("extract(year FROM {expression})");
                let found =
                    evaluate(&mut connection, &year_of, "timestamptz", Some(value), None).await;
                assert_eq!(found.as_deref(), Some(year), "{transform} in {zone}");
            }
        }
    }
}
