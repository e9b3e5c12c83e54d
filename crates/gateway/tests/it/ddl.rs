//! Tables that change under statements: prepared ones, and ones under way.

use phigate_proto::v1::CreateGrantResponse;
use phigate_testkit::client::{Answer, Client};
use phigate_testkit::eventually;
use phigate_wire::frontend::{self, Bind};

use crate::house::{House, run};

/// Released as it is; what takes its name below is masked.
const CITY: &str = "SELECT upper(city) FROM patients ORDER BY patient_id LIMIT 1";

/// Two columns of one type change their names.
const SWAP: &str = "ALTER TABLE patients RENAME COLUMN city TO x; \
    ALTER TABLE patients RENAME COLUMN street_address TO city; \
    ALTER TABLE patients RENAME COLUMN x TO street_address";

async fn alter(house: &House, sql: &str) {
    house.pg.execute("clinic", sql).await.unwrap();
}

/// Changes something, and returns when the gateway has seen it: it knows then a table that was made
/// with it.
async fn seen(house: &House, grant: &CreateGrantResponse, sql: &str) {
    let seen = "CREATE TABLE seen (i int); GRANT SELECT ON seen TO broker";
    alter(house, &format!("{sql}; {seen}")).await;
    let mut client = house.client(grant).await;
    eventually("the gateway sees the table", async || {
        let answer = client.query("SELECT i FROM seen").await;
        (answer.sqlstate() == "42501").then_some(())
    })
    .await;
}

/// What the client must not get.
async fn street(house: &House) -> String {
    house
        .ask("SELECT upper(street_address) FROM patients ORDER BY patient_id LIMIT 1")
        .await
}

/// Returns when the gateway has seen that the columns swapped their names.
async fn swapped(house: &House, grant: &CreateGrantResponse) {
    alter(house, SWAP).await;
    eventually("the gateway sees the names", async || {
        // Until then the session may be ended as well as answered.
        let answer = house.client(grant).await.query(CITY).await;
        (!answer.closed() && !answer.errors().is_empty() && answer.sqlstate() == "42501")
            .then_some(())
    })
    .await;
}

async fn prepare(client: &mut Client, name: &str, sql: &str) {
    client
        .say(|out| {
            frontend::parse(name, sql, &[], out);
            frontend::sync(out);
        })
        .await;
    client.answer().await.ok();
}

async fn execute(client: &mut Client, name: &str) -> Answer {
    let bind = Bind {
        statement: name,
        ..Bind::default()
    };
    client
        .say(|out| {
            frontend::bind(&bind, out);
            frontend::execute("", 0, out);
            frontend::sync(out);
        })
        .await;
    client.answer().await
}

#[test]
fn what_was_prepared_is_read_anew_when_its_tables_change() {
    run(async |house| {
        let street = street(house).await;
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        prepare(&mut client, "extended", CITY).await;
        client
            .query(&format!("PREPARE simple AS {CITY}"))
            .await
            .ok();
        prepare(&mut client, "by_name", "EXECUTE simple").await;
        let city = execute(&mut client, "extended").await.ok().value();
        assert_eq!(client.query("EXECUTE simple").await.ok().value(), city);
        assert_eq!(execute(&mut client, "by_name").await.ok().value(), city);
        assert_eq!(execute(&mut client, "simple").await.ok().value(), city);

        swapped(house, &grant).await;
        for answer in [
            execute(&mut client, "extended").await,
            client.query("EXECUTE simple").await,
            client.query("EXPLAIN EXECUTE simple").await,
            execute(&mut client, "by_name").await,
            execute(&mut client, "simple").await,
        ] {
            assert_eq!(answer.sqlstate(), "42501", "{answer:?}");
            assert!(answer.rows().is_empty(), "{answer:?}");
            assert!(!answer.contains(street.as_bytes()), "{answer:?}");
        }
        // The session goes on.
        client.query("SELECT 1").await.ok();
    });
}

#[test]
fn what_was_prepared_goes_on_when_other_tables_change() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        prepare(&mut client, "extended", CITY).await;
        client
            .query(&format!("PREPARE simple AS {CITY}"))
            .await
            .ok();
        seen(house, &grant, "SELECT 1").await;
        execute(&mut client, "extended").await.ok();
        execute(&mut client, "simple").await.ok();
        client.query("EXECUTE simple").await.ok();
        client.query("DEALLOCATE simple").await.ok();
        assert_eq!(client.query("EXECUTE simple").await.sqlstate(), "26000");
    });
}

#[test]
fn a_prepared_statement_that_would_be_another_one_is_to_be_prepared_again() {
    run(async |house| {
        alter(house, "CREATE VIEW ages AS SELECT patient_id AS n FROM patients; GRANT SELECT ON ages TO broker").await;
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        eventually("the gateway sees the view", async || {
            let answer = client.query("SELECT n FROM ages LIMIT 1").await;
            answer.errors().is_empty().then_some(())
        })
        .await;
        prepare(&mut client, "s", "SELECT max(n) FROM ages").await;
        execute(&mut client, "s").await.ok();
        let other = "CREATE OR REPLACE VIEW ages AS SELECT patient_id AS n FROM encounters";
        seen(house, &grant, other).await;
        let refused = execute(&mut client, "s").await;
        assert_eq!(refused.sqlstate(), "0A000");
        prepare(&mut client, "s2", "SELECT max(n) FROM ages").await;
        execute(&mut client, "s2").await.ok();
    });
}

/// What comes back for `sql`, which waits for `departments` while the columns swap their names and the
/// gateway sees it; everything up to the end of the session if it `ends`. The names are as they were
/// afterwards.
async fn overtaken(house: &House, grant: &CreateGrantResponse, sql: &str, ends: bool) -> Answer {
    let mut client = house.client(grant).await;
    let mut lock = house.superuser().await;
    lock.query("BEGIN; LOCK TABLE departments IN ACCESS EXCLUSIVE MODE")
        .await
        .ok();
    client.say(|out| frontend::query(sql, out)).await;
    waits(house, "departments").await;
    swapped(house, grant).await;
    lock.query("COMMIT").await.ok();
    let answer = if ends {
        client.rest().await
    } else {
        client.answer().await
    };
    alter(house, SWAP).await;
    eventually("the gateway sees the names again", async || {
        let answer = house.client(grant).await.query(CITY).await;
        answer.errors().is_empty().then_some(())
    })
    .await;
    answer
}

/// Returns when somebody waits for a lock on a table.
async fn waits(house: &House, table: &str) {
    let waiting = format!(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{table}'::regclass"
    );
    eventually("somebody waits", async || {
        (house.ask(&waiting).await == "1").then_some(())
    })
    .await;
}

#[test]
fn what_is_under_way_when_its_tables_change_sends_nothing() {
    run(async |house| {
        let street = street(house).await;
        let grant = house.grant("limited_dataset", |_| {}).await;
        for rest in [
            CITY.to_owned(),
            format!("BEGIN; DECLARE c CURSOR FOR {CITY}; FETCH c"),
            format!("COPY ({CITY}) TO STDOUT"),
            format!("CREATE TEMP TABLE t AS {CITY}; SELECT * FROM t"),
            format!("CREATE TEMP VIEW v AS {CITY}; SELECT * FROM v"),
            format!("PREPARE p AS {CITY}; EXECUTE p"),
        ] {
            let sql = format!("SELECT count(*) FROM departments; {rest}");
            let answer = overtaken(house, &grant, &sql, true).await;
            assert!(answer.rows().is_empty(), "{sql}: {answer:?}");
            assert_eq!(answer.sqlstate(), "57P01", "{sql}: {answer:?}");
            assert!(!answer.contains(street.as_bytes()), "{sql}: {answer:?}");
        }
    });
}

/// Division by zero where the street is not what it is, and an answer where it is.
#[test]
fn an_error_of_what_is_under_way_tells_nothing_either() {
    run(async |house| {
        let street = street(house).await.replace('\'', "''");
        let grant = house.grant("limited_dataset", |_| {}).await;
        let guess = format!(
            "SELECT count(*) FROM departments WHERE 1 / \
             (SELECT (upper(city) <> '{street}')::int FROM patients ORDER BY patient_id LIMIT 1) = 1"
        );
        let mut client = house.client(&grant).await;
        client.query(&guess).await.ok();
        let answer = overtaken(house, &grant, &guess, false).await;
        assert_eq!(answer.sqlstate(), "0A000", "{answer:?}");
        assert!(!answer.contains(b"division"), "{answer:?}");
    });
}

#[test]
fn a_result_that_has_begun_goes_on_while_its_locks_keep_the_tables() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        let three = "SELECT upper(city) FROM patients ORDER BY patient_id LIMIT 3";
        client.query("BEGIN").await.ok();
        client
            .query(&format!("DECLARE c CURSOR FOR {three}"))
            .await
            .ok();
        client.query("FETCH 1 FROM c").await.ok();
        let mut ddl = house.superuser().await;
        let swap = format!("BEGIN; {SWAP}; COMMIT");
        ddl.say(|out| frontend::query(&swap, out)).await;
        waits(house, "patients").await;
        // The catalog changes meanwhile, but not what the cursor reads.
        seen(house, &grant, "SELECT 1").await;
        let rest = client.query("FETCH ALL FROM c").await.ok();
        assert_eq!(rest.rows().len(), 2);
        client.query("COMMIT").await.ok();
        ddl.answer().await.ok();
    });
}

/// PostgreSQL keeps a temporary view over the database's own view, whose definition is replaced.
#[test]
fn a_temporary_view_is_read_no_more_when_what_it_reads_is_another_view() {
    run(async |house| {
        let street = street(house).await;
        alter(
            house,
            "CREATE VIEW named AS SELECT name AS word FROM departments; GRANT SELECT ON named TO broker",
        )
        .await;
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        eventually("the gateway sees the view", async || {
            let answer = client.query("SELECT word FROM named").await;
            answer.errors().is_empty().then_some(())
        })
        .await;
        client
            .query("CREATE TEMP VIEW mine AS SELECT word FROM named; CREATE TEMP VIEW again AS SELECT * FROM mine")
            .await
            .ok();
        prepare(&mut client, "s", "SELECT max(word) FROM again").await;
        client.query("SELECT word FROM mine").await.ok();
        execute(&mut client, "s").await.ok();
        let other =
            "CREATE OR REPLACE VIEW named AS SELECT upper(street_address) AS word FROM patients";
        seen(house, &grant, other).await;
        for answer in [
            client.query("SELECT word FROM mine").await,
            client.query("TABLE again").await,
            client
                .query("CREATE TEMP TABLE t AS SELECT * FROM pg_temp.mine")
                .await,
            execute(&mut client, "s").await,
        ] {
            assert_eq!(answer.sqlstate(), "42501", "{answer:?}");
            assert!(!answer.contains(street.as_bytes()), "{answer:?}");
        }
        client.query("DROP VIEW mine CASCADE").await.ok();
        client
            .query("CREATE TEMP VIEW mine AS SELECT name AS word FROM departments")
            .await
            .ok();
        client.query("SELECT word FROM mine").await.ok();
    });
}

#[test]
fn a_name_that_is_prepared_anew_is_judged_by_its_own_text() {
    run(async |house| {
        let street = street(house).await;
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        client.query(&format!("PREPARE p AS {CITY}")).await.ok();
        swapped(house, &grant).await;
        // The first EXECUTE is of what was prepared before.
        let sql = "EXECUTE p; DEALLOCATE p; PREPARE p AS SELECT 1; EXECUTE p";
        let answer = client.query(sql).await;
        assert_eq!(answer.sqlstate(), "42501", "{answer:?}");
        assert!(!answer.contains(street.as_bytes()), "{answer:?}");
        let sql = "DEALLOCATE p; PREPARE p AS SELECT 1; EXECUTE p";
        assert_eq!(client.query(sql).await.ok().value().as_deref(), Some("1"));
    });
}
