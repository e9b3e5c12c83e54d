//! `phictl database`.

use phigate_proto::v1::database_service_client::DatabaseServiceClient;
use phigate_proto::v1::{
    DatabaseFinding, ExamineDatabaseRequest, HardenDatabaseRequest, HardenDatabaseResponse,
    HardenedPolicy, UnhardenDatabaseRequest, UnhardenDatabaseResponse,
};
use serde::Serialize;

use crate::arguments::{Connection, DatabaseCommand, Harden, Unharden};
use crate::connect::{self, Authorised};
use crate::exit::{Exit, Failure};
use crate::output;

/// The largest answer that is read, in bytes: a script holds every view of every policy.
const ANSWER_MAX: usize = 256 << 20;

type Client = DatabaseServiceClient<Authorised>;

pub(crate) async fn run(
    command: DatabaseCommand,
    connection: &Connection,
    json: bool,
) -> Result<Exit, Failure> {
    let (channel, token) = connect::connect(connection).await?;
    let mut client = DatabaseServiceClient::with_interceptor(channel, token)
        .max_decoding_message_size(ANSWER_MAX);
    match command {
        DatabaseCommand::Harden(options) => harden(&mut client, options, json).await,
        DatabaseCommand::Unharden(options) => unharden(&mut client, options, json).await,
        DatabaseCommand::Doctor { database } => doctor(&mut client, database, json).await,
    }
}

async fn harden(client: &mut Client, options: Harden, json: bool) -> Result<Exit, Failure> {
    let request = HardenDatabaseRequest {
        database: options.database,
        tables: options.tables,
        profile: options.profile.unwrap_or_default(),
        reveal: options.reveal,
        block: options.block,
        policy_ids: options.policies,
        grant_ids: options.grants,
        slots: options.slots,
        apply: options.run.apply,
        admin_url: options.run.admin.unwrap_or_default(),
        refresh_crosswalk: options.refresh_crosswalk,
    };
    let answer = client.harden_database(request).await?.into_inner();
    if json {
        output::json(&Hardened::new(&answer))?;
        return Ok(Exit::OK);
    }
    if options.refresh_crosswalk {
        outln!("{} code(s) assigned", answer.codes_assigned);
    } else if answer.applied {
        let rows = answer.policies.iter().map(|policy| {
            vec![
                policy.profile.clone(),
                policy.policy_id.clone(),
                policy.views.to_string(),
                policy.changed.to_string(),
                policy.logins.to_string(),
            ]
        });
        output::table(&["PROFILE", "POLICY", "VIEWS", "MADE NOW", "LOGINS"], rows);
        if answer.codes_assigned > 0 {
            eprintln!(
                "{} code(s) assigned to keys under safe harbor",
                answer.codes_assigned
            );
        }
    } else {
        out!("{}", answer.sql);
        eprintln!("nothing was changed: give this to psql, or run the command again with --apply");
        eprintln!("after psql, --refresh-crosswalk draws codes for keys under safe harbor");
    }
    if answer.codes_pending {
        eprintln!(
            "codes are still being assigned: keys that have none yet are NULL under safe harbor"
        );
    }
    for relation in &answer.codes_failed {
        eprintln!("keys were not read, and have the codes they had: {relation}");
    }
    Ok(Exit::OK)
}

async fn unharden(client: &mut Client, options: Unharden, json: bool) -> Result<Exit, Failure> {
    let request = UnhardenDatabaseRequest {
        database: options.database,
        policy_id: options.policy.unwrap_or_default(),
        table: options.table.unwrap_or_default(),
        apply: options.run.apply,
        admin_url: options.run.admin.unwrap_or_default(),
    };
    let UnhardenDatabaseResponse { sql, applied } =
        client.unharden_database(request).await?.into_inner();
    if json {
        output::json(&Removed {
            applied,
            sql: (!applied).then_some(&sql),
        })?;
    } else if applied {
        outln!("removed");
    } else {
        out!("{sql}");
        eprintln!("nothing was changed: give this to psql, or run the command again with --apply");
    }
    Ok(Exit::OK)
}

async fn doctor(client: &mut Client, database: String, json: bool) -> Result<Exit, Failure> {
    let request = ExamineDatabaseRequest { database };
    let findings = client
        .examine_database(request)
        .await?
        .into_inner()
        .findings;
    if json {
        let findings: Vec<_> = findings.iter().map(Found::new).collect();
        output::json(&findings)?;
    } else {
        out!("{}", report(&findings));
    }
    let is_sound = !findings.iter().any(is_unsound);
    Ok(if is_sound { Exit::OK } else { Exit::UNSOUND })
}

fn is_unsound(finding: &DatabaseFinding) -> bool {
    finding.severity == "error" && !finding.accepted
}

/// What was found, for people: errors, warnings, what was accepted.
fn report(findings: &[DatabaseFinding]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for finding in findings {
        let DatabaseFinding {
            name,
            severity,
            object,
            problem,
            remedy,
            accepted,
        } = finding;
        let severity = if *accepted { "accepted" } else { severity };
        let _ = writeln!(text, "{severity}: {name} {object}\n  {problem}\n  {remedy}");
    }
    let errors = findings
        .iter()
        .filter(|finding| is_unsound(finding))
        .count();
    let _ = match errors {
        0 => writeln!(text, "sound, {} remark(s)", findings.len()),
        errors => writeln!(
            text,
            "{errors} error(s), {} remark(s)",
            findings.len() - errors
        ),
    };
    text
}

#[derive(Serialize)]
struct Hardened<'a> {
    applied: bool,
    codes_assigned: u64,
    codes_pending: bool,
    codes_failed: &'a [String],
    policies: Vec<PolicyShown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sql: Option<&'a str>,
}

#[derive(Serialize)]
struct PolicyShown<'a> {
    policy_id: &'a str,
    profile: &'a str,
    schema: &'a str,
    views: u32,
    changed: u32,
    logins: u32,
}

impl<'a> Hardened<'a> {
    fn new(answer: &'a HardenDatabaseResponse) -> Self {
        Self {
            applied: answer.applied,
            codes_assigned: answer.codes_assigned,
            codes_pending: answer.codes_pending,
            codes_failed: &answer.codes_failed,
            policies: answer.policies.iter().map(PolicyShown::new).collect(),
            sql: (!answer.applied).then_some(answer.sql.as_str()),
        }
    }
}

impl<'a> PolicyShown<'a> {
    fn new(policy: &'a HardenedPolicy) -> Self {
        Self {
            policy_id: &policy.policy_id,
            profile: &policy.profile,
            schema: &policy.schema,
            views: policy.views,
            changed: policy.changed,
            logins: policy.logins,
        }
    }
}

#[derive(Serialize)]
struct Removed<'a> {
    applied: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    sql: Option<&'a str>,
}

#[derive(Serialize)]
struct Found<'a> {
    name: &'a str,
    severity: &'a str,
    object: &'a str,
    problem: &'a str,
    remedy: &'a str,
    accepted: bool,
}

impl<'a> Found<'a> {
    fn new(finding: &'a DatabaseFinding) -> Self {
        Self {
            name: &finding.name,
            severity: &finding.severity,
            object: &finding.object,
            problem: &finding.problem,
            remedy: &finding.remedy,
            accepted: finding.accepted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accepted_error_does_not_fail() {
        let finding = |severity: &str, accepted| DatabaseFinding {
            name: "public_privilege".to_owned(),
            severity: severity.to_owned(),
            object: "public.t".to_owned(),
            problem: "PUBLIC may SELECT".to_owned(),
            remedy: "REVOKE".to_owned(),
            accepted,
        };
        assert!(is_unsound(&finding("error", false)));
        assert!(!is_unsound(&finding("error", true)));
        assert!(!is_unsound(&finding("warning", false)));
        let text = report(&[finding("error", false), finding("error", true)]);
        assert_eq!(
            text,
            "error: public_privilege public.t\n  PUBLIC may SELECT\n  REVOKE\n\
             accepted: public_privilege public.t\n  PUBLIC may SELECT\n  REVOKE\n\
             1 error(s), 1 remark(s)\n"
        );
    }
}
