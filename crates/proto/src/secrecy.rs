//! `Debug` for messages that carry secrets: it shows what identifies them and nothing else.

use std::fmt;

use crate::v1;

macro_rules! debug_without_secrets {
    ($($message:ident { $($shown:ident),* })*) => {
        $(impl fmt::Debug for v1::$message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($message))
                    $(.field(stringify!($shown), &self.$shown))*
                    .finish_non_exhaustive()
            }
        })*
    };
}

debug_without_secrets! {
    CreateGrantRequest { principal, database, profile, purpose, duration, patients, budget }
    CreateGrantResponse { grant, user, host, port }
    Credential { grant_id }
    DrawBudgetRequest { session_id, rows, patients, identifiers, bytes }
    HardenDatabaseRequest { database, tables, profile, policy_ids, grant_ids, slots, apply }
    LookUpCredentialsResponse { iterations, credentials }
    OpenSessionRequest { session_id, grant_id, principal, database, client_address, seen_version }
    PatientList {}
    OpenSessionResponse { epoch, read_version, remaining, profile, purpose, policy_id, write }
    UnhardenDatabaseRequest { database, policy_id, table, apply }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show() {
        let text = format!(
            "{:?} {:?} {:?} {:?}",
            v1::CreateGrantResponse {
                password: "hunter2".into(),
                ..Default::default()
            },
            v1::Credential {
                stored_key: b"hunter2".to_vec(),
                ..Default::default()
            },
            v1::OpenSessionRequest {
                application_name: "hunter2".into(),
                ..Default::default()
            },
            v1::CreateGrantRequest {
                patients: Some(v1::PatientList {
                    ids: vec!["hunter2".into()],
                }),
                ..Default::default()
            },
        );
        assert!(
            !text.contains("hunter2") && !text.contains("104, 117"),
            "{text}"
        );
    }
}
