//! Lists of columns, found by name.

use std::collections::HashMap;
use std::sync::Arc;

use crate::ir::Name;

/// Lists this long are indexed.
const INDEXED_FROM: usize = 12;

/// The columns of something in FROM, in order.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    list: Vec<SourceColumn>,
    /// For long lists: where a name is, `None` when it is there more than once.
    index: Option<HashMap<Name, Option<usize>>>,
}

/// One column of something in FROM.
#[derive(Debug, Clone)]
pub(crate) struct SourceColumn {
    pub(crate) name: Name,
    pub(crate) visibility: Visibility,
    /// The attributes, when the column's value is a row of known shape.
    pub(crate) row: Option<Arc<[Name]>>,
    /// Its name comes from the catalog, not from a statement.
    pub(crate) known: bool,
}

/// Whether a column may be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visibility {
    Visible,
    Blocked,
    Unclassified,
    /// It is not the column that was classified by this name.
    Renamed,
    /// A cast of its type runs code of the database's own.
    RunsCode,
    /// Masked, and of a table that is written to: nothing stands in its place.
    Unreadable,
}

/// What a search by name finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    None,
    One(usize),
    Many,
}

impl SourceColumn {
    pub(crate) fn new(name: Name, row: Option<Arc<[Name]>>, known: bool) -> Self {
        Self {
            name,
            visibility: Visibility::Visible,
            row,
            known,
        }
    }

    /// A column that a statement named.
    pub(crate) fn made(name: &str) -> Self {
        Self::new(name.into(), None, false)
    }

    /// A column of a built-in function.
    pub(crate) fn known(name: &str) -> Self {
        Self::new(name.into(), None, true)
    }
}

impl Columns {
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&SourceColumn> {
        self.list.get(index)
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, SourceColumn> {
        self.list.iter()
    }

    /// What `*` shows.
    pub(crate) fn visible(&self) -> impl Iterator<Item = &SourceColumn> {
        self.list
            .iter()
            .filter(|column| column.visibility == Visibility::Visible)
    }

    pub(crate) fn find(&self, name: &str) -> Found {
        if let Some(index) = &self.index {
            return match index.get(name) {
                None => Found::None,
                Some(Some(index)) => Found::One(*index),
                Some(None) => Found::Many,
            };
        }
        let mut found = Found::None;
        for (index, column) in self.list.iter().enumerate() {
            if &*column.name == name {
                if found != Found::None {
                    return Found::Many;
                }
                found = Found::One(index);
            }
        }
        found
    }
}

impl FromIterator<SourceColumn> for Columns {
    fn from_iter<I: IntoIterator<Item = SourceColumn>>(columns: I) -> Self {
        let list: Vec<_> = columns.into_iter().collect();
        let index = (list.len() >= INDEXED_FROM).then(|| {
            let mut index = HashMap::with_capacity(list.len());
            for (position, column) in list.iter().enumerate() {
                index
                    .entry(column.name.clone())
                    .and_modify(|place| *place = None)
                    .or_insert(Some(position));
            }
            index
        });
        Self { list, index }
    }
}
