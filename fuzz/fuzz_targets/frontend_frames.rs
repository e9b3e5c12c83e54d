//! What a client sends: every frame that is cut is a part of the input, in order, and what is read of
//! a Bind, a Parse or a Query makes the same bytes again.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use phigate_wire::frame::{Frame, FrontendCutter};
use phigate_wire::frontend::{self, Message};

fuzz_target!(|input: &[u8]| {
    for cutter in [FrontendCutter::session(), FrontendCutter::authentication()] {
        let mut buf = BytesMut::from(input);
        let mut used = 0;
        while let Ok(Some(frame)) = cutter.cut(&mut buf) {
            let len = frame.bytes().len();
            assert_eq!(frame.bytes()[..], input[used..used + len]);
            used += len;
            read(&frame);
        }
        assert_eq!(buf[..], input[used..]);
    }
});

fn read(frame: &Frame) {
    let mut again = BytesMut::new();
    match frontend::decode(frame) {
        Ok(Message::Query(sql)) => frontend::query(sql, &mut again),
        Ok(Message::Parse { name, sql, param_types }) => {
            frontend::parse(name, sql, &param_types, &mut again);
        }
        Ok(Message::Bind(bind)) => frontend::bind(&bind, &mut again),
        Ok(Message::Describe(target)) => frontend::describe(target, &mut again),
        Ok(Message::Close(target)) => frontend::close(target, &mut again),
        Ok(Message::Execute { portal, max_rows }) => {
            frontend::execute(portal, max_rows, &mut again);
        }
        Ok(Message::SaslOrPassword(body)) => {
            let _ = frontend::sasl_initial_response(body);
            let _ = frontend::password_message(body);
            return;
        }
        Ok(_) | Err(_) => return,
    }
    assert_eq!(again[..], frame.bytes()[..]);
}
