//! What only statements that change rows have: OVERRIDING and CURRENT OF.

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
}
