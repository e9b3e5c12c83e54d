//! Constants and parameters.

use super::{Generator, Param};
use crate::two_world::schema::Ty;

/// What an attacker would guess: the marks of the worlds, and what masks put in their place. Used in
/// conditions only, so that no answer repeats a mark by itself.
pub(super) const GUESSES: [&str; 8] = [
    "'Qzxlast1'",
    "'[redacted]'",
    "'Wkjlast1'",
    "'Qzx-0000007'",
    "'[text withheld]'",
    "'qzx1@example.org'",
    "'QZXMID3'",
    "''",
];

pub(super) const PATTERNS: [&str; 7] = [
    "'Q%'",
    "'%a%'",
    "'Wkj%'",
    "'%[re%'",
    "'_zx%'",
    "'%1'",
    "'9__-%' ESCAPE '!'",
];

impl Generator<'_> {
    /// A constant, or a parameter where the statement may have some.
    pub(super) fn literal(&mut self, ty: Ty) -> String {
        let value = *self.choices.one(values(ty));
        if self.params.is_some() && self.choices.chance(60) {
            let text = (!self.choices.chance(10)).then_some(value);
            let bare = self.choices.chance(4);
            return self.param(Param { ty, text }, bare);
        }
        if self.choices.chance(5) {
            return format!("NULL::{}", ty.sql());
        }
        match ty {
            Ty::Int | Ty::Num | Ty::Bool => value.to_owned(),
            Ty::Text if self.choices.chance(12) => format!("'{value}'"),
            Ty::Date | Ty::Stamp | Ty::Span if self.choices.chance(50) => {
                format!("{} '{value}'", ty.sql())
            }
            _ => format!("'{value}'::{}", ty.sql()),
        }
    }

    fn param(&mut self, param: Param, bare: bool) -> String {
        let ty = param.ty.sql();
        let params = self.params.get_or_insert_default();
        params.push(param);
        let number = params.len();
        if bare {
            format!("${number}")
        } else {
            format!("${number}::{ty}")
        }
    }
}

fn values(ty: Ty) -> &'static [&'static str] {
    match ty {
        Ty::Int => &["1", "0", "7", "42", "90", "2000"],
        Ty::Text => &[
            "a",
            "F",
            "M",
            "English",
            "E11.9",
            "Boston",
            "paid",
            "12",
            "x y",
            "2020-02-02",
        ],
        Ty::Bool => &["true", "false"],
        Ty::Date => &["2020-01-01", "1936-06-30", "2026-06-30", "1990-12-31"],
        Ty::Num => &["1.5", "0.0", "100", "37.2"],
        Ty::Stamp => &["2020-01-01 00:00:00+00", "2019-06-30 12:34:56+02"],
        Ty::Big => &["1", "5000000000", "40"],
        Ty::Span => &["1 day", "2 hours", "1 mon"],
        Ty::Real => &["1.5", "10", "500"],
        Ty::Uuid => &[
            "00000000-0000-4000-8000-000000000001",
            "0ad3a4e1-9c46-4f3e-8b8f-0123456789ab",
        ],
        Ty::Bytes => &["\\x01ff", "\\x"],
        Ty::Inet => &["203.0.113.7", "10.0.0.0/8"],
        Ty::Json => &["{\"a\": 1}", "[1, \"x\"]", "\"s\""],
        Ty::Status => &["paid", "denied"],
        Ty::Texts => &["{a,b}", "{}", "{M,NULL}"],
        Ty::Ints => &["{1,2}", "{}", "{40}"],
        Ty::Dates => &["[2000-01-01,2020-01-01)", "empty"],
        Ty::Words => &["note patient", "a:1A"],
    }
}
