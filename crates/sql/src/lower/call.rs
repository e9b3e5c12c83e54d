//! Function calls, and the grammar that looks like one.

use sqlparser::ast::{self, DateTimeField, Expr as E, FunctionArgExpr, FunctionArguments};

use super::expr::{boxed, expr, exprs};
use super::{absent, bare_word, ident, object_name, parse, query, unsupported, window};
use crate::ir::{Argument, Call, Expr, Literal, Special, TypeName, ValueFunction};
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
    let FunctionArguments::List(list) = function.args else {
        return Err(unfit());
    };
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
    let FunctionArguments::List(ast::FunctionArgumentList {
        duplicate_treatment: None,
        args,
        clauses,
    }) = function.args
    else {
        return Err(unfit());
    };
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

/// `EXTRACT(field FROM x)` is `pg_catalog.extract('field', x)` (gram.y).
pub(super) fn extract(
    field: &DateTimeField,
    syntax: &ast::ExtractSyntax,
    x: Box<E>,
) -> Result<Expr> {
    let place = super::place(&*x);
    match syntax {
        ast::ExtractSyntax::From => {}
        ast::ExtractSyntax::Comma => return Err(unsupported("EXTRACT with a comma", place)),
    }
    let field = Expr::Literal(Literal::String(field_name(field, place)?.into()));
    Ok(Call::built_in("extract", vec![field, boxed(x)?]))
}

/// CEIL and FLOOR are plain functions in PostgreSQL.
pub(super) fn rounded(name: &str, x: Box<E>, field: &ast::CeilFloorKind) -> Result<Expr> {
    match field {
        ast::CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) => {
            Ok(Call::built_in(name, vec![boxed(x)?]))
        }
        ast::CeilFloorKind::DateTimeField(_) | ast::CeilFloorKind::Scale(_) => {
            Err(unsupported("CEIL or FLOOR to a unit", super::place(&*x)))
        }
    }
}

/// `SUBSTRING(x FROM a FOR b)`, `SUBSTRING(x FOR b)`, `SUBSTRING(x, a, b)`, `SUBSTR(x, a, b)`.
pub(super) fn substring(
    x: Box<E>,
    from: Option<Box<E>>,
    length: Option<Box<E>>,
    comma: bool,
    shorthand: bool,
) -> Result<Expr> {
    if shorthand && !comma {
        return Err(unsupported("SUBSTR with FROM", super::place(&*x)));
    }
    let mut arguments = vec![boxed(x)?];
    match (from, length) {
        (Some(from), length) => {
            arguments.push(boxed(from)?);
            if let Some(length) = length {
                arguments.push(boxed(length)?);
            }
        }
        // gram.y: "SUBSTRING(A FOR B)" is substring(A, 1, B::int4).
        (None, Some(length)) => {
            arguments.push(Expr::Literal(Literal::Number("1".into())));
            let operand = Box::new(boxed(length)?);
            arguments.push(Expr::Cast {
                operand,
                ty: TypeName::built_in("int4"),
            });
        }
        (None, None) => {}
    }
    Ok(Call::built_in(
        if shorthand { "substr" } else { "substring" },
        arguments,
    ))
}

/// TRIM is btrim, ltrim or rtrim (gram.y).
pub(super) fn trim(
    side: Option<ast::TrimWhereField>,
    what: Option<Box<E>>,
    x: Box<E>,
    characters: Option<Vec<E>>,
) -> Result<Expr> {
    let name = match side {
        None | Some(ast::TrimWhereField::Both) => "btrim",
        Some(ast::TrimWhereField::Leading) => "ltrim",
        Some(ast::TrimWhereField::Trailing) => "rtrim",
    };
    let mut arguments = vec![boxed(x)?];
    if let Some(what) = what {
        arguments.push(boxed(what)?);
    }
    arguments.extend(exprs(characters.unwrap_or_default())?);
    if arguments.len() > 2 {
        return Err(unsupported("TRIM with so many arguments", Place::default()));
    }
    Ok(Call::built_in(name, arguments))
}

/// `OVERLAY(x PLACING what FROM a FOR b)`.
pub(super) fn overlay(
    x: Box<E>,
    what: Box<E>,
    from: Box<E>,
    length: Option<Box<E>>,
) -> Result<Expr> {
    let mut arguments = vec![boxed(x)?, boxed(what)?, boxed(from)?];
    if let Some(length) = length {
        arguments.push(boxed(length)?);
    }
    Ok(Call::built_in("overlay", arguments))
}

/// The fields of an interval type, which PostgreSQL's grammar closes.
pub(super) fn interval_fields(
    first: Option<&DateTimeField>,
    last: Option<&DateTimeField>,
    place: Place,
) -> Result<Option<&'static str>> {
    use DateTimeField as F;
    let fields = match (first, last) {
        (None, None) => return Ok(None),
        (Some(F::Year), None) => "YEAR",
        (Some(F::Month), None) => "MONTH",
        (Some(F::Day), None) => "DAY",
        (Some(F::Hour), None) => "HOUR",
        (Some(F::Minute), None) => "MINUTE",
        (Some(F::Second), None) => "SECOND",
        (Some(F::Year), Some(F::Month)) => "YEAR TO MONTH",
        (Some(F::Day), Some(F::Hour)) => "DAY TO HOUR",
        (Some(F::Day), Some(F::Minute)) => "DAY TO MINUTE",
        (Some(F::Day), Some(F::Second)) => "DAY TO SECOND",
        (Some(F::Hour), Some(F::Minute)) => "HOUR TO MINUTE",
        (Some(F::Hour), Some(F::Second)) => "HOUR TO SECOND",
        (Some(F::Minute), Some(F::Second)) => "MINUTE TO SECOND",
        (Some(_) | None, Some(_)) | (Some(_), None) => {
            return Err(unsupported("this interval field", place));
        }
    };
    Ok(Some(fields))
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

/// Arguments that are expressions and nothing else.
fn special_arguments(arguments: Arguments, place: Place) -> Result<Vec<Expr>> {
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
fn fields(arguments: Arguments, place: Place) -> Result<Vec<Expr>> {
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

struct Arguments {
    named: Vec<Named>,
    star: bool,
    distinct: bool,
    order_by: Vec<crate::ir::OrderItem>,
}

struct Named {
    name: Option<ast::Ident>,
    value: Value,
}

enum Value {
    Expr(Expr),
    /// `a.*`: the whole row.
    Row(Vec<crate::ir::Ident>),
}

impl Named {
    fn argument(self) -> Result<Argument> {
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

fn argument_list(list: ast::FunctionArgumentList, place: Place) -> Result<Arguments> {
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

/// `NORMALIZE(x, NFC)`: the form is a word of the grammar (gram.y `unicode_normal_form`).
fn normal_form(arguments: &mut [Named]) {
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
fn take_variadic(arguments: &mut [Named], place: Place) -> Result<bool> {
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

/// The field that EXTRACT names, as `extract` takes it.
fn field_name(field: &DateTimeField, place: Place) -> Result<String> {
    use DateTimeField as F;
    let name = match field {
        F::Year => "year",
        F::Years => "years",
        F::Month => "month",
        F::Months => "months",
        F::Week(None) => "week",
        F::Weeks => "weeks",
        F::Day => "day",
        F::Days => "days",
        F::Hour => "hour",
        F::Hours => "hours",
        F::Minute => "minute",
        F::Minutes => "minutes",
        F::Second => "second",
        F::Seconds => "seconds",
        F::Century => "century",
        F::Decade => "decade",
        F::Dow => "dow",
        F::Doy => "doy",
        F::Epoch => "epoch",
        F::Isodow => "isodow",
        F::Isoyear => "isoyear",
        F::Julian => "julian",
        F::Microsecond => "microsecond",
        F::Microseconds => "microseconds",
        F::Millennium => "millennium",
        F::Millisecond => "millisecond",
        F::Milliseconds => "milliseconds",
        F::Quarter => "quarter",
        F::Timezone => "timezone",
        F::TimezoneHour => "timezone_hour",
        F::TimezoneMinute => "timezone_minute",
        // `EXTRACT('year' FROM x)`
        F::Custom(name) if name.quote_style == Some('\'') => return Ok(name.value.clone()),
        F::Custom(name) => return Ok(ident(name.clone())?.name.to_string()),
        F::Week(Some(_))
        | F::DayOfWeek
        | F::DayOfYear
        | F::Date
        | F::Datetime
        | F::IsoWeek
        | F::Millenium
        | F::Nanosecond
        | F::Nanoseconds
        | F::Time
        | F::TimezoneAbbr
        | F::TimezoneRegion
        | F::NoDateTime => return Err(unsupported("this field in EXTRACT", place)),
    };
    Ok(name.to_owned())
}
