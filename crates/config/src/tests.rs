use super::*;

const WHOLE: &str = r#"
data_dir = "data"
[control]
listen = "0.0.0.0:7443"
store = "sqlite"
[gateway]
listen = "127.0.0.1:6432"
tls = "dev"
[audit]
recording = "strict"
[[database]]
name = "clinic"
upstream = "postgres://broker:secret@db:5432/clinic"
passthrough = false
catalog = "clinic.phi.csv"
enforcement = "inline"
unclassified = "mask"
[[principal]]
name = "alice"
"#;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("/etc/phigate/phigate.toml"))
}

fn refusal(from: &str, to: &str) -> String {
    assert!(
        WHOLE.contains(from),
        "the test replaces {from:?}, which is not there"
    );
    parse(&WHOLE.replace(from, to)).unwrap_err().to_string()
}

#[test]
fn a_whole_file() {
    let config = parse(WHOLE).unwrap();
    assert_eq!(config.data_dir, Path::new("/etc/phigate/data"));
    assert_eq!(config.control_url(), "https://127.0.0.1:7443");
    assert_eq!(config.recording, Recording::Strict);
    let clinic = &config.databases[0];
    assert_eq!(clinic.catalog, Path::new("/etc/phigate/clinic.phi.csv"));
    assert_eq!(clinic.unclassified, Unclassified::Mask);
    assert_eq!(config.principals.unwrap()[0].as_str(), "alice");
}

#[test]
fn defaults_are_the_safe_ones() {
    let config = parse(
        "data_dir = '/d'\n[[database]]\nname='c'\nupstream='postgres://h/c'\ncatalog='c.csv'",
    )
    .unwrap();
    assert_eq!(config.recording, Recording::Local);
    assert_eq!(config.gateway.tls, Tls::Dev);
    assert_eq!(config.databases[0].unclassified, Unclassified::Refuse);
    assert!(!config.databases[0].passthrough);
    assert_eq!(config.databases[0].enforcement, Enforcement::Inline);
}

#[test]
fn each_wrong_value_is_named() {
    for (from, to, expected) in [
        (
            "recording = \"strict\"",
            "recording = \"never\"",
            "audit.recording",
        ),
        ("tls = \"dev\"", "tls = \"on\"", "gateway.tls"),
        ("127.0.0.1:6432", "0.0.0.0", "gateway.listen"),
        (
            "[audit]",
            "[monitoring]\nlisten = \"on\"\n[audit]",
            "monitoring.listen",
        ),
        (
            "tls = \"dev\"",
            "channel_binding = \"maybe\"",
            "gateway.channel_binding",
        ),
        ("name = \"clinic\"", "name = \"a b\"", "database[0].name"),
        (
            "postgres://broker",
            "mysql://broker",
            "database[0].upstream",
        ),
        ("\"inline\"", "\"rules\"", "database[0].enforcement"),
        (
            "passthrough = false",
            "admin = \"mysql://root:secret@db/clinic\"",
            "database[0].admin",
        ),
        ("\"mask\"", "\"maybe\"", "database[0].unclassified"),
        (
            "tls = \"dev\"",
            "drain_timeout = \"2 days\"",
            "gateway.drain_timeout",
        ),
        (
            "store = \"sqlite\"",
            "store = \"postgres://x\"",
            "control.store",
        ),
        ("name = \"alice\"", "name = \"\"", "principal[0].name"),
        (
            "passthrough = false",
            "passthru = true",
            "unknown field `passthru`",
        ),
    ] {
        let text = refusal(from, to);
        assert!(text.contains(expected), "{to}: {text}");
        assert!(text.contains("/etc/phigate/phigate.toml"), "{text}");
        assert!(!text.contains("secret"), "a password is shown: {text}");
    }
}

#[test]
fn a_syntax_error_has_a_place_and_no_password() {
    let text = refusal("/clinic\"\npassthrough", "/clinic\npassthrough");
    assert!(text.starts_with("/etc/phigate/phigate.toml:13:"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn plaintext_needs_loopback() {
    let text = WHOLE
        .replace("127.0.0.1:6432", "0.0.0.0:6432")
        .replace("\"dev\"", "\"off\"");
    assert!(
        parse(&text)
            .unwrap_err()
            .to_string()
            .contains("loopback only")
    );
}

#[test]
fn a_database_twice_is_an_error() {
    let twice =
        format!("{WHOLE}\n[[database]]\nname='clinic'\nupstream='postgres://h/c'\ncatalog='c'");
    assert!(
        parse(&twice)
            .unwrap_err()
            .to_string()
            .contains("configured twice")
    );
}

#[test]
fn what_holds_until_a_restart_is_named() {
    let running = parse(WHOLE).unwrap();
    for (from, to, expected) in [
        ("\"data\"", "\"elsewhere\"", "data_dir"),
        ("0.0.0.0:7443", "0.0.0.0:7444", "control.listen"),
        ("127.0.0.1:6432", "127.0.0.1:6433", "gateway.listen"),
        (
            "[audit]",
            "[monitoring]\nlisten = \"off\"\n[audit]",
            "monitoring.listen",
        ),
        ("tls = \"dev\"", "tls = \"off\"", "gateway.tls"),
        ("tls = \"dev\"", "id = \"other\"", "gateway.id"),
        ("\"strict\"", "\"local\"", "audit.recording"),
        ("name = \"clinic\"", "name = \"ward\"", "database"),
        ("@db:5432", "@db:5433", "upstream of database clinic"),
        ("\"inline\"", "\"views\"", "enforcement of database clinic"),
        (
            "passthrough = false",
            "passthrough = true",
            "passthrough of database clinic",
        ),
    ] {
        assert!(WHOLE.contains(from), "{from}");
        let new = parse(&WHOLE.replace(from, to)).unwrap();
        let keys = running.needs_restart(&new);
        assert!(keys.iter().any(|key| key == expected), "{to}: {keys:?}");
    }
    for (from, to) in [
        ("clinic.phi.csv", "other.csv"),
        ("\"mask\"", "\"refuse\""),
        ("alice", "bob"),
        (
            "tls = \"dev\"",
            "tls = { cert = \"c\", key = \"k\" }\ndrain_timeout = \"1m\"",
        ),
    ] {
        assert!(WHOLE.contains(from), "{from}");
        let new = parse(&WHOLE.replace(from, to)).unwrap();
        let keys = running.needs_restart(&new);
        assert!(keys.is_empty(), "{to}: {keys:?}");
    }
}
