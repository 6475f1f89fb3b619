//! The table's records, read into orders.

use csv::StringRecord;

use super::columns::{self, Columns};
use super::dates::{self, Evidence, Moment, Reading, YearLast};
use super::delimiter::Delimiter;
use super::fault::{Field, Reason, RowFault};
use super::names::{NameId, Names};
use super::{Error, Options, amounts, text};

/// A usable row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    pub(super) line: u64,
    pub(super) paid: Moment,
    pub(super) fen: i64,
    pub(super) customer: NameId,
    pub(super) id: Option<NameId>,
    pub(super) sponsor: Option<NameId>,
    pub(super) merchant: Option<NameId>,
}

/// A date that waits for the rest of the column, and the order it belongs to, if its row is
/// otherwise usable.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) line: u64,
    pub(super) order: Option<usize>,
    pub(super) date: YearLast,
}

/// What a table holds, in its own order.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) rows: u64,
    pub(super) orders: Vec<Order>,
    pub(super) waiting: Vec<Waiting>,
    pub(super) evidence: Evidence,
    pub(super) members: Names,
    pub(super) merchants: Names,
    pub(super) order_ids: Names,
    pub(super) faults: Vec<RowFault>,
}

/// Reads all records of a table.
pub(super) fn read(text: &str, options: &Options) -> Result<Table, Error> {
    let delimiter = options.delimiter.unwrap_or_else(|| Delimiter::of(text));
    let mut records = Records::new(text, delimiter);
    let header = records.next()?.ok_or(Error::NoHeader)?;
    if header.open_quote {
        return Err(Error::OpenHeader);
    }
    let names: Vec<&str> = records.record.iter().collect();
    let columns = columns::find(&names, &options.columns)?;
    let width = names.len();

    let mut table = Table::default();
    while let Some(span) = records.next()? {
        table.rows += 1;
        match whole_row_fault(&records.record, &span, width) {
            Some(reason) => table.fault(span.first_line, Field::Row, reason),
            None => table.add(&records.record, span.first_line, columns, options)?,
        }
    }
    Ok(table)
}

/// What is wrong with a record before any field is looked at.
fn whole_row_fault(record: &StringRecord, span: &Span, width: usize) -> Option<Reason> {
    let found = record.len();
    if span.open_quote {
        Some(Reason::OpenQuote(span.last_line))
    } else if record.iter().all(|field| field.trim().is_empty()) {
        Some(Reason::EmptyRow)
    } else if found == width {
        None
    } else if span.last_line > span.first_line {
        Some(Reason::LongRow { found, expected: width, last_line: span.last_line })
    } else {
        Some(Reason::FieldCount { found, expected: width })
    }
}

impl Table {
    fn fault(&mut self, line: u64, field: Field, reason: Reason) {
        self.faults.push(RowFault { line, field, reason });
    }

    /// The value, or `None` and a fault noted.
    fn noted<T>(&mut self, line: u64, field: Field, result: Result<T, Reason>) -> Option<T> {
        result.map_err(|reason| self.fault(line, field, reason)).ok()
    }

    /// Adds a record of the right width: an order, or every fault that keeps it from being one.
    fn add(
        &mut self,
        record: &StringRecord,
        line: u64,
        columns: Columns,
        options: &Options,
    ) -> Result<(), Error> {
        let field = |place: usize| record.get(place).unwrap_or_default();
        let needed = |place: usize| text::name(field(place))?.ok_or(Reason::Empty);

        let customer = self.noted(line, Field::Customer, needed(columns.customer));
        let date = self.noted(line, Field::Date, dates::read(field(columns.date)));
        let fen = amounts::read(field(columns.amount), options.decimal_comma);
        let fen = self.noted(line, Field::Amount, fen);
        let id = match columns.order {
            Some(place) => self.noted(line, Field::Order, needed(place)).map(Some),
            None => Some(None),
        };
        let merchant = columns.merchant.map_or(Ok(None), |place| text::name(field(place)));
        let merchant = self.noted(line, Field::Merchant, merchant);
        let sponsor = columns.sponsor.map_or(Ok(None), |place| text::name(field(place)));
        // A faulty sponsor costs the sponsor, not the order.
        let sponsor = self.noted(line, Field::Sponsor, sponsor).flatten();

        let paid = match date {
            Some(Reading::Sure(moment)) => Some(moment),
            Some(Reading::YearLast(_)) => Some(Moment::PLACEHOLDER),
            None => None,
        };
        let mut order = None;
        if let (Some(customer), Some(paid), Some(fen), Some(id), Some(merchant)) =
            (customer, paid, fen, id, merchant)
        {
            order = Some(self.orders.len());
            self.orders.push(Order {
                line,
                paid,
                fen,
                customer: self.members.id(customer)?,
                id: id.map(|id| self.order_ids.id(id)).transpose()?,
                sponsor: sponsor.map(|sponsor| self.members.id(sponsor)).transpose()?,
                merchant: merchant.map(|merchant| self.merchants.id(merchant)).transpose()?,
            });
        }
        if let Some(Reading::YearLast(date)) = date {
            self.evidence.note(&date);
            self.waiting.push(Waiting { line, order, date });
        }
        Ok(())
    }
}

/// Records with the physical lines they cover. (The csv crate's own line numbers are those of the
/// end of the record before, which blank lines and CR LF put apart.)
struct Records<'a> {
    text: &'a str,
    reader: csv::Reader<&'a [u8]>,
    record: StringRecord,
    /// How much of the text has its lines counted, and the line there.
    counted: usize,
    line: u64,
}

/// The lines that a record covers.
struct Span {
    first_line: u64,
    last_line: u64,
    /// Whether the text ends inside one of its quoted fields.
    open_quote: bool,
}

impl<'a> Records<'a> {
    fn new(text: &'a str, delimiter: Delimiter) -> Self {
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter.byte())
            .from_reader(text.as_bytes());
        Self { text, reader, record: StringRecord::new(), counted: 0, line: 1 }
    }

    fn next(&mut self) -> Result<Option<Span>, Error> {
        if !self.reader.read_record(&mut self.record).map_err(Error::Split)? {
            return Ok(None);
        }
        let bytes = self.text.as_bytes();
        let place = |position: &csv::Position| {
            usize::try_from(position.byte()).unwrap_or(bytes.len()).min(bytes.len())
        };
        let start = self.record.position().map_or(0, place);
        let start =
            start + bytes[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let end = place(self.reader.position()).max(start);
        let first_line = self.line_at(start);
        let body = bytes[start..end].trim_ascii_end();
        let last_line = self.line_at(start + body.len());
        let quotes = || bytes[start..end].iter().filter(|&&byte| byte == b'"').count();
        let open_quote = end == bytes.len() && last_line > first_line && quotes() % 2 == 1;
        Ok(Some(Span { first_line, last_line, open_quote }))
    }

    /// The line of a place at or after the one asked for last.
    fn line_at(&mut self, place: usize) -> u64 {
        self.line += line_breaks(self.text.as_bytes().get(self.counted..place).unwrap_or_default());
        self.counted = self.counted.max(place);
        self.line
    }
}

/// How many lines end in these bytes: at LF, CR LF, or CR alone.
pub(super) fn line_breaks(bytes: &[u8]) -> u64 {
    let breaks = |(at, byte): (usize, &u8)| match byte {
        b'\n' => 1,
        b'\r' if bytes.get(at + 1) != Some(&b'\n') => 1,
        _ => 0,
    };
    bytes.iter().enumerate().map(breaks).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(text: &str) -> Vec<(u64, u64, bool)> {
        let mut records = Records::new(text, Delimiter::of(text));
        let mut spans = Vec::new();
        while let Ok(Some(span)) = records.next() {
            spans.push((span.first_line, span.last_line, span.open_quote));
        }
        spans
    }

    #[test]
    fn lines_are_physical() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["h,h", "", "", "a,\"x", "y\"", "b,b", "", "c,c", ""].join(end);
            let expected = [(1, 1, false), (4, 5, false), (6, 6, false), (8, 8, false)];
            assert_eq!(spans(&text), expected, "{end:?}");
        }
        assert_eq!(spans("\n\nh\nx"), [(3, 3, false), (4, 4, false)]);
    }

    #[test]
    fn an_open_quote_is_seen() {
        assert_eq!(spans("h,h\n1,\"a\n2,b\n3,c\n"), [(1, 1, false), (2, 4, true)]);
        assert_eq!(spans("h,h\n1,5\" pipe\n").last(), Some(&(2, 2, false)));
    }
}
