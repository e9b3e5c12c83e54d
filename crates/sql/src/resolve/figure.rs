//! The name PostgreSQL gives an output column that has no alias (`parse_target.c`, FigureColname).

use crate::ir::{Body, Query};
use crate::ir::{Expr, Item, Literal, Name, Quantified, Special};

/// What an expression, not yet settled, would be called.
pub(super) enum Figured {
    Name(Name),
    /// Whatever the only column of a subquery is called, once that is settled.
    OfQuery,
}

/// A name and how much it is worth: a better one further in replaces a weak one.
enum Strength {
    None,
    Weak(Name),
    Strong(Name),
    OfQuery,
}

/// On a server of this major version.
pub(super) fn name(expr: &Expr, major: u16) -> Figured {
    match figure(expr, major) {
        Strength::None => Figured::Name("?column?".into()),
        Strength::Weak(name) | Strength::Strong(name) => Figured::Name(name),
        Strength::OfQuery => Figured::OfQuery,
    }
}

/// The name of a settled expression whose name is that of a subquery's column.
pub(super) fn of_query(expr: &Expr) -> Name {
    match expr {
        Expr::Scalar(query) => first_column(query),
        Expr::Collate {
            operand,
            collation: _,
        }
        | Expr::Cast { operand, ty: _ }
        | Expr::Subscript {
            operand,
            subscripts: _,
        } => of_query(operand),
        Expr::Case {
            operand: _,
            arms: _,
            otherwise: Some(otherwise),
        } => of_query(otherwise),
        _other => "?column?".into(),
    }
}

fn figure(expr: &Expr, major: u16) -> Strength {
    match expr {
        Expr::Unresolved(path) | Expr::UnresolvedRow(path) => match path.last() {
            Some(last) => Strength::Strong(last.name.clone()),
            None => Strength::None,
        },
        Expr::Column(column) => Strength::Strong(column.name.clone()),
        Expr::Row { name, star: _ } | Expr::Output(name) => Strength::Strong(name.clone()),
        Expr::Call(call) => match call.path.last() {
            Some(last) => Strength::Strong(last.name.clone()),
            None => Strength::None,
        },
        Expr::Field { operand: _, name } => Strength::Strong(name.name.clone()),
        Expr::Subscript {
            operand,
            subscripts: _,
        } => figure(operand, major),
        Expr::Collate {
            operand,
            collation: _,
        } => figure(operand, major),
        Expr::Cast { operand, ty } => match figure(operand, major) {
            Strength::None | Strength::Weak(_) => match ty.path.last() {
                Some(last) => Strength::Weak(last.name.clone()),
                None => Strength::None,
            },
            better => better,
        },
        // Up to 14, TRUE in the grammar is a cast of a string to bool.
        Expr::Literal(Literal::Bool(_)) if major < 15 => Strength::Weak("bool".into()),
        Expr::ValueFunction(function) => {
            Strength::Strong(function.keyword.to_ascii_lowercase().into())
        }
        Expr::Special(special, _) => Strength::Strong(special.word().into()),
        Expr::Json(json) => Strength::Strong(json.form.word().into()),
        Expr::Exists(_) => Strength::Strong("exists".into()),
        Expr::ArrayQuery(_) => Strength::Strong("array".into()),
        Expr::Scalar(_) => Strength::OfQuery,
        Expr::Case {
            operand: _,
            arms: _,
            otherwise,
        } => {
            match otherwise
                .as_deref()
                .map_or(Strength::None, |otherwise| figure(otherwise, major))
            {
                Strength::None | Strength::Weak(_) => Strength::Weak("case".into()),
                better => better,
            }
        }
        Expr::Literal(
            Literal::Null
            | Literal::Bool(_)
            | Literal::Number(_)
            | Literal::String(_)
            | Literal::Bits(_)
            | Literal::Hex(_),
        )
        | Expr::Default
        | Expr::CurrentOf(_)
        | Expr::Parameter(_)
        | Expr::And(_)
        | Expr::Or(_)
        | Expr::Not(_)
        | Expr::Unary { .. }
        | Expr::Binary { .. }
        | Expr::Is { .. }
        | Expr::IsJson { .. }
        | Expr::IsDistinct { .. }
        | Expr::InList { .. }
        | Expr::Between { .. }
        | Expr::Quantified {
            left: _,
            operator: _,
            all: _,
            right: Quantified::Query(_) | Quantified::Array(_),
            place: _,
        } => Strength::None,
    }
}

fn first_column(query: &Query) -> Name {
    first_of(&query.body).unwrap_or_else(|| "?column?".into())
}

fn first_of(body: &Body) -> Option<Name> {
    match body {
        Body::Select(select) => match select.items.first()? {
            Item::Expr {
                expr: _,
                alias: _,
                name,
            } => Some(name.clone()),
            Item::Star(star)
            | Item::QualifiedStar(_, star)
            | Item::RowStar { operand: _, star } => Some(star.columns.first()?.name.clone()),
        },
        Body::Nested(query) => first_of(&query.body),
        Body::Values(_) => Some("column1".into()),
        Body::Write(_) => None,
        Body::Operations { first, rest: _ } => first_of(first),
    }
}

impl Special {
    /// The word the construct is called by.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Coalesce => "coalesce",
            Self::Nullif => "nullif",
            Self::Greatest => "greatest",
            Self::Least => "least",
            Self::Row => "row",
            Self::Array => "array",
            Self::Grouping => "grouping",
        }
    }
}
