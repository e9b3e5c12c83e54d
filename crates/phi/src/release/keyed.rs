//! Keyed codes: a permutation for integers, HMAC-SHA-256 (RFC 2104) for texts, bytes and uuids; and
//! the number of days that a patient's dates move by.

use super::sql::{between, call, cast, constant, op, slot};
use super::text::type_of;
use super::{KeyAccess, PatientKey};
use crate::column::TypeKind;
use crate::keys;

/// Rounds of the integer permutation. Six withstand chosen plaintexts and ciphertexts (Patarin,
/// "Security of Random Feistel Schemes with 5 or More Rounds", CRYPTO 2004).
const ROUNDS: u8 = 6;

/// The largest whole number of a `numeric` that has a code: what every `int8` holds, and more than
/// keys have digits.
const LARGEST: &str = "999999999999999999";

/// The largest move of a date, in days, either way. Never zero.
const DAYS_MAX: u16 = 365;

/// The code of an integer of this kind.
pub(super) fn integer(value: &str, kind: TypeKind, keys: KeyAccess) -> String {
    match kind {
        _ if keys == KeyAccess::Slot => {
            function("pseudonym", &cast(value, type_of(kind)), keys::INTEGER)
        }
        TypeKind::Int2 => permuted(value, &Halves::constant(7, "02"), keys),
        TypeKind::Int4 => permuted(value, &Halves::constant(15, "04"), keys),
        _ => permuted(value, &Halves::of_bigint(), keys),
    }
}

/// The days that the patient's dates move by, an int4 from -365 to 365 without 0; `None` for a
/// column that is no key.
pub(super) fn days(patient: &PatientKey, keys: KeyAccess) -> Option<String> {
    let PatientKey { sql, kind, .. } = patient;
    let bytes = match kind {
        kind if kind.is_integer() => call("int8send", &[&cast(sql, "int8")]),
        kind if kind.is_text() => text_bytes(sql),
        TypeKind::Uuid => call("uuid_send", &[sql]),
        // As the integer that it is; what is none is nobody's key.
        TypeKind::Numeric => format!(
            "CASE WHEN {} THEN {} ELSE NULL END",
            is_whole(sql),
            call("int8send", &[&cast(sql, "int8")])
        ),
        _ => return None,
    };
    if keys == KeyAccess::Slot {
        return Some(function("days", &bytes, keys::DAYS));
    }
    let hash = call(
        "sha256",
        &[&call("byteacat", &[&key(keys::DAYS, "", keys), &bytes])],
    );
    // 0 to 729; the upper half, moved up by one, leaves zero out.
    let span = DAYS_MAX * 2;
    let number = op(&leading_bits(&hash), "%", &span.to_string());
    let signed = op(&cast(&number, "int4"), "-", &DAYS_MAX.to_string());
    Some(format!(
        "(SELECT CASE WHEN {nonnegative} THEN {up} ELSE p.d END \
         FROM (SELECT {signed} AS d OFFSET 0) AS p)",
        nonnegative = op("p.d", ">=", "0"),
        up = op("p.d", "+", "1"),
    ))
}

/// What stands in a hardened database for one of the two expressions that are long: a pure function of
/// the value and the key, planned in a fraction of the time. `phigate-catalog` makes it, and tests that
/// it gives what the expression here gives.
fn function(name: &str, value: &str, setting: &str) -> String {
    let key = key(setting, "", KeyAccess::Slot);
    format!("phigate.{name}({value}, {key})")
}

/// Sixteen letters and digits of the HMAC of a text.
pub(super) fn text(value: &str, keys: KeyAccess) -> String {
    let base64 = call(
        "encode",
        &[&hmac(&text_bytes(value), "01", keys), "'base64'"],
    );
    // Base 64 without its two signs, which spreadsheets and shells trip over.
    let letters = call("translate", &[&base64, "'+/'", "'Aa'"]);
    call("left", &[&letters, "16"])
}

/// Sixteen bytes of the HMAC of a `bytea`.
pub(super) fn bytes(value: &str, keys: KeyAccess) -> String {
    call("substr", &[&hmac(value, "03", keys), "1", "16"])
}

/// A version 8 uuid (RFC 9562) of 120 bits of the HMAC.
pub(super) fn uuid(column: &str, keys: KeyAccess) -> String {
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

/// How a magnitude is cut into two numbers, `h` below `h_max` and `l` below `l_max`, and put
/// together again. SQL over the magnitude `p.m`, then over `p.h` and `p.l`.
struct Halves {
    h: String,
    l: String,
    h_max: String,
    l_max: String,
    joined: String,
    /// Keeps the permutations of the widths apart, in hex; `int4` and `int8` share one.
    purpose: &'static str,
}

impl Halves {
    /// A magnitude of `2 * low_bits + 1` bits.
    fn constant(low_bits: u8, purpose: &'static str) -> Self {
        let (low, mask) = (low_bits.to_string(), ((1_u64 << low_bits) - 1).to_string());
        Self {
            h: op("p.m", ">>", &low),
            l: op("p.m", "&", &mask),
            h_max: (1_u64 << (low_bits + 1)).to_string(),
            l_max: (1_u64 << low_bits).to_string(),
            joined: op(&op("p.h", "<<", &low), "|", "p.l"),
            purpose,
        }
    }

    /// As an `int4` where it is one, so that keys of both widths join. All larger ones are permuted
    /// among themselves: their upper half is never zero, so it counts from one, modulo 2^32 - 1.
    fn of_bigint() -> Self {
        let (narrow, wide) = (Self::constant(15, "04"), Self::constant(31, "04"));
        let either = |condition: &str, narrow: &str, wide: &str| {
            format!("CASE WHEN {condition} THEN {narrow} ELSE {wide} END")
        };
        let is_narrow = op("p.m", "<", "2147483648");
        let wide_joined = op(&op(&op("p.h", "+", "1"), "<<", "31"), "|", "p.l");
        Self {
            h: either(&is_narrow, &narrow.h, &op(&wide.h, "-", "1")),
            l: either(&is_narrow, &narrow.l, &wide.l),
            h_max: either(&is_narrow, &narrow.h_max, "4294967295"),
            l_max: either(&is_narrow, &narrow.l_max, &wide.l_max),
            joined: either(&op("p.d", "=", &narrow.l_max), &narrow.joined, &wide_joined),
            purpose: "04",
        }
    }
}

/// A permutation of the type's integers, of the negative and of the others by themselves: a Feistel
/// network with addition. Sub-selects bind what is used twice; `OFFSET 0` keeps the planner from
/// copying it instead.
fn permuted(column: &str, halves: &Halves, keys: KeyAccess) -> String {
    // INVARIANT: `column` is only ever named where no `p` is in scope, for it may be called that.
    let value = cast(column, "int8");
    let negative = op(&value, "<", "0");
    let magnitude =
        format!("CASE WHEN {negative} THEN (OPERATOR(pg_catalog.~) {value}) ELSE {value} END");
    let key = key(keys::INTEGER, halves.purpose, keys);
    let Halves {
        h,
        l,
        h_max,
        l_max,
        joined,
        ..
    } = halves;
    let mut state = format!("(SELECT {negative} AS n, {magnitude} AS m OFFSET 0)");
    state = format!(
        "(SELECT p.n, {h} AS h, {l} AS l, {h_max} AS c, {l_max} AS d, {key} AS k \
         FROM {state} AS p OFFSET 0)"
    );
    for round in 0..ROUNDS {
        let halves = if round % 2 == 0 {
            format!("{} AS h, p.l", mixed("p.h", "p.l", round, "p.c"))
        } else {
            format!("p.h, {} AS l", mixed("p.l", "p.h", round, "p.d"))
        };
        state = format!("(SELECT p.n, {halves}, p.c, p.d, p.k FROM {state} AS p OFFSET 0)");
    }
    state = format!("(SELECT p.n, {joined} AS m FROM {state} AS p OFFSET 0)");
    format!(
        "(SELECT CASE WHEN p.n THEN (OPERATOR(pg_catalog.~) p.m) ELSE p.m END FROM {state} AS p)"
    )
}

/// One half after a round: itself plus a keyed function of the other, modulo its bound. The function
/// is SHA-256 over key, purpose, half and round, always 41 bytes, so that no HMAC is needed.
fn mixed(half: &str, other: &str, round: u8, bound: &str) -> String {
    let message = op(&op(other, "<<", "3"), "|", &round.to_string());
    let message = call("int8send", &[&cast(&message, "int8")]);
    let hash = call("sha256", &[&call("byteacat", &["p.k", &message])]);
    op(&op(half, "+", &leading_bits(&hash)), "%", bound)
}

/// The first 32 bits of a hash as an `int8` that is not negative.
fn leading_bits(hash: &str) -> String {
    let hex = call("encode", &[&call("substr", &[hash, "1", "4"]), "'hex'"]);
    cast(&cast(&op("'x'", "||", &hex), "bit(32)"), "int8")
}

/// That a `numeric` is a whole number that has a code. NaN and the infinities lie outside.
pub(super) fn is_whole(value: &str) -> String {
    let range = between(value, &format!("(-{LARGEST})"), LARGEST);
    let truncated = call("trunc", &[value]);
    format!("({range} AND {})", op(value, "=", &truncated))
}

/// A text's bytes in the database's own encoding, which needs no conversion and so cannot fail.
pub(super) fn text_bytes(column: &str) -> String {
    call(
        "convert_to",
        &[&cast(column, "text"), &call("getdatabaseencoding", &[])],
    )
}

/// A key's bytes, followed by bytes in hex: looked up once a statement, not once a row. NULL, and
/// with it every code, where the setting or the slot's row is missing.
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
        KeyAccess::Slot => {
            let column = setting.rsplit('.').next().unwrap_or(setting);
            let bytes = format!("s.{column}");
            slot(&if suffix.is_empty() {
                bytes
            } else {
                call(
                    "byteacat",
                    &[&bytes, &constant(&format!("\\x{suffix}"), "bytea")],
                )
            })
        }
    }
}
