//! The control plane, as a gateway sees it: a few calls with deadlines, and one stream.

mod attach;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use phigate_proto::v1::gateway_service_client::GatewayServiceClient;
use phigate_proto::{Malformed, v1};
use phigate_types::{PgError, SqlState};
use tokio::sync::Notify;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Status};

use crate::{ControlEndpoint, GatewayError, limits};

pub(crate) use attach::attach;

/// Keep-alive of the connection: a peer that vanished is noticed within the lease.
const KEEP_ALIVE: Duration = Duration::from_secs(2);

/// The calls. Clones share one connection, which is made again whenever it is lost.
#[derive(Clone)]
pub(crate) struct Control {
    client: Arc<ArcSwap<GatewayServiceClient<Channel>>>,
    /// What it speaks with: its own chain, and the authority of the other side.
    certificates: Arc<ArcSwap<(String, String)>>,
    /// Notified when there is another client, so that the stream is made again through it.
    renewed: Arc<Notify>,
}

/// Why a call gave nothing. `Display` is for the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    /// No answer in time, or no connection.
    #[error("the control plane did not answer: {0}")]
    Unavailable(String),
    /// It said no.
    #[error("the control plane refused: {}", .0.message())]
    Refused(Box<Status>),
    /// It said something that cannot be.
    #[error("the control plane's answer is not valid: {0}")]
    Answer(String),
    /// There are other certificates to speak to it with.
    #[error("the certificates were renewed: attaching with the new ones")]
    Renewed,
}

impl Control {
    /// Prepares the connection; nothing is sent yet.
    pub(crate) fn new(endpoint: &ControlEndpoint) -> Result<Self, GatewayError> {
        let client = connection(endpoint)?;
        Ok(Self {
            client: Arc::new(ArcSwap::from_pointee(client)),
            certificates: Arc::new(ArcSwap::from_pointee(certificates(endpoint))),
            renewed: Arc::default(),
        })
    }

    /// Uses other certificates, if these are others and the control plane takes them: it is asked before
    /// anything changes.
    pub(crate) async fn renew(&self, endpoint: &ControlEndpoint) -> Result<(), GatewayError> {
        let certificates = certificates(endpoint);
        if **self.certificates.load() == certificates {
            return Ok(());
        }
        let client = connection(endpoint)?;
        take_up(client.clone())
            .await
            .map_err(|error| GatewayError::Control(error.to_string()))?;
        self.client.store(Arc::new(client));
        self.certificates.store(Arc::new(certificates));
        self.renewed.notify_one();
        Ok(())
    }

    fn client(&self) -> GatewayServiceClient<Channel> {
        GatewayServiceClient::clone(&self.client.load())
    }

    /// What a SCRAM exchange for this principal needs.
    pub(crate) async fn look_up_credentials(
        &self,
        request: v1::LookUpCredentialsRequest,
    ) -> Result<v1::LookUpCredentialsResponse, ControlError> {
        let mut client = self.client();
        in_time(client.look_up_credentials(request)).await
    }

    /// Authorises one session on the live store.
    pub(crate) async fn open_session(
        &self,
        request: v1::OpenSessionRequest,
    ) -> Result<v1::OpenSessionResponse, ControlError> {
        let mut client = self.client();
        in_time(client.open_session(request)).await
    }

    /// Says that a session is over.
    pub(crate) async fn close_session(
        &self,
        request: v1::CloseSessionRequest,
    ) -> Result<(), ControlError> {
        let mut client = self.client();
        in_time(client.close_session(request))
            .await
            .map(|v1::CloseSessionResponse {}| ())
    }

    /// Draws on the budget of a session's grant.
    pub(crate) async fn draw_budget(
        &self,
        request: v1::DrawBudgetRequest,
    ) -> Result<v1::DrawBudgetResponse, ControlError> {
        let mut client = self.client();
        in_time(client.draw_budget(request)).await
    }

    /// The patients of this cohort.
    pub(crate) async fn cohort(&self, id: &str) -> Result<Vec<String>, ControlError> {
        let mut client = self.client();
        let request = v1::GetCohortRequest {
            cohort_id: id.to_owned(),
        };
        in_time(async {
            let mut parts = client.get_cohort(request).await?.into_inner();
            let mut ids = Vec::new();
            while let Some(part) = parts.message().await? {
                ids.extend(part.ids);
                if ids.len() > limits::COHORT {
                    return Err(Status::out_of_range("too many patients"));
                }
            }
            Ok(tonic::Response::new(ids))
        })
        .await
    }

    /// The effective policy with this id.
    pub(crate) async fn policy(&self, id: &str) -> Result<v1::GetPolicyResponse, ControlError> {
        let mut client = self.client();
        in_time(client.get_policy(v1::GetPolicyRequest {
            policy_id: id.to_owned(),
        }))
        .await
    }
}

impl From<Malformed> for ControlError {
    fn from(malformed: Malformed) -> Self {
        Self::Answer(malformed.to_string())
    }
}

impl ControlError {
    /// What a client is told when its login fails for this.
    pub(crate) fn for_client() -> PgError {
        PgError::fatal(
            SqlState::CANNOT_CONNECT_NOW,
            "the gateway cannot reach its control plane, so no grant can be checked",
        )
        .with_hint("try again later, or tell the operator of the gateway")
    }
}

fn certificates(endpoint: &ControlEndpoint) -> (String, String) {
    let chain = endpoint.identity.cert_chain_pem.clone();
    (chain, endpoint.ca_pem.clone())
}

/// A connection with these certificates; nothing is sent yet.
fn connection(endpoint: &ControlEndpoint) -> Result<GatewayServiceClient<Channel>, GatewayError> {
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(&endpoint.ca_pem))
        .identity(tonic::transport::Identity::from_pem(
            &endpoint.identity.cert_chain_pem,
            endpoint.identity.key_pem.expose(),
        ));
    let channel = Endpoint::from_shared(endpoint.url.clone())
        .and_then(|endpoint| endpoint.tls_config(tls))
        .map_err(|error| GatewayError::Control(describe(&error)))?
        .connect_timeout(limits::CONTROL_CALL)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .keep_alive_while_idle(true)
        .connect_lazy();
    Ok(GatewayServiceClient::new(channel))
}

/// Asks something that changes nothing, for a gateway's ears only.
async fn take_up(mut client: GatewayServiceClient<Channel>) -> Result<(), ControlError> {
    let nothing = client.get_policy(v1::GetPolicyRequest::default());
    match tokio::time::timeout(limits::CONTROL_CALL, nothing).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(status)) if status.code() == Code::NotFound => Ok(()),
        Ok(Err(status)) => Err(ControlError::Unavailable(describe(&status))),
        Err(_) => Err(ControlError::Unavailable("no answer in time".to_owned())),
    }
}

async fn in_time<T>(
    call: impl Future<Output = Result<tonic::Response<T>, Status>>,
) -> Result<T, ControlError> {
    match tokio::time::timeout(limits::CONTROL_CALL, call).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(match status.code() {
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown => {
                ControlError::Unavailable(status.message().to_owned())
            }
            _ => ControlError::Refused(Box::new(status)),
        }),
        Err(_) => Err(ControlError::Unavailable("no answer in time".to_owned())),
    }
}

/// The whole chain of causes: tonic's own text says only "transport error".
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
