//! PostgreSQL's wire protocol, 3.0 and 3.2, without I/O: bytes in, messages out.
//!
//! | module | what |
//! | --- | --- |
//! | [`frame`] | cuts exactly one frame from a client; walks the headers of what a server sends |
//! | [`startup`] | the packets before the first frame: SSLRequest, CancelRequest, StartupMessage |
//! | [`frontend`] | decodes what clients send, encodes what is said to PostgreSQL |
//! | [`backend`] | encodes what is said to clients, decodes what PostgreSQL answers |
//! | [`scram`] | SCRAM-SHA-256 and -PLUS, both sides; the md5 password |
//!
//! `pgwire` encodes what the gateway itself says to clients. It decodes nothing: its decoders read past the frame they are given, repair text that
//! is not UTF-8 and panic on short frames, any of which lets a client smuggle a statement past the
//! policy. So a frame is cut first, and a decoder here uses every byte of it or fails.
//!
//! Nothing here panics on what a socket delivered; the fuzz targets in `fuzz/` hold that.

pub mod backend;
pub mod frame;
pub mod frontend;
mod read;
pub mod scram;
pub mod startup;

pub use read::DecodeError;
