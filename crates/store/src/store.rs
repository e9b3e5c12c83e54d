//! Opening the store, and its two ways in: many readers, one writer.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use phigate_lease::{Change, Ending};
use phigate_types::Secret;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{Connection as _, Sqlite, Transaction};
use tokio::sync::Notify;

use crate::{Sequence, StoreError, setting};

/// How long any one call may take, waiting for its turn included.
pub const DEADLINE: Duration = Duration::from_secs(5);

/// How long SQLite itself waits for a lock that another process (a backup) holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Connections that read.
const READERS: u32 = 4;

/// What an observer is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A change that ends this is being committed.
    Ahead(Ending),
    /// A change was committed.
    Changed(Change),
}

type Observer = Box<dyn Fn(&Notice) + Send + Sync>;

/// The control plane's memory. Clones share it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    path: PathBuf,
    writer: SqlitePool,
    readers: SqlitePool,
    salt_key: Secret<Vec<u8>>,
    observer: OnceLock<Observer>,
    recorded: Notify,
    /// Locked as long as the store is open.
    _lock: File,
}

impl Store {
    /// Opens the file, making it when it is not there; only one process may have it open.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = lock(path)?;
        let unusable = |source| StoreError::Unusable {
            path: path.to_owned(),
            source,
        };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(DEADLINE)
            .before_acquire(|connection, _| Box::pin(std::future::ready(is_fit(connection))))
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone())
            .await
            .map_err(unusable)?;
        sqlx::migrate!("migrations/sqlite")
            .run(&writer)
            .await
            .map_err(|error| unusable(sqlx::Error::from(error)))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(DEADLINE)
            .before_acquire(|connection, _| Box::pin(std::future::ready(is_fit(connection))))
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.read_only(true))
            .await
            .map_err(unusable)?;
        let salt_key = setting::salt_key(&writer).await?;
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            writer,
            readers,
            salt_key: Secret::new(salt_key),
            observer: OnceLock::new(),
            recorded: Notify::new(),
            _lock: lock,
        })))
    }

    /// Names who is told of each change, in order: what it will end while it is being committed, and
    /// the change itself once it is. Called once, before the first change; must not block.
    pub fn observe(&self, observer: impl Fn(&Notice) + Send + Sync + 'static) {
        let _ = self.0.observer.set(Box::new(observer));
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The key that SCRAM salts are derived from: 32 random bytes, made with the store.
    pub fn salt_key(&self) -> &Secret<Vec<u8>> {
        &self.0.salt_key
    }

    /// Resolves after something was put into the outbox.
    pub async fn recorded(&self) {
        self.0.recorded.notified().await;
    }

    /// Closes every connection; what was committed stays.
    pub async fn close(&self) {
        self.0.readers.close().await;
        self.0.writer.close().await;
    }

    /// Tells the observer, which may put it on the wire at once.
    pub(crate) fn announce(&self, notice: &Notice) {
        if let Some(observer) = self.0.observer.get() {
            observer(notice);
        }
    }

    pub(crate) fn wake_outbox(&self, _through: Sequence) {
        self.0.recorded.notify_one();
    }

    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.0.readers
    }

    /// A transaction of the one writer. Dropped without a commit, it leaves nothing.
    pub(crate) async fn writer(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(within(self.0.writer.begin_with("BEGIN IMMEDIATE")).await??)
    }

    /// A transaction that reads one state.
    pub(crate) async fn reader(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(within(self.0.readers.begin()).await??)
    }
}

/// Whether a connection of the pool can begin a transaction. SQLite ends a transaction itself when
/// the disk is full; the ROLLBACK that follows fails, and the connection would count it as open for
/// ever. The pool opens another one in its place.
#[allow(clippy::unnecessary_wraps)] // the pool's signature
fn is_fit(connection: &SqliteConnection) -> Result<bool, sqlx::Error> {
    Ok(!connection.is_in_transaction())
}

/// Holds a future to [`DEADLINE`].
pub(crate) async fn within<F: Future>(future: F) -> Result<F::Output, StoreError> {
    tokio::time::timeout(DEADLINE, future)
        .await
        .map_err(|_| StoreError::Deadline)
}

/// Two control planes on one file would each wait for their own gateways only.
fn lock(path: &Path) -> Result<File, StoreError> {
    let open = |source: io::Error| StoreError::Open {
        path: path.to_owned(),
        source,
    };
    // The file holds verifiers and project keys: nobody else reads it.
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .read(true)
        .mode(0o600)
        .open(path)
        .map_err(open)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(PathBuf::from(beside))
        .map_err(open)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(open(source)),
    }
}
