//! One side of the test: a session in one world, and messages sent to it in a row.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use phigate_testkit::client::{Answer, Client, cancel};
use phigate_wire::frontend;

use super::generate::{Item, Message, Step, When};
use super::transcript;
use super::worlds::Hospital;

/// What every session starts with: statements that run longer are not compared.
const SETTINGS: &str = "SET statement_timeout = 1500";

/// As many bytes are sent at most before answers are read: they fit into socket buffers, so that
/// neither end waits for the other.
const IN_FLIGHT: usize = 32 << 10;

/// A query may not run yet when it is cancelled: it is cancelled again after so long.
const CANCEL_AGAIN: Duration = Duration::from_millis(20);

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

    /// Sends all items, reading answers as late as possible; one answer an item, empty where what the item
    /// builds on does not stand. An item whose answer says that the session ended is the last that was
    /// answered, in every case.
    pub async fn play(&mut self, items: &[Item]) -> Vec<Answer> {
        let newest = self.hospital.newest;
        let answers = self.answers(items).await.into_iter();
        answers
            .map(|answer| answer.map(|frame| transcript::without_own_numbers(frame, newest)))
            .collect()
    }

    async fn answers(&mut self, items: &[Item]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(items.len());
        let mut flight = Flight {
            client: match self.client.take() {
                Some(client) => client,
                None => self.connect().await,
            },
            out: BytesMut::new(),
            waiting: 0,
        };
        for (number, item) in items.iter().enumerate() {
            let cancelled = matches!(item.message, Message::Cancelled(_));
            let asks = item.when != When::Always;
            let must_land = cancelled || asks || flight.out.len() >= IN_FLIGHT;
            if must_land && !flight.land(&mut answers).await {
                return answers;
            }
            if !is_sent(item.when, number, &answers) {
                answers.push(Answer::default());
                continue;
            }
            encode(&item.message, &mut flight.out);
            flight.waiting += 1;
            if cancelled {
                let Flight { client, out, .. } = flight;
                answers.push(cancel_until_answered(client, self.address(), &out).await);
                flight = Flight {
                    client: self.connect().await,
                    out: BytesMut::new(),
                    waiting: 0,
                };
            }
        }
        if flight.land(&mut answers).await {
            self.client = Some(flight.client);
        }
        answers
    }

    /// What its login said, of a new session.
    pub async fn greeting(&mut self) -> Vec<String> {
        let client = self.connect().await;
        let greeting = transcript::greeting(client.session());
        self.client = Some(client);
        greeting
    }

    /// Where it is.
    pub fn hospital(&self) -> &'a Hospital {
        self.hospital
    }

    /// Ends the session; the next item starts another.
    pub fn renew(&mut self) {
        self.client = None;
    }

    fn address(&self) -> SocketAddr {
        self.hospital.login.address()
    }

    async fn connect(&self) -> Client {
        let mut client = self.hospital.login.connect_raw().await;
        let answer = client.query(SETTINGS).await;
        assert!(answer.errors().is_empty(), "{answer:?}");
        client
    }
}

/// What was sent, or is about to be, and not answered yet.
struct Flight {
    client: Client,
    out: BytesMut,
    waiting: usize,
}

impl Flight {
    /// Sends what is left and reads every answer; whether the session goes on.
    async fn land(&mut self, answers: &mut Vec<Answer>) -> bool {
        if self.waiting == 0 {
            return true;
        }
        // What is closed says so when its answer is read.
        let _ = self.client.try_send(&self.out.split()).await;
        for _ in 0..std::mem::take(&mut self.waiting) {
            let answer = self.client.answer().await;
            let ended = answer.closed();
            answers.push(answer);
            if ended {
                return false;
            }
        }
        true
    }
}

/// Whether an item of this number is sent, after those answers.
fn is_sent(when: When, number: usize, answers: &[Answer]) -> bool {
    let failed = |back: usize| {
        let answer = answers.get(number.checked_sub(back)?)?;
        (!answer.frames().is_empty()).then(|| !answer.errors().is_empty())
    };
    match when {
        When::Always => true,
        When::Stands(back) => failed(back) == Some(false),
        When::Failed(back) => failed(back) == Some(true),
    }
}

/// The answer to a query that is cancelled until it is answered. The session is of no use after that.
async fn cancel_until_answered(mut client: Client, address: SocketAddr, query: &[u8]) -> Answer {
    let key = client.session().key.clone();
    if client.try_send(query).await.is_err() {
        return client.answer().await;
    }
    let answer = client.answer();
    tokio::pin!(answer);
    loop {
        if let Some(key) = &key {
            cancel(address, key).await;
        }
        // As long as the server needs to see it, or a little longer.
        tokio::select! {
            answer = &mut answer => return answer,
            () = tokio::time::sleep(CANCEL_AGAIN) => {}
        }
    }
}

fn encode(message: &Message, out: &mut BytesMut) {
    let (sql, params, binary, rows) = match message {
        Message::Simple(sql) | Message::Cancelled(sql) => return frontend::query(sql, out),
        Message::Wire(steps) => return steps.iter().for_each(|step| encode_step(step, out)),
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

fn encode_step(step: &Step, out: &mut BytesMut) {
    use frontend::Target::{Portal, Statement};
    match step {
        Step::Parse { name, sql, types } => frontend::parse(name, sql, types, out),
        Step::Bind {
            portal,
            statement,
            params,
            binary,
            results,
        } => {
            let binary: Vec<Option<Vec<u8>>> = params
                .iter()
                .map(|param| param.binary().filter(|_| *binary))
                .collect();
            let texts = params.iter().map(|param| param.text.map(str::as_bytes));
            let values = texts.zip(&binary);
            let bind = frontend::Bind {
                portal,
                statement,
                param_formats: binary
                    .iter()
                    .map(|value| i16::from(value.is_some()))
                    .collect(),
                params: values
                    .map(|(text, binary)| binary.as_deref().or(text))
                    .collect(),
                result_formats: results.clone(),
            };
            frontend::bind(&bind, out);
        }
        Step::DescribeStatement(name) => frontend::describe(Statement(name), out),
        Step::DescribePortal(name) => frontend::describe(Portal(name), out),
        Step::Execute(portal, rows) => frontend::execute(portal, *rows, out),
        Step::CloseStatement(name) => frontend::close(Statement(name), out),
        Step::ClosePortal(name) => frontend::close(Portal(name), out),
        Step::Flush => frontend::flush(out),
        Step::Sync => frontend::sync(out),
        Step::Query(sql) => frontend::query(sql, out),
        Step::CopyData(lines) => frontend::copy_data(lines.as_bytes(), out),
        Step::CopyDone => frontend::copy_done(out),
        Step::CopyFail => frontend::copy_fail("the client gave up", out),
    }
}
