//! Moves bytes: one task owns both sockets, and each of the four directions makes progress whatever
//! the others wait for. It knows nothing of messages.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::boundary::Boundary;
use super::window::Window;
use crate::limits;
use crate::stream::{ClientStream, UpstreamStream};

thread_local! {
    /// What a client's bytes are first read into, so that a silent client costs no buffer.
    static SCRATCH: RefCell<Box<[u8]>> =
        RefCell::new(vec![0; limits::BUFFER].into_boxed_slice());
}

/// Both sockets and what is between them.
pub(super) struct Pump {
    pub(super) client: ClientStream,
    pub(super) upstream: UpstreamStream,
    /// Read from the client, not decided yet.
    pub(super) from_client: BytesMut,
    /// To be written upstream.
    pub(super) to_upstream: BytesMut,
    /// Read from upstream; its cleared part goes to the client after `to_client`.
    pub(super) from_upstream: Window,
    /// To be written to the client, before the cleared part of `from_upstream`.
    pub(super) to_client: BytesMut,
    /// The client closed its side.
    pub(super) client_eof: bool,
    /// The server closed its side.
    pub(super) upstream_eof: bool,
    boundary: Boundary,
    /// TLS may hold bytes that were written but not sent.
    client_unflushed: bool,
    upstream_unflushed: bool,
}

/// Which directions may move.
#[derive(Debug, Clone, Copy)]
pub(super) struct Valves {
    /// Whether more of what the client says is wanted.
    pub(super) read_client: bool,
    /// Whether what was permitted may already run.
    pub(super) write_upstream: bool,
}

/// Which socket failed.
#[derive(Debug)]
pub(super) enum Broken {
    Client(io::Error),
    Upstream(io::Error),
}

impl Pump {
    pub(super) fn new(
        client: ClientStream,
        from_client: BytesMut,
        upstream: UpstreamStream,
        from_upstream: &[u8],
    ) -> Self {
        Self {
            client,
            upstream,
            from_client,
            to_upstream: BytesMut::new(),
            from_upstream: Window::holding(from_upstream),
            to_client: BytesMut::new(),
            client_eof: false,
            upstream_eof: false,
            boundary: Boundary::default(),
            client_unflushed: false,
            upstream_unflushed: false,
        }
    }

    /// Tries each direction once. Ready when any moved; pending when all wait for their sockets.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        valves: Valves,
    ) -> Poll<Result<(), Broken>> {
        let mut moved = false;
        moved |= self.write_client(cx).map_err(Broken::Client)?;
        moved |= self.read_upstream(cx).map_err(Broken::Upstream)?;
        if valves.write_upstream {
            moved |= self.write_upstream(cx).map_err(Broken::Upstream)?;
        }
        if valves.read_client {
            moved |= self.read_client(cx).map_err(Broken::Client)?;
        }
        if moved {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }

    /// Whether anything is on its way to the client.
    pub(super) fn owes_client(&self) -> bool {
        !self.to_client.is_empty() || !self.from_upstream.cleared().is_empty()
    }

    /// Puts aside what was cleared, drops the next `len` bytes of the server, and says `instead` in
    /// their place.
    pub(super) fn substitute(&mut self, len: usize, instead: &[u8]) {
        let before = self.from_upstream.cut(len);
        self.to_client.extend_from_slice(before);
        self.to_client.extend_from_slice(instead);
    }

    /// The rest of the frame that the client has in part, and what was released beyond it. The
    /// frame is `None` when its end is not at hand or further than [`limits::FRAME_REST`].
    pub(super) fn unsent(&self) -> (Option<Vec<u8>>, Vec<u8>) {
        let mut all = self.to_client.to_vec();
        all.extend_from_slice(self.from_upstream.cleared());
        match self.boundary.rest(&all) {
            Some(len) if len <= limits::FRAME_REST => {
                let released = all.split_off(len);
                (Some(all), released)
            }
            Some(_) | None => (None, Vec::new()),
        }
    }

    fn write_client(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let slices = [
            IoSlice::new(&self.to_client),
            IoSlice::new(self.from_upstream.cleared()),
        ];
        let slices = match (slices[0].is_empty(), slices[1].is_empty()) {
            (true, true) => return self.flush_client(cx),
            (false, true) => &slices[..1],
            (true, false) => &slices[1..],
            (false, false) => &slices[..],
        };
        match Pin::new(&mut self.client).poll_write_vectored(cx, slices) {
            Poll::Pending => Ok(false),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(0)) => Err(io::ErrorKind::WriteZero.into()),
            Poll::Ready(Ok(written)) => {
                self.client_unflushed = self.client.is_tls();
                let first = written.min(self.to_client.len());
                self.boundary
                    .wrote(self.to_client.get(..first).unwrap_or_default());
                self.to_client.advance(first);
                if self.to_client.is_empty() {
                    self.to_client = BytesMut::new();
                }
                let second = written - first;
                let cleared = self.from_upstream.cleared();
                self.boundary
                    .wrote(cleared.get(..second).unwrap_or_default());
                self.from_upstream.sent(second);
                self.flush_client(cx)?;
                Ok(true)
            }
        }
    }

    fn flush_client(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        if self.client_unflushed && !self.owes_client() {
            match Pin::new(&mut self.client).poll_flush(cx) {
                Poll::Ready(flushed) => {
                    flushed?;
                    self.client_unflushed = false;
                }
                Poll::Pending => {}
            }
        }
        Ok(false)
    }

    fn read_upstream(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let wanted = !self.upstream_eof
            && self.to_client.len() < limits::HIGH_WATER
            && self.from_upstream.has_room();
        if !wanted {
            return Ok(false);
        }
        match self.from_upstream.poll_fill(&mut self.upstream, cx) {
            Poll::Pending => Ok(false),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(read)) => {
                self.upstream_eof = read == 0;
                Ok(true)
            }
        }
    }

    fn write_upstream(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut moved = false;
        if !self.to_upstream.is_empty() {
            match Pin::new(&mut self.upstream).poll_write(cx, &self.to_upstream) {
                Poll::Pending => return Ok(false),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(written)) => {
                    self.to_upstream.advance(written);
                    self.upstream_unflushed = self.upstream.is_tls();
                    moved = true;
                }
            }
            if self.to_upstream.is_empty() {
                self.to_upstream = BytesMut::new();
            }
        }
        if self.upstream_unflushed && self.to_upstream.is_empty() {
            match Pin::new(&mut self.upstream).poll_flush(cx) {
                Poll::Ready(flushed) => {
                    flushed?;
                    self.upstream_unflushed = false;
                }
                Poll::Pending => {}
            }
        }
        Ok(moved)
    }

    fn read_client(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        if self.client_eof || self.to_upstream.len() >= limits::HIGH_WATER {
            return Ok(false);
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buf = ReadBuf::new(scratch);
            match Pin::new(&mut self.client).poll_read(cx, &mut buf) {
                Poll::Pending => Ok(false),
                Poll::Ready(Err(error)) => Err(error),
                Poll::Ready(Ok(())) => {
                    self.client_eof = buf.filled().is_empty();
                    self.from_client.extend_from_slice(buf.filled());
                    Ok(true)
                }
            }
        })
    }
}
