//! INSERT, UPDATE, DELETE, MERGE.

use sqlparser::ast::{self, Expr as E, SetExpr, Statement as S};

use super::expr::bare;
use super::query::items;
use super::{absent, expr, from, ident, idents, object_name, parse, query, unsupported};
use crate::ir::write::{
    Action, Arm, Assigned, Assignment, Conflict, ConflictTarget, Delete, Insert, Merge, Update,
    When, Write,
};
use crate::ir::{Body, Expr, From, Ident, Item, Query, RelationRef, Target};
use crate::refusal::{Place, Result};

/// A statement that changes rows.
pub(crate) fn write(statement: S) -> Result<Write> {
    match statement {
        S::Insert(statement) => insert(statement).map(Write::Insert),
        S::Update(statement) => update(statement).map(Write::Update),
        S::Delete(statement) => delete(statement).map(Write::Delete),
        S::Merge(statement) => merge(statement).map(Write::Merge),
        _other => Err(unsupported("this statement here", Place::default())),
    }
}

fn insert(insert: ast::Insert) -> Result<Insert> {
    let place = Place::default();
    let ast::Insert {
        insert_token: _,
        optimizer_hints: _,
        or,
        ignore,
        into,
        table,
        table_alias,
        mut columns,
        overwrite,
        source,
        assignments,
        partitioned,
        after_columns,
        has_table_keyword,
        on,
        returning,
        output,
        replace_into,
        priority,
        insert_alias,
        settings,
        format_clause,
        multi_table_insert_type,
        multi_table_into_clauses,
        multi_table_when_clauses,
        multi_table_else_clause,
    } = insert;
    absent(or, "INSERT OR", place)?;
    absent(partitioned, "PARTITION", place)?;
    absent(output, "OUTPUT", place)?;
    absent(priority, "a priority", place)?;
    absent(insert_alias, "an alias of the new row", place)?;
    absent(settings, "SETTINGS", place)?;
    absent(format_clause, "FORMAT", place)?;
    absent(multi_table_insert_type, "INSERT ALL", place)?;
    absent(multi_table_else_clause, "INSERT ALL", place)?;
    let odd = ignore || overwrite || has_table_keyword || replace_into || !into;
    if odd
        || !assignments.is_empty()
        || !after_columns.is_empty()
        || !multi_table_into_clauses.is_empty()
        || !multi_table_when_clauses.is_empty()
    {
        return Err(unsupported("this INSERT", place));
    }
    let path = match table {
        ast::TableObject::TableName(name) => object_name(name)?,
        ast::TableObject::TableFunction(_) | ast::TableObject::TableQuery(_) => {
            return Err(unsupported("this target of INSERT", place));
        }
    };
    let alias = table_alias
        .map(|ast::TableAliasWithoutColumns { explicit: _, alias }| ident(alias))
        .transpose()?;
    let overriding = columns.last().and_then(overriding);
    if overriding.is_some() {
        columns.pop();
    }
    let conflict = match on {
        None => None,
        Some(ast::OnInsert::OnConflict(conflict)) => Some(self::conflict(conflict)?),
        Some(_) => return Err(unsupported("ON DUPLICATE KEY", place)),
    };
    Ok(Insert {
        into: RelationRef {
            path,
            only: false,
            alias: alias.map(|name| crate::ir::Alias {
                name,
                columns: Vec::new(),
            }),
            sample: None,
            target: Target::Unresolved,
        },
        columns: columns.into_iter().map(column).collect::<Result<_>>()?,
        overriding,
        source: source.map(|source| insert_source(*source)).transpose()?,
        conflict,
        returning: returning_items(returning)?,
    })
}

/// What the pre-pass says of OVERRIDING, behind the columns.
fn overriding(column: &ast::ObjectName) -> Option<&'static str> {
    let [ast::ObjectNamePart::Identifier(name)] = column.0.as_slice() else {
        return None;
    };
    match parse::marker(name) {
        Some(parse::Marker::Overriding(word)) => Some(word),
        _other => None,
    }
}

/// A condition on rows of the target, or the row that a cursor is at.
fn filter(condition: E) -> Result<Expr> {
    match condition {
        E::CompoundIdentifier(path) => match path.as_slice() {
            [mark, cursor] if parse::marker(mark) == Some(parse::Marker::CurrentOf) => {
                Ok(Expr::CurrentOf(ident(cursor.clone())?))
            }
            _other => expr(E::CompoundIdentifier(path)),
        },
        other => expr(other),
    }
}

/// The rows to insert; in a plain VALUES, DEFAULT may stand for a value.
fn insert_source(mut source: ast::Query) -> Result<Query> {
    let SetExpr::Values(values) = source.body.as_mut() else {
        return query(source);
    };
    let rows = std::mem::take(&mut values.rows);
    let mut lowered = query(source)?;
    let rows = rows
        .into_iter()
        .map(|row| row.content.into_iter().map(value).collect())
        .collect::<Result<_>>()?;
    lowered.body = Body::Values(rows);
    Ok(lowered)
}

fn conflict(conflict: ast::OnConflict) -> Result<Conflict> {
    let ast::OnConflict {
        conflict_target,
        action,
    } = conflict;
    let target = match conflict_target {
        None => ConflictTarget::Any,
        Some(ast::ConflictTarget::Columns(columns)) => ConflictTarget::Columns(idents(columns)?),
        Some(ast::ConflictTarget::OnConstraint(name)) => match object_name(name)?.as_slice() {
            [name] => ConflictTarget::Constraint(name.clone()),
            _dotted => return Err(unsupported("this ON CONFLICT", Place::default())),
        },
    };
    let update = match action {
        ast::OnConflictAction::DoNothing => None,
        ast::OnConflictAction::DoUpdate(ast::DoUpdate {
            assignments,
            selection,
        }) => Some((
            self::assignments(assignments)?,
            selection.map(expr).transpose()?,
        )),
    };
    Ok(Conflict { target, update })
}

fn update(update: ast::Update) -> Result<Update> {
    let place = Place::default();
    let ast::Update {
        update_token: _,
        optimizer_hints: _,
        table,
        assignments,
        from,
        selection,
        returning,
        output,
        or,
        order_by,
        limit,
    } = update;
    absent(output, "OUTPUT", place)?;
    absent(or, "UPDATE OR", place)?;
    absent(order_by.into_iter().next(), "ORDER BY in UPDATE", place)?;
    absent(limit, "LIMIT in UPDATE", place)?;
    let from = match from {
        None => Vec::new(),
        Some(ast::UpdateTableFromKind::AfterSet(from)) => from,
        Some(ast::UpdateTableFromKind::BeforeSet(_)) => {
            return Err(unsupported("FROM before SET", place));
        }
    };
    Ok(Update {
        target: target(from::tree(table)?)?,
        assignments: self::assignments(assignments)?,
        from: from.into_iter().map(from::tree).collect::<Result<_>>()?,
        filter: selection.map(filter).transpose()?,
        returning: returning_items(returning)?,
    })
}

fn delete(delete: ast::Delete) -> Result<Delete> {
    let place = Place::default();
    let ast::Delete {
        delete_token: _,
        optimizer_hints: _,
        tables,
        from,
        using,
        selection,
        returning,
        output,
        order_by,
        limit,
    } = delete;
    absent(
        tables.into_iter().next(),
        "a list of tables in DELETE",
        place,
    )?;
    absent(output, "OUTPUT", place)?;
    absent(order_by.into_iter().next(), "ORDER BY in DELETE", place)?;
    absent(limit, "LIMIT in DELETE", place)?;
    let mut tables = match from {
        ast::FromTable::WithFromKeyword(tables) => tables.into_iter(),
        ast::FromTable::WithoutKeyword(_) => return Err(unsupported("DELETE without FROM", place)),
    };
    let (Some(table), None) = (tables.next(), tables.next()) else {
        return Err(unsupported("a list of tables in DELETE", place));
    };
    let using = using.unwrap_or_default();
    Ok(Delete {
        target: target(from::tree(table)?)?,
        using: using.into_iter().map(from::tree).collect::<Result<_>>()?,
        filter: selection.map(filter).transpose()?,
        returning: returning_items(returning)?,
    })
}

fn merge(merge: ast::Merge) -> Result<Merge> {
    let ast::Merge {
        merge_token: _,
        optimizer_hints: _,
        into,
        table,
        source,
        on,
        clauses,
        output,
    } = merge;
    if !into {
        return Err(unsupported("MERGE without INTO", Place::default()));
    }
    let alone = |relation| ast::TableWithJoins {
        relation,
        joins: Vec::new(),
    };
    let returning = match output {
        None => None,
        Some(ast::OutputClause::Returning {
            returning_token: _,
            select_items,
        }) => Some(select_items),
        Some(_) => return Err(unsupported("OUTPUT", Place::default())),
    };
    Ok(Merge {
        target: target(from::tree(alone(table))?)?,
        source: from::tree(alone(source))?,
        on: expr(*on)?,
        arms: clauses.into_iter().map(arm).collect::<Result<_>>()?,
        returning: returning_items(returning)?,
    })
}

fn arm(clause: ast::MergeClause) -> Result<Arm> {
    let ast::MergeClause {
        when_token: _,
        clause_kind,
        predicate,
        action,
    } = clause;
    let place = Place::default();
    let when = match clause_kind {
        ast::MergeClauseKind::Matched => When::Matched,
        ast::MergeClauseKind::NotMatched | ast::MergeClauseKind::NotMatchedByTarget => {
            When::NotMatched
        }
        ast::MergeClauseKind::NotMatchedBySource => When::NotMatchedBySource,
    };
    let action = match action {
        ast::MergeAction::Insert(ast::MergeInsertExpr {
            insert_token: _,
            columns,
            kind_token: _,
            kind,
            insert_predicate,
        }) => {
            absent(insert_predicate, "WHERE in an arm of MERGE", place)?;
            let ast::MergeInsertKind::Values(mut values) = kind else {
                return Err(unsupported("INSERT ROW", place));
            };
            if values.rows.len() != 1 {
                return Err(unsupported("this INSERT of MERGE", place));
            }
            let row = values.rows.pop().map(|row| row.content).unwrap_or_default();
            Action::Insert {
                columns: columns.into_iter().map(column).collect::<Result<_>>()?,
                values: row.into_iter().map(value).collect::<Result<_>>()?,
            }
        }
        ast::MergeAction::Update(ast::MergeUpdateExpr {
            update_token: _,
            kind,
            update_predicate,
            delete_predicate,
        }) => {
            absent(update_predicate, "WHERE in an arm of MERGE", place)?;
            absent(delete_predicate, "DELETE WHERE in an arm of MERGE", place)?;
            match kind {
                ast::MergeUpdateKind::Set(list) => Action::Update(assignments(list)?),
                ast::MergeUpdateKind::Wildcard => {
                    return Err(unsupported("this UPDATE of MERGE", place));
                }
            }
        }
        ast::MergeAction::Delete { delete_token: _ } => Action::Delete,
        ast::MergeAction::DoNothing {
            do_token: _,
            nothing_token: _,
        } => Action::Nothing,
    };
    Ok(Arm {
        when,
        condition: predicate.map(expr).transpose()?,
        action,
    })
}

/// A table by its name: no sample, no names for its columns, nothing joined to it.
fn target(from: From) -> Result<RelationRef> {
    match from {
        From::Relation(relation)
            if relation.sample.is_none()
                && (relation.alias.as_ref()).is_none_or(|alias| alias.columns.is_empty()) =>
        {
            Ok(relation)
        }
        From::Relation(_) | From::Subquery { .. } | From::Function(_) | From::Join(_) => {
            Err(unsupported("this target", Place::default()))
        }
    }
}

fn assignments(list: Vec<ast::Assignment>) -> Result<Vec<Assignment>> {
    list.into_iter().map(assignment).collect()
}

fn assignment(assignment: ast::Assignment) -> Result<Assignment> {
    let ast::Assignment {
        target,
        value: assigned,
    } = assignment;
    match target {
        ast::AssignmentTarget::ColumnName(name) => Ok(Assignment {
            columns: vec![column(name)?],
            value: Assigned::One(value(assigned)?),
        }),
        ast::AssignmentTarget::Tuple(names) => {
            let columns = names.into_iter().map(column).collect::<Result<_>>()?;
            let value = match assigned {
                E::Tuple(list) => {
                    Assigned::Row(list.into_iter().map(value).collect::<Result<_>>()?)
                }
                E::Nested(one) => Assigned::Row(vec![value(*one)?]),
                E::Subquery(subquery) => Assigned::Query(Box::new(query(*subquery)?)),
                _other => return Err(unsupported("this row in SET", Place::default())),
            };
            Ok(Assignment { columns, value })
        }
    }
}

/// The name of a target's column; a part of it, such as an element, is not one.
fn column(name: ast::ObjectName) -> Result<Ident> {
    let mut path = object_name(name)?.into_iter();
    match (path.next(), path.next()) {
        (Some(name), None) => Ok(name),
        (first, _) => {
            let place = first.map(|name| name.place).unwrap_or_default();
            Err(unsupported("a qualified column here", place))
        }
    }
}

/// A value, or DEFAULT.
fn value(value: E) -> Result<Expr> {
    match bare(value) {
        E::Identifier(name)
            if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("default") =>
        {
            Ok(Expr::Default)
        }
        other => expr(other),
    }
}

fn returning_items(returning: Option<Vec<ast::SelectItem>>) -> Result<Vec<Item>> {
    items(returning.unwrap_or_default())
}
