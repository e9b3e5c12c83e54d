//! Codes that are assigned at random: who gets which, when, and who sees them.

use super::*;

const OTHER_PROJECT: [u8; 32] = [10; 32];

/// A session of a project under the hardened policy.
async fn session_of(cluster: &Cluster, policy: &PolicyPlan, project: &[u8; 32]) -> PgConnection {
    let mut broker = connect(&clinic::broker_url(cluster)).await;
    let login: String = sqlx::query(ASSIGN)
        .bind(policy.id.as_str())
        .bind(hex::encode(project))
        .bind(keys::slot(project).to_vec())
        .bind(false)
        .fetch_one(&mut broker)
        .await
        .unwrap()
        .get(0);
    slot(cluster, &login).await
}

async fn assigned(cluster: &Cluster) -> crate::AssignedCodes {
    let broker = Upstream::parse(&clinic::broker_url(cluster)).unwrap();
    let projects = [PROJECT_KEY, OTHER_PROJECT].map(|key| keys::project_number(&key));
    crate::assign_codes(&broker, &projects).await.unwrap()
}

async fn refresh(cluster: &Cluster) -> u64 {
    let codes = assigned(cluster).await;
    assert_eq!(codes.failed, [""; 0]);
    codes.assigned
}

#[tokio::test]
async fn codes_join_within_a_project_and_with_no_other() {
    let cluster = hospital().await;
    let plan = hardened(&cluster, &[Profile::SafeHarbor]).await;
    let policy = &plan.policies()[0];
    let seen = snapshot(&cluster).await;
    let [patients, encounters] =
        ["patients", "encounters"].map(|table| view_of(policy, &seen, table));
    refresh(&cluster).await;
    let mut one = session_of(&cluster, policy, &PROJECT_KEY).await;
    let mut other = session_of(&cluster, policy, &OTHER_PROJECT).await;

    let joined =
        format!("SELECT count(*)::text FROM {patients} p JOIN {encounters} e USING (patient_id)");
    let mut root = connect(&cluster.url(clinic::DATABASE)).await;
    let raw = "SELECT count(*)::text FROM patients p JOIN encounters e USING (patient_id)";
    let raw = ask(&mut root, raw).await;
    assert_ne!(raw, "0");
    assert_eq!(ask(&mut one, &joined).await, raw);
    assert_eq!(ask(&mut other, &joined).await, raw);

    let counted =
        format!("SELECT concat_ws(' ', count(*), count(DISTINCT patient_id)) FROM {patients}");
    assert_eq!(ask(&mut one, &counted).await, "300 300");
    let codes =
        format!("SELECT string_agg(patient_id::text, ',' ORDER BY patient_id) FROM {patients}");
    let (of_one, of_other) = (ask(&mut one, &codes).await, ask(&mut other, &codes).await);
    let common = of_one
        .split(',')
        .filter(|code| of_other.split(',').any(|other| other == *code))
        .count();
    assert_eq!(common, 0, "{of_one}");
    // Again, and after hardening again, they are what they were.
    hardened(&cluster, &[Profile::SafeHarbor]).await;
    assert_eq!(ask(&mut one, &codes).await, of_one);
}

#[tokio::test]
async fn a_new_key_is_null_until_codes_are_assigned_and_a_session_sees_none_of_them() {
    let cluster = hospital().await;
    let plan = hardened(&cluster, &[Profile::SafeHarbor]).await;
    let policy = &plan.policies()[0];
    let seen = snapshot(&cluster).await;
    let devices = view_of(policy, &seen, "devices");
    refresh(&cluster).await;
    let missing = format!("SELECT count(*)::text FROM {devices} WHERE device_id IS NULL");
    let mut session = session_of(&cluster, policy, &PROJECT_KEY).await;
    assert_eq!(ask(&mut session, &missing).await, "0");
    cluster
        .execute(
            clinic::DATABASE,
            "INSERT INTO devices SELECT (jsonb_populate_record(d, '{\"device_id\": -7, \"device_serial\": \"new\"}')).*
             FROM devices d LIMIT 1",
        )
        .await
        .unwrap();
    assert_eq!(ask(&mut session, &missing).await, "1");
    assert!(refresh(&cluster).await > 0);
    assert_eq!(ask(&mut session, &missing).await, "0");
    assert_eq!(refresh(&cluster).await, 0);

    // A key that comes back is the same patient.
    let before = ask(
        &mut session,
        &format!("SELECT string_agg(device_id::text, ',' ORDER BY device_id) FROM {devices}"),
    )
    .await;
    let again = "CREATE TABLE kept AS SELECT * FROM devices WHERE device_id = -7";
    for sql in [
        again,
        "DELETE FROM devices WHERE device_id = -7",
        "INSERT INTO devices SELECT * FROM kept",
        "DROP TABLE kept",
    ] {
        cluster.execute(clinic::DATABASE, sql).await.unwrap();
    }
    assert_eq!(refresh(&cluster).await, 0);
    let after = ask(
        &mut session,
        &format!("SELECT string_agg(device_id::text, ',' ORDER BY device_id) FROM {devices}"),
    )
    .await;
    assert_eq!(after, before);

    for refused in [
        "SELECT code::text FROM phigate.code_int",
        "SELECT query FROM phigate.key_source",
        "SELECT project::text FROM phigate.slot",
        "SELECT phigate.assign_codes('{}')::text",
    ] {
        assert_eq!(ask(&mut session, refused).await, "42501", "{refused}");
    }
    let mut broker = connect(&clinic::broker_url(&cluster)).await;
    for refused in [
        "code_int2",
        "code_int",
        "code_uuid",
        "code_text",
        "key_source",
    ] {
        let read = format!("SELECT count(*)::text FROM phigate.{refused}");
        assert_eq!(ask(&mut broker, &read).await, "42501", "{refused}");
    }
}

/// G2: neither a code nor its place among others says anything of the key.
#[tokio::test]
async fn codes_do_not_follow_their_keys() {
    let cluster = hospital().await;
    hardened(&cluster, &[Profile::SafeHarbor]).await;
    refresh(&cluster).await;
    let mut root = connect(&cluster.url(clinic::DATABASE)).await;
    // Of random orders, half of the neighbours rise: 0.5, with a deviation below 0.02 here.
    let rising = ask(
        &mut root,
        "SELECT (avg((code > before)::int) BETWEEN 0.4 AND 0.6)::text || ' ' || (abs(corr(key, code)) < 0.2)
         FROM (SELECT key, code, lag(code) OVER (ORDER BY key) AS before FROM phigate.code_int) AS k",
    )
    .await;
    assert_eq!(rising, "true true");
    let spread = "SELECT (max(code) > 1500000000 AND min(code) < 600000000 AND min(code) >= 0)::text FROM phigate.code_int";
    assert_eq!(ask(&mut root, spread).await, "true");
}

/// Tables as other schemas have them: every type of key, and keys within texts.
const KEYS: &str = "
    CREATE TABLE keyed (id int2 PRIMARY KEY, wide int8, plain text, whole numeric(12,0), narrow numeric(5,0),
      member uuid, bytes bytea, reference text, short varchar(12));
    INSERT INTO keyed VALUES
      (-32768, 7, 'abc', 7, 7, '00000000-0000-4000-8000-000000000007', '\\x00ff', 'Patient/7', 'x'),
      (0, 9223372036854775807, '7', 123456789012, 7, '00000000-0000-4000-8000-000000000007', '\\x',
        'urn:uuid:00000000-0000-4000-8000-000000000007, 7', 'a long valu'),
      (32767, -9223372036854775808, '00000000-0000-4000-8000-000000000007', -7, NULL, NULL, NULL, 'Patient/abc,7', '7');
    GRANT SELECT ON keyed TO broker";

const KEYS_CLASSIFIED: &str = "table,column,pg_type,identifier,safe_harbor,limited_dataset
keyed,id,smallint,record_key,pseudonym,keep
keyed,wide,bigint,record_key,pseudonym,keep
keyed,plain,text,record_key,pseudonym,keep
keyed,whole,numeric,record_key,pseudonym,keep
keyed,narrow,numeric,record_key,pseudonym,keep
keyed,member,uuid,record_key,pseudonym,keep
keyed,bytes,bytea,record_key,pseudonym,keep
keyed,reference,text,record_key,pseudonym,keep
keyed,short,varchar(12),record_key,pseudonym,keep
";

#[tokio::test]
async fn every_type_of_key_has_codes_and_keys_within_texts_have_those_of_the_keys() {
    let cluster = hospital().await;
    cluster.execute(clinic::DATABASE, KEYS).await.unwrap();
    let (policy, keyed) = harden_keyed(&cluster).await;
    let mut session = session_of(&cluster, &policy, &PROJECT_KEY).await;
    let is = |condition: &str| {
        format!(
            "SELECT string_agg(coalesce(({condition})::text, 'null'), ' ' ORDER BY k.member, k.whole < 0, length(k.reference)) FROM {keyed} k, (SELECT max(wide) FILTER (WHERE length(reference) < 20) AS c, max(member::text) AS u, max(plain) FILTER (WHERE length(reference) < 20) AS t FROM {keyed} WHERE reference NOT LIKE '%,%') seven"
        )
    };
    for (condition, expected) in [
        ("k.reference = 'Patient/' || seven.c", "true false false"),
        (
            "k.reference = 'urn:uuid:' || seven.u || ', ' || seven.c",
            "false true false",
        ),
        (
            "k.reference = 'Patient/' || seven.t || ',' || seven.c",
            "false false true",
        ),
        ("k.plain = seven.c::text", "false true false"),
        ("k.plain = seven.u", "false false true"),
        ("k.plain ~ '^[0-9A-Za-z]{16}$'", "true false false"),
        ("k.whole = seven.c", "true false false"),
        ("k.whole IS NULL", "false false false"),
        // No room for a code.
        ("k.narrow IS NULL", "true true true"),
        ("length(k.bytes) = 16", "true true null"),
        ("k.id BETWEEN -32768 AND 32767", "true true true"),
        ("length(k.short) = 12", "true true false"),
        ("k.short = seven.c::text", "false false true"),
    ] {
        let found = ask(&mut session, &is(condition)).await;
        assert_eq!(found, expected, "{condition}");
    }
}

/// Of two bytes there are as many codes as keys: the last key gets the last code, whatever order they come
/// in, and half of them twice at a time.
#[tokio::test]
async fn every_key_of_the_smallest_type_has_a_code_and_two_at_once_give_each_one() {
    let cluster = hospital().await;
    let few = "CREATE TABLE keyed (id int2 PRIMARY KEY, wide int8, plain text, whole numeric(12,0), narrow numeric(5,0),
      member uuid, bytes bytea, reference text, short varchar(12));
      INSERT INTO keyed SELECT g FROM generate_series(-32768, 0) g;
      GRANT SELECT ON keyed TO broker";
    cluster.execute(clinic::DATABASE, few).await.unwrap();
    harden_keyed(&cluster).await;
    let rest = "INSERT INTO keyed SELECT g FROM generate_series(1, 32767) g";
    cluster.execute(clinic::DATABASE, rest).await.unwrap();
    let broker = Upstream::parse(&clinic::broker_url(&cluster)).unwrap();
    let project = [keys::project_number(&PROJECT_KEY)];
    let assign = || crate::assign_codes(&broker, &project);
    let (one, other) = tokio::join!(assign(), assign());
    let (one, other) = (one.unwrap().assigned, other.unwrap().assigned);
    assert_eq!((one.min(other), one.max(other)), (0, 32_767));
    let mut root = connect(&cluster.url(clinic::DATABASE)).await;
    let count = "SELECT concat_ws(' ', count(*), count(DISTINCT key), count(DISTINCT code), min(code), max(code)) FROM phigate.code_int2 WHERE project = ";
    let of = format!("{count}{}", project[0]);
    assert_eq!(ask(&mut root, &of).await, "65536 65536 65536 -32768 32767");
}

/// A relation that is gone or cannot be read keeps none of the others from being read.
#[tokio::test]
async fn what_cannot_be_read_is_named_and_the_rest_is_assigned() {
    let cluster = hospital().await;
    cluster.execute(clinic::DATABASE, KEYS).await.unwrap();
    harden_keyed(&cluster).await;
    let break_it = "ALTER TABLE keyed RENAME COLUMN wide TO wider;
        INSERT INTO keyed (id, member) VALUES (5, '00000000-0000-4000-8000-000000000008')";
    cluster.execute(clinic::DATABASE, break_it).await.unwrap();
    let codes = assigned(&cluster).await;
    assert_eq!(codes.failed, ["public.keyed: 42703"]);
    assert!(codes.assigned >= 2, "{codes:?}");
}

/// A text of two keys, one of which has no code: no half of it is told.
#[tokio::test]
async fn a_composite_with_an_unknown_part_is_null() {
    let cluster = hospital().await;
    cluster.execute(clinic::DATABASE, KEYS).await.unwrap();
    let keyed = harden_keyed(&cluster).await;
    let mut session = session_of(&cluster, &keyed.0, &PROJECT_KEY).await;
    let add =
        "INSERT INTO keyed (id, reference, short) VALUES (5, 'Patient/7,Patient/4711', '4711')";
    cluster.execute(clinic::DATABASE, add).await.unwrap();
    let told = format!(
        "SELECT coalesce(reference, 'null') || ' ' || coalesce(short, 'null') FROM {} WHERE id IS NULL",
        keyed.1
    );
    assert_eq!(ask(&mut session, &told).await, "null null");
    refresh(&cluster).await;
    assert_eq!(ask(&mut session, &told).await, "no row");
    let joins = format!(
        "SELECT (reference = 'Patient/' || seven || ',Patient/' || short)::text FROM {0}, (SELECT max(wide) AS seven FROM {0} WHERE plain ~ '^[0-9A-Za-z]{{16}}$' AND bytes IS NOT NULL) s WHERE member IS NULL AND bytes IS NULL AND plain IS NULL",
        keyed.1
    );
    assert_eq!(ask(&mut session, &joins).await, "true");
}

/// Hardens for safe harbor with the classification of `keyed`: its policy, and the view.
async fn harden_keyed(cluster: &Cluster) -> (PolicyPlan, String) {
    let classification = Classification::parse(KEYS_CLASSIFIED, "keyed.csv").unwrap();
    let policy = EffectivePolicy::derive(
        &classification,
        Profile::SafeHarbor,
        &[],
        &[],
        Unclassified::Refuse,
    )
    .unwrap();
    let seen = snapshot(cluster).await;
    let plan = Plan::of(&seen, &[policy], target(), verifier);
    apply(&admin(cluster), &plan.sql()).await.unwrap();
    let policy = plan.policies()[0].clone();
    refresh(cluster).await;
    let view = view_of(&policy, &seen, "keyed");
    (policy, view)
}
