//! The outbox: audit leaves that were committed with their change and are not known to be
//! durable in the log yet. Drained in order, by one reader.

use phigate_types::Timestamp;
use sqlx::{Row as _, Sqlite, Transaction};

use crate::event::Event;
use crate::store::within;
use crate::{Sequence, Store, StoreError, rows, setting};

/// The number of the last event that was ever put in.
const LAST: &str = "last_event";

/// One leaf to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// Its number.
    pub sequence: Sequence,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

impl Store {
    /// The oldest leaves after this one that are waiting, at most `limit`, in order.
    pub async fn leaves_after(&self, after: Sequence, limit: u32) -> Result<Vec<Leaf>, StoreError> {
        within(async {
            let rows =
                sqlx::query("SELECT sequence, at, event FROM outbox WHERE sequence > ? ORDER BY sequence LIMIT ?")
.bind(rows::signed(after))
                    .bind(limit)
                    .fetch_all(self.readers())
                    .await?;
            rows.iter()
                .map(|row| {
                    let sequence = rows::unsigned(row.try_get("sequence")?);
                    let event = serde_json::from_str(row.try_get("event")?).map_err(|_| {
                        StoreError::Damaged {
                            what: "event",
                            row: format!("outbox {sequence}"),
                        }
                    })?;
                    let at = Timestamp::from_micros(row.try_get("at")?);
                    Ok(Leaf {
                        sequence,
                        at,
                        event,
                    })
                })
                .collect()
        })
        .await?
    }

    /// Every leaf up to this one is durable in the log.
    pub async fn leaves_durable(&self, through: Sequence) -> Result<(), StoreError> {
        within(async {
            let mut tx = self.writer().await?;
            sqlx::query("DELETE FROM outbox WHERE sequence <= ?")
                .bind(rows::signed(through))
                .execute(&mut *tx)
                .await?;
            Ok(tx.commit().await?)
        })
        .await?
    }

    /// The number of the last event that was ever recorded.
    pub async fn last_sequence(&self) -> Result<Sequence, StoreError> {
        last(&mut self.reader().await?).await
    }

    /// Records an event that changes no state.
    pub async fn record(&self, event: &Event, now: Timestamp) -> Result<Sequence, StoreError> {
        within(async {
            let mut write = self.begin(now).await?;
            write.event(event).await?;
            write.commit().await
        })
        .await?
    }
}

pub(crate) async fn last(tx: &mut Transaction<'static, Sqlite>) -> Result<Sequence, StoreError> {
    setting::counter(tx, LAST).await
}

pub(crate) async fn set_last(
    tx: &mut Transaction<'static, Sqlite>,
    sequence: Sequence,
) -> Result<(), StoreError> {
    setting::set_counter(tx, LAST, sequence).await
}

pub(crate) async fn insert(
    tx: &mut Transaction<'static, Sqlite>,
    sequence: Sequence,
    now: Timestamp,
    event: &Event,
) -> Result<(), StoreError> {
    let text = serde_json::to_string(event).map_err(|_| StoreError::Damaged {
        what: "event",
        row: format!("outbox {sequence}"),
    })?;
    sqlx::query("INSERT INTO outbox (sequence, at, event) VALUES (?, ?, ?)")
        .bind(rows::signed(sequence))
        .bind(now.as_micros())
        .bind(text)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
