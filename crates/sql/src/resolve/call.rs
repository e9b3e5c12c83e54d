//! Function calls, by the allow-list.

use super::{Resolver, Shape};
use crate::allow::{self, Columns, Function, FunctionKind, Guard, NullOf};
use crate::ir::{Call, Expr, Literal, Name, TypeName};
use crate::refusal::{Place, Reason, Refusal, Result};
use crate::snapshot::{INFORMATION_SCHEMA, PG_CATALOG};

/// The first major version with AT LOCAL.
const AT_LOCAL_SINCE: u16 = 17;

impl Resolver<'_> {
    /// Settles a call and its arguments.
    pub(super) fn call(&mut self, call: &mut Call) -> Result<(Option<&'static Function>, Shape)> {
        self.check_major(call)?;
        let function = if call.built_in || is_plain_set_config(call)? {
            None
        } else {
            Some(find(call)?)
        };
        if let Some(function) = function {
            guard(function, call)?;
            self.ask_for_definer(call);
            self.out.functions.insert(function.name);
            self.out.rewritten |= function.guard != Guard::None;
        }
        let aggregates = call.over.is_none()
            && function.is_some_and(|function| {
                matches!(
                    function.kind,
                    FunctionKind::Aggregate | FunctionKind::OrderedSet
                )
            });
        self.level().aggregates += usize::from(aggregates);
        let inner = self.arguments(call);
        let level = self.level();
        level.aggregates = level.aggregates.saturating_sub(usize::from(aggregates));
        inner?;
        if let Some(Guard::Null(of)) = function.map(|function| function.guard) {
            answer_null(call, of);
        }
        if let Some(over) = &mut call.over {
            self.over(over)?;
        }
        let shape = function.and_then(|function| match function.columns {
            Columns::Named(names) if names.len() > 1 => {
                Some(names.iter().map(|name| Name::from(*name)).collect())
            }
            Columns::Named(_) | Columns::Definition | Columns::Argument => None,
        });
        Ok((function, shape))
    }

    /// Refuses special syntax that the server's major version does not have.
    fn check_major(&self, call: &Call) -> Result<()> {
        let is_at_local = call.built_in
            && call.arguments.len() == 1
            && call
                .path
                .last()
                .is_some_and(|name| &*name.name == "timezone");
        if is_at_local && self.cx.snapshot.major < AT_LOCAL_SINCE {
            return Err(Refusal::new(
                Reason::Syntax,
                "syntax error at or near \"local\"",
            ));
        }
        Ok(())
    }

    /// What an aggregate computes with, or any other call takes.
    fn arguments(&mut self, call: &mut Call) -> Result<()> {
        for argument in &mut call.arguments {
            self.expr(&mut argument.value)?;
        }
        self.sort_by(&mut call.order_by)?;
        self.sort_by(&mut call.within_group)?;
        match &mut call.filter {
            Some(filter) => self.expr(filter).map(|_shape| ()),
            None => Ok(()),
        }
    }
}

/// `set_config('name', 'value', false)` of a setting that SET may change, all three literals: what
/// drivers send where they cannot send SET. The search path is not among them. The value may be a
/// parameter where neither on nor off does harm and PostgreSQL takes nothing else.
fn is_plain_set_config(call: &mut Call) -> Result<bool> {
    let name = match call.path.as_slice() {
        [name] => name,
        [schema, name] if &*schema.name == PG_CATALOG => name,
        _longer => return Ok(false),
    };
    if &*name.name != "set_config" {
        return Ok(false);
    }
    let place = name.place;
    let [setting, value, local] = call.arguments.as_slice() else {
        return Ok(false);
    };
    let (
        Expr::Literal(Literal::String(setting)),
        value @ (Expr::Literal(Literal::String(_)) | Expr::Parameter(_)),
        Expr::Literal(Literal::Bool(_)),
    ) = (&setting.value, &value.value, &local.value)
    else {
        return Ok(false);
    };
    let allowed = allow::setting(setting).is_some_and(|known| match value {
        Expr::Literal(Literal::String(value)) => {
            !known.is_search_path() && known.check_value(&[value]).is_ok()
        }
        // asyncpg: `set_config('jit', $1, false)`.
        _parameter => known.takes_any_switch(),
    });
    if !allowed {
        return Err(Refusal::new(
            Reason::Setting,
            format!("set_config of \"{setting}\" to this value is not relayed"),
        )
        .with_hint("use SET")
        .near(place));
    }
    call.schema = PG_CATALOG;
    Ok(true)
}

/// Looks the function up; sets the schema to qualify it with.
fn find(call: &mut Call) -> Result<&'static Function> {
    let count = call.arguments.len();
    let (schema, name) = match call.path.as_slice() {
        [name] => (PG_CATALOG, name),
        [schema, name] if &*schema.name == PG_CATALOG => (PG_CATALOG, name),
        [schema, name] if &*schema.name == INFORMATION_SCHEMA => (INFORMATION_SCHEMA, name),
        [schema, name] => {
            return Err(refused(
                &format!("{}.{}", schema.name, name.name),
                name.place,
                None,
            ));
        }
        other => {
            let place = other.first().map_or(Place::default(), |first| first.place);
            return Err(refused("of this name", place, None));
        }
    };
    let function = if schema == PG_CATALOG {
        allow::function(&name.name, count)
    } else {
        allow::information_schema_function(&name.name, count)
    };
    let Some(function) = function else {
        let why = (schema == PG_CATALOG)
            .then(|| allow::function_denied(&name.name, count))
            .flatten();
        let refusal = refused(&name.name, name.place, why);
        return Err(match allow::instead_of(&name.name, count) {
            Some(instead) => refusal.with_hint(instead),
            None => refusal,
        });
    };
    if call.variadic && !function.is_variadic() {
        return Err(refused(
            &name.name,
            name.place,
            Some("it does not take VARIADIC"),
        ));
    }
    call.schema = schema;
    Ok(function)
}

fn refused(name: &str, place: Place, why: Option<&str>) -> Refusal {
    let refusal = Refusal::new(
        Reason::Function,
        format!("function {name} is not available through the gateway"),
    )
    .near(place);
    match why {
        Some(why) if !why.is_empty() => refusal.with_detail(why),
        Some(_) | None => refusal.with_detail(
            "only built-in functions that read nothing but their arguments are relayed",
        ),
    }
}

/// Holds a call to what its function's guard asks; `current_setting` of anything but a literal
/// becomes NULL where the name is not one that may be shown.
fn guard(function: &Function, call: &mut Call) -> Result<()> {
    match function.guard {
        Guard::None | Guard::Null(_) => Ok(()),
        Guard::SettingName => {
            let place = call.path.last().map_or(Place::default(), |name| name.place);
            let unfit = || {
                Refusal::new(
                    Reason::Setting,
                    format!(
                        "{} takes the name of a setting that may be shown",
                        function.name
                    ),
                )
                .near(place)
            };
            let missing_ok = matches!(
                call.arguments.as_slice(),
                [_, second] if matches!(&second.value, Expr::Literal(Literal::Bool(true)))
            );
            let Some(argument) = call.arguments.first_mut().filter(|a| a.name.is_none()) else {
                return Err(unfit());
            };
            if let Expr::Literal(Literal::String(name)) = &argument.value {
                if allow::setting(name).is_some() {
                    return Ok(());
                }
                // One that may not be shown is as one that there is not.
                if !missing_ok {
                    return Err(unfit());
                }
                argument.value = Expr::Literal(Literal::Null);
                return Ok(());
            }
            let written = std::mem::replace(&mut argument.value, Expr::Literal(Literal::Null));
            argument.value = shown_name(written);
            Ok(())
        }
    }
}

/// `substring(lower(CAST(name AS text)), '^(?:one|another)$')`: the name if it is one of a setting
/// that may be shown, else NULL. The name is computed once, so what is looked up is what was
/// compared.
fn shown_name(name: Expr) -> Expr {
    let text = Expr::Cast {
        operand: Box::new(name),
        ty: TypeName::built_in("text"),
    };
    let pattern = Expr::Literal(Literal::String(allow::names_pattern().into()));
    let lower = Call::built_in("lower", vec![text]);
    Call::built_in("substring", vec![lower, pattern])
}

/// Makes a call one that answers NULL of a type, without the arguments it had.
fn answer_null(call: &mut Call, of: NullOf) {
    let null = |mut ty: TypeName, array: bool| {
        ty.array = array;
        Expr::Cast {
            operand: Box::new(Expr::Literal(Literal::Null)),
            ty,
        }
    };
    let scalar = |name| null(TypeName::built_in(name), false);
    let array = || null(TypeName::built_in("int4"), true);
    let answer = match of {
        NullOf::Bigint => Call::built_in("abs", vec![scalar("int8")]),
        NullOf::Integer => Call::built_in("abs", vec![scalar("int4")]),
        NullOf::Integers => Call::built_in("array_cat", vec![array(), array()]),
        NullOf::Timestamp => Call::built_in("to_timestamp", vec![scalar("float8")]),
    };
    if let Expr::Call(answer) = answer {
        *call = *answer;
    }
}
