//! Sessions: authorised on the live state, closed, killed.

use phigate_grant::{Amounts, EndReason, Session};
use phigate_lease::Change;
use phigate_types::{
    DatabaseName, GatewayId, GrantId, PrincipalName, Secret, SessionId, Timestamp, Version,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, Transaction};

use crate::event::Event;
use crate::grants::{Page, Stored, read};
use crate::store::within;
use crate::{Sequence, Store, StoreError, budget, project, rows};

/// A session to authorise.
#[derive(Debug, Clone)]
pub struct SessionRequest {
    /// Made by the gateway.
    pub id: SessionId,
    /// The grant whose credential proved the client.
    pub grant: GrantId,
    /// Who was proved.
    pub principal: PrincipalName,
    /// Which database is asked for.
    pub database: DatabaseName,
    /// Through which gateway.
    pub gateway: GatewayId,
    /// Through which process of it.
    pub instance: String,
    /// From which address.
    pub client_address: String,
    /// The client's own application_name.
    pub application_name: String,
}

/// A session was authorised.
#[derive(Debug, Clone)]
pub struct Authorised {
    /// The grant, as of this transaction.
    pub grant: Stored,
    /// The head of the change log in the same transaction.
    pub read_version: Version,
    /// The key of the grant's project.
    pub project_key: Secret<[u8; 32]>,
    /// What no session has drawn of the grant's budget.
    pub budget_left: Amounts,
    /// The leaf that tells of it.
    pub sequence: Sequence,
}

/// Why a session was not authorised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenRefused {
    /// No such grant is live for this principal on this database.
    NoGrant,
    /// The grant has its most sessions.
    TooManySessions(u32),
}

/// What a kill found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KillOutcome {
    /// There is no such session.
    Unknown,
    /// Its gateway said that it is over.
    Over(Session),
    /// It is to end.
    Killed {
        /// The session.
        session: Session,
        /// The change that its gateway has to have carried out.
        version: Version,
        /// The leaf that tells of it is this one or an earlier one.
        sequence: Sequence,
    },
}

/// Which sessions to list.
#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    /// Only under this grant.
    pub grant: Option<GrantId>,
    /// Also those that have ended.
    pub include_ended: bool,
    /// At most this many.
    pub limit: u32,
    /// Only those before this position, as [`Page::next`] gave it.
    pub before: Option<i64>,
}

impl Store {
    /// Authorises a session on the live state: the grant is live, it is this principal's on this
    /// database, and it has room for one more.
    pub async fn open_session(
        &self,
        request: &SessionRequest,
        now: Timestamp,
    ) -> Result<Result<Authorised, OpenRefused>, StoreError> {
        within(async {
            let mut write = self.begin(now).await?;
            let found = read::find(&mut write, request.grant).await?;
            let Some(grant) = found.filter(|stored| {
                stored.is_live(now)
                    && stored.grant.terms.principal == request.principal
                    && stored.grant.terms.database == request.database
            }) else {
                return Ok(Err(OpenRefused::NoGrant));
            };
            let live: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM session WHERE grant_id = ? AND ended_at IS NULL",
            )
            .bind(request.grant.as_str())
            .fetch_one(&mut **write)
            .await?;
            let most = grant.grant.terms.max_sessions;
            if rows::unsigned(live) >= u64::from(most) {
                return Ok(Err(OpenRefused::TooManySessions(most)));
            }
            if find(&mut write, request.id).await?.is_some() {
                return Err(StoreError::SessionTaken(request.id));
            }
            insert(&mut write, request, now).await?;
            let read_version = write.head();
            let project_key = project::key(&mut write, &grant.grant.terms.project).await?;
            let event = Event::SessionOpened {
                session: request.id,
                grant: request.grant,
                gateway: request.gateway.clone(),
                version: read_version,
            };
            write.event(&event).await?;
            let drawn = budget::drawn(&mut write, request.grant).await?;
            let sequence = write.commit().await?;
            Ok(Ok(Authorised {
                budget_left: grant.grant.terms.budget.left(drawn),
                grant,
                read_version,
                project_key,
                sequence,
            }))
        })
        .await?
    }

    /// Records that a session is over, if it is one of this gateway's. Idempotent; the leaf's
    /// number when it was live. `used` is what it used of the budget it drew; without it, all counts.
    pub async fn close_session(
        &self,
        id: SessionId,
        gateway: &GatewayId,
        reason: EndReason,
        used: Option<Amounts>,
        now: Timestamp,
    ) -> Result<Option<Sequence>, StoreError> {
        within(async {
            let mut write = self.begin(now).await?;
            let closed = sqlx::query(
                "UPDATE session SET ended_at = ?, end_reason = ?
                 WHERE id = ? AND gateway = ? AND ended_at IS NULL",
            )
            .bind(now.as_micros())
            .bind(reason.as_str())
            .bind(id.as_str())
            .bind(gateway.as_str())
            .execute(&mut **write)
            .await?;
            if closed.rows_affected() == 0 {
                return Ok(None);
            }
            if let Some(used) = used {
                budget::give_back(&mut write, id, used).await?;
            }
            let event = Event::SessionClosed {
                session: id,
                gateway: gateway.clone(),
                reason: reason.as_str().to_owned(),
                version: write.head(),
            };
            write.event(&event).await?;
            Ok(Some(write.commit().await?))
        })
        .await?
    }

    /// Kills a session; its grant lives on. Idempotent: a second kill names the first one's
    /// change.
    pub async fn kill_session(
        &self,
        id: SessionId,
        by: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<KillOutcome, StoreError> {
        within(async {
            let mut write = self.begin(now).await?;
            let Some((session, killed)) = find(&mut write, id).await? else {
                return Ok(KillOutcome::Unknown);
            };
            if let Some(version) = killed {
                let sequence = write.sequence();
                return Ok(KillOutcome::Killed {
                    session,
                    version,
                    sequence,
                });
            }
            // A gateway that was lost may still serve; every other end is the gateway's own word.
            if session
                .ended
                .is_some_and(|(_, reason)| reason != EndReason::GatewayLost)
            {
                return Ok(KillOutcome::Over(session));
            }
            let told = if reason.is_empty() {
                "the session was killed"
            } else {
                reason
            };
            let (session_id, told) = (id, told.to_owned());
            let version = write
                .change(|version| Change::SessionKilled {
                    version,
                    session: session_id,
                    reason: told,
                })
                .await?;
            sqlx::query("UPDATE session SET killed_version = ? WHERE id = ?")
                .bind(rows::signed(version.0))
                .bind(id.as_str())
                .execute(&mut **write)
                .await?;
            let event = Event::SessionKilled {
                actor: by.to_owned(),
                version,
                session: id,
                reason: reason.to_owned(),
            };
            write.event(&event).await?;
            let sequence = write.commit().await?;
            Ok(KillOutcome::Killed {
                session,
                version,
                sequence,
            })
        })
        .await?
    }

    /// The session with this id.
    pub async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        within(async {
            Ok(find(&mut self.reader().await?, id)
                .await?
                .map(|(session, _)| session))
        })
        .await?
    }

    /// Sessions, newest first.
    pub async fn sessions(&self, filter: &SessionFilter) -> Result<Page<Session>, StoreError> {
        within(async {
            let rows = sqlx::query(
                "SELECT * FROM session
                 WHERE (?1 IS NULL OR grant_id = ?1) AND (?2 OR ended_at IS NULL)
                   AND (?3 IS NULL OR serial < ?3)
                 ORDER BY serial DESC LIMIT ?4",
            )
            .bind(filter.grant.as_ref().map(GrantId::as_str))
            .bind(filter.include_ended)
            .bind(filter.before)
            .bind(filter.limit.saturating_add(1))
            .fetch_all(self.readers())
            .await?;
            read::page(&rows, filter.limit, session)
        })
        .await?
    }
}

pub(crate) async fn find(
    tx: &mut Transaction<'static, Sqlite>,
    id: SessionId,
) -> Result<Option<(Session, Option<Version>)>, StoreError> {
    let row = sqlx::query("SELECT * FROM session WHERE id = ?")
        .bind(id.as_str())
        .fetch_optional(&mut **tx)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let killed: Option<i64> = row.try_get("killed_version")?;
    Ok(Some((
        session(&row)?,
        killed.map(|version| Version(rows::unsigned(version))),
    )))
}

async fn insert(
    tx: &mut Transaction<'static, Sqlite>,
    request: &SessionRequest,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO session (id, serial, grant_id, principal, database, gateway, instance,
                client_address, application_name, opened_at)
         VALUES (?, (SELECT coalesce(max(serial), 0) + 1 FROM session), ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(request.id.as_str())
    .bind(request.grant.as_str())
    .bind(request.principal.as_str())
    .bind(request.database.as_str())
    .bind(request.gateway.as_str())
    .bind(&request.instance)
    .bind(&request.client_address)
    .bind(&request.application_name)
    .bind(now.as_micros())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(crate) fn session(row: &SqliteRow) -> Result<Session, StoreError> {
    let id: String = row.try_get("id")?;
    let damaged = |what| StoreError::Damaged {
        what,
        row: format!("session {id}"),
    };
    let ended = match row.try_get("ended_at")? {
        None => None,
        Some(at) => {
            let reason = rows::parse(row, "end_reason").map_err(|()| damaged("end_reason"))?;
            Some((Timestamp::from_micros(at), reason))
        }
    };
    Ok(Session {
        id: id.parse().map_err(|_| damaged("id"))?,
        grant: rows::parse(row, "grant_id").map_err(|()| damaged("grant_id"))?,
        principal: rows::parse(row, "principal").map_err(|()| damaged("principal"))?,
        database: rows::parse(row, "database").map_err(|()| damaged("database"))?,
        gateway: rows::parse(row, "gateway").map_err(|()| damaged("gateway"))?,
        client_address: row.try_get("client_address")?,
        application_name: row.try_get("application_name")?,
        opened_at: Timestamp::from_micros(row.try_get("opened_at")?),
        ended,
    })
}
