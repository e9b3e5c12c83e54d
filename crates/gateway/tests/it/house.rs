//! PostgreSQL, control plane and gateway in one process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use phigate_audit::{Level, LogConfig};
use phigate_control::{ControlConfig, DatabaseSpec};
use phigate_gateway::{
    ControlEndpoint, Enforcement, GatewayConfig, Limits, Timeouts, TlsMode, UpstreamDatabase,
};
use phigate_phi::{Classification, Unclassified};
use phigate_pki::DevCa;
use phigate_proto::v1::grant_service_client::GrantServiceClient;
use phigate_proto::v1::session_service_client::SessionServiceClient;
use phigate_proto::v1::{
    CreateGrantRequest, CreateGrantResponse, KillSessionRequest, ListSessionsRequest,
    RevokeGrantRequest, RevokeGrantResponse,
};
use phigate_testkit::client::Client;
use phigate_testkit::{Cluster, clinic, eventually, hospital, within};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

/// How the gateway of a test is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) tls: bool,
    pub(crate) passthrough: bool,
    pub(crate) level: Level,
    pub(crate) timeouts: Timeouts,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            tls: false,
            passthrough: false,
            level: Level::Local,
            timeouts: Timeouts::default(),
        }
    }
}

/// Everything a test needs.
pub(crate) struct House {
    pub(crate) pg: Cluster,
    pub(crate) gateway: SocketAddr,
    pub(crate) ca_pem: String,
    channel: Channel,
    token: String,
    stop: CancellationToken,
    control: CancellationToken,
    tasks: Vec<JoinHandle<Result<(), String>>>,
    pub(crate) dir: tempfile::TempDir,
    /// The test broke the gateway's log: it cannot be closed in order.
    pub(crate) broken_log: bool,
}

/// Runs a test in a house with the plan's gateway, on threads with stacks as in the daemon.
pub(crate) fn with(plan: Plan, test: impl AsyncFnOnce(&mut House)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(64 << 20)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut house = House::start(plan).await;
        test(&mut house).await;
        house.close().await;
    });
}

/// The same, with the default gateway.
pub(crate) fn run(test: impl AsyncFnOnce(&mut House)) {
    with(Plan::default(), test);
}

impl House {
    async fn start(plan: Plan) -> Self {
        let pg = hospital().await;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        let id: phigate_types::GatewayId = "gateway-1".parse().unwrap();
        let ca = DevCa::load_or_create(&path.join("pki")).unwrap();
        let ca_pem = ca.certificate_pem().to_owned();
        let classification =
            Classification::parse(clinic::CLASSIFICATION, "clinic.phi.csv").unwrap();
        let stop = CancellationToken::new();
        let control = ControlConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            store: path.join("control.db"),
            databases: vec![DatabaseSpec {
                name: "clinic".parse().unwrap(),
                classification: Arc::new(classification),
                rows: Arc::default(),
                unclassified: Unclassified::Refuse,
                passthrough: plan.passthrough,
                upstream: phigate_types::Secret::new(clinic::broker_url(&pg)),
                masked_views: false,
                admin: None,
                accept: Vec::new(),
            }],
            principals: None,
            identity: ca.server("control", &["localhost", "127.0.0.1"]).unwrap(),
            client_ca_pem: ca_pem.clone(),
            admin_token: path.join("admin.token"),
            upstream_key: path.join("upstream.key"),
            audit: log(path, "control", Level::Process),
            lease: phigate_lease::LEASE,
        };
        let (ready, bound) = oneshot::channel();
        let control_stop = stop.child_token();
        let running = phigate_control::serve(control, control_stop.clone(), ready);
        let mut tasks = vec![tokio::spawn(async move {
            running.await.map_err(|error| error.to_string())
        })];
        let control = within("the control plane", bound).await.unwrap().address();
        let tls = if plan.tls {
            let identity = ca.server("server", &["localhost", "127.0.0.1"]).unwrap();
            TlsMode::Required {
                identity,
                channel_binding: true,
            }
        } else {
            TlsMode::Off
        };
        let config = GatewayConfig {
            id: id.clone(),
            listen: "127.0.0.1:0".parse().unwrap(),
            advertised: None,
            state: path.join("gateway"),
            tls,
            control: ControlEndpoint {
                url: format!("https://localhost:{}", control.port()),
                ca_pem: ca_pem.clone(),
                identity: ca.gateway("gateway", &id).unwrap(),
            },
            databases: vec![UpstreamDatabase {
                name: "clinic".parse().unwrap(),
                upstream: phigate_types::Secret::new(clinic::broker_url(&pg)),
                enforcement: Enforcement::Inline,
                passthrough: plan.passthrough,
                accept: Vec::new(),
            }],
            audit: log(path, "gateway-1", plan.level),
            limits: Limits::default(),
            timeouts: plan.timeouts,
        };
        let (ready, bound) = oneshot::channel();
        let running = phigate_gateway::serve(config, stop.child_token().into(), ready);
        tasks.push(tokio::spawn(async move {
            running.await.map_err(|error| error.to_string())
        }));
        let gateway = within("the gateway", bound).await.unwrap().address();
        let token = std::fs::read_to_string(path.join("admin.token")).unwrap();
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&ca_pem));
        let channel = Endpoint::from_shared(format!("https://localhost:{}", control.port()))
            .unwrap()
            .tls_config(tls)
            .unwrap()
            .connect()
            .await
            .unwrap();
        let token = format!("Bearer {}", token.trim());
        Self {
            pg,
            gateway,
            ca_pem,
            channel,
            token,
            stop,
            control: control_stop,
            tasks,
            dir,
            broken_log: false,
        }
    }

    /// Makes a grant for `alice` with the given profile, changed by `change`.
    pub(crate) async fn grant(
        &self,
        profile: &str,
        change: impl FnOnce(&mut CreateGrantRequest),
    ) -> CreateGrantResponse {
        let mut request = CreateGrantRequest {
            principal: "alice".to_owned(),
            database: "clinic".to_owned(),
            profile: profile.to_owned(),
            purpose: "HRESCH".to_owned(),
            reason: "a test".to_owned(),
            duration: Some(prost_types::Duration {
                seconds: 3600,
                nanos: 0,
            }),
            ..CreateGrantRequest::default()
        };
        change(&mut request);
        let mut client = GrantServiceClient::new(self.channel.clone());
        let answer = within("CreateGrant", client.create_grant(self.request(request))).await;
        answer.unwrap().into_inner()
    }

    /// Ends a grant; returns when the barrier is done.
    pub(crate) async fn revoke(&self, grant: &CreateGrantResponse) -> RevokeGrantResponse {
        let grant_id = grant.grant.as_ref().unwrap().grant_id.clone();
        let reason = "left the study".to_owned();
        let request = RevokeGrantRequest { grant_id, reason };
        let mut client = GrantServiceClient::new(self.channel.clone());
        let answer = within("RevokeGrant", client.revoke_grant(self.request(request))).await;
        answer.unwrap().into_inner()
    }

    /// Ends the only session of a grant.
    pub(crate) async fn kill(&self, grant: &CreateGrantResponse) {
        let grant_id = grant.grant.as_ref().unwrap().grant_id.clone();
        let mut client = SessionServiceClient::new(self.channel.clone());
        let list = ListSessionsRequest {
            grant_id,
            ..ListSessionsRequest::default()
        };
        let listed = client
            .list_sessions(self.request(list))
            .await
            .unwrap()
            .into_inner();
        let session_id = listed.sessions.first().unwrap().session_id.clone();
        let kill = KillSessionRequest {
            session_id,
            reason: String::new(),
        };
        within("KillSession", client.kill_session(self.request(kill)))
            .await
            .unwrap();
    }

    /// The live sessions of a grant, as the control plane counts them.
    pub(crate) async fn live_sessions(&self, grant: &CreateGrantResponse) -> Vec<String> {
        let list = ListSessionsRequest {
            grant_id: grant.grant.as_ref().unwrap().grant_id.clone(),
            ..ListSessionsRequest::default()
        };
        let mut client = SessionServiceClient::new(self.channel.clone());
        let listed = within("ListSessions", client.list_sessions(self.request(list))).await;
        let sessions = listed.unwrap().into_inner().sessions.into_iter();
        sessions.map(|session| session.session_id).collect()
    }

    /// Stops the control plane, and returns when it has stopped.
    pub(crate) async fn lose_control(&mut self) {
        self.control.cancel();
        within("the control plane stops", self.tasks.remove(0))
            .await
            .unwrap()
            .unwrap();
    }

    /// Stops everything but PostgreSQL, so that the logs are closed.
    pub(crate) async fn close(&mut self) {
        self.stop.cancel();
        for task in self.tasks.drain(..) {
            let stopped = within("stopping", task).await.unwrap();
            assert!(self.broken_log || stopped.is_ok(), "{stopped:?}");
        }
    }

    /// A client that is logged in.
    pub(crate) async fn client(&self, grant: &CreateGrantResponse) -> Client {
        let mut client = Client::connect(self.gateway).await;
        client
            .login(&grant.user, &grant.password, "clinic")
            .await
            .unwrap();
        client
    }

    /// A client with a small receive buffer.
    pub(crate) async fn narrow_client(&self, grant: &CreateGrantResponse) -> Client {
        let mut client = Client::connect_narrow(self.gateway).await;
        client
            .login(&grant.user, &grant.password, "clinic")
            .await
            .unwrap();
        client
    }

    /// Asks the real server, as its superuser.
    pub(crate) async fn ask(&self, sql: &str) -> String {
        let mut client = self.superuser().await;
        client.query(sql).await.ok().value().unwrap_or_default()
    }

    /// A session of the real server, as its superuser.
    pub(crate) async fn superuser(&self) -> Client {
        let mut client = Client::connect(([127, 0, 0, 1], self.pg.port()).into()).await;
        let url = self.pg.url("clinic");
        let login = url
            .strip_prefix("postgres://")
            .and_then(|rest| rest.split_once('@'));
        let (user, password) = login.unwrap().0.split_once(':').unwrap();
        client.login(user, password, "clinic").await.unwrap();
        client
    }

    /// Waits until no backend serves a session of the gateway any more.
    pub(crate) async fn no_backend_left(&self) {
        eventually("backends of the gateway's sessions are gone", async || {
            let left = self
                .ask(
                    "SELECT count(*) FROM pg_stat_activity WHERE usename = 'broker' \
                     AND application_name <> 'phigate catalog'",
                )
                .await;
            (left == "0").then_some(())
        })
        .await;
    }

    fn request<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        request
            .metadata_mut()
            .insert("authorization", self.token.parse().unwrap());
        request
    }
}

fn log(path: &std::path::Path, name: &str, level: Level) -> LogConfig {
    LogConfig {
        level,
        segment_bytes: 1 << 20,
        reserve_bytes: 64 << 10,
        ..LogConfig::new(path.join("audit").join(name), format!("test/{name}"))
    }
}

/// A timeout short enough to be waited for.
pub(crate) const SHORT: Duration = Duration::from_millis(300);
