//! A client's socket that knows when bytes arrived in the kernel, however late they are read.

use std::io::{IoSliceMut, Read as _};
use std::net::TcpStream;
use std::os::fd::AsRawFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::sockopt::ReceiveTimestampns;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt};
use nix::sys::time::TimeSpec;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Read at once.
const CHUNK: usize = 256 * 1024;

/// Enough for an ErrorResponse.
const TAIL: usize = 1024;

/// How long the reader waits before it looks whether it is still wanted.
const TURN: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};

/// A logged-in connection.
#[derive(Debug)]
pub(crate) struct Watched {
    socket: TcpStream,
    /// When the last byte read arrived in this machine's receive queue of the socket: CLOCK_REALTIME,
    /// taken by the kernel (socket(7), SO_TIMESTAMPNS).
    pub(crate) last: Option<Duration>,
    tail: Vec<u8>,
    ended: bool,
}

/// Reads many sockets as bytes come.
pub(crate) struct Reader {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Watched>>,
}

/// The time of day, as the kernel stamps packets.
pub(crate) fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
}

impl Watched {
    pub(crate) fn new(stream: tokio::net::TcpStream) -> Self {
        let socket = stream.into_std().expect("a socket");
        setsockopt(&socket, ReceiveTimestampns, &true).expect("SO_TIMESTAMPNS");
        Self {
            socket,
            last: None,
            tail: Vec::new(),
            ended: false,
        }
    }

    pub(crate) fn socket(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    /// What lies in the kernel and was not read.
    pub(crate) fn unread(&self) -> u64 {
        rustix::io::ioctl_fionread(&self.socket).unwrap_or(0)
    }

    /// Whether the client was told that its grant is over.
    pub(crate) fn told(&self) -> bool {
        self.tail.windows(5).any(|bytes| bytes == b"57P01")
    }

    /// Reads what is there.
    pub(crate) fn drain(&mut self, chunk: &mut [u8]) {
        while !self.ended {
            let mut space = cmsg_space!(TimeSpec);
            let mut slices = [IoSliceMut::new(chunk)];
            let read = recvmsg::<()>(
                self.socket.as_raw_fd(),
                &mut slices,
                Some(&mut space),
                MsgFlags::MSG_DONTWAIT,
            );
            let (bytes, stamp) = match &read {
                Err(Errno::EAGAIN) => return,
                Err(Errno::EINTR) => continue,
                Ok(read) if read.bytes > 0 => {
                    let stamp =
                        read.cmsgs()
                            .into_iter()
                            .flatten()
                            .find_map(|message| match message {
                                ControlMessageOwned::ScmTimestampns(at) => Some(Duration::from(at)),
                                _ => None,
                            });
                    (read.bytes, stamp)
                }
                Ok(_) | Err(_) => {
                    self.ended = true;
                    return;
                }
            };
            self.last = Some(stamp.expect("the kernel stamps what arrives"));
            let read = chunk.get(..bytes).unwrap_or_default();
            let keep = read.len().min(TAIL);
            self.tail.drain(
                ..(self.tail.len() + keep)
                    .saturating_sub(TAIL)
                    .min(self.tail.len()),
            );
            self.tail.extend_from_slice(&read[read.len() - keep..]);
        }
    }
}

impl Reader {
    /// Starts a thread that reads these until they end.
    pub(crate) fn start(sockets: Vec<Watched>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || read(sockets, &stopped));
        Self { stop, thread }
    }

    /// Reads what is there and gives the sockets back.
    pub(crate) fn finish(self) -> Vec<Watched> {
        self.stop.store(true, Ordering::Release);
        self.thread.join().expect("the reader does not panic")
    }
}

fn read(mut sockets: Vec<Watched>, stop: &AtomicBool) -> Vec<Watched> {
    let mut chunk = vec![0; CHUNK];
    while !stop.load(Ordering::Acquire) {
        let open: Vec<usize> = (0..sockets.len())
            .filter(|at| !sockets[*at].ended)
            .collect();
        let mut fds: Vec<PollFd<'_>> = open
            .iter()
            .map(|at| PollFd::new(&sockets[*at].socket, PollFlags::IN))
            .collect();
        if poll(&mut fds, Some(&TURN)).is_err() {
            continue;
        }
        let ready: Vec<usize> = std::iter::zip(&open, &fds)
            .filter(|(_, fd)| !fd.revents().is_empty())
            .map(|(at, _)| *at)
            .collect();
        drop(fds);
        for at in ready {
            sockets[at].drain(&mut chunk);
        }
    }
    for socket in &mut sockets {
        socket.drain(&mut chunk);
    }
    sockets
}

/// A thread that sleeps a millisecond at a time, and how late it woke: what the machine itself
/// does to every deadline.
pub(crate) struct Timer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<f64>>,
}

impl Timer {
    pub(crate) fn start() -> Self {
        const NAP: Duration = Duration::from_millis(1);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        #[expect(
            clippy::disallowed_methods,
            reason = "how late a sleep ends is what is measured"
        )]
        let thread = std::thread::spawn(move || {
            let mut late = Vec::new();
            while !stopped.load(Ordering::Acquire) {
                let start = std::time::Instant::now();
                std::thread::sleep(NAP);
                late.push(start.elapsed().saturating_sub(NAP).as_secs_f64() * 1e3);
            }
            late
        });
        Self { stop, thread }
    }

    /// Milliseconds.
    pub(crate) fn finish(self) -> Vec<f64> {
        self.stop.store(true, Ordering::Release);
        self.thread.join().expect("the timer does not panic")
    }
}

/// Waits for the first byte, without reading more than one.
pub(crate) fn first_byte(socket: &mut TcpStream) {
    socket.set_nonblocking(false).expect("a socket");
    let mut byte = [0];
    socket
        .read_exact(&mut byte)
        .expect("the first byte of a result");
    socket.set_nonblocking(true).expect("a socket");
}
