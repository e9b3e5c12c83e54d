//! What an operator did wrong is said in words that lead to the mistake.

use std::net::TcpListener;

use phigate::serve::{self, Part};
use phigate_config::Config;
use phigate_proto::v1::ExplainStatementRequest;
use phigate_testkit::client::Client;
use phigate_testkit::{clinic, eventually, hospital, within};
use phigate_tests::{Enforcement, House, Phigate};
use tokio_util::sync::CancellationToken;

async fn failure(house: House) -> String {
    let cluster = hospital().await;
    let error = house
        .try_start_on(cluster)
        .await
        .expect_err("it starts all the same");
    format!("{error:#}")
}

#[tokio::test]
async fn a_wrong_classification_is_named_by_file_line_and_column() {
    let text = clinic::CLASSIFICATION.replace(
        "patients,ssn,char(11),ssn,null",
        "patients,ssn,char(11),ssn,nil",
    );
    let line = text
        .lines()
        .position(|line| line.contains(",nil,"))
        .unwrap()
        + 1;
    let said = failure(House::default().classification(text)).await;
    assert!(said.contains(&format!("clinic.phi.csv:{line}")), "{said}");
    assert!(
        said.contains("safe_harbor") && said.contains("nil"),
        "{said}"
    );
}

#[tokio::test]
async fn a_classification_that_is_not_there_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("phigate.toml");
    let text = "data_dir = 'state'\n[control]\nlisten = '127.0.0.1:0'\n[gateway]\nlisten = '127.0.0.1:0'\n\
                [[database]]\nname = 'clinic'\nupstream = 'postgres://b:c@127.0.0.1:1/clinic'\ncatalog = 'nowhere.csv'\n";
    std::fs::write(&path, text).unwrap();
    let said = match Config::load(&path) {
        Err(error) => error.to_string(),
        Ok(config) => {
            let start = serve::start(&config, Part::All, CancellationToken::new());
            format!("{:#}", within("start", start).await.unwrap_err())
        }
    };
    assert!(said.contains("nowhere.csv"), "{said}");
}

/// One database that is away is the business of its own users: they hear when to come back, the admin
/// why, and everybody else is served.
#[tokio::test]
async fn a_database_that_is_not_there_keeps_nobody_from_the_others() {
    let free = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let phigate = House::default()
        .more(format!(
            "[[database]]\nname = 'absent'\ncatalog = 'clinic.phi.csv'\n\
             upstream = 'postgres://broker:unspeakable@{free}/clinic'\n"
        ))
        .start()
        .await;
    let alice = phigate.grant("alice").connect().await;
    assert_eq!(alice.rows("SELECT 1").await[0][0].as_deref(), Some("1"));

    let granted = phigate
        .admin
        .create(phigate.grant("bob").on("absent").request().clone())
        .await
        .unwrap();
    let mut bob = Client::connect(phigate.gateway()).await;
    let refused = bob
        .login(&granted.user, &granted.password, "absent")
        .await
        .unwrap_err();
    assert_eq!(refused.code().as_str(), "57P03", "{}", refused.message());
    let fields = b"MDH".iter().filter_map(|key| refused.get(*key));
    let said = String::from_utf8(fields.flatten().copied().collect()).unwrap();
    assert!(said.contains("absent"), "{said}");
    for secret in ["unspeakable", "broker", &free.to_string()] {
        assert!(!said.contains(secret), "{said}");
    }
    let said = why(&phigate, "absent").await;
    assert!(said.contains(&free.to_string()), "{said}");
    assert!(!said.contains("unspeakable"), "{said}");
}

/// It is asked again, without a restart.
#[tokio::test]
async fn a_database_that_comes_back_is_served() {
    // Hardening reads the catalog as the broker, which is what is away here.
    let phigate = House::default()
        .enforcement(Enforcement::Inline)
        .sql("ALTER ROLE broker NOLOGIN")
        .start()
        .await;
    let login = phigate.grant("alice").create().await;
    let refused = login.try_connect().await.unwrap_err();
    assert_eq!(refused.code, "57P03", "{refused}");
    assert!(refused.hint.contains("try again"), "{refused}");
    let said = why(&phigate, "clinic").await;
    assert!(said.contains("28000") && said.contains("broker"), "{said}");
    phigate
        .cluster
        .execute("clinic", "ALTER ROLE broker LOGIN")
        .await
        .unwrap();
    eventually("the gateway finds the database", async || {
        Box::pin(login.try_connect()).await.ok()
    })
    .await;
}

#[tokio::test]
async fn a_wrong_upstream_password_is_said_without_saying_it() {
    let cluster = hospital().await;
    let url = cluster.url_as("broker", "wrongwrong", "clinic");
    let phigate = House::default().upstream(url).start_on(cluster).await;
    let said = why(&phigate, "clinic").await;
    assert!(
        said.contains("wrong password") && said.contains("28P01"),
        "{said}"
    );
    assert!(said.contains("\"broker\""), "{said}");
    assert!(!said.contains("wrongwrong"), "{said}");
}

/// Why a database cannot be read, as the admin is told.
async fn why(phigate: &Phigate, database: &str) -> String {
    let question = ExplainStatementRequest {
        database: database.to_owned(),
        profile: "expert".to_owned(),
        sql: "SELECT 1".to_owned(),
        ..ExplainStatementRequest::default()
    };
    let status = phigate.admin.explain(question).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unavailable, "{status}");
    status.message().to_owned()
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let phigate = House::default().start().await;
    let mut config = phigate.config.clone();
    let other = tempfile::tempdir().unwrap();
    config.data_dir = other.path().join("state");
    config.gateway.listen = phigate.gateway();
    let start = serve::start(&config, Part::All, CancellationToken::new());
    let said = format!("{:#}", within("start", start).await.unwrap_err());
    assert!(said.contains(&phigate.gateway().to_string()), "{said}");
    assert!(said.contains("in use"), "{said}");
}
