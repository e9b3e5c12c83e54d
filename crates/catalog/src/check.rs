//! A classification file against the database it is for.

use std::collections::BTreeSet;
use std::fmt;

use phigate_phi::{
    Classification, ClassifiedColumn, ColumnName, EffectivePolicy, RowRules, TableName, Transform,
    TypeKind, Unclassified,
};
use phigate_sql::{Reason, Relation, RelationKind, Snapshot, row_condition};
use phigate_types::Profile;

/// Something in which file and database differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The file names a table or column that is not there.
    Missing {
        /// The line of the file.
        line: u64,
        /// The column.
        column: ColumnName,
    },
    /// A profile's transform is not possible for the column's actual type.
    Unsupported {
        /// The line of the file.
        line: u64,
        /// The column.
        column: ColumnName,
        /// The profile.
        profile: Profile,
        /// What the file asks for.
        transform: Transform,
        /// The type in the database.
        found: String,
    },
    /// The column is of another family of types than the file says.
    TypeDiffers {
        /// The line of the file.
        line: u64,
        /// The column.
        column: ColumnName,
        /// The type in the file.
        stated: String,
        /// The type in the database.
        found: String,
    },
    /// A column of a table that is otherwise classified.
    UnclassifiedColumn(ColumnName),
    /// A table of which no column is classified.
    UnclassifiedTable {
        /// The schema.
        schema: String,
        /// The table.
        table: String,
    },
}

/// Something in which row rules and database differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowFinding {
    /// The file names a table that is not there.
    Missing {
        /// The line of the file.
        line: usize,
        /// The table.
        table: TableName,
    },
    /// A grant that restricts rows refuses the table.
    Unusable {
        /// The table.
        table: TableName,
        /// A rule is wrong; otherwise there is none.
        error: bool,
        /// Why.
        message: String,
    },
}

/// Compares every classified column with the database, and every table of the database with the
/// file: first what is wrong, in the file's order, then what is not classified, by name. Views are
/// judged by what they read, partitions and children by their parents, so neither is expected in
/// the file.
pub fn check(classification: &Classification, snapshot: &Snapshot) -> Vec<Finding> {
    let mut classified: Vec<&ClassifiedColumn> = classification.iter().collect();
    classified.sort_by_key(|column| column.line);
    let mut findings: Vec<Finding> = classified
        .into_iter()
        .flat_map(|column| of_column(column, snapshot))
        .collect();

    let mut tables: Vec<&Relation> = snapshot
        .relations()
        .filter(|relation| is_classifiable(relation))
        .collect();
    tables.sort_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
    for table in tables {
        findings.extend(of_table(table, classification));
    }
    findings
}

/// Holds a row rules file against the database: tables that are not there, paths and conditions that
/// cannot be used, and tables with something about patients that say nothing of whose their rows are.
pub fn check_rows(
    classification: &Classification,
    rules: &RowRules,
    snapshot: &Snapshot,
) -> Vec<RowFinding> {
    let mut findings: Vec<RowFinding> = rules
        .tables()
        .filter(|(table, _)| snapshot.find(&table.schema, &table.table).is_none())
        .map(|(table, line)| RowFinding::Missing {
            line,
            table: table.clone(),
        })
        .collect();
    let strictest = EffectivePolicy::derive(
        classification,
        Profile::SafeHarbor,
        &[],
        &[],
        Unclassified::Refuse,
    );
    let rows = rules.policy(true, &BTreeSet::new());
    // Neither fails where nothing is revealed, blocked or named.
    let (Ok(policy), Ok(rows)) = (strictest, rows) else {
        return findings;
    };
    let policy = policy.with_rows(rows);
    let mut relations: Vec<_> = snapshot
        .relations()
        .filter(|relation| !relation.is_catalog())
        .collect();
    relations.sort_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
    for relation in relations {
        let Err(refusal) = row_condition(relation, &policy, snapshot) else {
            continue;
        };
        findings.push(RowFinding::Unusable {
            table: TableName::new(&relation.schema, &relation.name),
            error: refusal.reason() != Reason::NoKeyPath,
            message: match refusal.detail() {
                Some(detail) => format!("{}: {detail}", refusal.message()),
                None => refusal.message().to_owned(),
            },
        });
    }
    findings
}

fn of_column(column: &ClassifiedColumn, snapshot: &Snapshot) -> Vec<Finding> {
    let (line, name) = (column.line, &column.name);
    let found = snapshot
        .find(&name.schema, &name.table)
        .and_then(|relation| relation.column(&name.column));
    let Some(found) = found else {
        return vec![Finding::Missing {
            line,
            column: name.clone(),
        }];
    };
    let mut findings = Vec::new();
    let stated = TypeKind::from_written(&column.pg_type);
    if stated != TypeKind::Other && stated != found.ty.kind {
        findings.push(Finding::TypeDiffers {
            line,
            column: name.clone(),
            stated: column.pg_type.clone(),
            found: found.ty.name.clone(),
        });
    }
    let unsupported = Profile::ALL.into_iter().find_map(|profile| {
        let transform = column.transform(profile);
        (!transform.type_supported(&found.ty)).then_some((profile, transform))
    });
    if let Some((profile, transform)) = unsupported {
        let (column, found) = (name.clone(), found.ty.name.clone());
        findings.push(Finding::Unsupported {
            line,
            column,
            profile,
            transform,
            found,
        });
    }
    findings
}

fn of_table(table: &Relation, classification: &Classification) -> Vec<Finding> {
    let (schema, name) = (table.schema.as_str(), table.name.as_str());
    if !classification.has_table(schema, name) {
        return vec![Finding::UnclassifiedTable {
            schema: schema.to_owned(),
            table: name.to_owned(),
        }];
    }
    table
        .columns
        .iter()
        .map(|column| ColumnName::new(schema, name, column.name.as_str()))
        .filter(|name| classification.get(name).is_none())
        .map(Finding::UnclassifiedColumn)
        .collect()
}

pub(crate) fn is_classifiable(relation: &Relation) -> bool {
    let stores = matches!(
        relation.kind,
        RelationKind::Table
            | RelationKind::PartitionedTable
            | RelationKind::MaterializedView
            | RelationKind::ForeignTable
    );
    stores && relation.parents.is_empty() && !relation.is_catalog()
}

// === impl RowFinding ===

impl RowFinding {
    /// Whether the file cannot be used as it is; a table without a path is refused at run time.
    pub const fn is_error(&self) -> bool {
        match self {
            Self::Missing { .. } => true,
            Self::Unusable { error, .. } => *error,
        }
    }
}

impl fmt::Display for RowFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { line, table } => {
                write!(f, "line {line}: {table} is not in the database")
            }
            Self::Unusable { message, .. } => f.write_str(message),
        }
    }
}

// === impl Finding ===

impl Finding {
    /// Whether the file cannot be used as it is: what is merely not classified is refused at
    /// run time, and a type that was written wrong does no harm by itself.
    pub const fn is_error(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Unsupported { .. })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { line, column } => {
                write!(f, "line {line}: {column} is not in the database")
            }
            Self::Unsupported {
                line,
                column,
                profile,
                transform,
                found,
            } => write!(
                f,
                "line {line}: {column} is of type {found}, which cannot be released as {transform} ({profile})"
            ),
            Self::TypeDiffers {
                line,
                column,
                stated,
                found,
            } => {
                write!(f, "line {line}: {column} is of type {found}, not {stated}")
            }
            Self::UnclassifiedColumn(column) => write!(f, "{column} is not classified"),
            Self::UnclassifiedTable { schema, table } => {
                write!(f, "no column of {schema}.{table} is classified")
            }
        }
    }
}
