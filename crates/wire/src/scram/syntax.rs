//! The grammar both sides share (RFC 5802, section 7).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{MESSAGE_MAX, ScramError};

/// A message as text: bounded, UTF-8, without NUL.
pub(super) fn message(bytes: &[u8]) -> Result<&str, ScramError> {
    if bytes.len() > MESSAGE_MAX {
        return Err(ScramError::Malformed("too long"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| ScramError::Malformed("not UTF-8"))?;
    if text.is_empty() || text.contains('\0') {
        return Err(ScramError::Malformed("empty or with a NUL"));
    }
    Ok(text)
}

/// `<name>=<value>` from the front of a comma-separated list, and what follows the comma; `None` as
/// the rest when there was no comma.
pub(super) fn attribute<'a>(
    list: &'a str,
    name: char,
    part: &'static str,
) -> Result<(&'a str, Option<&'a str>), ScramError> {
    let (first, rest) = split(list);
    let value = first
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix('='))
        .ok_or(ScramError::Malformed(part))?;
    Ok((value, rest))
}

/// Extensions are a letter, `=` and a value; they are ignored, as RFC 5802 asks.
pub(super) fn ignore_extensions(mut list: Option<&str>) -> Result<(), ScramError> {
    while let Some(rest) = list {
        let (first, after) = split(rest);
        is_extension(first)?;
        list = after;
    }
    Ok(())
}

pub(super) fn is_extension(attribute: &str) -> Result<(), ScramError> {
    match attribute.as_bytes() {
        [name, b'=', ..] if name.is_ascii_alphabetic() => Ok(()),
        _ => Err(ScramError::Malformed("attribute expected")),
    }
}

/// Up to the comma, and after it.
pub(super) fn split(list: &str) -> (&str, Option<&str>) {
    match list.split_once(',') {
        Some((first, rest)) => (first, Some(rest)),
        None => (list, None),
    }
}

/// Printable ASCII but the comma, at least one.
pub(super) fn nonce(text: &str) -> Result<&str, ScramError> {
    let printable = |byte: &u8| (0x21..=0x7e).contains(byte) && *byte != b',';
    if !text.is_empty() && text.as_bytes().iter().all(printable) {
        Ok(text)
    } else {
        Err(ScramError::Malformed(
            "nonce with characters that are not printable",
        ))
    }
}

pub(super) fn encode(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// Canonical base64 with its padding.
pub(super) fn decode(text: &str, part: &'static str) -> Result<Vec<u8>, ScramError> {
    BASE64_STANDARD
        .decode(text)
        .map_err(|_| ScramError::Malformed(part))
}
