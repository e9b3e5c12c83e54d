//! Clients in processes of their own: this program again, told what to do by its first word, and
//! the rest on its standard input.

use std::process::Stdio;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

/// A child that has answered once and goes on until its standard input ends.
pub(crate) struct Holding {
    child: Child,
    input: ChildStdin,
}

/// Runs a child to its end; what it printed.
pub(crate) async fn ask(what: &str, errand: &impl Serialize) -> String {
    let (holding, answer) = hold(what, errand).await;
    holding.release().await;
    answer
}

/// Starts a child and waits for the line that it prints.
pub(crate) async fn hold(what: &str, errand: &impl Serialize) -> (Holding, String) {
    let program = std::env::current_exe().expect("this program");
    let mut child = Command::new(program)
        .arg(what)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("this program runs");
    let mut input = child.stdin.take().expect("a pipe");
    let mut words = serde_json::to_string(errand).expect("words");
    words.push('\n');
    input.write_all(words.as_bytes()).await.expect("a pipe");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let answer = lines.next_line().await.expect("a pipe");
    let answer = answer.unwrap_or_else(|| panic!("the child that should {what} ended"));
    (Holding { child, input }, answer)
}

impl Holding {
    /// Lets it end, and waits for that.
    pub(crate) async fn release(mut self) {
        drop(self.input);
        let status = self.child.wait().await.expect("it ends");
        assert!(status.success(), "a child ended with {status}");
    }
}

/// In a child: the rest of what to do.
pub(crate) fn told<T: DeserializeOwned>() -> T {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("a pipe");
    serde_json::from_str(&line).expect("an errand")
}

/// In a child: says that what was asked for is there, and waits to be let go.
pub(crate) fn until_released(answer: &str) {
    println!("{answer}");
    let mut rest = String::new();
    let _ = std::io::stdin().read_line(&mut rest);
}
