//! The productions of `grammar.txt`.

use std::collections::HashMap;

use super::schema::Ty;

/// What a production makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// A value from a row.
    Value,
    /// An aggregate over rows.
    Aggregate,
    /// A value from a row's window.
    Window,
    /// A set of rows of one column.
    Set,
}

/// One way to write an expression.
#[derive(Debug, Clone)]
pub struct Production {
    /// How often, beside others of its kind.
    pub weight: usize,
    /// Whether it may fail when it runs.
    pub risky: bool,
    /// Its text, with holes.
    pub pieces: Vec<Piece>,
}

/// A part of a production.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it stands.
    Text(String),
    /// To be filled.
    Hole(Hole),
    /// The text of an earlier hole of this name.
    Again(String),
}

/// A hole and, where it is used again, its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// The name.
    pub name: Option<String>,
    /// What goes in.
    pub fill: Fill,
}

/// What goes into a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// An expression of this kind.
    Expr(Ty),
    /// An expression of any kind that can be compared.
    Any,
    /// A row of a relation in scope.
    Row,
    /// A literal as an attacker would guess it.
    Guess,
    /// A pattern for LIKE.
    Pattern,
    /// The name of a table.
    Table,
    /// A subquery of any shape.
    Exists,
    /// A subquery of one column.
    ColumnOf(Ty),
    /// The same, in order.
    SortedOf(Ty),
    /// PARTITION BY and ORDER BY; peers may be many.
    By,
    /// PARTITION BY alone.
    Part,
    /// An order in which all peers are the same row.
    Total,
}

/// Every production, by class and kind.
#[derive(Debug)]
pub struct Grammar {
    productions: HashMap<(Class, Ty), Vec<Production>>,
}

impl Grammar {
    /// The grammar in this directory.
    ///
    /// # Panics
    /// When the file is not in its format.
    pub fn new() -> Self {
        let mut productions: HashMap<_, Vec<_>> = HashMap::new();
        for line in include_str!("grammar.txt").lines() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, production) =
                read(line).unwrap_or_else(|| panic!("not a production: {line}"));
            productions.entry(key).or_default().push(production);
        }
        Self { productions }
    }

    /// The productions of a kind.
    pub fn of(&self, class: Class, ty: Ty) -> &[Production] {
        self.productions
            .get(&(class, ty))
            .map_or(&[], Vec::as_slice)
    }
}

impl Default for Grammar {
    fn default() -> Self {
        Self::new()
    }
}

fn read(line: &str) -> Option<((Class, Ty), Production)> {
    let (word, rest) = line.split_once(' ')?;
    let (class, word, rest) = match word {
        "agg" | "win" | "set" => {
            let class = match word {
                "agg" => Class::Aggregate,
                "win" => Class::Window,
                _ => Class::Set,
            };
            let (kind, rest) = rest.split_once(' ')?;
            (class, kind, rest)
        }
        word => (Class::Value, word, rest),
    };
    let (weight, text) = rest.split_once(' ')?;
    let (text, risky) = text
        .strip_suffix('!')
        .map_or((text, false), |text| (text, true));
    let production = Production {
        weight: weight.parse().ok()?,
        risky,
        pieces: pieces(text)?,
    };
    Some(((class, Ty::of_word(word)?), production))
}

fn pieces(mut text: &str) -> Option<Vec<Piece>> {
    let mut pieces: Vec<Piece> = Vec::new();
    while let Some((before, after)) = text.split_once('{') {
        let (hole, rest) = after.split_once('}')?;
        // Braces of array and JSON literals are not holes.
        let piece = hole_of(hole).or_else(|| {
            let named = |piece: &Piece| matches!(piece, Piece::Hole(Hole { name: Some(name), .. }) if name == hole);
            pieces.iter().any(named).then(|| Piece::Again(hole.to_owned()))
        });
        match piece {
            Some(piece) => {
                pieces.push(Piece::Text(before.to_owned()));
                pieces.push(piece);
            }
            None => pieces.push(Piece::Text(format!("{before}{{{hole}}}"))),
        }
        text = rest;
    }
    pieces.push(Piece::Text(text.to_owned()));
    Some(pieces)
}

fn hole_of(hole: &str) -> Option<Piece> {
    let (name, word) = match hole.split_once('=') {
        Some((name, word)) => (Some(name.to_owned()), word),
        None => (None, hole),
    };
    let fill = match word {
        "any" => Fill::Any,
        "row" => Fill::Row,
        "guess" => Fill::Guess,
        "pattern" => Fill::Pattern,
        "table" => Fill::Table,
        "exists" => Fill::Exists,
        "by" => Fill::By,
        "part" => Fill::Part,
        "total" => Fill::Total,
        word => {
            if let Some(kind) = word.strip_prefix("column of ") {
                Fill::ColumnOf(Ty::of_word(kind)?)
            } else if let Some(kind) = word.strip_prefix("sorted of ") {
                Fill::SortedOf(Ty::of_word(kind)?)
            } else {
                Fill::Expr(Ty::of_word(word)?)
            }
        }
    };
    Some(Piece::Hole(Hole { name, fill }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_can_be_made() {
        let grammar = Grammar::new();
        for ty in Ty::ALL {
            assert!(!grammar.of(Class::Value, ty).is_empty(), "{ty:?}");
        }
        assert!(grammar.of(Class::Aggregate, Ty::Text).len() > 5);
    }

    #[test]
    fn holes_are_told_from_braces_and_repeated() {
        let pieces = pieces("f({x=text}, '{a,b}', {x}, {column of int})").unwrap();
        let holes: Vec<_> = pieces
            .iter()
            .filter(|p| !matches!(p, Piece::Text(_)))
            .collect();
        let x = |fill| {
            Piece::Hole(Hole {
                name: Some("x".to_owned()),
                fill,
            })
        };
        assert_eq!(holes[0], &x(Fill::Expr(Ty::Text)));
        assert_eq!(holes[1], &Piece::Again("x".to_owned()));
        assert!(matches!(
            holes[2],
            Piece::Hole(Hole {
                fill: Fill::ColumnOf(Ty::Int),
                ..
            })
        ));
        assert_eq!(holes.len(), 3);
    }
}
