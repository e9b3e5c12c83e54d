//! Fields and subscripts of a value, which come as one chain.

use sqlparser::ast::{self, Expr as E};

use super::expr::{boxed, expr};
use super::{absent, ident, parse, place, span_place, unsupported};
use crate::ir::{Expr, Ident, Subscript};
use crate::refusal::{Place, Result};

/// `a[1]`, `(f(x)).name`, and dotted names that sqlparser reads as such.
pub(super) fn access(root: Box<E>, chain: Vec<ast::AccessExpr>) -> Result<Expr> {
    // Without parentheses around the root, dots continue its name.
    let mut continues_name = matches!(*root, E::Identifier(_) | E::CompoundIdentifier(_));
    let mut done = boxed(root)?;
    // `(a[1])[2]` takes a subscript of an element, `a[1][2]` of the array itself.
    let mut follows_subscript = false;
    for step in chain {
        done = match step {
            ast::AccessExpr::Dot(E::Identifier(name)) => {
                follows_subscript = false;
                let name = attribute(name)?;
                match done {
                    Expr::Unresolved(mut path) if continues_name => {
                        path.push(name);
                        Expr::Unresolved(path)
                    }
                    operand => Expr::Field {
                        operand: Box::new(operand),
                        name,
                    },
                }
            }
            ast::AccessExpr::Dot(other) => {
                return Err(unsupported("this field access", place(&other)));
            }
            ast::AccessExpr::Subscript(step) => {
                continues_name = false;
                let joins = std::mem::replace(&mut follows_subscript, true);
                subscript(done, step, joins)?
            }
        };
    }
    Ok(done)
}

fn attribute(name: ast::Ident) -> Result<Ident> {
    if parse::marker(&name) == Some(parse::Marker::Star) {
        return Err(unsupported(
            "expansion of a row into its columns here",
            span_place(name.span),
        ));
    }
    ident(name)
}

fn subscript(operand: Expr, step: ast::Subscript, joins: bool) -> Result<Expr> {
    let step = match step {
        ast::Subscript::Index { index } => Subscript::Index(expr(index)?),
        ast::Subscript::Slice {
            lower_bound,
            upper_bound,
            stride,
        } => {
            absent(stride, "a stride", Place::default())?;
            Subscript::Slice(
                lower_bound.map(expr).transpose()?,
                upper_bound.map(expr).transpose()?,
            )
        }
    };
    Ok(match operand {
        Expr::Subscript {
            operand,
            mut subscripts,
        } if joins => {
            subscripts.push(step);
            Expr::Subscript {
                operand,
                subscripts,
            }
        }
        other => Expr::Subscript {
            operand: Box::new(other),
            subscripts: vec![step],
        },
    })
}
