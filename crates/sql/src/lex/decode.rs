//! Values of `E'...'` and `U&'...'` strings (`xe`, `xus` states of `scan.l`).

use std::borrow::Cow;

use super::{LexError, LexErrorKind};

/// Decodes the escape string whose first byte after the opening quote is at `start`.
/// Returns the value and the byte after the closing quote.
pub(super) fn escape_string(text: &str, start: usize) -> Result<(Cow<'_, str>, usize), LexError> {
    let bytes = text.as_bytes();
    let peek = |index: usize| bytes.get(index).copied().unwrap_or(0);
    let fail = |kind, at| Err(LexError { kind, at });
    let mut value: Vec<u8> = Vec::new();
    let mut at = start;
    loop {
        match (peek(at), peek(at + 1)) {
            (0, _) | (b'\\', 0) => {
                return fail(LexErrorKind::UnterminatedString, start.saturating_sub(2));
            }
            (b'\'', b'\'') => {
                value.push(b'\'');
                at += 2;
            }
            (b'\'', _) => break,
            (b'\\', escape) => {
                let length = one_escape(bytes, at, escape, &mut value)?;
                at += length;
            }
            (byte, _) => {
                value.push(byte);
                at += 1;
            }
        }
    }
    if value.contains(&0) {
        return fail(LexErrorKind::ZeroByte, start);
    }
    match String::from_utf8(value) {
        Ok(value) => Ok((Cow::Owned(value), at + 1)),
        Err(_) => fail(LexErrorKind::InvalidUtf8, start),
    }
}

/// Decodes the body of a `U&'...'` string with the default escape character; `at` is where the
/// body starts, for the error.
pub(super) fn unicode_string(body: &str, at: usize) -> Result<Cow<'_, str>, LexError> {
    unicode(&body.replace("''", "'"), '\\', at).map(Cow::Owned)
}

/// Decodes the body of a `U&'...'` or `U&"..."`, its quotes no longer doubled, with this escape
/// character (`parser.c`, str_udeescape).
pub(super) fn unicode(body: &str, escape: char, at: usize) -> Result<String, LexError> {
    let invalid = LexError {
        kind: LexErrorKind::InvalidEscape,
        at,
    };
    let mut value = String::with_capacity(body.len());
    let mut high = None;
    let mut rest = body;
    while let Some(character) = rest.chars().next() {
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
        let unit = if character != escape {
            None
        } else if let Some(after) = rest.strip_prefix(escape) {
            rest = after;
            None
        } else {
            let (digits, skip) = if rest.starts_with('+') {
                (6, 1)
            } else {
                (4, 0)
            };
            let hex = rest.get(skip..skip + digits).ok_or(invalid)?;
            rest = rest.get(skip + digits..).unwrap_or_default();
            Some(hexadecimal(hex.as_bytes()).ok_or(invalid)?)
        };
        match (unit, high.take()) {
            (None, None) => value.push(character),
            (Some(unit), pending) => match join(unit, pending).ok_or(invalid)? {
                Joined::Half(half) => high = Some(half),
                Joined::Whole(character) => value.push(character),
            },
            (None, Some(_)) => return Err(invalid),
        }
    }
    if high.is_some() {
        Err(invalid)
    } else {
        Ok(value)
    }
}

/// One backslash escape at `at`; pushes its bytes and returns how many bytes of text it took.
fn one_escape(bytes: &[u8], at: usize, escape: u8, value: &mut Vec<u8>) -> Result<usize, LexError> {
    let fail = |kind| Err(LexError { kind, at });
    let plain = match escape {
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => return fail(LexErrorKind::VersionDependentEscape),
        b'0'..=b'7' => {
            let run = bytes.get(at + 1..).unwrap_or_default();
            let digits = run
                .iter()
                .take(3)
                .take_while(|byte| matches!(byte, b'0'..=b'7'));
            let (length, number) = digits.fold((0, 0u32), |(n, value), byte| {
                (n + 1, value * 8 + u32::from(byte - b'0'))
            });
            // `\400` and above do not fit a byte; PostgreSQL drops the high bit, nobody means it.
            let Ok(byte) = u8::try_from(number) else {
                return fail(LexErrorKind::InvalidEscape);
            };
            value.push(byte);
            return Ok(1 + length);
        }
        b'x' => {
            let run = bytes.get(at + 2..).unwrap_or_default();
            let length = run
                .iter()
                .take(2)
                .take_while(|byte| byte.is_ascii_hexdigit())
                .count();
            let byte = hexadecimal(run.get(..length).unwrap_or_default());
            // `\x` without a digit is the letter x.
            value.push(
                byte.and_then(|byte| u8::try_from(byte).ok())
                    .unwrap_or(b'x'),
            );
            return Ok(2 + length);
        }
        b'u' => return unicode_escape(bytes, at, 4, value),
        b'U' => return unicode_escape(bytes, at, 8, value),
        other => other,
    };
    value.push(plain);
    Ok(2)
}

/// `\uXXXX` or `\UXXXXXXXX`, with a second one when it is the first half of a surrogate pair.
fn unicode_escape(
    bytes: &[u8],
    at: usize,
    digits: usize,
    value: &mut Vec<u8>,
) -> Result<usize, LexError> {
    let invalid = LexError {
        kind: LexErrorKind::InvalidEscape,
        at,
    };
    let hex = |from: usize, digits: usize| bytes.get(from..from + digits).and_then(hexadecimal);
    let first = hex(at + 2, digits).ok_or(invalid)?;
    let mut length = 2 + digits;
    let character = match join(first, None).ok_or(invalid)? {
        Joined::Whole(character) => character,
        Joined::Half(half) => {
            let digits = match bytes.get(at + length..at + length + 2) {
                Some(b"\\u") => 4,
                Some(b"\\U") => 8,
                _ => return Err(invalid),
            };
            let second = hex(at + length + 2, digits).ok_or(invalid)?;
            length += 2 + digits;
            match join(second, Some(half)).ok_or(invalid)? {
                Joined::Whole(character) => character,
                Joined::Half(_) => return Err(invalid),
            }
        }
    };
    value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(length)
}

enum Joined {
    Half(u32),
    Whole(char),
}

/// Joins UTF-16 surrogates as `scan.l` does; `None` when they do not fit, or for U+0000.
fn join(unit: u32, high: Option<u32>) -> Option<Joined> {
    match (high, unit) {
        (None, 0xD800..=0xDBFF) => Some(Joined::Half(unit)),
        (Some(high), 0xDC00..=0xDFFF) => {
            char::from_u32(0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00)).map(Joined::Whole)
        }
        (_, 0) | (Some(_), _) => None,
        (None, _) => char::from_u32(unit).map(Joined::Whole),
    }
}

/// All of `digits` as a hexadecimal number; `None` when empty or not hexadecimal.
fn hexadecimal(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    digits.iter().try_fold(0u32, |value, byte| {
        Some((value << 4) | (*byte as char).to_digit(16)?)
    })
}
