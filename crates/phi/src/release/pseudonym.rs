//! Keyed codes: a permutation for integers, HMAC-SHA-256 (RFC 2104) for texts and uuids; and the
//! number of days that a patient's dates move by.

use super::sql::{between, call, cast, null, op};
use super::{KeyAccess, PatientKey};
use crate::column::{ColumnType, TypeKind};
use crate::keys;

/// The characters of a text's code: 95 bits, so that among a hundred million values two share one
/// with a chance below 10^-12. Equal values in columns of this width or more have equal codes.
const CODE_LEN: usize = 16;
/// Fewer than 47 bits are no code: among a million values two would share one.
const CODE_MIN: usize = 8;

/// Rounds of the integer permutation. Six withstand chosen plaintexts and ciphertexts (Patarin,
/// "Security of Random Feistel Schemes with 5 or More Rounds", CRYPTO 2004).
const ROUNDS: u8 = 6;

/// The largest move of a date, in days, either way. Never zero.
const DAYS_MAX: u16 = 365;

/// The code of a value of the type.
pub(super) fn code(column: &str, ty: &ColumnType, keys: KeyAccess) -> String {
    match ty.kind {
        TypeKind::Int2 => narrow(column, "int2", 8, 7, keys),
        TypeKind::Int4 => narrow(column, "int4", 16, 15, keys),
        TypeKind::Int8 => wide(column, keys),
        TypeKind::Uuid => uuid(column, keys),
        _ => text(column, ty, keys),
    }
}

/// The days that the patient's dates move by, an int4 from -365 to 365 without 0; `None` for a
/// column that is no key.
pub(super) fn days(patient: &PatientKey, keys: KeyAccess) -> Option<String> {
    let PatientKey { sql, kind } = patient;
    let bytes = match kind {
        kind if kind.is_integer() => call("int8send", &[&cast(sql, "int8")]),
        kind if kind.is_text() => text_bytes(sql),
        TypeKind::Uuid => call("uuid_send", &[sql]),
        _ => return None,
    };
    let hash = call(
        "sha256",
        &[&call("byteacat", &[&key(keys::DAYS, "", keys), &bytes])],
    );
    // 0 to 729; the upper half, moved up by one, leaves zero out.
    let span = DAYS_MAX * 2;
    let number = op(&leading_bits(&hash, 32, "int8"), "%", &span.to_string());
    let signed = op(&cast(&number, "int4"), "-", &DAYS_MAX.to_string());
    Some(format!(
        "(SELECT CASE WHEN {nonnegative} THEN {up} ELSE p.d END \
         FROM (SELECT {signed} AS d OFFSET 0) AS p)",
        nonnegative = op("p.d", ">=", "0"),
        up = op("p.d", "+", "1"),
    ))
}

/// Letters and digits of the HMAC, as many as fit.
fn text(column: &str, ty: &ColumnType, keys: KeyAccess) -> String {
    let len = ty.width().unwrap_or(CODE_LEN).min(CODE_LEN);
    if len < CODE_MIN {
        return null();
    }
    let base64 = call(
        "encode",
        &[&hmac(&text_bytes(column), "01", keys), "'base64'"],
    );
    // Base 64 without its two signs, which spreadsheets and shells trip over.
    let letters = call("translate", &[&base64, "'+/'", "'Aa'"]);
    call("left", &[&letters, &len.to_string()])
}

/// A version 8 uuid (RFC 9562) of 120 bits of the HMAC.
fn uuid(column: &str, keys: KeyAccess) -> String {
    let hex = call(
        "encode",
        &[&hmac(&call("uuid_send", &[column]), "02", keys), "'hex'"],
    );
    let versioned = call("overlay", &[&hex, "'8'", "13", "1"]);
    let varied = call("overlay", &[&versioned, "'8'", "17", "1"]);
    cast(&call("left", &[&varied, "32"]), "uuid")
}

/// HMAC-SHA-256 of a purpose's byte and the value's bytes.
fn hmac(bytes: &str, purpose: &str, keys: KeyAccess) -> String {
    let inner = call("byteacat", &[&key(keys::CODE_INNER, purpose, keys), bytes]);
    let inner = call("sha256", &[&inner]);
    call(
        "sha256",
        &[&call(
            "byteacat",
            &[&key(keys::CODE_OUTER, "", keys), &inner],
        )],
    )
}

/// A permutation of the `int2` or `int4`, of the negative and of the others by themselves. Computed
/// in `int4`. Sub-selects bind what is used twice, and `OFFSET 0` keeps the planner from undoing it.
fn narrow(column: &str, ty: &str, high_bits: u8, low_bits: u8, keys: KeyAccess) -> String {
    let magnitude = magnitude(&cast(column, "int4"));
    let mask = (1_u32 << low_bits) - 1;
    let mut state = format!(
        "(SELECT {} AS a, {} AS b OFFSET 0)",
        op(&magnitude, ">>", &low_bits.to_string()),
        op(&magnitude, "&", &mask.to_string()),
    );
    // The halves change places each round, so a half's width alternates; after an even number of
    // rounds each is where it began.
    let (mut a_bits, mut b_bits) = (high_bits, low_bits);
    for round in 0..ROUNDS {
        let mixed = op("p.a", "#", &round_bits("p.b", round, ty, a_bits, keys));
        state = format!("(SELECT p.b AS a, {mixed} AS b FROM {state} AS p OFFSET 0)");
        (a_bits, b_bits) = (b_bits, a_bits);
    }
    let joined = op(&op("p.a", "<<", &low_bits.to_string()), "|", "p.b");
    signed(column, &format!("(SELECT {joined} FROM {state} AS p)"))
}

/// A permutation of the `int8` that agrees with [`narrow`] wherever the value is an `int4`, so that
/// keys of both widths join; all other values are permuted among themselves: their upper half is
/// never zero, and counts from 1 modulo 2^32 - 1.
fn wide(column: &str, keys: KeyAccess) -> String {
    const LOW_BITS: u8 = 31;
    const LOW_MASK: &str = "2147483647";
    const HIGHS: &str = "4294967295";
    let magnitude = magnitude(column);
    let mut state = format!(
        "(SELECT {} AS h, {} AS l OFFSET 0)",
        op(&op(&magnitude, ">>", &LOW_BITS.to_string()), "-", "1"),
        op(&magnitude, "&", LOW_MASK),
    );
    for round in (0..ROUNDS).step_by(2) {
        let high = op("p.h", "+", &round_bits("p.l", round, "int8", 32, keys));
        let high = op(&high, "%", HIGHS);
        state = format!("(SELECT {high} AS h, p.l AS l FROM {state} AS p OFFSET 0)");
        let low = op(
            "p.l",
            "#",
            &round_bits("p.h", round + 1, "int8", LOW_BITS, keys),
        );
        state = format!("(SELECT p.h AS h, {low} AS l FROM {state} AS p OFFSET 0)");
    }
    let joined = op(
        &op(&op("p.h", "+", "1"), "<<", &LOW_BITS.to_string()),
        "|",
        "p.l",
    );
    let outer = signed(column, &format!("(SELECT {joined} FROM {state} AS p)"));
    let is_int4 = between(column, "(-2147483648)", LOW_MASK);
    let inner = narrow(&cast(column, "int4"), "int4", 16, 15, keys);
    format!("CASE WHEN {is_int4} THEN {inner} ELSE {outer} END")
}

/// The value without its sign: `x` or `-1 - x`.
fn magnitude(column: &str) -> String {
    format!(
        "CASE WHEN {} THEN (OPERATOR(pg_catalog.~) {column}) ELSE {column} END",
        op(column, "<", "0")
    )
}

/// The permuted magnitude with the value's sign again.
fn signed(column: &str, magnitude: &str) -> String {
    // INVARIANT: `column` is only ever named where no `p` is in scope, for it may be called that.
    format!(
        "(SELECT CASE WHEN {negative} THEN (OPERATOR(pg_catalog.~) p.m) ELSE p.m END \
         FROM (SELECT {column} AS v, {magnitude} AS m OFFSET 0) AS p)",
        negative = op("p.v", "<", "0"),
    )
}

/// A round's function: the first bits of SHA-256 over key, width, round and half. The message has
/// one length, so no HMAC is needed.
fn round_bits(half: &str, round: u8, ty: &str, bits: u8, keys: KeyAccess) -> String {
    let label = format!("{ty}{round}");
    let key = key(keys::INTEGER, &hex::encode(label), keys);
    let half = call("int8send", &[&cast(half, "int8")]);
    let hash = call("sha256", &[&call("byteacat", &[&key, &half])]);
    leading_bits(&hash, bits, if ty == "int8" { "int8" } else { "int4" })
}

/// The first `bits` bits of a hash, up to 32, as a number that is not negative.
fn leading_bits(hash: &str, bits: u8, ty: &str) -> String {
    let bytes = bits.div_ceil(8);
    let hex = call(
        "encode",
        &[&call("substr", &[hash, "1", &bytes.to_string()]), "'hex'"],
    );
    let text = op("'x'", "||", &hex);
    cast(&cast(&text, &format!("bit({bits})")), ty)
}

/// A text's bytes in the database's own encoding, which needs no conversion and so cannot fail.
fn text_bytes(column: &str) -> String {
    call(
        "convert_to",
        &[&cast(column, "text"), &call("getdatabaseencoding", &[])],
    )
}

/// A key's bytes, followed by bytes in hex: looked up once a statement, not once a row. NULL, and
/// with it every code, where the setting is missing.
fn key(setting: &str, suffix: &str, keys: KeyAccess) -> String {
    match keys {
        KeyAccess::Settings => {
            let hex = call("current_setting", &[&format!("'{setting}'"), "true"]);
            let hex = if suffix.is_empty() {
                hex
            } else {
                op(&hex, "||", &format!("'{suffix}'"))
            };
            format!("(SELECT {})", call("decode", &[&hex, "'hex'"]))
        }
    }
}
