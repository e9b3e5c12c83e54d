//! The admin's side: grants and sessions over the gRPC API, with the token of the first start.

use std::net::SocketAddr;
use std::time::Duration;

use phigate_config::Config;
use phigate_proto::v1::catalog_service_client::CatalogServiceClient;
use phigate_proto::v1::grant_service_client::GrantServiceClient;
use phigate_proto::v1::session_service_client::SessionServiceClient;
use phigate_proto::v1::{
    Budget, CreateGrantRequest, CreateGrantResponse, ExplainStatementRequest,
    ExplainStatementResponse, KillSessionRequest, ListSessionsRequest, PatientList,
    RevokeGrantRequest, RevokeGrantResponse, Session,
};
use phigate_testkit::{client, eventually, within};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};

use crate::analyst::{Analyst, Refused};
use crate::house::Phigate;

/// A connection to the control plane that carries the admin token.
#[derive(Debug, Clone)]
pub struct Admin {
    channel: Channel,
    token: MetadataValue<Ascii>,
}

impl Admin {
    /// Connects with the CA and the token of the data directory.
    pub(crate) async fn connect(control: SocketAddr, config: &Config) -> anyhow::Result<Self> {
        let ca = std::fs::read(config.pki_dir().join("ca.pem"))?;
        let token = std::fs::read_to_string(config.admin_token_file())?;
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca));
        let channel = Endpoint::from_shared(format!("https://{control}"))?
            .tls_config(tls)?
            .connect()
            .await?;
        Ok(Self {
            channel,
            token: format!("Bearer {}", token.trim()).parse()?,
        })
    }

    /// Makes a grant.
    ///
    /// # Errors
    /// The control plane's refusal.
    pub async fn create(&self, request: CreateGrantRequest) -> Result<CreateGrantResponse, Status> {
        let mut client = GrantServiceClient::new(self.channel.clone());
        let answer = within("CreateGrant", client.create_grant(self.with_token(request))).await?;
        Ok(answer.into_inner())
    }

    /// Asks what a grant would make of a statement.
    ///
    /// # Errors
    /// The control plane's refusal.
    pub async fn explain(
        &self,
        request: ExplainStatementRequest,
    ) -> Result<ExplainStatementResponse, Status> {
        let mut client = CatalogServiceClient::new(self.channel.clone());
        let request = self.with_token(request);
        let answer = within("ExplainStatement", client.explain_statement(request)).await?;
        Ok(answer.into_inner())
    }

    /// The catalog's service; its requests go through [`Admin::with_token`].
    pub fn catalog(&self) -> CatalogServiceClient<Channel> {
        CatalogServiceClient::new(self.channel.clone())
    }

    /// Ends a grant and waits for the barrier.
    ///
    /// # Panics
    /// When the control plane refuses.
    pub async fn revoke(&self, grant_id: &str, reason: &str) -> RevokeGrantResponse {
        let answer = self.try_revoke(grant_id, reason).await;
        answer.expect("the grant is revoked")
    }

    /// The same, of a control plane that may not answer.
    ///
    /// # Errors
    /// The control plane's refusal, or that it is gone.
    pub async fn try_revoke(
        &self,
        grant_id: &str,
        reason: &str,
    ) -> Result<RevokeGrantResponse, Status> {
        let mut client = GrantServiceClient::new(self.channel.clone());
        let request = RevokeGrantRequest {
            grant_id: grant_id.to_owned(),
            reason: reason.to_owned(),
        };
        let answer = within("RevokeGrant", client.revoke_grant(self.with_token(request))).await?;
        Ok(answer.into_inner())
    }

    /// The sessions under a grant, ended ones included, newest first.
    ///
    /// # Panics
    /// When the control plane refuses.
    pub async fn sessions(&self, grant_id: &str) -> Vec<Session> {
        let mut client = SessionServiceClient::new(self.channel.clone());
        let request = ListSessionsRequest {
            grant_id: grant_id.to_owned(),
            include_ended: true,
            ..ListSessionsRequest::default()
        };
        let answer = within(
            "ListSessions",
            client.list_sessions(self.with_token(request)),
        )
        .await;
        answer.expect("sessions are listed").into_inner().sessions
    }

    /// Ends one session and waits for the barrier.
    ///
    /// # Panics
    /// When the control plane refuses.
    pub async fn kill(&self, session_id: &str, reason: &str) {
        let mut client = SessionServiceClient::new(self.channel.clone());
        let request = KillSessionRequest {
            session_id: session_id.to_owned(),
            reason: reason.to_owned(),
        };
        let answer = within("KillSession", client.kill_session(self.with_token(request))).await;
        answer.expect("the session is killed");
    }

    /// A request with the admin's token.
    pub fn with_token<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request
            .metadata_mut()
            .insert("authorization", self.token.clone());
        request
    }
}

/// A grant about to be made: an hour of `limited_dataset` for research unless told otherwise.
#[derive(Debug)]
pub struct Grant<'a> {
    phigate: &'a Phigate,
    request: CreateGrantRequest,
}

impl<'a> Grant<'a> {
    pub(crate) fn new(phigate: &'a Phigate, principal: &str) -> Self {
        Self {
            phigate,
            request: request(principal),
        }
    }

    /// On another database than the clinic.
    #[must_use]
    pub fn on(mut self, database: &str) -> Self {
        database.clone_into(&mut self.request.database);
        self
    }

    /// What would be asked for.
    pub fn request(&self) -> &CreateGrantRequest {
        &self.request
    }

    /// The release profile.
    #[must_use]
    pub fn profile(mut self, profile: &str) -> Self {
        profile.clone_into(&mut self.request.profile);
        self
    }

    /// How long.
    #[must_use]
    pub fn lasting(mut self, duration: Duration) -> Self {
        self.request.duration = Some(span(duration));
        self
    }

    /// Releases a column unmasked.
    #[must_use]
    pub fn reveal(mut self, column: &str) -> Self {
        self.request.reveal.push(column.to_owned());
        self
    }

    /// Withholds a column.
    #[must_use]
    pub fn block(mut self, column: &str) -> Self {
        self.request.block.push(column.to_owned());
        self
    }

    /// Lets statements that write be considered.
    #[must_use]
    pub fn write(mut self) -> Self {
        self.request.write = true;
        self
    }

    /// So many sessions at one time.
    #[must_use]
    pub fn sessions(mut self, most: u32) -> Self {
        self.request.max_sessions = most;
        self
    }

    /// Limited to these patients.
    #[must_use]
    pub fn patients(mut self, ids: &[&str]) -> Self {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        self.request.patients = Some(PatientList { ids });
        self
    }

    /// Naming a sensitivity.
    #[must_use]
    pub fn sensitivity(mut self, code: &str) -> Self {
        self.request.sensitivity.push(code.to_owned());
        self
    }

    /// How much may leave.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.request.budget = Some(budget);
        self
    }

    /// Makes it.
    ///
    /// # Panics
    /// When the control plane refuses.
    pub async fn create(self) -> Login {
        let phigate = self.phigate;
        let CreateGrantRequest {
            profile,
            reveal,
            block,
            ..
        } = &self.request;
        phigate.harden_for(profile, reveal, block).await;
        let made = phigate
            .admin
            .create(self.request)
            .await
            .expect("the grant is made");
        Login {
            grant_id: made.grant.expect("the answer holds the grant").grant_id,
            user: made.user,
            password: made.password,
            host: phigate.gateway().ip().to_string(),
            port: phigate.gateway().port(),
            ca: phigate
                .config
                .gateway
                .tls
                .ne(&phigate_config::Tls::Off)
                .then(|| phigate.ca_file()),
        }
    }

    /// Makes it and connects under it.
    ///
    /// # Panics
    /// When either is refused.
    pub async fn connect(self) -> Analyst {
        self.create().await.connect().await
    }
}

/// What an analyst was given.
#[derive(Debug, Clone)]
pub struct Login {
    /// The grant.
    pub grant_id: String,
    /// The user to connect as.
    pub user: String,
    /// The ephemeral password.
    pub password: String,
    /// The gateway's host.
    pub host: String,
    /// The gateway's port.
    pub port: u16,
    /// The certificate authority to check the gateway against, when it serves TLS.
    pub ca: Option<std::path::PathBuf>,
}

impl Login {
    /// A connection URL that libpq and the drivers understand.
    pub fn url(&self) -> String {
        let Self {
            user,
            password,
            host,
            port,
            ..
        } = self;
        let tls = self.ca.as_ref().map_or_else(
            || "sslmode=disable".to_owned(),
            |ca| format!("sslmode=verify-full&sslrootcert={}", ca.display()),
        );
        format!("postgres://{user}:{password}@{host}:{port}/clinic?{tls}")
    }

    /// A client that speaks the wire protocol by hand, logged in over plain TCP. A gateway that lost
    /// its lease, on a machine that stalls, is asked again, as it says.
    ///
    /// # Panics
    /// When the gateway refuses.
    pub async fn connect_raw(&self) -> client::Client {
        eventually("a session", async || {
            let mut client = client::Client::connect(self.address()).await;
            let done = client.login(&self.user, &self.password, "clinic").await;
            match done {
                Ok(()) => Some(client),
                Err(error) if error.code().as_str() == "57P03" => None,
                Err(error) => panic!("no live grant: {}: {}", error.code(), error.message()),
            }
        })
        .await
    }

    /// The gateway's address.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.host.parse().expect("an address"), self.port)
    }

    /// Connects.
    ///
    /// # Panics
    /// When the gateway refuses.
    pub async fn connect(&self) -> Analyst {
        self.try_connect()
            .await
            .unwrap_or_else(|refused| panic!("no session: {refused}"))
    }

    /// Connects.
    ///
    /// # Errors
    /// The gateway's refusal.
    pub async fn try_connect(&self) -> Result<Analyst, Refused> {
        Analyst::connect(self).await
    }
}

/// An hour of `limited_dataset` on the clinic, for research.
pub fn request(principal: &str) -> CreateGrantRequest {
    CreateGrantRequest {
        principal: principal.to_owned(),
        database: "clinic".to_owned(),
        profile: "limited_dataset".to_owned(),
        purpose: "HRESCH".to_owned(),
        reason: "a test".to_owned(),
        duration: Some(span(Duration::from_hours(1))),
        ..CreateGrantRequest::default()
    }
}

/// As the API wants it.
///
/// # Panics
/// When it is longer than the API can say.
pub fn span(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).expect("a span of a test"),
        nanos: i32::try_from(duration.subsec_nanos()).expect("less than a second"),
    }
}
