//! The committed allow-lists, read anew.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::Context;

/// What may be called and read.
pub(crate) struct Lists {
    /// Names of functions of which some overload is allowed, by schema.
    functions: HashMap<&'static str, HashSet<String>>,
    /// Functions that are answered with something else, whatever they are asked.
    answered: HashSet<String>,
    /// Settings that may be set.
    settings: HashSet<String>,
    /// By `schema.name`: the columns that must not be read.
    relations: HashMap<String, Hidden>,
}

/// Columns of a catalog relation that must not be read.
pub(crate) enum Hidden {
    /// These.
    These(HashSet<String>),
    /// All but these.
    AllBut(HashSet<String>),
}

impl Lists {
    pub(crate) fn read(directory: &Path) -> anyhow::Result<Self> {
        let mut functions = HashMap::new();
        for (schema, file) in [
            ("pg_catalog", "functions.txt"),
            ("information_schema", "information_schema_functions.txt"),
        ] {
            let names = rows(directory, file)?
                .into_iter()
                .filter(|row| row.get(2).is_some_and(|decision| decision != "deny"))
                .filter_map(|row| row.first().cloned());
            functions.insert(schema, names.collect());
        }
        let of = |file: &str,
                  decided: fn(&str) -> bool,
                  place: usize|
         -> anyhow::Result<HashSet<String>> {
            let rows = rows(directory, file)?.into_iter();
            let rows = rows.filter(|row| row.get(place).is_some_and(|decision| decided(decision)));
            Ok(rows.filter_map(|row| row.first().cloned()).collect())
        };
        let answered = of(
            "functions.txt",
            |decision| !matches!(decision, "allow" | "deny"),
            2,
        )?;
        let settings = of("settings.txt", |decision| decision == "set", 1)?;
        let mut relations = HashMap::new();
        for row in rows(directory, "relations.txt")? {
            let [name, decision, _majors, more @ ..] = row.as_slice() else {
                continue;
            };
            if decision != "allow" {
                continue;
            }
            let listed = |prefix: &str| {
                let list = more.iter().find_map(|word| word.strip_prefix(prefix))?;
                Some(list.split(',').map(str::to_owned).collect::<HashSet<_>>())
            };
            let hidden = match (listed("hidden="), listed("shown=")) {
                (_, Some(shown)) => Hidden::AllBut(shown),
                (hidden, None) => Hidden::These(hidden.unwrap_or_default()),
            };
            relations.insert(name.clone(), hidden);
        }
        Ok(Self {
            functions,
            answered,
            settings,
            relations,
        })
    }

    pub(crate) fn allows_function(&self, schema: &str, name: &str) -> bool {
        self.functions
            .get(schema)
            .is_some_and(|names| names.contains(name))
    }

    pub(crate) fn is_answered(&self, name: &str) -> bool {
        self.answered.contains(name)
    }

    pub(crate) fn may_set(&self, setting: &str) -> bool {
        self.settings.contains(setting)
    }

    /// What is hidden of a catalog relation, if it may be read.
    pub(crate) fn relation(&self, schema: &str, name: &str) -> Option<&Hidden> {
        self.relations.get(&format!("{schema}.{name}"))
    }
}

impl Hidden {
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self, Self::These(columns) if columns.is_empty())
    }

    pub(crate) fn hides(&self, column: &str) -> bool {
        match self {
            Self::These(columns) => columns.contains(column),
            Self::AllBut(columns) => !columns.contains(column),
        }
    }
}

/// The words of each row of a list, up to its reason.
fn rows(directory: &Path, file: &str) -> anyhow::Result<Vec<Vec<String>>> {
    let text = std::fs::read_to_string(directory.join(file)).with_context(|| file.to_owned())?;
    let rows = text.lines().filter(|line| !line.starts_with("//"));
    Ok(rows
        .map(|line| line.split("  # ").next().unwrap_or_default())
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect())
}
