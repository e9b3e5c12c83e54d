//! Queries: WITH, bodies, select lists, and the rules by which ORDER BY and GROUP BY look names up.

use std::sync::Arc;

use super::scope::{Origin, Source, Visible, ambiguous};
use super::{Resolver, figure};
use crate::ir::{Body, Distinct, Expr, Group, Item, Name, OrderItem, Over, Query, Select, Window};
use crate::policy::{Columns, Found, SourceColumn};
use crate::refusal::{Place, Reason, Refusal, Result};

/// The common table expression whose own query is being read.
#[derive(Clone, Copy)]
pub(super) struct OwnCte<'c> {
    pub(super) entry: usize,
    pub(super) cte_columns: &'c [crate::ir::Ident],
}

impl Resolver<'_> {
    /// Settles a query; `own` is set for the body of a recursive common table expression.
    pub(super) fn query(
        &mut self,
        query: &mut Query,
        own: Option<OwnCte<'_>>,
    ) -> Result<Arc<Columns>> {
        let mark = self.ctes.len();
        if let Some(with) = &mut query.with {
            self.with(with)?;
        }
        if !query.locks.is_empty() && !self.cx.session.write {
            let place = query
                .locks
                .first()
                .map(|lock| lock.place)
                .unwrap_or_default();
            return Err(Refusal::new(
                Reason::NotGranted,
                "row locks need a grant with write permission",
            )
            .with_hint("leave FOR UPDATE or FOR SHARE out, or ask for a grant with --write")
            .near(place));
        }
        Self::check_columns(query.order_by.len(), Place::default())?;
        self.push_level();
        let columns = match &mut query.body {
            Body::Select(select) => {
                let columns = self.select(select)?;
                for item in &mut query.order_by {
                    self.order_item(item, &columns)?;
                }
                self.group_by_keys(select);
                columns
            }
            body => {
                let columns = self.body(body, own)?;
                // ORDER BY over a set operation sees its output columns and nothing else.
                let source = self.add(Source::new(None, columns.clone(), Origin::Other));
                let visible = Visible {
                    source,
                    by_name: false,
                    by_column: true,
                };
                self.level().items.push(visible);
                for item in &mut query.order_by {
                    self.order_item(item, &columns)?;
                }
                self.level().items.clear();
                columns
            }
        };
        for expr in query.limit.iter_mut().chain(query.offset.iter_mut()) {
            self.expr(expr)?;
        }
        self.pop_level();
        self.ctes.truncate(mark);
        Ok(columns)
    }

    fn body(&mut self, body: &mut Body, own: Option<OwnCte<'_>>) -> Result<Arc<Columns>> {
        match body {
            Body::Select(select) => {
                self.push_level();
                let columns = self.select(select)?;
                self.group_by_keys(select);
                self.pop_level();
                Ok(columns)
            }
            Body::Nested(query) => self.query(query, own),
            Body::Values(rows) => self.values(rows),
            Body::Write(write) => self.write(write),
            Body::Operations { first, rest } => {
                let columns = self.body(first, None)?;
                let last = rest.len().saturating_sub(1);
                for (index, operation) in rest.iter_mut().enumerate() {
                    if let Some(own) = own
                        && index == last
                    {
                        // Only the last operand may be recursive (`parse_cte.c`).
                        let named = renamed(&columns, own.cte_columns);
                        if let Some(entry) = self.ctes.get_mut(own.entry) {
                            entry.columns = Some(named);
                        }
                    }
                    self.body(&mut operation.operand, None)?;
                }
                Ok(columns)
            }
        }
    }

    fn values(&mut self, rows: &mut [Vec<Expr>]) -> Result<Arc<Columns>> {
        let width = rows.first().map_or(0, Vec::len);
        for row in rows.iter_mut() {
            for value in row {
                self.expr(value)?;
            }
        }
        let columns = (1..=width).map(|number| SourceColumn::made(&format!("column{number}")));
        Ok(Arc::new(columns.collect()))
    }

    fn select(&mut self, select: &mut Select) -> Result<Arc<Columns>> {
        Self::check_columns(select.group_by.len(), Place::default())?;
        self.level().building = true;
        for item in &mut select.from {
            let items = self.from(item)?;
            self.check_names(&items)?;
            self.level().items.extend(items);
        }
        self.level().building = false;
        if let Some(filter) = &mut select.filter {
            self.expr(filter)?;
        }
        self.level().grouped = !select.group_by.is_empty();
        let columns = self.items(&mut select.items)?;
        if let Some(having) = &mut select.having {
            self.expr(having)?;
        }
        self.level().grouped = false;
        for group in &mut select.group_by {
            self.group(group, &columns)?;
        }
        // WINDOW, DISTINCT ON and, in `query`, ORDER BY are computed for each group too.
        self.level().grouped = !select.group_by.is_empty();
        for (_, window) in &mut select.windows {
            self.window(window)?;
        }
        if let Distinct::On(list) = &mut select.distinct {
            for expr in list {
                self.output_or_expr(expr, &columns)?;
            }
        }
        Ok(columns)
    }

    pub(super) fn items(&mut self, items: &mut [Item]) -> Result<Arc<Columns>> {
        let mut columns = Vec::with_capacity(items.len());
        for item in items {
            // `(a).*` of a relation is `a.*`.
            if let Item::RowStar { operand, star } = item
                && let Expr::Unresolved(path) = operand.as_mut()
                && let [name] = path.as_slice()
                && self.is_row(name)?
            {
                *item = Item::QualifiedStar(std::mem::take(path), std::mem::take(star));
            }
            match item {
                Item::Expr { expr, alias, name } => {
                    let figured = alias
                        .is_none()
                        .then(|| figure::name(expr, self.cx.snapshot.major));
                    let known = alias.is_none() && matches!(expr, Expr::Unresolved(_));
                    let shape = self.expr(expr)?;
                    *name = match (alias, figured) {
                        (Some(alias), _) => alias.name.clone(),
                        (None, Some(figure::Figured::Name(name))) => name,
                        (None, Some(figure::Figured::OfQuery) | None) => figure::of_query(expr),
                    };
                    columns.push(SourceColumn::new(name.clone(), shape, known));
                }
                Item::Star(star) => columns.extend(self.star(star)?),
                Item::QualifiedStar(path, star) => {
                    let (source, name) = self.whole(path)?;
                    columns.extend(self.star_of(&[source], star)?);
                    *path = vec![crate::ir::Ident {
                        name,
                        place: Place::default(),
                    }];
                }
                Item::RowStar { operand, star } => {
                    let shape = self.expr(operand)?;
                    columns.extend(Self::row_star(operand, star, shape)?);
                }
            }
            Self::check_columns(columns.len(), Place::default())?;
        }
        Ok(Arc::new(columns.into_iter().collect()))
    }

    fn order_item(&mut self, item: &mut OrderItem, columns: &Columns) -> Result<()> {
        if let crate::ir::Direction::Using(operator) = &item.direction {
            Self::operator(operator, Place::default())?;
        }
        self.output_or_expr(&mut item.expr, columns)
    }

    /// SQL92's rule of ORDER BY and DISTINCT ON: a bare name is an output column if there is one.
    fn output_or_expr(&mut self, expr: &mut Expr, columns: &Columns) -> Result<()> {
        if let Expr::Unresolved(path) = expr
            && let [name] = path.as_slice()
            && columns.find(&name.name) != Found::None
        {
            *expr = Expr::Output(name.name.clone());
            return Ok(());
        }
        self.expr(expr).map(|_shape| ())
    }

    fn group(&mut self, group: &mut Group, columns: &Columns) -> Result<()> {
        match group {
            Group::Expr(expr) => self.group_expr(expr, columns),
            Group::Row(list) => list
                .iter_mut()
                .try_for_each(|expr| self.group_expr(expr, columns)),
            Group::Sets(_, sets) => sets.iter_mut().try_for_each(|set| self.group(set, columns)),
        }
    }

    /// GROUP BY looks at the input first, and only then at the output.
    fn group_expr(&mut self, expr: &mut Expr, columns: &Columns) -> Result<()> {
        if let Expr::Unresolved(path) = expr
            && let [name] = path.as_slice()
            && !self.is_local_column(name)?
        {
            match columns.find(&name.name) {
                Found::One(_) => {
                    *expr = Expr::Output(name.name.clone());
                    return Ok(());
                }
                Found::Many => return Err(ambiguous(name)),
                Found::None => {}
            }
        }
        self.expr(expr).map(|_shape| ())
    }

    pub(super) fn window(&mut self, window: &mut Window) -> Result<()> {
        let Window {
            base: _,
            partition_by,
            order_by,
            frame,
        } = window;
        // Inside a window, names mean expressions, never output columns (`parse_clause.c`
        // `findTargetlistEntrySQL99`).
        for expr in partition_by {
            self.expr(expr)?;
        }
        self.sort_by(order_by)?;
        if let Some(frame) = frame {
            for bound in [Some(&mut frame.start), frame.end.as_mut()]
                .into_iter()
                .flatten()
            {
                match bound {
                    crate::ir::Bound::Preceding(Some(distance))
                    | crate::ir::Bound::Following(Some(distance)) => {
                        self.expr(distance)?;
                    }
                    crate::ir::Bound::Current
                    | crate::ir::Bound::Preceding(None)
                    | crate::ir::Bound::Following(None) => {}
                }
            }
        }
        Ok(())
    }

    /// The ORDER BY of an aggregate or a window.
    pub(super) fn sort_by(&mut self, items: &mut [OrderItem]) -> Result<()> {
        for item in items {
            if let crate::ir::Direction::Using(operator) = &item.direction {
                Self::operator(operator, Place::default())?;
            }
            self.expr(&mut item.expr)?;
        }
        Ok(())
    }

    pub(super) fn over(&mut self, over: &mut Over) -> Result<()> {
        match over {
            Over::Named(_) => Ok(()),
            Over::Window(window) => self.window(window),
        }
    }
}

/// The columns under the names that an alias gives the first of them.
pub(super) fn renamed(columns: &Arc<Columns>, names: &[crate::ir::Ident]) -> Arc<Columns> {
    if names.is_empty() {
        return columns.clone();
    }
    let mut names = names.iter();
    let rename = |column: &SourceColumn| {
        let mut column = column.clone();
        if let Some(name) = names.next() {
            column.name = Name::clone(&name.name);
            column.known = false;
        }
        column
    };
    Arc::new(columns.iter().map(rename).collect())
}
