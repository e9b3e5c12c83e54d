//! What stands in the brackets of a call.

use sqlparser::ast::{self, Expr as E, FunctionArgExpr};

use super::expr::expr;
use super::{ident, object_name, parse, query, unsupported};
use crate::ir::{Argument, Expr, Literal};
use crate::refusal::{Place, Result};

pub(super) struct Arguments {
    pub(super) named: Vec<Named>,
    pub(super) star: bool,
    pub(super) distinct: bool,
    pub(super) order_by: Vec<crate::ir::OrderItem>,
}

pub(super) struct Named {
    pub(super) name: Option<ast::Ident>,
    pub(super) value: Value,
}

pub(super) enum Value {
    Expr(Expr),
    /// `a.*`: the whole row.
    Row(Vec<crate::ir::Ident>),
}

impl Named {
    pub(super) fn argument(self) -> Result<Argument> {
        let Self { name, value } = self;
        let value = match value {
            Value::Expr(value) => value,
            Value::Row(path) => Expr::UnresolvedRow(path),
        };
        Ok(Argument {
            name: name.map(ident).transpose()?,
            value,
        })
    }
}

pub(super) fn argument_list(list: ast::FunctionArgumentList, place: Place) -> Result<Arguments> {
    let ast::FunctionArgumentList {
        duplicate_treatment,
        args,
        clauses,
    } = list;
    let distinct = match duplicate_treatment {
        None | Some(ast::DuplicateTreatment::All) => false,
        Some(ast::DuplicateTreatment::Distinct) => true,
    };
    let mut order_by = Vec::new();
    for clause in clauses {
        use ast::FunctionArgumentClause as C;
        match clause {
            C::OrderBy(items) => order_by = query::order_items(items)?,
            C::IgnoreOrRespectNulls(_)
            | C::Where(_)
            | C::Limit(_)
            | C::OnOverflow(_)
            | C::Having(_)
            | C::Separator(_)
            | C::JsonNullClause(_)
            | C::JsonReturningClause(_) => {
                return Err(unsupported("this clause in a function call", place));
            }
        }
    }
    let mut arguments = Arguments {
        named: Vec::new(),
        star: false,
        distinct,
        order_by,
    };
    for arg in args {
        let (name, value) = match arg {
            ast::FunctionArg::Unnamed(value) => (None, value),
            ast::FunctionArg::Named {
                name,
                arg,
                operator,
            } => match operator {
                ast::FunctionArgOperator::RightArrow | ast::FunctionArgOperator::Assignment => {
                    (Some(name), arg)
                }
                ast::FunctionArgOperator::Equals
                | ast::FunctionArgOperator::Colon
                | ast::FunctionArgOperator::Value
                | ast::FunctionArgOperator::Space => {
                    return Err(unsupported("this way of naming an argument", place));
                }
            },
            ast::FunctionArg::ExprNamed {
                name,
                arg,
                operator,
            } => match (name, operator) {
                (
                    E::Identifier(name),
                    ast::FunctionArgOperator::RightArrow | ast::FunctionArgOperator::Assignment,
                ) => (Some(name), arg),
                (_name, _operator) => {
                    return Err(unsupported("this way of naming an argument", place));
                }
            },
        };
        match value {
            FunctionArgExpr::Expr(E::Wildcard(_)) | FunctionArgExpr::Wildcard if name.is_none() => {
                arguments.star = true;
            }
            FunctionArgExpr::Expr(value) => {
                arguments.named.push(Named {
                    name,
                    value: Value::Expr(expr(value)?),
                });
            }
            FunctionArgExpr::QualifiedWildcard(path) => {
                arguments.named.push(Named {
                    name,
                    value: Value::Row(object_name(path)?),
                });
            }
            FunctionArgExpr::Wildcard | FunctionArgExpr::WildcardWithOptions(_) => {
                return Err(unsupported("a star here", place));
            }
        }
    }
    if arguments.star && !arguments.named.is_empty() {
        return Err(unsupported("a star beside other arguments", place));
    }
    Ok(arguments)
}

/// Arguments that are expressions and nothing else.
pub(super) fn special_arguments(arguments: Arguments, place: Place) -> Result<Vec<Expr>> {
    let Arguments {
        named,
        star,
        distinct,
        order_by,
    } = arguments;
    if star || distinct || !order_by.is_empty() {
        return Err(unsupported("this argument", place));
    }
    named
        .into_iter()
        .map(|argument| plain(argument, place))
        .collect()
}

/// The fields of a row, among them whole relations.
pub(super) fn fields(arguments: Arguments, place: Place) -> Result<Vec<Expr>> {
    let Arguments {
        named,
        star,
        distinct,
        order_by,
    } = arguments;
    if star || distinct || !order_by.is_empty() {
        return Err(unsupported("this argument", place));
    }
    let field = |Named { name, value }| match (name, value) {
        (None, Value::Expr(value)) => Ok(value),
        (None, Value::Row(path)) => Ok(Expr::UnresolvedRow(path)),
        (Some(_), _) => Err(unsupported("this argument", place)),
    };
    named.into_iter().map(field).collect()
}

/// An argument without a name that is no whole row.
fn plain(argument: Named, place: Place) -> Result<Expr> {
    match argument {
        Named {
            name: None,
            value: Value::Expr(value),
        } => Ok(value),
        Named { name: _, value: _ } => Err(unsupported("this argument", place)),
    }
}

/// `NORMALIZE(x, NFC)`: the form is a word of the grammar (gram.y `unicode_normal_form`).
pub(super) fn normal_form(arguments: &mut [Named]) {
    let [_text, Named { name: None, value }] = arguments else {
        return;
    };
    let Value::Expr(Expr::Unresolved(path)) = value else {
        return;
    };
    if let [word] = path.as_slice()
        && matches!(&*word.name, "nfc" | "nfd" | "nfkc" | "nfkd")
    {
        let form = word.name.to_ascii_uppercase();
        *value = Value::Expr(Expr::Literal(Literal::String(form.into())));
    }
}

/// Takes the marker off `VARIADIC x`, which may only stand on the last argument.
pub(super) fn take_variadic(arguments: &mut [Named], place: Place) -> Result<bool> {
    let is_variadic = |argument: &Named| {
        argument.name.as_ref().and_then(parse::marker) == Some(parse::Marker::Variadic)
    };
    let Some((last, others)) = arguments.split_last_mut() else {
        return Ok(false);
    };
    if others.iter().any(is_variadic) {
        return Err(unsupported("VARIADIC before the last argument", place));
    }
    let variadic = is_variadic(last);
    if variadic {
        last.name = None;
    }
    Ok(variadic)
}
