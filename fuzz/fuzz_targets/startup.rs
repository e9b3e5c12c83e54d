//! The first packet: it never uses more than there is, and `options` never panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use phigate_wire::startup::{FirstPacket, parse_options, read_first};

fuzz_target!(|input: &[u8]| {
    if let Ok(Some((first, used))) = read_first(input) {
        assert!(used <= input.len());
        // What was enough is enough when more follows, and one byte less is not.
        assert_eq!(read_first(&input[..used.max(1)]), Ok(Some((first.clone(), used))));
        if used > 0 {
            assert_eq!(read_first(&input[..used - 1]), Ok(None));
        }
        if let FirstPacket::Startup(startup) = first {
            assert!(!startup.user().is_empty() && !startup.database().is_empty());
            if let Some(options) = startup.get("options") {
                let _ = parse_options(options);
            }
        }
    }
    if let Ok(text) = std::str::from_utf8(input) {
        let _ = parse_options(text);
    }
});
