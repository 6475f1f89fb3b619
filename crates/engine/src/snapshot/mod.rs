//! The state as bytes, for going on later without applying every command again.
//!
//! A snapshot has everything the state is made of, but what can be told from the rest: the exit
//! queue is filled anew, the index of names built anew. It is a stream of sealed blocks of some
//! thousand rows (`blocks`), so neither side ever has a second copy of the state in memory. The
//! same state gives the same bytes.
//!
//! What is read is not believed: a broken seal is found at once, and rows that no state can have
//! are refused (`check`), so that nothing that comes after has to be afraid of them.

mod blocks;
mod check;

use std::io::{self, Read, Write};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::account::{House, Unit};
use crate::day::Day;
use crate::engine::Engine;
use crate::id::{LotId, MemberId, MerchantId, OrderId};
use crate::names::Names;
use crate::programme::Programme;
use crate::state::State;
use crate::tables::{Balances, Chain, Grade, Grant, Holding, Lot, Order, Refunds, Totals, Volume};
use blocks::{BlockReader, BlockWriter, decode, each_in};

/// Why a snapshot cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The source failed.
    #[error("the snapshot cannot be read")]
    Read(#[source] io::Error),
    /// It begins like something else.
    #[error("this is no snapshot")]
    NotASnapshot,
    /// Another version of this program wrote it.
    #[error("the snapshot has format {0}, which this version does not read: replay the commands")]
    OtherFormat(u32),
    /// It is not what was written, or what was written was no state.
    #[error("the snapshot is damaged: {0}")]
    Damaged(&'static str),
}

/// All that is not a long table, and how many rows those have.
#[derive(Serialize, Deserialize)]
struct Head {
    programme: String,
    pending: Option<String>,
    open_day: Option<Day>,
    house: [Balances; House::COUNT],
    carries: Vec<(String, i64)>,
    grades: Vec<Grade>,
    totals: Totals,
    counts: Counts,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Counts {
    members: usize,
    merchants: usize,
    orders: usize,
    grants: usize,
    refunds: usize,
    lots: usize,
    debts: usize,
}

/// A row of the columns of members.
#[derive(Serialize, Deserialize)]
struct MemberRow {
    sponsor: Option<MemberId>,
    balances: Balances,
    grade: u16,
    volume: Volume,
    chain: Chain,
}

type RefundsRow = (OrderId, Refunds);
type DebtRow = (MemberId, Unit, i64);

impl State {
    /// Writes all there is, for [`Engine::read_snapshot`]. The same state gives the same bytes.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_snapshot(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut out = BlockWriter::begin(out)?;
        out.block(&self.head())?;
        let members = &self.members;
        out.rows(names(&members.names))?;
        out.rows((0..members.names.len()).map(|row| MemberRow {
            sponsor: members.sponsors[row],
            balances: members.holdings[row].balances,
            grade: members.holdings[row].grade,
            volume: members.volumes[row],
            chain: members.chains[row],
        }))?;
        out.rows(names(&self.merchants.names))?;
        out.rows(self.merchants.balances.iter())?;
        out.rows(names(&self.orders.names))?;
        out.rows(self.orders.rows.iter())?;
        out.rows(self.orders.grants.iter())?;
        out.rows(self.orders.refunds.iter())?;
        out.rows(self.lots.iter())?;
        out.rows(self.debts.iter().map(|(&(member, unit), &steps)| (member, unit, steps)))
    }

    fn head(&self) -> Head {
        let carries = self.carries.names.iter().cloned();
        Head {
            programme: self.programme.to_json().to_string(),
            pending: self.pending.as_ref().map(|pending| pending.to_json().to_string()),
            open_day: self.open_day,
            house: self.house,
            carries: carries.zip(self.carries.fen.iter().copied()).collect(),
            grades: self.grades.clone(),
            totals: self.totals,
            counts: Counts {
                members: self.members.names.len(),
                merchants: self.merchants.names.len(),
                orders: self.orders.names.len(),
                grants: self.orders.grants.len(),
                refunds: self.orders.refunds.len(),
                lots: self.lots.len(),
                debts: self.debts.len(),
            },
        }
    }
}

fn names(names: &Names) -> impl Iterator<Item = &str> {
    (0..names.len()).map(|number| names.get(number))
}

impl Engine {
    /// An engine that goes on where [`State::write_snapshot`] was called. The seed guards the index
    /// of names against chosen collisions, as in [`Engine::new`]. Nothing is read beyond the end
    /// of the snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`] for whatever is not just as it was written.
    pub fn read_snapshot(input: &mut dyn Read, seed: u64) -> Result<Self, SnapshotError> {
        let mut input = BlockReader::begin(input)?;
        let head: Head = decode(input.block()?)?;
        let counts = head.counts;
        let mut state = from_head(head, seed)?;
        read_members(&mut input, counts.members, &mut state)?;
        read_names(&mut input, counts.merchants, &mut state.merchants.names)?;
        MerchantId::at(counts.merchants).map_err(|_| TOO_MANY)?;
        // So many names were there, so there may be as many rows.
        state.merchants.balances.reserve_exact(counts.merchants);
        read_rows(&mut input, counts.merchants, &mut state.merchants.balances)?;
        read_names(&mut input, counts.orders, &mut state.orders.names)?;
        OrderId::at(counts.orders).map_err(|_| TOO_MANY)?;
        state.orders.rows.reserve_exact(counts.orders);
        read_rows::<Order>(&mut input, counts.orders, &mut state.orders.rows)?;
        state.orders.grants.reserve_exact(counts.grants.min(GRANTS_EACH * counts.orders));
        read_rows::<Grant>(&mut input, counts.grants, &mut state.orders.grants)?;
        each_row(&mut input, counts.refunds, |(order, refunds): RefundsRow| {
            once(state.orders.refunds.insert(order, refunds))
        })?;
        LotId::at(counts.lots).map_err(|_| TOO_MANY)?;
        state.lots.reserve_exact(counts.lots.min(counts.orders));
        read_rows::<Lot>(&mut input, counts.lots, &mut state.lots)?;
        each_row(&mut input, counts.debts, |(member, unit, steps): DebtRow| {
            once(state.debts.insert((member, unit), steps))
        })?;
        check::check(&state).map_err(SnapshotError::Damaged)?;
        if state.programme.is_limited_by_quota() {
            state.guard_everybody();
        }
        Ok(Self::of(state))
    }
}

/// Grants there is room for with each order that was really there, should there be as many.
const GRANTS_EACH: usize = 8;

const TOO_MANY: SnapshotError = SnapshotError::Damaged("a table is too long");

fn from_head(head: Head, seed: u64) -> Result<State, SnapshotError> {
    let mut state = State::new(programme(&head.programme)?, seed);
    state.pending = head.pending.as_deref().map(programme).transpose()?.map(Arc::new);
    state.open_day = head.open_day;
    state.house = head.house;
    (state.carries.names, state.carries.fen) = head.carries.into_iter().unzip();
    state.grades = head.grades;
    state.totals = head.totals;
    Ok(state)
}

fn programme(json: &str) -> Result<Programme, SnapshotError> {
    let value = serde_json::from_str(json).ok();
    let programme = value.and_then(|value| Programme::from_json(&value).ok());
    programme.ok_or(SnapshotError::Damaged("its programme has faults"))
}

fn read_members(
    input: &mut BlockReader<'_>,
    count: usize,
    state: &mut State,
) -> Result<(), SnapshotError> {
    let members = &mut state.members;
    MemberId::at(count).map_err(|_| TOO_MANY)?;
    read_names(input, count, &mut members.names)?;
    // So many names were there, so there may be as many rows.
    members.holdings.reserve_exact(count);
    members.sponsors.reserve_exact(count);
    members.volumes.reserve_exact(count);
    members.chains.reserve_exact(count);
    each_row(input, count, |row: MemberRow| {
        let MemberRow { sponsor, balances, grade, volume, chain } = row;
        members.holdings.push(Holding { balances, grade, ..Holding::default() });
        members.sponsors.push(sponsor);
        members.volumes.push(volume);
        members.chains.push(chain);
        Ok(())
    })
}

fn read_names(
    input: &mut BlockReader<'_>,
    count: usize,
    names: &mut Names,
) -> Result<(), SnapshotError> {
    while names.len() < count {
        let left = count - names.len();
        each_in(input.block()?, left, |text: &str| {
            if !(1..=255).contains(&text.len()) {
                return Err("a name is empty or too long");
            }
            names.add_unindexed(text, left);
            Ok(())
        })?;
    }
    let different = names.index_all();
    different.then_some(()).ok_or(SnapshotError::Damaged("a name is there twice"))
}

fn read_rows<T: DeserializeOwned>(
    input: &mut BlockReader<'_>,
    count: usize,
    rows: &mut Vec<T>,
) -> Result<(), SnapshotError> {
    each_row(input, count, |row| {
        rows.push(row);
        Ok(())
    })
}

/// Hands over the rows of a table one by one.
fn each_row<T: DeserializeOwned>(
    input: &mut BlockReader<'_>,
    count: usize,
    mut each: impl FnMut(T) -> Result<(), &'static str>,
) -> Result<(), SnapshotError> {
    let mut left = count;
    while left > 0 {
        left -= each_in(input.block()?, left, &mut each)?;
    }
    Ok(())
}

fn once<T>(before: Option<T>) -> Result<(), &'static str> {
    before.map_or(Ok(()), |_| Err("a row is there twice"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAMME: &str = "name = 'x'\n[share]\nper = 1.00\n";

    #[test]
    fn what_is_no_snapshot_is_told_from_one_that_is_damaged() {
        let read = |mut bytes: &[u8]| Engine::read_snapshot(&mut bytes, 0).map(|_| ()).unwrap_err();
        assert!(matches!(read(b""), SnapshotError::Damaged(_)));
        assert!(matches!(read(b"{\"open_day\": null}"), SnapshotError::NotASnapshot));
        let programme = Programme::from_toml(&PROGRAMME.replace("1.00", "'1.00'")).unwrap();
        let mut bytes = Vec::new();
        Engine::new(programme, 0).state().write_snapshot(&mut bytes).unwrap();
        assert!(Engine::read_snapshot(&mut bytes.as_slice(), 0).is_ok());
        bytes[8] += 1;
        assert!(matches!(read(&bytes), SnapshotError::OtherFormat(2)));
        bytes[8] -= 1;
        bytes.pop();
        assert!(matches!(read(&bytes), SnapshotError::Damaged(_)));
    }
}
