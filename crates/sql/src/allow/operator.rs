//! Built-in operators, by symbol. `operators.txt`: `symbol allow|deny infix|prefix|both majors`.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::table;

/// Whether `pg_catalog` has an operator `symbol` between two operands that clients may use.
pub(crate) fn operator(symbol: &str) -> bool {
    matches!(OPERATORS.get(symbol), Some(&("infix" | "both")))
}

/// Whether `pg_catalog` has an operator `symbol` before one operand that clients may use.
pub(crate) fn prefix_operator(symbol: &str) -> bool {
    matches!(OPERATORS.get(symbol), Some(&("prefix" | "both")))
}

static OPERATORS: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    table::rows(include_str!("operators.txt"))
        .filter(|row| row.word(1) == "allow")
        .map(|row| (row.word(0), row.word(2)))
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_operators_are_known() {
        for symbol in [
            "=", "<>", "+", "||", "~~*", "@>", "?|", "#>>", "-|-", "#", "##", "<->",
        ] {
            assert!(operator(symbol), "{symbol}");
        }
        assert!(prefix_operator("-") && prefix_operator("|/") && prefix_operator("@-@"));
    }

    #[test]
    fn others_are_not() {
        for symbol in ["==", "||/*", "<>--", "%%", "!=", ""] {
            assert!(!operator(symbol), "{symbol}");
        }
        assert!(!prefix_operator("||") && !operator("|/"));
    }
}
