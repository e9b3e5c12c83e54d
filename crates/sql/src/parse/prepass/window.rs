//! Window frames: EXCLUDE, and a string as distance.

use sqlparser::tokenizer::{Span, Token as Theirs};

use super::Prepass;
use crate::lex::Token;
use crate::parse::tokens;
use crate::refusal::Refusal;

impl<'a> Prepass<'_, 'a> {
    /// A window frame ends in ROW, PRECEDING or FOLLOWING.
    pub(super) fn is_frame_end(&self) -> bool {
        self.before_word(&["row", "preceding", "following"])
            && ["no", "current", "group", "ties"]
                .iter()
                .any(|word| self.word_at(self.index + 1, word))
    }

    /// `... bound EXCLUDE what`: the bound's distance becomes `distance OR <exclude what>`, where
    /// OR is the operator that binds least. The bounds without a distance get a marker as theirs.
    pub(super) fn exclude(&mut self, token: &Token<'a>, span: Span) -> Result<(), Refusal> {
        let (what, words) = match self.ours.get(self.index + 1).map(|token| &*token.text) {
            Some("no") if self.word_at(self.index + 2, "others") => {
                self.index += 3;
                return Ok(());
            }
            Some("current") if self.word_at(self.index + 2, "row") => (tokens::EXCLUDE_CURRENT, 3),
            Some("group") => (tokens::EXCLUDE_GROUP, 2),
            Some("ties") => (tokens::EXCLUDE_TIES, 2),
            _ => return Err(self.refuse(token, "EXCLUDE is not written completely")),
        };
        let Some(end) = self.out.pop() else {
            return Err(self.refuse(token, "EXCLUDE is not written completely"));
        };
        let is = |token: Option<&sqlparser::tokenizer::TokenWithSpan>, text: &str| matches!(token, Some(token) if token.token == Theirs::make_word(text, None));
        let mut end = end.token;
        if is(self.out.last(), "current") {
            self.out.pop();
            self.push(tokens::marker(tokens::CURRENT_ROW), span);
            end = Theirs::make_word("preceding", None);
        } else if is(self.out.last(), "unbounded") {
            self.out.pop();
            self.push(tokens::marker(tokens::UNBOUNDED), span);
        }
        self.push_word("or", span);
        self.push(tokens::marker(what), span);
        self.push(end, span);
        self.index += words;
        Ok(())
    }

    /// `'1 day' PRECEDING`: in brackets, else sqlparser takes the string for an interval.
    pub(super) fn is_string_distance(&self) -> bool {
        (self.word_at(self.index + 1, "preceding")
            || self.word_at(self.index + 1, "following")
            || self.next_is("::"))
            && self.before_word(&["rows", "range", "groups", "between", "and"])
    }
}
