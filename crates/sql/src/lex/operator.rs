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

/// Most operator bytes in a row, as many as one operator may have. PostgreSQL would also take a longer
/// run that ends in signs, and read it anew for each of them: quadratic in a text of megabytes.
const RUN_MAX: usize = super::MAX_IDENTIFIER_BYTES;

/// Length in bytes of the operator at the start of `bytes`, which starts with an operator byte and
/// not with a comment; `None` when it is too long.
///
/// A comment start inside the run ends the operator; trailing `+` and `-` belong to it only when
/// a character that no SQL operator has stands before them.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    // A comment may start just after the longest.
    let seen = bytes.get(..RUN_MAX + 2).unwrap_or(bytes);
    let run = seen
        .iter()
        .take_while(|byte| is_operator_byte(**byte))
        .count();
    let run = seen
        .windows(2)
        .take(run.saturating_sub(1))
        .position(|pair| pair == b"/*" || pair == b"--")
        .unwrap_or(run);
    if run > RUN_MAX {
        return None;
    }
    let [body @ .., _] = seen.get(..run)? else {
        return None;
    };
    let signs_belong = body.iter().any(|byte| allows_trailing_sign(*byte));
    let signs = seen.get(..run)?.iter().rev();
    let signs = signs.take_while(|byte| matches!(byte, b'+' | b'-')).count();
    Some(if signs_belong {
        run
    } else {
        (run - signs).max(1)
    })
}

fn allows_trailing_sign(byte: u8) -> bool {
    matches!(
        byte,
        b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'%'
    )
}
