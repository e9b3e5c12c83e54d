//! From text to sqlparser's trees: lexed twice, agreed, within budget, nothing left over.
//!
//! sqlparser's parser is given tokens made of ours (`tokens`), one statement at a time, after a
//! pre-pass (`prepass`) that rewrites or refuses what sqlparser would read otherwise than
//! PostgreSQL. So the tree's names are folded and cut as PostgreSQL does, its strings are all
//! `SingleQuotedString` with their decoded value, and its spans say in which character of the text
//! a token starts: `Location { line: 1, column }`, the column counted in characters from 1 over
//! the whole text, whatever lines it has (PostgreSQL's field `P`).

mod near;
mod precedence;
mod prepass;
#[cfg(test)]
mod stack_tests;
#[cfg(test)]
mod tests;
mod tokens;

use sqlparser::ast::{Ident, Statement};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token as TheirToken;

use crate::agree;
use crate::budget::{self, OverBudget};
use crate::lex::{self, LexError, LexErrorKind, character_position};
use crate::refusal::{Reason, Refusal};

/// The newest major version whose grammar was read for this.
const NEWEST_MAJOR: u16 = 18;

/// What the pre-pass says in a tree that sqlparser has no node for. A marker is an identifier that
/// no client can write, so a lowering that does not know it finds no such name and refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    /// First part of a relation's name: `FROM ONLY t` arrives as `<only>.t`.
    Only,
    /// Name of a function's argument: `f(VARIADIC x)` arrives as `f(<variadic> => x)`.
    Variadic,
    /// Last part of a field access: `(x).*` arrives as `(x).<star>`; and the columns of
    /// `FORCE_QUOTE *`.
    Star,
    /// First part of a type's name: `x::text COLLATE c` arrives as `x::text::<collate>.c`.
    Collate,
    /// Name of a function around BETWEEN's lower bound: `BETWEEN <symmetric>(a) AND b`.
    Symmetric,
    /// Target of FETCH: `MOVE 2 IN c` arrives as `FETCH 2 FROM c INTO <move>`.
    Move,
    /// Distance of a window frame's bound that is CURRENT ROW and carries an [`Self::Exclude`].
    CurrentRow,
    /// Distance of a window frame's bound that is UNBOUNDED and carries an [`Self::Exclude`].
    Unbounded,
    /// The only item of an empty select list, and `()` among grouping sets.
    Empty,
    /// Name of a function around the count of LIMIT: `FETCH FIRST n ROWS WITH TIES`.
    Ties,
    /// Name of a function around the functions of ROWS FROM.
    RowsFrom,
    /// First part of the last name in USING: `USING (a) AS j` arrives as `USING (a, <using as>.j)`.
    UsingAlias,
    /// Name of a function around the right operand of an operator: `x @> ANY (y)`.
    Any,
    /// The same of ALL.
    All,
    /// Name of a function around grouping sets.
    GroupingSets,
    /// First item of GROUP BY DISTINCT.
    GroupDistinct,
    /// First part of the names after OF: `FOR NO KEY UPDATE OF a, b` arrives as
    /// `FOR UPDATE OF <no key>.a.b`.
    NoKey,
    /// The same of FOR KEY SHARE.
    Key,
    /// Type of a column of CREATE TABLE AS, which has none there.
    Untyped,
    /// Time zone of AT LOCAL.
    Local,
    /// Name of the only common table expression of a query that has none: `((SELECT a) UNION (SELECT b))`
    /// as an operand arrives as `(WITH <nested> AS (VALUES (0)) (SELECT a) UNION (SELECT b))`.
    Nested,
    /// Name of a function around the first item of a list: `x IN ((SELECT a), b)` arrives as
    /// `x IN (<operand>((SELECT a)), b)`.
    Operand,
    /// Last of the columns of an INSERT: `OVERRIDING SYSTEM VALUE` or `OVERRIDING USER VALUE`, the word
    /// between.
    Overriding(&'static str),
    /// First part of a name: `WHERE CURRENT OF c` arrives as `WHERE <current of>.c`.
    CurrentOf,
    /// What the last row lock of a common table expression is of: its SEARCH and CYCLE, see
    /// [`search_parts`].
    Search,
    /// Right operand of OR in the distance of a window frame's last bound: the frame's EXCLUDE, in
    /// PostgreSQL's words.
    Exclude(&'static str),
}

/// The marker that `ident` is, if it is one.
pub(crate) fn marker(ident: &Ident) -> Option<Marker> {
    if ident.quote_style != Some(tokens::MARKER_QUOTE) {
        return None;
    }
    match ident.value.as_str() {
        tokens::ONLY => Some(Marker::Only),
        tokens::VARIADIC => Some(Marker::Variadic),
        tokens::STAR => Some(Marker::Star),
        tokens::COLLATE => Some(Marker::Collate),
        tokens::SYMMETRIC => Some(Marker::Symmetric),
        tokens::MOVE => Some(Marker::Move),
        tokens::CURRENT_ROW => Some(Marker::CurrentRow),
        tokens::UNBOUNDED => Some(Marker::Unbounded),
        tokens::EXCLUDE_CURRENT => Some(Marker::Exclude("CURRENT ROW")),
        tokens::EXCLUDE_GROUP => Some(Marker::Exclude("GROUP")),
        tokens::EXCLUDE_TIES => Some(Marker::Exclude("TIES")),
        tokens::EMPTY => Some(Marker::Empty),
        tokens::TIES => Some(Marker::Ties),
        tokens::ROWS_FROM => Some(Marker::RowsFrom),
        tokens::USING_ALIAS => Some(Marker::UsingAlias),
        tokens::ANY => Some(Marker::Any),
        tokens::ALL => Some(Marker::All),
        tokens::GROUPING_SETS => Some(Marker::GroupingSets),
        tokens::GROUP_DISTINCT => Some(Marker::GroupDistinct),
        tokens::NO_KEY => Some(Marker::NoKey),
        tokens::KEY => Some(Marker::Key),
        tokens::UNTYPED => Some(Marker::Untyped),
        tokens::LOCAL => Some(Marker::Local),
        tokens::NESTED => Some(Marker::Nested),
        tokens::OPERAND => Some(Marker::Operand),
        tokens::OVERRIDING_SYSTEM => Some(Marker::Overriding("SYSTEM")),
        tokens::OVERRIDING_USER => Some(Marker::Overriding("USER")),
        tokens::CURRENT_OF => Some(Marker::CurrentOf),
        value if value.starts_with(tokens::SEARCH) => Some(Marker::Search),
        _ => None,
    }
}

/// The parts of a [`Marker::Search`], in the order they were written: `search`, `depth` or
/// `breadth`, then `column`, a name, ... `set`, a name; `cycle`, `column`, a name, ... `set`, a
/// name, perhaps `to`, two constants, `using`, a name.
pub(crate) fn search_parts(ident: &Ident) -> impl Iterator<Item = &str> {
    ident.value.split('\0').skip(1)
}

/// Reads a simple query's text: zero or more statements, empty ones skipped.
///
/// Needs a stack of [`budget::ANALYSIS_STACK_BYTES`], as does dropping what it returns.
pub(crate) fn statements(text: &str) -> Result<Vec<Statement>, Refusal> {
    statements_on(text, NEWEST_MAJOR)
}

/// The same for a server of this major version, to which numbers may read otherwise.
///
/// # Errors
/// The refusal of the first statement that cannot be read.
pub(crate) fn statements_on(text: &str, major: u16) -> Result<Vec<Statement>, Refusal> {
    if text.len() > budget::MAX_STATEMENT_BYTES {
        return Err(over_budget(OverBudget::Bytes));
    }
    let mut lexed = lex::lex(text, budget::MAX_TOKENS).map_err(|error| not_lexed(text, error))?;
    if let Some(at) = lexed.new_number.filter(|_| major < lex::NEW_NUMBERS_SINCE) {
        return Err(
            Refusal::new(Reason::Syntax, "trailing junk after numeric literal")
                .at(character_position(text, at)),
        );
    }
    budget::white_space(text, &lexed).map_err(over_budget)?;
    agree::check(text, &lexed).map_err(|found| {
        Refusal::new(Reason::LexersDisagree, "statement can be read in two ways")
            .with_detail(
                "an operator, string, identifier or comment does not end where it seems to",
            )
            .with_hint("put spaces around operators and move comments away from them")
            .at(character_position(text, found.at))
    })?;
    // Only now: the readers agree on what each piece is.
    lex::unicode_escapes(text, &mut lexed).map_err(|error| not_lexed(text, error))?;
    lex::join_continued(text, &mut lexed).map_err(|error| not_lexed(text, error))?;
    budget::shape(&lexed.tokens)
        .map_err(|(budget, at)| over_budget(budget).at(character_position(text, at)))?;
    let mut places = tokens::Places::new(text);
    lexed
        .tokens
        .split(|token| token.is(";"))
        .filter(|tokens| !tokens.is_empty())
        .map(|tokens| one(text, tokens, &mut places))
        .collect()
}

/// Parses the tokens of one statement, all of them.
fn one(
    text: &str,
    ours: &[lex::Token<'_>],
    places: &mut tokens::Places<'_>,
) -> Result<Statement, Refusal> {
    let signed = precedence::check(text, ours)?;
    let theirs = prepass::tokens(text, ours, &signed, places)?;
    let dialect = PostgreSqlDialect {};
    let mut parser = Parser::new(&dialect)
        .with_recursion_limit(budget::PARSER_RECURSION)
        .with_tokens_with_locations(theirs);
    let statement = match parser.parse_statement() {
        Ok(statement) => statement,
        Err(ParserError::RecursionLimitExceeded) => return Err(over_budget(OverBudget::Nesting)),
        Err(ParserError::ParserError(message) | ParserError::TokenizerError(message)) => {
            return Err(near::syntax_error(text, ours, near::column(&message)));
        }
    };
    // sqlparser stops before END and others without an error; PostgreSQL does not.
    let rest = parser.peek_token_ref();
    if rest.token != TheirToken::EOF {
        return Err(near::syntax_error(text, ours, Some(rest.span.start.column)));
    }
    Ok(statement)
}

fn over_budget(budget: OverBudget) -> Refusal {
    Refusal::new(Reason::TooComplex, budget.to_string())
        .with_hint("split the statement, or load long lists into a table")
}

fn not_lexed(text: &str, error: LexError) -> Refusal {
    let reason = match error.kind {
        LexErrorKind::ZeroByte | LexErrorKind::InvalidUtf8 => Reason::Character,
        // PostgreSQL's grammar is what refuses it there.
        LexErrorKind::InvalidCharacter => {
            let found = text.get(error.at..).and_then(|rest| rest.chars().next());
            let message = format!("syntax error at or near \"{}\"", found.unwrap_or(' '));
            return Refusal::new(Reason::Syntax, message).at(character_position(text, error.at));
        }
        LexErrorKind::TooManyTokens => return over_budget(OverBudget::Tokens),
        LexErrorKind::VerticalTab
        | LexErrorKind::VersionDependentEscape
        | LexErrorKind::StringContinuation
        | LexErrorKind::NationalString
        | LexErrorKind::NumberTooLarge => Reason::Construct,
        LexErrorKind::UnterminatedString
        | LexErrorKind::UnterminatedIdentifier
        | LexErrorKind::UnterminatedDollarQuote
        | LexErrorKind::UnterminatedComment
        | LexErrorKind::EmptyIdentifier
        | LexErrorKind::InvalidEscape
        | LexErrorKind::Uescape
        | LexErrorKind::AdjacentStrings
        | LexErrorKind::InvalidBitString
        | LexErrorKind::NumberJunk
        | LexErrorKind::ParameterJunk
        | LexErrorKind::ParameterOutOfRange
        | LexErrorKind::OperatorTooLong => Reason::Syntax,
    };
    Refusal::new(reason, error.kind.to_string()).at(character_position(text, error.at))
}
