//! `phigate demo --tour`: the whole story without a terminal. Each step says what is expected and
//! what was seen; any difference fails the tour.

use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::StreamExt;
use serde_json::Value;
use tokio_postgres::{SimpleQueryMessage, SimpleQueryStream};

use super::analyst::{Analyst, Login, Refused};
use super::stage::Stage;
use super::story::Story;

/// How long the grant of the expiry step lives.
const SHORT_GRANT: &str = "8s";

/// Within which an event that others cause must be seen.
const EVENT_DEADLINE: Duration = Duration::from_secs(15);

/// How often the upstream server is asked again.
const POLL: Duration = Duration::from_millis(20);

/// A result that takes far longer than the tour to stream.
const ENDLESS: &str =
    "SELECT e.*, n FROM encounters AS e CROSS JOIN generate_series(1, 100000) AS n";

/// Plays every step; whether all was as it should be.
pub(crate) async fn play(stage: &Stage) -> anyhow::Result<bool> {
    let tour = Tour {
        stage,
        ca_pem: std::fs::read(&stage.ca_file)?,
    };
    let mut story = Story::default();
    tour.nobody_enters_without_a_grant(&mut story).await?;
    let (login, grant) = tour.a_grant_is_made(&mut story).await?;
    let analyst = tour.enter(&login).await?;
    tour.identifiers_are_masked(&mut story, &analyst).await?;
    tour.predicates_tell_nothing(&mut story, &analyst).await?;
    tour.blocked_columns_are_refused(&mut story).await?;
    tour.research_works(&mut story, &analyst).await?;
    let session = tour
        .revocation_lands(&mut story, analyst, &login, &grant)
        .await?;
    tour.grants_expire(&mut story).await?;
    tour.sessions_replay(&mut story, &session).await?;
    tour.the_record_verifies(&mut story).await?;
    Ok(story.end())
}

struct Tour<'a> {
    stage: &'a Stage,
    ca_pem: Vec<u8>,
}

impl Tour<'_> {
    async fn nobody_enters_without_a_grant(&self, story: &mut Story) -> anyhow::Result<()> {
        story.step("Without a grant nobody enters");
        let login = self.login("alice", "guess");
        Story::command("psql \"host=… user=alice dbname=clinic\"");
        let Err(seen) = Analyst::connect(&login, &self.ca_pem).await? else {
            return wrong(story, "28000 and how to get a grant", "a session");
        };
        let agree = seen.code == "28000" && seen.hint.contains("phictl");
        story.check(
            "28000, with the command that asks for a grant as hint",
            seen,
            agree,
        );
        Ok(())
    }

    async fn a_grant_is_made(&self, story: &mut Story) -> anyhow::Result<(Login, String)> {
        story.step("An admin grants alice a limited data set for ten minutes");
        let grant = self.grant("alice", "limited_dataset", "10m", &[]).await?;
        let login = self.login_of(&grant)?;
        story.check(
            "an id, a password shown once, an end",
            format!(
                "grant {}, ends {}",
                text(&grant, "grant_id"),
                text(&grant, "expires_at")
            ),
            !login.password.is_empty(),
        );
        Ok((login, text(&grant, "grant_id").to_owned()))
    }

    async fn identifiers_are_masked(
        &self,
        story: &mut Story,
        analyst: &Analyst,
    ) -> anyhow::Result<()> {
        story.step("SELECT * shows what the profile releases, and no direct identifier");
        let sql = "SELECT * FROM patients ORDER BY patient_id LIMIT 3";
        Story::command(sql);
        let released = analyst.must(sql).await?;
        let raw = self.raw(
            "SELECT ssn, mrn, phone, email, last_name FROM patients ORDER BY patient_id LIMIT 3",
        );
        let identifiers: Vec<String> = raw.await?.into_iter().flatten().flatten().collect();
        let leaked = released
            .iter()
            .flatten()
            .flatten()
            .filter(|v| identifiers.contains(v))
            .count();
        let row = released.first().map(|row| {
            row.iter()
                .map(|v| v.as_deref().unwrap_or("∅"))
                .collect::<Vec<_>>()
                .join(" | ")
        });
        story.check(
            format!(
                "3 rows, none of the {} identifiers behind them",
                identifiers.len()
            ),
            format!(
                "{} rows, {leaked} identifiers; {}",
                released.len(),
                row.unwrap_or_default()
            ),
            released.len() == 3 && leaked == 0 && !identifiers.is_empty(),
        );
        Ok(())
    }

    async fn predicates_tell_nothing(
        &self,
        story: &mut Story,
        analyst: &Analyst,
    ) -> anyhow::Result<()> {
        story.step("A predicate on a masked column tells nothing");
        let raw = self
            .raw("SELECT ssn FROM patients ORDER BY patient_id LIMIT 1")
            .await?;
        let ssn = raw
            .into_iter()
            .flatten()
            .flatten()
            .next()
            .context("the first patient's ssn")?;
        let prefix = ssn.get(..3).unwrap_or_default();
        for sql in [
            format!("SELECT count(*) FROM patients WHERE ssn = '{ssn}'"),
            format!("SELECT count(*) FROM patients WHERE substring(ssn, 1, 3) = '{prefix}'"),
            format!("SELECT count(*) FROM patients WHERE ssn::text ~ '^{prefix}'"),
        ] {
            Story::command(&sql);
            let seen = one(&analyst.must(&sql).await?);
            story.check("0", &seen, seen == "0");
        }
        Ok(())
    }

    async fn blocked_columns_are_refused(&self, story: &mut Story) -> anyhow::Result<()> {
        story.step("A column that the grant blocks is refused by name");
        let block = ["--block", "patients.birth_date"];
        let grant = self.grant("bob", "limited_dataset", "5m", &block).await?;
        // A policy of its own needs masked views of its own.
        let id = text(&grant, "grant_id");
        let harden = ["database", "harden", "clinic", "--grant", id, "--apply"];
        self.stage.phictl.json(&harden).await?;
        let bob = self.enter(&self.login_of(&grant)?).await?;
        let sql = "SELECT birth_date FROM patients LIMIT 1";
        Story::command(sql);
        let Err(seen) = bob.rows(sql).await? else {
            return wrong(story, "42501", "rows");
        };
        let agree = seen.code == "42501" && seen.message.contains("birth_date");
        story.check("42501, naming the column", seen, agree);
        Ok(())
    }

    async fn research_works(&self, story: &mut Story, analyst: &Analyst) -> anyhow::Result<()> {
        story.step("Joins and aggregates by year work as on the database itself");
        let sql = "SELECT date_part('year', e.started_at)::int AS year, p.sex, count(*) \
                   FROM encounters AS e JOIN patients AS p USING (patient_id) \
                   GROUP BY 1, 2 ORDER BY 1, 2";
        Story::command(sql);
        let (released, raw) = (analyst.must(sql).await?, self.raw(sql).await?);
        story.check(
            format!("the {} rows that PostgreSQL itself gives", raw.len()),
            format!(
                "{} rows, {}",
                released.len(),
                if released == raw {
                    "the same"
                } else {
                    "others"
                }
            ),
            released == raw && !raw.is_empty(),
        );
        Ok(())
    }

    /// Revokes while a result streams; gives the session's id.
    async fn revocation_lands(
        &self,
        story: &mut Story,
        analyst: Analyst,
        login: &Login,
        grant: &str,
    ) -> anyhow::Result<String> {
        story.step("Revocation ends the session in the middle of a result");
        Story::command(ENDLESS);
        let sessions = self
            .stage
            .phictl
            .json(&["session", "list", "--grant", grant])
            .await?;
        let session = sessions
            .get(0)
            .map(|session| text(session, "session_id").to_owned())
            .context("the live session is not listed")?;
        let mut rows = Box::pin(analyst.client.simple_query_raw(ENDLESS).await?);
        let first = next_message(rows.as_mut())
            .await
            .context("the result does not start")?;
        first.context("the result does not start")?;

        Story::command(format_args!("phictl grant revoke {grant}"));
        let revoked = self.stage.phictl.json(&["grant", "revoke", grant]).await?;
        let ended = revoked
            .pointer("/gateways/0/sessions_ended")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        let ms = revoked
            .get("barrier_ms")
            .and_then(Value::as_f64)
            .unwrap_or(f64::MAX);
        story.check(
            "the gateway confirms that it ended 1 session",
            format!("{ended} session ended, confirmed after {ms:.1} ms"),
            ended == 1,
        );

        while let Some(Ok(_)) = next_message(rows.as_mut()).await {}
        drop(rows);
        let seen = analyst.ended().await?;
        let said = seen
            .as_ref()
            .map_or_else(|| "the connection closed".to_owned(), Refused::to_string);
        let agree = seen.is_none_or(|refused| refused.code.is_empty() || refused.code == "57P01");
        story.check(
            "the connection ends, with 57P01 where its socket still takes it",
            said,
            agree,
        );

        let gone = self.backend_is_gone(&session).await;
        story.check(
            "no backend of the session in pg_stat_activity",
            yes(gone),
            gone,
        );

        let Err(again) = Analyst::connect(login, &self.ca_pem).await? else {
            return wrong(story, "28000", "a session").map(|()| session);
        };
        let agree = again.code == "28000" && again.hint.contains("phictl");
        story.check("a second login is refused: 28000 with a hint", again, agree);
        Ok(session)
    }

    async fn grants_expire(&self, story: &mut Story) -> anyhow::Result<()> {
        story.step("A grant ends by itself");
        let grant = self.grant("carol", "safe_harbor", SHORT_GRANT, &[]).await?;
        let login = self.login_of(&grant)?;
        let carol = self.enter(&login).await?;
        let seen = carol.ended().await?;
        let said = seen
            .as_ref()
            .map_or_else(|| "the connection closed".to_owned(), Refused::to_string);
        let agree = seen.is_some_and(|refused| refused.code == "57P01");
        story.check(
            format_args!("57P01 after {SHORT_GRANT}, idle as the session is"),
            said,
            agree,
        );
        let Err(again) = Analyst::connect(&login, &self.ca_pem).await? else {
            return wrong(story, "28000", "a session");
        };
        let agree = again.code == "28000";
        story.check("a second login is refused: 28000", again, agree);
        Ok(())
    }

    async fn sessions_replay(&self, story: &mut Story, session: &str) -> anyhow::Result<()> {
        story.step("An auditor replays the session from the log alone");
        Story::command(format_args!("phictl session replay {session}"));
        let replay = self
            .stage
            .phictl
            .json(&["session", "replay", session])
            .await?;
        let steps = replay
            .get("steps")
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        let everything = replay.to_string();
        let agree = everything.contains("substring(ssn, 1, 3)") && everything.contains("revoked");
        story.check(
            "every statement as typed, and how it ended",
            format!(
                "{steps} steps, {}",
                if agree {
                    "all there"
                } else {
                    "something is missing"
                }
            ),
            agree,
        );
        Ok(())
    }

    async fn the_record_verifies(&self, story: &mut Story) -> anyhow::Result<()> {
        story.step("The log verifies offline, and one flipped byte is found");
        let log = self.stage.data_dir.join("data/audit/gateway");
        let sound = self
            .stage
            .phictl
            .run(&["audit", "verify", "--log", &path(&log)])
            .await?;
        Story::command(format_args!("phictl audit verify --log {}", log.display()));
        story.check("sound", outcome(&sound.json), matches!(sound.code, 0 | 2));

        let copy = self.stage.data_dir.join("tampered");
        tamper(&log, &copy)?;
        let tampered = self
            .stage
            .phictl
            .run(&["audit", "verify", "--log", &path(&copy)])
            .await?;
        Story::command(format_args!("phictl audit verify --log {}", copy.display()));
        story.check(
            "exit code 1: tampered",
            outcome(&tampered.json),
            tampered.code == 1,
        );
        Ok(())
    }

    // --- what the steps share ---

    async fn grant(
        &self,
        principal: &str,
        profile: &str,
        duration: &str,
        more: &[&str],
    ) -> anyhow::Result<Value> {
        let words = [
            "grant",
            "create",
            "--principal",
            principal,
            "--database",
            "clinic",
            "--profile",
            profile,
            "--purpose",
            "HRESCH",
            "--reason",
            "tour",
            "--duration",
            duration,
        ];
        let words = [&words[..], more].concat();
        Story::command(format_args!("phictl {}", words.join(" ")));
        self.stage.phictl.json(&words).await
    }

    fn login(&self, user: &str, password: &str) -> Login {
        Login {
            host: self.stage.gateway.ip().to_string(),
            port: self.stage.gateway.port(),
            user: user.to_owned(),
            password: password.to_owned(),
            database: "clinic".to_owned(),
        }
    }

    fn login_of(&self, grant: &Value) -> anyhow::Result<Login> {
        let password = text(grant, "password");
        if password.is_empty() {
            bail!("the grant came without a password");
        }
        Ok(self.login(text(grant, "user"), password))
    }

    async fn enter(&self, login: &Login) -> anyhow::Result<Analyst> {
        match Analyst::connect(login, &self.ca_pem).await? {
            Ok(analyst) => Ok(analyst),
            Err(refused) => bail!("{} cannot enter: {refused}", login.user),
        }
    }

    /// What PostgreSQL itself answers, without a gateway.
    async fn raw(&self, sql: &str) -> anyhow::Result<super::analyst::Rows> {
        super::analyst::direct(&self.stage.cluster.url("clinic"), sql).await
    }

    async fn backend_is_gone(&self, session: &str) -> bool {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '{session}%'"
        );
        let gone = async {
            loop {
                match self.raw(&sql).await {
                    Ok(rows) if one(&rows) == "0" => return true,
                    Ok(_) => tokio::time::sleep(POLL).await,
                    Err(_) => return false,
                }
            }
        };
        tokio::time::timeout(EVENT_DEADLINE, gone)
            .await
            .unwrap_or(false)
    }
}

/// Ends a step that went wrong.
#[allow(clippy::unnecessary_wraps, reason = "the steps return it")]
fn wrong(story: &mut Story, expected: &str, seen: &str) -> anyhow::Result<()> {
    story.check(expected, seen, false);
    Ok(())
}

/// The next message of a streaming result, within a deadline.
async fn next_message(
    rows: Pin<&mut SimpleQueryStream>,
) -> Option<Result<SimpleQueryMessage, tokio_postgres::Error>> {
    let mut rows = rows;
    tokio::time::timeout(EVENT_DEADLINE, rows.next())
        .await
        .ok()
        .flatten()
}

/// Copies a log and flips one bit in the middle of what was written.
fn tamper(log: &Path, copy: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(copy)?;
    for entry in std::fs::read_dir(log).with_context(|| format!("no log at {}", log.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), copy.join(entry.file_name()))?;
        }
    }
    let segment = std::fs::read_dir(copy)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "seg"))
        .min()
        .context("the log has no segment")?;
    let mut bytes = std::fs::read(&segment)?;
    let written = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .context("the segment is empty")?;
    if let Some(byte) = bytes.get_mut(written / 2) {
        *byte ^= 1;
    }
    std::fs::write(&segment, bytes)?;
    Ok(())
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The one value of an answer with one row and one column.
fn one(rows: &[Vec<Option<String>>]) -> String {
    rows.first()
        .and_then(|row| row.first())
        .cloned()
        .flatten()
        .unwrap_or_default()
}

fn outcome(json: &Value) -> String {
    text(json, "outcome").to_owned()
}

fn yes(agree: bool) -> &'static str {
    if agree { "yes" } else { "no" }
}

fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
