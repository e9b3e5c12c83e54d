//! One frame body from PostgreSQL, every byte of it.

use std::borrow::Cow;

use super::{ErrorFields, TransactionStatus};
use crate::read::{DecodeError, Reader};
use crate::startup::CancelKey;

/// What PostgreSQL asks for before it lets us in (libpq/protocol.h, AUTH_REQ_*).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authentication {
    /// Nothing more.
    Ok,
    /// The password itself.
    Cleartext,
    /// The password, hashed with this salt.
    Md5([u8; 4]),
    /// One of these mechanisms.
    Sasl(Vec<String>),
    /// The next step of it.
    SaslContinue(Vec<u8>),
    /// The last step of it.
    SaslFinal(Vec<u8>),
    /// Kerberos, GSSAPI, SSPI or something newer, by its number.
    Unsupported(i32),
}

/// One column of a RowDescription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowField<'a> {
    /// In the client encoding.
    pub name: &'a [u8],
    /// The relation it comes from unchanged; 0 for none.
    pub table_oid: u32,
    /// Its attribute number there; 0 for none.
    pub column: i16,
    /// Its type.
    pub type_oid: u32,
    /// pg_type.typlen.
    pub type_len: i16,
    /// pg_attribute.atttypmod.
    pub typmod: i32,
    /// 0 text, 1 binary.
    pub format: i16,
}

/// Authentication requests.
pub fn decode_authentication(body: &[u8]) -> Result<Authentication, DecodeError> {
    let mut body = Reader::new(body);
    let request = match body.i32()? {
        0 => Authentication::Ok,
        3 => Authentication::Cleartext,
        5 => {
            let salt = body.bytes(4)?;
            Authentication::Md5(salt.try_into().map_err(|_| DecodeError::Short)?)
        }
        10 => {
            let mut mechanisms = Vec::new();
            loop {
                match body.text()? {
                    "" => break Authentication::Sasl(mechanisms),
                    mechanism => mechanisms.push(mechanism.to_owned()),
                }
            }
        }
        11 => Authentication::SaslContinue(body.remainder().to_vec()),
        12 => Authentication::SaslFinal(body.remainder().to_vec()),
        other => {
            body.remainder();
            Authentication::Unsupported(other)
        }
    };
    body.finish()?;
    Ok(request)
}

/// ErrorResponse and NoticeResponse.
pub fn decode_error(body: &[u8]) -> Result<ErrorFields, DecodeError> {
    let mut body = Reader::new(body);
    let mut fields = ErrorFields::default();
    loop {
        match body.byte()? {
            0 => break,
            key => fields.push(key, body.cstring()?),
        }
    }
    body.finish()?;
    Ok(fields)
}

/// RowDescription.
pub fn decode_row_description(body: &[u8]) -> Result<Vec<RowField<'_>>, DecodeError> {
    let mut body = Reader::new(body);
    let count = body.count()?;
    let fields = body.many(count, |body| {
        Ok(RowField {
            name: body.cstring()?,
            table_oid: body.u32()?,
            column: body.i16()?,
            type_oid: body.u32()?,
            type_len: body.i16()?,
            typmod: body.i32()?,
            format: body.i16()?,
        })
    })?;
    body.finish()?;
    Ok(fields)
}

/// DataRow frames in text format, whole and nothing else, headers included; `None` is NULL.
pub fn decode_text_rows(frames: &[u8]) -> Result<Vec<Vec<Option<&str>>>, DecodeError> {
    let mut frames = Reader::new(frames);
    let mut rows = Vec::new();
    while let Ok(tag) = frames.byte() {
        if tag != super::tag::DATA_ROW {
            return Err(DecodeError::UnknownTag(tag));
        }
        let len = usize::try_from(frames.u32()?).unwrap_or(usize::MAX);
        let mut body = Reader::new(frames.bytes(len.checked_sub(4).ok_or(DecodeError::Short)?)?);
        let count = body.count()?;
        let row = body.many(count, |body| {
            let Ok(len) = usize::try_from(body.i32()?) else {
                return Ok(None);
            };
            let value = std::str::from_utf8(body.bytes(len)?);
            value.map(Some).map_err(|_| DecodeError::NotUtf8)
        })?;
        body.finish()?;
        rows.push(row);
    }
    Ok(rows)
}

/// ParameterStatus: name and value, bytes that are not UTF-8 replaced.
pub fn decode_parameter_status(body: &[u8]) -> Result<(Cow<'_, str>, Cow<'_, str>), DecodeError> {
    let mut body = Reader::new(body);
    let (name, value) = (body.cstring()?, body.cstring()?);
    body.finish()?;
    Ok((
        String::from_utf8_lossy(name),
        String::from_utf8_lossy(value),
    ))
}

/// BackendKeyData.
pub fn decode_key_data(body: &[u8]) -> Result<CancelKey, DecodeError> {
    let mut body = Reader::new(body);
    let key = CancelKey::read(&mut body)?;
    body.finish()?;
    Ok(key)
}

/// CommandComplete: the command tag, such as `SELECT 3`.
pub fn decode_command_complete(body: &[u8]) -> Result<&str, DecodeError> {
    let mut body = Reader::new(body);
    let command_tag = body.text()?;
    body.finish()?;
    Ok(command_tag)
}

/// The number of rows a command tag ends in: `INSERT 0 5` is 5; `None` for `BEGIN`.
pub fn rows_of(command_tag: &str) -> Option<u64> {
    command_tag
        .rsplit_once(' ')
        .and_then(|(_, rows)| rows.parse().ok())
}

/// ReadyForQuery.
pub fn decode_ready(body: &[u8]) -> Result<TransactionStatus, DecodeError> {
    let mut body = Reader::new(body);
    let status = TransactionStatus::from_byte(body.byte()?)
        .ok_or(DecodeError::Value("the transaction status"))?;
    body.finish()?;
    Ok(status)
}

/// NegotiateProtocolVersion: the version as PostgreSQL writes it, and the options it does not know.
pub fn decode_negotiate(body: &[u8]) -> Result<(u32, Vec<String>), DecodeError> {
    let mut body = Reader::new(body);
    let version = body.u32()?;
    let count = usize::try_from(body.i32()?).map_err(|_| DecodeError::Value("an option count"))?;
    let unknown = body.many(count, |body| body.text().map(str::to_owned))?;
    body.finish()?;
    Ok((version, unknown))
}
