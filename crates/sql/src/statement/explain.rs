//! EXPLAIN. Over anything masked it shows the plan's shape and nothing counted: costs, row
//! estimates and run times tell of the values beneath a mask.

use sqlparser::ast::{self, Statement as S};

use super::{Plan, as_query, prepare, settle};
use crate::lower::unsupported;
use crate::refusal::{Place, Reason, Refusal, Result};
use crate::render::Writer;
use crate::{Context, Permit, StatementKind};

/// What EXPLAIN was asked for.
#[derive(Debug, Default)]
struct Options {
    /// Options that are on or off, in the grammar's words; `None` is on.
    switches: Vec<(&'static str, bool)>,
    format: Option<&'static str>,
}

/// Options that tell nothing of the rows.
const HARMLESS: [&str; 3] = ["COSTS", "GENERIC_PLAN", "SETTINGS"];

pub(super) fn explain(statement: S, cx: &Context<'_>) -> Result<Permit> {
    let S::Explain {
        describe_alias,
        analyze,
        verbose,
        query_plan,
        estimate,
        statement,
        format,
        options,
    } = statement
    else {
        return Err(unsupported("this EXPLAIN", Place::default()));
    };
    match describe_alias {
        ast::DescribeAlias::Explain => {}
        ast::DescribeAlias::Describe | ast::DescribeAlias::Desc => {
            return Err(unsupported("DESCRIBE", Place::default()));
        }
    }
    if query_plan || estimate || format.is_some() {
        return Err(unsupported("this kind of EXPLAIN", Place::default()));
    }
    let mut read = Options::default();
    if analyze {
        read.switches.push(("ANALYZE", true));
    }
    if verbose {
        read.switches.push(("VERBOSE", true));
    }
    for option in options.into_iter().flatten() {
        read.add(option)?;
    }
    match *statement {
        read_or_write
        @ (S::Query(_) | S::Insert(_) | S::Update(_) | S::Delete(_) | S::Merge(_)) => {
            let (query, resolution) = settle(as_query(read_or_write)?, cx)?;
            let options = read.under(resolution.masked)?;
            Plan::new(StatementKind::Explain).permit(&resolution, cx, |writer| {
                options.write(writer);
                writer.query(&query);
            })
        }
        execute @ S::Execute { .. } => {
            let execution = prepare::execution(execute, cx)?;
            let options = read.under(cx.policy.masks_anything())?;
            let plan = Plan {
                by_reference: true,
                runs: Some(execution.name()),
                ..Plan::new(StatementKind::Explain)
            };
            plan.plain(cx, |writer| {
                options.write(writer);
                execution.write(writer);
            })
        }
        other => Err(super::refused::refusal(&other)),
    }
}

impl Options {
    fn add(&mut self, option: ast::UtilityOption) -> Result<()> {
        let ast::UtilityOption { name, arg } = option;
        let place = crate::lower::name_place(&name);
        let word = name.value.to_ascii_lowercase();
        if word == "format" {
            self.format = Some(match arg.as_ref().map(word_of).as_deref() {
                Some("text") => "TEXT",
                Some("json") => "JSON",
                Some("xml") => "XML",
                Some("yaml") => "YAML",
                Some(_) | None => return Err(unsupported("this EXPLAIN format", place)),
            });
            return Ok(());
        }
        let switch = match word.as_str() {
            "analyze" | "analyse" => "ANALYZE",
            "verbose" => "VERBOSE",
            "costs" => "COSTS",
            "settings" => "SETTINGS",
            "generic_plan" => "GENERIC_PLAN",
            "buffers" => "BUFFERS",
            "wal" => "WAL",
            "timing" => "TIMING",
            "summary" => "SUMMARY",
            "memory" => "MEMORY",
            _ => return Err(unsupported("this EXPLAIN option", place)),
        };
        let on = match arg.as_ref().map(word_of).as_deref() {
            None | Some("true" | "on" | "1") => true,
            Some("false" | "off" | "0") => false,
            Some(_) => return Err(unsupported("this value of an EXPLAIN option", place)),
        };
        self.switches.retain(|(known, _)| *known != switch);
        self.switches.push((switch, on));
        Ok(())
    }

    /// What is left of the options over something masked.
    fn under(mut self, masked: bool) -> Result<Self> {
        if !masked {
            return Ok(self);
        }
        let telling = self
            .switches
            .iter()
            .find(|(name, on)| *on && !HARMLESS.contains(name));
        if let Some((name, _)) = telling {
            return Err(Refusal::new(
                Reason::Explain,
                format!("EXPLAIN {name} of a masked relation is not relayed"),
            )
            .with_detail("run times, counts and expressions tell of the values beneath the mask")
            .with_hint("use plain EXPLAIN, which shows the plan without costs"));
        }
        self.switches.retain(|(name, on)| *on && *name != "COSTS");
        self.switches.push(("COSTS", false));
        Ok(self)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.push("EXPLAIN ");
        if self.switches.is_empty() && self.format.is_none() {
            return;
        }
        writer.push("(");
        for (index, (name, on)) in self.switches.iter().enumerate() {
            if index > 0 {
                writer.push(", ");
            }
            writer.push(name);
            writer.push(if *on { " ON" } else { " OFF" });
        }
        if let Some(format) = self.format {
            writer.push(if self.switches.is_empty() {
                "FORMAT "
            } else {
                ", FORMAT "
            });
            writer.push(format);
        }
        writer.push(") ");
    }
}

/// An option's argument as one lower-case word; anything else is no word of EXPLAIN's.
fn word_of(arg: &ast::Expr) -> String {
    match arg {
        ast::Expr::Identifier(name) => name.value.to_ascii_lowercase(),
        ast::Expr::Value(value) => match &value.value {
            ast::Value::Boolean(value) => value.to_string(),
            ast::Value::Number(digits, _) => digits.clone(),
            ast::Value::SingleQuotedString(text) => text.to_ascii_lowercase(),
            _other => String::new(),
        },
        _other => String::new(),
    }
}
