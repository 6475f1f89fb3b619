use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// How many names share one base offset: keeps the offsets at four bytes for any number of names.
const PER_BASE: usize = 4096;

/// Names numbered in order of arrival, found by text.
///
/// About 20 bytes a name besides its text: the texts lie end to end, the index holds a hash and a
/// number. The seed only guards against chosen collisions; nothing ever iterates the index.
#[derive(Debug, Clone)]
pub struct Names {
    hasher: FixedState,
    texts: Vec<u8>,
    bases: Vec<usize>,
    ends: Vec<u32>,
    index: HashTable<Slot>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    hash: u32,
    number: u32,
}

impl Names {
    pub fn new(seed: u64) -> Self {
        Self {
            hasher: FixedState::with_seed(seed),
            texts: Vec::new(),
            bases: Vec::new(),
            ends: Vec::new(),
            index: HashTable::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn get(&self, number: usize) -> &str {
        let base = self.bases.get(number / PER_BASE).copied().unwrap_or(0);
        let end = |i: usize| base + self.ends[i] as usize;
        let start = if number % PER_BASE == 0 {
            base
        } else {
            end(number - 1)
        };
        std::str::from_utf8(&self.texts[start..end(number)]).unwrap_or_default()
    }

    pub fn find(&self, text: &str) -> Option<usize> {
        let hash = self.hash(text);
        let same = |slot: &Slot| slot.hash == hash && self.get(slot.number as usize) == text;
        self.index
            .find(spread(hash), same)
            .map(|slot| slot.number as usize)
    }

    /// Adds a name that [`Names::find`] did not find; it gets the next number. Texts are at most
    /// 255 bytes (`command::Id`), so a base never runs out of offsets.
    pub fn add(&mut self, text: &str) {
        let hash = self.hash(text);
        if self.ends.len() % PER_BASE == 0 {
            self.bases.push(self.texts.len());
        }
        let base = self.bases.last().copied().unwrap_or(0);
        self.texts.extend_from_slice(text.as_bytes());
        let number = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.ends
            .push(u32::try_from(self.texts.len() - base).unwrap_or(u32::MAX));
        self.index
            .insert_unique(spread(hash), Slot { hash, number }, |slot| {
                spread(slot.hash)
            });
    }

    /// Takes the last name out again.
    pub fn remove_last(&mut self) {
        let Some(last) = self.ends.len().checked_sub(1) else {
            return;
        };
        let hash = self.hash(self.get(last));
        let is_last = |slot: &Slot| slot.number as usize == last;
        if let Ok(found) = self.index.find_entry(spread(hash), is_last) {
            found.remove();
        }
        let base = self.bases.last().copied().unwrap_or(0);
        let start = if last % PER_BASE == 0 {
            base
        } else {
            base + self.ends[last - 1] as usize
        };
        self.texts.truncate(start);
        self.ends.pop();
        if last % PER_BASE == 0 {
            self.bases.pop();
        }
    }

    fn hash(&self, text: &str) -> u32 {
        let hash = self.hasher.hash_one(text);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the upper half is folded in"
        )]
        let folded = (hash ^ (hash >> 32)) as u32;
        folded
    }
}

/// The table takes its position from the low bits and its tag from the high bits.
fn spread(hash: u32) -> u64 {
    u64::from(hash) | (u64::from(hash.wrapping_mul(0x9E37_79B9)) << 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_text_and_by_number() {
        let mut names = Names::new(7);
        for i in 0..3 * PER_BASE {
            assert_eq!(names.find(&format!("n{i}")), None);
            names.add(&format!("n{i}"));
        }
        for i in 0..3 * PER_BASE {
            assert_eq!(names.find(&format!("n{i}")), Some(i));
            assert_eq!(names.get(i), format!("n{i}"));
        }
        for i in (PER_BASE - 1..3 * PER_BASE).rev() {
            names.remove_last();
            assert_eq!(names.find(&format!("n{i}")), None);
        }
        names.add("again");
        assert_eq!(names.find("again"), Some(PER_BASE - 1));
        assert_eq!(names.get(PER_BASE - 1), "again");
    }
}
