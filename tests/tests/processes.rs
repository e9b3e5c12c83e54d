//! Real processes that are killed, stopped and cut off: when a revocation has returned, nothing more
//! of a result reaches a client's kernel, and what was committed holds.

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::process::Command;

use phigate_proto::v1::RevokeGrantResponse;
use phigate_testkit::client::{Client, Tls};
use phigate_testkit::{Cluster, clinic, eventually, hospital, within};
use phigate_tests::Login;
use phigate_tests::analyst::direct;
use phigate_tests::fleet::{Fleet, Plan};
use phigate_wire::backend::tag;
use phigate_wire::frontend;
use rustix::process::Signal;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// More rows than any buffer on the way holds.
const ENDLESS: &str =
    "SELECT e.*, n FROM encounters AS e CROSS JOIN generate_series(1, 100000) AS n";

/// What a process that was stopped may have left with its kernel (guarantee G3).
const SEND_BUFFER: u64 = 64 * 1024;

fn plan(gateways: usize) -> Plan {
    Plan::new(vec![env!("CARGO_BIN_EXE_daemon").into()], gateways)
}

async fn fleet(gateways: usize) -> Fleet {
    plan(gateways).start(hospital().await).await
}

/// Logged in at this gateway.
async fn client(fleet: &Fleet, gateway: usize, login: &Login) -> Client {
    let mut login = login.clone();
    login.port = fleet.gateways[gateway].address.port();
    login.connect_raw().await
}

/// In the middle of a long result.
async fn stream(client: &mut Client) {
    client.say(|out| frontend::query(ENDLESS, out)).await;
    client.until(tag::DATA_ROW).await;
}

/// Revokes while the client reads: the report, and what lay unread in the client's kernel when it came.
async fn revoke(fleet: &Fleet, login: &Login, client: &mut Client) -> (RevokeGrantResponse, u64) {
    let revoked = fleet.admin.revoke(&login.grant_id, "the study is over");
    tokio::pin!(revoked);
    let mut open = true;
    let report = loop {
        tokio::select! {
            biased;
            report = &mut revoked => break report,
            read = client.skip(), if open => open = read > 0,
        }
    };
    (report, client.unread())
}

/// Whether each gateway's lease had to run out, in the order of their names.
fn leases_over(report: &RevokeGrantResponse) -> Vec<bool> {
    let mut gateways = report.gateways.clone();
    gateways.sort_by(|one, other| one.gateway_id.cmp(&other.gateway_id));
    gateways.iter().map(|gateway| gateway.lease_over).collect()
}

async fn no_backend_is_left(cluster: &Cluster) {
    let sql = "SELECT pid FROM pg_stat_activity WHERE usename = 'broker'
               AND application_name <> 'phigate catalog'";
    eventually("the end of every session's backend", async || {
        let left = direct(&cluster.url("postgres"), sql).await;
        left.is_empty().then_some(())
    })
    .await;
}

/// How a login fails.
async fn refused(login: &Login) -> String {
    let mut client = Client::connect(login.address()).await;
    let refused = client.login(&login.user, &login.password, "clinic").await;
    let error = refused.expect_err("it is let in");
    error.code().as_str().to_owned()
}

/// Once a gateway serves again, an ended grant stays ended and another one works.
async fn serves_others(fleet: &Fleet, ended: &Login) {
    let other = fleet.grant("bob", |_| {}).await;
    let mut client = other.connect_raw().await;
    assert_eq!(client.query("SELECT 1").await.ok().value().unwrap(), "1");
    assert_eq!(refused(ended).await, "28000");
}

#[tokio::test]
async fn a_killed_gateway_is_waited_for_and_starts_again() {
    let mut fleet = fleet(1).await;
    let login = fleet.grant("alice", |_| {}).await;
    let mut streaming = client(&fleet, 0, &login).await;
    stream(&mut streaming).await;
    fleet.gateways[0].kill();
    let (report, there) = revoke(&fleet, &login, &mut streaming).await;
    assert_eq!(leases_over(&report), [true], "{report:?}");
    no_backend_is_left(&fleet.cluster).await;
    assert_eq!(streaming.unread(), there);
    fleet.gateways[0].start();
    fleet.gateways[0].answers().await;
    serves_others(&fleet, &login).await;
}

#[tokio::test]
async fn a_gateway_stopped_past_its_lease_sends_no_more_than_its_kernel_holds() {
    let fleet = fleet(1).await;
    let login = fleet.grant("alice", |_| {}).await;
    let mut streaming = client(&fleet, 0, &login).await;
    stream(&mut streaming).await;
    let gateway = &fleet.gateways[0];
    gateway.signal(Signal::STOP);
    // Nobody reads here, so that its send buffer is as full as it can be.
    let report = fleet
        .admin
        .revoke(&login.grant_id, "the study is over")
        .await;
    assert_eq!(leases_over(&report), [true], "{report:?}");
    let there = streaming.unread();
    // To be found when it wakes.
    streaming.say(|out| frontend::query("SELECT 1", out)).await;
    gateway.signal(Signal::CONT);
    let mut later = 0;
    loop {
        match streaming.skip().await as u64 {
            0 => break,
            read => later += read,
        }
    }
    assert!(
        later <= there + SEND_BUFFER,
        "{later} bytes, {there} of them before the return"
    );
    no_backend_is_left(&fleet.cluster).await;
    serves_others(&fleet, &login).await;
}

#[tokio::test]
async fn an_idle_session_of_a_gateway_that_slept_is_over_when_it_wakes() {
    let fleet = fleet(1).await;
    let login = fleet.grant("alice", |_| {}).await;
    let mut idle = client(&fleet, 0, &login).await;
    let gateway = &fleet.gateways[0];
    gateway.signal(Signal::STOP);
    let report = fleet
        .admin
        .revoke(&login.grant_id, "the study is over")
        .await;
    assert_eq!(leases_over(&report), [true], "{report:?}");
    idle.say(|out| frontend::query("SELECT * FROM patients", out))
        .await;
    gateway.signal(Signal::CONT);
    let rest = idle.rest().await;
    assert!(
        rest.rows().is_empty() && !rest.tags().contains('T'),
        "{rest:?}"
    );
    no_backend_is_left(&fleet.cluster).await;
}

#[tokio::test]
async fn a_control_plane_killed_in_a_revocation_has_revoked_or_waits_when_asked_again() {
    let mut fleet = fleet(2).await;
    let login = fleet.grant("alice", |_| {}).await;
    let mut here = client(&fleet, 0, &login).await;
    let mut there = client(&fleet, 1, &login).await;
    stream(&mut there).await;
    // It will not acknowledge, so that the call is under way when the control plane dies.
    fleet.gateways[1].signal(Signal::STOP);
    let admin = fleet.admin.clone();
    let grant = login.grant_id.clone();
    let call = tokio::spawn(async move { admin.try_revoke(&grant, "the study is over").await });
    let words = here.rest().await;
    assert_eq!(words.error().code().as_str(), "57P01", "{words:?}");
    fleet.control.kill();
    let failed = within("the call", call).await.expect("no panic");
    assert!(failed.is_err(), "{failed:?}");
    fleet.control.start();
    let report = eventually("a control plane that answers", async || {
        let again = fleet.admin.try_revoke(&login.grant_id, "the study is over");
        again.await.ok()
    })
    .await;
    // Both are known from before; the one that sleeps has to be waited for.
    assert!(leases_over(&report).ends_with(&[true]), "{report:?}");
    let unread = there.unread();
    fleet.gateways[1].signal(Signal::CONT);
    let mut later = 0;
    loop {
        match there.skip().await as u64 {
            0 => break,
            read => later += read,
        }
    }
    assert!(later <= unread + SEND_BUFFER, "{later}, {unread} before");
    no_backend_is_left(&fleet.cluster).await;
    serves_others(&fleet, &login).await;
}

#[tokio::test]
async fn without_a_control_plane_that_moves_sessions_end_with_the_lease() {
    let fleet = fleet(1).await;
    let login = fleet.grant("alice", |_| {}).await;
    let mut idle = client(&fleet, 0, &login).await;
    let mut streaming = client(&fleet, 0, &login).await;
    stream(&mut streaming).await;
    fleet.control.signal(Signal::STOP);
    let words = idle.rest().await;
    assert_eq!(words.error().code().as_str(), "57P01", "{words:?}");
    assert!(
        words.error().message().contains("control plane"),
        "{words:?}"
    );
    while streaming.skip().await > 0 {}
    no_backend_is_left(&fleet.cluster).await;
    assert_eq!(refused(&login).await, "57P03");
    fleet.control.signal(Signal::CONT);
    // The grant still holds: nobody revoked it.
    let mut back = client(&fleet, 0, &login).await;
    assert_eq!(back.query("SELECT 1").await.ok().value().unwrap(), "1");
    let (report, there) = revoke(&fleet, &login, &mut back).await;
    assert_eq!(leases_over(&report), [false], "{report:?}");
    assert_eq!(back.unread(), there);
}

#[tokio::test]
async fn a_gateway_that_is_cut_off_has_ended_its_sessions_when_the_revocation_returns() {
    let Some(network) = Network::make() else {
        eprintln!("not run: this user may not make network namespaces");
        return;
    };
    let cluster = hospital().await;
    let upstream = network.upstream(&cluster).await;
    let mut plan = plan(1);
    plan.upstream = Some(upstream);
    plan.hosts = (network.control.0, network.rest.1);
    plan.within = network.within();
    let fleet = plan.start(cluster).await;
    let login = fleet.grant("alice", |_| {}).await;
    let log_in = async |login: &Login| {
        let mut client = Client::connect_tls(login.address(), &Tls::Unverified).await;
        let done = client.login(&login.user, &login.password, "clinic").await;
        done.map(|()| client)
            .map_err(|error| error.code().as_str().to_owned())
    };
    let mut streaming = log_in(&login).await.expect("it is let in");
    stream(&mut streaming).await;
    network.cut();
    let (report, there) = revoke(&fleet, &login, &mut streaming).await;
    assert_eq!(leases_over(&report), [true], "{report:?}");
    no_backend_is_left(&fleet.cluster).await;
    assert_eq!(streaming.unread(), there);
    let late = log_in(&login).await.err();
    assert_eq!(late.as_deref(), Some("57P03"), "without a lease");
    network.mend();
    let other = fleet.grant("bob", |_| {}).await;
    eventually("a gateway that serves again", async || {
        log_in(&other).await.ok()
    })
    .await;
    assert_eq!(log_in(&login).await.err().as_deref(), Some("28000"));
}

/// A namespace for a gateway, with one link to the control plane, which can be cut, and one to
/// everybody else.
struct Network {
    id: u32,
    name: String,
    /// Its end out here, and the gateway's.
    control: (Ipv4Addr, Ipv4Addr),
    rest: (Ipv4Addr, Ipv4Addr),
}

impl Network {
    /// `None` where this user may not, or there is no iproute2.
    fn make() -> Option<Self> {
        let id = std::process::id();
        let [high, low] = u16::try_from(id % 0x2000).ok()?.to_be_bytes();
        // Of 198.18.0.0/15, which RFC 2544 keeps for tests of networks: two /30 each.
        let ends = |net: u8, first: u8| {
            let at =
                |host| Ipv4Addr::new(198, 18 + net, high * 8 + low / 32, (low % 32) * 8 + host);
            (at(first), at(first + 1))
        };
        let network = Self {
            id,
            name: format!("phigate-{id}"),
            control: ends(0, 1),
            rest: ends(1, 1),
        };
        ip(&["netns", "add", &network.name]).then_some(())?;
        let links = [("c", network.control), ("r", network.rest)];
        let up = links.iter().all(|(kind, (out, within))| {
            let (link, name) = (network.link(kind), network.name.as_str());
            let (out, within) = (format!("{out}/30"), format!("{within}/30"));
            ip(&[
                "link", "add", &link, "type", "veth", "peer", "name", kind, "netns", name,
            ]) && ip(&["addr", "add", &out, "dev", &link])
                && ip(&["link", "set", &link, "up"])
                && ip(&["-n", name, "addr", "add", &within, "dev", kind])
                && ip(&["-n", name, "link", "set", kind, "up"])
        });
        up.then_some(network)
    }

    fn link(&self, kind: &str) -> String {
        format!("phg{}{kind}", self.id)
    }

    fn within(&self) -> Vec<OsString> {
        ["ip", "netns", "exec", &self.name]
            .map(OsString::from)
            .into()
    }

    /// A URL under which the namespace reaches this server.
    async fn upstream(&self, cluster: &Cluster) -> String {
        let listener = TcpListener::bind((self.rest.0, 0)).await.expect("a port");
        let near = listener.local_addr().expect("a port");
        let far = format!("{}:{}", cluster.host(), cluster.port());
        let url = clinic::broker_url(cluster).replacen(&far, &near.to_string(), 1);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let far = far.clone();
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(far).await?;
                    copy_bidirectional(&mut socket, &mut server).await
                });
            }
        });
        url
    }

    fn cut(&self) {
        assert!(ip(&["link", "set", &self.link("c"), "down"]));
    }

    fn mend(&self) {
        assert!(ip(&["link", "set", &self.link("c"), "up"]));
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        ip(&["netns", "del", &self.name]);
    }
}

fn ip(arguments: &[&str]) -> bool {
    let output = Command::new("ip").args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}
