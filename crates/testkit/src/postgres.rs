//! Private PostgreSQL servers for tests.
//!
//! Each call starts a server of its own from a cached template. That costs about a quarter of a
//! second, less than keeping a shared one honest: `pg_stat_activity`, locks, settings and crashes
//! of one test are invisible to the next, and test processes share nothing but read-only files.

use phigate_cluster::hospital::{self as clinic, Size};
use phigate_cluster::{Binaries, Cluster, ClusterError, Options, Template};

/// The PostgreSQL that tests run on.
///
/// # Panics
/// When there is none of at least the oldest supported major.
pub fn binaries() -> Binaries {
    Binaries::find(None).unwrap_or_else(|error| panic!("tests need PostgreSQL: {error}"))
}

/// An empty server.
pub fn postgres() -> Cluster {
    postgres_with(Options::default())
}

/// An empty server with options.
pub fn postgres_with(options: Options) -> Cluster {
    Cluster::temporary(&binaries(), options)
        .unwrap_or_else(|error| panic!("no private PostgreSQL: {error}"))
}

/// A server with the small synthetic hospital in database `clinic`; the gateway's way in is
/// `clinic::broker_url`.
pub async fn hospital() -> Cluster {
    hospital_with(Options::default()).await
}

/// The same with options.
pub async fn hospital_with(options: Options) -> Cluster {
    let key = format!("hospital-small-{}", clinic::fingerprint());
    template(&key, async |cluster| {
        clinic::fill(cluster, Size::Small).await
    })
    .await
    .start(options)
    .unwrap_or_else(|error| panic!("no private PostgreSQL: {error}"))
}

/// A server's files as `build` leaves them, made once on this machine and then copied. `key` must
/// change when `build` does.
pub async fn template(
    key: &str,
    build: impl AsyncFnOnce(&Cluster) -> Result<(), ClusterError>,
) -> Template {
    Template::filled(&binaries(), key, build)
        .await
        .unwrap_or_else(|error| panic!("no private PostgreSQL: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn two_hospitals_share_nothing() {
        let (one, other) = (hospital().await, hospital().await);
        one.execute("clinic", "DROP TABLE notes").await.unwrap();
        other.execute("clinic", "SELECT FROM notes").await.unwrap();
        assert_ne!(one.port(), other.port());
    }

    #[tokio::test]
    async fn the_broker_of_a_copy_gets_in() {
        let cluster = hospital().await;
        let url = clinic::broker_url(&cluster);
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
            .await
            .unwrap();
        let connection = tokio::spawn(connection);
        let row = client
            .query_one("SELECT count(*) FROM patients", &[])
            .await
            .unwrap();
        assert_eq!(row.get::<_, i64>(0), 300);
        drop(client);
        connection.await.unwrap().unwrap();
    }
}
