//! What is wrong with one row, and how to mend it.

use std::fmt;

/// A row, or a field of it, that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// The physical line on which the record starts; the file's first line is 1.
    pub line: u64,
    /// Where the fault is.
    pub field: Field,
    /// What it is, and how to mend it.
    pub reason: Reason,
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, {}: {}", self.line, self.field, self.reason)
    }
}

/// A field of an order, or the row as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The record as a whole.
    Row,
    /// Who bought.
    Customer,
    /// When.
    Date,
    /// For how much.
    Amount,
    /// The order's own number.
    Order,
    /// Who brought the customer.
    Sponsor,
    /// Who sold.
    Merchant,
}

impl Field {
    /// The field's word in messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Row => "row",
            Self::Customer => "customer",
            Self::Date => "date",
            Self::Amount => "amount",
            Self::Order => "order",
            Self::Sponsor => "sponsor",
            Self::Merchant => "merchant",
        }
    }

    /// The option that names the field's column.
    pub const fn option(self) -> &'static str {
        match self {
            Self::Row => "--delimiter",
            Self::Customer => "--customer",
            Self::Date => "--date",
            Self::Amount => "--amount",
            Self::Order => "--order",
            Self::Sponsor => "--sponsor",
            Self::Merchant => "--merchant",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What is wrong, as a sentence that says how to mend it. The texts carried are excerpts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Every field is empty.
    #[error("every field is empty; remove the row")]
    EmptyRow,
    /// More or fewer fields than the header.
    #[error(
        "the row has {found} fields, the header {expected}; quote fields that contain the delimiter"
    )]
    FieldCount {
        /// Fields in the row.
        found: usize,
        /// Fields in the header.
        expected: usize,
    },
    /// More or fewer fields than the header, in a record of several lines.
    #[error(
        "the row runs to line {last_line} and has {found} fields, the header {expected}; \
         a quote may be left open"
    )]
    LongRow {
        /// Fields in the row.
        found: usize,
        /// Fields in the header.
        expected: usize,
        /// The line on which the record ends.
        last_line: u64,
    },
    /// The file ends inside a quoted field.
    #[error("a quote opened in this row is never closed, it swallows all up to line {0}; close it")]
    OpenQuote(u64),
    /// Nothing where something is needed.
    #[error("empty; fill it in")]
    Empty,
    /// A line break or another control character in a name.
    #[error("\"{0}\" contains a line break or a control character; remove it")]
    Control(String),
    /// A long number that a spreadsheet has rounded.
    #[error("\"{0}\" is a number cut short by a spreadsheet; format the column as text there")]
    Shortened(String),
    /// Not a date in any known form.
    #[error("\"{0}\" is not a date; write it as 2026-01-05 or 2026-01-05 14:30:00")]
    NotADate(String),
    /// A date that the calendar does not have, or that is out of range.
    #[error("\"{0}\" is no moment of the calendar; check year, month, day, time and offset")]
    NoSuchMoment(String),
    /// Seconds or milliseconds since 1970, or a spreadsheet's day number.
    #[error("\"{0}\" is a bare number (unix time, or a spreadsheet's day); write 2026-01-05")]
    BareNumber(String),
    /// Day or month first: nothing tells.
    #[error(
        "\"{0}\" may be day or month first, and no row of the column tells; \
         say --date-order dmy or --date-order mdy"
    )]
    DayOrMonth(String),
    /// Day or month first: the rows contradict each other.
    #[error(
        "\"{0}\" may be day or month first, and the column has both; write 2026-01-05, \
         or say --date-order dmy or --date-order mdy"
    )]
    MixedDates(String),
    /// Payment plus `--complete-after` is later than any date.
    #[error(
        "the order would complete after the year 9999; lower --complete-after or mend the date"
    )]
    TooLate,
    /// Not a plain amount.
    #[error("\"{0}\" is not an amount; write it as 1234.56 (decimal commas need --decimal-comma)")]
    NotAnAmount(String),
    /// Not a plain amount with a decimal comma.
    #[error(
        "\"{0}\" is not an amount with a decimal comma; write it as 1234,56, or leave --decimal-comma out"
    )]
    NotACommaAmount(String),
    /// More decimals than a fen has.
    #[error("\"{0}\" is finer than 0.01 and nothing is rounded; write two decimals")]
    TooFine(String),
    /// Nothing paid.
    #[error("\"{0}\" is zero; an order needs an amount above 0")]
    Zero(String),
    /// Less than nothing paid.
    #[error("\"{0}\" is negative; import refunds as order.refund events of their own")]
    Negative(String),
    /// More than 64 bits of fen.
    #[error("\"{0}\" is over 92233720368547758.07, the most an amount can be; split the order")]
    TooLarge(String),
    /// An order number used before.
    #[error("\"{id}\" is already the order on line {line}; give each order one row and its own id")]
    OrderTwice {
        /// The order's number.
        id: String,
        /// Where it was used first.
        line: u64,
    },
    /// Somebody their own sponsor.
    #[error("\"{0}\" cannot be their own sponsor; the sponsor is ignored, the order kept")]
    OwnSponsor(String),
    /// A sponsor below the one they would sponsor.
    #[error(
        "\"{sponsor}\" is already below \"{customer}\"; the sponsor is ignored, the order kept"
    )]
    SponsorCycle {
        /// The sponsor named.
        sponsor: String,
        /// The customer of the row.
        customer: String,
    },
    /// A second sponsor.
    #[error(
        "\"{customer}\" already has the sponsor \"{first}\"; \"{second}\" is ignored, the order kept"
    )]
    OtherSponsor {
        /// The customer of the row.
        customer: String,
        /// The sponsor named first in time.
        first: String,
        /// The sponsor this row names.
        second: String,
    },
}
