//! Proves the client with SCRAM against the credentials of its live grants.
//!
//! Who has no live grant goes through the same exchange, against nobody, and is then told so: with
//! the way to get one, and the same whether the principal, the database or the grant is unknown,
//! expired or revoked. Only who has a live grant can have a wrong password.

use bytes::BytesMut;
use phigate_proto::v1;
use phigate_types::{GrantId, PgError, SqlState};
use phigate_wire::frame::{Frame, FrontendCutter};
use phigate_wire::{backend, frontend, scram};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::control::ControlError;
use crate::gateway::Gateway;
use crate::startup::parameters::Requested;
use crate::stream::ClientStream;

/// Who the client proved to be.
pub(crate) struct Proved {
    /// The grant whose credential it knows.
    pub(crate) grant: GrantId,
    /// `scram-sha-256` or `scram-sha-256-plus`.
    pub(crate) mechanism: &'static str,
}

/// Why a client is not proved.
pub(crate) enum Unproved {
    /// The client went away.
    Gone(std::io::Error),
    /// The client is told; the word is for the record.
    Refused(&'static str, PgError),
}

impl From<std::io::Error> for Unproved {
    fn from(error: std::io::Error) -> Self {
        Self::Gone(error)
    }
}

/// Runs the exchange; `end_point` is what the certificate that the client saw binds to. SASLFinal is
/// written, AuthenticationOk is not. Not cancel safe.
pub(crate) async fn authenticate(
    gateway: &Gateway,
    stream: &mut ClientStream,
    end_point: Option<Vec<u8>>,
    buffer: &mut BytesMut,
    requested: &Requested,
) -> Result<Proved, Unproved> {
    let answer = gateway
        .control
        .look_up_credentials(v1::LookUpCredentialsRequest {
            principal: requested.principal.clone(),
            database: requested.database.clone(),
            grant_id: requested
                .grant
                .map(|grant| grant.to_string())
                .unwrap_or_default(),
        })
        .await
        .map_err(|error| {
            tracing::warn!(%error, "credentials not looked up");
            Unproved::Refused("control_unavailable", ControlError::for_client())
        })?;
    let (grants, keys) = candidates(&answer)?;
    let binding = end_point.filter(|_| stream.is_tls());
    let nonce = crate::random().map_err(|_| invalid_answer())?;
    let mut server = scram::Server::new(answer.salt, answer.iterations, binding, nonce);

    let mut out = BytesMut::new();
    backend::authentication_sasl(server.mechanisms(), &mut out);
    write(stream, &mut out).await?;
    let frame = receive(stream, buffer).await?;
    let (mechanism, first) = frontend::sasl_initial_response(frame.body())
        .map_err(|error| violation(&error.to_string()))?;
    let plus = mechanism == scram::SHA_256_PLUS;
    let challenge = server
        .first(mechanism, first.unwrap_or_default())
        .map_err(|error| violation(&error.to_string()))?;
    backend::authentication_sasl_continue(&challenge, &mut out);
    write(stream, &mut out).await?;
    let frame = receive(stream, buffer).await?;
    match server.finish(frame.body(), &keys) {
        Ok((which, proof)) => {
            let grant = grants.get(which).copied().ok_or_else(invalid_answer)?;
            backend::authentication_sasl_final(&proof, &mut out);
            write(stream, &mut out).await?;
            let mechanism = if plus {
                "scram-sha-256-plus"
            } else {
                "scram-sha-256"
            };
            Ok(Proved { grant, mechanism })
        }
        Err(scram::ScramError::Proof) if grants.is_empty() => {
            Err(Unproved::Refused("no_live_grant", no_live_grant(requested)))
        }
        Err(scram::ScramError::Proof) => Err(Unproved::Refused(
            "wrong_password",
            PgError::fatal(
                SqlState::INVALID_PASSWORD,
                format!(
                    "password authentication failed for user \"{}\"",
                    requested.principal
                ),
            ),
        )),
        Err(error) => Err(violation(&error.to_string())),
    }
}

/// What is said to everybody who has no live grant, and how to get one.
pub(crate) fn no_live_grant(requested: &Requested) -> PgError {
    let (principal, database) = (&requested.principal, &requested.database);
    let request = if principal.parse::<phigate_types::PrincipalName>().is_ok()
        && database.parse::<phigate_types::DatabaseName>().is_ok()
    {
        format!(
            "ask an administrator for: phictl grant create --principal {principal} --database \
             {database} --profile limited_dataset --purpose HRESCH --reason TEXT --duration 30m"
        )
    } else {
        "see phictl grant create --help".to_owned()
    };
    PgError::fatal(
        SqlState::INVALID_AUTHORIZATION,
        format!("no live grant for user \"{principal}\" on database \"{database}\""),
    )
    .with_detail("It was never made, has expired, was revoked, or is another's.")
    .with_hint(request)
}

type Keys = ([u8; 32], [u8; 32]);

fn candidates(
    answer: &v1::LookUpCredentialsResponse,
) -> Result<(Vec<GrantId>, Vec<Keys>), Unproved> {
    let mut candidates = (Vec::new(), Vec::new());
    for credential in &answer.credentials {
        let grant = credential.grant_id.parse().map_err(|_| invalid_answer())?;
        let stored = credential
            .stored_key
            .as_slice()
            .try_into()
            .map_err(|_| invalid_answer())?;
        let server = credential
            .server_key
            .as_slice()
            .try_into()
            .map_err(|_| invalid_answer())?;
        candidates.0.push(grant);
        candidates.1.push((stored, server));
    }
    Ok(candidates)
}

async fn write(stream: &mut ClientStream, out: &mut BytesMut) -> std::io::Result<()> {
    stream.write_all_buf(out).await?;
    stream.flush().await
}

async fn receive(stream: &mut ClientStream, buffer: &mut BytesMut) -> Result<Frame, Unproved> {
    let cutter = FrontendCutter::authentication();
    loop {
        let frame = cutter
            .cut(buffer)
            .map_err(|error| Unproved::Refused("protocol", error.into()))?;
        match frame {
            Some(frame) if frame.tag() == frontend::tag::TERMINATE => {
                return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
            }
            Some(frame) => return Ok(frame),
            None if stream.read_buf(buffer).await? == 0 => {
                return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
            }
            None => {}
        }
    }
}

fn violation(detail: &str) -> Unproved {
    Unproved::Refused(
        "protocol",
        PgError::fatal(SqlState::PROTOCOL_VIOLATION, "malformed SCRAM message")
            .with_detail(detail.to_owned()),
    )
}

fn invalid_answer() -> Unproved {
    Unproved::Refused(
        "control_answer",
        PgError::fatal(
            SqlState::INTERNAL_ERROR,
            "the control plane's answer is not valid",
        ),
    )
}
