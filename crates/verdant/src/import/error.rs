//! Why an import as a whole is refused.

use std::io;
use std::path::PathBuf;

use crate::outfile::{SharedFile, WriteError};

use super::Summary;
use super::fault::Field;

/// Why an import as a whole is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The table's file cannot be opened.
    #[error("cannot open the order table {}; check its name and permissions", path.display())]
    Open {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Reading the table stopped half-way.
    #[error("cannot read the order table to its end")]
    Read(#[source] io::Error),
    /// A spreadsheet's own file, not a text table.
    #[error("the order table is an Excel workbook; save it as CSV and import that")]
    Workbook,
    /// Not in the encoding asked for or announced.
    #[error(
        "the order table is not {encoding}: malformed bytes on line {line} (byte {byte}); \
         mend them or name another encoding with --encoding"
    )]
    Malformed {
        /// The encoding tried.
        encoding: &'static str,
        /// The line of the first malformed byte.
        line: u64,
        /// Its place in the file, the first byte being 0.
        byte: usize,
    },
    /// In neither of the encodings tried unasked.
    #[error(
        "the order table is neither UTF-8 (line {utf8_line}) nor GB18030 (line {gb18030_line}): \
         malformed bytes; mend them or name the encoding with --encoding"
    )]
    UnknownEncoding {
        /// The first line that is not UTF-8.
        utf8_line: u64,
        /// The first line that is not GB18030.
        gb18030_line: u64,
    },
    /// The byte order mark and `--encoding` contradict each other.
    #[error(
        "the order table starts with the mark of {mark}, --encoding says {asked}; \
         leave --encoding out"
    )]
    OtherMark {
        /// The encoding the file announces.
        mark: &'static str,
        /// The encoding asked for.
        asked: &'static str,
    },
    /// Zero bytes: most likely UTF-16 without a mark.
    #[error(
        "the order table has a zero byte on line {0}; if it is UTF-16, say --encoding utf-16le"
    )]
    ZeroByte(u64),
    /// No header.
    #[error("the order table is empty; its first line must name the columns")]
    NoHeader,
    /// The header's quote swallows the file.
    #[error("a quote in the header line is never closed; close it")]
    OpenHeader,
    /// No column has a name known for this field.
    #[error(
        "no column for the {field} among {found}; name it with {} NAME, or its --delimiter if \
         these are not the columns",
        field.option()
    )]
    MissingColumn {
        /// What the column would hold.
        field: Field,
        /// The columns there are.
        found: String,
    },
    /// Two columns or more could be meant.
    #[error(
        "{matching} could each be the {field} (columns found: {found}); say which with {} NAME, \
         and rename columns that share a name",
        field.option()
    )]
    AmbiguousColumn {
        /// What the column would hold.
        field: Field,
        /// The columns that match.
        matching: String,
        /// The columns there are.
        found: String,
    },
    /// An option names a column that is not there.
    #[error("{} names {asked}, which is not among the columns {found}", field.option())]
    NoSuchColumn {
        /// What the column would hold.
        field: Field,
        /// The name asked for.
        asked: String,
        /// The columns there are.
        found: String,
    },
    /// Two options name one column.
    #[error("{} and {} name the same column; each needs its own", first.option(), second.option())]
    SharedColumn {
        /// The field that has the column.
        first: Field,
        /// The field that wants it too.
        second: Field,
    },
    /// More different names than can be numbered.
    #[error("the order table has too many different names; split it")]
    TooManyNames,
    /// The record splitter gave up.
    #[error("cannot split the order table into records")]
    Split(#[source] csv::Error),
    /// `--strict`, and something is unusable.
    #[error(
        "nothing written: --strict, and {} of the table's entries cannot be used; mend them or \
         leave --strict out",
        .0.unusable.len()
    )]
    Strict(Box<Summary>),
    /// Two of the files are one.
    #[error(transparent)]
    SharedFile(#[from] SharedFile),
    /// The events cannot be written.
    #[error("cannot write the events")]
    Write(#[source] io::Error),
    /// A file cannot be written.
    #[error(transparent)]
    WriteFile(#[from] WriteError),
}
