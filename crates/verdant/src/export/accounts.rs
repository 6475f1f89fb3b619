//! What accounts have, and how it came.

use engine::Unit;
use store::{AsOf, Balances, Holder, Position};

use super::Error;
use super::source::{Folded, Source};
use super::table::{Cell, Table};

/// Lines of a statement read at once.
const PAGE_LINES: usize = 1_000;

/// Writes a row for each account that was ever touched.
///
/// The balances of now are in the book; those of an earlier moment are what the rows up to it left.
pub fn balances(source: &Source<'_>, as_of: AsOf, table: &mut dyn Table) -> Result<(), Error> {
    let book = source.book()?;
    let reader = source.reader(&book);
    let mut folded = Folded::default();
    if as_of != AsOf::Now {
        source.each_row(as_of, |row| folded.take(&row))?;
    }
    let chains = book.recorder.chains();
    for (path, holder) in reader.paths() {
        let Holder::Account(account) = holder else { continue };
        let balances = match as_of {
            AsOf::Now => chains.of(holder).map(|chain| &chain.balances),
            _ => folded.of(account),
        };
        let Some(balances) = balances else { continue };
        table.row(amounts(path, balances))?;
    }
    Ok(())
}

/// Writes a row for each account of the house and each sum of others, and their total.
pub fn trial_balance(source: &Source<'_>, as_of: AsOf, table: &mut dyn Table) -> Result<(), Error> {
    let reader = source.reader(&source.book()?);
    let trial = source.wait(reader.trial_balance(as_of))?;
    for (path, balances) in trial.rows {
        table.row(amounts(path, &balances))?;
    }
    // What does not come to zero, `verify` tells; here it has only to be seen.
    let total = trial.sum.map(|sum| i64::try_from(sum).unwrap_or(i64::MAX));
    Ok(table.row(amounts("total".to_owned(), &total))?)
}

/// A row of balances in the order of their columns.
fn amounts(path: String, balances: &Balances) -> Vec<Cell> {
    let amounts = Unit::ALL.iter().zip(balances);
    let amounts = amounts.map(|(unit, &steps)| Cell::Amount(unit.amount(steps)));
    std::iter::once(Cell::Text(path)).chain(amounts).collect()
}

/// Writes a row for each posting to an account, newest first.
pub fn statement(
    source: &Source<'_>,
    path: &str,
    as_of: AsOf,
    table: &mut dyn Table,
) -> Result<(), Error> {
    let reader = source.reader(&source.book()?);
    let holder = reader.find(path)?;
    let end = source.wait(reader.row_at(as_of))?;
    let mut before = Some(Position { seq: end + 1, posting: 0 });
    while before.is_some() {
        let page = source.wait(reader.statement(holder, None, before, PAGE_LINES))?;
        for line in page.lines {
            let rule = line.why.get("rule").and_then(|rule| rule.as_str()).map(str::to_owned);
            table.row(vec![
                Cell::Count(line.entry),
                Cell::Text(line.at.to_string()),
                Cell::Time(line.effective_at),
                Cell::Time(line.recorded_at),
                Cell::Text(line.unit.name().to_owned()),
                Cell::Amount(line.amount),
                Cell::Amount(line.balance),
                rule.into(),
                Cell::Json(line.why.to_string()),
            ])?;
        }
        before = page.next;
    }
    Ok(())
}
