//! COPY, both ways.

use phigate_testkit::client::Client;
use phigate_wire::backend::tag;
use phigate_wire::frontend::{self, Bind};

use crate::house::{Plan, run, with};

fn passthrough() -> Plan {
    Plan {
        passthrough: true,
        ..Plan::default()
    }
}

#[test]
fn copy_out_is_masked_and_recorded() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let ssn = house
            .ask("SELECT ssn FROM patients WHERE ssn IS NOT NULL LIMIT 1")
            .await;
        let mut client = house.client(&grant).await;
        let answer = client.query("COPY patients TO STDOUT").await.ok();
        assert!(answer.tags().starts_with("Hd") && answer.tags().ends_with("dcCZ"));
        assert!(!answer.contains(ssn.as_bytes()));
        let answer = client.query("COPY patients FROM STDIN").await;
        assert_eq!(answer.tags(), "EZ");
        assert_eq!(client.query("SELECT 1").await.ok().value().unwrap(), "1");
    });
}

async fn writer(house: &crate::house::House) -> Client {
    let grant = house
        .grant("identified", |request| request.write = true)
        .await;
    house.client(&grant).await
}

#[test]
fn copy_in_is_relayed_under_passthrough() {
    with(passthrough(), async |house| {
        let mut client = writer(house).await;
        client.query("CREATE TEMP TABLE t (i int)").await.ok();
        client
            .say(|out| frontend::query("COPY t FROM STDIN", out))
            .await;
        assert_eq!(client.until(tag::COPY_IN_RESPONSE).await.tags(), "G");
        client
            .say(|out| {
                frontend::copy_data(b"1\n2\n", out);
                frontend::copy_data(b"3\n", out);
                frontend::copy_done(out);
            })
            .await;
        assert_eq!(client.answer().await.ok().commands(), ["COPY 3"]);
        client
            .say(|out| {
                frontend::query("COPY t FROM STDIN", out);
                frontend::copy_data(b"4\n", out);
                frontend::copy_fail("changed my mind", out);
            })
            .await;
        assert_eq!(client.answer().await.sqlstate(), "57014");
        client
            .say(|out| {
                frontend::query("COPY t FROM STDIN", out);
                frontend::copy_data(b"not a number\n", out);
                frontend::copy_data(b"5\n", out);
                frontend::copy_done(out);
                frontend::query("SELECT count(*) FROM t", out);
            })
            .await;
        assert_eq!(client.answer().await.sqlstate(), "22P02");
        assert_eq!(client.answer().await.ok().value().unwrap(), "3");
    });
}

#[test]
fn copy_in_by_the_extended_protocol_ignores_syncs_inside_its_data() {
    with(passthrough(), async |house| {
        let mut client = writer(house).await;
        client.query("CREATE TEMP TABLE t (i int)").await.ok();
        for bad in [false, true] {
            client
                .say(|out| {
                    frontend::parse("", "COPY t FROM STDIN", &[], out);
                    frontend::bind(&Bind::default(), out);
                    frontend::execute("", 0, out);
                    frontend::sync(out);
                })
                .await;
            assert_eq!(client.until(tag::COPY_IN_RESPONSE).await.tags(), "12G");
            client
                .say(|out| {
                    frontend::copy_data(if bad { b"x\n" } else { b"1\n" }, out);
                    frontend::copy_done(out);
                    frontend::sync(out);
                })
                .await;
            let answer = client.answer().await;
            assert_eq!(answer.tags(), if bad { "EZ" } else { "CZ" });
            let answer = client.extended("SELECT count(*) FROM t", &[]).await.ok();
            assert_eq!(answer.value().unwrap(), "1");
        }
    });
}
