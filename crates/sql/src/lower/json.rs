//! The standard's functions of JSON: JSON_OBJECT, JSON_ARRAY, JSON_EXISTS, JSON_QUERY, JSON_VALUE and IS
//! JSON. What sqlparser does not read of them (ON EMPTY, ON ERROR, PASSING, wrappers, FORMAT, unique keys of an object) is
//! refused by name.

use sqlparser::ast::{self, Expr as E, FunctionArg as A, FunctionArgExpr, FunctionArgOperator};

use super::expr::{boxed, expr};
use super::{absent, types, unsupported};
use crate::ir::Expr;
use crate::ir::json::{Json, JsonForm};
use crate::refusal::{Place, Result};

/// The form that a call of an unquoted word is, if it is one. `json_object(text[])` is a plain function.
pub(super) fn form(word: &str, list: &ast::FunctionArgumentList) -> Option<JsonForm> {
    match word {
        "json_object" if is_constructor(list) => Some(JsonForm::Object),
        "json_array" => Some(JsonForm::Array),
        "json_exists" => Some(JsonForm::Exists),
        "json_query" => Some(JsonForm::Query),
        "json_value" => Some(JsonForm::Value),
        _ => None,
    }
}

fn is_constructor(list: &ast::FunctionArgumentList) -> bool {
    let is_member = |arg: &A| match arg {
        A::ExprNamed {
            name: _,
            arg: _,
            operator,
        } => matches!(
            operator,
            FunctionArgOperator::Colon | FunctionArgOperator::Value
        ),
        A::Named {
            name: _,
            arg: _,
            operator: _,
        }
        | A::Unnamed(_) => false,
    };
    list.args.is_empty() || !list.clauses.is_empty() || list.args.iter().any(is_member)
}

/// What stands in its brackets.
pub(super) fn call(form: JsonForm, list: ast::FunctionArgumentList, place: Place) -> Result<Expr> {
    let ast::FunctionArgumentList {
        duplicate_treatment,
        args,
        clauses,
    } = list;
    let unfit = || unsupported(form.keyword(), place);
    absent(duplicate_treatment, form.keyword(), place)?;
    let mut members = Vec::with_capacity(args.len());
    for arg in args {
        members.push(member(form, arg)?.ok_or_else(unfit)?);
    }
    if form.asks() && members.len() != 2 {
        return Err(unfit());
    }
    let mut nulls = None;
    let mut returning = None;
    for clause in clauses {
        use ast::FunctionArgumentClause as C;
        match clause {
            C::JsonNullClause(clause) if !form.asks() => {
                nulls = Some(match clause {
                    ast::JsonNullClause::NullOnNull => "NULL ON NULL",
                    ast::JsonNullClause::AbsentOnNull => "ABSENT ON NULL",
                });
            }
            C::JsonReturningClause(ast::JsonReturningClause { data_type })
                if form != JsonForm::Exists =>
            {
                returning = Some(types::type_name(data_type).map_err(|no| no.near(place))?);
            }
            C::JsonNullClause(_)
            | C::JsonReturningClause(_)
            | C::OrderBy(_)
            | C::IgnoreOrRespectNulls(_)
            | C::Where(_)
            | C::Limit(_)
            | C::OnOverflow(_)
            | C::Having(_)
            | C::Separator(_) => return Err(unfit()),
        }
    }
    Ok(Expr::Json(Box::new(Json {
        form,
        members,
        nulls,
        returning,
        place,
    })))
}

/// A member of an object with its key, or one argument of the other forms; `None` where it is neither.
fn member(form: JsonForm, arg: A) -> Result<Option<(Option<Expr>, Expr)>> {
    let keyed = form == JsonForm::Object;
    match arg {
        A::ExprNamed {
            name,
            arg: FunctionArgExpr::Expr(value),
            operator: FunctionArgOperator::Colon | FunctionArgOperator::Value,
        } if keyed => Ok(Some((Some(expr(name)?), expr(value)?))),
        A::Unnamed(FunctionArgExpr::Expr(value)) if !keyed => Ok(Some((None, expr(value)?))),
        A::ExprNamed {
            name: _,
            arg: _,
            operator: _,
        }
        | A::Named {
            name: _,
            arg: _,
            operator: _,
        }
        | A::Unnamed(_) => Ok(None),
    }
}

/// `x IS [NOT] JSON [VALUE | SCALAR | ARRAY | OBJECT] [WITH UNIQUE KEYS]`
pub(super) fn is_json(
    operand: Box<E>,
    kind: Option<&ast::JsonPredicateType>,
    unique: Option<&ast::JsonKeyUniqueness>,
    negated: bool,
) -> Result<Expr> {
    use ast::JsonPredicateType as K;
    let unique = match unique {
        None | Some(ast::JsonKeyUniqueness::WithoutUniqueKeys) => false,
        Some(ast::JsonKeyUniqueness::WithUniqueKeys) => true,
    };
    let test = match (kind, unique) {
        (None | Some(K::Value), false) => "JSON",
        (None | Some(K::Value), true) => "JSON WITH UNIQUE KEYS",
        (Some(K::Scalar), false) => "JSON SCALAR",
        (Some(K::Scalar), true) => "JSON SCALAR WITH UNIQUE KEYS",
        (Some(K::Array), false) => "JSON ARRAY",
        (Some(K::Array), true) => "JSON ARRAY WITH UNIQUE KEYS",
        (Some(K::Object), false) => "JSON OBJECT",
        (Some(K::Object), true) => "JSON OBJECT WITH UNIQUE KEYS",
    };
    let place = super::place(&*operand);
    Ok(Expr::IsJson {
        operand: Box::new(boxed(operand)?),
        test,
        negated,
        place,
    })
}
