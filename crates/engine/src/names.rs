use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

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

/// Names there is room for before it is asked how many there are.
const FEW: usize = 4096;

impl Names {
    /// No names yet.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            hasher: FixedState::with_seed(seed),
            index: HashTable::new(),
            rows: Vec::new(),
            long: Vec::new(),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The name of a number that there is.
    #[must_use]
    pub fn get(&self, number: usize) -> &str {
        std::str::from_utf8(self.bytes(&self.rows[number])).unwrap_or_default()
    }

    /// The number of a name.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<usize> {
        let hash = self.hash(text);
        let same = |slot: &Slot| {
            slot.hash == hash && self.bytes(&self.rows[slot.number as usize]) == text.as_bytes()
        };
        self.index.find(spread(hash), same).map(|slot| slot.number as usize)
    }

    /// The number of a name with the same hash: nearly always that of the text itself. Touches only
    /// the index, for reading ahead.
    pub(crate) fn guess(&self, text: &str) -> Option<usize> {
        let hash = self.hash(text);
        self.index.find(spread(hash), |slot| slot.hash == hash).map(|slot| slot.number as usize)
    }

    /// Reads the row of a number, so that comparing its text need not wait for it.
    pub(crate) fn touch(&self, number: usize) -> u8 {
        self.rows[number].len
    }

    /// Adds a name that [`Names::find`] did not find; it gets the next number. Texts are at most
    /// 255 bytes long (`command::Id`) and numbers below 2^32 (`id`).
    pub fn add(&mut self, text: &str) {
        let hash = self.hash(text);
        let number = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.push(text);
        self.index.insert_unique(spread(hash), Slot { hash, number }, |slot| spread(slot.hash));
    }

    /// Adds a name without making it found: all are when [`Names::index_all`] is called, in one go.
    /// Where there is no room, some is made for those still to come, but for no more than there are
    /// already: a number that is not to be trusted makes nobody reserve anything.
    pub(crate) fn add_unindexed(&mut self, text: &str, to_come: usize) {
        if self.rows.len() == self.rows.capacity() {
            self.rows.reserve_exact(to_come.clamp(1, self.rows.len().max(FEW)));
        }
        self.push(text);
    }

    /// Builds the index of all names. Says whether they are all different; where they are not, the
    /// index is of no use.
    pub(crate) fn index_all(&mut self) -> bool {
        let mut index = HashTable::with_capacity(self.rows.len());
        for (number, row) in (0_u32..).zip(&self.rows) {
            let text = self.bytes(row);
            let hash = self.hash(std::str::from_utf8(text).unwrap_or_default());
            let same = |slot: &Slot| {
                slot.hash == hash && self.bytes(&self.rows[slot.number as usize]) == text
            };
            match index.entry(spread(hash), same, |slot| spread(slot.hash)) {
                Entry::Occupied(_) => return false,
                Entry::Vacant(vacant) => vacant.insert(Slot { hash, number }),
            };
        }
        self.index = index;
        true
    }

    /// Takes the last name out again.
    pub(crate) fn remove_last(&mut self) {
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

    fn push(&mut self, text: &str) {
        let mut row = Row { short: [0; SHORT], len: u8::try_from(text.len()).unwrap_or(u8::MAX) };
        if text.len() <= SHORT {
            row.short[..text.len()].copy_from_slice(text.as_bytes());
        } else {
            row.short[..8].copy_from_slice(&(self.long.len() as u64).to_le_bytes());
            self.long.extend_from_slice(text.as_bytes());
        }
        self.rows.push(row);
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
        let mut again = Names::new(8);
        for i in 0..5_000 {
            again.add_unindexed(&name(i), 5_000 - i);
        }
        assert!(again.index_all());
        assert!((0..5_000).all(|i| again.find(&name(i)) == Some(i)));
        assert_eq!(again.find(&name(5_000)), None);
        again.add_unindexed(&name(17), 1);
        assert!(!again.index_all());
        names.add("again, and this time long enough");
        assert_eq!(names.find("again, and this time long enough"), Some(5_000));
        assert_eq!(names.get(4_999), name(4_999));
    }
}
