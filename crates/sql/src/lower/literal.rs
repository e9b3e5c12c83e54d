//! Literals.

use sqlparser::ast::{Value, ValueWithSpan};

use super::{span_place, unsupported};
use crate::ir::{Expr, Literal};
use crate::refusal::{Place, Result};

/// A literal or a parameter.
pub(super) fn value(value: ValueWithSpan) -> Result<Expr> {
    let ValueWithSpan { value, span } = value;
    let place = span_place(span);
    if let Value::Placeholder(text) = &value {
        let number = text
            .strip_prefix('$')
            .and_then(|digits| digits.parse::<u16>().ok());
        return match number {
            Some(number) if number > 0 => Ok(Expr::Parameter(number)),
            Some(_) | None => Err(unsupported("this kind of parameter", place)),
        };
    }
    plain_value(value, place).map(Expr::Literal)
}

/// A literal, not a parameter.
pub(super) fn plain_value(value: Value, place: Place) -> Result<Literal> {
    match value {
        Value::Number(text, long) => number(&text, long, place),
        Value::SingleQuotedString(text) => Ok(Literal::String(text.into())),
        Value::Boolean(value) => Ok(Literal::Bool(value)),
        Value::Null => Ok(Literal::Null),
        Value::SingleQuotedByteStringLiteral(text) => {
            let bits = text.bytes().all(|byte| matches!(byte, b'0' | b'1'));
            if bits {
                Ok(Literal::Bits(text.into()))
            } else {
                Err(unsupported("this bit string", place))
            }
        }
        Value::HexStringLiteral(text) => {
            let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
            if hex {
                Ok(Literal::Hex(text.into()))
            } else {
                Err(unsupported("this bit string", place))
            }
        }
        Value::DollarQuotedString(_)
        | Value::TripleSingleQuotedString(_)
        | Value::TripleDoubleQuotedString(_)
        | Value::EscapedStringLiteral(_)
        | Value::UnicodeStringLiteral(_)
        | Value::DoubleQuotedByteStringLiteral(_)
        | Value::TripleSingleQuotedByteStringLiteral(_)
        | Value::TripleDoubleQuotedByteStringLiteral(_)
        | Value::SingleQuotedRawStringLiteral(_)
        | Value::DoubleQuotedRawStringLiteral(_)
        | Value::TripleSingleQuotedRawStringLiteral(_)
        | Value::TripleDoubleQuotedRawStringLiteral(_)
        | Value::NationalStringLiteral(_)
        | Value::QuoteDelimitedStringLiteral(_)
        | Value::NationalQuoteDelimitedStringLiteral(_)
        | Value::DoubleQuotedString(_)
        | Value::Placeholder(_) => Err(unsupported("this kind of literal", place)),
    }
}

/// Digits with at most one point and one exponent: what every major reads alike. Hexadecimal and
/// underscores mean other things before 16.
fn number(text: &str, long: bool, place: Place) -> Result<Literal> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            digits(whole) && digits(fraction) && whole.len() + fraction.len() > 0
        }
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !unsigned.is_empty() && digits(unsigned)
    });
    if !long && mantissa_fits && exponent_fits {
        Ok(Literal::Number(text.into()))
    } else {
        Err(unsupported("this way of writing a number", place))
    }
}
