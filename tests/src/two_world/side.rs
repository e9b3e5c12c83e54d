//! One side of the test: a session in one world, and messages sent to it in a row.

use bytes::BytesMut;
use phigate_testkit::client::{Answer, Client};
use phigate_wire::frontend;

use super::generate::{Item, Message};
use super::worlds::Hospital;

/// What every session starts with: statements that run longer are not compared.
const SETTINGS: &str = "SET statement_timeout = 1500";

/// As many bytes are sent at most before answers are read: they fit into socket buffers, so that
/// neither end waits for the other.
const IN_FLIGHT: usize = 32 << 10;

/// A session that is renewed when it ends.
pub struct Side<'a> {
    hospital: &'a Hospital,
    client: Option<Client>,
}

impl<'a> Side<'a> {
    /// A side without a session yet.
    pub fn new(hospital: &'a Hospital) -> Self {
        Self {
            hospital,
            client: None,
        }
    }

    /// Sends all items, reading answers as late as possible; one answer an item. An item whose answer
    /// says that the session ended is the last that was answered, in every case.
    pub async fn play(&mut self, items: &[Item]) -> Vec<Answer> {
        let mut client = match self.client.take() {
            Some(client) => client,
            None => self.connect().await,
        };
        let mut answers = Vec::with_capacity(items.len());
        let mut waiting = 0;
        let mut out = BytesMut::new();
        for (number, item) in items.iter().enumerate() {
            encode(&item.message, &mut out);
            waiting += 1;
            let last = number + 1 == items.len();
            if !last && out.len() < IN_FLIGHT {
                continue;
            }
            if client.try_send(&out.split()).await.is_err() {
                waiting = waiting.max(1);
            }
            for _ in 0..waiting {
                let answer = client.answer().await;
                let ended = answer.closed();
                answers.push(answer);
                if ended {
                    return answers;
                }
            }
            waiting = 0;
        }
        self.client = Some(client);
        answers
    }

    /// Where it is.
    pub fn hospital(&self) -> &'a Hospital {
        self.hospital
    }

    /// Ends the session; the next item starts another.
    pub fn renew(&mut self) {
        self.client = None;
    }

    async fn connect(&self) -> Client {
        let mut client = self.hospital.login.connect_raw().await;
        let answer = client.query(SETTINGS).await;
        assert!(answer.errors().is_empty(), "{answer:?}");
        client
    }
}

fn encode(message: &Message, out: &mut BytesMut) {
    let (sql, params, binary, rows) = match message {
        Message::Simple(sql) => return frontend::query(sql, out),
        Message::Extended {
            sql,
            params,
            binary,
            rows,
        } => (sql, params, *binary, *rows),
    };
    frontend::parse("", sql, &[], out);
    let params = params.iter().map(|param| param.text.map(str::as_bytes));
    frontend::bind(
        &frontend::Bind {
            params: params.collect(),
            result_formats: vec![i16::from(binary)],
            ..frontend::Bind::default()
        },
        out,
    );
    frontend::describe(frontend::Target::Portal(""), out);
    frontend::execute("", rows, out);
    if rows > 0 {
        frontend::execute("", 0, out);
    }
    frontend::sync(out);
}
