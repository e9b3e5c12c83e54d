//! SQL/JSON and SQL/XML: functions with a grammar of their own, which the gateway does not read. Each is
//! refused by its name, with what does its work here.

use crate::budget;
use crate::lex::{self, Token, character_position};
use crate::refusal::{Place, Reason, Refusal};

/// Words that start such a call, in alphabetical order, and what to write instead.
const FORMS: &[(&str, &str)] = &[
    ("json", "cast the text: value::json"),
    ("json_array", "use json_build_array(value, ...)"),
    ("json_arrayagg", "use json_agg(value)"),
    ("json_exists", "use jsonb_path_exists(document, 'path')"),
    ("json_object", "use json_build_object('key', value, ...)"),
    ("json_objectagg", "use json_object_agg(key, value)"),
    ("json_query", "use jsonb_path_query_first(document, 'path')"),
    ("json_scalar", "use to_json(value)"),
    ("json_serialize", "cast the document: document::text"),
    (
        "json_table",
        "use jsonb_to_recordset(document) AS t(name type, ...), or jsonb_path_query(document, 'path')",
    ),
    (
        "json_value",
        "use jsonb_path_query_first(document, 'path') #>> '{}'",
    ),
    ("xmlconcat", "build the text with || and cast it: text::xml"),
    (
        "xmlelement",
        "build the text with format() and cast it: text::xml",
    ),
    ("xmlexists", "use xpath_exists('path', document)"),
    (
        "xmlforest",
        "build the text with format() and cast it: text::xml",
    ),
    ("xmlparse", "cast the text: value::xml"),
    (
        "xmlpi",
        "build the text with format() and cast it: text::xml",
    ),
    (
        "xmlroot",
        "build the text with format() and cast it: text::xml",
    ),
    ("xmlserialize", "cast the document: document::text"),
    ("xmltable", "use unnest(xpath('path', document))"),
];

/// A refusal said by the name of the construct that it came of, if it came of one of these.
pub(super) fn named(text: &str, refusal: Refusal) -> Refusal {
    match refusal.reason() {
        Reason::Syntax | Reason::Construct | Reason::Function => {}
        _other => return refusal,
    }
    let Ok(lexed) = lex::lex(text, budget::MAX_TOKENS) else {
        return refusal;
    };
    let position = |token: &Token<'_>| character_position(text, token.start);
    let mut forms = lexed.tokens.windows(2).filter_map(|pair| {
        let [token, next] = pair else { return None };
        Some((token, form(token, next)?))
    });
    // The last one before the place where reading ended; IS JSON starts before its words.
    let end = refusal.position().unwrap_or(u32::MAX);
    let by_operand = refusal.message().starts_with("IS JSON");
    let found = if by_operand {
        forms.find(|(token, (name, _))| name == "IS JSON" && position(token) >= end)
    } else {
        forms.rfind(|(token, _)| position(token) <= end)
    };
    let Some((token, (name, instead))) = found else {
        return refusal;
    };
    Refusal::new(
        Reason::Construct,
        format!("{name} is not supported through the gateway"),
    )
    .with_hint(instead)
    .near(Place(position(token)))
}

fn form(token: &Token<'_>, next: &Token<'_>) -> Option<(String, &'static str)> {
    if next.is_word("json") && (token.is_word("is") || token.is_word("not")) {
        let instead = "json_typeof(document) says what a document is";
        return Some(("IS JSON".to_owned(), instead));
    }
    if token.kind != lex::Kind::Word || !next.is("(") {
        return None;
    }
    let index = FORMS
        .binary_search_by(|(word, _)| (*word).cmp(&*token.text))
        .ok()?;
    let (word, instead) = FORMS.get(index)?;
    Some((word.to_ascii_uppercase(), instead))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    #[test]
    fn forms_are_sorted() {
        assert!(FORMS.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn standard_json_and_xml_are_refused_by_name_with_what_to_write_instead() {
        let world = World::limited();
        for (text, name, at) in [
            ("SELECT json_object('a' VALUE 1)", "JSON_OBJECT", 8),
            (
                "SELECT JSON_OBJECT('a': ward) FROM visits",
                "JSON_OBJECT",
                8,
            ),
            ("SELECT json_array(1, 2 NULL ON NULL)", "JSON_ARRAY", 8),
            ("SELECT json_array(SELECT 1)", "JSON_ARRAY", 8),
            (
                "SELECT json_arrayagg(ward RETURNING jsonb) FROM visits",
                "JSON_ARRAYAGG",
                8,
            ),
            (
                "SELECT json_value('{}', '$.a' RETURNING int)",
                "JSON_VALUE",
                8,
            ),
            (
                "SELECT json_query('{}', '$.a' WITH WRAPPER)",
                "JSON_QUERY",
                8,
            ),
            (
                "SELECT 1 FROM json_table('[]', '$[*]' COLUMNS (a int PATH '$'))",
                "JSON_TABLE",
                15,
            ),
            ("SELECT xmlelement(NAME a)", "XMLELEMENT", 8),
            ("SELECT xmlforest(ward AS w) FROM visits", "XMLFOREST", 8),
            ("SELECT xmlserialize(CONTENT x AS text)", "XMLSERIALIZE", 8),
            ("SELECT '1' IS JSON", "IS JSON", 12),
            ("SELECT '1' IS NOT JSON OBJECT", "IS JSON", 15),
        ] {
            let refusal = world.analyse(text).unwrap_err();
            assert_eq!(
                refusal.message(),
                format!("{name} is not supported through the gateway"),
                "{text}"
            );
            assert!(refusal.hint().is_some(), "{text}");
            assert_eq!(refusal.position(), Some(at), "{text}");
        }
        // Functions that are called as any other are, and names that only look so.
        world.admit("SELECT json_object('{a,b}'), \"json_table\" FROM (SELECT 1 AS json_table) x");
        let refusal = world.analyse("SELECT nothing, json_object('{a,b}') FROM visits");
        assert_eq!(refusal.unwrap_err().reason().as_str(), "unknown_column");
    }
}
