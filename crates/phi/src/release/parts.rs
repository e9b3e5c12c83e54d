//! Texts that are made of keys: `123`, a uuid, `Patient/123`, `urn:uuid:...`, several of these with
//! commas between, and a number with a count behind it (MIMIC-IV's `10014354-67`). Each number, uuid or
//! identifier in them gets the code that it has by itself, so that it still joins with the column it
//! comes from; what stands around it stays.

use super::sql::{call, constant, op};

/// The key of the part at hand, within [`joined`] and [`split`].
pub(super) const KEY: &str = "a.p[2]";
/// What stands before it.
const BEFORE: &str = "a.p[1]";

/// A whole number as `int8` writes it, always within its range.
const NUMBER: &str = "(?:0|-?[1-9][0-9]{0,17})";
const UUID: &str = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}";

/// What a FHIR reference may have behind the resource (FHIR R4, `id`), with the colons of object
/// identifiers.
const REFERRED: &str = "[A-Za-z0-9.:-]+";

/// What may stand before a key, by its shape. [`STAYS`] says of which it may.
const PREFIX: &str = "(?:[A-Za-z]+/|[Uu][Rr][Nn]:[A-Za-z]+:)";

/// What may stand before a key and stay, in lower case: names of FHIR R4 resources that records refer
/// to, and of URNs. A closed list, for any other word might be somebody's name.
const STAYS: [&str; 49] = [
    "",
    "account/",
    "allergyintolerance/",
    "appointment/",
    "careplan/",
    "careteam/",
    "claim/",
    "claimresponse/",
    "composition/",
    "condition/",
    "consent/",
    "coverage/",
    "device/",
    "diagnosticreport/",
    "documentreference/",
    "encounter/",
    "episodeofcare/",
    "explanationofbenefit/",
    "familymemberhistory/",
    "goal/",
    "group/",
    "healthcareservice/",
    "imagingstudy/",
    "immunization/",
    "location/",
    "media/",
    "medication/",
    "medicationadministration/",
    "medicationdispense/",
    "medicationrequest/",
    "medicationstatement/",
    "nutritionorder/",
    "observation/",
    "organization/",
    "patient/",
    "person/",
    "practitioner/",
    "practitionerrole/",
    "procedure/",
    "provenance/",
    "questionnaireresponse/",
    "relatedperson/",
    "schedule/",
    "servicerequest/",
    "slot/",
    "specimen/",
    "task/",
    "urn:uuid:",
    "urn:oid:",
];

/// A number, and a count behind it.
const COUNTED: &str = "'^[1-9][0-9]{5,17}-(?:0|[1-9][0-9]{0,8})$'";

/// What stands between the keys of a list.
const COMMA: &str = ", ?";

/// That a text is made of keys. `text` is SQL, of the collation `C`. Most texts fail at the first test,
/// by their first characters.
pub(super) fn is_composite(text: &str) -> String {
    let begins = op(
        text,
        "~",
        "'^(?:-?[0-9]|[A-Za-z]+/|[Uu][Rr][Nn]:|[0-9A-Fa-f]{8}-)'",
    );
    let key = format!("(?:{NUMBER}|{UUID}|{PREFIX}{REFERRED})");
    let is_list = op(text, "~", &format!("'^{key}(?:{COMMA}{key})*$'"));
    let is_counted = op(text, "~", COUNTED);
    let stays = constant(&format!("{{{}}}", quoted().join(",")), "text[]");
    let known = format!(
        "({} OPERATOR(pg_catalog.=) ANY ({stays}))",
        call("lower", &[BEFORE])
    );
    let all_known = format!(
        "(SELECT {} FROM {} AS a (p, n))",
        call("bool_and", &[&known]),
        split(text)
    );
    format!("({begins} AND ({is_list} OR {is_counted}) AND {all_known})")
}

/// The parts of such a text as rows of an array and a number: what stands before a key, the key, what
/// stands behind it.
pub(super) fn split(text: &str) -> String {
    let pattern = format!(
        "CASE WHEN {} THEN '()([0-9]+)(-|$)' ELSE '({PREFIX}?)({REFERRED})({COMMA}|$)' END",
        op(text, "~", COUNTED)
    );
    let matches = call("regexp_matches", &[text, &pattern, "'g'"]);
    format!("{matches} WITH ORDINALITY")
}

/// The text with `code`, an expression over [`KEY`], in the place of each key; NULL where one has none.
pub(super) fn joined(text: &str, code: &str) -> String {
    let part = op(&op("j.p[1]", "||", "j.c"), "||", "j.p[3]");
    let all = call("bool_and", &["(j.c IS NOT NULL)"]);
    format!(
        "(SELECT CASE WHEN {all} THEN pg_catalog.string_agg({part}, '' ORDER BY j.n) ELSE NULL END \
         FROM (SELECT {code} AS c, a.p, a.n FROM {} AS a (p, n) OFFSET 0) AS j)",
        split(text)
    )
}

/// That a key is a number, or a uuid: so that a cast cannot fail.
pub(super) fn is_number(key: &str) -> String {
    op(key, "~", &format!("'^{NUMBER}$'"))
}

/// See [`is_number`].
pub(super) fn is_uuid(key: &str) -> String {
    op(key, "~", &format!("'^{UUID}$'"))
}

/// As elements of an array's text.
fn quoted() -> [String; STAYS.len()] {
    STAYS.map(|prefix| format!("\"{prefix}\""))
}
