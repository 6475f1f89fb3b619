//! What all exports have in common: columns, cells, and something that takes rows of them.

use std::io;

use engine::UnitAmount;

/// A column of an export, the same in every format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub kind: Kind,
}

/// What a column holds. Any cell may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number that counts or names something.
    Count,
    /// A text.
    Text,
    /// A JSON object.
    Json,
    /// A moment.
    Time,
    /// An amount with so many decimals; of amounts in different units, as many as the finest has.
    Amount {
        /// How many.
        decimals: u32,
    },
}

/// What one column has in one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// Of [`Kind::Count`].
    Count(u64),
    /// Of [`Kind::Text`].
    Text(String),
    /// Of [`Kind::Json`].
    Json(String),
    /// Of [`Kind::Time`], in microseconds since 1970.
    Time(i64),
    /// Of [`Kind::Amount`], with the decimals of its own unit.
    Amount(UnitAmount),
}

impl From<Option<String>> for Cell {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Empty, Self::Text)
    }
}

/// A format being written.
pub trait Table {
    /// Takes a row: a cell for each column.
    fn row(&mut self, cells: Vec<Cell>) -> io::Result<()>;

    /// Writes what is still to be written.
    fn finish(self: Box<Self>) -> io::Result<()>;
}
