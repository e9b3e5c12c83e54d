//! What a grant of given terms would make of a statement: the analysis a gateway makes, on the
//! catalog as it is now, and nothing run.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use phigate_catalog::{Described, Upstream, describe};
use phigate_phi::{
    ColumnName, EffectivePolicy, KeyAccess, ReleaseContext, SensitivityCode, Transform, Treatment,
    Unclassified,
};
use phigate_proto::{parse, v1};
use phigate_sql::{
    ANALYSIS_STACK_BYTES, Batch, BoundPolicy, Context, Passthrough, Permit, Refusal, Relation,
    RelationKind, Session, Snapshot, StatementKind, Through,
};
use phigate_types::{DatabaseName, PgError, Profile};
use tokio::sync::{Semaphore, oneshot};
use tonic::Status;

use crate::catalogs::unknown;
use crate::clock;
use crate::plane::Plane;

/// The longest text, in bytes; what a gateway takes.
const TEXT_MAX: usize = 4 << 20;

/// Analyses at a time; each has a stack of [`ANALYSIS_STACK_BYTES`].
static ANALYSES: Semaphore = Semaphore::const_new(2);

/// How long one analysis may take before its caller is told that it took too long.
const ANALYSIS_DEADLINE: Duration = Duration::from_secs(20);

/// Results of a batch that are described; each costs a round trip or two.
const DESCRIBED_MAX: usize = 16;

/// What stands for the facts of a session that does not exist.
const NOBODY: &str = "explain";

/// A checked request.
pub(crate) struct Question {
    database: DatabaseName,
    profile: Profile,
    reveal: Vec<ColumnName>,
    block: Vec<ColumnName>,
    write: bool,
    /// As under a grant with a list of patients.
    patients: bool,
    sensitivity: BTreeSet<SensitivityCode>,
    sql: String,
    search_path: Vec<String>,
}

impl Question {
    /// Checks what arrived; an error names the field.
    pub(crate) fn read(request: v1::ExplainStatementRequest) -> Result<Self, Status> {
        let columns = |field: &str, names: &[String]| {
            let read = names.iter().map(|name| {
                ColumnName::parse(name)
                    .map_err(|error| Status::invalid_argument(format!("{field}: {error}")))
            });
            read.collect::<Result<Vec<_>, _>>()
        };
        if request.sql.len() > TEXT_MAX {
            return Err(Status::invalid_argument(format!(
                "sql: has more than {TEXT_MAX} bytes"
            )));
        }
        let search_path = if request.search_path.is_empty() {
            vec!["public".to_owned()]
        } else {
            request.search_path
        };
        Ok(Self {
            database: parse("database", &request.database)?,
            profile: parse("profile", &request.profile)?,
            reveal: columns("reveal", &request.reveal)?,
            block: columns("block", &request.block)?,
            write: request.write,
            patients: request.patients,
            sensitivity: request
                .sensitivity
                .iter()
                .map(|code| parse("sensitivity", code))
                .collect::<Result<_, phigate_proto::Malformed>>()?,
            sql: request.sql,
            search_path,
        })
    }
}

/// Answers. Cancel safe.
pub(crate) async fn explain(
    plane: &Plane,
    question: Question,
) -> Result<v1::ExplainStatementResponse, Status> {
    let database = question.database.clone();
    let spec = plane
        .databases
        .get(&database)
        .ok_or_else(|| unknown(&database))?;
    let policy = EffectivePolicy::derive(
        &spec.classification,
        question.profile,
        &question.reveal,
        &question.block,
        spec.unclassified,
    )
    .map_err(|error| Status::invalid_argument(format!("reveal or block: {error}")))?;
    let rows = spec.rows.policy(question.patients, &question.sensitivity);
    let policy = policy.with_rows(
        rows.map_err(|error| Status::invalid_argument(format!("sensitivity: {error}")))?,
    );
    let policy_id = policy.id.to_string();
    if Passthrough::new(question.profile, question.write, spec.passthrough).is_some() {
        return Ok(v1::ExplainStatementResponse {
            policy_id,
            passthrough: true,
            ..v1::ExplainStatementResponse::default()
        });
    }
    let snapshot = plane.catalogs.snapshot(&database).await?;
    let upstream = plane.catalogs.upstream(&database)?;
    let hardened = snapshot.is_hardened(&policy.id);
    let remark = if spec.masked_views && !hardened {
        format!(
            "the database has no masked views of this policy: a session under it is refused until \
             `phictl database harden {database}` makes them, with the same --profile, --reveal and \
             --block or the grant's --grant; shown is what inline enforcement would run"
        )
    } else {
        String::new()
    };
    let work = Work {
        question,
        policy,
        snapshot,
        through: (spec.masked_views && hardened).then(|| upstream.user.clone()),
    };
    let (admitted, refusal) = match analysed(work).await? {
        Ok(admitted) => (admitted, None),
        Err(refusal) => (Vec::new(), Some(*refusal)),
    };
    let mut statements = Vec::with_capacity(admitted.len());
    for (index, admitted) in admitted.into_iter().enumerate() {
        let Admitted {
            mut statement,
            describable,
        } = admitted;
        describe_result(&upstream, &mut statement, describable, index).await;
        statements.push(statement);
    }
    Ok(v1::ExplainStatementResponse {
        policy_id,
        statements,
        refusal,
        passthrough: false,
        remark,
    })
}

/// Says what columns the statement's result has.
async fn describe_result(
    upstream: &Upstream,
    statement: &mut v1::ExplainedStatement,
    text: Option<String>,
    index: usize,
) {
    let Some(text) = text else { return };
    if index >= DESCRIBED_MAX {
        "it stands too far back in the batch".clone_into(&mut statement.outputs_unknown);
        return;
    }
    match describe(upstream, text).await {
        Ok(Described::Columns(columns)) => {
            let columns = columns.into_iter();
            statement.outputs = columns
                .map(|(name, r#type)| v1::OutputColumn { name, r#type })
                .collect();
        }
        Ok(Described::Rejected { sqlstate, message }) => {
            statement.outputs_unknown = format!("PostgreSQL says: {message} ({sqlstate})");
        }
        Err(error) => statement.outputs_unknown = error.to_string(),
    }
}

/// What an analysis is made of.
struct Work {
    question: Question,
    policy: EffectivePolicy,
    snapshot: Arc<Snapshot>,
    /// In views mode, the role that sessions seem to have.
    through: Option<String>,
}

/// A statement that would run.
struct Admitted {
    statement: v1::ExplainedStatement,
    /// A text of the same result that the catalog's reader may have described; `None` where there is
    /// no result of rows.
    describable: Option<String>,
}

type Analysed = Result<Vec<Admitted>, Box<v1::StatementRefusal>>;

/// Analyses on a thread of its own, with the stack that the deepest admitted statement needs.
async fn analysed(work: Work) -> Result<Analysed, Status> {
    let busy = || Status::resource_exhausted("too many statements are being explained");
    let turn = tokio::time::timeout(ANALYSIS_DEADLINE, ANALYSES.acquire())
        .await
        .map_err(|_| busy())?
        .map_err(|_| busy())?;
    let (send, answer) = oneshot::channel();
    std::thread::Builder::new()
        .name("explain".to_owned())
        .stack_size(ANALYSIS_STACK_BYTES)
        .spawn(move || {
            // Held here: a caller who gives up does not make room for more threads.
            let _turn = turn;
            let _ = send.send(work.run());
        })
        .map_err(|error| Status::resource_exhausted(format!("no thread: {error}")))?;
    match tokio::time::timeout(ANALYSIS_DEADLINE, answer).await {
        Ok(Ok(analysed)) => Ok(analysed),
        Ok(Err(_)) => Err(Status::internal("the analysis failed")),
        Err(_) => Err(Status::deadline_exceeded("the analysis takes too long")),
    }
}

impl Work {
    fn run(&self) -> Analysed {
        let inline = self.bind(KeyAccess::Settings, &clock::now().date());
        let described = self.analyse(&inline);
        let Some(user) = &self.through else {
            let batch = described.map_err(|refusal| Box::new(refused(refusal)))?;
            return Ok(self.admitted(&batch, Some(&batch)));
        };
        // As in a gateway: the date is the slot's. What stands in FROM then, the catalog's reader may
        // not read; the result's columns are the same either way.
        let database = self.question.database.as_str();
        let bound = self
            .bind(KeyAccess::Slot, "")
            .through_views(&self.snapshot, &Through { database, user });
        let batch = self
            .analyse(&bound)
            .map_err(|refusal| Box::new(refused(refusal)))?;
        Ok(self.admitted(&batch, described.as_ref().ok()))
    }

    fn bind(&self, keys: KeyAccess, as_of: &str) -> BoundPolicy {
        let release = ReleaseContext::new(self.policy.profile, as_of, keys);
        BoundPolicy::bind(&self.policy, &self.snapshot, &release)
    }

    fn analyse(&self, policy: &BoundPolicy) -> Result<Batch, Refusal> {
        let question = &self.question;
        let session = Session {
            user: NOBODY,
            database: question.database.as_str(),
            search_path: &question.search_path,
            id: NOBODY,
            grant: NOBODY,
            expires_at: "",
            budget: "",
            write: question.write,
        };
        let context = Context {
            snapshot: &self.snapshot,
            policy,
            session: &session,
            temporary: phigate_sql::Temporary::NONE,
        };
        phigate_sql::analyse(&question.sql, &context)
    }

    fn admitted(&self, batch: &Batch, described: Option<&Batch>) -> Vec<Admitted> {
        let permits = batch.permits.iter().enumerate();
        let admitted = permits.map(|(index, permit)| {
            let described = described.and_then(|batch| batch.permits.get(index));
            let has_rows = permit.kind() == StatementKind::Query;
            Admitted {
                statement: self.told(permit),
                describable: described
                    .filter(|_| has_rows)
                    .map(|permit| permit.sql().to_owned()),
            }
        });
        admitted.collect()
    }

    fn told(&self, permit: &Permit) -> v1::ExplainedStatement {
        let relations = permit.touches().iter().map(|touch| {
            let relation = self
                .snapshot
                .relations()
                .find(|relation| is_named(relation, &touch.relation));
            v1::ExplainedRelation {
                relation: touch.relation.clone(),
                columns: touch
                    .columns
                    .iter()
                    .map(|(column, treatment)| self.column(relation, column, *treatment))
                    .collect(),
            }
        });
        v1::ExplainedStatement {
            kind: permit.kind().as_str().to_owned(),
            sql: permit.sql().to_owned(),
            relations: relations.collect(),
            functions: permit.functions().iter().map(|f| (*f).to_owned()).collect(),
            outputs: Vec::new(),
            outputs_unknown: String::new(),
            masked: permit.masked(),
        }
    }

    fn column(
        &self,
        relation: Option<&Relation>,
        column: &str,
        treatment: Treatment,
    ) -> v1::ExplainedColumn {
        let rule = relation.and_then(|relation| {
            self.policy.rule(&ColumnName {
                schema: relation.schema.clone(),
                table: relation.name.clone(),
                column: column.to_owned(),
            })
        });
        v1::ExplainedColumn {
            column: column.to_owned(),
            treatment: treatment.as_str().to_owned(),
            identifier: rule
                .map(|rule| rule.identifier.as_str().to_owned())
                .unwrap_or_default(),
            why: match (rule, relation) {
                (Some(rule), _) => self.why_ruled(rule, treatment),
                (None, Some(relation)) => self.why_unruled(relation, treatment).to_owned(),
                (None, None) => String::new(),
            },
        }
    }

    fn why_ruled(&self, rule: &phigate_phi::Rule, treatment: Treatment) -> String {
        if self.question.block.contains(&rule.column) {
            return "blocked by the grant".to_owned();
        }
        if self.question.reveal.contains(&rule.column) && treatment.is_keep() {
            return "revealed by the grant".to_owned();
        }
        let (class, profile) = (rule.identifier, self.policy.profile);
        if rule.treatment == treatment {
            let is_code = treatment == Treatment::Release(Transform::Pseudonym);
            let how = match (is_code && profile == Profile::SafeHarbor, &self.through) {
                (false, _) => "",
                (true, Some(_)) => ": a random code, NULL until one is drawn",
                (true, None) => ": NULL, for random codes need masked views",
            };
            format!("{class} under {profile}{how}")
        } else {
            let wanted = rule.treatment;
            format!("{class} under {profile} is {wanted}, but its type or a parent asks for more")
        }
    }

    fn why_unruled(&self, relation: &Relation, treatment: Treatment) -> &'static str {
        if relation.is_catalog() {
            return match treatment {
                Treatment::Release(Transform::Keep) => "PostgreSQL's own catalog",
                Treatment::Release(_) | Treatment::Block => "PostgreSQL's own catalog, filtered",
            };
        }
        match (relation.kind, treatment.is_keep()) {
            (RelationKind::View, true) => "the view reads nothing masked for it",
            (RelationKind::View, false) => "the view computes it from masked columns",
            _ if !relation.parents.is_empty() => "as its parent table is classified",
            _ => match self.policy.unclassified {
                Unclassified::Refuse => "not classified of its own: generated, or refused",
                Unclassified::Mask => "not classified: masked by the configuration",
                Unclassified::Release => "not classified: released by the configuration",
            },
        }
    }
}

fn is_named(relation: &Relation, full: &str) -> bool {
    full.strip_prefix(relation.schema.as_str())
        .and_then(|rest| rest.strip_prefix('.'))
        .is_some_and(|name| name == relation.name)
}

fn refused(refusal: Refusal) -> v1::StatementRefusal {
    let reason = refusal.reason().as_str().to_owned();
    let error = PgError::from(refusal);
    v1::StatementRefusal {
        reason,
        sqlstate: error.code.to_string(),
        message: error.message.into_owned(),
        detail: error.detail.unwrap_or_default(),
        hint: error.hint.unwrap_or_default(),
        position: error.position.unwrap_or_default(),
    }
}
