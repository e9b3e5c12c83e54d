//! Judging anew, by the catalog as it is now, what was judged by one that has changed since: what
//! would be sent another text for must not run, and what runs must not say anything.
//!
//! The same for the session's own temporary views. PostgreSQL keeps each with the relations that it
//! read when it was made, and reads *them* by their definitions of the moment: a view of the database's
//! own that is replaced, or a table that others begin to inherit from, changes what it shows.

use std::sync::Arc;

use phigate_sql::{Effect, RelationKind, Temporary, TemporaryChange, TemporaryRelation};

use super::{Enforcer, Judged, Plan, Refused};

/// What made the session's temporary views, so that it can be judged anew.
#[derive(Debug, Default)]
pub(super) struct Views {
    made: Vec<Arc<Plan>>,
    /// One of them would not be made as it is now: none is read until all are gone.
    outdated: bool,
}

impl Enforcer {
    /// Whether nothing has changed the catalog since this was judged. Costs next to nothing.
    pub(crate) fn is_current(&self, plan: &Plan) -> bool {
        let judged = plan.judged.as_ref();
        judged.is_none_or(|judged| judged.epoch == self.database.epoch())
    }

    /// Whether the database is served, by a catalog that is not stale: each new text asks the same.
    pub(crate) fn may_run(&self, plan: &Plan) -> Result<(), Refused> {
        match plan.judged {
            Some(_) => self.served().map(drop),
            None => Ok(()),
        }
    }

    /// What was judged before, by the catalog and the temporary relations as they are now: the plan
    /// if the same text would be sent, nothing if another one would.
    pub(crate) async fn anew(&mut self, plan: &Arc<Plan>) -> Result<Option<Arc<Plan>>, Refused> {
        let Some(judged) = &plan.judged else {
            return Ok(Some(Arc::clone(plan)));
        };
        self.refresh(&judged.path).await?;
        let by = Judged {
            temporary: Arc::clone(&self.temporary),
            ..judged.clone()
        };
        self.judged_by(plan, by).await
    }

    /// How many texts are kept because they made temporary views.
    pub(crate) fn kept(&self) -> usize {
        self.views.made.len()
    }

    /// A plan is being sent: what makes a temporary view is kept.
    pub(crate) fn sent(&mut self, plan: &Arc<Plan>) {
        let known = |made: &Arc<Plan>| made.text == plan.text && made.sql == plan.sql;
        let makes_view = plan.permits.iter().any(|permit| match permit.effect() {
            Effect::Temporary(TemporaryChange::Create { relation, keeps: _ }) => {
                relation.kind == RelationKind::View
            }
            _ => false,
        });
        if makes_view && !self.views.made.iter().any(known) {
            self.views.made.push(Arc::clone(plan));
        }
    }

    /// Judges anew what made temporary views, where the catalog has changed since.
    pub(super) async fn judge_views(&mut self) {
        let Some(epoch) = self.current.as_ref().map(|current| current.snapshot.epoch) else {
            return;
        };
        let mut made = std::mem::take(&mut self.views.made);
        for plan in &mut made {
            let judged = plan.judged.clone();
            let Some(by) = judged.filter(|judged| judged.epoch != epoch) else {
                continue;
            };
            match self.judged_by(plan, by).await {
                Ok(Some(anew)) => *plan = anew,
                Ok(None) | Err(_) => self.views.outdated = true,
            }
        }
        self.views.made = made;
        if self.views.outdated && !self.temporary.has_outdated_views() {
            let temporary = Temporary::clone(&self.temporary);
            self.set_temporary(temporary, false);
        }
    }

    /// The plan of the same text by the catalog that is bound, if the same text would be sent.
    async fn judged_by(&self, plan: &Plan, by: Judged) -> Result<Option<Arc<Plan>>, Refused> {
        let Some(current) = &self.current else {
            return Err(Refused::stale(&self.facts.database));
        };
        let by = Judged {
            epoch: current.snapshot.epoch,
            ..by
        };
        let anew = self.judge(&plan.text, by, current).await?;
        Ok((anew.sql == plan.sql).then(|| Arc::new(anew)))
    }
}

impl Views {
    /// What the session's connection listed, less what must not be read. Once it has no view any more
    /// there is nothing to judge.
    pub(super) fn listed(&mut self, temporary: Temporary, settled: bool) -> Temporary {
        let is_view = |relation: &TemporaryRelation| relation.kind == RelationKind::View;
        if settled && !temporary.relations().any(is_view) {
            *self = Self::default();
        }
        if self.outdated {
            temporary.with_outdated_views()
        } else {
            temporary
        }
    }
}
