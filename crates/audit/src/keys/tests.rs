use super::*;

const ORIGIN: &str = "clinic/gateway-1";

#[test]
fn a_key_is_found_until_it_is_shredded() {
    let dir = tempfile::tempdir().unwrap();
    let one = Subject::Session(SessionId::from_random([1; 8]));
    let two = Subject::Leaf { epoch: 1, index: 9 };
    let mut writer = KeyWriter::open(dir.path(), ORIGIN).unwrap();
    let (first, second) = (writer.make(one).unwrap(), writer.make(two).unwrap());
    writer.write().unwrap();
    writer.sync().unwrap();
    // Added to by a later process.
    let three = Subject::Leaf {
        epoch: 1,
        index: 10,
    };
    let mut writer = KeyWriter::open(dir.path(), ORIGIN).unwrap();
    writer.make(three).unwrap();
    writer.write().unwrap();

    let mut store = KeyStore::open(dir.path(), ORIGIN).unwrap();
    assert!(matches!(store.find(one), Found::Key(key) if key == first));
    assert!(matches!(store.find(two), Found::Key(key) if key == second));
    assert!(store.shred(one).unwrap());
    assert!(!store.shred(one).unwrap());
    for store in [store, KeyStore::open(dir.path(), ORIGIN).unwrap()] {
        assert!(matches!(store.find(one), Found::Shredded));
        assert!(matches!(store.find(two), Found::Key(_)));
        assert!(matches!(store.find(three), Found::Key(_)));
        assert!(matches!(
            store.find(Subject::Leaf { epoch: 2, index: 9 }),
            Found::Missing
        ));
    }
    // Nothing of the wrapped key is left in the file.
    let bytes = std::fs::read(dir.path().join(file_name(ORIGIN))).unwrap();
    assert!(bytes[20..80].iter().all(|byte| *byte == 0));
}

#[test]
fn without_its_master_key_or_under_another_name_a_key_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let subject = Subject::Leaf { epoch: 1, index: 1 };
    let mut writer = KeyWriter::open(dir.path(), ORIGIN).unwrap();
    writer.make(subject).unwrap();
    writer.write().unwrap();
    std::fs::copy(
        dir.path().join(file_name(ORIGIN)),
        dir.path().join(file_name("other")),
    )
    .unwrap();
    let store = KeyStore::open(dir.path(), "other").unwrap();
    assert!(matches!(store.find(subject), Found::Missing));
    std::fs::remove_file(dir.path().join("master.key")).unwrap();
    let store = KeyStore::open(dir.path(), ORIGIN).unwrap();
    assert!(matches!(store.find(subject), Found::Missing));
}

#[test]
fn a_master_key_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    drop(KeyWriter::open(dir.path(), ORIGIN).unwrap());
    let path = dir.path().join("master.key");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(
        KeyWriter::open(dir.path(), ORIGIN),
        Err(AuditError::Key(_))
    ));
}

#[test]
fn a_damaged_slot_loses_one_key_only() {
    let dir = tempfile::tempdir().unwrap();
    let subject = |index| Subject::Leaf { epoch: 1, index };
    let mut writer = KeyWriter::open(dir.path(), ORIGIN).unwrap();
    for index in 0..3 {
        writer.make(subject(index)).unwrap();
    }
    writer.write().unwrap();
    let path = dir.path().join(file_name(ORIGIN));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[SLOT + 40] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let store = KeyStore::open(dir.path(), ORIGIN).unwrap();
    assert_eq!(store.damaged(), 1);
    assert!(matches!(store.find(subject(0)), Found::Key(_)));
    assert!(matches!(store.find(subject(1)), Found::Missing));
    assert!(matches!(store.find(subject(2)), Found::Key(_)));
}
