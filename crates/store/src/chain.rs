//! The rows that touched a holder, chained backwards (a skip list).
//!
//! Each row names, for every holder it touches, the row that touched it before. So a statement is
//! read newest first by following the chain, and writing a row never changes anything written
//! before: with an index by account, a settlement would have to change a page for each member.
//! Every 16th touch also names the 16th before it, every 256th the 256th before it, and so on: the
//! touch before a given row is found in some dozens of steps among millions.

use engine::Unit;
use serde::{Deserialize, Serialize};

/// One balance for each unit, in steps of the unit.
pub type Balances = [i64; Unit::COUNT];

/// Touches from one link of a level to the next, as a power of two.
const LEVEL_BITS: u32 = 4;

/// Levels above the lowest, for 32 bits of touches.
const LEVELS: usize = 7;

/// The end of a holder's chain, and its balances.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// What the holder has.
    pub balances: Balances,
    /// The newest row that touched it; meaningless while `depth` is 0.
    pub head: u64,
    /// How many rows touched it.
    pub depth: u32,
    /// For each level, the newest touch that has a link there.
    marks: Option<Box<[u64; LEVELS]>>,
}

/// The way back from a touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// The touch's own number, from 1.
    pub depth: u32,
    /// The row of the touch before; none for the first.
    pub previous: Option<u64>,
    /// The row of the touch before on this touch's level.
    pub jump: Option<u64>,
}

impl Chain {
    /// Whether this row is the newest that touched the holder.
    pub fn is_touched_by(&self, row: u64) -> bool {
        self.depth > 0 && self.head == row
    }

    /// Adds a row to the chain; the links are for that row to keep.
    pub fn touch(&mut self, row: u64) -> Links {
        let previous = (self.depth > 0).then_some(self.head);
        self.head = row;
        self.depth = self.depth.saturating_add(1);
        let level = (self.depth.trailing_zeros() / LEVEL_BITS) as usize;
        let mut jump = None;
        if level > 0 {
            // Rows start at 1 (row 0 is the programme), so 0 stands for none.
            let marks = self.marks.get_or_insert_default();
            let reached = &mut marks[..level.min(LEVELS)];
            jump = reached.last().copied().filter(|&mark| mark > 0);
            reached.fill(row);
        }
        Links { depth: self.depth, previous, jump }
    }
}

impl Links {
    /// The next row to look at for the newest touch at or before `row`, from a touch after it.
    pub fn towards(&self, row: u64) -> Option<u64> {
        self.jump.filter(|&jump| jump > row).or(self.previous)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_touch_is_found_in_few_steps(
            gaps in prop::collection::vec(1..5_u64, 1..3000),
            asked in prop::collection::vec(any::<prop::sample::Index>(), 20),
        ) {
            let mut chain = Chain::default();
            let mut touches = std::collections::BTreeMap::new();
            let mut row = 0;
            for gap in &gaps {
                row += gap;
                touches.insert(row, chain.touch(row));
            }
            for index in asked {
                let asked = index.index(usize::try_from(row).unwrap() + 2) as u64;
                let mut at = Some(chain.head);
                let mut steps = 0;
                while let Some(row) = at.filter(|&at| at > asked) {
                    at = touches[&row].towards(asked);
                    steps += 1;
                }
                prop_assert_eq!(at, touches.range(..=asked).next_back().map(|(&row, _)| row));
                prop_assert!(steps <= 6 * 16, "{} steps", steps);
            }
        }
    }
}
