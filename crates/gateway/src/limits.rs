//! Every bound of the data plane, in one place.

use std::time::Duration;

/// Most client connections at once, of any state.
pub(crate) const CONNECTIONS: usize = 10_000;

/// Most client connections at once from one address.
pub(crate) const CONNECTIONS_PER_ADDRESS: usize = 2_000;

/// Most logins at once that wait for an upstream server: a PostgreSQL backend costs milliseconds of
/// CPU to start.
pub(crate) const UPSTREAM_LOGINS: usize = 64;

/// From accept to ReadyForQuery. PostgreSQL: authentication_timeout, 60 s.
pub(crate) const LOGIN: Duration = Duration::from_secs(30);

/// One answer of the control plane to an ordinary call.
pub(crate) const CONTROL_CALL: Duration = Duration::from_secs(5);

/// From the first SYN to the upstream server to its ReadyForQuery.
pub(crate) const UPSTREAM_LOGIN: Duration = Duration::from_secs(10);

/// A CancelRequest, from the connection to the upstream server to its close.
pub(crate) const CANCEL: Duration = Duration::from_secs(5);

/// A session without a statement in progress.
pub(crate) const IDLE: Duration = Duration::from_hours(1);

/// How long the client's side may take to accept the last words before what the kernel queues for
/// it is discarded (guarantee G3).
pub(crate) const LAST_WORDS: Duration = Duration::from_millis(5);

/// How long a session that was ended with others leaves its server's side alone after the last of
/// them was acknowledged: cancelling statements and ending backends costs more than the end itself.
pub(crate) const TEARDOWN_LAG: Duration = Duration::from_millis(20);

/// How long at most it leaves its server's side alone.
pub(crate) const TEARDOWN_WAIT: Duration = Duration::from_millis(250);

/// Servers' sides that are taken down, and ends that are told to the control plane, at once.
pub(crate) const TEARDOWNS: usize = 8;

/// How late a session may find its lease over and still say so: a gateway that slept through it
/// neither reads nor writes (guarantee G3).
pub(crate) const OVERSLEPT: Duration = Duration::from_millis(500);

/// How much earlier than the end of a grant its sessions end, so that nothing leaves after it: the
/// granularity of the timer wheel and a scheduling delay.
pub(crate) const EXPIRY_SLACK: Duration = Duration::from_millis(20);

/// A grant with less time left than this lets nobody in any more: the session would end before it
/// could be used, and who comes back just after an expiry is to hear that there is no grant.
pub(crate) const SHORTEST_SESSION: Duration = Duration::from_millis(200);

/// Unacknowledged bytes in a client's direction are given up after this long. No longer than the
/// lease.
pub(crate) const TCP_USER_TIMEOUT: Duration = Duration::from_secs(5);

/// First keep-alive probe on a silent connection, and the gap between probes.
pub(crate) const TCP_KEEPALIVE: (Duration, Duration) =
    (Duration::from_mins(1), Duration::from_secs(10));

/// The kernel's send buffer towards a client, in bytes: what a paused gateway may leave to drain.
pub(crate) const CLIENT_SEND_BUFFER: usize = 64 * 1024;

/// The largest segment towards a client, in bytes. On loopback the kernel would take 64 KiB: one segment
/// then fills [`CLIENT_SEND_BUFFER`], and the next waits until the client's kernel has acknowledged it,
/// which it delays by 40 ms for as long as no second one arrives.
pub(crate) const CLIENT_SEGMENT: u32 = 8 * 1024;

/// The largest rest of a frame that is still written when a session is ended, in bytes (G3).
pub(crate) const FRAME_REST: usize = 64 * 1024;

/// A read buffer while messages flow, in bytes.
pub(crate) const BUFFER: usize = 16 * 1024;

/// A read buffer while a result streams, in bytes.
pub(crate) const STREAM_BUFFER: usize = 64 * 1024;

/// Bytes waiting for a peer's socket beyond which the other side is not read.
pub(crate) const HIGH_WATER: usize = 256 * 1024;

/// Replies outstanding beyond which the client is not read.
pub(crate) const PIPELINE: usize = 16 * 1024;

/// Statement text beyond which it is analysed off the reactor threads, in bytes.
pub(crate) const ANALYSE_INLINE: usize = 16 * 1024;

/// The plan cache, in bytes of text and plan.
pub(crate) const PLAN_CACHE: u64 = 64 << 20;

/// Patients that a session with a budget of them remembers as seen; the control plane knows all.
pub(crate) const PATIENTS_SEEN: usize = 100_000;

/// Patients that are asked for at once; `phigate_grant::MAX_PATIENT_KEYS`.
pub(crate) const PATIENTS_ASKED: usize = 256;

/// The longest row in which a patient's key is looked for, in bytes: it is held whole. A longer one
/// counts as a patient more.
pub(crate) const COUNTED_ROW: usize = 256 * 1024;

/// Patients of one grant; `phigate_grant::MAX_PATIENTS`.
pub(crate) const COHORT: usize = 100_000;

/// Patient lists held, and for how long.
pub(crate) const COHORT_CACHE: u64 = 16;
pub(crate) const COHORT_KEPT: Duration = Duration::from_mins(1);

/// Effective policies held.
pub(crate) const POLICY_CACHE: u64 = 1_000;

/// Policies bound to a snapshot held.
pub(crate) const BOUND_CACHE: u64 = 64;

/// Prepared statements and portals of one session.
pub(crate) const NAMES: usize = 10_000;

/// Pauses between attempts to attach to the control plane: first and longest.
pub(crate) const ATTACH_BACKOFF: (Duration, Duration) =
    (Duration::from_millis(100), Duration::from_secs(2));

/// How long `serve` waits for its first lease before it accepts (and refuses) clients.
pub(crate) const FIRST_LEASE: Duration = Duration::from_secs(10);

/// How often admission is asked again because the gateway had seen a newer version.
pub(crate) const ADMISSION_ATTEMPTS: usize = 5;

/// How long transactions may go on when the gateway stops, unless configured otherwise.
pub(crate) const DRAIN: Duration = Duration::from_secs(20);

/// How long what is left of connections without a session may take after that.
pub(crate) const CLOSING: Duration = Duration::from_secs(5);

/// Columns named in the notice at login for each way of treating them: at most twelve ways, so the
/// line stays under 7 kB whatever the names.
pub(crate) const NOTICE_COLUMNS: usize = 4;

/// PostgreSQL's NAMEDATALEN - 1: the length of `application_name`, in bytes.
pub(crate) const NAME: usize = 63;

/// How long a client that is not being cut off may take to accept what is left for it.
pub(crate) const FAREWELL: Duration = Duration::from_secs(2);

/// How long `serve` waits for the first look at a database's catalog.
pub(crate) const FIRST_CATALOG: Duration = Duration::from_secs(30);

/// How long a session that finds no masked views of its policy waits for the catalog to be read
/// again: they may have been made a moment ago.
pub(crate) const CATALOG_REFRESH: Duration = Duration::from_secs(3);
