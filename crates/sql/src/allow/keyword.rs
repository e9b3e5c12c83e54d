//! PostgreSQL's keywords and where each may be a name (`src/include/parser/kwlist.h`).

use std::collections::HashMap;
use std::sync::LazyLock;

use super::table;

/// Where a keyword may stand unquoted; the strictest reading of any supported major.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Category {
    /// Anywhere: as table, column, function, type.
    Unreserved,
    /// As column or table, not as function or type (`between`, `int`, `values`).
    Column,
    /// As function or type, not as column or table (`left`, `is`, `join`).
    TypeOrFunction,
    /// Only as a label after AS.
    Reserved,
}

/// The category of `word`, given in lower case; `None` when it is no keyword.
pub(crate) fn category(word: &str) -> Option<Category> {
    KEYWORDS.get(word).copied()
}

/// Whether `word` unquoted cannot name a table or a column.
pub(crate) fn is_no_column(word: &str) -> bool {
    matches!(
        category(word),
        Some(Category::Reserved | Category::TypeOrFunction)
    )
}

static KEYWORDS: LazyLock<HashMap<&'static str, Category>> = LazyLock::new(|| {
    table::rows(include_str!("keywords.txt"))
        .map(|row| {
            let category = match row.word(1) {
                "unreserved" => Category::Unreserved,
                "column" => Category::Column,
                "type" => Category::TypeOrFunction,
                // A typo in the table reserves the word: the safe side.
                _ => Category::Reserved,
            };
            (row.word(0), category)
        })
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_have_their_category() {
        assert_eq!(category("only"), Some(Category::Reserved));
        assert_eq!(category("left"), Some(Category::TypeOrFunction));
        assert_eq!(category("values"), Some(Category::Column));
        assert_eq!(category("matched"), Some(Category::Unreserved));
        assert_eq!(category("patients"), None);
        // Reserved from PostgreSQL 16 counts for all.
        assert_eq!(category("system_user"), Some(Category::Reserved));
        assert!(is_no_column("natural") && !is_no_column("between"));
    }

    #[test]
    fn every_row_has_a_known_category() {
        for row in table::rows(include_str!("keywords.txt")) {
            assert!(
                ["unreserved", "column", "type", "reserved"].contains(&row.word(1)),
                "{}",
                row.word(0)
            );
        }
    }
}
