//! Asks the control plane, live, what the proved client may do, and enters the session among the
//! live ones.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use phigate_lease::gateway::{Admission, Refused as NotAdmitted};
use phigate_phi::EffectivePolicy;
use phigate_proto::v1;
use phigate_types::{
    Epoch, GrantId, PgError, Profile, Purpose, SessionId, SqlState, Timestamp, Version,
};
use tonic::Code;

use crate::authenticate::no_live_grant;
use crate::clock;
use crate::cohort::Patients;
use crate::control::{Control, ControlError};
use crate::gateway::Gateway;
use crate::limits;
use crate::live::{Live, Registration};
use crate::startup::parameters::Requested;

/// What a session may do, and its place among the live ones.
pub(crate) struct Authorised {
    pub(crate) session: SessionId,
    pub(crate) grant: GrantId,
    pub(crate) epoch: Epoch,
    pub(crate) profile: Profile,
    pub(crate) purpose: Purpose,
    pub(crate) write: bool,
    pub(crate) policy: Arc<EffectivePolicy>,
    /// How much may leave.
    pub(crate) budget: v1::Budget,
    /// What no session has drawn of that.
    pub(crate) budget_left: v1::Amounts,
    /// The patients it is limited to, if it is.
    pub(crate) cohort: Option<(String, Arc<Patients>)>,
    /// The key of pseudonyms and date shifts.
    pub(crate) project_key: phigate_types::Secret<[u8; 32]>,
    /// From which the passwords of the database's slot logins come, in views mode.
    pub(crate) upstream_login_key: Option<phigate_types::Secret<[u8; 32]>>,
    /// The UTC date ages are judged at, `YYYY-MM-DD`.
    pub(crate) as_of: String,
    /// The end, for people.
    pub(crate) expires_at: Timestamp,
    /// The end on CLOCK_BOOTTIME, early by the slack.
    pub(crate) ends: Duration,
    pub(crate) registration: Registration,
}

/// Effective policies by id. They never change: the id is the hash of what they say.
#[derive(Clone)]
pub(crate) struct Policies(Cache<String, Arc<EffectivePolicy>>);

/// The word for the record, and what the client is told.
pub(crate) type Denied = (&'static str, PgError);

/// Opens a session under `grant`.
pub(crate) async fn authorise(
    gateway: &Gateway,
    requested: &Requested,
    grant: GrantId,
    client: std::net::SocketAddr,
) -> Result<Authorised, Denied> {
    let session = SessionId::from_random(crate::random().map_err(|_| defect())?);
    for _ in 0..limits::ADMISSION_ATTEMPTS {
        let seen = gateway.live.seen();
        // The time that remains counts from before the question.
        let asked = clock::now();
        let answer = gateway
            .control
            .open_session(v1::OpenSessionRequest {
                session_id: session.to_string(),
                grant_id: grant.to_string(),
                principal: requested.principal.clone(),
                database: requested.database.clone(),
                client_address: client.to_string(),
                application_name: requested.application_name.clone(),
                seen_version: seen.0,
                instance_id: gateway.instance.clone(),
            })
            .await
            .map_err(|error| refused(&error, requested))?;
        if answer.read_version < seen.0 {
            continue;
        }
        let opened = Opened::read(&answer).map_err(|error| {
            tracing::error!(%error, "OpenSession");
            defect()
        })?;
        let policy = gateway
            .policies
            .get(&gateway.control, &opened.policy_id)
            .await?;
        if policy.profile != opened.profile {
            tracing::error!("OpenSession and GetPolicy disagree on the profile");
            return Err(defect());
        }
        // A list without a policy that needs it, or the other way round, would show every row.
        let listed = !answer.cohort_id.is_empty();
        if policy.rows.scoped != listed {
            tracing::error!("OpenSession and GetPolicy disagree on the patients");
            return Err(defect());
        }
        let cohort = if listed {
            let id = answer.cohort_id.clone();
            let patients = gateway.cohorts.get(&gateway.control, &id).await?;
            Some((id, patients))
        } else {
            None
        };
        let ends = (asked + opened.remaining).saturating_sub(limits::EXPIRY_SLACK);
        if ends.saturating_sub(clock::now()) < limits::SHORTEST_SESSION {
            return Err(("no_live_grant", no_live_grant(requested)));
        }
        let admission = Admission {
            session,
            grant,
            epoch: opened.epoch,
            read_version: Version(answer.read_version),
        };
        let registration = match gateway.live.admit(&admission) {
            Ok(registration) => registration,
            Err(NotAdmitted::AskAgain) => continue,
            Err(NotAdmitted::Ended) => return Err(("no_live_grant", no_live_grant(requested))),
            Err(NotAdmitted::NoLease) => {
                return Err(unready(&gateway.live).unwrap_or_else(not_ready));
            }
        };
        return Ok(Authorised {
            session,
            grant,
            epoch: opened.epoch,
            profile: opened.profile,
            purpose: opened.purpose,
            write: answer.write,
            policy,
            budget: answer.budget.unwrap_or_default(),
            budget_left: answer.budget_left.unwrap_or_default(),
            cohort,
            project_key: opened.project_key,
            upstream_login_key: opened.upstream_login_key,
            as_of: opened.activated_at.date(),
            expires_at: opened.expires_at,
            ends,
            registration,
        });
    }
    Err(not_ready())
}

/// Why nobody is let in at present, if that is so.
pub(crate) fn unready(live: &Live) -> Option<Denied> {
    if live.is_draining() {
        return Some((
            "draining",
            PgError::fatal(SqlState::CANNOT_CONNECT_NOW, "the gateway is stopping")
                .with_hint("connect again in a moment, or to another gateway"),
        ));
    }
    (!live.is_live(clock::now())).then(not_ready)
}

/// What clients are told while the gateway may not serve.
pub(crate) fn not_ready() -> Denied {
    (
        "no_lease",
        PgError::fatal(
            SqlState::CANNOT_CONNECT_NOW,
            "the gateway is not ready: it has no lease from its control plane",
        )
        .with_hint("try again in a few seconds"),
    )
}

// === impl Policies ===

impl Policies {
    pub(crate) fn new() -> Self {
        Self(Cache::new(limits::POLICY_CACHE))
    }

    async fn get(&self, control: &Control, id: &str) -> Result<Arc<EffectivePolicy>, Denied> {
        if let Some(policy) = self.0.get(id).await {
            return Ok(policy);
        }
        let answer = control.policy(id).await.map_err(|error| {
            tracing::warn!(%error, "GetPolicy");
            ("control_unavailable", ControlError::for_client())
        })?;
        let policy = EffectivePolicy::try_from(answer).map_err(|error| {
            tracing::error!(%error, "GetPolicy");
            defect()
        })?;
        // The id is the hash of what it says: another policy can never be put in its place.
        if policy.id.as_str() != id {
            tracing::error!("the policy's content does not match its id");
            return Err(defect());
        }
        let policy = Arc::new(policy);
        self.0.insert(id.to_owned(), Arc::clone(&policy)).await;
        Ok(policy)
    }
}

/// OpenSessionResponse, checked.
struct Opened {
    epoch: Epoch,
    remaining: Duration,
    expires_at: Timestamp,
    activated_at: Timestamp,
    profile: Profile,
    purpose: Purpose,
    policy_id: String,
    project_key: phigate_types::Secret<[u8; 32]>,
    upstream_login_key: Option<phigate_types::Secret<[u8; 32]>>,
}

impl Opened {
    fn read(answer: &v1::OpenSessionResponse) -> Result<Self, ControlError> {
        let wrong = |field: &str| ControlError::Answer(format!("OpenSessionResponse.{field}"));
        let remaining = answer
            .remaining
            .as_ref()
            .ok_or_else(|| wrong("remaining"))?;
        let remaining = Duration::new(
            u64::try_from(remaining.seconds).map_err(|_| wrong("remaining"))?,
            u32::try_from(remaining.nanos).map_err(|_| wrong("remaining"))?,
        );
        let key = answer
            .project_key
            .as_slice()
            .try_into()
            .map_err(|_| wrong("project_key"))?;
        let upstream_login_key = match answer.upstream_login_key.as_slice() {
            [] => None,
            key => {
                let key = key.try_into().map_err(|_| wrong("upstream_login_key"))?;
                Some(phigate_types::Secret::new(key))
            }
        };
        Ok(Self {
            epoch: Epoch(answer.epoch),
            remaining,
            expires_at: timestamp(answer.expires_at.as_ref()).ok_or_else(|| wrong("expires_at"))?,
            activated_at: timestamp(answer.activated_at.as_ref())
                .ok_or_else(|| wrong("activated_at"))?,
            profile: answer.profile.parse().map_err(|_| wrong("profile"))?,
            purpose: answer.purpose.parse().map_err(|_| wrong("purpose"))?,
            policy_id: answer.policy_id.clone(),
            project_key: phigate_types::Secret::new(key),
            upstream_login_key,
        })
    }
}

fn timestamp(timestamp: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    let timestamp = timestamp?;
    let micros = timestamp.seconds.checked_mul(1_000_000)?;
    Some(Timestamp::from_micros(
        micros.checked_add(i64::from(timestamp.nanos / 1_000))?,
    ))
}

fn refused(error: &ControlError, requested: &Requested) -> Denied {
    tracing::info!(%error, "OpenSession");
    let ControlError::Refused(status) = error else {
        return ("control_unavailable", ControlError::for_client());
    };
    match status.code() {
        Code::PermissionDenied | Code::NotFound => ("no_live_grant", no_live_grant(requested)),
        Code::ResourceExhausted => (
            "too_many_sessions",
            PgError::fatal(
                SqlState::TOO_MANY_CONNECTIONS,
                "the grant has its most sessions open already",
            )
            .with_hint("close a session, or ask for a grant with more"),
        ),
        Code::FailedPrecondition => not_ready(),
        _ => ("control_answer", ControlError::for_client()),
    }
}

fn defect() -> Denied {
    (
        "internal",
        PgError::fatal(
            SqlState::INTERNAL_ERROR,
            "the gateway could not open the session",
        )
        .with_hint("tell the operator of the gateway"),
    )
}
