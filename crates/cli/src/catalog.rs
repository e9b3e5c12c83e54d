//! `phictl catalog`: what is classified, what another file would change, what names and samples
//! propose. Nothing is applied: the file in use is the operator's.

use std::path::Path;

use phigate_proto::v1::catalog_service_client::CatalogServiceClient;
use phigate_proto::v1::{
    ClassificationChange, CompareClassificationRequest, DiscoverClassificationRequest,
    ShowClassificationRequest,
};
use serde::Serialize;

use crate::arguments::{CatalogCommand, Connection};
use crate::connect::{self, Authorised};
use crate::exit::{Exit, Failure};
use crate::output;

pub(crate) async fn run(
    command: CatalogCommand,
    connection: &Connection,
    json: bool,
) -> Result<Exit, Failure> {
    let (channel, token) = connect::connect(connection).await?;
    let mut client = CatalogServiceClient::with_interceptor(channel, token);
    match command {
        CatalogCommand::Show { database } => show(&mut client, database, json).await,
        CatalogCommand::Import { database, file } => {
            compare(&mut client, database, &file, json).await
        }
        CatalogCommand::Discover {
            database,
            lexicon,
            sample,
            names_only,
        } => {
            let lexicon_csv = match &lexicon {
                Some(path) => read(path)?,
                None => String::new(),
            };
            let request = DiscoverClassificationRequest {
                database,
                sample_rows: sample,
                names_only,
                lexicon_csv,
            };
            discover(&mut client, request, json).await
        }
    }
}

#[derive(Serialize)]
struct ShownColumn<'a> {
    column: &'a str,
    r#type: &'a str,
    identifier: &'a str,
    safe_harbor: &'a str,
    limited_dataset: &'a str,
    expert: &'a str,
}

async fn show(
    client: &mut CatalogServiceClient<Authorised>,
    database: String,
    json: bool,
) -> Result<Exit, Failure> {
    let request = ShowClassificationRequest { database };
    let answer = client.show_classification(request).await?.into_inner();
    if json {
        let columns = answer.columns.iter().map(|column| ShownColumn {
            column: &column.column,
            r#type: &column.r#type,
            identifier: &column.identifier,
            safe_harbor: &column.safe_harbor,
            limited_dataset: &column.limited_dataset,
            expert: &column.expert,
        });
        output::json(&serde_json::json!({
            "columns": columns.collect::<Vec<_>>(),
            "unclassified": answer.unclassified,
            "findings": answer.findings,
        }))?;
        return Ok(Exit::OK);
    }
    let header = [
        "column",
        "type",
        "holds",
        "safe_harbor",
        "limited_dataset",
        "expert",
    ];
    let rows = answer.columns.iter().map(|column| {
        vec![
            column.column.clone(),
            column.r#type.clone(),
            column.identifier.clone(),
            column.safe_harbor.clone(),
            column.limited_dataset.clone(),
            column.expert.clone(),
        ]
    });
    output::table(&header, rows);
    eprintln!(
        "columns that are not classified: unclassified = \"{}\"",
        answer.unclassified
    );
    remark(&answer.findings);
    Ok(Exit::OK)
}

#[derive(Serialize)]
struct ShownChange<'a> {
    column: &'a str,
    profile: &'a str,
    before: &'a str,
    after: &'a str,
    effect: &'a str,
}

async fn compare(
    client: &mut CatalogServiceClient<Authorised>,
    database: String,
    file: &Path,
    json: bool,
) -> Result<Exit, Failure> {
    let request = CompareClassificationRequest {
        database,
        csv: read(file)?,
        file: file.display().to_string(),
    };
    let answer = client.compare_classification(request).await?.into_inner();
    if json {
        let changes = answer.changes.iter().map(|change| ShownChange {
            column: &change.column,
            profile: &change.profile,
            before: &change.before,
            after: &change.after,
            effect: &change.effect,
        });
        output::json(&serde_json::json!({
            "changes": changes.collect::<Vec<_>>(),
            "findings": answer.findings,
            "live_grants": answer.live_grants,
        }))?;
        return Ok(Exit::OK);
    }
    if answer.changes.is_empty() {
        outln!("nothing changes");
    } else {
        let row = |change: &ClassificationChange| {
            vec![
                change.effect.clone(),
                change.column.clone(),
                change.profile.clone(),
                change.before.clone(),
                change.after.clone(),
            ]
        };
        let header = ["effect", "column", "profile", "before", "after"];
        output::table(&header, answer.changes.iter().map(row));
        let count = |effect: &str| answer.changes.iter().filter(|c| c.effect == effect).count();
        eprintln!(
            "{} wider, {} narrower, {} otherwise",
            count("wider"),
            count("narrower"),
            count("other")
        );
        eprintln!(
            "nothing was applied: to use the file, name it as the database's `catalog` and start the \
             control plane again; {} live grant(s) will be narrowed or ended where their policy changes",
            answer.live_grants
        );
    }
    remark(&answer.findings);
    Ok(Exit::OK)
}

#[derive(Serialize)]
struct ShownProposal<'a> {
    schema: &'a str,
    table: &'a str,
    column: &'a str,
    r#type: &'a str,
    identifier: &'a str,
    safe_harbor: &'a str,
    limited_dataset: &'a str,
    confidence: f64,
    because: &'a str,
    current: &'a str,
}

async fn discover(
    client: &mut CatalogServiceClient<Authorised>,
    request: DiscoverClassificationRequest,
    json: bool,
) -> Result<Exit, Failure> {
    let answer = client.discover_classification(request).await?.into_inner();
    if json {
        let columns = answer.columns.iter().map(|column| ShownProposal {
            schema: &column.schema,
            table: &column.table,
            column: &column.column,
            r#type: &column.r#type,
            identifier: &column.identifier,
            safe_harbor: &column.safe_harbor,
            limited_dataset: &column.limited_dataset,
            confidence: column.confidence,
            because: &column.because,
            current: &column.current,
        });
        output::json(&serde_json::json!({
            "columns": columns.collect::<Vec<_>>(),
            "not_sampled": answer.not_sampled,
        }))?;
        return Ok(Exit::OK);
    }
    out!("{}", answer.csv);
    let unsure = answer.columns.iter().filter(|c| c.confidence < 0.5).count();
    let differs = answer
        .columns
        .iter()
        .filter(|column| !column.current.is_empty() && column.current != column.identifier)
        .count();
    eprintln!(
        "{} columns proposed, {unsure} of them guesses; {differs} differ from the file in use",
        answer.columns.len()
    );
    for table in &answer.not_sampled {
        eprintln!("not sampled: {table}");
    }
    Ok(Exit::OK)
}

fn remark(findings: &[String]) {
    for finding in findings {
        eprintln!("remark: {finding}");
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        Failure::new(
            Exit::NOT_FOUND,
            format!("cannot read {}: {error}", path.display()),
        )
    })
}
