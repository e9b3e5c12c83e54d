//! What was typed, as PostgreSQL reads it, held against what is sent: as many statements, of the same
//! kinds, over relations of the same names, with the same constants.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::lists::Lists;
use crate::sent::ctes;
use crate::tree::{self, Unread};

/// What differs.
pub(crate) fn compare(
    typed: &str,
    sent: &[Value],
    kinds: &[&str],
    lists: &Lists,
) -> Result<Vec<String>, Unread> {
    let typed = tree::parse(typed)?;
    let mut findings = Vec::new();
    if typed.len() != sent.len() {
        findings.push(format!(
            "{} statements are sent for {}",
            sent.len(),
            typed.len()
        ));
        return Ok(findings);
    }
    for ((typed, sent), kind) in typed.iter().zip(sent).zip(kinds) {
        let (is, was) = (tag(sent), tag(typed));
        // A setting of the gateway's own is a SELECT of its text.
        let shown = was == "VariableShowStmt" && is == "SelectStmt";
        // SELECT ... INTO.
        let made = was == "SelectStmt" && is == "CreateTableAsStmt" && *kind == "define";
        if is != was && !shown && !made {
            findings.push(format!("{is} is sent for {was}"));
        }
        if !belongs(kind, was) {
            findings.push(format!("{was} was taken for {kind:?}"));
        }
        let (read, sent_to) = (relations(typed), relations(sent));
        if let Some(lost) = read.difference(&sent_to).next() {
            findings.push(format!(
                "relation {lost} was typed and is not in what is sent"
            ));
        }
        let constants = constants(sent, lists);
        if let Some(lost) = self::constants(typed, lists)
            .difference(&constants)
            .next()
            .filter(|_| !shown)
        {
            findings.push(format!(
                "constant {lost:?} was typed and is not in what is sent"
            ));
        }
    }
    Ok(findings)
}

fn tag(statement: &Value) -> &str {
    tree::node(statement).map_or("", |(tag, _)| tag)
}

/// Whether the gateway's word for a kind fits PostgreSQL's.
fn belongs(kind: &str, tag: &str) -> bool {
    let tags: &[&str] = match kind {
        "query" => &["SelectStmt"],
        "explain" => &["ExplainStmt"],
        "show" => &["VariableShowStmt"],
        "set" => &["VariableSetStmt", "DiscardStmt"],
        "transaction" => &["TransactionStmt"],
        "cursor" => &["DeclareCursorStmt", "FetchStmt", "ClosePortalStmt"],
        "prepare" => &["PrepareStmt", "ExecuteStmt", "DeallocateStmt"],
        "copy" => &["CopyStmt"],
        "write" => &[
            "InsertStmt",
            "UpdateStmt",
            "DeleteStmt",
            "MergeStmt",
            "SelectStmt",
        ],
        "define" => &[
            "CreateStmt",
            "CreateTableAsStmt",
            "ViewStmt",
            "DropStmt",
            "RenameStmt",
            "AlterTableStmt",
            "IndexStmt",
            "TruncateStmt",
            "VacuumStmt",
            "SelectStmt",
        ],
        _ => &[],
    };
    tags.contains(&tag)
}

/// The names of the relations that are read or written, but for those of WITH.
fn relations(statement: &Value) -> BTreeSet<&str> {
    let ctes = ctes(statement);
    let mut names = BTreeSet::new();
    tree::walk(statement, &mut |value| {
        if tree::is_relation(value) {
            let name = tree::text(value, "relname");
            if !ctes.contains(&name) {
                names.insert(name);
            }
        }
    });
    names
}

/// The string constants, but for what functions are asked that are answered with something else.
fn constants<'a>(statement: &'a Value, lists: &Lists) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    collect(statement, lists, &mut found);
    found
}

fn collect<'a>(value: &'a Value, lists: &Lists, found: &mut BTreeSet<&'a str>) {
    if let Some(call) = tree::of(value, "FuncCall")
        && tree::names(call, "funcname")
            .last()
            .is_some_and(|name| lists.is_answered(name))
    {
        return;
    }
    if let Some(text) = value.get("Sval").and_then(|text| text.get("sval")) {
        found.extend(text.as_str());
    }
    match value {
        Value::Object(fields) => fields
            .values()
            .for_each(|field| collect(field, lists, found)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, lists, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
