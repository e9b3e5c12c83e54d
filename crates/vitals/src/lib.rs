//! What a part that serves shows of itself: whether its loops turn, and whether it is fit to serve.

mod check;
mod pulse;

pub use check::Check;
pub use pulse::{Beats, Pulse, pulse};
