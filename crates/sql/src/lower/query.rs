//! Queries: WITH, bodies, SELECT, ORDER BY, LIMIT.

use sqlparser::ast::{self, SetExpr};

use super::expr::{bare, exprs};
use super::{
    absent, bare_word, call, call_marker, column_id, expr, from, ident, object_name, parse, place,
};
use super::{span_place, unsupported, window};
use crate::ir::{
    Body, Cte, Cycle, Direction, Distinct, Expr, Group, GroupingKind, Item, Literal, Lock,
    LockWait, Name, Operation, Operator, OrderItem, Query, Search, Select, SetKind, Star, With,
};
use crate::refusal::{Place, Reason, Refusal, Result};

/// A query with all its clauses.
pub(crate) fn query(query: ast::Query) -> Result<Query> {
    let ast::Query {
        with,
        body,
        order_by,
        limit_clause,
        fetch,
        locks,
        for_clause,
        settings,
        format_clause,
        pipe_operators,
    } = query;
    absent(for_clause, "FOR XML or FOR JSON", Place::default())?;
    absent(settings, "SETTINGS", Place::default())?;
    absent(format_clause, "FORMAT", Place::default())?;
    absent(
        pipe_operators.into_iter().next(),
        "a pipe operator",
        Place::default(),
    )?;
    let with = with
        .filter(|with| !is_nested(with))
        .map(self::with)
        .transpose()?;
    let body = self::body(*body)?;
    let order_by = match order_by {
        None => Vec::new(),
        Some(ast::OrderBy {
            kind: ast::OrderByKind::Expressions(items),
            interpolate: None,
        }) => order_items(items)?,
        Some(ast::OrderBy {
            kind: _,
            interpolate: _,
        }) => {
            return Err(unsupported("this ORDER BY", Place::default()));
        }
    };
    let (mut limit, mut with_ties, offset) = limits(limit_clause)?;
    if let Some(ast::Fetch {
        with_ties: ties,
        percent,
        quantity,
    }) = fetch
    {
        if percent || limit.is_some() {
            return Err(unsupported("this FETCH FIRST", Place::default()));
        }
        let one = ast::Expr::value(ast::Value::Number("1".to_owned(), false));
        limit = Some(expr(quantity.unwrap_or(one))?);
        with_ties = ties;
    }
    let locks = locks.into_iter().map(lock).collect::<Result<_>>()?;
    Ok(Query {
        with,
        body,
        order_by,
        limit,
        with_ties,
        offset,
        locks,
    })
}

/// The items of an ORDER BY.
pub(super) fn order_items(items: Vec<ast::OrderByExpr>) -> Result<Vec<OrderItem>> {
    items.into_iter().map(order_item).collect()
}

/// Whether the pre-pass wrote this clause, before a query that has none.
fn is_nested(with: &ast::With) -> bool {
    match with.cte_tables.as_slice() {
        [only] => parse::marker(&only.alias.name) == Some(parse::Marker::Nested),
        _other => false,
    }
}

fn with(with: ast::With) -> Result<With> {
    let ast::With {
        with_token: _,
        recursive,
        cte_tables,
    } = with;
    Ok(With {
        recursive,
        ctes: cte_tables.into_iter().map(cte).collect::<Result<_>>()?,
    })
}

fn cte(cte: ast::Cte) -> Result<Cte> {
    let ast::Cte {
        alias,
        query,
        from,
        materialized,
        closing_paren_token: _,
    } = cte;
    let ast::TableAlias {
        explicit: _,
        name,
        columns,
        at,
    } = alias;
    let name = column_id(name)?;
    absent(at, "AT after a name", name.place)?;
    absent(from, "FROM after a common table expression", name.place)?;
    let mut query = query;
    let (search, cycle) = match query.locks.pop_if(|lock| packed(lock).is_some()) {
        None => (None, None),
        Some(lock) => packed(&lock).map_or(Ok((None, None)), search)?,
    };
    let columns = columns
        .into_iter()
        .map(
            |ast::TableAliasColumnDef {
                 name: column,
                 data_type,
             }| {
                absent(data_type, "a column type here", name.place)?;
                ident(column)
            },
        )
        .collect::<Result<_>>()?;
    let materialized = materialized.map(|materialized| match materialized {
        ast::CteAsMaterialized::Materialized => true,
        ast::CteAsMaterialized::NotMaterialized => false,
    });
    Ok(Cte {
        name,
        columns,
        materialized,
        query: self::query(*query)?,
        search,
        cycle,
    })
}

/// The name into which the pre-pass packed SEARCH and CYCLE.
fn packed(lock: &ast::LockClause) -> Option<&ast::Ident> {
    match lock.of.as_ref()?.0.as_slice() {
        [ast::ObjectNamePart::Identifier(name)]
            if parse::marker(name) == Some(parse::Marker::Search) =>
        {
            Some(name)
        }
        _other => None,
    }
}

/// What the pre-pass packed into one name.
fn search(packed: &ast::Ident) -> Result<(Option<Search>, Option<Cycle>)> {
    let unfit = || unsupported("this SEARCH or CYCLE", span_place(packed.span));
    let mut parts = parse::search_parts(packed).peekable();
    let mut found = (None, None);
    while let Some(clause) = parts.next() {
        let breadth = match clause {
            "search" => parts.next() == Some("breadth"),
            "cycle" => false,
            _other => return Err(unfit()),
        };
        let mut columns = Vec::new();
        while parts.next_if_eq(&"column").is_some() {
            columns.push(Name::from(parts.next().ok_or_else(unfit)?));
        }
        let set = (parts.next() == Some("set"))
            .then(|| parts.next())
            .flatten();
        let set = Name::from(set.ok_or_else(unfit)?);
        if clause == "search" {
            found.0 = Some(Search {
                breadth,
                columns,
                sequence: set,
            });
            continue;
        }
        let values = if parts.next_if_eq(&"to").is_some() {
            let mut constant = || parts.next().and_then(constant).ok_or_else(unfit);
            Some((constant()?, constant()?))
        } else {
            None
        };
        let using = (parts.next() == Some("using"))
            .then(|| parts.next())
            .flatten();
        found.1 = Some(Cycle {
            columns,
            mark: set,
            values,
            path: Name::from(using.ok_or_else(unfit)?),
        });
    }
    Ok(found)
}

/// A literal that the pre-pass packed, its kind in front.
fn constant(packed: &str) -> Option<Literal> {
    match packed.split_at_checked(1)? {
        ("s", text) => Some(Literal::String(text.into())),
        ("n", digits) => Some(Literal::Number(digits.into())),
        ("b", word) => Some(Literal::Bool(word == "true")),
        _other => None,
    }
}

fn body(body: SetExpr) -> Result<Body> {
    match body {
        SetExpr::Select(select) => Ok(Body::Select(Box::new(self::select(*select)?))),
        SetExpr::Query(query) => nested(*query),
        SetExpr::Values(values) => self::values(values),
        SetExpr::SetOperation {
            left,
            op,
            set_quantifier,
            right,
        } => operations(left, op, set_quantifier, *right),
        SetExpr::Insert(statement)
        | SetExpr::Update(statement)
        | SetExpr::Delete(statement)
        | SetExpr::Merge(statement) => Ok(Body::Write(Box::new(super::write(statement)?))),
        // The pre-pass turns TABLE t into SELECT * FROM t: what arrives here it did not see.
        SetExpr::Table(_) => Err(unsupported("TABLE here", Place::default())),
    }
}

/// A query in parentheses; without clauses of its own it is only its body.
fn nested(query: ast::Query) -> Result<Body> {
    let query = self::query(query)?;
    let plain = query.with.is_none()
        && query.order_by.is_empty()
        && query.limit.is_none()
        && query.offset.is_none()
        && query.locks.is_empty();
    Ok(if plain {
        query.body
    } else {
        Body::Nested(Box::new(query))
    })
}

/// Down the left spine in a loop, so that a long chain costs no stack.
fn operations(
    left: Box<SetExpr>,
    op: ast::SetOperator,
    quantifier: ast::SetQuantifier,
    right: SetExpr,
) -> Result<Body> {
    let mut links = vec![(op, quantifier, right)];
    let mut first = *left;
    while let SetExpr::SetOperation {
        left,
        op,
        set_quantifier,
        right,
    } = first
    {
        links.push((op, set_quantifier, *right));
        first = *left;
    }
    let rest = links
        .into_iter()
        .rev()
        .map(|(op, quantifier, operand)| {
            Ok(Operation {
                kind: set_kind(op)?,
                all: quantifier_is_all(quantifier)?,
                operand: body(operand)?,
            })
        })
        .collect::<Result<_>>()?;
    Ok(Body::Operations {
        first: Box::new(body(first)?),
        rest,
    })
}

fn set_kind(op: ast::SetOperator) -> Result<SetKind> {
    match op {
        ast::SetOperator::Union => Ok(SetKind::Union),
        ast::SetOperator::Except => Ok(SetKind::Except),
        ast::SetOperator::Intersect => Ok(SetKind::Intersect),
        ast::SetOperator::Minus => Err(unsupported("MINUS", Place::default())),
    }
}

fn quantifier_is_all(quantifier: ast::SetQuantifier) -> Result<bool> {
    match quantifier {
        ast::SetQuantifier::All => Ok(true),
        ast::SetQuantifier::None | ast::SetQuantifier::Distinct => Ok(false),
        ast::SetQuantifier::ByName
        | ast::SetQuantifier::AllByName
        | ast::SetQuantifier::DistinctByName => Err(unsupported("BY NAME", Place::default())),
    }
}

fn values(values: ast::Values) -> Result<Body> {
    let ast::Values {
        explicit_row,
        value_keyword,
        rows,
    } = values;
    if explicit_row || value_keyword {
        return Err(unsupported("this way of writing VALUES", Place::default()));
    }
    let row = |ast::Parens {
                   opening_token: _,
                   content,
                   closing_token: _,
               }| exprs(content);
    Ok(Body::Values(
        rows.into_iter().map(row).collect::<Result<_>>()?,
    ))
}

fn select(select: ast::Select) -> Result<Select> {
    let ast::Select {
        select_token,
        // Comments to PostgreSQL.
        optimizer_hints: _,
        distinct,
        select_modifiers,
        top,
        top_before_distinct: _,
        projection,
        exclude,
        into,
        from,
        lateral_views,
        prewhere,
        selection,
        connect_by,
        group_by,
        cluster_by,
        distribute_by,
        sort_by,
        having,
        named_window,
        qualify,
        window_before_qualify: _,
        value_table_mode,
        flavor,
    } = select;
    let at = span_place(select_token.0.span);
    if into.is_some() {
        return Err(
            Refusal::new(Reason::NotGranted, "SELECT INTO is not relayed")
                .with_hint("use a WITH query instead of an intermediate table")
                .near(at),
        );
    }
    absent(select_modifiers, "a modifier after SELECT", at)?;
    absent(top, "TOP", at)?;
    absent(exclude, "EXCLUDE", at)?;
    absent(prewhere, "PREWHERE", at)?;
    absent(qualify, "QUALIFY", at)?;
    absent(value_table_mode, "AS STRUCT or AS VALUE", at)?;
    absent(lateral_views.into_iter().next(), "LATERAL VIEW", at)?;
    absent(connect_by.into_iter().next(), "CONNECT BY", at)?;
    absent(cluster_by.into_iter().next(), "CLUSTER BY", at)?;
    absent(distribute_by.into_iter().next(), "DISTRIBUTE BY", at)?;
    absent(sort_by.into_iter().next(), "SORT BY", at)?;
    match flavor {
        ast::SelectFlavor::Standard => {}
        ast::SelectFlavor::FromFirst | ast::SelectFlavor::FromFirstNoSelect => {
            return Err(unsupported("FROM before SELECT", at));
        }
    }
    let distinct = match distinct {
        None | Some(ast::Distinct::All) => Distinct::No,
        Some(ast::Distinct::Distinct) => Distinct::Yes,
        Some(ast::Distinct::On(list)) => Distinct::On(exprs(list)?),
    };
    let (group_by, group_distinct) = groups(group_by, at)?;
    Ok(Select {
        distinct,
        items: if is_empty_list(&projection) {
            Vec::new()
        } else {
            items(projection)?
        },
        from: from.into_iter().map(from::tree).collect::<Result<_>>()?,
        filter: selection.map(expr).transpose()?,
        group_by,
        group_distinct,
        having: having.map(expr).transpose()?,
        windows: named_window
            .into_iter()
            .map(window::named)
            .collect::<Result<_>>()?,
    })
}

fn is_empty_list(projection: &[ast::SelectItem]) -> bool {
    matches!(
        projection,
        [ast::SelectItem::UnnamedExpr(ast::Expr::Identifier(name))]
            if parse::marker(name) == Some(parse::Marker::Empty)
    )
}

/// A select list, or what stands after RETURNING.
pub(super) fn items(items: Vec<ast::SelectItem>) -> Result<Vec<Item>> {
    items.into_iter().map(item).collect()
}

fn item(item: ast::SelectItem) -> Result<Item> {
    match item {
        ast::SelectItem::UnnamedExpr(e) => unnamed(e),
        ast::SelectItem::ExprWithAlias { expr: e, alias } => {
            let alias = ident(alias)?;
            Ok(Item::Expr {
                expr: expr(e)?,
                name: alias.name.clone(),
                alias: Some(alias),
            })
        }
        ast::SelectItem::ExprWithAliases {
            expr: e,
            aliases: _,
        } => Err(unsupported("several aliases of one expression", place(&e))),
        ast::SelectItem::QualifiedWildcard(kind, options) => {
            wildcard_options(options)?;
            match kind {
                ast::SelectItemQualifiedWildcardKind::ObjectName(name) => {
                    object_name(name).map(|name| Item::QualifiedStar(name, Star::default()))
                }
                ast::SelectItemQualifiedWildcardKind::Expr(e) => row_star(e),
            }
        }
        ast::SelectItem::Wildcard(options) => {
            wildcard_options(options).map(|place| Item::Star(Star::at(place)))
        }
    }
}

/// An expression without an alias, or `(a).*`, which is `a.*` where `a` is a relation.
fn unnamed(e: ast::Expr) -> Result<Item> {
    if let ast::Expr::CompoundFieldAccess {
        root: _,
        access_chain,
    } = &e
        && let [ast::AccessExpr::Dot(ast::Expr::Identifier(star))] = access_chain.as_slice()
        && parse::marker(star) == Some(parse::Marker::Star)
        && let ast::Expr::CompoundFieldAccess {
            root,
            access_chain: _,
        } = e
    {
        return row_star(*root);
    }
    Ok(Item::Expr {
        expr: expr(e)?,
        alias: None,
        name: Name::from(""),
    })
}

fn row_star(root: ast::Expr) -> Result<Item> {
    let root = bare(root);
    let star = Star::at(place(&root));
    let operand = Box::new(expr(root)?);
    Ok(Item::RowStar { operand, star })
}

fn wildcard_options(options: ast::WildcardAdditionalOptions) -> Result<Place> {
    let ast::WildcardAdditionalOptions {
        wildcard_token,
        opt_ilike,
        opt_exclude,
        opt_except,
        opt_replace,
        opt_rename,
        opt_alias,
    } = options;
    let at = span_place(wildcard_token.0.span);
    absent(opt_ilike, "ILIKE after a star", at)?;
    absent(opt_exclude, "EXCLUDE after a star", at)?;
    absent(opt_except, "EXCEPT after a star", at)?;
    absent(opt_replace, "REPLACE after a star", at)?;
    absent(opt_rename, "RENAME after a star", at)?;
    absent(opt_alias, "an alias of a star", at)?;
    Ok(at)
}

fn groups(group_by: ast::GroupByExpr, at: Place) -> Result<(Vec<Group>, bool)> {
    let (mut list, modifiers) = match group_by {
        ast::GroupByExpr::Expressions(list, modifiers) => (list, modifiers),
        ast::GroupByExpr::All(_) => return Err(unsupported("GROUP BY ALL", at)),
    };
    absent(modifiers.into_iter().next(), "a modifier of GROUP BY", at)?;
    let distinct = matches!(
        list.first(),
        Some(ast::Expr::Identifier(name))
            if parse::marker(name) == Some(parse::Marker::GroupDistinct)
    );
    if distinct {
        list.remove(0);
    }
    let list = list.into_iter().map(group).collect::<Result<_>>()?;
    Ok((list, distinct))
}

fn group(e: ast::Expr) -> Result<Group> {
    match e {
        ast::Expr::GroupingSets(list) => sets(GroupingKind::Sets, list),
        ast::Expr::Cube(list) => sets(GroupingKind::Cube, list),
        ast::Expr::Rollup(list) => sets(GroupingKind::Rollup, list),
        ast::Expr::Function(call) => match grouping_kind(&call) {
            Some(kind) => {
                let elements = call::plain_arguments(call)?;
                let elements = elements.into_iter().map(group).collect::<Result<_>>()?;
                Ok(Group::Sets(kind, elements))
            }
            None => expr(ast::Expr::Function(call)).map(Group::Expr),
        },
        ast::Expr::Identifier(name) if parse::marker(&name) == Some(parse::Marker::Empty) => {
            Ok(Group::Row(Vec::new()))
        }
        // `()` groups everything; `(a, b)` stands for its parts (`parse_clause.c`,
        // flatten_grouping_sets).
        ast::Expr::Tuple(list) => exprs(list).map(Group::Row),
        other => expr(other).map(Group::Expr),
    }
}

fn sets(kind: GroupingKind, sets: Vec<Vec<ast::Expr>>) -> Result<Group> {
    let set = |mut set: Vec<ast::Expr>| match (set.pop(), set.is_empty()) {
        (Some(only), true) => group(only),
        (last, _) => {
            set.extend(last);
            exprs(set).map(Group::Row)
        }
    };
    let sets = sets.into_iter().map(set).collect::<Result<_>>()?;
    Ok(Group::Sets(kind, sets))
}

fn grouping_kind(call: &ast::Function) -> Option<GroupingKind> {
    match (call_marker(call), bare_word(&call.name)) {
        (Some(parse::Marker::GroupingSets), _) => Some(GroupingKind::Sets),
        (_, Some("rollup")) => Some(GroupingKind::Rollup),
        (_, Some("cube")) => Some(GroupingKind::Cube),
        (_, _) => None,
    }
}

fn order_item(item: ast::OrderByExpr) -> Result<OrderItem> {
    let ast::OrderByExpr {
        expr: e,
        options: ast::OrderByOptions { sort, nulls_first },
        with_fill,
    } = item;
    absent(with_fill, "WITH FILL", Place::default())?;
    let direction = match sort {
        None => Direction::Default,
        Some(ast::OrderBySort::Asc) => Direction::Ascending,
        Some(ast::OrderBySort::Desc) => Direction::Descending,
        Some(ast::OrderBySort::Using(ast::ObjectName(parts))) => match parts.as_slice() {
            [ast::ObjectNamePart::Identifier(symbol)] => {
                Direction::Using(Operator(symbol.value.clone().into()))
            }
            _qualified => return Err(unsupported("this ORDER BY USING", place(&e))),
        },
    };
    Ok(OrderItem {
        expr: expr(e)?,
        direction,
        nulls_first,
    })
}

/// LIMIT, whether WITH TIES, and OFFSET.
fn limits(clause: Option<ast::LimitClause>) -> Result<(Option<Expr>, bool, Option<Expr>)> {
    let Some(clause) = clause else {
        return Ok((None, false, None));
    };
    match clause {
        ast::LimitClause::LimitOffset {
            limit,
            offset,
            limit_by,
        } => {
            absent(limit_by.into_iter().next(), "LIMIT BY", Place::default())?;
            let offset = offset
                .map(|ast::Offset { value, rows: _ }| expr(value))
                .transpose()?;
            let (limit, ties) = match limit {
                Some(ast::Expr::Function(call))
                    if call_marker(&call) == Some(parse::Marker::Ties) =>
                {
                    (Some(call::only_argument(call)?), true)
                }
                limit => (limit.map(expr).transpose()?, false),
            };
            Ok((limit, ties, offset))
        }
        ast::LimitClause::OffsetCommaLimit {
            offset: _,
            limit: _,
        } => Err(unsupported("LIMIT with a comma", Place::default())),
    }
}

fn lock(lock: ast::LockClause) -> Result<Lock> {
    let ast::LockClause {
        lock_type,
        of,
        nonblock,
    } = lock;
    let ast::ObjectName(mut of) = of.unwrap_or(ast::ObjectName(Vec::new()));
    let marker = match of.first() {
        Some(ast::ObjectNamePart::Identifier(first)) => parse::marker(first),
        Some(ast::ObjectNamePart::Function(_)) | None => None,
    };
    let strength = match (lock_type, marker) {
        (ast::LockType::Update, Some(parse::Marker::NoKey)) => "NO KEY UPDATE",
        (ast::LockType::Share, Some(parse::Marker::Key)) => "KEY SHARE",
        (ast::LockType::Update, _) => "UPDATE",
        (ast::LockType::Share, _) => "SHARE",
    };
    if marker.is_some() {
        of.remove(0);
    }
    let of = object_name(ast::ObjectName(of))?;
    Ok(Lock {
        strength,
        place: of.first().map_or(Place::default(), |name| name.place),
        of,
        wait: match nonblock {
            None => LockWait::Block,
            Some(ast::NonBlock::Nowait) => LockWait::Nowait,
            Some(ast::NonBlock::SkipLocked) => LockWait::SkipLocked,
        },
    })
}
