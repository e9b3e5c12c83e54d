//! SQL-level prepared statements: PREPARE of a query read as any other, EXECUTE, DEALLOCATE.

use sqlparser::ast::{self, Statement as S};

use super::{Plan, as_query, settle};
use crate::ir::{Expr, Name};
use crate::lower::{self, absent, unsupported};
use crate::refusal::{Place, Result};
use crate::render::Writer;
use crate::resolve::Resolver;
use crate::{Context, Effect, Permit, StatementKind};

/// `EXECUTE name (arguments)`.
pub(super) struct Execution {
    name: Name,
    arguments: Vec<Expr>,
}

pub(super) fn prepare(
    name: ast::Ident,
    types: Vec<ast::DataType>,
    statement: S,
    cx: &Context<'_>,
) -> Result<Permit> {
    let name = lower::ident(name)?;
    let (name, name_place) = (name.name, name.place);
    let mut types: Vec<_> = types
        .into_iter()
        .map(lower::type_name)
        .collect::<Result<_>>()?;
    let mut resolver = Resolver::new(cx);
    for ty in &mut types {
        resolver.type_name(ty)?;
    }
    let (query, resolution) = settle(as_query(statement)?, cx)?;
    if resolution.reads_own_target() {
        // When the table is another one by the time it runs, a column may be a function's name.
        return Err(unsupported(
            "PREPARE of a statement that reads the temporary table it writes",
            name_place,
        ));
    }
    let plan = Plan::new(StatementKind::Prepare).effect(Effect::Prepare(name.to_string()));
    plan.permit(&resolution, cx, |writer| {
        writer.push("PREPARE ");
        writer.chosen(&name);
        if !types.is_empty() {
            writer.push("(");
            writer.separated(&types, Writer::type_name);
            writer.push(")");
        }
        writer.push(" AS ");
        writer.query(&query);
    })
}

pub(super) fn execute(statement: S, cx: &Context<'_>) -> Result<Permit> {
    let execution = execution(statement, cx)?;
    let plan = Plan {
        by_reference: true,
        runs: Some(execution.name()),
        ..Plan::new(StatementKind::Prepare)
    };
    plan.plain(cx, |writer| execution.write(writer))
}

/// Reads EXECUTE; its arguments may name no relation.
pub(super) fn execution(statement: S, cx: &Context<'_>) -> Result<Execution> {
    let place = Place::default();
    let S::Execute {
        name,
        parameters,
        has_parentheses,
        immediate,
        into,
        using,
        output,
        default,
    } = statement
    else {
        return Err(unsupported("this EXECUTE", place));
    };
    absent(into.into_iter().next(), "EXECUTE INTO", place)?;
    absent(using.into_iter().next(), "EXECUTE USING", place)?;
    if immediate || output || default || (!parameters.is_empty() && !has_parentheses) {
        return Err(unsupported("this EXECUTE", place));
    }
    let path = name
        .map(lower::object_name)
        .transpose()?
        .unwrap_or_default();
    let [name] = path.as_slice() else {
        return Err(unsupported("this EXECUTE", place));
    };
    let mut resolver = Resolver::new(cx);
    let mut arguments = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        let mut argument = lower::expr(parameter)?;
        resolver.constant(&mut argument)?;
        arguments.push(argument);
    }
    if !resolver.finish().sources.is_empty() {
        return Err(unsupported("a query as argument of EXECUTE", name.place));
    }
    Ok(Execution {
        name: name.name.clone(),
        arguments,
    })
}

impl Execution {
    /// What it executes.
    pub(super) fn name(&self) -> String {
        self.name.to_string()
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.push("EXECUTE ");
        writer.chosen(&self.name);
        if !self.arguments.is_empty() {
            writer.push("(");
            writer.exprs(&self.arguments);
            writer.push(")");
        }
    }
}

pub(super) fn deallocate(name: ast::Ident, cx: &Context<'_>) -> Result<Permit> {
    let all = name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all");
    let name = if all {
        None
    } else {
        Some(lower::ident(name)?.name)
    };
    let effect = Effect::Deallocate(name.as_ref().map(ToString::to_string));
    Plan::new(StatementKind::Prepare)
        .effect(effect)
        .plain(cx, |writer| match &name {
            None => writer.push("DEALLOCATE ALL"),
            Some(name) => {
                writer.push("DEALLOCATE ");
                writer.chosen(name);
            }
        })
}
