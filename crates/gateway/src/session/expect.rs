//! The expectation queue: what each reply of the server belongs to, in request order. Everything
//! that is injected, swallowed or replaced goes through here and nowhere else.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use phigate_audit::Position;
use phigate_types::PgError;

use super::names::Undo;
use crate::enforce::Plan;

/// One request that was sent, and what its replies are for.
pub(super) enum Expect {
    /// A simple query: replies up to ReadyForQuery.
    Query(Run),
    /// Parse: ParseComplete.
    Parse {
        /// What was permitted; `None` where nothing may run.
        plan: Option<Arc<Plan>>,
        /// What the client gets in place of the server's error.
        refused: Option<Box<PgError>>,
        /// Takes the statement's name back if it fails.
        undo: Undo,
    },
    /// Bind: BindComplete.
    Bind {
        /// Takes the portal's name back if it fails.
        undo: Undo,
    },
    /// A Describe of our own, before rows can flow: the tripwire looks, the client sees nothing.
    Inspect,
    /// Describe of a statement: ParameterDescription, then RowDescription or NoData.
    DescribeStatement,
    /// Describe of a portal: RowDescription or NoData.
    DescribePortal,
    /// Execute: rows, then CommandComplete, EmptyQueryResponse or PortalSuspended.
    Execute(Run),
    /// Close: CloseComplete.
    Close {
        /// Takes the name back if it is skipped.
        undo: Undo,
    },
    /// A question of our own about the temporary schema: everything up to its second CloseComplete
    /// is for us.
    Temporary {
        /// ReadyForQuery follows it.
        synced: bool,
        /// CloseCompletes so far.
        closed: usize,
    },
    /// The ReadyForQuery after a question of our own.
    TemporaryReady,
    /// A function call under passthrough: FunctionCallResponse and ReadyForQuery.
    FunctionCall,
    /// Sync: ReadyForQuery.
    Sync,
    /// The client's CopyDone or CopyFail: no reply of its own.
    CopyEnd,
}

/// A statement, or a string of them, that runs.
pub(super) struct Run {
    /// What was permitted; `None` where nothing may run.
    pub(super) plan: Option<Arc<Plan>>,
    /// What was prepared before and is run by name.
    pub(super) beneath: Vec<Arc<Plan>>,
    /// Its rows have begun to leave: by the locks it holds nothing changes them any more.
    pub(super) begun: bool,
    /// In which form its columns are, as Bind said; kept where rows are counted.
    pub(super) formats: Box<[i16]>,
    /// What the client gets in place of the server's error.
    pub(super) refused: Option<Box<PgError>>,
    /// The numbers of its intents that have no outcome yet.
    pub(super) statements: std::ops::Range<u64>,
    /// How many of its statements are answered.
    pub(super) index: usize,
    /// Its result may go when the log is durable to here.
    pub(super) recorded: Position,
    /// When it was sent.
    pub(super) started: Duration,
}

/// The queue.
#[derive(Default)]
pub(super) struct Expectations {
    queue: VecDeque<Expect>,
    /// The server ignores everything until Sync.
    skipping: bool,
    /// The server is in COPY FROM STDIN under the extended protocol: it ignores Sync and Flush.
    copying_in: bool,
}

impl Expectations {
    /// A request is being sent.
    pub(super) fn push(&mut self, expect: Expect) {
        self.queue.push_back(expect);
    }

    /// What the next reply belongs to.
    pub(super) fn head(&mut self) -> Option<&mut Expect> {
        while let Some(Expect::CopyEnd) = self.queue.front() {
            self.queue.pop_front();
        }
        self.queue.front_mut()
    }

    /// The request at the head is answered.
    pub(super) fn done(&mut self) -> Option<Expect> {
        self.queue.pop_front()
    }

    /// How many replies are outstanding.
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether nothing is outstanding.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether the server runs something, or will.
    pub(super) fn is_busy(&self) -> bool {
        self.queue
            .iter()
            .any(|expect| !matches!(expect, Expect::CopyEnd))
    }

    /// Whether what the client says now is ignored by the server until Sync.
    pub(super) fn skipping(&self) -> bool {
        self.skipping
    }

    /// The client says Sync. False when the server will ignore it.
    pub(super) fn sync(&mut self) -> bool {
        if self.copying_in {
            return false;
        }
        self.skipping = false;
        self.push(Expect::Sync);
        true
    }

    /// The client says CopyDone or CopyFail.
    pub(super) fn copy_end(&mut self) {
        self.copying_in = false;
        if !self.queue.is_empty() {
            self.push(Expect::CopyEnd);
        }
    }

    /// Whether COPY data goes on to the server without replies.
    pub(super) fn copying_in(&self) -> bool {
        self.copying_in
    }

    /// The Execute at the head answered CopyInResponse: the Syncs that the client sent before the
    /// end of its data are ignored by the server (PostgreSQL: CopyGetData in
    /// commands/copyfromparse.c).
    pub(super) fn copy_in_begins(&mut self) {
        let end = self
            .queue
            .iter()
            .position(|expect| matches!(expect, Expect::CopyEnd));
        let upto = end.unwrap_or(self.queue.len());
        let mut index = 0;
        self.queue.retain(|expect| {
            let inside = index < upto;
            index += 1;
            !(inside && matches!(expect, Expect::Sync))
        });
        self.copying_in = end.is_none();
    }

    /// An extended-protocol request failed: the server skips to the next Sync. Returns what it
    /// skips, the failed one first.
    pub(super) fn fail(&mut self) -> Vec<Expect> {
        let sync = self
            .queue
            .iter()
            .position(|expect| matches!(expect, Expect::Sync));
        self.skipping = sync.is_none();
        self.copying_in = false;
        self.queue
            .drain(..sync.unwrap_or(self.queue.len()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(expectations: &Expectations) -> String {
        let letter = |expect: &Expect| match expect {
            Expect::Sync => 'S',
            Expect::Close { .. } => 'C',
            Expect::CopyEnd => 'c',
            Expect::DescribePortal => 'D',
            _ => '?',
        };
        expectations.queue.iter().map(letter).collect()
    }

    #[test]
    fn a_failure_skips_to_the_next_sync_and_no_further() {
        let mut queue = Expectations::default();
        queue.push(Expect::DescribePortal);
        queue.push(Expect::Close {
            undo: Undo::Nothing,
        });
        assert!(queue.sync());
        queue.push(Expect::DescribePortal);
        assert_eq!(queue.fail().len(), 2);
        assert!(!queue.skipping());
        assert_eq!(kinds(&queue), "SD");
        queue.done();
        assert_eq!(queue.fail().len(), 1);
        assert!(queue.skipping(), "the Sync has not been sent yet");
        assert!(queue.sync());
        assert!(!queue.skipping());
    }

    #[test]
    fn syncs_inside_copy_data_are_never_answered() {
        let mut queue = Expectations::default();
        queue.push(Expect::DescribePortal);
        queue.sync();
        queue.copy_in_begins();
        assert_eq!(kinds(&queue), "D");
        assert!(!queue.sync(), "still copying");
        queue.copy_end();
        assert!(queue.sync());
        assert_eq!(kinds(&queue), "DcS");

        let mut queue = Expectations::default();
        queue.push(Expect::DescribePortal);
        queue.sync();
        queue.copy_end();
        queue.sync();
        queue.copy_in_begins();
        assert_eq!(
            kinds(&queue),
            "DcS",
            "the data was sent ahead of the answer"
        );
        assert!(!queue.copying_in());
    }
}
