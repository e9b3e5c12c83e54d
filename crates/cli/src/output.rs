//! Printing: tables for people, JSON for programs.
//!
//! Everything goes to stdout through [`write`](fn@write): a reader that left early (`phictl ... | head`) is no
//! failure, any other loss of data is one and ends in [`Exit::IO`].

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;
use serde::Serialize;

use crate::exit::{Exit, Failure};

/// Whether something could not be written that somebody waits for.
static LOST: AtomicBool = AtomicBool::new(false);

/// `print!` for data: see [`output`](crate::output).
#[macro_export]
macro_rules! out {
    ($($words:tt)*) => { $crate::output::write(::std::format_args!($($words)*)) };
}

/// `println!` for data: see [`output`](crate::output).
#[macro_export]
macro_rules! outln {
    () => { $crate::output::write(::std::format_args!("\n")) };
    ($($words:tt)*) => {
        $crate::output::write(::std::format_args!("{}\n", ::std::format_args!($($words)*)))
    };
}

/// Writes to stdout.
pub fn write(words: fmt::Arguments<'_>) {
    let written = io::stdout().lock().write_fmt(words);
    note_loss(&written);
}

/// Whether all that was written has arrived, or was not wanted any more.
pub(crate) fn arrived() -> bool {
    note_loss(&io::stdout().lock().flush());
    !LOST.load(Ordering::Relaxed)
}

fn note_loss(written: &io::Result<()>) {
    if is_loss(written) {
        LOST.store(true, Ordering::Relaxed);
    }
}

fn is_loss(written: &io::Result<()>) -> bool {
    matches!(written, Err(error) if error.kind() != io::ErrorKind::BrokenPipe)
}

/// Prints `value` as indented JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(Exit::SOFTWARE, error.to_string()))?;
    outln!("{text}");
    Ok(())
}

/// Prints rows under a header.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header)
        .add_rows(rows);
    outln!("{table}");
}

/// Prints names and values, one a line.
pub(crate) fn fields(rows: &[(&str, String)]) {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in rows {
        outln!("{name:width$}  {value}");
    }
}

/// A protobuf instant as RFC 3339 in whole seconds; empty for none.
pub(crate) fn instant(at: Option<&prost_types::Timestamp>) -> String {
    at.and_then(|at| Timestamp::new(at.seconds, at.nanos).ok())
        .map(|at| format!("{at:.0}"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_left_is_no_loss_and_a_full_disk_is() {
        assert!(!is_loss(&Ok(())));
        assert!(!is_loss(&Err(io::ErrorKind::BrokenPipe.into())));
        assert!(is_loss(&Err(io::ErrorKind::StorageFull.into())));
    }
}
