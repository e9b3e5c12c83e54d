//! Scripts cut into statements as psql cuts them.

/// One statement of a script.
pub(super) struct Statement {
    /// The line it starts on, from 1.
    pub(super) line: usize,
    /// Without its semicolon.
    pub(super) text: String,
    /// What follows COPY ... FROM STDIN.
    pub(super) rows: String,
}

/// What a statement's first comment says will come of it.
pub(super) fn expected(statement: &Statement) -> &'static str {
    let mut lines = statement.text.lines();
    if lines.clone().any(|line| line == "-- refused") {
        "refused"
    } else if lines.any(|line| line == "-- fails") {
        "fails"
    } else {
        "same"
    }
}

/// Quotes, dollar quotes, comments and brackets hide semicolons; lines of psql's own are dropped.
pub(super) fn statements(script: &str) -> Vec<Statement> {
    let mut out = Vec::new();
    let bytes = script.as_bytes();
    let (mut at, mut start, mut line, mut first) = (0, 0, 1, 1);
    let mut depth = 0usize;
    let mut begun = false;
    while at < bytes.len() {
        let rest = &script[at..];
        let skip = match bytes[at] {
            b'\'' => {
                let escapes = at > 0
                    && matches!(bytes[at - 1], b'e' | b'E')
                    && (at < 2 || !bytes[at - 2].is_ascii_alphanumeric());
                quoted(rest, b'\'', escapes)
            }
            b'"' => quoted(rest, b'"', false),
            b'-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            b'/' if rest.starts_with("/*") => comment(rest),
            b'$' if !before_is_word(bytes, at) => dollar(rest).unwrap_or(1),
            b'(' => {
                depth += 1;
                1
            }
            b')' => {
                depth = depth.saturating_sub(1);
                1
            }
            b'\\' if begun || rest.starts_with('\\') => {
                // A line of psql's own ends what is before it, if it is one of the \g family.
                let length = rest.find('\n').unwrap_or(rest.len());
                if begun && rest.starts_with("\\g") {
                    push(&mut out, first, &script[start..at]);
                }
                start = at + length;
                begun = false;
                depth = 0;
                length
            }
            b';' if depth == 0 => {
                push(&mut out, first, &script[start..at]);
                start = at + 1;
                begun = false;
                let from_stdin = out
                    .last()
                    .is_some_and(|s| s.rows.is_empty() && is_copy_in(&s.text));
                if from_stdin {
                    let data = &script[start..];
                    let from = data.find('\n').map_or(data.len(), |n| n + 1);
                    let end = if data[from..].starts_with("\\.\n") {
                        from
                    } else {
                        data.find("\n\\.\n").map_or(data.len(), |n| n + 1)
                    };
                    if let Some(last) = out.last_mut() {
                        data[from..end].clone_into(&mut last.rows);
                    }
                    start += (end + 3).min(data.len());
                    start - at
                } else {
                    1
                }
            }
            byte => {
                if !byte.is_ascii_whitespace() && !begun {
                    begun = true;
                }
                rest.chars().next().map_or(1, char::len_utf8)
            }
        };
        let passed = &script[at..(at + skip).min(script.len())];
        if !begun
            && !passed.trim().is_empty()
            && !passed.starts_with('\\')
            && !passed.starts_with(';')
        {
            begun = true;
        }
        line += passed.matches('\n').count();
        at += skip;
        if !begun || script[start.min(at)..at].trim().is_empty() {
            first = line;
        }
    }
    push(&mut out, first, &script[start.min(script.len())..]);
    out
}

fn push(out: &mut Vec<Statement>, line: usize, text: &str) {
    let bare: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("--"))
        .collect();
    if !bare.trim().is_empty() {
        out.push(Statement {
            line,
            text: text.trim().to_owned(),
            rows: String::new(),
        });
    }
}

fn is_copy_in(text: &str) -> bool {
    let text = without_comments(text).to_ascii_lowercase();
    text.starts_with("copy") && text.contains("from stdin")
}

/// A statement without the comments before it.
pub(super) fn without_comments(text: &str) -> &str {
    let mut text = text.trim_start();
    loop {
        if text.starts_with("--") {
            text = text
                .split_once('\n')
                .map_or("", |(_, rest)| rest)
                .trim_start();
        } else if text.starts_with("/*") {
            text = text[comment(text)..].trim_start();
        } else {
            return text;
        }
    }
}

fn before_is_word(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
}

fn quoted(text: &str, quote: u8, escapes: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        if escapes && bytes[at] == b'\\' {
            at += 2;
        } else if bytes[at] == quote {
            if bytes.get(at + 1) != Some(&quote) {
                return at + 1;
            }
            at += 2;
        } else {
            at += 1;
        }
    }
    text.len()
}

fn comment(text: &str) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

fn dollar(text: &str) -> Option<usize> {
    let end = text[1..].find('$')? + 2;
    let tag = &text[..end];
    let word = |c: char| c.is_alphanumeric() || c == '_';
    if !tag[1..end - 1].chars().all(word) || tag[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    Some(text[end..].find(tag).map_or(text.len(), |n| end + n + end))
}
