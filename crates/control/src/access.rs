//! Who may call what: admins by bearer token, gateways by client certificate.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use phigate_types::GatewayId;
use tonic::service::Interceptor;
use tonic::{Request, Status};

use crate::token::AdminToken;

/// Refused administrative calls since they were last recorded, by reason.
#[derive(Clone, Default)]
pub(crate) struct Refusals(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Refusals {
    /// Counts one.
    fn count(&self, reason: &'static str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(reason).or_default() += 1;
    }

    /// Takes the counts: they are recorded together, so that a flood of calls is not a flood of
    /// records.
    pub(crate) fn take(&self) -> BTreeMap<&'static str, u64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Lets calls with the admin's token pass.
#[derive(Clone)]
pub(crate) struct AdminAccess {
    pub(crate) token: AdminToken,
    pub(crate) refusals: Refusals,
}

impl Interceptor for AdminAccess {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let header = request.metadata().get("authorization");
        let token = header
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        match token {
            Some(token) if self.token.is(token) => Ok(request),
            Some(_) => {
                self.refusals.count("wrong_token");
                Err(Status::unauthenticated(
                    "the bearer token is not the admin's",
                ))
            }
            None => {
                self.refusals.count("no_token");
                Err(Status::unauthenticated(
                    "send the admin's token as metadata: authorization: Bearer TOKEN",
                ))
            }
        }
    }
}

/// Which gateway calls. TLS has verified the chain; this reads the name.
pub(crate) fn gateway<T>(request: &Request<T>) -> Result<GatewayId, Status> {
    let certificates = request.peer_certs();
    let certificate = certificates.as_ref().and_then(|chain| chain.first());
    let certificate = certificate.ok_or_else(|| {
        Status::unauthenticated("gateways present a client certificate of the control plane's CA")
    })?;
    phigate_pki::gateway_id(certificate)
        .map_err(|error| Status::permission_denied(error.to_string()))
}
