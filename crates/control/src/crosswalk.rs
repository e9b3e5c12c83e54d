//! Codes assigned at random to keys, for grants under safe harbor: when a database is hardened, when
//! a grant is made, and when an administrator says that keys were added.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use phigate_catalog::{AssignedCodes, assign_codes};
use phigate_grant::{Grant, ProjectName};
use phigate_phi::keys;
use phigate_types::{DatabaseName, Profile};
use tonic::Status;

use crate::plane::{Plane, stored};

/// How long a new grant waits for its codes. Where they take longer, keys are NULL until they are there.
const GRANT_WAITS: Duration = Duration::from_secs(5);

/// How long an administrator waits: less than `phictl` does for any answer.
const ADMIN_WAITS: Duration = Duration::from_secs(20);

/// The projects whose keys need codes in a database, as it numbers them: those of its live grants
/// under safe harbor.
async fn projects(plane: &Plane, database: &DatabaseName) -> Result<Vec<i64>, Status> {
    let mut projects = BTreeSet::new();
    for found in stored(plane.store.active_grants().await)? {
        let terms = &found.grant.terms;
        if terms.database == *database && terms.profile == Profile::SafeHarbor {
            projects.insert(terms.project.clone());
        }
    }
    let mut numbers = Vec::with_capacity(projects.len());
    for project in &projects {
        numbers.push(number(plane, project).await?);
    }
    Ok(numbers)
}

/// Assigns a code to every key of the database that has none, for the projects of all live grants.
/// `None` when that takes longer than [`ADMIN_WAITS`]: it goes on by itself.
pub(crate) async fn refresh(
    plane: &Arc<Plane>,
    database: &DatabaseName,
) -> Result<Option<AssignedCodes>, Status> {
    let projects = projects(plane, database).await?;
    assign(plane, database, projects, ADMIN_WAITS).await
}

/// The same for the project of a grant that was just made. The grant is good whatever comes of it: a
/// key without a code is NULL.
pub(crate) async fn of_new_grant(plane: &Arc<Plane>, grant: &Grant) {
    let terms = &grant.terms;
    let spec = plane.databases.get(&terms.database);
    if terms.profile != Profile::SafeHarbor || !spec.is_some_and(|spec| spec.masked_views) {
        return;
    }
    if let Ok(number) = number(plane, &terms.project).await {
        // What went wrong is in the log.
        let _ = assign(plane, &terms.database, vec![number], GRANT_WAITS).await;
    }
}

async fn assign(
    plane: &Plane,
    database: &DatabaseName,
    projects: Vec<i64>,
    waits: Duration,
) -> Result<Option<AssignedCodes>, Status> {
    if projects.is_empty() {
        return Ok(Some(AssignedCodes::default()));
    }
    let (upstream, name) = (plane.catalogs.upstream(database)?, database.clone());
    let assigning = tokio::spawn(async move {
        let outcome = assign_codes(&upstream, &projects).await;
        match &outcome {
            Ok(codes) => tracing::info!(database = %name, assigned = codes.assigned,
                failed = codes.failed.join(", "), "codes were assigned"),
            Err(error) => tracing::warn!(database = %name, %error, "codes were not assigned"),
        }
        outcome
    });
    match tokio::time::timeout(waits, assigning).await {
        Err(_) => Ok(None),
        Ok(Err(_)) => Err(Status::internal("assigning codes failed")),
        Ok(Ok(Ok(codes))) => Ok(Some(codes)),
        Ok(Ok(Err(error))) => Err(Status::failed_precondition(format!(
            "database {database}: codes were not assigned: {error}; is it hardened?"
        ))),
    }
}

async fn number(plane: &Plane, project: &ProjectName) -> Result<i64, Status> {
    let key = stored(plane.store.project_key(project).await)?;
    Ok(keys::project_number(key.expose()))
}
