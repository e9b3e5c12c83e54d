//! Queries.

use super::Writer;
use crate::ir::{
    Body, Cte, Cycle, Direction, Distinct, Expr, Group, GroupingKind, Item, Lock, LockWait,
    OrderItem, Query, Search, Select, SetKind, Star, With,
};

impl Writer<'_> {
    pub(crate) fn query(&mut self, query: &Query) {
        let Query {
            with,
            body,
            order_by,
            limit,
            with_ties,
            offset,
            locks,
        } = query;
        if let Some(with) = with {
            self.with(with);
        }
        match body {
            Body::Select(select) => self.select(select),
            Body::Values(rows) => self.values(rows),
            Body::Write(write) => self.write(write),
            Body::Nested(_) | Body::Operations { .. } => self.operand(body),
        }
        if !order_by.is_empty() {
            self.push(" ORDER BY ");
            self.order_items(order_by);
        }
        if let Some(offset) = offset {
            self.push(" OFFSET ");
            self.parenthesised(offset);
        }
        match (limit, with_ties) {
            (None, _) => {}
            (Some(limit), false) => {
                self.push(" LIMIT ");
                self.parenthesised(limit);
            }
            (Some(limit), true) => {
                self.push(" FETCH FIRST ");
                self.parenthesised(limit);
                self.push(" ROWS WITH TIES");
            }
        }
        for lock in locks {
            self.lock(lock);
        }
    }

    /// A query in parentheses, which every operand of a set operation may be.
    fn operand(&mut self, body: &Body) {
        match body {
            Body::Select(select) => {
                self.push("(");
                self.select(select);
                self.push(")");
            }
            Body::Values(rows) => {
                self.push("(");
                self.values(rows);
                self.push(")");
            }
            Body::Write(write) => self.write(write),
            Body::Nested(query) => {
                self.push("(");
                self.query(query);
                self.push(")");
            }
            Body::Operations { first, rest } => {
                for _ in rest {
                    self.push("(");
                }
                self.operand(first);
                for operation in rest {
                    self.push(match operation.kind {
                        SetKind::Union => " UNION ",
                        SetKind::Intersect => " INTERSECT ",
                        SetKind::Except => " EXCEPT ",
                    });
                    if operation.all {
                        self.push("ALL ");
                    }
                    self.operand(&operation.operand);
                    self.push(")");
                }
            }
        }
    }

    fn with(&mut self, with: &With) {
        let With { recursive, ctes } = with;
        self.push(if *recursive {
            "WITH RECURSIVE "
        } else {
            "WITH "
        });
        self.separated(ctes, |writer, cte| {
            writer.chosen(&cte.name.name);
            writer.column_names(&cte.columns);
            writer.push(match cte.materialized {
                None => " AS (",
                Some(true) => " AS MATERIALIZED (",
                Some(false) => " AS NOT MATERIALIZED (",
            });
            writer.query(&cte.query);
            writer.push(")");
            writer.search(cte);
        });
        self.push(" ");
    }

    /// SEARCH and CYCLE after a common table expression.
    fn search(&mut self, cte: &Cte) {
        if let Some(Search {
            breadth,
            columns,
            sequence,
        }) = &cte.search
        {
            self.push(if *breadth {
                " SEARCH BREADTH FIRST BY "
            } else {
                " SEARCH DEPTH FIRST BY "
            });
            self.separated(columns, Self::chosen);
            self.push(" SET ");
            self.chosen(sequence);
        }
        if let Some(Cycle {
            columns,
            mark,
            values,
            path,
        }) = &cte.cycle
        {
            self.push(" CYCLE ");
            self.separated(columns, Self::chosen);
            self.push(" SET ");
            self.chosen(mark);
            if let Some((to, default)) = values {
                self.push(" TO ");
                self.literal(to);
                self.push(" DEFAULT ");
                self.literal(default);
            }
            self.push(" USING ");
            self.chosen(path);
        }
    }

    fn values(&mut self, rows: &[Vec<Expr>]) {
        self.push("VALUES ");
        if self.is_skeleton() && rows.iter().flatten().all(|e| matches!(e, Expr::Literal(_))) {
            return self.push("(?)");
        }
        self.separated(rows, |writer, row| {
            writer.push("(");
            writer.exprs(row);
            writer.push(")");
        });
    }

    fn select(&mut self, select: &Select) {
        let Select {
            distinct,
            items,
            from,
            filter,
            group_by,
            group_distinct,
            having,
            windows,
        } = select;
        self.push("SELECT");
        match distinct {
            Distinct::No => {}
            Distinct::Yes => self.push(" DISTINCT"),
            Distinct::On(list) => {
                self.push(" DISTINCT ON (");
                self.exprs(list);
                self.push(")");
            }
        }
        if !items.is_empty() {
            self.push(" ");
            self.separated(items, Self::item);
        }
        if !from.is_empty() {
            self.push(" FROM ");
            self.separated(from, Self::from);
        }
        if let Some(filter) = filter {
            self.push(" WHERE ");
            self.expr(filter);
        }
        if !group_by.is_empty() {
            self.push(if *group_distinct {
                " GROUP BY DISTINCT "
            } else {
                " GROUP BY "
            });
            self.separated(group_by, Self::group);
        }
        if let Some(having) = having {
            self.push(" HAVING ");
            self.expr(having);
        }
        if !windows.is_empty() {
            self.push(" WINDOW ");
            self.separated(windows, |writer, (name, window)| {
                writer.chosen(&name.name);
                writer.push(" AS ");
                writer.window(window);
            });
        }
    }

    pub(super) fn item(&mut self, item: &Item) {
        match item {
            Item::Star(star) => self.star(star, |writer| writer.push("*")),
            Item::QualifiedStar(path, star) => self.star(star, |writer| {
                for part in path {
                    writer.chosen(&part.name);
                    writer.push(".");
                }
                writer.push("*");
            }),
            Item::RowStar { operand, star } if star.explicit && !self.is_skeleton() => {
                self.separated(&star.columns, |writer, column| {
                    writer.push("(");
                    writer.expr(operand);
                    writer.push(").");
                    writer.name(&column.name);
                });
            }
            Item::RowStar { operand, star: _ } => {
                self.push("(");
                self.expr(operand);
                self.push(").*");
            }
            Item::Expr {
                expr,
                alias: _,
                name,
            } => {
                self.expr(expr);
                // The name is always given, so that substitution cannot change it.
                if !matches!(expr, Expr::Column(column) if column.name == *name) {
                    self.push(" AS ");
                    self.chosen(name);
                }
            }
        }
    }

    /// A star, or what it stands for; the skeleton has the star.
    fn star(&mut self, star: &Star, short: impl FnOnce(&mut Self)) {
        if star.explicit && !self.is_skeleton() {
            self.separated(&star.columns, Self::column);
        } else {
            short(self);
        }
    }

    fn group(&mut self, group: &Group) {
        match group {
            Group::Expr(expr) => self.expr(expr),
            Group::Row(list) => {
                self.push("(");
                self.exprs(list);
                self.push(")");
            }
            Group::Sets(kind, sets) => {
                self.push(match kind {
                    GroupingKind::Sets => "GROUPING SETS (",
                    GroupingKind::Cube => "CUBE (",
                    GroupingKind::Rollup => "ROLLUP (",
                });
                self.separated(sets, Self::group);
                self.push(")");
            }
        }
    }

    pub(super) fn order_items(&mut self, items: &[OrderItem]) {
        self.separated(items, |writer, item| {
            let OrderItem {
                expr,
                direction,
                nulls_first,
            } = item;
            writer.expr(expr);
            match direction {
                Direction::Default => {}
                Direction::Ascending => writer.push(" ASC"),
                Direction::Descending => writer.push(" DESC"),
                Direction::Using(operator) => {
                    writer.push(" USING ");
                    writer.operator(operator);
                }
            }
            match nulls_first {
                None => {}
                Some(true) => writer.push(" NULLS FIRST"),
                Some(false) => writer.push(" NULLS LAST"),
            }
        });
    }

    fn parenthesised(&mut self, expr: &Expr) {
        self.push("(");
        self.expr(expr);
        self.push(")");
    }

    fn lock(&mut self, lock: &Lock) {
        self.push(" FOR ");
        self.push(lock.strength);
        if !lock.of.is_empty() {
            self.push(" OF ");
            self.separated(&lock.of, |writer, name| writer.chosen(&name.name));
        }
        self.push(match lock.wait {
            LockWait::Block => "",
            LockWait::Nowait => " NOWAIT",
            LockWait::SkipLocked => " SKIP LOCKED",
        });
    }
}
