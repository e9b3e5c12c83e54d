//! FROM.

use sqlparser::ast::{self, JoinConstraint, JoinOperator, TableFactor};

use super::{absent, bare_word, call, column_id, expr, idents, literal, object_name, parse, query};
use super::{place, span_place, types, unsupported};
use crate::ir::{
    Alias, Condition, Expr, From, Join, JoinKind, RelationRef, Sample, TableFunction, Target,
    TypeName,
};
use crate::refusal::{Place, Result};

/// One item of FROM with the joins that hang on it.
pub(super) fn tree(tree: ast::TableWithJoins) -> Result<From> {
    let ast::TableWithJoins { relation, joins } = tree;
    let mut done = factor(relation)?;
    for join in joins {
        done = joined(done, join)?;
    }
    Ok(done)
}

fn joined(left: From, join: ast::Join) -> Result<From> {
    let ast::Join {
        relation,
        global,
        join_operator,
    } = join;
    let at = place(&relation);
    if global {
        return Err(unsupported("GLOBAL JOIN", at));
    }
    let (kind, constraint) = match join_operator {
        JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => {
            (JoinKind::Inner, constraint)
        }
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => {
            (JoinKind::Left, constraint)
        }
        JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => {
            (JoinKind::Right, constraint)
        }
        JoinOperator::FullOuter(constraint) => (JoinKind::Full, constraint),
        JoinOperator::CrossJoin(JoinConstraint::None) => (JoinKind::Cross, JoinConstraint::None),
        JoinOperator::CrossJoin(_)
        | JoinOperator::Semi(_)
        | JoinOperator::LeftSemi(_)
        | JoinOperator::RightSemi(_)
        | JoinOperator::Anti(_)
        | JoinOperator::LeftAnti(_)
        | JoinOperator::RightAnti(_)
        | JoinOperator::CrossApply
        | JoinOperator::OuterApply
        | JoinOperator::AsOf { .. }
        | JoinOperator::StraightJoin(_)
        | JoinOperator::ArrayJoin
        | JoinOperator::LeftArrayJoin
        | JoinOperator::InnerArrayJoin => return Err(unsupported("this kind of join", at)),
    };
    let condition = match constraint {
        JoinConstraint::On(condition) => Condition::On(expr(condition)?),
        JoinConstraint::Using(names) => using(names, at)?,
        JoinConstraint::Natural => Condition::Natural,
        JoinConstraint::None if kind == JoinKind::Cross => Condition::None,
        JoinConstraint::None => return Err(unsupported("a join without a condition", at)),
    };
    let right = factor(relation)?;
    Ok(From::Join(Box::new(Join {
        left,
        right,
        kind,
        condition,
        alias: None,
        place: at,
    })))
}

/// The columns of USING, and the alias that the pre-pass has put behind them.
fn using(mut names: Vec<ast::ObjectName>, at: Place) -> Result<Condition> {
    let alias = match names.last().map(|name| name.0.as_slice()) {
        Some(
            [
                ast::ObjectNamePart::Identifier(first),
                ast::ObjectNamePart::Identifier(alias),
            ],
        ) if parse::marker(first) == Some(parse::Marker::UsingAlias) => {
            Some(column_id(alias.clone())?)
        }
        _other => None,
    };
    if alias.is_some() {
        names.pop();
    }
    let name = |name| match object_name(name)?.as_slice() {
        [name] => Ok(name.clone()),
        _dotted => Err(unsupported("a dotted name in USING", at)),
    };
    let names = names.into_iter().map(name).collect::<Result<_>>()?;
    Ok(Condition::Using(names, alias))
}

fn factor(factor: TableFactor) -> Result<From> {
    match factor {
        TableFactor::Table {
            name,
            alias,
            args,
            with_hints,
            version,
            with_ordinality,
            partitions,
            json_path,
            sample,
            index_hints,
        } => {
            let at = place(&name);
            absent(version, "a table version", at)?;
            absent(json_path, "a JSON path on a table", at)?;
            absent(with_hints.into_iter().next(), "a table hint", at)?;
            absent(partitions.into_iter().next(), "a partition selection", at)?;
            absent(index_hints.into_iter().next(), "an index hint", at)?;
            match args {
                Some(ast::TableFunctionArgs { args, settings }) => {
                    absent(settings, "function settings", at)?;
                    absent(sample, "TABLESAMPLE of a function", at)?;
                    let (calls, rows_from) = calls(name, args)?;
                    function(calls, rows_from, false, with_ordinality, alias, at)
                }
                None if let Some(value) = bare_word(&name).and_then(call::value_function) => {
                    absent(sample, "TABLESAMPLE of a function", at)?;
                    let calls = vec![Expr::ValueFunction(value)];
                    function(calls, false, false, with_ordinality, alias, at)
                }
                None if with_ordinality => Err(unsupported("WITH ORDINALITY here", at)),
                None => relation(name, alias, sample, at),
            }
        }
        TableFactor::Derived {
            lateral,
            subquery,
            alias,
            sample,
        } => {
            let at = place(&*subquery);
            absent(sample, "TABLESAMPLE of a subquery", at)?;
            let (alias, types) = table_alias(alias)?;
            no_types(&types, at)?;
            let query = Box::new(query(*subquery)?);
            Ok(From::Subquery {
                lateral,
                query,
                alias,
                place: at,
            })
        }
        TableFactor::Function {
            lateral,
            name,
            args,
            with_ordinality,
            alias,
        } => {
            let at = place(&name);
            let (calls, rows_from) = calls(name, args)?;
            function(calls, rows_from, lateral, with_ordinality, alias, at)
        }
        TableFactor::UNNEST {
            alias,
            array_exprs,
            with_offset,
            with_offset_alias,
            with_ordinality,
        } => {
            let at = array_exprs.first().map_or(Place::default(), place);
            absent(with_offset_alias, "WITH OFFSET", at)?;
            if with_offset {
                return Err(unsupported("WITH OFFSET", at));
            }
            let args = array_exprs
                .into_iter()
                .map(|e| ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(e)))
                .collect();
            let name = ast::ObjectName::from(vec![ast::Ident::new("unnest")]);
            let calls = vec![call::table_call(name, args)?];
            function(calls, false, false, with_ordinality, alias, at)
        }
        TableFactor::NestedJoin {
            table_with_joins,
            alias,
        } => nested(*table_with_joins, alias),
        TableFactor::TableFunction { expr, alias: _ } => {
            Err(unsupported("TABLE(...)", place(&expr)))
        }
        TableFactor::JsonTable { .. } => Err(unsupported("JSON_TABLE", Place::default())),
        TableFactor::XmlTable { .. } => Err(unsupported("XMLTABLE", Place::default())),
        TableFactor::OpenJsonTable { .. }
        | TableFactor::Pivot { .. }
        | TableFactor::Unpivot { .. }
        | TableFactor::UnpivotExpr { .. }
        | TableFactor::MatchRecognize { .. }
        | TableFactor::SemanticView { .. } => {
            Err(unsupported("this kind of table", Place::default()))
        }
    }
}

fn relation(
    name: ast::ObjectName,
    alias: Option<ast::TableAlias>,
    sample: Option<ast::TableSampleKind>,
    at: Place,
) -> Result<From> {
    let ast::ObjectName(mut parts) = name;
    let only = matches!(
        parts.first(),
        Some(ast::ObjectNamePart::Identifier(first))
            if parse::marker(first) == Some(parse::Marker::Only)
    );
    if only {
        parts.remove(0);
    }
    let (alias, types) = table_alias(alias)?;
    no_types(&types, at)?;
    Ok(From::Relation(RelationRef {
        path: object_name(ast::ObjectName(parts))?,
        only,
        alias,
        sample: sample.map(|kind| tablesample(kind, at)).transpose()?,
        target: Target::Unresolved,
    }))
}

/// The function that stands in FROM, or those of ROWS FROM.
fn calls(name: ast::ObjectName, args: Vec<ast::FunctionArg>) -> Result<(Vec<Expr>, bool)> {
    let rows_from = matches!(
        name.0.as_slice(),
        [ast::ObjectNamePart::Identifier(name)]
            if parse::marker(name) == Some(parse::Marker::RowsFrom)
    );
    if !rows_from {
        return Ok((vec![call::table_call(name, args)?], false));
    }
    let at = place(&name);
    let call = |arg| match arg {
        ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(e)) => expr(e),
        ast::FunctionArg::Unnamed(_)
        | ast::FunctionArg::Named { .. }
        | ast::FunctionArg::ExprNamed { .. } => Err(unsupported("this ROWS FROM", at)),
    };
    Ok((args.into_iter().map(call).collect::<Result<_>>()?, true))
}

fn function(
    calls: Vec<Expr>,
    rows_from: bool,
    lateral: bool,
    ordinality: bool,
    alias: Option<ast::TableAlias>,
    place: Place,
) -> Result<From> {
    let (alias, types) = table_alias(alias)?;
    Ok(From::Function(TableFunction {
        lateral,
        calls,
        rows_from,
        ordinality,
        alias,
        types,
        place,
    }))
}

fn nested(tree: ast::TableWithJoins, alias: Option<ast::TableAlias>) -> Result<From> {
    let at = place(&tree.relation);
    let (alias, types) = table_alias(alias)?;
    no_types(&types, at)?;
    match self::tree(tree)? {
        From::Join(mut join) => {
            if join.alias.is_some() && alias.is_some() {
                return Err(unsupported("an alias of an alias", at));
            }
            if alias.is_some() {
                join.alias = alias;
            }
            Ok(From::Join(join))
        }
        From::Relation(_) | From::Subquery { .. } | From::Function(_) => {
            Err(unsupported("parentheses around a table", at))
        }
    }
}

/// An alias with its columns, and the types of these where they are given.
fn table_alias(alias: Option<ast::TableAlias>) -> Result<(Option<Alias>, Vec<TypeName>)> {
    let Some(ast::TableAlias {
        explicit: _,
        name,
        columns,
        at,
    }) = alias
    else {
        return Ok((None, Vec::new()));
    };
    absent(at, "AT after an alias", span_place(name.span))?;
    let name = column_id(name)?;
    let mut names = Vec::with_capacity(columns.len());
    let mut types = Vec::new();
    for ast::TableAliasColumnDef { name, data_type } in columns {
        names.push(name);
        types.extend(data_type.map(types::type_name).transpose()?);
    }
    if !types.is_empty() && types.len() != names.len() {
        return Err(unsupported("types for some columns only", name.place));
    }
    Ok((
        Some(Alias {
            name,
            columns: idents(names)?,
        }),
        types,
    ))
}

fn no_types(types: &[TypeName], at: Place) -> Result<()> {
    if types.is_empty() {
        Ok(())
    } else {
        Err(unsupported("column types in this alias", at))
    }
}

fn tablesample(kind: ast::TableSampleKind, at: Place) -> Result<Sample> {
    let sample = match kind {
        ast::TableSampleKind::AfterTableAlias(sample)
        | ast::TableSampleKind::BeforeTableAlias(sample) => *sample,
    };
    let ast::TableSample {
        modifier,
        name,
        quantity,
        seed,
        bucket,
        offset,
    } = sample;
    absent(bucket, "BUCKET", at)?;
    absent(offset, "OFFSET in TABLESAMPLE", at)?;
    let method = match (modifier, name) {
        (ast::TableSampleModifier::TableSample, Some(ast::TableSampleMethod::Bernoulli)) => {
            "bernoulli"
        }
        (ast::TableSampleModifier::TableSample, Some(ast::TableSampleMethod::System)) => "system",
        (
            ast::TableSampleModifier::TableSample,
            Some(ast::TableSampleMethod::Row | ast::TableSampleMethod::Block) | None,
        )
        | (ast::TableSampleModifier::Sample, _) => {
            return Err(unsupported("this sampling method", at));
        }
    };
    let quantity = match quantity {
        Some(ast::TableSampleQuantity {
            parenthesized: true,
            value,
            unit: None,
        }) => expr(value)?,
        Some(ast::TableSampleQuantity {
            parenthesized: _,
            value: _,
            unit: _,
        })
        | None => {
            return Err(unsupported("this sample size", at));
        }
    };
    let seed = match seed {
        None => None,
        Some(ast::TableSampleSeed { modifier, value }) => match modifier {
            ast::TableSampleSeedModifier::Repeatable => {
                Some(literal::plain_value(value.value, at)?)
            }
            ast::TableSampleSeedModifier::Seed => return Err(unsupported("SEED", at)),
        },
    };
    Ok(Sample {
        method,
        quantity,
        seed,
    })
}
