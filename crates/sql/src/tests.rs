//! What a statement becomes, and what is refused.

/// A snapshot without the expression it is of, which is long.
macro_rules! shown {
    ($text:expr) => {
        insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!($text) })
    };
}

mod attacks;
mod catalogs;
mod json;
mod own_code;
mod policy;
mod refusals;
mod round_trip;
mod rows;
mod scopes;
mod stack;
mod statements;
mod temporary;
mod through;
mod timings;
mod writes;

use crate::testing::World;

/// Each statement with what is sent for it, or its refusal.
fn listing(world: &World, statements: &[&str]) -> String {
    let entry = |statement: &&str| format!("{statement}\n  => {}\n", world.show(statement));
    statements.iter().map(entry).collect()
}

/// Whether a text names one of the clinic's masked relations otherwise than inside its mask: each
/// mention of the base table must be what a derived table reads.
fn reads_only_through_masks(sql: &str) -> bool {
    sql.match_indices("\"patients\" AS \"t\"").count()
        == sql.matches("\"public\".\"patients\"").count()
}
