//! The catalog reader and the released expressions against a real PostgreSQL.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs
)]

mod check;
mod discover;
mod forms;
mod lists;
mod login;
mod read;
mod rows;
mod transforms;
mod watcher;

use phigate_catalog::Upstream;
use phigate_testkit::Cluster;

/// The way in as the superuser.
fn upstream(cluster: &Cluster, database: &str) -> Upstream {
    Upstream::parse(&cluster.url(database)).expect("a URL of ours")
}
