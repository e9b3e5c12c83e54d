//! Grants are made, looked up and used.

use std::sync::Arc;

use phigate_phi::RowRules;
use phigate_proto::v1;
use phigate_wire::scram::Verifier;
use tonic::Code;

use super::rig::{Rig, id_of, request, within};

const SESSION: &str = "0000000000s1";

#[tokio::test]
async fn each_bad_field_is_named() {
    type Spoil = fn(&mut v1::CreateGrantRequest);
    let cases: &[(&str, Code, Spoil)] = &[
        ("principal", Code::InvalidArgument, |r| {
            r.principal = "a b".into();
        }),
        ("principal", Code::NotFound, |r| {
            r.principal = "mallory".into();
        }),
        ("database", Code::InvalidArgument, |r| r.database.clear()),
        ("database", Code::NotFound, |r| r.database = "other".into()),
        ("profile", Code::InvalidArgument, |r| {
            r.profile = "all".into();
        }),
        ("purpose", Code::InvalidArgument, |r| {
            r.purpose = "FUN".into();
        }),
        ("reason", Code::InvalidArgument, |r| r.reason = "  ".into()),
        ("duration", Code::InvalidArgument, |r| r.duration = None),
        ("reveal", Code::InvalidArgument, |r| {
            r.reveal = vec!["ssn".into()];
        }),
        ("reveal", Code::InvalidArgument, |r| {
            r.reveal = vec!["patients.shoe".into()];
        }),
        ("block", Code::InvalidArgument, |r| {
            r.block = vec!["patients.shoe".into()];
        }),
        ("max_sessions", Code::InvalidArgument, |r| {
            r.max_sessions = 1001;
        }),
        ("project", Code::InvalidArgument, |r| {
            r.project = "a b".into();
        }),
        // An empty list is no grant without a limit.
        ("patients", Code::InvalidArgument, |r| {
            r.patients = Some(v1::PatientList::default());
        }),
        // Inline enforcement has no barrier.
        ("patients", Code::FailedPrecondition, |r| {
            r.patients = Some(v1::PatientList {
                ids: vec!["7".into()],
            });
        }),
        ("sensitivity", Code::InvalidArgument, |r| {
            r.sensitivity = vec!["hiv".into()];
        }),
        ("sensitivity", Code::InvalidArgument, |r| {
            r.sensitivity = vec!["PSY".into()];
        }),
        ("sensitivity", Code::FailedPrecondition, |_| {}),
        ("determination", Code::InvalidArgument, |r| {
            r.determination = "a\0b".into();
        }),
    ];
    let directory = tempfile::tempdir().unwrap();
    let classification = super::rig::CLASSIFICATION;
    let known = |config: &mut phigate_control::ControlConfig| {
        config.principals = Some(vec!["alice".parse().unwrap()]);
        let rules = "[table.patients]\nsensitivity = [{ code = 'HIV', where = 'ssn IS NULL' }]";
        config.databases[0].rows = Arc::new(RowRules::parse(rules, "test").unwrap());
    };
    let rig = Rig::start_in(directory, classification, known).await;
    let mut admin = rig.admin();
    for (field, code, spoil) in cases {
        let mut bad = request();
        spoil(&mut bad);
        let refused = admin.create(bad).await.unwrap_err();
        assert_eq!(refused.code(), *code, "{refused}");
        assert!(
            refused.message().starts_with(&format!("{field}: ")),
            "{refused}"
        );
    }
    let mut with_hiv = request();
    with_hiv.sensitivity = vec!["HIV".into()];
    admin.create(with_hiv).await.unwrap();
}

#[tokio::test]
async fn the_password_proves_itself_and_is_nowhere_else() {
    let rig = Rig::start().await;
    let mut admin = rig.admin();
    let created = admin.create(request()).await.unwrap();
    assert!(
        created.password.len() >= 26 && created.password.bytes().all(|b| b.is_ascii_alphanumeric())
    );
    let mut gateway = rig.gateway("gw-1");
    let mut look_up = async |principal: &str, grant_id: &str| {
        let request = v1::LookUpCredentialsRequest {
            principal: principal.into(),
            database: "clinic".into(),
            grant_id: grant_id.into(),
        };
        within(gateway.look_up_credentials(request))
            .await
            .unwrap()
            .into_inner()
    };
    let known = look_up("alice", "").await;
    let verifier = Verifier::derive(&created.password, &known.salt, known.iterations);
    assert_eq!(known.credentials.len(), 1);
    assert_eq!(known.credentials[0].stored_key, verifier.stored_key);
    assert_eq!(known.credentials[0].server_key, verifier.server_key);
    let unknown = look_up("nobody", "").await;
    assert_eq!(
        (unknown.salt.len(), unknown.iterations),
        (known.salt.len(), known.iterations)
    );
    assert_ne!(unknown.salt, known.salt);
    assert_eq!(
        look_up("nobody", "").await.salt,
        unknown.salt,
        "as stable as a known one's"
    );
    assert!(
        look_up("alice", "no such grant")
            .await
            .credentials
            .is_empty()
    );
    let directory = rig.stop().await;
    for entry in walk(directory.path()) {
        let bytes = std::fs::read(&entry).unwrap();
        let found = bytes
            .windows(created.password.len())
            .any(|w| w == created.password.as_bytes());
        assert!(!found, "{}", entry.display());
    }
}

#[tokio::test]
async fn a_session_opens_on_the_live_grant_and_closes() {
    let rig = Rig::start().await;
    let mut admin = rig.admin();
    let early = admin.create(request()).await.unwrap();
    assert_eq!(early.host, "", "no gateway is attached");
    let mut gateway = rig.attach("gw-1", "i1").await;
    let mut limited = request();
    limited.max_sessions = 1;
    limited.block = vec!["patients.zip".into()];
    let created = admin.create(limited).await.unwrap();
    assert_eq!(
        (created.host.as_str(), created.port),
        ("db.example.org", 6432)
    );
    let opened = gateway.open(SESSION, &created).await.unwrap();
    assert_eq!((opened.epoch, opened.project_key.len()), (1, 32));
    assert!(opened.remaining.unwrap().seconds <= 600 && opened.read_version > 0);
    let full = gateway.open("0000000000s2", &created).await.unwrap_err();
    assert_eq!(full.code(), Code::ResourceExhausted);
    let policy = v1::GetPolicyRequest {
        policy_id: opened.policy_id,
    };
    let policy = gateway
        .client
        .get_policy(policy)
        .await
        .unwrap()
        .into_inner();
    let policy = phigate_phi::EffectivePolicy::try_from(policy).unwrap();
    let zip = phigate_phi::ColumnName::parse("patients.zip").unwrap();
    assert_eq!(policy.rule(&zip).unwrap().treatment.as_str(), "block");
    let close = v1::CloseSessionRequest {
        session_id: SESSION.into(),
        end_reason: "client_left".into(),
        used: None,
    };
    gateway.client.close_session(close.clone()).await.unwrap();
    gateway.client.close_session(close).await.unwrap();
    let get = admin.with_token(v1::GetSessionRequest {
        session_id: SESSION.into(),
    });
    let session = admin
        .sessions
        .get_session(get)
        .await
        .unwrap()
        .into_inner()
        .session
        .unwrap();
    assert_eq!(
        (session.end_reason.as_str(), session.gateway_id.as_str()),
        ("client_left", "gw-1")
    );
    let mut other = rig.attach("gw-2", "i1").await;
    gateway.open("0000000000s3", &created).await.unwrap();
    assert_eq!(
        other
            .open("0000000000s4", &created)
            .await
            .unwrap_err()
            .code(),
        Code::ResourceExhausted
    );
}

#[tokio::test]
async fn only_an_attached_process_opens_sessions() {
    let rig = Rig::start().await;
    let mut admin = rig.admin();
    let created = admin.create(request()).await.unwrap();
    let mut first = rig.attach("gw-1", "i1").await;
    let mut second = rig.attach("gw-1", "i2").await;
    let fenced = first.open(SESSION, &created).await.unwrap_err();
    assert_eq!(fenced.code(), Code::FailedPrecondition);
    let ended = loop {
        match first.next().await {
            Ok(_) => {}
            Err(status) => break status,
        }
    };
    assert_eq!(ended.code(), Code::FailedPrecondition, "{ended}");
    let back = rig.attach_with("gw-1", "i1", 0, &[]).await.err().unwrap();
    assert_eq!(
        back.code(),
        Code::FailedPrecondition,
        "a fenced process does not come back"
    );
    second.open(SESSION, &created).await.unwrap();
}

#[tokio::test]
async fn a_seventeenth_live_grant_is_refused() {
    let rig = Rig::start().await;
    let mut admin = rig.admin();
    let mut last = String::new();
    for _ in 0..16 {
        last = id_of(&admin.create(request()).await.unwrap());
    }
    assert_eq!(
        admin.create(request()).await.unwrap_err().code(),
        Code::ResourceExhausted
    );
    admin.revoke(&last).await;
    admin.create(request()).await.unwrap();
}

fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[tokio::test]
async fn without_a_durable_leaf_there_is_no_grant_and_no_password() {
    use phigate_audit::record::{Action, Record};

    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("audit/control");
    let small = |config: &mut phigate_control::ControlConfig| {
        config.audit.segment_bytes = 16 << 10;
        config.audit.reserve_bytes = 16 << 10;
    };
    let rig = Rig::start_in(directory, super::rig::CLASSIFICATION, small).await;
    // A directory stands where the next segment is made: the log ends before long.
    let spare = log.join("spare");
    let blocked = async {
        while std::fs::create_dir(&spare).is_err() {
            let _ = std::fs::remove_file(&spare);
            tokio::task::yield_now().await;
        }
    };
    within(blocked).await;
    let mut admin = rig.admin();
    let mut given = 0;
    let refused = loop {
        // One principal cannot have so many grants.
        let mut asked = request();
        asked.principal = format!("p{given}");
        match admin.create(asked).await {
            Ok(created) => assert!(!created.password.is_empty()),
            Err(refused) => break refused,
        }
        given += 1;
        assert!(given < 200, "the log must be full by now");
    };
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    let again = admin.create(request()).await.unwrap_err();
    assert_eq!(again.code(), Code::Unavailable, "{again}");
    // Whoever was given a password is in the log.
    let steps = phigate_audit::replay::events(&log, None).unwrap().steps;
    let told = steps.iter().filter(|step| {
        matches!(&step.record, Record::Control(event)
            if matches!(event.action, Action::GrantCreated { .. }))
    });
    assert_eq!(told.count(), given);
    assert!(given > 0);
}

/// With masked views: the list goes to gateways of live grants only, and neither the answer nor the record
/// shows whom it names.
#[tokio::test]
async fn a_cohort_is_given_to_gateways_while_its_grant_lives() {
    let directory = tempfile::tempdir().unwrap();
    let views = |config: &mut phigate_control::ControlConfig| {
        config.databases[0].masked_views = true;
    };
    let rig = Rig::start_in(directory, super::rig::CLASSIFICATION, views).await;
    let mut admin = rig.admin();
    let mut wanted = request();
    let ids: Vec<String> = (0..2500).map(|n| format!("patient-{n:05}")).collect();
    wanted.patients = Some(v1::PatientList { ids: ids.clone() });
    wanted.determination = "det-7".into();
    wanted.budget = Some(v1::Budget {
        rows: Some(10),
        ..v1::Budget::default()
    });
    let created = admin.create(wanted.clone()).await.unwrap();
    let grant = created.grant.clone().unwrap();
    assert_eq!((grant.patients, grant.cohort_id.len()), (2500, 64));
    assert_eq!(grant.determination, "det-7");
    assert_eq!(grant.budget.unwrap().rows, Some(10));

    let mut gateway = rig.attach("g1", "i1").await;
    let opened = gateway.open(SESSION, &created).await.unwrap();
    assert_eq!(opened.cohort_id, grant.cohort_id);
    let mut client = rig.gateway("g1");
    let request = v1::GetCohortRequest {
        cohort_id: opened.cohort_id.clone(),
    };
    let mut parts = client
        .get_cohort(request.clone())
        .await
        .unwrap()
        .into_inner();
    let mut got = Vec::new();
    while let Some(part) = parts.message().await.unwrap() {
        got.extend(part.ids);
    }
    assert_eq!(got, ids);

    // The list is another one under another name, and the same one under the same.
    let again = admin.create(wanted.clone()).await.unwrap();
    assert_eq!(again.grant.unwrap().cohort_id, grant.cohort_id);
    wanted.patients = Some(v1::PatientList {
        ids: ids[1..].to_vec(),
    });
    let other = admin.create(wanted).await.unwrap().grant.unwrap();
    assert_ne!(other.cohort_id, grant.cohort_id);
    let request_other = v1::GetCohortRequest {
        cohort_id: other.cohort_id,
    };
    assert!(client.get_cohort(request_other.clone()).await.is_ok());
    drop(gateway);
    admin.revoke(&other.grant_id).await;
    let gone = client.get_cohort(request_other).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
    assert!(
        client.get_cohort(request).await.is_ok(),
        "another grant has it"
    );
}
