use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use phigate_types::{PgError, SqlState};
use proptest::prelude::*;

use super::*;

const NONCE: [u8; NONCE_LEN] = [7; NONCE_LEN];
const OTHER_NONCE: [u8; NONCE_LEN] = [8; NONCE_LEN];
const ENDPOINT: &[u8] = b"the hash of a certificate";

fn decoded(text: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(text).unwrap()
}

fn keys(verifier: &Verifier) -> ([u8; 32], [u8; 32]) {
    (verifier.stored_key, verifier.server_key)
}

fn server(binding: Option<&[u8]>) -> Server {
    Server::new(
        *b"0123456789abcdef",
        2,
        binding.map(<[u8]>::to_vec),
        OTHER_NONCE,
    )
}

fn verifier(password: &str) -> Verifier {
    Verifier::derive(password, b"0123456789abcdef", 2)
}

/// Both sides, with what a third one does to the client's final message.
fn exchange(
    mut client: Client,
    mut server: Server,
    candidates: &[([u8; 32], [u8; 32])],
    tamper: impl FnOnce(String) -> String,
) -> Result<usize, ScramError> {
    let challenge = server.first(client.mechanism(), &client.first())?;
    let response = String::from_utf8(client.respond(&challenge)?).unwrap();
    let (which, outcome) = server.finish(tamper(response).as_bytes(), candidates)?;
    client.verify(&outcome)?;
    Ok(which)
}

// === vectors ===

/// RFC 7677, section 3.
#[test]
fn rfc_7677() {
    let verifier = Verifier::derive("pencil", &decoded("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
    let mut server = Server::new(verifier.salt.clone(), 4096, None, NONCE)
        .with_nonce("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
    let first = server
        .first(SHA_256, b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
        .unwrap();
    assert_eq!(
        first,
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    );
    let client_final = b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
        p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    let (which, outcome) = server.finish(client_final, &[keys(&verifier)]).unwrap();
    assert_eq!(which, 0);
    assert_eq!(outcome, b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

/// `SELECT rolpassword FROM pg_authid` of PostgreSQL 15.
#[test]
fn postgresql_derives_the_same_verifiers() {
    for (password, salt, stored_key, server_key) in [
        (
            "pencil",
            "s07uyho1B4umIQwC5PiYwg==",
            "2b8sxsYG80/Hqo+8f1KA5jou0lO1D50Qa5LQg6t+Tuk=",
            "QjD7F7+0KdeBA0AcFdZANJW76h5kX8B7lx8JRXLACv0=",
        ),
        (
            // SASLprep maps the soft hyphen to nothing, the ordinal to a, the numeral to IX.
            "I\u{ad}X \u{aa} \u{2168}",
            "rOow9XbDbGl9iC2DAetDBw==",
            "DC4C9UMraFH0IGpc+f5En72zDUgb8U+oy+wD3h7W/mA=",
            "HeDB/yuFtyghVYMvRNTsnTBiZ8but22Zsz0WNaqkZgw=",
        ),
    ] {
        let verifier = Verifier::derive(password, &decoded(salt), 4096);
        assert_eq!(verifier.stored_key[..], decoded(stored_key), "{password}");
        assert_eq!(verifier.server_key[..], decoded(server_key), "{password}");
    }
}

/// `SELECT rolpassword` of a role m with the password pencil under password_encryption = md5 is
/// md58bbf3f45673bf67d02e4214911f3417f; the answer hashes that once more, with the salt.
#[test]
fn md5_as_postgresql_does() {
    use ::md5::{Digest as _, Md5};
    let mut again = Md5::new();
    again.update(b"8bbf3f45673bf67d02e4214911f3417f");
    again.update([1, 2, 3, 4]);
    let expected = format!("md5{}", hex::encode(again.finalize()));
    assert_eq!(md5_password("m", "pencil", [1, 2, 3, 4]).as_str(), expected);
}

#[test]
fn a_password_that_saslprep_refuses_or_empties_stays_as_it_is() {
    assert_eq!(normalize("a\u{7}b"), "a\u{7}b");
    assert_eq!(normalize("\u{ad}"), "\u{ad}");
    assert_eq!(normalize("I\u{ad}X"), "IX");
    assert_eq!(normalize("pässwörd"), "pässwörd");
}

#[test]
fn salts_differ_by_principal_and_key_and_stay() {
    assert_eq!(derive_salt(b"key", "alice"), derive_salt(b"key", "alice"));
    assert_ne!(derive_salt(b"key", "alice"), derive_salt(b"key", "bob"));
    assert_ne!(derive_salt(b"key", "alice"), derive_salt(b"yek", "alice"));
}

// === whole exchanges ===

#[test]
fn the_right_password_is_known_among_many() {
    let candidates: Vec<_> = (0..20)
        .map(|n| keys(&verifier(&format!("password {n}"))))
        .collect();
    let login = |password: &str, candidates: &[_]| {
        exchange(
            Client::new(password, NONCE),
            server(None),
            candidates,
            |sent| sent,
        )
    };
    assert_eq!(login("password 0", &candidates), Ok(0));
    assert_eq!(login("password 15", &candidates), Ok(15));
    assert_eq!(login("password 16", &candidates), Err(ScramError::Proof));
    assert_eq!(login("wrong", &candidates), Err(ScramError::Proof));
    assert_eq!(login("wrong", &[]), Err(ScramError::Proof));
}

#[test]
fn a_wrong_password_and_an_unknown_user_read_alike() {
    let wrong = PgError::from(ScramError::Proof);
    assert_eq!(
        (wrong.code, wrong.severity),
        (SqlState::INVALID_PASSWORD, phigate_types::Severity::Fatal)
    );
    assert_eq!(PgError::from(ScramError::Nonce), wrong);
}

#[test]
fn channel_binding_binds() {
    let candidates = [keys(&verifier("pw"))];
    let login = |client: Client, server: Server| exchange(client, server, &candidates, |sent| sent);
    let bound = || Client::new("pw", NONCE).bound_to(ENDPOINT);
    assert_eq!(login(bound(), server(Some(ENDPOINT))), Ok(0));
    assert_eq!(
        login(bound(), server(Some(b"another"))),
        Err(ScramError::ChannelBinding)
    );
    // Not offered, so not accepted.
    assert_eq!(login(bound(), server(None)), Err(ScramError::Mechanism));
    // A client that cannot may go without.
    assert_eq!(
        login(Client::new("pw", NONCE), server(Some(ENDPOINT))),
        Ok(0)
    );
    assert_eq!(server(Some(ENDPOINT)).mechanisms(), [SHA_256_PLUS, SHA_256]);
    assert_eq!(server(None).mechanisms(), [SHA_256]);
}

#[test]
fn a_downgrade_is_refused() {
    let first = |binding: Option<&[u8]>, mechanism: &str, message: &[u8]| {
        server(binding).first(mechanism, message).map(|_| ())
    };
    // y: the client could bind and believes that the server cannot.
    assert_eq!(first(None, SHA_256, b"y,,n=,r=abc"), Ok(()));
    assert_eq!(
        first(Some(ENDPOINT), SHA_256, b"y,,n=,r=abc"),
        Err(ScramError::Downgrade)
    );
    for flag in ["n", "y"] {
        let message = format!("{flag},,n=,r=abc");
        let refused = first(Some(ENDPOINT), SHA_256_PLUS, message.as_bytes());
        assert!(matches!(refused, Err(ScramError::Malformed(_))), "{flag}");
    }
    let bound = b"p=tls-server-end-point,,n=,r=abc";
    assert!(matches!(
        first(Some(ENDPOINT), SHA_256, bound),
        Err(ScramError::Malformed(_))
    ));
    let unique = b"p=tls-unique,,n=,r=abc";
    assert!(matches!(
        first(Some(ENDPOINT), SHA_256_PLUS, unique),
        Err(ScramError::Unsupported(_))
    ));
    assert_eq!(
        first(None, "PLAIN", b"n,,n=,r=abc"),
        Err(ScramError::Mechanism)
    );
}

#[test]
fn first_messages_that_are_refused() {
    let too_long = format!("n,,n=,r={}", "x".repeat(MESSAGE_MAX));
    for message in [
        &b""[..],
        b"n",
        b"n,,",
        b"n,,n=",
        b"n,,n=,",
        b"n,,n=,r=",
        b"n,,r=abc",
        b"n,,n=,r=a c",
        b"n,,n=,r=a\x7fc",
        b"n,,n=,r=abc,",
        b"n,,n=,r=abc,1=x",
        b"n,,n=,r=abc\0",
        b"n,,n=\xff,r=abc",
        b"x,,n=,r=abc",
        b"n,a=admin,n=,r=abc",
        b"n,b,n=,r=abc",
        b"n,,m=ext,n=,r=abc",
        too_long.as_bytes(),
    ] {
        let refused = server(None).first(SHA_256, message);
        assert!(refused.is_err(), "{}", message.escape_ascii());
    }
    assert!(
        server(None)
            .first(SHA_256, b"n,,n=anybody,r=abc,x=ignored")
            .is_ok()
    );
}

#[test]
fn final_messages_that_are_refused() {
    let candidates = [keys(&verifier("pw"))];
    let login = |tamper: &dyn Fn(String) -> String| {
        exchange(Client::new("pw", NONCE), server(None), &candidates, tamper)
    };
    assert_eq!(login(&|sent| sent), Ok(0));
    for tamper in [
        |sent: String| sent + "=",
        |sent: String| sent + ",x=1",
        |sent: String| sent + "\0",
        |sent: String| sent + " ",
        |sent: String| sent.replace("c=biws", "c=eSws"),
        |sent: String| sent.replace("c=biws", "c=biws="),
        |sent: String| sent.replace(",p=", ",p=!"),
        |sent: String| sent.replace(",p=", ",p=AAAA"),
        |sent: String| sent.replace(",p=", ",p=AAAA,p="),
        |sent: String| sent.replace(",p=", ",q="),
        |sent: String| sent.replace(",p=", ",,p="),
        |sent: String| sent.chars().rev().collect(),
        |_: String| String::new(),
        |_: String| "x".repeat(MESSAGE_MAX + 1),
        |_: String| "c=biws".to_owned(),
    ] {
        let refused = login(&tamper);
        assert!(
            matches!(refused, Err(ScramError::Malformed(_))),
            "{refused:?}"
        );
    }
    let nonce = |sent: String| sent.replace("r=", "r=A");
    assert_eq!(login(&nonce), Err(ScramError::Nonce));
    // An extension changes what is signed.
    assert_eq!(
        login(&|sent| sent.replace(",p=", ",x=1,p=")),
        Err(ScramError::Proof)
    );
}

#[test]
fn steps_come_once_and_in_order() {
    let mut fresh = server(None);
    assert_eq!(
        fresh.finish(b"c=biws,r=x,p=", &[]),
        Err(ScramError::OutOfOrder)
    );
    let mut twice = server(None);
    twice.first(SHA_256, b"n,,n=,r=abc").unwrap();
    assert_eq!(
        twice.first(SHA_256, b"n,,n=,r=abc"),
        Err(ScramError::OutOfOrder)
    );
    // After an error nothing is accepted any more: a proof can be tried once.
    let mut failed = server(None);
    failed.first(SHA_256, b"n,,n=,r=abc").unwrap();
    assert!(failed.finish(b"x", &[]).is_err());
    assert_eq!(failed.finish(b"x", &[]), Err(ScramError::OutOfOrder));
    assert_eq!(
        Client::new("pw", NONCE).verify(b"v=x"),
        Err(ScramError::OutOfOrder)
    );
}

// === the client against servers that are not what they say ===

#[test]
fn the_client_refuses() {
    let own = String::from_utf8(Client::new("pw", NONCE).first()).unwrap();
    let own = own.strip_prefix("n,,n=,r=").unwrap();
    let salt = "MDEyMzQ1Njc4OWFiY2RlZg==";
    for (challenge, expected) in [
        (format!("r={own},s={salt},i=4096"), ScramError::Nonce),
        (format!("r=x{own}x,s={salt},i=4096"), ScramError::Nonce),
        (
            format!("r={own}x,s=!,i=4096"),
            ScramError::Malformed("salt"),
        ),
        (format!("r={own}x,s=,i=4096"), ScramError::Malformed("salt")),
        (
            format!("r={own}x,s={salt},i=0"),
            ScramError::Malformed("iteration count"),
        ),
        (
            format!("r={own}x,s={salt},i=-1"),
            ScramError::Malformed("iteration count"),
        ),
        (
            format!("r={own}x,s={salt},i=99999999"),
            ScramError::Malformed("iteration count"),
        ),
        (
            format!("r={own}x,s={salt}"),
            ScramError::Malformed("iteration count"),
        ),
        (
            format!("m=x,r={own}x,s={salt},i=1"),
            ScramError::Unsupported("a mandatory SCRAM extension"),
        ),
    ] {
        let answer = Client::new("pw", NONCE).respond(challenge.as_bytes());
        assert_eq!(answer, Err(expected), "{challenge}");
    }
}

#[test]
fn the_client_checks_the_server() {
    let outcome = |answer: &dyn Fn(Vec<u8>) -> Vec<u8>| {
        let (mut client, mut server) = (Client::new("pw", NONCE), server(None));
        let challenge = server.first(SHA_256, &client.first()).unwrap();
        let response = client.respond(&challenge).unwrap();
        let (_, signature) = server.finish(&response, &[keys(&verifier("pw"))]).unwrap();
        client.verify(&answer(signature))
    };
    assert_eq!(outcome(&|signature| signature), Ok(()));
    assert_eq!(
        outcome(&|_| b"e=other-error".to_vec()),
        Err(ScramError::Refused)
    );
    let zeros = format!("v={}", BASE64_STANDARD.encode([0; 32]));
    assert_eq!(
        outcome(&|_| zeros.clone().into_bytes()),
        Err(ScramError::ServerSignature)
    );
    assert!(outcome(&|_| b"v=".to_vec()).is_err());
    assert!(outcome(&|_| Vec::new()).is_err());
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!(
        "{:?} {:?} {:?}",
        Client::new("geheim", NONCE),
        server(Some(ENDPOINT)),
        verifier("geheim")
    );
    assert!(
        !shown.contains("geheim") && !shown.contains("key"),
        "{shown}"
    );
}

proptest! {
    #[test]
    fn any_password_logs_in(password in ".{0,24}", nonce in any::<[u8; NONCE_LEN]>(), bound: bool) {
        let binding = bound.then_some(ENDPOINT);
        let client = Client::new(&password, nonce);
        let client = if bound { client.bound_to(ENDPOINT) } else { client };
        let login = exchange(client, server(binding), &[keys(&verifier(&password))], |sent| sent);
        prop_assert_eq!(login, Ok(0));
    }

    #[test]
    fn one_changed_byte_is_refused(at in 0..300usize, bit in 0..8u8) {
        let (mut client, mut server) = (Client::new("pw", NONCE), server(None));
        let challenge = server.first(SHA_256, &client.first()).unwrap();
        let mut response = client.respond(&challenge).unwrap();
        let at = at % response.len();
        response[at] ^= 1 << bit;
        prop_assert!(server.finish(&response, &[keys(&verifier("pw"))]).is_err());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let mut exchange = server(Some(ENDPOINT));
        let _ = exchange.first(SHA_256_PLUS, &bytes);
        let mut exchange = server(None);
        exchange.first(SHA_256, b"n,,n=,r=abc").unwrap();
        let _ = exchange.finish(&bytes, &[([0; 32], [0; 32])]);
        let _ = Client::new("pw", NONCE).respond(&bytes);
    }
}
