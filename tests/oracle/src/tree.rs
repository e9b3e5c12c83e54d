//! PostgreSQL's parse tree as a value that is walked whole: a node that a release of PostgreSQL adds
//! is walked too, whether anybody here has heard of it or not.

use serde_json::Value;

/// Why there is no tree.
#[derive(Debug)]
pub(crate) enum Unread {
    /// PostgreSQL's grammar does not have it.
    Rejected(String),
    /// It nests deeper than the tree can be handed over.
    TooDeep,
}

/// The statements of a text, without places.
pub(crate) fn parse(sql: &str) -> Result<Vec<Value>, Unread> {
    let parsed = pg_query::parse(sql, 0).map_err(|error| match error {
        pg_query::Error::Decode(_) => Unread::TooDeep,
        other => Unread::Rejected(other.to_string()),
    })?;
    let mut statements = Vec::new();
    for raw in parsed.protobuf.stmts {
        let statement = raw.stmt.and_then(|statement| statement.node);
        let mut value =
            serde_json::to_value(statement).map_err(|error| Unread::Rejected(error.to_string()))?;
        without_places(&mut value);
        statements.push(value);
    }
    Ok(statements)
}

/// Two trees of the same text are the same value then.
fn without_places(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !(name.ends_with("location") || name == "stmt_len"));
            fields.values_mut().for_each(without_places);
        }
        Value::Array(items) => items.iter_mut().for_each(without_places),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The name and the fields of a node, such as `SelectStmt`.
pub(crate) fn node(value: &Value) -> Option<(&str, &Value)> {
    let value = value.get("node").unwrap_or(value);
    match value.as_object() {
        Some(fields) if fields.len() == 1 => {
            let (tag, fields) = fields.iter().next()?;
            tag.starts_with(|first: char| first.is_ascii_uppercase())
                .then_some((tag.as_str(), fields))
        }
        _ => None,
    }
}

/// The fields of a node of this name.
pub(crate) fn of<'a>(value: &'a Value, tag: &str) -> Option<&'a Value> {
    node(value).and_then(|(found, fields)| (found == tag).then_some(fields))
}

/// A field that is text; empty where it is not.
pub(crate) fn text<'a>(fields: &'a Value, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A field that is a list; empty where it is not.
pub(crate) fn list<'a>(fields: &'a Value, name: &str) -> &'a [Value] {
    fields
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// A list of names, such as a function's.
pub(crate) fn names<'a>(fields: &'a Value, name: &str) -> Vec<&'a str> {
    list(fields, name)
        .iter()
        .map(|part| of(part, "String").map_or("*", |string| text(string, "sval")))
        .collect()
}

/// Whether a field says nothing: absent, empty, false or zero.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(_) => false,
    }
}

/// Whether an object is a reference to a relation, whichever field it stands in.
pub(crate) fn is_relation(value: &Value) -> bool {
    ["relname", "schemaname", "inh", "relpersistence"]
        .iter()
        .all(|field| value.get(field).is_some())
}

/// Everything below, the value first.
pub(crate) fn walk<'a>(value: &'a Value, visit: &mut impl FnMut(&'a Value)) {
    visit(value);
    match value {
        Value::Object(fields) => fields.values().for_each(|field| walk(field, visit)),
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
