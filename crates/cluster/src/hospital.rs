//! A synthetic hospital of this project's own making: names, places and histories drawn by number
//! from short lists, so that the same seed gives the same rows on every machine. Nobody in it lives.
//!
//! Numbers are taken from ranges set aside for this: Social Security areas 900 to 999, telephone
//! numbers 555-0100 to 555-0199, `example.org`, 203.0.113.0/24.

use std::hash::{DefaultHasher, Hash, Hasher};

use sqlx::{Connection, Executor, PgConnection};

use crate::cluster::Cluster;
use crate::error::ClusterError;

/// The hospital's database.
pub const DATABASE: &str = "clinic";

/// The role a gateway connects as: it reads the tables, and owns nothing.
pub const BROKER: &str = "broker";

/// What each column holds and how each profile releases it: the file for `catalog = "..."`.
pub const CLASSIFICATION: &str = include_str!("hospital/clinic.phi.csv");

/// The seed of the demo and the tests.
pub const SEED: u32 = 1847;

const NAMES: &str = include_str!("hospital/names.sql");
const SCHEMA: &str = include_str!("hospital/schema.sql");
const PEOPLE: &str = include_str!("hospital/people.sql");
const CARE: &str = include_str!("hospital/care.sql");
const INDEXES: &str = include_str!("hospital/indexes.sql");

/// How many patients. Each brings about four encounters, twenty observations and ten other rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// 10,000 patients.
    Demo,
    /// 300 patients: enough of every kind of row, made in a fraction of a second.
    Small,
    /// As many as said.
    Patients(u32),
}

impl Size {
    /// The number of patients.
    pub fn patients(self) -> u32 {
        match self {
            Self::Demo => 10_000,
            Self::Small => 300,
            Self::Patients(number) => number,
        }
    }
}

/// Fills [`DATABASE`] and makes the role [`BROKER`]. Does nothing where that has been done already
/// at the same size.
///
/// # Errors
/// [`ClusterError::Sql`], and whatever hinders the writing of the role's password.
pub async fn fill(cluster: &Cluster, size: Size) -> Result<(), ClusterError> {
    fill_database(cluster, DATABASE, size, SEED).await
}

/// Fills a database of any name with the hospital of a seed.
///
/// # Errors
/// As [`fill`]. `database` must be a plain lower-case name.
pub async fn fill_database(
    cluster: &Cluster,
    database: &str,
    size: Size,
    seed: u32,
) -> Result<(), ClusterError> {
    let mark = format!(
        "phigate hospital, {} patients, seed {seed}",
        size.patients()
    );
    let mut server = cluster.connect("postgres").await?;
    make_broker(cluster, &mut server).await?;
    let found: Option<Option<String>> = sqlx::query_scalar(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1",
    )
    .bind(database)
    .fetch_optional(&mut server)
    .await?;
    if found.flatten().as_deref() == Some(&mark) {
        return Ok(());
    }
    run(
        &mut server,
        &format!("DROP DATABASE IF EXISTS \"{database}\""),
    )
    .await?;
    run(&mut server, &format!("CREATE DATABASE \"{database}\"")).await?;

    let mut connection = cluster.connect(database).await?;
    for part in [NAMES, SCHEMA, PEOPLE, CARE, INDEXES] {
        let sql = part
            .replace("@SEED@", &seed.to_string())
            .replace("@PATIENTS@", &size.patients().to_string());
        run(&mut connection, &sql).await?;
    }
    run(
        &mut connection,
        &format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {BROKER}"),
    )
    .await?;
    run(&mut connection, "VACUUM (ANALYZE)").await?;
    connection.close().await?;
    // Last, so that a fill that was interrupted is done again.
    run(
        &mut server,
        &format!("COMMENT ON DATABASE \"{database}\" IS '{mark}'"),
    )
    .await?;
    run(&mut server, "CHECKPOINT").await
}

/// The URL a gateway reads the hospital with.
pub fn broker_url(cluster: &Cluster) -> String {
    broker_url_for(cluster, DATABASE)
}

/// The same for another database.
pub fn broker_url_for(cluster: &Cluster, database: &str) -> String {
    let password = cluster.role_password(BROKER).unwrap_or_default();
    cluster.url_as(BROKER, &password, database)
}

/// Changes when the hospital does: part of the name of what is made from it.
pub fn fingerprint() -> String {
    let mut hasher = DefaultHasher::new();
    [NAMES, SCHEMA, PEOPLE, CARE, INDEXES].hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

async fn make_broker(cluster: &Cluster, server: &mut PgConnection) -> Result<(), ClusterError> {
    if cluster.role_password(BROKER).is_none() {
        cluster.make_role_password(BROKER)?;
    }
    let password = cluster.role_password(BROKER).unwrap_or_default();
    // Fixed words and hexadecimal digits: nothing here needs quoting.
    let sql = format!(
        "DO $$ BEGIN
           IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{BROKER}') THEN
             CREATE ROLE {BROKER} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
           END IF;
         END $$;
         ALTER ROLE {BROKER} PASSWORD '{password}'"
    );
    run(server, &sql).await
}

async fn run(connection: &mut PgConnection, sql: &str) -> Result<(), ClusterError> {
    connection
        .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql)))
        .await?;
    Ok(())
}
