//! Queries: WITH, set operations, SELECT, and what grouping leaves of a key.

use super::expr::has_aggregate;
use super::{Column, Key, Level, Rows, Walk};
use crate::ir::{
    Body, Cte, Expr, Group, Item, JoinKind, Literal, Operation, Query, Select, SetKind, With, write,
};

/// What recursion would do with rows that grow.
pub(super) const RECURSION: &str = "WITH RECURSIVE";

impl Walk<'_> {
    pub(super) fn query(&mut self, query: &Query) -> Rows {
        let mark = self.ctes.len();
        if let Some(with) = &query.with {
            self.with(with);
        }
        let rows = self.body(&query.body);
        self.ctes.truncate(mark);
        rows
    }

    fn body(&mut self, body: &Body) -> Rows {
        match body {
            Body::Select(select) => self.select(select),
            Body::Nested(query) => self.query(query),
            Body::Values(rows) => self.values(rows),
            Body::Write(write) => self.write(write),
            Body::Operations { first, rest } => {
                let first = self.body(first);
                rest.iter()
                    .fold(first, |rows, next| self.operation(rows, next))
            }
        }
    }

    fn values(&mut self, rows: &[Vec<Expr>]) -> Rows {
        self.levels.push(Level::default());
        for value in rows.iter().flatten() {
            self.value(value, None);
        }
        let groups = self.levels.pop().unwrap_or_default().groups;
        let width = rows.first().map_or(0, Vec::len);
        Rows {
            columns: (1..=width)
                .map(|n| unkeyed(&format!("column{n}")))
                .collect(),
            groups,
        }
    }

    fn operation(&mut self, rows: Rows, next: &Operation) -> Rows {
        let other = self.body(&next.operand);
        match next.kind {
            SetKind::Union => self.either(&rows, &other),
            // What is left are rows of the first.
            SetKind::Intersect | SetKind::Except => rows,
        }
    }

    /// Rows of the one or the other: as many patients as either has, by a key where both have one.
    fn either(&mut self, one: &Rows, other: &Rows) -> Rows {
        let (ones, others) = (
            self.groups.roots(&one.groups),
            self.groups.roots(&other.groups),
        );
        let all = ones.iter().chain(&others);
        let own = all.into_iter().all(|group| self.groups.is_own(*group));
        let mut paired: Vec<(usize, usize, usize)> = Vec::new();
        let mut columns = Vec::with_capacity(one.columns.len());
        for (index, column) in one.columns.iter().enumerate() {
            let theirs = other.columns.get(index).and_then(|column| column.key);
            let key = column.key.zip(theirs).and_then(|(ours, theirs)| {
                if ours.kind != theirs.kind {
                    return None;
                }
                let pair = (self.groups.root(ours.group), self.groups.root(theirs.group));
                let known = paired
                    .iter()
                    .find(|(a, b, _)| *a == pair.0 || *b == pair.1)
                    .copied();
                let group = match known {
                    Some((a, b, group)) => ((a, b) == pair).then_some(group)?,
                    None => {
                        let group = self.groups.add(own);
                        paired.push((pair.0, pair.1, group));
                        group
                    }
                };
                Some(Key { group, ..ours })
            });
            columns.push(Column {
                name: column.name.clone(),
                key,
            });
        }
        let mut groups: Vec<usize> = paired.into_iter().map(|(_, _, group)| group).collect();
        while groups.len() < ones.len().max(others.len()) {
            groups.push(self.groups.add(own));
        }
        Rows { columns, groups }
    }

    fn with(&mut self, with: &With) {
        let start = self.ctes.len();
        if with.recursive {
            let names = with.ctes.iter().map(|cte| (cte.name.name.clone(), None));
            self.ctes.extend(names);
        }
        for (index, cte) in with.ctes.iter().enumerate() {
            let rows = if with.recursive {
                self.recursive(cte, start + index)
            } else {
                named(self.query(&cte.query), cte)
            };
            if !with.recursive {
                self.ctes.push((cte.name.name.clone(), Some(rows)));
            } else if let Some(entry) = self.ctes.get_mut(start + index) {
                entry.1 = Some(rows);
            }
        }
    }

    /// Its last operand may read it: the rows of that one must be as those of the operands before.
    fn recursive(&mut self, cte: &Cte, entry: usize) -> Rows {
        let (Body::Operations { first, rest }, None) = (&cte.query.body, &cte.query.with) else {
            return named(self.query(&cte.query), cte);
        };
        let Some((last, before)) = rest.split_last() else {
            return named(self.query(&cte.query), cte);
        };
        let first = self.body(first);
        let base = before
            .iter()
            .fold(first, |rows, next| self.operation(rows, next));
        let base = named(base, cte);
        if let Some(entry) = self.ctes.get_mut(entry) {
            entry.1 = Some(base.clone());
        }
        let next = self.operation(base.clone(), last);
        let width = |rows: &Rows| self.groups.roots(&rows.groups).len();
        let is_alike = base
            .columns
            .iter()
            .zip(&next.columns)
            .all(|(before, after)| before.key.is_some() == after.key.is_some());
        if width(&next) > width(&base) || !is_alike {
            self.pools.get_or_insert(RECURSION);
        }
        named(next, cte)
    }

    pub(super) fn select(&mut self, select: &Select) -> Rows {
        self.levels.push(Level::default());
        for item in &select.from {
            let items = self.from(item);
            self.level().items.extend(items);
        }
        if let Some(filter) = &select.filter {
            self.link(filter, &|_, _| true);
        }
        let grouped = self.grouped(select);
        for item in &select.items {
            if let Some(expr) = computed(item) {
                self.value(expr, Some((select, grouped.as_slice())));
            }
        }
        let is_pooled = !select.group_by.is_empty()
            || select.having.is_some()
            || select.items.iter().filter_map(computed).any(has_aggregate);
        let mut columns = self.output(&select.items);
        if is_pooled {
            for column in &mut columns {
                column.key = column.key.filter(|key| self.survives(key.group, &grouped));
            }
        }
        let groups = self.levels.pop().unwrap_or_default().groups;
        Rows { columns, groups }
    }

    /// Whether all rows that are made into one are of the same patient of this group.
    pub(super) fn survives(&self, group: usize, keys: &[usize]) -> bool {
        let root = self.groups.root(group);
        let outer = self.levels.split_last().map_or(&[][..], |(_, outer)| outer);
        keys.iter().any(|key| self.groups.root(*key) == root)
            || outer
                .iter()
                .flat_map(|level| &level.groups)
                .any(|outer| self.groups.root(*outer) == root)
    }

    /// The groups whose keys are grouped by.
    fn grouped(&self, select: &Select) -> Vec<usize> {
        let has_star = select
            .items
            .iter()
            .any(|item| !matches!(item, Item::Expr { .. }));
        let at = |position: usize| match select.items.get(position)? {
            Item::Expr { expr, .. } if !has_star => Some(expr),
            Item::Expr { .. } | Item::Star(_) | Item::QualifiedStar(..) | Item::RowStar { .. } => {
                None
            }
        };
        let output = |wanted: &crate::ir::Name| {
            select.items.iter().find_map(|item| match item {
                Item::Expr { expr, name, .. } if name == wanted => Some(expr),
                Item::Expr { .. }
                | Item::Star(_)
                | Item::QualifiedStar(..)
                | Item::RowStar { .. } => None,
            })
        };
        let exprs = select.group_by.iter().flat_map(|group| match group {
            Group::Expr(expr) => std::slice::from_ref(expr),
            Group::Row(list) => list.as_slice(),
            // Each set leaves out what another has.
            Group::Sets(..) => &[],
        });
        let plain = exprs.filter_map(|expr| match expr {
            Expr::Output(name) => output(name),
            Expr::Literal(Literal::Number(digits)) => {
                at(digits.parse::<usize>().ok()?.checked_sub(1)?)
            }
            expr => Some(expr),
        });
        // With sets beside them, plain items are in each set.
        plain
            .filter_map(|expr| Some(self.key(expr)?.group))
            .collect()
    }

    fn output(&self, items: &[Item]) -> Vec<Column> {
        let mut columns = Vec::new();
        for item in items {
            match item {
                Item::Expr { expr, name, .. } => columns.push(Column {
                    name: name.clone(),
                    key: self.key(expr),
                }),
                Item::Star(star) | Item::QualifiedStar(_, star) => {
                    columns.extend(star.columns.iter().map(|column| Column {
                        name: column.name.clone(),
                        key: self.find(column),
                    }));
                }
                Item::RowStar { operand: _, star } => {
                    columns.extend(star.columns.iter().map(|column| unkeyed(&column.name)));
                }
            }
        }
        columns
    }

    /// What RETURNING may show, and what is written: something of the target's and of all sources'.
    fn write(&mut self, write: &write::Write) -> Rows {
        self.levels.push(Level::default());
        match write {
            write::Write::Insert(insert) => {
                let source = insert.source.as_ref().map(|source| self.query(source));
                let groups = source.unwrap_or_default().groups;
                let shows = insert.conflict.as_ref().is_some_and(|c| c.update.is_some());
                if groups.is_empty() || shows {
                    let target = self.relation(&insert.into);
                    self.level().items.push(target);
                }
                self.level().groups.extend(groups);
                self.returning(&insert.returning);
            }
            write::Write::Update(update) => {
                let target = self.relation(&update.target);
                self.level().items.push(target);
                self.sources(&update.from);
                self.assigned(&update.assignments);
                if let Some(filter) = &update.filter {
                    self.link(filter, &|_, _| true);
                }
                self.returning(&update.returning);
            }
            write::Write::Delete(delete) => {
                let target = self.relation(&delete.target);
                self.level().items.push(target);
                self.sources(&delete.using);
                if let Some(filter) = &delete.filter {
                    self.link(filter, &|_, _| true);
                }
                self.returning(&delete.returning);
            }
            write::Write::Merge(merge) => {
                let target = self.relation(&merge.target);
                self.level().items.push(target);
                let middle = self.level().groups.len();
                self.sources(std::slice::from_ref(&merge.source));
                // What does not match is written as well.
                let sides = self.sides(0, middle);
                self.link(&merge.on, &|one, other| {
                    sides.admit(JoinKind::Full, one, other)
                });
                for arm in &merge.arms {
                    match &arm.action {
                        write::Action::Insert { columns: _, values } => {
                            for value in values {
                                self.value(value, None);
                            }
                        }
                        write::Action::Update(assignments) => self.assigned(assignments),
                        write::Action::Delete | write::Action::Nothing => {}
                    }
                }
                self.returning(&merge.returning);
            }
        }
        let groups = self.levels.pop().unwrap_or_default().groups;
        Rows {
            columns: Vec::new(),
            groups,
        }
    }

    fn assigned(&mut self, assignments: &[write::Assignment]) {
        for assignment in assignments {
            match &assignment.value {
                write::Assigned::One(value) => self.value(value, None),
                write::Assigned::Row(values) => {
                    for value in values {
                        self.value(value, None);
                    }
                }
                write::Assigned::Query(query) => {
                    let rows = self.query(query);
                    self.level().groups.extend(rows.groups);
                }
            }
        }
    }

    fn sources(&mut self, from: &[crate::ir::From]) {
        for item in from {
            let items = self.from(item);
            self.level().items.extend(items);
        }
    }

    fn returning(&mut self, items: &[Item]) {
        for expr in items.iter().filter_map(computed) {
            self.value(expr, None);
        }
    }

    pub(super) fn level(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::default());
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }
}

/// The rows under the names that a common table expression gives them.
fn named(mut rows: Rows, cte: &Cte) -> Rows {
    for (column, name) in rows.columns.iter_mut().zip(&cte.columns) {
        column.name = name.name.clone();
    }
    rows
}

fn unkeyed(name: &str) -> Column {
    Column {
        name: name.into(),
        key: None,
    }
}

/// What an item computes; a star shows what is there.
fn computed(item: &Item) -> Option<&Expr> {
    match item {
        Item::Expr { expr, .. } => Some(expr),
        Item::RowStar { operand, star: _ } => Some(operand),
        Item::Star(_) | Item::QualifiedStar(..) => None,
    }
}
