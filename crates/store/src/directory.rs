use engine::{Account, DividendId, MemberId, MerchantId, Names, State};

use crate::body::Path;
use crate::holder::{Control, HOUSE, Holder, PerHolder};
use crate::recorder::{Recorder, Touched};

/// Which holders there are in the committed journal, by name, and where their chains end.
#[derive(Debug, Clone)]
pub struct Directory {
    members: Names,
    merchants: Names,
    dividends: Vec<(DividendId, Box<str>)>,
    /// The newest row that touched each holder and one more; 0 for none.
    heads: PerHolder<u64>,
    /// The last row of the last whole entry: nothing after it is shown.
    horizon: u64,
}

impl Directory {
    /// The directory of a journal up to the recorder's last row.
    #[must_use]
    pub fn new(state: &State, recorder: &Recorder, seed: u64) -> Self {
        let mut directory = Self {
            members: Names::new(seed),
            merchants: Names::new(seed),
            dividends: Vec::new(),
            heads: recorder.chains().map(|chain| if chain.depth > 0 { chain.head + 1 } else { 0 }),
            horizon: recorder.head().seq,
        };
        for member in state.members() {
            directory.members.add(state.member_name(member));
        }
        for merchant in state.merchants() {
            directory.merchants.add(state.merchant_name(merchant));
        }
        for account in state.accounts() {
            if let Account::Carry(id) = account {
                directory.dividends.push((id, state.dividend_name(id).into()));
            }
        }
        directory
    }

    /// Takes note of whom committed rows touched, in order; the last whole entry ends at `horizon`.
    pub fn note(&mut self, touched: Vec<(u64, Touched)>, horizon: u64) {
        for (seq, Touched { holder, new_name }) in touched {
            *self.heads.of_mut(holder) = seq + 1;
            let Some(name) = new_name else { continue };
            match holder {
                Holder::Account(Account::Member(_)) => self.members.add(&name),
                Holder::Account(Account::Merchant(_)) => self.merchants.add(&name),
                Holder::Account(Account::Carry(id)) if !self.has_dividend(id) => {
                    self.dividends.push((id, name));
                }
                _ => {}
            }
        }
        self.horizon = horizon;
    }

    fn has_dividend(&self, id: DividendId) -> bool {
        self.dividends.iter().any(|(known, _)| *known == id)
    }

    /// The last row of the last whole entry.
    #[must_use]
    pub const fn horizon(&self) -> u64 {
        self.horizon
    }

    /// The newest committed row that touched a holder.
    #[must_use]
    pub fn head(&self, holder: Holder) -> Option<u64> {
        self.heads.of(holder).and_then(|head| head.checked_sub(1))
    }

    /// The holder of a path: `member/A`, `merchant/M`, `debt/A`, `carry/static`, `pool`, and for
    /// the sums `members`, `merchants`, `carries`, `debts`.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<Holder> {
        let member = |name| self.members.find(name).and_then(|row| MemberId::at(row).ok());
        let account = match path.split_once('/') {
            Some(("member", name)) => Account::Member(member(name)?),
            Some(("debt", name)) => Account::Debt(member(name)?),
            Some(("merchant", name)) => {
                Account::Merchant(MerchantId::at(self.merchants.find(name)?).ok()?)
            }
            Some(("carry", name)) => {
                Account::Carry(self.dividends.iter().find(|(_, n)| **n == *name)?.0)
            }
            Some(_) => return None,
            None => return Self::find_one_of_a_kind(path),
        };
        Some(Holder::Account(account))
    }

    fn find_one_of_a_kind(path: &str) -> Option<Holder> {
        let control = Control::ALL.into_iter().find(|control| control.name() == path);
        if let Some(control) = control {
            return Some(Holder::Control(control));
        }
        let is_it = |&account: &Account| {
            Path { holder: Holder::Account(account), name: "" }.to_string() == path
        };
        HOUSE.into_iter().find(is_it).map(Holder::Account)
    }

    /// The paths of all accounts that were ever touched, with their holders.
    pub fn paths(&self) -> impl Iterator<Item = (String, Holder)> + use<'_> {
        let house = HOUSE.into_iter().map(|account| (Holder::Account(account), ""));
        let carries =
            self.dividends.iter().map(|(id, name)| (Holder::Account(Account::Carry(*id)), &**name));
        let members = (0..self.members.len()).filter_map(|row| {
            Some((Holder::Account(Account::Member(MemberId::at(row).ok()?)), self.members.get(row)))
        });
        let merchants = (0..self.merchants.len()).filter_map(|row| {
            let id = MerchantId::at(row).ok()?;
            Some((Holder::Account(Account::Merchant(id)), self.merchants.get(row)))
        });
        let debts = (0..self.members.len()).filter_map(|row| {
            Some((Holder::Account(Account::Debt(MemberId::at(row).ok()?)), self.members.get(row)))
        });
        house
            .chain(carries)
            .chain(members)
            .chain(merchants)
            .chain(debts)
            .filter(|&(holder, _)| self.head(holder).is_some())
            .map(|(holder, name)| (Path { holder, name }.to_string(), holder))
    }
}
