//! What an import says when it is done: on standard error, and the faults as a CSV file.

use std::io::{self, Write};

use super::{RowFault, Summary};

/// The most faults that the report lists.
const FAULTS_LISTED_MAX: usize = 20;

/// Writes the report that people read.
pub(super) fn write(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let faults = &summary.unusable;
    for fault in faults.iter().take(FAULTS_LISTED_MAX) {
        writeln!(out, "{fault}")?;
    }
    if faults.len() > FAULTS_LISTED_MAX {
        let more = faults.len() - FAULTS_LISTED_MAX;
        writeln!(out, "... and {more} more (use --faults FILE to list all)")?;
    }
    let Summary { encoding, rows, orders, members, sponsors, merchants, .. } = summary;
    let unusable = rows.saturating_sub(*orders);
    writeln!(out, "rows {rows} ({encoding}), unusable {unusable}, orders {orders}")?;
    if *members > 0 {
        writeln!(out, "members {members}, of whom sponsors {sponsors}; merchants {merchants}")?;
    }
    Ok(())
}

/// Writes every fault as CSV.
pub(super) fn write_faults(faults: &[RowFault], out: &mut impl Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(["line", "field", "reason"])?;
    for RowFault { line, field, reason } in faults {
        csv.write_record([&line.to_string(), field.word(), &reason.to_string()])?;
    }
    csv.flush()
}
