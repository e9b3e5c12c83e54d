//! Statements over the hospital, made of choices: expressions after `grammar.txt`, queries and
//! scripts after the code beside this file.

mod expr;
mod from;
mod literal;
mod message;
mod query;
mod script;
mod temporary;
mod wire;
mod write;

use super::choices::Choices;
use super::grammar::Grammar;
use super::schema::{Column, Table, Ty};

pub use message::{Item, Message, Script, Step, When};

/// How deep expressions and subqueries nest at most.
const DEPTH: usize = 4;

/// Expressions of a statement, at most (about); statements of a few kilobytes are long enough.
const BUDGET: usize = 40;

/// Makes statements.
#[derive(Debug)]
pub struct Generator<'a> {
    grammar: &'a Grammar,
    tables: &'a [Table],
    choices: Choices,
    /// The grant may write.
    writes: bool,
    /// Productions that may fail are used.
    risky: bool,
    /// Parameters may be used, and these were.
    params: Option<Vec<Param>>,
    scopes: Vec<Scope>,
    ctes: Vec<Relation>,
    budget: usize,
    names: usize,
}

/// A value to bind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// Its kind.
    pub ty: Ty,
    /// As text; `None` is NULL.
    pub text: Option<&'static str>,
}

/// What a FROM list makes visible.
#[derive(Debug, Default, Clone)]
struct Scope {
    relations: Vec<Relation>,
    /// Outer scopes are not visible from here.
    closed: bool,
    /// In a grouped query: the group keys; nothing else of the rows is visible.
    keys: Option<Vec<(String, Ty)>>,
}

/// A relation by its alias.
#[derive(Debug, Clone)]
struct Relation {
    name: String,
    columns: Vec<Column>,
    few: bool,
}

impl<'a> Generator<'a> {
    /// A generator of one script.
    pub fn new(grammar: &'a Grammar, tables: &'a [Table], choices: Choices) -> Self {
        Self {
            grammar,
            tables,
            choices,
            writes: false,
            risky: false,
            params: None,
            scopes: Vec::new(),
            ctes: Vec::new(),
            budget: BUDGET,
            names: 0,
        }
    }

    /// The same for a grant that may write.
    #[must_use]
    pub fn writing(mut self, writes: bool) -> Self {
        self.writes = writes;
        self
    }

    /// The script that the choices make, and the choices that were made.
    pub fn script(mut self) -> (Script, Vec<u32>) {
        let script = self.make_script();
        (script, self.choices.into_made())
    }

    /// A name that nothing else has.
    fn name(&mut self, letter: char) -> String {
        self.names += 1;
        format!("{letter}{}", self.names)
    }

    /// Spends one expression; whether there is any left.
    fn spend(&mut self) -> bool {
        self.budget = self.budget.saturating_sub(1);
        self.budget > 0
    }

    fn table(&mut self) -> &'a Table {
        let tables = self.tables;
        let masked =
            |table: &Table| 1 + table.columns.iter().filter(|column| column.masked).count();
        let index = self.choices.weighted(tables.iter().map(masked));
        &tables[index]
    }
}
