//! A book in the database, in chunks: where a restart begins. Only a cache: a snapshot that is
//! missing or damaged makes the start slower, not wrong.

use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use crate::book::Book;
use crate::database::{Database, DatabaseError, Lease, ProgrammeId, SnapshotHead};
use crate::fault::LoadError;

/// Bytes in a chunk: short transactions, so that commits need not wait long for one.
const CHUNK_BYTES: usize = 1 << 20;

/// Stores a snapshot of the book. `breathe` is called after each chunk, and can stop it. To be called
/// outside of the runtime's own threads.
///
/// # Errors
/// What the database said, or [`LoadError::Interrupted`].
pub fn store_snapshot(
    runtime: &Handle,
    database: &Arc<dyn Database>,
    lease: &Lease,
    book: &Book,
    breathe: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<SnapshotHead, LoadError> {
    let seq = book.recorder.head().seq;
    let mut chunks = ChunkWriter {
        store: |number, bytes| {
            runtime.block_on(database.put_chunk(lease, seq, number, bytes))?;
            match breathe() {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => Err(LoadError::Interrupted),
            }
        },
        hasher: Sha256::new(),
        buffer: Vec::with_capacity(CHUNK_BYTES),
        chunks: 0,
        failed: None,
    };
    let written = book.write_snapshot(&mut chunks).and_then(|()| chunks.flush_chunk());
    if let (Err(error), None) = (written, &chunks.failed) {
        let what = format!("a book that cannot be written: {error}");
        return Err(DatabaseError::Corrupt { what }.into());
    }
    if let Some(error) = chunks.failed {
        return Err(error);
    }
    let hash = chunks.hasher.finalize().into();
    let snapshot = SnapshotHead { seq, chunks: chunks.chunks, hash };
    runtime.block_on(database.finish_snapshot(lease, &snapshot))?;
    Ok(snapshot)
}

/// Reads the newest snapshot; `None` where there is none that can be used. To be called outside of
/// the runtime's own threads.
///
/// # Errors
/// What the database said.
pub fn load_snapshot(
    runtime: &Handle,
    database: &Arc<dyn Database>,
    programme: ProgrammeId,
    seed: u64,
) -> Result<Option<Book>, DatabaseError> {
    let Some(snapshot) = runtime.block_on(database.snapshot(programme))? else { return Ok(None) };
    let mut chunks = ChunkReader {
        load: |number| runtime.block_on(database.chunk(programme, snapshot.seq, number)),
        hasher: Sha256::new(),
        chunk: io::Cursor::new(Vec::new()),
        next: 0,
        end: snapshot.chunks,
    };
    let book = Book::read_snapshot(&mut chunks, seed);
    let read = io::copy(&mut chunks, &mut io::sink());
    // A chunk that cannot be read: if it is not the chunk's fault, the journal will tell.
    let is_whole = read.is_ok() && snapshot.hash == <[u8; 32]>::from(chunks.hasher.finalize());
    let Ok(book) = book else { return Ok(None) };
    Ok((is_whole && book.recorder.head().seq == snapshot.seq).then_some(book))
}

/// The hash a snapshot of this book has.
///
/// # Errors
/// Never, but for a book that cannot be written.
pub fn snapshot_hash(book: &Book) -> io::Result<[u8; 32]> {
    struct Hashing(Sha256);
    impl Write for Hashing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut hashing = Hashing(Sha256::new());
    book.write_snapshot(&mut hashing)?;
    Ok(hashing.0.finalize().into())
}

struct ChunkWriter<F> {
    store: F,
    hasher: Sha256,
    buffer: Vec<u8>,
    chunks: u32,
    /// An `io::Error` could not carry it whole.
    failed: Option<LoadError>,
}

impl<F: FnMut(u32, Vec<u8>) -> Result<(), LoadError>> ChunkWriter<F> {
    fn flush_chunk(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let bytes = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK_BYTES));
        self.hasher.update(&bytes);
        if let Err(error) = (self.store)(self.chunks, bytes) {
            self.failed = Some(error);
            return Err(io::Error::other("the database failed"));
        }
        self.chunks += 1;
        Ok(())
    }
}

impl<F: FnMut(u32, Vec<u8>) -> Result<(), LoadError>> Write for ChunkWriter<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK_BYTES - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() == CHUNK_BYTES {
            self.flush_chunk()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct ChunkReader<F> {
    load: F,
    hasher: Sha256,
    chunk: io::Cursor<Vec<u8>>,
    next: u32,
    end: u32,
}

impl<F: Fn(u32) -> Result<Option<Vec<u8>>, DatabaseError>> Read for ChunkReader<F> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.chunk.read(bytes)?;
        if read > 0 || bytes.is_empty() || self.next == self.end {
            return Ok(read);
        }
        match (self.load)(self.next) {
            Ok(Some(chunk)) => {
                self.hasher.update(&chunk);
                self.chunk = io::Cursor::new(chunk);
                self.next += 1;
                self.chunk.read(bytes)
            }
            Ok(None) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}
