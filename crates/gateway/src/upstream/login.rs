//! Logs in: startup packet, authentication, and everything up to the first ReadyForQuery.

use bytes::BytesMut;
use phigate_wire::backend::{self, Authentication, TransactionStatus, tag};
use phigate_wire::frame::{BackendWalker, HEADER_LEN, Step};
use phigate_wire::{DecodeError, frontend, scram};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Address, Connection, UpstreamError};
use crate::stream::UpstreamStream;

/// What the startup packet says beside user and database.
#[derive(Debug)]
pub(crate) struct Login {
    /// Startup parameters such as `application_name`.
    pub(crate) parameters: Vec<(String, String)>,
    /// Settings passed as `-c name=value` in `options`; they win over the server's own defaults.
    pub(crate) settings: Vec<(String, String)>,
}

/// What `check` tells: that there is a row where there must be none.
const ROWS: &str = "the login is not what it was asked for";

/// Logs in on a fresh connection, and makes sure that `check`, a statement, selects no row. The
/// caller sets the deadline.
pub(crate) async fn login(
    stream: UpstreamStream,
    address: &Address,
    login: &Login,
    check: Option<&str>,
) -> Result<Connection, UpstreamError> {
    let mut exchange = Exchange {
        stream,
        buffer: BytesMut::new(),
        walker: BackendWalker::new(),
    };
    exchange.send(|out| startup(address, login, out)).await?;
    authenticate(&mut exchange, address).await?;
    let mut parameters: Vec<(String, String)> = Vec::new();
    let mut cancel = None;
    loop {
        let (tag, body) = exchange.receive().await?;
        match tag {
            tag::PARAMETER_STATUS => {
                let (name, value) = backend::decode_parameter_status(&body)?;
                parameters.retain(|(known, _)| *known != name);
                parameters.push((name.into_owned(), value.into_owned()));
            }
            tag::BACKEND_KEY_DATA => cancel = Some(backend::decode_key_data(&body)?),
            // Such as a password about to expire: the operator's business.
            tag::NOTICE => {}
            tag::READY_FOR_QUERY => {
                if backend::decode_ready(&body)? != TransactionStatus::Idle {
                    return Err(UpstreamError::Protocol("not idle after login".to_owned()));
                }
                if let Some(check) = check {
                    selects_nothing(&mut exchange, check).await?;
                }
                let Exchange { stream, buffer, .. } = exchange;
                return Ok(Connection {
                    stream,
                    buffer,
                    parameters,
                    cancel,
                });
            }
            other => return Err(unexpected(other)),
        }
    }
}

async fn selects_nothing(exchange: &mut Exchange, check: &str) -> Result<(), UpstreamError> {
    exchange.send(|out| frontend::query(check, out)).await?;
    let mut is_empty = false;
    loop {
        match exchange.receive().await? {
            (tag::ROW_DESCRIPTION | tag::NOTICE | tag::PARAMETER_STATUS, _) => {}
            (tag::COMMAND_COMPLETE, body) => {
                is_empty = backend::decode_command_complete(&body)? == "SELECT 0";
            }
            (tag::READY_FOR_QUERY, _) if is_empty => return Ok(()),
            // A row streams, so it is an error by itself.
            _ => return Err(UpstreamError::Protocol(ROWS.to_owned())),
        }
    }
}

impl From<DecodeError> for UpstreamError {
    fn from(error: DecodeError) -> Self {
        Self::Protocol(error.to_string())
    }
}

fn startup(address: &Address, login: &Login, out: &mut BytesMut) {
    let options = options(&login.settings);
    let mut parameters = vec![
        ("user", address.user.as_str()),
        ("database", address.database.as_str()),
    ];
    parameters.extend(
        login
            .parameters
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str())),
    );
    if !options.is_empty() {
        parameters.push(("options", &options));
    }
    frontend::startup(&parameters, out);
}

/// A command line that `pg_split_opts` (utils/init/postinit.c) takes apart into these settings.
fn options(settings: &[(String, String)]) -> String {
    let mut line = String::new();
    for (name, value) in settings {
        line.push_str(if line.is_empty() { "-c " } else { " -c " });
        for letter in name.chars().chain(['=']).chain(value.chars()) {
            if letter == '\\' || letter.is_ascii_whitespace() || letter == '\x0b' {
                line.push('\\');
            }
            line.push(letter);
        }
    }
    line
}

async fn authenticate(exchange: &mut Exchange, address: &Address) -> Result<(), UpstreamError> {
    let password = || {
        address
            .password
            .as_ref()
            .map(|password| password.expose().as_str())
            .ok_or_else(|| {
                UpstreamError::Authentication(
                    "the server wants a password and none is set".to_owned(),
                )
            })
    };
    let mut exchanged: Option<scram::Client> = None;
    loop {
        let (tag, body) = exchange.receive().await?;
        if tag != tag::AUTHENTICATION {
            return Err(unexpected(tag));
        }
        match backend::decode_authentication(&body)? {
            Authentication::Ok => return Ok(()),
            Authentication::Cleartext if exchange.stream.is_private() => {
                let password = password()?;
                exchange
                    .send(|out| frontend::password(password, out))
                    .await?;
            }
            Authentication::Cleartext => {
                return Err(UpstreamError::Authentication(
                    "the server wants the password in the clear over a connection without TLS"
                        .to_owned(),
                ));
            }
            Authentication::Md5(salt) => {
                let hashed = scram::md5_password(&address.user, password()?, salt);
                exchange
                    .send(|out| frontend::password(&hashed, out))
                    .await?;
            }
            Authentication::Sasl(mechanisms) => {
                if !mechanisms.iter().any(|name| name == scram::SHA_256) {
                    return Err(UpstreamError::Authentication(
                        "the server offers no SASL mechanism that is known here".to_owned(),
                    ));
                }
                let nonce = crate::random().map_err(|_| no_random())?;
                let client = scram::Client::new(password()?, nonce);
                let first = client.first();
                exchange
                    .send(|out| frontend::sasl_initial(scram::SHA_256, &first, out))
                    .await?;
                exchanged = Some(client);
            }
            Authentication::SaslContinue(challenge) => {
                let mut client = exchanged.take().ok_or_else(out_of_turn)?;
                // PBKDF2 takes milliseconds: not on the threads that relay.
                let (client, response) = tokio::task::spawn_blocking(move || {
                    let response = client.respond(&challenge);
                    (client, response)
                })
                .await
                .map_err(|_| out_of_turn())?;
                let response = response.map_err(sasl)?;
                exchange
                    .send(|out| frontend::sasl_response(&response, out))
                    .await?;
                exchanged = Some(client);
            }
            Authentication::SaslFinal(proof) => {
                exchanged
                    .as_mut()
                    .ok_or_else(out_of_turn)?
                    .verify(&proof)
                    .map_err(sasl)?;
            }
            Authentication::Unsupported(kind) => {
                return Err(UpstreamError::Authentication(format!(
                    "the server wants authentication of kind {kind}, which is not supported"
                )));
            }
        }
    }
}

fn sasl(error: scram::ScramError) -> UpstreamError {
    UpstreamError::Authentication(error.to_string())
}

fn no_random() -> UpstreamError {
    UpstreamError::Authentication("the system gives no random bytes".to_owned())
}

fn out_of_turn() -> UpstreamError {
    UpstreamError::Protocol("SASL message out of turn".to_owned())
}

fn unexpected(tag: u8) -> UpstreamError {
    UpstreamError::Protocol(format!("unexpected message type {tag} at login"))
}

/// One request, one answer at a time.
struct Exchange {
    stream: UpstreamStream,
    buffer: BytesMut,
    walker: BackendWalker,
}

impl Exchange {
    async fn send(&mut self, encode: impl FnOnce(&mut BytesMut)) -> Result<(), UpstreamError> {
        let mut out = BytesMut::new();
        encode(&mut out);
        self.stream.write_all(&out).await?;
        Ok(self.stream.flush().await?)
    }

    /// The next frame's type and body; an ErrorResponse is an error.
    async fn receive(&mut self) -> Result<(u8, BytesMut), UpstreamError> {
        loop {
            match self
                .walker
                .next(&self.buffer)
                .map_err(|e| UpstreamError::Protocol(e.to_string()))?
            {
                Step::Frame { tag, len } => {
                    let body = self.buffer.split_to(len).split_off(HEADER_LEN);
                    if tag == tag::ERROR {
                        return Err(UpstreamError::Refused(Box::new(backend::decode_error(
                            &body,
                        )?)));
                    }
                    return Ok((tag, body));
                }
                Step::Stream { .. } => return Err(unexpected(tag::DATA_ROW)),
                Step::More { .. } => {
                    if self.stream.read_buf(&mut self.buffer).await? == 0 {
                        return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_survive_the_servers_splitting() {
        let settings = vec![
            ("search_path".to_owned(), "\"$user\", public".to_owned()),
            ("a.b".to_owned(), "x\\y\tz".to_owned()),
        ];
        let line = options(&settings);
        assert_eq!(
            phigate_wire::startup::parse_options(&line).unwrap(),
            settings
        );
    }
}
