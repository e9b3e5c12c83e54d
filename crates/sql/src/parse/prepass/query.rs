//! Clauses of queries: empty select lists, FETCH FIRST, GROUP BY's lists, row locks, SEARCH and
//! CYCLE, queries in brackets, and the modes of transactions.

use sqlparser::tokenizer::{Span, Token as Theirs};

use super::{Prepass, word};
use crate::lex::{Kind, Token};
use crate::parse::tokens::{self, Places};
use crate::refusal::Refusal;

/// Words that follow a select list; all are reserved, so none of them starts an expression.
const AFTER_LIST: [&str; 14] = [
    "from",
    "where",
    "group",
    "having",
    "window",
    "union",
    "except",
    "intersect",
    "order",
    "limit",
    "offset",
    "fetch",
    "for",
    "into",
];

/// Words after which a bracket may hold an operand. Of these, sqlparser reads a query itself only where that
/// starts with SELECT or WITH.
const AROUND_EXPRESSION: [&str; 16] = [
    "select", "distinct", "where", "and", "or", "not", "when", "then", "else", "case", "on",
    "having", "by", "any", "all", "some",
];

/// Words that follow the first part of a query.
const CONTINUES_QUERY: [&str; 8] = [
    "union",
    "intersect",
    "except",
    "order",
    "limit",
    "offset",
    "fetch",
    "for",
];

/// For each bracket that opens, the index after the one that closes it; 0 elsewhere.
pub(super) fn ends(ours: &[Token<'_>]) -> Vec<usize> {
    let mut ends = vec![0; ours.len()];
    let mut open = Vec::new();
    for (at, token) in ours.iter().enumerate() {
        if token.is("(") {
            open.push(at);
        } else if token.is(")")
            && let Some(end) = open.pop().and_then(|start| ends.get_mut(start))
        {
            *end = at + 1;
        }
    }
    ends
}

impl<'a> Prepass<'_, 'a> {
    /// `SELECT FROM t`, `SELECT`: `SELECT <empty> FROM t`.
    pub(super) fn select(&mut self, token: &Token<'a>, span: Span) {
        self.push_next(word(token), span);
        let empty = self
            .ours
            .get(self.index)
            .is_none_or(|next| next.is(")") || AFTER_LIST.iter().any(|word| next.is_word(word)));
        if empty {
            self.push(tokens::marker(tokens::EMPTY), span);
        }
    }

    /// `()` as a grouping set: `<empty>`.
    pub(super) fn is_empty_set(&self) -> bool {
        self.next_is(")") && (self.before_is("(") || self.before_is(","))
    }

    /// Whether FETCH FIRST or FETCH NEXT starts here, of a query.
    pub(super) fn is_fetch_first(&self) -> bool {
        self.index > 0
            && (self.word_at(self.index + 1, "first") || self.word_at(self.index + 1, "next"))
            && !self.is_label()
    }

    /// `FETCH FIRST n ROWS ONLY` is `LIMIT n`; WITH TIES `LIMIT <ties>(n)`.
    pub(super) fn fetch_first(&mut self, token: &Token<'a>, span: Span) -> Result<(), Refusal> {
        let start = self.index + 2;
        let rows = |index: usize| self.word_at(index, "row") || self.word_at(index, "rows");
        let mut end = start;
        if !rows(start) {
            while self.ours.get(end).is_some_and(|t| t.is("+") || t.is("-")) {
                end += 1;
            }
            end = self.after_group(end).unwrap_or(end + 1);
        }
        let unfit = "FETCH FIRST is not written completely";
        if !rows(end) {
            return Err(self.refuse(token, unfit));
        }
        let (ties, length) = if self.word_at(end + 1, "only") {
            (false, 2)
        } else if self.word_at(end + 1, "with") && self.word_at(end + 2, "ties") {
            (true, 3)
        } else {
            return Err(self.refuse(token, unfit));
        };
        self.push_word("limit", span);
        if ties {
            self.push(tokens::marker(tokens::TIES), span);
            self.push(Theirs::LParen, span);
            self.closes.push(end);
        }
        if start == end {
            self.push(Theirs::Number("1".to_owned(), false), span);
        }
        self.skips.push((end, length));
        self.index = start;
        Ok(())
    }

    /// ALL and DISTINCT after GROUP BY.
    pub(super) fn is_group_quantifier(&self) -> bool {
        self.before_word(&["by"])
            && self
                .index
                .checked_sub(2)
                .is_some_and(|index| self.word_at(index, "group"))
    }

    /// `FOR NO KEY UPDATE OF a, b`: `FOR UPDATE OF <no key>.a.b`; one name needs no help. FOR READ
    /// ONLY locks nothing.
    pub(super) fn is_lock(&self) -> bool {
        let at = |words: &[&str]| {
            words
                .iter()
                .enumerate()
                .all(|(n, word)| self.word_at(self.index + 1 + n, word))
        };
        at(&["no", "key", "update"])
            || at(&["key", "share"])
            || at(&["read", "only"])
            || ((at(&["update", "of"]) || at(&["share", "of"]))
                && self.ours.get(self.index + 4).is_some_and(|t| t.is(",")))
    }

    pub(super) fn lock(&mut self, span: Span, places: &mut Places<'_>) {
        if self.word_at(self.index + 1, "read") {
            self.index += 3;
            return;
        }
        self.push_word("for", span);
        let marker = if self.word_at(self.index + 1, "no") {
            self.push_word("update", span);
            self.index += 4;
            Some(tokens::NO_KEY)
        } else if self.word_at(self.index + 1, "key") {
            self.push_word("share", span);
            self.index += 3;
            Some(tokens::KEY)
        } else {
            let strength = if self.word_at(self.index + 1, "update") {
                "update"
            } else {
                "share"
            };
            self.push_word(strength, span);
            self.index += 2;
            None
        };
        let of = self.word_at(self.index, "of");
        if marker.is_some() || of {
            self.push_word("of", span);
        }
        let mut first = true;
        if let Some(marker) = marker {
            self.push(tokens::marker(marker), span);
            first = false;
        }
        if !of {
            return;
        }
        self.index += 1;
        loop {
            if !first {
                self.push(Theirs::Period, span);
            }
            first = false;
            self.push_name(self.index, self.index + 1, places);
            self.index += 1;
            if !self.ours.get(self.index).is_some_and(|token| token.is(",")) {
                return;
            }
            self.index += 1;
        }
    }

    /// SEARCH and CYCLE after a common table expression: `FOR UPDATE OF <search ...>` as the last
    /// clause of its query, which says both.
    pub(super) fn search(&mut self, span: Span) -> bool {
        let mut at = self.index;
        let mut told = String::new();
        if let Some(end) = self.search_clause(at, &mut told) {
            at = end;
        }
        if let Some(end) = self.cycle_clause(at, &mut told) {
            at = end;
        }
        if at == self.index {
            return false;
        }
        // Within the brackets that have just closed.
        let Some(bracket) = self.out.pop_if(|last| last.token == Theirs::RParen) else {
            return false;
        };
        for word in ["for", "update", "of"] {
            self.push_word(word, span);
        }
        self.push(tokens::marker(&format!("{}{told}", tokens::SEARCH)), span);
        self.out.push(bracket);
        self.index = at;
        true
    }

    /// `SEARCH DEPTH|BREADTH FIRST BY a, b SET c`; its parts parted by zero bytes, which no name
    /// and no literal holds.
    fn search_clause(&self, at: usize, told: &mut String) -> Option<usize> {
        if !self.word_at(at, "search") {
            return None;
        }
        let kind = ["depth", "breadth"]
            .into_iter()
            .find(|kind| self.word_at(at + 1, kind))?;
        if !self.word_at(at + 2, "first") || !self.word_at(at + 3, "by") {
            return None;
        }
        let mut part = format!("\0search\0{kind}");
        let at = self.names(at + 4, &mut part)?;
        if !self.word_at(at, "set") {
            return None;
        }
        let column = self.ours.get(at + 1).filter(|token| token.is_name())?;
        told.push_str(&part);
        told.push_str("\0set\0");
        told.push_str(&column.text);
        Some(at + 2)
    }

    /// `CYCLE a, b SET c [TO x DEFAULT y] USING d`.
    fn cycle_clause(&self, at: usize, told: &mut String) -> Option<usize> {
        if !self.word_at(at, "cycle") {
            return None;
        }
        let mut part = "\0cycle".to_owned();
        let mut at = self.names(at + 1, &mut part)?;
        if !self.word_at(at, "set") {
            return None;
        }
        let mark = self.ours.get(at + 1).filter(|token| token.is_name())?;
        part.push_str("\0set\0");
        part.push_str(&mark.text);
        at += 2;
        if self.word_at(at, "to") {
            let to = self.constant(at + 1)?;
            if !self.word_at(at + 2, "default") {
                return None;
            }
            let default = self.constant(at + 3)?;
            part.push_str("\0to\0");
            part.push_str(&to);
            part.push('\0');
            part.push_str(&default);
            at += 4;
        }
        if !self.word_at(at, "using") {
            return None;
        }
        let path = self.ours.get(at + 1).filter(|token| token.is_name())?;
        told.push_str(&part);
        told.push_str("\0using\0");
        told.push_str(&path.text);
        Some(at + 2)
    }

    fn names(&self, mut at: usize, told: &mut String) -> Option<usize> {
        loop {
            let name = self.ours.get(at).filter(|token| token.is_name())?;
            told.push_str("\0column\0");
            told.push_str(&name.text);
            if !self.ours.get(at + 1)?.is(",") {
                return Some(at + 1);
            }
            at += 2;
        }
    }

    /// A constant of one token, its kind in the first byte.
    fn constant(&self, at: usize) -> Option<String> {
        let token = self.ours.get(at)?;
        match token.kind {
            Kind::String => Some(format!("s{}", token.text)),
            Kind::Number => Some(format!("n{}", token.text)),
            Kind::Word if token.is_word("true") || token.is_word("false") => {
                Some(format!("b{}", token.text))
            }
            Kind::Word
            | Kind::QuotedIdentifier
            | Kind::BitString
            | Kind::HexString
            | Kind::Parameter
            | Kind::Operator
            | Kind::Punctuation => None,
        }
    }

    /// Whether this statement sets the modes of a transaction.
    pub(super) fn is_of_transaction(&self) -> bool {
        self.word_at(0, "begin") || self.word_at(0, "start") || self.word_at(0, "set")
    }

    /// `DEFERRABLE`: `ISOLATION LEVEL SNAPSHOT`, which PostgreSQL does not have.
    pub(super) fn deferrable(&mut self, span: Span) {
        for word in ["isolation", "level", "snapshot"] {
            self.push_word(word, span);
        }
        self.index += 1;
    }

    /// `NOT DEFERRABLE` is how a transaction starts anyway: dropped with its comma.
    pub(super) fn not_deferrable(&mut self) {
        self.index += 2;
        if self
            .out
            .pop_if(|last| last.token == Theirs::Comma)
            .is_none()
            && self.ours.get(self.index).is_some_and(|token| token.is(","))
        {
            self.index += 1;
        }
    }

    /// The index after the brackets that open at `index`.
    pub(super) fn after_group(&self, index: usize) -> Option<usize> {
        self.ends.get(index).copied().filter(|end| *end > 0)
    }

    /// Whether a query starts within the bracket at this token that sqlparser would take for an expression: VALUES,
    /// or one whose own first part stands in brackets. Where it looks for a query anyway, after words
    /// such as FROM, IN and EXISTS, it needs no help, and brackets after a name are that name's.
    pub(super) fn is_nested_query(&self) -> bool {
        let expression = match self.before() {
            None => false,
            Some(token) if token.kind == Kind::Word => {
                AROUND_EXPRESSION.iter().any(|word| token.is_word(word))
            }
            Some(token) => token.kind == Kind::Operator || token.is("(") || token.is(","),
        };
        if !expression {
            return false;
        }
        if self.word_at(self.index + 1, "values") {
            return true;
        }
        let after = self.after_group(self.index + 1);
        after.is_some_and(|after| {
            self.is_query_in_brackets(self.index + 1)
                && CONTINUES_QUERY.iter().any(|word| self.word_at(after, word))
        })
    }

    /// What has sqlparser read a query: a WITH clause that lowering takes off again.
    pub(super) fn nested_query(&mut self, span: Span) {
        self.push_word("with", span);
        self.push(tokens::marker(tokens::NESTED), span);
        self.push_word("as", span);
        self.push(Theirs::LParen, span);
        self.push_word("values", span);
        self.push(Theirs::LParen, span);
        self.push(Theirs::Number("0".to_owned(), false), span);
        self.push(Theirs::RParen, span);
        self.push(Theirs::RParen, span);
    }

    /// After `x IN (`: where the first item of the list ends, if it starts with a query in brackets, which
    /// sqlparser would take for all there is.
    pub(super) fn first_operand_end(&self) -> Option<usize> {
        let bracket = self.index.checked_sub(1)?;
        let listed = self.ours.get(bracket)?.is("(") && self.word_at(bracket.checked_sub(1)?, "in");
        let after = self.after_group(self.index).filter(|_| listed)?;
        let continues = CONTINUES_QUERY.iter().any(|word| self.word_at(after, word));
        if continues || !self.is_query_in_brackets(self.index) || self.ours.get(after)?.is(")") {
            return None;
        }
        let (mut at, mut squares) = (after, 0usize);
        loop {
            let token = self.ours.get(at)?;
            if token.is("[") {
                squares += 1;
            } else if token.is("]") {
                squares = squares.saturating_sub(1);
            } else if squares == 0 && (token.is(",") || token.is(")")) {
                return Some(at);
            }
            at = self.after_group(at).unwrap_or(at + 1);
        }
    }

    /// `EXPLAIN (SELECT ...) ...`: not options.
    pub(super) fn is_explain_of_brackets(&self) -> bool {
        self.index == 0 && self.next_is("(") && self.is_query_in_brackets(1)
    }

    /// Whether the first word in the brackets at `index` starts a query.
    fn is_query_in_brackets(&self, index: usize) -> bool {
        let mut inner = self
            .ours
            .iter()
            .skip(index)
            .skip_while(|token| token.is("("));
        inner.next().is_some_and(|first| {
            ["select", "table", "values", "with"]
                .iter()
                .any(|word| first.is_word(word))
        })
    }

    /// `FORCE_QUOTE *` and, as it was written once, `FORCE QUOTE *` of COPY.
    pub(super) fn is_forced(&self) -> bool {
        self.word_at(0, "copy")
            && (self.before_word(&["force_quote"])
                || (self.before_word(&["quote"])
                    && self
                        .index
                        .checked_sub(2)
                        .is_some_and(|index| self.word_at(index, "force"))))
    }

    /// All columns: `(<star>)`, or `<star>` in the old syntax.
    pub(super) fn force_all(&mut self, span: Span) {
        let brackets = self.before_word(&["force_quote"]);
        if brackets {
            self.push(Theirs::LParen, span);
        }
        self.push_next(tokens::marker(tokens::STAR), span);
        if brackets {
            self.push(Theirs::RParen, span);
        }
    }
}
