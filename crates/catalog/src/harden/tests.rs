use phigate_phi::{Classification, Unclassified, keys};
use phigate_testkit::{Cluster, clinic, hospital};
use phigate_wire::scram;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor, Row};

use super::*;
use crate::Upstream;

mod administrator;
mod crosswalk;

const LOGIN_KEY: [u8; 32] = [5; 32];
const PROJECT_KEY: [u8; 32] = [9; 32];

fn policy(profile: Profile) -> EffectivePolicy {
    let classification = Classification::parse(clinic::CLASSIFICATION, "clinic.phi.csv").unwrap();
    EffectivePolicy::derive(&classification, profile, &[], &[], Unclassified::Refuse).unwrap()
}

fn verifier(login: &str) -> String {
    let password = keys::login_password(&LOGIN_KEY, login);
    let salt = keys::login_salt(&LOGIN_KEY, login);
    scram::Verifier::derive(&password, &salt, 4096).stored()
}

fn target() -> Target {
    Target {
        database: clinic::DATABASE.to_owned(),
        broker: clinic::BROKER.to_owned(),
        slots: 2,
    }
}

async fn snapshot(cluster: &Cluster) -> Snapshot {
    let mut broker = Upstream::parse(&clinic::broker_url(cluster))
        .unwrap()
        .connect()
        .await
        .unwrap();
    crate::read(&mut broker).await.unwrap()
}

fn admin(cluster: &Cluster) -> Upstream {
    Upstream::parse(&cluster.url(clinic::DATABASE)).unwrap()
}

async fn hardened(cluster: &Cluster, profiles: &[Profile]) -> Plan {
    let policies: Vec<_> = profiles.iter().map(|profile| policy(*profile)).collect();
    let plan = Plan::of(&snapshot(cluster).await, &policies, target(), verifier);
    apply(&admin(cluster), &plan.sql()).await.unwrap();
    plan
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

/// One text, or the SQLSTATE.
async fn ask(connection: &mut PgConnection, sql: &str) -> String {
    match connection
        .fetch_one(sqlx::raw_sql(sqlx::AssertSqlSafe(sql)))
        .await
    {
        Ok(row) => row
            .try_get::<Option<String>, _>(0)
            .unwrap()
            .unwrap_or_default(),
        Err(sqlx::Error::Database(error)) => error.code().unwrap_or_default().into_owned(),
        Err(sqlx::Error::RowNotFound) => "no row".to_owned(),
        Err(error) => panic!("{sql}: {error}"),
    }
}

const ASSIGN: &str = "SELECT phigate.assign($1, $2, '2026-06-15', $3, NULL, $4)::text";

async fn assign(
    broker: &mut PgConnection,
    policy: &PolicyPlan,
    name: &str,
    writes: bool,
) -> Result<String, String> {
    let keys: Vec<Vec<u8>> = keys::slot(&PROJECT_KEY).to_vec();
    let row = sqlx::query(ASSIGN)
        .bind(policy.id.as_str())
        .bind(name)
        .bind(keys)
        .bind(writes)
        .fetch_one(broker)
        .await;
    match row {
        Ok(row) => Ok(row.get(0)),
        Err(sqlx::Error::Database(error)) => Err(error.code().unwrap_or_default().into_owned()),
        Err(error) => panic!("{error}"),
    }
}

async fn slot(cluster: &Cluster, login: &str) -> PgConnection {
    let password = keys::login_password(&LOGIN_KEY, login);
    connect(&cluster.url_as(login, &password, clinic::DATABASE)).await
}

/// The session of an assignment of this name.
async fn session(cluster: &Cluster, policy: &PolicyPlan, writes: bool) -> PgConnection {
    let mut broker = connect(&clinic::broker_url(cluster)).await;
    let login = assign(&mut broker, policy, "one", writes).await.unwrap();
    slot(cluster, &login).await
}

fn view_of(plan: &PolicyPlan, snapshot: &Snapshot, table: &str) -> String {
    let oid = snapshot.find("public", table).unwrap().oid;
    format!("{}.r{oid}", plan.schema)
}

#[tokio::test]
async fn a_slot_reads_masked_views_and_nothing_beneath() {
    let cluster = hospital().await;
    let plan = hardened(&cluster, &[Profile::LimitedDataset, Profile::Identified]).await;
    let seen = snapshot(&cluster).await;
    let mut slot = session(&cluster, &plan.policies()[0], false).await;
    let patients = view_of(&plan.policies()[0], &seen, "patients");
    let released = ask(
        &mut slot,
        &format!("SELECT count(*) || ' ' || count(ssn) || ' ' || min(last_name) FROM {patients}"),
    )
    .await;
    assert_eq!(released, "300 0 [redacted]");
    let others = view_of(&plan.policies()[1], &seen, "patients");
    for refused in [
        "SELECT ssn FROM public.patients".to_owned(),
        "SELECT count(*)::text FROM public.departments".to_owned(),
        format!("SELECT ssn FROM {others} LIMIT 1"),
        "SELECT login::text FROM phigate.slot".to_owned(),
        "SELECT policy FROM phigate.masked".to_owned(),
        "SELECT patient FROM phigate.patient".to_owned(),
        "SELECT phigate.assign('x', 'y', '2026-01-01', ARRAY['','','','']::bytea[], NULL, false)::text".to_owned(),
        format!("SET ROLE {DEFINER}"),
        format!("SET ROLE {}", plan.policies()[1].reader),
        "SET SESSION AUTHORIZATION postgres".to_owned(),
    ] {
        assert_eq!(ask(&mut slot, &refused).await, "42501", "{refused}");
    }
    assert_eq!(ask(&mut slot, "SELECT phigate.assigned()").await, "one");
}

#[tokio::test]
async fn a_login_without_an_assignment_has_no_key_and_no_code() {
    let cluster = hospital().await;
    let plan = hardened(&cluster, &[Profile::LimitedDataset]).await;
    let policy = &plan.policies()[0];
    let seen = snapshot(&cluster).await;
    let claims = view_of(policy, &seen, "claims");
    let mut slot = slot(&cluster, &policy.logins[0].name).await;
    assert_eq!(ask(&mut slot, "SELECT phigate.assigned()").await, "");
    let codes = ask(
        &mut slot,
        &format!("SELECT count(member_id)::text FROM {claims}"),
    )
    .await;
    assert_eq!(codes, "0", "{claims}");
}

#[tokio::test]
async fn only_a_writer_writes_and_only_where_nothing_is_masked() {
    let cluster = hospital().await;
    let plan = hardened(&cluster, &[Profile::LimitedDataset]).await;
    let policy = &plan.policies()[0];
    let seen = snapshot(&cluster).await;
    let open = policy
        .views
        .iter()
        .find(|view| view.writable)
        .expect("an open table");
    let (open, masked) = (
        format!("{}.r{}", policy.schema, open.relation),
        view_of(policy, &seen, "patients"),
    );
    let delete = |table: &str| {
        format!(
            "WITH gone AS (DELETE FROM {table} WHERE false RETURNING 1) SELECT count(*)::text FROM gone"
        )
    };
    let mut reader = session(&cluster, policy, false).await;
    assert_eq!(ask(&mut reader, &delete(&open)).await, "42501");
    let mut writer = session(&cluster, policy, true).await;
    assert_eq!(ask(&mut writer, &delete(&open)).await, "0");
    assert_eq!(ask(&mut writer, &delete(&masked)).await, "42501");
}

#[tokio::test]
async fn hardening_again_changes_nothing_and_a_changed_table_is_made_anew() {
    let cluster = hospital().await;
    let plan = hardened(&cluster, &[Profile::LimitedDataset]).await;
    let state = "SELECT string_agg(concat_ws(' ', relation, view, own_rows, fingerprint, hardened_at), ',' ORDER BY relation) FROM phigate.masked";
    let mut root = connect(&cluster.url(clinic::DATABASE)).await;
    let before = ask(&mut root, state).await;
    hardened(&cluster, &[Profile::LimitedDataset]).await;
    assert_eq!(ask(&mut root, state).await, before);

    let seen = snapshot(&cluster).await;
    let patients = seen.find("public", "patients").unwrap().oid;
    cluster
        .execute(
            clinic::DATABASE,
            "ALTER TABLE patients RENAME COLUMN zip TO plz",
        )
        .await
        .unwrap();
    let changed = masked_views(&snapshot(&cluster).await, &policy(Profile::LimitedDataset));
    let stored = ask(
        &mut root,
        &format!("SELECT fingerprint FROM phigate.masked WHERE relation = {patients}"),
    )
    .await;
    assert!(
        changed
            .iter()
            .all(|view| view.relation != patients || view.fingerprint != stored)
    );
    hardened(&cluster, &[Profile::LimitedDataset]).await;
    assert_ne!(ask(&mut root, state).await, before);
    // What was not changed was left alone.
    let notes = seen.find("public", "notes").unwrap().oid;
    let of_notes = format!("SELECT view::text FROM phigate.masked WHERE relation = {notes}");
    let view = ask(&mut root, &of_notes).await;
    assert!(
        before.contains(&format!("{notes} {view} ")),
        "{view} {before}"
    );
    assert_eq!(plan.policies()[0].logins.len(), 4);
}

#[tokio::test]
async fn unhardening_leaves_nothing_and_one_table_can_be_freed() {
    let cluster = hospital().await;
    let before = census(&cluster).await;
    hardened(&cluster, &[Profile::SafeHarbor, Profile::Expert]).await;
    assert_ne!(census(&cluster).await, before);

    let patients = snapshot(&cluster)
        .await
        .find("public", "patients")
        .unwrap()
        .oid;
    let alter = "ALTER TABLE patients ALTER COLUMN language TYPE text";
    assert!(cluster.execute(clinic::DATABASE, alter).await.is_err());
    apply(&admin(&cluster), &Unharden::Relation(patients).sql())
        .await
        .unwrap();
    cluster.execute(clinic::DATABASE, alter).await.unwrap();

    let one = policy(Profile::Expert).id;
    apply(&admin(&cluster), &Unharden::Policy(one.clone()).sql())
        .await
        .unwrap();
    let mut root = connect(&cluster.url(clinic::DATABASE)).await;
    assert_eq!(
        ask(
            &mut root,
            &format!("SELECT count(*)::text FROM phigate.policy WHERE policy = '{one}'")
        )
        .await,
        "0"
    );
    for _ in 0..2 {
        apply(&admin(&cluster), &Unharden::All.sql()).await.unwrap();
        assert_eq!(census(&cluster).await, before);
    }
}

/// Everything of ours and every privilege on a table.
async fn census(cluster: &Cluster) -> String {
    let mut root = connect(&cluster.url(clinic::DATABASE)).await;
    ask(
        &mut root,
        "SELECT concat_ws('; ',
           (SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles WHERE rolname LIKE 'phigate%'),
           (SELECT string_agg(nspname, ',' ORDER BY nspname) FROM pg_namespace WHERE nspname LIKE 'phigate%'),
           (SELECT string_agg(evtname, ',' ORDER BY evtname) FROM pg_event_trigger),
           (SELECT string_agg(relname || coalesce(relacl::text, ''), ',' ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace))",
    )
    .await
}

#[tokio::test]
async fn a_slot_is_shared_by_equal_assignments_and_never_taken_from_a_session() {
    let cluster = hospital().await;
    let plan = hardened(&cluster, &[Profile::LimitedDataset]).await;
    let policy = &plan.policies()[0];
    let mut broker = connect(&clinic::broker_url(&cluster)).await;
    let first = assign(&mut broker, policy, "one", false).await.unwrap();
    let session = slot(&cluster, &first).await;
    assert_eq!(
        assign(&mut broker, policy, "one", false).await.unwrap(),
        first
    );
    let second = assign(&mut broker, policy, "two", false).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(
        assign(&mut broker, policy, "three", false).await,
        Err("53300".into())
    );
    // Neither is new any more: only the one without a session may be given away.
    let age = "UPDATE phigate.slot SET assigned_at = assigned_at - interval '2 minutes'";
    cluster.execute(clinic::DATABASE, age).await.unwrap();
    assert_eq!(
        assign(&mut broker, policy, "three", false).await,
        Ok(second)
    );
    assert_eq!(
        assign(&mut broker, policy, "four", false).await,
        Err("53300".into())
    );
    drop(session);
    let unknown = PolicyPlan {
        id: self::policy(Profile::Expert).id,
        ..policy.clone()
    };
    assert_eq!(
        assign(&mut broker, &unknown, "one", false).await,
        Err("42704".into())
    );
}

#[tokio::test]
async fn ddl_is_announced_and_temporary_tables_are_not() {
    let cluster = hospital().await;
    hardened(&cluster, &[Profile::LimitedDataset]).await;
    let mut listener = sqlx::postgres::PgListener::connect(&cluster.url(clinic::DATABASE))
        .await
        .unwrap();
    listener.listen(CHANNEL).await.unwrap();
    for sql in [
        "CREATE TEMP TABLE t (a int)",
        "DROP TABLE IF EXISTS pg_temp.t",
        "CREATE TABLE lasting (a int)",
        "DROP TABLE lasting",
    ] {
        cluster.execute(clinic::DATABASE, sql).await.unwrap();
    }
    cluster
        .execute(clinic::DATABASE, &format!("NOTIFY {CHANNEL}, 'end'"))
        .await
        .unwrap();
    let mut heard = Vec::new();
    while heard.last().is_none_or(String::is_empty) {
        let notified = phigate_testkit::within("a notification", listener.recv())
            .await
            .unwrap();
        heard.push(notified.payload().to_owned());
    }
    assert_eq!(heard, ["", "", "end"]);
}

/// Values of each width whose codes have been wrong somewhere, or could be.
const INTEGERS: &str = "\
    SELECT v FROM (SELECT 0::int8 UNION ALL SELECT (1::numeric * 2 ^ e + d)::int8
                   FROM generate_series(0, 62) e, generate_series(-2, 2) d
                   UNION ALL SELECT 9223372036854775807
                   UNION ALL SELECT i * 7919 FROM generate_series(1, 300) i) p(v)";

#[tokio::test]
async fn functions_give_what_the_inline_expressions_give() {
    let cluster = hospital().await;
    hardened(&cluster, &[Profile::LimitedDataset]).await;
    let mut root = connect(&cluster.url(clinic::DATABASE)).await;
    for (name, value) in keys::settings(&PROJECT_KEY) {
        ask(
            &mut root,
            &format!("SELECT set_config('{name}', '{value}', false)"),
        )
        .await;
    }
    let cx = ReleaseContext::new(Profile::LimitedDataset, "2026-06-15", KeyAccess::Settings);
    let key = "decode(current_setting('phigate.k_integer'), 'hex')";
    for (oid, name, most) in [
        (21, "smallint", "32767"),
        (23, "integer", "2147483647"),
        (20, "bigint", "9223372036854775807"),
    ] {
        let ty = phigate_phi::ColumnType::builtin(oid, -1, name);
        let inline =
            phigate_phi::release(phigate_phi::Transform::Pseudonym, "\"t\".\"c\"", &ty, &cx)
                .unwrap();
        let sql = format!(
            "SELECT count(*) FILTER (WHERE c IS DISTINCT FROM phigate.pseudonym(c, {key}) AND {inline} = phigate.pseudonym(c, {key}))
                    || ' of ' || count(*)
             FROM (SELECT (s.sign * v - CASE WHEN s.sign < 0 THEN 1 ELSE 0 END)::{name} AS c
                   FROM ({INTEGERS}) w, (VALUES (1), (-1)) s(sign) WHERE v <= {most}) t"
        );
        let said = ask(&mut root, &sql).await;
        let (equal, all) = said.split_once(" of ").expect(&said);
        // A permutation may leave a few values where they are, in a small type.
        let (equal, all): (u32, u32) = (equal.parse().unwrap(), all.parse().unwrap());
        assert!(all > 600 || oid == 21 && all > 70, "{name}: {said}");
        assert!(all - equal <= 2, "{name}: {said}");
    }
    assert_eq!(
        ask(
            &mut root,
            &format!("SELECT phigate.pseudonym(NULL::int8, {key})::text")
        )
        .await,
        ""
    );
    assert_eq!(
        ask(&mut root, "SELECT phigate.pseudonym(5, NULL)::text").await,
        ""
    );
}

#[tokio::test]
async fn functions_move_dates_as_the_inline_expressions_do() {
    let cluster = hospital().await;
    hardened(&cluster, &[Profile::LimitedDataset]).await;
    let mut root = connect(&cluster.url(clinic::DATABASE)).await;
    for (name, value) in keys::settings(&PROJECT_KEY) {
        ask(
            &mut root,
            &format!("SELECT set_config('{name}', '{value}', false)"),
        )
        .await;
    }
    let key = "decode(current_setting('phigate.k_days'), 'hex')";
    for (kind, patient, bytes) in [
        (phigate_phi::TypeKind::Int4, "i", "int8send(i::int8)"),
        (
            phigate_phi::TypeKind::Text,
            "i::text",
            "convert_to(i::text, getdatabaseencoding())",
        ),
        (
            phigate_phi::TypeKind::Uuid,
            "md5(i::text)::uuid",
            "uuid_send(md5(i::text)::uuid)",
        ),
    ] {
        let cx = ReleaseContext::new(Profile::Expert, "2026-06-15", KeyAccess::Settings)
            .with_patient_key(Some(phigate_phi::PatientKey {
                sql: "\"t\".\"p\"".to_owned(),
                kind,
                or_nobody: false,
            }));
        let date = phigate_phi::ColumnType::builtin(1082, -1, "pg_catalog.date");
        let inline =
            phigate_phi::release(phigate_phi::Transform::DateShift, "\"t\".\"c\"", &date, &cx)
                .unwrap();
        let sql = format!(
            "SELECT concat_ws(' ', count(*) FILTER (WHERE {inline} = c + phigate.days(b, {key})),
                    min(phigate.days(b, {key})) >= -365, max(phigate.days(b, {key})) <= 365,
                    count(*) FILTER (WHERE phigate.days(b, {key}) = 0))
             FROM (SELECT date '2020-02-29' AS c, {patient} AS p, {bytes} AS b FROM generate_series(1, 500) i) t"
        );
        assert_eq!(ask(&mut root, &sql).await, "500 t t 0", "{kind:?}");
    }
}

async fn examined(cluster: &Cluster) -> Vec<String> {
    let mut broker = connect(&clinic::broker_url(cluster)).await;
    let facts = crate::doctor::read_facts(&mut broker).await.unwrap();
    let findings = crate::doctor::findings(&facts);
    let told = |finding: &crate::doctor::Finding| format!("{}: {}", finding.key(), finding.problem);
    findings.iter().map(told).collect()
}

/// What somebody did, and what doctor says of it. Roles: `@LOGIN@`, `@READER@`.
const DEEDS: [(&str, &str); 35] = [
    ("ALTER ROLE @LOGIN@ SUPERUSER", "role_attribute @LOGIN@"),
    ("ALTER ROLE @LOGIN@ BYPASSRLS", "role_attribute @LOGIN@"),
    (
        "ALTER ROLE @LOGIN@ SET search_path = pg_temp, public",
        "role_setting @LOGIN@",
    ),
    (
        "ALTER ROLE phigate_definer LOGIN",
        "role_attribute phigate_definer",
    ),
    ("ALTER ROLE @READER@ CREATEROLE", "role_attribute @READER@"),
    (
        "GRANT pg_read_all_data TO @LOGIN@",
        "role_membership @LOGIN@",
    ),
    ("GRANT pg_monitor TO @READER@", "role_membership @READER@"),
    (
        "GRANT pg_execute_server_program TO phigate_definer",
        "role_membership phigate_definer",
    ),
    (
        "GRANT phigate_definer TO broker",
        "role_member phigate_definer",
    ),
    ("GRANT @READER@ TO broker", "role_member @READER@"),
    (
        "CREATE TABLE owned (a int); ALTER TABLE owned OWNER TO @LOGIN@",
        "role_owns @LOGIN@",
    ),
    (
        "ALTER TABLE notes OWNER TO phigate_definer",
        "definer_owns public.notes",
    ),
    (
        "GRANT SELECT ON patients TO PUBLIC",
        "base_privilege public.patients",
    ),
    (
        "GRANT SELECT (ssn) ON patients TO @LOGIN@",
        "base_privilege public.patients",
    ),
    (
        "GRANT SELECT ON notes TO @READER@",
        "base_privilege public.notes",
    ),
    (
        "CREATE FUNCTION leak() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT ssn::text FROM public.patients'",
        "definer_function public.leak()",
    ),
    (
        "GRANT SELECT ON phigate.slot TO PUBLIC",
        "machinery_privilege phigate.slot",
    ),
    (
        "GRANT SELECT ON phigate.patient TO broker",
        "machinery_privilege phigate.patient",
    ),
    (
        "GRANT EXECUTE ON FUNCTION phigate.assign(text, text, date, bytea[], text[], boolean) TO PUBLIC",
        "machinery_privilege phigate.assign(text,text,date,bytea[],text[],boolean)",
    ),
    ("GRANT SELECT ON @VIEW@ TO PUBLIC", "view_privilege @VIEW@"),
    (
        "CREATE RULE also AS ON UPDATE TO @VIEW@ DO ALSO NOTIFY x",
        "view_altered @VIEW@",
    ),
    (
        "CREATE INDEX by_expression ON patients ((upper(last_name)))",
        "expression_index public.by_expression",
    ),
    (
        "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; GRANT USAGE ON FOREIGN SERVER files TO PUBLIC",
        "foreign_server files",
    ),
    (
        "SELECT lo_create(4711); GRANT SELECT ON LARGE OBJECT 4711 TO PUBLIC",
        "large_objects large object 4711",
    ),
    (
        "GRANT CREATE ON SCHEMA public TO PUBLIC",
        "schema_create public",
    ),
    (
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
        "default_privilege postgres",
    ),
    (
        "ALTER TABLE notes ENABLE ROW LEVEL SECURITY",
        "row_security public.notes",
    ),
    (
        "ALTER TABLE phigate.login OWNER TO broker",
        "machinery_privilege phigate.login",
    ),
    (
        // As the minor versions before CVE-2024-4317 have it.
        "CREATE STATISTICS by_values ON (upper(last_name)) FROM patients; SET allow_system_table_mods = on; \
         DO $$ BEGIN EXECUTE 'CREATE OR REPLACE VIEW pg_catalog.pg_stats_ext_exprs AS ' \
         || regexp_replace(pg_get_viewdef('pg_stats_ext_exprs'::regclass), 'pg_has_role\\([^()]*\\)', 'true', 'g'); END $$",
        "expression_statistics public.by_values",
    ),
    (
        "CREATE LANGUAGE anything HANDLER plpgsql_call_handler; \
         CREATE FUNCTION raw() RETURNS int LANGUAGE anything AS 'BEGIN RETURN 1; END'",
        "untrusted_function public.raw()",
    ),
    (
        "CREATE EXTENSION pgrowlocks",
        "reaching_extension pgrowlocks",
    ),
    (
        "CREATE TRIGGER also INSTEAD OF UPDATE ON @VIEW@ FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "view_altered @VIEW@",
    ),
    (
        "ALTER VIEW @OTHER@ SET (security_invoker = on)",
        "view_altered @OTHER@",
    ),
    ("ALTER ROLE broker SUPERUSER", "broker broker"),
    (
        "ALTER EVENT TRIGGER phigate_ddl DISABLE",
        "event_trigger phigate_ddl",
    ),
];

#[tokio::test]
async fn doctor_finds_each_deed_and_nothing_in_a_fresh_database() {
    let cluster = hospital().await;
    let plan = hardened(&cluster, &[Profile::LimitedDataset]).await;
    assert_eq!(examined(&cluster).await, [""; 0]);
    let policy = &plan.policies()[0];
    let [view, other] =
        [0, 1].map(|index| format!("{}.r{}", policy.schema, policy.views[index].relation));
    let named = |text: &str| {
        text.replace("@LOGIN@", &policy.logins[0].name)
            .replace("@READER@", &policy.reader)
            .replace("@VIEW@", &view)
            .replace("@OTHER@", &other)
    };
    for (deed, expected) in DEEDS {
        let (deed, expected) = (named(deed), named(expected));
        let before = examined(&cluster).await;
        cluster.execute(clinic::DATABASE, &deed).await.unwrap();
        let after = examined(&cluster).await;
        let expected = format!("{expected}: ");
        let told = |findings: &[String]| {
            let about = findings
                .iter()
                .filter(|finding| finding.starts_with(&expected));
            about.cloned().collect::<Vec<_>>()
        };
        assert!(!told(&after).is_empty(), "{deed}: {after:?}");
        assert_ne!(told(&after), told(&before), "{deed}");
    }
}

#[test]
fn every_check_has_a_deed_that_trips_it() {
    let tripped = |name: &str| {
        let of = |(_, finding): &(&str, &str)| finding.split(' ').next() == Some(name);
        DEEDS.iter().any(of)
    };
    for name in crate::doctor::check_names() {
        assert!(tripped(name), "{name}");
    }
}
