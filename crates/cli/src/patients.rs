//! The file of `phictl grant create --patients`. What it says is never shown, in errors either.

use std::path::Path;

use phigate_proto::v1::PatientList;

use crate::exit::{Exit, Failure};

/// The longest file, in bytes: every patient that a grant may list, in CSV with some columns beside.
const FILE_MAX: u64 = 64 * 1024 * 1024;

/// Reads one key a line or, with `column`, that column of a CSV file with a header. Blank lines are
/// skipped; each key counts once.
pub(crate) fn read(file: &Path, column: Option<&str>) -> Result<PatientList, Failure> {
    let shown = file.display();
    let unreadable = |error: std::io::Error| {
        Failure::new(Exit::NOT_FOUND, format!("cannot read {shown}: {error}"))
    };
    let len = std::fs::metadata(file).map_err(unreadable)?.len();
    if len > FILE_MAX {
        let message = format!("{shown} is longer than {FILE_MAX} bytes");
        return Err(Failure::new(Exit::DATA, message));
    }
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut ids = match column {
        None => lines(text),
        Some(column) => cells(text, column),
    }
    .map_err(|message| Failure::new(Exit::DATA, format!("{shown}: {message}")))?;
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Err(Failure::new(
            Exit::DATA,
            format!("{shown} names no patient"),
        ));
    }
    Ok(PatientList { ids })
}

fn lines(text: &str) -> Result<Vec<String>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let ids: Vec<_> = lines.map(str::to_owned).collect();
    if ids.iter().any(|id| id.contains(',')) {
        return Err("it has commas: name the column of the keys with --patients-column".to_owned());
    }
    Ok(ids)
}

fn cells(text: &str, column: &str) -> Result<Vec<String>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = reader
        .headers()
        .map_err(|_| "it is not CSV with a header".to_owned())?;
    let index = header
        .iter()
        .position(|name| name == column)
        .ok_or_else(|| format!("its header has no column {column:?}"))?;
    let mut ids = Vec::new();
    for (number, row) in reader.records().enumerate() {
        let row = row.map_err(|_| format!("row {} is not as long as the header", number + 1))?;
        let id = row.get(index).unwrap_or_default();
        if !id.is_empty() {
            ids.push(id.to_owned());
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str, column: Option<&str>) -> Result<Vec<String>, String> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("patients");
        std::fs::write(&file, text).unwrap();
        read(&file, column)
            .map(|list| list.ids)
            .map_err(|failure| failure.message)
    }

    #[test]
    fn lines_and_columns_are_read() {
        assert_eq!(
            read_text("\u{feff}7\r\n\n 8 \n7\n", None).unwrap(),
            ["7", "8"]
        );
        let csv = "name,patient_id\n\"Doe, Ada\",7\nEve,8\nNobody,\n";
        assert_eq!(read_text(csv, Some("patient_id")).unwrap(), ["7", "8"]);
    }

    #[test]
    fn what_is_no_list_is_refused_without_showing_it() {
        for (text, column) in [
            ("", None),
            (" \n", None),
            ("secret,1\n", None),
            ("a,b\nsecret,1\n", Some("c")),
            ("a,b\nsecret\n", Some("a")),
            ("a\n", Some("a")),
        ] {
            let message = read_text(text, column).unwrap_err();
            assert!(!message.contains("secret"), "{message}");
        }
    }
}
