//! From a transform and a column to the SQL expression that PostgreSQL evaluates in its place.
//!
//! Every expression has the column's type, type modifier and collation; is total (no value of the
//! type makes it fail); names every function, operator, type and collation in `pg_catalog`; uses
//! nothing volatile; depends on the session's settings for nothing but keys and, where a `timestamptz`
//! is put at the start of a year, that year's midnight; and holds no secret. PostgreSQL 14 to 18.

mod calendar;
mod json;
mod keyed;
mod parts;
mod pseudonym;
mod scrub;
mod sql;
mod text;

use phigate_types::Profile;

use crate::column::{ColumnType, TypeKind};
use crate::json_paths::JsonPaths;
use crate::transform::Transform;
use crate::zip3::Zip3List;

pub use pseudonym::{KeyKind, KeySource};

/// Where expressions find the project's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyAccess {
    /// In the settings of [`crate::keys::settings`], given in the startup packet.
    Settings,
    /// In the row that `phigate.slot` has for the session's login, which only the owner of masked
    /// views can read. The date at which ages are judged is there too, so [`ReleaseContext::as_of`]
    /// is not used: the expression is the same for every grant.
    Slot,
}

/// The column that names the patient in the table at hand.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PatientKey {
    /// The column as SQL, quoted.
    pub sql: String,
    /// Its kind: whole numbers of any type agree with each other, uuids and texts each among themselves.
    pub kind: TypeKind,
    /// Whether some rows are nobody's, as somebody declared: NULL leaves the year then, and not NULL.
    pub or_nobody: bool,
}

/// What an expression depends on besides the column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReleaseContext {
    /// The grant's profile: under safe harbor a pseudonym is a code assigned at random, or NULL where
    /// none can be ([`KeyAccess::Settings`]).
    pub profile: Profile,
    /// The UTC date at which ages are judged, `YYYY-MM-DD`: that of the grant's activation.
    pub as_of: String,
    /// Where the keys are.
    pub keys: KeyAccess,
    /// Which census restricts ZIP code prefixes.
    pub zip3: Zip3List,
    /// The patient's column in the table at hand; without one, dates are not shifted but cut to
    /// the year.
    pub patient_key: Option<PatientKey>,
    /// Which values of the document at hand leave under [`Transform::JsonPaths`].
    pub json_paths: JsonPaths,
}

/// Why there is no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// The type cannot be released so.
    #[error("a column of type {type_name} cannot be released as {transform}")]
    Type {
        /// The transform.
        transform: Transform,
        /// The column's type.
        type_name: String,
    },
    /// `as_of` is not a date.
    #[error("the date at which ages are judged is written YYYY-MM-DD")]
    AsOf,
}

// === impl ReleaseContext ===

impl ReleaseContext {
    /// With the census of 2020 and no patient column.
    pub fn new(profile: Profile, as_of: impl Into<String>, keys: KeyAccess) -> Self {
        Self {
            profile,
            as_of: as_of.into(),
            keys,
            zip3: Zip3List::default(),
            patient_key: None,
            json_paths: JsonPaths::default(),
        }
    }

    /// The same for a table whose patients are named by this column.
    #[must_use]
    pub fn with_patient_key(&self, patient_key: Option<PatientKey>) -> Self {
        Self {
            patient_key,
            ..self.clone()
        }
    }

    /// The same for a document of which these values leave.
    #[must_use]
    pub fn with_json_paths(&self, json_paths: JsonPaths) -> Self {
        Self {
            json_paths,
            ..self.clone()
        }
    }
}

/// The expression that stands for `column` (SQL, quoted, evaluated where the expression is).
///
/// NULL stays NULL under `keep`, `year`, `year_cap90`, `age_cap90`, `zip3`, `pseudonym`, `date_shift`,
/// `text_scrub` and `json_paths`; `null`, `redact` and `text_block` are one constant on every row and so hide
/// even that. By type:
///
/// | transform | text | numbers | dates, timestamps | others |
/// | --- | --- | --- | --- | --- |
/// | `redact` | `[redacted]`, cut to the width | NULL | NULL | NULL |
/// | `text_block` | `[text withheld]`, cut | NULL | NULL | JSON `{}`, else NULL |
/// | `year` | NULL | 1300 to 9999 truncated, else NULL | 1 January; infinities stay | - |
/// | `year_cap90` | NULL | as `year`, not before the cap | as `year`, not before the cap | - |
/// | `age_cap90` | 0 to 89 as they are, larger ones 90, else NULL | over 89 as 90 | - | - |
/// | `zip3` | three digits or 000 | the prefix of a five-digit number, or 0 | - | - |
/// | `pseudonym` | up to 16 letters and digits, NULL where fewer than 8 fit; a number, uuid, FHIR reference, or list of these: part by part | a permutation of the integers of each sign; whole `numeric`s as `int8`, else NULL | - | uuid: a version 8 uuid; `bytea`: 16 bytes |
/// | `date_shift` | NULL | - | whole days; NULL within a year of the type's ends | - |
/// | `text_scrub` | with patterns replaced, cut | - | - | - |
/// | `json_paths` | - | - | - | JSON: an object of the values at the paths |
///
/// Under safe harbor a pseudonym is a code assigned at random: of whole numbers 0 to 2147483647 (of
/// `int2` any `int2`), of uuids a version 4 uuid, of texts 16 letters and digits.
///
/// The cap of `year_cap90` is the calendar year ninety years before `as_of`: whoever is 90 or older
/// on that date was born in it or before, so all of them get that one year (and share it with those
/// who turn 90 later in `as_of`'s year: nothing tells them apart).
///
/// # Errors
/// When the type cannot be released so, or `as_of` is not a date and is needed.
pub fn release(
    transform: Transform,
    column: &str,
    ty: &ColumnType,
    cx: &ReleaseContext,
) -> Result<String, Unsupported> {
    if !transform.type_supported(ty) {
        return Err(Unsupported::Type {
            transform,
            type_name: ty.name.clone(),
        });
    }
    let value = match transform {
        Transform::Keep => return Ok(column.to_owned()),
        Transform::Null => sql::null(),
        Transform::Redact => text::redact(ty),
        Transform::TextBlock => text::block(ty),
        Transform::Year => calendar::year(column, ty),
        Transform::YearCap90 => calendar::year_cap90(column, ty, &cap(cx)?),
        Transform::AgeCap90 => text::age_cap90(column, ty),
        Transform::Zip3 => text::zip3(column, ty, cx.zip3),
        Transform::Pseudonym => pseudonym::pseudonym(column, ty, cx),
        Transform::DateShift => calendar::shift(column, ty, cx),
        Transform::TextScrub => scrub::scrub(column),
        Transform::JsonPaths => json::paths(column, ty, &cx.json_paths),
    };
    Ok(sql::released(&value, ty))
}

/// The queries that find, in a column of a table, the keys that need a code under safe harbor: what
/// the lookups of its released expression ask for. Both names are quoted SQL, the column's with the
/// table's alias, where it has one.
pub fn key_sources(table: &str, column: &str, ty: &ColumnType) -> Vec<KeySource> {
    pseudonym::sources(table, column, ty)
}

/// [`cap_year`] as SQL, an `int4`.
fn cap(cx: &ReleaseContext) -> Result<String, Unsupported> {
    match cx.keys {
        KeyAccess::Settings => cap_year(&cx.as_of).map(|year| year.to_string()),
        KeyAccess::Slot => {
            let year = sql::cast(&sql::call("extract", &["'year'", "s.as_of"]), "int4");
            let year = sql::slot(&sql::op(&year, "-", &CAP_AGE.to_string()));
            // INVARIANT: GREATEST passes over NULL, so a slot without a date must cap every year.
            Ok(format!("COALESCE({year}, {NO_DATE_CAP})"))
        }
    }
}

/// The calendar year ninety years before the date.
pub(crate) fn cap_year(as_of: &str) -> Result<i32, Unsupported> {
    let digits = |text: &str, count: usize| {
        (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse::<i32>().ok())
            .flatten()
            .ok_or(Unsupported::AsOf)
    };
    let mut parts = as_of.splitn(3, '-');
    let mut next = |count| digits(parts.next().unwrap_or_default(), count);
    let (year, month, day) = (next(4)?, next(2)?, next(2)?);
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day) && year > 1900;
    if is_date {
        Ok(year - CAP_AGE)
    } else {
        Err(Unsupported::AsOf)
    }
}

/// The cap where no date is assigned: the last year that every type can hold.
const NO_DATE_CAP: i32 = 9_999;

/// The age that stands for itself and all above it.
const CAP_AGE: i32 = 90;

#[cfg(test)]
mod tests;
