//! FROM: `t *`, ROWS FROM, and an alias of USING.

use sqlparser::tokenizer::{Span, Token as Theirs};

use super::{Prepass, word};
use crate::allow::{self, keyword, keyword::Category};
use crate::lex::{Kind, Token};
use crate::parse::tokens::{self, Places};

/// Reserved words that may follow a relation in FROM; none of them starts an operand, but LEFT and
/// RIGHT do before a bracket.
const AFTER_RELATION: [&str; 22] = [
    "as",
    "cross",
    "except",
    "fetch",
    "for",
    "full",
    "group",
    "having",
    "inner",
    "intersect",
    "join",
    "left",
    "limit",
    "natural",
    "offset",
    "on",
    "order",
    "right",
    "union",
    "using",
    "where",
    "window",
];

/// Reserved words that start another clause than FROM.
const OTHER_CLAUSES: [&str; 16] = [
    "where",
    "group",
    "having",
    "window",
    "order",
    "limit",
    "offset",
    "fetch",
    "for",
    "union",
    "intersect",
    "except",
    "returning",
    "set",
    "select",
    "values",
];

/// Of each token, whether it stands in the FROM clause of a SELECT, UPDATE or DELETE, the word itself
/// among them: not in EXTRACT(x FROM y), nor behind IS DISTINCT FROM.
pub(super) fn relations(ours: &[Token<'_>]) -> Vec<bool> {
    #[derive(Clone, Copy, Default)]
    struct Bracket {
        statement: bool,
        from: bool,
    }
    let mut open = Vec::new();
    let mut inner = Bracket::default();
    let mut before: [Option<&Token<'_>>; 2] = [None, None];
    let mut relations = Vec::with_capacity(ours.len());
    for token in ours {
        let follows = |words: &[&str], at: usize| {
            let found = before.get(at).copied().flatten();
            found.is_some_and(|token| words.iter().any(|word| token.is_word(word)))
        };
        // `AS SELECT ...` is no label, but for one that says so, which changes nothing here.
        let is_label = before[1].is_some_and(|token| token.is("."))
            || (follows(&["as"], 1) && !token.is_word("select"));
        if token.is("(") {
            // `FROM (a JOIN b ...)`
            let joined = before[1].is_some_and(|token| token.is("(") || token.is(","))
                || follows(&["from", "join"], 1);
            let from = inner.from && joined;
            open.push(std::mem::replace(
                &mut inner,
                Bracket {
                    statement: false,
                    from,
                },
            ));
        } else if token.is(")") {
            inner = open.pop().unwrap_or_default();
        } else if token.is_word("from") && follows(&["distinct"], 1) && follows(&["is", "not"], 0) {
            relations.push(false);
            before = [before[1], Some(token)];
            continue;
        } else if token.kind == Kind::Word && !is_label {
            if token.is_word("from") {
                inner.from |= inner.statement;
            } else if OTHER_CLAUSES.iter().any(|word| token.is_word(word)) {
                inner.from = false;
            }
            inner.statement |= ["select", "update", "delete"]
                .iter()
                .any(|word| token.is_word(word));
        }
        relations.push(inner.from);
        before = [before[1], Some(token)];
    }
    relations
}

impl<'a> Prepass<'_, 'a> {
    /// `FROM t *` is `FROM t`, with the tables that inherit from it, as ever.
    pub(super) fn is_inheritance_star(&self) -> bool {
        let mut at = self.index;
        loop {
            let Some(name) = at.checked_sub(1) else {
                return false;
            };
            let is_name = |token: &Token<'a>| {
                token.kind == Kind::QuotedIdentifier
                    || (token.kind == Kind::Word && !keyword::is_no_column(&token.text))
            };
            if !self.ours.get(name).is_some_and(is_name) {
                return false;
            }
            let Some(before) = name.checked_sub(1) else {
                return false;
            };
            if self.ours.get(before).is_some_and(|token| token.is(".")) {
                at = before;
                continue;
            }
            // Nothing is multiplied there.
            let listed = self
                .relations
                .get(before)
                .is_some_and(|relations| *relations)
                && (self
                    .ours
                    .get(before)
                    .is_some_and(|token| token.is(",") || token.is("("))
                    || ["from", "join"]
                        .iter()
                        .any(|word| self.word_at(before, word)));
            return listed || (self.word_at(before, "table") && self.ends_relation(self.index + 1));
        }
    }

    /// Whether what is at `index` may follow a relation and nothing else.
    fn ends_relation(&self, index: usize) -> bool {
        self.ours.get(index).is_none_or(|next| {
            next.is(")")
                || next.is(",")
                || (AFTER_RELATION.iter().any(|word| next.is_word(word))
                    && !self.ours.get(index + 1).is_some_and(|t| t.is("(")))
        })
    }

    /// `ROWS FROM (f(x), g(y))`: `<rows from>(f(x), g(y))`.
    pub(super) fn is_rows_from(&self) -> bool {
        self.word_at(self.index + 1, "from")
            && self
                .ours
                .get(self.index + 2)
                .is_some_and(|token| token.is("("))
            && (self.before_is(",") || self.before_word(&["from", "join", "lateral"]))
    }

    /// Where `USING (a, b) AS j` has its closing bracket.
    pub(super) fn using(&mut self, token: &Token<'a>, span: Span) {
        if let Some(after) = self.after_group(self.index + 1)
            && self.word_at(after, "as")
            && self.ours.get(after + 1).is_some_and(Token::is_name)
            && !self.ours.get(after + 2).is_some_and(|token| token.is("("))
        {
            self.using_alias = Some(after - 1);
        }
        self.push_next(word(token), span);
    }

    /// `..., b) AS j`: `..., b, <using as>.j)`.
    pub(super) fn using_alias(&mut self, span: Span, places: &mut Places<'_>) {
        self.push(Theirs::Comma, span);
        self.push(tokens::marker(tokens::USING_ALIAS), span);
        self.push(Theirs::Period, span);
        self.push_name(self.index + 2, self.index + 3, places);
        self.push(Theirs::RParen, span);
        self.index += 3;
    }

    /// `x @> ANY (y)`: `x @> <any>(y)`, for operators that sqlparser takes no ANY after.
    pub(super) fn is_odd_quantifier(&self) -> bool {
        self.quantifier == Some(self.index) && self.next_is("(")
    }

    /// The call that stands for ANY or ALL; a query in it gets brackets of its own.
    pub(super) fn quantifier(&mut self, marker: &str, span: Span) {
        self.push_next(tokens::marker(marker), span);
        let is_query = ["select", "table", "values", "with"]
            .iter()
            .any(|word| self.word_at(self.index + 1, word));
        if is_query && let Some(end) = self.after_group(self.index) {
            self.push(Theirs::LParen, span);
            self.closes.push(end);
        }
    }

    /// LIKE and ILIKE before ANY and ALL, as the operators that they are.
    pub(super) fn like(&mut self, token: &Token<'a>, span: Span) {
        let negated = self.before_word(&["not"]);
        if negated {
            self.out.pop();
        }
        let symbol = match (&*token.text, negated) {
            ("like", false) => "~~",
            ("like", true) => "!~~",
            (_, false) => "~~*",
            (_, true) => "!~~*",
        };
        let symbol = self.symbol(symbol, self.index + 1);
        self.push_next(symbol, span);
    }

    /// Whether a bracket after SUBSTRING holds `x SIMILAR y ESCAPE z`: notes where these two words
    /// are, which become commas (`gram.y` makes the same function of both).
    pub(super) fn substring(&mut self) {
        let Some(end) = self.after_group(self.index + 1) else {
            return;
        };
        let mut depth = 0usize;
        let mut similar = None;
        for (at, token) in self.ours.iter().enumerate().take(end).skip(self.index + 1) {
            if token.is("(") || token.is("[") || token.is_word("case") {
                depth += 1;
            } else if token.is(")") || token.is("]") || token.is_word("end") {
                depth = depth.saturating_sub(1);
            } else if depth == 1 && token.is_word("similar") && !self.word_at(at + 1, "to") {
                similar = Some(at);
            } else if depth == 1
                && token.is_word("escape")
                && let Some(similar) = similar.take()
            {
                self.commas.extend([at, similar]);
            }
        }
    }

    /// A type of several words or with a modifier before its literal: the index of the literal.
    pub(super) fn typed_literal_end(&self) -> Option<usize> {
        let first = self.ours.get(self.index)?;
        if self.before_is(".")
            || self.before_word(&["as"])
            || super::is_infix(self.ours, self.index)
        {
            return None;
        }
        let second = |word: &str| self.word_at(self.index + 1, word);
        let mut at = match (first.kind, &*first.text) {
            (Kind::Word, "time" | "timestamp") => {
                let after = self.after_modifiers(self.index + 1);
                let zone = after.unwrap_or(self.index + 1);
                let is_zone = (self.word_at(zone, "with") || self.word_at(zone, "without"))
                    && self.word_at(zone + 1, "time")
                    && self.word_at(zone + 2, "zone");
                let at = if is_zone { zone + 3 } else { zone };
                return (self.kind_at(at) == Some(Kind::String)).then_some(at);
            }
            (Kind::Word, "double") if second("precision") => self.index + 2,
            (Kind::Word, "bit" | "char" | "character") if second("varying") => self.index + 2,
            (
                Kind::Word,
                "bigint" | "bit" | "boolean" | "char" | "character" | "dec" | "decimal" | "float"
                | "int" | "integer" | "nchar" | "numeric" | "real" | "smallint" | "varchar",
            ) => self.index + 1,
            (Kind::Word, name) => {
                let path = self.after_name(self.index);
                let free = !self.word_at(0, "copy")
                    && match keyword::category(name) {
                        None => true,
                        Some(Category::Unreserved) => allow::type_name(name).is_some(),
                        Some(Category::Column | Category::TypeOrFunction | Category::Reserved) => {
                            false
                        }
                    };
                if free && (path > self.index + 1 || !super::is_kept(name)) {
                    path
                } else {
                    return None;
                }
            }
            (Kind::QuotedIdentifier, _) => self.after_name(self.index),
            (
                Kind::String
                | Kind::BitString
                | Kind::HexString
                | Kind::Number
                | Kind::Parameter
                | Kind::Operator
                | Kind::Punctuation,
                _,
            ) => return None,
        };
        if self.ours.get(at).is_some_and(|token| token.is("(")) {
            at = self.after_modifiers(at)?;
        }
        (self.kind_at(at) == Some(Kind::String)).then_some(at)
    }

    /// `numeric(5, 2) '1.234'`: `CAST('1.234' AS numeric(5, 2))`.
    pub(super) fn typed_literal(&mut self, literal: usize, span: Span, places: &mut Places<'_>) {
        let Some(string) = self.ours.get(literal) else {
            return;
        };
        let end = Span::new(span.start, span.end);
        self.push_word("cast", span);
        self.push(Theirs::LParen, span);
        self.push(tokens::token(string, true), end);
        self.push_word("as", span);
        // Before a literal these have no length, elsewhere a length of one (gram.y `ConstBit`,
        // `ConstCharacter`).
        let unlimited = match self.ours.get(self.index).map(|token| &*token.text) {
            Some("bit") => Some("bit"),
            Some("char" | "character" | "nchar") => Some("bpchar"),
            Some(_) | None => None,
        };
        if let Some(name) = unlimited.filter(|_| literal == self.index + 1) {
            self.push(Theirs::make_word("pg_catalog", Some('"')), span);
            self.push(Theirs::Period, span);
            self.push(Theirs::make_word(name, Some('"')), span);
            self.index = literal;
        }
        for token in self.ours.get(self.index..literal).unwrap_or_default() {
            let span = places.span(token.start, token.end);
            let token = if token.kind == Kind::Word {
                word(token)
            } else {
                tokens::token(token, true)
            };
            self.push(token, span);
        }
        self.push(Theirs::RParen, end);
        self.index = literal + 1;
    }
}
