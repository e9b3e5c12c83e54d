//! What a database's classification says, what another file would change, and what a look at names
//! and samples proposes. Nothing here changes anything.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use phigate_catalog::discover::{self, Lexicon, Sampled};
use phigate_catalog::{CatalogError, check};
use phigate_phi::{Classification, ClassifiedColumn, ColumnName, Transform, Unclassified};
use phigate_proto::{parse, v1};
use phigate_sql::Snapshot;
use phigate_types::{DatabaseName, Profile};
use tonic::Status;

use crate::DatabaseSpec;
use crate::catalogs::unknown;
use crate::plane::{Plane, stored};

/// Rows of each table that are looked at where the caller does not say.
const SAMPLE_ROWS: u32 = 200;

/// How long all samples may take; within what a client waits.
const SAMPLE_DEADLINE: Duration = Duration::from_secs(20);

/// Profiles whose transforms a file says.
const PROFILES: [Profile; 3] = [
    Profile::SafeHarbor,
    Profile::LimitedDataset,
    Profile::Expert,
];

/// The columns as the file and the database have them.
pub(crate) async fn show(
    plane: &Plane,
    request: v1::ShowClassificationRequest,
) -> Result<v1::ShowClassificationResponse, Status> {
    let (name, spec) = known(plane, &request.database)?;
    let snapshot = plane.catalogs.snapshot(&name).await?;
    let mut columns: BTreeSet<ColumnName> = existing(&snapshot).collect();
    columns.extend(spec.classification.iter().map(|column| column.name.clone()));
    let shown = columns.iter().map(|column| {
        let found = snapshot
            .find(&column.schema, &column.table)
            .and_then(|relation| relation.column(&column.column));
        let classified = spec.classification.get(column);
        let of =
            |profile| classified.map_or_else(String::new, |classified| classified.word(profile));
        v1::ClassifiedColumn {
            column: column.to_string(),
            r#type: found.map_or_else(String::new, |found| found.ty.name.clone()),
            identifier: classified
                .map(|classified| classified.identifier.to_string())
                .unwrap_or_default(),
            safe_harbor: of(Profile::SafeHarbor),
            limited_dataset: of(Profile::LimitedDataset),
            expert: of(Profile::Expert),
        }
    });
    Ok(v1::ShowClassificationResponse {
        columns: shown.collect(),
        unclassified: spec.unclassified.to_string(),
        findings: findings(&spec.classification, &snapshot),
    })
}

/// What another file would change, column by column and profile by profile.
pub(crate) async fn compare(
    plane: &Plane,
    request: v1::CompareClassificationRequest,
) -> Result<v1::CompareClassificationResponse, Status> {
    let (name, spec) = known(plane, &request.database)?;
    let file = if request.file.is_empty() {
        "the file"
    } else {
        &request.file
    };
    let new = Classification::parse(&request.csv, file)
        .map_err(|error| Status::invalid_argument(format!("csv: {error}")))?;
    let snapshot = plane.catalogs.snapshot(&name).await?;
    let live = stored(plane.store.active_grants().await)?;
    let live = live
        .iter()
        .filter(|stored| stored.grant.terms.database == name)
        .count();
    Ok(v1::CompareClassificationResponse {
        changes: changes(&spec.classification, &new, spec.unclassified),
        findings: findings(&new, &snapshot),
        live_grants: u32::try_from(live).unwrap_or(u32::MAX),
    })
}

/// What names and samples propose.
pub(crate) async fn discover(
    plane: &Plane,
    request: v1::DiscoverClassificationRequest,
) -> Result<v1::DiscoverClassificationResponse, Status> {
    let (name, spec) = known(plane, &request.database)?;
    let lexicon = Lexicon::with(&request.lexicon_csv)
        .map_err(|error| Status::invalid_argument(format!("lexicon_csv: {error}")))?;
    let rows = match request.sample_rows {
        0 => SAMPLE_ROWS,
        rows if rows <= discover::SAMPLE_MAX => rows,
        _ => {
            let most = discover::SAMPLE_MAX;
            return Err(Status::invalid_argument(format!(
                "sample_rows: is at most {most}"
            )));
        }
    };
    let snapshot = plane.catalogs.snapshot(&name).await?;
    let sampled = if request.names_only {
        Sampled::default()
    } else {
        let unavailable =
            |error: CatalogError| Status::unavailable(format!("database {name}: {error}"));
        let upstream = plane.catalogs.upstream(&name)?;
        let mut connection = upstream.connect().await.map_err(unavailable)?;
        let until = Instant::now() + SAMPLE_DEADLINE;
        discover::sample(&mut connection, &snapshot, rows, until)
            .await
            .map_err(unavailable)?
    };
    let proposals = discover::propose(&snapshot, &lexicon, &sampled);
    let columns = proposals.iter().map(|proposal| {
        let of = |profile| {
            let transform = proposal
                .identifier
                .default_transform(profile, proposal.kind);
            transform.to_string()
        };
        let column = ColumnName {
            schema: proposal.schema.clone(),
            table: proposal.table.clone(),
            column: proposal.column.clone(),
        };
        v1::ProposedColumn {
            schema: proposal.schema.clone(),
            table: proposal.table.clone(),
            column: proposal.column.clone(),
            r#type: proposal.pg_type.clone(),
            identifier: proposal.identifier.to_string(),
            safe_harbor: of(Profile::SafeHarbor),
            limited_dataset: of(Profile::LimitedDataset),
            confidence: proposal.confidence,
            because: proposal.because.clone(),
            current: spec
                .classification
                .get(&column)
                .map(|classified| classified.identifier.to_string())
                .unwrap_or_default(),
        }
    });
    let not_sampled = sampled.not_sampled.iter();
    Ok(v1::DiscoverClassificationResponse {
        columns: columns.collect(),
        not_sampled: not_sampled
            .map(|table| format!("{}: {}", table.table, table.why))
            .collect(),
        csv: discover::file(&proposals),
    })
}

fn known(plane: &Plane, name: &str) -> Result<(DatabaseName, Arc<DatabaseSpec>), Status> {
    let name: DatabaseName = parse("database", name)?;
    let spec = plane.databases.get(&name).ok_or_else(|| unknown(&name))?;
    Ok((name, spec))
}

fn findings(classification: &Classification, snapshot: &Snapshot) -> Vec<String> {
    let findings = check(classification, snapshot);
    findings.iter().map(ToString::to_string).collect()
}

/// Every column of a user table.
fn existing(snapshot: &Snapshot) -> impl Iterator<Item = ColumnName> {
    let tables = snapshot.relations().filter(|relation| {
        use phigate_sql::RelationKind as K;
        !relation.is_catalog()
            && relation.parents.is_empty()
            && matches!(
                relation.kind,
                K::Table | K::PartitionedTable | K::MaterializedView | K::ForeignTable
            )
    });
    tables.flat_map(|table| {
        table.columns.iter().map(|column| ColumnName {
            schema: table.schema.clone(),
            table: table.name.clone(),
            column: column.name.clone(),
        })
    })
}

fn changes(
    old: &Classification,
    new: &Classification,
    unclassified: Unclassified,
) -> Vec<v1::ClassificationChange> {
    let names: BTreeSet<&ColumnName> = old.iter().chain(new.iter()).map(|c| &c.name).collect();
    let mut changes = Vec::new();
    for name in names {
        let (before, after) = (old.get(name), new.get(name));
        let mut treated_alike = true;
        for profile in PROFILES {
            let word = |column: Option<&ClassifiedColumn>| {
                column.map_or_else(|| UNCLASSIFIED.to_owned(), |column| column.word(profile))
            };
            let (was, is) = (word(before), word(after));
            if was == is {
                continue;
            }
            treated_alike = false;
            changes.push(v1::ClassificationChange {
                column: name.to_string(),
                profile: profile.to_string(),
                before: was,
                after: is,
                effect: effect(before, after, profile, unclassified).to_owned(),
            });
        }
        let class = |column: Option<&ClassifiedColumn>| column.map(|c| c.identifier);
        if treated_alike && class(before) != class(after) {
            let word = |column| {
                class(column).map_or_else(|| UNCLASSIFIED.to_owned(), |class| class.to_string())
            };
            changes.push(v1::ClassificationChange {
                column: name.to_string(),
                profile: String::new(),
                before: word(before),
                after: word(after),
                effect: "other".to_owned(),
            });
        }
    }
    changes
}

const UNCLASSIFIED: &str = "unclassified";

/// Whether more leaves than before.
fn effect(
    before: Option<&ClassifiedColumn>,
    after: Option<&ClassifiedColumn>,
    profile: Profile,
    unclassified: Unclassified,
) -> &'static str {
    let by_path = |column: Option<&ClassifiedColumn>| {
        let paths = column?.json_paths(profile);
        (!paths.is_empty()).then(|| paths.clone())
    };
    if let (Some(before), Some(after)) = (by_path(before), by_path(after)) {
        return match (after.is_within(&before), before.is_within(&after)) {
            (true, false) => "narrower",
            (false, true) => "wider",
            (true, true) | (false, false) => "other",
        };
    }
    let of = |column: Option<&ClassifiedColumn>| column.map(|c| c.transform(profile));
    let (before, after) = (of(before), of(after));
    // Refused counts as less than a NULL: even the column's being there is not shown.
    let lets_out = |transform: Option<Transform>| match (transform, unclassified) {
        (Some(transform), _) => i16::from(transform.lets_out()),
        (None, Unclassified::Refuse) => -1,
        (None, Unclassified::Mask) => 0,
        (None, Unclassified::Release) => i16::from(Transform::Keep.lets_out()),
    };
    match lets_out(after).cmp(&lets_out(before)) {
        Ordering::Less => "narrower",
        Ordering::Greater => "wider",
        Ordering::Equal => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_told_with_its_effect() {
        let parse = |rows: &str| {
            let header = "table,column,pg_type,identifier,safe_harbor,limited_dataset,expert\n";
            Classification::parse(&format!("{header}{rows}"), "x").unwrap()
        };
        let old = parse(
            "p,ssn,text,ssn,null,null,null\np,zip,text,zip,zip3,keep,zip3\np,d,date,date,year,keep,year\n",
        );
        let new = parse(
            "p,ssn,text,ssn,null,keep,null\np,zip,text,zip,null,keep,zip3\np,mrn,text,mrn,null,null,null\n\
             p,d,date,birth_date,year,keep,year\n",
        );
        let told: Vec<_> = changes(&old, &new, Unclassified::Refuse)
            .into_iter()
            .map(|c| {
                format!(
                    "{} {} {}>{} {}",
                    c.column, c.profile, c.before, c.after, c.effect
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "public.p.d  date>birth_date other",
                "public.p.mrn safe_harbor unclassified>null wider",
                "public.p.mrn limited_dataset unclassified>null wider",
                "public.p.mrn expert unclassified>null wider",
                "public.p.ssn limited_dataset null>keep wider",
                "public.p.zip safe_harbor zip3>null narrower",
            ]
        );
        let gone = changes(&new, &old, Unclassified::Release);
        let mrn: Vec<_> = gone.iter().filter(|c| c.column == "public.p.mrn").collect();
        assert!(mrn.iter().all(|c| c.effect == "wider"), "{mrn:?}");
    }
}
