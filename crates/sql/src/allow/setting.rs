//! Settings that clients may show or set.
//!
//! `settings.txt`: `name set|show|deny rule majors  # why denied`. `set` implies `show`.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::table;

/// Longest value that a setting is given, in bytes.
const MAX_VALUE_BYTES: usize = 256;

/// Longest timeout in milliseconds: one day. 0, which switches a timeout off, is allowed: the
/// gateway has timeouts of its own.
const MAX_TIMEOUT_MS: u64 = 86_400_000;

/// A setting that clients may see.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// Its name as PostgreSQL shows it (`TimeZone`).
    pub(crate) name: &'static str,
    rule: Option<Rule>,
}

/// Which values a client may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Any value without control characters; PostgreSQL judges the rest.
    Any,
    /// `on` or `off` in any spelling.
    Boolean,
    /// A number with an optional unit.
    Number,
    /// Milliseconds or a time with its unit, up to a day.
    Timeout,
    /// Letters, digits, and what time zones and date styles need.
    Word,
    /// UTF-8 in any spelling.
    Utf8,
    /// `on`.
    On,
    /// `notice` or less talkative.
    Notice,
    /// Schemas; the caller checks each against the catalog.
    SearchPath,
}

/// The setting `name`, in any case, if clients may show it.
pub(crate) fn setting(name: &str) -> Option<&'static Setting> {
    SETTINGS.get(name.to_ascii_lowercase().as_str())
}

/// A regular expression that only the name of a setting that clients may show matches, in lower
/// case (`regex(7)`; `^` and `$` match at the ends of the whole text only).
pub(crate) fn names_pattern() -> &'static str {
    &NAMES
}

static NAMES: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<_> = SETTINGS.keys().map(String::as_str).collect();
    names.sort_unstable();
    format!("^(?:{})$", names.join("|"))
});

impl Setting {
    /// Whether clients may change it.
    pub(crate) fn may_set(&self) -> bool {
        self.rule.is_some()
    }

    /// Whether its values are schemas that the caller must check.
    pub(crate) fn is_search_path(&self) -> bool {
        self.rule == Some(Rule::SearchPath)
    }

    /// Whether it is a switch that clients may turn on and off.
    pub(crate) fn takes_any_switch(&self) -> bool {
        self.rule == Some(Rule::Boolean)
    }

    /// Checks the values of `SET name = value, ...`.
    pub(crate) fn check_value(&self, values: &[&str]) -> Result<(), &'static str> {
        let Some(rule) = self.rule else {
            return Err("it cannot be changed through the gateway");
        };
        if values.is_empty() {
            return Err("a value is needed");
        }
        values.iter().try_for_each(|value| rule.check(value))
    }
}

impl Rule {
    fn check(self, value: &str) -> Result<(), &'static str> {
        if value.len() > MAX_VALUE_BYTES || value.chars().any(char::is_control) {
            return Err("the value is too long or holds control characters");
        }
        let folded = value.to_ascii_lowercase();
        let is = |words: &[&str]| words.contains(&folded.as_str());
        let (fits, otherwise) = match self {
            Self::Any | Self::SearchPath => (true, ""),
            Self::Boolean => (
                is(&["on", "off", "true", "false", "yes", "no", "1", "0"]),
                "on or off is needed",
            ),
            Self::Number => (number(&folded).is_some(), "a number is needed"),
            Self::Timeout => (
                timeout_ms(&folded).is_some_and(|ms| ms <= MAX_TIMEOUT_MS),
                "a time of at most one day is needed",
            ),
            Self::Word => (
                folded
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b" ,_-+/:.<>".contains(&byte)),
                "the value holds characters that this setting does not take",
            ),
            Self::Utf8 => (
                matches!(folded.replace(['-', '_'], "").as_str(), "utf8" | "unicode"),
                "only UTF8 is supported through the gateway",
            ),
            Self::On => (
                is(&["on", "true", "yes", "1"]),
                "only on is supported through the gateway",
            ),
            Self::Notice => (
                is(&["notice", "warning", "error"]),
                "only notice, warning and error are supported through the gateway",
            ),
        };
        if fits { Ok(()) } else { Err(otherwise) }
    }

    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "any" => Self::Any,
            "boolean" => Self::Boolean,
            "number" => Self::Number,
            "timeout" => Self::Timeout,
            "word" => Self::Word,
            "utf8" => Self::Utf8,
            "on" => Self::On,
            "notice" => Self::Notice,
            "search_path" => Self::SearchPath,
            _ => return None,
        })
    }
}

/// Splits `10 min` or `1.5GB` into number and unit.
fn number(value: &str) -> Option<(f64, &str)> {
    let value = value.trim();
    let end = value
        .find(|character: char| !(character.is_ascii_digit() || ".+-".contains(character)))
        .unwrap_or(value.len());
    let (digits, unit) = value.split_at(end);
    let number: f64 = digits.parse().ok()?;
    unit.bytes()
        .all(|byte| byte.is_ascii_alphabetic() || byte == b' ')
        .then_some((number, unit))
}

/// A timeout in milliseconds as `guc.c` reads it, rounded up.
fn timeout_ms(value: &str) -> Option<u64> {
    let (number, unit) = number(value)?;
    let factor = match unit.trim() {
        "us" => 0.001,
        "" | "ms" => 1.0,
        "s" => 1e3,
        "min" => 6e4,
        "h" => 3.6e6,
        "d" => 8.64e7,
        _ => return None,
    };
    let ms = (number * factor).ceil();
    (0.0..=1e15).contains(&ms).then_some(ms as u64)
}

static SETTINGS: LazyLock<HashMap<String, Setting>> = LazyLock::new(|| {
    table::rows(include_str!("settings.txt"))
        .filter_map(|row| {
            let rule = match row.word(1) {
                "set" => Some(Rule::parse(row.word(2))?),
                "show" => None,
                _ => return None,
            };
            Some((
                row.word(0).to_ascii_lowercase(),
                Setting {
                    name: row.word(0),
                    rule,
                },
            ))
        })
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(name: &str, value: &str) -> bool {
        setting(name).is_some_and(|setting| setting.check_value(&[value]).is_ok())
    }

    #[test]
    fn what_drivers_set_is_allowed() {
        for (name, value) in [
            ("timezone", "Europe/Zurich"),
            ("TimeZone", "<-03>+03"),
            ("DateStyle", "ISO, MDY"),
            ("IntervalStyle", "postgres"),
            ("application_name", "psql"),
            ("statement_timeout", "30s"),
            ("statement_timeout", "0"),
            ("lock_timeout", "500"),
            ("idle_in_transaction_session_timeout", "10 min"),
            ("extra_float_digits", "3"),
            ("client_min_messages", "WARNING"),
            ("client_encoding", "utf-8"),
            ("client_encoding", "UNICODE"),
            ("standard_conforming_strings", "on"),
            ("bytea_output", "hex"),
            ("enable_seqscan", "off"),
            ("jit", "off"),
            ("default_transaction_read_only", "on"),
            ("default_transaction_isolation", "serializable"),
            ("xmloption", "content"),
            ("search_path", "clinic"),
            ("work_mem", "64MB"),
        ] {
            assert!(accepts(name, value), "{name} = {value}");
        }
        assert!(setting("search_path").unwrap().is_search_path());
    }

    /// SQL.md 5.1, 5.4: what would change how text is read, or show more than a mask does.
    #[test]
    fn what_would_get_round_the_gateway_is_not() {
        for (name, value) in [
            ("standard_conforming_strings", "off"),
            ("client_encoding", "SJIS"),
            ("client_min_messages", "debug5"),
            ("client_min_messages", "log"),
            ("client_min_messages", "info"),
            ("statement_timeout", "2d"),
            ("statement_timeout", "-1"),
            ("statement_timeout", "1 year"),
            ("role", "postgres"),
            ("session_authorization", "postgres"),
            ("row_security", "off"),
            ("debug_print_plan", "on"),
            ("log_statement", "all"),
            ("session_preload_libraries", "x"),
            ("local_preload_libraries", "x"),
            ("dynamic_library_path", "/tmp"),
            ("phigate.k_text", "x"),
            ("default_tablespace", "x"),
            ("temp_tablespaces", "x"),
            ("backslash_quote", "on"),
            ("escape_string_warning", "off"),
            ("quote_all_identifiers", "x"),
            ("transform_null_equals", "on"),
            ("application_name", "a\nb"),
            ("timezone", "a';--"),
        ] {
            assert!(!accepts(name, value), "{name} = {value}");
        }
    }

    #[test]
    fn the_gateways_keys_cannot_be_shown() {
        for name in [
            "phigate.k_text",
            "phigate.anything",
            "data_directory",
            "hba_file",
            "is_superuser_x",
        ] {
            assert!(setting(name).is_none(), "{name}");
        }
        assert!(setting("server_version").is_some_and(|setting| !setting.may_set()));
        assert!(setting("SERVER_VERSION_NUM").is_some());
    }

    #[test]
    fn every_row_is_well_formed() {
        for row in table::rows(include_str!("settings.txt")) {
            let name = row.word(0);
            match row.word(1) {
                "set" => assert!(Rule::parse(row.word(2)).is_some(), "{name}: rule"),
                "show" | "deny" => assert_eq!(row.word(2), "-", "{name}"),
                other => panic!("{name}: decision {other}"),
            }
        }
    }
}
