//! Stars: which columns they show, and how they are kept to these.
//!
//! A star that is sent as one shows every column that a relation has when the statement runs, one
//! more than the catalog knew if somebody has just added it. So where a star takes in a relation
//! that is read as it is, its columns are written one by one; where these cannot all be named, and
//! where a relation is used as one row, a derived table with exactly these columns stands in its
//! place.

use std::sync::Arc;

use super::scope::Origin;
use super::{Resolver, Shape};
use crate::ir::{Column, Expr, Name, Star};
use crate::policy::{Access, Found, SourceColumn};
use crate::refusal::{Place, Reason, Refusal, Result};

/// Most columns of a select list, and items of GROUP BY and ORDER BY, which stand in it too. PostgreSQL:
/// MaxTupleAttributeNumber (access/htup_details.h), which `free_parsestate` in parse_node.c holds every
/// target list to. Here it also keeps stars of stars from doubling without end.
const MAX_COLUMNS: usize = 1_664;

impl Resolver<'_> {
    /// `*`
    pub(super) fn star(&mut self, star: &mut Star) -> Result<Vec<SourceColumn>> {
        let items = self.level().items.iter();
        let sources: Vec<_> = items
            .filter(|item| item.by_column)
            .map(|item| item.source)
            .collect();
        if sources.is_empty() {
            return Err(Refusal::new(
                Reason::Syntax,
                "SELECT * with no tables specified is not valid",
            )
            .near(star.place));
        }
        for source in &sources {
            self.check_whole(*source, star.place)?;
        }
        self.star_of(&sources, star)
    }

    /// Refuses a select list, or what would stand in it, that is too long.
    pub(super) fn check_columns(columns: usize, place: Place) -> Result<()> {
        if columns <= MAX_COLUMNS {
            return Ok(());
        }
        Err(Refusal::new(
            Reason::TooComplex,
            format!("target lists can have at most {MAX_COLUMNS} entries"),
        )
        .with_hint("name the columns that are needed")
        .near(place))
    }

    /// The visible columns of these sources, in order.
    pub(super) fn star_of(
        &mut self,
        sources: &[usize],
        star: &mut Star,
    ) -> Result<Vec<SourceColumn>> {
        let mut shown = Vec::new();
        star.explicit = sources.iter().any(|source| self.is_open(*source));
        for source in sources {
            let columns = self.columns(*source);
            let alias = self.out.sources.get(*source).and_then(|s| s.alias.clone());
            star.explicit &= alias.is_some();
            for column in columns.visible() {
                star.explicit &= matches!(columns.find(&column.name), Found::One(_));
                star.columns.push(Column {
                    place: Place::default(),
                    qualifier: alias.clone(),
                    name: column.name.clone(),
                    known: column.known,
                });
                shown.push(column.clone());
            }
            Self::check_columns(shown.len(), star.place)?;
            self.mark_all(*source);
        }
        // A select list without columns is not what a star stands for.
        star.explicit &= !star.columns.is_empty();
        if !star.explicit {
            for source in sources {
                self.pin(*source);
            }
        }
        Ok(shown)
    }

    /// Keeps a relation, or all that a join joins, to the columns that are known of it.
    pub(super) fn pin(&mut self, source: usize) {
        let mut next = vec![source];
        while let Some(source) = next.pop() {
            let open = self.is_relation_read_as_it_is(source);
            let Some(found) = self.out.sources.get_mut(source) else {
                continue;
            };
            match &found.origin {
                Origin::Relation { .. } => found.pinned |= open,
                Origin::Join(_, joined) => next.extend(joined),
                Origin::Other => {}
            }
        }
    }

    /// Whether anybody may add a column to this source, or beneath it, that a star would show.
    fn is_open(&self, source: usize) -> bool {
        let mut next = vec![source];
        while let Some(source) = next.pop() {
            if self.is_relation_read_as_it_is(source) {
                return true;
            }
            if let Some(Origin::Join(_, joined)) = self.out.sources.get(source).map(|s| &s.origin) {
                next.extend(joined);
            }
        }
        false
    }

    fn is_relation_read_as_it_is(&self, source: usize) -> bool {
        match self.out.sources.get(source).map(|source| &source.origin) {
            Some(Origin::Relation {
                oid,
                catalog: false,
            }) => {
                let columns = self.cx.relation(*oid).map(|r| r.columns.len());
                self.cx.policy.pins
                    && columns.is_some_and(|count| count > 0)
                    && matches!(self.cx.access(*oid), Some(Access::Open(_)))
            }
            Some(
                Origin::Relation {
                    oid: _,
                    catalog: true,
                }
                | Origin::Join(..)
                | Origin::Other,
            )
            | None => false,
        }
    }

    /// `ROW(a.*, 1)` has a field for each column of `a` (`parse_target.c`,
    /// transformExpressionList).
    pub(super) fn spread(&mut self, list: &mut Vec<Expr>) -> Result<()> {
        if !list.iter().any(|e| matches!(e, Expr::UnresolvedRow(_))) {
            return Ok(());
        }
        for item in std::mem::take(list) {
            let Expr::UnresolvedRow(path) = &item else {
                list.push(item);
                continue;
            };
            let (source, name) = self.whole(path)?;
            let columns = self.columns(source);
            let unique = |name: &Name| matches!(columns.find(name), Found::One(_));
            if !columns.visible().all(|column| unique(&column.name)) {
                let place = path.first().map_or(Place::default(), |first| first.place);
                return Err(crate::lower::unsupported(
                    "expansion of columns of one name",
                    place,
                ));
            }
            self.mark_all(source);
            list.extend(columns.visible().map(|column| {
                Expr::Column(Column {
                    place: Place::default(),
                    qualifier: Some(name.clone()),
                    name: column.name.clone(),
                    known: column.known,
                })
            }));
        }
        Ok(())
    }

    /// `(value).*`: `parse_target.c`, ExpandRowReference, computes the value for each column.
    pub(super) fn row_star(
        operand: &Expr,
        star: &mut Star,
        shape: Shape,
    ) -> Result<Vec<SourceColumn>> {
        let Some(names) = shape else {
            return Err(Refusal::new(
                Reason::Construct,
                "the columns of this value are not known, so it cannot be expanded",
            )
            .with_hint("put it into FROM, with the names of its columns in an alias")
            .near(star.place));
        };
        star.explicit = matches!(operand, Expr::Column(_));
        star.columns = names.iter().map(plain).collect();
        let shown = names.iter();
        Ok(shown
            .map(|name| SourceColumn::new(name.clone(), None, true))
            .collect())
    }
}

fn plain(name: &Name) -> Column {
    Column {
        place: Place::default(),
        qualifier: None,
        name: Arc::clone(name),
        known: true,
    }
}
