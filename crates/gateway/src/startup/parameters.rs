//! What a startup packet asks for, checked: who, where, under which grant, with which settings.

use phigate_types::{GrantId, PgError, SqlState};
use phigate_wire::startup::{StartupPacket, parse_options};

/// A startup packet that may go on.
#[derive(Debug)]
pub(crate) struct Requested {
    /// `user`: whom the client claims to be.
    pub(crate) principal: String,
    /// `database`: which of ours it wants.
    pub(crate) database: String,
    /// `-c phigate.grant=ID`: only under this grant.
    pub(crate) grant: Option<GrantId>,
    /// The client's own application_name, as sent.
    pub(crate) application_name: String,
    /// Every other setting, in the order sent; a later one wins.
    pub(crate) settings: Vec<(String, String)>,
    /// How long this client's cancel secret may be, in bytes.
    pub(crate) cancel_secret_len: usize,
}

/// The settings that mean something to the gateway itself.
const GRANT: &str = "phigate.grant";
const AUTH: &str = "phigate.auth";

impl Requested {
    /// Reads `options` apart and takes out what is the gateway's. Which of the other settings may
    /// pass is not known before the grant is.
    pub(crate) fn read(packet: &StartupPacket) -> Result<Self, PgError> {
        let mut requested = Self {
            principal: packet.user().to_owned(),
            database: packet.database().to_owned(),
            grant: None,
            application_name: String::new(),
            settings: Vec::new(),
            cancel_secret_len: packet.cancel_secret_len(),
        };
        if requested.principal.is_empty() {
            return Err(PgError::fatal(
                SqlState::INVALID_AUTHORIZATION,
                "no user name specified in startup packet",
            ));
        }
        for (name, value) in &packet.params {
            match name.as_str() {
                "user" | "database" => {}
                "replication" => refuse_replication(value)?,
                "options" => {
                    for (name, value) in parse_options(value)? {
                        requested.take(name, value)?;
                    }
                }
                _ => requested.take(name.clone(), value.clone())?,
            }
        }
        Ok(requested)
    }

    fn take(&mut self, name: String, value: String) -> Result<(), PgError> {
        let lower = name.to_ascii_lowercase();
        match lower.as_str() {
            GRANT => {
                let grant = value
                    .trim()
                    .parse()
                    .map_err(|error: phigate_types::IdError| {
                        invalid("phigate.grant is not a grant id").with_detail(error.to_string())
                    })?;
                self.grant = Some(grant);
            }
            AUTH if value == "password" => {}
            AUTH => {
                return Err(PgError::fatal(
                    SqlState::FEATURE_NOT_SUPPORTED,
                    "this gateway authenticates with the grant's password only",
                )
                .with_hint("leave out -c phigate.auth"));
            }
            "application_name" => self.application_name = value,
            name if name.starts_with("phigate.") => {
                return Err(invalid("unknown phigate setting in the startup packet")
                    .with_hint("the gateway knows phigate.grant and phigate.auth"));
            }
            _ => self.settings.push((name, value)),
        }
        Ok(())
    }
}

/// `replication=true|database` opens COPY BOTH, beside every policy.
fn refuse_replication(value: &str) -> Result<(), PgError> {
    let off = ["false", "off", "no", "0", "f", "n"];
    if off.contains(&value.to_ascii_lowercase().as_str()) {
        return Ok(());
    }
    Err(PgError::fatal(
        SqlState::FEATURE_NOT_SUPPORTED,
        "replication connections are not supported through the gateway",
    )
    .with_hint("leave out replication in the connection string"))
}

fn invalid(message: &'static str) -> PgError {
    PgError::fatal(SqlState::INVALID_PARAMETER_VALUE, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(params: &[(&str, &str)]) -> StartupPacket {
        StartupPacket {
            minor: 0,
            params: params
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
            unknown_extensions: Vec::new(),
        }
    }

    #[test]
    fn options_and_parameters_are_one_list() {
        let requested = Requested::read(&packet(&[
            ("user", "alice"),
            (
                "options",
                "-c phigate.grant=0123456789ab --DateStyle=ISO -c geqo=off",
            ),
            ("application_name", "psql"),
            ("TimeZone", "UTC"),
        ]))
        .unwrap();
        assert_eq!(requested.database, "alice");
        assert_eq!(requested.grant.unwrap().as_str(), "0123456789ab");
        assert_eq!(requested.application_name, "psql");
        let names: Vec<_> = requested
            .settings
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["DateStyle", "geqo", "TimeZone"]);
    }

    #[test]
    fn what_would_go_round_the_policy_is_refused() {
        for (params, code) in [
            (vec![("user", "a"), ("replication", "database")], "0A000"),
            (
                vec![("user", "a"), ("options", "-c phigate.grant=x")],
                "22023",
            ),
            (
                vec![("user", "a"), ("options", "-c phigate.k_ipad=00")],
                "22023",
            ),
            (vec![("user", "a"), ("options", "-W 100")], "22023"),
            (vec![("database", "a")], "28000"),
        ] {
            let error = Requested::read(&packet(&params)).unwrap_err();
            assert_eq!(error.code.as_str(), code, "{params:?}");
        }
    }
}
