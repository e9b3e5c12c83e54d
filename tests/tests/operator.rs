//! What an operator did wrong is said in words that lead to the mistake.

use std::net::TcpListener;

use phigate::serve::{self, Part};
use phigate_config::Config;
use phigate_testkit::{clinic, hospital, within};
use phigate_tests::House;
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

#[tokio::test]
async fn a_wrong_upstream_password_is_said_without_saying_it() {
    let cluster = hospital().await;
    let url = cluster.url_as("broker", "wrongwrong", "clinic");
    let error = House::default()
        .upstream(url)
        .try_start_on(cluster)
        .await
        .expect_err("it starts");
    let said = format!("{error:#}");
    assert!(
        said.contains("wrong password") && said.contains("28P01"),
        "{said}"
    );
    assert!(said.contains("\"broker\""), "{said}");
    assert!(!said.contains("wrongwrong"), "{said}");
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_named() {
    let cluster = hospital().await;
    let free = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("postgres://broker:secret@{free}/clinic");
    let error = House::default()
        .upstream(url)
        .try_start_on(cluster)
        .await
        .expect_err("it starts");
    let said = format!("{error:#}");
    assert!(said.contains(&free.to_string()), "{said}");
    assert!(!said.contains("secret"), "{said}");
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
