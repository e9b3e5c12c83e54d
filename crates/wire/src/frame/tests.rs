use bytes::{BufMut, Bytes, BytesMut};
use phigate_types::{PgError, SqlState};
use proptest::prelude::*;

use super::*;

fn raw(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    out.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
    out.extend_from_slice(body);
    out
}

// === FrontendCutter ===

#[test]
fn one_frame_is_cut_and_the_next_stays() {
    let mut buf = BytesMut::from(&[raw(b'Q', b"select 1\0"), raw(b'X', b"")].concat()[..]);
    let cutter = FrontendCutter::session();
    let query = cutter.cut(&mut buf).unwrap().unwrap();
    assert_eq!((query.tag(), query.body()), (b'Q', &b"select 1\0"[..]));
    let terminate = cutter.cut(&mut buf).unwrap().unwrap();
    assert_eq!((terminate.tag(), terminate.body()), (b'X', &b""[..]));
    assert_eq!(cutter.cut(&mut buf), Ok(None));
    assert!(buf.is_empty());
}

#[test]
fn a_length_below_four_is_refused() {
    for len in 0..4u32 {
        let mut buf = BytesMut::from(&[&b"Q"[..], &len.to_be_bytes(), b"abcdefgh"].concat()[..]);
        let expected = FrameError::TooShort {
            tag: b'Q',
            len: len as usize,
        };
        assert_eq!(FrontendCutter::session().cut(&mut buf), Err(expected));
    }
}

#[test]
fn a_length_over_the_limit_is_refused_from_its_header() {
    for (tag, max) in [
        (b'Q', QUERY_MAX),
        (b'P', QUERY_MAX),
        (b'B', BIND_MAX),
        (b'd', COPY_DATA_MAX),
    ]
    .into_iter()
    .chain(b"CDEHScf".iter().map(|tag| (*tag, SMALL_MAX)))
    {
        let header =
            |len: usize| BytesMut::from(&[&[tag][..], &(len as u32).to_be_bytes()].concat()[..]);
        let cutter = FrontendCutter::session();
        assert_eq!(cutter.cut(&mut header(max)), Ok(None));
        let over = Err(FrameError::TooLong {
            tag,
            len: max + 1,
            max,
        });
        assert_eq!(cutter.cut(&mut header(max + 1)), over);
        assert!(cutter.cut(&mut header(u32::MAX as usize)).is_err());
    }
}

#[test]
fn each_phase_has_its_own_types() {
    for tag in 0..=u8::MAX {
        let mut buf = BytesMut::from(&[tag][..]);
        let known = FrontendCutter::session().cut(&mut buf).is_ok();
        assert_eq!(known, b"BCDEFHPQSXcdf".contains(&tag), "session: {tag}");
        let known = FrontendCutter::authentication().cut(&mut buf).is_ok();
        assert_eq!(known, b"pX".contains(&tag), "authentication: {tag}");
    }
}

#[test]
fn what_is_missing_is_what_completes_the_frame() {
    let frame = raw(b'Q', b"select 1\0");
    let cutter = FrontendCutter::session();
    assert_eq!(cutter.missing(&[]), Ok(HEADER_LEN));
    assert_eq!(cutter.missing(&frame[..3]), Ok(2));
    assert_eq!(cutter.missing(&frame[..7]), Ok(frame.len() - 7));
    assert_eq!(cutter.missing(&frame), Ok(0));
}

#[test]
fn a_frame_error_is_a_fatal_protocol_violation_without_content() {
    for error in [
        FrameError::TooShort { tag: b'Q', len: 3 },
        FrameError::TooLong {
            tag: b'S',
            len: 99_999,
            max: SMALL_MAX,
        },
        FrameError::UnknownTag(b'!'),
    ] {
        let error = PgError::from(error);
        assert_eq!(error.code, SqlState::PROTOCOL_VIOLATION);
        assert_eq!(error.severity, phigate_types::Severity::Fatal);
    }
}

#[test]
fn a_frame_is_exactly_its_bytes() {
    let whole = raw(b'Z', b"I");
    assert!(Frame::from_bytes(Bytes::from(whole.clone())).is_ok());
    for wrong in [&whole[..5], &whole[..3], &[&whole[..], b"x"].concat()] {
        assert!(Frame::from_bytes(Bytes::copy_from_slice(wrong)).is_err());
    }
}

#[test]
fn debug_shows_no_body() {
    let frame = Frame::from_bytes(Bytes::from(raw(b'Q', b"select 'secret'\0"))).unwrap();
    assert_eq!(format!("{frame:?}"), "Frame(Q, 21 bytes)");
}

proptest! {
    #[test]
    fn chunks_do_not_change_what_is_cut(
        frames in prop::collection::vec((prop::sample::select(&b"BCDEFHPQSXcdf"[..]), body()), 0..12),
        cuts in prop::collection::vec(1..40usize, 1..40),
    ) {
        let frames: Vec<_> = frames.iter().map(|(tag, body)| raw(*tag, body)).collect();
        let stream = frames.concat();
        let mut buf = BytesMut::new();
        let mut seen = Vec::new();
        for chunk in chunks(&stream, &cuts) {
            buf.put_slice(chunk);
            while let Some(frame) = FrontendCutter::session().cut(&mut buf).unwrap() {
                seen.push(frame.into_bytes().to_vec());
            }
        }
        prop_assert_eq!(seen, frames);
        prop_assert!(buf.is_empty());
    }
}

// === BackendWalker ===

/// What a stream is, however it was split.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Stream {
        len: usize,
        rows: u32,
        copy_rows: u32,
    },
    Frame(Vec<u8>),
}

fn walk<'s>(chunks: impl IntoIterator<Item = &'s [u8]>) -> (Vec<Seen>, usize) {
    let mut walker = BackendWalker::new();
    let mut buf = BytesMut::new();
    let mut seen: Vec<Seen> = Vec::new();
    for chunk in chunks {
        buf.put_slice(chunk);
        loop {
            match walker.next(&buf).unwrap() {
                Step::Stream {
                    len,
                    rows,
                    copy_rows,
                } => {
                    assert!(len > 0 && len <= buf.len());
                    bytes::Buf::advance(&mut buf, len);
                    if let Some(Seen::Stream {
                        len: l,
                        rows: r,
                        copy_rows: c,
                    }) = seen.last_mut()
                    {
                        (*l, *r, *c) = (*l + len, *r + rows, *c + copy_rows);
                    } else {
                        seen.push(Seen::Stream {
                            len,
                            rows,
                            copy_rows,
                        });
                    }
                }
                Step::Frame { tag, len } => {
                    assert_eq!(buf[0], tag);
                    seen.push(Seen::Frame(buf.split_to(len).to_vec()));
                }
                Step::More { need } => {
                    assert!(need > 0);
                    break;
                }
            }
        }
    }
    (seen, buf.len() + walker.unfinished())
}

#[test]
fn rows_are_one_step_and_control_frames_one_each() {
    let rows = [raw(b'D', b"\0\0"), raw(b'D', &[7; 300]), raw(b'd', b"copy")].concat();
    let stream = [raw(b'T', b"\0\0"), rows.clone(), raw(b'C', b"SELECT 2\0")].concat();
    let (seen, left) = walk([&stream[..]]);
    assert_eq!(left, 0);
    assert_eq!(
        seen,
        [
            Seen::Frame(raw(b'T', b"\0\0")),
            Seen::Stream {
                len: rows.len(),
                rows: 2,
                copy_rows: 1
            },
            Seen::Frame(raw(b'C', b"SELECT 2\0")),
        ]
    );
}

#[test]
fn a_row_is_never_waited_for() {
    let mut walker = BackendWalker::new();
    let header = [b'D', 0x3f, 0xff, 0xff, 0xff];
    assert_eq!(
        walker.next(&header),
        Ok(Step::Stream {
            len: 5,
            rows: 1,
            copy_rows: 0
        })
    );
    assert_eq!(walker.unfinished(), 0x3fff_fffb);
    assert_eq!(walker.next(&[]), Ok(Step::More { need: 1 }));
    assert_eq!(
        walker.next(&[1, 2]),
        Ok(Step::Stream {
            len: 2,
            rows: 0,
            copy_rows: 0
        })
    );
}

#[test]
fn rows_before_a_bad_header_go_first() {
    let stream = [&raw(b'D', b"\0\0")[..], b"Z\0\0\0\x03"].concat();
    let mut walker = BackendWalker::new();
    assert_eq!(
        walker.next(&stream),
        Ok(Step::Stream {
            len: 7,
            rows: 1,
            copy_rows: 0
        })
    );
    assert_eq!(
        walker.next(&stream[7..]),
        Err(FrameError::TooShort { tag: b'Z', len: 3 })
    );
    let long = [b'E', 0x7f, 0, 0, 0];
    assert!(matches!(
        walker.next(&long),
        Err(FrameError::TooLong { tag: b'E', .. })
    ));
}

#[test]
fn unknown_types_are_frames_too() {
    assert_eq!(
        BackendWalker::new().next(b"?\0\0\0\x05!"),
        Ok(Step::Frame { tag: b'?', len: 6 })
    );
}

#[test]
fn the_rest_of_a_frame_is_found_from_any_cut() {
    let stream = [raw(b'D', &[1; 10]), raw(b'Z', b"I")].concat();
    for written in 0..=stream.len() {
        let rest = [0, 15, 21].into_iter().find(|end| *end >= written).unwrap() - written;
        assert_eq!(rest_of_frame(&stream, 0, written), Some(rest), "{written}");
        // The same stream seen from within the row.
        if written >= 4 {
            assert_eq!(
                rest_of_frame(&stream[4..], 11, written - 4),
                Some(rest),
                "{written}"
            );
        }
    }
    assert_eq!(rest_of_frame(&stream, 0, 0), Some(0));
    assert_eq!(rest_of_frame(&stream[..3], 0, 2), None);
}

proptest! {
    #[test]
    fn chunks_do_not_change_what_is_walked(
        frames in prop::collection::vec((prop::sample::select(&b"DDDDddTCZENSKRA1?"[..]), body()), 0..20),
        cuts in prop::collection::vec(1..60usize, 1..40),
        torn in 0..20usize,
    ) {
        let mut stream: Vec<u8> =
            frames.iter().flat_map(|(tag, body)| raw(*tag, body)).collect();
        stream.truncate(stream.len().saturating_sub(torn));
        let whole = walk([&stream[..]]);
        prop_assert_eq!(walk(chunks(&stream, &cuts)), whole.clone());
        prop_assert_eq!(walk(stream.chunks(1)), whole);
    }

    #[test]
    fn no_bytes_make_the_walker_panic_or_stand_still(
        stream in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let mut walker = BackendWalker::new();
        let mut at = 0;
        while let Ok(Step::Stream { len, .. } | Step::Frame { len, .. }) = walker.next(&stream[at..]) {
            prop_assert!(len > 0);
            at += len;
        }
        prop_assert!(at <= stream.len());
    }
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..90)
}

/// The stream in pieces of the given sizes, over and over.
fn chunks<'s>(mut stream: &'s [u8], cuts: &[usize]) -> Vec<&'s [u8]> {
    let mut pieces = Vec::new();
    let mut sizes = cuts.iter().cycle();
    while !stream.is_empty() {
        let size = sizes.next().map_or(1, |size| *size).min(stream.len());
        let (piece, rest) = stream.split_at(size);
        pieces.push(piece);
        stream = rest;
    }
    pieces
}
