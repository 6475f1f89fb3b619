//! What an auditor reads: an entry, and its postings as moves from one account to another.

use serde_json::Value;

use super::Checked;
use super::arithmetic::{Price, steps};
use crate::plain::money::rate;

pub struct Entry {
    pub command: Value,
    pub day: String,
    pub price: Option<Price>,
    pub postings: Vec<Value>,
}

impl Entry {
    pub fn kind(&self) -> &str {
        self.command["type"].as_str().unwrap()
    }

    pub fn text(&self, key: &str) -> &str {
        self.command[key].as_str().unwrap_or("")
    }

    pub fn amount(&self, key: &str) -> i128 {
        self.command[key].as_str().map_or(0, steps)
    }
}

/// Two postings that belong together. One that a settlement posts alone has its other side added;
/// `settle.other_side` then only says the sum of these.
#[derive(Debug, Clone)]
pub struct Move {
    pub from: String,
    pub to: String,
    pub unit: String,
    pub steps: i128,
    pub why: Value,
}

impl Move {
    pub fn rule(&self) -> &str {
        self.why["rule"].as_str().unwrap()
    }

    pub fn text(&self, key: &str) -> &str {
        self.why[key].as_str().unwrap()
    }

    pub fn has(&self, key: &str) -> bool {
        self.why.get(key).is_some()
    }

    pub fn num(&self, key: &str) -> i128 {
        match &self.why[key] {
            Value::String(text) => steps(text),
            number => number.as_i64().unwrap_or_else(|| panic!("no {key} in {self:?}")).into(),
        }
    }

    pub fn rate(&self, key: &str) -> i128 {
        rate(self.text(key)).unwrap()
    }

    /// The buyer where no generation is named.
    pub fn generation(&self) -> usize {
        self.why["generation"].as_u64().unwrap_or(0) as usize
    }

    pub fn member(&self) -> &str {
        [&self.from, &self.to].iter().find_map(|a| a.strip_prefix("member/")).unwrap_or("")
    }

    pub fn is_sale(&self) -> bool {
        let by = if self.rule() == "debt.netted" { self.text("from") } else { self.rule() };
        ["growth.redeemed", "growth.forced_exit", "growth.dust_sold"].contains(&by)
    }

    pub fn goes(&self, from: &str, to: &str) -> bool {
        self.from.starts_with(from) && self.to.starts_with(to)
    }

    pub fn must_be(&self, expected: i128) -> Checked {
        self.same("amount", self.steps, expected)
    }

    pub fn same<T: PartialEq + std::fmt::Debug>(
        &self,
        what: &str,
        found: T,
        expected: T,
    ) -> Checked {
        if found == expected {
            return Ok(());
        }
        Err(format!("{what}: found {found:?}, computed {expected:?}: {self:?}"))
    }
}

pub fn moves(postings: &[Value]) -> Result<Vec<Move>, String> {
    let text = |posting: &Value, key: &str| posting[key].as_str().unwrap().to_owned();
    let mut moves = Vec::new();
    let mut rest = postings.iter();
    while let Some(posting) = rest.next() {
        let (account, unit, why) =
            (text(posting, "account"), text(posting, "unit"), posting["why"].clone());
        let amount = steps(&text(posting, "amount"));
        let other = match why["rule"].as_str().unwrap() {
            "settle.other_side" => {
                moves.push(Move { from: String::new(), to: account, unit, steps: amount, why });
                continue;
            }
            "dividend.paid" if unit == "cash" => format!("carry/{}", text(&why, "dividend")),
            rule if rule == "dividend.paid" || rule.starts_with("release.") => "issuance".into(),
            _ => {
                let beside = rest.next().ok_or("a posting alone")?;
                let matches = beside["why"] == why
                    && text(beside, "unit") == unit
                    && steps(&text(beside, "amount")) == -amount;
                matches.then(|| text(beside, "account")).ok_or_else(|| format!("{beside} alone"))?
            }
        };
        let (from, to) = if amount < 0 { (account, other) } else { (other, account) };
        moves.push(Move { from, to, unit, steps: amount.abs(), why });
    }
    Ok(moves)
}
