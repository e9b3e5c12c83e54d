//! What stands inside protected databases for `enforcement = "views"`: planned from the catalog and
//! the policies, applied as an administrator, and examined.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use phigate_catalog::harden::{self, ApplyError, Plan, Target, Unharden};
use phigate_catalog::{AssignedCodes, Upstream, doctor};
use phigate_phi::{ColumnName, EffectivePolicy, PolicyError, keys};
use phigate_proto::{parse, v1};
use phigate_sql::{ANALYSIS_STACK_BYTES, Snapshot};
use phigate_store::Event;
use phigate_types::{DatabaseName, Profile, Secret};
use phigate_wire::scram;
use prost::Message as _;
use tokio::sync::oneshot;
use tonic::Status;

use crate::catalogs::{Catalogs, unknown};
use crate::databases::Databases;
use crate::plane::{ADMIN, Plane, stored};
use crate::{ControlConfig, ControlError, DatabaseSpec, clock, crosswalk, upstream_key};

/// How long planning may take: every view of every policy is written.
const PLAN_DEADLINE: Duration = Duration::from_mins(1);

/// Iterations of the logins' verifiers: PostgreSQL's own number. Their passwords have 256 bits.
const ITERATIONS: u32 = 4096;

/// Hardens every database that masked views enforce and that has an admin configured, before the
/// control plane is served: then the first session need not wait. For databases that nobody else
/// uses, such as the demo's; nothing is recorded, for there is no record yet.
///
/// # Errors
/// The key or a policy cannot be made, or PostgreSQL does not do as it is told.
pub async fn prepare(config: &ControlConfig) -> Result<(), ControlError> {
    let key = upstream_key::load_or_create(&config.upstream_key)?;
    let databases = Databases::new(config.databases.clone(), key);
    let with_admin = |spec: &&DatabaseSpec| spec.masked_views && spec.admin.is_some();
    for spec in config.databases.iter().filter(with_admin) {
        prepared(&databases, spec)
            .await
            .map_err(|status| ControlError::Harden {
                database: spec.name.to_string(),
                reason: status.message().to_owned(),
            })?;
    }
    Ok(())
}

async fn prepared(databases: &Databases, spec: &DatabaseSpec) -> Result<(), Status> {
    let catalogs = Catalogs::new(std::slice::from_ref(spec));
    let upstream = catalogs.upstream(&spec.name)?;
    let work = Work {
        snapshot: catalogs.fresh(&spec.name).await?,
        policies: of_profiles(spec, &Profile::ALL, &[], &[])?,
        target: Target {
            database: upstream.database,
            broker: upstream.user,
            slots: harden::SLOTS,
        },
        login_key: databases.login_key(&spec.name),
        tables: Vec::new(),
    };
    let planned = on_deep_stack(move || plan(work)).await?;
    run(&admin(spec, "")?, &spec.name, &planned.sql).await
}

/// Plans, and applies if asked to.
pub(crate) async fn harden(
    plane: &Arc<Plane>,
    request: v1::HardenDatabaseRequest,
) -> Result<v1::HardenDatabaseResponse, Status> {
    let database: DatabaseName = parse("database", &request.database)?;
    let spec = spec(plane, &database)?;
    if request.refresh_crosswalk {
        return with_codes(plane, &database, Vec::new(), String::new()).await;
    }
    let policies = policies(plane, &spec, &request).await?;
    let slots = match request.slots {
        0 => harden::SLOTS,
        slots => u16::try_from(slots)
            .ok()
            .filter(|slots| *slots <= harden::MAX_SLOTS)
            .ok_or_else(|| Status::invalid_argument("slots: is 1 to 512, or 0 for 4"))?,
    };
    let tables = request.tables.iter().map(|name| table(name));
    let work = Work {
        snapshot: plane.catalogs.fresh(&database).await?,
        policies,
        target: target(plane, &database, slots)?,
        login_key: plane.databases.login_key(&database),
        tables: tables.collect::<Result<_, _>>()?,
    };
    let Planned { sql, policies } = on_deep_stack(move || plan(work)).await?;
    if request.apply {
        let admin = admin(&spec, &request.admin_url)?;
        applied(plane, &database, &admin, &sql, true).await?;
        return with_codes(plane, &database, policies, sql).await;
    }
    Ok(v1::HardenDatabaseResponse {
        sql,
        policies,
        ..v1::HardenDatabaseResponse::default()
    })
}

/// What was done, and now codes for the keys that have none.
async fn with_codes(
    plane: &Arc<Plane>,
    database: &DatabaseName,
    policies: Vec<v1::HardenedPolicy>,
    sql: String,
) -> Result<v1::HardenDatabaseResponse, Status> {
    let codes = crosswalk::refresh(plane, database).await?;
    let codes_pending = codes.is_none();
    let AssignedCodes { assigned, failed } = codes.unwrap_or_default();
    Ok(v1::HardenDatabaseResponse {
        sql,
        policies,
        applied: true,
        codes_assigned: assigned,
        codes_failed: failed,
        codes_pending,
    })
}

/// Plans the removal, and applies it if asked to.
pub(crate) async fn unharden(
    plane: &Plane,
    request: v1::UnhardenDatabaseRequest,
) -> Result<v1::UnhardenDatabaseResponse, Status> {
    let database: DatabaseName = parse("database", &request.database)?;
    let spec = spec(plane, &database)?;
    let what = match (request.policy_id.as_str(), request.table.as_str()) {
        ("", "") => Unharden::All,
        (id, "") => Unharden::Policy(parse("policy_id", id)?),
        ("", name) => {
            let (schema, name) = table(name)?;
            let snapshot = plane.catalogs.fresh(&database).await?;
            let relation = snapshot.find(&schema, &name).ok_or_else(|| {
                Status::not_found(format!("table: {schema}.{name} is not in the database"))
            })?;
            Unharden::Relation(relation.oid)
        }
        _ => {
            return Err(Status::invalid_argument(
                "policy_id: cannot be given together with table",
            ));
        }
    };
    let sql = what.sql();
    if request.apply {
        let admin = admin(&spec, &request.admin_url)?;
        applied(plane, &database, &admin, &sql, false).await?;
    }
    Ok(v1::UnhardenDatabaseResponse {
        sql,
        applied: request.apply,
    })
}

fn spec(plane: &Plane, database: &DatabaseName) -> Result<Arc<DatabaseSpec>, Status> {
    plane
        .databases
        .get(database)
        .ok_or_else(|| unknown(database))
}

/// The policies that the request names; those of every profile if it names none.
async fn policies(
    plane: &Plane,
    spec: &DatabaseSpec,
    request: &v1::HardenDatabaseRequest,
) -> Result<Vec<EffectivePolicy>, Status> {
    let mut policies = Vec::new();
    for id in &request.policy_ids {
        policies.push(policy_of(plane, id).await?);
    }
    for id in &request.grant_ids {
        let id = parse("grant_ids", id)?;
        let grant = stored(plane.store.grant(id).await)?
            .ok_or_else(|| Status::not_found(format!("grant_ids: no grant has the id {id}")))?;
        if grant.grant.terms.database != spec.name {
            return Err(Status::invalid_argument(format!(
                "grant_ids: {id} is for database {}",
                grant.grant.terms.database
            )));
        }
        policies.push(policy_of(plane, &grant.policy).await?);
    }
    let columns = |field: &str, names: &[String]| {
        let read = names.iter().map(|name| {
            ColumnName::parse(name)
                .map_err(|error| Status::invalid_argument(format!("{field}: {error}")))
        });
        read.collect::<Result<Vec<_>, _>>()
    };
    let (reveal, block) = (
        columns("reveal", &request.reveal)?,
        columns("block", &request.block)?,
    );
    let profiles = match request.profile.as_str() {
        "" if !(reveal.is_empty() && block.is_empty()) => {
            return Err(Status::invalid_argument(
                "profile: is needed where columns are revealed or blocked",
            ));
        }
        "" if policies.is_empty() => Profile::ALL.to_vec(),
        "" => Vec::new(),
        name => vec![parse("profile", name)?],
    };
    policies.extend(of_profiles(spec, &profiles, &reveal, &block)?);
    policies.sort_by(|one, other| one.id.cmp(&other.id));
    policies.dedup_by(|one, other| one.id == other.id);
    Ok(policies)
}

fn of_profiles(
    spec: &DatabaseSpec,
    profiles: &[Profile],
    reveal: &[ColumnName],
    block: &[ColumnName],
) -> Result<Vec<EffectivePolicy>, Status> {
    let wrong = |error: PolicyError| Status::invalid_argument(format!("reveal or block: {error}"));
    let rows = spec
        .rows
        .policy(false, &BTreeSet::new())
        .map_err(|error| Status::internal(error.to_string()))?;
    let derived = profiles.iter().map(|profile| {
        EffectivePolicy::derive(
            &spec.classification,
            *profile,
            reveal,
            block,
            spec.unclassified,
        )
        .map(|policy| policy.with_rows(rows.clone()))
        .map_err(wrong)
    });
    derived.collect()
}

async fn policy_of(plane: &Plane, id: &str) -> Result<EffectivePolicy, Status> {
    let body = stored(plane.store.policy(id, clock::now()).await)?
        .ok_or_else(|| Status::not_found(format!("no live grant has the policy {id}")))?;
    v1::GetPolicyResponse::decode(body.as_slice())
        .ok()
        .and_then(|sent| EffectivePolicy::try_from(sent).ok())
        .ok_or_else(|| Status::internal("the stored policy is damaged"))
}

fn target(plane: &Plane, database: &DatabaseName, slots: u16) -> Result<Target, Status> {
    let upstream = plane.catalogs.upstream(database)?;
    Ok(Target {
        database: upstream.database,
        broker: upstream.user,
        slots,
    })
}

fn admin(spec: &DatabaseSpec, given: &str) -> Result<Upstream, Status> {
    let (field, url) = match (given, &spec.admin) {
        ("", Some(configured)) => ("the configured admin", configured.expose().as_str()),
        ("", None) => {
            return Err(Status::failed_precondition(
                "admin_url: is needed, because the database has no admin configured",
            ));
        }
        (given, _) => ("admin_url", given),
    };
    // The error never quotes the URL.
    Upstream::parse(url).map_err(|error| Status::invalid_argument(format!("{field}: {error}")))
}

/// `[schema.]table`, as `[schema.]table.column` is read.
fn table(name: &str) -> Result<(String, String), Status> {
    let column = ColumnName::parse(&format!("{name}.c"))
        .map_err(|_| Status::invalid_argument("tables: a table is written [schema.]table"))?;
    Ok((column.schema, column.table))
}

async fn applied(
    plane: &Plane,
    database: &DatabaseName,
    admin: &Upstream,
    script: &str,
    hardened: bool,
) -> Result<(), Status> {
    plane.recorder.check()?;
    run(admin, database, script).await?;
    let event = Event::DatabaseChanged {
        actor: ADMIN.to_owned(),
        database: database.clone(),
        hardened,
        script: hex::encode(digest::digest(&digest::SHA256, script.as_bytes())),
        version: stored(plane.store.head().await)?,
    };
    let sequence = stored(plane.store.record(&event, clock::now()).await)?;
    plane.recorder.wait(sequence).await?;
    tracing::info!(%database, hardened, "a script was applied");
    Ok(())
}

async fn run(admin: &Upstream, database: &DatabaseName, script: &str) -> Result<(), Status> {
    harden::apply(admin, script).await.map_err(|error| {
        tracing::warn!(%database, %error, "a script was not applied");
        match error {
            ApplyError::Connect(_) | ApplyError::Lost(_) => Status::unavailable(error.to_string()),
            ApplyError::Timeout => Status::deadline_exceeded(error.to_string()),
            _ => Status::failed_precondition(error.to_string()),
        }
    })
}

/// What a plan is made of.
struct Work {
    snapshot: Arc<Snapshot>,
    policies: Vec<EffectivePolicy>,
    target: Target,
    login_key: Secret<[u8; 32]>,
    tables: Vec<(String, String)>,
}

struct Planned {
    sql: String,
    policies: Vec<v1::HardenedPolicy>,
}

/// Runs it on a thread of its own: views are read as statements are, with as deep a stack.
async fn on_deep_stack<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, Status> + Send + 'static,
) -> Result<T, Status> {
    let (send, answer) = oneshot::channel();
    std::thread::Builder::new()
        .name("harden".to_owned())
        .stack_size(ANALYSIS_STACK_BYTES)
        .spawn(move || {
            // The caller may have gone.
            let _ = send.send(run());
        })
        .map_err(|_| Status::resource_exhausted("no thread to plan on"))?;
    tokio::time::timeout(PLAN_DEADLINE, answer)
        .await
        .map_err(|_| Status::deadline_exceeded("planning took too long"))?
        .map_err(|_| Status::internal("planning failed"))?
}

fn plan(work: Work) -> Result<Planned, Status> {
    let Work {
        snapshot,
        policies,
        target,
        login_key,
        tables,
    } = work;
    let verifier = |login: &str| {
        let password = keys::login_password(login_key.expose(), login);
        let salt = keys::login_salt(login_key.expose(), login);
        scram::Verifier::derive(&password, &salt, ITERATIONS).stored()
    };
    let mut plan = Plan::of(&snapshot, &policies, target, verifier);
    if !tables.is_empty() {
        plan = plan
            .only(&snapshot, &tables)
            .map_err(|error| Status::not_found(format!("tables: {error}")))?;
    }
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let policies = plan.policies().iter().map(|policy| {
        let changed = policy.views.iter().filter(|view| {
            let found = snapshot.hardened(&policy.id, view.relation);
            found.is_none_or(|found| found.fingerprint != view.fingerprint)
        });
        v1::HardenedPolicy {
            policy_id: policy.id.to_string(),
            profile: policy.profile.to_string(),
            schema: policy.schema.clone(),
            views: count(policy.views.len()),
            changed: count(changed.count()),
            logins: count(policy.logins.len()),
        }
    });
    Ok(Planned {
        policies: policies.collect(),
        sql: plan.sql(),
    })
}

/// Examines a database: what stands in it against what should.
pub(crate) async fn examine(
    plane: &Plane,
    request: v1::ExamineDatabaseRequest,
) -> Result<v1::ExamineDatabaseResponse, Status> {
    let database: DatabaseName = parse("database", &request.database)?;
    let spec = spec(plane, &database)?;
    let mut policies = policies(plane, &spec, &v1::HardenDatabaseRequest::default()).await?;
    for stored in stored(plane.store.active_grants().await)? {
        let is_new = policies
            .iter()
            .all(|policy| policy.id.as_str() != stored.policy);
        if stored.grant.terms.database == database && is_new {
            policies.push(policy_of(plane, &stored.policy).await?);
        }
    }
    let facts = plane.catalogs.facts(&database).await?;
    let snapshot = plane.catalogs.fresh(&database).await?;
    let name = database.to_string();
    let views = on_deep_stack(move || Ok(doctor::views(&snapshot, &policies, &name)));
    let mut findings = views.await?;
    findings.extend(doctor::findings(&facts));
    findings.sort_by_key(|finding| finding.severity);
    let findings = findings.into_iter().map(|finding| v1::DatabaseFinding {
        accepted: spec.accept.contains(&finding.key()),
        name: finding.name.to_owned(),
        severity: finding.severity.as_str().to_owned(),
        object: finding.object,
        problem: finding.problem,
        remedy: finding.remedy,
    });
    Ok(v1::ExamineDatabaseResponse {
        findings: findings.collect(),
    })
}
