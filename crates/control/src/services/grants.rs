//! GrantService.

use std::sync::Arc;

use aws_lc_rs::hmac;
use phigate_grant::{Cohort, Ended, Grant, GrantRequest, PatientList};
use phigate_proto::v1::grant_service_server::GrantService;
use phigate_proto::{parse, v1};
use phigate_store::{Credential, GrantFilter, NewGrant};
use phigate_types::{GrantId, Secret};
use phigate_wire::scram;
use tonic::{Request, Response, Status};

use super::{invalid, optional, page_size, page_token, reason};
use crate::databases::Policy;
use crate::plane::{ADMIN, Plane, stored};
use crate::token::random;
use crate::{clock, crosswalk};

/// Characters of a password: Crockford's base 32, 5 bits each; nothing a shell or a URL minds.
const PASSWORD_LEN: usize = 26;

/// What the store's key is used for when it names patient lists. Salts are derived under other labels.
const COHORT_LABEL: &[u8] = b"phigate cohort 1\n";

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Administration of grants.
pub(crate) struct Grants(pub(crate) Arc<Plane>);

#[tonic::async_trait]
impl GrantService for Grants {
    async fn create_grant(
        &self,
        request: Request<v1::CreateGrantRequest>,
    ) -> Result<Response<v1::CreateGrantResponse>, Status> {
        let plane = &self.0;
        let mut request = request.into_inner();
        let patients = request
            .patients
            .take()
            .map(|list| PatientList::new(list.ids));
        let patients = patients.transpose().map_err(|error| invalid(&error))?;
        let mut terms = GrantRequest::try_from(request).map_err(|error| invalid(&error))?;
        terms.cohort = patients.as_ref().map(|patients| cohort(plane, patients));
        // Until it is committed, what it releases stays what its classification says.
        let _classified = plane.classified.read().await;
        let policy = admissible(plane, &terms)?;
        plane.recorder.check()?;
        let password = password()?;
        let credential = credential(plane, &terms, &password).await?;
        let id = GrantId::from_random(random().map_err(internal)?);
        let grant = Grant::new(id, terms, ADMIN.to_owned(), clock::now());
        let new = NewGrant {
            grant: &grant,
            credential: &credential,
            policy: &policy.id,
            policy_body: &policy.body,
            patients: patients.as_ref(),
        };
        let created = stored(plane.store.create_grant(&new).await)?;
        plane.recorder.wait(created.sequence).await?;
        tracing::info!(grant = %id, principal = %grant.terms.principal,
            database = %grant.terms.database, profile = %grant.terms.profile, "grant created");
        crosswalk::of_new_grant(plane, &grant).await;
        let (host, port) = plane
            .gateways
            .address(&grant.terms.database)
            .unwrap_or_default();
        Ok(Response::new(v1::CreateGrantResponse {
            user: grant.terms.principal.to_string(),
            password: password.expose().clone(),
            host,
            port: u32::from(port),
            grant: Some(v1::Grant::of(&grant, clock::now())),
        }))
    }

    async fn revoke_grant(
        &self,
        request: Request<v1::RevokeGrantRequest>,
    ) -> Result<Response<v1::RevokeGrantResponse>, Status> {
        let called = clock::boottime();
        let request = request.into_inner();
        let id: GrantId = parse("grant_id", &request.grant_id)?;
        let reason = reason(&request.reason)?;
        let plane = Arc::clone(&self.0);
        // A caller that hangs up does not stop a revocation half-way.
        let revoked = tokio::spawn(async move { revoke(&plane, id, reason, called).await });
        revoked
            .await
            .map_err(|_| Status::internal("the revocation failed"))?
    }

    async fn list_grants(
        &self,
        request: Request<v1::ListGrantsRequest>,
    ) -> Result<Response<v1::ListGrantsResponse>, Status> {
        let request = request.into_inner();
        let filter = GrantFilter {
            principal: optional("principal", &request.principal)?,
            database: optional("database", &request.database)?,
            include_ended: request.include_ended,
            limit: page_size(request.page_size)?,
            before: page_token(&request.page_token)?,
        };
        let now = clock::now();
        let page = stored(self.0.store.grants(&filter, now).await)?;
        let grants = page
            .items
            .iter()
            .map(|stored| v1::Grant::of(&stored.grant, now));
        Ok(Response::new(v1::ListGrantsResponse {
            grants: grants.collect(),
            next_page_token: page.next.map(|next| next.to_string()).unwrap_or_default(),
        }))
    }

    async fn get_grant(
        &self,
        request: Request<v1::GetGrantRequest>,
    ) -> Result<Response<v1::GetGrantResponse>, Status> {
        let id: GrantId = parse("grant_id", &request.into_inner().grant_id)?;
        let found = stored(self.0.store.grant(id).await)?;
        let found = found.ok_or_else(|| Status::not_found(format!("no grant has the id {id}")))?;
        Ok(Response::new(v1::GetGrantResponse {
            grant: Some(v1::Grant::of(&found.grant, clock::now())),
        }))
    }
}

/// What the request names must exist.
fn admissible(plane: &Plane, terms: &GrantRequest) -> Result<Policy, Status> {
    let policy = plane.databases.policy(terms).ok_or_else(|| {
        Status::not_found(format!("database: {} is not configured", terms.database))
    })?;
    let known = plane
        .principals
        .load()
        .as_ref()
        .as_ref()
        .is_none_or(|known| known.contains(&terms.principal));
    if !known {
        let principal = &terms.principal;
        return Err(Status::not_found(format!(
            "principal: {principal} is not known"
        )));
    }
    let policy = policy.map_err(|error| {
        use phigate_phi::PolicyError::{
            DuplicateRule, RevealedAndBlocked, UndeclaredSensitivity, UnknownColumn,
        };
        let field = match &error {
            UnknownColumn(column) if terms.reveal.contains(column) => "reveal",
            UnknownColumn(_) | RevealedAndBlocked(_) => "block",
            UndeclaredSensitivity(_) => "sensitivity",
            DuplicateRule(_) => "database",
        };
        Status::invalid_argument(format!("{field}: {error}"))
    })?;
    let masked_views = plane
        .databases
        .get(&terms.database)
        .is_some_and(|spec| spec.masked_views);
    if policy.restricts_rows && !masked_views {
        return Err(needs_views(terms));
    }
    Ok(policy)
}

/// Inline enforcement has no barrier against what PostgreSQL computes of rows that are out of scope.
fn needs_views(terms: &GrantRequest) -> Status {
    let database = &terms.database;
    let field = match terms.cohort {
        Some(_) => "patients: a grant that lists patients",
        None => {
            "sensitivity: a grant that does not name every sensitivity of the database's row rules"
        }
    };
    Status::failed_precondition(format!(
        "{field} needs masked views, and {database} is not served with enforcement = \"views\""
    ))
}

/// Names a list without telling whom it names: lists are short and keys are few, so that a plain hash
/// could be tried out.
fn cohort(plane: &Plane, patients: &PatientList) -> Cohort {
    let key = hmac::Key::new(hmac::HMAC_SHA256, plane.store.salt_key().expose());
    let mut tag = hmac::Context::with_key(&key);
    tag.update(COHORT_LABEL);
    tag.update(patients.to_lines().as_bytes());
    Cohort {
        id: hex::encode(tag.sign()),
        patients: patients.len(),
    }
}

/// 130 random bits.
fn password() -> Result<Secret<String>, Status> {
    let bytes: [u8; PASSWORD_LEN] = random().map_err(internal)?;
    let letters = bytes
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte & 31)));
    Ok(Secret::new(
        letters.map(|letter| char::from(*letter)).collect(),
    ))
}

/// The verifier; made off the async threads, because it is slow on purpose.
async fn credential(
    plane: &Plane,
    terms: &GrantRequest,
    password: &Secret<String>,
) -> Result<Credential, Status> {
    let salt = scram::derive_salt(plane.store.salt_key().expose(), terms.principal.as_str());
    let password = password.clone();
    let derive = move || scram::Verifier::derive(password.expose(), &salt, scram::ITERATIONS);
    let verifier = tokio::task::spawn_blocking(derive)
        .await
        .map_err(|_| Status::internal("the verifier could not be made"))?;
    Ok(Credential {
        stored_key: verifier.stored_key,
        server_key: verifier.server_key,
    })
}

async fn revoke(
    plane: &Plane,
    id: GrantId,
    reason: String,
    called: phigate_lease::Instant,
) -> Result<Response<v1::RevokeGrantResponse>, Status> {
    let ended = Ended {
        at: clock::now(),
        by: ADMIN.to_owned(),
        reason,
    };
    let end = stored(plane.store.revoke_grant(id, ended).await)?;
    let barrier = plane.barrier(end.version, called, (Some(id), None), None);
    let (passed, recorded) = tokio::join!(barrier, plane.recorder.wait(end.sequence));
    recorded?;
    tracing::info!(grant = %id, barrier_ms = passed.barrier_ms, changed = end.changed, "grant revoked");
    Ok(Response::new(v1::RevokeGrantResponse {
        grant: end
            .grant
            .map(|stored| v1::Grant::of(&stored.grant, clock::now())),
        barrier_ms: passed.barrier_ms,
        gateways: passed.gateways,
    }))
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn internal(error: crate::ControlError) -> Status {
    Status::internal(error.to_string())
}
