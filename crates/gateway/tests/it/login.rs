//! From the first byte to ReadyForQuery, and every way not to get there.

use bytes::BufMut;
use phigate_testkit::client::{Client, Tls};
use phigate_wire::startup::CancelKey;
use phigate_wire::{backend::tag, frontend};

use crate::house::{Plan, run, with};

fn tls() -> Plan {
    Plan {
        tls: true,
        ..Plan::default()
    }
}

#[test]
fn a_grant_opens_a_session_and_says_what_it_masks() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        assert_eq!(client.query("SELECT 1").await.ok().value().unwrap(), "1");
        let session = client.session();
        assert_eq!(session.notices.len(), 1);
        let notice = session.notices[0].message().into_owned();
        assert!(
            notice.contains("limited_dataset") && notice.contains("masked"),
            "{notice}"
        );
        assert_eq!(session.parameters["server_encoding"], "UTF8");
        assert_eq!(session.parameters["session_authorization"], "alice");
        assert_eq!(session.key.as_ref().unwrap().secret.len(), 4);
        let password = &grant.password;
        let mut quiet = Client::connect(house.gateway).await;
        let params = [
            ("user", "alice"),
            ("database", "clinic"),
            ("client_min_messages", "warning"),
            ("application_name", "quiet"),
        ];
        quiet
            .login_with((3 << 16) + 2, &params, password)
            .await
            .unwrap();
        assert!(quiet.session().notices.is_empty());
        assert_eq!(quiet.session().parameters["application_name"], "quiet");
        assert_eq!(quiet.session().key.as_ref().unwrap().secret.len(), 32);
    });
}

#[test]
fn without_a_live_grant_everybody_is_told_the_same() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        for (user, database) in [("nobody", "clinic"), ("alice", "nowhere")] {
            let mut client = Client::connect(house.gateway).await;
            let error = client
                .login(user, &grant.password, database)
                .await
                .unwrap_err();
            assert_eq!(error.code().as_str(), "28000", "{user} {database}");
            assert!(error.message().contains("no live grant"));
        }
        let mut client = Client::connect(house.gateway).await;
        let error = client.login("alice", "wrong", "clinic").await.unwrap_err();
        assert_eq!(error.code().as_str(), "28P01");
        house.revoke(&grant).await;
        let mut client = Client::connect(house.gateway).await;
        let error = client
            .login("alice", &grant.password, "clinic")
            .await
            .unwrap_err();
        assert_eq!(error.code().as_str(), "28000");
        let hint = String::from_utf8_lossy(error.get(b'H').unwrap()).into_owned();
        assert!(
            hint.contains("phictl grant create --principal alice --database clinic"),
            "{hint}"
        );
    });
}

#[test]
fn a_grant_can_be_chosen_among_several() {
    run(async |house| {
        let first = house.grant("safe_harbor", |_| {}).await;
        let second = house.grant("limited_dataset", |_| {}).await;
        for (grant, profile) in [(&first, "safe_harbor"), (&second, "limited_dataset")] {
            let client = house.client(grant).await;
            let notice = client.session().notices[0].message().into_owned();
            assert!(notice.contains(profile), "the password chooses: {notice}");
        }
        let id = &first.grant.as_ref().unwrap().grant_id;
        let options = format!("-c phigate.grant={id}");
        let mut client = Client::connect(house.gateway).await;
        let params = [
            ("user", "alice"),
            ("database", "clinic"),
            ("options", options.as_str()),
        ];
        let error = client
            .login_with(3 << 16, &params, &second.password)
            .await
            .unwrap_err();
        assert_eq!(
            error.code().as_str(),
            "28P01",
            "the second's password is not the first's"
        );
    });
}

#[test]
fn startup_settings_pass_an_allow_list() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        for (name, value, code) in [
            ("options", "-c session_preload_libraries=x", "42501"),
            ("options", "-c phigate.k_days=00", "22023"),
            ("role", "postgres", "42501"),
            ("session_authorization", "postgres", "42501"),
            ("replication", "database", "0A000"),
            ("client_encoding", "LATIN1", "22023"),
            ("standard_conforming_strings", "off", "42501"),
            ("TimeZone", "Nowhere/At all", "22023"),
        ] {
            let mut client = Client::connect(house.gateway).await;
            let params = [("user", "alice"), ("database", "clinic"), (name, value)];
            let refused = client.login_with(3 << 16, &params, &grant.password).await;
            assert_eq!(refused.unwrap_err().code().as_str(), code, "{name}={value}");
        }
        let mut client = Client::connect(house.gateway).await;
        let params = [
            ("user", "alice"),
            ("database", "clinic"),
            ("options", "-c TimeZone=Asia/Tokyo"),
        ];
        client
            .login_with(3 << 16, &params, &grant.password)
            .await
            .unwrap();
        assert_eq!(client.session().parameters["TimeZone"], "Asia/Tokyo");
    });
}

#[test]
fn tls_is_required_and_binds_the_password() {
    with(tls(), async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut plain = Client::connect(house.gateway).await;
        let params = [("user", "alice"), ("database", "clinic")];
        plain.say(|out| frontend::startup(&params, out)).await;
        assert_eq!(plain.answer().await.sqlstate(), "28000");
        let verified = Tls::Verified {
            ca_pem: house.ca_pem.clone(),
            name: "localhost".to_owned(),
        };
        let mut client = Client::connect_tls(house.gateway, &verified).await;
        client
            .login("alice", &grant.password, "clinic")
            .await
            .unwrap();
        assert_eq!(client.session().mechanism, Some("SCRAM-SHA-256-PLUS"));
        assert_eq!(client.query("SELECT 2").await.ok().value().unwrap(), "2");
        let mut direct = Client::connect_direct_tls(house.gateway, &verified, &["postgresql"])
            .await
            .unwrap();
        direct
            .login("alice", &grant.password, "clinic")
            .await
            .unwrap();
        let mut silent = Client::connect_direct_tls(house.gateway, &verified, &[])
            .await
            .unwrap();
        assert_eq!(
            silent.answer().await.sqlstate(),
            "08P01",
            "ALPN is mandatory"
        );
    });
}

/// libpq's PQcancelBlocking calls a cancellation failed when TLS ends without close_notify.
#[test]
fn a_cancel_request_inside_tls_is_closed_in_order() {
    with(tls(), async |house| {
        let verified = Tls::Verified {
            ca_pem: house.ca_pem.clone(),
            name: "localhost".to_owned(),
        };
        let mut client = Client::connect_tls(house.gateway, &verified).await;
        let nobodys = CancelKey {
            pid: 1,
            secret: vec![0; 4],
        };
        client
            .say(|out| frontend::cancel_request(&nobodys, out))
            .await;
        assert!(client.is_closed_in_order().await);
    });
}

#[test]
fn bytes_before_tls_end_the_connection() {
    with(tls(), async |house| {
        let mut client = Client::connect(house.gateway).await;
        client
            .say(|out| {
                frontend::ssl_request(out);
                frontend::startup(&[("user", "mallory")], out);
            })
            .await;
        let answer = client.answer().await;
        assert_eq!(answer.sqlstate(), "08P01", "CVE-2021-23214");
        assert!(answer.closed());
    });
}

#[test]
fn encryption_is_asked_for_once_each_in_any_order() {
    run(async |house| {
        const GSS: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 48];
        const SSL: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
        let grant = house.grant("limited_dataset", |_| {}).await;
        for order in [[GSS, SSL], [SSL, GSS]] {
            let mut client = Client::connect(house.gateway).await;
            for request in order {
                client.send(&request).await;
                assert_eq!(client.byte().await, Some(b'N'));
            }
            client
                .login("alice", &grant.password, "clinic")
                .await
                .unwrap();
        }
        let mut client = Client::connect(house.gateway).await;
        client.send(&SSL).await;
        assert_eq!(client.byte().await, Some(b'N'));
        client.send(&SSL).await;
        assert_eq!(client.answer().await.sqlstate(), "08P01");
    });
}

#[test]
fn grease_is_negotiated() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = Client::connect(house.gateway).await;
        let params = [
            ("user", "alice"),
            ("database", "clinic"),
            ("_pq_.grease", "1"),
        ];
        client
            .login_with((3 << 16) + 9999, &params, &grant.password)
            .await
            .unwrap();
        let (_, unknown) = client.session().negotiated.clone().unwrap();
        assert_eq!(unknown, ["_pq_.grease"]);
    });
}

#[test]
fn garbage_ends_the_connection_and_nothing_else() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0, 0, 0, 4], &[0xff; 64]] {
            let mut client = Client::connect(house.gateway).await;
            client.send(garbage).await;
            assert!(client.answer().await.closed());
        }
        let mut witness = house.client(&grant).await;
        for frame in [
            &b"!\0\0\0\x04"[..],
            b"Q\0\0\0\x03",
            b"Q\x7f\xff\xff\xff",
            b"B\0\0\0\x04",
        ] {
            let mut client = house.client(&grant).await;
            client.send(frame).await;
            let answer = client.answer().await;
            assert_eq!(answer.sqlstate(), "08P01", "{frame:?}");
            assert!(answer.closed());
        }
        assert_eq!(witness.query("SELECT 3").await.ok().value().unwrap(), "3");
    });
}

#[test]
fn frames_may_come_in_pieces_and_in_heaps() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        let mut out = bytes::BytesMut::new();
        frontend::query("SELECT 'in pieces'", &mut out);
        for byte in &out {
            client.send(&[*byte]).await;
        }
        assert_eq!(client.answer().await.ok().value().unwrap(), "in pieces");
        let mut heap = bytes::BytesMut::new();
        for number in 0..100 {
            frontend::query(&format!("SELECT {number}"), &mut heap);
        }
        heap.put_slice(&out);
        client.send(&heap).await;
        for number in 0..100 {
            assert_eq!(
                client.answer().await.ok().value().unwrap(),
                number.to_string()
            );
        }
        assert_eq!(client.answer().await.ok().value().unwrap(), "in pieces");
        client.say(frontend::terminate).await;
        assert!(client.until(tag::READY_FOR_QUERY).await.closed());
        house.no_backend_left().await;
    });
}
