//! Tables as text: CSV and JSON Lines.

use std::io::{self, Write};

use engine::Day;
use jiff::Timestamp;
use jiff::tz::Offset;

use super::table::{Cell, Column, Table};

/// The offset of the business day.
const CHINA: Offset = Offset::constant(8);

/// Comma-separated values.
pub struct CsvFile<W: Write>(csv::Writer<W>);

impl<W: Write> CsvFile<W> {
    /// Starts with the line of names.
    pub fn start(columns: &[Column], out: W) -> io::Result<Self> {
        let mut out = csv::Writer::from_writer(out);
        out.write_record(columns.iter().map(|column| column.name))?;
        Ok(Self(out))
    }
}

impl<W: Write> Table for CsvFile<W> {
    fn row(&mut self, cells: Vec<Cell>) -> io::Result<()> {
        for cell in cells {
            match cell {
                Cell::Empty => self.0.write_field("")?,
                Cell::Text(text) | Cell::Json(text) => self.0.write_field(text)?,
                Cell::Count(number) => self.0.write_field(number.to_string())?,
                Cell::Time(at) => self.0.write_field(time(at))?,
                Cell::Amount(amount) => self.0.write_field(amount.to_string())?,
            }
        }
        self.0.write_record(None::<&[u8]>)?;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.0.flush()
    }
}

/// JSON Lines.
pub struct JsonLines<W> {
    columns: &'static [Column],
    out: W,
}

impl<W: Write> JsonLines<W> {
    /// Starts; there is nothing to write before the first row.
    pub fn start(columns: &'static [Column], out: W) -> Self {
        Self { columns, out }
    }
}

impl<W: Write> Table for JsonLines<W> {
    fn row(&mut self, cells: Vec<Cell>) -> io::Result<()> {
        let mut before = '{';
        for (column, cell) in self.columns.iter().zip(cells) {
            write!(self.out, "{before}\"{}\":", column.name)?;
            before = ',';
            match cell {
                Cell::Empty => self.out.write_all(b"null")?,
                // It is JSON already.
                Cell::Json(text) => self.out.write_all(text.as_bytes())?,
                Cell::Text(text) => serde_json::to_writer(&mut self.out, &text)?,
                Cell::Count(number) => write!(self.out, "{number}")?,
                Cell::Time(at) => write!(self.out, "\"{}\"", time(at))?,
                Cell::Amount(amount) => write!(self.out, "\"{amount}\"")?,
            }
        }
        self.out.write_all(b"}\n")
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}

/// A moment as RFC 3339 text in UTC+8, as in commands.
pub fn time(micros: i64) -> String {
    match Timestamp::from_microsecond(micros) {
        Ok(at) => at.display_with_offset(CHINA).to_string(),
        // Beyond the calendar there are only numbers.
        Err(_) => micros.to_string(),
    }
}

/// The last microsecond of a business day.
pub fn end_of(day: Day) -> Option<i64> {
    Some(day.end()?.as_microsecond() - 1)
}
