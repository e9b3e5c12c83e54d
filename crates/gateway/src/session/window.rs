//! The read buffer of the upstream direction. Bytes are read into it, judged in place, and written
//! out from it: results are never copied.
//!
//! ```text
//! storage  [ free | cleared for the client | not judged yet | free ]
//!           0    start                  cleared            end
//! ```

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

use crate::limits;

thread_local! {
    /// Buffers of [`limits::BUFFER`] bytes that no session of this thread is using.
    static SPARE: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

/// Buffers a thread keeps.
const SPARES: usize = 32;

/// See the module.
#[derive(Default)]
pub(super) struct Window {
    /// INVARIANT: start <= cleared <= end <= storage.len().
    storage: Box<[u8]>,
    start: usize,
    cleared: usize,
    end: usize,
    /// The last read filled all the room there was: more is coming.
    streaming: bool,
}

impl Window {
    /// Holding bytes that were read elsewhere.
    pub(super) fn holding(bytes: &[u8]) -> Self {
        Self {
            storage: bytes.into(),
            end: bytes.len(),
            ..Self::default()
        }
    }

    /// What may go to the client.
    pub(super) fn cleared(&self) -> &[u8] {
        self.storage
            .get(self.start..self.cleared)
            .unwrap_or_default()
    }

    /// What has not been judged.
    pub(super) fn pending(&self) -> &[u8] {
        self.storage.get(self.cleared..self.end).unwrap_or_default()
    }

    /// The first `len` bytes not judged yet may go.
    pub(super) fn clear(&mut self, len: usize) {
        self.cleared = (self.cleared + len).min(self.end);
    }

    /// The first `len` bytes not judged yet must not go. Returns what was cleared before them and
    /// has to be put aside, in order.
    pub(super) fn cut(&mut self, len: usize) -> &[u8] {
        let before = self.start..self.cleared;
        self.cleared = (self.cleared + len).min(self.end);
        self.start = self.cleared;
        self.storage.get(before).unwrap_or_default()
    }

    /// `len` cleared bytes are with the client.
    pub(super) fn sent(&mut self, len: usize) {
        self.start = (self.start + len).min(self.cleared);
        if self.start == self.end {
            (self.start, self.cleared, self.end) = (0, 0, 0);
        }
    }

    /// Makes room so that at least `need` bytes beyond those held can be read, growing if one frame
    /// needs it. False when they do not fit before cleared bytes are sent.
    pub(super) fn reserve(&mut self, need: usize) -> bool {
        if self.storage.len() - self.end >= need {
            return true;
        }
        if self.start > 0 {
            self.storage.copy_within(self.start..self.end, 0);
            self.cleared -= self.start;
            self.end -= self.start;
            self.start = 0;
        }
        if self.storage.len() - self.end >= need {
            return true;
        }
        if self.cleared > 0 {
            return false;
        }
        let capacity = (self.end + need).next_power_of_two().max(limits::BUFFER);
        self.resize(capacity);
        true
    }

    /// Whether a read could take anything now.
    pub(super) fn has_room(&self) -> bool {
        self.storage.is_empty() || self.end < self.storage.len() || self.start > 0
    }

    /// Reads what there is. A session without bytes holds no buffer while it waits.
    pub(super) fn poll_fill<R: AsyncRead + Unpin>(
        &mut self,
        source: &mut R,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if self.end == 0 && (self.storage.is_empty() || self.streaming) {
            let capacity = if self.streaming {
                limits::STREAM_BUFFER
            } else {
                limits::BUFFER
            };
            self.resize(capacity);
        } else if self.end == self.storage.len() {
            self.reserve(1);
        }
        let room = self.storage.get_mut(self.end..).unwrap_or_default();
        let whole = room.len();
        let mut buf = ReadBuf::new(room);
        match Pin::new(source).poll_read(cx, &mut buf) {
            Poll::Ready(Ok(())) => {
                let read = buf.filled().len();
                self.end += read;
                self.streaming = read == whole;
                Poll::Ready(Ok(read))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                if self.end == 0 {
                    self.release();
                }
                Poll::Pending
            }
        }
    }

    fn resize(&mut self, capacity: usize) {
        if self.storage.len() >= capacity {
            return;
        }
        let spare = (capacity == limits::BUFFER)
            .then(|| SPARE.with_borrow_mut(Vec::pop))
            .flatten();
        let mut larger = spare.unwrap_or_else(|| vec![0; capacity].into_boxed_slice());
        if let (Some(to), Some(from)) = (
            larger.get_mut(self.start..self.end),
            self.storage.get(self.start..self.end),
        ) {
            to.copy_from_slice(from);
        }
        self.storage = larger;
    }

    fn release(&mut self) {
        let storage = std::mem::take(&mut self.storage);
        self.streaming = false;
        if storage.len() == limits::BUFFER {
            SPARE.with_borrow_mut(|spare| {
                if spare.len() < SPARES {
                    spare.push(storage);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judged_bytes_go_out_in_order() {
        let mut window = Window::holding(b"aabbbcc");
        window.clear(2);
        assert_eq!(
            window.cut(3),
            b"aa",
            "put aside before the frame that must not go"
        );
        assert_eq!(window.cleared(), b"");
        assert_eq!(window.pending(), b"cc");
        window.clear(2);
        window.sent(2);
        assert_eq!((window.cleared(), window.pending()), (&b""[..], &b""[..]));
        assert_eq!((window.start, window.end), (0, 0));
    }

    #[test]
    fn a_frame_longer_than_the_buffer_gets_room_once_the_rest_is_sent() {
        let mut window = Window::holding(&[7; 10]);
        window.clear(4);
        assert!(!window.reserve(limits::BUFFER));
        window.sent(4);
        assert!(window.reserve(limits::BUFFER));
        assert_eq!(window.pending(), [7; 6]);
        assert!(window.storage.len() >= 6 + limits::BUFFER);
    }
}
