//! The snapshot follows the database.

use std::time::Duration;

use phigate_catalog::Watcher;
use phigate_testkit::{DEADLINE, eventually, postgres};

const OFTEN: Duration = Duration::from_millis(20);

/// Each statement changes what a snapshot holds, so each must raise the epoch.
const CHANGES: [&str; 25] = [
    "CREATE TABLE t (a int, b text)",
    "ALTER TABLE t ADD COLUMN c varchar(10)",
    "ALTER TABLE t ALTER COLUMN c TYPE varchar(20)",
    "ALTER TABLE t RENAME COLUMN c TO d",
    "ALTER TABLE t DROP COLUMN d",
    "ALTER TABLE t ALTER COLUMN b TYPE text COLLATE \"C\"",
    "ALTER TABLE t RENAME TO u",
    "CREATE SCHEMA s",
    "ALTER TABLE u SET SCHEMA s",
    "ALTER SCHEMA s RENAME TO r",
    "CREATE VIEW v AS SELECT a FROM r.u",
    "CREATE OR REPLACE VIEW v AS SELECT a FROM r.u WHERE a > 1",
    "CREATE TYPE mood AS ENUM ('x')",
    "CREATE DOMAIN zip AS text",
    "ALTER DOMAIN zip SET NOT NULL",
    "CREATE RULE r AS ON INSERT TO r.u DO ALSO NOTHING",
    "CREATE TABLE child () INHERITS (r.u)",
    "ALTER TABLE child NO INHERIT r.u",
    "CREATE TABLE g (a int, b int GENERATED ALWAYS AS (a + 1) STORED)",
    "ALTER TABLE g DROP COLUMN b, ADD COLUMN b int GENERATED ALWAYS AS (a + 2) STORED",
    "CREATE MATERIALIZED VIEW m AS SELECT a FROM g",
    "CREATE SEQUENCE q",
    "CREATE INDEX ON g (a)",
    "CREATE COLLATION mine FROM \"C\"",
    "DROP VIEW v",
];

/// None of these does.
const NO_CHANGES: &str = "INSERT INTO g (a) SELECT generate_series(1, 100); TRUNCATE g;
    ANALYZE; CREATE TEMP TABLE x (a int); DROP TABLE x;
    CREATE ROLE somebody; GRANT SELECT ON g TO somebody; REFRESH MATERIALIZED VIEW m";

#[tokio::test]
async fn every_change_of_the_catalog_raises_the_epoch() {
    let cluster = postgres();
    let watcher = Watcher::start(crate::upstream(&cluster, "postgres"), OFTEN);
    let mut epoch = watcher.ready(DEADLINE).await.unwrap().epoch;
    for change in CHANGES {
        cluster.execute("postgres", change).await.unwrap();
        phigate_testkit::within(change, watcher.changed(epoch)).await;
        epoch = watcher.current().unwrap().epoch;
    }
    assert!(watcher.current().unwrap().find("public", "g").is_some());

    cluster.execute("postgres", NO_CHANGES).await.unwrap();
    cluster
        .execute("postgres", "CREATE TABLE last ()")
        .await
        .unwrap();
    phigate_testkit::within("the last change", watcher.changed(epoch)).await;
    let snapshot = watcher.current().unwrap();
    assert!(snapshot.find("public", "last").is_some());
    assert_eq!(snapshot.epoch, epoch + 1);
}

/// So seldom that only an announcement, or somebody who asks, can be in time.
const NEVER: Duration = Duration::from_mins(10);

#[tokio::test]
async fn who_asks_for_the_catalog_as_it_is_now_gets_it() {
    let cluster = postgres();
    let watcher = Watcher::start(crate::upstream(&cluster, "postgres"), NEVER);
    watcher.ready(DEADLINE).await.unwrap();
    cluster
        .execute("postgres", "CREATE TABLE now ()")
        .await
        .unwrap();
    let before = watcher.current();
    assert!(!before.is_ok_and(|snapshot| snapshot.find("public", "now").is_some()));
    let snapshot = watcher.refreshed(DEADLINE).await.unwrap();
    assert!(snapshot.find("public", "now").is_some());
}

#[tokio::test]
async fn an_announcement_is_heard() {
    let cluster = postgres();
    let watcher = Watcher::start_guarded(crate::upstream(&cluster, "postgres"), NEVER, Vec::new());
    let epoch = watcher.ready(DEADLINE).await.unwrap().epoch;
    // Announced again until the listener listens.
    eventually("an announcement that is heard", async || {
        let sql = "CREATE TABLE IF NOT EXISTS announced (); NOTIFY phigate_catalog";
        cluster.execute("postgres", sql).await.unwrap();
        let now = watcher.current().ok()?;
        (now.epoch != epoch && now.find("public", "announced").is_some()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn it_comes_back_after_a_restart_and_says_why_it_was_away() {
    let mut cluster = postgres();
    let upstream = crate::upstream(&cluster, "postgres");
    cluster
        .execute("postgres", "CREATE TABLE before ()")
        .await
        .unwrap();
    let watcher = Watcher::start(upstream.clone(), OFTEN);
    let epoch = watcher.ready(DEADLINE).await.unwrap().epoch;
    cluster.restart().unwrap();
    cluster
        .execute("postgres", "CREATE TABLE after ()")
        .await
        .unwrap();
    phigate_testkit::within("reconnect", watcher.changed(epoch)).await;
    assert!(watcher.current().unwrap().find("public", "after").is_some());

    cluster.stop().unwrap();
    let lost = Watcher::start(upstream, OFTEN);
    let reason = eventually("a reason", async || {
        lost.current()
            .err()
            .map(|stale| stale.reason)
            .filter(|reason| reason.contains("reach"))
    })
    .await;
    assert!(reason.contains("127.0.0.1"), "{reason}");
    assert_eq!(lost.ready(Duration::ZERO).await.unwrap_err().reason, reason);
}

#[tokio::test]
async fn dropping_it_ends_its_connection() {
    let cluster = postgres();
    let watcher = Watcher::start(crate::upstream(&cluster, "postgres"), OFTEN);
    watcher.ready(DEADLINE).await.unwrap();
    let mut connection = crate::upstream(&cluster, "postgres")
        .connect()
        .await
        .unwrap();
    let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'phigate catalog'";
    drop(watcher);
    eventually("only our own connection", async || {
        let alive: i64 = sqlx::query_scalar(count)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        (alive == 1).then_some(())
    })
    .await;
}
