//! WITH: which names its queries have, and in which order they are settled.

use std::sync::Arc;

use super::Resolver;
use super::query::{OwnCte, renamed};
use super::scope::CteEntry;
use crate::ir::{Cte, Cycle, Search, With};
use crate::policy::{Columns, SourceColumn};
use crate::refusal::{Reason, Refusal, Result};

impl Resolver<'_> {
    pub(super) fn with(&mut self, with: &mut With) -> Result<()> {
        for (index, cte) in with.ctes.iter().enumerate() {
            let earlier = with.ctes.iter().take(index);
            if earlier.into_iter().any(|other| other.name == cte.name) {
                return Err(Refusal::new(
                    Reason::DuplicateAlias,
                    format!(
                        "WITH query name \"{}\" specified more than once",
                        cte.name.name
                    ),
                )
                .near(cte.name.place));
            }
        }
        if with.recursive {
            return self.recursive(&mut with.ctes);
        }
        for cte in &mut with.ctes {
            let found = self.query(&mut cte.query, None)?;
            let columns = Some(shown(&found, cte));
            self.ctes.push(CteEntry {
                name: cte.name.name.clone(),
                columns,
            });
        }
        Ok(())
    }

    /// Under RECURSIVE every query sees every other. One that reads another whose columns are not
    /// known yet waits for it (`parse_cte.c` sorts them likewise).
    fn recursive(&mut self, ctes: &mut [Cte]) -> Result<()> {
        let start = self.ctes.len();
        self.ctes.extend(ctes.iter().map(|cte| CteEntry {
            name: cte.name.name.clone(),
            columns: None,
        }));
        let mut waiting: Vec<usize> = (0..ctes.len()).collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            let mut still = Vec::new();
            let mut last = None;
            for index in waiting {
                let Some(cte) = ctes.get_mut(index) else {
                    continue;
                };
                match self.one_recursive(cte, start + index) {
                    Ok(()) => {}
                    Err(refusal) if self.unsettled => {
                        still.push(index);
                        last = Some(refusal);
                    }
                    Err(refusal) => return Err(refusal),
                }
            }
            if still.len() == before
                && let Some(refusal) = last
            {
                return Err(refusal);
            }
            waiting = still;
        }
        Ok(())
    }

    fn one_recursive(&mut self, cte: &mut Cte, entry: usize) -> Result<()> {
        self.unsettled = false;
        // What is half settled cannot be settled again.
        let untouched = cte.query.clone();
        let (sources, levels, known) = (self.out.sources.len(), self.levels.len(), self.ctes.len());
        let own = OwnCte {
            entry,
            cte_columns: &cte.columns,
        };
        match self.query(&mut cte.query, Some(own)) {
            Ok(found) => {
                if let Some(entry) = self.ctes.get_mut(entry) {
                    entry.columns = Some(shown(&found, cte));
                }
                Ok(())
            }
            Err(refusal) => {
                if self.unsettled {
                    cte.query = untouched;
                    self.out.sources.truncate(sources);
                    self.levels.truncate(levels);
                    self.ctes.truncate(known);
                    if let Some(entry) = self.ctes.get_mut(entry) {
                        entry.columns = None;
                    }
                }
                Err(refusal)
            }
        }
    }
}

/// The columns of a common table expression under their names, and those that SEARCH and CYCLE add.
fn shown(found: &Arc<Columns>, cte: &Cte) -> Arc<Columns> {
    let columns = renamed(found, &cte.columns);
    let search = cte.search.iter().map(
        |Search {
             breadth: _,
             columns: _,
             sequence,
         }| sequence,
    );
    let cycle = cte.cycle.iter().flat_map(
        |Cycle {
             columns: _,
             mark,
             values: _,
             path,
         }| [mark, path],
    );
    let added: Vec<_> = search
        .chain(cycle)
        .map(|name| SourceColumn::made(name))
        .collect();
    if added.is_empty() {
        return columns;
    }
    Arc::new(columns.iter().cloned().chain(added).collect())
}
