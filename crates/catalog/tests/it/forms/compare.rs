//! One statement twice: as it is, and as the gateway would send it.

use std::fmt::Write as _;

use futures_util::SinkExt;
use phigate_catalog::Upstream;
use phigate_phi::{Classification, EffectivePolicy, KeyAccess, ReleaseContext, Unclassified};
use phigate_sql::{BoundPolicy, Context, RelationKind, Session, Snapshot, Temporary, analyse_one};
use phigate_testkit::Cluster;
use phigate_types::Profile;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::script::{Statement, without_comments};

/// What came of the two; a failing test shows its fields.
#[derive(Debug)]
#[allow(dead_code)]
pub(super) enum Outcome {
    /// The same columns, types and rows.
    Same,
    /// PostgreSQL fails the statement and what is sent for it with one SQLSTATE.
    Fails,
    /// PostgreSQL fails the statement, the gateway refuses it.
    BothReject { server: String, gateway: String },
    /// The gateway refuses what PostgreSQL runs.
    Refused(String),
    /// PostgreSQL fails the statement and runs what is sent for it, or fails it otherwise.
    Accepted {
        server: String,
        sent: String,
        then: String,
    },
    /// What is sent fails.
    Broken { sent: String, error: String },
    /// Other columns, types or rows.
    Different { sent: String, how: String },
    /// No query.
    Skipped,
}

impl Outcome {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Fails => "fails",
            Self::BothReject { .. } => "both-reject",
            Self::Refused(_) => "refused",
            Self::Accepted { .. } => "accepted",
            Self::Broken { .. } => "broken",
            Self::Different { .. } => "different",
            Self::Skipped => "skipped",
        }
    }
}

/// What a run gives: names, types and rows, or SQLSTATE and message.
type Answer = Result<(Vec<String>, Vec<String>), (String, String)>;

/// A database with nothing in it that is masked.
pub(super) struct Clinic {
    url: String,
    client: Client,
    snapshot: Snapshot,
    policy: BoundPolicy,
    search_path: Vec<String>,
    stale: bool,
}

impl Clinic {
    pub(super) async fn open(cluster: &Cluster, database: &str) -> Self {
        Self::at(&cluster.url(database)).await
    }

    pub(super) async fn at(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
            .batch_execute("SET statement_timeout = '20s'; SET client_min_messages = error")
            .await
            .unwrap();
        let (snapshot, policy) = read(url, Unclassified::Release).await.unwrap();
        let mut clinic = Self {
            url: url.to_owned(),
            client,
            snapshot,
            policy,
            search_path: Vec::new(),
            stale: false,
        };
        clinic.read_path().await;
        clinic
    }

    /// The same database with every column classified, as one that may be kept.
    pub(super) async fn classified(self) -> Self {
        let (snapshot, policy) = read(&self.url, Unclassified::Refuse).await.unwrap();
        Self {
            snapshot,
            policy,
            ..self
        }
    }

    async fn read_path(&mut self) {
        let Ok(rows) = self
            .client
            .query("SELECT unnest(current_schemas(false))::text", &[])
            .await
        else {
            return;
        };
        self.search_path = rows.iter().map(|row| row.get(0)).collect();
    }

    /// What psql would have of a new connection.
    pub(super) async fn restart(&mut self) {
        if self.client.is_closed() {
            *self = Self::at(&self.url).await;
        }
        for command in [
            "ROLLBACK",
            "RESET SESSION AUTHORIZATION",
            "DISCARD ALL",
            "SET statement_timeout = '20s'",
            "SET client_min_messages = error",
        ] {
            let _ = self.client.simple_query(command).await;
        }
        self.stale = true;
    }

    /// Compares what is a query, runs what is not.
    pub(super) async fn follow(&mut self, statement: &Statement) -> Outcome {
        let bare = without_comments(&statement.text).to_ascii_lowercase();
        let first: String = bare.chars().take_while(|c| c.is_alphabetic()).collect();
        let query = matches!(first.as_str(), "select" | "values" | "table" | "with")
            || bare.starts_with('(');
        let writes = ["insert ", "update ", "delete ", "merge ", " into "]
            .iter()
            .any(|word| {
                first != "select" && bare.contains(word) && first == "with"
                    || *word == " into " && first == "select" && bare.contains(word)
            });
        if query && !writes {
            if self.stale {
                // The statements' own transaction may hold the catalog locked.
                if let Some((snapshot, policy)) = read(&self.url, Unclassified::Release).await {
                    (self.snapshot, self.policy) = (snapshot, policy);
                    self.stale = false;
                }
                self.read_path().await;
            }
            return self.compare(&statement.text).await;
        }
        // What is copied to the client is not for this one, which would give up.
        if first == "copy" && bare.contains("stdout") {
            return Outcome::Skipped;
        }
        let mut text = statement.text.clone();
        for word in ["TEMPORARY ", "TEMP ", "temporary ", "temp "] {
            if first == "create" {
                text = text.replacen(word, "", 1);
            }
        }
        if statement.rows.is_empty() {
            let _ = self.client.simple_query(&text).await;
        } else if let Ok(sink) = self.client.copy_in(text.as_str()).await {
            let sink: tokio_postgres::CopyInSink<bytes::Bytes> = sink;
            let mut sink = std::pin::pin!(sink);
            let _ = sink.send(bytes::Bytes::from(statement.rows.clone())).await;
            let _ = sink.finish().await;
        }
        self.stale |= matches!(
            first.as_str(),
            "create" | "alter" | "drop" | "set" | "reset" | "commit" | "rollback" | "abort" | "end"
        );
        Outcome::Skipped
    }

    /// Runs the statement and what the gateway makes of it.
    pub(super) async fn compare(&self, text: &str) -> Outcome {
        let session = Session {
            user: "alice",
            database: "clinic",
            search_path: &self.search_path,
            id: "0000000000s1",
            grant: "0000000000g1",
            expires_at: "2026-01-01 12:00:00+00",
            budget: "rows 81 of 100",
            write: true,
        };
        let cx = Context {
            snapshot: &self.snapshot,
            policy: &self.policy,
            session: &session,
            temporary: &Temporary::default(),
        };
        let sent = std::thread::scope(|scope| {
            let analysis =
                std::thread::Builder::new().stack_size(phigate_sql::ANALYSIS_STACK_BYTES);
            let analysis = analysis
                .spawn_scoped(scope, || analyse_one(text, &cx))
                .unwrap();
            analysis.join().unwrap()
        });
        let direct = self.run(text).await;
        let sent = match sent {
            Ok(Some(permit)) => permit.sql().to_owned(),
            Ok(None) => return Outcome::Skipped,
            Err(refusal) => {
                let told = format!("{}: {}", refusal.reason(), refusal.message());
                return match direct {
                    Ok(_) => Outcome::Refused(told),
                    Err((code, message)) => Outcome::BothReject {
                        server: format!("{code} {message}"),
                        gateway: format!("{} {told}", refusal.reason().sqlstate()),
                    },
                };
            }
        };
        let rendered = self.run(&sent).await;
        match (direct, rendered) {
            (Err((code, _)), Err((other, _))) if code == other => Outcome::Fails,
            (Err((code, message)), Err((other, then))) => Outcome::Accepted {
                server: format!("{code} {message}"),
                sent,
                then: format!("{other} {then}"),
            },
            (Err((code, message)), Ok(_)) => Outcome::Accepted {
                server: format!("{code} {message}"),
                sent,
                then: String::new(),
            },
            (Ok(_), Err((code, message))) => Outcome::Broken {
                sent,
                error: format!("{code} {message}"),
            },
            (Ok(one), Ok(other)) if one == other => Outcome::Same,
            (Ok(one), Ok(other)) => {
                if one.0 != other.0 {
                    return Outcome::Different {
                        sent,
                        how: format!("{:?} / {:?}", one.0, other.0),
                    };
                }
                // What does not give the same twice tells nothing.
                if self.run(text).await.is_ok_and(|again| again.1 != one.1) {
                    return Outcome::Same;
                }
                let differing = one.1.iter().zip(&other.1).find(|(one, other)| one != other);
                Outcome::Different {
                    how: format!(
                        "{} / {} rows, such as {differing:?}",
                        one.1.len(),
                        other.1.len()
                    ),
                    sent,
                }
            }
        }
    }

    /// Columns with their types, and rows as a multiset.
    async fn run(&self, text: &str) -> Answer {
        let failed = |error: tokio_postgres::Error| {
            let code = error.code().map_or("", |code| code.code()).to_owned();
            (
                code,
                error
                    .as_db_error()
                    .map_or_else(|| error.to_string(), |e| e.message().to_owned()),
            )
        };
        let prepared = match self.client.prepare(text).await {
            Ok(prepared) => prepared,
            Err(error) => return Err(failed(error)),
        };
        let columns = prepared
            .columns()
            .iter()
            .map(|column| format!("{} {}", column.name(), column.type_()));
        // A relation's row is a record where a derived table stands for the relation.
        let record = |column: String| match column.split_once(' ') {
            Some((name, "t" | "u" | "v")) => format!("{name} record"),
            _other => column,
        };
        let mut columns: Vec<_> = columns.map(record).collect();
        columns.extend(prepared.params().iter().map(|ty| format!("${ty}")));
        if !prepared.params().is_empty() {
            return Ok((columns, Vec::new()));
        }
        let mut rows = Vec::new();
        for message in self.client.simple_query(text).await.map_err(failed)? {
            if let SimpleQueryMessage::Row(row) = message {
                let cells =
                    (0..row.len()).map(|n| row.get(n).map_or("\\N".to_owned(), str::to_owned));
                rows.push(cells.collect::<Vec<_>>().join("\t"));
            }
        }
        rows.sort();
        Ok((columns, rows))
    }
}

/// The catalog, and a policy that releases everything as it is: what nobody classified, or what
/// somebody did.
async fn read(url: &str, unclassified: Unclassified) -> Option<(Snapshot, BoundPolicy)> {
    let upstream = Upstream::parse(url).unwrap();
    let mut connection = upstream.connect().await.unwrap();
    let snapshot = phigate_catalog::read(&mut connection).await.ok()?;
    let mut text = "table,column,pg_type,identifier,safe_harbor,limited_dataset\n".to_owned();
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    for relation in snapshot
        .relations()
        .filter(|_| unclassified == Unclassified::Refuse)
    {
        if ["pg_catalog", "information_schema"].contains(&relation.schema.as_str())
            || relation.kind == RelationKind::View
        {
            continue;
        }
        for column in &relation.columns {
            let table = format!("{}.{}", quoted(&relation.schema), quoted(&relation.name));
            let cells = [&table, &quoted(&column.name), &column.ty.name];
            for cell in cells {
                let _ = write!(text, "\"{}\",", cell.replace('"', "\"\""));
            }
            text.push_str("none,keep,keep\n");
        }
    }
    let classification =
        Classification::parse(&text, "all.csv").unwrap_or_else(|error| panic!("{error}"));
    let profile = Profile::Identified;
    let policy = EffectivePolicy::derive(&classification, profile, &[], &[], unclassified).unwrap();
    let context = ReleaseContext::new(profile, "2026-01-01", KeyAccess::Settings);
    let policy = BoundPolicy::bind(&policy, &snapshot, &context);
    Some((snapshot, policy))
}
