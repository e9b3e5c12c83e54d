//! `text_scrub`: what looks like an identifier is replaced; what does not, leaves. Someone accepted
//! that risk when they wrote `text_scrub` into the classification file; `docs/text-scrub.md` says what is and
//! what is not recognised.

use super::sql::{call, op, plain_text};
use super::text::WITHHELD;

/// The longest text that is read, in bytes; of a longer one nothing leaves. PostgreSQL's expressions fail
/// above 256 MiB (`regexp.c`, which widens the text in memory), and cost time long before.
const READ_MAX: usize = 1 << 20;

/// Patterns (PostgreSQL's advanced regular expressions), what stands for them, and `regexp_replace`'s
/// flags, applied in this order. The column is read under the collation `C`, whose classes know ASCII alone:
/// letters are written as what is no other ASCII character, so that those of every script are among them.
const PATTERNS: &[(&str, &str, &str)] = &[
    // Addresses of mail and web.
    (
        r#"[^[:space:]<>()@,;:"]+@[^[:space:]<>()@,;:"]+"#,
        "[email]",
        "g",
    ),
    (r"\m(https?://|www\.)[^[:space:]]+", "[url]", "g"),
    // A name after titles, with its particles.
    (
        r"(\m(Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sr|Sra|Herr|Frau|MR|MRS|MS|DR)\M\.?[[:space:]\u00a0]+)+((van|von|der|den|ter|de|del|della|di|da|dos|la|le|bin|al|el)[[:space:]\u00a0]+)*[^\u0001-@[-\u007f][^\u0001-&(-,.-@[-`{-\u007f]*([[:space:]\u00a0]+((van|von|der|den|ter|de|del|della|di|da|dos|la|le|bin|al|el)[[:space:]\u00a0]+)*[^\u0001-@[-\u007f]\.?[^\u0001-&(-,.-@[-`{-\u007f]*)*",
        "[name]",
        "g",
    ),
    // Dates: 2020-03-01, 3/1/20, 1.3.2020, 1 March 2020, March 1st.
    (
        r"\m[0-9]{4}[-/.][0-9]{1,2}([-/.][0-9]{1,2})?([T ][0-9:.]+Z?)?\M",
        "[date]",
        "g",
    ),
    (
        r"\m[0-9]{1,2}[-/.][0-9]{1,2}[-/.]([0-9]{4}|[0-9]{2})\M",
        "[date]",
        "g",
    ),
    (
        r"\m([0-9]{1,2}(st|nd|rd|th)?[ -]+(of )?)?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[[:alpha:]]*\.?[ -]+[0-9]{1,4}(st|nd|rd|th)?\M(,? *[0-9]{4}\M)?",
        "[date]",
        "gi",
    ),
    // Times of day.
    (r"\m[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?\M", "[time]", "g"),
    // Ages over 89.
    (
        r"\m(9[0-9]|1[0-9]{2})(?=[ -]*(y/?o|y\.o|yr|year))",
        "90",
        "g",
    ),
    // Street addresses.
    (
        r"\m[0-9]+[[:alpha:]]? +([[:upper:]][[:alpha:]]*\.? +){1,4}(St|Street|Ave|Avenue|Rd|Road|Blvd|Boulevard|Dr|Drive|Ln|Lane|Ct|Court|Way|Pl|Place|Hwy|Highway)\M",
        "[address]",
        "g",
    ),
    // Four digits and more, with the marks between them that numbers are written with: telephone,
    // record, account and social security numbers, ZIP codes, years, addresses of the internet.
    (r"\+?\(?[0-9]([ ().:/#-]{0,2}[0-9]){5,}", "[number]", "g"),
    (r"[0-9]{4,}", "[number]", "g"),
];

/// The column's text with every pattern replaced.
pub(super) fn scrub(column: &str) -> String {
    let scrubbed =
        PATTERNS
            .iter()
            .fold(plain_text(column), |text, (pattern, replacement, flags)| {
                // An escape string reads the same whatever `standard_conforming_strings` says.
                let pattern = pattern.replace('\\', r"\\").replace('\'', "''");
                call(
                    "regexp_replace",
                    &[
                        &text,
                        &format!("E'{pattern}'"),
                        &format!("'{replacement}'"),
                        &format!("'{flags}'"),
                    ],
                )
            });
    let length = call("octet_length", &[&plain_text(column)]);
    let is_long = op(&length, ">", &READ_MAX.to_string());
    format!("CASE WHEN {is_long} THEN '{WITHHELD}' ELSE {scrubbed} END")
}
