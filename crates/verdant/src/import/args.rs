//! What the command line of `verdant import` says.

use std::path::PathBuf;

use super::columns::ColumnNames;
use super::dates::DateOrder;
use super::delimiter::Delimiter;
use super::encoding::EncodingName;

const EXAMPLE: &str = "\
Example:
  verdant import orders.csv --out events.jsonl
  verdant import 订单.csv --date 付款时间 --complete-after 7 --faults faults.csv --out events.jsonl
  zcat orders.tsv.gz | verdant import - | verdant replay programme.toml -

Amounts may be written 12.34, 1,234.56, ¥12.30, 12元 or CNY 12.00; dates 2026-01-05, 2026/1/5,
20260105 or 2026年1月5日, with or without a time. A date without a time is its noon, a time without
an offset is UTC+8.";

/// Turn an order table into events
///
/// Reads a table of orders (CSV, TSV, semicolons) whose first line names the columns, and writes a
/// member.join for each customer at their first order, and an order.pay and an order.complete for
/// each order, as JSON Lines in time order. Rows that cannot be used are reported with their line
/// and the reason on standard error.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// The order table; - reads standard input
    #[arg(value_name = "ORDERS")]
    pub table: PathBuf,
    /// Write the events to this file, all or nothing, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write every fault to this file, as CSV
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// How to read the table.
    #[command(flatten)]
    pub options: Options,
}

/// How to read a table, and what to make of it.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Options {
    /// The sign between fields: tab, ';', ... [default: by the header line]
    #[arg(long, value_name = "SIGN")]
    pub delimiter: Option<Delimiter>,
    /// The text's encoding, e.g. gb18030 [default: by its mark, else UTF-8, else GB18030]
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<EncodingName>,
    /// Amounts are written 1.234,56
    #[arg(long)]
    pub decimal_comma: bool,
    /// How to read 1/2/2026 [default: as the column shows, if some date in it can be only one]
    #[arg(long, value_name = "ORDER")]
    pub date_order: Option<DateOrder>,
    /// Complete each order this many days after its payment, at the same time of day
    #[arg(long, value_name = "DAYS", default_value_t = 0)]
    pub complete_after: u32,
    /// Write nothing, and fail, if anything in the table cannot be used
    #[arg(long)]
    pub strict: bool,
    /// Which column holds what.
    #[command(flatten)]
    pub columns: ColumnNames,
}
