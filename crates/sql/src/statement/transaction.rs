//! Transactions, savepoints and their modes.

use sqlparser::ast::{
    self, Statement as S, TransactionAccessMode, TransactionIsolationLevel, TransactionMode,
};

use super::Plan;
use crate::lower::{self, absent, unsupported};
use crate::refusal::{Place, Result};
use crate::render::Writer;
use crate::{Context, Effect, Permit, StatementKind};

pub(super) fn transaction(statement: S, cx: &Context<'_>) -> Result<Permit> {
    let place = Place::default();
    let plan = Plan::new(StatementKind::Transaction);
    match statement {
        S::StartTransaction {
            modes,
            begin,
            transaction: _,
            modifier,
            statements,
            exception,
            has_end_keyword,
        } => {
            absent(modifier, "this kind of transaction", place)?;
            absent(
                statements.into_iter().next(),
                "a block of statements",
                place,
            )?;
            absent(exception, "EXCEPTION", place)?;
            if has_end_keyword {
                return Err(unsupported("BEGIN ... END", place));
            }
            let modes = words(&modes)?;
            plan.effect(Effect::Begin).plain(cx, |writer| {
                writer.push(if begin { "BEGIN" } else { "START TRANSACTION" });
                write_modes(writer, &modes);
            })
        }
        S::Commit {
            chain,
            end: _,
            modifier,
        } => {
            absent(modifier, "this kind of COMMIT", place)?;
            plan.effect(Effect::Commit { chain }).plain(cx, |writer| {
                writer.push(if chain { "COMMIT AND CHAIN" } else { "COMMIT" });
            })
        }
        S::Rollback {
            chain,
            savepoint: None,
        } => plan.effect(Effect::Rollback { chain }).plain(cx, |writer| {
            writer.push(if chain {
                "ROLLBACK AND CHAIN"
            } else {
                "ROLLBACK"
            });
        }),
        S::Rollback {
            chain: true,
            savepoint: Some(_),
        } => Err(unsupported("AND CHAIN with a savepoint", place)),
        S::Rollback {
            chain: false,
            savepoint: Some(name),
        } => {
            let name = lower::ident(name)?.name;
            plan.effect(Effect::RollbackToSavepoint(name.to_string()))
                .plain(cx, |writer| {
                    writer.push("ROLLBACK TO SAVEPOINT ");
                    writer.chosen(&name);
                })
        }
        S::Savepoint { name } => {
            let name = lower::ident(name)?.name;
            plan.effect(Effect::Savepoint(name.to_string()))
                .plain(cx, |writer| {
                    writer.push("SAVEPOINT ");
                    writer.chosen(&name);
                })
        }
        S::ReleaseSavepoint { name } => {
            let name = lower::ident(name)?.name;
            plan.effect(Effect::ReleaseSavepoint(name.to_string()))
                .plain(cx, |writer| {
                    writer.push("RELEASE SAVEPOINT ");
                    writer.chosen(&name);
                })
        }
        other => Err(super::refused::refusal(&other)),
    }
}

/// SET TRANSACTION and SET SESSION CHARACTERISTICS.
pub(super) fn set(
    modes: &[TransactionMode],
    snapshot: Option<ast::ValueWithSpan>,
    session: bool,
    cx: &Context<'_>,
) -> Result<Permit> {
    absent(snapshot, "SET TRANSACTION SNAPSHOT", Place::default())?;
    let modes = words(modes)?;
    if modes.is_empty() {
        return Err(unsupported(
            "SET TRANSACTION without a mode",
            Place::default(),
        ));
    }
    Plan::new(StatementKind::Transaction).plain(cx, |writer| {
        writer.push(if session {
            "SET SESSION CHARACTERISTICS AS TRANSACTION"
        } else {
            "SET TRANSACTION"
        });
        write_modes(writer, &modes);
    })
}

fn words(modes: &[TransactionMode]) -> Result<Vec<&'static str>> {
    let word = |mode: &TransactionMode| {
        Ok(match mode {
            TransactionMode::AccessMode(TransactionAccessMode::ReadOnly) => "READ ONLY",
            TransactionMode::AccessMode(TransactionAccessMode::ReadWrite) => "READ WRITE",
            TransactionMode::IsolationLevel(level) => match level {
                TransactionIsolationLevel::ReadUncommitted => "ISOLATION LEVEL READ UNCOMMITTED",
                TransactionIsolationLevel::ReadCommitted => "ISOLATION LEVEL READ COMMITTED",
                TransactionIsolationLevel::RepeatableRead => "ISOLATION LEVEL REPEATABLE READ",
                TransactionIsolationLevel::Serializable => "ISOLATION LEVEL SERIALIZABLE",
                // The pre-pass says so of DEFERRABLE, and lets nobody else.
                TransactionIsolationLevel::Snapshot => "DEFERRABLE",
            },
        })
    };
    modes.iter().map(word).collect()
}

fn write_modes(writer: &mut Writer<'_>, modes: &[&'static str]) {
    for (index, mode) in modes.iter().enumerate() {
        writer.push(if index == 0 { " " } else { ", " });
        writer.push(mode);
    }
}
