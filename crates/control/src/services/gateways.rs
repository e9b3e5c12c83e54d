//! GatewayService. Each call is judged by the name in the client certificate.

use std::sync::Arc;

use phigate_grant::{Amounts, EndReason, MAX_PATIENT_KEYS, PatientKey, Wanted};
use phigate_proto::v1::gateway_service_server::GatewayService;
use phigate_proto::{parse, to_duration, to_timestamp, v1};
use phigate_store::{DrawRefused, Drawn, OpenRefused, SessionRequest};
use phigate_types::DatabaseName;
use phigate_wire::scram;
use prost::Message as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::plane::{Plane, stored};
use crate::{access, attach, clock};

/// The longest client address and application_name that are kept, in bytes.
const MAX_TEXT: usize = 256;

/// What gateways call.
pub(crate) struct Gateways(pub(crate) Arc<Plane>);

#[tonic::async_trait]
impl GatewayService for Gateways {
    type AttachStream = ReceiverStream<Result<v1::AttachResponse, Status>>;
    type GetCohortStream = tokio_stream::Iter<std::vec::IntoIter<Result<v1::PatientList, Status>>>;

    async fn attach(
        &self,
        request: Request<Streaming<v1::AttachRequest>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let gateway = access::gateway(&request)?;
        let (out, answers) = mpsc::channel(attach::OUT_QUEUE);
        let plane = Arc::clone(&self.0);
        tokio::spawn(attach::run(plane, gateway, request.into_inner(), out));
        Ok(Response::new(ReceiverStream::new(answers)))
    }

    async fn look_up_credentials(
        &self,
        request: Request<v1::LookUpCredentialsRequest>,
    ) -> Result<Response<v1::LookUpCredentialsResponse>, Status> {
        access::gateway(&request)?;
        let request = request.into_inner();
        let grant = match request.grant_id.as_str() {
            "" => None,
            // Whoever names a grant that cannot exist finds none, as with one that does not.
            text => Some(
                text.parse()
                    .unwrap_or(phigate_types::GrantId::from_random([0; 8])),
            ),
        };
        let store = &self.0.store;
        let found = store.credentials(&request.principal, &request.database, grant, clock::now());
        let credentials = stored(found.await)?
            .into_iter()
            .map(|(grant, key)| v1::Credential {
                grant_id: grant.to_string(),
                stored_key: key.stored_key.to_vec(),
                server_key: key.server_key.to_vec(),
            });
        Ok(Response::new(v1::LookUpCredentialsResponse {
            salt: scram::derive_salt(store.salt_key().expose(), &request.principal).to_vec(),
            iterations: scram::ITERATIONS,
            credentials: credentials.collect(),
        }))
    }

    async fn open_session(
        &self,
        request: Request<v1::OpenSessionRequest>,
    ) -> Result<Response<v1::OpenSessionResponse>, Status> {
        let plane = &self.0;
        let gateway = access::gateway(&request)?;
        let request = request.into_inner();
        if !plane.gateways.is_attached(&gateway, &request.instance_id) {
            return Err(Status::failed_precondition(
                "this process of the gateway is not attached",
            ));
        }
        plane.recorder.check()?;
        let request = SessionRequest {
            id: parse("session_id", &request.session_id)?,
            grant: parse("grant_id", &request.grant_id)?,
            principal: parse("principal", &request.principal)?,
            database: parse("database", &request.database)?,
            gateway,
            instance: request.instance_id,
            client_address: cut(request.client_address),
            application_name: cut(request.application_name),
        };
        let now = clock::now();
        let authorised = match stored(plane.store.open_session(&request, now).await)? {
            Ok(authorised) => authorised,
            Err(OpenRefused::NoGrant) => {
                return Err(Status::permission_denied("no such grant is live"));
            }
            Err(OpenRefused::TooManySessions(most)) => {
                let text = format!("the grant has {most} sessions, its most");
                return Err(Status::resource_exhausted(text));
            }
        };
        plane.recorder.wait(authorised.sequence).await?;
        let grant = &authorised.grant.grant;
        Ok(Response::new(v1::OpenSessionResponse {
            epoch: grant.epoch.0,
            read_version: authorised.read_version.0,
            // Counted from before the store was asked, so never more than there is.
            remaining: Some(to_duration(now.until(grant.expires_at))),
            expires_at: Some(to_timestamp(grant.expires_at)),
            profile: grant.terms.profile.to_string(),
            purpose: grant.terms.purpose.to_string(),
            policy_id: authorised.grant.policy.clone(),
            write: grant.terms.write,
            activated_at: Some(to_timestamp(grant.created_at)),
            budget: Some(grant.terms.budget.into()),
            budget_left: Some(sent(authorised.budget_left)),
            cohort_id: grant
                .terms
                .cohort
                .as_ref()
                .map(|cohort| cohort.id.clone())
                .unwrap_or_default(),
            project_key: authorised.project_key.expose().to_vec(),
            upstream_login_key: login_key(plane, &grant.terms.database),
        }))
    }

    async fn close_session(
        &self,
        request: Request<v1::CloseSessionRequest>,
    ) -> Result<Response<v1::CloseSessionResponse>, Status> {
        let gateway = access::gateway(&request)?;
        let request = request.into_inner();
        let id = parse("session_id", &request.session_id)?;
        let reason: EndReason = parse("end_reason", &request.end_reason)?;
        stored(
            self.0
                .store
                .close_session(
                    id,
                    &gateway,
                    reason,
                    request.used.map(amounts),
                    clock::now(),
                )
                .await,
        )?;
        Ok(Response::new(v1::CloseSessionResponse {}))
    }

    async fn draw_budget(
        &self,
        request: Request<v1::DrawBudgetRequest>,
    ) -> Result<Response<v1::DrawBudgetResponse>, Status> {
        let gateway = access::gateway(&request)?;
        let request = request.into_inner();
        let id = parse("session_id", &request.session_id)?;
        let wanted = Wanted {
            rows: request.rows,
            patients: request.patients,
            identifiers: request.identifiers,
            bytes: request.bytes,
        };
        let keys = patient_keys(request.patient_keys)?;
        let store = &self.0.store;
        let drawn = store.draw(id, &gateway, wanted, &keys, clock::now()).await;
        match stored(drawn)? {
            Ok(Drawn { part, keys, left }) => Ok(Response::new(v1::DrawBudgetResponse {
                drawn: Some(sent(part)),
                left: Some(sent(left)),
                patient_keys: keys,
            })),
            Err(DrawRefused::Spent(counted)) => {
                Err(Status::resource_exhausted(counted.to_string()))
            }
            Err(DrawRefused::NoSession) => Err(Status::not_found("no such session is live")),
        }
    }

    async fn get_cohort(
        &self,
        request: Request<v1::GetCohortRequest>,
    ) -> Result<Response<Self::GetCohortStream>, Status> {
        access::gateway(&request)?;
        let id = request.into_inner().cohort_id;
        let patients = stored(self.0.store.cohort(&id, clock::now()).await)?
            .ok_or_else(|| Status::not_found("no live grant has this cohort"))?;
        let parts: Vec<_> = patients
            .ids()
            .chunks(PATIENTS_AT_ONCE)
            .map(|ids| Ok(v1::PatientList { ids: ids.to_vec() }))
            .collect();
        Ok(Response::new(tokio_stream::iter(parts)))
    }

    async fn get_policy(
        &self,
        request: Request<v1::GetPolicyRequest>,
    ) -> Result<Response<v1::GetPolicyResponse>, Status> {
        access::gateway(&request)?;
        let id = request.into_inner().policy_id;
        let body = stored(self.0.store.policy(&id, clock::now()).await)?
            .ok_or_else(|| Status::not_found("no live grant has this policy"))?;
        let policy = v1::GetPolicyResponse::decode(body.as_slice())
            .map_err(|_| Status::internal("the stored policy is damaged"))?;
        Ok(Response::new(policy))
    }
}

/// The key of the slots' passwords; empty where no masked views enforce.
fn login_key(plane: &Plane, database: &DatabaseName) -> Vec<u8> {
    match plane.databases.get(database) {
        Some(spec) if spec.masked_views => plane.databases.login_key(database).expose().to_vec(),
        _ => Vec::new(),
    }
}

fn sent(amounts: Amounts) -> v1::Amounts {
    v1::Amounts {
        rows: amounts.rows,
        patients: amounts.patients,
        identifiers: amounts.identifiers,
        bytes: amounts.bytes,
    }
}

fn amounts(sent: v1::Amounts) -> Amounts {
    Amounts {
        rows: sent.rows,
        patients: sent.patients,
        identifiers: sent.identifiers,
        bytes: sent.bytes,
    }
}

fn patient_keys(sent: Vec<Vec<u8>>) -> Result<Vec<PatientKey>, Status> {
    if sent.len() > MAX_PATIENT_KEYS {
        return Err(Status::invalid_argument("patient_keys: too many"));
    }
    let keys = sent.into_iter().map(PatientKey::try_from);
    keys.collect::<Result<_, _>>()
        .map_err(|_| Status::invalid_argument("patient_keys: 16 bytes each"))
}

/// How many patients one message of a list has.
const PATIENTS_AT_ONCE: usize = 1000;

/// At most [`MAX_TEXT`] bytes, whole characters, no control characters.
fn cut(text: String) -> String {
    if text.len() <= MAX_TEXT && !text.contains(char::is_control) {
        return text;
    }
    let mut kept = String::new();
    for c in text.chars().filter(|c| !c.is_control()) {
        if kept.len() + c.len_utf8() > MAX_TEXT {
            break;
        }
        kept.push(c);
    }
    kept
}
