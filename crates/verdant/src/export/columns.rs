//! The columns of every export: the one place that names them.

use engine::Unit;

use super::table::{Column, Kind};

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind }
}

/// Of amounts in any unit: as many decimals as the finest has.
const ANY_UNIT: Kind = Kind::Amount { decimals: 6 };

/// One row for each entry.
pub const ENTRIES: &[Column] = &[
    column("entry", Kind::Count),
    column("effective_at", Kind::Time),
    column("recorded_at", Kind::Time),
    column("type", Kind::Text),
    column("command", Kind::Json),
    column("key", Kind::Text),
    column("refused", Kind::Text),
    column("postings", Kind::Count),
    column("last_seq", Kind::Count),
    column("hash", Kind::Text),
];

/// One row for each posting.
pub const POSTINGS: &[Column] = &[
    column("entry", Kind::Count),
    column("seq", Kind::Count),
    column("number", Kind::Count),
    column("effective_at", Kind::Time),
    column("account", Kind::Text),
    column("unit", Kind::Text),
    column("amount", ANY_UNIT),
    column("balance", ANY_UNIT),
    column("rule", Kind::Text),
    column("why", Kind::Json),
];

/// One row for each account, with a column for each unit.
pub const BALANCES: &[Column] = &[
    column("account", Kind::Text),
    of(Unit::Cash, 2),
    of(Unit::Growth, 6),
    of(Unit::Stable, 2),
    of(Unit::Quota, 2),
    of(Unit::Share, 6),
    of(Unit::Locked, 6),
    of(Unit::Reward, 6),
];

const fn of(unit: Unit, decimals: u32) -> Column {
    column(unit.name(), Kind::Amount { decimals })
}

/// One row for each posting to an account, newest first.
pub const STATEMENT: &[Column] = &[
    column("entry", Kind::Count),
    column("position", Kind::Text),
    column("effective_at", Kind::Time),
    column("recorded_at", Kind::Time),
    column("unit", Kind::Text),
    column("amount", ANY_UNIT),
    column("balance", ANY_UNIT),
    column("rule", Kind::Text),
    column("why", Kind::Json),
];

#[cfg(test)]
mod tests {
    use engine::Unit;

    use super::*;

    #[test]
    fn every_unit_has_its_column_and_its_decimals() {
        for (unit, column) in Unit::ALL.into_iter().zip(&BALANCES[1..]) {
            let decimals = ledger::Unit::decimals(unit);
            assert_eq!((column.name, column.kind), (unit.name(), Kind::Amount { decimals }));
        }
        assert_eq!(BALANCES.len(), Unit::COUNT + 1);
    }
}
