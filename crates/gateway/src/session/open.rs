//! Opens a session for a proved and authorised client: connects upstream, says what PostgreSQL
//! would say, and adds one line of our own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use phigate_audit::record::SessionOpened;
use phigate_phi::{
    ColumnName, EffectivePolicy, KeyAccess, ReleaseContext, Treatment, Unclassified,
};
use phigate_sql::Passthrough;
use phigate_types::{PgError, SqlState};
use phigate_wire::backend::{self, TransactionStatus};

use super::conversation::Conversation;
use super::end::{End, close_client};
use super::meter::{BudgetLeft, Meter};
use super::pump::Pump;
use super::record::{Recorder, not_recorded};
use super::{BackendWalker, FrontendCutter, Session, Watch, reply};
use crate::authenticate::Proved;
use crate::authorise::{Authorised, Denied, not_ready, unready};
use crate::cancel::Issued;
use crate::database::Database;
use crate::enforce::{Enforcer, Facts};
use crate::gateway::Gateway;
use crate::startup::parameters::Requested;
use crate::startup::settings::Settings;
use crate::stream::ClientStream;
use crate::upstream::{self, Address, Connection, Login, UpstreamError, slot};
use crate::{clock, limits};

/// Everything a session is opened from.
pub(crate) struct Opening<'g> {
    pub(crate) gateway: &'g Gateway,
    pub(crate) database: Arc<Database>,
    pub(crate) requested: Requested,
    pub(crate) proved: Proved,
    pub(crate) authorised: Authorised,
    pub(crate) peer: SocketAddr,
}

/// A session, its cancel key while it lives, and the server's own.
pub(crate) struct Opened {
    pub(crate) session: Session,
    pub(crate) cancel: Option<(Issued, phigate_wire::startup::CancelKey)>,
    pub(crate) database: Arc<Database>,
}

/// Opens. The greeting from AuthenticationOk to ReadyForQuery is the first thing the session
/// writes. Not cancel safe; dropping it closes both sides.
///
/// # Errors
/// The client, to be told why there is no session; without it when that was said already, because the
/// session was ended before it began.
pub(crate) async fn open(
    opening: Opening<'_>,
    client: ClientStream,
    buffer: BytesMut,
) -> Result<Opened, (Option<ClientStream>, Denied)> {
    let leash = Arc::clone(opening.authorised.registration.leash());
    let prepared = tokio::select! {
        biased;
        // Whatever the server's side waits for: a revocation does not wait for it.
        () = leash.pulled() => {
            let cause = leash.cause().cloned().unwrap_or(End::Internal("pulled without a cause"));
            let error = cause.last_words().unwrap_or_else(|| not_ready().1);
            let never = std::future::pending();
            close_client(client, &cause, Some(&[]), &[], never).await;
            opening.authorised.registration.client_closed();
            return Err((None, ("ended", error)));
        }
        prepared = prepare(&opening, client.is_tls()) => prepared,
    };
    match prepared {
        // The gateway began to stop while the server's side was being opened.
        Ok(_) if opening.gateway.live.is_draining() => {
            let denied = unready(&opening.gateway.live).unwrap_or_else(not_ready);
            Err((Some(client), denied))
        }
        Ok(prepared) => Ok(opening.assemble(prepared, client, buffer)),
        Err(denied) => Err((Some(client), denied)),
    }
}

struct Prepared {
    connection: Connection,
    enforcer: Enforcer,
    recorder: Recorder,
    path: Vec<String>,
    masked: bool,
}

async fn prepare(opening: &Opening<'_>, tls: bool) -> Result<Prepared, Denied> {
    let Opening {
        gateway,
        database,
        requested,
        authorised,
        ..
    } = opening;
    // What is relayed unread cannot keep rows back.
    let restricted = authorised.policy.restricts_rows();
    let unread = database.passthrough && !restricted;
    let authority = Passthrough::new(authorised.profile, authorised.write, unread);
    if restricted && database.slots.is_none() {
        return Err(needs_views());
    }
    let passthrough = authority.is_some();
    let settings = Settings::of(requested, passthrough)?;
    let path = settings.path.clone();
    let slots = database.slots.as_ref().filter(|_| !passthrough);
    let release = match slots {
        None => ReleaseContext::new(
            authorised.profile,
            authorised.as_of.clone(),
            KeyAccess::Settings,
        ),
        // The date is the slot's, so that one binding serves every grant.
        Some(_) => ReleaseContext::new(authorised.profile, "", KeyAccess::Slot),
    };
    #[cfg(feature = "sql-off-for-tests")]
    let authority = match slots {
        Some(_) => crate::sql_off::authority(),
        None => authority,
    };
    let facts = Facts {
        user: requested.principal.clone(),
        database: requested.database.clone(),
        session: authorised.session.to_string(),
        grant: authorised.grant.to_string(),
        expires_at: authorised.expires_at.to_string(),
        write: authorised.write,
        budget: BudgetLeft::new(authorised.budget, authorised.budget_left),
    };
    let mut enforcer = Enforcer::new(
        Arc::clone(database),
        Arc::clone(&authorised.policy),
        release,
        facts,
        gateway.plans.clone(),
        authority,
    );
    if !passthrough {
        enforcer
            .refresh(&path)
            .await
            .map_err(|refused| (refused.reason, fatal(refused.error)))?;
    }
    let login = settings.login(requested, authorised, passthrough, slots.is_none());
    let connection = match slots {
        None => connect(gateway, database, &database.address, &login, None).await?,
        Some(slots) => {
            let is_hardened = enforcer.is_hardened(&path).await;
            if !is_hardened.map_err(|refused| (refused.reason, fatal(refused.error)))? {
                return Err(slot::not_hardened(&database.name, authorised));
            }
            let slot = slot::assign(slots, &database.address, &database.name, authorised).await?;
            connect(gateway, database, &slot.address, &login, Some(&slot.check)).await?
        }
    };
    let recorder = record(opening, tls, passthrough)
        .map_err(|error| ("unrecorded", fatal(not_recorded(&error))))?;
    let masked = !passthrough && withholds(&authorised.policy);
    Ok(Prepared {
        connection,
        enforcer,
        recorder,
        path,
        masked,
    })
}

impl Opening<'_> {
    fn assemble(self, prepared: Prepared, client: ClientStream, buffer: BytesMut) -> Opened {
        let Self {
            gateway,
            database,
            requested,
            authorised,
            ..
        } = self;
        let Prepared {
            connection,
            enforcer,
            recorder,
            path,
            masked,
        } = prepared;
        let passthrough = enforcer.is_passthrough();
        let principal = (!passthrough).then_some(requested.principal.as_str());
        let session_id = authorised.session.to_string();
        let mut greeting = BytesMut::new();
        backend::authentication_ok(&mut greeting);
        for (name, value) in &connection.parameters {
            let shown = reply::shown(name, value, &session_id, principal).unwrap_or(value);
            backend::parameter_status(name, shown, &mut greeting);
        }
        let cancel = connection.cancel.and_then(|theirs| {
            let address = Arc::new(database.address.clone());
            let len = requested.cancel_secret_len;
            let (ours, issued) = gateway.cancels.issue(len, &address, theirs.clone())?;
            backend::backend_key_data(&ours, &mut greeting);
            Some((issued, theirs))
        });
        if !passthrough && wants_notices(&requested) {
            backend::notice(&notice(&authorised), &mut greeting);
        }
        backend::ready_for_query(TransactionStatus::Idle, &mut greeting);
        let mut pump = Pump::new(client, buffer, connection.stream, &connection.buffer);
        pump.to_client = greeting;
        let watch = Watch::new(
            &authorised.registration,
            Arc::clone(&gateway.live),
            authorised.grant,
            authorised.ends,
            gateway.timeouts.idle,
        );
        let mut talk = Conversation::new(
            enforcer,
            recorder,
            path,
            masked,
            session_id,
            requested.principal,
        );
        let left = talk.enforcer.budget_left();
        talk.meter = left.map(|left| {
            Meter::new(
                authorised.budget,
                authorised.budget_left,
                left,
                &authorised.project_key,
                &authorised.grant.to_string(),
            )
        });
        let session = Session {
            pump,
            talk,
            cutter: FrontendCutter::session(),
            walker: BackendWalker::new(),
            held: None,
            terminated: false,
            watch,
            waiting: None,
            stalled: None,
            drawing: None,
            control: gateway.control.clone(),
            registration: authorised.registration,
        };
        Opened {
            session,
            cancel,
            database,
        }
    }
}

async fn connect(
    gateway: &Gateway,
    database: &Database,
    address: &Address,
    login: &Login,
    check: Option<&str>,
) -> Result<Connection, Denied> {
    let connecting = async {
        let _turn = gateway.upstream_logins.acquire().await;
        let stream = upstream::connect(address).await?;
        upstream::login(stream, address, login, check).await
    };
    let connected = tokio::time::timeout(gateway.timeouts.upstream_login, connecting)
        .await
        .unwrap_or(Err(UpstreamError::Timeout));
    connected.map_err(|error| {
        tracing::warn!(%error, database = %database.name, "no upstream connection");
        ("upstream", error.for_client())
    })
}

fn record(
    opening: &Opening<'_>,
    tls: bool,
    passthrough: bool,
) -> Result<Recorder, phigate_audit::AuditError> {
    let Opening {
        gateway,
        database,
        requested,
        proved,
        authorised,
        peer,
    } = opening;
    let invalid = |what: &str| phigate_audit::AuditError::Config(what.to_owned());
    let opened = SessionOpened {
        principal: requested
            .principal
            .parse()
            .map_err(|_| invalid("principal"))?,
        grant: authorised.grant,
        epoch: authorised.epoch,
        purpose: authorised.purpose,
        profile: authorised.profile,
        policy: authorised.policy.id.to_string(),
        database: database.name.clone(),
        client: peer.to_string(),
        gateway: gateway.id.clone(),
        expires_at: authorised.expires_at,
        authentication: proved.mechanism.to_owned(),
        tls,
        write: authorised.write,
        passthrough,
    };
    let digest_key = crate::random().map_err(|_| invalid("random bytes"))?;
    let application = &requested.application_name;
    Recorder::open(
        gateway.log.clone(),
        Arc::clone(&gateway.events),
        authorised.session,
        opened,
        application,
        digest_key,
    )
}

/// Inline enforcement has no barrier: what a statement computes of a row that is out of scope would show
/// in its errors.
fn needs_views() -> Denied {
    (
        "row_scope",
        PgError::fatal(
            SqlState::FEATURE_NOT_SUPPORTED,
            "the grant shows some patients' rows only, and the database is not enforced by masked views",
        )
        .with_hint("ask an administrator to serve it with enforcement = \"views\", or for a grant without a patient list that names the sensitivities"),
    )
}

/// Whether anything is masked, blocked, refused or out of scope under the policy.
fn withholds(policy: &EffectivePolicy) -> bool {
    policy.restricts_rows()
        || policy.unclassified != Unclassified::Release
        || policy.rules.iter().any(|rule| !rule.treatment.is_keep())
}

/// One line, bounded: what the grant does and how long it lasts.
fn notice(authorised: &Authorised) -> PgError {
    let policy = &authorised.policy;
    let mut ways: BTreeMap<Treatment, Vec<&ColumnName>> = BTreeMap::new();
    for rule in policy.rules.iter().filter(|rule| !rule.treatment.is_keep()) {
        ways.entry(rule.treatment).or_default().push(&rule.column);
    }
    let blocked = ways.get(&Treatment::Block).map_or(0, Vec::len);
    let masked: usize = ways.values().map(Vec::len).sum();
    let listed: String = ways
        .iter()
        .map(|(way, columns)| listed(*way, columns))
        .collect();
    let listed = if listed.is_empty() {
        listed
    } else {
        format!("{listed}; SHOW phigate.columns lists them")
    };
    let left = authorised.ends.saturating_sub(clock::now()).as_secs();
    let (minutes, seconds) = (left / 60, left % 60);
    PgError::notice(format!(
        "grant {}: profile {}, {minutes} min {seconds} s left, {} columns masked, {blocked} blocked{listed}",
        authorised.grant,
        authorised.profile,
        masked - blocked,
    ))
}

/// One way of treating columns and the first few that are treated so.
fn listed(way: Treatment, columns: &[&ColumnName]) -> String {
    let names: Vec<String> = columns
        .iter()
        .take(limits::NOTICE_COLUMNS)
        .map(|column| format!("{}.{}", column.table, column.column))
        .collect();
    let more = match columns.len().saturating_sub(names.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("; {way}: {}{more}", names.join(", "))
}

fn wants_notices(requested: &Requested) -> bool {
    let level = requested
        .settings
        .iter()
        .rfind(|(name, _)| name.eq_ignore_ascii_case("client_min_messages"))
        .map(|(_, value)| value.to_ascii_lowercase());
    !matches!(
        level.as_deref(),
        Some("warning" | "error" | "fatal" | "panic")
    )
}

fn fatal(error: PgError) -> PgError {
    let code = match error.code {
        SqlState::INTERNAL_ERROR | SqlState::IO_ERROR | SqlState::CANNOT_CONNECT_NOW => error.code,
        _ => SqlState::CANNOT_CONNECT_NOW,
    };
    PgError {
        severity: phigate_types::Severity::Fatal,
        code,
        ..error
    }
}
