//! What discovery proposes for the synthetic hospital, and that no value leaves the database.

use std::time::{Duration, Instant};

use phigate_catalog::discover::{Lexicon, Proposal, Sampled, file, propose, sample};
use phigate_catalog::read;
use phigate_phi::{Classification, ColumnName, IdentifierClass as I};
use phigate_testkit::{Cluster, clinic, hospital};

use crate::upstream;

async fn proposals(cluster: &Cluster, rows: u32) -> (Vec<Proposal>, Sampled) {
    let mut connection = upstream(cluster, "clinic").connect().await.unwrap();
    let snapshot = read(&mut connection).await.unwrap();
    let until = Instant::now() + Duration::from_mins(1);
    let sampled = sample(&mut connection, &snapshot, rows, until)
        .await
        .unwrap();
    let lexicon = Lexicon::with("").unwrap();
    (propose(&snapshot, &lexicon, &sampled), sampled)
}

#[tokio::test]
async fn what_the_owner_protects_is_found_and_the_file_reads_back() {
    let cluster = hospital().await;
    let (proposals, sampled) = proposals(&cluster, 200).await;
    assert_eq!(sampled.not_sampled, []);
    let classified = Classification::parse(clinic::CLASSIFICATION, "clinic").unwrap();
    let mut missed = Vec::new();
    let mut protected = 0;
    for proposal in &proposals {
        let name = ColumnName {
            schema: proposal.schema.clone(),
            table: proposal.table.clone(),
            column: proposal.column.clone(),
        };
        let Some(column) = classified.get(&name).filter(|c| c.identifier.is_phi()) else {
            continue;
        };
        protected += 1;
        if !proposal.identifier.is_phi() {
            missed.push(format!(
                "{name}: {} ({})",
                column.identifier, proposal.because
            ));
        }
    }
    assert!(protected > 30, "{protected}");
    assert!(
        missed.len() * 20 <= protected,
        "{} of {protected}: {missed:#?}",
        missed.len()
    );

    let text = file(&proposals);
    let proposed = Classification::parse(&text, "proposed").unwrap();
    assert_eq!(proposed.len(), proposals.len());
    assert!(text.contains("# 0."), "each row says how sure");
}

#[tokio::test]
async fn values_speak_where_names_do_not_and_stay_where_they_are() {
    let cluster = hospital().await;
    for statement in [
        "CREATE TABLE \"o'dd \"\"one\" (a text, b text, c varchar(20), d text, e text, f text)",
        "INSERT INTO \"o'dd \"\"one\" SELECT '900-12-' || (1000 + n), 'x' || n || '@example.org', \
         '(617) 555-01' || lpad((n % 100)::text, 2, '0'), 'Smith', repeat('went home well ', 9), \
         'AB' || (1000000 + n) FROM generate_series(1, 50) AS g (n)",
    ] {
        cluster.execute("clinic", statement).await.unwrap();
    }
    let (proposals, _) = proposals(&cluster, 40).await;
    let odd: Vec<_> = proposals
        .iter()
        .filter(|p| p.table.starts_with("o'dd"))
        .collect();
    let classes: Vec<_> = odd.iter().map(|p| p.identifier).collect();
    assert_eq!(
        classes,
        [I::Ssn, I::Email, I::Phone, I::Name, I::FreeText, I::Mrn],
        "{odd:#?}"
    );
    let said = format!("{proposals:?}");
    for value in ["900-12-", "example.org", "555-01", "Smith", "went home"] {
        assert!(!said.contains(value), "{value}");
    }
}

#[tokio::test]
async fn what_may_not_be_read_is_said() {
    let cluster = hospital().await;
    for statement in [
        "CREATE ROLE nobody LOGIN PASSWORD 'none'",
        "CREATE TABLE closed (last_name text)",
    ] {
        cluster.execute("clinic", statement).await.unwrap();
    }
    let url = cluster.url_as("nobody", "none", "clinic");
    let upstream = phigate_catalog::Upstream::parse(&url).unwrap();
    let mut connection = upstream.connect().await.unwrap();
    let snapshot = read(&mut connection).await.unwrap();
    let until = Instant::now() + Duration::from_mins(1);
    let sampled = sample(&mut connection, &snapshot, 10, until).await.unwrap();
    let closed = sampled
        .not_sampled
        .iter()
        .find(|table| table.table == "public.closed")
        .expect("it cannot be read");
    assert!(closed.why.contains("42501"), "{closed:?}");
    let late = sample(&mut connection, &snapshot, 10, Instant::now())
        .await
        .unwrap();
    assert!(
        late.not_sampled
            .iter()
            .all(|table| table.why.contains("time"))
    );
}
