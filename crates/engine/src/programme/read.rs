use std::collections::BTreeSet;

use ledger::{Amount, Rate};

use super::node::{Node, Value};
use super::{
    Dividend, Fault, Growth, Package, Programme, Quota, Release, Reward, Share, Split, Star, Team,
    Tier,
};

/// Reads the tree of a programme file. What cannot be read is a fault and becomes its default, so
/// that all faults are found in one go.
pub fn programme(root: &Node) -> (Programme, Vec<Fault>) {
    let mut faults = Vec::new();
    let mut file = Table::root(root, &mut faults);
    let name = file.name("name");
    let concession = file
        .optional("order")
        .map_or(Rate::ONE, |mut order| order.finish(|t| t.rate("concession", Some("100%"))));
    let growth = file.optional("growth").map(|mut t| t.finish(growth));
    let quota = file.optional("quota").map(|mut t| t.finish(quota));
    let share = file.optional("share").map(|mut t| t.finish(share));
    let dividends = file.list("dividend", dividend);
    let release = file.optional("release").map(|mut t| t.finish(release));
    let reward = file
        .optional("reward")
        .map_or(Reward { usage: Rate::ZERO, convert: false }, |mut t| t.finish(reward));
    file.refuse_unknown_keys();
    (Programme { name, concession, growth, quota, share, dividends, release, reward }, faults)
}

fn growth(t: &mut Table<'_, '_>) -> Growth {
    let (buyer, sponsors) = t.optional("grants").map_or_else(
        || (Rate::ZERO, Vec::new()),
        |mut grants| grants.finish(|g| (g.rate("buyer", Some("0%")), g.rates("sponsors", &[]))),
    );
    Growth {
        contribution: t.rate("contribution", Some("30%")),
        issue_price: t.amount("issue_price", Some("1.00")),
        issue_cap: t.optional_amount("issue_cap"),
        redeem_fee: t.rate("redeem_fee", Some("0%")),
        exchange_fee: t.rate("exchange_fee", Some("0%")),
        forced_exit: t.boolean("forced_exit", true),
        buyer,
        sponsors,
    }
}

fn quota(t: &mut Table<'_, '_>) -> Quota {
    Quota { buyer: t.rate("buyer", Some("200%")), sponsors: t.rates("sponsors", &[]) }
}

fn share(t: &mut Table<'_, '_>) -> Share {
    Share { per: t.amount("per", Some("1000.00")), sponsors: t.rates("sponsors", &[]) }
}

fn dividend(t: &mut Table<'_, '_>) -> Dividend {
    let name = t.name("name");
    let rate = t.rate("rate", None);
    let tiers = t.list("tiers", |t| Tier {
        name: t.name("name"),
        min: t.amount("min", None),
        max: t.optional_amount("max"),
        rate: t.rate("rate", None),
    });
    let by_tiers = t.choice("split", ["pro_rata", "tiers"]) == 1;
    let all = t.choice("weights", ["active", "all"]) == 1;
    let of_pool = t.choice("rate_of", ["turnover", "pool"]) == 1;
    let by_shares = t.choice("within", ["equal", "pro_rata"]) == 1;
    let carry = t.choice("undistributed", ["platform", "carry"]) == 1;
    let split = if by_tiers {
        Split::Tiers { of_pool, by_shares, tiers }
    } else {
        if !tiers.is_empty() {
            t.fault("tiers", "has no effect with split = \"pro_rata\"; use split = \"tiers\"");
        }
        Split::ProRata { all }
    };
    Dividend { name, rate, split, carry }
}

fn release(t: &mut Table<'_, '_>) -> Release {
    Release {
        daily: t.rate("daily", Some("1.2%")),
        generations: t.rates("generations", &["50%", "30%"]),
        packages: t.list("packages", |t| Package {
            name: t.name("name"),
            price: t.amount::<2>("price", None),
            multiple: t.rate("multiple", None),
        }),
        team: t.optional("team").map(|mut t| t.finish(team)),
    }
}

fn team(t: &mut Table<'_, '_>) -> Team {
    Team {
        peer: t.rate("peer", Some("3%")),
        peer_depth: t.count("peer_depth", 1),
        cash_only: t.choice("count", ["total", "cash"]) == 1,
        stars: t.list("stars", |t| Star {
            name: t.name("name"),
            volume: t.amount::<2>("volume", None),
            rate: t.rate("rate", None),
        }),
    }
}

fn reward(t: &mut Table<'_, '_>) -> Reward {
    Reward { usage: t.rate("usage", Some("100%")), convert: t.boolean("convert", false) }
}

/// A table being read: every key that is asked for is known, what remains at the end is not.
struct Table<'n, 'f> {
    path: String,
    line: Option<u32>,
    entries: &'n [(String, Node)],
    known: BTreeSet<&'static str>,
    faults: &'f mut Vec<Fault>,
}

impl<'n> Table<'n, '_> {
    fn root<'f>(node: &'n Node, faults: &'f mut Vec<Fault>) -> Table<'n, 'f> {
        Table::new(String::new(), node, faults)
    }

    fn new<'f>(path: String, node: &'n Node, faults: &'f mut Vec<Fault>) -> Table<'n, 'f> {
        let mut table =
            Table { path, line: node.line, entries: &[], known: BTreeSet::new(), faults };
        match &node.value {
            Value::Table(entries) => table.entries = entries,
            other => {
                let reason = format!("must be a table, not {}", kind(other));
                table.faults.push(Fault { line: node.line, key: table.path.clone(), reason });
            }
        }
        table
    }

    /// Reads the table with `read` and refuses the keys that were not asked for.
    fn finish<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let value = read(self);
        self.refuse_unknown_keys();
        value
    }

    fn refuse_unknown_keys(&mut self) {
        let entries = self.entries;
        for (key, node) in entries.iter().filter(|(k, _)| !self.known.contains(k.as_str())) {
            let known = self.known.iter().copied().collect::<Vec<_>>().join(", ");
            self.faults.push(Fault {
                line: node.line,
                key: self.key(key),
                reason: format!("is an unknown key; known here: {known}"),
            });
        }
    }

    fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn find(&mut self, key: &'static str) -> Option<&'n Node> {
        self.known.insert(key);
        self.entries.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    fn fault(&mut self, key: &str, reason: impl Into<String>) {
        let line =
            self.entries.iter().find(|(name, _)| name == key).map_or(self.line, |(_, n)| n.line);
        let key = self.key(key);
        self.faults.push(Fault { line, key, reason: reason.into() });
    }

    fn optional(&mut self, key: &'static str) -> Option<Table<'n, '_>> {
        let node = self.find(key)?;
        Some(Table::new(self.key(key), node, self.faults))
    }

    fn list<T>(&mut self, key: &'static str, read: fn(&mut Table<'n, '_>) -> T) -> Vec<T> {
        let Some(node) = self.find(key) else {
            return Vec::new();
        };
        let Value::Array(items) = &node.value else {
            self.fault(key, format!("must be a list of tables, not {}", kind(&node.value)));
            return Vec::new();
        };
        let path = self.key(key);
        let item =
            |(i, item)| Table::new(format!("{path}[{}]", i + 1), item, self.faults).finish(read);
        items.iter().enumerate().map(item).collect()
    }

    fn text(&mut self, key: &'static str, default: Option<&'n str>) -> Option<&'n str> {
        match self.find(key).map(|node| &node.value) {
            Some(Value::Text(text)) => Some(text),
            Some(other) => {
                let quoted = if matches!(other, Value::Integer(_) | Value::Other("a float")) {
                    "; put it in quotes"
                } else {
                    ""
                };
                self.fault(key, format!("must be a text, not {}{quoted}", kind(other)));
                None
            }
            None if default.is_some() => default,
            None => {
                self.fault(key, "is missing");
                None
            }
        }
    }

    fn name(&mut self, key: &'static str) -> String {
        let text = self.text(key, None).map(str::to_owned);
        if text.as_deref().is_some_and(|t| t.trim().is_empty()) {
            self.fault(key, "must not be empty");
        }
        text.unwrap_or_default()
    }

    fn rate(&mut self, key: &'static str, default: Option<&'static str>) -> Rate {
        let Some(text) = self.text(key, default) else {
            return Rate::ZERO;
        };
        text.parse().unwrap_or_else(|error| {
            self.fault(key, format!("is \"{text}\": {error}"));
            Rate::ZERO
        })
    }

    fn rates(&mut self, key: &'static str, default: &[&'static str]) -> Vec<Rate> {
        let node = self.find(key);
        let texts: Vec<&str> = match node.map(|node| &node.value) {
            None => default.to_vec(),
            Some(Value::Array(items)) => {
                let texts = items.iter().filter_map(|item| match &item.value {
                    Value::Text(text) => Some(text.as_str()),
                    _ => None,
                });
                let texts: Vec<_> = texts.collect();
                if texts.len() < items.len() {
                    self.fault(key, "must be a list of texts such as \"50%\"");
                }
                texts
            }
            Some(other) => {
                self.fault(key, format!("must be a list of rates, not {}", kind(other)));
                Vec::new()
            }
        };
        let mut rates = Vec::with_capacity(texts.len());
        for (i, text) in texts.into_iter().enumerate() {
            match text.parse() {
                Ok(rate) => rates.push(rate),
                Err(error) => self.fault(key, format!("has \"{text}\" at {}: {error}", i + 1)),
            }
        }
        if rates.len() > usize::from(u16::MAX) {
            self.fault(key, format!("has more than {} generations", u16::MAX));
        }
        rates
    }

    fn amount<const D: u32>(
        &mut self,
        key: &'static str,
        default: Option<&'static str>,
    ) -> Amount<D> {
        let Some(text) = self.text(key, default) else {
            return Amount::ZERO;
        };
        Amount::parse(text).unwrap_or_else(|error| {
            self.fault(key, format!("is \"{text}\": {error}"));
            Amount::ZERO
        })
    }

    fn optional_amount<const D: u32>(&mut self, key: &'static str) -> Option<Amount<D>> {
        self.find(key)?;
        Some(self.amount(key, None))
    }

    fn boolean(&mut self, key: &'static str, default: bool) -> bool {
        match self.find(key).map(|node| &node.value) {
            None => default,
            Some(Value::Boolean(yes)) => *yes,
            Some(other) => {
                self.fault(key, format!("must be true or false, not {}", kind(other)));
                default
            }
        }
    }

    fn count(&mut self, key: &'static str, default: u32) -> u32 {
        match self.find(key).map(|node| &node.value) {
            None => default,
            Some(Value::Integer(number)) => u32::try_from(*number).unwrap_or_else(|_| {
                self.fault(key, format!("is {number}: it must be between 0 and {}", u32::MAX));
                default
            }),
            Some(other) => {
                self.fault(key, format!("must be a whole number, not {}", kind(other)));
                default
            }
        }
    }

    /// The index of the chosen word; the first is the default.
    fn choice(&mut self, key: &'static str, words: [&'static str; 2]) -> usize {
        let Some(text) = self.text(key, Some(words[0])) else {
            return 0;
        };
        words.iter().position(|&word| word == text).unwrap_or_else(|| {
            self.fault(
                key,
                format!("is \"{text}\": it must be \"{}\" or \"{}\"", words[0], words[1]),
            );
            0
        })
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Text(_) => "a text",
        Value::Integer(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Table(_) => "a table",
        Value::Array(_) => "a list",
        Value::Other(name) => name,
    }
}
