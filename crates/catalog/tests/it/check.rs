//! A classification file against a database.

use phigate_phi::{Classification, RowRules};
use phigate_testkit::postgres;

const FILE: &str = "\
table,column,pg_type,identifier,safe_harbor,limited_dataset
patients,id,integer,person_key,pseudonym,keep
patients,born,text,birth_date,year_cap90,keep
patients,photo,text,photo,text_scrub,text_scrub
patients,ssn,text,ssn,null,null
visits,id,integer,record_key,pseudonym,keep
";

#[tokio::test]
async fn what_differs_is_found() {
    let cluster = postgres();
    let sql = "CREATE TABLE patients (id int, born date, photo bytea, email text);
        CREATE TABLE notes (id int); CREATE VIEW v AS SELECT * FROM notes;
        CREATE TABLE parted (id int) PARTITION BY LIST (id);
        CREATE TABLE part PARTITION OF parted DEFAULT";
    cluster.execute("postgres", sql).await.unwrap();
    let mut connection = crate::upstream(&cluster, "postgres")
        .connect()
        .await
        .unwrap();
    let snapshot = phigate_catalog::read(&mut connection).await.unwrap();
    let findings = phigate_catalog::check(&Classification::parse(FILE, "f").unwrap(), &snapshot);
    let texts: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "line 3: public.patients.born is of type pg_catalog.date, not text",
            "line 4: public.patients.photo is of type pg_catalog.bytea, not text",
            "line 4: public.patients.photo is of type pg_catalog.bytea, which cannot be released as text_scrub (safe_harbor)",
            "line 5: public.patients.ssn is not in the database",
            "line 6: public.visits.id is not in the database",
            "no column of public.notes is classified",
            "no column of public.parted is classified",
            "public.patients.email is not classified",
        ]
    );
    assert_eq!(
        findings.iter().filter(|finding| finding.is_error()).count(),
        3
    );
}

#[tokio::test]
async fn row_rules_are_held_against_the_database() {
    let cluster = postgres();
    let sql =
        "CREATE TABLE patients (id int, vip bool); CREATE TABLE visits (id int, patient uuid);
        CREATE TABLE notes (id int, visit int); CREATE TABLE letters (text text)";
    cluster.execute("postgres", sql).await.unwrap();
    let classification = "\
table,column,pg_type,identifier,safe_harbor,limited_dataset
patients,id,integer,person_key,pseudonym,keep
visits,id,integer,record_key,pseudonym,keep
notes,id,integer,record_key,pseudonym,keep
letters,text,text,free_text,text_block,text_block
";
    let rules = "\
[table.visits]
patient = \"patient -> patients(id).id\"
[table.notes]
patient = \"visit -> visits(id).patient\"
[table.nothing]
patient = \"id\"
[table.patients]
sensitivity = [ { code = \"VIP\", where = \"vip::int = 1\" } ]
";
    let mut connection = crate::upstream(&cluster, "postgres")
        .connect()
        .await
        .unwrap();
    let snapshot = phigate_catalog::read(&mut connection).await.unwrap();
    let findings = phigate_catalog::check_rows(
        &Classification::parse(classification, "f").unwrap(),
        &RowRules::parse(rules, "f").unwrap(),
        &snapshot,
    );
    let texts: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "line 5: public.nothing is not in the database",
            "relation public.letters does not say whose its rows are: The grant shows rows by \
             patient, and the relation declares no key path to the patient.",
            "a row rule of relation public.patients cannot be used: its condition is refused: a \
             column can only be cast to text",
            "the key path of relation public.visits compares columns of types pg_catalog.uuid and \
             integer",
        ]
    );
    let errors: Vec<_> = findings
        .iter()
        .map(phigate_catalog::RowFinding::is_error)
        .collect();
    assert_eq!(errors, [true, false, true, true]);
}
