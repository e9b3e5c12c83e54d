//! The worked example of `docs/audit-format.md`: made here, compared with what stands there.

use std::fmt::Write;

use phigate_types::{SessionId, Timestamp};

use crate::batch;
use crate::chain::Chain;
use crate::leaf::{Commitment, Digest, Fixed, Head, Link, PREFIX};
use crate::record::{Heartbeat, Kind, Record};
use crate::segment::Header;

const DOCUMENT: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../docs/audit-format.md"
));

#[test]
fn the_worked_example_is_the_one_in_the_document() {
    let (segment, hash) = segment();
    let mut shown = dump(&segment);
    write!(
        shown,
        "\nhash of leaf 0: {hash}\nhead: {}",
        Head {
            epoch: 1,
            leaves: 1,
            hash
        }
    )
    .unwrap();
    assert!(
        DOCUMENT.contains(&shown),
        "the document should hold:\n{shown}"
    );
}

#[test]
fn the_example_reads_back() {
    let (segment, hash) = segment();
    let batch = &segment[512..];
    let header = batch::Header::decode(batch).unwrap();
    let mut entries = batch::open(&header, batch).unwrap();
    let (entry, fixed) = batch::split_entry(&mut entries).unwrap();
    let mut chain = Chain::new(1, Digest::default());
    chain.accept(&entry, &fixed).unwrap();
    assert_eq!(chain.head().hash, hash);
}

/// The table of the leaf's fixed part, against fields that are all different.
#[test]
fn the_fixed_part_lies_where_the_document_says() {
    let session = SessionId::from_random([0x11; 8]);
    let fixed = Fixed {
        index: 0x0102,
        time: Timestamp::from_micros(0x0304),
        kind: Kind::Outcome,
        epoch: 0x0506,
        previous: Digest([0xa1; 32]),
        session: Some(Link {
            session,
            sequence: 0x0708,
            previous: Digest([0xa2; 32]),
        }),
        payload: Some(Commitment {
            len: 0x090a,
            hash: Digest([0xa3; 32]),
        }),
    };
    let bytes = fixed.encode();
    assert_eq!(bytes[..8], 0x0102u64.to_be_bytes());
    assert_eq!(bytes[8..16], 0x0304i64.to_be_bytes());
    assert_eq!(bytes[16..20], [1, 20, 3, 0]);
    assert_eq!(bytes[20..24], 0x0506u32.to_be_bytes());
    assert_eq!(bytes[24..56], [0xa1; 32]);
    assert_eq!(&bytes[56..68], session.as_str().as_bytes());
    assert_eq!(bytes[68..76], 0x0708u64.to_be_bytes());
    assert_eq!(bytes[76..108], [0xa2; 32]);
    assert_eq!(bytes[108..112], 0x090au32.to_be_bytes());
    assert_eq!(bytes[112..144], [0xa3; 32]);
}

fn segment() -> (Vec<u8>, Digest) {
    let header = Header {
        epoch: 1,
        sequence: 0,
        first: 0,
        size: 16_384,
        previous: Digest::default(),
        origin: "example".to_owned(),
    };
    let head = Digest::default().to_string();
    let record = Record::Heartbeat(Heartbeat { leaves: 0, head });
    let fixed = Fixed {
        index: 0,
        time: Timestamp::from_micros(1_700_000_000_000_000),
        kind: Kind::Heartbeat,
        epoch: 1,
        previous: Digest::default(),
        session: None,
        payload: None,
    };
    let mut hashed = vec![PREFIX];
    hashed.extend_from_slice(&fixed.encode());
    hashed.extend_from_slice(&serde_json::to_vec(&record).unwrap());
    let mut batch = Vec::new();
    batch::begin(&mut batch);
    batch.extend_from_slice(&(hashed.len() as u32 - 1).to_be_bytes());
    batch.extend_from_slice(&hashed);
    batch::finish(&mut batch, 0, 1);
    let mut segment = header.encode().to_vec();
    segment.extend_from_slice(&batch);
    segment.resize(16_384, 0);
    (segment, Digest::of(&hashed))
}

/// Sixteen bytes a line; lines of zeros are left out.
fn dump(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (line, part) in bytes.chunks(16).enumerate() {
        if part.iter().any(|byte| *byte != 0) {
            let shown: String = part
                .iter()
                .map(|byte| {
                    if byte.is_ascii_graphic() {
                        char::from(*byte)
                    } else {
                        '.'
                    }
                })
                .collect();
            let hex: Vec<_> = part.iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(text, "{:05x}  {}  {shown}", line * 16, hex.join(" ")).unwrap();
        }
    }
    text
}
