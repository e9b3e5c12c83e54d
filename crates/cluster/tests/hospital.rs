//! The synthetic hospital: complete, classified to the last column, and the same every time.
#![allow(missing_docs, clippy::expect_used, clippy::unwrap_used)]

use std::collections::BTreeSet;

use phigate_cluster::hospital::{self, Size};
use phigate_cluster::{Binaries, Cluster, Options};
use sqlx::{Connection, PgConnection};

fn cluster() -> Cluster {
    let binaries = Binaries::find(None).expect("these tests need PostgreSQL 14 or newer");
    Cluster::temporary(&binaries, Options::default()).unwrap()
}

async fn number(connection: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

async fn digest(cluster: &Cluster, database: &str) -> String {
    let mut connection = cluster.connect(database).await.unwrap();
    let sql = "SELECT md5(string_agg(md5(n.*::text || p.*::text), '' ORDER BY note_id))
               FROM notes AS n JOIN patients AS p USING (patient_id)";
    sqlx::query_scalar(sql)
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn every_column_is_classified_with_its_own_type() {
    let cluster = cluster();
    hospital::fill(&cluster, Size::Small).await.unwrap();
    let mut connection = cluster.connect(hospital::DATABASE).await.unwrap();
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT relname::text, attname::text,
                replace(replace(replace(format_type(atttypid, atttypmod), 'character varying',
                  'varchar'), 'character(', 'char('), 'timestamp with time zone', 'timestamptz')
         FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
         WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let there: BTreeSet<String> = rows
        .iter()
        .map(|(table, column, kind)| format!("{table},{column},{kind}"))
        .collect();
    let classified: BTreeSet<String> = hospital::CLASSIFICATION
        .lines()
        .skip(1)
        .map(|line| line.replace('"', ""))
        .map(|line| line.rsplitn(4, ',').last().unwrap().to_owned())
        .collect();
    assert_eq!(classified, there);
}

#[tokio::test]
async fn one_seed_gives_one_hospital_and_another_another() {
    let cluster = cluster();
    hospital::fill(&cluster, Size::Small).await.unwrap();
    hospital::fill_database(&cluster, "again", Size::Small, hospital::SEED)
        .await
        .unwrap();
    hospital::fill_database(&cluster, "other", Size::Small, hospital::SEED + 1)
        .await
        .unwrap();
    let first = digest(&cluster, hospital::DATABASE).await;
    assert_eq!(first, digest(&cluster, "again").await);
    assert_ne!(first, digest(&cluster, "other").await);
}

#[tokio::test]
async fn the_small_one_has_every_kind_of_row_and_identifier() {
    let cluster = cluster();
    hospital::fill(&cluster, Size::Small).await.unwrap();
    let mut connection = cluster.connect(hospital::DATABASE).await.unwrap();
    assert_eq!(
        number(&mut connection, "SELECT count(*) FROM patients").await,
        300
    );
    for sql in [
        "SELECT count(*) FROM patients WHERE birth_date < '1936-06-30' AND death_date IS NULL",
        "SELECT count(*) FROM patients WHERE left(zip, 3) IN ('036','059','556','692','821','878')",
        "SELECT count(*) FROM patients WHERE ssn IS NULL",
        "SELECT count(*) FROM patients WHERE photo IS NOT NULL AND fax IS NULL",
        "SELECT count(*) FROM patients WHERE license_plate IS NOT NULL",
        "SELECT count(*) FROM notes JOIN patients USING (patient_id) WHERE strpos(body, last_name) > 0",
        "SELECT count(*) FROM encounters WHERE age_at_visit > 89",
        "SELECT count(*) FROM observations WHERE value IS NULL",
        "SELECT count(*) FROM devices",
        "SELECT count(DISTINCT status) - 3 FROM claims",
        "SELECT count(*) FROM medications WHERE stopped_on IS NULL",
    ] {
        assert!(number(&mut connection, sql).await > 0, "{sql}");
    }
    let strange = "SELECT count(*) FROM encounters JOIN patients USING (patient_id)
                   WHERE started_at::date < birth_date OR started_at::date > death_date + 1";
    assert_eq!(number(&mut connection, strange).await, 0);
}

#[tokio::test]
async fn the_broker_reads_and_does_nothing_else() {
    let cluster = cluster();
    hospital::fill(&cluster, Size::Small).await.unwrap();
    let mut broker = PgConnection::connect(&hospital::broker_url(&cluster))
        .await
        .unwrap();
    assert_eq!(
        number(&mut broker, "SELECT count(*) FROM patients").await,
        300
    );
    let refused = sqlx::query("DELETE FROM patients")
        .execute(&mut broker)
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("permission denied"),
        "{refused}"
    );
    let sql = "SELECT count(*) FROM pg_roles WHERE rolname = current_user AND rolsuper";
    assert_eq!(number(&mut broker, sql).await, 0);
}
