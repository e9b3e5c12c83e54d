//! The command line, as clap reads it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// Grants, sessions and the record of a phigate.
#[derive(Parser)]
#[command(name = "phictl", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// Print JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How to reach the control plane: a configuration file on its own machine, or a URL, the
/// certificate authority and a token.
#[derive(Args, Clone)]
pub(crate) struct Connection {
    /// The daemon's configuration file: the admin on the control plane's own machine.
    #[arg(long, global = true, value_name = "FILE", env = "PHIGATE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// The control plane's URL.
    #[arg(long, global = true, value_name = "URL", env = "PHIGATE_CONTROL")]
    pub(crate) control: Option<String>,
    /// The certificate authority, PEM.
    #[arg(long, global = true, value_name = "FILE", env = "PHIGATE_CA")]
    pub(crate) ca: Option<PathBuf>,
    /// The file with the bearer token.
    #[arg(long, global = true, value_name = "FILE", env = "PHIGATE_TOKEN_FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make, end and look at grants.
    #[command(subcommand)]
    Grant(GrantCommand),
    /// Look at, end and replay sessions.
    #[command(subcommand)]
    Session(SessionCommand),
    /// Verify the record.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// What stands inside a protected database: masked views, roles, logins.
    #[command(subcommand)]
    Database(DatabaseCommand),
    /// What columns hold: shown, compared with another file, proposed. Nothing is applied.
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Say what a grant would make of a statement: what would run, what happens to each column, or
    /// why it is refused and what to do. Nothing is run.
    Explain(Explain),
}

#[derive(Subcommand)]
pub(crate) enum DatabaseCommand {
    /// Print, or apply, the SQL that makes the masked views, roles and logins of policies: of every
    /// profile, unless told otherwise. Running it again changes nothing.
    Harden(Harden),
    /// Print, or apply, the SQL that removes what was made.
    Unharden(Unharden),
    /// Say what in the database would let a session see more than its grant releases. Exit code: 0
    /// nothing, 1 something.
    Doctor {
        /// The database.
        database: String,
    },
}

#[derive(Args)]
pub(crate) struct Harden {
    /// The database.
    pub(crate) database: String,
    /// Only this table, [schema.]table, what inherits from it, and views. May be given again.
    #[arg(long = "table", value_name = "TABLE")]
    pub(crate) tables: Vec<String>,
    /// A policy of its own: this profile, with --reveal and --block.
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// Columns to release unmasked: [schema.]table.column, separated by commas.
    #[arg(long, value_delimiter = ',', requires = "profile")]
    pub(crate) reveal: Vec<String>,
    /// Columns to withhold: [schema.]table.column, separated by commas.
    #[arg(long, value_delimiter = ',', requires = "profile")]
    pub(crate) block: Vec<String>,
    /// The policy of a live grant, by its id. May be given again.
    #[arg(long = "policy", value_name = "ID")]
    pub(crate) policies: Vec<String>,
    /// The policy of this grant. May be given again.
    #[arg(long = "grant", value_name = "ID")]
    pub(crate) grants: Vec<String>,
    /// Logins for each policy: as many different projects, days and patient lists may be served at
    /// one time.
    #[arg(long, default_value_t = 4)]
    pub(crate) slots: u32,
    /// Only assign a code to every key that has none yet, for projects under safe harbor: after keys
    /// were added. Runs at once, and needs no administrator of the database.
    #[arg(long, conflicts_with_all = ["tables", "profile", "policies", "grants", "apply"])]
    pub(crate) refresh_crosswalk: bool,
    #[command(flatten)]
    pub(crate) run: Run,
}

#[derive(Args)]
pub(crate) struct Unharden {
    /// The database.
    pub(crate) database: String,
    /// Only this policy.
    #[arg(long, value_name = "ID", conflicts_with = "table")]
    pub(crate) policy: Option<String>,
    /// Only the views of this table, [schema.]table, so that its owner may alter it.
    #[arg(long)]
    pub(crate) table: Option<String>,
    #[command(flatten)]
    pub(crate) run: Run,
}

/// Whether the script is run, and as whom.
#[derive(Args)]
pub(crate) struct Run {
    /// Run it instead of printing it.
    #[arg(long)]
    pub(crate) apply: bool,
    /// An administrator of the database, as postgres://USER:PASSWORD@HOST:PORT/DATABASE; by default the
    /// configured one.
    #[arg(
        long,
        value_name = "URL",
        env = "PHIGATE_DATABASE_ADMIN",
        hide_env_values = true
    )]
    pub(crate) admin: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum GrantCommand {
    /// Grant one principal access to one database for a time; prints how to connect.
    Create(Box<GrantCreate>),
    /// List grants, newest first.
    List {
        /// Only this principal's.
        #[arg(long)]
        principal: Option<String>,
        /// Only this database's.
        #[arg(long)]
        database: Option<String>,
        /// Also those that have ended.
        #[arg(long)]
        all: bool,
    },
    /// Show one grant.
    Show {
        /// The grant.
        id: String,
    },
    /// End a grant; returns when no gateway sends another byte under it.
    Revoke {
        /// The grant.
        id: String,
        /// Why; shown to the people whose sessions end.
        #[arg(long, default_value = "")]
        reason: String,
    },
}

#[derive(Args)]
pub(crate) struct GrantCreate {
    /// Who may connect.
    #[arg(long)]
    pub(crate) principal: String,
    /// To which database.
    #[arg(long)]
    pub(crate) database: String,
    /// How much is released: safe_harbor, limited_dataset, expert or identified.
    #[arg(long)]
    pub(crate) profile: String,
    /// The purpose of use, an HL7 v3 code such as TREAT, HPAYMT, HOPERAT, HRESCH.
    #[arg(long)]
    pub(crate) purpose: String,
    /// Why.
    #[arg(long)]
    pub(crate) reason: String,
    /// For how long, such as 30m or 2h; at most 24h.
    #[arg(long, value_parser = duration)]
    pub(crate) duration: Duration,
    /// Columns to release unmasked: [schema.]table.column, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub(crate) reveal: Vec<String>,
    /// Columns to withhold: [schema.]table.column, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub(crate) block: Vec<String>,
    /// Also consider statements that write.
    #[arg(long)]
    pub(crate) write: bool,
    /// Most sessions at one time.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub(crate) max_sessions: u32,
    /// Pseudonyms join within a project and differ between projects.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) project: String,
    /// Show only these patients' rows: a file with one key a line, as the database prints it.
    #[arg(long, value_name = "FILE")]
    pub(crate) patients: Option<PathBuf>,
    /// The file of --patients is CSV with a header; the keys are in this column.
    #[arg(long, value_name = "NAME", requires = "patients")]
    pub(crate) patients_column: Option<String>,
    /// Sensitive rows to show, separated by commas: HIV, PSY, SUD, VIP, EMP or the database's own.
    #[arg(long, value_delimiter = ',')]
    pub(crate) sensitivity: Vec<String>,
    /// The id of the data use agreement that a limited data set needs (45 CFR 164.514(e)(4)).
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub(crate) dua: String,
    /// The id of the expert's determination that the profile expert needs (45 CFR 164.514(b)(1)).
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub(crate) determination: String,
    /// The most rows that may leave, over all sessions of the grant.
    #[arg(long, value_name = "N")]
    pub(crate) max_rows: Option<u64>,
    /// The most distinct patients, by the keys in results; a row without a patient's key counts as one more.
    #[arg(long, value_name = "N")]
    pub(crate) max_patients: Option<u64>,
    /// The most cells of direct identifiers (names, numbers, addresses ...) that may leave as they are.
    #[arg(long, value_name = "N")]
    pub(crate) max_identifiers: Option<u64>,
    /// The most bytes of rows that may leave, as they are sent.
    #[arg(long, value_name = "N")]
    pub(crate) max_bytes: Option<u64>,
}

#[derive(Subcommand)]
pub(crate) enum SessionCommand {
    /// List sessions, newest first.
    List {
        /// Only under this grant.
        #[arg(long)]
        grant: Option<String>,
        /// Also those that have ended.
        #[arg(long)]
        all: bool,
    },
    /// Show one session.
    Show {
        /// The session.
        id: String,
    },
    /// End one session; its grant lives on.
    Kill {
        /// The session.
        id: String,
        /// Why; shown to the person.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Show what happened in a session, from the record alone.
    Replay(Replay),
}

#[derive(Args)]
pub(crate) struct Replay {
    /// The session.
    pub(crate) id: String,
    /// A gateway's log directory; by default each one under the configuration's data directory.
    #[arg(long, value_name = "DIR")]
    pub(crate) log: Option<PathBuf>,
    /// Wait between the steps as the person did: 1 is their pace, 10 ten times as fast.
    #[arg(long, value_name = "FACTOR")]
    pub(crate) speed: Option<f64>,
    /// Only the steps whose text contains this.
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Begin with this step.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) from: usize,
}

#[derive(Subcommand)]
pub(crate) enum CatalogCommand {
    /// Show each column with what it holds and how each profile releases it.
    Show {
        /// The database.
        #[arg(long)]
        database: String,
    },
    /// Check a classification file and say what it would release more or less of than the one in use.
    Import {
        /// The database.
        #[arg(long)]
        database: String,
        /// The file: table,column,pg_type,identifier,safe_harbor,limited_dataset[,expert].
        file: PathBuf,
    },
    /// Propose a classification from names and a sample of values, as a file to review. Values stay in
    /// the database: only how many look like something is asked.
    Discover {
        /// The database.
        #[arg(long)]
        database: String,
        /// More words for names: a CSV file with the header phrase,identifier.
        #[arg(long, value_name = "FILE")]
        lexicon: Option<PathBuf>,
        /// Rows of each table to look at, at most 10000.
        #[arg(long, value_name = "ROWS", default_value_t = 200)]
        sample: u32,
        /// Look at names and types alone.
        #[arg(long)]
        names_only: bool,
    },
}

#[derive(Args)]
pub(crate) struct Explain {
    /// The database.
    #[arg(long)]
    pub(crate) database: String,
    /// The release profile: safe_harbor, limited_dataset, expert or identified.
    #[arg(long)]
    pub(crate) profile: String,
    /// Columns to release unmasked: [schema.]table.column, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub(crate) reveal: Vec<String>,
    /// Columns to withhold: [schema.]table.column, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub(crate) block: Vec<String>,
    /// As under a grant with --write.
    #[arg(long)]
    pub(crate) write: bool,
    /// As under a grant with a list of patients.
    #[arg(long)]
    pub(crate) patients: bool,
    /// Sensitive rows that the grant shows, separated by commas: HIV, PSY, SUD, VIP, EMP or the
    /// database's own.
    #[arg(long, value_delimiter = ',')]
    pub(crate) sensitivity: Vec<String>,
    /// Where unqualified names are looked up, separated by commas; public if not said.
    #[arg(long, value_delimiter = ',')]
    pub(crate) search_path: Vec<String>,
    /// Read the statement from a file.
    #[arg(long, value_name = "FILE", conflicts_with = "sql")]
    pub(crate) file: Option<PathBuf>,
    /// The statement; from standard input if neither it nor --file is given.
    pub(crate) sql: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Verify logs offline. Exit code: 0 sound, 1 tampered, 2 sound only up to a point, 3 usage.
    Verify {
        /// A log directory; by default each one under the configuration's data directory.
        #[arg(long, value_name = "DIR")]
        log: Option<PathBuf>,
        /// A head noted earlier, as an earlier verification printed it: the log must contain it.
        #[arg(long, value_name = "N:HASH")]
        head: Option<String>,
    },
}

fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text
        .parse()
        .map_err(|_| "a duration such as 30m, 2h or 90s is expected".to_owned())?;
    Duration::try_from(span).map_err(|_| "a duration is not negative".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn durations() {
        assert_eq!(duration("30m"), Ok(Duration::from_mins(30)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_mins(90)));
        for wrong in ["", "30", "-5m", "soon"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
