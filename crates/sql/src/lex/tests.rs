use super::*;

fn tokens(text: &str) -> Vec<(Kind, String)> {
    lex(text, 1_000)
        .unwrap()
        .tokens
        .into_iter()
        .map(|t| (t.kind, t.text.into_owned()))
        .collect()
}

fn texts(text: &str) -> Vec<String> {
    tokens(text).into_iter().map(|(_, text)| text).collect()
}

fn fails(text: &str) -> LexErrorKind {
    lex(text, 1_000).unwrap_err().kind
}

#[test]
fn words_fold_ascii_only_and_are_cut_at_63_bytes() {
    assert_eq!(
        texts("PATIENTS ÄRZTE \u{212a} a$X_1"),
        ["patients", "Ärzte", "\u{212a}", "a$x_1"]
    );
    assert_eq!(texts(&"a".repeat(70)), ["a".repeat(63)]);
    // 62 ASCII bytes and a two-byte character: the character goes as a whole.
    assert_eq!(texts(&format!("{}ä", "a".repeat(62))), ["a".repeat(62)]);
    assert_eq!(
        texts(&format!("\"{}ä\"", "A".repeat(61))),
        [format!("{}ä", "A".repeat(61))]
    );
}

#[test]
fn quotes_are_undoubled_once() {
    assert_eq!(texts(r#"'a''''b' "a""""b""#), ["a''b", r#"a""b"#]);
}

/// SQL.md R1: with standard-conforming strings a backslash is a backslash.
#[test]
fn r1_a_backslash_does_not_escape_in_a_plain_string() {
    assert_eq!(
        texts(r"SELECT '\'' UNION SELECT ssn FROM patients --'").len(),
        2
    );
    assert_eq!(texts(r"'\'"), [r"\"]);
}

#[test]
fn escape_strings_follow_scan_l() {
    for (text, value) in [
        (r"E'a\'b''c'", "a'b'c"),
        (r"e'\b\f\n\r\t\q\\'", "\u{8}\u{c}\n\r\tq\\"),
        (r"E'\047\x27\u0027\U00000027'", "''''"),
        (r"E'\1011\x411\x'", "A1A1x"),
        (r"E'\303\244\xc3\xa4'", "ää"),
        (r"E'\uD83D\uDE00\uD83D\U0000DE00'", "😀😀"),
        ("E'\\\n'", "\n"),
        (r"E'\ä'", "ä"),
    ] {
        assert_eq!(texts(text), [value], "{text}");
    }
    for (text, error) in [
        (r"E'\000'", LexErrorKind::ZeroByte),
        (r"E'\x00'", LexErrorKind::ZeroByte),
        (r"E'\u0000'", LexErrorKind::InvalidEscape),
        (r"E'\u12'", LexErrorKind::InvalidEscape),
        (r"E'\uD83D'", LexErrorKind::InvalidEscape),
        (r"E'\uDE00'", LexErrorKind::InvalidEscape),
        (r"E'\U00110000'", LexErrorKind::InvalidEscape),
        (r"E'\400'", LexErrorKind::InvalidEscape),
        (r"E'\xff'", LexErrorKind::InvalidUtf8),
        (r"E'\v'", LexErrorKind::VersionDependentEscape),
        (r"E'\'", LexErrorKind::UnterminatedString),
        (r"E'a\", LexErrorKind::UnterminatedString),
    ] {
        assert_eq!(fails(text), error, "{text}");
    }
}

#[test]
fn unicode_strings_are_decoded_and_uescape_is_refused() {
    assert_eq!(
        texts(r"U&'d\0061t\+000061\\' u&'a''b'".split(' ').next().unwrap()),
        [r"data\"]
    );
    assert_eq!(texts(r"U&'\D83D\DE00''x'"), ["😀'x"]);
    for text in [
        r"U&'\00'",
        r"U&'\zzzz'",
        r"U&'\0000'",
        r"U&'\D83Dx'",
        r"U&'\+110000'",
    ] {
        assert_eq!(fails(text), LexErrorKind::InvalidEscape, "{text}");
    }
}

#[test]
fn unicode_escapes_are_read_by_the_character_that_uescape_names() {
    let read = |text: &str| {
        let mut lexed = lex(text, 20).map_err(|error| error.kind)?;
        unicode_escapes(text, &mut lexed).map_err(|error| error.kind)?;
        let texts = lexed
            .tokens
            .into_iter()
            .map(|token| token.text.into_owned());
        Ok::<_, LexErrorKind>(texts.collect::<Vec<_>>())
    };
    for (text, expected) in [
        (r"U&'d!0061t!!' UESCAPE '!' x", ["dat!", "x"]),
        (r"U&'d\0061''' uescape '!' x", [r"d\0061'", "x"]),
        (r#"U&"d\0061""" x"#, ["da\"", "x"]),
        (r#"u&"d*+000061" UESCAPE '*' x"#, ["da", "x"]),
    ] {
        assert_eq!(read(text).unwrap(), expected, "{text}");
    }
    let long = format!(r#"U&"{}\0061b" x"#, "é".repeat(31));
    assert_eq!(read(&long).unwrap()[0].len(), 63, "cut after it is read");
    for text in [
        "U&'a' UESCAPE",
        "U&'a' UESCAPE 'ab'",
        "U&'a' UESCAPE 'a'",
        "U&'a' UESCAPE '+'",
        "U&'a' UESCAPE ''''",
        "U&'a' UESCAPE E'!'",
        "U&'a' UESCAPE '!'\n'b'",
        "U&'a' UESCAPE \"!\"",
        "'a' UESCAPE '!'",
    ] {
        assert_eq!(read(text), Err(LexErrorKind::Uescape), "{text}");
    }
    for text in [r#"U&"\0000""#, r#"U&"\zzzz""#, "U&'!zzzz' UESCAPE '!'"] {
        assert_eq!(read(text), Err(LexErrorKind::InvalidEscape), "{text}");
    }
    assert_eq!(read("U&\"\""), Err(LexErrorKind::EmptyIdentifier));
}

/// SQL.md P4.
#[test]
fn p4_unicode_identifiers_are_one_token() {
    assert_eq!(
        tokens(r#"u&"ss\006e""#),
        [(Kind::QuotedIdentifier, r"ss\006e".into())]
    );
    assert_eq!(texts(r#"xu&"a""#), ["xu", "&", "a"]);
    assert_eq!(texts(r#"u& "a""#), ["u", "&", "a"]);
}

#[test]
fn national_and_bad_bit_strings_are_refused() {
    assert_eq!(fails("N'\\'' OR 1"), LexErrorKind::NationalString);
    assert_eq!(fails("B'012'"), LexErrorKind::InvalidBitString);
    assert_eq!(fails("X'a''b'"), LexErrorKind::InvalidBitString);
    assert_eq!(
        tokens("b'01' X'fF'".split(' ').next().unwrap()),
        [(Kind::BitString, "01".into())]
    );
}

#[test]
fn dollar_quotes_need_their_own_tag() {
    assert_eq!(texts("$$a'b$$"), ["a'b"]);
    assert_eq!(texts("$Tag$a$tag$b$$c$Tag$"), ["a$tag$b$$c"]);
    assert_eq!(texts("$ä$x$ä$"), ["x"]);
    assert_eq!(texts("a$x$ b"), ["a$x$", "b"]);
    assert_eq!(fails("$a$ $A$"), LexErrorKind::UnterminatedDollarQuote);
    assert_eq!(fails("$ a"), LexErrorKind::InvalidCharacter);
    assert_eq!(fails("$a "), LexErrorKind::InvalidCharacter);
}

#[test]
fn parameters_are_numbers_in_range() {
    assert_eq!(tokens("$1"), [(Kind::Parameter, "1".into())]);
    assert_eq!(fails("$0"), LexErrorKind::ParameterOutOfRange);
    assert_eq!(fails("$65536"), LexErrorKind::ParameterOutOfRange);
    assert_eq!(fails("$1abc"), LexErrorKind::ParameterJunk);
}

#[test]
fn strings_go_on_in_another_line_and_nowhere_else() {
    let joined = |text: &str| {
        let mut lexed = lex(text, 10).unwrap();
        join_continued(text, &mut lexed).map(|()| {
            let tokens = lexed.tokens.into_iter();
            tokens
                .map(|token| token.text.into_owned())
                .collect::<Vec<_>>()
        })
    };
    for text in ["'a'\n'b'", "'a' -- x\n 'b'", "E'a'\r 'b'", "'a'\n'b' from"] {
        assert_eq!(joined(text).unwrap()[0], "ab", "{text}");
    }
    assert_eq!(joined("'a'\n'b'\n\n'c''' x").unwrap(), ["abc'", "x"]);
    assert_eq!(joined("'a\\'\n'\\b'").unwrap(), ["a\\\\b"]);
    // The second would be read by the rules of the first, or is no part of it.
    for text in [
        "E'a'\n'\\n'",
        "U&'a'\n'\\0061'",
        "'a'\nE'b'",
        "$$a$$\n'b'",
        "b'1'\nb'0'",
    ] {
        let error = joined(text).unwrap_err().kind;
        assert_eq!(error, LexErrorKind::StringContinuation, "{text}");
    }
    assert_eq!(fails("'a'\n/* x */ 'b'"), LexErrorKind::AdjacentStrings);
    assert_eq!(fails("'a' 'b'"), LexErrorKind::AdjacentStrings);
    assert_eq!(fails("'a'$$b$$"), LexErrorKind::AdjacentStrings);
}

#[test]
fn numbers_in_every_form() {
    for (text, value) in [
        ("1", "1"),
        ("1.5", "1.5"),
        ("1.", "1."),
        (".5", ".5"),
        ("1e5", "1e5"),
        ("1.e-5", "1.e-5"),
        ("1_000.0_1e1_0", "1000.01e10"),
        ("0x1F", "31"),
        ("0o17", "15"),
        ("0b101", "5"),
        ("0x_ff", "255"),
    ] {
        assert_eq!(tokens(text), [(Kind::Number, value.to_owned())], "{text}");
    }
    assert_eq!(texts("[1..2]"), ["[", "1", "..", "2", "]"]);
    for text in [
        "1a", "1_", "1__0", "1.a", "1e", "1e+", "0x", "0xg", "0b2", "0o8", "123ä",
    ] {
        assert_eq!(fails(text), LexErrorKind::NumberJunk, "{text}");
    }
    assert_eq!(
        fails(&format!("0x{}", "f".repeat(33))),
        LexErrorKind::NumberTooLarge
    );
}

#[test]
fn operators_end_where_scan_l_ends_them() {
    assert_eq!(texts("a<>-1"), ["a", "<>", "-", "1"]);
    assert_eq!(texts("a>=+-1"), ["a", ">=", "+", "-", "1"]);
    assert_eq!(texts("a*-1"), ["a", "*", "-", "1"]);
    assert_eq!(texts("a@-1"), ["a", "@-", "1"]);
    assert_eq!(texts("a|/-+b"), ["a", "|/-+", "b"]);
    assert_eq!(texts("a||/*c*/b"), ["a", "||", "b"]);
    assert_eq!(texts("a||--c\nb"), ["a", "||", "b"]);
    assert_eq!(texts("a+--c\nb"), ["a", "+", "b"]);
    assert_eq!(texts("- -1"), ["-", "-", "1"]);
    assert_eq!(texts("a!=b"), ["a", "<>", "b"]);
    assert_eq!(
        texts("a=>b:=c::d..e"),
        ["a", "=>", "b", ":=", "c", "::", "d", "..", "e"]
    );
    assert_eq!(texts("a ?~ b"), ["a", "?~", "b"]);
    let longest = "@".repeat(63);
    assert_eq!(texts(&longest), [longest.as_str()]);
    assert_eq!(texts(&format!("{longest}--")), [longest.as_str()]);
    assert_eq!(fails(&"@".repeat(64)), LexErrorKind::OperatorTooLong);
    // PostgreSQL reads these as signs, each time all over again.
    assert_eq!(fails(&"+".repeat(1 << 20)), LexErrorKind::OperatorTooLong);
}

#[test]
fn comments_nest_and_end_at_either_newline() {
    assert_eq!(texts("a/*/*b*/c*/d--e\rf--g\nh--"), ["a", "d", "f", "h"]);
    assert_eq!(texts("/**/a/***/b/*/**/*/"), ["a", "b"]);
    assert_eq!(fails("/* /* */"), LexErrorKind::UnterminatedComment);
    assert_eq!(fails("/*/"), LexErrorKind::UnterminatedComment);
}

#[test]
fn white_space_is_that_of_every_major() {
    assert_eq!(texts(" \t\n\r\x0ca"), ["a"]);
    assert_eq!(fails("a\x0bb"), LexErrorKind::VerticalTab);
    assert_eq!(fails("a\0b"), LexErrorKind::ZeroByte);
    assert_eq!(fails("a\x01b"), LexErrorKind::InvalidCharacter);
    assert_eq!(fails("a\\b"), LexErrorKind::InvalidCharacter);
    assert_eq!(fails("{a}"), LexErrorKind::InvalidCharacter);
    // No-break space and zero-width characters are identifier bytes to PostgreSQL.
    assert_eq!(texts("a\u{a0}b"), ["a\u{a0}b"]);
}

#[test]
fn unterminated_things_are_named_where_they_start() {
    let error = lex("select 'ab", 10).unwrap_err();
    assert_eq!(
        error,
        LexError {
            kind: LexErrorKind::UnterminatedString,
            at: 7
        }
    );
    assert_eq!(fails("\"a"), LexErrorKind::UnterminatedIdentifier);
    assert_eq!(fails("\"\""), LexErrorKind::EmptyIdentifier);
    assert_eq!(fails("U&'a"), LexErrorKind::UnterminatedString);
}

#[test]
fn the_token_budget_holds() {
    assert_eq!(
        lex("a b c", 2).unwrap_err().kind,
        LexErrorKind::TooManyTokens
    );
    assert!(lex("a b c", 3).is_ok());
}

#[test]
fn positions_count_characters() {
    assert_eq!(character_position("äb", 2), 2);
    assert_eq!(character_position("äb", 0), 1);
    assert_eq!(character_position("äb", 99), 3);
}

proptest::proptest! {
    /// Tokens and comments cover every byte that is not white space, in order, without overlap.
    #[test]
    fn every_byte_is_accounted_for(text in "[a-zA-Z0-9'\"$ .;:,()/*|<>=@~+\\-\nä\\\\]{0,60}") {
        if let Ok(lexed) = lex(&text, 1_000) {
            let mut ranges: Vec<_> = lexed.tokens.iter().map(|t| (t.start, t.end)).collect();
            ranges.extend(&lexed.comments);
            ranges.sort_unstable();
            let mut at = 0;
            for (start, end) in ranges {
                proptest::prop_assert!(at <= start && start < end);
                proptest::prop_assert!(text[at..start].chars().all(|c| c.is_ascii_whitespace()));
                at = end;
            }
            proptest::prop_assert!(text[at..].chars().all(|c| c.is_ascii_whitespace()));
        }
    }
}
