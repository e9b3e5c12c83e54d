//! The two lexers: whatever the text, they agree or it is refused; white space and a comment around
//! it change nothing.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use phigate_fuzz::World;
use phigate_phi::Transform;

static WORLD: LazyLock<World> = LazyLock::new(|| World::new(Transform::Redact, &[]));

fuzz_target!(|text: &str| {
    let alone = WORLD.analyse(text);
    let spaced = WORLD.analyse(&format!("\n/* a /* b */ */ {text}\n-- c"));
    match (alone, spaced) {
        (Ok(alone), Ok(spaced)) => assert_eq!(alone, spaced),
        (Err(_), Err(_)) => {}
        // What follows may continue a string that a line break ends, and nothing else.
        (alone, spaced) => panic!("{alone:?}\n{spaced:?}"),
    }
});
