use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

fn gateway(name: &str) -> GatewayId {
    name.parse().unwrap()
}

fn error<T>(result: Result<T, PkiError>) -> String {
    result
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default()
}

#[test]
fn a_second_start_finds_what_the_first_made() {
    let directory = tempfile::tempdir().unwrap();
    let first = DevCa::load_or_create_at(directory.path(), NOW).unwrap();
    let issued = first
        .server("control", &["localhost", "127.0.0.1"])
        .unwrap();
    let second = DevCa::load_or_create_at(directory.path(), NOW).unwrap();
    assert_eq!(first.certificate_pem(), second.certificate_pem());
    let again = second.server("control", &["127.0.0.1"]).unwrap();
    assert_eq!(issued.cert_chain_pem, again.cert_chain_pem);
    for name in ["ca.key", "control.key"] {
        let mode = fs::metadata(directory.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert!(issued.server_end_point().is_some());
}

#[test]
fn a_gateways_certificate_names_it_and_no_other_does() {
    let directory = tempfile::tempdir().unwrap();
    let ca = DevCa::load_or_create_at(directory.path(), NOW).unwrap();
    let identity = ca.gateway("gateway", &gateway("gw-1")).unwrap();
    assert_eq!(
        crate::gateway_id(&identity.chain()[0]).unwrap(),
        gateway("gw-1")
    );
    let text = error(ca.gateway("gateway", &gateway("gw-2")));
    assert!(
        text.contains("gateway.pem is for gateway gw-1, not for gateway gw-2"),
        "{text}"
    );
    let server = ca.server("server", &["gw-1"]).unwrap();
    assert!(crate::gateway_id(&server.chain()[0]).is_err());
}

#[test]
fn time_is_checked_and_the_error_names_file_and_date() {
    let directory = tempfile::tempdir().unwrap();
    let ca = DevCa::load_or_create_at(directory.path(), NOW).unwrap();
    ca.server("control", &["localhost"]).unwrap();
    let later = DevCa::load_or_create_at(directory.path(), NOW.plus(2 * LEAF_VALIDITY)).unwrap();
    let text = error(later.server("control", &["localhost"]));
    assert!(
        text.contains("control.pem expired at 2028-02-16T08:00:00"),
        "{text}"
    );
    let text = error(DevCa::load_or_create_at(
        directory.path(),
        NOW.plus(2 * CA_VALIDITY),
    ));
    assert!(text.contains("ca.pem expired at 2037-01-12"), "{text}");
    let early = Timestamp::from_micros(NOW.as_micros() - 400_000_000);
    let text = error(DevCa::load_or_create_at(directory.path(), early));
    assert!(
        text.contains("ca.pem is not valid before 2027-01-15T07:55:00"),
        "{text}"
    );
}

#[test]
fn broken_files_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let ca = DevCa::load_or_create_at(directory.path(), NOW).unwrap();
    let path = |name: &str| directory.path().join(name);
    ca.server("a", &["localhost"]).unwrap();
    ca.server("b", &["localhost"]).unwrap();
    fs::rename(path("b.key"), path("a.key")).unwrap();
    let text = error(ca.server("a", &["localhost"]));
    assert!(
        text.contains("a.key does not belong to the certificate in"),
        "{text}"
    );
    let text = error(ca.server("b", &["localhost"]));
    assert!(
        text.contains("b.pem is there but") && text.contains("b.key is missing"),
        "{text}"
    );
    fs::write(path("a.pem"), "nothing").unwrap();
    let text = error(ca.server("a", &["localhost"]));
    assert!(
        text.contains("a.pem does not hold a usable certificate"),
        "{text}"
    );
    fs::set_permissions(path("ca.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let text = error(DevCa::load_or_create_at(directory.path(), NOW));
    assert!(text.contains("ca.key can be read by others"), "{text}");
}

#[test]
fn another_cas_certificate_is_refused() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ca = DevCa::load_or_create_at(one.path(), NOW).unwrap();
    ca.server("control", &["localhost"]).unwrap();
    let other_ca = DevCa::load_or_create_at(other.path(), NOW).unwrap();
    for name in ["control.pem", "control.key"] {
        fs::copy(one.path().join(name), other.path().join(name)).unwrap();
    }
    let text = error(other_ca.server("control", &["localhost"]));
    assert!(text.contains("was not issued by the CA"), "{text}");
    let text = error(ca.server("control", &["db.example.org"]));
    assert!(text.contains("not for db.example.org"), "{text}");
}
