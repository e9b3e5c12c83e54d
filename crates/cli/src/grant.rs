//! `phictl grant`.

use phigate_proto::v1::grant_service_client::GrantServiceClient;
use phigate_proto::v1::{
    Budget, CreateGrantRequest, CreateGrantResponse, GatewayAck, GetGrantRequest, Grant,
    GrantState, ListGrantsRequest, RevokeGrantRequest, RevokeGrantResponse,
};
use serde::Serialize;

use crate::arguments::{Connection, GrantCommand, GrantCreate};
use crate::connect::{self, Authorised};
use crate::exit::{Exit, Failure};
use crate::{output, patients};

/// How many rows one call asks for.
const PAGE: u32 = 1000;

pub(crate) async fn run(
    command: GrantCommand,
    connection: &Connection,
    json: bool,
) -> Result<Exit, Failure> {
    let (channel, token) = connect::connect(connection).await?;
    let mut client = GrantServiceClient::with_interceptor(channel, token);
    match command {
        GrantCommand::Create(create) => run_create(&mut client, *create, json).await?,
        GrantCommand::List {
            principal,
            database,
            all,
        } => {
            let grants = list(&mut client, principal, database, all).await?;
            print_list(&grants, json)?;
        }
        GrantCommand::Show { id } => {
            let answer = client
                .get_grant(GetGrantRequest { grant_id: id })
                .await?
                .into_inner();
            print_one(&answer.grant.unwrap_or_default(), json)?;
        }
        GrantCommand::Revoke { id, reason } => {
            let request = RevokeGrantRequest {
                grant_id: id,
                reason,
            };
            print_revoked(&client.revoke_grant(request).await?.into_inner(), json)?;
        }
    }
    Ok(Exit::OK)
}

async fn run_create(
    client: &mut GrantServiceClient<Authorised>,
    create: GrantCreate,
    json: bool,
) -> Result<(), Failure> {
    let patients = match &create.patients {
        Some(file) => Some(patients::read(file, create.patients_column.as_deref())?),
        None => None,
    };
    for advice in missing_documents(&create) {
        eprintln!("note: {advice}");
    }
    let request = CreateGrantRequest {
        principal: create.principal,
        database: create.database,
        profile: create.profile,
        purpose: create.purpose,
        reason: create.reason,
        duration: prost_types::Duration::try_from(create.duration).ok(),
        reveal: create.reveal,
        block: create.block,
        write: create.write,
        max_sessions: create.max_sessions,
        project: create.project,
        patients,
        sensitivity: create.sensitivity,
        data_use_agreement: create.dua,
        determination: create.determination,
        budget: Some(Budget {
            rows: create.max_rows,
            patients: create.max_patients,
            identifiers: create.max_identifiers,
            bytes: create.max_bytes,
        }),
    };
    print_created(&client.create_grant(request).await?.into_inner(), json)
}

/// What the regulation asks for and the grant does not name.
fn missing_documents(create: &GrantCreate) -> Vec<&'static str> {
    let mut advice = Vec::new();
    if create.profile == "limited_dataset" && create.dua.trim().is_empty() {
        advice.push("a limited data set needs a data use agreement: name it with --dua ID");
    }
    if create.profile == "expert" && create.determination.trim().is_empty() {
        advice.push("the profile expert rests on a determination: name it with --determination ID");
    }
    advice
}

async fn list(
    client: &mut GrantServiceClient<Authorised>,
    principal: Option<String>,
    database: Option<String>,
    include_ended: bool,
) -> Result<Vec<Grant>, Failure> {
    let mut request = ListGrantsRequest {
        principal: principal.unwrap_or_default(),
        database: database.unwrap_or_default(),
        include_ended,
        page_size: PAGE,
        page_token: String::new(),
    };
    let mut grants = Vec::new();
    loop {
        let page = client.list_grants(request.clone()).await?.into_inner();
        grants.extend(page.grants);
        if page.next_page_token.is_empty() {
            return Ok(grants);
        }
        request.page_token = page.next_page_token;
    }
}

/// What `grant create --json` prints; scripts rely on these names.
#[derive(Serialize)]
struct Created<'a> {
    grant_id: &'a str,
    user: &'a str,
    password: &'a str,
    database: &'a str,
    host: &'a str,
    port: u32,
    expires_at: String,
}

fn print_created(answer: &CreateGrantResponse, json: bool) -> Result<(), Failure> {
    let grant = answer.grant.clone().unwrap_or_default();
    let created = Created {
        grant_id: &grant.grant_id,
        user: &answer.user,
        password: &answer.password,
        database: &grant.database,
        host: &answer.host,
        port: answer.port,
        expires_at: output::instant(grant.expires_at.as_ref()),
    };
    if json {
        return output::json(&created);
    }
    output::fields(&[
        ("grant", grant.grant_id.clone()),
        ("user", answer.user.clone()),
        ("password", answer.password.clone()),
        ("database", grant.database.clone()),
        ("host", format!("{}:{}", answer.host, answer.port)),
        ("expires", output::instant(grant.expires_at.as_ref())),
    ]);
    eprintln!(
        "connect with: psql \"host={} port={} user={} dbname={} sslmode=require\"",
        answer.host, answer.port, answer.user, grant.database
    );
    eprintln!("the password is shown once and stored nowhere");
    Ok(())
}

/// A grant as `--json` prints it.
#[derive(Serialize)]
struct Shown<'a> {
    grant_id: &'a str,
    principal: &'a str,
    database: &'a str,
    profile: &'a str,
    purpose: &'a str,
    reason: &'a str,
    state: &'static str,
    epoch: u64,
    reveal: &'a [String],
    block: &'a [String],
    write: bool,
    project: &'a str,
    max_sessions: u32,
    patients: u32,
    cohort_id: &'a str,
    sensitivity: &'a [String],
    data_use_agreement: &'a str,
    determination: &'a str,
    max_rows: Option<u64>,
    max_patients: Option<u64>,
    max_identifiers: Option<u64>,
    max_bytes: Option<u64>,
    created_at: String,
    expires_at: String,
    revoked_at: String,
    created_by: &'a str,
    revoked_by: &'a str,
}

impl<'a> From<&'a Grant> for Shown<'a> {
    fn from(grant: &'a Grant) -> Self {
        Self {
            grant_id: &grant.grant_id,
            principal: &grant.principal,
            database: &grant.database,
            profile: &grant.profile,
            purpose: &grant.purpose,
            reason: &grant.reason,
            state: state(grant),
            epoch: grant.epoch,
            reveal: &grant.reveal,
            block: &grant.block,
            write: grant.write,
            project: &grant.project,
            max_sessions: grant.max_sessions,
            patients: grant.patients,
            cohort_id: &grant.cohort_id,
            sensitivity: &grant.sensitivity,
            data_use_agreement: &grant.data_use_agreement,
            determination: &grant.determination,
            max_rows: grant.budget.and_then(|budget| budget.rows),
            max_patients: grant.budget.and_then(|budget| budget.patients),
            max_identifiers: grant.budget.and_then(|budget| budget.identifiers),
            max_bytes: grant.budget.and_then(|budget| budget.bytes),
            created_at: output::instant(grant.created_at.as_ref()),
            expires_at: output::instant(grant.expires_at.as_ref()),
            revoked_at: output::instant(grant.revoked_at.as_ref()),
            created_by: &grant.created_by,
            revoked_by: &grant.revoked_by,
        }
    }
}

fn print_list(grants: &[Grant], json: bool) -> Result<(), Failure> {
    if json {
        return output::json(&grants.iter().map(Shown::from).collect::<Vec<_>>());
    }
    let header = [
        "grant",
        "principal",
        "database",
        "profile",
        "purpose",
        "state",
        "expires",
    ];
    let row = |grant: &Grant| {
        vec![
            grant.grant_id.clone(),
            grant.principal.clone(),
            grant.database.clone(),
            grant.profile.clone(),
            grant.purpose.clone(),
            state(grant).to_owned(),
            output::instant(grant.expires_at.as_ref()),
        ]
    };
    output::table(&header, grants.iter().map(row));
    Ok(())
}

fn print_one(grant: &Grant, json: bool) -> Result<(), Failure> {
    let shown = Shown::from(grant);
    if json {
        return output::json(&shown);
    }
    let verbs = if grant.write { "read, write" } else { "read" };
    output::fields(&[
        ("grant", grant.grant_id.clone()),
        ("principal", grant.principal.clone()),
        ("database", grant.database.clone()),
        ("profile", grant.profile.clone()),
        ("purpose", grant.purpose.clone()),
        ("reason", grant.reason.clone()),
        ("state", shown.state.to_owned()),
        ("epoch", grant.epoch.to_string()),
        ("verbs", verbs.to_owned()),
        ("reveal", grant.reveal.join(", ")),
        ("block", grant.block.join(", ")),
        ("patients", cohort(grant)),
        ("sensitivity", grant.sensitivity.join(", ")),
        ("agreement", grant.data_use_agreement.clone()),
        ("determination", grant.determination.clone()),
        ("budget", budget(grant)),
        ("project", grant.project.clone()),
        (
            "created",
            format!("{} by {}", shown.created_at, grant.created_by),
        ),
        ("expires", shown.expires_at),
        (
            "revoked",
            format!("{} {}", shown.revoked_at, grant.revoked_by)
                .trim()
                .to_owned(),
        ),
    ]);
    Ok(())
}

/// What `grant revoke --json` prints; scripts rely on these names.
#[derive(Serialize)]
struct Barrier<'a> {
    barrier_ms: f64,
    gateways: Vec<Acknowledged<'a>>,
}

/// One gateway's part in a barrier.
#[derive(Serialize)]
struct Acknowledged<'a> {
    id: &'a str,
    sessions_ended: u32,
    ms: f64,
    lease_over: bool,
}

impl<'a> From<&'a GatewayAck> for Acknowledged<'a> {
    fn from(ack: &'a GatewayAck) -> Self {
        Self {
            id: &ack.gateway_id,
            sessions_ended: ack.sessions_ended,
            ms: ack.ms,
            lease_over: ack.lease_over,
        }
    }
}

fn print_revoked(answer: &RevokeGrantResponse, json: bool) -> Result<(), Failure> {
    if answer.grant.is_none() {
        eprintln!("no such grant: a tombstone was written, so that none with this id can be made");
    }
    print_barrier(answer.barrier_ms, &answer.gateways, json)
}

/// Prints how a revocation or a kill landed.
pub(crate) fn print_barrier(
    barrier_ms: f64,
    gateways: &[GatewayAck],
    json: bool,
) -> Result<(), Failure> {
    if json {
        let gateways = gateways.iter().map(Acknowledged::from).collect();
        return output::json(&Barrier {
            barrier_ms,
            gateways,
        });
    }
    outln!("ended in {barrier_ms:.1} ms");
    for ack in gateways {
        let how = if ack.lease_over {
            "did not answer; its lease is over"
        } else {
            "confirmed"
        };
        outln!(
            "  {}: {} session(s) ended, {:.1} ms, {how}",
            ack.gateway_id,
            ack.sessions_ended,
            ack.ms
        );
    }
    Ok(())
}

fn cohort(grant: &Grant) -> String {
    if grant.cohort_id.is_empty() {
        return "all".to_owned();
    }
    let short = grant.cohort_id.get(..16).unwrap_or(&grant.cohort_id);
    format!("{} listed (cohort {short})", grant.patients)
}

fn budget(grant: &Grant) -> String {
    let budget = grant.budget.unwrap_or_default();
    let limits = [
        (budget.rows, "rows"),
        (budget.patients, "patients"),
        (budget.identifiers, "identifier cells"),
        (budget.bytes, "bytes"),
    ];
    let limits: Vec<_> = limits
        .into_iter()
        .filter_map(|(limit, what)| Some(format!("{} {what}", limit?)))
        .collect();
    limits.join(", ")
}

fn state(grant: &Grant) -> &'static str {
    match grant.state() {
        GrantState::Unspecified => "unknown",
        GrantState::Active => "active",
        GrantState::Expired => "expired",
        GrantState::Revoked => "revoked",
    }
}
