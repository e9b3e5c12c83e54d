//! For each transform, another value that it cannot tell from the first: the property on which the
//! two-world test rests.

use phigate_types::Profile;

use crate::column::{ColumnType, TypeKind};
use crate::json_paths::JsonPaths;
use crate::release::{KeyAccess, ReleaseContext, cap_year};
use crate::transform::Transform;

/// Digits in a row that `text_scrub` always replaces.
const SCRUBBED_DIGITS: usize = 4;

/// A value `w` other than `value` such that `release(v)` and `release(w)` are the same, both in
/// PostgreSQL's ISO text form (a `timestamptz` in UTC); `value` is `None` for NULL.
///
/// `None` where the transform keeps such values apart (`keep`, `pseudonym`, `date_shift` with a patient
/// column, the year of a whole number), or where no other value of the type is known here.
pub fn collide(
    transform: Transform,
    value: Option<&str>,
    ty: &ColumnType,
    cx: &ReleaseContext,
) -> Option<String> {
    match transform {
        Transform::Null | Transform::Redact | Transform::TextBlock => any_other(value, ty),
        Transform::Pseudonym
            if cx.profile == Profile::SafeHarbor && cx.keys == KeyAccess::Settings =>
        {
            any_other(value, ty)
        }
        Transform::Keep | Transform::Pseudonym => None,
        Transform::DateShift if cx.patient_key.is_some() && ty.kind.is_calendar() => None,
        Transform::Year | Transform::DateShift => same_year(value, ty, i32::MIN),
        Transform::YearCap90 => same_year(value, ty, cap_year(&cx.as_of).ok()?),
        Transform::AgeCap90 => same_age(value?, ty),
        Transform::Zip3 => same_prefix(value?, ty, cx),
        Transform::TextScrub => other_digits(value?),
        Transform::JsonPaths => other_document(value?, &cx.json_paths),
    }
}

/// Any other value of the type: for constants.
fn any_other(value: Option<&str>, ty: &ColumnType) -> Option<String> {
    let [first, second] = match ty.kind {
        TypeKind::Int2
        | TypeKind::Int4
        | TypeKind::Int8
        | TypeKind::Numeric
        | TypeKind::Float4
        | TypeKind::Float8 => ["1", "2"],
        TypeKind::Text | TypeKind::Varchar | TypeKind::Bpchar => ["a", "b"],
        TypeKind::Bool => ["t", "f"],
        TypeKind::Date => ["2001-02-03", "2004-05-06"],
        TypeKind::Timestamp => ["2001-02-03 04:05:06", "2004-05-06 07:08:09"],
        TypeKind::Timestamptz => ["2001-02-03 04:05:06+00", "2004-05-06 07:08:09+00"],
        TypeKind::Time => ["01:02:03", "04:05:06"],
        TypeKind::Uuid => [
            "00000000-0000-4000-8000-000000000001",
            "00000000-0000-4000-8000-000000000002",
        ],
        TypeKind::Json | TypeKind::Jsonb => ["{\"a\": 1}", "{\"a\": 2}"],
        TypeKind::Bytea => ["\\x01", "\\x02"],
        TypeKind::Enum | TypeKind::Array | TypeKind::Other => return None,
    };
    Some(
        if value.map(str::trim_end) == Some(first) {
            second
        } else {
            first
        }
        .to_owned(),
    )
}

/// Another day of the same year, or another year at or before the cap.
fn same_year(value: Option<&str>, ty: &ColumnType, cap: i32) -> Option<String> {
    if ty.kind.is_text() {
        return any_other(value, ty);
    }
    let value = value?;
    if ty.kind.is_number() {
        let year: f64 = value.parse().ok()?;
        let other = |near: &str, far: &str| if value == near { far } else { near }.to_owned();
        return if !(1300.0..=9999.0).contains(&year) {
            Some(other("7", "8"))
        } else if year < f64::from(cap) + 1.0 {
            Some(other(&cap.to_string(), &(cap - 7).to_string()))
        } else {
            None
        };
    }
    let (date, era) = match value.strip_suffix(" BC") {
        Some(date) => (date, " BC"),
        None => (value, ""),
    };
    let (year, rest) = date.split_once('-')?;
    let number: i32 = year.parse().ok()?;
    let time = match ty.kind {
        TypeKind::Date => "",
        TypeKind::Timestamptz => " 12:34:56+00",
        _ => " 12:34:56",
    };
    if era.is_empty() && number <= cap {
        let year = if number == cap { cap - 7 } else { cap };
        return Some(format!("{year}-07-02{time}"));
    }
    if !era.is_empty() && (cap > 0 || number > 4713) {
        let year = if number == 50 { 51 } else { 50 };
        return (cap > 0).then(|| format!("{year:04}-07-02{time} BC"));
    }
    let day = if rest.starts_with("07-02") {
        "03-09"
    } else {
        "07-02"
    };
    Some(format!("{year}-{day}{time}{era}"))
}

/// The same document with a key more, at no path; one without keys where there were none.
fn other_document(value: &str, paths: &JsonPaths) -> Option<String> {
    let mut key = "other".to_owned();
    while paths.first_keys().any(|first| first == key) {
        key.push('_');
    }
    let Some(rest) = value.trim_start().strip_prefix('{') else {
        return Some(format!("{{\"{key}\": 1}}"));
    };
    let comma = if rest.trim_start().starts_with('}') {
        ""
    } else {
        ", "
    };
    let has = value.contains(&format!("\"{key}\": 1"));
    let number = if has { 2 } else { 1 };
    // Of a key that is there twice the last one counts.
    let rest = rest.trim_end().strip_suffix('}')?;
    Some(format!("{{{rest}{comma}\"{key}\": {number}}}"))
}

fn same_age(value: &str, ty: &ColumnType) -> Option<String> {
    let value = value.trim();
    let whole = value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty();
    if ty.kind.is_text() && !whole {
        return any_other(Some(value), ty);
    }
    let age: f64 = value.parse().ok()?;
    (age > 89.0).then(|| if value == "91" { "95" } else { "91" }.to_owned())
}

fn same_prefix(value: &str, ty: &ColumnType, cx: &ReleaseContext) -> Option<String> {
    let width = ty.width().unwrap_or(usize::MAX);
    let value = value.trim();
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let five = if ty.kind.is_integer() {
        format!("{value:0>5}")
    } else {
        value.to_owned()
    };
    let prefix = five.get(..3).filter(|_| digits && five.len() == 5);
    let told = prefix.filter(|prefix| {
        prefix
            .parse()
            .is_ok_and(|prefix| cx.zip3.is_releasable(prefix))
    });
    match told {
        Some(prefix) => {
            let [near, far] = ["01", "02"].map(|suffix| format!("{prefix}{suffix}"));
            let other = if five == near { far } else { near };
            Some(if ty.kind.is_integer() {
                other.parse::<u32>().ok()?.to_string()
            } else {
                other
            })
        }
        // Not five digits: nine would be told as five are.
        None if digits && five.len() == 9 => None,
        None if value.contains('-') && ty.kind.is_text() => None,
        None if ty.kind.is_integer() => {
            Some(if value == "3601" { "3602" } else { "3601" }.to_owned())
        }
        None => Some(["x", "03601"][usize::from(value == "x" && width >= 5)].to_owned())
            .filter(|other| other != value),
    }
}

/// Every digit of a long run replaced by another digit.
fn other_digits(value: &str) -> Option<String> {
    let mut other = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let end = from
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(from.len());
        let (run, after) = from.split_at(end);
        other.push_str(before);
        if run.len() >= SCRUBBED_DIGITS {
            other.extend(
                run.bytes()
                    .map(|digit| char::from(b'0' + (digit - b'0' + 1) % 10)),
            );
        } else {
            other.push_str(run);
        }
        rest = after;
    }
    other.push_str(rest);
    (other != value).then_some(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collide_as(transform: Transform, value: &str, oid: u32) -> Option<String> {
        let cx = ReleaseContext::new(Profile::LimitedDataset, "2026-06-15", KeyAccess::Settings);
        collide(
            transform,
            Some(value),
            &ColumnType::builtin(oid, -1, "t"),
            &cx,
        )
    }

    #[test]
    fn a_year_collides_within_itself() {
        let collide = |value| collide_as(Transform::Year, value, 1082);
        assert_eq!(collide("1990-01-01").as_deref(), Some("1990-07-02"));
        assert_eq!(collide("1990-07-02").as_deref(), Some("1990-03-09"));
        assert_eq!(collide("0044-03-15 BC").as_deref(), Some("0044-07-02 BC"));
        assert_eq!(collide("infinity"), None);
    }

    #[test]
    fn the_very_old_collide_across_years() {
        let collide = |value| collide_as(Transform::YearCap90, value, 1082);
        assert_eq!(collide("1936-12-31").as_deref(), Some("1929-07-02"));
        assert_eq!(collide("1901-12-31").as_deref(), Some("1936-07-02"));
        assert_eq!(collide("1937-01-01").as_deref(), Some("1937-07-02"));
    }

    #[test]
    fn nothing_collides_with_what_is_kept_apart() {
        assert_eq!(collide_as(Transform::Keep, "1", 23), None);
        assert_eq!(collide_as(Transform::Pseudonym, "1", 23), None);
        assert_eq!(collide_as(Transform::Year, "1990", 23), None);
    }
}
