//! FROM: what each item brings, and which patients joins and conditions make the same one.

use super::{Column, Groups, Item, Key, Level, Rows, Walk};
use crate::ir::{
    self, Alias, Condition, Expr, From, Ident, Join, JoinKind, Name, RelationRef, TableFunction,
    Target,
};

/// What one more pair of equal keys says: the groups, as they were told apart before the condition.
pub(super) type Admits<'c> = &'c dyn Fn(usize, usize) -> bool;

impl Walk<'_> {
    pub(super) fn from(&mut self, from: &From) -> Vec<Item> {
        match from {
            From::Relation(relation) => vec![self.relation(relation)],
            From::Subquery {
                lateral,
                query,
                alias,
                place: _,
            } => {
                // Only a lateral one sees its neighbours.
                let hidden = (!lateral).then(|| std::mem::take(&mut self.level().items));
                let rows = self.query(query);
                if let Some(hidden) = hidden {
                    self.level().items = hidden;
                }
                self.level().groups.extend(&rows.groups);
                vec![item(None, rows.columns, alias.as_ref())]
            }
            From::Function(function) => vec![self.function(function)],
            From::Join(join) => self.join(join),
        }
    }

    pub(super) fn relation(&mut self, reference: &RelationRef) -> Item {
        let alias = reference.alias.as_ref();
        let (cx, resolution) = (self.cx, self.resolution);
        match &reference.target {
            Target::Cte(name) => {
                let rows = self.instance(name);
                self.level().groups.extend(&rows.groups);
                item(Some(name), rows.columns, alias)
            }
            Target::Relation { oid, source } => {
                let found = resolution.sources.get(*source);
                let mut columns: Vec<Column> = found
                    .iter()
                    .flat_map(|source| source.columns.iter())
                    .map(|column| Column {
                        name: column.name.clone(),
                        key: None,
                    })
                    .collect();
                let (subjects, own) = cx.subjects(*oid);
                for subject in subjects {
                    let group = self.groups.add(own);
                    self.level().groups.push(group);
                    if let Some(key) = subject
                        && let Some(column) = columns.get_mut(key.index)
                    {
                        column.key = Some(Key {
                            group,
                            kind: key.kind,
                        });
                    }
                }
                Item {
                    alias: found.and_then(|source| source.alias.clone()),
                    open: columns.is_empty(),
                    columns,
                }
            }
            Target::Unresolved => item(None, Vec::new(), alias),
        }
    }

    /// The rows of a common table expression, told apart from those that another reference has.
    fn instance(&mut self, name: &Name) -> Rows {
        let known = self.ctes.iter().rev().find(|(known, _)| known == name);
        let Some(Some(mut rows)) = known.map(|(_, rows)| rows.clone()) else {
            // It reads one that comes after it, or itself where that cannot be followed.
            self.pools.get_or_insert(super::query::RECURSION);
            return Rows {
                columns: Vec::new(),
                groups: vec![self.groups.add(false)],
            };
        };
        let outer: Vec<usize> = self
            .levels
            .iter()
            .flat_map(|l| &l.groups)
            .copied()
            .collect();
        let outer = self.groups.roots(&outer);
        let anew: Vec<(usize, usize)> = self
            .groups
            .roots(&rows.groups)
            .into_iter()
            .map(|root| {
                let same = outer.binary_search(&root).is_ok();
                let own = self.groups.is_own(root);
                (root, if same { root } else { self.groups.add(own) })
            })
            .collect();
        for column in &mut rows.columns {
            column.key = column.key.and_then(|key| {
                let root = self.groups.root(key.group);
                let (_, group) = anew.iter().find(|(of, _)| *of == root)?;
                Some(Key {
                    group: *group,
                    ..key
                })
            });
        }
        rows.groups = anew.into_iter().map(|(_, group)| group).collect();
        rows
    }

    fn function(&mut self, function: &TableFunction) -> Item {
        for call in &function.calls {
            self.value(call, None);
        }
        Item {
            open: true,
            ..item(None, Vec::new(), function.alias.as_ref())
        }
    }

    fn join(&mut self, join: &Join) -> Vec<Item> {
        let start = self.level().groups.len();
        let left = self.from(&join.left);
        let middle = self.level().groups.len();
        let before = self.level().items.len();
        self.level().items.extend(left.iter().cloned());
        let right = self.from(&join.right);
        self.level().items.truncate(before);
        let sides = self.sides(start, middle);
        let admits = |one: usize, other: usize| sides.admit(join.kind, one, other);
        let mut merged = Vec::new();
        match &join.condition {
            Condition::None | Condition::Natural => {}
            Condition::On(condition) => {
                let items = left.iter().chain(&right).cloned().collect();
                let neighbours = std::mem::replace(&mut self.level().items, items);
                self.link(condition, &admits);
                self.level().items = neighbours;
            }
            Condition::Using(names, _alias) => {
                for name in names {
                    let keys = (one(&left, &name.name), one(&right, &name.name));
                    if let (Some(ours), Some(theirs)) = keys {
                        self.groups.join(ours.group, theirs.group);
                    }
                    merged.push(Column {
                        name: name.name.clone(),
                        // Of an outer join it is whichever side's there is.
                        key: keys.0.filter(|_| keys.1.is_some()),
                    });
                }
            }
        }
        let Some(alias) = &join.alias else {
            let mut items = left;
            items.extend(right);
            if let Condition::Using(_, Some(Ident { name, place: _ })) = &join.condition {
                items.push(Item {
                    alias: Some(name.clone()),
                    columns: merged,
                    open: false,
                });
            }
            return items;
        };
        // The merged columns, then what is left of each side.
        let is_merged = |column: &&Column| !merged.iter().any(|other| other.name == column.name);
        let open = left.iter().chain(&right).any(|item| item.open);
        let rest = left.iter().chain(&right).flat_map(|item| &item.columns);
        let rest: Vec<Column> = rest.filter(is_merged).cloned().collect();
        merged.extend(rest);
        // Where columns are not listed, it is not known which one a new name is given to.
        let columns = if open { Vec::new() } else { merged };
        vec![item(None, columns, Some(alias))]
    }

    /// Tells the patients of the level from `start` apart by the sides of a join, the right one of which
    /// begins at `middle`.
    pub(super) fn sides(&mut self, start: usize, middle: usize) -> Sides {
        let groups = self.level().groups.clone();
        let side = |groups: Option<&[usize]>| self.groups.roots(groups.unwrap_or_default());
        Sides {
            before: self.groups.all(),
            left: side(groups.get(start..middle)),
            right: side(groups.get(middle..)),
        }
    }

    /// Patients whose keys a condition that every row meets says are equal.
    pub(super) fn link(&mut self, condition: &Expr, admits: Admits<'_>) {
        match condition {
            Expr::And(list) => list.iter().for_each(|part| self.link(part, admits)),
            Expr::Binary {
                first,
                rest,
                place: _,
            } => {
                if let [(operator, second)] = rest.as_slice()
                    && operator.0 == "="
                    && let (Some(ours), Some(theirs)) = (self.key(first), self.key(second))
                    && admits(ours.group, theirs.group)
                {
                    self.groups.join(ours.group, theirs.group);
                }
            }
            _other => {}
        }
    }

    /// The patient whose key an expression is, as it is.
    pub(super) fn key(&self, expr: &Expr) -> Option<Key> {
        match expr {
            Expr::Column(column) => self.find(column),
            _other => None,
        }
    }

    /// The patient whose key a column is.
    pub(super) fn find(&self, column: &ir::Column) -> Option<Key> {
        for level in self.levels.iter().rev() {
            match level.find(column, &self.groups) {
                Found::Nothing => {}
                Found::Column(key) => return key,
            }
        }
        None
    }

    /// Whether a column is one of the innermost level.
    pub(super) fn is_local(&self, column: &ir::Column) -> bool {
        let level = self.levels.last();
        level.is_some_and(|level| !matches!(level.find(column, &self.groups), Found::Nothing))
    }
}

enum Found {
    Nothing,
    Column(Option<Key>),
}

impl Level {
    fn find(&self, column: &ir::Column, groups: &Groups) -> Found {
        let is_named = |item: &&Item| match &column.qualifier {
            Some(_) => item.alias == column.qualifier,
            None => true,
        };
        let (mut found, mut open) = (Vec::new(), false);
        for item in self.items.iter().filter(is_named) {
            open |= item.open || column.qualifier.is_some();
            found.extend(
                item.columns
                    .iter()
                    .filter(|known| known.name == column.name),
            );
        }
        match found.split_first() {
            None if open => Found::Column(None),
            None => Found::Nothing,
            // Of a merged column both sides are here.
            Some((first, others)) => Found::Column(first.key.filter(|key| {
                let root = groups.root(key.group);
                let same =
                    |other: &&Column| other.key.is_some_and(|k| groups.root(k.group) == root);
                others.iter().all(same)
            })),
        }
    }
}

/// Which side of a join a patient came from, as it was before its condition.
pub(super) struct Sides {
    before: Vec<usize>,
    left: Vec<usize>,
    right: Vec<usize>,
}

impl Sides {
    /// Whether a condition of the join holds for every row with both. An outer join shows rows of a side
    /// that do not meet it, but then the other side is NULL.
    pub(super) fn admit(&self, kind: JoinKind, one: usize, other: usize) -> bool {
        let before = |group: usize| self.before.get(group).copied().unwrap_or(group);
        let (one, other) = (before(one), before(other));
        let left = |group: usize| self.left.binary_search(&group).is_ok();
        let right = |group: usize| self.right.binary_search(&group).is_ok();
        match kind {
            JoinKind::Inner | JoinKind::Cross => true,
            JoinKind::Left => right(one) || right(other),
            JoinKind::Right => left(one) || left(other),
            JoinKind::Full => (left(one) && right(other)) || (right(one) && left(other)),
        }
    }
}

impl Groups {
    /// The root of each.
    fn all(&self) -> Vec<usize> {
        (0..self.parents.len())
            .map(|group| self.root(group))
            .collect()
    }
}

/// The key that a name means on one side of USING.
fn one(items: &[Item], name: &Name) -> Option<Key> {
    let mut columns = items
        .iter()
        .flat_map(|item| &item.columns)
        .filter(|column| column.name == *name);
    columns.next().and_then(|column| column.key)
}

fn item(name: Option<&Name>, mut columns: Vec<Column>, alias: Option<&Alias>) -> Item {
    if let Some(alias) = alias {
        for (column, name) in columns.iter_mut().zip(&alias.columns) {
            column.name = name.name.clone();
        }
    }
    Item {
        alias: alias.map(|alias| alias.name.name.clone()).or(name.cloned()),
        open: columns.is_empty(),
        columns,
    }
}
