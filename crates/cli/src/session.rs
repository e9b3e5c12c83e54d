//! `phictl session`.

use phigate_proto::v1::session_service_client::SessionServiceClient;
use phigate_proto::v1::{GetSessionRequest, KillSessionRequest, ListSessionsRequest, Session};
use serde::Serialize;

use crate::arguments::{Connection, SessionCommand};
use crate::connect::{self, Authorised};
use crate::exit::{Exit, Failure};
use crate::{grant, output, replay};

/// How many rows one call asks for.
const PAGE: u32 = 1000;

pub(crate) async fn run(
    command: SessionCommand,
    connection: &Connection,
    json: bool,
) -> Result<Exit, Failure> {
    let command = match command {
        // Replay needs the record alone, no control plane.
        SessionCommand::Replay(options) => return replay::run(&options, connection, json).await,
        other => other,
    };
    let (channel, token) = connect::connect(connection).await?;
    let mut client = SessionServiceClient::with_interceptor(channel, token);
    match command {
        SessionCommand::List { grant, all } => {
            let sessions = list(&mut client, grant, all).await?;
            print_list(&sessions, json)?;
        }
        SessionCommand::Show { id } => {
            let request = GetSessionRequest { session_id: id };
            let answer = client.get_session(request).await?.into_inner();
            print_one(&answer.session.unwrap_or_default(), json)?;
        }
        SessionCommand::Kill { id, reason } => {
            let request = KillSessionRequest {
                session_id: id,
                reason,
            };
            let answer = client.kill_session(request).await?.into_inner();
            grant::print_barrier(answer.barrier_ms, &answer.gateways, json)?;
        }
        SessionCommand::Replay(_) => {}
    }
    Ok(Exit::OK)
}

async fn list(
    client: &mut SessionServiceClient<Authorised>,
    grant: Option<String>,
    include_ended: bool,
) -> Result<Vec<Session>, Failure> {
    let mut request = ListSessionsRequest {
        grant_id: grant.unwrap_or_default(),
        include_ended,
        page_size: PAGE,
        page_token: String::new(),
    };
    let mut sessions = Vec::new();
    loop {
        let page = client.list_sessions(request.clone()).await?.into_inner();
        sessions.extend(page.sessions);
        if page.next_page_token.is_empty() {
            return Ok(sessions);
        }
        request.page_token = page.next_page_token;
    }
}

/// A session as `--json` prints it.
#[derive(Serialize)]
struct Shown<'a> {
    session_id: &'a str,
    grant_id: &'a str,
    principal: &'a str,
    database: &'a str,
    gateway_id: &'a str,
    client_address: &'a str,
    application_name: &'a str,
    opened_at: String,
    ended_at: String,
    end_reason: &'a str,
}

impl<'a> From<&'a Session> for Shown<'a> {
    fn from(session: &'a Session) -> Self {
        Self {
            session_id: &session.session_id,
            grant_id: &session.grant_id,
            principal: &session.principal,
            database: &session.database,
            gateway_id: &session.gateway_id,
            client_address: &session.client_address,
            application_name: &session.application_name,
            opened_at: output::instant(session.opened_at.as_ref()),
            ended_at: output::instant(session.ended_at.as_ref()),
            end_reason: &session.end_reason,
        }
    }
}

fn print_list(sessions: &[Session], json: bool) -> Result<(), Failure> {
    if json {
        return output::json(&sessions.iter().map(Shown::from).collect::<Vec<_>>());
    }
    let header = [
        "session",
        "grant",
        "principal",
        "database",
        "from",
        "opened",
        "ended",
        "why",
    ];
    let row = |session: &Session| {
        vec![
            session.session_id.clone(),
            session.grant_id.clone(),
            session.principal.clone(),
            session.database.clone(),
            session.client_address.clone(),
            output::instant(session.opened_at.as_ref()),
            output::instant(session.ended_at.as_ref()),
            session.end_reason.clone(),
        ]
    };
    output::table(&header, sessions.iter().map(row));
    Ok(())
}

fn print_one(session: &Session, json: bool) -> Result<(), Failure> {
    let shown = Shown::from(session);
    if json {
        return output::json(&shown);
    }
    output::fields(&[
        ("session", session.session_id.clone()),
        ("grant", session.grant_id.clone()),
        ("principal", session.principal.clone()),
        ("database", session.database.clone()),
        ("gateway", session.gateway_id.clone()),
        ("from", session.client_address.clone()),
        ("application", session.application_name.clone()),
        ("opened", shown.opened_at),
        ("ended", shown.ended_at),
        ("why", session.end_reason.clone()),
    ]);
    Ok(())
}
