//! Who gets in, and what the others are told.

use phigate_tests::{Enforcement, House, Login, Phigate};

fn stranger(phigate: &Phigate, user: &str, password: &str) -> Login {
    Login {
        grant_id: String::new(),
        user: user.to_owned(),
        password: password.to_owned(),
        host: phigate.gateway().ip().to_string(),
        port: phigate.gateway().port(),
        ca: None,
    }
}

#[tokio::test]
async fn without_a_grant_there_is_no_session_and_the_hint_says_how_to_get_one() {
    let phigate = Phigate::start().await;
    let refused = stranger(&phigate, "mallory", "guess")
        .try_connect()
        .await
        .unwrap_err();
    assert_eq!(refused.code, "28000", "{refused}");
    assert_eq!(refused.severity, "FATAL");
    assert!(
        refused
            .hint
            .contains("phictl grant create --principal mallory"),
        "{refused}"
    );
    assert!(refused.hint.contains("--database clinic"), "{refused}");
}

#[tokio::test]
async fn the_database_roles_own_password_does_not_open_the_gateway() {
    let phigate = Phigate::start().await;
    let password = phigate.cluster.superuser_password().to_owned();
    for user in ["postgres", "broker"] {
        let refused = stranger(&phigate, user, &password)
            .try_connect()
            .await
            .unwrap_err();
        assert_eq!(refused.code, "28000", "{user}: {refused}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let phigate = Phigate::start().await;
    let alice = phigate.grant("alice").create().await;
    let wrong = Login {
        password: "wrong".to_owned(),
        ..alice.clone()
    };
    let refused = wrong.try_connect().await.unwrap_err();
    assert_eq!(refused.code, "28P01", "{refused}");
    let analyst = alice.connect().await;
    assert_eq!(analyst.value("SELECT 1").await, "1");
}

#[tokio::test]
async fn one_principals_grant_is_not_anothers() {
    let phigate = Phigate::start().await;
    let alice = phigate.grant("alice").create().await;
    let bob = Login {
        user: "bob".to_owned(),
        ..alice
    };
    assert_eq!(bob.try_connect().await.unwrap_err().code, "28000");
}

#[tokio::test]
async fn of_several_grants_the_password_picks_its_own() {
    let phigate = Phigate::start().await;
    let limited = phigate.grant("alice").create().await;
    let safe = phigate.grant("alice").profile("safe_harbor").create().await;
    let profile = "SHOW phigate.grant";
    let (first, second) = (limited.connect().await, safe.connect().await);
    assert!(
        first
            .rows(profile)
            .await
            .concat()
            .concat_text()
            .contains(&limited.grant_id)
    );
    assert!(
        second
            .rows(profile)
            .await
            .concat()
            .concat_text()
            .contains(&safe.grant_id)
    );
}

#[tokio::test]
async fn the_server_sees_the_session_id_before_the_clients_own_name() {
    let phigate = Phigate::start().await;
    let login = phigate.grant("alice").create().await;
    let _analyst = login.connect().await;
    let sessions = phigate.admin.sessions(&login.grant_id).await;
    let [session] = sessions.as_slice() else {
        panic!("{sessions:?}")
    };
    assert_eq!(
        (
            session.principal.as_str(),
            session.application_name.as_str()
        ),
        ("alice", "a test")
    );
    let names = phigate_tests::analyst::direct(
        &phigate.cluster.url("postgres"),
        &format!(
            "SELECT application_name, usename FROM pg_stat_activity
             WHERE application_name LIKE '{}%'",
            session.session_id
        ),
    )
    .await;
    assert_eq!(names.len(), 1);
    assert!(
        names[0][0].as_deref().unwrap().ends_with("a test"),
        "{names:?}"
    );
    let upstream = names[0][1].as_deref().unwrap();
    match phigate.enforcement() {
        Enforcement::Inline => assert_eq!(upstream, "broker"),
        Enforcement::Views => assert!(upstream.starts_with("phigate_s_"), "{upstream}"),
    }
}

#[tokio::test]
async fn the_certificate_authority_vouches_for_the_gateway() {
    let phigate = House::default().tls().start().await;
    let analyst = phigate.grant("alice").connect().await;
    assert_eq!(analyst.value("SELECT count(*) FROM patients").await, "300");
}

#[tokio::test]
async fn where_tls_is_required_plain_text_is_refused() {
    let phigate = House::default().tls().start().await;
    let login = phigate.grant("alice").create().await;
    let plain = Login { ca: None, ..login };
    let refused = plain.try_connect().await.unwrap_err();
    assert_eq!(refused.code, "28000", "{refused}");
    assert!(refused.hint.contains("sslmode=require"), "{refused}");
}

trait ConcatText {
    fn concat_text(self) -> String;
}

impl ConcatText for Vec<Option<String>> {
    fn concat_text(self) -> String {
        self.into_iter().flatten().collect()
    }
}
