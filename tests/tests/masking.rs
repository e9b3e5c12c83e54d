//! What each profile lets through, against what the database holds.

use std::collections::HashSet;

use phigate_tests::analyst::{Rows, direct};
use phigate_tests::{Analyst, Enforcement, House, Phigate};

const IDENTIFIERS: &str = "SELECT mrn, ssn, first_name, middle_name, last_name, street_address,
    phone, fax, email, health_plan_id, account_number, drivers_license, license_plate, portal_url,
    last_login_ip, photo FROM patients ORDER BY patient_id";

const KEPT_BY_LIMITED: &str = "SELECT patient_id, birth_date, death_date, sex, language, city,
    state, zip, registered_at FROM patients ORDER BY patient_id";

/// The areas of the hospital whose three digits safe harbor withholds.
const RESTRICTED: [&str; 6] = ["036", "059", "556", "692", "821", "878"];

async fn truth(phigate: &Phigate, sql: &str) -> Rows {
    direct(&phigate.cluster.url("clinic"), sql).await
}

fn text(row: &[Option<String>], index: usize) -> &str {
    row[index].as_deref().unwrap_or("NULL")
}

#[tokio::test]
async fn limited_dataset_keeps_dates_places_and_keys_and_no_direct_identifier() {
    let phigate = Phigate::start().await;
    let alice = phigate.grant("alice").connect().await;
    assert_eq!(
        alice.rows(KEPT_BY_LIMITED).await,
        truth(&phigate, KEPT_BY_LIMITED).await
    );
    for row in alice.rows(IDENTIFIERS).await {
        for (index, value) in row.iter().enumerate() {
            let is_name = (2..=4).contains(&index);
            let expected = is_name.then_some("[redacted]");
            assert_eq!(value.as_deref(), expected, "column {index}");
        }
    }
    let notes = alice.rows("SELECT DISTINCT body FROM notes").await;
    assert_eq!(notes, [[Some("[text withheld]".to_owned())]]);
    let claims = "SELECT DISTINCT member_id, claim_number, details - 'lines' FROM claims";
    assert_eq!(
        alice.rows(claims).await,
        [[None, None, Some("{}".to_owned())]]
    );
    let lines =
        "SELECT count(DISTINCT details) > 1, count(*) = count(details -> 'lines') FROM claims";
    let yes = || Some("t".to_owned());
    assert_eq!(alice.rows(lines).await, [[yes(), yes()]]);
}

#[tokio::test]
async fn safe_harbor_generalises_dates_ages_and_zip_codes() {
    let phigate = Phigate::start().await;
    let alice = phigate
        .grant("alice")
        .profile("safe_harbor")
        .connect()
        .await;
    // Every row in the same order on both sides: no key is released to order by.
    let masked = alice
        .rows("SELECT birth_date, zip, state, city, patient_id, sex FROM patients")
        .await;
    let raw = "SELECT birth_date, zip, state, patient_id FROM patients";
    let raw = truth(&phigate, raw).await;
    assert_eq!(masked.len(), raw.len());
    let mut codes = HashSet::new();
    for (masked, raw) in masked.iter().zip(&raw) {
        let (birth, raw_birth) = (text(masked, 0), text(raw, 0));
        assert!(birth.ends_with("-01-01"), "{birth}");
        let (year, raw_year): (i32, i32) =
            (birth[..4].parse().unwrap(), raw_birth[..4].parse().unwrap());
        assert!(
            year == raw_year || year > raw_year && raw_year < 1937,
            "{raw_birth} as {birth}"
        );
        let prefix = &text(raw, 1)[..3];
        let expected = if RESTRICTED.contains(&prefix) {
            "000"
        } else {
            prefix
        };
        assert_eq!(text(masked, 1), expected);
        assert_eq!(text(masked, 2), text(raw, 2));
        assert_eq!(masked[3], None);
        match phigate.enforcement() {
            // No table of codes stands in the database: 45 CFR 164.514(c) leaves nothing to show.
            Enforcement::Inline => assert_eq!(masked[4], None),
            Enforcement::Views => {
                assert_ne!(text(masked, 4), text(raw, 3));
                assert!(codes.insert(text(masked, 4)), "two patients, one code");
            }
        }
    }
    let oldest = alice
        .value("SELECT max(age_at_visit) FROM encounters")
        .await;
    assert_eq!(oldest, "90");
    let days = "SELECT count(*) FROM encounters WHERE extract(doy FROM started_at AT TIME ZONE 'UTC') <> 1";
    assert_eq!(alice.value(days).await, "0");
}

#[tokio::test]
async fn identified_shows_everything() {
    let phigate = Phigate::start().await;
    let alice = phigate.grant("alice").profile("identified").connect().await;
    for sql in [
        IDENTIFIERS,
        KEPT_BY_LIMITED,
        "SELECT body FROM notes ORDER BY note_id",
    ] {
        assert_eq!(alice.rows(sql).await, truth(&phigate, sql).await, "{sql}");
    }
}

#[tokio::test]
async fn a_revealed_column_is_shown_and_no_other() {
    let phigate = Phigate::start().await;
    let alice = phigate
        .grant("alice")
        .reveal("patients.ssn")
        .connect()
        .await;
    let sql = "SELECT ssn FROM patients ORDER BY patient_id";
    assert_eq!(alice.rows(sql).await, truth(&phigate, sql).await);
    assert_eq!(alice.value("SELECT count(mrn) FROM patients").await, "0");
}

#[tokio::test]
async fn a_blocked_column_is_refused_by_name_and_left_out_of_the_star() {
    let phigate = Phigate::start().await;
    let alice = phigate
        .grant("alice")
        .block("patients.birth_date")
        .connect()
        .await;
    for sql in [
        "SELECT birth_date FROM patients",
        "SELECT count(*) FROM patients WHERE birth_date > '2000-01-01'",
        "SELECT patient_id FROM patients ORDER BY birth_date",
        "SELECT count(*) FROM patients JOIN encounters ON birth_date = started_at::date",
    ] {
        let refused = alice.refused(sql).await;
        assert_eq!(refused.code, "42501", "{sql}: {refused}");
        assert!(refused.message.contains("birth_date"), "{sql}: {refused}");
        assert!(!refused.hint.is_empty(), "{sql}: {refused}");
    }
    let statement = alice
        .client
        .prepare("SELECT * FROM patients")
        .await
        .unwrap();
    let names: Vec<&str> = statement
        .columns()
        .iter()
        .map(::tokio_postgres::Column::name)
        .collect();
    assert!(!names.contains(&"birth_date"), "{names:?}");
    assert!(names.contains(&"death_date"), "{names:?}");
}

#[tokio::test]
async fn masked_columns_keep_their_types() {
    let phigate = Phigate::start().await;
    let url = phigate.cluster.url("clinic");
    let (raw, connection) = ::tokio_postgres::connect(&url, ::tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    for profile in ["safe_harbor", "limited_dataset"] {
        let alice = phigate.grant("alice").profile(profile).connect().await;
        for table in [
            "patients",
            "encounters",
            "notes",
            "devices",
            "claims",
            "providers",
        ] {
            let sql = format!("SELECT * FROM {table}");
            let columns = |statement: &::tokio_postgres::Statement| -> Vec<(String, String)> {
                let columns = statement.columns().iter();
                columns
                    .map(|c| (c.name().to_owned(), c.type_().name().to_owned()))
                    .collect()
            };
            let masked = alice.client.prepare(&sql).await.unwrap();
            let unmasked = raw.prepare(&sql).await.unwrap();
            assert_eq!(columns(&masked), columns(&unmasked), "{profile} {table}");
        }
    }
}

#[tokio::test]
async fn predicates_joins_and_groups_see_what_is_released() {
    let phigate = Phigate::start().await;
    let ssn = truth(
        &phigate,
        "SELECT ssn FROM patients WHERE ssn IS NOT NULL LIMIT 1",
    )
    .await;
    let ssn = text(&ssn[0], 0).to_owned();
    let alice = phigate.grant("alice").connect().await;
    for sql in [
        format!("SELECT count(*) FROM patients WHERE ssn = '{ssn}'"),
        format!(
            "SELECT count(*) FROM patients WHERE ssn LIKE '{}%'",
            &ssn[..1]
        ),
        "SELECT count(*) FROM patients WHERE ssn IS NOT NULL".to_owned(),
        format!("SELECT count(*) FROM patients JOIN (VALUES ('{ssn}')) v (ssn) USING (ssn)"),
        "SELECT count(*) FROM (SELECT DISTINCT last_name FROM patients OFFSET 1) AS x".to_owned(),
    ] {
        assert_eq!(alice.value(&sql).await, "0", "{sql}");
    }
}

#[tokio::test]
async fn ordinary_clinical_questions_are_answered_as_without_a_gateway() {
    let phigate = Phigate::start().await;
    let alice = phigate.grant("alice").connect().await;
    for sql in [
        "SELECT date_part('year', started_at)::int AS year, sex, count(*) FROM encounters
         JOIN patients USING (patient_id) GROUP BY 1, 2 ORDER BY 1, 2",
        "SELECT icd10, count(DISTINCT patient_id), round(avg(age_at_visit), 1) FROM conditions
         JOIN encounters USING (encounter_id, patient_id) GROUP BY icd10 HAVING count(*) > 3 ORDER BY 2 DESC, 1",
        "WITH first AS (SELECT patient_id, min(started_at) AS at FROM encounters GROUP BY 1)
         SELECT width_bucket(extract(epoch FROM e.started_at - first.at) / 86400, 0, 3650, 10) AS bucket, count(*)
         FROM encounters e JOIN first USING (patient_id) GROUP BY 1 ORDER BY 1",
        "SELECT loinc, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) FROM observations
         GROUP BY loinc ORDER BY loinc",
        "SELECT patient_id, started_at, lag(started_at) OVER (PARTITION BY patient_id ORDER BY started_at, encounter_id)
         FROM encounters ORDER BY patient_id, started_at, encounter_id LIMIT 50",
        "SELECT d.name, sum(total_charge) FROM encounters JOIN departments d USING (department_id)
         WHERE kind IN ('inpatient', 'emergency') AND ended_at - started_at > interval '2 hours'
         GROUP BY d.name ORDER BY d.name",
        "SELECT p.patient_id FROM patients p WHERE EXISTS (SELECT FROM conditions c WHERE c.patient_id = p.patient_id
         AND c.description ILIKE '%diabetes%') AND NOT EXISTS (SELECT FROM medications m WHERE
         m.patient_id = p.patient_id AND m.description LIKE 'metformin%') ORDER BY 1",
        "SELECT status, count(*), sum(amount)::numeric(12,2) FROM claims GROUP BY status ORDER BY status",
        "SELECT generate_series(date '2020-01-01', date '2020-06-01', interval '1 month')::date",
        "SELECT to_char(started_at, 'YYYY-MM') AS month, count(*) FROM encounters GROUP BY 1 ORDER BY 1 LIMIT 24",
        "SELECT zip, city, state, count(*) FROM patients GROUP BY ROLLUP (state, city, zip) ORDER BY 3, 2, 1",
    ] {
        assert_eq!(alice.rows(sql).await, truth(&phigate, sql).await, "{sql}");
    }
}

const NEW_COLUMN: &str = "ALTER TABLE departments ADD COLUMN secret text DEFAULT 'hush'";

async fn with_new_column(unclassified: &'static str) -> (Phigate, Analyst) {
    let house = House::default().unclassified(unclassified).sql(NEW_COLUMN);
    let phigate = house.start().await;
    let alice = phigate.grant("alice").connect().await;
    (phigate, alice)
}

#[tokio::test]
async fn an_unclassified_column_is_refused_by_default() {
    let (_phigate, alice) = with_new_column("refuse").await;
    let refused = alice.refused("SELECT secret FROM departments").await;
    assert_eq!(refused.code, "42501", "{refused}");
    let rows = alice
        .rows("SELECT * FROM departments ORDER BY department_id")
        .await;
    assert_eq!(rows[0].len(), 3, "{rows:?}");
}

#[tokio::test]
async fn an_unclassified_column_is_masked_or_released_where_that_was_chosen() {
    let (_phigate, alice) = with_new_column("mask").await;
    let rows = alice.rows("SELECT DISTINCT secret FROM departments").await;
    assert_ne!(rows, [[Some("hush".to_owned())]]);
    let (_phigate, alice) = with_new_column("release").await;
    assert_eq!(
        alice.value("SELECT DISTINCT secret FROM departments").await,
        "hush"
    );
}

#[tokio::test]
async fn an_unclassified_table_is_refused() {
    let house = House::default()
        .sql("CREATE TABLE leads AS SELECT ssn FROM patients; GRANT SELECT ON leads TO broker");
    let phigate = house.start().await;
    let alice = phigate.grant("alice").connect().await;
    let refused = alice.refused("SELECT * FROM leads").await;
    assert_eq!(refused.code, "42501", "{refused}");
}

#[tokio::test]
async fn the_session_says_what_it_may_see_and_for_how_long() {
    let phigate = Phigate::start().await;
    let grant = phigate.grant("alice").block("patients.email");
    let mut alice = grant.connect().await;
    let one = async |statement: &str| alice.rows(statement).await[0][0].clone().unwrap();
    let masking = one("SHOW phigate.masking").await;
    assert!(
        masking.starts_with("limited_dataset: ") && masking.ends_with("1 not released"),
        "{masking}"
    );
    assert!(!one("SHOW phigate.expires").await.is_empty());
    assert_eq!(one("SHOW phigate.grant").await.len(), 12);
    assert_eq!(one("SHOW phigate.policy").await.len(), 64);

    let columns = alice.rows("SHOW phigate.columns").await;
    let has = |row: [&str; 4]| {
        columns
            .iter()
            .any(|told| told.iter().flatten().map(String::as_str).eq(row))
    };
    assert!(
        has(["public.patients", "ssn", "null", "ssn"]),
        "{columns:?}"
    );
    assert!(
        has(["public.patients", "email", "block", "email"]),
        "{columns:?}"
    );
    let zip = columns.iter().any(|told| told[1].as_deref() == Some("zip"));
    assert!(!zip, "a column that leaves as it is: {columns:?}");

    let notices = alice.notices();
    let said = notices
        .iter()
        .find(|notice| notice.message().contains("limited_dataset"))
        .expect("a notice at login")
        .message();
    for part in [
        " min ",
        "; null: ",
        "; redact: ",
        "; block: patients.email",
        "more",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(said.len() < 7_000 && !said.contains('\n'), "{said}");
}
