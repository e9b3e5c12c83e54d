//! Scopes: which relations and columns a name can mean at each level of a query.

use std::sync::Arc;

use super::{Resolver, Shape};
use crate::ir::{Column, Expr, Ident, Name};
use crate::policy::{Access, Columns, Found, SourceColumn, Visibility};
use crate::refusal::{Place, Reason, Refusal, Result};
use crate::snapshot::RelationKind;
use crate::temporary::{PG_TEMP, is_temporary};
use crate::{Context, Touch};

/// Something with columns that stands in FROM.
#[derive(Debug)]
pub(crate) struct Source {
    /// The name it is visible by.
    pub(crate) alias: Option<Name>,
    /// Its schema, when it is a relation visible by its own name.
    pub(super) schema: Option<Name>,
    /// The columns as this statement names them.
    pub(crate) columns: Arc<Columns>,
    pub(super) origin: Origin,
    /// Which columns the statement uses.
    pub(crate) used: Vec<bool>,
    /// Which system columns it uses; only of PostgreSQL's own catalogs.
    pub(crate) system: Vec<&'static str>,
    /// It is written with exactly these columns, since it is used as a whole.
    pub(crate) pinned: bool,
    /// It is the table that the statement writes to.
    pub(crate) written: bool,
}

#[derive(Debug)]
pub(super) enum Origin {
    /// A relation of the catalog, by oid.
    Relation { oid: u32, catalog: bool },
    /// A join: for each column the source and column it comes from, `None` where two are merged;
    /// and the sources that it joins.
    Join(Vec<Option<(usize, usize)>>, Vec<usize>),
    /// A subquery, function or common table expression.
    Other,
}

/// The relations of one query level.
#[derive(Debug, Default)]
pub(super) struct Level {
    pub(super) items: Vec<Visible>,
    /// FROM is still being read: what is there may only be seen laterally.
    pub(super) building: bool,
    /// What is being read may look sideways.
    pub(super) lateral: bool,
    /// What is being read is computed for each group.
    pub(super) grouped: bool,
    /// How many aggregates of this level what is being read stands in.
    pub(super) aggregates: usize,
    /// The columns of this level's relations that are used for each group, outside of aggregates.
    pub(super) loose: Vec<(usize, usize)>,
}

/// A source as one level sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visible {
    pub(super) source: usize,
    /// By its name.
    pub(super) by_name: bool,
    /// By the bare names of its columns.
    pub(super) by_column: bool,
}

/// A common table expression in scope.
#[derive(Debug)]
pub(super) struct CteEntry {
    pub(super) name: Name,
    /// `None` while its own non-recursive part is being read.
    pub(super) columns: Option<Arc<Columns>>,
}

/// Stands for the number of a column where a relation is used as one row.
pub(super) const WHOLE_ROW: usize = usize::MAX;

/// PostgreSQL's system columns (`heap.c`), which every table has.
const SYSTEM_COLUMNS: [&str; 6] = ["ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"];

/// What a name turned out to mean.
enum Meaning {
    Column {
        level: usize,
        source: usize,
        column: usize,
    },
    System {
        source: usize,
    },
}

impl Source {
    pub(super) fn new(alias: Option<Name>, columns: Arc<Columns>, origin: Origin) -> Self {
        let used = vec![false; columns.len()];
        Self {
            alias,
            schema: None,
            columns,
            origin,
            used,
            system: Vec::new(),
            pinned: false,
            written: false,
        }
    }

    /// Whether it is one of the session's own relations.
    pub(super) fn is_temporary(&self) -> bool {
        matches!(self.origin, Origin::Relation { oid, catalog: _ } if is_temporary(oid))
    }

    pub(super) fn touches(&self, cx: &Context<'_>) -> Vec<Touch> {
        let Origin::Relation { oid, catalog: _ } = self.origin else {
            return Vec::new();
        };
        let Some(relation) = cx.relation(oid) else {
            return Vec::new();
        };
        if is_temporary(oid) {
            // Its names are its author's own words, which the clear part of the record does not
            // hold.
            return vec![Touch {
                relation: PG_TEMP.to_owned(),
                columns: Vec::new(),
                written: self.written,
            }];
        }
        let mut touches = vec![Touch {
            relation: format!("{}.{}", relation.schema, relation.name),
            columns: Vec::new(),
            written: self.written,
        }];
        let Some(access) = cx.access(oid) else {
            return touches;
        };
        if let Some(first) = touches.first_mut() {
            let used = self.used.iter().enumerate().filter(|(_, used)| **used);
            first.columns = used
                .filter_map(|(index, _)| {
                    Some((
                        relation.columns.get(index)?.name.clone(),
                        access.treatment(index),
                    ))
                })
                .collect();
        }
        if let Access::Masked(masked) = access {
            touches.extend(masked.beneath.iter().cloned());
        }
        touches
    }
}

impl Resolver<'_> {
    pub(super) fn push_level(&mut self) {
        self.levels.push(Level::default());
    }

    pub(super) fn pop_level(&mut self) {
        self.levels.pop();
    }

    pub(super) fn level(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.push_level();
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    pub(super) fn add(&mut self, source: Source) -> usize {
        self.out.sources.push(source);
        self.out.sources.len() - 1
    }

    /// Notes that a column is used, down through the joins it comes from.
    pub(super) fn mark(&mut self, source: usize, column: usize) {
        let mut next = Some((source, column));
        while let Some((source, column)) = next.take() {
            let Some(source) = self.out.sources.get_mut(source) else {
                return;
            };
            if let Some(used) = source.used.get_mut(column) {
                *used = true;
            }
            if let Origin::Join(columns, _) = &source.origin {
                next = columns.get(column).copied().flatten();
            }
        }
    }

    /// Notes that every visible column is used.
    pub(super) fn mark_all(&mut self, source: usize) {
        let level = self.levels.len().saturating_sub(1);
        for column in 0..self.columns(source).len() {
            self.mark(source, column);
            self.note_loose(level, source, column);
        }
    }

    /// Notes, where it matters, that a column is used for each group of its level.
    fn note_loose(&mut self, level: usize, source: usize, column: usize) {
        let (mut source, mut column) = (source, column);
        while let Some(Origin::Join(origins, _)) = self.out.sources.get(source).map(|s| &s.origin) {
            match origins.get(column).copied().flatten() {
                Some(origin) => (source, column) = origin,
                None => return,
            }
        }
        if let Some(level) = self.levels.get_mut(level)
            && level.grouped
            && level.aggregates == 0
            && !level.loose.contains(&(source, column))
        {
            level.loose.push((source, column));
        }
    }

    /// A bare name: a column of the nearest level that has one, or else a relation's row.
    pub(super) fn bare(&mut self, name: &Ident) -> Result<(Expr, Shape)> {
        for level in (0..self.levels.len()).rev() {
            if let Some(meaning) = self.in_level(level, name)? {
                return self.settle(&meaning, name, false);
            }
        }
        match self.visible(None, &name.name) {
            Some((_, source)) => {
                self.check_whole(source, name.place)?;
                Ok(self.row(source, &name.name, false))
            }
            None => Err(unknown_column(name)),
        }
    }

    /// Whether a bare name means a relation's row: no column at any level has it.
    pub(super) fn is_row(&self, name: &Ident) -> Result<bool> {
        for level in (0..self.levels.len()).rev() {
            if self.in_level(level, name)?.is_some() {
                return Ok(false);
            }
        }
        Ok(self.visible(None, &name.name).is_some())
    }

    /// Whether the innermost level has a column of this name, as GROUP BY asks.
    pub(super) fn is_local_column(&self, name: &Ident) -> Result<bool> {
        let Some(level) = self.levels.len().checked_sub(1) else {
            return Ok(false);
        };
        self.in_level(level, name).map(|found| found.is_some())
    }

    /// `relation.column`.
    pub(super) fn qualified(
        &mut self,
        schema: Option<&Name>,
        relation: &Ident,
        name: &Ident,
    ) -> Result<(Expr, Shape)> {
        let Some((level, source)) = self.visible(schema, &relation.name) else {
            return Err(missing_from(relation));
        };
        let columns = self.columns(source);
        match columns.find(&name.name) {
            Found::One(column) => self.settle(
                &Meaning::Column {
                    level,
                    source,
                    column,
                },
                name,
                true,
            ),
            Found::Many => Err(ambiguous(name)),
            Found::None if self.has_system_columns(source, &name.name) => {
                self.settle(&Meaning::System { source }, name, true)
            }
            // PostgreSQL would go on to look for a function of that name: never.
            Found::None => Err(Refusal::new(
                Reason::UnknownColumn,
                format!("column {}.{} does not exist", relation.name, name.name),
            )
            .near(relation.place)),
        }
    }

    /// The relation that a name means as a whole, `a.*` or `a` as a row.
    pub(super) fn whole(&mut self, path: &[Ident]) -> Result<(usize, Name)> {
        let (schema, relation) = match path {
            [relation] => (None, relation),
            [schema, relation] => (Some(&schema.name), relation),
            [database, schema, relation] if &*database.name == self.cx.session.database => {
                (Some(&schema.name), relation)
            }
            other => {
                let place = other.first().map_or(Place::default(), |first| first.place);
                return Err(super::super::lower::unsupported(
                    "this qualified name",
                    place,
                ));
            }
        };
        match self.visible(schema, &relation.name) {
            Some((_, source)) => {
                self.check_whole(source, relation.place)?;
                Ok((source, relation.name.clone()))
            }
            None => Err(missing_from(relation)),
        }
    }

    /// Refuses the whole row of a table that is written, if a part of it is masked: there is nothing
    /// in its place.
    pub(super) fn check_whole(&self, source: usize, place: Place) -> Result<()> {
        let columns = self.columns(source);
        let hidden = |column: &&SourceColumn| column.visibility == Visibility::Unreadable;
        match columns.iter().find(hidden) {
            None => Ok(()),
            Some(column) => Err(unreadable(&Ident {
                name: column.name.clone(),
                place,
            })),
        }
    }

    /// A relation's row as one value.
    pub(super) fn row(&mut self, source: usize, name: &Name, star: bool) -> (Expr, Shape) {
        self.mark_all(source);
        let level = self.levels.len().saturating_sub(1);
        self.note_loose(level, source, WHOLE_ROW);
        self.pin(source);
        let columns = self.columns(source);
        let shape = columns
            .visible()
            .map(|column| column.name.clone())
            .collect();
        let name = name.clone();
        (Expr::Row { name, star }, Some(shape))
    }

    pub(super) fn columns(&self, source: usize) -> Arc<Columns> {
        self.out
            .sources
            .get(source)
            .map(|source| source.columns.clone())
            .unwrap_or_default()
    }

    /// A column found at `source`, refused if the policy hides it.
    fn settle(&mut self, meaning: &Meaning, name: &Ident, typed: bool) -> Result<(Expr, Shape)> {
        let (level, source, column) = match *meaning {
            Meaning::Column {
                level,
                source,
                column,
            } => (level, source, column),
            Meaning::System { source } => return self.system_column(source, name),
        };
        let columns = self.columns(source);
        let Some(found) = columns.get(column) else {
            return Err(unknown_column(name));
        };
        self.check_visible(source, column, name)?;
        self.mark(source, column);
        self.note_loose(level, source, column);
        let qualifier = self.qualifier(level, source, column, typed, name);
        let column = Column {
            place: name.place,
            qualifier,
            name: found.name.clone(),
            known: found.known,
        };
        Ok((Expr::Column(column), found.row.clone()))
    }

    /// Refuses a column that the policy hides, and says what to do.
    pub(super) fn check_visible(&self, source: usize, column: usize, name: &Ident) -> Result<()> {
        let columns = self.columns(source);
        let visibility = columns
            .get(column)
            .map_or(Visibility::Visible, |found| found.visibility);
        let reason = match visibility {
            Visibility::Visible => return Ok(()),
            Visibility::Unreadable => return Err(unreadable(name)),
            Visibility::Blocked => Reason::BlockedColumn,
            Visibility::Unclassified => Reason::UnclassifiedColumn,
            Visibility::Renamed => Reason::RenamedColumn,
            Visibility::RunsCode => Reason::OwnCode,
        };
        let (mut source, mut column) = (source, column);
        while let Some(Origin::Join(origins, _)) = self.out.sources.get(source).map(|s| &s.origin) {
            match origins.get(column).copied().flatten() {
                Some(origin) => (source, column) = origin,
                None => break,
            }
        }
        let relation = match self.out.sources.get(source).map(|source| &source.origin) {
            Some(Origin::Relation { oid, catalog: _ }) => self.cx.relation(*oid),
            Some(Origin::Join(..) | Origin::Other) | None => None,
        };
        let full = relation.and_then(|relation| {
            let column = relation.columns.get(column)?;
            Some((
                format!("{}.{}", relation.schema, relation.name),
                column.name.as_str(),
            ))
        });
        let (table, column) = match &full {
            Some((table, column)) => (table.as_str(), *column),
            None => ("this relation", &*name.name),
        };
        Err(match reason {
            Reason::BlockedColumn => Refusal::new(
                reason,
                format!("column \"{column}\" of {table} is blocked by the grant"),
            )
            .with_hint(format!(
                "request it with phictl request create --database {} --reveal {table}.{column}",
                self.cx.session.database,
            )),
            Reason::RenamedColumn => Refusal::new(
                reason,
                format!("column \"{column}\" of {table} was renamed since it was classified"),
            )
            .with_detail(crate::policy::RENAMED)
            .with_hint(crate::policy::RENAMED_HINT),
            Reason::OwnCode => Refusal::new(
                reason,
                format!("column \"{column}\" of {table} runs code that is not PostgreSQL's own"),
            )
            .with_detail("a cast or comparison of its type runs a function of the database's, which may read anything")
            .with_hint("leave the column out, or ask an administrator to drop that cast or operator class"),
            _unclassified => Refusal::new(
                reason,
                format!("column \"{column}\" of {table} is not classified"),
            )
            .with_hint(format!(
                "ask an administrator to classify {table}.{column} in the database's catalog file",
            )),
        }
        .near(name.place))
    }

    /// The name to qualify a column with: its relation's, unless something nearer hides that.
    fn qualifier(
        &self,
        level: usize,
        source: usize,
        column: usize,
        typed: bool,
        name: &Ident,
    ) -> Option<Name> {
        let (mut source, mut column) = (source, column);
        loop {
            let found = self.out.sources.get(source)?;
            if let Some(alias) = &found.alias {
                let alias = alias.clone();
                // INVARIANT: a name that was typed qualified was found by that qualifier, so it
                // is not hidden.
                return (typed || self.reaches(level, &alias, source)).then_some(alias);
            }
            let Origin::Join(origins, _) = &found.origin else {
                return None;
            };
            let (next, at) = origins.get(column).copied().flatten()?;
            // A renamed column is only known by its new name.
            let same = self.out.sources.get(next)?.columns.get(at)?.name == name.name;
            if !same {
                return None;
            }
            (source, column) = (next, at);
        }
    }

    /// Whether `alias`, used at the innermost level, finds `source`, which stands at `level`.
    fn reaches(&self, level: usize, alias: &Name, source: usize) -> bool {
        let inner = self.levels.iter().skip(level + 1);
        let hides = |visible: &Visible| self.is_named(visible, None, alias);
        !inner.flat_map(|level| &level.items).any(hides)
            && self.levels.get(level).is_some_and(|level| {
                level
                    .items
                    .iter()
                    .any(|visible| visible.source == source && visible.by_name)
            })
    }

    fn in_level(&self, index: usize, name: &Ident) -> Result<Option<Meaning>> {
        let Some(level) = self.levels.get(index) else {
            return Ok(None);
        };
        if level.building && !level.lateral {
            return Ok(None);
        }
        let mut meaning = None;
        for visible in level.items.iter().filter(|visible| visible.by_column) {
            let Some(source) = self.out.sources.get(visible.source) else {
                continue;
            };
            let found = match source.columns.find(&name.name) {
                Found::One(column) => Meaning::Column {
                    level: index,
                    source: visible.source,
                    column,
                },
                Found::Many => return Err(ambiguous(name)),
                Found::None if self.has_system_columns(visible.source, &name.name) => {
                    Meaning::System {
                        source: visible.source,
                    }
                }
                Found::None => continue,
            };
            if meaning.replace(found).is_some() {
                return Err(ambiguous(name));
            }
        }
        Ok(meaning)
    }

    /// The nearest relation visible by this name.
    fn visible(&self, schema: Option<&Name>, name: &Name) -> Option<(usize, usize)> {
        self.levels
            .iter()
            .enumerate()
            .rev()
            .find_map(|(index, level)| {
                if level.building && !level.lateral {
                    return None;
                }
                let found = level
                    .items
                    .iter()
                    .find(|visible| self.is_named(visible, schema, name))?;
                Some((index, found.source))
            })
    }

    pub(super) fn is_named(&self, visible: &Visible, schema: Option<&Name>, name: &Name) -> bool {
        visible.by_name
            && self.out.sources.get(visible.source).is_some_and(|source| {
                source.alias.as_ref() == Some(name)
                    && (schema.is_none() || source.schema.as_ref() == schema)
            })
    }

    fn has_system_columns(&self, source: usize, name: &str) -> bool {
        SYSTEM_COLUMNS.contains(&name)
            && self
                .out
                .sources
                .get(source)
                .is_some_and(|source| matches!(source.origin, Origin::Relation { .. }))
    }

    /// System columns tell where and when a row was written, which the mask must hide; of
    /// PostgreSQL's own catalogs they tell nothing that matters.
    fn system_column(&mut self, source: usize, name: &Ident) -> Result<(Expr, Shape)> {
        let known = SYSTEM_COLUMNS
            .into_iter()
            .find(|known| *known == &*name.name);
        let found = self.out.sources.get_mut(source);
        let catalog = found.filter(|source| match source.origin {
            Origin::Relation { oid, catalog: true } => {
                let relation = self.cx.relation(oid);
                relation.is_some_and(|relation| relation.kind == RelationKind::Table)
            }
            Origin::Relation {
                oid: _,
                catalog: false,
            }
            | Origin::Join(..)
            | Origin::Other => false,
        });
        let (Some(source), Some(known)) = (catalog, known) else {
            return Err(Refusal::new(
                Reason::SystemColumn,
                format!("system column \"{}\" is not released", name.name),
            )
            .near(name.place));
        };
        if !source.system.contains(&known) {
            source.system.push(known);
        }
        let qualifier = source.alias.clone();
        let column = Column {
            place: name.place,
            qualifier,
            name: name.name.clone(),
            known: true,
        };
        Ok((Expr::Column(column), None))
    }
}

fn unreadable(name: &Ident) -> Refusal {
    Refusal::new(
        Reason::NotGranted,
        format!(
            "column \"{}\" is masked: a statement that writes cannot read it",
            name.name
        ),
    )
    .with_hint("name only columns that the grant releases as they are")
    .near(name.place)
}

pub(super) fn ambiguous(name: &Ident) -> Refusal {
    Refusal::new(
        Reason::AmbiguousColumn,
        format!("column reference \"{}\" is ambiguous", name.name),
    )
    .near(name.place)
}

pub(super) fn unknown_column(name: &Ident) -> Refusal {
    Refusal::new(
        Reason::UnknownColumn,
        format!("column \"{}\" does not exist", name.name),
    )
    .near(name.place)
}

fn missing_from(relation: &Ident) -> Refusal {
    Refusal::new(
        Reason::UnknownRelation,
        format!("missing FROM-clause entry for table \"{}\"", relation.name),
    )
    .near(relation.place)
}
