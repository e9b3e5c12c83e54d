//! A running private cluster.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Executor};

use crate::account::Account;
use crate::binaries::Binaries;
use crate::error::ClusterError;
use crate::options::{Options, ServerTls};
use crate::poll;
use crate::supervise::{Server, Stop, Supervisor};
use crate::template::{Template, random_password, run};

pub(crate) const DATA: &str = "data";
pub(crate) const PASSWORD: &str = "superuser.password";
pub(crate) const PASSWORD_SUFFIX: &str = ".password";
const LOG: &str = "log";
const LOCK: &str = "lock";
const SOCKETS: &str = "s";

/// `sun_path` holds 104 bytes on some systems; `/.s.PGSQL.65535` is 15 of them.
const SOCKET_DIRECTORY_MAX: usize = 80;

/// How often another port is tried when somebody else took the one that was free a moment ago.
const PORT_TRIES: usize = 8;

/// Lines of the server's log that an error quotes.
const LOG_LINES: usize = 12;

/// A private PostgreSQL server. Dropping it stops the server; so does the end of this process,
/// however it comes about.
///
/// The superuser is `postgres`: without password on the socket, which only its owner reaches, and
/// with SCRAM over TCP on 127.0.0.1.
#[derive(Debug)]
pub struct Cluster {
    directory: PathBuf,
    socket_directory: PathBuf,
    port: u16,
    password: String,
    binaries: Binaries,
    account: Account,
    options: Options,
    supervisor: Option<Supervisor>,
    _lock: File,
}

impl Cluster {
    /// Starts the cluster in `directory`; makes it first where there is none. A server that an
    /// earlier process left behind there is stopped first.
    ///
    /// # Errors
    /// See [`ClusterError`]; the texts are for operators.
    pub fn start(
        binaries: &Binaries,
        directory: &Path,
        options: Options,
    ) -> Result<Self, ClusterError> {
        let account = Account::for_directory(directory);
        account.make_directory(directory)?;
        let directory = directory
            .canonicalize()
            .map_err(ClusterError::io("find", directory))?;
        let lock = claim(&directory)?;
        if !directory.join(DATA).join("PG_VERSION").exists() {
            Template::empty(binaries)?.copy_to(&directory)?;
        }
        let path = directory.join(PASSWORD);
        let password = fs::read_to_string(&path).map_err(ClusterError::io("read", &path))?;
        let socket_directory = make_socket_directory(&account, &directory)?;
        let mut cluster = Self {
            directory,
            socket_directory,
            port: 0,
            password,
            binaries: binaries.clone(),
            account,
            options,
            supervisor: None,
            _lock: lock,
        };
        cluster.stop_leftover();
        cluster.write_tls()?;
        cluster.launch()?;
        Ok(cluster)
    }

    /// A fresh cluster in a temporary directory, gone when it is dropped.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn temporary(binaries: &Binaries, options: Options) -> Result<Self, ClusterError> {
        Template::empty(binaries)?.start(options)
    }

    /// Where it listens: always 127.0.0.1.
    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// Its TCP port; also part of the socket's name.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of its Unix socket.
    pub fn socket_directory(&self) -> &Path {
        &self.socket_directory
    }

    /// Everything of it.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The server's log.
    pub fn log_path(&self) -> PathBuf {
        self.directory.join(LOG)
    }

    /// The programs it runs.
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// The password of `postgres`.
    pub fn superuser_password(&self) -> &str {
        &self.password
    }

    /// The password of another role, where one was made with [`Cluster::make_role_password`].
    pub fn role_password(&self, role: &str) -> Option<String> {
        fs::read_to_string(self.role_password_path(role)).ok()
    }

    /// Makes a password for a role and keeps it beside the data; the caller tells PostgreSQL.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn make_role_password(&self, role: &str) -> Result<(), ClusterError> {
        let path = self.role_password_path(role);
        self.account.write_file(&path, &random_password(&path)?)
    }

    fn role_password_path(&self, role: &str) -> PathBuf {
        self.directory.join(format!("{role}{PASSWORD_SUFFIX}"))
    }

    /// A URL for the superuser, over TCP.
    pub fn url(&self, database: &str) -> String {
        self.url_as("postgres", &self.password, database)
    }

    /// A URL for anybody, over TCP. `user`, `password` and `database` are put in as they are.
    pub fn url_as(&self, user: &str, password: &str, database: &str) -> String {
        format!(
            "postgres://{user}:{password}@{}:{}/{database}",
            self.host(),
            self.port
        )
    }

    /// Connects as the superuser, over the socket.
    ///
    /// # Errors
    /// [`ClusterError::Sql`].
    pub async fn connect(&self, database: &str) -> Result<PgConnection, ClusterError> {
        let options = PgConnectOptions::new_without_pgpass()
            .socket(&self.socket_directory)
            .port(self.port)
            .ssl_mode(PgSslMode::Disable)
            .username("postgres")
            .database(database)
            .disable_statement_logging();
        Ok(options.connect().await?)
    }

    /// Runs statements as the superuser, as one simple query.
    ///
    /// # Errors
    /// [`ClusterError::Sql`].
    pub async fn execute(&self, database: &str, sql: &str) -> Result<(), ClusterError> {
        let mut connection = self.connect(database).await?;
        connection
            .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql)))
            .await?;
        Ok(())
    }

    /// Stops the server, with a checkpoint unless its files are to be removed.
    ///
    /// # Errors
    /// [`ClusterError::Deadline`] when it does not end.
    pub fn stop(mut self) -> Result<(), ClusterError> {
        self.end()
    }

    /// Stops the server at once, sessions and all, and starts it again on the same port.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn restart(&mut self) -> Result<(), ClusterError> {
        self.halt()?;
        self.resume()
    }

    /// Ends the server without ending the cluster: its port refuses until [`Cluster::resume`].
    ///
    /// # Errors
    /// [`ClusterError::Deadline`] when it does not end.
    pub fn halt(&mut self) -> Result<(), ClusterError> {
        if let Some(process) = self.postmaster().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(process, rustix::process::Signal::INT);
        }
        let Some(mut supervisor) = self.supervisor.take() else {
            return Ok(());
        };
        supervisor.wait_for_server()
    }

    /// Starts the server again after [`Cluster::halt`], on the same port.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn resume(&mut self) -> Result<(), ClusterError> {
        self.options.port = Some(self.port);
        self.launch()
    }

    /// The process id of the postmaster.
    pub fn postmaster(&self) -> Option<i32> {
        self.pid_file()?.lines().next()?.trim().parse().ok()
    }

    fn end(&mut self) -> Result<(), ClusterError> {
        let postmaster = self.postmaster();
        let stopped = match self.supervisor.take() {
            Some(mut supervisor) => supervisor.stop(postmaster),
            None => Ok(()),
        };
        if self.options.remove {
            // The supervisor has done so already, unless the server ended by itself.
            for directory in self.own_directories() {
                let _ = fs::remove_dir_all(directory);
            }
        }
        stopped
    }

    fn own_directories(&self) -> Vec<PathBuf> {
        vec![self.directory.clone(), self.socket_directory.clone()]
    }

    fn launch(&mut self) -> Result<(), ClusterError> {
        let mut tries = if self.options.port.is_some() {
            1
        } else {
            PORT_TRIES
        };
        loop {
            self.port = self.options.port.map_or_else(free_port, Ok)?;
            tries -= 1;
            match self.launch_once() {
                Ok(()) => return Ok(()),
                Err(ClusterError::Start { log, .. })
                    if tries > 0 && log.contains("could not bind") => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn launch_once(&mut self) -> Result<(), ClusterError> {
        self.write_configuration()?;
        let before = self.pid_file();
        let log_start = fs::metadata(self.log_path()).map_or(0, |found| found.len());
        let remove = self.options.remove;
        let server = Server {
            program: &self.binaries.postgres(),
            data: &self.directory.join(DATA),
            log: &self.log_path(),
            stop: if remove { Stop::Immediate } else { Stop::Fast },
            remove: if remove {
                self.own_directories()
            } else {
                Vec::new()
            },
        };
        let mut supervisor = Supervisor::start(&self.account, &server)?;
        let ready = poll::until(self.options.start_limit, || {
            if supervisor.has_ended() {
                return Some(false);
            }
            let now = self.pid_file();
            let is_ready = now.as_deref().and_then(|text| text.lines().nth(7));
            (now != before && is_ready.map(str::trim) == Some("ready")).then_some(true)
        });
        match ready {
            Some(true) => {
                self.supervisor = Some(supervisor);
                Ok(())
            }
            state => Err(ClusterError::Start {
                directory: self.directory.clone(),
                reason: if state.is_some() {
                    "the server ended".to_owned()
                } else {
                    format!("not ready after {} s", self.options.start_limit.as_secs())
                },
                log: self.log_tail(log_start),
            }),
        }
    }

    fn write_configuration(&self) -> Result<(), ClusterError> {
        let data = self.directory.join(DATA);
        let main = data.join("postgresql.conf");
        let text = fs::read_to_string(&main).map_err(ClusterError::io("read", &main))?;
        let include = "include 'phigate.conf'";
        if !text.contains(include) {
            self.account
                .write_file(&main, &format!("{text}\n{include}\n"))?;
        }
        let sockets = self.socket_directory.to_string_lossy();
        let own = self.options.configuration(&sockets, self.port);
        self.account.write_file(&data.join("phigate.conf"), &own)
    }

    fn write_tls(&self) -> Result<(), ClusterError> {
        let Some(tls) = &self.options.tls else {
            return Ok(());
        };
        let data = self.directory.join(DATA);
        self.account.write_file(
            &data.join(ServerTls::CERTIFICATE_FILE),
            &tls.certificate_pem,
        )?;
        self.account
            .write_file(&data.join(ServerTls::KEY_FILE), &tls.key_pem)
    }

    // INVARIANT: we hold the directory's lock, so a server that runs here belongs to nobody.
    fn stop_leftover(&self) {
        if self.pid_file().is_none() {
            return;
        }
        let mut stop = self.account.command(&self.binaries.pg_ctl());
        stop.args(["stop", "-m", "fast", "-w", "-t", "20", "-D"])
            .arg(self.directory.join(DATA));
        // It fails where the file is stale; then the server itself sorts it out.
        if run(stop, "pg_ctl").is_ok() {
            tracing::info!(directory = %self.directory.display(), "stopped a leftover server");
        }
    }

    fn pid_file(&self) -> Option<String> {
        fs::read_to_string(self.directory.join(DATA).join("postmaster.pid")).ok()
    }

    fn log_tail(&self, start: u64) -> String {
        let log = fs::read(self.log_path()).unwrap_or_default();
        let new = log
            .get(usize::try_from(start).unwrap_or(0)..)
            .unwrap_or_default();
        let text = String::from_utf8_lossy(new);
        let lines: Vec<&str> = text.lines().collect();
        lines
            .get(lines.len().saturating_sub(LOG_LINES)..)
            .unwrap_or_default()
            .join("\n")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::warn!(%error, "a private PostgreSQL may still be running");
        }
    }
}

fn claim(directory: &Path) -> Result<File, ClusterError> {
    let path = directory.join(LOCK);
    let file = File::create(&path).map_err(ClusterError::io("open", &path))?;
    file.try_lock().map_err(|_| ClusterError::Io {
        action: "use",
        path: directory.to_owned(),
        source: std::io::Error::other("another process runs a cluster here"),
    })?;
    Ok(file)
}

fn make_socket_directory(account: &Account, directory: &Path) -> Result<PathBuf, ClusterError> {
    let inside = directory.join(SOCKETS);
    if inside.as_os_str().len() <= SOCKET_DIRECTORY_MAX {
        account.make_directory(&inside)?;
        return Ok(inside);
    }
    let outside = tempfile::Builder::new()
        .prefix("phigate-s-")
        .tempdir_in("/tmp")
        .map_err(ClusterError::io("make a directory in", Path::new("/tmp")))?
        .keep();
    account.make_directory(&outside)?;
    Ok(outside)
}

fn free_port() -> Result<u16, ClusterError> {
    let find = || TcpListener::bind(("127.0.0.1", 0))?.local_addr();
    let address = find().map_err(ClusterError::io(
        "find a free port on",
        Path::new("127.0.0.1"),
    ))?;
    Ok(address.port())
}
