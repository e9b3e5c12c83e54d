//! Budgets of patients, whichever way masks are enforced: the keys that leave are counted, raw,
//! pseudonymous or assigned at random.

use phigate_proto::v1::Budget;
use phigate_tests::{Enforcement, Phigate};

#[tokio::test]
async fn patients_are_counted_by_the_keys_that_leave() {
    let phigate = Phigate::start().await;
    let patients = Budget {
        patients: Some(32),
        ..Budget::default()
    };
    let left = "SHOW phigate.budget";
    // The same rows under every profile: ordered by what each keeps.
    let some = "SELECT patient_id, kind FROM encounters ORDER BY total_charge, kind LIMIT 12";
    for profile in ["limited_dataset", "safe_harbor", "expert", "identified"] {
        let grant = phigate.grant("alice").profile(profile).budget(patients);
        let login = grant.create().await;
        let alice = login.connect().await;
        let rows = alice.rows(some).await;
        assert_eq!(rows.len(), 12, "{profile}");
        let mut keys: Vec<_> = rows.iter().map(|row| row[0].clone()).collect();
        keys.sort();
        keys.dedup();
        let hidden = profile == "safe_harbor" && phigate.enforcement() == Enforcement::Inline;
        assert_eq!(keys == [None], hidden, "{profile}");
        // A key that is NULL is somebody's, each time.
        let (once, twice) = if hidden {
            (12, 24)
        } else {
            (keys.len(), keys.len())
        };
        assert!(once > 1, "{profile}");
        let told = |used: usize| format!("patients {} of 32", 32 - used);
        assert_eq!(alice.value(left).await, told(once), "{profile}");
        let bob = login.connect().await;
        assert_eq!(bob.rows(some).await.len(), 12, "{profile}");
        assert_eq!(bob.value(left).await, told(twice), "{profile}");
        let hides = "SELECT string_agg(kind, ',') FROM encounters";
        assert_eq!(bob.refused(hides).await.code, "53400", "{profile}");
        let all = bob.refused("SELECT patient_id FROM patients").await;
        assert_eq!(all.code, "53400", "{profile}");
    }
}
