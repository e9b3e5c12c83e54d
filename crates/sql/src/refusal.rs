//! Why a statement is not relayed: one closed enum of reasons (the metric's label and the record's
//! word), and the error the person at the keyboard sees.

use std::borrow::Cow;
use std::fmt;

use phigate_types::{PgError, SqlState};

/// The result of everything in this crate that can refuse.
pub(crate) type Result<T> = std::result::Result<T, Refusal>;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $label:literal, $code:ident;)+) => {
        /// Why a statement is refused. Closed: a new way of not knowing is a new variant.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason {
            $($(#[$doc])* $name,)+
        }

        impl Reason {
            /// Every reason, in the order of this file.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The metric label and the word in the audit record.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $label,)+ }
            }

            /// The SQLSTATE that a refusal for this reason carries.
            pub const fn sqlstate(self) -> SqlState {
                match self { $(Self::$name => SqlState::$code,)+ }
            }
        }
    };
}

reasons! {
    /// The text is not SQL as both readers understand it.
    Syntax = "syntax", SYNTAX_ERROR;
    /// The two lexers read different tokens.
    LexersDisagree = "lexers_disagree", FEATURE_NOT_SUPPORTED;
    /// A character that PostgreSQL or the gateway does not take in a statement.
    Character = "character", CHARACTER_NOT_IN_REPERTOIRE;
    /// More bytes, tokens, statements or nesting than a budget allows.
    TooComplex = "too_complex", STATEMENT_TOO_COMPLEX;
    /// A kind of statement that the gateway does not relay.
    Statement = "statement", FEATURE_NOT_SUPPORTED;
    /// A clause or expression that the gateway does not understand.
    Construct = "construct", FEATURE_NOT_SUPPORTED;
    /// A statement that the grant does not allow, such as a write.
    NotGranted = "not_granted", INSUFFICIENT_PRIVILEGE;
    /// No relation of this name is on the search path.
    UnknownRelation = "unknown_relation", UNDEFINED_TABLE;
    /// No schema of this name.
    UnknownSchema = "unknown_schema", INVALID_PARAMETER_VALUE;
    /// No column of this name.
    UnknownColumn = "unknown_column", UNDEFINED_COLUMN;
    /// A column name fits more than one relation.
    AmbiguousColumn = "ambiguous_column", AMBIGUOUS_COLUMN;
    /// One name used twice in one FROM or WITH list.
    DuplicateAlias = "duplicate_alias", DUPLICATE_ALIAS;
    /// A column that the grant blocks.
    BlockedColumn = "blocked_column", INSUFFICIENT_PRIVILEGE;
    /// A column that is not the one that was classified by its name.
    RenamedColumn = "renamed_column", INSUFFICIENT_PRIVILEGE;
    /// A column that nobody has classified.
    UnclassifiedColumn = "unclassified_column", INSUFFICIENT_PRIVILEGE;
    /// A relation that nobody has classified.
    UnclassifiedRelation = "unclassified_relation", INSUFFICIENT_PRIVILEGE;
    /// A relation whose masked view is missing or is not what it would be made now.
    NotHardened = "not_hardened", INSUFFICIENT_PRIVILEGE;
    /// A relation whose contents cannot be released under any grant but a passthrough one.
    RefusedRelation = "refused_relation", INSUFFICIENT_PRIVILEGE;
    /// A view whose definition cannot be analysed.
    View = "view", INSUFFICIENT_PRIVILEGE;
    /// A catalog relation that is not on the allow-list.
    CatalogRelation = "catalog_relation", INSUFFICIENT_PRIVILEGE;
    /// A system column such as `ctid`.
    SystemColumn = "system_column", INSUFFICIENT_PRIVILEGE;
    /// A function that is not on the allow-list.
    Function = "function", INSUFFICIENT_PRIVILEGE;
    /// An operator that is not on the allow-list.
    Operator = "operator", INSUFFICIENT_PRIVILEGE;
    /// A type that is not on the allow-list and not in the catalog.
    Type = "type", UNDEFINED_OBJECT;
    /// A collation that is not in the catalog.
    Collation = "collation", UNDEFINED_OBJECT;
    /// A setting that clients may not read or change.
    Setting = "setting", INSUFFICIENT_PRIVILEGE;
    /// A value that a setting may not take.
    SettingValue = "setting_value", INVALID_PARAMETER_VALUE;
    /// EXPLAIN options that would show what the mask hides.
    Explain = "explain", INSUFFICIENT_PRIVILEGE;
    /// A mask cannot be built for a column of this type.
    Mask = "mask", INSUFFICIENT_PRIVILEGE;
    /// The grant shows some patients' rows, and the relation does not say whose its rows are.
    NoKeyPath = "no_key_path", INSUFFICIENT_PRIVILEGE;
    /// A row rule of the relation cannot be used.
    RowRule = "row_rule", INSUFFICIENT_PRIVILEGE;
    /// The grant shows some rows only, which needs masked views.
    RowScope = "row_scope", FEATURE_NOT_SUPPORTED;
    /// Code of the database's own might run without the statement naming it.
    OwnCode = "own_code", INSUFFICIENT_PRIVILEGE;
    /// The grant has a budget of patients, and it could not be told how many they are.
    Uncountable = "uncountable", LIMIT_EXCEEDED;
    /// The gateway read back its own text differently: a defect, so nothing is sent.
    SelfCheck = "self_check", INTERNAL_ERROR;
}

impl Reason {
    /// The way out where a refusal names no nearer one; `None` where the message says what to correct.
    pub const fn way_out(self) -> Option<&'static str> {
        Some(match self {
            Self::Syntax
            | Self::Character
            | Self::UnknownRelation
            | Self::UnknownSchema
            | Self::UnknownColumn
            | Self::AmbiguousColumn
            | Self::DuplicateAlias
            | Self::Type
            | Self::Collation
            | Self::SettingValue => return None,
            Self::LexersDisagree => {
                "write comments and operators apart, and strings without unusual escapes"
            }
            Self::TooComplex => "split the statement, or put long lists into a temporary table",
            Self::Statement => "leave it out, or do it on a connection that is not the gateway's",
            Self::Construct => {
                "say the same in another way; phictl explain tries it without a session"
            }
            Self::NotGranted => {
                "phictl explain shows an administrator what another grant would allow"
            }
            Self::BlockedColumn => {
                "leave the column out, or ask for a grant that reveals it; SHOW phigate.columns lists \
                 what is withheld"
            }
            Self::UnclassifiedColumn | Self::UnclassifiedRelation => {
                "ask an administrator to classify it in the database's catalog file"
            }
            Self::RenamedColumn => "ask an administrator to confirm the database's classification",
            Self::NotHardened => "ask an administrator to run phictl database harden",
            Self::NoKeyPath => "ask an administrator to declare the table's path to the patient",
            Self::RowRule => "ask an administrator to correct the database's row rules",
            Self::RowScope => {
                "ask for a grant without a patient list, or for enforcement = \"views\""
            }
            Self::RefusedRelation => "ask an administrator why; phictl explain tells them",
            Self::View => {
                "read the view's tables themselves, or ask an administrator to classify the view"
            }
            Self::CatalogRelation => {
                "what \\d of psql and drivers read of pg_catalog, and information_schema, is available"
            }
            Self::SystemColumn => "name rows by their primary key",
            Self::Function => "use PostgreSQL's built-in functions on the columns themselves",
            Self::Operator => "use PostgreSQL's built-in operators",
            Self::Setting => "SHOW ALL lists the settings that can be shown",
            Self::Explain => "use plain EXPLAIN, which shows the plan without costs",
            Self::Mask => "leave the column out, or ask for a grant that reveals it",
            Self::OwnCode => "ask an administrator what the database's own casts and policies do",
            Self::Uncountable => "ask for a grant without --max-patients",
            Self::SelfCheck => "this is a defect of the gateway: tell its operator",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A statement that is not relayed, and what to tell its author.
///
/// The texts may name what the author typed (relations, columns, functions) but never a literal.
/// One pointer wide: results of it are returned through deep recursions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(Box<Told>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    reason: Reason,
    message: Cow<'static, str>,
    detail: Option<String>,
    hint: Option<Cow<'static, str>>,
    position: Option<u32>,
}

/// Where a name or construct stands in the typed text, in characters from 1; 0 where it stands
/// in no text that a client typed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place(pub(crate) u32);

impl PartialEq for Place {
    /// Places never matter for what a statement means.
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Refusal {
    /// A refusal; the message is lowercase and names the construct, never a literal.
    pub(crate) fn new(reason: Reason, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        Self(Box::new(Told {
            reason,
            message,
            detail: None,
            hint: None,
            position: None,
        }))
    }

    /// Adds what helps to understand it.
    pub(crate) fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds what to do next.
    pub(crate) fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Sets the position in the typed text, in characters from 1.
    pub(crate) fn at(mut self, position: u32) -> Self {
        self.0.position = Some(position);
        self
    }

    /// Sets the position, unless one nearer to the cause is set already.
    pub(crate) fn near(mut self, place: Place) -> Self {
        if self.0.position.is_none() && place.0 > 0 {
            self.0.position = Some(place.0);
        }
        self
    }

    /// Why.
    pub fn reason(&self) -> Reason {
        self.0.reason
    }

    /// What is behind it, for people.
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// The primary message.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do next, if anything can be done.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Where in the typed text, in characters from 1.
    pub fn position(&self) -> Option<u32> {
        self.0.position
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for PgError {
    fn from(Refusal(told): Refusal) -> Self {
        let Told {
            reason,
            message,
            detail,
            hint,
            position,
        } = *told;
        let mut error = Self::error(reason.sqlstate(), message).at(position);
        error.detail = detail;
        error.hint = hint
            .map(Cow::into_owned)
            .or_else(|| reason.way_out().map(str::to_owned));
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_nearest_to_the_cause_is_kept() {
        let refusal = Refusal::new(Reason::UnknownColumn, "x")
            .near(Place(0))
            .near(Place(7));
        assert_eq!(refusal.near(Place(1)).position(), Some(7));
    }

    #[test]
    fn labels_are_words_and_unique() {
        let mut labels: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        assert!(
            labels
                .iter()
                .all(|l| l.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        );
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), Reason::ALL.len());
    }
}
