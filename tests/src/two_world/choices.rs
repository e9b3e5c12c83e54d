//! A statement is what a list of numbers makes of the grammar: the list comes from a seed, and a
//! shorter or smaller list makes a simpler statement, so that a finding can be minimised without
//! knowing what a statement is.

/// Numbers to choose by, drawn from a seed or played back.
#[derive(Debug, Clone)]
pub struct Choices {
    made: Vec<u32>,
    at: usize,
    /// The generator's state; `None` when only what was given is played, then zeros.
    state: Option<u64>,
}

impl Choices {
    /// Choices of a seed: the same on every machine.
    pub fn seeded(seed: u64) -> Self {
        Self {
            made: Vec::new(),
            at: 0,
            state: Some(seed),
        }
    }

    /// These choices, and zeros after them.
    pub fn replay(made: Vec<u32>) -> Self {
        Self {
            made,
            at: 0,
            state: None,
        }
    }

    /// Every choice made so far.
    pub fn into_made(mut self) -> Vec<u32> {
        self.made.truncate(self.at);
        self.made
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u32::try_from(bound).unwrap_or(u32::MAX).max(1);
        let choice = match self.made.get(self.at) {
            Some(made) => *made % bound,
            None => {
                let choice = self.draw() % bound;
                self.made.push(choice);
                choice
            }
        };
        self.at += 1;
        choice as usize
    }

    /// True `percent` times of a hundred; false is the simpler choice.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) >= 100 - percent
    }

    /// One of these; the first is the simplest.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let index = self.below(of.len());
        &of[index]
    }

    /// The index of a weight, chosen by it; the first is the simplest.
    pub fn weighted(&mut self, weights: impl Iterator<Item = usize> + Clone) -> usize {
        let mut left = self.below(weights.clone().sum());
        for (index, weight) in weights.enumerate() {
            if left < weight {
                return index;
            }
            left -= weight;
        }
        0
    }

    /// SplitMix64 (Steele, Lea, Flood 2014), its upper half.
    fn draw(&mut self) -> u32 {
        let Some(state) = &mut self.state else {
            return 0;
        };
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 32) as u32
    }
}

/// Smaller lists than `made`, the boldest first: parts left out, then numbers lowered.
pub fn smaller(made: &[u32]) -> impl Iterator<Item = Vec<u32>> + '_ {
    let sizes = std::iter::successors(Some(made.len() / 2), |size| Some(size / 2));
    let cuts = sizes.take_while(|size| *size > 0).flat_map(move |size| {
        (0..made.len()).step_by(size).map(move |start| {
            let mut cut = made.to_vec();
            cut.drain(start..(start + size).min(made.len()));
            cut
        })
    });
    let zeros = (0..made.len()).filter(|at| made[*at] > 0).map(|at| {
        let mut lower = made.to_vec();
        lower[at] = 0;
        lower
    });
    cuts.chain(zeros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_the_same_again_and_play_back() {
        let draw = |mut choices: Choices| {
            let drawn: Vec<_> = (1..50).map(|bound| choices.below(bound)).collect();
            (drawn, choices.into_made())
        };
        let (first, made) = draw(Choices::seeded(7));
        assert_eq!(draw(Choices::seeded(7)).0, first);
        assert_ne!(draw(Choices::seeded(8)).0, first);
        assert_eq!(draw(Choices::replay(made)).0, first);
        assert!(draw(Choices::replay(Vec::new())).0.iter().all(|c| *c == 0));
    }

    #[test]
    fn every_smaller_list_is_smaller() {
        let made = [3, 0, 2, 9, 1];
        let sum = |list: &[u32]| list.iter().map(|n| n + 1).sum::<u32>();
        assert!(smaller(&made).count() > 5);
        assert!(smaller(&made).all(|list| sum(&list) < sum(&made)));
    }
}
