//! Lower and render: what is rendered is read again as the same; under a mask no statement names the
//! masked column but inside the mask.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use phigate_fuzz::World;
use phigate_phi::Transform;

static OPEN: LazyLock<World> = LazyLock::new(|| World::new(Transform::Keep, &[]));
static MASKED: LazyLock<World> = LazyLock::new(|| World::new(Transform::Null, &[]));

fuzz_target!(|text: &str| {
    if let Ok(rendered) = OPEN.analyse(text) {
        // What only PostgreSQL reads, such as prefix operators by their schema, is refused.
        if let Ok(again) = OPEN.analyse(&rendered) {
            assert_eq!(rendered, again);
        }
    }
    if let Ok(rendered) = MASKED.analyse(text) {
        // A typed null stands in its place: the base table's own column is never named.
        assert!(!rendered.contains("\"t\".\"secret\" AS"), "{rendered}");
    }
});
