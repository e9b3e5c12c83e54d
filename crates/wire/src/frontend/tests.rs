use bytes::{Bytes, BytesMut};
use phigate_types::{PgError, Severity, SqlState};
use proptest::prelude::*;

use super::*;

fn frame(tag: u8, body: &[u8]) -> Frame {
    let len = (body.len() as u32 + 4).to_be_bytes();
    Frame::from_bytes(Bytes::from([&[tag], &len[..], body].concat())).unwrap()
}

fn encoded(encode: impl FnOnce(&mut BytesMut)) -> Frame {
    let mut out = BytesMut::new();
    encode(&mut out);
    Frame::from_bytes(out.freeze()).unwrap()
}

#[test]
fn what_is_encoded_is_decoded() {
    let both = |encode: &dyn Fn(&mut BytesMut), expected: Message<'_>| {
        assert_eq!(decode(&encoded(encode)), Ok(expected));
    };
    both(&|out| query("select 1", out), Message::Query("select 1"));
    both(
        &|out| parse("s", "select $1", &[23, 0], out),
        Message::Parse {
            name: "s",
            sql: "select $1",
            param_types: vec![23, 0],
        },
    );
    let values = Bind {
        portal: "p",
        statement: "s",
        param_formats: vec![1],
        params: vec![None, Some(b""), Some(b"\0\xff")],
        result_formats: vec![0, 1],
    };
    both(&|out| bind(&values, out), Message::Bind(values.clone()));
    both(
        &|out| describe(Target::Portal(""), out),
        Message::Describe(Target::Portal("")),
    );
    both(
        &|out| execute("p", 5, out),
        Message::Execute {
            portal: "p",
            max_rows: 5,
        },
    );
    both(
        &|out| close(Target::Statement("s"), out),
        Message::Close(Target::Statement("s")),
    );
    both(&|out| sync(out), Message::Sync);
    both(&|out| flush(out), Message::Flush);
    both(&|out| terminate(out), Message::Terminate);
    both(
        &|out| copy_data(b"1\t2\n", out),
        Message::CopyData(b"1\t2\n"),
    );
    both(&|out| copy_done(out), Message::CopyDone);
    both(&|out| copy_fail("no", out), Message::CopyFail("no"));
}

#[test]
fn passwords_and_sasl() {
    let body = |frame: &Frame| match decode(frame) {
        Ok(Message::SaslOrPassword(body)) => body.to_vec(),
        other => panic!("{other:?}"),
    };
    let initial = body(&encoded(|out| {
        sasl_initial("SCRAM-SHA-256", b"n,,n=,r=x", out);
    }));
    assert_eq!(
        sasl_initial_response(&initial),
        Ok(("SCRAM-SHA-256", Some(&b"n,,n=,r=x"[..])))
    );
    assert_eq!(
        sasl_initial_response(b"M\0\xff\xff\xff\xff"),
        Ok(("M", None))
    );
    assert_eq!(
        sasl_initial_response(b"M\0\0\0\0\x01"),
        Err(DecodeError::Short)
    );
    assert_eq!(
        sasl_initial_response(b"M\0\0\0\0\x01xy"),
        Err(DecodeError::Leftover(1))
    );
    assert!(sasl_initial_response(b"M\0\xff\xff\xff\xfe").is_err());
    assert_eq!(
        password_message(&body(&encoded(|out| password("geheim", out)))),
        Ok("geheim")
    );
    assert_eq!(password_message(b"geheim"), Err(DecodeError::Unterminated));
    assert_eq!(
        body(&encoded(|out| sasl_response(b"c=biws", out))),
        b"c=biws"
    );
}

/// pgwire took the next frame's first byte for the NUL that is missing here.
#[test]
fn a_query_without_its_nul_does_not_read_on() {
    assert_eq!(
        decode(&frame(b'Q', b"select 1")),
        Err(DecodeError::Unterminated)
    );
}

/// pgwire let a Bind value run into the next message.
#[test]
fn a_bind_value_longer_than_the_frame_does_not_read_on() {
    let body = b"\0\0\0\0\0\x01\0\0\0\x09abc";
    assert_eq!(decode(&frame(b'B', body)), Err(DecodeError::Short));
    let negative = b"\0\0\0\0\0\x01\xff\xff\xff\xfe\0\0";
    assert_eq!(
        decode(&frame(b'B', negative)),
        Err(DecodeError::Value("a value's length"))
    );
}

#[test]
fn what_is_left_over_is_an_error() {
    for (tag, body) in [
        (b'Q', &b"select 1\0select 2\0"[..]),
        (b'Q', b"select 1\0\0"),
        (b'P', b"\0select 1\0\0\0x"),
        (b'B', b"\0\0\0\0\0\0\0\0x"),
        (b'D', b"S\0x"),
        (b'E', b"\0\0\0\0\0x"),
        (b'S', b"x"),
        (b'H', b"x"),
        (b'X', b"x"),
        (b'c', b"x"),
        (b'f', b"no\0x"),
    ] {
        let frame = frame(tag, body);
        let decoded = decode(&frame);
        assert!(
            matches!(decoded, Err(DecodeError::Leftover(_))),
            "{tag}: {decoded:?}"
        );
    }
}

/// pgwire panicked on each of these.
#[test]
fn short_frames_are_errors() {
    for tag in *b"QPBDECf" {
        assert!(decode(&frame(tag, b"")).is_err(), "{tag}");
        assert!(
            decode(&frame(tag, b"\0")).is_err() || tag == b'Q' || tag == b'f',
            "{tag}"
        );
    }
    assert_eq!(decode(&frame(b'Q', b"\0")), Ok(Message::Query("")));
    assert!(decode(&frame(b'D', b"X\0")).is_err());
    assert_eq!(decode(&frame(b'F', b"")), Ok(Message::FunctionCall));
    assert_eq!(
        decode(&frame(b'!', b"")),
        Err(DecodeError::UnknownTag(b'!'))
    );
}

#[test]
fn a_count_is_not_believed() {
    assert_eq!(
        decode(&frame(b'P', b"\0\0\xff\xff")),
        Err(DecodeError::Short)
    );
    assert_eq!(
        decode(&frame(b'B', b"\0\0\xff\xff")),
        Err(DecodeError::Short)
    );
}

#[test]
fn text_that_is_not_utf8_fails_the_statement_only() {
    let error = decode(&frame(b'Q', b"select '\xe9'\0")).unwrap_err();
    assert_eq!(error, DecodeError::NotUtf8);
    let error = PgError::from(error);
    assert_eq!(error.code, SqlState::CHARACTER_NOT_IN_REPERTOIRE);
    assert_eq!(error.severity, Severity::Error);
    assert_eq!(decode(&frame(b'D', b"S\xff\0")), Err(DecodeError::NotUtf8));
}

/// A NUL in a text of ours must not begin a message of somebody else's.
#[test]
fn an_encoded_text_ends_at_its_nul() {
    let frame = encoded(|out| query("select 1\0X\0\0\0\x04", out));
    assert_eq!(decode(&frame), Ok(Message::Query("select 1")));
}

proptest! {
    #[test]
    fn no_frame_panics(
        tag in prop::sample::select(&b"BCDEFHPQSXcdfp"[..]),
        body in prop::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 0..120),
    ) {
        let frame = frame(tag, &body);
        if let Ok(Message::Bind(read)) = decode(&frame) {
            // Every byte was read, so what was read makes the same bytes again.
            prop_assert_eq!(encoded(|out| bind(&read, out)), frame);
        }
        let _ = sasl_initial_response(&body);
        let _ = password_message(&body);
    }

    #[test]
    fn binds_survive(
        portal in "[a-z]{0,8}",
        statement in "[a-z]{0,8}",
        params in prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 0..40)), 0..20),
        formats in prop::collection::vec(0..2i16, 0..20),
    ) {
        let sent = Bind {
            portal: &portal,
            statement: &statement,
            param_formats: formats.clone(),
            params: params.iter().map(|value| value.as_deref()).collect(),
            result_formats: formats,
        };
        let frame = encoded(|out| bind(&sent, out));
        prop_assert_eq!(decode(&frame), Ok(Message::Bind(sent)));
    }
}
