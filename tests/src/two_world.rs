//! The two-world test: statements made from a grammar are sent to two databases that differ in
//! nothing but what a grant hides, and every byte that comes back must be the same (DESIGN section 5).
//!
//! What is not compared, and why, is all in [`transcript`]; what the worlds differ in, in [`worlds`].

pub mod choices;
pub mod generate;
pub mod grammar;
pub mod judge;
pub mod outcome;
pub mod report;
pub mod run;
pub mod schema;
pub mod side;
pub mod sqlsmith;
pub mod transcript;
pub mod worlds;

pub use report::Report;
pub use run::{Found, Plan, Source, run};
pub use worlds::Release;
