//! SQL text from the intermediate form, and from nothing else: every name quoted and qualified,
//! every literal in one canonical form, operators in full parentheses, no comments.
//!
//! The same walk writes the skeleton: literals become `?`, names that the author chose become
//! `n1`, `n2` ..., relations stay what they are in the catalog.

mod definition;
mod expr;
mod query;
mod relation;
mod write;

use std::collections::HashMap;
use std::fmt::Write;

use crate::Context;
use crate::budget;
use crate::ir::{Expr, Ident, Literal, Name, Query, TypeName};
use crate::lex::{self, Kind};
use crate::position::Places;
use crate::refusal::{Place, Reason, Refusal, Result};
use crate::resolve::Resolution;

/// The text of a query.
pub(crate) fn query(query: &Query, resolution: &Resolution, cx: &Context<'_>) -> Result<String> {
    let mut writer = Writer::text(resolution, cx);
    writer.query(query);
    writer.finish()
}

/// Writes SQL.
pub(crate) struct Writer<'a> {
    out: String,
    resolution: &'a Resolution,
    cx: &'a Context<'a>,
    /// Set when the skeleton is written: the numbers of the names met so far.
    names: Option<HashMap<Name, usize>>,
    /// The quoted pieces written, as byte ranges, for the self-check.
    quoted: Vec<(usize, usize)>,
    /// Pieces that were rendered elsewhere, as byte ranges.
    embedded: Vec<(usize, usize)>,
    /// Byte written, character typed: of names of columns and functions.
    marks: Vec<(u32, u32)>,
}

impl<'a> Writer<'a> {
    /// A writer of what PostgreSQL is sent.
    pub(crate) fn text(resolution: &'a Resolution, cx: &'a Context<'a>) -> Self {
        Self {
            out: String::with_capacity(256),
            resolution,
            cx,
            names: None,
            quoted: Vec::new(),
            embedded: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// A writer of the skeleton.
    pub(crate) fn skeleton(resolution: &'a Resolution, cx: &'a Context<'a>) -> Self {
        Self {
            names: Some(HashMap::new()),
            ..Self::text(resolution, cx)
        }
    }

    /// What was written, after a look at it with our own lexer: each quoted piece must be the one
    /// token it was meant to be, and nothing may end the statement or start a comment.
    pub(crate) fn finish(self) -> Result<String> {
        self.finish_with_places().map(|(sql, _places)| sql)
    }

    /// The same, and where its parts come from.
    pub(crate) fn finish_with_places(self) -> Result<(String, Places)> {
        if self.names.is_some() {
            return Ok((self.out, Places::default()));
        }
        let defect = || Refusal::new(Reason::SelfCheck, "the gateway cannot write this statement");
        let lexed = lex::lex(&self.out, budget::MAX_TOKENS * 16).map_err(|_| defect())?;
        let mut embedded = self.embedded.iter().copied().peekable();
        let mut quoted = self.quoted.iter().copied();
        for token in &lexed.tokens {
            while embedded.next_if(|(_, end)| *end <= token.start).is_some() {}
            if embedded
                .peek()
                .is_some_and(|(start, end)| *start <= token.start && token.end <= *end)
            {
                continue;
            }
            let sound = match token.kind {
                Kind::QuotedIdentifier | Kind::String | Kind::BitString | Kind::HexString => {
                    quoted.next() == Some((token.start, token.end))
                }
                Kind::Punctuation => !token.is(";"),
                Kind::Word | Kind::Number | Kind::Parameter | Kind::Operator => true,
            };
            if !sound {
                return Err(defect());
            }
        }
        if quoted.next().is_some() || !lexed.comments.is_empty() {
            return Err(defect());
        }
        let own = |(start, end): &(usize, usize)| {
            Some((u32::try_from(*start).ok()?, u32::try_from(*end).ok()?))
        };
        let places = Places {
            marks: self.marks.into_boxed_slice(),
            own: self.embedded.iter().filter_map(own).collect(),
        };
        Ok((self.out, places))
    }

    /// Notes that what is written next was typed at this place.
    fn mark(&mut self, place: Place) {
        if place.0 > 0
            && self.names.is_none()
            && let Ok(at) = u32::try_from(self.out.len())
        {
            self.marks.push((at, place.0));
        }
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// SQL that another part of the gateway wrote.
    fn embed(&mut self, sql: &str) {
        let start = self.out.len();
        self.out.push_str(sql);
        self.embedded.push((start, self.out.len()));
    }

    /// A name of the catalog.
    pub(crate) fn name(&mut self, name: &str) {
        if self.names.is_some() {
            self.push(name);
            return;
        }
        let start = self.out.len();
        self.out.push('"');
        for piece in name.split_inclusive('"') {
            self.out.push_str(piece);
            if piece.ends_with('"') {
                self.out.push('"');
            }
        }
        self.out.push('"');
        self.quoted.push((start, self.out.len()));
    }

    /// A name that the author of the statement chose.
    pub(crate) fn chosen(&mut self, name: &Name) {
        let Some(names) = &mut self.names else {
            return self.name(name);
        };
        let next = names.len() + 1;
        let number = *names.entry(name.clone()).or_insert(next);
        let _ = write!(self.out, "n{number}");
    }

    /// A string, in the one form that no setting changes the meaning of.
    pub(crate) fn string(&mut self, text: &str) {
        if self.names.is_some() {
            return self.push("?");
        }
        let start = self.out.len();
        if text.contains(['\'', '\\']) {
            self.out.push_str("E'");
            for character in text.chars() {
                match character {
                    '\'' => self.out.push_str("''"),
                    '\\' => self.out.push_str("\\\\"),
                    other => self.out.push(other),
                }
            }
        } else {
            self.out.push('\'');
            self.out.push_str(text);
        }
        self.out.push('\'');
        self.quoted.push((start, self.out.len()));
    }

    pub(crate) fn literal(&mut self, literal: &Literal) {
        match literal {
            Literal::Null => self.push("NULL"),
            Literal::Bool(true) => self.push("TRUE"),
            Literal::Bool(false) => self.push("FALSE"),
            Literal::String(text) => self.string(text),
            Literal::Number(_) | Literal::Bits(_) | Literal::Hex(_) if self.names.is_some() => {
                self.push("?");
            }
            // Never a minus right after another one: that would start a comment.
            Literal::Number(digits) if digits.starts_with('-') => {
                let _ = write!(self.out, "({digits})");
            }
            Literal::Number(digits) => self.push(digits),
            Literal::Bits(digits) => self.digits('B', digits),
            Literal::Hex(digits) => self.digits('X', digits),
        }
    }

    fn digits(&mut self, prefix: char, digits: &str) {
        let start = self.out.len();
        let _ = write!(self.out, "{prefix}'{digits}'");
        self.quoted.push((start, self.out.len()));
    }

    pub(crate) fn type_name(&mut self, ty: &TypeName) {
        let keyword = ty.fields.is_some() || Self::is_interval(ty);
        if keyword {
            self.push("INTERVAL");
            if let Some(fields) = ty.fields {
                let _ = write!(self.out, " {fields}");
            }
        } else {
            self.path(&ty.path);
        }
        if !ty.modifiers.is_empty() {
            self.push("(");
            self.separated(&ty.modifiers, |writer, modifier| {
                let _ = write!(writer.out, "{modifier}");
            });
            self.push(")");
        }
        if ty.array {
            self.push("[]");
        }
    }

    /// `pg_catalog.interval(3)` would mean its third field, `INTERVAL(3)` is a precision.
    fn is_interval(ty: &TypeName) -> bool {
        !ty.modifiers.is_empty()
            && matches!(
                ty.path.as_slice(),
                [schema, name] if &*schema.name == "pg_catalog" && &*name.name == "interval"
            )
    }

    /// A dotted name of the catalog.
    pub(crate) fn path(&mut self, path: &[Ident]) {
        for (index, part) in path.iter().enumerate() {
            if index > 0 {
                self.push(".");
            }
            self.name(&part.name);
        }
    }

    pub(crate) fn separated<T>(&mut self, list: &[T], mut write: impl FnMut(&mut Self, &T)) {
        for (index, item) in list.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            write(self, item);
        }
    }

    pub(crate) fn exprs(&mut self, list: &[Expr]) {
        self.separated(list, Self::expr);
    }

    fn is_skeleton(&self) -> bool {
        self.names.is_some()
    }
}
