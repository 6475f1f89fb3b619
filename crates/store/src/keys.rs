use hashbrown::HashTable;
use sha2::{Digest, Sha256};

/// Where commands with an idempotency key are in the journal: 16 bytes a key. Only hashes are kept;
/// whoever finds a row here compares its key, and looks on if it is another.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    table: HashTable<(u64, u64)>,
}

impl Keys {
    /// Notes that the command with this key is in row `seq`.
    pub fn add(&mut self, key: &str, seq: u64) {
        self.insert(hash(key), seq);
    }

    fn insert(&mut self, hash: u64, seq: u64) {
        self.table.insert_unique(hash, (hash, seq), |&(hash, _)| hash);
    }

    /// The rows that may have this key: nearly always one or none.
    pub fn find(&self, key: &str) -> impl Iterator<Item = u64> {
        let hash = hash(key);
        self.table.iter_hash(hash).filter(move |&&(h, _)| h == hash).map(|&(_, seq)| seq)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// All of them by row, for a snapshot.
    pub(crate) fn sorted(&self) -> Vec<(u64, u64)> {
        let mut rows: Vec<_> = self.table.iter().map(|&(hash, seq)| (seq, hash)).collect();
        rows.sort_unstable();
        rows
    }

    /// What [`Self::sorted`] gave.
    pub(crate) fn from_sorted(rows: &[(u64, u64)]) -> Self {
        let mut keys = Self { table: HashTable::with_capacity(rows.len()) };
        for &(seq, hash) in rows {
            keys.insert(hash, seq);
        }
        keys
    }
}

/// Of a digest, so that nobody can choose keys that collide.
fn hash(key: &str) -> u64 {
    let digest: [u8; 32] = Sha256::digest(key).into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}
