//! The gateway's own form of a query: everything it understands, and nothing else.
//!
//! `lower` makes it from sqlparser's tree, `resolve` settles each name in place, `render` writes it.

pub(crate) mod definition;
pub(crate) mod json;
pub(crate) mod write;

use std::borrow::Cow;
use std::sync::Arc;

use crate::refusal::Place;

/// A name after folding and truncation, as PostgreSQL stores it.
pub(crate) type Name = Arc<str>;

/// A name and where it was typed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ident {
    pub(crate) name: Name,
    pub(crate) place: Place,
}

/// A query: WITH, body, ORDER BY, LIMIT.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query {
    pub(crate) with: Option<With>,
    pub(crate) body: Body,
    pub(crate) order_by: Vec<OrderItem>,
    pub(crate) limit: Option<Expr>,
    /// `FETCH FIRST n ROWS WITH TIES`; meaningless without `limit`.
    pub(crate) with_ties: bool,
    pub(crate) offset: Option<Expr>,
    pub(crate) locks: Vec<Lock>,
}

/// A WITH clause.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct With {
    pub(crate) recursive: bool,
    pub(crate) ctes: Vec<Cte>,
}

/// One common table expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cte {
    pub(crate) name: Ident,
    pub(crate) columns: Vec<Ident>,
    pub(crate) materialized: Option<bool>,
    pub(crate) query: Query,
    pub(crate) search: Option<Search>,
    pub(crate) cycle: Option<Cycle>,
}

/// `SEARCH DEPTH FIRST BY columns SET sequence`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Search {
    pub(crate) breadth: bool,
    pub(crate) columns: Vec<Name>,
    pub(crate) sequence: Name,
}

/// `CYCLE columns SET mark [TO value DEFAULT value] USING path`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cycle {
    pub(crate) columns: Vec<Name>,
    pub(crate) mark: Name,
    pub(crate) values: Option<(Literal, Literal)>,
    pub(crate) path: Name,
}

/// What a query is made of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    Select(Box<Select>),
    Nested(Box<Query>),
    Values(Vec<Vec<Expr>>),
    /// The whole of a statement, or of a common table expression at its top.
    Write(Box<write::Write>),
    /// Left-associative: `((first op a) op b)`. A list, not a tree, so that a chain of thousands
    /// neither recurses nor overflows when dropped.
    Operations {
        first: Box<Body>,
        rest: Vec<Operation>,
    },
}

/// One link of a chain of set operations.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Operation {
    pub(crate) kind: SetKind,
    pub(crate) all: bool,
    pub(crate) operand: Body,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum SetKind {
    Union,
    Intersect,
    Except,
}

/// One SELECT.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Select {
    pub(crate) distinct: Distinct,
    pub(crate) items: Vec<Item>,
    pub(crate) from: Vec<From>,
    pub(crate) filter: Option<Expr>,
    pub(crate) group_by: Vec<Group>,
    /// `GROUP BY DISTINCT`
    pub(crate) group_distinct: bool,
    pub(crate) having: Option<Expr>,
    pub(crate) windows: Vec<(Ident, Window)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Distinct {
    No,
    Yes,
    On(Vec<Expr>),
}

/// One item of a select list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    Expr {
        expr: Expr,
        alias: Option<Ident>,
        /// The output column's name, settled by `resolve`.
        name: Name,
    },
    /// `*`
    Star(Star),
    /// `a.*`, `schema.a.*`; `resolve` leaves the one name that the relation is visible by.
    QualifiedStar(Vec<Ident>, Star),
    /// `(f(x)).*`: the columns of a row that is no relation's.
    RowStar { operand: Box<Expr>, star: Star },
}

/// What a star stands for.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Star {
    pub(crate) place: Place,
    /// The columns it shows, settled by `resolve`.
    pub(crate) columns: Vec<Column>,
    /// The columns are written one by one: a star would also show one that a relation has got
    /// since its catalog was read.
    pub(crate) explicit: bool,
}

/// One item of GROUP BY.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Group {
    Expr(Expr),
    /// `(a, b)`, `()`
    Row(Vec<Expr>),
    Sets(GroupingKind, Vec<Self>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum GroupingKind {
    Sets,
    Cube,
    Rollup,
}

/// One item of FROM.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum From {
    Relation(RelationRef),
    Subquery {
        lateral: bool,
        query: Box<Query>,
        alias: Option<Alias>,
        place: Place,
    },
    Function(TableFunction),
    Join(Box<Join>),
}

/// A name in FROM that is no function.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RelationRef {
    pub(crate) path: Vec<Ident>,
    pub(crate) only: bool,
    pub(crate) alias: Option<Alias>,
    pub(crate) sample: Option<Sample>,
    pub(crate) target: Target,
}

/// What a name in FROM turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Target {
    Unresolved,
    Cte(Name),
    /// A relation of the catalog; `source` counts the relations of the statement and finds what
    /// is used of it.
    Relation {
        oid: u32,
        source: usize,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alias {
    pub(crate) name: Ident,
    pub(crate) columns: Vec<Ident>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) method: &'static str,
    pub(crate) quantity: Expr,
    pub(crate) seed: Option<Literal>,
}

/// A function in FROM.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TableFunction {
    pub(crate) lateral: bool,
    /// One, but for ROWS FROM.
    pub(crate) calls: Vec<Expr>,
    pub(crate) rows_from: bool,
    pub(crate) ordinality: bool,
    pub(crate) alias: Option<Alias>,
    /// `AS t(a int, b text)`: a type for each of the alias's columns.
    pub(crate) types: Vec<TypeName>,
    pub(crate) place: Place,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Join {
    pub(crate) left: From,
    pub(crate) right: From,
    pub(crate) kind: JoinKind,
    pub(crate) condition: Condition,
    pub(crate) alias: Option<Alias>,
    pub(crate) place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum JoinKind {
    Inner,
    Left,
    Right,
    Full,
    Cross,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    None,
    On(Expr),
    /// The columns, and the name that `AS` gives to them.
    Using(Vec<Ident>, Option<Ident>),
    /// `resolve` turns it into `Using` or, when no name is common, into `On(true)`.
    Natural,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OrderItem {
    pub(crate) expr: Expr,
    pub(crate) direction: Direction,
    pub(crate) nulls_first: Option<bool>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Direction {
    Default,
    Ascending,
    Descending,
    Using(Operator),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lock {
    /// In the grammar's words.
    pub(crate) strength: &'static str,
    pub(crate) of: Vec<Ident>,
    pub(crate) wait: LockWait,
    pub(crate) place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum LockWait {
    Block,
    Nowait,
    SkipLocked,
}

/// An operator of `pg_catalog`, by symbol.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Operator(pub(crate) Cow<'static, str>);

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    /// A dotted name that `resolve` has still to settle.
    Unresolved(Vec<Ident>),
    /// `a.*` as an argument: a relation's row.
    UnresolvedRow(Vec<Ident>),
    /// A column of a relation in scope.
    Column(Column),
    /// A relation in scope as one row value, by the name it is visible by; with a star where a
    /// column might have that name too.
    Row {
        name: Name,
        star: bool,
    },
    /// An output column, in ORDER BY or GROUP BY.
    Output(Name),
    Literal(Literal),
    /// DEFAULT, where a value is written.
    Default,
    /// `CURRENT OF cursor`, the whole condition of an UPDATE or DELETE.
    CurrentOf(Ident),
    Parameter(u16),
    /// `CURRENT_DATE` and kin: grammar of their own, never looked up.
    ValueFunction(ValueFunction),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    Unary {
        operator: Operator,
        operand: Box<Expr>,
        place: Place,
    },
    /// Left-associative, a list for the same reason as [`Body::Operations`].
    Binary {
        first: Box<Expr>,
        rest: Vec<(Operator, Expr)>,
        place: Place,
    },
    Is {
        operand: Box<Expr>,
        test: &'static str,
        negated: bool,
    },
    /// `x IS JSON OBJECT WITH UNIQUE KEYS`; `test` is what follows IS, in the grammar's words.
    IsJson {
        operand: Box<Expr>,
        test: &'static str,
        negated: bool,
        place: Place,
    },
    IsDistinct {
        left: Box<Expr>,
        right: Box<Expr>,
        negated: bool,
    },
    InList {
        operand: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
    },
    Between {
        operand: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
        symmetric: bool,
        negated: bool,
    },
    Quantified {
        left: Box<Expr>,
        operator: Operator,
        all: bool,
        right: Quantified,
        place: Place,
    },
    Case {
        operand: Option<Box<Expr>>,
        arms: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    Cast {
        operand: Box<Expr>,
        ty: TypeName,
    },
    Collate {
        operand: Box<Expr>,
        collation: Vec<Ident>,
    },
    Call(Box<Call>),
    Special(Special, Vec<Expr>),
    Json(Box<json::Json>),
    Exists(Box<Query>),
    ArrayQuery(Box<Query>),
    Scalar(Box<Query>),
    Subscript {
        operand: Box<Expr>,
        subscripts: Vec<Subscript>,
    },
    /// `(expr).name`; only where the attribute is known to exist, else it would be a call.
    Field {
        operand: Box<Expr>,
        name: Ident,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    /// Where it was typed, its qualifier first.
    pub(crate) place: Place,
    /// The name its relation is visible by, unless something nearer hides that name.
    pub(crate) qualifier: Option<Name>,
    pub(crate) name: Name,
    /// A name from the catalog, not one that the author chose.
    pub(crate) known: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    /// Digits, point, exponent, perhaps a leading minus.
    Number(Box<str>),
    String(Box<str>),
    /// `B'...'`
    Bits(Box<str>),
    /// `X'...'`
    Hex(Box<str>),
}

/// Keywords that are values (gram.y `func_expr_common_subexpr`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ValueFunction {
    pub(crate) keyword: &'static str,
    pub(crate) precision: Option<u8>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Quantified {
    Query(Box<Query>),
    Array(Box<Expr>),
}

/// Constructs that look like functions and are grammar (gram.y `func_expr_common_subexpr`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Special {
    Coalesce,
    Nullif,
    Greatest,
    Least,
    Row,
    Array,
    Grouping,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Subscript {
    Index(Expr),
    Slice(Option<Expr>, Option<Expr>),
}

/// A function call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) path: Vec<Ident>,
    /// Made by `lower` from special syntax such as EXTRACT, which PostgreSQL always reads as the
    /// built-in function: no look-up needed.
    pub(crate) built_in: bool,
    /// The schema to qualify with, settled by `resolve`.
    pub(crate) schema: &'static str,
    pub(crate) arguments: Vec<Argument>,
    /// `count(*)`
    pub(crate) star: bool,
    pub(crate) distinct: bool,
    pub(crate) variadic: bool,
    pub(crate) order_by: Vec<OrderItem>,
    pub(crate) within_group: Vec<OrderItem>,
    pub(crate) filter: Option<Expr>,
    pub(crate) over: Option<Over>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Argument {
    pub(crate) name: Option<Ident>,
    pub(crate) value: Expr,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Over {
    Named(Ident),
    Window(Window),
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Window {
    pub(crate) base: Option<Ident>,
    pub(crate) partition_by: Vec<Expr>,
    pub(crate) order_by: Vec<OrderItem>,
    pub(crate) frame: Option<Frame>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    pub(crate) units: &'static str,
    pub(crate) start: Bound,
    pub(crate) end: Option<Bound>,
    pub(crate) exclude: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bound {
    Current,
    Preceding(Option<Box<Expr>>),
    Following(Option<Box<Expr>>),
}

/// A type in a cast.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TypeName {
    /// After `resolve`: schema and name.
    pub(crate) path: Vec<Ident>,
    pub(crate) modifiers: Vec<i64>,
    /// `INTERVAL YEAR TO MONTH`: the fields, in PostgreSQL's own words.
    pub(crate) fields: Option<&'static str>,
    pub(crate) array: bool,
}

impl Ident {
    /// A name of the gateway's own making.
    pub(crate) fn made(name: &str) -> Self {
        Self {
            name: name.into(),
            place: Place::default(),
        }
    }
}

impl Query {
    /// These columns of one relation; its own rows alone with `only`.
    pub(crate) fn of_relation(path: Vec<Ident>, only: bool, items: Vec<Item>) -> Self {
        let select = Select {
            distinct: Distinct::No,
            items,
            from: vec![From::Relation(RelationRef {
                path,
                only,
                alias: None,
                sample: None,
                target: Target::Unresolved,
            })],
            filter: None,
            group_by: Vec::new(),
            group_distinct: false,
            having: None,
            windows: Vec::new(),
        };
        Self {
            with: None,
            body: Body::Select(Box::new(select)),
            order_by: Vec::new(),
            limit: None,
            with_ties: false,
            offset: None,
            locks: Vec::new(),
        }
    }
}

impl Star {
    pub(crate) fn at(place: Place) -> Self {
        Self {
            place,
            ..Self::default()
        }
    }
}

impl TypeName {
    /// A type of `pg_catalog`.
    pub(crate) fn built_in(name: &str) -> Self {
        Self {
            path: vec![Ident::made(crate::snapshot::PG_CATALOG), Ident::made(name)],
            modifiers: Vec::new(),
            fields: None,
            array: false,
        }
    }
}

impl Call {
    /// A call of a built-in function that special syntax stands for.
    pub(crate) fn built_in(name: &str, arguments: Vec<Expr>) -> Expr {
        let arguments = arguments
            .into_iter()
            .map(|value| Argument { name: None, value })
            .collect();
        Expr::Call(Box::new(Self {
            path: vec![Ident::made(name)],
            built_in: true,
            schema: crate::snapshot::PG_CATALOG,
            arguments,
            star: false,
            distinct: false,
            variadic: false,
            order_by: Vec::new(),
            within_group: Vec::new(),
            filter: None,
            over: None,
        }))
    }
}

impl Operator {
    pub(crate) const fn new(symbol: &'static str) -> Self {
        Self(Cow::Borrowed(symbol))
    }
}
