//! SCRAM-SHA-256 verifiers: what proves a password without being one.

use std::fmt;

use phigate_grant::MAX_LIVE_GRANTS;
use phigate_types::{GrantId, Timestamp};
use sqlx::Row as _;

use crate::store::within;
use crate::write::Write;
use crate::{Store, StoreError, rows};

/// The most verifiers that one login is tried against.
pub const MAX_CREDENTIALS: usize = MAX_LIVE_GRANTS;

/// A verifier (RFC 5802 section 3). The salt is derived, see [`Store::salt_key`].
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// H(ClientKey).
    pub stored_key: [u8; 32],
    /// ServerKey.
    pub server_key: [u8; 32],
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[credential]")
    }
}

impl Store {
    /// The verifiers of the grants that `principal` holds on `database` at `now`, newest first;
    /// only that of `grant` where one is named. Names are as the client sent them: one query
    /// serves known and unknown ones.
    pub async fn credentials(
        &self,
        principal: &str,
        database: &str,
        grant: Option<GrantId>,
        now: Timestamp,
    ) -> Result<Vec<(GrantId, Credential)>, StoreError> {
        within(async {
            let found = sqlx::query(
                "SELECT grant_id, stored_key, server_key
                 FROM grants JOIN credential ON grant_id = id
                 WHERE principal = ?1 AND database = ?2 AND state = 'active' AND expires_at > ?3
                   AND (?4 IS NULL OR id = ?4)
                 ORDER BY serial DESC LIMIT ?5",
            )
            .bind(principal)
            .bind(database)
            .bind(now.as_micros())
            .bind(grant.as_ref().map(GrantId::as_str))
            .bind(i64::try_from(MAX_CREDENTIALS).unwrap_or(i64::MAX))
            .fetch_all(self.readers())
            .await?;
            found
                .iter()
                .map(|row| {
                    let damaged = |what| StoreError::Damaged {
                        what,
                        row: "a credential".to_owned(),
                    };
                    let key = |what: &'static str| -> Result<[u8; 32], StoreError> {
                        let bytes: Vec<u8> = row.try_get(what)?;
                        bytes.try_into().map_err(|_| damaged(what))
                    };
                    let grant = rows::parse(row, "grant_id").map_err(|()| damaged("grant_id"))?;
                    let credential = Credential {
                        stored_key: key("stored_key")?,
                        server_key: key("server_key")?,
                    };
                    Ok((grant, credential))
                })
                .collect()
        })
        .await?
    }
}

pub(crate) async fn insert(
    write: &mut Write,
    grant: GrantId,
    credential: &Credential,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO credential (grant_id, stored_key, server_key) VALUES (?, ?, ?)")
        .bind(grant.as_str())
        .bind(credential.stored_key.as_slice())
        .bind(credential.server_key.as_slice())
        .execute(&mut ***write)
        .await?;
    Ok(())
}

pub(crate) async fn delete(write: &mut Write, grant: GrantId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM credential WHERE grant_id = ?")
        .bind(grant.as_str())
        .execute(&mut ***write)
        .await?;
    Ok(())
}
