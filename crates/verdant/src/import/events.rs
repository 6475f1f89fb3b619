//! Orders to events, one JSON object a line.

use std::io::{self, BufWriter, Write};

use super::amounts;
use super::dates::Moment;
use super::names::{NameId, Names};
use super::orders::History;
use super::table::Order;

const BUFFER_BYTES: usize = 1 << 16;

/// Who joined.
#[derive(Debug, Default)]
pub(super) struct Joined {
    pub(super) members: u64,
    pub(super) sponsors: u64,
    pub(super) merchants: u64,
}

/// Writes the events in time order; at one moment, those of an earlier order first.
pub(super) fn write(history: &History, days: u32, out: &mut impl Write) -> io::Result<Joined> {
    let mut writer = Writer {
        out: BufWriter::with_capacity(BUFFER_BYTES, out),
        line: Vec::new(),
        history,
        members_joined: vec![false; history.members.len()],
        merchants_joined: vec![false; history.merchants.len()],
        sponsoring: vec![false; history.members.len()],
        joined: Joined::default(),
    };
    // Every order waits equally long, so they complete in the order in which they were paid.
    let mut open = history.orders.iter().zip(1_u64..).peekable();
    for (order, number) in history.orders.iter().zip(1_u64..) {
        let due = |order: &Order| order.paid.days_later(days).unwrap_or(order.paid);
        while let Some((done, done_number)) = open
            .next_if(|(open, open_number)| *open_number < number && due(open).at <= order.paid.at)
        {
            writer.complete(done, done_number, due(done))?;
        }
        writer.pay(order, number)?;
    }
    for (done, number) in open {
        writer.complete(done, number, done.paid.days_later(days).unwrap_or(done.paid))?;
    }
    writer.out.flush()?;
    Ok(writer.joined)
}

struct Writer<'a, W: Write> {
    out: BufWriter<W>,
    line: Vec<u8>,
    history: &'a History,
    members_joined: Vec<bool>,
    merchants_joined: Vec<bool>,
    sponsoring: Vec<bool>,
    joined: Joined,
}

impl<W: Write> Writer<'_, W> {
    fn pay(&mut self, order: &Order, number: u64) -> io::Result<()> {
        self.join_upline(order.customer, order.paid)?;
        if let Some(merchant) = order.merchant {
            self.join_merchant(merchant, order.paid)?;
        }
        self.start("order.pay");
        self.order_id(order, number)?;
        self.name("member", &self.history.members, order.customer)?;
        self.line.extend_from_slice(b",\"amount\":\"");
        amounts::write(order.fen, &mut self.line)?;
        self.line.push(b'"');
        if let Some(merchant) = order.merchant {
            self.name("merchant", &self.history.merchants, merchant)?;
        }
        self.end(order.paid)
    }

    fn complete(&mut self, order: &Order, number: u64, at: Moment) -> io::Result<()> {
        self.start("order.complete");
        self.order_id(order, number)?;
        self.end(at)
    }

    /// Joins a member after all above them who have not joined yet, the topmost first.
    fn join_upline(&mut self, member: NameId, at: Moment) -> io::Result<()> {
        let mut waiting = Vec::new();
        let mut next = Some(member);
        while let Some(member) = next
            && !std::mem::replace(&mut self.members_joined[member.index()], true)
        {
            waiting.push(member);
            next = self.history.sponsors.of(member);
        }
        for member in waiting.into_iter().rev() {
            self.joined.members += 1;
            self.start("member.join");
            self.name("member", &self.history.members, member)?;
            if let Some(sponsor) = self.history.sponsors.of(member) {
                if !std::mem::replace(&mut self.sponsoring[sponsor.index()], true) {
                    self.joined.sponsors += 1;
                }
                self.name("sponsor", &self.history.members, sponsor)?;
            }
            self.end(at)?;
        }
        Ok(())
    }

    fn join_merchant(&mut self, merchant: NameId, at: Moment) -> io::Result<()> {
        if std::mem::replace(&mut self.merchants_joined[merchant.index()], true) {
            return Ok(());
        }
        self.joined.merchants += 1;
        self.start("merchant.join");
        self.name("merchant", &self.history.merchants, merchant)?;
        self.end(at)
    }

    fn start(&mut self, kind: &str) {
        self.line.clear();
        self.line.extend_from_slice(b"{\"type\":\"");
        self.line.extend_from_slice(kind.as_bytes());
        self.line.push(b'"');
    }

    fn order_id(&mut self, order: &Order, number: u64) -> io::Result<()> {
        match order.id {
            Some(id) => self.name("order", &self.history.order_ids, id),
            None => write!(self.line, ",\"order\":\"c{number}\""),
        }
    }

    fn name(&mut self, key: &str, names: &Names, id: NameId) -> io::Result<()> {
        write!(self.line, ",\"{key}\":")?;
        Ok(serde_json::to_writer(&mut self.line, names.text(id))?)
    }

    fn end(&mut self, at: Moment) -> io::Result<()> {
        writeln!(self.line, ",\"at\":\"{at}\"}}")?;
        self.out.write_all(&self.line)
    }
}
