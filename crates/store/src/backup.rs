//! Journals in a file, and back: from either database into either. The journal is only ever added
//! to, so a backup needs to stop nobody. Snapshots are left out: they can be made again.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use crate::database::{Database, DatabaseError, StoredProgramme, Taking};
use crate::feed::Feed;
use crate::row::{Hash, Head, NO_HASH, Row};

/// How every backup begins.
const MAGIC: &[u8] = b"verdant backup 1\n";

/// No frame is longer: a row has at most some dozens of kilobytes.
const FRAME_BYTES_MAX: u32 = 1 << 26;

/// Rows in one transaction of a restore.
const ROWS_A_COMMIT: usize = 2_000;

/// How long a restore may pause before others may write.
const RESTORE_LEASE: Duration = Duration::from_secs(60);

/// A piece of the file: its length in four bytes, then this by postcard.
#[derive(Debug, Serialize, Deserialize)]
enum Frame {
    /// A programme's rows follow, up to this end.
    Programme { name: String, seq: u64, hash: Hash },
    /// The next of them.
    Row(Row),
    /// Nothing follows but the SHA-256 of everything before.
    End,
}

/// Why a backup cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The file cannot be written or read.
    #[error("the backup cannot be read or written")]
    File(#[from] io::Error),
    /// The file is no backup, or a damaged one.
    #[error("the backup is damaged: {what}; nothing was restored")]
    Damaged {
        /// How one can tell.
        what: String,
    },
}

fn damaged(what: impl Into<String>) -> BackupError {
    BackupError::Damaged { what: what.into() }
}

/// A programme in a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// What it is called.
    pub name: String,
    /// Where its journal ended.
    pub head: Head,
}

/// Writes the journals of these programmes as they are now. `progress` is told rows done and rows
/// in all. To be called outside of the runtime's own threads.
///
/// # Errors
/// [`BackupError`].
pub fn backup(
    runtime: &Handle,
    database: &Arc<dyn Database>,
    programmes: &[StoredProgramme],
    out: &mut dyn Write,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Vec<BackedUp>, BackupError> {
    let mut heads = Vec::new();
    for programme in programmes {
        heads.push(runtime.block_on(database.head(programme.id))?);
    }
    let all: u64 = heads.iter().map(|head| head.seq + 1).sum();
    let mut done = 0;
    let mut out = Frames { out, hasher: Sha256::new() };
    out.write_all(MAGIC)?;
    let mut written = Vec::new();
    for (programme, head) in programmes.iter().zip(heads) {
        let Head { seq, hash } = head;
        out.frame(&Frame::Programme { name: programme.name.clone(), seq, hash })?;
        for row in Feed::start(runtime, database, programme.id, 0, seq) {
            out.frame(&Frame::Row(row?))?;
            done += 1;
            progress(done, all);
        }
        written.push(BackedUp { name: programme.name.clone(), head });
    }
    out.frame(&Frame::End)?;
    let digest: Hash = out.hasher.clone().finalize().into();
    out.out.write_all(&digest)?;
    out.out.flush()?;
    Ok(written)
}

/// Checks a whole backup: its digest, and each journal's chain.
///
/// # Errors
/// [`BackupError`], where it is not what was written.
pub fn check_backup(input: &mut dyn Read) -> Result<Vec<BackedUp>, BackupError> {
    let mut frames = FrameReader::start(input)?;
    let mut found: Vec<BackedUp> = Vec::new();
    let mut at = None;
    loop {
        match frames.next()? {
            Frame::Row(row) => {
                let (next, hash) = at.map_or((0, NO_HASH), |at: Head| (at.seq + 1, at.hash));
                if row.seq != next || row.chained(&hash) != row.hash {
                    return Err(damaged(format!("row {next} is not the next in the chain")));
                }
                at = Some(Head { seq: row.seq, hash: row.hash });
            }
            frame => {
                if at != found.last().map(|last| last.head) {
                    return Err(damaged("a journal is not whole"));
                }
                let Frame::Programme { name, seq, hash } = frame else { break };
                found.push(BackedUp { name, head: Head { seq, hash } });
                at = None;
            }
        }
    }
    frames.check_digest()?;
    Ok(found)
}

/// Puts a checked backup's journals into a database where none of them is yet. To be called outside
/// of the runtime's own threads.
///
/// # Errors
/// [`BackupError`].
pub fn restore(
    runtime: &Handle,
    database: &Arc<dyn Database>,
    input: &mut dyn Read,
    progress: &mut dyn FnMut(u64),
) -> Result<(), BackupError> {
    let mut frames = FrameReader::start(input)?;
    let (mut name, mut lease, mut at, mut rows, mut done) =
        (String::new(), None, None, Vec::new(), 0);
    loop {
        let frame = frames.next()?;
        let is_row = matches!(frame, Frame::Row(_));
        if rows.len() >= ROWS_A_COMMIT || !is_row {
            if let (Some(lease), Some(head)) = (&lease, at) {
                done += rows.len() as u64;
                let rows = std::mem::take(&mut rows);
                at = Some(runtime.block_on(database.append(lease, head, rows))?);
                progress(done);
            }
            if !is_row && let Some(lease) = lease.take() {
                runtime.block_on(database.release_lease(&lease))?;
                at = None;
            }
        }
        match frame {
            Frame::Programme { name: next, .. } => name = next,
            Frame::Row(first) if at.is_none() => {
                let created = runtime.block_on(database.create(&name, &first))?;
                let taking = database.take_lease(created.id, "a restore", RESTORE_LEASE);
                match runtime.block_on(taking)? {
                    Taking::Taken(taken, head) => (lease, at) = (Some(taken), Some(head)),
                    Taking::Held { .. } => return Err(DatabaseError::LeaseLost.into()),
                }
            }
            Frame::Row(row) => rows.push(row),
            Frame::End => return Ok(()),
        }
    }
}

struct Frames<'a> {
    out: &'a mut dyn Write,
    hasher: Sha256,
}

impl Frames<'_> {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.out.write_all(bytes)
    }

    fn frame(&mut self, frame: &Frame) -> io::Result<()> {
        let bytes = postcard::to_stdvec(frame).map_err(io::Error::other)?;
        let len = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.write_all(&len.to_le_bytes())?;
        self.write_all(&bytes)
    }
}

struct FrameReader<'a> {
    input: &'a mut dyn Read,
    hasher: Sha256,
    bytes: Vec<u8>,
}

impl<'a> FrameReader<'a> {
    fn start(input: &'a mut dyn Read) -> Result<Self, BackupError> {
        let mut magic = [0; MAGIC.len()];
        let read = input.read_exact(&mut magic);
        if read.is_err() || magic != MAGIC {
            return Err(damaged("it does not begin like a backup of this version"));
        }
        let mut hasher = Sha256::new();
        hasher.update(MAGIC);
        Ok(Self { input, hasher, bytes: Vec::new() })
    }

    fn next(&mut self) -> Result<Frame, BackupError> {
        let mut len = [0; 4];
        self.read(&mut len)?;
        let len_bytes = u32::from_le_bytes(len);
        if len_bytes > FRAME_BYTES_MAX {
            return Err(damaged("a part is too long"));
        }
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.resize(len_bytes as usize, 0);
        self.read(&mut bytes)?;
        let frame = postcard::from_bytes(&bytes).map_err(|_| damaged("a part cannot be read"))?;
        self.bytes = bytes;
        Ok(frame)
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<(), BackupError> {
        match self.input.read_exact(bytes) {
            Ok(()) => {
                self.hasher.update(&*bytes);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(damaged("it breaks off"))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn check_digest(self) -> Result<(), BackupError> {
        let expected: Hash = self.hasher.finalize().into();
        let mut stored = [0; 32];
        let is_read = self.input.read_exact(&mut stored).is_ok();
        let ends = self.input.read(&mut [0])? == 0;
        if is_read && ends && stored == expected {
            return Ok(());
        }
        Err(damaged("the digest at its end is not that of what comes before"))
    }
}
