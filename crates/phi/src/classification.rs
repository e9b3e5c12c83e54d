//! The classification file: one row a column, what it holds, and what each profile does to it.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use phigate_types::Profile;

use crate::column::{ColumnName, TypeKind};
use crate::identifier::IdentifierClass;
use crate::json_paths::JsonPaths;
use crate::transform::Transform;

/// The columns a file must have, in this order; [`EXPERT`] may follow.
const HEADER: [&str; 6] = [
    "table",
    "column",
    "pg_type",
    "identifier",
    "safe_harbor",
    "limited_dataset",
];

/// The column a file may have.
const EXPERT: &str = "expert";

/// The name of [`Transform::JsonPaths`].
const JSON_PATHS: &str = Transform::JsonPaths.as_str();

/// The longest file, in bytes: about 200,000 columns.
const FILE_MAX: usize = 16 * 1024 * 1024;

/// One row of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassifiedColumn {
    /// The column.
    pub name: ColumnName,
    /// The type as written, for people and for the check against the database.
    pub pg_type: String,
    /// What it holds.
    pub identifier: IdentifierClass,
    /// Its release under `safe_harbor`.
    pub safe_harbor: Transform,
    /// Its release under `limited_dataset`.
    pub limited_dataset: Transform,
    /// Its release under `expert`; the class decides where the file does not.
    pub expert: Option<Transform>,
    /// Which values of a document leave under [`Transform::JsonPaths`], in the order of these three.
    pub json_paths: [JsonPaths; 3],
    /// The line of the file, from 1.
    pub line: u64,
}

/// A database's columns, as its owner classified them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Classification {
    columns: BTreeMap<ColumnName, ClassifiedColumn>,
    tables: BTreeSet<(String, String)>,
}

/// Where a classification file is wrong, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: column {column:?}: {message}")]
pub struct ClassificationError {
    /// The file's name as given.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The header word of the cell; empty when the whole line is meant.
    pub column: String,
    /// What is wrong and what was expected.
    pub message: String,
}

// === impl Classification ===

impl Classification {
    /// Reads a file: RFC 4180 CSV with the header
    /// `table,column,pg_type,identifier,safe_harbor,limited_dataset[,expert]`; a JSON column may be released
    /// as `json_paths(status payer.kind)`. A byte-order mark,
    /// CRLF, blank lines and lines that start with `#` are tolerated. `file` is only for errors.
    ///
    /// # Errors
    /// At the first cell that is not understood: an unknown class or transform, a transform that the
    /// stated type cannot have, a column named twice.
    pub fn parse(text: &str, file: &str) -> Result<Self, ClassificationError> {
        let error = |line: u64, column: &str, message: String| ClassificationError {
            file: file.to_owned(),
            line,
            column: column.to_owned(),
            message,
        };
        if text.len() > FILE_MAX {
            return Err(error(1, "", format!("a file has at most {FILE_MAX} bytes")));
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rows = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes())
            .into_records();
        let header = match rows.next() {
            Some(Ok(header)) => header,
            Some(Err(bad)) => return Err(error(1, "", bad.to_string())),
            None => {
                return Err(error(
                    1,
                    "",
                    format!("expected the header {}", HEADER.join(",")),
                ));
            }
        };
        let with_expert = header_has_expert(&header).map_err(|message| error(1, "", message))?;

        let mut classification = Self::default();
        for row in rows {
            let row =
                row.map_err(|bad| error(line_of(bad.position(), text), "", bad.to_string()))?;
            let line = line_of(row.position(), text);
            let column = ClassifiedColumn::from_row(&row, with_expert, line)
                .map_err(|(cell, message)| error(line, cell, message))?;
            if let Some(first) = classification.columns.get(&column.name) {
                let message = format!("{} is already on line {}", column.name, first.line);
                return Err(error(line, "column", message));
            }
            classification
                .tables
                .insert((column.name.schema.clone(), column.name.table.clone()));
            classification.columns.insert(column.name.clone(), column);
        }
        Ok(classification)
    }

    /// The classified columns, by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &ClassifiedColumn> {
        self.columns.values()
    }

    /// What the file says of a column.
    pub fn get(&self, name: &ColumnName) -> Option<&ClassifiedColumn> {
        self.columns.get(name)
    }

    /// Whether the file names any column of the table.
    pub fn has_table(&self, schema: &str, table: &str) -> bool {
        self.tables.contains(&(schema.to_owned(), table.to_owned()))
    }

    /// How many columns are classified.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether no column is classified.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }
}

// === impl ClassifiedColumn ===

impl ClassifiedColumn {
    /// What a profile does to the column.
    pub fn transform(&self, profile: Profile) -> Transform {
        match profile {
            Profile::SafeHarbor => self.safe_harbor,
            Profile::LimitedDataset => self.limited_dataset,
            Profile::Identified => Transform::Keep,
            Profile::Expert => self.expert.unwrap_or_else(|| {
                self.identifier
                    .default_transform(profile, TypeKind::from_written(&self.pg_type))
            }),
        }
    }

    /// Which values of it a profile lets out, where it does so by path.
    pub fn json_paths(&self, profile: Profile) -> &JsonPaths {
        static NONE: JsonPaths = JsonPaths::NONE;
        let [safe_harbor, limited_dataset, expert] = &self.json_paths;
        match profile {
            Profile::SafeHarbor => safe_harbor,
            Profile::LimitedDataset => limited_dataset,
            Profile::Expert => expert,
            Profile::Identified => &NONE,
        }
    }

    /// What a profile does to the column, as the file says it.
    pub fn word(&self, profile: Profile) -> String {
        let paths = self.json_paths(profile);
        if paths.is_empty() {
            return self.transform(profile).to_string();
        }
        format!("{}({paths})", self.transform(profile))
    }

    /// Reads one row; an error names the cell.
    fn from_row(
        row: &csv::StringRecord,
        with_expert: bool,
        line: u64,
    ) -> Result<Self, (&'static str, String)> {
        let wanted = HEADER.len() + usize::from(with_expert);
        if row.len() != wanted {
            return Err(("", format!("expected {wanted} cells, found {}", row.len())));
        }
        let mut cells = row.iter();
        let mut next = || cells.next().unwrap_or_default();
        let (table, column, pg_type) = (next(), next(), next());
        let (identifier, safe_harbor, limited_dataset, expert) = (next(), next(), next(), next());

        let name = name_of(table, column)?;
        if pg_type.is_empty() {
            return Err((
                "pg_type",
                "expected a PostgreSQL type such as varchar(20)".to_owned(),
            ));
        }
        let transform = |cell: &'static str, text: &str| {
            let (text, paths) = paths_of(cell, text)?;
            let transform: Transform = word(cell, text)?;
            if paths.is_empty() != (transform != Transform::JsonPaths) {
                return Err((
                    cell,
                    format!(
                        "{JSON_PATHS} names its paths, and nothing else has any: {JSON_PATHS}(status payer.kind)"
                    ),
                ));
            }
            let kind = TypeKind::from_written(pg_type);
            if kind == TypeKind::Other || transform.supports(kind) {
                Ok((transform, paths))
            } else {
                Err((
                    cell,
                    format!("a column of type {pg_type} cannot be released as {transform}"),
                ))
            }
        };
        let identifier = word("identifier", identifier)?;
        let (safe_harbor, in_safe_harbor) = transform("safe_harbor", safe_harbor)?;
        let (limited_dataset, in_limited_dataset) = transform("limited_dataset", limited_dataset)?;
        let (expert, in_expert) = match expert {
            "" => (None, JsonPaths::default()),
            text => transform(EXPERT, text).map(|(transform, paths)| (Some(transform), paths))?,
        };
        Ok(Self {
            identifier,
            safe_harbor,
            limited_dataset,
            expert,
            json_paths: [in_safe_harbor, in_limited_dataset, in_expert],
            pg_type: pg_type.to_owned(),
            name,
            line,
        })
    }
}

/// The line a row stands on, from 1: the reader counts it from where the row before it ended, blank
/// lines and comments included.
fn line_of(position: Option<&csv::Position>, text: &str) -> u64 {
    let Some(position) = position else { return 0 };
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let skipped = text
        .get(start..)
        .unwrap_or_default()
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with('#'))
        .count();
    position.line().saturating_add(skipped as u64)
}

/// Whether the optional cell is there; an error when the header is not ours.
fn header_has_expert(header: &csv::StringRecord) -> Result<bool, String> {
    let cells: Vec<&str> = header.iter().collect();
    match cells.strip_prefix(HEADER.as_slice()) {
        Some([]) => Ok(false),
        Some([last]) if *last == EXPERT => Ok(true),
        _ => Err(format!(
            "expected the header {}[,{EXPERT}], found {}",
            HEADER.join(","),
            cells.join(",")
        )),
    }
}

/// The column's name from its two cells; the error says which of them is wrong.
fn name_of(table: &str, column: &str) -> Result<ColumnName, (&'static str, String)> {
    let expected =
        |cell, what: &str, text: &str| (cell, format!("expected {what}, found {text:?}"));
    ColumnName::from_cells(table, "c")
        .map_err(|_| expected("table", "a table or schema.table", table))?;
    ColumnName::from_cells(table, column).map_err(|_| expected("column", "a column name", column))
}

/// A transform's word, and the paths in parentheses after it.
fn paths_of<'t>(
    cell: &'static str,
    text: &'t str,
) -> Result<(&'t str, JsonPaths), (&'static str, String)> {
    let Some((name, rest)) = text.split_once('(') else {
        return Ok((text, JsonPaths::default()));
    };
    let Some(paths) = rest.strip_suffix(')') else {
        return Err((cell, format!("expected ) at the end of {text:?}")));
    };
    Ok((name.trim_end(), word(cell, paths)?))
}

fn word<T>(cell: &'static str, text: &str) -> Result<T, (&'static str, String)>
where
    T: FromStr,
    T::Err: ToString,
{
    text.parse()
        .map_err(|unknown: T::Err| (cell, unknown.to_string()))
}

#[cfg(test)]
mod tests;
