//! The statements that are not relayed, each by its name. Exhaustive, so that a statement that a
//! new sqlparser learns to read is refused by somebody's decision.

use sqlparser::ast::Statement as S;

use crate::budget;
use crate::lex;
use crate::refusal::{Reason, Refusal};

/// Why a statement is refused.
enum Why {
    /// It writes rows.
    Writes(&'static str),
    /// It changes what exists, who may do what, or how the server runs.
    Defines(&'static str),
    /// It runs code that the gateway cannot read.
    Runs(&'static str),
    /// It tells other sessions, or is told by them, outside any result.
    Signals(&'static str),
    /// PostgreSQL has no such statement.
    Unknown,
}

pub(super) fn refusal(statement: &S) -> Refusal {
    tell(&why(statement))
}

/// The refusal of a text that could not be parsed, if its first word is that of a statement that
/// would not be relayed anyway.
pub(super) fn unreadable(text: &str) -> Option<Refusal> {
    let lexed = lex::lex(text, budget::MAX_TOKENS).ok()?;
    let why = match &*lexed.tokens.first()?.text {
        "do" => Why::Runs("DO"),
        "call" => Why::Runs("CALL"),
        "checkpoint" => Why::Defines("CHECKPOINT"),
        "cluster" => Why::Defines("CLUSTER"),
        "import" => Why::Defines("IMPORT FOREIGN SCHEMA"),
        "reassign" => Why::Defines("REASSIGN OWNED"),
        "refresh" => Why::Defines("REFRESH MATERIALIZED VIEW"),
        "reindex" => Why::Defines("REINDEX"),
        "repack" => Why::Defines("REPACK"),
        "security" => Why::Defines("SECURITY LABEL"),
        "vacuum" => Why::Defines("VACUUM"),
        "create" => Why::Defines("this CREATE"),
        "alter" => Why::Defines("ALTER"),
        "drop" => Why::Defines("DROP"),
        _ => return None,
    };
    Some(tell(&why))
}

fn tell(why: &Why) -> Refusal {
    match why {
        Why::Writes(name) => Refusal::new(
            Reason::NotGranted,
            format!("{name} is not relayed: the session may only read"),
        )
        .with_hint("write to the database by another way than an analyst's grant"),
        Why::Defines(name) => Refusal::new(
            Reason::Statement,
            format!("{name} is not relayed: it is for the database's administrators"),
        ),
        Why::Runs(name) => Refusal::new(
            Reason::Statement,
            format!("{name} is not relayed: the gateway cannot tell what it runs"),
        )
        .with_hint("send the statements themselves"),
        Why::Signals(name) => Refusal::new(
            Reason::Statement,
            format!("{name} is not relayed: it reaches other sessions"),
        ),
        Why::Unknown => Refusal::new(
            Reason::Syntax,
            "this statement does not exist in PostgreSQL",
        ),
    }
}

fn why(statement: &S) -> Why {
    match statement {
        S::Insert(_) => Why::Writes("INSERT"),
        S::Update(_) => Why::Writes("UPDATE"),
        S::Delete(_) => Why::Writes("DELETE"),
        S::Merge(_) => Why::Writes("MERGE"),
        S::Truncate(_) => Why::Writes("TRUNCATE"),
        S::Copy { .. } => Why::Writes("this COPY"),
        S::Lock(_) => Why::Signals("LOCK"),
        S::LISTEN { .. } => Why::Signals("LISTEN"),
        S::UNLISTEN { .. } => Why::Signals("UNLISTEN"),
        S::NOTIFY { .. } => Why::Signals("NOTIFY"),
        S::Call(_) => Why::Runs("CALL"),
        S::Load { .. } => Why::Runs("LOAD"),
        S::Analyze(_) => Why::Defines("ANALYZE"),
        S::Vacuum(_) => Why::Defines("VACUUM"),
        S::CreateView(_) => Why::Defines("CREATE VIEW"),
        S::CreateTable(_) => Why::Defines("CREATE TABLE"),
        S::CreateIndex(_) => Why::Defines("CREATE INDEX"),
        S::CreateRole(_) | S::CreateUser(_) => Why::Defines("CREATE ROLE"),
        S::CreateServer(_) => Why::Defines("CREATE SERVER"),
        S::CreatePolicy(_) => Why::Defines("CREATE POLICY"),
        S::CreateOperator(_) | S::CreateOperatorFamily(_) | S::CreateOperatorClass(_) => {
            Why::Defines("CREATE OPERATOR")
        }
        S::CreateTextSearch(_) => Why::Defines("CREATE TEXT SEARCH"),
        S::CreateExtension(_) => Why::Defines("CREATE EXTENSION"),
        S::CreateCollation(_) => Why::Defines("CREATE COLLATION"),
        S::CreateSchema { .. } => Why::Defines("CREATE SCHEMA"),
        S::CreateDatabase { .. } => Why::Defines("CREATE DATABASE"),
        S::CreateFunction(_) => Why::Defines("CREATE FUNCTION"),
        S::CreateProcedure { .. } => Why::Defines("CREATE PROCEDURE"),
        S::CreateTrigger(_) => Why::Defines("CREATE TRIGGER"),
        S::CreateSequence { .. } => Why::Defines("CREATE SEQUENCE"),
        S::CreateDomain(_) => Why::Defines("CREATE DOMAIN"),
        S::CreateType { .. } => Why::Defines("CREATE TYPE"),
        S::AlterTable(_)
        | S::AlterSchema(_)
        | S::AlterIndex { .. }
        | S::AlterView { .. }
        | S::AlterFunction(_)
        | S::AlterType(_)
        | S::AlterCollation(_)
        | S::AlterOperator(_)
        | S::AlterOperatorFamily(_)
        | S::AlterOperatorClass(_)
        | S::AlterTextSearch(_)
        | S::AlterRole { .. }
        | S::AlterUser(_)
        | S::AlterPolicy(_) => Why::Defines("ALTER"),
        S::Drop { .. }
        | S::DropFunction(_)
        | S::DropDomain(_)
        | S::DropProcedure { .. }
        | S::DropPolicy(_)
        | S::DropTrigger(_)
        | S::DropExtension(_)
        | S::DropOperator(_)
        | S::DropOperatorFamily(_)
        | S::DropOperatorClass(_) => Why::Defines("DROP"),
        S::Comment { .. } => Why::Defines("COMMENT"),
        S::Grant(_) => Why::Defines("GRANT"),
        S::Revoke(_) => Why::Defines("REVOKE"),
        // Read elsewhere when they are whole statements; inside another one they are not relayed.
        S::Query(_) => Why::Defines("a query here"),
        S::Set(_) | S::Reset(_) | S::Discard { .. } => Why::Defines("SET here"),
        S::ShowVariable { .. } => Why::Defines("SHOW here"),
        S::Explain { .. } | S::ExplainTable { .. } => Why::Defines("EXPLAIN here"),
        S::StartTransaction { .. }
        | S::Commit { .. }
        | S::Rollback { .. }
        | S::Savepoint { .. }
        | S::ReleaseSavepoint { .. } => Why::Defines("a transaction statement here"),
        S::Declare { .. } | S::Fetch { .. } | S::Close { .. } => Why::Defines("a cursor here"),
        S::Prepare { .. } | S::Execute { .. } | S::Deallocate { .. } => {
            Why::Defines("a prepared statement here")
        }
        S::Msck(_)
        | S::Install { .. }
        | S::Directory { .. }
        | S::Case(_)
        | S::If(_)
        | S::While(_)
        | S::Raise(_)
        | S::CopyIntoSnowflake { .. }
        | S::Open(_)
        | S::CreateVirtualTable { .. }
        | S::CreateSecret { .. }
        | S::CreateConnector(_)
        | S::AlterConnector { .. }
        | S::AlterSession { .. }
        | S::AttachDatabase { .. }
        | S::AttachDuckDBDatabase { .. }
        | S::DetachDuckDBDatabase { .. }
        | S::DropSecret { .. }
        | S::DropConnector { .. }
        | S::Flush { .. }
        | S::ShowFunctions { .. }
        | S::ShowStatus { .. }
        | S::ShowVariables { .. }
        | S::ShowCreate { .. }
        | S::ShowColumns { .. }
        | S::ShowCatalogs { .. }
        | S::ShowDatabases { .. }
        | S::ShowProcessList { .. }
        | S::ShowSchemas { .. }
        | S::ShowCharset(_)
        | S::ShowObjects(_)
        | S::ShowTables { .. }
        | S::ShowViews { .. }
        | S::ShowCollation { .. }
        | S::Use(_)
        | S::CreateMacro { .. }
        | S::CreateStage { .. }
        | S::CreateFileFormat { .. }
        | S::CreateWarehouse(_)
        | S::Assert { .. }
        | S::Deny(_)
        | S::Kill { .. }
        | S::Cache { .. }
        | S::UNCache { .. }
        | S::Pragma { .. }
        | S::LockTables { .. }
        | S::UnlockTables
        | S::Unload { .. }
        | S::OptimizeTable { .. }
        | S::LoadData { .. }
        | S::RenameTable(_)
        | S::List(_)
        | S::Put { .. }
        | S::Remove(_)
        | S::RaisError { .. }
        | S::Throw(_)
        | S::Print(_)
        | S::WaitFor(_)
        | S::Return(_)
        | S::ExportData(_) => Why::Unknown,
    }
}
