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
        // What only PostgreSQL reads, such as prefix operators by their schema, is refused. What the gateway
        // says in its own words, the answers of SHOW and guards around arguments, is longer when read again.
        if let Ok(again) = OPEN.analyse(&rendered)
            && again.len() <= rendered.len()
        {
            assert_eq!(rendered, again);
        }
    }
    if let Ok(rendered) = MASKED.analyse(text) {
        // A typed null stands in its place: what reads the base table never names its own column.
        for (at, _from) in rendered.match_indices("FROM \"public\".\"t\" AS \"t\"") {
            let list = rendered[..at].rsplit("SELECT ").next().unwrap_or_default();
            assert!(!list.contains("\"t\".\"secret\""), "{list}: {rendered}");
        }
    }
});
