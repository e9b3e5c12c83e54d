//! The attach stream: leases one way, changes the other. The rules are `phigate_lease`'s; here is
//! only the stream under them, made again for as long as the gateway runs.

use std::sync::Arc;
use std::time::Duration;

use phigate_lease::gateway::{Effect, Holder, StreamError};
use phigate_lease::{Change, LEASE, RENEW_EVERY};
use phigate_proto::v1::attach_request::Message as Say;
use phigate_proto::v1::attach_response::Message as Hear;
use phigate_proto::{Malformed, v1};
use phigate_vitals::Beats;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::{ControlError, describe};
use crate::clock;
use crate::gateway::Gateway;
use crate::limits;
use crate::live::Ending;

/// Messages on their way to the control plane.
const QUEUE: usize = 64;

/// Effects whose sessions are being ended. While so many are, nothing more is heard, and in the end the
/// lease runs out.
const CARRIED_MAX: usize = 4096;

/// How often the end of the lease is looked for while there is none.
const WATCH_EVERY: Duration = Duration::from_millis(200);

/// Attaches, and attaches again, for as long as it is polled.
pub(crate) async fn attach(gateway: Arc<Gateway>, beats: Beats) {
    let (carried, carrying) = mpsc::channel(CARRIED_MAX);
    let report = report(&gateway, carrying);
    let watch = watch_lease(&gateway, &carried, beats);
    let streams = async {
        let mut pause = limits::ATTACH_BACKOFF.0;
        loop {
            let began = Instant::now();
            let error = match stream(&gateway, &carried).await {
                Ok(never) => never,
                Err(error) => error,
            };
            gateway.live.with_holder(Holder::detached);
            gateway.events.detached(&error);
            if began.elapsed() > LEASE {
                pause = limits::ATTACH_BACKOFF.0;
            }
            if matches!(error, ControlError::Renewed) {
                continue;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(limits::ATTACH_BACKOFF.1);
        }
    };
    tokio::select! {
        () = watch => {}
        () = report => {}
        () = streams => {}
    }
}

/// Ends all sessions when the lease is over. They would end by themselves at their next write; this
/// also ends the silent ones.
async fn watch_lease(gateway: &Gateway, carried: &Carried, mut beats: Beats) {
    loop {
        let now = clock::now();
        let pause = gateway
            .live
            .deadline()
            .map(|deadline| deadline.saturating_sub(now));
        tokio::select! {
            () = tokio::time::sleep(pause.map_or(WATCH_EVERY, |pause| pause.min(WATCH_EVERY))) => {}
            () = beats.answer() => {}
        }
        if let Some(effect) = gateway.live.with_holder(|holder| holder.tick(clock::now())) {
            tracing::error!("the lease is over: ending all sessions");
            carry_out(gateway, carried, vec![effect]).await;
        }
    }
}

/// One stream, from Hello to its end.
async fn stream(gateway: &Gateway, carried: &Carried) -> Result<ControlError, ControlError> {
    let (say, queue) = mpsc::channel(QUEUE);
    let applied = gateway
        .live
        .with_holder(|holder| holder.hello(clock::now()));
    let hello = Say::Hello(v1::Hello {
        instance_id: gateway.instance.clone(),
        applied_version: applied.0,
        advertised_address: gateway.advertised.clone(),
        databases: gateway.databases.keys().map(ToString::to_string).collect(),
        session_ids: gateway
            .live
            .sessions()
            .iter()
            .map(ToString::to_string)
            .collect(),
        software_version: env!("CARGO_PKG_VERSION").to_owned(),
    });
    send(&say, hello).await?;
    let mut client = gateway.control.client();
    let attached = client.attach(ReceiverStream::new(queue));
    let mut hear = tokio::time::timeout(limits::CONTROL_CALL, attached)
        .await
        .map_err(|_| ControlError::Unavailable("no answer to Attach".to_owned()))?
        .map_err(|status| ControlError::Unavailable(describe(&status)))?
        .into_inner();
    let mut renew = tokio::time::interval(RENEW_EVERY);
    renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            biased;
            message = receive(&mut hear) => {
                heard = Instant::now();
                act(gateway, carried, message?).await?;
                acknowledge(gateway, &say).await?;
            }
            () = gateway.live.carried() => acknowledge(gateway, &say).await?,
            () = gateway.control.renewed.notified() => {
                return Err(ControlError::Renewed);
            }
            _ = renew.tick() => {
                if heard.elapsed() > LEASE {
                    return Err(ControlError::Unavailable("silent for a whole lease".to_owned()));
                }
                let sequence =
                    gateway.live.with_holder(|holder| holder.start_renewal(clock::now()));
                if let Some(sequence) = sequence {
                    let log_head = gateway.log.head().to_string();
                    send(&say, Say::Renew(v1::Renew { sequence, log_head })).await?;
                }
            }
        }
    }
}

async fn act(gateway: &Gateway, carried: &Carried, message: Hear) -> Result<(), ControlError> {
    let now = clock::now();
    let effects = match message {
        Hear::Welcome(welcome) => {
            let lease = lease(welcome.lease.as_ref())?;
            let changes = read(welcome.changes)?;
            let head = phigate_types::Version(welcome.head_version);
            gateway
                .live
                .with_holder(|holder| holder.welcomed(now, lease, &changes, head))
        }
        Hear::Renewed(renewed) => {
            let changes = read(renewed.changes)?;
            let head = phigate_types::Version(renewed.head_version);
            gateway
                .live
                .with_holder(|holder| holder.renewed(now, renewed.sequence, &changes, head))
        }
        Hear::Change(change) => {
            let change = Change::try_from(change)?;
            gateway
                .live
                .with_holder(|holder| holder.pushed(now, &change))
        }
        Hear::Ahead(ahead) => {
            let ending = phigate_lease::Ending::try_from(ahead)?;
            gateway.live.with_holder(|holder| holder.ahead(now, ending))
        }
    };
    match effects {
        Ok(effects) => {
            carry_out(gateway, carried, effects).await;
            Ok(())
        }
        Err(StreamError::Regressed { head, seen }) => {
            tracing::error!(%head, %seen, "the control plane went back: ending all sessions");
            gateway.live.end(&Effect::EndAll).closed().await;
            gateway.live.begin_anew();
            Err(ControlError::Answer("its change log went back".to_owned()))
        }
        Err(error) => Err(ControlError::Answer(error.to_string())),
    }
}

/// Effects that are being carried out, in the order in which they came.
type Carried = mpsc::Sender<(Effect, Ending)>;

/// Ends what the effects name at once. Nothing waits for it here: the next change and the next renewal
/// are not held up by the last byte of this one, and a stream that breaks meanwhile loses nothing.
async fn carry_out(gateway: &Gateway, carried: &Carried, effects: Vec<Effect>) {
    let mut endings = Vec::with_capacity(effects.len());
    for effect in effects {
        let ending = gateway.live.end(&effect);
        endings.push((effect, ending));
    }
    for ending in endings {
        // Whoever would hear it has stopped.
        let _ = carried.send(ending).await;
    }
}

/// Reports each effect when the last byte of its sessions is with its client or discarded.
async fn report(gateway: &Gateway, mut carried: mpsc::Receiver<(Effect, Ending)>) {
    while let Some((effect, ending)) = carried.recv().await {
        ending.closed().await;
        gateway.live.carried_out(&effect, &ending);
        let (kind, is_ahead) = kind(&effect);
        if !is_ahead {
            gateway.events.change_carried_out(kind);
        }
        if ending.is_empty() {
            continue;
        }
        tracing::info!(kind, sessions = ending.count(), "sessions were ended");
        tokio::spawn(async move {
            // The acknowledgement and what waits for it go first.
            tokio::time::sleep(limits::TEARDOWN_LAG).await;
            ending.release();
        });
    }
}

/// The word for what ended, in metrics, and whether the change itself is still to come.
const fn kind(effect: &Effect) -> (&'static str, bool) {
    match effect {
        Effect::EndGrant { version, .. } => ("grant", version.is_none()),
        Effect::EndSession { version, .. } => ("session", version.is_none()),
        Effect::EndAll => ("lease", false),
    }
}

async fn acknowledge(
    gateway: &Gateway,
    say: &mpsc::Sender<v1::AttachRequest>,
) -> Result<(), ControlError> {
    for applied in gateway.live.with_holder(Holder::acknowledgements) {
        let applied = v1::Applied {
            version: applied.version.0,
            sessions_ended: applied.sessions_ended,
        };
        send(say, Say::Applied(applied)).await?;
    }
    Ok(())
}

/// In the order sent.
fn read(changes: Vec<v1::Change>) -> Result<Vec<Change>, Malformed> {
    changes.into_iter().map(Change::try_from).collect()
}

async fn receive(hear: &mut Streaming<v1::AttachResponse>) -> Result<Hear, ControlError> {
    match hear.message().await {
        Ok(Some(v1::AttachResponse {
            message: Some(message),
        })) => Ok(message),
        Ok(Some(v1::AttachResponse { message: None })) => {
            Err(ControlError::Answer("an empty message".to_owned()))
        }
        Ok(None) => Err(ControlError::Unavailable("it closed the stream".to_owned())),
        Err(status) => Err(ControlError::Unavailable(describe(&status))),
    }
}

async fn send(say: &mpsc::Sender<v1::AttachRequest>, message: Say) -> Result<(), ControlError> {
    let message = v1::AttachRequest {
        message: Some(message),
    };
    say.send_timeout(message, limits::CONTROL_CALL)
        .await
        .map_err(|_| ControlError::Unavailable("the stream is closed".to_owned()))
}

fn lease(lease: Option<&prost_types::Duration>) -> Result<Duration, ControlError> {
    let wrong = || ControlError::Answer("a Welcome without a valid lease".to_owned());
    let lease = lease.ok_or_else(wrong)?;
    let seconds = u64::try_from(lease.seconds).map_err(|_| wrong())?;
    let nanos = u32::try_from(lease.nanos).map_err(|_| wrong())?;
    let lease = Duration::new(seconds, nanos);
    if lease.is_zero() || lease > LEASE.saturating_mul(12) {
        Err(wrong())
    } else {
        Ok(lease)
    }
}
