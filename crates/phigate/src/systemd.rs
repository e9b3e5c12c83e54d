//! What the service manager is told (sd_notify(3)), and the watchdog that it is kept from biting.
//! Nothing of this does anything where there is no `NOTIFY_SOCKET`.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// How often the watchdog is fed within the time it has: two missed turns are forgiven.
const FEEDS: u32 = 3;

/// How long a manager whose queue is full is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// The service manager's end, where there is one.
#[derive(Debug)]
pub(crate) struct Manager {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Manager {
    /// As the environment says.
    pub(crate) fn of_environment() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let number = |name| variable(name).and_then(|value| value.to_str()?.parse::<u64>().ok());
        let ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let socket = variable("NOTIFY_SOCKET").and_then(|path| match open(&path) {
            Ok(socket) => Some(socket),
            Err(error) => {
                tracing::warn!(%error, "the service manager cannot be told anything");
                None
            }
        });
        Self {
            socket,
            watchdog: number("WATCHDOG_USEC")
                .filter(|_| ours)
                .map(Duration::from_micros),
        }
    }

    /// It serves.
    pub(crate) fn ready(&self, status: &str) {
        self.say(&format!("READY=1\nSTATUS={status}\n"));
    }

    /// It reads its files again; [`Manager::ready`] follows, whatever comes of it.
    pub(crate) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let micros = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
        self.say(&format!("RELOADING=1\nMONOTONIC_USEC={micros}\n"));
    }

    /// It stops, which may take so long.
    pub(crate) fn stopping(&self, within: Duration) {
        let micros = within.as_micros();
        self.say(&format!(
            "STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC={micros}\n"
        ));
    }

    /// Feeds the watchdog each time that `turned` resolves: proof that what must move has moved since it
    /// was asked. Completes never, and feeds nobody where no watchdog is.
    pub(crate) async fn feed_watchdog<F: Future<Output = ()>>(&self, turned: impl Fn() -> F) {
        let Some(patience) = self.watchdog else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(patience / FEEDS).await;
            turned().await;
            self.say("WATCHDOG=1\n");
        }
    }

    fn say(&self, state: &str) {
        let Some((socket, to)) = &self.socket else {
            return;
        };
        if let Err(error) = socket.send_to_addr(state.as_bytes(), to) {
            tracing::warn!(%error, "the service manager could not be told");
        }
    }
}

/// A path, or an abstract name behind an `@`.
fn open(name: &OsStr) -> io::Result<(UnixDatagram, SocketAddr)> {
    let to = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok((socket, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manager(watchdog: Option<Duration>) -> (Manager, UnixDatagram) {
        let name = format!("phigate-test-{}-{watchdog:?}", std::process::id());
        let ours = SocketAddr::from_abstract_name(&name).unwrap();
        let ours = UnixDatagram::bind_addr(&ours).unwrap();
        let socket = open(OsStr::new(&format!("@{name}"))).unwrap();
        let manager = Manager {
            socket: Some(socket),
            watchdog,
        };
        (manager, ours)
    }

    fn heard(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 256];
        let len = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..len]).into_owned()
    }

    #[test]
    fn what_is_said_is_what_systemd_reads() {
        let (manager, socket) = manager(None);
        manager.ready("serving");
        assert_eq!(heard(&socket), "READY=1\nSTATUS=serving\n");
        manager.reloading();
        let reloading = heard(&socket);
        let micros = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=");
        micros.unwrap().trim_end().parse::<u64>().unwrap();
        manager.stopping(Duration::from_secs(30));
        assert!(heard(&socket).contains("STOPPING=1\n"));
    }

    #[tokio::test]
    async fn the_watchdog_is_fed_by_what_turns_and_by_nothing_else() {
        const TURNS: usize = 3;
        let (manager, socket) = manager(Some(Duration::from_millis(3)));
        let (pulse, mut beats) = phigate_vitals::pulse();
        let turning = async {
            for _ in 0..TURNS {
                beats.answer().await;
            }
            // The loop is stuck from here on.
        };
        tokio::select! {
            () = manager.feed_watchdog(|| pulse.felt()) => {}
            () = turning => {}
        }
        socket.set_nonblocking(true).unwrap();
        let fed = std::iter::from_fn(|| socket.recv(&mut [0; 64]).ok()).count();
        assert!((TURNS - 1..=TURNS).contains(&fed), "fed {fed} times");
    }
}
