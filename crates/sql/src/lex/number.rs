//! Numbers: decimal as every major reads them, `0x` / `0o` / `0b` and underscores as PostgreSQL 16
//! introduced them, and the junk rule of PostgreSQL 15.
//!
//! Before those majors `0x1F` was `0` with the label `x1F`; here it always is 31, and the gateway
//! renders the decimal number, so that every major is given the same.

use std::borrow::Cow;

use super::{LexError, LexErrorKind, is_identifier_part};

/// The number at byte `start` in decimal without underscores, and the byte after it.
pub(super) fn number(text: &str, start: usize) -> Result<(Cow<'_, str>, usize), LexError> {
    let bytes = text.as_bytes();
    let at = |index: usize| bytes.get(index).copied().unwrap_or(0);
    let radix = match (at(start), at(start + 1)) {
        (b'0', b'x' | b'X') => 16,
        (b'0', b'o' | b'O') => 8,
        (b'0', b'b' | b'B') => 2,
        _ => 10,
    };
    let end = if radix == 10 {
        decimal_end(bytes, start)
    } else {
        digits(bytes, start + 2, radix)
    };
    // `1.` followed by a second dot is the integer and `..`, as in array slices of PL/pgSQL.
    let end = if at(end) == b'.' && at(end.wrapping_sub(1)) == b'.' {
        end - 1
    } else {
        end
    };
    if is_identifier_part(at(end)) || (radix != 10 && end <= start + 2) {
        return Err(LexError {
            kind: LexErrorKind::NumberJunk,
            at: start,
        });
    }
    let raw = text.get(start..end).unwrap_or_default();
    if radix == 10 {
        let text = if raw.contains('_') {
            Cow::Owned(raw.replace('_', ""))
        } else {
            Cow::Borrowed(raw)
        };
        return Ok((text, end));
    }
    let digits = raw.get(2..).unwrap_or_default().replace('_', "");
    let value = u128::from_str_radix(&digits, radix).map_err(|_| LexError {
        kind: LexErrorKind::NumberTooLarge,
        at: start,
    })?;
    Ok((Cow::Owned(value.to_string()), end))
}

/// `integer`, `numeric` and `real`: digits, point, digits, exponent.
fn decimal_end(bytes: &[u8], start: usize) -> usize {
    let at = |index: usize| bytes.get(index).copied().unwrap_or(0);
    let mut end = digits(bytes, start, 10);
    if at(end) == b'.' {
        end = if at(end + 1).is_ascii_digit() {
            digits(bytes, end + 1, 10)
        } else {
            end + 1
        };
    }
    if matches!(at(end), b'e' | b'E') {
        let sign = usize::from(matches!(at(end + 1), b'+' | b'-'));
        if at(end + 1 + sign).is_ascii_digit() {
            end = digits(bytes, end + 1 + sign, 10);
        }
    }
    end
}

/// Digits with single underscores between them; in another radix also one after the prefix.
fn digits(bytes: &[u8], start: usize, radix: u32) -> usize {
    let is_digit = |index: usize| {
        bytes
            .get(index)
            .is_some_and(|byte| (*byte as char).is_digit(radix))
    };
    let mut end = start;
    loop {
        if is_digit(end) {
            end += 1;
        } else if bytes.get(end) == Some(&b'_') && is_digit(end + 1) && (end > start || radix != 10)
        {
            end += 2;
        } else {
            return end;
        }
    }
}
