//! Expressions.

use super::{Resolver, Shape};
use crate::ir::{Expr, Quantified, Special, Subscript};
use crate::refusal::{Place, Reason, Refusal, Result};

impl Resolver<'_> {
    /// Settles an expression in place; returns the attributes of its value when it is a row.
    pub(super) fn expr(&mut self, expr: &mut Expr) -> Result<Shape> {
        if let Expr::ValueFunction(_) | Expr::Call(_) = expr
            && let Some(user) = self.shown_user(expr)
        {
            *expr = user;
            return Ok(None);
        }
        match expr {
            Expr::Unresolved(_) => return self.name(expr),
            Expr::UnresolvedRow(path) => {
                let (source, name) = self.whole(path)?;
                let (row, shape) = self.row(source, &name, true);
                *expr = row;
                return Ok(shape);
            }
            Expr::Column(_)
            | Expr::Row { .. }
            | Expr::Output(_)
            | Expr::Default
            | Expr::CurrentOf(_)
            | Expr::Literal(_)
            | Expr::Parameter(_)
            | Expr::ValueFunction(_) => {}
            Expr::And(list) | Expr::Or(list) => self.exprs(list)?,
            Expr::Not(operand)
            | Expr::Is {
                operand,
                test: _,
                negated: _,
            } => {
                self.expr(operand)?;
            }
            Expr::IsJson {
                operand,
                test: _,
                negated: _,
                place,
            } => {
                self.check_is_json(*place)?;
                self.expr(operand)?;
            }
            Expr::Json(json) => self.json(json)?,
            Expr::Unary {
                operator,
                operand,
                place,
            } => {
                Self::prefix_operator(operator, *place)?;
                self.expr(operand)?;
            }
            Expr::Binary { first, rest, place } => {
                self.expr(first)?;
                for (operator, operand) in rest {
                    Self::operator(operator, *place)?;
                    self.expr(operand)?;
                }
            }
            Expr::IsDistinct {
                left,
                right,
                negated: _,
            } => {
                self.bare_comparison("IS DISTINCT FROM", Place::default())?;
                self.expr(left)?;
                self.expr(right)?;
            }
            Expr::InList {
                operand,
                list,
                negated: _,
            } => {
                self.bare_comparison("IN", Place::default())?;
                self.expr(operand)?;
                self.exprs(list)?;
            }
            Expr::Between {
                operand,
                low,
                high,
                symmetric: _,
                negated: _,
            } => {
                self.bare_comparison("BETWEEN", Place::default())?;
                self.expr(operand)?;
                self.expr(low)?;
                self.expr(high)?;
            }
            Expr::Quantified {
                left,
                operator,
                all: _,
                right,
                place,
            } => {
                Self::operator(operator, *place)?;
                self.expr(left)?;
                match right {
                    Quantified::Query(query) => {
                        self.query(query, None)?;
                    }
                    Quantified::Array(array) => {
                        self.expr(array)?;
                    }
                }
            }
            Expr::Case {
                operand,
                arms,
                otherwise,
            } => {
                if operand.is_some() {
                    self.bare_comparison("CASE with an operand", Place::default())?;
                }
                for part in operand.iter_mut().chain(otherwise.iter_mut()) {
                    self.expr(part)?;
                }
                for (condition, result) in arms {
                    self.expr(condition)?;
                    self.expr(result)?;
                }
            }
            Expr::Cast { operand, ty } => {
                self.expr(operand)?;
                self.type_ref(ty)?;
            }
            Expr::Collate { operand, collation } => {
                self.expr(operand)?;
                self.collation(collation)?;
            }
            Expr::Call(call) => return self.call(call).map(|(_, shape)| shape),
            Expr::Special(form, list) => {
                if *form == Special::Nullif {
                    self.bare_comparison("NULLIF", Place::default())?;
                }
                if *form == Special::Row {
                    self.spread(list)?;
                }
                self.exprs(list)?;
                if *form == Special::Row {
                    let names = (1..=list.len()).map(|n| format!("f{n}").into());
                    return Ok(Some(names.collect()));
                }
            }
            Expr::Exists(query) | Expr::ArrayQuery(query) | Expr::Scalar(query) => {
                self.query(query, None)?;
            }
            Expr::Subscript {
                operand,
                subscripts,
            } => {
                self.expr(operand)?;
                for subscript in subscripts {
                    match subscript {
                        Subscript::Index(index) => {
                            self.expr(index)?;
                        }
                        Subscript::Slice(low, high) => {
                            for bound in low.iter_mut().chain(high.iter_mut()) {
                                self.expr(bound)?;
                            }
                        }
                    }
                }
            }
            Expr::Field { .. } => return self.field(expr),
        }
        Ok(None)
    }

    pub(super) fn exprs(&mut self, list: &mut [Expr]) -> Result<()> {
        for expr in list {
            self.expr(expr)?;
        }
        Ok(())
    }

    /// A dotted name.
    fn name(&mut self, expr: &mut Expr) -> Result<Shape> {
        let Expr::Unresolved(path) = expr else {
            return Ok(None);
        };
        let (settled, shape) = match path.as_slice() {
            [name] => self.bare(name)?,
            [relation, name] => self.qualified(None, relation, name)?,
            [schema, relation, name] => self.qualified(Some(&schema.name), relation, name)?,
            [database, schema, relation, name] if &*database.name == self.cx.session.database => {
                self.qualified(Some(&schema.name), relation, name)?
            }
            other => {
                let place = other.first().map_or(Place::default(), |first| first.place);
                return Err(crate::lower::unsupported("this qualified name", place));
            }
        };
        let place = path.first().map(|first| first.place);
        *expr = settled;
        if let (Expr::Column(column), Some(place)) = (expr, place) {
            column.place = place;
        }
        Ok(shape)
    }

    /// `(value).name`: an attribute that is known to exist, since PostgreSQL would take any other
    /// name for a function's.
    fn field(&mut self, expr: &mut Expr) -> Result<Shape> {
        let Expr::Field { operand, name } = expr else {
            return Ok(None);
        };
        // `(a).b` of a relation is its column; so only that column is asked for.
        if let Expr::Unresolved(path) = operand.as_ref()
            && let [relation] = path.as_slice()
            && self.is_row(relation)?
        {
            let (settled, shape) = self.qualified(None, &relation.clone(), &name.clone())?;
            *expr = settled;
            return Ok(shape);
        }
        let shape = self.expr(operand)?;
        if shape.is_some_and(|names| names.contains(&name.name)) {
            return Ok(None);
        }
        Err(Refusal::new(
            Reason::UnknownColumn,
            format!(
                "\"{}\" is not known to be a column of this value",
                name.name
            ),
        )
        .with_hint("name the column through a FROM item of its own")
        .near(name.place))
    }
}
