//! What may be asked for. A [`GrantRequest`] exists only when every field is as it must be.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use phigate_phi::{ColumnName, SensitivityCode};
use phigate_types::{DatabaseName, PrincipalName, Profile, Purpose};

use crate::{Budget, Cohort, DEFAULT_SESSIONS};

/// The shortest grant.
pub const MIN_DURATION: Duration = Duration::from_secs(1);

/// The longest grant.
pub const MAX_DURATION: Duration = Duration::from_hours(24);

/// The longest reason, in characters.
pub const MAX_REASON: usize = 1000;

/// The most sessions at one time that a grant may allow.
pub const MAX_SESSIONS: u32 = 1000;

/// The most columns that a grant may reveal, and that it may block.
pub const MAX_COLUMNS: usize = 1000;

/// The most sensitivities that a grant may name.
const MAX_SENSITIVITIES: usize = 64;

/// The longest id of a document, in bytes.
const MAX_DOCUMENT: usize = 200;

/// The longest project name, in bytes.
const MAX_PROJECT: usize = 63;

/// A request as it arrives: nothing is checked yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the fields are those of GrantRequest, unchecked"
)]
pub struct RawGrantRequest {
    pub principal: String,
    pub database: String,
    pub profile: String,
    pub purpose: String,
    pub reason: String,
    /// `None` where none was sent or it does not fit, such as a negative one.
    pub duration: Option<Duration>,
    pub reveal: Vec<String>,
    pub block: Vec<String>,
    pub write: bool,
    /// 0 takes [`DEFAULT_SESSIONS`].
    pub max_sessions: u32,
    /// Empty takes `default`.
    pub project: String,
    pub sensitivity: Vec<String>,
    pub data_use_agreement: String,
    pub determination: String,
    pub budget: Budget,
}

/// What a grant is to allow, checked as far as the request alone can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRequest {
    /// Who may connect.
    pub principal: PrincipalName,
    /// To which database.
    pub database: DatabaseName,
    /// The release profile.
    pub profile: Profile,
    /// The purpose of use.
    pub purpose: Purpose,
    /// Why, trimmed; 1 to [`MAX_REASON`] characters.
    pub reason: String,
    /// [`MIN_DURATION`] to [`MAX_DURATION`].
    pub duration: Duration,
    /// Columns released unmasked.
    pub reveal: Vec<ColumnName>,
    /// Columns withheld.
    pub block: Vec<ColumnName>,
    /// Whether statements that write are considered at all.
    pub write: bool,
    /// Most sessions at one time, 1 to [`MAX_SESSIONS`].
    pub max_sessions: u32,
    /// Pseudonyms join within a project and differ between projects.
    pub project: ProjectName,
    /// The patients it is limited to; the list is kept apart.
    pub cohort: Option<Cohort>,
    /// Sensitive rows that it shows all the same.
    pub sensitivity: BTreeSet<SensitivityCode>,
    /// The id of the data use agreement that a limited data set needs (45 CFR 164.514(e)(4)); may be
    /// empty.
    pub data_use_agreement: String,
    /// The id of the determination that the profile `expert` needs (45 CFR 164.514(b)(1)); may be empty.
    pub determination: String,
    /// How much may leave, over all its sessions.
    pub budget: Budget,
}

/// One field of a request is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct InvalidField {
    /// The field's name in the API.
    pub field: &'static str,
    /// What is wrong and what would be right.
    pub message: String,
}

impl InvalidField {
    /// Names the field and says what is wrong with it.
    pub fn new(field: &'static str, message: impl fmt::Display) -> Self {
        Self {
            field,
            message: message.to_string(),
        }
    }
}

impl TryFrom<RawGrantRequest> for GrantRequest {
    type Error = InvalidField;

    fn try_from(raw: RawGrantRequest) -> Result<Self, InvalidField> {
        let request = Self {
            principal: parse("principal", &raw.principal)?,
            database: parse("database", &raw.database)?,
            profile: parse("profile", &raw.profile)?,
            purpose: parse("purpose", &raw.purpose)?,
            reason: check_reason("reason", &raw.reason)?,
            duration: check_duration(raw.duration)?,
            reveal: columns("reveal", &raw.reveal)?,
            block: columns("block", &raw.block)?,
            write: raw.write,
            max_sessions: check_sessions(raw.max_sessions)?,
            project: ProjectName::parse(&raw.project)?,
            cohort: None,
            sensitivity: sensitivity(&raw.sensitivity)?,
            data_use_agreement: document("data_use_agreement", &raw.data_use_agreement)?,
            determination: document("determination", &raw.determination)?,
            budget: raw.budget,
        };
        if let Some(both) = request
            .reveal
            .iter()
            .find(|column| request.block.contains(column))
        {
            return Err(InvalidField::new(
                "block",
                format_args!("{both} is also revealed"),
            ));
        }
        Ok(request)
    }
}

/// A reason, trimmed: 1 to [`MAX_REASON`] characters, no control characters but line breaks and
/// tabs.
pub fn check_reason(field: &'static str, text: &str) -> Result<String, InvalidField> {
    let text = text.trim();
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.is_empty() {
        Err(InvalidField::new(field, "say why, in 1 to 1000 characters"))
    } else if text.chars().nth(MAX_REASON).is_some() {
        Err(InvalidField::new(field, "is longer than 1000 characters"))
    } else if text.contains(odd) {
        Err(InvalidField::new(field, "holds control characters"))
    } else {
        Ok(text.to_owned())
    }
}

// === impl ProjectName ===

/// Within a project pseudonyms join; between projects they differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectName(String);

impl ProjectName {
    /// 1 to 63 characters of `A-Z a-z 0-9 . _ -`; empty becomes `default`.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        let text = if text.is_empty() { "default" } else { text };
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if text.len() <= MAX_PROJECT && text.bytes().all(sound) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidField::new(
                "project",
                "is 1 to 63 characters of A-Z a-z 0-9 . _ -",
            ))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn parse<T: std::str::FromStr<Err: fmt::Display>>(
    field: &'static str,
    text: &str,
) -> Result<T, InvalidField> {
    text.parse()
        .map_err(|error| InvalidField::new(field, error))
}

fn check_duration(duration: Option<Duration>) -> Result<Duration, InvalidField> {
    match duration {
        Some(duration) if (MIN_DURATION..=MAX_DURATION).contains(&duration) => Ok(duration),
        _ => Err(InvalidField::new("duration", "is 1 second to 24 hours")),
    }
}

fn check_sessions(most: u32) -> Result<u32, InvalidField> {
    match most {
        0 => Ok(DEFAULT_SESSIONS),
        1..=MAX_SESSIONS => Ok(most),
        _ => Err(InvalidField::new(
            "max_sessions",
            "is 1 to 1000, or 0 for the default of 16",
        )),
    }
}

fn sensitivity(codes: &[String]) -> Result<BTreeSet<SensitivityCode>, InvalidField> {
    if codes.len() > MAX_SENSITIVITIES {
        return Err(InvalidField::new("sensitivity", "names more than 64 codes"));
    }
    codes
        .iter()
        .map(|code| parse("sensitivity", code))
        .collect()
}

/// The id of a document, trimmed; may be empty.
fn document(field: &'static str, text: &str) -> Result<String, InvalidField> {
    let text = text.trim();
    if text.len() > MAX_DOCUMENT || text.contains(char::is_control) {
        return Err(InvalidField::new(
            field,
            "is at most 200 bytes without control characters",
        ));
    }
    Ok(text.to_owned())
}

fn columns(field: &'static str, texts: &[String]) -> Result<Vec<ColumnName>, InvalidField> {
    if texts.len() > MAX_COLUMNS {
        return Err(InvalidField::new(field, "names more than 1000 columns"));
    }
    let name = |text: &String| {
        ColumnName::parse(text)
            .map_err(|error| InvalidField::new(field, format_args!("{text:?}: {error}")))
    };
    let mut names = texts.iter().map(name).collect::<Result<Vec<_>, _>>()?;
    names.sort();
    names.dedup();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> RawGrantRequest {
        RawGrantRequest {
            principal: "alice@example.org".into(),
            database: "clinic".into(),
            profile: "limited_dataset".into(),
            purpose: "HRESCH".into(),
            reason: " readmission study ".into(),
            duration: Some(Duration::from_mins(30)),
            ..RawGrantRequest::default()
        }
    }

    #[test]
    fn a_sound_request_passes_with_its_defaults() {
        let mut raw = sound();
        raw.reveal = vec!["patients.zip".into(), "public.patients.zip".into()];
        let request = GrantRequest::try_from(raw).unwrap();
        assert_eq!(request.reason, "readmission study");
        assert_eq!(request.max_sessions, DEFAULT_SESSIONS);
        assert_eq!(request.project.as_str(), "default");
        assert_eq!(
            request.reveal.len(),
            1,
            "two names of one column are one column"
        );
    }

    #[test]
    fn each_field_is_named_when_it_is_wrong() {
        type Break = fn(&mut RawGrantRequest);
        let broken: &[(&str, Break)] = &[
            ("principal", |raw| raw.principal = "a b".into()),
            ("database", |raw| raw.database.clear()),
            ("profile", |raw| raw.profile = "everything".into()),
            ("purpose", |raw| raw.purpose = "FUN".into()),
            ("reason", |raw| raw.reason = " \n".into()),
            ("reason", |raw| raw.reason = "ä".repeat(MAX_REASON + 1)),
            ("reason", |raw| raw.reason = "a\0b".into()),
            ("duration", |raw| raw.duration = None),
            ("duration", |raw| {
                raw.duration = Some(MIN_DURATION.saturating_sub(Duration::from_nanos(1)));
            }),
            ("duration", |raw| {
                raw.duration = Some(MAX_DURATION + Duration::from_nanos(1));
            }),
            ("reveal", |raw| raw.reveal = vec!["zip".into()]),
            ("reveal", |raw| raw.reveal = vec!["a.b.c.d".into()]),
            ("reveal", |raw| {
                raw.reveal = vec!["patients.x".into(); MAX_COLUMNS + 1];
            }),
            ("block", |raw| raw.block = vec!["patients.".into()]),
            ("block", |raw| raw.block = vec!["patients.\"zip".into()]),
            ("block", |raw| {
                raw.reveal = vec!["patients.zip".into()];
                raw.block = vec!["public.Patients.zip".into()];
            }),
            ("max_sessions", |raw| raw.max_sessions = MAX_SESSIONS + 1),
            ("project", |raw| raw.project = "a/b".into()),
            ("sensitivity", |raw| raw.sensitivity = vec!["hiv".into()]),
            ("determination", |raw| {
                raw.determination = "x".repeat(MAX_DOCUMENT + 1);
            }),
            ("data_use_agreement", |raw| {
                raw.data_use_agreement = "a\0".into();
            }),
        ];
        for (field, spoil) in broken {
            let mut raw = sound();
            spoil(&mut raw);
            assert_eq!(GrantRequest::try_from(raw).unwrap_err().field, *field);
        }
        let mut longest = sound();
        longest.reason = "ä".repeat(MAX_REASON);
        longest.duration = Some(MAX_DURATION);
        assert!(GrantRequest::try_from(longest).is_ok());
    }
}
