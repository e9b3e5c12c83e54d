//! The analyst's side: tokio-postgres, as an ordinary program uses it.

use std::fmt;
use std::sync::Arc;

use phigate_testkit::within;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::DbError;
use tokio_postgres::{AsyncMessage, Client, NoTls, SimpleQueryMessage, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::admin::Login;

/// Notices that are kept for a test to look at.
const NOTICES: usize = 1_000;

/// The rows of an answer, every value as text.
pub type Rows = Vec<Vec<Option<String>>>;

/// A session.
#[derive(Debug)]
pub struct Analyst {
    /// The driver's handle, for what the methods here do not do.
    pub client: Client,
    notices: mpsc::Receiver<DbError>,
    driver: JoinHandle<Result<(), tokio_postgres::Error>>,
}

/// An error as the driver saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The SQLSTATE; empty when the connection just closed.
    pub code: String,
    /// FATAL or ERROR.
    pub severity: String,
    /// The primary message.
    pub message: String,
    /// The detail.
    pub detail: String,
    /// The hint.
    pub hint: String,
    /// The position in the statement, in characters from 1.
    pub position: Option<u32>,
}

impl Analyst {
    pub(crate) async fn connect(login: &Login) -> Result<Self, Refused> {
        let mut config = tokio_postgres::Config::new();
        config
            .host(&login.host)
            .port(login.port)
            .user(&login.user)
            .password(&login.password)
            .dbname("clinic")
            .application_name("a test");
        within("login", async {
            let Some(ca) = &login.ca else {
                config.ssl_mode(SslMode::Disable);
                let (client, connection) = config
                    .connect(NoTls)
                    .await
                    .map_err(|error| Refused::from(&error))?;
                return Ok(Self::drive(client, connection));
            };
            config.ssl_mode(SslMode::Require);
            let connector = MakeRustlsConnect::new(tls(ca));
            let (client, connection) = config
                .connect(connector)
                .await
                .map_err(|error| Refused::from(&error))?;
            Ok(Self::drive(client, connection))
        })
        .await
    }

    fn drive<T>(client: Client, mut connection: tokio_postgres::Connection<Socket, T>) -> Self
    where
        T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, notices) = mpsc::channel(NOTICES);
        let driver = tokio::spawn(async move {
            while let Some(message) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
                if let AsyncMessage::Notice(notice) = message? {
                    let _ = sender.try_send(notice);
                }
            }
            Ok(())
        });
        Self {
            client,
            notices,
            driver,
        }
    }

    /// A simple query's rows.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn rows(&self, sql: &str) -> impl Future<Output = Rows> {
        let caller = std::panic::Location::caller();
        async move {
            self.query(sql)
                .await
                .unwrap_or_else(|refused| panic!("{caller}: {sql}: {refused}"))
        }
    }

    /// A simple query's only value.
    ///
    /// # Panics
    /// When it fails, or gives anything but one row of one value that is not NULL.
    pub async fn value(&self, sql: &str) -> String {
        let mut rows = self.rows(sql).await;
        assert_eq!(rows.len(), 1, "{sql}: {rows:?}");
        let mut row = rows.remove(0);
        assert_eq!(row.len(), 1, "{sql}: {row:?}");
        row.remove(0).unwrap_or_else(|| panic!("{sql}: NULL"))
    }

    /// How a simple query is refused.
    ///
    /// # Panics
    /// When it is not.
    pub async fn refused(&self, sql: &str) -> Refused {
        match self.query(sql).await {
            Ok(rows) => panic!("{sql}: not refused: {rows:?}"),
            Err(refused) => refused,
        }
    }

    /// A simple query.
    ///
    /// # Errors
    /// As the driver saw it.
    pub async fn query(&self, sql: &str) -> Result<Rows, Refused> {
        let answer = within(sql, self.client.simple_query(sql)).await;
        let messages = answer.map_err(|error| Refused::from(&error))?;
        Ok(messages.iter().filter_map(row).collect())
    }

    /// The notices so far.
    pub fn notices(&mut self) -> Vec<DbError> {
        std::iter::from_fn(|| self.notices.try_recv().ok()).collect()
    }

    /// Waits until the gateway ends the session, and says how.
    ///
    /// # Panics
    /// When it lives on.
    pub async fn ended(self) -> Refused {
        let outcome = within("end of the session", self.driver)
            .await
            .expect("no panic");
        outcome
            .err()
            .map_or_else(Refused::closed, |error| Refused::from(&error))
    }
}

/// A session of the database itself, past the gateway.
///
/// # Panics
/// When PostgreSQL does not serve.
pub async fn past(url: &str) -> Analyst {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("PostgreSQL serves");
    Analyst::drive(client, connection)
}

/// A statement on the database itself, past the gateway.
///
/// # Panics
/// When it fails.
pub async fn direct(url: &str, sql: &str) -> Rows {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("PostgreSQL serves");
    let driver = tokio::spawn(connection);
    let messages = within(sql, client.simple_query(sql))
        .await
        .expect("PostgreSQL answers");
    drop(client);
    driver
        .await
        .expect("no panic")
        .expect("the connection ends well");
    messages.iter().filter_map(row).collect()
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

fn tls(ca: &std::path::Path) -> rustls::ClientConfig {
    let pem = std::fs::read(ca).expect("the certificate authority is there");
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots
            .add(certificate.expect("it is PEM"))
            .expect("it is a certificate");
    }
    rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .expect("the provider knows them")
    .with_root_certificates(roots)
    .with_no_client_auth()
}

// === impl Refused ===

impl Refused {
    fn closed() -> Self {
        Self {
            code: String::new(),
            severity: String::new(),
            message: "the connection was closed".to_owned(),
            detail: String::new(),
            hint: String::new(),
            position: None,
        }
    }
}

impl From<&tokio_postgres::Error> for Refused {
    fn from(error: &tokio_postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else {
            return Self {
                message: format!("{error:?}"),
                ..Self::closed()
            };
        };
        Self {
            code: db.code().code().to_owned(),
            severity: db.severity().to_owned(),
            message: db.message().to_owned(),
            detail: db.detail().unwrap_or_default().to_owned(),
            hint: db.hint().unwrap_or_default().to_owned(),
            position: db.position().and_then(|position| match position {
                tokio_postgres::error::ErrorPosition::Original(at) => Some(*at),
                tokio_postgres::error::ErrorPosition::Internal { .. } => None,
            }),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.severity, self.code, self.message)?;
        if !self.hint.is_empty() {
            write!(f, " (hint: {})", self.hint)?;
        }
        Ok(())
    }
}
