//! Which settings of a startup packet go upstream, and which ones the gateway adds.

use phigate_types::{PgError, SqlState};

use super::parameters::Requested;
use crate::authorise::{Authorised, Denied};
use crate::limits;
use crate::upstream::Login;

/// Settings that change only how values are written, how long things may take, or what is sent
/// beside results. Lower case. A planner or security setting is not among them.
const ALLOWED: &[&str] = &[
    "bytea_output",
    "datestyle",
    "default_transaction_deferrable",
    "default_transaction_isolation",
    "default_transaction_read_only",
    "extra_float_digits",
    "geqo",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "intervalstyle",
    "jit",
    "lock_timeout",
    "statement_timeout",
    "timezone",
    "transaction_timeout",
    "work_mem",
    "xmloption",
];

/// How often the server looks whether its client is still there while it runs a statement.
/// PostgreSQL 14 and newer.
const CHECK_INTERVAL: (&str, &str) = ("client_connection_check_interval", "1s");

/// Masks and row rules make a plan look dear long before it is: compiling it costs seconds where
/// running it costs milliseconds (PostgreSQL: jit/jit.c, `jit_above_cost`). Whoever wants it sets it.
const NO_JIT: (&str, &str) = ("jit", "off");

/// The settings of one session, checked.
pub(crate) struct Settings {
    /// Go upstream as they are.
    pass: Vec<(String, String)>,
    /// The schemas that unqualified names are looked up in.
    pub(crate) path: Vec<String>,
}

impl Settings {
    /// Checks what the client asked for. Under passthrough all of it goes.
    pub(crate) fn of(requested: &Requested, passthrough: bool) -> Result<Self, Denied> {
        let mut settings = Self {
            pass: Vec::new(),
            path: vec!["public".to_owned()],
        };
        for (name, value) in &requested.settings {
            let lower = name.to_ascii_lowercase();
            match lower.as_str() {
                _ if passthrough => settings.pass.push((name.clone(), value.clone())),
                "client_encoding" => check_encoding(value)?,
                "standard_conforming_strings" => check_on(name, value)?,
                "search_path" => settings.path = path(value)?,
                "client_min_messages" => {
                    check_messages(name, value)?;
                    settings.pass.push((name.clone(), value.clone()));
                }
                lower if ALLOWED.contains(&lower) => {
                    settings.pass.push((name.clone(), value.clone()));
                }
                _ => {
                    let error = PgError::fatal(
                        SqlState::INSUFFICIENT_PRIVILEGE,
                        format!("setting \"{name}\" may not be set in the startup packet"),
                    );
                    return Err(("setting", error.with_hint("leave it out of the connection")));
                }
            }
        }
        Ok(settings)
    }

    /// What our own startup packet says; the project's keys too if statements read them from there.
    pub(crate) fn login(
        &self,
        requested: &Requested,
        authorised: &Authorised,
        passthrough: bool,
        keys: bool,
    ) -> Login {
        let mut settings = vec![(CHECK_INTERVAL.0.to_owned(), CHECK_INTERVAL.1.to_owned())];
        let mut parameters = vec![(
            "application_name".to_owned(),
            application_name(authorised.session.as_str(), &requested.application_name),
        )];
        if passthrough {
            // As startup parameters, so that RESET goes back to them as it would without us.
            parameters.extend(self.pass.iter().cloned());
            return Login {
                parameters,
                settings,
            };
        }
        parameters.push(("client_encoding".to_owned(), "UTF8".to_owned()));
        settings.push((NO_JIT.0.to_owned(), NO_JIT.1.to_owned()));
        settings.extend(self.pass.iter().cloned());
        settings.push(("standard_conforming_strings".to_owned(), "on".to_owned()));
        settings.push(("search_path".to_owned(), quoted(&self.path)));
        if keys {
            settings.extend(phigate_phi::keys::settings(authorised.project_key.expose()));
        }
        Login {
            parameters,
            settings,
        }
    }
}

/// The session's id in front of the client's own name, in all at most PostgreSQL's length.
fn application_name(session: &str, own: &str) -> String {
    if own.is_empty() {
        return session.to_owned();
    }
    let mut name = format!("{session} {own}");
    let mut end = limits::NAME.min(name.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    name
}

/// Text is read as UTF-8 here; SQL_ASCII means that the client does not care.
fn check_encoding(value: &str) -> Result<(), Denied> {
    let plain: String = value
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    if matches!(
        plain.as_str(),
        "utf8" | "unicode" | "sqlascii" | "default" | "auto"
    ) {
        return Ok(());
    }
    let error = PgError::fatal(
        SqlState::INVALID_PARAMETER_VALUE,
        "the gateway speaks UTF8 only",
    );
    Err((
        "setting",
        error.with_hint("set client_encoding (PGCLIENTENCODING) to UTF8"),
    ))
}

fn check_on(name: &str, value: &str) -> Result<(), Denied> {
    if ["on", "true", "yes", "1"].contains(&value.to_ascii_lowercase().as_str()) {
        return Ok(());
    }
    let error = PgError::fatal(
        SqlState::INSUFFICIENT_PRIVILEGE,
        format!("\"{name}\" must be on"),
    );
    Err(("setting", error.with_hint("leave it out of the connection")))
}

/// As SET checks it: what the server says below NOTICE tells of how it works, and it says it to
/// nobody who is masked.
fn check_messages(name: &str, value: &str) -> Result<(), Denied> {
    if ["notice", "warning", "error"].contains(&value.to_ascii_lowercase().as_str()) {
        return Ok(());
    }
    let error = PgError::fatal(
        SqlState::INSUFFICIENT_PRIVILEGE,
        format!("\"{name}\" must be notice, warning or error"),
    );
    Err(("setting", error.with_hint("leave it out of the connection")))
}

/// A list of names as SplitIdentifierString reads it (PostgreSQL: utils/adt/varlena.c): folded to
/// lower case unless quoted. `$user` and the catalogs are left out: the first has no schema here,
/// the others are always searched.
fn path(value: &str) -> Result<Vec<String>, Denied> {
    let mut schemas = Vec::new();
    let mut rest = value.trim();
    while !rest.is_empty() {
        let (name, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_name(quoted).ok_or_else(bad_path)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let (name, after) = rest.split_at(end);
                (name.trim().to_ascii_lowercase(), after)
            }
        };
        if name.is_empty() || name.contains('\0') {
            return Err(bad_path());
        }
        if name.starts_with("pg_temp") || name.starts_with("pg_toast") {
            return Err(bad_path());
        }
        if name != "$user" && name != "pg_catalog" {
            schemas.push(name);
        }
        rest = after.trim_start();
        if let Some(next) = rest.strip_prefix(',') {
            rest = next.trim_start();
            if rest.is_empty() {
                return Err(bad_path());
            }
        } else if !rest.is_empty() {
            return Err(bad_path());
        }
    }
    Ok(schemas)
}

fn quoted_name(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' if letters.peek().is_some_and(|(_, next)| *next == '"') => {
                letters.next();
                name.push('"');
            }
            '"' => return Some((name, text.get(at + 1..).unwrap_or_default())),
            letter => name.push(letter),
        }
    }
    None
}

fn quoted(path: &[String]) -> String {
    let quoted: Vec<_> = path
        .iter()
        .map(|name| format!("\"{}\"", name.replace('"', "\"\"")))
        .collect();
    quoted.join(", ")
}

fn bad_path() -> Denied {
    let error = PgError::fatal(
        SqlState::INVALID_PARAMETER_VALUE,
        "invalid value for parameter \"search_path\"",
    );
    (
        "setting",
        error.with_hint("give schema names separated by commas"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_path_is_read_as_postgresql_reads_it() {
        let read = |value| path(value).map_err(|(word, _)| word);
        assert_eq!(read("\"$user\", Public").unwrap(), ["public"]);
        assert_eq!(read("\"A\"\"b\",c").unwrap(), ["A\"b", "c"]);
        assert_eq!(read("").unwrap(), Vec::<String>::new());
        for bad in ["a,", ",a", "\"a", "\"a\"b", "pg_temp", "a,,b"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert_eq!(
            quoted(&["A\"b".to_owned(), "c".to_owned()]),
            "\"A\"\"b\", \"c\""
        );
    }

    #[test]
    fn the_session_comes_first_and_letters_stay_whole() {
        assert_eq!(application_name("0123456789ab", ""), "0123456789ab");
        let long = application_name("0123456789ab", &"ä".repeat(40));
        assert!(long.starts_with("0123456789ab ä"));
        assert_eq!(long.len(), limits::NAME);
        let odd = application_name("0123456789ab", &format!("x{}", "ä".repeat(40)));
        assert_eq!(odd.len(), limits::NAME - 1);
    }

    #[test]
    fn nothing_below_notice_is_asked_of_the_server() {
        let settings = |value| check_messages("client_min_messages", value).is_ok();
        assert!(!ALLOWED.contains(&"client_min_messages"));
        for quiet in ["notice", "WARNING", "error"] {
            assert!(settings(quiet), "{quiet}");
        }
        for talkative in ["debug5", "DEBUG", "log", "info", "'debug1'", ""] {
            assert!(!settings(talkative), "{talkative}");
        }
    }

    #[test]
    fn encodings_other_than_utf8_are_refused() {
        for good in ["UTF8", "utf-8", "UNICODE", "'utf8'", "SQL_ASCII"] {
            assert!(check_encoding(good).is_ok(), "{good}");
        }
        assert!(check_encoding("LATIN1").is_err());
    }
}
