//! What the control plane's log told of its store, and of the gateways' logs.

use std::collections::BTreeMap;
use std::path::Path;

use phigate_types::{GatewayId, Version};

use super::record;
use crate::batch::{self, Entry};
use crate::chain::Chain;
use crate::error::AuditError;
use crate::leaf::{Fixed, Head};
use crate::record::{Action, Kind, Record};
use crate::scan::{Scan, Step};
use crate::segment::{self, Name};
use crate::walk::{Visit, walk};

/// How far a control plane's log tells of what its store did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told {
    /// The highest number of an event of the outbox; 0 for none.
    pub sequence: u64,
    /// The highest position in the change log.
    pub version: Version,
}

/// Reads from the last segment backwards, to the last event that stands at the head of the change log.
/// Checks nothing that [`crate::Log::open`] checks; bytes that are not a batch end their segment.
pub fn last_told(dir: &Path) -> Result<Told, AuditError> {
    let mut told = Told::default();
    for name in segment::list(dir)?.iter().rev() {
        if in_segment(dir, name, &mut told)? {
            break;
        }
    }
    Ok(told)
}

/// The last head of each gateway's log that a control plane's log notes: that log must contain it.
pub fn noted_heads(dir: &Path) -> Result<BTreeMap<GatewayId, Head>, AuditError> {
    #[derive(Default)]
    struct Heads(BTreeMap<GatewayId, Head>);
    impl Visit for Heads {
        fn leaf(&mut self, _chain: &Chain, entry: &Entry<'_>, fixed: &Fixed) {
            if fixed.kind == Kind::Control
                && let Some(Record::Control(event)) = record(entry, fixed)
                && let Action::GatewayHead { gateway, head } = event.action
                && let Ok(head) = head.parse()
            {
                self.0.insert(gateway, head);
            }
        }
    }
    let mut heads = Heads::default();
    walk(dir, &mut heads)?;
    Ok(heads.0)
}

/// Whether an event was found that nothing before it can surpass.
fn in_segment(dir: &Path, name: &Name, told: &mut Told) -> Result<bool, AuditError> {
    let (mut scan, header) = Scan::open(&name.path(dir))?;
    let Ok(header) = header else { return Ok(false) };
    let (mut next, mut found) = (header.first, false);
    while let Step::Batch {
        header,
        mut entries,
        ..
    } = scan.next(next)?
    {
        next = header.first.saturating_add(header.count.into());
        while let Ok((entry, fixed)) = batch::split_entry(&mut entries) {
            if fixed.kind == Kind::Control
                && let Some(Record::Control(event)) = record(&entry, &fixed)
            {
                told.sequence = told.sequence.max(event.sequence);
                told.version = told.version.max(event.version);
                found |= stands_at_the_head(&event.action);
            }
        }
    }
    Ok(found)
}

/// These name a position that was the head some time before.
fn stands_at_the_head(action: &Action) -> bool {
    !matches!(
        action,
        Action::BarrierPassed { .. } | Action::CallRefused { .. } | Action::GatewayHead { .. }
    )
}
