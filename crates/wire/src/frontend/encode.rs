//! What is said to PostgreSQL. Everything appends whole messages to `out`.
//!
//! Text ends at its first NUL, which PostgreSQL's protocol cannot carry: a NUL in the middle would
//! let the rest of a text be read as messages of its own.

use bytes::{BufMut, BytesMut};

use super::{Bind, Target, tag};
use crate::startup::{CANCEL_REQUEST, CancelKey, SSL_REQUEST};

/// Protocol 3.0. Newer minors give longer cancel secrets and nothing else.
const PROTOCOL_3_0: u32 = 3 << 16;

/// StartupMessage of protocol 3.0. PostgreSQL takes at most
/// [`MAX_STARTUP`](crate::startup::MAX_STARTUP) bytes.
pub fn startup(params: &[(&str, &str)], out: &mut BytesMut) {
    startup_packet(PROTOCOL_3_0, params, out);
}

/// StartupMessage of the given version, such as `3 << 16 | 2`.
pub fn startup_packet(version: u32, params: &[(&str, &str)], out: &mut BytesMut) {
    measured(out, |out| {
        out.put_u32(version);
        for (name, value) in params
            .iter()
            .filter(|(name, _)| !until_nul(name).is_empty())
        {
            put_text(name, out);
            put_text(value, out);
        }
        out.put_u8(0);
    });
}

/// SSLRequest.
pub fn ssl_request(out: &mut BytesMut) {
    measured(out, |out| out.put_u32(SSL_REQUEST));
}

/// CancelRequest.
pub fn cancel_request(key: &CancelKey, out: &mut BytesMut) {
    measured(out, |out| {
        out.put_u32(CANCEL_REQUEST);
        out.put_i32(key.pid);
        out.put_slice(&key.secret);
    });
}

/// PasswordMessage.
pub fn password(password: &str, out: &mut BytesMut) {
    framed(tag::AUTHENTICATION, out, |out| put_text(password, out));
}

/// SASLInitialResponse.
pub fn sasl_initial(mechanism: &str, first: &[u8], out: &mut BytesMut) {
    framed(tag::AUTHENTICATION, out, |out| {
        put_text(mechanism, out);
        put_value(Some(first), out);
    });
}

/// SASLResponse.
pub fn sasl_response(response: &[u8], out: &mut BytesMut) {
    framed(tag::AUTHENTICATION, out, |out| out.put_slice(response));
}

/// Query.
pub fn query(sql: &str, out: &mut BytesMut) {
    framed(tag::QUERY, out, |out| put_text(sql, out));
}

/// Parse.
pub fn parse(name: &str, sql: &str, param_types: &[u32], out: &mut BytesMut) {
    framed(tag::PARSE, out, |out| {
        put_text(name, out);
        put_text(sql, out);
        put_counted(param_types, out, |oid, out| out.put_u32(*oid));
    });
}

/// Bind.
pub fn bind(bind: &Bind<'_>, out: &mut BytesMut) {
    framed(tag::BIND, out, |out| {
        put_text(bind.portal, out);
        put_text(bind.statement, out);
        put_counted(&bind.param_formats, out, |format, out| out.put_i16(*format));
        put_counted(&bind.params, out, |value, out| put_value(*value, out));
        put_counted(&bind.result_formats, out, |format, out| {
            out.put_i16(*format);
        });
    });
}

/// Describe.
pub fn describe(target: Target<'_>, out: &mut BytesMut) {
    framed(tag::DESCRIBE, out, |out| put_target(target, out));
}

/// Execute; `max_rows` 0 for all.
pub fn execute(portal: &str, max_rows: i32, out: &mut BytesMut) {
    framed(tag::EXECUTE, out, |out| {
        put_text(portal, out);
        out.put_i32(max_rows);
    });
}

/// Close.
pub fn close(target: Target<'_>, out: &mut BytesMut) {
    framed(tag::CLOSE, out, |out| put_target(target, out));
}

/// Sync.
pub fn sync(out: &mut BytesMut) {
    framed(tag::SYNC, out, |_| {});
}

/// Flush.
pub fn flush(out: &mut BytesMut) {
    framed(tag::FLUSH, out, |_| {});
}

/// Terminate.
pub fn terminate(out: &mut BytesMut) {
    framed(tag::TERMINATE, out, |_| {});
}

/// CopyData.
pub fn copy_data(data: &[u8], out: &mut BytesMut) {
    framed(tag::COPY_DATA, out, |out| out.put_slice(data));
}

/// CopyDone.
pub fn copy_done(out: &mut BytesMut) {
    framed(tag::COPY_DONE, out, |_| {});
}

/// CopyFail, with the reason that PostgreSQL repeats in its error.
pub fn copy_fail(reason: &str, out: &mut BytesMut) {
    framed(tag::COPY_FAIL, out, |out| put_text(reason, out));
}

/// A frame around what `body` appends.
fn framed(tag: u8, out: &mut BytesMut, body: impl FnOnce(&mut BytesMut)) {
    out.put_u8(tag);
    measured(out, body);
}

/// A length word and what `body` appends.
fn measured(out: &mut BytesMut, body: impl FnOnce(&mut BytesMut)) {
    let start = out.len();
    out.put_u32(0);
    body(out);
    let len = (out.len() - start) as u32;
    if let Some(word) = out.get_mut(start..start + 4) {
        word.copy_from_slice(&len.to_be_bytes());
    }
}

fn put_text(text: &str, out: &mut BytesMut) {
    out.put_slice(until_nul(text).as_bytes());
    out.put_u8(0);
}

fn until_nul(text: &str) -> &str {
    text.split('\0').next().unwrap_or_default()
}

fn put_target(target: Target<'_>, out: &mut BytesMut) {
    let (kind, name) = match target {
        Target::Statement(name) => (b'S', name),
        Target::Portal(name) => (b'P', name),
    };
    out.put_u8(kind);
    put_text(name, out);
}

fn put_value(value: Option<&[u8]>, out: &mut BytesMut) {
    match value {
        None => out.put_i32(-1),
        Some(bytes) => {
            out.put_i32(bytes.len() as i32);
            out.put_slice(bytes);
        }
    }
}

/// A count and that many items; the protocol counts to 65535.
fn put_counted<T>(items: &[T], out: &mut BytesMut, mut put: impl FnMut(&T, &mut BytesMut)) {
    let count = u16::try_from(items.len()).unwrap_or(u16::MAX);
    out.put_u16(count);
    for item in items.iter().take(usize::from(count)) {
        put(item, out);
    }
}
