//! FROM: what each item is, and the columns it brings.

use std::sync::Arc;

use super::Resolver;
use super::query::renamed;
use super::scope::{Origin, Source, Visible};
use crate::allow;
use crate::ir::{Alias, Expr, From, Ident, Name, RelationRef, Special, TableFunction, Target};
use crate::policy::{Access, Columns, SourceColumn};
use crate::refusal::{Place, Reason, Refusal, Result};
use crate::snapshot::{PG_CATALOG, Relation, RelationKind};
use crate::temporary::{FoundTemporary, PG_TEMP};

impl<'a> Resolver<'a> {
    /// The relation that a name means, by the search path of the session.
    pub(super) fn find_relation(&self, path: &[Ident]) -> Result<&'a Relation> {
        let cx = self.cx;
        let (found, name) = match path {
            [name] => match self.temporary(name)? {
                Some(own) => (Some(own), name),
                None => (self.on_search_path(&name.name), name),
            },
            [schema, name] if &*schema.name == PG_TEMP => (self.temporary(name)?, name),
            [schema, name] => (cx.snapshot.find(&schema.name, &name.name), name),
            [database, schema, name] if &*database.name == cx.session.database => {
                (cx.snapshot.find(&schema.name, &name.name), name)
            }
            other => {
                let place = other.first().map_or(Place::default(), |first| first.place);
                return Err(crate::lower::unsupported(
                    "a name in another database",
                    place,
                ));
            }
        };
        let typed = path
            .iter()
            .map(|part| &*part.name)
            .collect::<Vec<_>>()
            .join(".");
        match found {
            Some(relation) if relation.kind == RelationKind::Sequence => Err(Refusal::new(
                Reason::RefusedRelation,
                format!("\"{typed}\" is a sequence, whose value tells how many rows were written"),
            )
            .near(name.place)),
            Some(relation) => Ok(relation),
            None => Err(Refusal::new(
                Reason::UnknownRelation,
                format!("relation \"{typed}\" does not exist"),
            )
            .near(name.place)),
        }
    }

    /// The session's own relation of this name.
    fn temporary(&self, name: &Ident) -> Result<Option<&'a Relation>> {
        match self.cx.temporary.find(&name.name) {
            FoundTemporary::None => Ok(None),
            FoundTemporary::One(relation) => Ok(Some(relation)),
            FoundTemporary::Outdated(_) => Err(Refusal::new(
                Reason::View,
                format!(
                    "the temporary view \"{}\" is not read any more: the database's tables have changed",
                    name.name
                ),
            )
            .with_detail("A temporary view of the session would not be made as it is now.")
            .with_hint("drop the session's temporary views and make them again")
            .near(name.place)),
            FoundTemporary::Uncertain => Err(Refusal::new(
                Reason::Construct,
                format!(
                    "whether there is a temporary relation \"{}\" cannot be told here",
                    name.name
                ),
            )
            .with_hint("send the statements of this query one by one")
            .near(name.place)),
        }
    }

    fn on_search_path(&self, name: &str) -> Option<&'a Relation> {
        let cx = self.cx;
        let path = cx.session.search_path;
        let implied = (!path.iter().any(|schema| schema == PG_CATALOG)).then_some(PG_CATALOG);
        implied
            .into_iter()
            .chain(path.iter().map(String::as_str))
            .find_map(|schema| cx.snapshot.find(schema, name))
    }

    /// Settles an item; returns what it makes visible, in order.
    pub(super) fn from(&mut self, from: &mut From) -> Result<Vec<Visible>> {
        match from {
            From::Relation(relation) => self.relation_ref(relation),
            From::Subquery {
                lateral,
                query,
                alias,
                place: _,
            } => {
                self.level().lateral = *lateral;
                let columns = self.query(query, None)?;
                self.level().lateral = false;
                let columns = aliased(&columns, alias.as_ref())?;
                Ok(self.seen(alias_name(alias.as_ref()), columns, Origin::Other))
            }
            From::Function(function) => self.table_function(function),
            From::Join(join) => self.join(join),
        }
    }

    /// Refuses a relation name that is visible twice at one level.
    pub(super) fn check_names(&mut self, new: &[Visible]) -> Result<()> {
        let level = self.level().items.clone();
        for (index, item) in new.iter().enumerate().filter(|(_, item)| item.by_name) {
            let Some(alias) = self
                .out
                .sources
                .get(item.source)
                .and_then(|s| s.alias.clone())
            else {
                continue;
            };
            let others = level.iter().chain(new.iter().take(index));
            if others
                .into_iter()
                .any(|other| self.is_named(other, None, &alias))
            {
                return Err(Refusal::new(
                    Reason::DuplicateAlias,
                    format!("table name \"{alias}\" specified more than once"),
                )
                .with_hint("give each relation in FROM an alias of its own"));
            }
        }
        Ok(())
    }

    fn seen(&mut self, alias: Option<Name>, columns: Arc<Columns>, origin: Origin) -> Vec<Visible> {
        let by_name = alias.is_some();
        let source = self.add(Source::new(alias, columns, origin));
        vec![Visible {
            source,
            by_name,
            by_column: true,
        }]
    }

    fn table_function(&mut self, function: &mut TableFunction) -> Result<Vec<Visible>> {
        let TableFunction {
            lateral: _,
            calls,
            rows_from,
            ordinality,
            alias,
            types,
            place,
        } = function;
        let alias = alias.as_ref();
        let single = calls.len() == 1;
        self.level().lateral = true;
        let mut columns = Vec::new();
        for call in calls.iter_mut() {
            let named_by = alias_name(alias).filter(|_| single && !*rows_from);
            let listed = !types.is_empty();
            let known = single && alias.is_some_and(|a| !a.columns.is_empty());
            let named_by = named_by.as_ref();
            columns.extend(self.columns_of_call(call, named_by, listed, known, *place)?);
        }
        self.level().lateral = false;
        for ty in types {
            self.type_ref(ty)?;
        }
        let names = alias.map_or(&[][..], |alias| &alias.columns);
        // A composite is expanded into columns that only the alias names.
        for name in names.iter().skip(columns.len() + usize::from(*ordinality)) {
            columns.push(SourceColumn::made(&name.name));
        }
        columns.extend(ordinality.then(|| SourceColumn::known("ordinality")));
        let columns = renamed(&Arc::new(columns.into_iter().collect()), names);
        let alias = alias_name(alias).or_else(|| calls.first().map(call_name));
        Ok(self.seen(alias, columns, Origin::Other))
    }

    /// What a function in FROM brings: `named_by` is the alias that names the only column of a
    /// function with one, `listed` whether a list of columns with types follows, `known` whether
    /// the alias names them all.
    fn columns_of_call(
        &mut self,
        call: &mut Expr,
        named_by: Option<&Name>,
        listed: bool,
        known: bool,
        place: Place,
    ) -> Result<Vec<SourceColumn>> {
        let only = |name: Name| {
            vec![SourceColumn::new(
                named_by.cloned().unwrap_or(name),
                None,
                false,
            )]
        };
        let call = match call {
            Expr::Call(call) => call,
            // What has the syntax of a function is one in FROM too (gram.y `func_expr_windowless`).
            Expr::ValueFunction(_) => return Ok(only(call_name(call))),
            Expr::Special(
                Special::Coalesce | Special::Nullif | Special::Greatest | Special::Least,
                _,
            ) => {
                self.expr(call)?;
                return Ok(only(call_name(call)));
            }
            _other => {
                return Err(crate::lower::unsupported("this expression in FROM", place));
            }
        };
        let name = call
            .path
            .last()
            .map_or_else(|| Name::from(""), |name| name.name.clone());
        let several =
            (&*name == "unnest" && call.arguments.len() > 1).then_some(call.arguments.len());
        if let Some(count) = several {
            // PostgreSQL reads it as ROWS FROM one unnest for each array (`parse_clause.c`).
            for argument in &mut call.arguments {
                self.expr(&mut argument.value)?;
            }
            if call.path.len() > 1 {
                return Err(crate::lower::unsupported(
                    "a qualified unnest of arrays",
                    place,
                ));
            }
            call.built_in = true;
            return Ok((0..count).map(|_| SourceColumn::made("unnest")).collect());
        }
        match self.call(call)?.0.map(|function| function.columns) {
            Some(allow::Columns::Named([column])) if **column == *name => Ok(only(name)),
            Some(allow::Columns::Named(names)) => {
                Ok(names.iter().map(|name| SourceColumn::known(name)).collect())
            }
            // Made by special syntax: one value, by the name of the function behind it.
            None if call.built_in => Ok(only(name)),
            Some(allow::Columns::Definition) if listed => Ok(Vec::new()),
            Some(allow::Columns::Argument) if known => Ok(Vec::new()),
            Some(allow::Columns::Definition | allow::Columns::Argument) | None => {
                Err(Refusal::new(
                    Reason::Construct,
                    format!("the columns of function {name} in FROM must be listed"),
                )
                .with_hint("list them: AS t(a, b)")
                .near(place))
            }
        }
    }

    fn relation_ref(&mut self, reference: &mut RelationRef) -> Result<Vec<Visible>> {
        let alias = reference.alias.as_ref();
        if let [name] = reference.path.as_slice()
            && let Some(entry) = self.ctes.iter().rev().find(|entry| entry.name == name.name)
        {
            let Some(columns) = entry.columns.clone() else {
                self.unsettled = true;
                return Err(Refusal::new(
                    Reason::Construct,
                    format!("this reference to the recursive query \"{}\" is not supported", name.name),
                )
                .with_hint("write it as non-recursive part UNION [ALL] recursive part, each query after those it reads")
                .near(name.place));
            };
            if reference.sample.is_some() {
                return Err(crate::lower::unsupported(
                    "TABLESAMPLE of a query",
                    name.place,
                ));
            }
            reference.target = Target::Cte(name.name.clone());
            let visible_by = alias_name(alias).unwrap_or_else(|| name.name.clone());
            let columns = aliased(&columns, alias)?;
            return Ok(self.seen(Some(visible_by), columns, Origin::Other));
        }
        let place = reference
            .path
            .last()
            .map_or(Place::default(), |name| name.place);
        let relation = self.find_relation(&reference.path)?;
        let access = self.access(relation, place)?;
        let columns = match access {
            Access::Open(columns) => columns.clone(),
            Access::Masked(masked) => {
                if reference.sample.is_some() {
                    return Err(Refusal::new(
                        Reason::NotGranted,
                        "TABLESAMPLE of a masked relation is not relayed: it would tell where rows lie",
                    )
                    .with_hint("sample by a condition on a key, such as id % 100 = 0")
                    .near(place));
                }
                self.out.masked |= masked.is_protected();
                self.out.rewritten = true;
                masked.columns.clone()
            }
            Access::Refused(refusal) => return Err(refusal.clone().near(place)),
        };
        if let Some(sample) = &mut reference.sample {
            if self.cx.policy.view_of(relation.oid, false).is_some() {
                return Err(Refusal::new(
                    Reason::Construct,
                    "TABLESAMPLE is not supported where tables are read through masked views",
                )
                .with_hint("use WHERE random() < 0.1 in its place")
                .near(place));
            }
            self.expr(&mut sample.quantity)?;
        }
        let columns = aliased(&columns, alias)?;
        let visible_by = alias_name(alias).unwrap_or_else(|| relation.name.as_str().into());
        let origin = Origin::Relation {
            oid: relation.oid,
            catalog: relation.is_catalog(),
        };
        let mut source = Source::new(Some(visible_by), columns, origin);
        if alias.is_none() {
            source.schema = Some(relation.schema.as_str().into());
        }
        let source = self.add(source);
        reference.target = Target::Relation {
            oid: relation.oid,
            source,
        };
        Ok(vec![Visible {
            source,
            by_name: true,
            by_column: true,
        }])
    }
}

fn alias_name(alias: Option<&Alias>) -> Option<Name> {
    alias.map(|alias| alias.name.name.clone())
}

/// What a function in FROM is visible by without an alias.
fn call_name(call: &Expr) -> Name {
    match call {
        Expr::Call(call) => call
            .path
            .last()
            .map_or_else(|| Name::from(""), |name| name.name.clone()),
        Expr::ValueFunction(function) => function.keyword.to_ascii_lowercase().into(),
        Expr::Special(special, _) => special.word().into(),
        _other => Name::from(""),
    }
}

/// The columns under the names that an alias gives them, which may not be more than there are.
fn aliased(columns: &Arc<Columns>, alias: Option<&Alias>) -> Result<Arc<Columns>> {
    let Some(alias) = alias else {
        return Ok(columns.clone());
    };
    if alias.columns.len() > columns.len() {
        return Err(Refusal::new(
            Reason::Syntax,
            format!(
                "table \"{}\" has {} columns available but {} columns specified",
                alias.name.name,
                columns.len(),
                alias.columns.len()
            ),
        )
        .near(alias.name.place));
    }
    Ok(renamed(columns, &alias.columns))
}
