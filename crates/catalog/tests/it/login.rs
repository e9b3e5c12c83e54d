//! What an operator reads when the way in is wrong.

use phigate_catalog::{CatalogError, Upstream};
use phigate_testkit::postgres;

#[tokio::test]
async fn each_mistake_has_its_own_text() {
    let cluster = postgres();
    let (host, port) = (cluster.host(), cluster.port());
    let address = format!("{host}:{port}");
    for (url, expected) in [
        (
            format!("postgres://postgres:hunter2@{address}/postgres"),
            format!(
                "PostgreSQL at {address} does not let \"postgres\" in: wrong password, or no line for it in pg_hba.conf (28P01)"
            ),
        ),
        (
            cluster.url("clinique"),
            format!("PostgreSQL at {address} has no database \"clinique\""),
        ),
        (
            format!("{}?sslmode=require", cluster.url("postgres")),
            format!("no TLS with PostgreSQL at {address} as sslmode asks: "),
        ),
        (
            format!("postgres://postgres@%2Fnowhere:{port}/postgres"),
            format!("cannot reach PostgreSQL at /nowhere/.s.PGSQL.{port}: "),
        ),
    ] {
        let error = Upstream::parse(&url)
            .unwrap()
            .connect()
            .await
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(&expected), "{error}");
        assert!(!error.contains("hunter2"));
    }
}

#[tokio::test]
async fn a_database_without_an_encoding_is_refused() {
    let cluster = postgres();
    let sql =
        "CREATE DATABASE raw ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0";
    cluster.execute("postgres", sql).await.unwrap();
    let mut connection = crate::upstream(&cluster, "raw").connect().await.unwrap();
    let error = phigate_catalog::read(&mut connection).await.unwrap_err();
    assert!(matches!(error, CatalogError::Encoding), "{error}");
}
