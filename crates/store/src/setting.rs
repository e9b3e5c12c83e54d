//! Named values: keys of the store itself, counters that only rise.

use phigate_types::Timestamp;
use sqlx::sqlite::SqlitePool;
use sqlx::{Sqlite, SqliteExecutor, Transaction};

use crate::event::Event;
use crate::store::within;
use crate::{Sequence, Store, StoreError};

/// The key that SCRAM salts are derived from.
const SALT_KEY: &str = "salt_key";

/// SHA-256 of the admin's token.
const ADMIN_TOKEN: &str = "admin_token_sha256";

impl Store {
    /// SHA-256 of the admin's token, once there is one.
    pub async fn admin_token_hash(&self) -> Result<Option<Vec<u8>>, StoreError> {
        within(read(self.readers(), ADMIN_TOKEN)).await?
    }

    /// Names another token; recorded.
    pub async fn set_admin_token_hash(
        &self,
        hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Sequence, StoreError> {
        within(async {
            let mut tx = self.begin(now).await?;
            write(&mut **tx, ADMIN_TOKEN, hash).await?;
            let version = tx.head();
            tx.event(&Event::AdminTokenChanged { version }).await?;
            tx.commit().await
        })
        .await?
    }
}

pub(crate) async fn salt_key(pool: &SqlitePool) -> Result<Vec<u8>, StoreError> {
    if let Some(key) = read(pool, SALT_KEY).await? {
        return Ok(key);
    }
    let key = random_key()?;
    write(pool, SALT_KEY, &key).await?;
    Ok(key.to_vec())
}

/// 32 random bytes from the system.
pub(crate) fn random_key() -> Result<[u8; 32], StoreError> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| {
        StoreError::Database(sqlx::Error::Io(std::io::Error::other(error.to_string())))
    })?;
    Ok(key)
}

pub(crate) async fn counter(
    tx: &mut Transaction<'static, Sqlite>,
    name: &'static str,
) -> Result<u64, StoreError> {
    match read(&mut **tx, name).await? {
        None => Ok(0),
        Some(bytes) => {
            let bytes = bytes.try_into().map_err(|_| StoreError::Damaged {
                what: "value",
                row: name.to_owned(),
            })?;
            Ok(u64::from_be_bytes(bytes))
        }
    }
}

pub(crate) async fn set_counter(
    tx: &mut Transaction<'static, Sqlite>,
    name: &'static str,
    value: u64,
) -> Result<(), StoreError> {
    write(&mut **tx, name, &value.to_be_bytes()).await
}

async fn read(
    executor: impl SqliteExecutor<'_>,
    name: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let row = sqlx::query_scalar("SELECT value FROM setting WHERE name = ?").bind(name);
    Ok(row.fetch_optional(executor).await?)
}

async fn write(
    executor: impl SqliteExecutor<'_>,
    name: &str,
    value: &[u8],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO setting (name, value) VALUES (?, ?)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(executor)
    .await?;
    Ok(())
}
