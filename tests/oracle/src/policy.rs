//! What a policy releases of each relation, and what a mask must look like.

use std::collections::HashMap;

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::tree;

/// What stands in FROM within a mask.
const INNER: &str = "t";

/// As it stands in the input.
#[derive(Deserialize)]
pub(crate) struct Header {
    policy: String,
    /// By `schema.name`: for each column the expression that stands for it, if any.
    relations: HashMap<String, HashMap<String, Option<String>>>,
}

/// See [`Header`].
pub(crate) struct Policy {
    relations: HashMap<String, Relation>,
}

/// One relation.
pub(crate) struct Relation {
    /// Nothing of it is hidden: it may stand as it is.
    pub(crate) is_open: bool,
    /// The trees of what may stand for its columns.
    released: Vec<Value>,
}

/// Fields of a SELECT that a mask may have.
const OF_A_MASK: [&str; 6] = [
    "target_list",
    "from_clause",
    "limit_option",
    "op",
    "group_distinct",
    "all",
];

impl Policy {
    pub(crate) fn new(header: Header) -> anyhow::Result<Self> {
        let mut relations = HashMap::new();
        for (name, columns) in header.relations {
            let own = |column: &str| format!("\"{INNER}\".\"{}\"", column.replace('"', "\"\""));
            let is_open = columns
                .iter()
                .all(|(column, released)| released.as_deref() == Some(own(column).as_str()));
            let mut trees = Vec::new();
            for (column, released) in columns {
                let Some(released) = released else { continue };
                let tree = expression(&released)
                    .with_context(|| format!("{}: {name}.{column}: {released}", header.policy))?;
                trees.push(tree);
            }
            relations.insert(
                name,
                Relation {
                    is_open,
                    released: trees,
                },
            );
        }
        Ok(Self { relations })
    }

    pub(crate) fn relation(&self, schema: &str, name: &str) -> Option<&Relation> {
        self.relations.get(&format!("{schema}.{name}"))
    }

    /// The relation that a query is the mask of, and what is wrong with it as a mask; nothing if it
    /// reads no masked relation itself.
    pub(crate) fn mask(&self, select: &Value) -> Option<Result<(), String>> {
        let [from] = tree::list(select, "from_clause") else {
            return None;
        };
        let range = tree::of(from, "RangeVar")?;
        let (schema, name) = (
            tree::text(range, "schemaname"),
            tree::text(range, "relname"),
        );
        let relation = self
            .relation(schema, name)
            .filter(|relation| !relation.is_open)?;
        Some(
            relation
                .is_mask(select, range)
                .map_err(|what| format!("the mask of {schema}.{name} {what}")),
        )
    }
}

impl Relation {
    fn is_mask(&self, select: &Value, range: &Value) -> Result<(), String> {
        let alias = range
            .get("alias")
            .map_or("", |alias| tree::text(alias, "aliasname"));
        if alias != INNER {
            return Err(format!("is called {alias:?}"));
        }
        for (field, value) in select.as_object().into_iter().flatten() {
            if !tree::is_empty(value) && !OF_A_MASK.contains(&field.as_str()) {
                return Err(format!("has a {field}"));
            }
        }
        for target in tree::list(select, "target_list") {
            let Some(target) = tree::of(target, "ResTarget") else {
                return Err("releases what is no column".to_owned());
            };
            // Its name is the column's, or what the statement calls it.
            if !target
                .get("val")
                .is_some_and(|value| self.released.contains(value))
            {
                return Err("releases something else than the policy".to_owned());
            }
        }
        Ok(())
    }
}

/// The tree of an expression.
fn expression(sql: &str) -> anyhow::Result<Value> {
    let Ok(statements) = tree::parse(&format!("SELECT {sql}")) else {
        bail!("PostgreSQL does not read it");
    };
    let select = statements
        .first()
        .and_then(|first| tree::of(first, "SelectStmt"));
    let target = select.and_then(|select| tree::list(select, "target_list").first());
    let target = target.and_then(|target| tree::of(target, "ResTarget"));
    target
        .and_then(|target| target.get("val").cloned())
        .context("it is no expression")
}
