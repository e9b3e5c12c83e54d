//! What came back.

use std::fmt;

use phigate_wire::backend::{self, ErrorFields, TransactionStatus, tag};
use phigate_wire::frame::Frame;

/// Frames in the order received.
#[derive(Clone, Default)]
pub struct Answer {
    frames: Vec<Frame>,
    closed: bool,
}

impl Answer {
    pub(super) fn push(&mut self, frame: Frame) {
        self.frames.push(frame);
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// The same with each frame replaced.
    #[must_use]
    pub fn map(mut self, replace: impl FnMut(Frame) -> Frame) -> Self {
        self.frames = self.frames.into_iter().map(replace).collect();
        self
    }

    /// Every frame.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// The types in order, such as `TDDCZ`.
    pub fn tags(&self) -> String {
        self.frames
            .iter()
            .map(|frame| char::from(frame.tag()))
            .collect()
    }

    /// Whether the connection ended after it.
    pub fn closed(&self) -> bool {
        self.closed
    }

    /// The rows, values read as text; NULL is `None`.
    pub fn rows(&self) -> Vec<Vec<Option<String>>> {
        self.of(tag::DATA_ROW).map(values).collect()
    }

    /// The only column of the only row.
    ///
    /// # Panics
    /// When there are more or fewer.
    #[track_caller]
    pub fn value(&self) -> Option<String> {
        match <[_; 1]>::try_from(self.rows()).map(|[row]| <[_; 1]>::try_from(row)) {
            Ok(Ok([value])) => value,
            _ => panic!("not one value: {self:?}"),
        }
    }

    /// The column names of the last RowDescription.
    pub fn columns(&self) -> Vec<String> {
        let Some(described) = self.of(tag::ROW_DESCRIPTION).last() else {
            return Vec::new();
        };
        let fields = backend::decode_row_description(described.body()).expect("a RowDescription");
        fields
            .iter()
            .map(|field| String::from_utf8_lossy(field.name).into_owned())
            .collect()
    }

    /// The command tags.
    pub fn commands(&self) -> Vec<&str> {
        self.of(tag::COMMAND_COMPLETE)
            .map(Frame::body)
            .map(|body| backend::decode_command_complete(body).expect("a CommandComplete"))
            .collect()
    }

    /// Every error.
    pub fn errors(&self) -> Vec<ErrorFields> {
        self.fields(tag::ERROR)
    }

    /// Every notice.
    pub fn notices(&self) -> Vec<ErrorFields> {
        self.fields(tag::NOTICE)
    }

    /// The only error.
    ///
    /// # Panics
    /// When there are more or none.
    #[track_caller]
    pub fn error(&self) -> ErrorFields {
        let mut errors = self.errors();
        assert_eq!(errors.len(), 1, "not one error: {self:?}");
        errors.remove(0)
    }

    /// The SQLSTATE of the only error.
    ///
    /// # Panics
    /// When there are more or none.
    #[track_caller]
    pub fn sqlstate(&self) -> String {
        self.error().code().as_str().to_owned()
    }

    /// Itself, when there is no error in it and the connection stands.
    ///
    /// # Panics
    /// When there is.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.errors().is_empty() && !self.closed, "{self:?}");
        self
    }

    /// What the last ReadyForQuery says; `None` without one.
    pub fn status(&self) -> Option<TransactionStatus> {
        let ready = self.of(tag::READY_FOR_QUERY).last()?;
        Some(backend::decode_ready(ready.body()).expect("a ReadyForQuery"))
    }

    /// Whether these bytes are anywhere in it: for canaries.
    pub fn contains(&self, needle: &[u8]) -> bool {
        self.frames
            .iter()
            .any(|frame| frame.bytes().windows(needle.len()).any(|at| at == needle))
    }

    fn of(&self, tag: u8) -> impl DoubleEndedIterator<Item = &Frame> {
        self.frames.iter().filter(move |frame| frame.tag() == tag)
    }

    fn fields(&self, tag: u8) -> Vec<ErrorFields> {
        self.of(tag)
            .map(|frame| backend::decode_error(frame.body()).expect("error or notice fields"))
            .collect()
    }
}

/// Types, and what errors say: tests hold no real patient.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.tags())?;
        for error in self.errors() {
            write!(
                f,
                " [{} {}: {}]",
                error.severity(),
                error.code(),
                error.message()
            )?;
        }
        if self.closed {
            write!(f, " closed")
        } else {
            Ok(())
        }
    }
}

fn values(row: &Frame) -> Vec<Option<String>> {
    let (count, mut rest) = row.body().split_first_chunk::<2>().expect("a column count");
    let mut values = Vec::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let (len, after) = rest.split_first_chunk::<4>().expect("a value's length");
        rest = after;
        values.push(usize::try_from(i32::from_be_bytes(*len)).ok().map(|len| {
            let (value, after) = rest.split_at(len);
            rest = after;
            String::from_utf8_lossy(value).into_owned()
        }));
    }
    assert!(rest.is_empty(), "bytes after the last value");
    values
}
