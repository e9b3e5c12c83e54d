use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::frontend;

fn packet(code: u32, rest: &[u8]) -> Vec<u8> {
    let mut out = (8 + rest.len() as u32).to_be_bytes().to_vec();
    out.extend_from_slice(&code.to_be_bytes());
    out.extend_from_slice(rest);
    out
}

fn startup(version: u32, params: &[(&str, &str)]) -> StartupPacket {
    let mut out = BytesMut::new();
    frontend::startup_packet(version, params, &mut out);
    match read_first(&out).unwrap().unwrap() {
        (FirstPacket::Startup(startup), used) if used == out.len() => startup,
        other => panic!("{other:?}"),
    }
}

#[test]
fn requests_for_encryption() {
    assert_eq!(
        read_first(&packet(80_877_103, b"")),
        Ok(Some((FirstPacket::Ssl, 8)))
    );
    assert_eq!(
        read_first(&packet(80_877_104, b"")),
        Ok(Some((FirstPacket::Gss, 8)))
    );
    assert_eq!(
        read_first(&[0x16, 3, 1]),
        Ok(Some((FirstPacket::DirectTls, 0)))
    );
    // What follows is not used: the gateway refuses it before the handshake.
    let injected = [
        packet(80_877_103, b""),
        packet(196_608, b"user\0attacker\0\0"),
    ]
    .concat();
    assert_eq!(read_first(&injected), Ok(Some((FirstPacket::Ssl, 8))));
    assert!(read_first(&packet(80_877_103, b"x")).is_err());
}

#[test]
fn a_packet_is_waited_for() {
    let whole = packet(196_608, b"user\0alice\0\0");
    for end in 0..whole.len() {
        assert_eq!(read_first(&whole[..end]), Ok(None), "{end}");
    }
    assert!(read_first(&whole).unwrap().is_some());
}

#[test]
fn lengths_out_of_bounds_are_refused_from_the_length_word() {
    for len in [0, 7, 10_001, u32::MAX] {
        assert_eq!(
            read_first(&len.to_be_bytes()),
            Err(StartupError::Length(len as usize))
        );
    }
    assert_eq!(read_first(&10_000u32.to_be_bytes()), Ok(None));
}

#[test]
fn user_database_and_settings() {
    let alice = startup(3 << 16, &[("user", "alice"), ("application_name", "psql")]);
    assert_eq!((alice.user(), alice.database()), ("alice", "alice"));
    assert_eq!(alice.get("application_name"), Some("psql"));
    assert_eq!(alice.cancel_secret_len(), 4);
    assert!(!alice.needs_negotiation());
    let twice = startup(
        3 << 16,
        &[("user", "alice"), ("user", "bob"), ("database", "clinic")],
    );
    assert_eq!((twice.user(), twice.database()), ("bob", "clinic"));
}

#[test]
fn newer_minors_and_grease_are_negotiated() {
    let grease = startup(
        (3 << 16) + 9999,
        &[
            ("user", "alice"),
            ("_pq_.test_protocol_negotiation", ""),
            ("_pq_.x", "1"),
        ],
    );
    assert!(grease.needs_negotiation());
    assert_eq!(grease.negotiated_minor(), 2);
    assert_eq!(
        grease.unknown_extensions,
        ["_pq_.test_protocol_negotiation", "_pq_.x"]
    );
    assert_eq!(grease.get("_pq_.x"), None);
    assert_eq!(grease.cancel_secret_len(), 32);
    assert!(startup(3 << 16, &[("user", "alice"), ("_pq_.x", "1")]).needs_negotiation());
    assert!(!startup(3 << 16 | 2, &[("user", "alice")]).needs_negotiation());
}

#[test]
fn other_majors_are_refused() {
    for (code, major, minor) in [(2 << 16, 2, 0), (4 << 16 | 1, 4, 1), (0, 0, 0)] {
        let refused = read_first(&packet(code, b"user\0a\0\0"));
        assert_eq!(refused, Err(StartupError::Version(major, minor)));
    }
    let error = PgError::from(StartupError::Version(2, 0));
    assert_eq!(error.code, SqlState::FEATURE_NOT_SUPPORTED);
}

#[test]
fn layouts_that_are_refused() {
    let layout = |body: &[u8]| read_first(&packet(196_608, body)).unwrap_err();
    assert_eq!(
        layout(b"user\0alice\0"),
        StartupError::Layout(DecodeError::Unterminated)
    );
    assert_eq!(
        layout(b"user\0alice"),
        StartupError::Layout(DecodeError::Unterminated)
    );
    assert_eq!(
        layout(b"user\0alice\0\0x"),
        StartupError::Layout(DecodeError::Leftover(1))
    );
    assert_eq!(layout(b"\0"), StartupError::NoUser);
    assert_eq!(layout(b"user\0\0\0"), StartupError::NoUser);
}

#[test]
fn text_that_is_not_utf8_is_tolerated_and_never_a_name() {
    let (first, _) = read_first(&packet(
        196_608,
        b"user\0al\xffce\0application_name\0\xe9\0\0",
    ))
    .unwrap()
    .unwrap();
    let FirstPacket::Startup(startup) = first else {
        panic!()
    };
    assert!(
        startup
            .user()
            .parse::<phigate_types::PrincipalName>()
            .is_err()
    );
    assert_eq!(startup.get("application_name"), Some("\u{fffd}"));
}

#[test]
fn cancel_keys_of_4_to_256_bytes() {
    for len in [4, 32, 256] {
        let key = CancelKey {
            pid: -7,
            secret: vec![9; len],
        };
        let mut out = BytesMut::new();
        frontend::cancel_request(&key, &mut out);
        assert_eq!(
            read_first(&out),
            Ok(Some((FirstPacket::Cancel(key), 12 + len)))
        );
    }
    for len in [0, 3, 257] {
        let request = packet(CANCEL_REQUEST, &[&[0; 4][..], &vec![9; len]].concat());
        assert!(read_first(&request).is_err(), "{len}");
    }
    let key = CancelKey {
        pid: 1,
        secret: vec![1, 2, 3, 4],
    };
    assert_ne!(
        key,
        CancelKey {
            pid: 2,
            ..key.clone()
        }
    );
    assert_ne!(
        key,
        CancelKey {
            secret: vec![1, 2, 3, 5],
            ..key.clone()
        }
    );
    assert!(!format!("{key:?}").contains("secret"));
}

#[test]
fn options_as_postgresql_splits_them() {
    let parsed = |options: &str| parse_options(options).unwrap();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(parsed(""), []);
    assert_eq!(
        parsed("-c phigate.grant=abc -cwork_mem=4MB\t--search-path=a,b"),
        [
            pair("phigate.grant", "abc"),
            pair("work_mem", "4MB"),
            pair("search_path", "a,b")
        ]
    );
    assert_eq!(parsed(r"-c a=x\ y\\z"), [pair("a", r"x y\z")]);
    assert_eq!(parsed("-c a=b=c --d="), [pair("a", "b=c"), pair("d", "")]);
    for refused in [
        "-c", "-c a", "-c =b", "--", "-B 10", "x", "-sc a=b", "-c a=b c",
    ] {
        assert!(parse_options(refused).is_err(), "{refused}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), options in ".{0,60}") {
        let _ = read_first(&bytes);
        let len = bytes.len() as u32 + 8;
        let framed = [&len.to_be_bytes()[..], &196_608u32.to_be_bytes(), &bytes].concat();
        if let Ok(Some((_, used))) = read_first(&framed) {
            prop_assert_eq!(used, framed.len());
        }
        let _ = parse_options(&options);
    }
}
