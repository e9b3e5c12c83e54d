//! What only statements that change rows have: OVERRIDING and CURRENT OF; and the names of columns in CREATE
//! TABLE AS, where sqlparser wants a type after each.

use sqlparser::tokenizer::{Span, Token as Theirs};

use super::Prepass;
use crate::parse::tokens::{self, Places};

impl Prepass<'_, '_> {
    /// The marker of `OVERRIDING SYSTEM VALUE` or `OVERRIDING USER VALUE` at this token.
    pub(super) fn overriding(&self) -> Option<&'static str> {
        let marker = if self.word_at(self.index + 1, "system") {
            tokens::OVERRIDING_SYSTEM
        } else if self.word_at(self.index + 1, "user") {
            tokens::OVERRIDING_USER
        } else {
            return None;
        };
        self.word_at(self.index + 2, "value").then_some(marker)
    }

    /// `(a) OVERRIDING USER VALUE`: `(a, <overriding user>)`; without a list, one of its own.
    pub(super) fn override_value(&mut self, span: Span) {
        let Some(marker) = self.overriding() else {
            return;
        };
        if self.before_is(")")
            && self
                .out
                .pop_if(|last| last.token == Theirs::RParen)
                .is_some()
        {
            self.push(Theirs::Comma, span);
        } else {
            self.push(Theirs::LParen, span);
        }
        self.push(tokens::marker(marker), span);
        self.push(Theirs::RParen, span);
        self.index += 3;
    }

    /// `WHERE CURRENT OF c`: `WHERE <current of>.c`.
    pub(super) fn current_of(&mut self, span: Span, places: &mut Places<'_>) {
        self.push(tokens::marker(tokens::CURRENT_OF), span);
        self.push(Theirs::Period, span);
        self.push_name(self.index + 2, self.index + 3, places);
        self.index += 3;
    }

    /// Whether this is the TABLE of `CREATE TABLE t (a, b) [ON COMMIT ...] AS`. Remembers then where each of
    /// the names ends.
    pub(super) fn is_of_names(&mut self) -> bool {
        if !self.before_word(&["create", "temp", "temporary", "unlogged"]) {
            return false;
        }
        let exists = (1..).zip(["if", "not", "exists"]);
        let exists = exists.fold(true, |all, (at, word)| {
            all && self.word_at(self.index + at, word)
        });
        let is = |at: usize, symbol: &str| self.ours.get(at).is_some_and(|token| token.is(symbol));
        let mut at = self.after_name(self.index + if exists { 4 } else { 1 });
        let mut ends = Vec::new();
        while is(at, if ends.is_empty() { "(" } else { "," }) && self.after_name(at + 1) == at + 2 {
            at += 2;
            ends.push(at);
        }
        if ends.is_empty() || !is(at, ")") {
            return false;
        }
        let after = match (self.word_at(at + 1, "on"), self.word_at(at + 3, "drop")) {
            (false, _) => at + 1,
            (true, true) => at + 4,
            (true, false) => at + 5,
        };
        if !self.word_at(after, "as") {
            return false;
        }
        ends.reverse();
        self.untyped = ends;
        true
    }
}
