//! SET, RESET, DISCARD: settings on the allow-list, with literal values of the kind each takes.

use sqlparser::ast::{self, Set};

use super::{Plan, transaction};
use crate::ir::Literal;
use crate::lower::{self, unsupported};
use crate::refusal::{Place, Reason, Refusal, Result};
use crate::snapshot::PG_CATALOG;
use crate::{Context, Effect, Permit, StatementKind, allow};

/// The setting that SET TIME ZONE sets.
const TIME_ZONE: &str = "TimeZone";

/// The schema that stands for the current role's name.
const USER_SCHEMA: &str = "$user";

pub(super) fn set(set: Set, cx: &Context<'_>) -> Result<Permit> {
    match set {
        Set::SingleAssignment {
            scope,
            hivevar,
            variable,
            values,
        } => {
            let local = match scope {
                None | Some(ast::ContextModifier::Session) => false,
                Some(ast::ContextModifier::Local) => true,
                Some(ast::ContextModifier::Global) => {
                    return Err(unsupported("SET GLOBAL", Place::default()));
                }
            };
            if hivevar {
                return Err(unsupported("SET of a variable", Place::default()));
            }
            assign(&lower::object_name(variable)?, values, local, cx)
        }
        Set::SetTimeZone { local, value } => {
            let value = match &value {
                // LOCAL is the server's own default.
                ast::Expr::Identifier(word)
                    if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("local") =>
                {
                    ast::Expr::Identifier(ast::Ident::new("default"))
                }
                _other => value,
            };
            let name = crate::ir::Ident::made(TIME_ZONE);
            assign(&[name], vec![value], local, cx)
        }
        Set::SetNames {
            charset_name,
            collation_name,
        } => {
            lower::absent(collation_name, "COLLATE in SET NAMES", Place::default())?;
            let name = crate::ir::Ident::made("client_encoding");
            // A string in PostgreSQL, an identifier in quotes to sqlparser.
            let value = ast::Value::SingleQuotedString(charset_name.value);
            assign(&[name], vec![ast::Expr::value(value)], false, cx)
        }
        Set::SetTransaction {
            modes,
            snapshot,
            session,
        } => transaction::set(&modes, snapshot, session, cx),
        Set::SetSessionAuthorization(_) => Err(refused("SET SESSION AUTHORIZATION")),
        Set::SetRole {
            context_modifier: _,
            role_name: _,
        } => Err(refused("SET ROLE")),
        Set::SetNamesDefault {}
        | Set::SetSessionParam(_)
        | Set::ParenthesizedAssignments { .. }
        | Set::MultipleAssignments { .. } => Err(unsupported("this SET", Place::default())),
    }
}

pub(super) fn reset(reset: ast::ResetStatement, cx: &Context<'_>) -> Result<Permit> {
    let ast::ResetStatement { reset } = reset;
    let plan = Plan::new(StatementKind::Set);
    match reset {
        ast::Reset::ALL => plan
            .effect(Effect::ResetAll)
            .plain(cx, |writer| writer.push("RESET ALL")),
        ast::Reset::SessionAuthorization => Err(refused("RESET SESSION AUTHORIZATION")),
        ast::Reset::ConfigurationParameter(name) => {
            let setting = settable(&lower::object_name(name)?)?;
            let effect = if setting.is_search_path() {
                Effect::SetSearchPath {
                    path: None,
                    local: false,
                }
            } else {
                Effect::Set {
                    name: setting.name.to_ascii_lowercase(),
                    local: false,
                }
            };
            plan.effect(effect).plain(cx, |writer| {
                writer.push("RESET ");
                writer.name(setting.name);
            })
        }
    }
}

pub(super) fn discard(what: ast::DiscardObject, cx: &Context<'_>) -> Result<Permit> {
    let (text, effect) = match what {
        ast::DiscardObject::ALL => ("DISCARD ALL", Effect::DiscardAll),
        ast::DiscardObject::PLANS => ("DISCARD PLANS", Effect::None),
        ast::DiscardObject::SEQUENCES => ("DISCARD SEQUENCES", Effect::None),
        ast::DiscardObject::TEMP => ("DISCARD TEMP", Effect::DiscardTemporary),
    };
    Plan::new(StatementKind::Set)
        .effect(effect)
        .plain(cx, |writer| writer.push(text))
}

/// `UNLISTEN *`, which pools send to clean up; there is nothing to listen to.
pub(super) fn unlisten(channel: &ast::Ident, cx: &Context<'_>) -> Result<Permit> {
    if channel.value != "*" || channel.quote_style.is_some() {
        return Err(refused("UNLISTEN of a channel"));
    }
    Plan::new(StatementKind::Set).plain(cx, |writer| writer.push("UNLISTEN *"))
}

/// `SET [LOCAL] name TO values`.
fn assign(
    name: &[crate::ir::Ident],
    values: Vec<ast::Expr>,
    local: bool,
    cx: &Context<'_>,
) -> Result<Permit> {
    let setting = settable(name)?;
    let place = name.first().map_or(Place::default(), |name| name.place);
    let default = matches!(
        values.as_slice(),
        [ast::Expr::Identifier(word)]
            if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("default")
    );
    let values: Vec<String> = if default {
        Vec::new()
    } else {
        values
            .into_iter()
            .map(|value| text_of(value, place))
            .collect::<Result<_>>()?
    };
    let mut effect = Effect::Set {
        name: setting.name.to_ascii_lowercase(),
        local,
    };
    let mut written = values.clone();
    if !default {
        let texts: Vec<_> = values.iter().map(String::as_str).collect();
        setting.check_value(&texts).map_err(|why| {
            Refusal::new(
                Reason::SettingValue,
                format!("this value of \"{}\" is not relayed: {why}", setting.name),
            )
            .near(place)
        })?;
    }
    if setting.is_search_path() {
        let path = if default {
            None
        } else {
            Some(search_path(&values, place, cx)?)
        };
        if let Some(path) = &path {
            written.clone_from(path);
            if written.is_empty() {
                written.push(String::new());
            }
        }
        effect = Effect::SetSearchPath { path, local };
    }
    Plan::new(StatementKind::Set)
        .effect(effect)
        .plain(cx, |writer| {
            writer.push(if local { "SET LOCAL " } else { "SET " });
            writer.name(setting.name);
            writer.push(" TO ");
            if default {
                writer.push("DEFAULT");
            } else {
                writer.separated(&written, |writer, value| writer.string(value));
            }
        })
}

/// The schemas of a search path: each exists and is a user's. `pg_catalog` may only stand first,
/// where it is anyway; further back it would let a user's operators go before PostgreSQL's own.
fn search_path(values: &[String], place: Place, cx: &Context<'_>) -> Result<Vec<String>> {
    let mut path = Vec::new();
    for (index, schema) in values.iter().enumerate() {
        match schema.as_str() {
            "" | USER_SCHEMA => {}
            PG_CATALOG if index == 0 => {}
            name if name.starts_with("pg_") => {
                return Err(Refusal::new(
                    Reason::SettingValue,
                    format!("schema \"{name}\" may not be named in search_path"),
                )
                .near(place));
            }
            name if cx.snapshot.has_schema(name) => path.push(name.to_owned()),
            name => {
                return Err(Refusal::new(
                    Reason::UnknownSchema,
                    format!("schema \"{name}\" does not exist"),
                )
                .near(place));
            }
        }
    }
    Ok(path)
}

fn settable(name: &[crate::ir::Ident]) -> Result<&'static allow::Setting> {
    let (text, place) = match name {
        [name] => (name.name.to_string(), name.place),
        path => {
            let parts: Vec<_> = path.iter().map(|part| &*part.name).collect();
            let place = path.first().map_or(Place::default(), |first| first.place);
            (parts.join("."), place)
        }
    };
    match allow::setting(&text) {
        Some(setting) if setting.may_set() => Ok(setting),
        Some(_) | None => Err(Refusal::new(
            Reason::Setting,
            format!("setting \"{text}\" cannot be changed through the gateway"),
        )
        .near(place)),
    }
}

/// The text of a literal or bare word.
fn text_of(value: ast::Expr, place: Place) -> Result<String> {
    if let ast::Expr::Identifier(word) = value {
        return Ok(lower::ident(word)?.name.to_string());
    }
    match lower::expr(value)? {
        crate::ir::Expr::Literal(Literal::String(text) | Literal::Number(text)) => {
            Ok(text.into_string())
        }
        crate::ir::Expr::Literal(Literal::Bool(value)) => Ok(value.to_string()),
        _other => Err(unsupported("a value that is no literal in SET", place)),
    }
}

fn refused(what: &str) -> Refusal {
    Refusal::new(Reason::NotGranted, format!("{what} is not relayed"))
}
