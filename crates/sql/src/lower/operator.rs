//! Operators, by the symbol that PostgreSQL knows them by.

use std::borrow::Cow;

use sqlparser::ast::{BinaryOperator, UnaryOperator};

use super::unsupported;
use crate::ir::Operator;
use crate::refusal::{Place, Result};
use crate::snapshot::PG_CATALOG;

/// What stands between two operands.
pub(super) enum Infix {
    And,
    Or,
    Overlaps,
    Operator(Operator),
}

/// What stands before an operand.
pub(super) enum Prefix {
    Not,
    Operator(Operator),
}

pub(super) fn infix(operator: BinaryOperator, place: Place) -> Result<Infix> {
    use BinaryOperator as B;
    let symbol = match operator {
        B::And => return Ok(Infix::And),
        B::Or => return Ok(Infix::Or),
        B::Overlaps => return Ok(Infix::Overlaps),
        B::Custom(symbol) => return Ok(Infix::Operator(Operator(Cow::Owned(symbol)))),
        B::PGCustomBinaryOperator(path) => return qualified(path, place).map(Infix::Operator),
        B::Plus => "+",
        B::Minus => "-",
        B::Multiply => "*",
        B::Divide => "/",
        B::Modulo => "%",
        B::StringConcat => "||",
        B::Gt => ">",
        B::Lt => "<",
        B::GtEq => ">=",
        B::LtEq => "<=",
        B::Eq => "=",
        B::NotEq => "<>",
        B::BitwiseOr => "|",
        B::BitwiseAnd => "&",
        B::PGBitwiseXor => "#",
        B::PGBitwiseShiftLeft => "<<",
        B::PGBitwiseShiftRight => ">>",
        B::PGExp => "^",
        B::PGOverlap => "&&",
        B::PGRegexMatch => "~",
        B::PGRegexIMatch => "~*",
        B::PGRegexNotMatch => "!~",
        B::PGRegexNotIMatch => "!~*",
        B::PGLikeMatch => "~~",
        B::PGILikeMatch => "~~*",
        B::PGNotLikeMatch => "!~~",
        B::PGNotILikeMatch => "!~~*",
        B::PGStartsWith => "^@",
        B::Arrow => "->",
        B::LongArrow => "->>",
        B::HashArrow => "#>",
        B::HashLongArrow => "#>>",
        B::AtAt => "@@",
        B::AtArrow => "@>",
        B::ArrowAt => "<@",
        B::HashMinus => "#-",
        B::AtQuestion => "@?",
        B::Question => "?",
        B::QuestionAnd => "?&",
        B::QuestionPipe => "?|",
        B::DoubleHash => "##",
        B::LtDashGt => "<->",
        B::AndLt => "&<",
        B::AndGt => "&>",
        B::LtLtPipe => "<<|",
        B::PipeGtGt => "|>>",
        B::AndLtPipe => "&<|",
        B::PipeAndGt => "|&>",
        B::LtCaret => "<^",
        B::GtCaret => ">^",
        B::QuestionHash => "?#",
        B::QuestionDash => "?-",
        B::QuestionDashPipe => "?-|",
        B::QuestionDoublePipe => "?||",
        B::TildeEq => "~=",
        B::Spaceship
        | B::Xor
        | B::BitwiseXor
        | B::DuckIntegerDivide
        | B::MyIntegerDivide
        | B::Match
        | B::Regexp
        | B::Glob
        | B::At
        | B::Assignment => return Err(unsupported("this operator", place)),
    };
    Ok(Infix::Operator(Operator::new(symbol)))
}

/// The symbol of an operator that does not associate (gram.y `%nonassoc '<' '>' '=' ...`).
pub(super) fn comparison_symbol(operator: &BinaryOperator) -> Option<&'static str> {
    match operator {
        BinaryOperator::Lt => Some("<"),
        BinaryOperator::Gt => Some(">"),
        BinaryOperator::Eq => Some("="),
        BinaryOperator::LtEq => Some("<="),
        BinaryOperator::GtEq => Some(">="),
        BinaryOperator::NotEq => Some("<>"),
        _other => None,
    }
}

/// An operator that compares, for ANY and ALL.
pub(super) fn comparison(operator: BinaryOperator, place: Place) -> Result<Operator> {
    match infix(operator, place)? {
        Infix::Operator(operator) => Ok(operator),
        Infix::And | Infix::Or | Infix::Overlaps => Err(unsupported("this comparison", place)),
    }
}

pub(super) fn prefix(operator: UnaryOperator, place: Place) -> Result<Prefix> {
    use UnaryOperator as U;
    let symbol = match operator {
        U::Not => return Ok(Prefix::Not),
        U::Plus => "+",
        U::Minus => "-",
        U::AtDashAt => "@-@",
        U::BitwiseNot => "~",
        U::DoubleAt => "@@",
        U::Hash => "#",
        U::PGAbs => "@",
        U::PGCubeRoot => "||/",
        U::PGSquareRoot => "|/",
        U::QuestionDash => "?-",
        U::QuestionPipe => "?|",
        U::PGPrefixFactorial => "!!",
        U::BangNot | U::PGPostfixFactorial => {
            return Err(unsupported("this operator", place));
        }
    };
    Ok(Prefix::Operator(Operator::new(symbol)))
}

/// `OPERATOR(pg_catalog.~)`: only that schema, so that no other function is ever called.
fn qualified(path: Vec<String>, place: Place) -> Result<Operator> {
    let mut path = path.into_iter();
    match (path.next(), path.next(), path.next()) {
        (Some(schema), Some(symbol), None) if schema == PG_CATALOG => {
            Ok(Operator(Cow::Owned(symbol)))
        }
        (Some(symbol), None, None) => Ok(Operator(Cow::Owned(symbol))),
        _more => Err(unsupported("an operator of another schema", place)),
    }
}
