use std::io::{self, Write};

use super::parquet_file::ParquetFile;
use super::table::{Column, Table};
use super::text_file::{CsvFile, JsonLines};

/// The formats there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Comma-separated values with a line of names
    Csv,
    /// JSON Lines: an object a row
    Jsonl,
    /// Apache Parquet
    Parquet,
}

impl Format {
    /// Starts a table in this format.
    pub fn start<'a>(
        self,
        columns: &'static [Column],
        out: impl Write + Send + 'a,
    ) -> io::Result<Box<dyn Table + 'a>> {
        Ok(match self {
            Self::Csv => Box::new(CsvFile::start(columns, out)?),
            Self::Jsonl => Box::new(JsonLines::start(columns, out)),
            Self::Parquet => Box::new(ParquetFile::start(columns, out)?),
        })
    }
}
