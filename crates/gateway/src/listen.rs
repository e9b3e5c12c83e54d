//! Accepts connections. Nothing is read here: one slow client never holds up the next.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use phigate_types::{PgError, SqlState};
use phigate_vitals::Beats;
use phigate_wire::backend;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};

use crate::gateway::Gateway;
use crate::{Limits, connection, limits};

/// Accepts for as long as it is polled, one task a connection.
pub(crate) async fn accept(listener: TcpListener, gateway: Arc<Gateway>, mut beats: Beats) {
    let slots = Slots::new(gateway.limits);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = beats.answer() => continue,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // EMFILE and its like last for a while; do not spin.
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(limits::ATTACH_BACKOFF.0).await;
                continue;
            }
        };
        if let Err(error) = tune(&socket) {
            tracing::debug!(%peer, %error, "socket options refused");
            continue;
        }
        let Some(slot) = slots.take(peer.ip()) else {
            gateway.events.connection_refused(peer);
            turn_away(&socket);
            continue;
        };
        let gateway = Arc::clone(&gateway);
        gateway.tasks.clone().spawn(async move {
            connection::serve(gateway, socket, peer).await;
            drop(slot);
        });
    }
}

/// Options of a client's socket: no delay, a small send buffer so that little can be queued in the
/// kernel when a grant ends, and an end to peers that vanished.
fn tune(socket: &TcpStream) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let socket = SockRef::from(socket);
    let (idle, interval) = limits::TCP_KEEPALIVE;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(idle).with_interval(interval))?;
    socket.set_tcp_user_timeout(Some(limits::TCP_USER_TIMEOUT))?;
    // The kernel doubles what it is told, for its own bookkeeping (socket(7)).
    socket.set_send_buffer_size(limits::CLIENT_SEND_BUFFER / 2)
}

fn turn_away(socket: &TcpStream) {
    let error = PgError::fatal(SqlState::TOO_MANY_CONNECTIONS, "too many connections")
        .with_hint("try again later, or close connections that are not in use");
    let mut out = BytesMut::new();
    backend::error(&error, &mut out);
    // Best effort: a fresh socket takes it at once.
    let _ = socket.try_write(&out);
}

/// How many connections there are, in all and by address.
#[derive(Clone)]
struct Slots {
    limits: Limits,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One connection's place; free again when dropped.
struct Slot {
    slots: Slots,
    address: IpAddr,
}

impl Slots {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            taken: Arc::default(),
        }
    }

    fn take(&self, address: IpAddr) -> Option<Slot> {
        let address = address.to_canonical();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let here = taken.by_address.get(&address).copied().unwrap_or(0);
        if taken.total >= self.limits.connections || here >= self.limits.connections_per_address {
            return None;
        }
        taken.total += 1;
        taken.by_address.insert(address, here + 1);
        Some(Slot {
            slots: self.clone(),
            address,
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self
            .slots
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        taken.total = taken.total.saturating_sub(1);
        if let Some(here) = taken.by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

/// Listens, and says at which address it does, for port 0.
pub(crate) async fn bind(
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), crate::GatewayError> {
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        // Agreed on when a connection is made, so it is too late after that.
        SockRef::from(&listener).set_tcp_mss(limits::CLIENT_SEGMENT)?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    bound
        .await
        .map_err(|error| crate::GatewayError::Listen { address, error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn several_segments_fit_into_a_clients_send_buffer() {
        let (listener, address) = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let (_client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (socket, _peer) = accepted.unwrap();
        tune(&socket).unwrap();
        let socket = SockRef::from(&socket);
        let (segment, buffer) = (
            socket.tcp_mss().unwrap(),
            socket.send_buffer_size().unwrap(),
        );
        assert!(segment as usize * 4 <= buffer, "{segment} of {buffer}");
    }

    #[test]
    fn a_place_is_free_again_when_its_connection_ends() {
        let slots = Slots::new(Limits {
            connections: 3,
            connections_per_address: 2,
        });
        let one: IpAddr = [10, 0, 0, 1].into();
        let two: IpAddr = [10, 0, 0, 2].into();
        let first = slots.take(one).unwrap();
        let _second = slots.take(one).unwrap();
        assert!(slots.take(one).is_none(), "two an address");
        let _third = slots.take(two).unwrap();
        assert!(slots.take(two).is_none(), "three in all");
        drop(first);
        assert!(slots.take(two).is_some());
    }
}
