//! SHOW: of settings on the allow-list, and of `phigate.*`, which becomes a SELECT of text.

use sqlparser::ast;

use super::Plan;
use crate::refusal::{Reason, Refusal, Result};
use crate::render::Writer;
use crate::{Context, Permit, StatementKind, allow, lower};

pub(super) fn show(variable: &[ast::Ident], cx: &Context<'_>) -> Result<Permit> {
    let place = variable.first().map(lower::name_place).unwrap_or_default();
    let words: Vec<_> = variable
        .iter()
        .map(|word| word.value.to_ascii_lowercase())
        .collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let plan = Plan::new(StatementKind::Show);
    match words.as_slice() {
        ["phigate", what] => {
            let (name, value) = answer(what, cx).ok_or_else(|| {
                Refusal::new(
                    Reason::Setting,
                    format!("there is no phigate.{what} to show"),
                )
                .with_hint(
                    "SHOW phigate.grant, phigate.masking, phigate.expires or phigate.session",
                )
                .near(place)
            })?;
            plan.plain(cx, |writer| {
                writer.push("SELECT CAST(");
                writer.string(&value);
                writer.push(" AS pg_catalog.text) AS ");
                writer.name(name);
            })
        }
        ["all"] => plan.plain(cx, |writer| {
            writer.push(
                "SELECT s.name AS name, pg_catalog.current_setting(s.name) AS setting, \
                 s.short_desc AS description FROM pg_catalog.pg_settings AS s \
                 WHERE pg_catalog.lower(s.name) OPERATOR(pg_catalog.~) ",
            );
            writer.string(allow::names_pattern());
            writer.push(" ORDER BY pg_catalog.lower(s.name)");
        }),
        ["transaction", "isolation", "level"] => {
            plan.plain(cx, |writer| writer.push("SHOW TRANSACTION ISOLATION LEVEL"))
        }
        ["time", "zone"] => plan.plain(cx, |writer| writer.push("SHOW TIME ZONE")),
        ["session", "authorization"] => {
            plan.plain(cx, |writer| writer.push("SHOW SESSION AUTHORIZATION"))
        }
        [name] => match allow::setting(name) {
            Some(setting) => plan.plain(cx, |writer| write_show(writer, setting.name)),
            None => Err(not_shown(name).near(place)),
        },
        _other => Err(not_shown(&words.join(" ")).near(place)),
    }
}

fn write_show(writer: &mut Writer<'_>, name: &str) {
    writer.push("SHOW ");
    writer.name(name);
}

fn not_shown(name: &str) -> Refusal {
    Refusal::new(
        Reason::Setting,
        format!("setting \"{name}\" is not shown through the gateway"),
    )
}

/// The column's name and the text of one `phigate.*`.
fn answer(what: &str, cx: &Context<'_>) -> Option<(&'static str, String)> {
    Some(match what {
        "grant" => ("phigate.grant", cx.session.grant.to_owned()),
        "masking" => ("phigate.masking", cx.policy.describe()),
        "expires" => ("phigate.expires", cx.session.expires_at.to_owned()),
        "session" => ("phigate.session", cx.session.id.to_owned()),
        _ => return None,
    })
}
