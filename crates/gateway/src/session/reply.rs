//! What the server says beside rows, made fit for a client of a masked session.

use bytes::BytesMut;
use phigate_sql::{BoundPolicy, Field};
use phigate_wire::DecodeError;
use phigate_wire::backend::{self, ErrorFields, field};
use phigate_wire::frame::HEADER_LEN;

use crate::enforce::Plan;

/// The longest primary message that is passed on, in bytes.
const MESSAGE_MAX: usize = 1024;

/// PostgreSQL's hints that are the same whatever they are said of (`parse_func.c`, `parse_oper.c`,
/// `parse_target.c`, `parse_clause.c`, `parse_collate.c`, `datetime.c`).
const HINTS: [&str; 11] = [
    "No function matches the given name and argument types. You might need to add explicit type casts.",
    "No operator matches the given name and argument types. You might need to add explicit type casts.",
    "No operator matches the given name and argument type. You might need to add an explicit type cast.",
    "Could not choose a best candidate function. You might need to add explicit type casts.",
    "Could not choose a best candidate operator. You might need to add explicit type casts.",
    "No aggregate function matches the given name and argument types. Perhaps you misplaced ORDER BY; ORDER BY must appear after all regular arguments of the aggregate.",
    "You will need to rewrite or cast the expression.",
    "You might be able to move the set-returning function into a LATERAL FROM item.",
    "For example, FROM (SELECT ...) [AS] foo.",
    "Use the COLLATE clause to set the collation explicitly.",
    "Perhaps you need a different \"datestyle\" setting.",
];

/// How every built-in is qualified in what is sent.
const BUILT_IN: &str = "pg_catalog.";

/// What is left of an upstream error or notice: severity, SQLSTATE, a bounded primary message,
/// which a masked session can only have computed from released values, and a hint that is always
/// the same. Detail, other hints, context and the names of schema, table, column and constraint
/// are dropped, and so is the position, which counts in text that the client never wrote.
pub(super) fn scrub(fields: &mut ErrorFields) {
    let hint = fields
        .get(field::HINT)
        .and_then(|told| HINTS.iter().find(|hint| hint.as_bytes() == told));
    fields.retain(|key| {
        matches!(
            key,
            field::SEVERITY | field::SEVERITY_PLAIN | field::CODE | field::MESSAGE
        )
    });
    let message = match class(fields) {
        // Integrity violations name constraints and values of rows the client may not see.
        b"23" => Some("a constraint was violated".to_owned()),
        // Internal errors and system errors quote files, blocks and tuples.
        b"XX" | b"58" | b"F0" => Some("the database reported an internal error".to_owned()),
        _ => shortened(&fields.message()),
    };
    if let Some(message) = message {
        fields.set(field::MESSAGE, &message);
    }
    if let Some(hint) = hint {
        fields.set(field::HINT, hint);
    }
}

/// Where the server says the error is, in characters from 1 of what was sent.
pub(super) fn position(fields: &ErrorFields) -> Option<u32> {
    let digits = fields.get(field::POSITION)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Says of what the client typed what the server said of what was sent for it: where the error is,
/// and functions and operators as they were called.
pub(super) fn speak_of(fields: &mut ErrorFields, plan: &Plan, position: Option<u32>) {
    if let Some(place) = position.and_then(|sent| plan.position(sent)) {
        fields.set(field::POSITION, &place.to_string());
    }
    if plan.has_typed(BUILT_IN) {
        return;
    }
    if let Some(message) = unqualified(&fields.message()) {
        fields.set(field::MESSAGE, &message);
    }
}

/// The message without the schema that a function or operator was only sent with; `None` for any
/// other message.
fn unqualified(message: &str) -> Option<String> {
    if let Some(rest) = message.strip_prefix("function ") {
        return Some(format!("function {}", rest.strip_prefix(BUILT_IN)?));
    }
    let head = ["operator does not exist: ", "operator is not unique: "]
        .into_iter()
        .find(|head| message.starts_with(head))?;
    let rest = message.strip_prefix(head)?;
    // The last of them: types of other schemas may stand before it.
    let (left, right) = rest.rsplit_once(BUILT_IN)?;
    Some(format!("{head}{left}{right}"))
}

/// Positions count in text that the client never wrote.
pub(super) fn drop_positions(fields: &mut ErrorFields) {
    fields.retain(|key| {
        !matches!(
            key,
            field::POSITION | field::INTERNAL_POSITION | field::INTERNAL_QUERY
        )
    });
}

/// What a scrubbed error lost, for the encrypted part of the record.
pub(super) fn withheld(fields: &ErrorFields) -> String {
    let mut text = fields.message().into_owned();
    for (name, key) in [
        ("detail", field::DETAIL),
        ("hint", field::HINT),
        ("where", field::WHERE),
    ] {
        if let Some(value) = fields.get(key) {
            text.push_str("; ");
            text.push_str(name);
            text.push_str(": ");
            text.push_str(&String::from_utf8_lossy(value));
        }
    }
    text
}

/// A ParameterStatus as the client may see it; `None` leaves it as it is.
pub(super) fn parameter_status(
    body: &[u8],
    session: &str,
    principal: Option<&str>,
) -> Result<Option<BytesMut>, DecodeError> {
    let (name, value) = backend::decode_parameter_status(body)?;
    let Some(value) = shown(&name, &value, session, principal) else {
        return Ok(None);
    };
    let mut out = BytesMut::new();
    backend::parameter_status(&name, value, &mut out);
    Ok(Some(out))
}

/// The value of a parameter where the client sees another than the server's: its application_name
/// without our prefix, and itself as the user.
pub(super) fn shown<'v>(
    name: &str,
    value: &'v str,
    session: &str,
    principal: Option<&'v str>,
) -> Option<&'v str> {
    match name {
        "application_name" => {
            let own = value.strip_prefix(session)?;
            Some(own.strip_prefix(' ').unwrap_or(own))
        }
        "session_authorization" => principal,
        "is_superuser" if principal.is_some() => Some("off"),
        _ => None,
    }
}

/// What a row description is found to be.
#[derive(Debug)]
pub(super) enum Described {
    /// Nothing of it has to change.
    AsItIs,
    /// Fields of masked views, told as what they stand for.
    As(BytesMut),
    /// The tripwire: a field is a masked column itself. Everything a masked statement returns is
    /// computed, or from an unmasked column.
    Masked,
}

/// Looks at a row description.
pub(super) fn described(body: &[u8], policy: &BoundPolicy) -> Result<Described, DecodeError> {
    let mut fields = backend::decode_row_description(body)?;
    let mut changed = false;
    for field in &mut fields {
        let (table, column) = match policy.field(field.table_oid, field.column) {
            Field::AsItIs => continue,
            Field::Masked => return Ok(Described::Masked),
            Field::Base(table, column) => (table, column),
            Field::Computed => (0, 0),
        };
        changed = true;
        (field.table_oid, field.column) = (table, column);
    }
    if !changed {
        return Ok(Described::AsItIs);
    }
    let mut out = BytesMut::with_capacity(body.len() + HEADER_LEN);
    backend::row_description(&fields, &mut out);
    Ok(Described::As(out))
}

fn class(fields: &ErrorFields) -> &[u8] {
    fields
        .get(field::CODE)
        .and_then(|code| code.get(..2))
        .unwrap_or_default()
}

fn shortened(message: &str) -> Option<String> {
    if message.len() <= MESSAGE_MAX {
        return None;
    }
    let mut end = MESSAGE_MAX;
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    Some(format!("{} ...", message.get(..end).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(u8, &str)]) -> ErrorFields {
        let mut fields = ErrorFields::default();
        for (key, value) in pairs {
            fields.set(*key, value);
        }
        fields
    }

    #[test]
    fn only_severity_code_and_message_are_left() {
        let mut error = fields(&[
            (b'S', "ERROR"),
            (b'V', "ERROR"),
            (b'C', "22P02"),
            (b'M', "invalid input syntax for type integer: \"x\""),
            (b'D', "Failing row contains (123-45-6789)."),
            (b'W', "SQL function f"),
            (b't', "patients"),
            (b'P', "17"),
        ]);
        scrub(&mut error);
        let mut out = BytesMut::new();
        error.encode(&mut out);
        let text = String::from_utf8_lossy(&out).into_owned();
        assert!(text.contains("invalid input syntax"), "{text}");
        for gone in ["123-45", "SQL function", "patients", "17"] {
            assert!(!text.contains(gone), "{gone} in {text}");
        }
    }

    #[test]
    fn hints_that_are_always_the_same_are_kept() {
        let hint = "You will need to rewrite or cast the expression.";
        for (told, kept) in [(hint, Some(hint)), ("Did you mean patient 4711?", None)] {
            let mut error = fields(&[(b'C', "42804"), (b'M', "m"), (b'H', told)]);
            scrub(&mut error);
            assert_eq!(error.get(b'H'), kept.map(str::as_bytes));
        }
    }

    #[test]
    fn functions_and_operators_are_named_as_they_were_called() {
        for (sent, typed) in [
            (
                "function pg_catalog.lower(integer) does not exist",
                Some("function lower(integer) does not exist"),
            ),
            (
                "operator does not exist: bigint pg_catalog.= text",
                Some("operator does not exist: bigint = text"),
            ),
            (
                "operator does not exist: pg_catalog.- text",
                Some("operator does not exist: - text"),
            ),
            ("function f(integer) does not exist", None),
            (
                "invalid input syntax for type integer: \"function pg_catalog.\"",
                None,
            ),
        ] {
            assert_eq!(unqualified(sent).as_deref(), typed);
        }
    }

    #[test]
    fn constraint_violations_lose_their_words() {
        let mut error = fields(&[
            (b'C', "23505"),
            (b'M', "duplicate key violates \"patients_ssn_key\""),
        ]);
        scrub(&mut error);
        assert_eq!(error.message(), "a constraint was violated");
    }

    #[test]
    fn the_tripwire_knows_a_masked_column_by_oid_and_number() {
        use phigate_phi::{ColumnType, KeyAccess, ReleaseContext, Rule, Treatment, Unclassified};
        use phigate_sql::{Column, Relation, RelationKind, SnapshotBuilder};

        let column = |attnum, name: &str| Column {
            attnum,
            name: name.to_owned(),
            ty: ColumnType::builtin(25, -1, "pg_catalog.text"),
            generated: None,
        };
        let rule = |column: &str, treatment: &str| Rule {
            column: format!("patients.{column}").parse().unwrap(),
            identifier: "ssn".parse().unwrap(),
            treatment: treatment.parse::<Treatment>().unwrap(),
            json_paths: phigate_phi::JsonPaths::NONE,
        };
        let mut catalog = SnapshotBuilder::new(1, 15);
        catalog.relation(Relation {
            oid: 16400,
            schema: "public".to_owned(),
            name: "patients".to_owned(),
            kind: RelationKind::Table,
            columns: vec![column(1, "ssn"), column(2, "sex")],
            parents: Vec::new(),
            definition: None,
            has_rules: false,
        });
        let profile = phigate_types::Profile::LimitedDataset;
        let rules = vec![rule("ssn", "null"), rule("sex", "keep")];
        let policy =
            phigate_phi::EffectivePolicy::from_parts(profile, Unclassified::Refuse, rules).unwrap();
        let context = ReleaseContext::new(profile, "2026-01-01".to_owned(), KeyAccess::Settings);
        let bound = BoundPolicy::bind(&policy, &catalog.build(), &context);
        let body = |oid: u32, number: i16| {
            let mut body = vec![0, 1, b'x', 0];
            body.extend(oid.to_be_bytes());
            body.extend(number.to_be_bytes());
            body.extend([0, 0, 0, 25, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]);
            body
        };
        let masked = |oid, number| {
            matches!(
                described(&body(oid, number), &bound).unwrap(),
                Described::Masked
            )
        };
        assert!(masked(16400, 1));
        assert!(!masked(16400, 2));
        assert!(!masked(0, 0), "computed");
        assert!(described(&body(16400, 1)[..10], &bound).is_err());
    }

    #[test]
    fn fields_of_masked_views_are_told_as_those_of_relations() {
        use phigate_phi::{ColumnType, KeyAccess, ReleaseContext, Rule, Unclassified};
        use phigate_sql::{Column, HardenedView, Relation, RelationKind, SnapshotBuilder, Through};

        let mut catalog = SnapshotBuilder::new(1, 15);
        catalog.relation(Relation {
            oid: 16400,
            schema: "public".to_owned(),
            name: "wards".to_owned(),
            kind: RelationKind::Table,
            columns: vec![Column {
                attnum: 7,
                name: "beds".to_owned(),
                ty: ColumnType::builtin(23, -1, "integer"),
                generated: None,
            }],
            parents: Vec::new(),
            definition: None,
            has_rules: false,
        });
        let profile = phigate_types::Profile::LimitedDataset;
        let rules = vec![Rule {
            column: "wards.beds".parse().unwrap(),
            identifier: "none".parse().unwrap(),
            treatment: "keep".parse().unwrap(),
            json_paths: phigate_phi::JsonPaths::NONE,
        }];
        let policy =
            phigate_phi::EffectivePolicy::from_parts(profile, Unclassified::Refuse, rules).unwrap();
        let context = ReleaseContext::new(profile, "", KeyAccess::Slot);
        let snapshot = catalog.clone().build();
        let bound = BoundPolicy::bind(&policy, &snapshot, &context);
        let fingerprint = bound.masked_views(&snapshot)[0].fingerprint.clone();
        let view = HardenedView {
            view: 16500,
            own_rows: None,
            fingerprint,
        };
        catalog.hardened(policy.id.as_str(), 16400, view);
        let through = Through {
            database: "clinic",
            user: "broker",
        };
        let bound = bound.through_views(&catalog.build(), &through);
        let mut frame = BytesMut::new();
        let mut beds = backend::RowField {
            name: b"beds",
            table_oid: 16500,
            column: 1,
            type_oid: 23,
            type_len: 4,
            typmod: -1,
            format: 0,
        };
        backend::row_description(&[beds], &mut frame);
        let Described::As(said) = described(&frame[HEADER_LEN..], &bound).unwrap() else {
            panic!("not rewritten");
        };
        (beds.table_oid, beds.column) = (16400, 7);
        frame.clear();
        backend::row_description(&[beds], &mut frame);
        assert_eq!(said, frame);
    }

    #[test]
    fn clients_see_their_own_application_name() {
        assert_eq!(
            shown(
                "application_name",
                "0123456789ab psql",
                "0123456789ab",
                None
            ),
            Some("psql")
        );
        assert_eq!(
            shown("application_name", "0123456789ab", "0123456789ab", None),
            Some("")
        );
        assert_eq!(
            shown("application_name", "other", "0123456789ab", None),
            None
        );
        assert_eq!(
            shown("TimeZone", "UTC", "0123456789ab", Some("alice")),
            None
        );
    }
}
