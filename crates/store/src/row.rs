use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// What the first row of a journal is chained to.
pub const NO_HASH: Hash = [0; 32];

/// Names the layout that is hashed, so that no other text can be taken for a row.
const LAYOUT: &[u8; 16] = b"verdant journal1";

/// A row of the journal. Nearly every entry is one row; one with many postings, as a settlement, is
/// as many as it needs, so that it can be written in bounded pieces.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Row {
    /// The row's number, from 0, without holes.
    pub seq: u64,
    /// The number of the entry's first row: the entry's own number.
    pub entry: u64,
    /// Whether the entry is whole with this row.
    pub is_last: bool,
    /// When the entry took effect, in microseconds since 1970: the command's time (of a settlement,
    /// the end of the day), or that of the entry before it where that is later. It never goes back.
    pub effective_at: i64,
    /// When the entry was recorded, in microseconds since 1970. It never goes back.
    pub recorded_at: i64,
    /// The command as JSON, in the first row of an entry; in row 0, the programme.
    pub command: Option<String>,
    /// The idempotency key the command came with.
    pub key: Option<String>,
    /// Why the command was refused: then there are no postings. Refusals are recorded when they
    /// have a key, so that the same answer can be given again.
    pub refused: Option<String>,
    /// The postings and the balances they left (`Body`).
    pub body: Vec<u8>,
    /// Of the row before and everything above.
    pub hash: Hash,
}

impl Row {
    /// The hash this row must have after a row with the hash `before`.
    #[must_use]
    pub fn chained(&self, before: &Hash) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(LAYOUT);
        hasher.update(before);
        hasher.update(self.seq.to_le_bytes());
        hasher.update(self.entry.to_le_bytes());
        hasher.update([u8::from(self.is_last)]);
        hasher.update(self.effective_at.to_le_bytes());
        hasher.update(self.recorded_at.to_le_bytes());
        for text in [&self.command, &self.key, &self.refused] {
            // Absent and empty differ: a length is never u64::MAX.
            let len = text.as_ref().map_or(u64::MAX, |text| text.len() as u64);
            hasher.update(len.to_le_bytes());
            hasher.update(text.as_deref().unwrap_or_default());
        }
        hasher.update(&self.body);
        hasher.finalize().into()
    }

    /// About how many bytes the row takes, for bounding a batch.
    #[must_use]
    pub fn size(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        128 + text(&self.command) + text(&self.key) + self.body.len()
    }
}

/// The end of a journal: its last row and that row's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Head {
    /// The last row's number.
    pub seq: u64,
    /// The last row's hash.
    pub hash: Hash,
}

/// A hash as people write it down.
#[must_use]
pub fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
