//! What a column's name says: words, phrases of them, and the classes they stand for.

use std::collections::HashMap;

use phigate_phi::IdentifierClass;

/// The embedded lexicon: CSV with the header `phrase,identifier`.
const EMBEDDED: &str = include_str!("lexicon.csv");

/// Stands in a phrase for any of [`KEY_WORDS`].
const KEY: &str = "{id}";

/// What names of keys end in.
const KEY_WORDS: [&str; 13] = [
    "id",
    "ids",
    "key",
    "code",
    "cd",
    "number",
    "no",
    "num",
    "nbr",
    "identifier",
    "uuid",
    "guid",
    "ident",
];

/// The longest phrase, in words.
const PHRASE_MAX: usize = 5;

/// The longest lexicon that is read, in bytes.
const LEXICON_MAX: usize = 1 << 20;

/// How sure a name that is the phrase and nothing more makes.
const WHOLE: f64 = 0.95;

/// How sure one word of a long name makes, and what coverage adds.
const PART: (f64, f64) = (0.55, 0.3);

/// Phrases and the classes they stand for.
#[derive(Debug, Clone)]
pub struct Lexicon(HashMap<Vec<String>, IdentifierClass>);

/// Why a lexicon cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("lexicon, line {line}: {message}")]
pub struct LexiconError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// What a name speaks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Match {
    pub(super) class: IdentifierClass,
    /// 0 to 1.
    pub(super) confidence: f64,
    /// The words that spoke.
    pub(super) phrase: String,
}

impl Lexicon {
    /// Our own, and `more` on top: CSV with the header `phrase,identifier`; what it says counts where
    /// both say something.
    ///
    /// # Errors
    /// At the first line of `more` that is not understood.
    pub fn with(more: &str) -> Result<Self, LexiconError> {
        let mut lexicon = Self(HashMap::new());
        lexicon.read(EMBEDDED)?;
        lexicon.read(more)?;
        Ok(lexicon)
    }

    fn read(&mut self, csv: &str) -> Result<(), LexiconError> {
        let error = |line: usize, message: String| LexiconError { line, message };
        if csv.len() > LEXICON_MAX {
            return Err(error(1, format!("it has more than {LEXICON_MAX} bytes")));
        }
        let mut header = true;
        for (index, row) in csv.lines().enumerate() {
            let (line, row) = (index + 1, row.trim());
            if row.is_empty() || row.starts_with('#') {
                continue;
            }
            if std::mem::take(&mut header) {
                if row != "phrase,identifier" {
                    return Err(error(
                        line,
                        "expected the header phrase,identifier".to_owned(),
                    ));
                }
                continue;
            }
            let (phrase, class) = row
                .rsplit_once(',')
                .ok_or_else(|| error(line, "expected a phrase and a class".to_owned()))?;
            let class =
                class
                    .trim()
                    .parse()
                    .map_err(|unknown: phigate_phi::UnknownIdentifier| {
                        error(line, unknown.to_string())
                    })?;
            let phrase: Vec<String> = phrase.split_whitespace().map(folded).collect();
            if phrase.is_empty() || phrase.len() > PHRASE_MAX {
                return Err(error(line, format!("a phrase has 1 to {PHRASE_MAX} words")));
            }
            // `firstname` is `first name`, and `subjectid` `subject id`.
            if phrase.len() > 1 {
                let joined = if phrase.last().is_some_and(|last| last == KEY) {
                    phrase
                        .iter()
                        .take(phrase.len() - 1)
                        .map(String::as_str)
                        .chain(["id"])
                        .collect()
                } else {
                    phrase.concat()
                };
                self.0.entry(vec![joined]).or_insert(class);
            }
            self.0.insert(phrase, class);
        }
        Ok(())
    }

    /// What the name of a column says; the table's name speaks where the column's is `id` or `name`.
    pub(super) fn match_name(&self, table: &str, column: &str) -> Option<Match> {
        let mut words = words(column);
        let bare = matches!(words.as_slice(), [only] if is_key(only) || only == "name");
        if bare {
            words = self::words(table).into_iter().chain(words).collect();
        }
        let mut best: Option<(usize, usize, Match)> = None;
        for start in 0..words.len() {
            for length in 1..=PHRASE_MAX.min(words.len() - start) {
                let Some(run) = words.get(start..start + length) else {
                    continue;
                };
                let Some(class) = self.look_up(run) else {
                    continue;
                };
                let rank = (length, start);
                if best.as_ref().is_none_or(|(l, s, _)| rank >= (*l, *s)) {
                    let found = Match {
                        class,
                        confidence: confidence(length, words.len(), bare),
                        phrase: run.join(" "),
                    };
                    best = Some((length, start, found));
                }
            }
        }
        best.map(|(_, _, found)| found)
    }

    /// Whether the name ends like that of a key.
    pub(super) fn is_key_name(column: &str) -> bool {
        words(column)
            .last()
            .is_some_and(|last| is_key(last) || last.len() > 4 && last.ends_with("id"))
    }

    fn look_up(&self, run: &[String]) -> Option<IdentifierClass> {
        if let Some(class) = self.0.get(run) {
            return Some(*class);
        }
        let (last, before) = run.split_last()?;
        if !is_key(last) || before.is_empty() {
            return None;
        }
        let mut phrase = before.to_vec();
        phrase.push(KEY.to_owned());
        self.0.get(&phrase).copied()
    }
}

fn confidence(matched: usize, of: usize, bare: bool) -> f64 {
    let whole = matched >= of;
    let coverage = matched as f64 / of.max(1) as f64;
    match (whole, bare) {
        (true, false) => WHOLE,
        (true, true) => WHOLE - 0.1,
        (false, _) => PART.0 + PART.1 * coverage,
    }
}

fn is_key(word: &str) -> bool {
    KEY_WORDS.contains(&word)
}

/// The words of a name: split at what is no letter, between letters and digits, and where lower case
/// turns into upper; folded, digits dropped.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut lower_before = false;
    for c in name.chars() {
        if !c.is_alphabetic() || (c.is_uppercase() && lower_before) {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphabetic() {
            word.push(c);
        }
        lower_before = c.is_lowercase();
    }
    words.push(word);
    words
        .iter()
        .filter(|word| !word.is_empty())
        .map(|word| folded(word))
        .collect()
}

/// Lower case, and singular where English makes that plain.
fn folded(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    let plural = lower.len() > 3
        && lower.ends_with('s')
        && !["ss", "us", "is", "ies", "expenses"]
            .iter()
            .any(|end| lower.ends_with(end));
    match lower.strip_suffix('s') {
        Some(singular) if plural => singular.to_owned(),
        _ => lower,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(table: &str, column: &str) -> Option<IdentifierClass> {
        let lexicon = Lexicon::with("").unwrap();
        lexicon.match_name(table, column).map(|found| found.class)
    }

    #[test]
    fn names_speak_by_their_longest_and_last_words() {
        for (table, column, class) in [
            ("patients", "last_name", IdentifierClass::Name),
            ("patients", "lastName", IdentifierClass::Name),
            ("patients", "lastname", IdentifierClass::Name),
            ("x", "provider_name", IdentifierClass::ProviderName),
            ("x", "patient_phone_number", IdentifierClass::Phone),
            ("patients", "id", IdentifierClass::PersonKey),
            ("providers", "id", IdentifierClass::ProviderKey),
            ("x", "subject_id", IdentifierClass::PersonKey),
            ("x", "subjectid", IdentifierClass::PersonKey),
            ("x", "HomePhone2", IdentifierClass::Phone),
            ("x", "date_of_birth", IdentifierClass::BirthDate),
            ("x", "birthdate", IdentifierClass::BirthDate),
            ("x", "e_mail", IdentifierClass::Email),
            ("x", "condition_concept_id", IdentifierClass::Clinical),
            ("x", "home_zip", IdentifierClass::Zip),
        ] {
            assert_eq!(said(table, column), Some(class), "{table}.{column}");
        }
        assert_eq!(said("x", "zyzzyva"), None);
    }

    #[test]
    fn whole_names_are_surer_than_parts_of_long_ones() {
        let lexicon = Lexicon::with("").unwrap();
        let sure = |column| lexicon.match_name("t", column).unwrap().confidence;
        assert!(
            sure("ssn") > sure("backup_ssn") && sure("backup_ssn") > sure("old_backup_ssn_col")
        );
    }

    #[test]
    fn a_site_adds_its_own_words_and_is_told_what_is_wrong() {
        let lexicon = Lexicon::with("phrase,identifier\nrut,ssn\nsex,none\n").unwrap();
        let said = |column| lexicon.match_name("t", column).unwrap().class;
        assert_eq!(
            (said("rut"), said("sex")),
            (IdentifierClass::Ssn, IdentifierClass::None)
        );
        for (csv, line) in [
            ("rut,ssn\n", 1),
            ("phrase,identifier\nrut\n", 2),
            ("phrase,identifier\n# x\nrut,nonesuch\n", 3),
            ("phrase,identifier\n,ssn\n", 2),
        ] {
            assert_eq!(Lexicon::with(csv).unwrap_err().line, line, "{csv}");
        }
    }
}
