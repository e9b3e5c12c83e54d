//! What an operator and a database give: classification files, and the definitions of views.
#![no_main]

use libfuzzer_sys::fuzz_target;
use phigate_fuzz::World;
use phigate_phi::{Classification, Transform};

fuzz_target!(|text: &str| {
    if let Ok(classification) = Classification::parse(text, "fuzz.csv") {
        assert!(classification.iter().all(|column| classification.get(&column.name).is_some()));
    }
    let definitions: Vec<&str> = text.split('\0').take(3).collect();
    let world = World::new(Transform::Null, &definitions);
    for view in ["v20010", "v20011", "v20012"] {
        let _ = world.analyse(&format!("SELECT a, b FROM {view}"));
    }
});
