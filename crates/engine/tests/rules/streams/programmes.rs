//! Random programmes, as JSON: valid ones of all kinds, and faulty ones.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// Parts per million.
type Ppm = u64;
const ALL: Ppm = 1_000_000;

/// A rate as text, as percent or as a multiple.
fn rate_text(ppm: Ppm) -> String {
    if ppm % 3 == 1 {
        return trim(format!("{}.{:06}", ppm / ALL, ppm % ALL), "x");
    }
    trim(format!("{}.{:04}", ppm / 10_000, ppm % 10_000), "%")
}

fn trim(number: String, suffix: &str) -> String {
    format!("{}{suffix}", number.trim_end_matches('0').trim_end_matches('.'))
}

fn one_of(choices: &[&str]) -> BoxedStrategy<Value> {
    select(choices.iter().map(|c| json!(c)).collect::<Vec<Value>>()).boxed()
}

/// A value, or the key left out.
fn perhaps(weight: f64, value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    prop::option::weighted(weight, value).prop_map(|v| v.unwrap_or(Value::Null)).boxed()
}

/// A table of the keys that have a value.
fn table(entries: Vec<(&str, Value)>) -> Value {
    let kept = entries.into_iter().filter(|(_, v)| !v.is_null());
    Value::Object(kept.map(|(k, v)| (k.to_string(), v)).collect::<Map<_, _>>())
}

/// `count` parts that add up to at most `whole`, some of them 0, often to exactly the whole.
fn parts(whole: Ppm, weights: &[u64], spare: u64) -> Vec<Ppm> {
    let sum: u64 = weights.iter().sum::<u64>() + spare;
    weights.iter().map(|w| (whole * w).checked_div(sum).unwrap_or(0)).collect()
}

fn weights(count: std::ops::RangeInclusive<usize>) -> BoxedStrategy<Vec<u64>> {
    prop::collection::vec(prop_oneof![1 => Just(0), 6 => 1_u64..10], count).boxed()
}

fn spare() -> BoxedStrategy<u64> {
    prop_oneof![2 => Just(0), 3 => 1_u64..10].boxed()
}

fn rates(
    values: &'static [&'static str],
    count: std::ops::RangeInclusive<usize>,
) -> BoxedStrategy<Value> {
    prop::collection::vec(one_of(values), count).prop_map(Value::Array).boxed()
}

/// Any valid programme.
pub fn valid() -> BoxedStrategy<Value> {
    let funds = (weights(1..=4), spare(), select(vec![ALL, 900_000, 500_001, 333_333, 1_000]));
    let tables = (
        prop::option::weighted(0.75, growth()),
        perhaps(0.7, quota()),
        perhaps(0.65, share()),
        prop::option::weighted(0.6, prop::collection::vec(dividend(), 1..=3)),
        perhaps(0.6, release()),
        perhaps(0.6, reward()),
    );
    (funds, tables, 0_u8..4, one_of(&["红酒商城", "plain", "循环购"]))
        .prop_map(|((weights, spare, whole), tables, order, name)| {
            let rates = parts(whole, &weights, spare);
            let (growth, quota, share, dividends, release, reward) = tables;
            let growth = growth.map(|g| with_contribution(g, rates[0]));
            let dividends = dividends.unwrap_or_default().into_iter().enumerate();
            let dividends: Vec<Value> =
                dividends.map(|(i, make)| make.build(i, *rates.get(i + 1).unwrap_or(&0))).collect();
            let taken: Ppm = rates.iter().sum();
            let concession = match order {
                0 => Value::Null,
                1 => json!({}),
                2 => json!({"concession": rate_text(taken)}),
                _ => json!({"concession": rate_text(taken + (ALL - taken) / 2)}),
            };
            table(vec![
                ("name", name),
                ("order", concession),
                ("growth", growth.unwrap_or(Value::Null)),
                ("quota", quota),
                ("share", share),
                (
                    "dividend",
                    if dividends.is_empty() { Value::Null } else { Value::Array(dividends) },
                ),
                ("release", release),
                ("reward", reward),
            ])
        })
        .prop_filter("a default contribution may be unfunded", |p| {
            crate::plain::programme::Programme::from_json(p).is_ok()
        })
        .boxed()
}

fn with_contribution(mut growth: Value, rate: Ppm) -> Value {
    growth["contribution"] = json!(rate_text(rate));
    growth
}

fn growth() -> BoxedStrategy<Value> {
    let fees = &["0%", "10%", "10%", "3.3333%", "50%", "99.9999%", "0.0001%"];
    let grants = (weights(1..=5), spare()).prop_map(|(weights, spare)| {
        let rates: Vec<Value> =
            parts(ALL, &weights, spare).into_iter().map(|r| json!(rate_text(r))).collect();
        json!({"buyer": rates[0], "sponsors": rates[1..]})
    });
    (
        perhaps(0.7, one_of(&["1.00", "1.00", "0.01", "0.37", "5.00", "100.00"])),
        perhaps(0.3, one_of(&["5", "50", "300.5", "1000", "5000", "100000000", "0"])),
        perhaps(0.7, one_of(fees)),
        perhaps(0.5, one_of(fees)),
        perhaps(0.5, select(vec![json!(true), json!(true), json!(false)]).boxed()),
        perhaps(0.9, grants.boxed()),
    )
        .prop_map(|(price, cap, redeem, exchange, forced, grants)| {
            table(vec![
                ("issue_price", price),
                ("issue_cap", cap),
                ("redeem_fee", redeem),
                ("exchange_fee", exchange),
                ("forced_exit", forced),
                ("grants", grants),
            ])
        })
        .boxed()
}

fn quota() -> BoxedStrategy<Value> {
    let buyer =
        one_of(&["20%", "25%", "33.3333%", "50%", "70%", "100%", "200%", "200%", "2.5x", "0%"]);
    let sponsors = rates(&["0%", "1%", "5%", "20%", "50%"], 0..=3);
    (perhaps(0.85, buyer), perhaps(0.7, sponsors))
        .prop_map(|(buyer, sponsors)| table(vec![("buyer", buyer), ("sponsors", sponsors)]))
        .boxed()
}

fn share() -> BoxedStrategy<Value> {
    let per = one_of(&["1000.00", "100.00", "10.00", "1.00", "0.03", "7.77"]);
    let sponsors = rates(&["0%", "10%", "33.3333%", "100%", "1.5x"], 0..=3);
    (perhaps(0.9, per), perhaps(0.7, sponsors))
        .prop_map(|(per, sponsors)| table(vec![("per", per), ("sponsors", sponsors)]))
        .boxed()
}

/// All of a dividend but its name and rate.
#[derive(Clone, Debug)]
struct DividendKind {
    split: Value,
    weights: Value,
    undistributed: Value,
    rate_of: Value,
    within: Value,
    /// Steps between the bounds in micro-shares, and whether `max` is given and touches the next.
    bounds: Vec<(u64, u64, u8)>,
    tier_weights: Vec<u64>,
    spare: u64,
}

fn dividend() -> BoxedStrategy<DividendKind> {
    let step = || select(vec![0, 1, 500_000, 1_000_000, 3_000_000, 20_000_000]);
    let width = || select(vec![0, 1, 1_000_000, 5_000_000, 50_000_000]);
    (
        perhaps(0.8, one_of(&["pro_rata", "tiers", "tiers"])),
        perhaps(0.6, one_of(&["active", "all"])),
        perhaps(0.6, one_of(&["platform", "carry", "carry"])),
        perhaps(0.7, one_of(&["turnover", "pool"])),
        perhaps(0.6, one_of(&["equal", "pro_rata"])),
        prop::collection::vec((step(), width(), 0_u8..3), 1..=4),
        weights(4..=4),
        spare(),
    )
        .prop_map(
            |(split, weights, undistributed, rate_of, within, bounds, tier_weights, spare)| {
                DividendKind {
                    split,
                    weights,
                    undistributed,
                    rate_of,
                    within,
                    bounds,
                    tier_weights,
                    spare,
                }
            },
        )
        .boxed()
}

impl DividendKind {
    fn build(self, i: usize, rate: Ppm) -> Value {
        let whole = if self.rate_of == json!("pool") { ALL } else { rate };
        let rates = parts(whole, &self.tier_weights[..self.bounds.len()], self.spare);
        let mut tiers = Vec::new();
        let mut from = 0;
        for (n, (step, width, kind)) in self.bounds.iter().enumerate() {
            let min = from + step;
            let max = if *kind > 0 { json!(points(min + width)) } else { Value::Null };
            from = if *kind > 0 { min + width + 1 } else { min + 1 };
            tiers.push(table(vec![
                ("name", json!(format!("V{}", n + 1))),
                ("min", json!(points(min))),
                ("max", max),
                ("rate", json!(rate_text(rates[n]))),
            ]));
        }
        let tiers = if self.split == json!("tiers") { Value::Array(tiers) } else { Value::Null };
        table(vec![
            ("name", json!(["static", "dynamic", "静态"][i])),
            ("rate", json!(rate_text(rate))),
            ("split", self.split),
            ("weights", self.weights),
            ("undistributed", self.undistributed),
            ("rate_of", self.rate_of),
            ("within", self.within),
            ("tiers", tiers),
        ])
    }
}

fn points(micro: u64) -> String {
    format!("{}.{:06}", micro / ALL, micro % ALL)
}

fn fen(fen: u64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

fn release() -> BoxedStrategy<Value> {
    let daily = one_of(&["0.0001%", "1.2%", "10%", "20%", "50%", "100%", "150%", "0%"]);
    let generations = rates(&["50%", "30%", "10%", "100%", "300%", "0%", "33.3333%"], 0..=5);
    let package = (
        select(vec![1_u64, 1_000, 5_000, 20_000]),
        one_of(&["1x", "2.5x", "3x", "4x", "0.333333x", "50%", "0x"]),
    );
    let packages = prop::collection::vec(package, 0..=3).prop_map(|list| {
        let mut price = 0;
        let mut packages = Vec::new();
        for (i, (step, multiple)) in list.into_iter().enumerate() {
            price += step;
            let name = ["初级会员", "silver", "gold"][i];
            packages.push(json!({"name": name, "price": fen(price), "multiple": multiple}));
        }
        Value::Array(packages)
    });
    (
        perhaps(0.8, daily),
        perhaps(0.7, generations),
        perhaps(0.95, packages.boxed()),
        perhaps(0.75, team()),
    )
        .prop_map(|(daily, generations, packages, team)| {
            table(vec![
                ("daily", daily),
                ("generations", generations),
                ("packages", packages),
                ("team", team),
            ])
        })
        .boxed()
}

fn team() -> BoxedStrategy<Value> {
    let star = (
        select(vec![1_u64, 5_000, 20_000, 100_000]),
        select(vec![1_u64, 33_333, 100_000, 500_000]),
    );
    let stars = prop::collection::vec(star, 0..=4).prop_map(|list| {
        let (mut volume, mut rate) = (0, 0);
        let mut stars = Vec::new();
        for (i, (more, higher)) in list.into_iter().enumerate() {
            volume += more;
            rate += higher;
            stars.push(json!({"name": format!("{}星", i + 1), "volume": fen(volume), "rate": rate_text(rate)}));
        }
        Value::Array(stars)
    });
    let depth = (0_u64..=4).prop_map(|d| json!(d)).boxed();
    (
        perhaps(0.7, one_of(&["3%", "0%", "100%", "33.3333%"])),
        perhaps(0.8, depth),
        perhaps(0.6, one_of(&["total", "cash"])),
        perhaps(0.95, stars.boxed()),
    )
        .prop_map(|(peer, depth, count, stars)| {
            table(vec![("peer", peer), ("peer_depth", depth), ("count", count), ("stars", stars)])
        })
        .boxed()
}

fn reward() -> BoxedStrategy<Value> {
    let usage = one_of(&["0%", "30%", "50%", "100%", "33.3333%", "200%"]);
    let convert = select(vec![json!(true), json!(true), json!(false)]).boxed();
    (perhaps(0.7, usage), perhaps(0.8, convert))
        .prop_map(|(usage, convert)| table(vec![("usage", usage), ("convert", convert)]))
        .boxed()
}

/// A programme under which a member soon holds growth, stable and reward points.
pub fn for_pieces() -> BoxedStrategy<Value> {
    let usage = one_of(&["100%", "100%", "66.6667%", "30%"]);
    (one_of(&["50%", "100%", "33.3333%"]), usage, one_of(&["0%", "10%"]), perhaps(0.5, one_of(&["200%", "1000%"])))
        .prop_map(|(concession, usage, fee, quota)| {
            let quota = if quota.is_null() { Value::Null } else { json!({"buyer": quota}) };
            table(vec![
                ("name", json!("pieces")),
                ("order", json!({"concession": concession})),
                ("growth", json!({"contribution": "30%", "redeem_fee": fee, "grants": {"buyer": "70%"}})),
                ("quota", quota),
                ("share", json!({"per": "10.00"})),
                ("release", json!({"daily": "20%", "packages": [{"name": "a", "price": "1.00", "multiple": "2x"}]})),
                ("reward", json!({"usage": usage, "convert": true})),
            ])
        })
        .boxed()
}

/// A programme with one fault of section 3. Every one must be refused.
pub fn faulty() -> BoxedStrategy<Value> {
    (valid(), 0_usize..FAULTS)
        .prop_map(|(mut programme, fault)| {
            spoil(&mut programme, fault);
            programme
        })
        .boxed()
}

pub const FAULTS: usize = 18;

fn spoil(programme: &mut Value, fault: usize) {
    let tiers = |rate: &str, rate_of: &str, tiers: Value| json!([{"name": "d", "rate": rate, "split": "tiers", "rate_of": rate_of, "tiers": tiers}]);
    let file = programme.as_object_mut().unwrap();
    let mut put = |key: &str, value: Value| file.insert(key.to_string(), value);
    match fault {
        0 => put(
            "growth",
            json!({"contribution": "0%", "grants": {"buyer": "70%", "sponsors": ["20%", "10.0001%"]}}),
        ),
        1 => {
            put("order", json!({"concession": "30%"}));
            put("growth", json!({"contribution": "30.0001%"}))
        }
        2 => put(
            "dividend",
            tiers(
                "0%",
                "pool",
                json!([
            {"name": "a", "min": "1", "rate": "60%"}, {"name": "b", "min": "2", "rate": "40.0001%"}]),
            ),
        ),
        3 => put(
            "dividend",
            tiers("0%", "turnover", json!([{"name": "a", "min": "1", "rate": "0.0001%"}])),
        ),
        4 => put(
            "dividend",
            tiers(
                "0%",
                "pool",
                json!([
            {"name": "a", "min": "1", "max": "10", "rate": "1%"}, {"name": "b", "min": "10", "rate": "1%"}]),
            ),
        ),
        5 => put(
            "dividend",
            tiers(
                "0%",
                "pool",
                json!([
            {"name": "a", "min": "5", "rate": "1%"}, {"name": "b", "min": "4", "rate": "1%"}]),
            ),
        ),
        6 => put(
            "release",
            json!({"packages": [
            {"name": "a", "price": "10.00", "multiple": "1x"}, {"name": "b", "price": "9.00", "multiple": "2x"}]}),
        ),
        7 => put(
            "release",
            json!({"team": {"stars": [
            {"name": "a", "volume": "10.00", "rate": "5%"}, {"name": "b", "volume": "9.00", "rate": "6%"}]}}),
        ),
        8 => put(
            "release",
            json!({"team": {"stars": [
            {"name": "a", "volume": "10.00", "rate": "5%"}, {"name": "b", "volume": "11.00", "rate": "4%"}]}}),
        ),
        9 => put("quota", json!({"buyer": "-1%"})),
        10 => put("growth", json!({"contribution": "0%", "redeem_fee": "100%"})),
        11 => put("growth", json!({"contribution": "0%", "exchange_fee": "1x"})),
        12 => put("name", json!("")),
        13 => put(
            "release",
            json!({"packages": [
            {"name": "a", "price": "10.00", "multiple": "1x"}, {"name": "a", "price": "19.00", "multiple": "2x"}]}),
        ),
        14 => put("colour", json!("red")),
        15 => put("reward", json!({"usage": "30%", "usages": "30%"})),
        16 => put("quota", json!({"buyer": "200"})),
        _ => put("share", json!({"per": "1000.005"})),
    };
}
