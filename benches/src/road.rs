//! The way through the gateway, beside PostgreSQL itself, a header-walking pump and pgbouncer: the same
//! work, in turns, so that whatever else the machine does hits all of them.

use std::time::Duration;

use crate::connect;
use crate::contender::{Contender, Contenders};
use crate::pgbench::{self, Mode};
use crate::report::{Report, Series, Target, percentile};
use crate::stream;

/// What is done, and how often.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Numbers of clients, each in every mode, plain.
    pub(crate) clients: Vec<u16>,
    /// How many of them inside TLS, prepared; and how many log in.
    pub(crate) some: u16,
    pub(crate) turn: Duration,
    pub(crate) rounds: usize,
    pub(crate) accounts: u32,
    pub(crate) stream_rows: u32,
    pub(crate) recording: &'static str,
}

/// Whom everybody is compared with.
const BESIDE: [&str; 3] = ["direct", "pump", "pgbouncer"];

const ASKED: &str = "gateway";

/// The CPU of these many clients is told.
const CPU_CLIENTS: u16 = 8;

/// What the design asks for of lookups.
const RATE: [Target; 2] = [
    Target::at_least(0.95).of("pump"),
    Target::at_least(1.0).of("pgbouncer"),
];

/// Measures lookups by primary key.
pub(crate) async fn lookups(plan: &Plan) -> Report {
    let contenders = start(plan, 1).await;
    let mut report = Report::new("road", plan.recording);
    for mode in [Mode::Prepared, Mode::Simple, Mode::Pipelined] {
        for &clients in &plan.clients {
            let what = format!("{}, {clients} clients", mode.as_str());
            turns(&mut report, &what, &contenders.plain, (mode, clients), plan).await;
        }
    }
    let what = format!("prepared, {} clients, TLS", plan.some);
    let mode = (Mode::Prepared, plan.some);
    turns(&mut report, &what, &contenders.tls, mode, plan).await;
    let mode = (Mode::Prepared, 1);
    turns(
        &mut report,
        "prepared, a lone client",
        &contenders.plain,
        mode,
        plan,
    )
    .await;
    contenders.stop().await;
    report
}

/// Measures logins, plain and inside TLS.
pub(crate) async fn connections(plan: &Plan) -> Report {
    let contenders = start(plan, 1).await;
    let mut report = Report::new("connections", plan.recording);
    for (kind, who) in [("plain", &contenders.plain), ("TLS", &contenders.tls)] {
        let what = format!("logins, {} clients, {kind}", plan.some);
        let mut rates = Series::new(&what, "1/s");
        let mut times = [0.5, 0.99].map(|share| (share, times(&what, share)));
        for _ in 0..plan.rounds {
            for contender in who {
                let turn = connect::turn(contender, plan.some, plan.turn).await;
                rates.turn(&contender.name, turn.rate);
                for (share, series) in &mut times {
                    series.turn(&contender.name, percentile(&turn.took, *share));
                }
            }
        }
        report.add(&rates, &BESIDE, ASKED, &[]);
        for (_, series) in &times {
            report.add(series, &BESIDE, ASKED, &[]);
        }
    }
    contenders.stop().await;
    report
}

/// Measures one large result, plain and inside TLS.
pub(crate) async fn streams(plan: &Plan) -> Report {
    let contenders = start(plan, plan.stream_rows).await;
    let mut report = Report::new("streams", plan.recording);
    for (kind, who) in [("plain", &contenders.plain), ("TLS", &contenders.tls)] {
        let mut rates = Series::new(format!("rows of 200 B, {kind}"), "MB/s");
        let mut cpu = Series::new(format!("CPU, rows of 200 B, {kind}"), "s/GB");
        for _ in 0..plan.rounds {
            for contender in who {
                let turn = stream::turn(contender).await;
                rates.turn(&contender.name, turn.rate);
                if let Some(seconds) = turn.cpu_seconds {
                    cpu.turn(&contender.name, seconds);
                }
            }
        }
        // 0.7, and 0.25 for the digest of the result.
        let (rate, most) = match kind {
            "plain" => (
                &[Target::at_least(1.0).of("direct")][..],
                &[Target::at_most(0.95)][..],
            ),
            _ => (&[][..], &[][..]),
        };
        report.add(&rates, &BESIDE, ASKED, rate);
        report.add(&cpu, &["pump"], ASKED, most);
    }
    contenders.stop().await;
    report
}

async fn start(plan: &Plan, stream_rows: u32) -> Contenders {
    eprintln!("starting PostgreSQL, pumps, gateways, and pgbouncer where it is installed");
    Contenders::start(plan.recording, plan.accounts, stream_rows).await
}

async fn turns(
    report: &mut Report,
    what: &str,
    contenders: &[Contender],
    (mode, clients): (Mode, u16),
    plan: &Plan,
) {
    let mut rates = Series::new(what, mode.unit());
    let mut times = [0.5, 0.99].map(|share| (share, times(what, share)));
    let mut user = Series::new(format!("user CPU, {what}"), "s/1M");
    let mut total = Series::new(format!("CPU, {what}"), "s/1M");
    for _ in 0..plan.rounds {
        for contender in contenders {
            let turn = pgbench::turn(contender, mode, clients, plan.turn).await;
            rates.turn(&contender.name, turn.tps);
            for (share, series) in &mut times {
                series.turn(&contender.name, percentile(&turn.took, *share));
            }
            if let (Some(of_user), Some(of_both)) = (turn.user_seconds, turn.cpu_seconds) {
                user.turn(&contender.name, of_user);
                total.turn(&contender.name, of_both);
            }
        }
    }
    // The design speaks of eight clients and more.
    let asked = clients >= CPU_CLIENTS && mode != Mode::Pipelined;
    report.add(&rates, &BESIDE, ASKED, if asked { &RATE } else { &[] });
    for (_, series) in &times {
        report.add(series, &BESIDE, ASKED, &[]);
    }
    if clients == CPU_CLIENTS {
        let most: &[Target] = match mode {
            Mode::Prepared => &[Target::at_most(5.0)],
            Mode::Simple | Mode::Pipelined => &[],
        };
        report.add(&user, &[], ASKED, most);
        report.add(&total, &["pump"], ASKED, &[]);
    }
}

fn times(what: &str, share: f64) -> Series {
    Series::new(format!("p{:.0}, {what}", share * 100.0), "us")
}
