//! From the first byte of a connection to its startup packet.
//!
//! PostgreSQL: `ProcessStartupPacket` in tcop/backend_startup.c. SSLRequest and GSSENCRequest may
//! come once each, in either order; nothing may be buffered when TLS begins (CVE-2021-23214).

pub(crate) mod parameters;
pub(crate) mod settings;

use std::io;

use bytes::BytesMut;
use phigate_types::{PgError, SqlState};
use phigate_wire::startup::{
    CancelKey, FirstPacket, MAX_STARTUP, StartupError, StartupPacket, read_first,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stream::ClientStream;
use crate::tls::{ALPN, Acceptor};

/// The first byte of a TLS record (RFC 8446, 5.1: handshake).
const TLS_HANDSHAKE: u8 = 0x16;

/// What a connection wants.
pub(crate) enum Opening {
    /// A session.
    Session {
        /// The connection.
        stream: ClientStream,
        /// What it sent after the packet.
        buffer: BytesMut,
        /// The packet.
        packet: StartupPacket,
    },
    /// To cancel what another connection runs.
    Cancel {
        /// The connection, to be kept open until the cancellation is delivered.
        stream: ClientStream,
        /// The key.
        key: CancelKey,
    },
}

/// Why there is no startup packet.
pub(crate) enum NoOpening {
    /// The client went away, or its TLS handshake failed: nobody to tell.
    Gone(io::Error),
    /// The client is told.
    Refused(ClientStream, PgError),
}

impl From<io::Error> for NoOpening {
    fn from(error: io::Error) -> Self {
        Self::Gone(error)
    }
}

/// Reads up to and including the startup packet. Not cancel safe: dropping it drops the connection.
pub(crate) async fn open(socket: TcpStream, tls: Option<&Acceptor>) -> Result<Opening, NoOpening> {
    if begins_with_tls(&socket).await? {
        return direct_tls(socket, tls).await;
    }
    let mut stream = ClientStream::Plain(socket);
    let mut buffer = BytesMut::new();
    let (mut ssl_asked, mut gss_asked) = (false, false);
    loop {
        let packet = match first_packet(&mut stream, &mut buffer).await? {
            Ok(packet) => packet,
            Err(error) => return Err(NoOpening::Refused(stream, error.into())),
        };
        let asks_twice = match &packet {
            FirstPacket::Ssl => std::mem::replace(&mut ssl_asked, true) || stream.is_tls(),
            FirstPacket::Gss => std::mem::replace(&mut gss_asked, true) || stream.is_tls(),
            FirstPacket::DirectTls => true,
            FirstPacket::Cancel(_) | FirstPacket::Startup(_) => false,
        };
        if asks_twice {
            return Err(NoOpening::Refused(
                stream,
                protocol("unexpected encryption request"),
            ));
        }
        match packet {
            FirstPacket::Ssl | FirstPacket::Gss if !buffer.is_empty() => {
                let error = protocol("received unencrypted data after an encryption request")
                    .with_detail(
                        "This could be either a client-software bug or evidence of an attempted \
                         man-in-the-middle attack.",
                    );
                return Err(NoOpening::Refused(stream, error));
            }
            FirstPacket::Ssl => stream = upgrade(stream, tls).await?,
            FirstPacket::Gss => stream.write_all(b"N").await?,
            FirstPacket::Cancel(key) => return Ok(Opening::Cancel { stream, key }),
            FirstPacket::Startup(_) if tls.is_some() && !stream.is_tls() => {
                let error =
                    PgError::fatal(SqlState::INVALID_AUTHORIZATION, "the gateway requires TLS")
                        .with_hint("connect with sslmode=require or stronger");
                return Err(NoOpening::Refused(stream, error));
            }
            FirstPacket::Startup(packet) => {
                return Ok(Opening::Session {
                    stream,
                    buffer,
                    packet,
                });
            }
            FirstPacket::DirectTls => {
                return Err(NoOpening::Refused(
                    stream,
                    protocol("unexpected TLS handshake"),
                ));
            }
        }
    }
}

async fn begins_with_tls(socket: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    match socket.peek(&mut first).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(first == [TLS_HANDSHAKE]),
    }
}

/// TLS without SSLRequest (PostgreSQL 17): ALPN is mandatory, so that no other protocol can be
/// tricked into talking to us.
async fn direct_tls(socket: TcpStream, tls: Option<&Acceptor>) -> Result<Opening, NoOpening> {
    let Some(acceptor) = tls else {
        return Err(io::Error::from(io::ErrorKind::Unsupported).into());
    };
    let tls = acceptor.accept(socket).await?;
    let spoke_alpn = tls.get_ref().1.alpn_protocol() == Some(ALPN);
    let mut stream = ClientStream::Tls(Box::new(tls));
    if !spoke_alpn {
        let error = protocol("received direct TLS connection request without ALPN protocol");
        return Err(NoOpening::Refused(stream, error));
    }
    let mut buffer = BytesMut::new();
    match first_packet(&mut stream, &mut buffer).await? {
        Ok(FirstPacket::Cancel(key)) => Ok(Opening::Cancel { stream, key }),
        Ok(FirstPacket::Startup(packet)) => Ok(Opening::Session {
            stream,
            buffer,
            packet,
        }),
        Ok(FirstPacket::Ssl | FirstPacket::Gss | FirstPacket::DirectTls) => Err(
            NoOpening::Refused(stream, protocol("unexpected encryption request")),
        ),
        Err(error) => Err(NoOpening::Refused(stream, error.into())),
    }
}

async fn upgrade(stream: ClientStream, tls: Option<&Acceptor>) -> Result<ClientStream, NoOpening> {
    let ClientStream::Plain(mut socket) = stream else {
        return Err(NoOpening::Refused(
            stream,
            protocol("unexpected encryption request"),
        ));
    };
    let Some(acceptor) = tls else {
        socket.write_all(b"N").await?;
        return Ok(ClientStream::Plain(socket));
    };
    socket.write_all(b"S").await?;
    Ok(ClientStream::Tls(Box::new(acceptor.accept(socket).await?)))
}

async fn first_packet(
    stream: &mut ClientStream,
    buffer: &mut BytesMut,
) -> io::Result<Result<FirstPacket, StartupError>> {
    loop {
        match read_first(buffer) {
            Ok(Some((packet, used))) => {
                let _ = buffer.split_to(used);
                return Ok(Ok(packet));
            }
            Ok(None) => {}
            Err(error) => return Ok(Err(error)),
        }
        let mut room = [0; 1024];
        let room = room.get_mut(..MAX_STARTUP.saturating_sub(buffer.len()).min(1024));
        let Some(room) = room.filter(|room| !room.is_empty()) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        match stream.read(room).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => buffer.extend_from_slice(room.get(..read).unwrap_or_default()),
        }
    }
}

fn protocol(message: &'static str) -> PgError {
    PgError::fatal(SqlState::PROTOCOL_VIOLATION, message)
}
