//! What was judged by a catalog that has changed since. PostgreSQL reads a prepared statement anew,
//! by name, when a table changes; so does the gateway, and what it would send another text for now
//! does not run. The same for what was under way at the time: before its first row leaves, since
//! PostgreSQL may have read it after the change. From there on its locks keep the tables as they are
//! (PostgreSQL: utils/cache/plancache.c, RevalidateCachedQuery; commands/tablecmds.c).

use std::sync::Arc;

use phigate_sql::Effect;
use phigate_types::{PgError, SqlState};
use phigate_wire::backend::tag;
use phigate_wire::frame::Step;

use super::Conversation;
use crate::enforce::{Plan, Refused};
use crate::session::end::End;
use crate::session::expect::Expect;

/// What a name stands for.
pub(super) struct Prepared {
    /// What it runs, by the catalog as it is now.
    pub(super) plan: Arc<Plan>,
    /// The catalog has changed since it was last asked for.
    pub(super) anew: bool,
}

impl Conversation {
    /// What was prepared under a name, if the catalog as it is now lets the same text run; nothing
    /// if the server has no such name either.
    pub(super) async fn prepared(&mut self, name: &str) -> Result<Option<Prepared>, Refused> {
        let Some(plan) = self.names.prepared(name).map(Arc::clone) else {
            return Ok(None);
        };
        self.enforcer.may_run(&plan)?;
        if self.enforcer.is_current(&plan) {
            return Ok(Some(Prepared { plan, anew: false }));
        }
        let plan = self.enforcer.anew(&plan).await?.ok_or_else(outdated)?;
        if let Some(statement) = self.names.statement(name) {
            let parameters = &statement.parsed.parameters;
            self.enforcer.check_parameters(parameters)?;
        }
        self.names.renew(name, Arc::clone(&plan));
        Ok(Some(Prepared { plan, anew: true }))
    }

    /// What a plan runs by name, but for what it has prepared itself by then.
    pub(super) async fn beneath(&mut self, plan: &Plan) -> Result<Vec<Arc<Plan>>, Refused> {
        let mut beneath = Vec::new();
        let mut own = Vec::new();
        for permit in &plan.permits {
            if let Effect::Prepare(name) = permit.effect() {
                own.push(name.as_str());
            }
            if let Some(name) = permit.runs().filter(|name| !own.contains(name)) {
                beneath.extend(self.prepared(name).await?.map(|prepared| prepared.plan));
            }
        }
        Ok(beneath)
    }

    /// Whether this is the first that the server says of an execution which was judged by another
    /// catalog than the one there is now.
    pub(in crate::session) fn is_overtaken(&mut self, step: &Step) -> bool {
        let says = match step {
            Step::Stream { .. } => true,
            Step::Frame { tag, len: _ } => {
                is_error(step) || matches!(*tag, tag::COMMAND_COMPLETE | tag::PORTAL_SUSPENDED)
            }
            Step::More { .. } => false,
        };
        let Some(Expect::Query(run) | Expect::Execute(run)) = self.expect.head() else {
            return false;
        };
        if run.begun || !says {
            return false;
        }
        let mut plans = run.plan.iter().chain(&run.beneath);
        run.begun = plans.all(|plan| self.enforcer.is_current(plan));
        !run.begun
    }

    /// Judges it anew. If another text would be sent for it now, an error is replaced, since it may
    /// tell of a value; anything else ends the session, since it may have been done already.
    pub(in crate::session) async fn judge_anew(&mut self, step: &Step) -> Result<(), End> {
        let Some(Expect::Query(run) | Expect::Execute(run)) = self.expect.head() else {
            return Ok(());
        };
        run.begun = true;
        let plans: Vec<_> = run
            .plan
            .iter()
            .chain(&run.beneath)
            .map(Arc::clone)
            .collect();
        for plan in plans {
            if matches!(self.enforcer.anew(&plan).await, Ok(Some(_))) {
                continue;
            }
            tracing::warn!(session = %self.session, "a statement was overtaken by a change of the catalog");
            return match self.expect.head() {
                Some(Expect::Query(run) | Expect::Execute(run)) if is_error(step) => {
                    run.refused = Some(Box::new(outdated().error));
                    Ok(())
                }
                Some(_) | None => Err(End::Overtaken),
            };
        }
        Ok(())
    }
}

fn is_error(step: &Step) -> bool {
    matches!(step, Step::Frame { tag, len: _ } if *tag == tag::ERROR)
}

fn outdated() -> Refused {
    Refused {
        reason: "catalog_changed",
        error: PgError::error(
            SqlState::FEATURE_NOT_SUPPORTED,
            "cached plan must not change result type",
        )
        .with_detail(
            "The database's tables have changed: the statement would be read in another way now.",
        )
        .with_hint("prepare it again, or repeat it"),
    }
}
