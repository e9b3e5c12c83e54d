//! One writing transaction: a state change with its entries in the change log and the outbox.

use std::ops::{Deref, DerefMut};

use phigate_lease::Change;
use phigate_types::{Timestamp, Version};
use sqlx::{Sqlite, Transaction};

use crate::change;
use crate::event::Event;
use crate::store::within;
use crate::{Notice, Sequence, Store, StoreError, outbox};

/// A transaction that ends more than this does not tell of it ahead: it would fill the gateways' queues.
const AHEAD_MAX: usize = 16;

/// A transaction of the writer. Nothing of it remains unless [`Write::commit`] returns.
pub(crate) struct Write {
    store: Store,
    tx: Transaction<'static, Sqlite>,
    now: Timestamp,
    head: Version,
    sequence: Sequence,
    changes: Vec<Change>,
}

impl Store {
    /// Begins to write.
    pub(crate) async fn begin(&self, now: Timestamp) -> Result<Write, StoreError> {
        let mut tx = self.writer().await?;
        let head = change::head(&mut tx).await?;
        let sequence = outbox::last(&mut tx).await?;
        Ok(Write {
            store: self.clone(),
            tx,
            now,
            head,
            sequence,
            changes: Vec::new(),
        })
    }
}

impl Write {
    /// When, as the caller said.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The head of the change log, in this transaction.
    pub(crate) fn head(&self) -> Version {
        self.head
    }

    /// The last event of this transaction, or before it.
    pub(crate) fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// Appends to the change log.
    pub(crate) async fn change(
        &mut self,
        at: impl FnOnce(Version) -> Change,
    ) -> Result<Version, StoreError> {
        self.head = self.head.next();
        let change = at(self.head);
        change::insert(&mut self.tx, &change, self.now).await?;
        self.changes.push(change);
        Ok(self.head)
    }

    /// Fills the change log up to this version, which others have seen: none of them may ever mean
    /// something else.
    pub(crate) async fn burn_to(&mut self, version: Version) -> Result<(), StoreError> {
        while self.head < version {
            self.change(|version| Change::Advance { version }).await?;
        }
        Ok(())
    }

    /// Puts a leaf into the outbox.
    pub(crate) async fn event(&mut self, event: &Event) -> Result<Sequence, StoreError> {
        self.sequence = self.sequence.saturating_add(1);
        outbox::insert(&mut self.tx, self.sequence, self.now, event).await?;
        Ok(self.sequence)
    }

    /// Later events are numbered after this one.
    pub(crate) fn skip_to(&mut self, sequence: Sequence) {
        self.sequence = self.sequence.max(sequence);
    }

    /// Commits: durable when it returns. What ends is told ahead, so that gateways act while the disk
    /// works; the changes themselves once they are committed (rule 8 of `phigate_lease`).
    pub(crate) async fn commit(mut self) -> Result<Sequence, StoreError> {
        outbox::set_last(&mut self.tx, self.sequence).await?;
        let endings: Vec<Notice> = self
            .changes
            .iter()
            .filter_map(|change| change.ending().map(Notice::Ahead))
            .collect();
        if endings.len() <= AHEAD_MAX {
            for ending in &endings {
                self.store.announce(ending);
            }
        }
        within(self.tx.commit()).await??;
        for change in self.changes {
            self.store.announce(&Notice::Changed(change));
        }
        self.store.wake_outbox(self.sequence);
        Ok(self.sequence)
    }
}

impl Deref for Write {
    type Target = Transaction<'static, Sqlite>;

    fn deref(&self) -> &Self::Target {
        &self.tx
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.tx
    }
}
