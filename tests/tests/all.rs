//! Behaviour of the whole: real PostgreSQL, real control plane, real gateway, real clients. One
//! module a behaviour.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod analysts;
mod attacks;
mod audit;
mod budgets;
mod catalog;
mod cohort;
mod explain;
mod failing;
mod hostile;
mod login;
mod masking;
mod monitoring;
mod operator;
mod processes;
mod psql;
mod psycopg;
mod reloading;
mod second_line;
mod session_end;
#[cfg(feature = "sql-off-for-tests")]
mod sql_off;
mod stopping;
mod tokio_postgres;
mod two_worlds;
mod views;
