//! Operands that sqlparser has no grammar for: BETWEEN SYMMETRIC, COLLATE after a cast, and
//! interval literals of a precision.

use sqlparser::tokenizer::{Span, Token as Theirs};

use super::{Prepass, word};
use crate::lex::{Kind, Token};
use crate::parse::tokens::{self, Places};

/// Words of a type's name after its first.
const TYPE_WORDS: [&str; 14] = [
    "precision",
    "varying",
    "with",
    "without",
    "time",
    "zone",
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "to",
    "array",
];

impl<'a> Prepass<'_, 'a> {
    /// `BETWEEN SYMMETRIC low AND`: `BETWEEN <symmetric>(low) AND`. ASYMMETRIC is the default.
    ///
    /// `low` is a `b_expr` (gram.y), so the first AND outside brackets and CASE ends it.
    pub(super) fn between(&mut self, token: &Token<'a>, span: Span) {
        self.push_next(word(token), span);
        if self.word_at(self.index, "asymmetric") {
            self.index += 1;
            return;
        }
        if !self.word_at(self.index, "symmetric") {
            return;
        }
        self.index += 1;
        let mut depth = 0usize;
        for (at, token) in self.ours.iter().enumerate().skip(self.index) {
            if token.is("(") || token.is("[") || token.is_word("case") {
                depth += 1;
            } else if token.is(")") || token.is("]") || token.is_word("end") {
                depth = depth.saturating_sub(1);
            } else if depth == 0 && token.is_word("and") {
                self.push(tokens::marker(tokens::SYMMETRIC), span);
                self.push(Theirs::LParen, span);
                self.closes.push(at);
                return;
            }
        }
        // Without its AND this is no SQL, and the parser says so.
    }

    /// `interval(3) '...'`: `CAST('...' AS interval(3))`; sqlparser drops the precision.
    pub(super) fn is_precise_interval(&self) -> bool {
        self.next_is("(")
            && self.kind_at(self.index + 2) == Some(Kind::Number)
            && self
                .ours
                .get(self.index + 3)
                .is_some_and(|token| token.is(")"))
            && self.kind_at(self.index + 4) == Some(Kind::String)
            && !self.before_is("::")
    }

    pub(super) fn precise_interval(
        &mut self,
        token: &Token<'a>,
        span: Span,
        places: &mut Places<'_>,
    ) {
        let (Some(precision), Some(literal)) =
            (self.ours.get(self.index + 2), self.ours.get(self.index + 4))
        else {
            return;
        };
        let end = places.span(literal.start, literal.end);
        self.push_word("cast", span);
        self.push(Theirs::LParen, span);
        self.push(tokens::token(literal, true), end);
        self.push_word("as", span);
        self.push(word(token), span);
        self.push(Theirs::LParen, span);
        self.push(tokens::token(precision, true), span);
        self.push(Theirs::RParen, span);
        self.push(Theirs::RParen, end);
        self.index += 5;
    }

    /// Notes where COLLATE follows the type after this `::`.
    pub(super) fn cast(&mut self) {
        let mut index = self.after_name(self.index + 1);
        loop {
            if self
                .ours
                .get(index)
                .is_some_and(|token| TYPE_WORDS.iter().any(|word| token.is_word(word)))
            {
                index += 1;
            } else if let Some(end) = self.after_modifiers(index) {
                index = end;
            } else {
                break;
            }
        }
        if self.word_at(index, "collate") {
            self.collate = Some(index);
        }
    }

    /// `x::type COLLATE c`: `x::type::<collate>.c`, which binds alike: to the cast and no more
    /// (gram.y: COLLATE binds tighter than every operator but `::`, subscripts and signs, and
    /// `precedence` has refused signs).
    pub(super) fn collate(&mut self, span: Span, places: &mut Places<'_>) {
        let first = self.index + 1;
        let end = self.after_name(first);
        self.push(Theirs::DoubleColon, span);
        self.push(tokens::marker(tokens::COLLATE), span);
        self.push(Theirs::Period, span);
        self.push_name(first, end, places);
        self.index = end;
    }

    /// The index after `(1, 2)` or `[]` or `[3]` at `index`.
    pub(super) fn after_modifiers(&self, index: usize) -> Option<usize> {
        let close = match &*self.ours.get(index)?.text {
            "(" => ")",
            "[" => "]",
            _ => return None,
        };
        let inner = |token: &&Token<'a>| token.kind == Kind::Number || token.is(",");
        let end = index + 1 + self.ours.iter().skip(index + 1).take_while(inner).count();
        self.ours.get(end)?.is(close).then_some(end + 1)
    }
}
