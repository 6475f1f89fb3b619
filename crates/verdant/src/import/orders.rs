//! The usable orders in time order, with every customer's sponsor.

use super::Options;
use super::fault::{Field, Reason, RowFault};
use super::names::Names;
use super::sponsors::{self, Sponsors};
use super::table::{Order, Table};
use super::text::excerpt;

/// All that the events are made of.
#[derive(Debug)]
pub(super) struct History {
    /// In order of payment; those paid at once, as in the table.
    pub(super) orders: Vec<Order>,
    pub(super) sponsors: Sponsors,
    pub(super) members: Names,
    pub(super) merchants: Names,
    pub(super) order_ids: Names,
    pub(super) faults: Vec<RowFault>,
}

/// Settles what only the whole table can tell: the order of day and month, order ids used twice,
/// the order in time, and the sponsors.
pub(super) fn settle(mut table: Table, options: &Options) -> History {
    settle_dates(&mut table, options);
    let faults = &mut table.faults;
    table.orders.retain(|order| {
        let completes = order.paid.days_later(options.complete_after).is_some();
        if !completes {
            faults.push(RowFault { line: order.line, field: Field::Date, reason: Reason::TooLate });
        }
        completes
    });
    drop_repeated(&mut table.orders, &table.order_ids, faults);
    table.orders.sort_by_key(|order| order.paid.at);
    let sponsors = sponsors::find(&table.orders, &table.members, faults);
    History {
        orders: table.orders,
        sponsors,
        members: table.members,
        merchants: table.merchants,
        order_ids: table.order_ids,
        faults: table.faults,
    }
}

/// Gives the waiting dates their moments; an order whose date stays unclear goes.
fn settle_dates(table: &mut Table, options: &Options) {
    let mut unclear = Vec::new();
    for waiting in table.waiting.drain(..) {
        match waiting.date.settle(options.date_order, &table.evidence) {
            Ok(moment) => {
                if let Some(order) = waiting.order.and_then(|at| table.orders.get_mut(at)) {
                    order.paid = moment;
                }
            }
            Err(reason) => {
                unclear.extend(waiting.order);
                table.faults.push(RowFault { line: waiting.line, field: Field::Date, reason });
            }
        }
    }
    // Both run in the table's order.
    let mut unclear = unclear.into_iter().peekable();
    let mut at = 0;
    table.orders.retain(|_| {
        let keep = unclear.next_if_eq(&at).is_none();
        at += 1;
        keep
    });
}

/// Of the orders with one id, the first in the table stays.
fn drop_repeated(orders: &mut Vec<Order>, ids: &Names, faults: &mut Vec<RowFault>) {
    let mut first_lines: Vec<Option<u64>> = vec![None; ids.len()];
    orders.retain(|order| {
        let Some(id) = order.id else { return true };
        let Some(line) = first_lines[id.index()] else {
            first_lines[id.index()] = Some(order.line);
            return true;
        };
        let reason = Reason::OrderTwice { id: excerpt(ids.text(id)), line };
        faults.push(RowFault { line: order.line, field: Field::Order, reason });
        false
    });
}
