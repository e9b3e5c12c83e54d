//! `json_paths`: a document rebuilt of the values at declared paths.

use super::sql::{call, cast, constant, op, plain_text};
use crate::column::{ColumnType, TypeKind};
use crate::json_paths::{JsonPaths, JsonTree};

/// Escapes that make every function of `json` fail, wherever in a document they are (PostgreSQL
/// `src/common/jsonapi.c`, `json_lex_string`): a zero character, and surrogates, which the type takes
/// without their other half. `jsonb` has neither. An escape string; the group is whole pairs of backslashes.
const FAILING: &str = r"E'(?<!\\\\)((?:\\\\\\\\)*)\\\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})'";

/// What stands for such an escape: nothing that a hidden one could be told by.
const INSTEAD: &str = r"E'\\1?'";

/// The kinds of value that leave.
const SCALARS: [&str; 3] = ["string", "number", "boolean"];

/// The document with the values at the paths and nothing else. What is not there, not a single value, or
/// JSON's null is left out, so that nothing tells which; the objects on the way are always there.
pub(super) fn paths(column: &str, ty: &ColumnType, paths: &JsonPaths) -> String {
    let (prefix, document) = match ty.kind {
        TypeKind::Json => {
            let text = [&plain_text(column), FAILING, INSTEAD, "'g'"];
            ("json", cast(&call("regexp_replace", &text), "json"))
        }
        _ => ("jsonb", column.to_owned()),
    };
    let object = value(&document, prefix, &paths.tree(), &mut Vec::new());
    let pruned = call(&format!("{prefix}_strip_nulls"), &[&object]);
    format!("CASE WHEN {column} IS NULL THEN NULL ELSE {pruned} END")
}

fn value<'p>(document: &str, prefix: &str, tree: &JsonTree<'p>, way: &mut Vec<&'p str>) -> String {
    match tree {
        JsonTree::Leaf => {
            // INVARIANT: keys hold nothing that an array's text form would quote.
            let path = constant(&format!("{{{}}}", way.join(",")), "_text");
            let found = op(document, "#>", &path);
            let kind = call(&format!("{prefix}_typeof"), &[&found]);
            let scalars = SCALARS.map(|kind| constant(kind, "text")).join(", ");
            let is_scalar = op(&kind, "=", &format!("ANY (ARRAY[{scalars}])"));
            format!("CASE WHEN {is_scalar} THEN {found} END")
        }
        JsonTree::Object(keys) => {
            let mut parts = Vec::with_capacity(2 * keys.len());
            for (key, below) in keys {
                way.push(key);
                parts.push(constant(key, "text"));
                parts.push(value(document, prefix, below, way));
                way.pop();
            }
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            call(&format!("{prefix}_build_object"), &parts)
        }
    }
}
