//! Grants and sessions.

use phigate_grant::{Budget, Grant, GrantRequest, InvalidField, Life, RawGrantRequest};
use phigate_grant::{Session, State};
use phigate_phi::ColumnName;
use phigate_types::Timestamp;

use crate::time::{from_duration, to_timestamp};
use crate::v1;

impl From<v1::CreateGrantRequest> for RawGrantRequest {
    fn from(request: v1::CreateGrantRequest) -> Self {
        Self {
            principal: request.principal,
            database: request.database,
            profile: request.profile,
            purpose: request.purpose,
            reason: request.reason,
            duration: from_duration("duration", request.duration).ok(),
            reveal: request.reveal,
            block: request.block,
            write: request.write,
            max_sessions: request.max_sessions,
            project: request.project,
            sensitivity: request.sensitivity,
            data_use_agreement: request.data_use_agreement,
            determination: request.determination,
            budget: request.budget.map(Budget::from).unwrap_or_default(),
        }
    }
}

impl From<v1::Budget> for Budget {
    fn from(sent: v1::Budget) -> Self {
        Self {
            rows: sent.rows,
            patients: sent.patients,
            identifiers: sent.identifiers,
            bytes: sent.bytes,
        }
    }
}

impl From<Budget> for v1::Budget {
    fn from(budget: Budget) -> Self {
        Self {
            rows: budget.rows,
            patients: budget.patients,
            identifiers: budget.identifiers,
            bytes: budget.bytes,
        }
    }
}

impl TryFrom<v1::CreateGrantRequest> for GrantRequest {
    type Error = InvalidField;

    fn try_from(request: v1::CreateGrantRequest) -> Result<Self, InvalidField> {
        RawGrantRequest::from(request).try_into()
    }
}

impl v1::Grant {
    /// The grant as it is at `now`.
    pub fn of(grant: &Grant, now: Timestamp) -> Self {
        let terms = &grant.terms;
        let revoked = match &grant.life {
            Life::Revoked(ended) => Some(ended),
            Life::Active | Life::Expired(_) => None,
        };
        let state = match grant.state(now) {
            State::Active => v1::GrantState::Active,
            State::Expired => v1::GrantState::Expired,
            State::Revoked => v1::GrantState::Revoked,
        };
        let names = |paths: &[ColumnName]| paths.iter().map(ToString::to_string).collect();
        Self {
            grant_id: grant.id.to_string(),
            principal: terms.principal.to_string(),
            database: terms.database.to_string(),
            profile: terms.profile.to_string(),
            purpose: terms.purpose.to_string(),
            reason: terms.reason.clone(),
            reveal: names(&terms.reveal),
            block: names(&terms.block),
            write: terms.write,
            state: state.into(),
            epoch: grant.epoch.0,
            created_at: Some(to_timestamp(grant.created_at)),
            expires_at: Some(to_timestamp(grant.expires_at)),
            revoked_at: revoked.map(|ended| to_timestamp(ended.at)),
            created_by: grant.created_by.clone(),
            revoked_by: revoked.map(|ended| ended.by.clone()).unwrap_or_default(),
            max_sessions: terms.max_sessions,
            project: terms.project.as_str().to_owned(),
            patients: terms.cohort.as_ref().map_or(0, |cohort| cohort.patients),
            cohort_id: terms
                .cohort
                .as_ref()
                .map(|cohort| cohort.id.clone())
                .unwrap_or_default(),
            sensitivity: terms.sensitivity.iter().map(ToString::to_string).collect(),
            data_use_agreement: terms.data_use_agreement.clone(),
            determination: terms.determination.clone(),
            budget: Some(terms.budget.into()),
        }
    }
}

impl From<&Session> for v1::Session {
    fn from(session: &Session) -> Self {
        Self {
            session_id: session.id.to_string(),
            grant_id: session.grant.to_string(),
            principal: session.principal.to_string(),
            database: session.database.to_string(),
            gateway_id: session.gateway.to_string(),
            client_address: session.client_address.clone(),
            application_name: session.application_name.clone(),
            opened_at: Some(to_timestamp(session.opened_at)),
            ended_at: session.ended.map(|(at, _)| to_timestamp(at)),
            end_reason: session
                .ended
                .map(|(_, reason)| reason.to_string())
                .unwrap_or_default(),
        }
    }
}
