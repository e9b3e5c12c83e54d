//! One control plane in a directory of its own, its admin, and gateways made of nothing but the
//! protocol.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use phigate_audit::{Level, LogConfig};
use phigate_control::{ControlConfig, ControlError, DatabaseSpec};
use phigate_phi::{Classification, Unclassified};
use phigate_pki::{DevCa, Identity};
use phigate_proto::v1::gateway_service_client::GatewayServiceClient;
use phigate_proto::v1::grant_service_client::GrantServiceClient;
use phigate_proto::v1::session_service_client::SessionServiceClient;
use phigate_proto::v1::{self, attach_request, attach_response};
use phigate_types::Secret;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::metadata::MetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status, Streaming};

pub(crate) const CLASSIFICATION: &str = "\
table,column,pg_type,identifier,safe_harbor,limited_dataset
patients,ssn,text,ssn,null,null
patients,zip,text,zip,zip3,keep
";

/// Nothing in these tests waits longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Short, so that waiting one out is quick.
pub(crate) const LEASE: Duration = Duration::from_millis(800);

pub(crate) struct Rig {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) address: SocketAddr,
    pub(crate) ca: DevCa,
    stop: CancellationToken,
    served: JoinHandle<Result<(), ControlError>>,
}

pub(crate) fn config(directory: &Path, classification: &str) -> (ControlConfig, DevCa) {
    let ca = DevCa::load_or_create(&directory.join("pki")).unwrap();
    let identity = ca.server("control", &["localhost", "127.0.0.1"]).unwrap();
    let log = LogConfig::new(directory.join("audit/control"), "test/control");
    let config = ControlConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        store: directory.join("control.db"),
        databases: vec![DatabaseSpec {
            name: "clinic".parse().unwrap(),
            classification: Arc::new(Classification::parse(classification, "test").unwrap()),
            rows: Arc::default(),
            unclassified: Unclassified::Refuse,
            passthrough: false,
            upstream: Secret::new("postgres://nobody@127.0.0.1:1/clinic".to_owned()),
            masked_views: false,
            admin: None,
            accept: Vec::new(),
        }],
        principals: None,
        identity,
        client_ca_pem: ca.certificate_pem().to_owned(),
        admin_token: directory.join("admin.token"),
        upstream_key: directory.join("upstream.key"),
        audit: LogConfig {
            segment_bytes: 1 << 20,
            reserve_bytes: 64 << 10,
            level: Level::Process,
            ..log
        },
        lease: LEASE,
    };
    (config, ca)
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), CLASSIFICATION, |_| {}).await
    }

    pub(crate) async fn start_in(
        directory: tempfile::TempDir,
        classification: &str,
        change: impl FnOnce(&mut ControlConfig),
    ) -> Self {
        let (mut config, ca) = config(directory.path(), classification);
        change(&mut config);
        let stop = CancellationToken::new();
        let (ready, bound) = oneshot::channel();
        let served = tokio::spawn(phigate_control::serve(config, stop.clone(), ready));
        let Ok(serving) = within(bound).await else {
            panic!("{:?}", served.await);
        };
        Self {
            directory,
            address: serving.address(),
            ca,
            stop,
            served,
        }
    }

    pub(crate) async fn stop(self) -> tempfile::TempDir {
        self.stop.cancel();
        within(self.served).await.unwrap().unwrap();
        self.directory
    }

    pub(crate) fn channel(&self, ca_pem: &str, identity: Option<&Identity>) -> Channel {
        let mut tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(ca_pem))
            .domain_name("localhost");
        if let Some(identity) = identity {
            tls = tls.identity(tonic::transport::Identity::from_pem(
                &identity.cert_chain_pem,
                identity.key_pem.expose(),
            ));
        }
        let endpoint = Endpoint::from_shared(format!("https://{}", self.address)).unwrap();
        endpoint.tls_config(tls).unwrap().connect_lazy()
    }

    pub(crate) fn token(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("admin.token")).unwrap()
    }

    pub(crate) fn admin(&self) -> Admin {
        let channel = self.channel(self.ca.certificate_pem(), None);
        Admin {
            grants: GrantServiceClient::new(channel.clone()),
            sessions: SessionServiceClient::new(channel),
            token: self.token(),
        }
    }

    pub(crate) fn gateway(&self, id: &str) -> GatewayServiceClient<Channel> {
        let identity = self.ca.gateway(id, &id.parse().unwrap()).unwrap();
        let channel = self.channel(self.ca.certificate_pem(), Some(&identity));
        GatewayServiceClient::new(channel)
    }

    pub(crate) async fn attach(&self, id: &str, instance: &str) -> Attached {
        self.attach_with(id, instance, 0, &[]).await.unwrap()
    }

    pub(crate) async fn attach_with(
        &self,
        id: &str,
        instance: &str,
        applied: u64,
        held: &[String],
    ) -> Result<Attached, Status> {
        let mut client = self.gateway(id);
        let (send, queue) = mpsc::channel(16);
        let hello = v1::Hello {
            instance_id: instance.into(),
            applied_version: applied,
            advertised_address: "db.example.org:6432".into(),
            databases: vec!["clinic".into()],
            session_ids: held.to_vec(),
            software_version: "test".into(),
        };
        let message = Some(attach_request::Message::Hello(hello));
        send.send(v1::AttachRequest { message }).await.unwrap();
        let stream = within(client.attach(ReceiverStream::new(queue))).await?;
        let mut attached = Attached {
            client,
            send,
            stream: stream.into_inner(),
            instance: instance.into(),
            welcome: v1::Welcome::default(),
        };
        match attached.next().await? {
            attach_response::Message::Welcome(welcome) => attached.welcome = welcome,
            other => panic!("{other:?}"),
        }
        Ok(attached)
    }
}

/// A gateway that keeps no sessions and says what the test wants.
pub(crate) struct Attached {
    pub(crate) client: GatewayServiceClient<Channel>,
    send: mpsc::Sender<v1::AttachRequest>,
    stream: Streaming<v1::AttachResponse>,
    instance: String,
    pub(crate) welcome: v1::Welcome,
}

impl Attached {
    pub(crate) async fn next(&mut self) -> Result<attach_response::Message, Status> {
        let message = within(self.stream.message()).await?;
        Ok(message
            .and_then(|message| message.message)
            .expect("the stream goes on"))
    }

    /// The next change that ends something; renewals may come in between.
    pub(crate) async fn change(&mut self) -> v1::Change {
        loop {
            let changes = match self.next().await.unwrap() {
                attach_response::Message::Change(change) => vec![change],
                attach_response::Message::Renewed(renewed) => renewed.changes,
                // What it is about to end: the change follows.
                attach_response::Message::Ahead(_) => continue,
                attach_response::Message::Welcome(welcome) => panic!("{welcome:?}"),
            };
            let ends = |change: &v1::Change| {
                !matches!(change.change, Some(v1::change::Change::Advance(_)))
            };
            if let Some(change) = changes.into_iter().find(ends) {
                return change;
            }
        }
    }

    pub(crate) async fn say(&self, message: attach_request::Message) {
        let message = Some(message);
        self.send.send(v1::AttachRequest { message }).await.unwrap();
    }

    pub(crate) async fn acknowledge(&self, version: u64, sessions_ended: u32) {
        self.say(attach_request::Message::Applied(v1::Applied {
            version,
            sessions_ended,
        }))
        .await;
    }

    pub(crate) async fn open(
        &mut self,
        session: &str,
        grant: &v1::CreateGrantResponse,
    ) -> Result<v1::OpenSessionResponse, Status> {
        let grant = grant.grant.as_ref().unwrap();
        let request = v1::OpenSessionRequest {
            session_id: session.into(),
            grant_id: grant.grant_id.clone(),
            principal: grant.principal.clone(),
            database: grant.database.clone(),
            client_address: "192.0.2.1:4000".into(),
            application_name: "psql".into(),
            seen_version: 0,
            instance_id: self.instance.clone(),
        };
        Ok(within(self.client.open_session(request))
            .await?
            .into_inner())
    }
}

/// Calls with the admin's token.
pub(crate) struct Admin {
    pub(crate) grants: GrantServiceClient<Channel>,
    pub(crate) sessions: SessionServiceClient<Channel>,
    pub(crate) token: String,
}

impl Admin {
    pub(crate) fn with_token<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let bearer: MetadataValue<_> = format!("Bearer {}", self.token).parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
        request
    }

    pub(crate) async fn create(
        &mut self,
        request: v1::CreateGrantRequest,
    ) -> Result<v1::CreateGrantResponse, Status> {
        let request = self.with_token(request);
        Ok(within(self.grants.create_grant(request))
            .await?
            .into_inner())
    }

    pub(crate) async fn revoke(&mut self, grant_id: &str) -> v1::RevokeGrantResponse {
        let request = self.with_token(v1::RevokeGrantRequest {
            grant_id: grant_id.into(),
            reason: "done".into(),
        });
        within(self.grants.revoke_grant(request))
            .await
            .unwrap()
            .into_inner()
    }

    pub(crate) async fn get(&mut self, grant_id: &str) -> Result<v1::Grant, Status> {
        let grant_id = grant_id.into();
        let request = self.with_token(v1::GetGrantRequest { grant_id });
        Ok(within(self.grants.get_grant(request))
            .await?
            .into_inner()
            .grant
            .unwrap())
    }
}

pub(crate) fn request() -> v1::CreateGrantRequest {
    v1::CreateGrantRequest {
        principal: "alice".into(),
        database: "clinic".into(),
        profile: "limited_dataset".into(),
        purpose: "HRESCH".into(),
        reason: "readmission study".into(),
        duration: Some(prost_types::Duration {
            seconds: 600,
            nanos: 0,
        }),
        ..v1::CreateGrantRequest::default()
    }
}

pub(crate) fn id_of(created: &v1::CreateGrantResponse) -> String {
    created.grant.as_ref().unwrap().grant_id.clone()
}

pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it answers in time")
}
