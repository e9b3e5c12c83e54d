//! `phictl explain`.

use std::fmt::Write as _;
use std::io::Read as _;

use phigate_proto::v1::catalog_service_client::CatalogServiceClient;
use phigate_proto::v1::{
    ExplainStatementRequest, ExplainStatementResponse, ExplainedStatement, StatementRefusal,
};
use serde::Serialize;

use crate::arguments::{Connection, Explain};
use crate::exit::{Exit, Failure};
use crate::{connect, output};

/// The widest line of the statement that is shown around a caret, in characters.
const LINE_SHOWN: usize = 96;

/// Exit code 0: it would run; 77 (EX_NOPERM): it would be refused.
pub(crate) async fn run(
    options: Explain,
    connection: &Connection,
    json: bool,
) -> Result<Exit, Failure> {
    let sql = statement(&options)?;
    let (channel, token) = connect::connect(connection).await?;
    let mut client = CatalogServiceClient::with_interceptor(channel, token);
    let request = ExplainStatementRequest {
        database: options.database,
        profile: options.profile,
        reveal: options.reveal,
        block: options.block,
        write: options.write,
        sql: sql.clone(),
        search_path: options.search_path,
        patients: options.patients,
        sensitivity: options.sensitivity,
    };
    let answer = client.explain_statement(request).await?.into_inner();
    if json {
        output::json(&Shown::new(&sql, &answer))?;
    } else {
        out!("{}", text(&sql, &answer));
    }
    Ok(match answer.refusal {
        None => Exit::OK,
        Some(_) => Exit::NOT_ALLOWED,
    })
}

fn statement(options: &Explain) -> Result<String, Failure> {
    let unreadable = |what: &str, error: std::io::Error| {
        Failure::new(Exit::NOT_FOUND, format!("cannot read {what}: {error}"))
    };
    if let Some(sql) = &options.sql {
        return Ok(sql.clone());
    }
    if let Some(path) = &options.file {
        return std::fs::read_to_string(path)
            .map_err(|error| unreadable(&path.display().to_string(), error));
    }
    let mut sql = String::new();
    std::io::stdin()
        .read_to_string(&mut sql)
        .map_err(|error| unreadable("standard input", error))?;
    Ok(sql)
}

/// The answer for people.
fn text(sql: &str, answer: &ExplainStatementResponse) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "as sent\n{}", indented(sql.trim()));
    if !answer.remark.is_empty() {
        let _ = writeln!(out, "\nremark: {}", answer.remark);
    }
    if let Some(refusal) = &answer.refusal {
        tell_refusal(&mut out, sql, refusal);
        return out;
    }
    if answer.passthrough {
        out.push_str(
            "\nrelayed unread: the database is configured passthrough, and the grant is \
             identified and writes\n",
        );
        return out;
    }
    if answer.statements.is_empty() {
        out.push_str("\nnothing: the text holds no statement\n");
    }
    let several = answer.statements.len() > 1;
    for (index, statement) in answer.statements.iter().enumerate() {
        if several {
            let _ = writeln!(out, "\nstatement {}", index + 1);
        }
        tell(&mut out, statement);
    }
    out
}

fn tell(out: &mut String, statement: &ExplainedStatement) {
    let _ = writeln!(
        out,
        "\nas run ({})\n{}",
        statement.kind,
        indented(&statement.sql)
    );
    let rows: Vec<[String; 3]> = statement
        .relations
        .iter()
        .flat_map(|relation| {
            relation.columns.iter().map(|column| {
                [
                    format!("{}.{}", relation.relation, column.column),
                    column.treatment.clone(),
                    column.why.clone(),
                ]
            })
        })
        .collect();
    if !rows.is_empty() {
        out.push_str("\ncolumns read\n");
        let width = |index: usize| {
            rows.iter()
                .filter_map(|row| row.get(index))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let (column, treatment) = (width(0), width(1));
        for [name, what, why] in &rows {
            let _ = writeln!(out, "  {name:column$}  {what:treatment$}  {why}");
        }
    }
    let whole: Vec<_> = statement
        .relations
        .iter()
        .filter(|relation| relation.columns.is_empty())
        .map(|relation| relation.relation.as_str())
        .collect();
    if !whole.is_empty() {
        let _ = writeln!(out, "\nread without a column\n  {}", whole.join(", "));
    }
    if !statement.outputs.is_empty() {
        out.push_str("\nresult\n");
        for column in &statement.outputs {
            let _ = writeln!(out, "  {} {}", column.name, column.r#type);
        }
    }
    if !statement.outputs_unknown.is_empty() {
        let _ = writeln!(out, "\nresult not known: {}", statement.outputs_unknown);
    }
    if !statement.functions.is_empty() {
        let _ = writeln!(out, "\nfunctions\n  {}", statement.functions.join(", "));
    }
    if !statement.masked {
        out.push_str("\nnothing of it is masked\n");
    }
}

fn tell_refusal(out: &mut String, sql: &str, refusal: &StatementRefusal) {
    let _ = writeln!(
        out,
        "\nrefused ({}, {})\n  {}",
        refusal.reason, refusal.sqlstate, refusal.message
    );
    if let Some((line, column)) = place(sql, refusal.position) {
        let _ = writeln!(out, "  {line}\n  {}^", " ".repeat(column));
    }
    if !refusal.detail.is_empty() {
        let _ = writeln!(out, "detail: {}", refusal.detail);
    }
    if !refusal.hint.is_empty() {
        let _ = writeln!(out, "hint: {}", refusal.hint);
    }
}

/// The line that holds a position (characters from 1), cut to what fits, and how far into it the
/// position is.
fn place(sql: &str, position: u32) -> Option<(String, usize)> {
    let mut before = usize::try_from(position).ok()?.checked_sub(1)?;
    for line in sql.split('\n') {
        let length = line.chars().count();
        if before <= length {
            let from = before.saturating_sub(LINE_SHOWN / 2);
            let shown = line.chars().skip(from).take(LINE_SHOWN);
            // A caret under a tab would stand elsewhere.
            let shown = shown.map(|c| if c.is_control() { ' ' } else { c });
            return Some((shown.collect(), before - from));
        }
        before -= length + 1;
    }
    None
}

fn indented(text: &str) -> String {
    let lines = text.lines().map(|line| format!("  {line}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The answer as `--json` prints it.
#[derive(Serialize)]
struct Shown<'a> {
    sql: &'a str,
    admitted: bool,
    passthrough: bool,
    policy_id: &'a str,
    remark: &'a str,
    statements: Vec<ShownStatement<'a>>,
    refusal: Option<ShownRefusal<'a>>,
}

#[derive(Serialize)]
struct ShownStatement<'a> {
    kind: &'a str,
    sql: &'a str,
    masked: bool,
    columns: Vec<ShownColumn<'a>>,
    relations: Vec<&'a str>,
    functions: &'a [String],
    outputs: Vec<ShownOutput<'a>>,
    outputs_unknown: &'a str,
}

#[derive(Serialize)]
struct ShownColumn<'a> {
    relation: &'a str,
    column: &'a str,
    treatment: &'a str,
    identifier: &'a str,
    why: &'a str,
}

#[derive(Serialize)]
struct ShownOutput<'a> {
    name: &'a str,
    r#type: &'a str,
}

#[derive(Serialize)]
struct ShownRefusal<'a> {
    reason: &'a str,
    sqlstate: &'a str,
    message: &'a str,
    detail: &'a str,
    hint: &'a str,
    position: u32,
}

impl<'a> Shown<'a> {
    fn new(sql: &'a str, answer: &'a ExplainStatementResponse) -> Self {
        Self {
            sql,
            admitted: answer.refusal.is_none(),
            passthrough: answer.passthrough,
            policy_id: &answer.policy_id,
            remark: &answer.remark,
            statements: answer.statements.iter().map(ShownStatement::from).collect(),
            refusal: answer.refusal.as_ref().map(|refusal| ShownRefusal {
                reason: &refusal.reason,
                sqlstate: &refusal.sqlstate,
                message: &refusal.message,
                detail: &refusal.detail,
                hint: &refusal.hint,
                position: refusal.position,
            }),
        }
    }
}

impl<'a> From<&'a ExplainedStatement> for ShownStatement<'a> {
    fn from(statement: &'a ExplainedStatement) -> Self {
        let columns = statement.relations.iter().flat_map(|relation| {
            relation.columns.iter().map(|column| ShownColumn {
                relation: &relation.relation,
                column: &column.column,
                treatment: &column.treatment,
                identifier: &column.identifier,
                why: &column.why,
            })
        });
        let relations = statement.relations.iter();
        let outputs = statement.outputs.iter().map(|column| ShownOutput {
            name: &column.name,
            r#type: &column.r#type,
        });
        Self {
            kind: &statement.kind,
            sql: &statement.sql,
            masked: statement.masked,
            columns: columns.collect(),
            relations: relations
                .map(|relation| relation.relation.as_str())
                .collect(),
            functions: &statement.functions,
            outputs: outputs.collect(),
            outputs_unknown: &statement.outputs_unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_what_was_typed() {
        let sql = "SELECT id,\n\tärzte, ssn\nFROM patients";
        let at = |needle: &str| {
            let bytes = sql.find(needle).unwrap();
            u32::try_from(sql[..bytes].chars().count() + 1).unwrap()
        };
        assert_eq!(place(sql, at("SELECT")), Some(("SELECT id,".into(), 0)));
        assert_eq!(place(sql, at("ssn")), Some((" ärzte, ssn".into(), 8)));
        assert_eq!(
            place(sql, at("patients")),
            Some(("FROM patients".into(), 5))
        );
        assert_eq!(place(sql, 0), None);
        assert_eq!(place(sql, 1000), None);
    }

    #[test]
    fn people_read_what_would_run_and_why_not() {
        use phigate_proto::v1::{ExplainedColumn, ExplainedRelation, OutputColumn};
        let column = |column: &str, treatment: &str, why: &str| ExplainedColumn {
            column: column.to_owned(),
            treatment: treatment.to_owned(),
            identifier: String::new(),
            why: why.to_owned(),
        };
        let statement = ExplainedStatement {
            kind: "query".to_owned(),
            sql: "SELECT ...".to_owned(),
            relations: vec![ExplainedRelation {
                relation: "public.patients".to_owned(),
                columns: vec![
                    column("last_name", "redact", "name under safe_harbor"),
                    column("zip", "zip3", "zip under safe_harbor"),
                ],
            }],
            functions: vec!["lower".to_owned()],
            outputs: vec![OutputColumn {
                name: "lower".to_owned(),
                r#type: "text".to_owned(),
            }],
            outputs_unknown: String::new(),
            masked: true,
        };
        let answer = ExplainStatementResponse {
            statements: vec![statement],
            ..ExplainStatementResponse::default()
        };
        let shown = text("select 1;\n", &answer);
        assert_eq!(
            shown,
            "as sent\n  select 1;\n\nas run (query)\n  SELECT ...\n\ncolumns read\n  \
             public.patients.last_name  redact  name under safe_harbor\n  \
             public.patients.zip        zip3    zip under safe_harbor\n\n\
             result\n  lower text\n\nfunctions\n  lower\n"
        );
        let refused = ExplainStatementResponse {
            refusal: Some(StatementRefusal {
                reason: "function".to_owned(),
                sqlstate: "42501".to_owned(),
                message: "no".to_owned(),
                detail: String::new(),
                hint: "did you mean length?".to_owned(),
                position: 8,
            }),
            ..ExplainStatementResponse::default()
        };
        let shown = text("SELECT lenght(ssn)", &refused);
        assert!(
            shown.ends_with(
                "refused (function, 42501)\n  no\n  SELECT lenght(ssn)\n         ^\n\
                 hint: did you mean length?\n"
            ),
            "{shown}"
        );
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let sql = format!("SELECT {}ssn FROM patients", "x, ".repeat(200));
        let (line, column) = place(&sql, 608).unwrap();
        assert!(line.chars().count() <= LINE_SHOWN);
        assert_eq!(line.get(column..column + 3), Some("ssn"));
    }
}
