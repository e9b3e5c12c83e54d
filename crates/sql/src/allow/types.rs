//! Built-in types. `types.txt`: `typname allow|deny majors  # why denied`.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::table;

/// The built-in type whose name in `pg_type` is `name`, if clients may cast to it; `_int4` is the
/// array of `int4`. For names that were quoted or schema-qualified: `pg_catalog.char` is `"char"`.
pub(crate) fn type_name(name: &str) -> Option<&'static str> {
    let (allowed, &decision) = TYPES.get_key_value(name)?;
    decision.then_some(allowed)
}

static TYPES: LazyLock<HashMap<&'static str, bool>> = LazyLock::new(|| {
    table::rows(include_str!("types.txt"))
        .map(|row| (row.word(0), row.word(1) == "allow"))
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_types_arrays_and_reg_types_are_allowed() {
        for name in [
            "int4",
            "text",
            "varchar",
            "timestamptz",
            "jsonb",
            "_text",
            "regclass",
            "oid",
            "char",
            "name",
            "int4range",
            "tsmultirange",
            "interval",
            "xml",
            "pg_lsn",
            "int2vector",
            "inet",
        ] {
            assert_eq!(type_name(name), Some(name));
        }
    }

    #[test]
    fn pseudo_types_and_unknown_ones_are_not() {
        for name in [
            "record",
            "anyelement",
            "internal",
            "cstring",
            "trigger",
            "int",
            "mytype",
            "",
        ] {
            assert_eq!(type_name(name), None, "{name}");
        }
    }
}
