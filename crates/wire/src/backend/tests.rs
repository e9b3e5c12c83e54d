use bytes::{BufMut, Bytes, BytesMut};
use pgwire::messages::{DecodeContext, PgWireBackendMessage, ProtocolVersion};
use phigate_types::{PgError, Severity, SqlState};
use proptest::prelude::*;

use super::*;
use crate::DecodeError;
use crate::frame::Frame;
use crate::startup::CancelKey;

fn encoded(encode: impl FnOnce(&mut BytesMut)) -> Frame {
    let mut out = BytesMut::new();
    encode(&mut out);
    Frame::from_bytes(out.freeze()).unwrap()
}

/// pgwire's reading of a frame, for what has no decoder here.
fn read_by_pgwire(frame: &Frame) -> PgWireBackendMessage {
    let context = DecodeContext::new(ProtocolVersion::PROTOCOL3_2);
    let mut buf = BytesMut::from(&frame.bytes()[..]);
    let message = PgWireBackendMessage::decode(&mut buf, &context)
        .unwrap()
        .unwrap();
    assert!(buf.is_empty());
    message
}

#[test]
fn the_bytes_of_small_messages() {
    let bytes = |encode: fn(&mut BytesMut)| encoded(encode).into_bytes();
    assert_eq!(bytes(authentication_ok), &b"R\0\0\0\x08\0\0\0\0"[..]);
    assert_eq!(
        bytes(authentication_cleartext),
        &b"R\0\0\0\x08\0\0\0\x03"[..]
    );
    assert_eq!(bytes(parse_complete), &b"1\0\0\0\x04"[..]);
    assert_eq!(bytes(bind_complete), &b"2\0\0\0\x04"[..]);
    assert_eq!(bytes(close_complete), &b"3\0\0\0\x04"[..]);
    assert_eq!(bytes(no_data), &b"n\0\0\0\x04"[..]);
    assert_eq!(bytes(empty_query), &b"I\0\0\0\x04"[..]);
    assert_eq!(bytes(portal_suspended), &b"s\0\0\0\x04"[..]);
    assert_eq!(
        encoded(|out| authentication_sasl(&["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"], out)).body(),
        b"\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"
    );
    assert_eq!(
        encoded(|out| data_row_text(&[Some("a"), None], out)).body(),
        b"\0\x02\0\0\0\x01a\xff\xff\xff\xff"
    );
}

#[test]
fn what_is_encoded_is_decoded() {
    for status in [
        TransactionStatus::Idle,
        TransactionStatus::InTransaction,
        TransactionStatus::Failed,
    ] {
        assert_eq!(
            decode_ready(encoded(|out| ready_for_query(status, out)).body()),
            Ok(status)
        );
        assert_eq!(TransactionStatus::from_byte(status.as_byte()), Some(status));
    }
    let status = encoded(|out| parameter_status("client_encoding", "UTF8", out));
    assert_eq!(
        decode_parameter_status(status.body()),
        Ok(("client_encoding".into(), "UTF8".into()))
    );
    for len in [4, 32, 256] {
        let key = CancelKey {
            pid: 42,
            secret: vec![7; len],
        };
        assert_eq!(
            decode_key_data(encoded(|out| backend_key_data(&key, out)).body()),
            Ok(key)
        );
    }
    let done = encoded(|out| command_complete("SELECT 3", out));
    assert_eq!(decode_command_complete(done.body()), Ok("SELECT 3"));
    let unknown = ["_pq_.a".to_owned(), "_pq_.b".to_owned()];
    let negotiate = encoded(|out| negotiate_protocol_version(2, &unknown, out));
    assert_eq!(
        decode_negotiate(negotiate.body()),
        Ok((3 << 16 | 2, unknown.to_vec()))
    );
    let sasl = encoded(|out| authentication_sasl(&["SCRAM-SHA-256"], out));
    let expected = Authentication::Sasl(vec!["SCRAM-SHA-256".to_owned()]);
    assert_eq!(decode_authentication(sasl.body()), Ok(expected));
    let challenge = encoded(|out| authentication_sasl_continue(b"r=x", out));
    let expected = Authentication::SaslContinue(b"r=x".to_vec());
    assert_eq!(decode_authentication(challenge.body()), Ok(expected));
    let last = encoded(|out| authentication_sasl_final(b"v=x", out));
    let expected = Authentication::SaslFinal(b"v=x".to_vec());
    assert_eq!(decode_authentication(last.body()), Ok(expected));
}

#[test]
fn an_error_has_its_fields_in_order() {
    let refusal = PgError::error(SqlState::INSUFFICIENT_PRIVILEGE, "column ssn is blocked")
        .with_detail("d")
        .with_hint("h")
        .at(Some(8));
    let frame = encoded(|out| error(&refusal, out));
    assert_eq!(frame.tag(), b'E');
    let expected = &b"SERROR\0VERROR\0C42501\0Mcolumn ssn is blocked\0Dd\0Hh\0P8\0\0"[..];
    assert_eq!(frame.body(), expected);
    let fields = decode_error(frame.body()).unwrap();
    assert_eq!(fields.severity(), "ERROR");
    assert_eq!(fields.code(), SqlState::INSUFFICIENT_PRIVILEGE);
    assert_eq!(fields.message(), "column ssn is blocked");
    assert_eq!(fields.position(), Some(8));
    assert!(!fields.is_fatal());
    assert_eq!(
        encoded(|out| notice(&PgError::notice("hello"), out)).tag(),
        b'N'
    );
    assert_eq!(PgError::notice("x").severity, Severity::Notice);
}

#[test]
fn fields_are_dropped_changed_and_sent_on() {
    let body = b"SFATAL\0VFATAL\0C22P02\0Minvalid: \"123-45-6789\"\0DFailing row\0Wwhere\0P12\0\0";
    let mut fields = decode_error(body).unwrap();
    assert!(fields.is_fatal());
    assert_eq!(format!("{fields:?}"), "ErrorFields(FATAL 22P02)");
    let same = encoded(|out| fields.encode(out));
    assert_eq!(same.body(), body);
    fields.retain(|key| !matches!(key, field::DETAIL | field::WHERE));
    fields.set(field::MESSAGE, "invalid input\0Dsmuggled");
    fields.set(field::HINT, "new");
    let scrubbed = encoded(|out| fields.encode(out));
    assert_eq!(
        scrubbed.body(),
        b"SFATAL\0VFATAL\0C22P02\0Minvalid input\0P12\0Hnew\0\0"
    );
    assert_eq!(encoded(|out| fields.encode_notice(out)).tag(), b'N');
    assert_eq!(
        decode_error(b"C!\0\0").unwrap().code(),
        SqlState::INTERNAL_ERROR
    );
}

#[test]
fn error_bytes_that_are_not_utf8_survive() {
    let body = b"C22P02\0Mbad \xe9\0\0";
    let fields = decode_error(body).unwrap();
    assert_eq!(fields.get(field::MESSAGE), Some(&b"bad \xe9"[..]));
    assert_eq!(encoded(|out| fields.encode(out)).body(), body);
}

#[test]
fn rows_described_by_us_and_by_postgresql() {
    let frame = encoded(|out| row_description_text(&["grant", "expires"], out));
    let fields = decode_row_description(frame.body()).unwrap();
    let names: Vec<_> = fields.iter().map(|field| field.name).collect();
    assert_eq!(names, [&b"grant"[..], b"expires"]);
    assert!(
        fields
            .iter()
            .all(|f| f.table_oid == 0 && f.column == 0 && f.type_oid == 25)
    );

    let mut body = BytesMut::from(&b"\0\x01ssn\0"[..]);
    body.put_u32(0x8000_0001);
    body.put_i16(3);
    body.put_u32(1043);
    body.put_i16(-1);
    body.put_i32(24);
    body.put_i16(1);
    let expected = RowField {
        name: b"ssn",
        table_oid: 0x8000_0001,
        column: 3,
        type_oid: 1043,
        type_len: -1,
        typmod: 24,
        format: 1,
    };
    assert_eq!(decode_row_description(&body), Ok(vec![expected]));
    assert_eq!(decode_row_description(b"\0\0"), Ok(vec![]));
    body.put_u8(0);
    assert_eq!(decode_row_description(&body), Err(DecodeError::Leftover(1)));
}

#[test]
fn sixteen_hundred_columns() {
    let names: Vec<String> = (0..1600).map(|n| format!("c{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let frame = encoded(|out| row_description_text(&names, out));
    assert_eq!(decode_row_description(frame.body()).unwrap().len(), 1600);
}

#[test]
fn authentication_that_is_not_spoken() {
    for (body, code) in [
        (&b"\0\0\0\x07"[..], 7),
        (b"\0\0\0\x09", 9),
        (b"\0\0\0\x02", 2),
    ] {
        assert_eq!(
            decode_authentication(body),
            Ok(Authentication::Unsupported(code))
        );
    }
    let md5 = decode_authentication(b"\0\0\0\x05abcd");
    assert_eq!(md5, Ok(Authentication::Md5(*b"abcd")));
    assert!(decode_authentication(b"\0\0\0\x05abc").is_err());
    assert!(decode_authentication(b"\0\0\0\0x").is_err());
    assert!(decode_authentication(b"\0\0\0\x0aSCRAM").is_err());
}

#[test]
fn rows_in_a_command_tag() {
    for (tag, rows) in [
        ("SELECT 3", Some(3)),
        ("INSERT 0 5", Some(5)),
        ("COPY 7", Some(7)),
        ("BEGIN", None),
        ("CREATE TABLE", None),
        ("", None),
    ] {
        assert_eq!(rows_of(tag), rows, "{tag}");
    }
}

/// A message that pgwire refuses to encode would be missing from the stream.
#[test]
fn nothing_is_too_long() {
    let long = "é".repeat(40_000);
    let one = |encode: &dyn Fn(&mut BytesMut)| {
        let frame = encoded(encode);
        let _ = read_by_pgwire(&frame);
    };
    one(&|out| command_complete(&long, out));
    one(&|out| parameter_status(&long, &long, out));
    one(&|out| error(&PgError::error(SqlState::SYNTAX_ERROR, long.clone()), out));
    one(&|out| row_description_text(&[long.as_str(); 100], out));
    one(&|out| data_row_text(&[Some(long.as_str()); 100], out));
    one(&|out| authentication_sasl_continue(&[b'x'; 2 * crate::scram::MESSAGE_MAX], out));
    let names = vec!["_pq_.a".to_owned(); crate::startup::MAX_STARTUP / 8];
    one(&|out| negotiate_protocol_version(2, &names, out));
    let key = CancelKey {
        pid: 1,
        secret: vec![1; 256],
    };
    one(&|out| backend_key_data(&key, out));
}

#[test]
fn text_of_ours_ends_at_its_nul() {
    let frame = encoded(|out| command_complete("SELECT 1\0Z\0\0\0\x05I", out));
    assert_eq!(decode_command_complete(frame.body()), Ok("SELECT 1"));
    let smuggling = PgError::error(SqlState::SYNTAX_ERROR, "m\0C00000\0\0Z").with_hint("h\0\0");
    let fields = decode_error(encoded(|out| error(&smuggling, out)).body()).unwrap();
    assert_eq!(
        (fields.message().as_ref(), fields.code()),
        ("m", SqlState::SYNTAX_ERROR)
    );
}

proptest! {
    #[test]
    fn no_body_panics(body in prop::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 0..150)) {
        let _ = decode_authentication(&body);
        let _ = decode_key_data(&body);
        let _ = decode_command_complete(&body);
        let _ = decode_ready(&body);
        let _ = decode_negotiate(&body);
        let _ = decode_parameter_status(&body);
        let _ = decode_row_description(&body);
        if let Ok(fields) = decode_error(&body) {
            // Every byte was read, so what was read makes the same bytes again.
            let frame = encoded(|out| fields.encode(out));
            prop_assert_eq!(frame.body(), &body[..]);
        }
    }

    #[test]
    fn errors_say_the_same_to_pgwire(message in "[^\0]{0,60}", hint in prop::option::of("[^\0]{0,60}")) {
        let mut refusal = PgError::error(SqlState::SYNTAX_ERROR, message.clone());
        refusal.hint = hint.clone();
        let read = read_by_pgwire(&encoded(|out| error(&refusal, out)));
        let PgWireBackendMessage::ErrorResponse(read) = read else { panic!("{read:?}") };
        let field = |key: u8| read.fields.iter().find(|(k, _)| *k == key).map(|(_, v)| v.clone());
        prop_assert_eq!(field(b'M'), Some(message));
        prop_assert_eq!(field(b'H'), hint);
    }
}

#[test]
fn a_frame_given_twice_is_not_one() {
    let frame = encoded(parse_complete);
    let twice = [frame.bytes().to_vec(), frame.bytes().to_vec()].concat();
    assert!(Frame::from_bytes(Bytes::from(twice)).is_err());
}
