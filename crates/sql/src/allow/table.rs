//! The committed tables: text, one row a line, words between white space, a remark after two
//! spaces and `# `. The first line, after `// `, says what the columns are.

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    text: &'static str,
    remark: &'static str,
}

impl Row {
    /// The word in column `index`, empty when the row has none.
    pub(super) fn word(&self, index: usize) -> &'static str {
        self.text
            .split_ascii_whitespace()
            .nth(index)
            .unwrap_or_default()
    }

    /// What stands after `#`: why it is denied.
    pub(super) fn remark(&self) -> &'static str {
        self.remark
    }
}

/// The rows of a table.
///
/// The marks are such that the operators `#` and `##` can be a row's first word.
pub(super) fn rows(table: &'static str) -> impl Iterator<Item = Row> {
    table
        .lines()
        .filter(|line| !line.starts_with("// "))
        .filter_map(|line| {
            let (text, remark) = line.split_once("  # ").unwrap_or((line, ""));
            let row = Row {
                text,
                remark: remark.trim(),
            };
            (!row.word(0).is_empty()).then_some(row)
        })
}
