//! `enforcement = "views"`: what stands in the database, and what clients see of it.

use phigate_tests::{Enforcement, House, Phigate};
use sqlx::Executor as _;

/// What stands in the database beside the hospital.
const MORE: &str = "\
    CREATE VIEW ages AS SELECT patient_id, extract(year FROM birth_date) AS born FROM patients;
    CREATE TABLE wards (ward int PRIMARY KEY, name text);
    CREATE TABLE wards_icu () INHERITS (wards);
    INSERT INTO wards VALUES (1, 'A'); INSERT INTO wards_icu VALUES (2, 'B');
    GRANT SELECT ON ages, wards, wards_icu TO broker";

const CLASSIFIED: &str = "\
wards,ward,integer,none,keep,keep
wards,name,text,name,redact,redact
";

async fn house(enforcement: Enforcement) -> Phigate {
    let classification = format!("{}{CLASSIFIED}", phigate_testkit::clinic::CLASSIFICATION);
    House::default()
        .sql(MORE)
        .classification(classification)
        .enforcement(enforcement)
        .start()
        .await
}

/// Statements whose results are the same in both modes.
const SAME: &[&str] = &[
    "select patient_id, ssn, last_name, birth_date, city, zip, registered_at from patients order by 1 limit 20",
    "select count(*) from patients",
    "select e from encounters e order by encounter_id limit 5",
    "select p from (select ssn, last_name from patients order by patient_id limit 5) p",
    "select mrn, sex, count(*) from patients group by patient_id order by patient_id limit 5",
    "select encounter_id, started_at, department_id from encounters group by encounter_id order by 1 limit 5",
    "select d.* from departments d order by 1",
    "select d from departments d order by 1",
    "select * from ages order by 1 limit 5",
    "select * from wards order by 1",
    "select * from only wards order by 1",
    "select * from wards_icu order by 1",
    "select patient_id, count(*) from patients p join encounters e using (patient_id) group by patient_id order by 1 limit 5",
    "select patient_id, last_name, zip, birth_date from patients where zip like '0%' order by 1 limit 3",
    "explain (costs off) select patient_id from patients where patient_id = 7",
    "select current_user, session_user, user, current_role, current_schema, current_schemas(true)",
    "select has_table_privilege('patients', 'select'), has_table_privilege(current_user, 'patients', 'select')",
    "select has_column_privilege('patients', 'patient_id', 'select'), has_any_column_privilege('patients', 'select')",
    "select has_schema_privilege('public', 'usage'), has_database_privilege('clinic', 'connect')",
    "select relname from pg_class where has_table_privilege(oid, 'select') and relname !~ '^pg_toast' order by 1",
    "select relname, pg_table_is_visible(oid) from pg_class where relkind in ('r', 'v') order by 1",
    "select 'patients'::regclass::text, to_regclass('patients')::text",
    "select nspname from pg_namespace order by 1",
    "select nspname from pg_namespace where has_schema_privilege(oid, 'usage') order by 1",
    "select rolname from pg_roles order by 1",
    "select usename from pg_user order by 1",
    "select groname from pg_group order by 1",
    "select count(*) from pg_auth_members",
    "select relname, attname from pg_attribute a join pg_class c on c.oid = attrelid where relnamespace = 'public'::regnamespace order by 1, attnum",
    "select typname from pg_type where oid >= 16384 and typtype <> 'b' order by 1",
    "select proname from pg_proc where oid >= 16384 order by 1",
    "select conname from pg_constraint where oid >= 16384 order by 1",
    "select count(*) from pg_depend where refobjid = 'patients'::regclass",
    "select count(*) from pg_rewrite where oid >= 16384",
    "select evtname from pg_event_trigger",
    "select schemaname, tablename from pg_tables order by 1, 2",
    "select schemaname, viewname from pg_views order by 1, 2",
    "select schemaname, indexname from pg_indexes order by 1, 2",
    "select table_schema, table_name, table_type from information_schema.tables order by 1, 2",
    "select table_name, column_name, ordinal_position, is_nullable, data_type, udt_name, character_maximum_length \
     from information_schema.columns where table_schema = 'public' order by 1, 3",
    "select table_name, column_name, constraint_name from information_schema.key_column_usage order by 1, 2, 3",
    "select table_name, view_definition is null from information_schema.views where table_schema = 'public' order by 1",
    "select schema_name from information_schema.schemata order by 1",
];

#[tokio::test]
async fn both_modes_answer_the_same() {
    let inline = house(Enforcement::Inline).await;
    let views = house(Enforcement::Views).await;
    let grants = [(
        inline.grant("alice").connect().await,
        views.grant("alice").connect().await,
    )];
    let mut different = Vec::new();
    for (inline, views) in &grants {
        for sql in SAME {
            let (expected, found) = (inline.query(sql).await, views.query(sql).await);
            let (expected, found) = (format!("{expected:?}"), format!("{found:?}"));
            if expected != found {
                let rows = |answer: &str| -> std::collections::BTreeSet<String> {
                    answer.split("], [").map(str::to_owned).collect()
                };
                let (expected, found) = (rows(&expected), rows(&found));
                different.push(format!(
                    "{sql}\n  inline only: {:?}\n  views only:  {:?}\n",
                    expected.difference(&found).take(5).collect::<Vec<_>>(),
                    found.difference(&expected).take(5).collect::<Vec<_>>(),
                ));
            }
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Roles are hidden that stand for the session, so some views differ: that they answer is enough.
#[tokio::test]
async fn every_view_of_the_standard_answers() {
    let house = house(Enforcement::Views).await;
    let analyst = house.grant("alice").connect().await;
    let names = analyst
        .rows(
            "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace \
             where n.nspname = 'information_schema' and c.relkind in ('v', 'r') order by 1",
        )
        .await;
    // What PostgreSQL itself keeps from everybody, or holds options with passwords.
    let kept = [
        "_pg_user_mappings",
        "user_mappings",
        "user_mapping_options",
        "sql_parts",
    ];
    let mut refused = Vec::new();
    for name in names.iter().filter_map(|row| row[0].as_deref()) {
        if kept.contains(&name) {
            continue;
        }
        if let Err(error) = analyst
            .query(&format!("select * from information_schema.{name}"))
            .await
        {
            refused.push(format!("{name}: {error}"));
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[tokio::test]
async fn the_session_is_a_login_that_can_read_views_alone() {
    let house = house(Enforcement::Views).await;
    let analyst = house.grant("alice").connect().await;
    analyst.rows("select last_name from patients limit 1").await;
    let url = house.cluster.url(phigate_testkit::clinic::DATABASE);
    let logins = phigate_tests::analyst::direct(
        &url,
        "select usename, has_table_privilege(usename, 'patients', 'select'), \
                (select count(*) from pg_class c where c.oid >= 16384 and relkind = 'r' \
                 and relnamespace = 'public'::regnamespace and has_table_privilege(usename, c.oid, 'select')) \
         from pg_stat_activity where usename like 'phigate_s_%'",
    )
    .await;
    assert_eq!(logins.len(), 1, "{logins:?}");
    assert_eq!(logins[0][1].as_deref(), Some("f"));
    assert_eq!(logins[0][2].as_deref(), Some("0"));
}

#[tokio::test]
async fn a_table_that_changed_is_refused_until_it_is_hardened_again() {
    let house = house(Enforcement::Views).await;
    let analyst = house.grant("alice").connect().await;
    analyst.rows("select floor from departments").await;
    let url = house.cluster.url(phigate_testkit::clinic::DATABASE);
    phigate_tests::analyst::direct(&url, "alter table wards_icu no inherit wards").await;
    // A statement that is under way when the change is seen ends its session, so each try is one of its own.
    let (analyst, refused) = phigate_testkit::eventually("the change is seen", async || {
        let analyst = Box::pin(house.grant("alice").connect()).await;
        let refused = analyst.query("select ward from wards").await.err()?;
        (refused.code == "42501").then_some((analyst, refused))
    })
    .await;
    assert!(
        refused
            .hint
            .contains("phictl database harden clinic --table public.wards"),
        "{refused:?}"
    );
    analyst.rows("select floor from departments").await;
    house.harden().await;
    phigate_testkit::eventually("the gateway sees the view", async || {
        let analyst = Box::pin(house.grant("alice").connect()).await;
        analyst.query("select ward from wards").await.ok()
    })
    .await;
}

/// What the gateway has not seen yet: names are swapped while the statement waits, and it goes on at once.
#[tokio::test]
async fn a_view_shows_the_columns_it_was_made_of_whatever_they_are_called_now() {
    let house = house(Enforcement::Views).await;
    let analyst = house.grant("alice").connect().await;
    let city = "select upper(city) from patients order by patient_id limit 1";
    let before = analyst.rows(city).await;
    let swap = "begin; alter table patients rename column city to x; \
                alter table patients rename column street_address to city; \
                alter table patients rename column x to street_address";
    let mut ddl = house.cluster.connect("clinic").await.unwrap();
    ddl.execute(sqlx::raw_sql(swap)).await.unwrap();
    let url = house.cluster.url(phigate_testkit::clinic::DATABASE);
    let commit = async {
        phigate_testkit::eventually("the statement waits", async || {
            let waiting =
                "select from pg_locks where not granted and relation = 'patients'::regclass";
            let waiting = phigate_tests::analyst::direct(&url, waiting).await;
            (!waiting.is_empty()).then_some(())
        })
        .await;
        ddl.execute(sqlx::raw_sql("commit")).await.unwrap();
    };
    let (answer, ()) = tokio::join!(analyst.query(city), commit);
    match answer {
        Ok(rows) => assert_eq!(rows, before),
        // It was announced before the row came.
        Err(refused) => assert_eq!(refused.code, "57P01", "{refused:?}"),
    }
}

#[tokio::test]
async fn columns_that_swap_names_are_refused_until_they_swap_back() {
    for enforcement in [Enforcement::Inline, Enforcement::Views] {
        let house = house(enforcement).await;
        let analyst = house.grant("alice").connect().await;
        analyst
            .rows("select city, street_address from patients limit 1")
            .await;
        let url = house.cluster.url(phigate_testkit::clinic::DATABASE);
        let swap = "alter table patients rename column city to x; \
                    alter table patients rename column street_address to city; \
                    alter table patients rename column x to street_address";
        phigate_tests::analyst::direct(&url, swap).await;
        let city = "select city from patients limit 1";
        // Until then the tripwire stands between: the session that sees the swap first may end.
        let refused = phigate_testkit::eventually("the gateway sees the names", async || {
            let analyst = Box::pin(house.grant("alice").connect()).await;
            let refused = analyst.query(city).await.err()?;
            (refused.code == "42501").then_some(refused)
        })
        .await;
        assert!(refused.message.contains("renamed since"), "{refused:?}");
        assert!(refused.hint.contains("columns.json"), "{refused:?}");
        phigate_tests::analyst::direct(&url, swap).await;
        phigate_testkit::eventually("the gateway sees them again", async || {
            let analyst = Box::pin(house.grant("alice").connect()).await;
            analyst.query(city).await.ok()
        })
        .await;
    }
}
