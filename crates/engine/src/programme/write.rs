//! A programme as JSON: the keys and texts of the file, with every default written out.

use serde_json::{Map, Value, json};

use ledger::Rate;

use super::{Dividend, Growth, Programme, Release, Split, Team};

impl Programme {
    /// The programme as JSON, which [`Programme::from_json`] reads back as the same.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut file = Map::new();
        file.insert("name".into(), json!(self.name));
        file.insert("order".into(), json!({ "concession": self.concession }));
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                file.insert(key.into(), value);
            }
        };
        put("growth", self.growth.as_ref().map(growth));
        put("quota", self.quota.as_ref().map(|q| grants(q.buyer, &q.sponsors)));
        put("share", self.share.as_ref().map(|s| json!({ "per": s.per, "sponsors": s.sponsors })));
        let dividends: Vec<_> = self.dividends.iter().map(dividend).collect();
        put("dividend", Some(dividends.into()));
        put("release", self.release.as_ref().map(release));
        let reward = json!({ "usage": self.reward.usage, "convert": self.reward.convert });
        put("reward", Some(reward));
        Value::Object(file)
    }
}

fn grants(buyer: Rate, sponsors: &[Rate]) -> Value {
    json!({ "buyer": buyer, "sponsors": sponsors })
}

fn growth(growth: &Growth) -> Value {
    let mut table = json!({
        "contribution": growth.contribution,
        "issue_price": growth.issue_price,
        "redeem_fee": growth.redeem_fee,
        "exchange_fee": growth.exchange_fee,
        "forced_exit": growth.forced_exit,
        "grants": grants(growth.buyer, &growth.sponsors),
    });
    if let Some(cap) = growth.issue_cap {
        table["issue_cap"] = json!(cap);
    }
    table
}

fn dividend(dividend: &Dividend) -> Value {
    let mut table = json!({
        "name": dividend.name,
        "rate": dividend.rate,
        "undistributed": if dividend.carry { "carry" } else { "platform" },
    });
    match &dividend.split {
        Split::ProRata { all } => {
            table["split"] = json!("pro_rata");
            table["weights"] = json!(if *all { "all" } else { "active" });
        }
        Split::Tiers { of_pool, by_shares, tiers } => {
            table["split"] = json!("tiers");
            table["rate_of"] = json!(if *of_pool { "pool" } else { "turnover" });
            table["within"] = json!(if *by_shares { "pro_rata" } else { "equal" });
            let tiers = tiers.iter().map(|tier| {
                let mut row = json!({ "name": tier.name, "min": tier.min, "rate": tier.rate });
                if let Some(max) = tier.max {
                    row["max"] = json!(max);
                }
                row
            });
            table["tiers"] = tiers.collect();
        }
    }
    table
}

fn release(release: &Release) -> Value {
    let packages = release.packages.iter().map(|package| {
        json!({ "name": package.name, "price": package.price, "multiple": package.multiple })
    });
    let mut table = json!({
        "daily": release.daily,
        "generations": release.generations,
        "packages": packages.collect::<Vec<_>>(),
    });
    if let Some(team) = &release.team {
        table["team"] = self::team(team);
    }
    table
}

fn team(team: &Team) -> Value {
    let stars = team
        .stars
        .iter()
        .map(|star| json!({ "name": star.name, "volume": star.volume, "rate": star.rate }));
    json!({
        "peer": team.peer,
        "peer_depth": team.peer_depth,
        "count": if team.cash_only { "cash" } else { "total" },
        "stars": stars.collect::<Vec<_>>(),
    })
}
