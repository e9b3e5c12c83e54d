//! A client's SCRAM messages: nobody gets in without the proof, and nothing panics. The first byte
//! chooses the mechanism; the messages are separated by a NUL, which neither may hold.
#![no_main]

use libfuzzer_sys::fuzz_target;
use phigate_wire::scram::{Client, SHA_256, SHA_256_PLUS, Server};

fuzz_target!(|input: &[u8]| {
    let Some((choice, messages)) = input.split_first() else { return };
    let mut messages = messages.splitn(2, |byte| *byte == 0);
    let (first, second) = (messages.next().unwrap_or(&[]), messages.next().unwrap_or(&[]));
    let binding = (choice & 1 == 1).then(|| b"a certificate's hash".to_vec());
    let mechanism = if choice & 2 == 2 { SHA_256_PLUS } else { SHA_256 };
    let mut server = Server::new(*b"0123456789abcdef", 1, binding, [7; 18]);
    if server.first(mechanism, first).is_ok() {
        assert!(server.finish(second, &[([1; 32], [2; 32])]).is_err());
    }
    let mut client = Client::new("password", [7; 18]);
    // A server may ask for millions of iterations; that is slow, not a finding.
    if !first.windows(5).any(|five| five.iter().all(u8::is_ascii_digit)) {
        let _ = client.respond(first);
        assert!(client.verify(second).is_err());
    }
});
