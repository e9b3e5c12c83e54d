//! Expressions.

use std::fmt::Write;

use super::Writer;
use crate::ir::json::Json;
use crate::ir::{
    Bound, Call, Column, Expr, Frame, Operator, Over, Quantified, Special, Subscript, Window,
};

impl Writer<'_> {
    pub(crate) fn expr(&mut self, expr: &Expr) {
        match expr {
            // INVARIANT: `resolve` leaves none; were one left, PostgreSQL would say that no such
            // column exists.
            Expr::Default => self.push("DEFAULT"),
            Expr::CurrentOf(cursor) => {
                self.push("CURRENT OF ");
                self.chosen(&cursor.name);
            }
            Expr::Unresolved(_) | Expr::UnresolvedRow(_) => self.push("\"?unresolved?\""),
            Expr::Column(column) => self.column(column),
            Expr::Output(name) => self.chosen(name),
            Expr::Row { name, star } => {
                self.chosen(name);
                if *star {
                    self.push(".*");
                }
            }
            Expr::Literal(literal) => self.literal(literal),
            Expr::Parameter(number) => {
                let _ = write!(self.out, "${number}");
            }
            Expr::ValueFunction(function) => {
                self.push(function.keyword);
                if let Some(precision) = function.precision {
                    let _ = write!(self.out, "({precision})");
                }
            }
            Expr::And(list) => self.joined(list, " AND "),
            Expr::Or(list) => self.joined(list, " OR "),
            Expr::Not(operand) => {
                self.push("(NOT ");
                self.expr(operand);
                self.push(")");
            }
            Expr::Unary {
                operator,
                operand,
                place: _,
            } => {
                self.push("(");
                self.operator(operator);
                self.push(" ");
                self.expr(operand);
                self.push(")");
            }
            Expr::Binary {
                first,
                rest,
                place: _,
            } => self.chain(first, rest),
            Expr::Is {
                operand,
                test,
                negated,
            } => {
                self.push("(");
                self.expr(operand);
                self.push(if *negated { " IS NOT " } else { " IS " });
                self.push(test);
                self.push(")");
            }
            Expr::IsJson {
                operand,
                test,
                negated,
                place: _,
            } => {
                self.push("(");
                self.expr(operand);
                self.push(if *negated { " IS NOT " } else { " IS " });
                self.push(test);
                self.push(")");
            }
            Expr::Json(json) => self.json(json),
            Expr::IsDistinct {
                left,
                right,
                negated,
            } => {
                self.push("(");
                self.expr(left);
                self.push(if *negated {
                    " IS NOT DISTINCT FROM "
                } else {
                    " IS DISTINCT FROM "
                });
                self.expr(right);
                self.push(")");
            }
            Expr::InList {
                operand,
                list,
                negated,
            } => self.in_list(operand, list, *negated),
            Expr::Between {
                operand,
                low,
                high,
                symmetric,
                negated,
            } => {
                self.push("(");
                self.expr(operand);
                self.push(if *negated {
                    " NOT BETWEEN "
                } else {
                    " BETWEEN "
                });
                self.push(if *symmetric { "SYMMETRIC " } else { "" });
                self.expr(low);
                self.push(" AND ");
                self.expr(high);
                self.push(")");
            }
            Expr::Quantified {
                left,
                operator,
                all,
                right,
                place: _,
            } => {
                self.push("(");
                self.expr(left);
                self.push(" ");
                self.operator(operator);
                self.push(if *all { " ALL (" } else { " ANY (" });
                match right {
                    Quantified::Query(query) => self.query(query),
                    Quantified::Array(array) => self.expr(array),
                }
                self.push("))");
            }
            Expr::Case {
                operand,
                arms,
                otherwise,
            } => {
                self.case(operand.as_deref(), arms, otherwise.as_deref());
            }
            Expr::Cast { operand, ty } => {
                self.push("CAST(");
                self.expr(operand);
                self.push(" AS ");
                self.type_name(ty);
                self.push(")");
            }
            Expr::Collate { operand, collation } => {
                self.push("(");
                self.expr(operand);
                self.push(" COLLATE ");
                self.path(collation);
                self.push(")");
            }
            Expr::Call(call) => self.call(call),
            Expr::Special(form, list) => self.special(*form, list),
            Expr::Exists(query) => {
                self.push("EXISTS (");
                self.query(query);
                self.push(")");
            }
            Expr::ArrayQuery(query) => {
                self.push("ARRAY(");
                self.query(query);
                self.push(")");
            }
            Expr::Scalar(query) => {
                self.push("(");
                self.query(query);
                self.push(")");
            }
            Expr::Subscript {
                operand,
                subscripts,
            } => self.subscript(operand, subscripts),
            Expr::Field { operand, name } => {
                self.push("(");
                self.expr(operand);
                self.push(").");
                self.chosen(&name.name);
            }
        }
    }

    pub(super) fn column(&mut self, column: &Column) {
        self.mark(column.place);
        if let Some(qualifier) = &column.qualifier {
            self.chosen(qualifier);
            self.push(".");
        }
        if column.known {
            self.name(&column.name);
        } else {
            self.chosen(&column.name);
        }
    }

    /// Of `pg_catalog` and no other schema, whatever the search path.
    pub(super) fn operator(&mut self, operator: &Operator) {
        if self.is_skeleton() {
            self.push(&operator.0);
            return;
        }
        self.push("OPERATOR(pg_catalog.");
        self.push(&operator.0);
        self.push(")");
    }

    fn joined(&mut self, list: &[Expr], word: &str) {
        self.push("(");
        for (index, expr) in list.iter().enumerate() {
            if index > 0 {
                self.push(word);
            }
            self.expr(expr);
        }
        self.push(")");
    }

    fn chain(&mut self, first: &Expr, rest: &[(Operator, Expr)]) {
        for _ in rest {
            self.push("(");
        }
        self.expr(first);
        for (operator, operand) in rest {
            self.push(" ");
            self.operator(operator);
            self.push(" ");
            self.expr(operand);
            self.push(")");
        }
    }

    fn in_list(&mut self, operand: &Expr, list: &[Expr], negated: bool) {
        self.push("(");
        self.expr(operand);
        self.push(if negated { " NOT IN (" } else { " IN (" });
        // One shape for lists of every length.
        let literals = list.iter().all(|item| matches!(item, Expr::Literal(_)));
        if self.is_skeleton() && literals {
            self.push("?");
        } else {
            self.exprs(list);
        }
        self.push("))");
    }

    fn case(&mut self, operand: Option<&Expr>, arms: &[(Expr, Expr)], otherwise: Option<&Expr>) {
        self.push("CASE");
        if let Some(operand) = operand {
            self.push(" ");
            self.expr(operand);
        }
        for (condition, result) in arms {
            self.push(" WHEN ");
            self.expr(condition);
            self.push(" THEN ");
            self.expr(result);
        }
        if let Some(otherwise) = otherwise {
            self.push(" ELSE ");
            self.expr(otherwise);
        }
        self.push(" END");
    }

    fn special(&mut self, form: Special, list: &[Expr]) {
        let (open, close) = match form {
            Special::Coalesce => ("COALESCE(", ")"),
            Special::Nullif => ("NULLIF(", ")"),
            Special::Greatest => ("GREATEST(", ")"),
            Special::Least => ("LEAST(", ")"),
            Special::Row => ("ROW(", ")"),
            Special::Array => ("ARRAY[", "]"),
            Special::Grouping => ("GROUPING(", ")"),
        };
        self.push(open);
        self.exprs(list);
        self.push(close);
    }

    fn json(&mut self, json: &Json) {
        let Json {
            form,
            members,
            nulls,
            returning,
            place,
        } = json;
        self.mark(*place);
        self.push(form.keyword());
        self.push("(");
        self.separated(members, |writer, (key, value)| {
            if let Some(key) = key {
                // In brackets: PostgreSQL takes no operator before VALUE.
                writer.push("(");
                writer.expr(key);
                writer.push(") VALUE ");
            }
            writer.expr(value);
        });
        if let Some(nulls) = nulls {
            self.push(" ");
            self.push(nulls);
        }
        if let Some(ty) = returning {
            self.push(" RETURNING ");
            self.type_name(ty);
        }
        self.push(")");
    }

    fn subscript(&mut self, operand: &Expr, subscripts: &[Subscript]) {
        self.push("(");
        self.expr(operand);
        self.push(")");
        for subscript in subscripts {
            self.push("[");
            match subscript {
                Subscript::Index(index) => self.expr(index),
                Subscript::Slice(low, high) => {
                    if let Some(low) = low {
                        self.expr(low);
                    }
                    // Spaces: `a::b` would be a cast.
                    self.push(" : ");
                    if let Some(high) = high {
                        self.expr(high);
                    }
                }
            }
            self.push("]");
        }
    }

    fn call(&mut self, call: &Call) {
        let name = call.path.last().map_or("", |name| &*name.name);
        if let Some(first) = call.path.first() {
            self.mark(first.place);
        }
        // Only the bare word takes several arrays; it is the built-in all the same (`resolve`).
        if call.built_in && name == "unnest" {
            self.push("unnest(");
        } else {
            self.push(call.schema);
            self.push(".");
            self.name(name);
            self.push("(");
        }
        if call.star {
            self.push("*");
        }
        if call.distinct {
            self.push("DISTINCT ");
        }
        let last = call.arguments.len().saturating_sub(1);
        for (index, argument) in call.arguments.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            if call.variadic && index == last {
                self.push("VARIADIC ");
            }
            if let Some(name) = &argument.name {
                self.name(&name.name);
                self.push(" => ");
            }
            self.expr(&argument.value);
        }
        if !call.order_by.is_empty() {
            self.push(" ORDER BY ");
            self.order_items(&call.order_by);
        }
        self.push(")");
        if !call.within_group.is_empty() {
            self.push(" WITHIN GROUP (ORDER BY ");
            self.order_items(&call.within_group);
            self.push(")");
        }
        if let Some(filter) = &call.filter {
            self.push(" FILTER (WHERE ");
            self.expr(filter);
            self.push(")");
        }
        match &call.over {
            None => {}
            Some(Over::Named(name)) => {
                self.push(" OVER ");
                self.chosen(&name.name);
            }
            Some(Over::Window(window)) => {
                self.push(" OVER ");
                self.window(window);
            }
        }
    }

    pub(super) fn window(&mut self, window: &Window) {
        let Window {
            base,
            partition_by,
            order_by,
            frame,
        } = window;
        self.push("(");
        if let Some(base) = base {
            self.chosen(&base.name);
            self.push(" ");
        }
        if !partition_by.is_empty() {
            self.push("PARTITION BY ");
            self.exprs(partition_by);
            self.push(" ");
        }
        if !order_by.is_empty() {
            self.push("ORDER BY ");
            self.order_items(order_by);
            self.push(" ");
        }
        if let Some(frame) = frame {
            self.frame(frame);
        }
        self.push(")");
    }

    fn frame(&mut self, frame: &Frame) {
        let Frame {
            units,
            start,
            end,
            exclude,
        } = frame;
        self.push(units);
        match end {
            None => {
                self.push(" ");
                self.bound(start);
            }
            Some(end) => {
                self.push(" BETWEEN ");
                self.bound(start);
                self.push(" AND ");
                self.bound(end);
            }
        }
        if let Some(exclude) = exclude {
            self.push(" EXCLUDE ");
            self.push(exclude);
        }
    }

    fn bound(&mut self, bound: &Bound) {
        let (distance, word) = match bound {
            Bound::Current => return self.push("CURRENT ROW"),
            Bound::Preceding(distance) => (distance, " PRECEDING"),
            Bound::Following(distance) => (distance, " FOLLOWING"),
        };
        match distance {
            None => self.push("UNBOUNDED"),
            Some(distance) => self.expr(distance),
        }
        self.push(word);
    }
}
