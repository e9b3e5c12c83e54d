//! What a server sends: the steps do not depend on how the stream was split, and no decoder panics.
//! The first byte says how the stream is split.
#![no_main]

use bytes::{Buf as _, BytesMut};
use libfuzzer_sys::fuzz_target;
use phigate_wire::backend;
use phigate_wire::frame::{BackendWalker, FrameError, HEADER_LEN, Step};

fuzz_target!(|input: &[u8]| {
    let Some((split, stream)) = input.split_first() else { return };
    let whole = walk(stream, stream.len().max(1));
    assert_eq!(walk(stream, usize::from(*split) % 37 + 1), whole);
    assert_eq!(walk(stream, 1), whole);
});

#[derive(Debug, PartialEq)]
enum Seen {
    Stream(usize, u32, u32),
    Frame(u8, usize),
    Error(FrameError),
}

fn walk(stream: &[u8], piece: usize) -> Vec<Seen> {
    let mut walker = BackendWalker::new();
    let mut buf = BytesMut::new();
    let mut seen = Vec::new();
    for piece in stream.chunks(piece) {
        buf.extend_from_slice(piece);
        loop {
            match walker.next(&buf) {
                Ok(Step::Stream { len, rows, copy_rows }) => {
                    buf.advance(len);
                    if let Some(Seen::Stream(l, r, c)) = seen.last_mut() {
                        (*l, *r, *c) = (*l + len, *r + rows, *c + copy_rows);
                    } else {
                        seen.push(Seen::Stream(len, rows, copy_rows));
                    }
                }
                Ok(Step::Frame { tag, len }) => {
                    decode(tag, &buf[HEADER_LEN..len]);
                    buf.advance(len);
                    seen.push(Seen::Frame(tag, len));
                }
                Ok(Step::More { need }) => {
                    assert!(need > 0);
                    break;
                }
                Err(error) => {
                    seen.push(Seen::Error(error));
                    return seen;
                }
            }
        }
    }
    seen
}

fn decode(tag: u8, body: &[u8]) {
    match tag {
        backend::tag::AUTHENTICATION => drop(backend::decode_authentication(body)),
        backend::tag::ROW_DESCRIPTION => drop(backend::decode_row_description(body)),
        backend::tag::PARAMETER_STATUS => drop(backend::decode_parameter_status(body)),
        backend::tag::BACKEND_KEY_DATA => drop(backend::decode_key_data(body)),
        backend::tag::NEGOTIATE_PROTOCOL_VERSION => drop(backend::decode_negotiate(body)),
        backend::tag::COMMAND_COMPLETE => {
            let _ = backend::decode_command_complete(body).map(backend::rows_of);
        }
        backend::tag::READY_FOR_QUERY => {
            let _ = backend::decode_ready(body);
        }
        backend::tag::ERROR | backend::tag::NOTICE => {
            if let Ok(fields) = backend::decode_error(body) {
                let mut again = BytesMut::new();
                fields.encode(&mut again);
                assert_eq!(again[HEADER_LEN..], *body);
            }
        }
        _ => {}
    }
}
