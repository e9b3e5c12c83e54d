//! FETCH and MOVE: PostgreSQL's direction, FROM and signs are more optional than sqlparser's.

use sqlparser::tokenizer::Token as Theirs;

use super::{Prepass, word};
use crate::lex::Kind;
use crate::parse::tokens::{self, Places};

impl Prepass<'_, '_> {
    /// Whether the statement is FETCH or MOVE of a cursor, of at least a name.
    pub(super) fn is_fetch(&self) -> bool {
        self.index == 0
            && (self.word_at(0, "fetch") || self.word_at(0, "move"))
            && self.ours.len() > 1
            && self.ours.last().is_some_and(crate::lex::Token::is_name)
    }

    /// `FETCH [direction] [FROM | IN] name`, with NEXT and FROM where nothing stands; a count may
    /// be negative; `MOVE ...` is `FETCH ... INTO <move>`.
    pub(super) fn fetch(&mut self, places: &mut Places<'_>) {
        let ours = self.ours;
        let last = ours.len().saturating_sub(1);
        let linked = last > 1
            && ours
                .get(last - 1)
                .is_some_and(|token| token.is_word("from") || token.is_word("in"));
        let direction = ours.get(1..last - usize::from(linked)).unwrap_or_default();
        let (Some(first), Some(name)) = (ours.first(), ours.last()) else {
            return;
        };
        let span = places.span(first.start, first.end);
        self.push_word("fetch", span);
        if direction.is_empty() {
            self.push_word("next", span);
        }
        let mut negative = false;
        for token in direction {
            let span = places.span(token.start, token.end);
            if token.is("-") && !negative {
                negative = true;
                continue;
            }
            let token = match token.kind {
                Kind::Number if negative => Theirs::Number(format!("-{}", token.text), false),
                Kind::Word => word(token),
                Kind::QuotedIdentifier
                | Kind::String
                | Kind::BitString
                | Kind::HexString
                | Kind::Number
                | Kind::Parameter
                | Kind::Punctuation
                | Kind::Operator => tokens::token(token, true),
            };
            negative = false;
            self.push(token, span);
        }
        let span = places.span(name.start, name.end);
        self.push_word("from", span);
        self.push_name(last, last + 1, places);
        if self.word_at(0, "move") {
            self.push_word("into", span);
            self.push(tokens::marker(tokens::MOVE), span);
        }
        self.index = ours.len();
    }
}
