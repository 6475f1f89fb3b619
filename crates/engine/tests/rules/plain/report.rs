//! Section 6: the state file.

use super::Plain;
use super::book::{Account, Name, Unit};
use super::money::{MILLION, floor_div, show};
use super::settle::star_of;
use serde_json::{Map, Value, json};

/// Fen to a price with 6 decimals: yuan is fen / 100, a point 10^6 micro-points.
const PRICE_SCALE: i128 = MILLION * MILLION / 100;

impl Plain {
    pub fn state(&self, rejected: &[(usize, String)]) -> Value {
        let price = self.price();
        let rejected: Vec<Value> =
            rejected.iter().map(|(line, reason)| json!({"line": line, "reason": reason})).collect();
        let team = self.team_volume();
        json!({
            "open_day": self.open_day.map(|day| day.to_string()),
            "growth": {
                "pool": show(self.pool(), 2),
                "supply": show(self.supply(), 6),
                "reserve": self.show(Unit::Growth, &Account::Reserve),
                "issued": show(self.issued, 6),
                "price": show(floor_div(price.cash * PRICE_SCALE, price.points), 6),
            },
            "platform": {
                "revenue": self.show(Unit::Cash, &Account::Revenue),
                "gateway": self.show(Unit::Cash, &Account::Gateway),
                "escrow_cash": self.show(Unit::Cash, &Account::Escrow),
                "escrow_stable": self.show(Unit::Stable, &Account::Escrow),
                "escrow_reward": self.show(Unit::Reward, &Account::Escrow),
                "dividend_carry": show(self.carried(), 2),
            },
            "members": self.members.iter().map(|m| self.show_member(m, team.get(m))).collect::<Vec<_>>(),
            "merchants": self.merchants.iter().map(|m| self.show_merchant(m)).collect::<Vec<_>>(),
            "forced_exits": self.forced_exits as i64,
            "rejected": rejected,
        })
    }

    fn show(&self, unit: Unit, account: &Account) -> String {
        show(self.balance(unit, account), unit.decimals())
    }

    fn show_member(&self, member: &Name, team: Option<&(i128, i128)>) -> Value {
        let account = Account::Member(member.clone());
        let mut shown = Map::new();
        shown.insert("member".into(), json!(&**member));
        shown.insert("sponsor".into(), json!(self.sponsor(member).as_deref()));
        for unit in super::book::UNITS {
            shown.insert(unit.word().into(), json!(self.show(unit, &account)));
        }
        let (cash, points) = team.copied().unwrap_or((0, 0));
        let stars = self.programme.release.as_ref().and_then(|r| r.team.as_ref());
        let star = stars.and_then(|s| star_of(s, team)).map(|s| s.name.clone());
        let debts = self.people[member].owed.iter();
        let owed: Map<String, Value> = debts
            .map(|(unit, amount)| (unit.word().into(), json!(show(*amount, unit.decimals()))))
            .collect();
        shown.insert("grade".into(), json!(self.grade(member)));
        shown.insert("star".into(), json!(star));
        shown.insert("team_cash".into(), json!(show(cash, 2)));
        shown.insert("team_points".into(), json!(show(points, 2)));
        shown.insert("owed".into(), Value::Object(owed));
        Value::Object(shown)
    }

    fn show_merchant(&self, merchant: &Name) -> Value {
        let account = Account::Merchant(merchant.clone());
        json!({
            "merchant": &**merchant,
            "payable": self.show(Unit::Cash, &account),
            "stable": self.show(Unit::Stable, &account),
            "growth": self.show(Unit::Growth, &account),
        })
    }
}
