use std::collections::BTreeSet;

use ledger::{Micro, Rate};

use super::node::Node;
use super::{Dividend, Fault, Growth, Programme, Release, Split, Team, Tier};

/// The rules between parameters (spec, section 3, "A programme is refused when"). A rule that needs
/// a parameter which could not be read is not applied: it would judge a number nobody wrote.
pub fn check(programme: &Programme, root: &Node, unreadable: &[Fault]) -> Vec<Fault> {
    let mut checker = Checker { root, unreadable, faults: Vec::new() };
    if programme.concession > Rate::ONE {
        checker.fault("order.concession", "must be at most 100 %");
    }
    if let Some(growth) = &programme.growth {
        checker.growth(growth);
    }
    let share_is_free = programme.share.as_ref().is_some_and(|share| share.per.is_zero());
    if share_is_free && checker.can_read(&["share.per"]) {
        checker.fault("share.per", "must be above 0");
    }
    checker.funding(programme);
    checker.unique_names("dividend", programme.dividends.iter().map(|d| d.name.as_str()));
    for (i, dividend) in programme.dividends.iter().enumerate() {
        checker.dividend(&format!("dividend[{}]", i + 1), dividend);
    }
    if let Some(release) = &programme.release {
        checker.release(release);
    }
    checker.faults
}

struct Checker<'a> {
    root: &'a Node,
    /// What reading found wrong.
    unreadable: &'a [Fault],
    faults: Vec<Fault>,
}

impl Checker<'_> {
    /// Whether all parameters under these keys could be read.
    fn can_read(&self, keys: &[&str]) -> bool {
        let is_under = |fault: &Fault, key: &&str| {
            fault
                .key
                .strip_prefix(*key)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        !self.unreadable.iter().any(|fault| keys.iter().any(|key| is_under(fault, key)))
    }

    /// Whether the rows at index `i` and the one after it could be read.
    fn can_read_pair(&self, path: &str, i: usize) -> bool {
        self.can_read(&[&format!("{path}[{}]", i + 1), &format!("{path}[{}]", i + 2)])
    }

    fn fault(&mut self, key: &str, reason: impl Into<String>) {
        let line = self.root.nearest(key).line;
        self.faults.push(Fault { line, key: key.to_owned(), reason: reason.into() });
    }

    fn growth(&mut self, growth: &Growth) {
        let granted = sum(std::iter::once(growth.buyer).chain(growth.sponsors.iter().copied()));
        if granted.is_none_or(|rate| rate > Rate::ONE) {
            let granted = granted.map_or("more than fits in 64 bits".to_owned(), |r| r.to_string());
            self.fault(
                "growth.grants",
                format!(
                    "grants {granted} of the contribution: the price could fall; at most 100 %"
                ),
            );
        }
        if growth.issue_price.is_zero() && self.can_read(&["growth.issue_price"]) {
            self.fault("growth.issue_price", "must be above 0");
        }
        for (key, fee) in
            [("growth.redeem_fee", growth.redeem_fee), ("growth.exchange_fee", growth.exchange_fee)]
        {
            if fee >= Rate::ONE {
                self.fault(key, format!("is {fee}: a fee must be below 100 %"));
            }
        }
    }

    fn funding(&mut self, programme: &Programme) {
        // A rate that could not be read counts as nothing: what is too much without it is too much.
        if !self.can_read(&["order.concession"]) {
            return;
        }
        let contribution = programme.growth.as_ref().map(|g| g.contribution);
        let needed =
            sum(contribution.into_iter().chain(programme.dividends.iter().map(|d| d.rate)));
        if needed.is_none_or(|rate| rate > programme.concession) {
            let needed = needed.map_or("more than fits in 64 bits".to_owned(), |r| r.to_string());
            let key = if programme.growth.is_some() { "growth.contribution" } else { "dividend" };
            self.fault(
                key,
                format!(
                    "is unfunded: contribution and dividends take {needed}, order.concession gives {}",
                    programme.concession
                ),
            );
        }
    }

    fn dividend(&mut self, path: &str, dividend: &Dividend) {
        let Split::Tiers { of_pool, tiers, .. } = &dividend.split else {
            return;
        };
        self.unique_names(&format!("{path}.tiers"), tiers.iter().map(|t| t.name.as_str()));
        let (limit, what) =
            if *of_pool { (Rate::ONE, "the pool") } else { (dividend.rate, "the dividend's rate") };
        let given = sum(tiers.iter().map(|t| t.rate));
        let has_limit = *of_pool || self.can_read(&[&format!("{path}.rate")]);
        if has_limit && given.is_none_or(|rate| rate > limit) {
            let given = given.map_or("more than fits in 64 bits".to_owned(), |r| r.to_string());
            self.fault(
                &format!("{path}.tiers"),
                format!("add up to {given}: more than {what}, {limit}"),
            );
        }
        for (i, tier) in tiers.iter().enumerate() {
            let key = format!("{path}.tiers[{}]", i + 1);
            if tier.max.is_some_and(|max| max < tier.min) {
                self.fault(&format!("{key}.max"), "is below min");
            }
            if let Some(below) = i.checked_sub(1).and_then(|i| tiers.get(i)) {
                self.tier_above(&format!("{path}.tiers"), i, tier, below);
            }
        }
    }

    fn tier_above(&mut self, path: &str, i: usize, tier: &Tier, below: &Tier) {
        let key = format!("{path}[{}]", i + 1);
        if !self.can_read(&[&key, &format!("{path}[{i}]")]) {
            return;
        }
        let top: Micro = below.max.map_or(below.min, |max| max.max(below.min));
        if tier.min <= below.min {
            self.fault(
                &format!("{key}.min"),
                format!("does not ascend: {} comes before", below.min),
            );
        } else if tier.min <= top {
            self.fault(
                &format!("{key}.min"),
                format!("overlaps the tier below, which reaches {top}"),
            );
        }
    }

    fn release(&mut self, release: &Release) {
        self.unique_names("release.packages", release.packages.iter().map(|p| p.name.as_str()));
        for (i, pair) in release.packages.windows(2).enumerate() {
            if let [below, above] = pair
                && above.price <= below.price
                && self.can_read_pair("release.packages", i)
            {
                self.fault(
                    &format!("release.packages[{}].price", i + 2),
                    format!("does not ascend: {} comes before", below.price),
                );
            }
        }
        if let Some(team) = &release.team {
            self.team(team);
        }
    }

    fn team(&mut self, team: &Team) {
        self.unique_names("release.team.stars", team.stars.iter().map(|s| s.name.as_str()));
        for (i, pair) in team.stars.windows(2).enumerate() {
            let [below, above] = pair else { continue };
            if !self.can_read_pair("release.team.stars", i) {
                continue;
            }
            let key = format!("release.team.stars[{}]", i + 2);
            if above.volume <= below.volume {
                self.fault(
                    &format!("{key}.volume"),
                    format!("does not ascend: {} comes before", below.volume),
                );
            }
            if above.rate <= below.rate {
                self.fault(
                    &format!("{key}.rate"),
                    format!("does not ascend: {} comes before", below.rate),
                );
            }
        }
    }

    fn unique_names<'n>(&mut self, path: &str, names: impl Iterator<Item = &'n str>) {
        let mut seen = BTreeSet::new();
        for (i, name) in names.enumerate() {
            if !name.trim().is_empty() && !seen.insert(name) {
                self.fault(&format!("{path}[{}].name", i + 1), format!("\"{name}\" is used twice"));
            }
        }
    }
}

fn sum(mut rates: impl Iterator<Item = Rate>) -> Option<Rate> {
    rates.try_fold(Rate::ZERO, |sum, rate| sum.plus(rate).ok())
}
