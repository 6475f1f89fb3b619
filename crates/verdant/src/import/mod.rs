//! `verdant import`: an order table becomes an event file.
//!
//! The table's way, a file for each step: bytes are read and decoded (`encoding`), split into
//! records (`delimiter`, `table`), whose columns are found by name (`columns`) and whose fields
//! are read exactly (`dates`, `amounts`, `text`); the orders are put in time order and every
//! customer's sponsor is found (`orders`, `sponsors`); and the events are written (`events`).
//! Whatever cannot be used is reported with its line (`fault`), never dropped in silence.

mod amounts;
mod args;
mod columns;
mod command;
mod dates;
mod delimiter;
mod encoding;
mod error;
mod events;
mod fault;
mod names;
mod orders;
mod report;
mod sponsors;
mod table;
mod text;

#[cfg(test)]
mod tests;

use std::io::{Read, Write};

pub use args::{Args, Options};
pub use command::run;
pub use error::Error;
pub use fault::RowFault;

/// What an import found and made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The encoding in which the table was read.
    pub encoding: &'static str,
    /// Records below the header, usable or not.
    pub rows: u64,
    /// Orders written, each paid and completed.
    pub orders: u64,
    /// Members joined: customers, and sponsors without an order of their own.
    pub members: u64,
    /// Members who sponsor another.
    pub sponsors: u64,
    /// Merchants joined.
    pub merchants: u64,
    /// Every fault, by line. A fault in a sponsor costs the sponsor, any other costs the row.
    pub unusable: Vec<RowFault>,
}

/// Reads an order table and writes its events as JSON Lines, in time order.
///
/// Nothing is written before the whole table has been read and checked.
///
/// # Errors
/// When the table cannot be read or decoded, when a column is missing or ambiguous, when a row is
/// unusable and `options.strict` is set, or when the events cannot be written.
pub fn convert(
    mut reader: impl Read,
    options: &Options,
    out: &mut impl Write,
) -> Result<Summary, Error> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).map_err(Error::Read)?;
    let decoded = encoding::decode(bytes, options.encoding)?;
    let table = table::read(&decoded.text, options)?;
    let encoding = decoded.encoding;
    drop(decoded);

    let rows = table.rows;
    let mut history = orders::settle(table, options);
    history.faults.sort_by_key(|fault| fault.line);
    let mut summary = Summary {
        encoding,
        rows,
        orders: history.orders.len() as u64,
        members: 0,
        sponsors: 0,
        merchants: 0,
        unusable: std::mem::take(&mut history.faults),
    };
    if options.strict && !summary.unusable.is_empty() {
        return Err(Error::Strict(Box::new(summary)));
    }
    let joined = events::write(&history, options.complete_after, out).map_err(Error::Write)?;
    summary.members = joined.members;
    summary.sponsors = joined.sponsors;
    summary.merchants = joined.merchants;
    Ok(summary)
}
