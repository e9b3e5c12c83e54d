//! SessionService.

use std::sync::Arc;

use phigate_proto::v1::session_service_server::SessionService;
use phigate_proto::{parse, v1};
use phigate_store::{KillOutcome, SessionFilter};
use phigate_types::SessionId;
use tonic::{Request, Response, Status};

use super::{optional, page_size, page_token, reason};
use crate::clock;
use crate::plane::{ADMIN, Plane, stored};

/// Administration of sessions.
pub(crate) struct Sessions(pub(crate) Arc<Plane>);

#[tonic::async_trait]
impl SessionService for Sessions {
    async fn list_sessions(
        &self,
        request: Request<v1::ListSessionsRequest>,
    ) -> Result<Response<v1::ListSessionsResponse>, Status> {
        let request = request.into_inner();
        let filter = SessionFilter {
            grant: optional("grant_id", &request.grant_id)?,
            include_ended: request.include_ended,
            limit: page_size(request.page_size)?,
            before: page_token(&request.page_token)?,
        };
        let page = stored(self.0.store.sessions(&filter).await)?;
        Ok(Response::new(v1::ListSessionsResponse {
            sessions: page.items.iter().map(v1::Session::from).collect(),
            next_page_token: page.next.map(|next| next.to_string()).unwrap_or_default(),
        }))
    }

    async fn get_session(
        &self,
        request: Request<v1::GetSessionRequest>,
    ) -> Result<Response<v1::GetSessionResponse>, Status> {
        let id: SessionId = parse("session_id", &request.into_inner().session_id)?;
        let session = stored(self.0.store.session(id).await)?.ok_or_else(|| unknown(id))?;
        Ok(Response::new(v1::GetSessionResponse {
            session: Some(v1::Session::from(&session)),
        }))
    }

    async fn kill_session(
        &self,
        request: Request<v1::KillSessionRequest>,
    ) -> Result<Response<v1::KillSessionResponse>, Status> {
        let called = clock::boottime();
        let request = request.into_inner();
        let id: SessionId = parse("session_id", &request.session_id)?;
        let reason = reason(&request.reason)?;
        let plane = Arc::clone(&self.0);
        // A caller that hangs up does not stop a kill half-way.
        let killed = tokio::spawn(async move { kill(&plane, id, &reason, called).await });
        killed
            .await
            .map_err(|_| Status::internal("the kill failed"))?
    }
}

async fn kill(
    plane: &Plane,
    id: SessionId,
    reason: &str,
    called: phigate_lease::Instant,
) -> Result<Response<v1::KillSessionResponse>, Status> {
    let killed = plane
        .store
        .kill_session(id, ADMIN, reason, clock::now())
        .await;
    let (session, version, sequence) = match stored(killed)? {
        KillOutcome::Unknown => return Err(unknown(id)),
        KillOutcome::Over(_) => return Ok(Response::new(v1::KillSessionResponse::default())),
        KillOutcome::Killed {
            session,
            version,
            sequence,
        } => (session, version, sequence),
    };
    let barrier = plane.barrier(version, called, (None, Some(id)), Some(&session.gateway));
    let (passed, recorded) = tokio::join!(barrier, plane.recorder.wait(sequence));
    recorded?;
    tracing::info!(session = %id, barrier_ms = passed.barrier_ms, "session killed");
    Ok(Response::new(v1::KillSessionResponse {
        barrier_ms: passed.barrier_ms,
        gateways: passed.gateways,
    }))
}

fn unknown(id: SessionId) -> Status {
    Status::not_found(format!("no session has the id {id}"))
}
