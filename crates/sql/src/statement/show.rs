//! SHOW: of settings on the allow-list, and of `phigate.*`, which becomes a SELECT of text.

use sqlparser::ast;

use super::Plan;
use crate::refusal::{Reason, Refusal, Result};
use crate::render::Writer;
use crate::{Context, Permit, StatementKind, allow, lower};

/// Most columns that SHOW phigate.columns lists.
const COLUMNS_SHOWN: usize = 10_000;

pub(super) fn show(variable: &[ast::Ident], cx: &Context<'_>) -> Result<Permit> {
    let place = variable.first().map(lower::name_place).unwrap_or_default();
    let words: Vec<_> = variable
        .iter()
        .map(|word| word.value.to_ascii_lowercase())
        .collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let plan = Plan::new(StatementKind::Show);
    match words.as_slice() {
        ["phigate", "columns"] => columns(plan, cx),
        ["phigate", what] => {
            let (name, value) = answer(what, cx).ok_or_else(|| {
                Refusal::new(
                    Reason::Setting,
                    format!("there is no phigate.{what} to show"),
                )
                .with_hint(
                    "SHOW phigate.grant, phigate.masking, phigate.columns, phigate.expires, \
                     phigate.budget, phigate.session or phigate.policy",
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

/// What SHOW phigate.columns answers, column by column.
const TOLD: [&str; 4] = ["relation", "column", "treatment", "holds"];

/// Each column that does not leave as it is: relation, column, treatment, what it holds.
fn columns(plan: Plan, cx: &Context<'_>) -> Result<Permit> {
    let told = cx.policy.told_columns(cx.snapshot, COLUMNS_SHOWN);
    plan.plain(cx, |writer| {
        writer.push("SELECT ");
        list(writer, |writer, name| {
            writer.push("c.");
            writer.name(name);
        });
        // The first row gives the types; it is not shown.
        writer.push(" FROM (VALUES (0, ");
        list(writer, |writer, _name| {
            writer.push("CAST(");
            writer.string("");
            writer.push(" AS pg_catalog.text)");
        });
        writer.push(")");
        for (row, column) in told.iter().enumerate() {
            let relation = format!("{}.{}", column.relation.schema, column.relation.name);
            let holds = column.identifier.map_or("", |class| class.as_str());
            writer.push(", (");
            writer.push(&(row + 1).to_string());
            for text in [&relation, column.column, column.treatment.as_str(), holds] {
                writer.push(", ");
                writer.string(text);
            }
            writer.push(")");
        }
        writer.push(") AS c (n, ");
        list(writer, Writer::name);
        writer.push(") WHERE c.n OPERATOR(pg_catalog.>) 0 ORDER BY c.n");
    })
}

/// Writes something for each of [`TOLD`], with commas.
fn list<'w>(writer: &mut Writer<'w>, each: impl Fn(&mut Writer<'w>, &str)) {
    for (index, name) in TOLD.iter().enumerate() {
        if index > 0 {
            writer.push(", ");
        }
        each(writer, name);
    }
}

/// The column's name and the text of one `phigate.*`.
fn answer(what: &str, cx: &Context<'_>) -> Option<(&'static str, String)> {
    Some(match what {
        "grant" => ("phigate.grant", cx.session.grant.to_owned()),
        "masking" => ("phigate.masking", cx.policy.describe()),
        "expires" => ("phigate.expires", cx.session.expires_at.to_owned()),
        "budget" => ("phigate.budget", cx.session.budget.to_owned()),
        "policy" => {
            let id = cx.policy.policy_id().map(ToString::to_string);
            ("phigate.policy", id.unwrap_or_default())
        }
        "session" => ("phigate.session", cx.session.id.to_owned()),
        _ => return None,
    })
}
