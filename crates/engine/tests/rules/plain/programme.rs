//! Section 3: the programme file, its defaults and what makes it faulty.

use super::money::{self, MILLION, Outcome};
use serde_json::{Map, Value};

#[derive(Clone, Debug, Default)]
pub struct Programme {
    pub name: String,
    pub concession: i128,
    pub growth: Option<Growth>,
    pub quota: Option<Quota>,
    pub share: Option<Share>,
    pub dividends: Vec<Dividend>,
    pub release: Option<Release>,
    pub usage: i128,
    pub convert: bool,
}

#[derive(Clone, Debug)]
pub struct Growth {
    pub contribution: i128,
    pub issue_price: i128,
    pub issue_cap: Option<i128>,
    pub redeem_fee: i128,
    pub exchange_fee: i128,
    pub forced_exit: bool,
    pub buyer: i128,
    pub sponsors: Vec<i128>,
}

#[derive(Clone, Debug)]
pub struct Quota {
    pub buyer: i128,
    pub sponsors: Vec<i128>,
}

#[derive(Clone, Debug)]
pub struct Share {
    pub per: i128,
    pub sponsors: Vec<i128>,
}

#[derive(Clone, Debug)]
pub struct Dividend {
    pub name: String,
    pub rate: i128,
    pub in_tiers: bool,
    pub weights_all: bool,
    pub carry: bool,
    pub of_pool: bool,
    pub within_pro_rata: bool,
    pub tiers: Vec<Tier>,
}

#[derive(Clone, Debug)]
pub struct Tier {
    pub name: String,
    pub min: i128,
    pub max: Option<i128>,
    pub rate: i128,
}

#[derive(Clone, Debug)]
pub struct Release {
    pub daily: i128,
    pub generations: Vec<i128>,
    pub packages: Vec<Package>,
    pub team: Option<Team>,
}

#[derive(Clone, Debug)]
pub struct Package {
    pub name: String,
    pub price: i128,
    pub multiple: i128,
}

#[derive(Clone, Debug)]
pub struct Team {
    pub peer: i128,
    pub peer_depth: i128,
    pub cash_only: bool,
    pub stars: Vec<Star>,
}

#[derive(Clone, Debug)]
pub struct Star {
    pub name: String,
    pub volume: i128,
    pub rate: i128,
}

impl Programme {
    pub fn from_toml(text: &str) -> Outcome<Programme> {
        let value: Value = toml::from_str(text).map_err(|e| e.to_string())?;
        Programme::from_json(&value)
    }

    /// The first fault found is the error.
    pub fn from_json(value: &Value) -> Outcome<Programme> {
        let programme = read_programme(value)?;
        check(&programme)?;
        Ok(programme)
    }

    /// What an order must at least leave with the platform: contribution and dividends.
    pub fn needs(&self) -> i128 {
        let contribution = self.growth.as_ref().map_or(0, |g| g.contribution);
        contribution + self.dividends.iter().map(|d| d.rate).sum::<i128>()
    }

    /// *Forced exit*: points are limited by quota where there is `[quota]` and `forced_exit`.
    pub fn limited(&self) -> bool {
        self.quota.is_some() && self.growth.as_ref().is_some_and(|g| g.forced_exit)
    }
}

// ---------------------------------------------------------------- reading

fn fault<T>(key: &str, reason: &str) -> Outcome<T> {
    Err(format!("{key}: {reason}"))
}

type Table = Map<String, Value>;

fn table<'a>(value: &'a Value, at: &str, known: &[&str]) -> Outcome<&'a Table> {
    let Some(table) = value.as_object() else {
        return fault(at, "is no table");
    };
    for key in table.keys() {
        if !known.contains(&key.as_str()) {
            return fault(&format!("{at}.{key}"), "is unknown");
        }
    }
    Ok(table)
}

fn text<'a>(value: &'a Value, at: &str) -> Outcome<&'a str> {
    value.as_str().map_or_else(|| fault(at, "is no text"), Ok)
}

fn rate_or(table: &Table, key: &str, default: Option<&str>) -> Outcome<i128> {
    let text = text_or(table, key, default)?;
    if text.starts_with('-') {
        return fault(key, "is negative");
    }
    money::rate(&text).or_else(|_| fault(key, "is no rate"))
}

fn amount_or(table: &Table, key: &str, default: Option<&str>, decimals: usize) -> Outcome<i128> {
    let text = text_or(table, key, default)?;
    money::amount(&text, decimals).or_else(|_| fault(key, "is no amount"))
}

fn text_or(table: &Table, key: &str, default: Option<&str>) -> Outcome<String> {
    match (table.get(key), default) {
        (Some(value), _) => Ok(text(value, key)?.to_string()),
        (None, Some(default)) => Ok(default.to_string()),
        (None, None) => fault(key, "is missing"),
    }
}

fn flag_or(table: &Table, key: &str, default: bool) -> Outcome<bool> {
    match table.get(key) {
        Some(value) => value.as_bool().map_or_else(|| fault(key, "is no true or false"), Ok),
        None => Ok(default),
    }
}

/// One of two words; true when it is the second.
fn choice(table: &Table, key: &str, first: &str, second: &str) -> Outcome<bool> {
    let word = text_or(table, key, Some(first))?;
    if word != first && word != second {
        return fault(key, "is neither of its two words");
    }
    Ok(word == second)
}

fn rates_or(table: &Table, key: &str, default: &[&str]) -> Outcome<Vec<i128>> {
    let Some(value) = table.get(key) else {
        return default.iter().map(|t| money::rate(t)).collect();
    };
    let Some(list) = value.as_array() else {
        return fault(key, "is no list");
    };
    list.iter().map(|v| money::rate(text(v, key)?).or_else(|_| fault(key, "is no rate"))).collect()
}

fn list<'a>(table: &'a Table, key: &str) -> Outcome<&'a [Value]> {
    match table.get(key) {
        None => Ok(&[]),
        Some(value) => match value.as_array() {
            Some(list) => Ok(list),
            None => fault(key, "is no list of tables"),
        },
    }
}

fn read_programme(value: &Value) -> Outcome<Programme> {
    let known = ["name", "order", "growth", "quota", "share", "dividend", "release", "reward"];
    let file = table(value, "programme", &known)?;
    let mut programme = Programme {
        name: text_or(file, "name", None)?,
        concession: MILLION,
        usage: 0,
        ..Programme::default()
    };
    if let Some(value) = file.get("order") {
        let order = table(value, "order", &["concession"])?;
        programme.concession = rate_or(order, "concession", Some("100%"))?;
    }
    if let Some(value) = file.get("growth") {
        programme.growth = Some(read_growth(value)?);
    }
    if let Some(value) = file.get("quota") {
        let quota = table(value, "quota", &["buyer", "sponsors"])?;
        programme.quota = Some(Quota {
            buyer: rate_or(quota, "buyer", Some("200%"))?,
            sponsors: rates_or(quota, "sponsors", &[])?,
        });
    }
    if let Some(value) = file.get("share") {
        let share = table(value, "share", &["per", "sponsors"])?;
        programme.share = Some(Share {
            per: amount_or(share, "per", Some("1000.00"), 2)?,
            sponsors: rates_or(share, "sponsors", &[])?,
        });
    }
    for value in list(file, "dividend")? {
        programme.dividends.push(read_dividend(value)?);
    }
    if let Some(value) = file.get("release") {
        programme.release = Some(read_release(value)?);
    }
    if let Some(value) = file.get("reward") {
        let reward = table(value, "reward", &["usage", "convert"])?;
        programme.usage = rate_or(reward, "usage", Some("100%"))?;
        programme.convert = flag_or(reward, "convert", false)?;
    }
    Ok(programme)
}

fn read_growth(value: &Value) -> Outcome<Growth> {
    let known = [
        "contribution",
        "issue_price",
        "issue_cap",
        "redeem_fee",
        "exchange_fee",
        "forced_exit",
        "grants",
    ];
    let growth = table(value, "growth", &known)?;
    let nothing = Value::Object(Map::new());
    let grants =
        table(growth.get("grants").unwrap_or(&nothing), "growth.grants", &["buyer", "sponsors"])?;
    let issue_cap = match growth.get("issue_cap") {
        Some(_) => Some(amount_or(growth, "issue_cap", None, 6)?),
        None => None,
    };
    Ok(Growth {
        contribution: rate_or(growth, "contribution", Some("30%"))?,
        issue_price: amount_or(growth, "issue_price", Some("1.00"), 2)?,
        issue_cap,
        redeem_fee: rate_or(growth, "redeem_fee", Some("0%"))?,
        exchange_fee: rate_or(growth, "exchange_fee", Some("0%"))?,
        forced_exit: flag_or(growth, "forced_exit", true)?,
        buyer: rate_or(grants, "buyer", Some("0%"))?,
        sponsors: rates_or(grants, "sponsors", &[])?,
    })
}

fn read_dividend(value: &Value) -> Outcome<Dividend> {
    let known = ["name", "rate", "split", "weights", "undistributed", "rate_of", "within", "tiers"];
    let dividend = table(value, "dividend", &known)?;
    let mut tiers = Vec::new();
    for value in list(dividend, "tiers")? {
        let tier = table(value, "dividend.tiers", &["name", "min", "max", "rate"])?;
        let max = match tier.get("max") {
            Some(_) => Some(amount_or(tier, "max", None, 6)?),
            None => None,
        };
        tiers.push(Tier {
            name: text_or(tier, "name", None)?,
            min: amount_or(tier, "min", None, 6)?,
            max,
            rate: rate_or(tier, "rate", None)?,
        });
    }
    Ok(Dividend {
        name: text_or(dividend, "name", None)?,
        rate: rate_or(dividend, "rate", None)?,
        in_tiers: choice(dividend, "split", "pro_rata", "tiers")?,
        weights_all: choice(dividend, "weights", "active", "all")?,
        carry: choice(dividend, "undistributed", "platform", "carry")?,
        of_pool: choice(dividend, "rate_of", "turnover", "pool")?,
        within_pro_rata: choice(dividend, "within", "equal", "pro_rata")?,
        tiers,
    })
}

fn read_release(value: &Value) -> Outcome<Release> {
    let release = table(value, "release", &["daily", "generations", "packages", "team"])?;
    let mut packages = Vec::new();
    for value in list(release, "packages")? {
        let package = table(value, "release.packages", &["name", "price", "multiple"])?;
        packages.push(Package {
            name: text_or(package, "name", None)?,
            price: amount_or(package, "price", None, 2)?,
            multiple: rate_or(package, "multiple", None)?,
        });
    }
    let team = match release.get("team") {
        Some(value) => Some(read_team(value)?),
        None => None,
    };
    Ok(Release {
        daily: rate_or(release, "daily", Some("1.2%"))?,
        generations: rates_or(release, "generations", &["50%", "30%"])?,
        packages,
        team,
    })
}

fn read_team(value: &Value) -> Outcome<Team> {
    let team = table(value, "release.team", &["peer", "peer_depth", "count", "stars"])?;
    let mut stars = Vec::new();
    for value in list(team, "stars")? {
        let star = table(value, "release.team.stars", &["name", "volume", "rate"])?;
        stars.push(Star {
            name: text_or(star, "name", None)?,
            volume: amount_or(star, "volume", None, 2)?,
            rate: rate_or(star, "rate", None)?,
        });
    }
    let peer_depth = match team.get("peer_depth") {
        None => 1,
        Some(value) => match value.as_u64() {
            Some(depth) => depth as i128,
            None => return fault("peer_depth", "is no whole number from 0"),
        },
    };
    Ok(Team {
        peer: rate_or(team, "peer", Some("3%"))?,
        peer_depth,
        cash_only: choice(team, "count", "total", "cash")?,
        stars,
    })
}

// ---------------------------------------------------------------- checking

fn check(programme: &Programme) -> Outcome<()> {
    check_names("name", &[&programme.name])?;
    if programme.concession > MILLION {
        return fault("order.concession", "is above 100 %");
    }
    if let Some(growth) = &programme.growth {
        check_growth(growth)?;
    }
    if programme.share.as_ref().is_some_and(|s| s.per == 0) {
        return fault("share.per", "is 0");
    }
    if programme.needs() > programme.concession {
        return fault("order.concession", "does not fund contribution and dividends");
    }
    check_names(
        "dividend.name",
        &programme.dividends.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(),
    )?;
    for dividend in &programme.dividends {
        check_tiers(dividend)?;
    }
    if let Some(release) = &programme.release {
        check_release(release)?;
    }
    Ok(())
}

fn check_names(key: &str, names: &[&str]) -> Outcome<()> {
    for (i, name) in names.iter().enumerate() {
        if name.is_empty() {
            return fault(key, "is empty");
        }
        if names[..i].contains(name) {
            return fault(key, "is used twice");
        }
    }
    Ok(())
}

fn check_growth(growth: &Growth) -> Outcome<()> {
    if growth.buyer + growth.sponsors.iter().sum::<i128>() > MILLION {
        return fault("growth.grants", "the price could fall");
    }
    if growth.redeem_fee >= MILLION {
        return fault("growth.redeem_fee", "is 100 % or more");
    }
    if growth.exchange_fee >= MILLION {
        return fault("growth.exchange_fee", "is 100 % or more");
    }
    if growth.issue_price == 0 {
        return fault("growth.issue_price", "is 0");
    }
    Ok(())
}

fn check_tiers(dividend: &Dividend) -> Outcome<()> {
    check_names(
        "dividend.tiers.name",
        &dividend.tiers.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(),
    )?;
    let most = if dividend.of_pool { MILLION } else { dividend.rate };
    if dividend.tiers.iter().map(|t| t.rate).sum::<i128>() > most {
        return fault("dividend.tiers.rate", "adds up to more than the pool");
    }
    if dividend.tiers.iter().any(|t| t.max.is_some_and(|max| max < t.min)) {
        return fault("dividend.tiers.max", "is below min");
    }
    for pair in dividend.tiers.windows(2) {
        if pair[1].min <= pair[0].max.unwrap_or(pair[0].min) {
            return fault("dividend.tiers.min", "overlaps or does not ascend");
        }
    }
    Ok(())
}

fn check_release(release: &Release) -> Outcome<()> {
    check_names(
        "release.packages.name",
        &release.packages.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(),
    )?;
    if release.packages.windows(2).any(|pair| pair[1].price <= pair[0].price) {
        return fault("release.packages.price", "does not ascend");
    }
    let Some(team) = &release.team else {
        return Ok(());
    };
    check_names(
        "release.team.stars.name",
        &team.stars.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
    )?;
    if team
        .stars
        .windows(2)
        .any(|pair| pair[1].volume <= pair[0].volume || pair[1].rate <= pair[0].rate)
    {
        return fault("release.team.stars", "do not ascend in volume and rate");
    }
    Ok(())
}
