//! What reaches the client under a grant that masks.

use phigate_wire::frontend::{self, Bind, Target};

use crate::house::run;

#[test]
fn masked_values_never_leave_in_either_protocol() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let ssn = house
            .ask("SELECT ssn FROM patients WHERE ssn IS NOT NULL LIMIT 1")
            .await;
        assert!(!ssn.is_empty());
        let mut client = house.client(&grant).await;
        let all = client.query("SELECT * FROM patients").await.ok();
        assert!(all.rows().len() > 10);
        assert!(!all.contains(ssn.as_bytes()));
        let all = client.extended("SELECT ssn FROM patients", &[]).await.ok();
        assert!(!all.contains(ssn.as_bytes()));
        client
            .say(|out| {
                frontend::parse("s", "SELECT ssn FROM patients WHERE ssn = $1", &[], out);
                frontend::describe(Target::Statement("s"), out);
                let params = vec![Some(ssn.as_bytes())];
                let result_formats = vec![1];
                let bind = Bind {
                    statement: "s",
                    params,
                    result_formats,
                    ..Bind::default()
                };
                frontend::bind(&bind, out);
                frontend::execute("", 0, out);
                frontend::sync(out);
            })
            .await;
        let answer = client.answer().await.ok();
        assert_eq!(answer.tags(), "1tT2CZ", "the predicate sees the mask too");
    });
}

#[test]
fn errors_of_a_masked_session_carry_no_detail_or_table() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        let answer = client.query("SELECT 'x'::text::int FROM patients").await;
        let error = answer.error();
        assert_eq!(error.code().as_str(), "22P02");
        for field in *b"DHPpqWstcdnFLR" {
            assert!(error.get(field).is_none(), "{}", char::from(field));
        }
    });
}

#[test]
fn errors_are_said_of_what_was_typed() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        let typed = "SELECT upper(sex), lower(patient_id) FROM patients";
        let answer = client.query(typed).await;
        let error = answer.error();
        assert_eq!(error.message(), "function lower(integer) does not exist");
        assert_eq!(error.get(b'P'), Some(&b"20"[..]));
        let hint = String::from_utf8_lossy(error.get(b'H').unwrap()).into_owned();
        assert!(hint.contains("explicit type casts"), "{hint}");

        let answer = client
            .query("SELECT sex FROM patients WHERE patient_id = 'x'")
            .await;
        assert_eq!(answer.error().get(b'P'), Some(&b"45"[..]));
        let answer = client
            .query("SELECT sex FROM patients WHERE patient_id + sex = 1")
            .await;
        let error = answer.error();
        let said = "operator does not exist: integer + character";
        assert!(error.message().starts_with(said), "{}", error.message());
        assert_eq!(error.get(b'P'), Some(&b"43"[..]));
        // The extended protocol says it at Parse.
        client
            .say(|out| {
                frontend::parse("", "SELECT sex, min(sex) FROM patients", &[], out);
                frontend::sync(out);
            })
            .await;
        let answer = client.answer().await;
        assert_eq!(answer.error().get(b'P'), Some(&b"8"[..]));
    });
}

#[test]
fn a_blocked_column_is_refused_by_name() {
    run(async |house| {
        let grant = house
            .grant("limited_dataset", |request| {
                request.block = vec!["patients.sex".to_owned()];
            })
            .await;
        let mut client = house.client(&grant).await;
        let answer = client.query("SELECT sex FROM patients").await;
        assert_eq!(answer.sqlstate(), "42501");
        assert!(
            !client
                .query("SELECT * FROM patients")
                .await
                .ok()
                .columns()
                .contains(&"sex".to_owned())
        );
    });
}
