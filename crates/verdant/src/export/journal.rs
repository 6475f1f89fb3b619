//! The journal itself: entries, and postings.

use std::collections::BTreeMap;

use engine::{Account, Described, Posting, Unit};
use store::{AsOf, Body, Holder, Path, Row, hex};

use super::Error;
use super::source::Source;
use super::table::{Cell, Table};

/// An entry whose rows are being read.
struct Entry {
    row: Row,
    postings: u64,
}

/// Writes a row for each entry.
pub fn entries(source: &Source<'_>, as_of: AsOf, table: &mut dyn Table) -> Result<(), Error> {
    let mut open: Option<Entry> = None;
    source.each_row(as_of, |row| {
        let postings = Body::read(row.seq, &row.body)?.postings.len() as u64;
        let (is_last, last_seq, hash) = (row.is_last, row.seq, row.hash);
        let entry = open.get_or_insert(Entry { row, postings: 0 });
        entry.postings += postings;
        if !is_last {
            // What only the first row has is kept; the postings have been counted.
            entry.row.body = Vec::new();
            return Ok(());
        }
        let Some(Entry { row, postings }) = open.take() else { return Ok(()) };
        table.row(vec![
            Cell::Count(row.entry),
            effective(&row),
            Cell::Time(row.recorded_at),
            kind(&row).into(),
            row.command.map_or(Cell::Empty, Cell::Json),
            row.key.into(),
            row.refused.into(),
            Cell::Count(postings),
            Cell::Count(last_seq),
            Cell::Text(hex(&hash)),
        ])?;
        Ok(())
    })
}

/// The type of an entry's command; of the first entry, that it is the programme.
fn kind(row: &Row) -> Option<String> {
    if row.seq == 0 {
        return Some("programme".to_owned());
    }
    let command: serde_json::Value = serde_json::from_str(row.command.as_deref()?).ok()?;
    Some(command.get("type")?.as_str()?.to_owned())
}

/// The programme's own row was there before all time.
fn effective(row: &Row) -> Cell {
    if row.seq == 0 { Cell::Empty } else { Cell::Time(row.effective_at) }
}

/// Writes a row for each posting.
pub fn postings(source: &Source<'_>, as_of: AsOf, table: &mut dyn Table) -> Result<(), Error> {
    source.each_row(as_of, |row| {
        let body = Body::read(row.seq, &row.body)?;
        let mut balances = Balances::before(&body);
        for (number, posting) in (0..).zip(&body.postings) {
            let (path, balance) = balances.after(posting);
            let why = Described { names: &body, of: (posting.unit, posting.why) };
            table.row(vec![
                Cell::Count(row.entry),
                Cell::Count(row.seq),
                Cell::Count(number),
                effective(&row),
                Cell::Text(path),
                Cell::Text(posting.unit.name().to_owned()),
                Cell::Amount(posting.unit.amount(posting.steps)),
                Cell::Amount(posting.unit.amount(balance)),
                Cell::Text(posting.why.rule().name().to_owned()),
                Cell::Json(serde_json::to_string(&why).map_err(std::io::Error::from)?),
            ])?;
        }
        Ok(())
    })
}

/// The balances of all accounts a row touches, on the way through its postings.
struct Balances<'a>(BTreeMap<Account, (&'a str, [i64; Unit::COUNT])>);

impl<'a> Balances<'a> {
    /// As the row found them: a row holds what it left.
    fn before(body: &Body<'a>) -> Self {
        let accounts = body.touches.iter().filter_map(|touch| match touch.holder {
            Holder::Account(account) => Some((account, (touch.name, touch.balances))),
            Holder::Control(_) => None,
        });
        let mut balances = Self(accounts.collect());
        for Posting { account, unit, steps, .. } in &body.postings {
            if let Some((_, balances)) = balances.0.get_mut(account) {
                let balance = &mut balances[*unit as usize];
                *balance = balance.wrapping_sub(*steps);
            }
        }
        balances
    }

    /// The path of a posting's account, and what the posting left there.
    fn after(&mut self, posting: &Posting) -> (String, i64) {
        let (name, balances) = self.0.entry(posting.account).or_insert(("", [0; Unit::COUNT]));
        let balance = &mut balances[posting.unit as usize];
        *balance = balance.wrapping_add(posting.steps);
        let path = Path { holder: Holder::Account(posting.account), name };
        (path.to_string(), *balance)
    }
}
