//! `phigate demo`: the real thing on a private PostgreSQL full of synthetic patients.
#![allow(
    clippy::print_stdout,
    reason = "the demo speaks to the person at the terminal"
)]

mod analyst;
mod phictl;
mod stage;
mod story;
mod tour;

use std::process::ExitCode;

use serde_json::Value;

use crate::arguments::DemoOptions;
use stage::Stage;

/// Sets the stage, then plays the tour or waits for Ctrl-C; either way nothing is left behind
/// (but for `--data-dir`, which is kept).
pub(crate) async fn run(options: DemoOptions) -> anyhow::Result<ExitCode> {
    let stage = tokio::select! {
        stage = Stage::set(&options) => stage?,
        () = interrupted() => return Ok(ExitCode::FAILURE),
    };
    let outcome = if options.tour {
        tokio::select! {
            outcome = tour::play(&stage) => outcome.map(|agreed| {
                if agreed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
            }),
            () = interrupted() => Ok(ExitCode::FAILURE),
        }
    } else {
        match invite(&stage).await {
            Ok(()) => {
                interrupted().await;
                phigate_cli::outln!("\ntaking everything down");
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => Err(error),
        }
    };
    stage.strike().await;
    outcome
}

/// Makes a grant and prints lines to paste for the analyst, the admin and the auditor.
async fn invite(stage: &Stage) -> anyhow::Result<()> {
    let grant = stage
        .phictl
        .json(&[
            "grant",
            "create",
            "--principal",
            "alice",
            "--database",
            "clinic",
            "--profile",
            "limited_dataset",
            "--purpose",
            "HRESCH",
            "--reason",
            "trying the demo",
            "--duration",
            "1h",
        ])
        .await?;
    let text = |name: &str| {
        grant
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (id, password) = (text("grant_id"), text("password"));
    let (psql, phictl) = (stage.psql.display(), &stage.phictl);
    let gateway = stage.gateway;
    phigate_cli::outln!(
        "
phigate is up: gateway {gateway}, control plane {control}, data in {data}

The analyst, under a limited data set for one hour (\\d patients; SELECT * FROM patients LIMIT 5;
SELECT count(*) FROM patients WHERE ssn LIKE '9%'; SHOW phigate.masking;):

  PGPASSWORD={password} {psql} \"host={host} port={port} user=alice dbname=clinic sslmode=verify-full sslrootcert={ca}\"

The admin:

  {phictl} grant list
  {phictl} grant revoke {id}
  {phictl} grant create --principal bob --database clinic --profile safe_harbor \\
      --purpose PUBHLTH --reason 'flu report' --duration 30m

The auditor:

  {phictl} session list --all
  {phictl} session replay SESSION
  {phictl} audit verify

Ctrl-C takes everything down.",
        control = stage.control,
        data = stage.data_dir.display(),
        host = gateway.ip(),
        port = gateway.port(),
        ca = stage.ca_file.display(),
    );
    Ok(())
}

async fn interrupted() {
    // Without signals the demo ends when its terminal does.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
