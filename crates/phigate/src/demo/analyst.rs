//! The analyst's side of the story: an ordinary driver, the way psql connects.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long one answer may take.
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

/// What somebody needs to connect.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) database: String,
}

/// A refusal as the driver saw it.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// A connection through the gateway.
pub(crate) struct Analyst {
    pub(crate) client: Client,
    driver: tokio::task::JoinHandle<Result<(), tokio_postgres::Error>>,
}

/// The rows of an answer, every value as text.
pub(crate) type Rows = Vec<Vec<Option<String>>>;

impl Analyst {
    /// Connects over TLS that is checked against the certificate authority `ca_pem`.
    pub(crate) async fn connect(
        login: &Login,
        ca_pem: &[u8],
    ) -> anyhow::Result<Result<Self, Refused>> {
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca_pem) {
            roots.add(certificate.context("the certificate authority is not PEM")?)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut config = tokio_postgres::Config::new();
        config
            .host(&login.host)
            .port(login.port)
            .user(&login.user)
            .password(&login.password)
            .dbname(&login.database)
            .application_name("phigate tour")
            .connect_timeout(ANSWER_DEADLINE)
            .ssl_mode(SslMode::Require);
        match config.connect(MakeRustlsConnect::new(tls)).await {
            Ok((client, connection)) => Ok(Ok(Self {
                client,
                driver: tokio::spawn(connection),
            })),
            Err(error) => Refused::from_error(&error).map(Err),
        }
    }

    /// One statement in the simple protocol.
    pub(crate) async fn rows(&self, sql: &str) -> anyhow::Result<Result<Rows, Refused>> {
        let answer = tokio::time::timeout(ANSWER_DEADLINE, self.client.simple_query(sql))
            .await
            .with_context(|| format!("no answer within {ANSWER_DEADLINE:?}: {sql}"))?;
        match answer {
            Ok(messages) => Ok(Ok(messages.iter().filter_map(row).collect())),
            Err(error) => Refused::from_error(&error).map(Err),
        }
    }

    /// As [`Analyst::rows`], where a refusal is not part of the story.
    pub(crate) async fn must(&self, sql: &str) -> anyhow::Result<Rows> {
        match self.rows(sql).await? {
            Ok(rows) => Ok(rows),
            Err(refused) => bail!("{sql}: {refused}"),
        }
    }

    /// Waits until the gateway ends the connection.
    pub(crate) async fn ended(self) -> anyhow::Result<Option<Refused>> {
        let outcome = tokio::time::timeout(ANSWER_DEADLINE, self.driver)
            .await
            .context("the connection is still open")??;
        Ok(outcome
            .err()
            .and_then(|error| Refused::from_error(&error).ok()))
    }
}

/// One statement on the database itself, past the gateway.
pub(crate) async fn direct(url: &str, sql: &str) -> anyhow::Result<Rows> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    let driver = tokio::spawn(connection);
    let answer = tokio::time::timeout(ANSWER_DEADLINE, client.simple_query(sql)).await;
    drop(client);
    driver.await??;
    Ok(answer
        .context("PostgreSQL does not answer")??
        .iter()
        .filter_map(row)
        .collect())
}

impl Refused {
    fn from_error(error: &tokio_postgres::Error) -> anyhow::Result<Self> {
        if let Some(error) = error.as_db_error() {
            return Ok(Self {
                code: error.code().code().to_owned(),
                message: error.message().to_owned(),
                hint: error.hint().unwrap_or_default().to_owned(),
            });
        }
        if error.is_closed() || error.to_string().contains("communicating with the server") {
            return Ok(Self {
                code: String::new(),
                message: "the connection was closed".to_owned(),
                hint: String::new(),
            });
        }
        bail!("the driver failed: {error}")
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.code, self.message)?;
        if !self.hint.is_empty() {
            write!(f, " (hint: {})", self.hint)?;
        }
        Ok(())
    }
}

fn row(message: &SimpleQueryMessage) -> Option<Vec<Option<String>>> {
    let SimpleQueryMessage::Row(row) = message else {
        return None;
    };
    Some(
        (0..row.len())
            .map(|index| row.get(index).map(str::to_owned))
            .collect(),
    )
}
