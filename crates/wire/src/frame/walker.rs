//! Walks the frames of a server where they lie in the read buffer.

use super::{FrameError, HEADER_LEN, Header, header};
use crate::backend::tag;

/// Longest frame other than DataRow and CopyData that is taken whole, in bytes. PostgreSQL puts the
/// value that does not fit into an error's text, so errors can be long.
pub const CONTROL_MAX: usize = 64 << 20;

/// What is at the front of the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// This many bytes of DataRow and CopyData frames, to be passed on as they are. The last one
    /// may be cut short; the walker remembers what is still to come.
    Stream {
        /// In bytes, at least 1.
        len: usize,
        /// DataRow frames that begin in it.
        rows: u32,
        /// CopyData frames that begin in it.
        copy_rows: u32,
    },
    /// One whole frame of another type, known or not.
    Frame {
        /// The type byte.
        tag: u8,
        /// In bytes, header included.
        len: usize,
    },
    /// Nothing can be said before this many more bytes have arrived.
    More {
        /// In bytes, at least 1.
        need: usize,
    },
}

/// Walks a server's stream. The caller removes from the front of its buffer the bytes that a step
/// names, then asks for the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackendWalker {
    /// Bytes still to come of a DataRow or CopyData whose header has passed.
    unfinished: usize,
}

impl BackendWalker {
    /// At the start of a frame.
    pub const fn new() -> Self {
        Self { unfinished: 0 }
    }

    /// What is at the front of `buf`. Any way of splitting a stream into buffers gives the same
    /// frames in the same order, and the same sums of bytes and rows between them.
    #[inline]
    pub fn next(&mut self, buf: &[u8]) -> Result<Step, FrameError> {
        let mut at = self.unfinished;
        let (mut rows, mut copy_rows) = (0, 0);
        let stop = loop {
            let Some(ahead) = buf.get(at..) else {
                break Ok(Step::More { need: 1 });
            };
            match header(ahead) {
                Header::Whole {
                    tag: tag::DATA_ROW,
                    whole,
                } => {
                    rows += 1;
                    at += whole;
                }
                Header::Whole {
                    tag: tag::COPY_DATA,
                    whole,
                } => {
                    copy_rows += 1;
                    at += whole;
                }
                Header::Whole { tag, whole } if whole <= ahead.len() => {
                    break Ok(Step::Frame { tag, len: whole });
                }
                Header::Whole { tag, whole } if whole > CONTROL_MAX => {
                    break Err(FrameError::TooLong {
                        tag,
                        len: whole - 1,
                        max: CONTROL_MAX,
                    });
                }
                Header::Whole { whole, .. } => {
                    break Ok(Step::More {
                        need: whole - ahead.len(),
                    });
                }
                Header::Partial => {
                    break Ok(Step::More {
                        need: HEADER_LEN - ahead.len(),
                    });
                }
                Header::Bad(error) => break Err(error),
            }
        };
        // What was walked over goes first; what stopped the walk is found again by the next call.
        let len = at.min(buf.len());
        self.unfinished = at - len;
        if len == 0 {
            stop
        } else {
            Ok(Step::Stream {
                len,
                rows,
                copy_rows,
            })
        }
    }

    /// Bytes still to come of the frame in progress; 0 between frames.
    pub const fn unfinished(&self) -> usize {
        self.unfinished
    }
}

/// How many bytes after the first `written` of `stream` complete the frame that is cut there; 0 when
/// a frame ends there, `None` when that frame's header is not in `stream`. The first `lead` bytes of
/// `stream` belong to a frame whose header is not in it.
///
/// For ending a session in the middle of a result without leaving half a frame on the wire.
pub fn rest_of_frame(stream: &[u8], lead: usize, written: usize) -> Option<usize> {
    let mut boundary = lead;
    while boundary < written {
        match header(stream.get(boundary..)?) {
            Header::Whole { whole, .. } => boundary += whole,
            Header::Partial | Header::Bad(_) => return None,
        }
    }
    Some(boundary - written)
}
