//! COPY to the client. `COPY t TO STDOUT` becomes COPY of a query over `t`, which is substituted
//! like any other. COPY FROM STDIN is an INSERT of values, and is judged as one; files and programs
//! are refused.

use sqlparser::ast::{self, CopyLegacyCsvOption, CopyLegacyOption, CopyOption};

use super::{Plan, settle};
use crate::ir::{Expr, Ident, Item, Name, Query, Star};
use crate::lower::{self, absent, unsupported};
use crate::parse;
use crate::refusal::{Place, Reason, Refusal, Result};
use crate::render::Writer;
use crate::resolve::{Resolution, Resolver};
use crate::{Context, CopyDirection, Permit, StatementKind};

/// The parts of a COPY.
pub(super) struct Copy {
    pub(super) source: ast::CopySource,
    pub(super) to: bool,
    pub(super) target: ast::CopyTarget,
    pub(super) options: Vec<CopyOption>,
    pub(super) legacy_options: Vec<CopyLegacyOption>,
    pub(super) values: Vec<Option<String>>,
}

/// What COPY writes, in the grammar's words.
#[derive(Default)]
struct Options {
    format: Option<&'static str>,
    header: Option<bool>,
    delimiter: Option<char>,
    null: Option<String>,
    quote: Option<char>,
    escape: Option<char>,
    force_quote: Forced,
    force_null: Vec<Name>,
    force_not_null: Vec<Name>,
    /// It is COPY FROM.
    from: bool,
}

/// Which columns are quoted in any case.
#[derive(Default)]
enum Forced {
    #[default]
    None,
    Columns(Vec<Name>),
    All,
}

/// The way out of COPY to where the server writes.
const TO_CLIENT: &str =
    "use COPY ... TO STDOUT, or \\copy in psql: the file is then written where you are";

pub(super) fn copy(copy: Copy, cx: &Context<'_>) -> Result<Permit> {
    let Copy {
        source,
        to,
        target,
        options,
        legacy_options,
        values,
    } = copy;
    let place = Place::default();
    absent(values.into_iter().next(), "rows after COPY", place)?;
    match (to, target) {
        (true, ast::CopyTarget::Stdout) => {}
        (false, ast::CopyTarget::Stdin) => {}
        (false, ast::CopyTarget::Stdout) => return Err(unsupported("COPY FROM STDOUT", place)),
        (false, ast::CopyTarget::File { filename: _ }) => {
            return Err(refused("COPY from a file on the server is not relayed"));
        }
        (false, ast::CopyTarget::Program { command: _ }) => {
            return Err(refused("COPY from a program is not relayed"));
        }
        (true, ast::CopyTarget::Stdin) => return Err(unsupported("COPY TO STDIN", place)),
        (true, ast::CopyTarget::File { filename: _ }) => {
            return Err(refused("COPY to a file on the server is not relayed").with_hint(TO_CLIENT));
        }
        (true, ast::CopyTarget::Program { command: _ }) => {
            return Err(refused("COPY to a program is not relayed").with_hint(TO_CLIENT));
        }
    }
    let mut read = Options {
        from: !to,
        ..Options::default()
    };
    for option in options {
        read.add(option)?;
    }
    for option in legacy_options {
        read.add_legacy(option)?;
    }
    if !to {
        return into(source, &read, cx);
    }
    let (query, resolution) = match source {
        ast::CopySource::Query(query) => settle(*query, cx)?,
        ast::CopySource::Table {
            table_name,
            columns,
        } => table(lower::object_name(table_name)?, lower::idents(columns)?, cx)?,
    };
    let plan = Plan {
        copy: Some(CopyDirection::Out),
        ..Plan::new(StatementKind::Copy)
    };
    plan.permit(&resolution, cx, |writer| {
        writer.push("COPY (");
        writer.query(&query);
        writer.push(") TO STDOUT");
        read.write(writer);
    })
}

/// COPY table FROM STDIN.
fn into(source: ast::CopySource, read: &Options, cx: &Context<'_>) -> Result<Permit> {
    let ast::CopySource::Table {
        table_name,
        columns,
    } = source
    else {
        return Err(unsupported("COPY of a query FROM", Place::default()));
    };
    let (path, columns) = (lower::object_name(table_name)?, lower::idents(columns)?);
    let mut resolver = Resolver::new(cx);
    let relation = resolver.copy_target(&path, &columns)?;
    let resolution = resolver.finish();
    let plan = Plan {
        copy: Some(CopyDirection::In),
        ..Plan::new(StatementKind::Copy)
    };
    plan.permit(&resolution, cx, |writer| {
        writer.push("COPY ");
        writer.open_relation(relation, false);
        if !columns.is_empty() {
            writer.name_list(&columns);
        }
        writer.push(" FROM STDIN");
        read.write(writer);
    })
}

/// The query that COPY of a table stands for: its own rows only, and no generated columns
/// (`copy.c`, CopyGetAttnums).
fn table(path: Vec<Ident>, columns: Vec<Ident>, cx: &Context<'_>) -> Result<(Query, Resolution)> {
    let mut resolver = Resolver::new(cx);
    let relation = resolver.relation_named(&path)?;
    let generated = relation
        .columns
        .iter()
        .any(|column| column.generated.is_some());
    let named = |name: Ident| Item::Expr {
        name: name.name.clone(),
        expr: Expr::Unresolved(vec![name]),
        alias: None,
    };
    let items = if !columns.is_empty() {
        columns.into_iter().map(named).collect()
    } else if generated {
        let released = |index: usize| {
            cx.access(relation.oid)
                .is_some_and(|access| access.treatment(index) != phigate_phi::Treatment::Block)
        };
        let kept = relation
            .columns
            .iter()
            .enumerate()
            .filter(|(index, column)| column.generated.is_none() && released(*index));
        kept.map(|(_, column)| named(Ident::made(&column.name)))
            .collect()
    } else {
        vec![Item::Star(Star::default())]
    };
    let mut query = Query::of_relation(path, true, items);
    resolver.statement(&mut query)?;
    let resolution = super::attributed(&query, resolver, cx);
    Ok((query, resolution))
}

impl Options {
    fn add(&mut self, option: CopyOption) -> Result<()> {
        match option {
            CopyOption::Format(name) => {
                self.format = Some(match name.value.to_ascii_lowercase().as_str() {
                    "text" => "text",
                    "csv" => "csv",
                    "binary" => "binary",
                    _ => return Err(unsupported("this COPY format", lower::name_place(&name))),
                });
            }
            CopyOption::Header(header) => self.header = Some(header),
            CopyOption::Delimiter(delimiter) => self.delimiter = Some(delimiter),
            CopyOption::Null(null) => self.null = Some(null),
            CopyOption::Quote(quote) => self.quote = Some(quote),
            CopyOption::Escape(escape) => self.escape = Some(escape),
            CopyOption::ForceQuote(columns) => self.force_quote(columns)?,
            CopyOption::Encoding(encoding) => {
                let folded = encoding.to_ascii_lowercase().replace(['-', '_'], "");
                if !matches!(folded.as_str(), "utf8" | "unicode") {
                    return Err(unsupported(
                        "COPY in another encoding than UTF8",
                        Place::default(),
                    ));
                }
            }
            CopyOption::Freeze(false) => {}
            CopyOption::ForceNotNull(columns) if self.from => {
                self.force_not_null = names(columns)?;
            }
            CopyOption::ForceNull(columns) if self.from => self.force_null = names(columns)?,
            CopyOption::Freeze(true) | CopyOption::ForceNotNull(_) | CopyOption::ForceNull(_) => {
                return Err(unsupported("this option of COPY", Place::default()));
            }
        }
        Ok(())
    }

    fn add_legacy(&mut self, option: CopyLegacyOption) -> Result<()> {
        match option {
            CopyLegacyOption::Binary => self.format = Some("binary"),
            CopyLegacyOption::Delimiter(delimiter) => self.delimiter = Some(delimiter),
            CopyLegacyOption::Null(null) => self.null = Some(null),
            CopyLegacyOption::Header => self.header = Some(true),
            CopyLegacyOption::Csv(options) => {
                self.format = Some("csv");
                for option in options {
                    match option {
                        CopyLegacyCsvOption::Header => self.header = Some(true),
                        CopyLegacyCsvOption::Quote(quote) => self.quote = Some(quote),
                        CopyLegacyCsvOption::Escape(escape) => self.escape = Some(escape),
                        CopyLegacyCsvOption::ForceQuote(columns) => self.force_quote(columns)?,
                        CopyLegacyCsvOption::ForceNotNull(columns) if self.from => {
                            self.force_not_null = names(columns)?;
                        }
                        CopyLegacyCsvOption::ForceNotNull(_) => {
                            return Err(unsupported("FORCE NOT NULL in COPY TO", Place::default()));
                        }
                    }
                }
            }
            CopyLegacyOption::AcceptAnyDate
            | CopyLegacyOption::AcceptInvChars(_)
            | CopyLegacyOption::AddQuotes
            | CopyLegacyOption::AllowOverwrite
            | CopyLegacyOption::BlankAsNull
            | CopyLegacyOption::Bzip2
            | CopyLegacyOption::CleanPath
            | CopyLegacyOption::CompUpdate { .. }
            | CopyLegacyOption::DateFormat(_)
            | CopyLegacyOption::EmptyAsNull
            | CopyLegacyOption::Encrypted { .. }
            | CopyLegacyOption::Escape
            | CopyLegacyOption::Extension(_)
            | CopyLegacyOption::FixedWidth(_)
            | CopyLegacyOption::Gzip
            | CopyLegacyOption::IamRole(_)
            | CopyLegacyOption::IgnoreHeader(_)
            | CopyLegacyOption::Json(_)
            | CopyLegacyOption::Manifest { .. }
            | CopyLegacyOption::MaxFileSize(_)
            | CopyLegacyOption::Parallel(_)
            | CopyLegacyOption::Parquet
            | CopyLegacyOption::PartitionBy(_)
            | CopyLegacyOption::Region(_)
            | CopyLegacyOption::RemoveQuotes
            | CopyLegacyOption::RowGroupSize(_)
            | CopyLegacyOption::StatUpdate(_)
            | CopyLegacyOption::TimeFormat(_)
            | CopyLegacyOption::TruncateColumns
            | CopyLegacyOption::Zstd
            | CopyLegacyOption::Credentials(_) => {
                return Err(unsupported("this option of COPY", Place::default()));
            }
        }
        Ok(())
    }

    fn force_quote(&mut self, columns: Vec<ast::Ident>) -> Result<()> {
        if self.from {
            return Err(unsupported("FORCE QUOTE in COPY FROM", Place::default()));
        }
        let all = columns
            .iter()
            .any(|name| parse::marker(name) == Some(parse::Marker::Star));
        self.force_quote = if all && columns.len() == 1 {
            Forced::All
        } else {
            Forced::Columns(names(columns)?)
        };
        Ok(())
    }

    fn write(&self, writer: &mut Writer<'_>) {
        let mut separator = " WITH (";
        let mut next = |writer: &mut Writer<'_>, word: &str| {
            writer.push(separator);
            writer.push(word);
            separator = ", ";
        };
        if let Some(format) = self.format {
            next(writer, "FORMAT ");
            writer.push(format);
        }
        if let Some(header) = self.header {
            next(
                writer,
                if header {
                    "HEADER TRUE"
                } else {
                    "HEADER FALSE"
                },
            );
        }
        let characters = [
            ("DELIMITER ", self.delimiter),
            ("QUOTE ", self.quote),
            ("ESCAPE ", self.escape),
        ];
        for (word, character) in characters {
            if let Some(character) = character {
                next(writer, word);
                writer.string(character.encode_utf8(&mut [0; 4]));
            }
        }
        if let Some(null) = &self.null {
            next(writer, "NULL ");
            writer.string(null);
        }
        let quoted: &[Name] = match &self.force_quote {
            Forced::None => &[],
            Forced::Columns(columns) => columns,
            Forced::All => {
                next(writer, "FORCE_QUOTE *");
                &[]
            }
        };
        let lists = [
            ("FORCE_QUOTE (", quoted),
            ("FORCE_NULL (", &self.force_null[..]),
            ("FORCE_NOT_NULL (", &self.force_not_null[..]),
        ];
        for (word, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            next(writer, word);
            writer.separated(list, Writer::chosen);
            writer.push(")");
        }
        if separator == ", " {
            writer.push(")");
        }
    }
}

fn names(columns: Vec<ast::Ident>) -> Result<Vec<Name>> {
    let columns = lower::idents(columns)?;
    Ok(columns.into_iter().map(|column| column.name).collect())
}

fn refused(message: &'static str) -> Refusal {
    Refusal::new(Reason::NotGranted, message)
}
