//! Tables as Apache Parquet.

use std::io::{self, Write};
use std::sync::Arc;

use engine::UnitAmount;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{
    ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};

use super::table::{Cell, Column, Kind, Table};

/// Rows held in memory until they are written together.
const GROUP_ROWS: usize = 32_768;

/// Bytes of text held in memory at most.
const GROUP_BYTES: usize = 64 << 20;

/// A decimal number's bytes and digits: more than any sum of 64-bit amounts has, so that whoever
/// adds them up need not convert them first.
const DECIMAL_BYTES: i32 = 16;
const DECIMAL_DIGITS: i32 = 38;

/// An Apache Parquet file.
pub struct ParquetFile<W: Write + Send> {
    columns: &'static [Column],
    file: SerializedFileWriter<W>,
    held: Vec<Held>,
    rows: usize,
    bytes: usize,
}

/// The values of one column that are not written yet, and for each row whether it has one.
struct Held {
    is_there: Vec<i16>,
    values: Values,
}

enum Values {
    Numbers(Vec<i64>),
    Texts(Vec<ByteArray>),
    Decimals(Vec<FixedLenByteArray>),
}

impl<W: Write + Send> ParquetFile<W> {
    /// Starts the file.
    pub fn start(columns: &'static [Column], out: W) -> io::Result<Self> {
        let fields =
            columns.iter().map(field).collect::<Result<_, _>>().map_err(io::Error::other)?;
        let schema = Type::group_type_builder("export").with_fields(fields).build();
        let schema = Arc::new(schema.map_err(io::Error::other)?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("verdant ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let file = SerializedFileWriter::new(out, schema, Arc::new(properties)).map_err(failed)?;
        let held = columns.iter().map(|column| Held::new(column.kind)).collect();
        Ok(Self { columns, file, held, rows: 0, bytes: 0 })
    }

    fn flush(&mut self) -> Result<(), ParquetError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.file.next_row_group()?;
        for held in &mut self.held {
            if let Some(mut writer) = group.next_column()? {
                held.write(&mut writer)?;
                writer.close()?;
            }
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

impl<W: Write + Send> Table for ParquetFile<W> {
    fn row(&mut self, cells: Vec<Cell>) -> io::Result<()> {
        for ((held, column), cell) in self.held.iter_mut().zip(self.columns).zip(cells) {
            self.bytes += held.take(column.kind, cell)?;
        }
        self.rows += 1;
        if self.rows == GROUP_ROWS || self.bytes > GROUP_BYTES {
            self.flush().map_err(failed)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.flush().map_err(failed)?;
        self.file.finish().map_err(failed)?;
        Ok(())
    }
}

fn field(column: &Column) -> Result<TypePtr, ParquetError> {
    let (physical, logical) = match column.kind {
        Kind::Count => (Physical::INT64, None),
        // JSON is a text, too: with a type of its own, pandas would read bytes.
        Kind::Text | Kind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        Kind::Amount { decimals } => {
            let logical = LogicalType::decimal(i32::try_from(decimals)?, DECIMAL_DIGITS);
            let field = Type::primitive_type_builder(column.name, Physical::FIXED_LEN_BYTE_ARRAY)
                .with_repetition(Repetition::OPTIONAL)
                .with_length(DECIMAL_BYTES)
                .with_precision(DECIMAL_DIGITS)
                .with_scale(i32::try_from(decimals)?)
                .with_logical_type(Some(logical));
            return Ok(Arc::new(field.build()?));
        }
    };
    let field = Type::primitive_type_builder(column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical);
    Ok(Arc::new(field.build()?))
}

impl Held {
    fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Count | Kind::Time => Values::Numbers(Vec::new()),
            Kind::Text | Kind::Json => Values::Texts(Vec::new()),
            Kind::Amount { .. } => Values::Decimals(Vec::new()),
        };
        Self { is_there: Vec::new(), values }
    }

    /// Takes a cell, and says how many bytes of text it has.
    fn take(&mut self, kind: Kind, cell: Cell) -> io::Result<usize> {
        let mut bytes = 0;
        match (&mut self.values, cell, kind) {
            (_, Cell::Empty, _) => {
                self.is_there.push(0);
                return Ok(0);
            }
            (Values::Numbers(values), Cell::Count(number), _) => {
                values.push(i64::try_from(number).map_err(io::Error::other)?);
            }
            (Values::Numbers(values), Cell::Time(at), _) => values.push(at),
            (Values::Texts(values), Cell::Text(text) | Cell::Json(text), _) => {
                bytes = text.len();
                values.push(ByteArray::from(text.into_bytes()));
            }
            (Values::Decimals(values), Cell::Amount(amount), Kind::Amount { decimals }) => {
                let steps = scaled(amount, decimals).to_be_bytes().to_vec();
                values.push(ByteArray::from(steps).into());
            }
            (_, cell, kind) => {
                return Err(io::Error::other(format!("{cell:?} in a column of {kind:?}")));
            }
        }
        self.is_there.push(1);
        Ok(bytes)
    }

    fn write(&mut self, writer: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let is_there = Some(self.is_there.as_slice());
        match &mut self.values {
            Values::Numbers(values) => {
                writer.typed::<Int64Type>().write_batch(values, is_there, None)?;
                values.clear();
            }
            Values::Texts(values) => {
                writer.typed::<ByteArrayType>().write_batch(values, is_there, None)?;
                values.clear();
            }
            Values::Decimals(values) => {
                writer.typed::<FixedLenByteArrayType>().write_batch(values, is_there, None)?;
                values.clear();
            }
        }
        self.is_there.clear();
        Ok(())
    }
}

/// An amount's steps, of so many decimals: exact, as no unit has more.
fn scaled(amount: UnitAmount, decimals: u32) -> i128 {
    let (steps, own) = match amount {
        UnitAmount::Fen(fen) => (fen.steps(), 2),
        UnitAmount::Micro(micro) => (micro.steps(), 6),
    };
    i128::from(steps) * 10_i128.pow(decimals.saturating_sub(own))
}

fn failed(error: ParquetError) -> io::Error {
    match error {
        // What the file said, and not that Parquet was told it.
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source),
        },
        error => io::Error::other(error),
    }
}
