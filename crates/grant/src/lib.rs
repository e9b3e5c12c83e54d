//! Grants as state machines: what may be asked for, how a grant lives, how it ends.
//!
//! Pure: time is an argument, ids come from outside. An ended grant stays ended; its epoch only
//! rises.

mod budget;
mod cohort;
mod grant;
mod request;
mod session;

pub use budget::{Amounts, Budget, Counted, MAX_PATIENT_KEYS, PatientKey, Wanted};
pub use cohort::{Cohort, MAX_PATIENT_ID, MAX_PATIENTS, PatientList};
pub use grant::{Ended, Grant, Life, NotDue, Revocation, State, Tombstone};
pub use request::{
    GrantRequest, InvalidField, MAX_COLUMNS, MAX_DURATION, MAX_REASON, MAX_SESSIONS, MIN_DURATION,
    ProjectName, RawGrantRequest, check_reason,
};
pub use session::{EndReason, Session, UnknownEndReason};

/// A column as grants name it.
pub use phigate_phi::{ColumnName, SensitivityCode};

/// Sessions a grant may have at one time where the request does not say.
pub const DEFAULT_SESSIONS: u32 = 16;

/// Live grants that one principal may hold on one database; a SCRAM proof is tried against each.
pub const MAX_LIVE_GRANTS: usize = 16;
