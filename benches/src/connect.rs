//! Logins, one after the other by each of some clients: by a process of its own, so that its CPU time
//! is nobody else's.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use crate::child;
use crate::contender::Contender;
use crate::login::{Login, log_in, log_in_tls};

/// What the child is to do.
#[derive(Debug, Serialize, Deserialize)]
struct Errand {
    contender: Contender,
    clients: u16,
    length: Duration,
}

/// What it did.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Turn {
    /// Logins a second.
    pub(crate) rate: f64,
    /// How long each took, in microseconds.
    pub(crate) took: Vec<f64>,
}

/// Lets some clients log in for a while.
pub(crate) async fn turn(contender: &Contender, clients: u16, length: Duration) -> Turn {
    eprintln!("logins, {clients} clients: {}", contender.name);
    let errand = Errand {
        contender: contender.clone(),
        clients,
        length,
    };
    let answer = child::ask("connect", &errand).await;
    serde_json::from_str(&answer).expect("what a child prints")
}

/// The child: says what it did.
pub(crate) async fn go_on() {
    let errand: Errand = child::told();
    let start = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..errand.clients {
        let (login, ca) = (errand.contender.login(), errand.contender.ca.clone());
        clients.spawn(async move {
            let mut took = Vec::new();
            while start.elapsed() < errand.length {
                let began = Instant::now();
                once(&login, ca.as_deref()).await;
                took.push(began.elapsed().as_secs_f64() * 1e6);
            }
            took
        });
    }
    let took = clients.join_all().await.concat();
    let rate = took.len() as f64 / start.elapsed().as_secs_f64();
    let turn = Turn { rate, took };
    child::until_released(&serde_json::to_string(&turn).expect("numbers"));
}

async fn once(login: &Login, ca: Option<&std::path::Path>) {
    let leave = b"X\0\0\0\x04"; // Terminate
    match ca {
        None => {
            let mut stream = log_in(login).await;
            let _ = stream.write_all(leave).await;
        }
        Some(ca) => {
            let mut stream = log_in_tls(login, ca).await;
            let _ = stream.write_all(leave).await;
            let _ = stream.shutdown().await;
        }
    }
}
