//! Sealed blocks: the length and the seal, eight bytes each, then the rows as postcard has them.
//!
//! A seal is computed from its block and the seal before it, so that a changed byte, a block too
//! many, too few or in the wrong place are all found before anything is made of them. It guards
//! against accidents, not against somebody who computes it again.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::SnapshotError;

const MAGIC: [u8; 8] = *b"vrdtsnap";
/// To be raised with every change of what is written.
const FORMAT: u32 = 1;

/// Rows in a block: enough to make a block cheap, few enough to stay in the cache.
const ROWS: usize = 4096;

pub(super) struct BlockWriter<'o> {
    out: &'o mut dyn Write,
    seal: u64,
    buffer: Vec<u8>,
}

impl<'o> BlockWriter<'o> {
    pub fn begin(out: &'o mut dyn Write) -> io::Result<Self> {
        out.write_all(&MAGIC)?;
        out.write_all(&FORMAT.to_le_bytes())?;
        Ok(Self { out, seal: 0, buffer: Vec::new() })
    }

    pub fn block(&mut self, content: &impl Serialize) -> io::Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        buffer = postcard::to_extend(content, buffer).map_err(io::Error::other)?;
        self.seal = seal(self.seal, &buffer);
        self.out.write_all(&(buffer.len() as u64).to_le_bytes())?;
        self.out.write_all(&self.seal.to_le_bytes())?;
        self.out.write_all(&buffer)?;
        self.buffer = buffer;
        Ok(())
    }

    /// A table, in as many blocks as it needs.
    pub fn rows<T: Serialize>(&mut self, mut rows: impl Iterator<Item = T>) -> io::Result<()> {
        let mut block = Vec::new();
        loop {
            block.clear();
            block.extend(rows.by_ref().take(ROWS));
            if block.is_empty() {
                return Ok(());
            }
            self.block(&block)?;
        }
    }
}

pub(super) struct BlockReader<'i> {
    input: &'i mut dyn Read,
    seal: u64,
    buffer: Vec<u8>,
}

impl<'i> BlockReader<'i> {
    pub fn begin(input: &'i mut dyn Read) -> Result<Self, SnapshotError> {
        if read::<8>(input)? != MAGIC {
            return Err(SnapshotError::NotASnapshot);
        }
        let format = u32::from_le_bytes(read(input)?);
        if format != FORMAT {
            return Err(SnapshotError::OtherFormat(format));
        }
        Ok(Self { input, seal: 0, buffer: Vec::new() })
    }

    /// The next block, if it is whole.
    pub fn block(&mut self) -> Result<&[u8], SnapshotError> {
        let len = u64::from_le_bytes(read(self.input)?);
        let expected = u64::from_le_bytes(read(self.input)?);
        self.buffer.clear();
        // Grows with what is really there, whatever the length says.
        let mut content = (&mut *self.input).take(len);
        content.read_to_end(&mut self.buffer).map_err(SnapshotError::Read)?;
        if self.buffer.len() as u64 != len {
            return Err(TOO_SHORT);
        }
        self.seal = seal(self.seal, &self.buffer);
        if self.seal != expected {
            return Err(SnapshotError::Damaged("a seal is broken"));
        }
        Ok(&self.buffer)
    }
}

const TOO_SHORT: SnapshotError = SnapshotError::Damaged("it ends too early");

fn read<const N: usize>(input: &mut dyn Read) -> Result<[u8; N], SnapshotError> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => TOO_SHORT,
        _ => SnapshotError::Read(error),
    })?;
    Ok(bytes)
}

/// What a block says, and nothing beside it.
pub(super) fn decode<'b, T: Deserialize<'b>>(block: &'b [u8]) -> Result<T, SnapshotError> {
    match postcard::take_from_bytes(block) {
        Ok((content, [])) => Ok(content),
        _ => Err(SnapshotError::Damaged("a block is not what it should be")),
    }
}

/// Hands over the rows of a block one by one, at most so many. Says how many there were.
pub(super) fn each_in<'b, T: Deserialize<'b>>(
    block: &'b [u8],
    most: usize,
    each: impl FnMut(T) -> Result<(), &'static str>,
) -> Result<usize, SnapshotError> {
    let mut fault = "a block is not what it should be";
    let rows = Rows { each, most, fault: &mut fault, row: PhantomData };
    let mut deserializer = postcard::Deserializer::from_bytes(block);
    let count = rows.deserialize(&mut deserializer).ok().filter(|&count| count > 0);
    let rest = deserializer.finalize().unwrap_or(&[0]);
    count.filter(|_| rest.is_empty()).ok_or(SnapshotError::Damaged(fault))
}

/// Rows that are not collected: they go where they belong as they are read.
struct Rows<'f, T, F> {
    each: F,
    most: usize,
    /// What was wrong with a row, as errors of postcard say nothing.
    fault: &'f mut &'static str,
    row: PhantomData<T>,
}

impl<'b, T, F> DeserializeSeed<'b> for Rows<'_, T, F>
where
    T: Deserialize<'b>,
    F: FnMut(T) -> Result<(), &'static str>,
{
    type Value = usize;

    fn deserialize<D: Deserializer<'b>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'b, T, F> Visitor<'b> for Rows<'_, T, F>
where
    T: Deserialize<'b>,
    F: FnMut(T) -> Result<(), &'static str>,
{
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows")
    }

    fn visit_seq<S: SeqAccess<'b>>(mut self, mut rows: S) -> Result<usize, S::Error> {
        let mut count = 0;
        while let Some(row) = rows.next_element()? {
            let room = if count < self.most { Ok(()) } else { Err("a table is too long") };
            if let Err(fault) = room.and_then(|()| (self.each)(row)) {
                *self.fault = fault;
                return Err(S::Error::custom(fault));
            }
            count += 1;
        }
        Ok(count)
    }
}

/// Each step can be taken back, so that blocks which differ in one word have different seals.
fn seal(before: u64, block: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let step = |seal: u64, word: u64| (seal.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    let (words, rest) = block.as_chunks::<8>();
    let seal = words
        .iter()
        .fold(step(before, block.len() as u64), |seal, &word| step(seal, u64::from_le_bytes(word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let seal = step(seal, u64::from_le_bytes(last));
    seal ^ (seal >> 32)
}
