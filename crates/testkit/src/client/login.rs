//! From the startup packet to the first ReadyForQuery.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use phigate_wire::backend::{self, Authentication, ErrorFields, tag};
use phigate_wire::scram::{self, NONCE_LEN};
use phigate_wire::startup::CancelKey;
use phigate_wire::{DecodeError, frontend};

use super::{Answer, Client};

/// What the server said while it let the client in.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// The last value of each ParameterStatus.
    pub parameters: BTreeMap<String, String>,
    /// BackendKeyData.
    pub key: Option<CancelKey>,
    /// Every notice.
    pub notices: Vec<ErrorFields>,
    /// The SASL mechanism used.
    pub mechanism: Option<&'static str>,
    /// NegotiateProtocolVersion: the version, and the options that are not known.
    pub negotiated: Option<(u32, Vec<String>)>,
}

impl Client {
    /// Logs in with a password, by whatever the server asks for. SCRAM is bound to the TLS channel
    /// where the server offers that.
    pub async fn login(
        &mut self,
        user: &str,
        password: &str,
        database: &str,
    ) -> Result<(), ErrorFields> {
        let params = [("user", user), ("database", database)];
        self.login_with(3 << 16, &params, password).await
    }

    /// Logs in with any version and startup parameters; `user` has to be among them.
    ///
    /// # Panics
    /// When the connection ends without an error.
    pub async fn login_with(
        &mut self,
        version: u32,
        params: &[(&str, &str)],
        password: &str,
    ) -> Result<(), ErrorFields> {
        let user = params
            .iter()
            .find(|(name, _)| *name == "user")
            .map_or("", |(_, user)| *user);
        self.say(|out| frontend::startup_packet(version, params, out))
            .await;
        self.authenticate(user, password).await?;
        let greeting = self.answer().await;
        if let Some(error) = greeting.errors().pop() {
            return Err(error);
        }
        assert!(!greeting.closed(), "closed without an error: {greeting:?}");
        self.read_greeting(&greeting)
            .expect("a well-formed greeting");
        Ok(())
    }

    /// Answers authentication requests until AuthenticationOk, which is read.
    async fn authenticate(&mut self, user: &str, password: &str) -> Result<(), ErrorFields> {
        loop {
            match self.authentication().await? {
                Authentication::Ok => return Ok(()),
                Authentication::Cleartext => {
                    self.say(|out| frontend::password(password, out)).await;
                }
                Authentication::Md5(salt) => {
                    let hash = scram::md5_password(user, password, salt);
                    self.say(|out| frontend::password(&hash, out)).await;
                }
                Authentication::Sasl(offered) => self.scram(&offered, password).await?,
                other => panic!("unexpected authentication request: {other:?}"),
            }
        }
    }

    async fn scram(&mut self, offered: &[String], password: &str) -> Result<(), ErrorFields> {
        let mut exchange = scram::Client::new(password, random_nonce());
        let plus = offered
            .iter()
            .any(|mechanism| mechanism == scram::SHA_256_PLUS);
        if let (true, Some(endpoint)) = (plus, &self.endpoint) {
            exchange = exchange.bound_to(endpoint);
        }
        let mechanism = exchange.mechanism();
        self.session.mechanism = Some(mechanism);
        self.say(|out| frontend::sasl_initial(mechanism, &exchange.first(), out))
            .await;
        let challenge = match self.authentication().await? {
            Authentication::SaslContinue(challenge) => challenge,
            other => panic!("not a challenge: {other:?}"),
        };
        let response = exchange.respond(&challenge).expect("a challenge for us");
        self.say(|out| frontend::sasl_response(&response, out))
            .await;
        match self.authentication().await? {
            Authentication::SaslFinal(outcome) => {
                exchange
                    .verify(&outcome)
                    .expect("the server knows the password");
                Ok(())
            }
            other => panic!("not an outcome: {other:?}"),
        }
    }

    /// The next authentication request, or the error instead.
    async fn authentication(&mut self) -> Result<Authentication, ErrorFields> {
        loop {
            let frame = self
                .frame()
                .await
                .expect("an authentication request or an error");
            let body = frame.body();
            match frame.tag() {
                tag::AUTHENTICATION => {
                    return Ok(backend::decode_authentication(body).expect("a request"));
                }
                tag::ERROR => return Err(backend::decode_error(body).expect("error fields")),
                tag::NEGOTIATE_PROTOCOL_VERSION => {
                    assert!(self.session.negotiated.is_none(), "negotiated twice");
                    let negotiated = backend::decode_negotiate(body).expect("a negotiation");
                    self.session.negotiated = Some(negotiated);
                }
                other => panic!("unexpected {:?} before AuthenticationOk", char::from(other)),
            }
        }
    }

    fn read_greeting(&mut self, greeting: &Answer) -> Result<(), DecodeError> {
        for frame in greeting.frames() {
            match frame.tag() {
                tag::PARAMETER_STATUS => {
                    let (name, value) = backend::decode_parameter_status(frame.body())?;
                    self.session
                        .parameters
                        .insert(name.into_owned(), value.into_owned());
                }
                tag::BACKEND_KEY_DATA => {
                    self.session.key = Some(backend::decode_key_data(frame.body())?);
                }
                tag::NOTICE => self
                    .session
                    .notices
                    .push(backend::decode_error(frame.body())?),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Unpredictable enough for a test: the keys of the standard library's hasher are random.
fn random_nonce() -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    for chunk in nonce.chunks_mut(8) {
        let random = RandomState::new().hash_one(()).to_ne_bytes();
        chunk.copy_from_slice(&random[..chunk.len()]);
    }
    nonce
}
