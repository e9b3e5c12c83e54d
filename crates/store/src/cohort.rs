//! Patient lists. The file they are in has mode 0600; a list is there as long as a live grant has it.

use phigate_grant::PatientList;
use phigate_types::Timestamp;

use crate::store::within;
use crate::write::Write;
use crate::{Store, StoreError};

impl Store {
    /// The patients of a cohort; `None` unless a grant that is live at `now` has it.
    pub async fn cohort(
        &self,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<PatientList>, StoreError> {
        within(async {
            let body = sqlx::query_scalar(
                "SELECT body FROM cohort WHERE id = ?1 AND EXISTS
                 (SELECT 1 FROM grants WHERE cohort = ?1 AND state = 'active' AND expires_at > ?2)",
            )
            .bind(id)
            .bind(now.as_micros());
            let body: Option<Vec<u8>> = body.fetch_optional(self.readers()).await?;
            body.map(|body| read(&body, id)).transpose()
        })
        .await?
    }
}

fn read(body: &[u8], id: &str) -> Result<PatientList, StoreError> {
    let damaged = || StoreError::Damaged {
        what: "body",
        row: format!("cohort {id}"),
    };
    let lines = std::str::from_utf8(body).map_err(|_| damaged())?;
    PatientList::from_lines(lines).map_err(|_| damaged())
}

pub(crate) async fn ensure(
    write: &mut Write,
    id: &str,
    patients: &PatientList,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO cohort (id, body) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(id)
        .bind(patients.to_lines().into_bytes())
        .execute(&mut ***write)
        .await?;
    Ok(())
}

/// Lists that no live grant has any more.
pub(crate) async fn delete_unused(write: &mut Write) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM cohort WHERE id NOT IN
         (SELECT cohort FROM grants WHERE state = 'active' AND cohort IS NOT NULL)",
    )
    .execute(&mut ***write)
    .await?;
    Ok(())
}
