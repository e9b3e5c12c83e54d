//! Where an operator ends: the `{operator}` rule of `scan.l`.

/// `op_chars`.
pub(super) fn is_operator_byte(byte: u8) -> bool {
    matches!(
        byte,
        b'~' | b'!'
            | b'@'
            | b'#'
            | b'^'
            | b'&'
            | b'|'
            | b'`'
            | b'?'
            | b'+'
            | b'-'
            | b'*'
            | b'/'
            | b'%'
            | b'<'
            | b'>'
            | b'='
    )
}

/// Length in bytes of the operator at the start of `bytes`, which starts with an operator byte and
/// not with a comment.
///
/// A comment start inside the run ends the operator; a trailing `+` or `-` belongs to it only when
/// a character that no SQL operator has stands before it.
pub(super) fn length(bytes: &[u8]) -> usize {
    let run = bytes
        .iter()
        .take_while(|byte| is_operator_byte(**byte))
        .count();
    let comment = bytes
        .windows(2)
        .take(run.saturating_sub(1))
        .position(|pair| pair == b"/*" || pair == b"--")
        .unwrap_or(run);
    let mut operator = bytes.get(..comment).unwrap_or_default();
    while let [before @ .., b'+' | b'-'] = operator {
        if before.is_empty() || before.iter().any(|byte| allows_trailing_sign(*byte)) {
            break;
        }
        operator = before;
    }
    operator.len().max(1)
}

fn allows_trailing_sign(byte: u8) -> bool {
    matches!(
        byte,
        b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'%'
    )
}
