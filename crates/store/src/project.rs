//! Principals, projects with their keys, and policies: what grants refer to.

use phigate_grant::ProjectName;
use phigate_types::{PrincipalName, Secret, Timestamp};
use sqlx::{Sqlite, Transaction};

use crate::store::within;
use crate::write::Write;
use crate::{Store, StoreError, setting};

impl Store {
    /// The effective policy with this id, as it was stored; `None` unless a grant that is live at
    /// `now` has it.
    pub async fn policy(&self, id: &str, now: Timestamp) -> Result<Option<Vec<u8>>, StoreError> {
        within(async {
            let body = sqlx::query_scalar(
                "SELECT body FROM policy WHERE id = ?1 AND EXISTS
                 (SELECT 1 FROM grants WHERE policy = ?1 AND state = 'active' AND expires_at > ?2)",
            )
            .bind(id)
            .bind(now.as_micros());
            Ok(body.fetch_optional(self.readers()).await?)
        })
        .await?
    }

    /// The key of a project that a grant has.
    pub async fn project_key(&self, project: &ProjectName) -> Result<Secret<[u8; 32]>, StoreError> {
        within(async { key(&mut self.readers().begin().await?, project).await }).await?
    }
}

/// The key of a project: 32 random bytes, made with it.
pub(crate) async fn key(
    tx: &mut Transaction<'static, Sqlite>,
    project: &ProjectName,
) -> Result<Secret<[u8; 32]>, StoreError> {
    let key: Option<Vec<u8>> = sqlx::query_scalar("SELECT key FROM project WHERE name = ?")
        .bind(project.as_str())
        .fetch_optional(&mut **tx)
        .await?;
    let damaged = || StoreError::Damaged {
        what: "key",
        row: format!("project {}", project.as_str()),
    };
    let key = key
        .and_then(|key| <[u8; 32]>::try_from(key).ok())
        .ok_or_else(damaged)?;
    Ok(Secret::new(key))
}

pub(crate) async fn ensure_principal(
    write: &mut Write,
    name: &PrincipalName,
) -> Result<(), StoreError> {
    let now = write.now().as_micros();
    sqlx::query("INSERT INTO principal (name, first_seen) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(name.as_str())
        .bind(now)
        .execute(&mut ***write)
        .await?;
    Ok(())
}

pub(crate) async fn ensure_project(
    write: &mut Write,
    name: &ProjectName,
) -> Result<(), StoreError> {
    let now = write.now().as_micros();
    sqlx::query(
        "INSERT INTO project (name, key, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(name.as_str())
    .bind(setting::random_key()?.as_slice())
    .bind(now)
    .execute(&mut ***write)
    .await?;
    Ok(())
}

pub(crate) async fn ensure_policy(
    write: &mut Write,
    id: &str,
    body: &[u8],
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO policy (id, body) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(id)
        .bind(body)
        .execute(&mut ***write)
        .await?;
    Ok(())
}
