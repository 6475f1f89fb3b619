use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::{Fen, Micro, Overflow};

use crate::account::{House, Unit};
use crate::draft::Draft;
use crate::exit_queue::ExitQueue;
use crate::id::{DividendId, MemberId, MerchantId, OrderId};
use crate::names::Names;
use crate::tables::{Balances, Carries, Grade, Lot, Members, Merchants, Orders, Totals};
use crate::{Account, Day, Programme};

/// Everything the engine knows: what folding all entries and reading all commands gives.
#[derive(Debug, Clone)]
pub struct State {
    pub(crate) programme: Arc<Programme>,
    pub(crate) pending: Option<Arc<Programme>>,
    pub(crate) open_day: Option<Day>,
    pub(crate) members: Members,
    pub(crate) merchants: Merchants,
    pub(crate) orders: Orders,
    pub(crate) lots: Vec<Lot>,
    pub(crate) house: [Balances; House::COUNT],
    pub(crate) carries: Carries,
    pub(crate) debts: BTreeMap<(MemberId, Unit), i64>,
    /// Every package a lot was ever granted by: grades keep their terms across amendments.
    pub(crate) grades: Vec<Grade>,
    pub(crate) totals: Totals,
    pub(crate) exits: ExitQueue,
    pub(crate) draft: Draft,
}

impl State {
    /// No members, no points, no day open yet. The seed guards the name index against chosen
    /// collisions and changes no result.
    pub(crate) fn new(programme: Programme, seed: u64) -> Self {
        let mut state = Self {
            programme: Arc::new(programme),
            pending: None,
            open_day: None,
            members: Members {
                names: Names::new(seed),
                holdings: Vec::new(),
                sponsors: Vec::new(),
                volumes: Vec::new(),
                chains: Vec::new(),
            },
            merchants: Merchants { names: Names::new(seed), balances: Vec::new() },
            orders: Orders {
                names: Names::new(seed),
                rows: Vec::new(),
                grants: Vec::new(),
                refunds: BTreeMap::new(),
            },
            lots: Vec::new(),
            house: [[0; Unit::COUNT]; House::COUNT],
            carries: Carries::default(),
            debts: BTreeMap::new(),
            grades: Vec::new(),
            totals: Totals::default(),
            exits: ExitQueue::default(),
            draft: Draft::default(),
        };
        state.register_dividends();
        state
    }

    /// Gives every dividend of the programme a carry account; names keep theirs for good.
    pub(crate) fn register_dividends(&mut self) {
        let programme = Arc::clone(&self.programme);
        for dividend in &programme.dividends {
            if self.dividend_id(&dividend.name).is_none() {
                self.carries.names.push(dividend.name.clone());
                self.carries.fen.push(0);
            }
        }
    }

    pub(crate) fn dividend_id(&self, name: &str) -> Option<DividendId> {
        let row = self.carries.names.iter().position(|n| n == name)?;
        DividendId::at(row).ok()
    }

    /// The programme in force.
    #[must_use]
    pub fn programme(&self) -> &Programme {
        &self.programme
    }

    /// The programme that takes effect when the open day is settled.
    #[must_use]
    pub fn pending_programme(&self) -> Option<&Programme> {
        self.pending.as_deref()
    }

    /// The business day that is open; `None` before the first command.
    #[must_use]
    pub const fn open_day(&self) -> Option<Day> {
        self.open_day
    }

    /// How many members have joined.
    #[must_use]
    pub fn member_count(&self) -> usize {
        self.members.names.len()
    }

    /// How many merchants have joined.
    #[must_use]
    pub fn merchant_count(&self) -> usize {
        self.merchants.names.len()
    }

    /// How many orders were paid.
    #[must_use]
    pub fn order_count(&self) -> usize {
        self.orders.names.len()
    }

    /// The members in joining order.
    pub fn members(&self) -> impl DoubleEndedIterator<Item = MemberId> + use<> {
        (0..self.member_count()).filter_map(|i| MemberId::at(i).ok())
    }

    /// The merchants in joining order.
    pub fn merchants(&self) -> impl DoubleEndedIterator<Item = MerchantId> + use<> {
        (0..self.merchant_count()).filter_map(|i| MerchantId::at(i).ok())
    }

    /// The member of this name.
    #[must_use]
    pub fn find_member(&self, name: &str) -> Option<MemberId> {
        self.members.names.find(name).and_then(|i| MemberId::at(i).ok())
    }

    /// The merchant of this name.
    #[must_use]
    pub fn find_merchant(&self, name: &str) -> Option<MerchantId> {
        self.merchants.names.find(name).and_then(|i| MerchantId::at(i).ok())
    }

    pub(crate) fn find_order(&self, name: &str) -> Option<OrderId> {
        self.orders.names.find(name).and_then(|i| OrderId::at(i).ok())
    }

    /// A member's name.
    #[must_use]
    pub fn member_name(&self, id: MemberId) -> &str {
        self.members.names.get(id.index())
    }

    /// A merchant's name.
    #[must_use]
    pub fn merchant_name(&self, id: MerchantId) -> &str {
        self.merchants.names.get(id.index())
    }

    /// An order's name.
    #[must_use]
    pub fn order_name(&self, id: OrderId) -> &str {
        self.orders.names.get(id.index())
    }

    /// A dividend's name.
    #[must_use]
    pub fn dividend_name(&self, id: DividendId) -> &str {
        self.carries.names.get(id.index()).map_or("", String::as_str)
    }

    /// The name of a star of the programme in force, by its row.
    #[must_use]
    pub fn star_name(&self, star: u16) -> &str {
        let team = self.programme.release.as_ref().and_then(|r| r.team.as_ref());
        team.and_then(|t| t.stars.get(usize::from(star))).map_or("", |s| s.name.as_str())
    }

    /// The name of a dividend's tier in the programme in force, by its row.
    #[must_use]
    pub fn tier_name(&self, dividend: DividendId, tier: u16) -> &str {
        let name = self.dividend_name(dividend);
        let dividend = self.programme.dividends.iter().find(|d| d.name == name);
        match dividend.map(|d| &d.split) {
            Some(crate::programme::Split::Tiers { tiers, .. }) => {
                tiers.get(usize::from(tier)).map_or("", |tier| tier.name.as_str())
            }
            _ => "",
        }
    }

    /// The package a completed order reached; empty where it reached none.
    #[must_use]
    pub fn package_name(&self, order: OrderId) -> &str {
        let grade = self.orders.rows[order.index()].completion.map_or(0, |c| c.grade);
        let row = usize::from(grade).checked_sub(1);
        row.and_then(|row| self.grades.get(row)).map_or("", |grade| grade.name.as_str())
    }

    /// Of a completed order's amount, what had not been refunded when it completed.
    #[must_use]
    pub fn completed_amount(&self, order: OrderId) -> Fen {
        self.orders.rows[order.index()].completion.map_or(Fen::ZERO, |c| c.amount)
    }

    /// A member's sponsor.
    #[must_use]
    pub fn sponsor(&self, id: MemberId) -> Option<MemberId> {
        self.members.sponsors[id.index()]
    }

    /// A member's grade: the highest package among completed orders not wholly refunded.
    #[must_use]
    pub fn grade(&self, id: MemberId) -> Option<&str> {
        let row = self.members.holdings[id.index()].grade.checked_sub(1)?;
        self.grades.get(usize::from(row)).map(|grade| grade.name.as_str())
    }

    /// A balance in steps of its unit.
    #[must_use]
    pub fn balance(&self, account: Account, unit: Unit) -> i64 {
        let house = |house: House| self.house[house as usize][unit as usize];
        match account {
            Account::Member(id) => self.members.holdings[id.index()].balances[unit as usize],
            Account::Merchant(id) => self.merchants.balances[id.index()][unit as usize],
            Account::Pool => house(House::Pool),
            Account::Reserve => house(House::Reserve),
            Account::Revenue => house(House::Revenue),
            Account::Escrow => house(House::Escrow),
            Account::Gateway => house(House::Gateway),
            Account::Issuance => house(House::Issuance),
            Account::Receivable => house(House::Receivable),
            Account::Carry(id) if unit == Unit::Cash => self.carries.fen[id.index()],
            Account::Carry(_) => 0,
            Account::Debt(id) => self.debts.get(&(id, unit)).copied().unwrap_or(0),
        }
    }

    /// Every account there is, in a fixed order.
    pub fn accounts(&self) -> impl Iterator<Item = Account> + use<'_> {
        let house = [
            Account::Pool,
            Account::Reserve,
            Account::Revenue,
            Account::Escrow,
            Account::Gateway,
            Account::Issuance,
            Account::Receivable,
        ];
        let carries = (0..self.carries.names.len()).filter_map(|i| DividendId::at(i).ok());
        let mut debtors: Vec<_> = self.debts.keys().map(|&(member, _)| member).collect();
        debtors.dedup();
        house
            .into_iter()
            .chain(carries.map(Account::Carry))
            .chain(self.members().map(Account::Member))
            .chain(self.merchants().map(Account::Merchant))
            .chain(debtors.into_iter().map(Account::Debt))
    }

    /// The cash that backs growth points.
    #[must_use]
    pub fn pool(&self) -> Fen {
        Fen::from_steps(self.balance(Account::Pool, Unit::Cash))
    }

    /// All growth points there are, those in reserve among them.
    #[must_use]
    pub fn supply(&self) -> Micro {
        // Issuance starts at zero and only ever falls by what is issued, so it has a negative.
        Micro::from_steps(self.balance(Account::Issuance, Unit::Growth).saturating_neg())
    }

    /// Growth points ever issued: what the cap counts.
    #[must_use]
    pub const fn issued(&self) -> Micro {
        Micro::from_steps(self.totals.issued)
    }

    /// How many members were sold out because their points were worth their quota.
    #[must_use]
    pub const fn forced_exits(&self) -> u64 {
        self.totals.forced_exits
    }

    /// The open day's turnover in fen; below zero when more was refunded than bought.
    #[must_use]
    pub const fn turnover(&self) -> Fen {
        Fen::from_steps(self.totals.turnover)
    }

    /// Lots with points left in them, oldest first for each member.
    pub fn lots(&self) -> impl Iterator<Item = &Lot> {
        self.lots.iter().filter(|lot| lot.remaining > 0)
    }

    /// The row for a package as it is now; a new one where a package was renamed or repriced.
    pub(crate) fn grade_row(&mut self, name: &str, price: Fen) -> Result<u16, Overflow> {
        let row = match self.grades.iter().position(|g| g.price == price && g.name == name) {
            Some(row) => row,
            None => {
                self.grades.push(Grade { name: name.to_owned(), price });
                self.grades.len() - 1
            }
        };
        u16::try_from(row + 1).map_err(|_| Overflow)
    }
}
