//! Queries of both protocols, pipelines, refusals in the middle, and what the client's transaction
//! status says after them.

use phigate_testkit::client::{Answer, Client};
use phigate_wire::backend::{TransactionStatus, tag};
use phigate_wire::frontend::{self, Bind, Target};

use crate::house::run;

/// A statement the gateway refuses whatever the grant.
const REFUSED: &str = "CREATE TABLE t (i int)";

fn bind<'a>(portal: &'a str, statement: &'a str, params: Vec<Option<&'a [u8]>>) -> Bind<'a> {
    Bind {
        portal,
        statement,
        params,
        ..Bind::default()
    }
}

async fn status(client: &mut Client) -> TransactionStatus {
    client.query("SELECT 1").await.status().unwrap()
}

fn code(answer: &Answer) -> String {
    answer.sqlstate()
}

#[test]
fn many_statements_in_one_query() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        let answer = client
            .query("SELECT 1; SELECT 2; BEGIN; SELECT 3")
            .await
            .ok();
        assert_eq!(answer.tags(), "TDCTDCCTDCZ");
        assert_eq!(answer.status(), Some(TransactionStatus::InTransaction));
        client.query("COMMIT").await.ok();
        assert_eq!(client.query("").await.tags(), "IZ");
        assert_eq!(client.query(" ; -- nothing\n").await.tags(), "IZ");
        let answer = client.query(&format!("SELECT 1; {REFUSED}")).await;
        assert_eq!(answer.tags(), "EZ", "all or none");
        assert_eq!(answer.status(), Some(TransactionStatus::Idle));
        let answer = client.query("SELECT 1; SELECT 1/0; SELECT 2").await;
        assert_eq!(answer.tags(), "TDCTEZ".replace("TE", "E"), "{answer:?}");
        assert_eq!(code(&answer), "22012");
    });
}

#[test]
fn a_refusal_in_a_transaction_aborts_it() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        client.query("BEGIN").await.ok();
        let answer = client.query(REFUSED).await;
        assert_eq!(
            answer.status(),
            Some(TransactionStatus::Failed),
            "made true upstream"
        );
        assert_eq!(code(&answer), "42501", "the refusal's own words");
        assert!(!answer.contains(b"PHIGATE"));
        let answer = client.query("SELECT 1").await;
        assert_eq!(code(&answer), "25P02");
        let answer = client.query("COMMIT").await;
        assert_eq!(answer.commands(), ["ROLLBACK"]);
        assert_eq!(status(&mut client).await, TransactionStatus::Idle);
    });
}

#[test]
fn a_refusal_in_a_pipeline_skips_to_sync() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        client
            .say(|out| {
                for sql in ["SELECT 1", REFUSED, "SELECT 2"] {
                    frontend::parse("", sql, &[], out);
                    frontend::bind(&bind("", "", vec![]), out);
                    frontend::execute("", 0, out);
                }
                frontend::sync(out);
                frontend::parse("", "SELECT 3", &[], out);
                frontend::bind(&bind("", "", vec![]), out);
                frontend::execute("", 0, out);
                frontend::sync(out);
            })
            .await;
        let answer = client.answer().await;
        assert_eq!(answer.tags(), "12DCEZ");
        assert_ne!(
            code(&answer),
            "42601",
            "the refusal's own, not the poison's"
        );
        let answer = client.answer().await.ok();
        assert_eq!(answer.tags(), "12DCZ");
        assert_eq!(answer.value().unwrap(), "3");
        client.query("BEGIN").await.ok();
        let answer = client.extended(REFUSED, &[]).await;
        assert_eq!(answer.tags(), "EZ");
        assert_eq!(answer.status(), Some(TransactionStatus::Failed));
        client.query("ROLLBACK").await.ok();
    });
}

#[test]
fn refusals_without_sync_arrive_at_once() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        client
            .say(|out| {
                frontend::parse("s", REFUSED, &[], out);
                frontend::flush(out);
            })
            .await;
        let answer = client.until(tag::ERROR).await;
        assert_eq!(
            (answer.tags().as_str(), code(&answer).as_str()),
            ("E", "42501")
        );
        client
            .say(|out| {
                frontend::parse("s", "SELECT 1", &[], out);
                frontend::query("SELECT 1", out);
                frontend::sync(out);
            })
            .await;
        assert_eq!(client.answer().await.tags(), "Z", "skipped to Sync");
        let answer = client.extended("SELECT 5", &[]).await.ok();
        assert_eq!(answer.value().unwrap(), "5");
    });
}

#[test]
fn prepared_statements_portals_and_suspension() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        client
            .say(|out| {
                frontend::parse("s", "SELECT g FROM generate_series(1, $1) g", &[23], out);
                frontend::describe(Target::Statement("s"), out);
                frontend::flush(out);
            })
            .await;
        let answer = client.until(tag::ROW_DESCRIPTION).await;
        assert_eq!(
            answer.tags(),
            "1tT",
            "the gateway's own Describe is not seen"
        );
        client
            .say(|out| {
                frontend::bind(&bind("p", "s", vec![Some(b"5")]), out);
                frontend::bind(&bind("q", "s", vec![Some(b"2")]), out);
                frontend::execute("p", 2, out);
                frontend::execute("q", 0, out);
                frontend::execute("p", 0, out);
                frontend::close(Target::Portal("p"), out);
                frontend::close(Target::Statement("nobody"), out);
                frontend::sync(out);
            })
            .await;
        let answer = client.answer().await.ok();
        assert_eq!(answer.tags(), "22DDsDDCDDDC33Z");
        client
            .say(|out| {
                frontend::parse("s", "SELECT 1", &[], out);
                frontend::sync(out);
            })
            .await;
        assert_eq!(code(&client.answer().await), "42P05", "the name is taken");
        client
            .say(|out| {
                frontend::bind(&bind("", "s", vec![Some(b"1")]), out);
                frontend::execute("", 0, out);
                frontend::sync(out);
            })
            .await;
        assert_eq!(
            client.answer().await.ok().tags(),
            "2DCZ",
            "and still means what it did"
        );
        client
            .say(|out| {
                frontend::bind(&bind("", "unknown", vec![]), out);
                frontend::execute("", 0, out);
                frontend::sync(out);
            })
            .await;
        let answer = client.answer().await;
        assert_eq!(
            (answer.tags().as_str(), code(&answer).as_str()),
            ("EZ", "26000")
        );
    });
}

#[test]
fn statements_and_cursors_made_by_sql_are_reached_by_the_protocol() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        client.query("PREPARE p AS SELECT 7").await.ok();
        client
            .say(|out| {
                frontend::bind(&bind("", "p", vec![]), out);
                frontend::execute("", 0, out);
                frontend::sync(out);
            })
            .await;
        assert_eq!(client.answer().await.ok().tags(), "2DCZ");
        client
            .query("BEGIN; DECLARE c CURSOR FOR SELECT 8")
            .await
            .ok();
        client
            .say(|out| {
                frontend::execute("c", 0, out);
                frontend::sync(out);
            })
            .await;
        let answer = client.answer().await.ok();
        assert_eq!((answer.tags().as_str(), answer.rows().len()), ("DCZ", 1));
    });
}

#[test]
fn a_pipeline_of_a_thousand_syncs() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        client
            .say(|out| {
                for number in 0..1000 {
                    frontend::parse("", &format!("SELECT {number}"), &[], out);
                    frontend::bind(&bind("", "", vec![]), out);
                    frontend::execute("", 0, out);
                    frontend::sync(out);
                }
            })
            .await;
        for number in 0..1000 {
            assert_eq!(
                client.answer().await.ok().value().unwrap(),
                number.to_string()
            );
        }
    });
}

#[test]
fn names_follow_the_search_path_through_transactions() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        let visible = "SELECT count(*) > 0 FROM departments";
        client.query(visible).await.ok();
        client.query("BEGIN").await.ok();
        client
            .query("SET LOCAL search_path TO pg_catalog")
            .await
            .ok();
        let answer = client.query(visible).await;
        assert_eq!(code(&answer), "42P01", "{answer:?}");
        client.query("ROLLBACK").await.ok();
        client.query(visible).await.ok();
        client
            .say(|out| {
                for sql in ["SET search_path TO pg_catalog", visible] {
                    frontend::parse("", sql, &[], out);
                    frontend::bind(&bind("", "", vec![]), out);
                    frontend::execute("", 0, out);
                }
                frontend::sync(out);
            })
            .await;
        let answer = client.answer().await;
        assert_eq!(
            code(&answer),
            "42P01",
            "analysed after the path had changed: {answer:?}"
        );
        client.query(visible).await.ok();
    });
}

#[test]
fn function_calls_past_sql_are_refused() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        client.send(b"F\0\0\0\x0e\0\0\0\x01\0\0\0\0\0\0").await;
        let answer = client.answer().await;
        assert_eq!(
            (answer.tags().as_str(), code(&answer).as_str()),
            ("EZ", "0A000")
        );
        assert_eq!(status(&mut client).await, TransactionStatus::Idle);
    });
}

#[test]
fn a_statement_can_be_cancelled_and_nobody_elses() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        let key = client.session().key.clone().unwrap();
        client
            .say(|out| {
                frontend::query(
                    "SELECT count(*) FROM generate_series(1, 1000000000000)",
                    out,
                );
            })
            .await;
        let mut wrong = key.clone();
        wrong.secret[0] ^= 1;
        phigate_testkit::client::cancel(house.gateway, &wrong).await;
        // The right one is repeated: it may come before the statement runs.
        let answer = loop {
            phigate_testkit::client::cancel(house.gateway, &key).await;
            let waited = tokio::time::timeout(crate::house::SHORT, client.answer()).await;
            if let Ok(answer) = waited {
                break answer;
            }
        };
        assert_eq!(code(&answer), "57014");
        assert_eq!(client.query("SELECT 1").await.ok().value().unwrap(), "1");
    });
}
