//! The packets before the first frame: they have a length but no type.
//!
//! PostgreSQL: `ProcessStartupPacket` in tcop/backend_startup.c, libpq/pqcomm.h.

mod options;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use phigate_types::{PgError, SqlState};

use crate::read::{DecodeError, Reader};

pub use options::{OptionsError, parse_options};

/// Longest startup packet, in bytes. PostgreSQL: MAX_STARTUP_PACKET_LENGTH.
pub const MAX_STARTUP: usize = 10_000;

/// The newest minor version of protocol 3 spoken here.
pub const NEWEST_MINOR: u16 = 2;

/// Shortest and longest secret of a cancel key, in bytes (protocol 3.2).
pub const CANCEL_SECRET_LEN: std::ops::RangeInclusive<usize> = 4..=256;

pub(crate) const SSL_REQUEST: u32 = request_code(5679);
const GSS_REQUEST: u32 = request_code(5680);
pub(crate) const CANCEL_REQUEST: u32 = request_code(5678);

/// The first byte of a TLS record of the handshake (RFC 8446, 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// Length word and code.
const PREFIX_LEN: usize = 8;

/// What a client says first, or next after SSLRequest or GSSENCRequest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstPacket {
    /// Asks for TLS; the answer is one byte.
    Ssl,
    /// Asks for GSSAPI encryption; the answer is one byte.
    Gss,
    /// Asks to cancel what another connection runs.
    Cancel(CancelKey),
    /// Names user, database and settings.
    Startup(StartupPacket),
    /// A TLS handshake without SSLRequest; nothing of it is used up.
    DirectTls,
}

/// The first packet in `buf` and the bytes it uses; `None` until all of it is there.
pub fn read_first(buf: &[u8]) -> Result<Option<(FirstPacket, usize)>, StartupError> {
    if buf.first() == Some(&TLS_HANDSHAKE) {
        return Ok(Some((FirstPacket::DirectTls, 0)));
    }
    let Some(length) = buf.first_chunk::<4>() else {
        return Ok(None);
    };
    let len = u32::from_be_bytes(*length) as usize;
    if !(PREFIX_LEN..=MAX_STARTUP).contains(&len) {
        return Err(StartupError::Length(len));
    }
    let Some(packet) = buf.get(..len) else {
        return Ok(None);
    };
    let mut body = Reader::new(packet);
    body.u32()?;
    let first = match body.u32()? {
        SSL_REQUEST => FirstPacket::Ssl,
        GSS_REQUEST => FirstPacket::Gss,
        CANCEL_REQUEST => FirstPacket::Cancel(CancelKey::read(&mut body)?),
        version if version >> 16 == 3 => {
            FirstPacket::Startup(StartupPacket::read(version as u16, &mut body)?)
        }
        version => {
            return Err(StartupError::Version(
                (version >> 16) as u16,
                version as u16,
            ));
        }
    };
    body.finish()?;
    Ok(Some((first, len)))
}

// === impl StartupPacket ===

/// A StartupMessage of protocol 3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartupPacket {
    /// The minor version asked for; may be newer than [`NEWEST_MINOR`].
    pub minor: u16,
    /// Settings in the order sent. Bytes that are not UTF-8 are replaced by U+FFFD.
    pub params: Vec<(String, String)>,
    /// The names that begin with `_pq_.`; none is known here.
    pub unknown_extensions: Vec<String>,
}

impl StartupPacket {
    /// The user: never empty.
    pub fn user(&self) -> &str {
        self.get("user").unwrap_or_default()
    }

    /// The database; the user's name where none is given.
    pub fn database(&self) -> &str {
        self.get("database")
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| self.user())
    }

    /// The setting as sent last.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.params
            .iter()
            .rfind(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The minor version the connection goes on with.
    pub fn negotiated_minor(&self) -> u16 {
        self.minor.min(NEWEST_MINOR)
    }

    /// Whether NegotiateProtocolVersion has to be sent, once, before authentication.
    pub fn needs_negotiation(&self) -> bool {
        self.minor > NEWEST_MINOR || !self.unknown_extensions.is_empty()
    }

    /// How long a cancel secret this client can take, in bytes.
    pub fn cancel_secret_len(&self) -> usize {
        if self.negotiated_minor() >= 2 { 32 } else { 4 }
    }

    fn read(minor: u16, body: &mut Reader<'_>) -> Result<Self, StartupError> {
        let mut packet = Self {
            minor,
            params: Vec::new(),
            unknown_extensions: Vec::new(),
        };
        loop {
            let name = lossy(body.cstring()?);
            if name.is_empty() {
                break;
            }
            let value = lossy(body.cstring()?);
            if name.starts_with("_pq_.") {
                packet.unknown_extensions.push(name);
            } else {
                packet.params.push((name, value));
            }
        }
        if packet.user().is_empty() {
            Err(StartupError::NoUser)
        } else {
            Ok(packet)
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

// === impl CancelKey ===

/// Names a running connection to a CancelRequest. Equality takes the same time wherever two
/// secrets of one length differ.
#[derive(Clone)]
pub struct CancelKey {
    /// The process id, or what stands for it.
    pub pid: i32,
    /// 4 to 256 random bytes.
    pub secret: Vec<u8>,
}

impl CancelKey {
    pub(crate) fn read(body: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let pid = body.i32()?;
        let secret = body.remainder();
        if CANCEL_SECRET_LEN.contains(&secret.len()) {
            Ok(Self {
                pid,
                secret: secret.to_vec(),
            })
        } else {
            Err(DecodeError::Value("the length of a cancel key"))
        }
    }
}

impl PartialEq for CancelKey {
    fn eq(&self, other: &Self) -> bool {
        let same =
            aws_lc_rs::constant_time::verify_slices_are_equal(&self.secret, &other.secret).is_ok();
        same && self.pid == other.pid
    }
}

impl Eq for CancelKey {}

impl std::fmt::Debug for CancelKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CancelKey")
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}

// === impl StartupError ===

/// Why the first packet is refused. For a CancelRequest nothing is answered; else FATAL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartupError {
    /// The length word is out of bounds.
    #[error("startup packet has the length {0}; {PREFIX_LEN} to {MAX_STARTUP} are accepted")]
    Length(usize),
    /// Another major version.
    #[error("frontend protocol {0}.{1} is not 3.x")]
    Version(u16, u16),
    /// No user is named.
    #[error("no user is named in the startup packet")]
    NoUser,
    /// The packet is not laid out as it should be.
    #[error("invalid startup packet: {0}")]
    Layout(#[from] DecodeError),
}

impl From<StartupError> for PgError {
    fn from(error: StartupError) -> Self {
        let (code, message): (_, Cow<'static, str>) = match &error {
            StartupError::Length(_) => {
                (SqlState::PROTOCOL_VIOLATION, "invalid length of startup packet".into())
            }
            StartupError::Version(major, minor) => (
                SqlState::FEATURE_NOT_SUPPORTED,
                format!(
                    "unsupported frontend protocol {major}.{minor}: server supports 3.0 to 3.{NEWEST_MINOR}"
                )
                .into(),
            ),
            StartupError::NoUser => (
                SqlState::INVALID_AUTHORIZATION,
                "no PostgreSQL user name specified in startup packet".into(),
            ),
            StartupError::Layout(_) => {
                (SqlState::PROTOCOL_VIOLATION, "invalid startup packet layout".into())
            }
        };
        Self::fatal(code, message)
    }
}

const fn request_code(minor: u32) -> u32 {
    (1234 << 16) | minor
}
