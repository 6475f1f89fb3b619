use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// Names numbered in order of arrival, found by text.
///
/// Short texts lie in a row of 16 bytes, longer ones in one long text, so that finding a name
/// touches as few cache lines as can be: one in the index, one in the rows. The seed only guards
/// against chosen collisions; nothing ever iterates the index.
#[derive(Debug, Clone)]
pub struct Names {
    hasher: FixedState,
    index: HashTable<Slot>,
    rows: Vec<Row>,
    long: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    hash: u32,
    number: u32,
}

/// The text itself, or where it is in the long text (eight bytes of offset); and its length.
#[derive(Debug, Clone, Copy)]
struct Row {
    short: [u8; SHORT],
    len: u8,
}

const SHORT: usize = 15;

impl Names {
    pub fn new(seed: u64) -> Self {
        Self {
            hasher: FixedState::with_seed(seed),
            index: HashTable::new(),
            rows: Vec::new(),
            long: Vec::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn get(&self, number: usize) -> &str {
        std::str::from_utf8(self.bytes(&self.rows[number])).unwrap_or_default()
    }

    pub fn find(&self, text: &str) -> Option<usize> {
        let hash = self.hash(text);
        let same = |slot: &Slot| {
            slot.hash == hash && self.bytes(&self.rows[slot.number as usize]) == text.as_bytes()
        };
        self.index.find(spread(hash), same).map(|slot| slot.number as usize)
    }

    /// The number of a name with the same hash: nearly always that of the text itself. Touches only
    /// the index, for reading ahead.
    pub fn guess(&self, text: &str) -> Option<usize> {
        let hash = self.hash(text);
        self.index.find(spread(hash), |slot| slot.hash == hash).map(|slot| slot.number as usize)
    }

    /// Reads the row of a number, so that comparing its text need not wait for it.
    pub fn touch(&self, number: usize) -> u8 {
        self.rows[number].len
    }

    /// Adds a name that [`Names::find`] did not find; it gets the next number. Texts are at most
    /// 255 bytes long (`command::Id`) and numbers below 2^32 (`id`).
    pub fn add(&mut self, text: &str) {
        let hash = self.hash(text);
        let number = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let mut row = Row { short: [0; SHORT], len: u8::try_from(text.len()).unwrap_or(u8::MAX) };
        if text.len() <= SHORT {
            row.short[..text.len()].copy_from_slice(text.as_bytes());
        } else {
            row.short[..8].copy_from_slice(&(self.long.len() as u64).to_le_bytes());
            self.long.extend_from_slice(text.as_bytes());
        }
        self.rows.push(row);
        self.index.insert_unique(spread(hash), Slot { hash, number }, |slot| spread(slot.hash));
    }

    /// Takes the last name out again.
    pub fn remove_last(&mut self) {
        let Some(last) = self.rows.len().checked_sub(1) else {
            return;
        };
        let hash = self.hash(self.get(last));
        let is_last = |slot: &Slot| slot.number as usize == last;
        if let Ok(found) = self.index.find_entry(spread(hash), is_last) {
            found.remove();
        }
        let len = usize::from(self.rows[last].len);
        if len > SHORT {
            self.long.truncate(self.long.len() - len);
        }
        self.rows.pop();
    }

    fn bytes<'a>(&'a self, row: &'a Row) -> &'a [u8] {
        let len = usize::from(row.len);
        if len <= SHORT {
            return &row.short[..len];
        }
        let [a, b, c, d, e, f, g, h, ..] = row.short;
        #[expect(clippy::cast_possible_truncation, reason = "it was a length in memory")]
        let start = u64::from_le_bytes([a, b, c, d, e, f, g, h]) as usize;
        &self.long[start..start + len]
    }

    fn hash(&self, text: &str) -> u32 {
        let hash = self.hasher.hash_one(text);
        #[expect(clippy::cast_possible_truncation, reason = "the upper half is folded in")]
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

    fn name(i: usize) -> String {
        format!("{i}{}", "长".repeat(i % 9))
    }

    #[test]
    fn names_are_found_by_text_and_by_number() {
        let mut names = Names::new(7);
        for i in 0..10_000 {
            assert_eq!(names.find(&name(i)), None);
            names.add(&name(i));
        }
        for i in 0..10_000 {
            assert_eq!(names.find(&name(i)), Some(i));
            assert_eq!(names.get(i), name(i));
        }
        for i in (5_000..10_000).rev() {
            names.remove_last();
            assert_eq!(names.find(&name(i)), None);
        }
        names.add("again, and this time long enough");
        assert_eq!(names.find("again, and this time long enough"), Some(5_000));
        assert_eq!(names.get(4_999), name(4_999));
    }
}
