//! The patients that grants are limited to, fetched when a session opens.

use std::sync::Arc;

use moka::future::Cache;

use crate::authorise::Denied;
use crate::control::{Control, ControlError};
use crate::limits;

/// One list: keys as PostgreSQL prints them. It has no `Debug`.
pub(crate) struct Patients(pub(crate) Vec<String>);

/// Lists by the hash that names them. Kept for a short while: clients open connections in bunches.
#[derive(Clone)]
pub(crate) struct Cohorts(Cache<String, Arc<Patients>>);

impl Cohorts {
    pub(crate) fn new() -> Self {
        Self(
            Cache::builder()
                .max_capacity(limits::COHORT_CACHE)
                .time_to_live(limits::COHORT_KEPT)
                .build(),
        )
    }

    /// The list of a cohort that the control plane has just named.
    pub(crate) async fn get(&self, control: &Control, id: &str) -> Result<Arc<Patients>, Denied> {
        if let Some(patients) = self.0.get(id).await {
            return Ok(patients);
        }
        let denied = |error: ControlError| {
            tracing::warn!(%error, "GetCohort");
            ("control_unavailable", ControlError::for_client())
        };
        let ids = control.cohort(id).await.map_err(denied)?;
        // INVARIANT: a list that is empty must never be taken for no limit.
        if ids.is_empty() || ids.len() > limits::COHORT {
            return Err(denied(ControlError::Answer("GetCohort".to_owned())));
        }
        let patients = Arc::new(Patients(ids));
        self.0.insert(id.to_owned(), Arc::clone(&patients)).await;
        Ok(patients)
    }
}
