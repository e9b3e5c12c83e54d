//! Rewrites, token by token, what sqlparser cannot read or reads otherwise than PostgreSQL.
//!
//! | written | given to sqlparser |
//! | --- | --- |
//! | a word that is no keyword to PostgreSQL | an identifier, whatever it is to sqlparser |
//! | `TABLE t` as a query | `SELECT * FROM t` (`gram.y` does the same) |
//! | `FROM ONLY t`, `ONLY (t)` | `FROM <only>.t`, see [`super::Marker`] |
//! | `f(VARIADIC x)` | `f(<variadic> => x)` |
//! | `(x).*` | `(x).<star>` |
//! | `a OPERATOR(pg_catalog.~) b` | `a ~ b` with the precedence of `OPERATOR` |
//! | `a ISNULL`, `a NOTNULL` | `a IS NULL`, `a IS NOT NULL` |
//! | `inet '::1'` | `CAST('::1' AS inet)` |
//! | `trim(leading from x)` | `trim(leading x)` |
//! | `interval(3) '1.5 s'` | `CAST('1.5 s' AS interval(3))` |
//! | `x::text COLLATE c` | `x::text::<collate>.c` |
//! | `BETWEEN SYMMETRIC a AND b` | `BETWEEN <symmetric>(a) AND b` |
//! | `5 PRECEDING EXCLUDE TIES` | `5 OR <exclude ties> PRECEDING` |
//! | `'1 day' PRECEDING` | `('1 day') PRECEDING` |
//! | `SELECT FROM t`, `()` among grouping sets | `SELECT <empty> FROM t`, `<empty>` |
//! | `FETCH FIRST (n) ROWS WITH TIES` | `LIMIT <ties>(n)` |
//! | `GROUP BY DISTINCT a`, `GROUPING SETS (a)` | `GROUP BY <group distinct>, a`, `<grouping sets>(a)` |
//! | `FOR NO KEY UPDATE OF a, b` | `FOR UPDATE OF <no key>.a.b` |
//! | `) SEARCH ... CYCLE ...` | `FOR UPDATE OF <search ...>)` |
//! | `ROWS FROM (f(x))`, `USING (a) AS j`, `FROM t *` | `<rows from>(f(x))`, `USING (a, <using as>.j)`, `FROM t` |
//! | `x @> ANY (y)`, `x LIKE ANY (y)` | `x @> <any>(y)`, `x ~~ ANY (y)` |
//! | `numeric(5, 2) '1.2'`, `int ARRAY` | `CAST('1.2' AS numeric(5, 2))`, `int[]` |
//! | `SUBSTRING(a SIMILAR b ESCAPE c)`, `COLLATION FOR (x)` | `SUBSTRING(a, b, c)`, `pg_collation_for(x)` |
//! | `x AT LOCAL` | `x AT TIME ZONE <local>` |
//! | `x = ANY ((SELECT a) UNION (SELECT b))` | `x = ANY (WITH <nested> AS (VALUES (0)) (SELECT a) UNION (SELECT b))` |
//! | `x IN ((SELECT a), b)` | `x IN (<operand>((SELECT a)), b)` |
//! | `ROLLUP ((a + b) * c)` | the same, ROLLUP being no keyword |
//! | `EXPLAIN (SELECT a) UNION (SELECT b)` | `EXPLAIN (costs) (SELECT a) UNION (SELECT b)` |
//! | `FORCE_QUOTE *`, `FORCE QUOTE *` | `FORCE_QUOTE (<star>)`, `FORCE QUOTE <star>` |
//! | `-2 ^ 2` | `(-2) ^ 2`, see [`super::precedence`] |
//! | `INSERT INTO t (a) OVERRIDING USER VALUE` | `INSERT INTO t (a, <overriding user>)` |
//! | `WHERE CURRENT OF c` | `WHERE <current of>.c` |
//! | `CREATE TABLE t (a, b) AS` | `CREATE TABLE t (a <untyped>, b <untyped>) AS` |
//! | `DEFERRABLE` | `ISOLATION LEVEL SNAPSHOT` |
//! | `FETCH c`, `MOVE 2 IN c` | `FETCH NEXT FROM c`, `FETCH 2 FROM c INTO <move>` |

mod cursor;
mod from;
mod operand;
mod query;
mod window;
mod write;

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Span, Token as Theirs, TokenWithSpan, Word};

use super::near;
use super::precedence::is_infix;
use super::tokens::{self, Places};
use crate::allow::keyword;
use crate::lex::{Kind, Token, character_position};
use crate::refusal::{Reason, Refusal};

/// The tokens of one statement for sqlparser's parser.
pub(super) fn tokens(
    text: &str,
    ours: &[Token<'_>],
    signed: &[(usize, usize)],
    places: &mut Places<'_>,
) -> Result<Vec<TokenWithSpan>, Refusal> {
    let mut pass = Prepass {
        text,
        ours,
        ends: query::ends(ours),
        relations: from::relations(ours),
        index: 0,
        out: Vec::with_capacity(ours.len() + 8),
        closes: Vec::new(),
        skips: Vec::new(),
        collate: None,
        using_alias: None,
        quantifier: None,
        commas: Vec::new(),
        untyped: Vec::new(),
    };
    let mut signed = signed.iter().peekable();
    while let Some(token) = ours.get(pass.index) {
        let span = places.span(token.start, token.end);
        while pass.closes.pop_if(|close| *close <= pass.index).is_some() {
            pass.push(Theirs::RParen, span);
        }
        if let Some((_, count)) = pass.skips.pop_if(|(at, _)| *at <= pass.index) {
            pass.index += count;
            continue;
        }
        while let Some((_, end)) = signed.next_if(|(at, _)| *at <= pass.index) {
            pass.push(Theirs::LParen, span);
            pass.closes.push(*end);
        }
        pass.step(token, span, places)?;
    }
    let end = ours.last().map_or(0, |token| token.end);
    let span = places.span(end, end);
    for _ in 0..std::mem::take(&mut pass.closes).len() {
        pass.push(Theirs::RParen, span);
    }
    Ok(pass.out)
}

struct Prepass<'p, 'a> {
    text: &'p str,
    ours: &'p [Token<'a>],
    /// For each bracket that opens, the index after the one that closes it; 0 where none does.
    ends: Vec<usize>,
    /// Of each token, whether it stands in the FROM clause of a statement.
    relations: Vec<bool>,
    index: usize,
    out: Vec<TokenWithSpan>,
    /// Before which tokens a bracket that the pass has opened closes, the innermost last.
    closes: Vec<usize>,
    /// Tokens that say what was said already: where, and how many. The innermost last.
    skips: Vec<(usize, usize)>,
    /// Where COLLATE follows the type of a cast.
    collate: Option<usize>,
    /// Where the bracket of USING closes that has an alias.
    using_alias: Option<usize>,
    /// Where ANY or ALL follows an operator that sqlparser takes none after.
    quantifier: Option<usize>,
    /// Words that become commas, the next one last.
    commas: Vec<usize>,
    /// Before which tokens stands a column that has no type, the next one last.
    untyped: Vec<usize>,
}

impl<'a> Prepass<'_, 'a> {
    /// Takes one token, or a construct that starts with it.
    fn step(
        &mut self,
        token: &Token<'a>,
        span: Span,
        places: &mut Places<'_>,
    ) -> Result<(), Refusal> {
        match token.kind {
            Kind::Word => match &*token.text {
                "only" if !self.is_label() => return self.only(token, span, places),
                "table" if self.is_table_query() => {
                    self.push_word("select", span);
                    self.push(Theirs::Mul, span);
                    self.push_word("from", span);
                    self.index += 1;
                }
                "explain" if self.is_explain_of_brackets() => {
                    self.push_next(word(token), span);
                    self.push(Theirs::LParen, span);
                    self.push_word("costs", span);
                    self.push(Theirs::RParen, span);
                }
                "table" if self.is_of_names() => self.push_next(word(token), span),
                "variadic" if self.before_is("(") || self.before_is(",") => {
                    self.push(tokens::marker(tokens::VARIADIC), span);
                    self.push(Theirs::RArrow, span);
                    self.index += 1;
                }
                _ if self.commas.pop_if(|at| *at <= self.index).is_some() => {
                    self.push_next(Theirs::Comma, span);
                }
                "select" if !self.is_label() => self.select(token, span),
                "fetch" | "move" if self.is_fetch() => self.fetch(places),
                "fetch" if self.is_fetch_first() => return self.fetch_first(token, span),
                "all" if self.is_group_quantifier() => self.index += 1,
                "distinct" if self.is_group_quantifier() => {
                    self.push_next(tokens::marker(tokens::GROUP_DISTINCT), span);
                    self.push(Theirs::Comma, span);
                }
                "grouping" if self.word_at(self.index + 1, "sets") => {
                    self.push(tokens::marker(tokens::GROUPING_SETS), span);
                    self.index += 2;
                }
                // As keywords they take lists of names or of lists only, as functions what functions do.
                "rollup" | "cube" if self.next_is("(") => self.push_next(name(&token.text), span),
                "overriding" if self.overriding().is_some() => self.override_value(span),
                "current" if self.word_at(self.index + 1, "of") && self.before_word(&["where"]) => {
                    self.current_of(span, places);
                }
                "for" if self.is_lock() => self.lock(span, places),
                "search" | "cycle" if self.before_is(")") && self.search(span) => {}
                "deferrable" if self.is_of_transaction() => self.deferrable(span),
                "not" if self.is_of_transaction() && self.word_at(self.index + 1, "deferrable") => {
                    self.not_deferrable();
                }
                "snapshot" if self.before_word(&["level"]) => {
                    return Err(near::syntax_error(
                        self.text,
                        self.ours,
                        Some(span.start.column),
                    ));
                }
                "rows" if self.is_rows_from() => {
                    self.push(tokens::marker(tokens::ROWS_FROM), span);
                    self.index += 2;
                }
                "using" if self.next_is("(") => self.using(token, span),
                "any" | "some" if self.is_odd_quantifier() => {
                    self.quantifier(tokens::ANY, span);
                }
                "all" if self.is_odd_quantifier() => {
                    self.quantifier(tokens::ALL, span);
                }
                "like" | "ilike" if self.is_quantified(self.index + 1) => self.like(token, span),
                "collation"
                    if self.word_at(self.index + 1, "for")
                        && self
                            .ours
                            .get(self.index + 2)
                            .is_some_and(|token| token.is("(")) =>
                {
                    self.push_word("pg_collation_for", span);
                    self.index += 2;
                }
                "at" if self.word_at(self.index + 1, "local")
                    && is_infix(self.ours, self.index) =>
                {
                    for word in ["at", "time", "zone"] {
                        self.push_word(word, span);
                    }
                    self.push(tokens::marker(tokens::LOCAL), span);
                    self.index += 2;
                }
                "array" if is_infix(self.ours, self.index) && !self.is_of_is_json() => {
                    self.array_suffix(span);
                }
                "substring" if self.next_is("(") => {
                    self.substring();
                    self.push_next(word(token), span);
                }
                "between" => self.between(token, span),
                "interval" if self.is_precise_interval() => {
                    self.precise_interval(token, span, places);
                }
                // TRIM(LEADING FROM x) is TRIM(LEADING x), TRIM(FROM x) is TRIM(x).
                "from" if self.before_word(&["leading", "trailing", "both"]) => self.index += 1,
                "from" if self.is_first_of_trim() => self.index += 1,
                "collate" if self.collate == Some(self.index) => self.collate(span, places),
                "exclude" if self.is_frame_end() => return self.exclude(token, span),
                "operator" if self.next_is("(") && is_infix(self.ours, self.index) => {
                    return self.operator(token, span);
                }
                "isnull" if is_infix(self.ours, self.index) => {
                    self.push_word("is", span);
                    self.push_word("null", span);
                    self.index += 1;
                }
                "notnull" if is_infix(self.ours, self.index) => {
                    self.push_word("is", span);
                    self.push_word("not", span);
                    self.push_word("null", span);
                    self.index += 1;
                }
                _ => match self.typed_literal_end() {
                    Some(literal) => self.typed_literal(literal, span, places),
                    None => self.push_next(word(token), span),
                },
            },
            Kind::Operator if token.text == "*" && self.is_forced() => self.force_all(span),
            Kind::Operator if token.text == "*" && self.is_inheritance_star() => self.index += 1,
            Kind::Operator if token.text == "*" && self.before_is(".") && self.is_after_group() => {
                self.push_next(tokens::marker(tokens::STAR), span);
            }
            Kind::Operator => {
                let known = ["=", "<>", "<", ">", "<=", ">="]
                    .iter()
                    .any(|known| token.is(known))
                    || token.text.contains('~');
                if !known && self.is_quantified(self.index + 1) {
                    self.quantifier = Some(self.index + 1);
                }
                let token = self.symbol(&token.text, self.index + 1);
                self.push_next(token, span);
            }
            Kind::String if self.is_string_distance() => {
                self.push(Theirs::LParen, span);
                self.push_next(tokens::token(token, true), span);
                self.push(Theirs::RParen, span);
            }
            Kind::Punctuation => {
                if self.untyped.pop_if(|at| *at <= self.index).is_some() {
                    self.push(tokens::marker(tokens::UNTYPED), span);
                }
                if token.is("::") {
                    self.cast();
                } else if token.is("(") && self.is_empty_set() {
                    self.push(tokens::marker(tokens::EMPTY), span);
                    self.index += 2;
                    return Ok(());
                } else if self.using_alias == Some(self.index) {
                    self.using_alias(span, places);
                    return Ok(());
                }
                let nested = token.is("(") && self.is_nested_query();
                self.push_next(tokens::token(token, true), span);
                if nested {
                    self.nested_query(span);
                } else if let Some(end) = self.first_operand_end() {
                    self.push(tokens::marker(tokens::OPERAND), span);
                    self.push(Theirs::LParen, span);
                    self.closes.push(end);
                }
            }
            Kind::QuotedIdentifier => match self.typed_literal_end() {
                Some(literal) => self.typed_literal(literal, span, places),
                None => self.push_next(tokens::token(token, true), span),
            },
            Kind::String | Kind::BitString | Kind::HexString | Kind::Number | Kind::Parameter => {
                self.push_next(tokens::token(token, true), span);
            }
        }
        Ok(())
    }

    /// ONLY before a relation: a marker as the first part of its name. Elsewhere PostgreSQL knows
    /// it only in FETCH ... ROWS ONLY, in READ ONLY and as a label.
    fn only(
        &mut self,
        token: &Token<'a>,
        span: Span,
        places: &mut Places<'_>,
    ) -> Result<(), Refusal> {
        if self.before_word(&["read", "row", "rows"]) || self.before_is_count() {
            self.push_next(word(token), span);
            return Ok(());
        }
        let is_relation = self.before_is("(")
            || self.before_is(",")
            || self.before_word(&["from", "join", "table", "update", "using", "into"]);
        let parenthesised = self.next_is("(");
        let first = self.index + 1 + usize::from(parenthesised);
        let end = self.after_name(first);
        let closed = !parenthesised || self.ours.get(end).is_some_and(|token| token.is(")"));
        if !is_relation || end == first || !closed {
            return Err(self.refuse(token, "ONLY is not supported here"));
        }
        self.push(tokens::marker(tokens::ONLY), span);
        self.push(Theirs::Period, span);
        self.push_name(first, end, places);
        self.index = end + usize::from(parenthesised);
        Ok(())
    }

    /// `OPERATOR([schema.]symbol)` between two operands.
    fn operator(&mut self, token: &Token<'a>, span: Span) -> Result<(), Refusal> {
        let mut index = self.index + 2;
        if self.ours.get(index + 1).is_some_and(|token| token.is(".")) {
            if self
                .ours
                .get(index)
                .is_none_or(|token| token.text != "pg_catalog")
            {
                return Err(Refusal::new(
                    Reason::Operator,
                    "operators outside pg_catalog are not supported through the gateway",
                )
                .at(character_position(self.text, token.start)));
            }
            index += 2;
        }
        let (Some(symbol), Some(close)) = (self.ours.get(index), self.ours.get(index + 1)) else {
            return Err(self.refuse(token, "OPERATOR is not written completely"));
        };
        if symbol.kind != Kind::Operator || !close.is(")") {
            return Err(self.refuse(token, "OPERATOR takes one operator"));
        }
        let symbol = if self.is_quantified(index + 2) {
            self.symbol(&symbol.text, index + 2)
        } else {
            tokens::custom(&symbol.text)
        };
        self.push(symbol, span);
        self.index = index + 2;
        Ok(())
    }

    /// An operator, `after` being the index of what follows it: sqlparser gives the right
    /// precedence to custom operators, but takes ANY, ALL and SOME only after its own.
    fn symbol(&self, symbol: &str, after: usize) -> Theirs {
        if self.is_quantified(after) {
            match symbol {
                "~" => return Theirs::Tilde,
                "~*" => return Theirs::TildeAsterisk,
                "!~" => return Theirs::ExclamationMarkTilde,
                "!~*" => return Theirs::ExclamationMarkTildeAsterisk,
                "~~" => return Theirs::DoubleTilde,
                "~~*" => return Theirs::DoubleTildeAsterisk,
                "!~~" => return Theirs::ExclamationMarkDoubleTilde,
                "!~~*" => return Theirs::ExclamationMarkDoubleTildeAsterisk,
                _ => {}
            }
        }
        tokens::operator(symbol, is_infix(self.ours, self.index))
    }

    /// `FROM` first in the brackets of TRIM.
    fn is_first_of_trim(&self) -> bool {
        self.before_is("(")
            && self
                .index
                .checked_sub(2)
                .is_some_and(|index| self.word_at(index, "trim"))
    }

    /// `x IS JSON ARRAY`
    fn is_of_is_json(&self) -> bool {
        let tests = |index: usize| self.word_at(index, "is") || self.word_at(index, "not");
        self.before_word(&["json"]) && self.index.checked_sub(2).is_some_and(tests)
    }

    /// `int ARRAY`, `int ARRAY[3]`: `int[]`; PostgreSQL takes no account of the length.
    fn array_suffix(&mut self, span: Span) {
        self.push(Theirs::LBracket, span);
        self.push(Theirs::RBracket, span);
        self.index += 1;
        if self.ours.get(self.index).is_some_and(|token| token.is("["))
            && let Some(end) = self.after_modifiers(self.index)
        {
            self.index = end;
        }
    }

    /// Whether TABLE stands where a query may start, and a relation follows.
    fn is_table_query(&self) -> bool {
        let starts = self.index == 0
            || self.before_is("(")
            || self.before_is(")")
            || self.before_word(&[
                "all",
                "analyse",
                "analyze",
                "as",
                "distinct",
                "except",
                "explain",
                "for",
                "intersect",
                "union",
                "verbose",
            ]);
        let follows = self.ours.get(self.index + 1).is_some_and(|next| {
            next.kind == Kind::QuotedIdentifier
                || next.is_word("only")
                || (next.kind == Kind::Word && !keyword::is_no_column(&next.text))
        });
        starts && follows
    }

    fn is_quantified(&self, index: usize) -> bool {
        ["any", "all", "some"]
            .iter()
            .any(|word| self.word_at(index, word))
    }

    /// Whether the dot before this token follows a closing bracket.
    fn is_after_group(&self) -> bool {
        self.index
            .checked_sub(2)
            .and_then(|index| self.ours.get(index))
            .is_some_and(|token| token.is(")") || token.is("]"))
    }

    /// Whether this word is a field or a label, where PostgreSQL takes any word.
    fn is_label(&self) -> bool {
        self.before_is(".") || self.before_word(&["as"])
    }

    /// `FETCH FIRST 5 ONLY` without ROWS is no SQL, but `FETCH FIRST ROW ONLY` is handled above;
    /// a number or a bracket before ONLY is left for the parser to judge.
    fn before_is_count(&self) -> bool {
        self.before()
            .is_some_and(|token| token.kind == Kind::Number)
    }

    /// The index after `name(.name)*` at `index`; `index` itself when no name is there.
    fn after_name(&self, mut index: usize) -> usize {
        let is_name = |index: usize| self.ours.get(index).is_some_and(Token::is_name);
        if !is_name(index) {
            return index;
        }
        index += 1;
        while self.ours.get(index).is_some_and(|token| token.is(".")) && is_name(index + 1) {
            index += 2;
        }
        index
    }

    fn before(&self) -> Option<&Token<'a>> {
        self.index
            .checked_sub(1)
            .and_then(|index| self.ours.get(index))
    }

    fn before_is(&self, symbol: &str) -> bool {
        self.before().is_some_and(|token| token.is(symbol))
    }

    fn before_word(&self, words: &[&str]) -> bool {
        self.before()
            .is_some_and(|token| words.iter().any(|word| token.is_word(word)))
    }

    fn next_is(&self, symbol: &str) -> bool {
        self.ours
            .get(self.index + 1)
            .is_some_and(|token| token.is(symbol))
    }

    fn word_at(&self, index: usize, word: &str) -> bool {
        self.ours
            .get(index)
            .is_some_and(|token| token.is_word(word))
    }

    /// The tokens of a name from `first` to before `end`.
    fn push_name(&mut self, first: usize, end: usize, places: &mut Places<'_>) {
        for part in self.ours.get(first..end).unwrap_or_default() {
            let span = places.span(part.start, part.end);
            let part = if part.kind == Kind::Word {
                word(part)
            } else {
                tokens::token(part, true)
            };
            self.push(part, span);
        }
    }

    fn kind_at(&self, index: usize) -> Option<Kind> {
        self.ours.get(index).map(|token| token.kind)
    }

    fn push(&mut self, token: Theirs, span: Span) {
        self.out.push(tokens::at(token, span));
    }

    fn push_word(&mut self, word: &str, span: Span) {
        self.push(Theirs::make_word(word, None), span);
    }

    fn push_next(&mut self, token: Theirs, span: Span) {
        self.push(token, span);
        self.index += 1;
    }

    fn refuse(&self, token: &Token<'_>, message: &'static str) -> Refusal {
        Refusal::new(Reason::Construct, message).at(character_position(self.text, token.start))
    }
}

/// A word that is no keyword to PostgreSQL is none to sqlparser either: `anti`, `qualify`,
/// `global`, `pivot`, `top`, `xor`, `div` and some seven hundred others are plain names.
fn word(token: &Token<'_>) -> Theirs {
    let known = keyword::category(&token.text).is_some() || is_kept(&token.text);
    // GLOBAL is a keyword of DDL to PostgreSQL, and a kind of join to sqlparser.
    if known && token.text != "global" {
        return Theirs::make_word(&token.text, None);
    }
    name(&token.text)
}

/// A word that is no keyword.
fn name(word: &str) -> Theirs {
    Theirs::Word(Word {
        value: word.to_owned(),
        quote_style: None,
        keyword: Keyword::NoKeyword,
    })
}

/// Words that are no keywords to PostgreSQL but that sqlparser must know to read what PostgreSQL
/// reads: types that can stand before a literal, fields of EXTRACT, options of COPY and EXPLAIN.
fn is_kept(word: &str) -> bool {
    matches!(
        word,
        "bool"
            | "box"
            | "bernoulli"
            | "bytea"
            | "circle"
            | "date"
            | "float4"
            | "float8"
            | "int2"
            | "int4"
            | "int8"
            | "jsonb"
            | "line"
            | "lseg"
            | "point"
            | "polygon"
            | "regclass"
            | "text"
            | "timestamptz"
            | "timetz"
            | "tsquery"
            | "tsvector"
            | "uuid"
            | "century"
            | "decade"
            | "dow"
            | "doy"
            | "epoch"
            | "isodow"
            | "isoyear"
            | "julian"
            | "microseconds"
            | "millennium"
            | "milliseconds"
            | "quarter"
            | "timezone"
            | "timezone_hour"
            | "timezone_minute"
            | "week"
            | "force_not_null"
            | "force_null"
            | "force_quote"
            | "format"
            | "json"
    )
}
