//! The `options` of a startup packet: a command line for the backend.

use phigate_types::{PgError, SqlState};

/// The settings that `options` makes, in order: `-c name=value`, `-cname=value`, `--name=value`.
/// Words end at white space unless a backslash precedes it (PostgreSQL: `pg_split_opts` in
/// utils/init/postinit.c); dashes in names become underscores (`ParseLongOption` in misc/guc.c). No
/// other switch is accepted.
pub fn parse_options(options: &str) -> Result<Vec<(String, String)>, OptionsError> {
    let mut words = split(options).into_iter();
    let mut settings = Vec::new();
    while let Some(word) = words.next() {
        let setting = if word == "-c" {
            words.next().ok_or(OptionsError::NoValue(word))?
        } else if let Some(attached) = word.strip_prefix("-c").or_else(|| word.strip_prefix("--")) {
            attached.to_owned()
        } else {
            return Err(OptionsError::Switch(word));
        };
        match setting.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                settings.push((name.replace('-', "_"), value.to_owned()));
            }
            Some(_) | None => return Err(OptionsError::NoValue(setting)),
        }
    }
    Ok(settings)
}

/// Why `options` is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// A switch other than `-c` and `--name`.
    #[error("{0:?} is not accepted in options")]
    Switch(String),
    /// A setting without `=value`.
    #[error("{0:?} in options has no value")]
    NoValue(String),
}

impl From<OptionsError> for PgError {
    fn from(error: OptionsError) -> Self {
        Self::fatal(
            SqlState::INVALID_PARAMETER_VALUE,
            "invalid command-line options",
        )
        .with_detail(error.to_string())
        .with_hint("options takes -c name=value and --name=value")
    }
}

fn split(options: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut escaped = false;
    for letter in options.chars() {
        if escaped {
            word.get_or_insert_default().push(letter);
            escaped = false;
        } else if letter == '\\' {
            word.get_or_insert_default();
            escaped = true;
        } else if is_space(letter) {
            words.extend(word.take());
        } else {
            word.get_or_insert_default().push(letter);
        }
    }
    words.extend(word);
    words
}

/// C's isspace in the C locale, vertical tab included.
fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}
