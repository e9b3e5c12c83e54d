//! What the gateway itself says to clients, through pgwire's encoders. Everything appends whole
//! messages to `out`.
//!
//! Text ends at its first NUL, which the protocol cannot carry, and short messages' texts at
//! [`TEXT_MAX`], so that pgwire refuses none of them.

use bytes::{BufMut, Bytes, BytesMut};
use pgwire::messages::{Message, data as rows, extendedquery as extended, response, startup as pg};
use phigate_types::PgError;

use super::{RowField, TransactionStatus, field, tag};
use crate::startup::CancelKey;

/// Longest text of a CommandComplete or ParameterStatus, in bytes: two of them stay below the
/// 30,000 bytes that libpq (fe-protocol3.c, VALID_LONG_MESSAGE_TYPE) and pgwire accept.
const TEXT_MAX: usize = 14_000;

/// Type oid of `text` (pg_type.dat).
const TEXT_OID: u32 = 25;

/// Major version 3, as NegotiateProtocolVersion carries it with the minor: libpq reads the whole
/// version there, whatever the documentation before PostgreSQL 18 says.
const MAJOR_3: i32 = 3 << 16;

/// ErrorResponse.
pub fn error(error: &PgError, out: &mut BytesMut) {
    append(&response::ErrorResponse::new(fields(error)), out);
}

/// NoticeResponse.
pub fn notice(notice: &PgError, out: &mut BytesMut) {
    append(&response::NoticeResponse::new(fields(notice)), out);
}

/// AuthenticationOk.
pub fn authentication_ok(out: &mut BytesMut) {
    append(&pg::Authentication::Ok, out);
}

/// AuthenticationCleartextPassword; over TLS only.
pub fn authentication_cleartext(out: &mut BytesMut) {
    append(&pg::Authentication::CleartextPassword, out);
}

/// AuthenticationSASL with the mechanisms offered, best first.
pub fn authentication_sasl(mechanisms: &[&str], out: &mut BytesMut) {
    let mechanisms = mechanisms.iter().copied().map(text).collect();
    append(&pg::Authentication::SASL(mechanisms), out);
}

/// AuthenticationSASLContinue.
pub fn authentication_sasl_continue(challenge: &[u8], out: &mut BytesMut) {
    append(
        &pg::Authentication::SASLContinue(Bytes::copy_from_slice(challenge)),
        out,
    );
}

/// AuthenticationSASLFinal.
pub fn authentication_sasl_final(outcome: &[u8], out: &mut BytesMut) {
    append(
        &pg::Authentication::SASLFinal(Bytes::copy_from_slice(outcome)),
        out,
    );
}

/// ParameterStatus.
pub fn parameter_status(name: &str, value: &str, out: &mut BytesMut) {
    append(&pg::ParameterStatus::new(text(name), text(value)), out);
}

/// BackendKeyData.
pub fn backend_key_data(key: &CancelKey, out: &mut BytesMut) {
    let secret = pg::SecretKey::Bytes(Bytes::copy_from_slice(&key.secret));
    append(&pg::BackendKeyData::new(key.pid, secret), out);
}

/// ReadyForQuery.
pub fn ready_for_query(status: TransactionStatus, out: &mut BytesMut) {
    let status = match status {
        TransactionStatus::Idle => response::TransactionStatus::Idle,
        TransactionStatus::InTransaction => response::TransactionStatus::Transaction,
        TransactionStatus::Failed => response::TransactionStatus::Error,
    };
    append(&response::ReadyForQuery::new(status), out);
}

/// NegotiateProtocolVersion: the newest minor of protocol 3, and every extension that is not known.
/// To be sent at most once.
pub fn negotiate_protocol_version(newest_minor: u16, unknown: &[String], out: &mut BytesMut) {
    let unknown = unknown.iter().map(|name| text(name)).collect();
    append(
        &pg::NegotiateProtocolVersion::new(MAJOR_3 | i32::from(newest_minor), unknown),
        out,
    );
}

/// RowDescription of columns of type `text`, belonging to no table.
pub fn row_description_text(names: &[&str], out: &mut BytesMut) {
    let column = |name: &&str| {
        rows::FieldDescription::new(text(name), 0, 0, TEXT_OID, -1, -1, rows::FORMAT_CODE_TEXT)
    };
    append(
        &rows::RowDescription::new(names.iter().map(column).collect()),
        out,
    );
}

/// RowDescription.
pub fn row_description(fields: &[RowField<'_>], out: &mut BytesMut) {
    let start = out.len();
    out.put_u8(super::tag::ROW_DESCRIPTION);
    out.put_i32(0);
    out.put_i16(fields.len() as i16);
    for field in fields {
        out.put_slice(field.name);
        out.put_u8(0);
        out.put_u32(field.table_oid);
        out.put_i16(field.column);
        out.put_u32(field.type_oid);
        out.put_i16(field.type_len);
        out.put_i32(field.typmod);
        out.put_i16(field.format);
    }
    let len = (out.len() - start - 1) as i32;
    if let Some(place) = out.get_mut(start + 1..start + 5) {
        place.copy_from_slice(&len.to_be_bytes());
    }
}

/// DataRow in text format; `None` is NULL.
pub fn data_row_text(values: &[Option<&str>], out: &mut BytesMut) {
    let mut row = BytesMut::new();
    for value in values {
        match value {
            None => row.put_i32(-1),
            Some(value) => {
                row.put_i32(value.len() as i32);
                row.put_slice(value.as_bytes());
            }
        }
    }
    append(&rows::DataRow::new(row, values.len() as i16), out);
}

/// CommandComplete.
pub fn command_complete(command_tag: &str, out: &mut BytesMut) {
    append(&response::CommandComplete::new(text(command_tag)), out);
}

/// ParseComplete.
pub fn parse_complete(out: &mut BytesMut) {
    append(&extended::ParseComplete::new(), out);
}

/// BindComplete.
pub fn bind_complete(out: &mut BytesMut) {
    append(&extended::BindComplete::new(), out);
}

/// CloseComplete.
pub fn close_complete(out: &mut BytesMut) {
    append(&extended::CloseComplete::new(), out);
}

/// NoData.
pub fn no_data(out: &mut BytesMut) {
    append(&rows::NoData::new(), out);
}

/// EmptyQueryResponse.
pub fn empty_query(out: &mut BytesMut) {
    append(&response::EmptyQueryResponse::new(), out);
}

/// PortalSuspended.
pub fn portal_suspended(out: &mut BytesMut) {
    append(&extended::PortalSuspended::new(), out);
}

fn append(message: &impl Message, out: &mut BytesMut) {
    let start = out.len();
    // INVARIANT: text() and the callers' own bounds (a startup packet, a SCRAM message, a cancel
    // key) keep every message within pgwire's limits; tests::nothing_is_too_long holds it.
    if message.encode(out).is_err() {
        out.truncate(start);
    }
}

/// Fields in PostgreSQL's order: S V C M D H P.
fn fields(error: &PgError) -> Vec<(u8, String)> {
    let severity = error.severity.as_str();
    let mut fields = vec![
        (field::SEVERITY, severity.to_owned()),
        (field::SEVERITY_PLAIN, severity.to_owned()),
        (field::CODE, error.code.as_str().to_owned()),
        (field::MESSAGE, whole(&error.message)),
    ];
    fields.extend(
        error
            .detail
            .as_deref()
            .map(|detail| (field::DETAIL, whole(detail))),
    );
    fields.extend(error.hint.as_deref().map(|hint| (field::HINT, whole(hint))));
    fields.extend(
        error
            .position
            .map(|position| (field::POSITION, position.to_string())),
    );
    fields
}

fn whole(text: &str) -> String {
    text.split('\0').next().unwrap_or_default().to_owned()
}

fn text(text: &str) -> String {
    let mut text = whole(text);
    text.truncate(text.floor_char_boundary(TEXT_MAX));
    text
}

const _: () = assert!(tag::DATA_ROW == rows::MESSAGE_TYPE_BYTE_DATA_ROW);
