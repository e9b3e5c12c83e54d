//! Control plane, gateway and PostgreSQL, started together.

mod views;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use phigate::serve::{self, Part, Running};
use phigate_config::Config;
use phigate_phi::RowRules;
use phigate_testkit::{Cluster, clinic, hospital, within};
use sqlx::ConnectOptions as _;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::admin::{Admin, Grant};
use views::Hardener;

/// The stack of a worker thread, as in the daemon.
const STACK_BYTES: usize = 64 << 20;

/// How a [`Phigate`] is to be.
#[derive(Debug, Clone)]
pub struct House {
    tls: &'static str,
    recording: &'static str,
    unclassified: &'static str,
    passthrough: bool,
    classification: String,
    rows: Option<String>,
    sql: Vec<String>,
    upstream: Option<String>,
    more: String,
    enforcement: Enforcement,
}

/// How masks are enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enforcement {
    /// By derived tables in statements.
    Inline,
    /// By views in the database, hardened for every profile, and for what grants reveal and block.
    Views,
}

impl From<&str> for Enforcement {
    fn from(name: &str) -> Self {
        match name {
            "inline" => Self::Inline,
            "views" => Self::Views,
            other => panic!("enforcement {other}: inline or views"),
        }
    }
}

impl Enforcement {
    /// What tests that do not care run in: inline, or what the environment says, so that all of them
    /// run in both.
    fn of_environment() -> Self {
        std::env::var("PHIGATE_TEST_ENFORCEMENT").map_or(Self::Inline, |name| name.as_str().into())
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Views => "views",
        }
    }
}

impl Default for House {
    fn default() -> Self {
        Self {
            tls: "off",
            recording: "process",
            unclassified: "refuse",
            passthrough: false,
            classification: clinic::CLASSIFICATION.to_owned(),
            rows: None,
            sql: Vec::new(),
            upstream: None,
            more: String::new(),
            enforcement: Enforcement::of_environment(),
        }
    }
}

impl House {
    /// TLS towards clients, with a certificate of the development CA.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = "dev";
        self
    }

    /// The recording level: `process`, `local` or `strict`.
    #[must_use]
    pub fn recording(mut self, level: &'static str) -> Self {
        self.recording = level;
        self
    }

    /// What happens to unclassified columns: `refuse`, `mask` or `release`.
    #[must_use]
    pub fn unclassified(mut self, what: &'static str) -> Self {
        self.unclassified = what;
        self
    }

    /// Identified grants with write are relayed unread.
    #[must_use]
    pub fn passthrough(mut self) -> Self {
        self.passthrough = true;
        self
    }

    /// Another classification file.
    #[must_use]
    pub fn classification(mut self, text: impl Into<String>) -> Self {
        self.classification = text.into();
        self
    }

    /// A row rules file.
    #[must_use]
    pub fn rows(mut self, text: impl Into<String>) -> Self {
        self.rows = Some(text.into());
        self
    }

    /// Statements for the hospital's superuser, before anything reads the catalog.
    #[must_use]
    pub fn sql(mut self, sql: impl Into<String>) -> Self {
        self.sql.push(sql.into());
        self
    }

    /// More of the configuration file, after everything else.
    #[must_use]
    pub fn more(mut self, toml: impl Into<String>) -> Self {
        self.more = toml.into();
        self
    }

    /// Another URL for the gateway's way to PostgreSQL.
    #[must_use]
    pub fn upstream(mut self, url: impl Into<String>) -> Self {
        self.upstream = Some(url.into());
        self
    }

    /// In this mode, whatever the environment says.
    #[must_use]
    pub fn enforcement(mut self, enforcement: impl Into<Enforcement>) -> Self {
        self.enforcement = enforcement.into();
        self
    }

    /// Starts everything on the small hospital.
    ///
    /// # Panics
    /// When anything does not start.
    pub async fn start(self) -> Phigate {
        let cluster = hospital().await;
        self.start_on(cluster).await
    }

    /// Starts everything on a given PostgreSQL, whose database `clinic` it serves.
    ///
    /// # Panics
    /// When anything does not start.
    pub async fn start_on(self, cluster: Cluster) -> Phigate {
        self.try_start_on(cluster)
            .await
            .unwrap_or_else(|error| panic!("phigate: {error:#}"))
    }

    /// As [`House::start_on`], for tests of what hinders a start.
    ///
    /// # Errors
    /// What the operator would be told.
    pub async fn try_start_on(self, cluster: Cluster) -> anyhow::Result<Phigate> {
        for sql in &self.sql {
            cluster.execute(clinic::DATABASE, sql).await?;
        }
        let directory = tempfile::Builder::new().prefix("phigate-").tempdir()?;
        let config_file = self.write(directory.path(), &cluster)?;
        let config = Config::load(&config_file)?;
        let hardener = match self.enforcement {
            Enforcement::Inline => None,
            Enforcement::Views => Some(
                Hardener::start(
                    &cluster,
                    &config.data_dir,
                    &self.classification,
                    self.unclassified,
                )
                .await?,
            ),
        };
        let shutdown = CancellationToken::new();
        let runtime = Runtime::new();
        let running = {
            let (config, shutdown) = (config.clone(), shutdown.clone());
            let start = async move { serve::start(&config, Part::All, shutdown).await };
            within("start of phigate", runtime.spawn(start)).await??
        };
        let control = running.control().expect("a control plane was asked for");
        let admin = Admin::connect(control, &config).await?;
        Ok(Phigate {
            cluster,
            config,
            admin,
            shutdown,
            running: Some(running),
            hardener,
            runtime,
            _directory: directory,
        })
    }

    /// Writes the configuration file and what it names.
    fn write(&self, directory: &Path, cluster: &Cluster) -> anyhow::Result<PathBuf> {
        std::fs::write(directory.join("clinic.phi.csv"), &self.classification)?;
        let Self {
            tls,
            recording,
            unclassified,
            passthrough,
            more,
            ..
        } = self;
        let rows = match &self.rows {
            Some(text) => {
                std::fs::write(directory.join("clinic.rows.toml"), text)?;
                "rows = \"clinic.rows.toml\""
            }
            None => "",
        };
        let enforcement = self.enforcement.as_str();
        let upstream = self
            .upstream
            .clone()
            .unwrap_or_else(|| clinic::broker_url(cluster));
        let text = format!(
            r#"data_dir = "state"
[control]
listen = "127.0.0.1:0"
[gateway]
listen = "127.0.0.1:0"
tls = "{tls}"
[audit]
recording = "{recording}"
[[database]]
name = "clinic"
upstream = "{upstream}"
catalog = "clinic.phi.csv"
{rows}
enforcement = "{enforcement}"
accept = ["definer_function public.f_secdef()"]
unclassified = "{unclassified}"
passthrough = {passthrough}
{more}
"#
        );
        let path = directory.join("phigate.toml");
        std::fs::write(&path, text)?;
        Ok(path)
    }
}

/// A running phigate. Dropping it ends its tasks with the runtime; [`Phigate::stop`] ends them in
/// order.
#[derive(Debug)]
pub struct Phigate {
    /// The PostgreSQL behind it.
    pub cluster: Cluster,
    /// The configuration it runs on.
    pub config: Config,
    /// The admin's connection to the control plane.
    pub admin: Admin,
    shutdown: CancellationToken,
    running: Option<Running>,
    hardener: Option<Hardener>,
    runtime: Runtime,
    _directory: TempDir,
}

impl Phigate {
    /// One with the defaults of [`House`]: no TLS, recording level `process`, the small hospital.
    ///
    /// # Panics
    /// When anything does not start.
    pub async fn start() -> Self {
        House::default().start().await
    }

    /// How masks are enforced.
    pub fn enforcement(&self) -> Enforcement {
        match self.hardener {
            Some(_) => Enforcement::Views,
            None => Enforcement::Inline,
        }
    }

    /// Makes masked views for what a grant reveals and blocks, where there are any.
    pub(crate) async fn harden_for(&self, profile: &str, reveal: &[String], block: &[String]) {
        let (Some(hardener), Ok(profile)) = (&self.hardener, profile.parse()) else {
            return;
        };
        if reveal.is_empty() && block.is_empty() {
            return;
        }
        let hardened = hardener.harden(&[profile], reveal, block).await;
        // A grant that cannot be made has no policy: that is the control plane's to say.
        if let Err(error) = hardened {
            eprintln!("not hardened: {error:#}");
        }
    }

    /// Makes masked views for grants of a profile that restrict rows, as `rules` say and grants that
    /// name these sensitivities.
    ///
    /// # Panics
    /// In inline mode, or when the rules cannot be read.
    pub async fn harden_rows(&self, profile: &str, rules: &str, scoped: bool, named: &[&str]) {
        let hardener = self.hardener.as_ref().expect("masked views");
        let profile = profile.parse().expect("a profile");
        let rules = RowRules::parse(rules, "clinic.rows.toml").expect("row rules");
        let named = named.iter().map(|code| code.parse().expect("a code"));
        let rows = rules.policy(scoped, &named.collect()).expect("declared");
        let hardened = hardener.harden_rows(profile, rows).await;
        hardened.expect("the database is hardened");
    }

    /// The password of a slot login: what only gateways know.
    ///
    /// # Panics
    /// In inline mode.
    pub fn slot_password(&self, login: &str) -> String {
        let hardener = self.hardener.as_ref().expect("views mode has slots");
        hardener.password(login)
    }

    /// Hardens again, as an administrator does when a table has changed.
    ///
    /// # Panics
    /// When it cannot be hardened.
    pub async fn harden(&self) {
        if let Some(hardener) = &self.hardener {
            let hardened = hardener.harden(&[], &[], &[]).await;
            hardened.expect("the database is hardened");
        }
    }

    /// Where analysts connect.
    pub fn gateway(&self) -> SocketAddr {
        self.running
            .as_ref()
            .and_then(Running::gateway)
            .expect("the gateway listens")
    }

    /// Begins a grant for a principal; see [`Grant`].
    pub fn grant(&self, principal: &str) -> Grant<'_> {
        Grant::new(self, principal)
    }

    /// The certificate authority's file, for clients.
    pub fn ca_file(&self) -> PathBuf {
        self.config.pki_dir().join("ca.pem")
    }

    /// The gateway's log directory.
    pub fn log_dir(&self) -> PathBuf {
        self.config
            .audit_dir()
            .join(self.config.gateway.id.as_str())
    }

    /// The sessions that PostgreSQL itself sees of the gateway's role, the catalog's reader left out.
    ///
    /// # Panics
    /// When PostgreSQL cannot be asked.
    pub async fn backends_of(&self, session: &str) -> i64 {
        let rows = crate::analyst::direct(
            &self.cluster.url("postgres"),
            &format!(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '{session}%'"
            ),
        )
        .await;
        rows[0][0]
            .as_deref()
            .and_then(|count| count.parse().ok())
            .expect("a count")
    }

    /// Gives every project this key, so that pseudonyms agree with another phigate's. Before the first
    /// session only.
    ///
    /// # Panics
    /// When the store cannot be written.
    pub async fn set_project_key(&self, key: &[u8; 32]) {
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(self.config.data_dir.join("control.db"))
            .busy_timeout(phigate_testkit::DEADLINE);
        let mut connection = options.connect().await.expect("the store is a file");
        let update = sqlx::query("UPDATE project SET key = ?").bind(key.as_slice());
        let done = update.execute(&mut connection).await;
        done.expect("the store is written");
    }

    /// Ends control plane and gateway in order and waits for them; PostgreSQL lives on.
    ///
    /// # Panics
    /// When a part fails or does not end in time.
    pub async fn stop(&mut self) {
        self.shutdown.cancel();
        if let Some(running) = self.running.take() {
            let ended = within("end of phigate", self.runtime.spawn(running.join())).await;
            ended.expect("no panic").expect("it ends well");
        }
    }
}

/// Worker threads as the daemon has them: statements are analysed on these, and the deepest that the
/// budgets let through needs a large stack.
#[derive(Debug)]
struct Runtime(Option<tokio::runtime::Runtime>);

impl Runtime {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build();
        Self(Some(runtime.expect("threads can be made")))
    }

    fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.0
            .as_ref()
            .expect("it is there until dropped")
            .spawn(future)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Waiting is not allowed within another runtime; the tasks end by the shutdown token.
            runtime.shutdown_background();
        }
    }
}

impl Drop for Phigate {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
