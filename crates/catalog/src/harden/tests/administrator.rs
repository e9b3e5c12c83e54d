//! An administrator who is no superuser, as managed services have it: an owner of the database and its
//! tables who may make roles.

use super::*;

const NAME: &str = "dba";
const PASSWORD: &str = "a-password-of-tests";

/// Everything in the schema `public` becomes the administrator's.
const OWNS: &str = "\
    ALTER DATABASE clinic OWNER TO dba; ALTER SCHEMA public OWNER TO dba;
    DO $$ DECLARE t regclass; BEGIN
      FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO dba', t);
      END LOOP;
    END $$";

/// The hospital with an administrator who has these attributes and whatever `sql` gives.
async fn hospital_of(attributes: &str, sql: &str) -> (Cluster, Upstream) {
    let cluster = hospital().await;
    let role = format!("CREATE ROLE {NAME} LOGIN {attributes} PASSWORD '{PASSWORD}'; {sql}");
    cluster.execute(clinic::DATABASE, &role).await.unwrap();
    let url = cluster.url_as(NAME, PASSWORD, clinic::DATABASE);
    (cluster, Upstream::parse(&url).unwrap())
}

async fn script(cluster: &Cluster) -> Plan {
    let policies = [policy(Profile::LimitedDataset), policy(Profile::SafeHarbor)];
    Plan::of(&snapshot(cluster).await, &policies, target(), verifier)
}

/// Privileges of nobody but the owner are written in full once somebody else had one.
async fn ours(cluster: &Cluster) -> String {
    let mut root = connect(&cluster.url(clinic::DATABASE)).await;
    ask(
        &mut root,
        "SELECT concat_ws('; ',
           (SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles WHERE rolname LIKE 'phigate%'),
           (SELECT string_agg(nspname, ',' ORDER BY nspname) FROM pg_namespace WHERE nspname LIKE 'phigate%'),
           (SELECT string_agg(roleid::regrole || ' to ' || member::regrole, ',') FROM pg_auth_members
            WHERE member = 'dba'::regrole AND roleid >= 16384))",
    )
    .await
}

#[tokio::test]
async fn an_owner_who_may_make_roles_hardens_and_unhardens() {
    let (cluster, dba) = hospital_of("CREATEROLE", OWNS).await;
    let plan = script(&cluster).await;
    for _ in 0..2 {
        apply(&dba, &plan.sql()).await.unwrap();
    }
    let mut slot = session(&cluster, &plan.policies()[0], false).await;
    let seen = snapshot(&cluster).await;
    let patients = view_of(&plan.policies()[0], &seen, "patients");
    let released = format!("SELECT count(*) || ' ' || count(ssn) FROM {patients}");
    assert_eq!(ask(&mut slot, &released).await, "300 0");
    assert_eq!(ask(&mut slot, "SELECT ssn FROM patients").await, "42501");
    drop(slot);
    // Event triggers need a superuser: changes are seen by asking.
    let found = examined(&cluster).await;
    let absent = |name: &str| format!("event_trigger {name}: event trigger: absent or disabled");
    assert_eq!(
        found
            .iter()
            .map(|finding| finding.split(';').next().unwrap_or_default())
            .collect::<Vec<_>>(),
        [absent("phigate_ddl"), absent("phigate_drop")],
    );
    assert!(!ours(&cluster).await.contains(" to dba"));

    let oid = seen.find("public", "patients").unwrap().oid;
    apply(&dba, &Unharden::Relation(oid).sql()).await.unwrap();
    let alter = "ALTER TABLE patients ALTER COLUMN language TYPE text";
    cluster.execute(clinic::DATABASE, alter).await.unwrap();
    apply(&dba, &script(&cluster).await.sql()).await.unwrap();
    let one = policy(Profile::SafeHarbor).id;
    apply(&dba, &Unharden::Policy(one).sql()).await.unwrap();
    assert!(!ours(&cluster).await.contains(" to dba"));
    for _ in 0..2 {
        apply(&dba, &Unharden::All.sql()).await.unwrap();
        assert_eq!(ours(&cluster).await, "");
    }
}

#[tokio::test]
async fn who_lacks_something_is_told_all_of_it_and_nothing_changes() {
    let owner = "CREATE ROLE app; ALTER TABLE notes OWNER TO app";
    for (attributes, sql, lacks) in [
        ("NOCREATEROLE", OWNS.to_owned(), vec!["lacks CREATEROLE"]),
        (
            "CREATEROLE",
            format!("{OWNS}; {owner}"),
            vec!["lacks SELECT WITH GRANT OPTION on public.notes, which app owns"],
        ),
        (
            "NOCREATEROLE",
            String::new(),
            vec![
                "lacks CREATEROLE; CONNECT WITH GRANT OPTION on database clinic, which postgres owns",
                "; CREATE on database clinic, which postgres owns",
                "; USAGE WITH GRANT OPTION on schema public, which ",
                " more (42501); ",
            ],
        ),
    ] {
        let (cluster, dba) = hospital_of(attributes, &sql).await;
        let refused = apply(&dba, &script(&cluster).await.sql())
            .await
            .unwrap_err();
        let said = refused.to_string();
        for lacks in lacks {
            assert!(said.contains(lacks), "{said}");
        }
        assert_eq!(ours(&cluster).await, "");
    }
}

/// Managed services own tables by a role that administrators are members of.
#[tokio::test]
async fn a_member_of_the_tables_owner_hardens() {
    let owner = "CREATE ROLE app; ALTER TABLE notes OWNER TO app; ALTER TABLE patients OWNER TO app; GRANT app TO dba";
    let (cluster, dba) = hospital_of("CREATEROLE", &format!("{OWNS}; {owner}")).await;
    let plan = script(&cluster).await;
    apply(&dba, &plan.sql()).await.unwrap();
    let mut slot = session(&cluster, &plan.policies()[0], false).await;
    let notes = view_of(&plan.policies()[0], &snapshot(&cluster).await, "notes");
    assert_ne!(
        ask(&mut slot, &format!("SELECT count(*)::text FROM {notes}")).await,
        "0"
    );
}
