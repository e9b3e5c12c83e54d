//! Reaching the control plane.

use std::path::{Path, PathBuf};
use std::time::Duration;

use phigate_config::Config;
use phigate_types::Secret;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};

use crate::arguments::Connection;
use crate::exit::{Exit, Failure};

/// How long a connection may take to come up.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// How long a call may take: a revocation waits out the lease of a gateway that is gone.
const CALL_DEADLINE: Duration = Duration::from_secs(30);

/// A channel that carries the admin token.
pub(crate) type Authorised = InterceptedService<Channel, BearerToken>;

/// Adds `authorization: Bearer TOKEN` to every call.
#[derive(Clone)]
pub(crate) struct BearerToken(MetadataValue<Ascii>);

impl Interceptor for BearerToken {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request
            .metadata_mut()
            .insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// What is needed to connect, from the flags, the environment or the configuration file.
struct Target {
    url: String,
    ca: PathBuf,
    token_file: PathBuf,
}

/// Connects to the control plane and authorises every call with the token.
pub(crate) async fn connect(connection: &Connection) -> Result<(Channel, BearerToken), Failure> {
    let target = target(connection)?;
    let token = token(&target.token_file)?;
    let ca = read(&target.ca)?;
    let unusable = |error: tonic::transport::Error| {
        Failure::new(
            Exit::USAGE,
            format!("{} is not a usable URL: {error}", target.url),
        )
    };
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca));
    let channel = Endpoint::from_shared(target.url.clone())
        .and_then(|endpoint| endpoint.tls_config(tls))
        .map_err(unusable)?
        .connect_timeout(CONNECT_DEADLINE)
        .timeout(CALL_DEADLINE)
        .connect()
        .await
        .map_err(|error| {
            Failure::new(
                Exit::UNAVAILABLE,
                format!(
                    "cannot reach the control plane at {}: {}",
                    target.url,
                    root(&error)
                ),
            )
            .with_hint("is `phigate serve control` (or all) running?")
        })?;
    Ok((channel, token))
}

/// The configuration file's content, for commands that read the data directory.
pub(crate) fn config(connection: &Connection) -> Result<Config, Failure> {
    let path = connection.config.as_deref().ok_or_else(|| {
        Failure::new(Exit::USAGE, "where the record is, is not known")
            .with_hint("say --config FILE or --log DIR")
    })?;
    Config::load(path).map_err(|error| Failure::new(Exit::CONFIG, error.to_string()))
}

fn target(connection: &Connection) -> Result<Target, Failure> {
    let config = match &connection.config {
        Some(_) => Some(config(connection)?),
        None => None,
    };
    let from_config = |read: fn(&Config) -> PathBuf| config.as_ref().map(read);
    let url = connection
        .control
        .clone()
        .or(config.as_ref().map(|c| c.control_url().to_owned()));
    let ca = connection
        .ca
        .clone()
        .or(from_config(|c| c.pki_dir().join("ca.pem")));
    let token_file = connection
        .token_file
        .clone()
        .or(from_config(Config::admin_token_file));
    match (url, ca, token_file) {
        (Some(url), Some(ca), Some(token_file)) => Ok(Target {
            url,
            ca,
            token_file,
        }),
        _ => Err(
            Failure::new(Exit::USAGE, "where the control plane is, is not known")
                .with_hint("say --config FILE, or --control URL --ca FILE --token-file FILE"),
        ),
    }
}

fn token(path: &Path) -> Result<BearerToken, Failure> {
    let token = Secret::new(read(path)?);
    let mut value: MetadataValue<Ascii> = format!("Bearer {}", token.expose().trim())
        .parse()
        .map_err(|_| Failure::new(Exit::DATA, format!("{} holds no token", path.display())))?;
    value.set_sensitive(true);
    Ok(BearerToken(value))
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        Failure::new(
            Exit::NOT_FOUND,
            format!("cannot read {}: {error}", path.display()),
        )
        .with_hint("the control plane writes it at its first start")
    })
}

/// The innermost cause: "connection refused" rather than "transport error".
fn root(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
