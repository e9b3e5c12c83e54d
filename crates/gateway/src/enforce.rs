//! From a statement's text to what may run in its place: the plan, cached by the exact text and
//! everything it was judged against.

mod anew;

use std::sync::Arc;

use aws_lc_rs::digest::{Context as Sha256, SHA256};
use equivalent::Equivalent;
use moka::future::Cache;
use phigate_audit::record::{Analysis, ColumnTouch, Decision, Fingerprint, Touch};
use phigate_phi::{EffectivePolicy, KeyAccess, ReleaseContext};
use phigate_sql::{
    Batch, BoundPolicy, Context, Passthrough, Permit, Refusal, RelationKind, Session, Snapshot,
    StatementKind, Temporary, Through,
};
use phigate_types::{PgError, SqlState};

use crate::database::Database;
use crate::limits;
use crate::session::BudgetLeft;

/// What may run for one text.
#[derive(Debug)]
pub(crate) struct Plan {
    /// One a statement; none for an empty text.
    pub(crate) permits: Vec<Permit>,
    /// The text to send.
    pub(crate) sql: Arc<str>,
    /// The text that was typed.
    text: Arc<str>,
    /// What the record says of each permit.
    pub(crate) analyses: Vec<Arc<Analysis>>,
    /// What it was judged by; nothing where it is relayed unread.
    judged: Option<Judged>,
}

/// What a text was judged by, beside the grant: to be judged so again when the catalog has changed.
#[derive(Debug, Clone)]
struct Judged {
    epoch: u64,
    form: Form,
    path: Arc<[String]>,
    temporary: Arc<Temporary>,
}

/// How a text arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// A Query: any number of statements.
    Simple,
    /// A Parse: at most one.
    Extended,
}

/// Why nothing may run.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The word in the record and the metric.
    pub(crate) reason: &'static str,
    /// What the client is told.
    pub(crate) error: PgError,
}

/// What is known of a session while it lives.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) user: String,
    pub(crate) database: String,
    pub(crate) session: String,
    pub(crate) grant: String,
    pub(crate) expires_at: String,
    pub(crate) write: bool,
    /// What is left of the grant's budget, where it has one.
    pub(crate) budget: Option<Arc<BudgetLeft>>,
}

/// The plans of every session.
#[derive(Clone)]
pub(crate) struct Plans {
    /// Hashed under a random key: texts are the clients' to choose.
    plans: Cache<Key, Arc<Plan>, ahash::RandomState>,
    bound: Cache<BoundKey, Arc<BoundPolicy>>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    scope: [u8; 32],
    form: Form,
    text: Arc<str>,
}

/// Looks like a [`Key`] to the cache without owning the text.
#[derive(Hash)]
struct KeyRef<'a> {
    scope: &'a [u8; 32],
    form: Form,
    text: &'a str,
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self.scope == key.scope && self.form == key.form && *self.text == *key.text
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct BoundKey {
    database: String,
    policy: String,
    epoch: u64,
    as_of: String,
}

/// Judges the statements of one session.
pub(crate) struct Enforcer {
    database: Arc<Database>,
    policy: Arc<EffectivePolicy>,
    release: Arc<ReleaseContext>,
    facts: Arc<Facts>,
    plans: Plans,
    authority: Option<Passthrough>,
    /// What the last text was judged against.
    current: Option<Current>,
    /// The session's own temporary relations.
    temporary: Arc<Temporary>,
    /// What made the temporary views among them.
    views: anew::Views,
}

struct Current {
    snapshot: Arc<Snapshot>,
    bound: Arc<BoundPolicy>,
    path: Arc<[String]>,
    scope: [u8; 32],
}

impl Plans {
    pub(crate) fn new() -> Self {
        let weigh = |key: &Key, plan: &Arc<Plan>| {
            let size = key.text.len() + plan.sql.len() * 2 + 512 * (1 + plan.permits.len());
            u32::try_from(size).unwrap_or(u32::MAX)
        };
        Self {
            plans: Cache::builder()
                .weigher(weigh)
                .max_capacity(limits::PLAN_CACHE)
                .build_with_hasher(ahash::RandomState::new()),
            bound: Cache::new(limits::BOUND_CACHE),
        }
    }
}

impl Enforcer {
    pub(crate) fn new(
        database: Arc<Database>,
        policy: Arc<EffectivePolicy>,
        release: ReleaseContext,
        facts: Facts,
        plans: Plans,
        authority: Option<Passthrough>,
    ) -> Self {
        Self {
            database,
            policy,
            release: Arc::new(release),
            facts: Arc::new(facts),
            plans,
            authority,
            current: None,
            temporary: Arc::default(),
            views: anew::Views::default(),
        }
    }

    /// The session's own temporary relations are these from now on; `settled` when no open
    /// transaction may take that back.
    pub(crate) fn set_temporary(&mut self, temporary: Temporary, settled: bool) {
        self.temporary = Arc::new(self.views.listed(temporary, settled));
        if let Some(current) = self.current.take() {
            let scope = self.scope(current.snapshot.epoch, &current.path);
            self.current = Some(Current { scope, ..current });
        }
    }

    /// Where to say what is left of the grant's budget; `None` without one.
    pub(crate) fn budget_left(&self) -> Option<Arc<BudgetLeft>> {
        self.facts.budget.clone()
    }

    /// Whether statements are relayed unread.
    pub(crate) fn is_passthrough(&self) -> bool {
        self.authority.is_some()
    }

    /// Whether the database has masked views of the policy. Where it has none, it may have been
    /// hardened this moment: then the catalog is read again.
    pub(crate) async fn is_hardened(&mut self, path: &[String]) -> Result<bool, Refused> {
        self.refresh(path).await?;
        let Some(current) = &self.current else {
            return Ok(false);
        };
        if current.snapshot.is_hardened(&self.policy.id) {
            return Ok(true);
        }
        self.database.refresh().await;
        self.refresh(path).await?;
        let current = self.current.as_ref();
        Ok(current.is_some_and(|current| current.snapshot.is_hardened(&self.policy.id)))
    }

    /// The policy as bound for the last text; `None` before the first.
    pub(crate) fn policy(&self) -> &EffectivePolicy {
        &self.policy
    }

    pub(crate) fn bound(&self) -> Option<&BoundPolicy> {
        self.current.as_ref().map(|current| current.bound.as_ref())
    }

    /// What may run for `text`. A hit in the cache compares the whole text and allocates nothing.
    pub(crate) async fn plan(
        &mut self,
        text: &str,
        form: Form,
        path: &[String],
    ) -> Result<Arc<Plan>, Refused> {
        if let Some(authority) = &self.authority {
            return Ok(Arc::new(Plan::passthrough(text, authority)));
        }
        self.refresh(path).await?;
        let Some(current) = &self.current else {
            return Err(Refused::stale(&self.facts.database));
        };
        if let Some(plan) = self
            .plans
            .plans
            .get(&KeyRef {
                scope: &current.scope,
                form,
                text,
            })
            .await
        {
            return Ok(plan);
        }
        let judged = Judged {
            epoch: current.snapshot.epoch,
            form,
            path: Arc::clone(&current.path),
            temporary: Arc::clone(&self.temporary),
        };
        let plan = Arc::new(self.judge(text, judged, current).await?);
        if plan.is_shareable() {
            let key = Key {
                scope: current.scope,
                form,
                text: Arc::clone(&plan.text),
            };
            self.plans.plans.insert(key, Arc::clone(&plan)).await;
        }
        Ok(plan)
    }

    /// Refuses the types that a Parse declares of its parameters, if their values run code. Ask after
    /// [`Self::plan`], which reads the catalog as it is now.
    pub(crate) fn check_parameters(&self, types: &[u32]) -> Result<(), Refused> {
        let Some(current) = self.current.as_ref().filter(|_| !types.is_empty()) else {
            return Ok(());
        };
        let checked = current.bound.check_parameters(types, &current.snapshot);
        checked.map_err(Refused::from)
    }

    async fn judge(&self, text: &str, by: Judged, current: &Current) -> Result<Plan, Refused> {
        let plan = if text.len() > limits::ANALYSE_INLINE {
            let (snapshot, bound) = (Arc::clone(&current.snapshot), Arc::clone(&current.bound));
            let (text, facts) = (text.to_owned(), Arc::clone(&self.facts));
            tokio::task::spawn_blocking(move || analyse(&text, by, &snapshot, &bound, &facts))
                .await
                .map_err(|_| Refused::defect())?
        } else {
            analyse(text, by, &current.snapshot, &current.bound, &self.facts)
        };
        plan.map_err(Refused::from)
    }

    /// Binds the policy to the catalog as it is now, so that [`Self::bound`] says something.
    pub(crate) async fn refresh(&mut self, path: &[String]) -> Result<(), Refused> {
        let snapshot = self.served()?;
        let epoch = snapshot.epoch;
        let is_bound = self
            .current
            .as_ref()
            .is_some_and(|current| current.snapshot.epoch == epoch && *current.path == *path);
        if !is_bound {
            self.bind(snapshot, path).await?;
        }
        self.judge_views().await;
        Ok(())
    }

    /// The catalog as it is now, if the database is served at all.
    fn served(&self) -> Result<Arc<Snapshot>, Refused> {
        let snapshot = self.database.snapshot();
        let snapshot = snapshot.map_err(|()| Refused::stale(&self.facts.database))?;
        if !self.database.is_sound() {
            return Err(Refused::unsound(&self.facts.database));
        }
        Ok(snapshot)
    }

    async fn bind(&mut self, snapshot: Arc<Snapshot>, path: &[String]) -> Result<(), Refused> {
        let key = BoundKey {
            database: self.facts.database.clone(),
            policy: self.policy.id.to_string(),
            epoch: snapshot.epoch,
            as_of: self.release.as_of.clone(),
        };
        let (policy, release) = (Arc::clone(&self.policy), Arc::clone(&self.release));
        let of = Arc::clone(&snapshot);
        let through = (release.keys == KeyAccess::Slot).then(|| {
            let user = self.database.address.user.clone();
            (self.facts.database.clone(), user)
        });
        let known = Arc::clone(&self.database);
        let bind = async move {
            tokio::task::spawn_blocking(move || {
                let strangers = known.columns.strangers(&policy, &of)?;
                let bound = BoundPolicy::bind_known(&policy, &of, &release, &strangers);
                Ok::<_, std::io::Error>(Arc::new(match &through {
                    None => bound,
                    Some((database, user)) => bound.through_views(&of, &Through { database, user }),
                }))
            })
            .await
            .unwrap_or_else(|error| Err(std::io::Error::other(error)))
        };
        let bound = self.plans.bound.try_get_with(key, bind).await;
        let bound = bound.map_err(|error| {
            tracing::error!(%error, "the policy could not be bound");
            Refused::unkept()
        })?;
        let scope = self.scope(snapshot.epoch, path);
        self.current = Some(Current {
            snapshot,
            bound,
            path: path.into(),
            scope,
        });
        Ok(())
    }

    /// Everything a text is judged against, but the session's own id, in one hash.
    fn scope(&self, epoch: u64, path: &[String]) -> [u8; 32] {
        let facts = &self.facts;
        let mut hash = Sha256::new(&SHA256);
        let mut part = |text: &str| {
            hash.update(&(text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        };
        part(&facts.database);
        part(&facts.user);
        part(&facts.grant);
        part(&facts.expires_at);
        part(if facts.write { "write" } else { "read" });
        part(self.policy.id.as_str());
        part(&self.release.as_of);
        part(&epoch.to_string());
        for schema in path {
            part(schema);
        }
        part(if self.temporary.has_outdated_views() {
            "outdated"
        } else {
            "current"
        });
        // A schema's name is never empty, so nothing runs together.
        for relation in self.temporary.relations() {
            part("");
            part(&relation.name);
            part(match relation.kind {
                RelationKind::Table => "table",
                _ => "other",
            });
            part(if relation.vanishes {
                "vanishes"
            } else {
                "stays"
            });
            for column in &relation.columns {
                part(column);
            }
        }
        let mut scope = [0; 32];
        scope.copy_from_slice(hash.finish().as_ref());
        scope
    }
}

/// What `SHOW phigate.budget` says of a grant without one.
const NO_BUDGET: &str = "no limit";

fn analyse(
    text: &str,
    by: Judged,
    snapshot: &Snapshot,
    policy: &BoundPolicy,
    facts: &Facts,
) -> Result<Plan, Refusal> {
    let budget = facts.budget.as_ref().map(ToString::to_string);
    let session = Session {
        user: &facts.user,
        database: &facts.database,
        search_path: &by.path,
        id: &facts.session,
        grant: &facts.grant,
        expires_at: &facts.expires_at,
        budget: budget.as_deref().unwrap_or(NO_BUDGET),
        write: facts.write,
    };
    let context = Context {
        snapshot,
        policy,
        session: &session,
        temporary: &by.temporary,
    };
    let batch = match by.form {
        Form::Simple => phigate_sql::analyse(text, &context)?,
        Form::Extended => Batch {
            permits: phigate_sql::analyse_one(text, &context)?
                .into_iter()
                .collect(),
        },
    };
    let counts_patients = facts
        .budget
        .as_ref()
        .is_some_and(|left| left.counts_patients());
    if counts_patients {
        batch.permits.iter().try_for_each(Permit::check_countable)?;
    }
    Ok(Plan::of(batch, text, by))
}

// === impl Plan ===

impl Plan {
    fn of(batch: Batch, text: &str, judged: Judged) -> Self {
        let sql = batch.sql().into();
        let analyses = batch
            .permits
            .iter()
            .map(|p| Arc::new(analysis(p)))
            .collect();
        Self {
            permits: batch.permits,
            sql,
            text: text.into(),
            analyses,
            judged: Some(judged),
        }
    }

    fn passthrough(text: &str, authority: &Passthrough) -> Self {
        let permit = phigate_sql::passthrough(text, authority);
        let analyses = vec![Arc::new(analysis(&permit))];
        Self {
            sql: text.into(),
            text: text.into(),
            permits: vec![permit],
            analyses,
            judged: None,
        }
    }

    /// Where in the text that was typed an error is whose position counts in the text that was
    /// sent.
    pub(crate) fn position(&self, sent: u32) -> Option<u32> {
        phigate_sql::position(&self.permits, &self.text, sent)
    }

    /// Whether the text that was typed has this word.
    pub(crate) fn has_typed(&self, word: &str) -> bool {
        self.text.contains(word)
    }

    /// SHOW phigate.session says something else to every session.
    fn is_shareable(&self) -> bool {
        self.permits
            .iter()
            .all(|permit| permit.kind() != StatementKind::Show)
    }
}

fn analysis(permit: &Permit) -> Analysis {
    let touches = permit.touches().iter().map(|touch| Touch {
        relation: touch.relation.clone(),
        written: touch.written,
        columns: touch
            .columns
            .iter()
            .map(|(column, treatment)| ColumnTouch(column.clone(), treatment.as_str().to_owned()))
            .collect(),
    });
    Analysis {
        kind: permit.kind().as_str().to_owned(),
        skeleton: permit.skeleton().to_owned(),
        fingerprint: Fingerprint(permit.fingerprint()),
        decision: match permit.kind() {
            StatementKind::Passthrough => Decision::Passthrough,
            _ => Decision::Permit,
        },
        masked: permit.masked(),
        touches: touches.collect(),
    }
}

// === impl Refused ===

impl Refused {
    fn stale(database: &str) -> Self {
        Self {
            reason: "stale_catalog",
            error: PgError::error(
                SqlState::CANNOT_CONNECT_NOW,
                format!(
                    "the gateway cannot read the catalog of database \"{database}\" at the moment"
                ),
            )
            .with_detail(
                "It refuses rather than guess what the tables hold, and asks again every few \
                 seconds. Other databases are not affected.",
            )
            .with_hint("try again in a few seconds; if it lasts, the gateway's log says why"),
        }
    }

    fn unkept() -> Self {
        Self {
            reason: "columns_unkept",
            error: PgError::error(
                SqlState::IO_ERROR,
                "the gateway cannot keep in mind which columns were classified",
            )
            .with_hint("tell the operator of the gateway"),
        }
    }

    /// The database would let a session get round its masked views.
    fn unsound(database: &str) -> Self {
        Self {
            reason: "unsound_database",
            error: PgError::error(
                SqlState::CANNOT_CONNECT_NOW,
                format!(
                    "database \"{database}\" is not served: its masked views could be got round"
                ),
            )
            .with_hint(format!(
                "ask an administrator to run: phictl database doctor {database}"
            )),
        }
    }

    fn defect() -> Self {
        Self {
            reason: "internal",
            error: PgError::error(SqlState::INTERNAL_ERROR, "the gateway has a defect"),
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self {
            reason: refusal.reason().as_str(),
            error: refusal.into(),
        }
    }
}
