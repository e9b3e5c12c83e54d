//! What a frontend says: decoded from clients, encoded for PostgreSQL.
//!
//! PostgreSQL documentation, 55.7 Message Formats.

mod encode;

#[cfg(test)]
mod tests;

use crate::frame::Frame;
use crate::read::{DecodeError, Reader};

pub use encode::{
    bind, cancel_request, close, copy_data, copy_done, copy_fail, describe, execute, flush, parse,
    password, query, sasl_initial, sasl_response, ssl_request, startup, startup_packet, sync,
    terminate,
};

/// Type bytes.
pub mod tag {
    /// SASLInitialResponse, SASLResponse, PasswordMessage.
    pub const AUTHENTICATION: u8 = b'p';
    /// Bind.
    pub const BIND: u8 = b'B';
    /// Close.
    pub const CLOSE: u8 = b'C';
    /// CopyData.
    pub const COPY_DATA: u8 = b'd';
    /// CopyDone.
    pub const COPY_DONE: u8 = b'c';
    /// CopyFail.
    pub const COPY_FAIL: u8 = b'f';
    /// Describe.
    pub const DESCRIBE: u8 = b'D';
    /// Execute.
    pub const EXECUTE: u8 = b'E';
    /// Flush.
    pub const FLUSH: u8 = b'H';
    /// FunctionCall.
    pub const FUNCTION_CALL: u8 = b'F';
    /// Parse.
    pub const PARSE: u8 = b'P';
    /// Query.
    pub const QUERY: u8 = b'Q';
    /// Sync.
    pub const SYNC: u8 = b'S';
    /// Terminate.
    pub const TERMINATE: u8 = b'X';
}

/// A message of a client. Its `Debug` shows what the client sent: never log it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// A string of zero or more statements.
    Query(&'a str),
    /// Prepares a statement.
    Parse {
        /// Of the statement; empty for the unnamed one.
        name: &'a str,
        /// Zero or one statement.
        sql: &'a str,
        /// Type oids, 0 for unspecified.
        param_types: Vec<u32>,
    },
    /// Makes a portal.
    Bind(Bind<'a>),
    /// Asks for the shape of rows.
    Describe(Target<'a>),
    /// Runs a portal.
    Execute {
        /// Empty for the unnamed one.
        portal: &'a str,
        /// 0 for all; negative is the same to PostgreSQL.
        max_rows: i32,
    },
    /// Drops a statement or portal.
    Close(Target<'a>),
    /// Ends a batch.
    Sync,
    /// Asks for what is there, without ending the batch.
    Flush,
    /// The client leaves.
    Terminate,
    /// Bytes for COPY FROM STDIN.
    CopyData(&'a [u8]),
    /// The end of them.
    CopyDone,
    /// The client gives up; its reason.
    CopyFail(&'a str),
    /// A function called past SQL; refused unread.
    FunctionCall,
    /// An answer to an authentication request; read it with [`sasl_initial_response`] or
    /// [`password_message`], or as it is for SASLResponse.
    SaslOrPassword(&'a [u8]),
}

/// A prepared statement or a portal, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target<'a> {
    /// A prepared statement.
    Statement(&'a str),
    /// A portal.
    Portal(&'a str),
}

/// A Bind. Parameters may be PHI.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bind<'a> {
    /// The portal to make; empty for the unnamed one.
    pub portal: &'a str,
    /// The statement to make it of.
    pub statement: &'a str,
    /// 0 text, 1 binary: none, one for all, or one each.
    pub param_formats: Vec<i16>,
    /// `None` is NULL.
    pub params: Vec<Option<&'a [u8]>>,
    /// As `param_formats`, for the columns of the result.
    pub result_formats: Vec<i16>,
}

/// What the frame says, every byte of it.
pub fn decode(frame: &Frame) -> Result<Message<'_>, DecodeError> {
    let mut body = Reader::new(frame.body());
    let message = match frame.tag() {
        tag::QUERY => Message::Query(body.text()?),
        tag::PARSE => {
            let (name, sql) = (body.text()?, body.text()?);
            let count = body.count()?;
            Message::Parse {
                name,
                sql,
                param_types: body.many(count, Reader::u32)?,
            }
        }
        tag::BIND => Message::Bind(read_bind(&mut body)?),
        tag::DESCRIBE => Message::Describe(read_target(&mut body)?),
        tag::EXECUTE => Message::Execute {
            portal: body.text()?,
            max_rows: body.i32()?,
        },
        tag::CLOSE => Message::Close(read_target(&mut body)?),
        tag::SYNC => Message::Sync,
        tag::FLUSH => Message::Flush,
        tag::TERMINATE => Message::Terminate,
        tag::COPY_DATA => Message::CopyData(body.remainder()),
        tag::COPY_DONE => Message::CopyDone,
        tag::COPY_FAIL => Message::CopyFail(body.text()?),
        tag::FUNCTION_CALL => {
            body.remainder();
            Message::FunctionCall
        }
        tag::AUTHENTICATION => Message::SaslOrPassword(body.remainder()),
        other => return Err(DecodeError::UnknownTag(other)),
    };
    body.finish()?;
    Ok(message)
}

/// The mechanism and the client's first message of a SASLInitialResponse; `None` where the client
/// waits for an empty challenge.
pub fn sasl_initial_response(body: &[u8]) -> Result<(&str, Option<&[u8]>), DecodeError> {
    let mut body = Reader::new(body);
    let mechanism = body.text()?;
    let data = read_value(&mut body)?;
    body.finish()?;
    Ok((mechanism, data))
}

/// The password of a PasswordMessage.
pub fn password_message(body: &[u8]) -> Result<&str, DecodeError> {
    let mut body = Reader::new(body);
    let password = body.text()?;
    body.finish()?;
    Ok(password)
}

fn read_target<'a>(body: &mut Reader<'a>) -> Result<Target<'a>, DecodeError> {
    match body.byte()? {
        b'S' => Ok(Target::Statement(body.text()?)),
        b'P' => Ok(Target::Portal(body.text()?)),
        _ => Err(DecodeError::Value("what to describe or close")),
    }
}

fn read_bind<'a>(body: &mut Reader<'a>) -> Result<Bind<'a>, DecodeError> {
    let (portal, statement) = (body.text()?, body.text()?);
    let count = body.count()?;
    let param_formats = body.many(count, Reader::i16)?;
    let count = body.count()?;
    let params = body.many(count, read_value)?;
    let count = body.count()?;
    let result_formats = body.many(count, Reader::i16)?;
    Ok(Bind {
        portal,
        statement,
        param_formats,
        params,
        result_formats,
    })
}

/// A length and that many bytes; -1 is NULL.
fn read_value<'a>(body: &mut Reader<'a>) -> Result<Option<&'a [u8]>, DecodeError> {
    match body.i32()? {
        -1 => Ok(None),
        len => {
            let len = usize::try_from(len).map_err(|_| DecodeError::Value("a value's length"))?;
            body.bytes(len).map(Some)
        }
    }
}
