//! Function calls, and the grammar that looks like one.

use sqlparser::ast::{self, Expr as E, FunctionArgExpr, FunctionArguments};

use super::argument::{
    Arguments, Named, argument_list, fields, normal_form, special_arguments, take_variadic,
};
use super::expr::expr;
use super::{absent, bare_word, json, object_name, query, unsupported, window};
use crate::ir::{Call, Expr, Literal, Special, ValueFunction};
use crate::refusal::{Place, Result};
use crate::snapshot::PG_CATALOG;

/// The keyword value function that an unquoted word is.
pub(super) fn value_function(word: &str) -> Option<ValueFunction> {
    let keyword = match word {
        "current_catalog" => "CURRENT_CATALOG",
        "current_date" => "CURRENT_DATE",
        "current_role" => "CURRENT_ROLE",
        "current_schema" => "CURRENT_SCHEMA",
        "current_time" => "CURRENT_TIME",
        "current_timestamp" => "CURRENT_TIMESTAMP",
        "current_user" => "CURRENT_USER",
        "localtime" => "LOCALTIME",
        "localtimestamp" => "LOCALTIMESTAMP",
        "session_user" => "SESSION_USER",
        "user" => "USER",
        _ => return None,
    };
    Some(ValueFunction {
        keyword,
        precision: None,
    })
}

/// The keyword value functions that take a precision.
fn has_precision(word: &str) -> bool {
    matches!(
        word,
        "current_time" | "current_timestamp" | "localtime" | "localtimestamp"
    )
}

/// `CURRENT_TIMESTAMP(3)`: a precision of PostgreSQL's range (`timestamp.h` MAX_TIMESTAMP_PRECISION).
fn timed(word: &str, arguments: Arguments, place: Place) -> Result<Expr> {
    let precision = match special_arguments(arguments, place)?.as_slice() {
        [Expr::Literal(Literal::Number(digits))] => digits.parse().ok().filter(|n| *n <= 6),
        _other => None,
    };
    match (value_function(word), precision) {
        (Some(function), Some(precision)) => Ok(Expr::ValueFunction(ValueFunction {
            precision: Some(precision),
            ..function
        })),
        (Some(_) | None, _) => Err(unsupported("this precision", place)),
    }
}

/// A call, or a special form with the look of one.
pub(super) fn function(function: ast::Function) -> Result<Expr> {
    let ast::Function {
        name,
        uses_odbc_syntax,
        parameters,
        args,
        within_group,
        filter,
        null_treatment,
        over,
    } = function;
    let place = super::place(&name);
    if uses_odbc_syntax {
        return Err(unsupported("ODBC syntax", place));
    }
    absent(null_treatment, "IGNORE NULLS", place)?;
    match parameters {
        FunctionArguments::None => {}
        FunctionArguments::Subquery(_) | FunctionArguments::List(_) => {
            return Err(unsupported("a parametrised function", place));
        }
    }
    let decorated = !within_group.is_empty() || filter.is_some() || over.is_some();
    let mut arguments = match (args, bare_word(&name)) {
        (FunctionArguments::None, Some(word)) if !decorated => {
            return value_function(word)
                .map(Expr::ValueFunction)
                .ok_or_else(|| unsupported("a function without parentheses", place));
        }
        (FunctionArguments::None, _) => {
            return Err(unsupported("a function without parentheses", place));
        }
        (FunctionArguments::Subquery(subquery), Some("array")) if !decorated => {
            return Ok(Expr::ArrayQuery(Box::new(query(*subquery)?)));
        }
        (FunctionArguments::Subquery(_), _) => {
            return Err(unsupported(
                "a query as argument without parentheses",
                place,
            ));
        }
        (FunctionArguments::List(list), Some(word)) => match special_form(word) {
            Some(form) if decorated => return Err(unsupported(form.what(), place)),
            Some(form) => return special(form, argument_list(list, place)?, place),
            None if !decorated && let Some(form) = json::form(word, &list) => {
                return json::call(form, list, place);
            }
            None if !decorated && has_precision(word) => {
                return timed(word, argument_list(list, place)?, place);
            }
            None => argument_list(list, place)?,
        },
        (FunctionArguments::List(list), None) => argument_list(list, place)?,
    };
    let variadic = take_variadic(&mut arguments.named, place)?;
    if bare_word(&name) == Some("normalize") {
        normal_form(&mut arguments.named);
    }
    Ok(Expr::Call(Box::new(Call {
        path: object_name(name)?,
        built_in: false,
        schema: PG_CATALOG,
        arguments: arguments
            .named
            .into_iter()
            .map(Named::argument)
            .collect::<Result<_>>()?,
        star: arguments.star,
        distinct: arguments.distinct,
        variadic,
        order_by: arguments.order_by,
        within_group: query::order_items(within_group)?,
        filter: filter.map(|filter| expr(*filter)).transpose()?,
        over: over.map(window::over).transpose()?,
    })))
}

/// What stands in the brackets of a call that is only a mark.
pub(super) fn only_argument(function: ast::Function) -> Result<Expr> {
    let place = super::place(&function.name);
    let unfit = || unsupported("this call", place);
    let list = bare_list(function)?;
    let mut arguments = special_arguments(argument_list(list, place)?, place)?;
    match (arguments.pop(), arguments.pop()) {
        (Some(only), None) => Ok(only),
        (Some(_) | None, _) => Err(unfit()),
    }
}

/// The arguments of a call that is only a mark, as they are.
pub(super) fn plain_arguments(function: ast::Function) -> Result<Vec<E>> {
    let place = super::place(&function.name);
    let unfit = || unsupported("this list", place);
    let ast::FunctionArgumentList {
        duplicate_treatment,
        args,
        clauses,
    } = bare_list(function)?;
    absent(duplicate_treatment, "DISTINCT in this list", place)?;
    if !clauses.is_empty() {
        return Err(unfit());
    }
    let plain = |arg| match arg {
        ast::FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => Ok(e),
        ast::FunctionArg::Unnamed(_)
        | ast::FunctionArg::Named { .. }
        | ast::FunctionArg::ExprNamed { .. } => Err(unfit()),
    };
    args.into_iter().map(plain).collect()
}

/// The arguments of a call, after which nothing stands.
fn bare_list(function: ast::Function) -> Result<ast::FunctionArgumentList> {
    let ast::Function {
        name,
        uses_odbc_syntax,
        parameters,
        args,
        within_group,
        filter,
        null_treatment,
        over,
    } = function;
    let place = super::place(&name);
    let bare = !uses_odbc_syntax
        && matches!(parameters, FunctionArguments::None)
        && within_group.is_empty()
        && filter.is_none()
        && null_treatment.is_none()
        && over.is_none();
    match args {
        FunctionArguments::List(list) if bare => Ok(list),
        FunctionArguments::List(_) | FunctionArguments::Subquery(_) | FunctionArguments::None => {
            Err(unsupported("what follows this list", place))
        }
    }
}

/// A function in FROM, whose arguments come bare.
pub(super) fn table_call(name: ast::ObjectName, args: Vec<ast::FunctionArg>) -> Result<Expr> {
    let list = ast::FunctionArgumentList {
        duplicate_treatment: None,
        args,
        clauses: Vec::new(),
    };
    function(ast::Function {
        name,
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(list),
        within_group: Vec::new(),
        filter: None,
        null_treatment: None,
        over: None,
    })
}

impl Special {
    fn what(self) -> &'static str {
        match self {
            Self::Coalesce => "COALESCE as an aggregate",
            Self::Nullif => "NULLIF as an aggregate",
            Self::Greatest => "GREATEST as an aggregate",
            Self::Least => "LEAST as an aggregate",
            Self::Row => "ROW as an aggregate",
            Self::Array => "ARRAY as an aggregate",
            Self::Grouping => "GROUPING as an aggregate",
        }
    }
}

/// Unquoted words that are grammar; quoted, they would be functions.
fn special_form(word: &str) -> Option<Special> {
    Some(match word {
        "coalesce" => Special::Coalesce,
        "nullif" => Special::Nullif,
        "greatest" => Special::Greatest,
        "least" => Special::Least,
        "row" => Special::Row,
        "grouping" => Special::Grouping,
        _ => return None,
    })
}

fn special(form: Special, arguments: Arguments, place: Place) -> Result<Expr> {
    let arguments = if form == Special::Row {
        fields(arguments, place)?
    } else {
        special_arguments(arguments, place).map_err(|_| unsupported(form.what(), place))?
    };
    let fits = match form {
        Special::Nullif => arguments.len() == 2,
        // ROW() has no fields.
        Special::Row => true,
        Special::Coalesce | Special::Greatest | Special::Least => !arguments.is_empty(),
        Special::Array | Special::Grouping => !arguments.is_empty(),
    };
    if fits {
        Ok(Expr::Special(form, arguments))
    } else {
        Err(unsupported("so few arguments", place))
    }
}
