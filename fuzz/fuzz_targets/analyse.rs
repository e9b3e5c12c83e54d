//! Lower and render: what is rendered is read again as the same; under a mask no statement names the
//! masked column but inside the mask.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use phigate_fuzz::World;
use phigate_phi::Transform;
use phigate_sql::{Permit, StatementKind};

static OPEN: LazyLock<World> = LazyLock::new(|| World::new(Transform::Keep, &[]));
static MASKED: LazyLock<World> = LazyLock::new(|| World::new(Transform::Null, &[]));

fuzz_target!(|text: &str| {
    if let Ok(batch) = OPEN.batch(text) {
        // What SHOW answers is in the gateway's words, not in those of the reader.
        let reader = |permit: &Permit| permit.kind() != StatementKind::Show;
        let rendered = batch.sql();
        // What only PostgreSQL reads, such as prefix operators by their schema, is refused.
        if let (true, Ok(again)) = (batch.permits.iter().all(reader), OPEN.analyse(&rendered)) {
            assert_eq!(rendered, again);
        }
    }
    if let Ok(rendered) = MASKED.analyse(text) {
        // A typed null stands in its place: the base table's own column is never named.
        assert!(!rendered.contains("\"t\".\"secret\" AS"), "{rendered}");
    }
});
