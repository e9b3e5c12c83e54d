//! Telling the story: what each step expects, what was seen, and whether they agree.
#![allow(
    clippy::print_stdout,
    reason = "the tour speaks to the person at the terminal"
)]

use std::fmt::Display;

/// The tour's narrator; counts the differences.
#[derive(Default)]
pub(crate) struct Story {
    steps: usize,
    differences: usize,
}

impl Story {
    /// Begins a step.
    pub(crate) fn step(&mut self, title: &str) {
        self.steps += 1;
        phigate_cli::outln!("\n{:>2}. {title}", self.steps);
    }

    /// Shows a command as the person would type it.
    pub(crate) fn command(line: impl Display) {
        phigate_cli::outln!("    $ {line}");
    }

    /// Shows what was expected and what was seen.
    pub(crate) fn check(&mut self, expected: impl Display, seen: impl Display, agree: bool) {
        phigate_cli::outln!("    expected: {expected}");
        phigate_cli::outln!("    seen:     {seen}");
        if !agree {
            self.differences += 1;
            phigate_cli::outln!("    >>> this is NOT as it should be");
        }
    }

    /// The last line, and whether all was as it should be.
    pub(crate) fn end(self) -> bool {
        let Self { steps, differences } = self;
        match differences {
            0 => phigate_cli::outln!("\n{steps} steps, each as it should be."),
            _ => phigate_cli::outln!("\n{steps} steps, {differences} difference(s)."),
        }
        differences == 0
    }
}
