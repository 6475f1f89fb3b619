//! `verdant export`: the same numbers in every format, and the same as the balances.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by failing")]

mod support;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use jiff::Timestamp;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::Value;
use support::{databases, fail, folder, path, replay_into, shared, sqlite, succeed};

type Table = Vec<BTreeMap<String, String>>;

/// The cases whose exports are looked at: every unit, debts, carries, merchants, refusals.
const CASES: [&str; 5] =
    ["cycle-static", "release-packages", "rejections", "stable-round-trip", "refund-in-pieces"];

fn export(database: &[String; 2], what: &[&str], format: &str, more: &[&str]) -> String {
    let [kind, place] = database;
    succeed(&[&["export"], what, &[kind, place, "--format", format], more].concat())
}

fn csv(text: &str) -> Table {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.unwrap()).collect()
}

fn jsonl(text: &str) -> Table {
    let cell = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    text.lines()
        .map(|line| {
            let row: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
            row.iter().map(|(name, value)| (name.clone(), cell(value))).collect()
        })
        .collect()
}

fn from_parquet(file: &Path) -> Table {
    let reader = SerializedFileReader::new(File::open(file).unwrap()).unwrap();
    let cell = |field: &Field| match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Long(number) => number.to_string(),
        Field::TimestampMicros(at) => {
            let at = Timestamp::from_microsecond(*at).unwrap();
            at.display_with_offset(jiff::tz::Offset::constant(8)).to_string()
        }
        Field::Decimal(decimal) => {
            let steps = i128::from_be_bytes(decimal.data().try_into().unwrap());
            let scale = usize::try_from(decimal.scale()).unwrap();
            let digits = format!("{:0width$}", steps.abs(), width = scale + 1);
            let (whole, rest) = digits.split_at(digits.len() - scale);
            format!("{}{whole}.{rest}", if steps < 0 { "-" } else { "" })
        }
        other => panic!("{other:?}"),
    };
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| {
        let row = row.unwrap();
        row.get_column_iter().map(|(name, field)| (name.clone(), cell(field))).collect()
    })
    .collect()
}

/// JSON in one order, and amounts of mixed units with as many decimals as Parquet has for them.
fn even(mut table: Table) -> Table {
    for row in &mut table {
        for (name, cell) in row.iter_mut() {
            if matches!(name.as_str(), "why" | "command") {
                *cell = serde_json::from_str::<Value>(cell).unwrap().to_string();
            }
            if matches!(name.as_str(), "amount" | "balance") {
                *cell = micro(cell).to_string();
            }
        }
    }
    table
}

fn micro(text: &str) -> i128 {
    let (whole, rest) = text.split_once('.').unwrap();
    format!("{whole}{rest:0<6}").parse().unwrap()
}

#[test]
fn every_format_has_the_same_numbers_and_postings_add_up_to_balances() {
    for database in databases("formats") {
        let file = folder("formats-files").join("out.parquet");
        for case in CASES {
            replay_into(&database, &shared("golden").join(case), &[]);
            let export =
                |what: &[&str], format| export(&database, what, format, &["--programme", case]);
            let mut tables = BTreeMap::new();
            for what in [&["entries"][..], &["postings"], &["balances"], &["statement", "pool"]] {
                let table = csv(&export(what, "csv"));
                assert_eq!(even(table.clone()), even(jsonl(&export(what, "jsonl"))), "{case}");
                let [kind, place] = &database;
                let out = ["--format", "parquet", "--out", path(&file), "--programme", case];
                succeed(&[&["export"], what, &[kind, place], &out[..]].concat());
                assert_eq!(even(table.clone()), even(from_parquet(&file)), "{case} {what:?}");
                tables.insert(what[0].to_owned(), table);
            }
            let (postings, balances) = (&tables["postings"], &tables["balances"]);
            let sums = sums(postings);
            assert_eq!(sums, stated(balances), "{case}");
            let counted: u64 =
                tables["entries"].iter().map(|row| row["postings"].parse::<u64>().unwrap()).sum();
            assert_eq!(counted, postings.len() as u64);
            check_running_balances(postings);
            let newest_first = postings.iter().filter(|row| row["account"] == "pool").rev();
            let amounts =
                |row: &BTreeMap<String, String>| (row["amount"].clone(), row["why"].len());
            assert_eq!(
                newest_first.map(amounts).collect::<Vec<_>>(),
                tables["statement"].iter().map(amounts).collect::<Vec<_>>()
            );
        }
    }
}

/// What each account has in each unit, by its postings.
fn sums(postings: &Table) -> BTreeMap<(String, String), i128> {
    let mut sums: BTreeMap<_, i128> = BTreeMap::new();
    for row in postings {
        let key = (row["account"].clone(), row["unit"].clone());
        *sums.entry(key).or_default() += micro(&row["amount"]);
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

/// The same by the export of balances.
fn stated(balances: &Table) -> BTreeMap<(String, String), i128> {
    let mut stated = BTreeMap::new();
    for row in balances {
        for (unit, amount) in row.iter().filter(|(name, _)| *name != "account") {
            stated.insert((row["account"].clone(), unit.clone()), micro(amount));
        }
    }
    stated.retain(|_, sum| *sum != 0);
    stated
}

/// The sums of members, merchants, carries and debts, and the house's own accounts.
fn by_kind(sums: &BTreeMap<(String, String), i128>) -> BTreeMap<(String, String), i128> {
    let mut kinds: BTreeMap<_, i128> = BTreeMap::new();
    for ((path, unit), sum) in sums {
        let kind = match path.split_once('/') {
            Some(("member", _)) => "members",
            Some(("merchant", _)) => "merchants",
            Some(("carry", _)) => "carries",
            Some(("debt", _)) => "debts",
            _ => path,
        };
        *kinds.entry((kind.to_owned(), unit.clone())).or_default() += sum;
    }
    kinds.retain(|_, sum| *sum != 0);
    kinds
}

fn check_running_balances(postings: &Table) {
    let mut running: BTreeMap<_, i128> = BTreeMap::new();
    for row in postings {
        let balance = running.entry((&row["account"], &row["unit"])).or_default();
        *balance += micro(&row["amount"]);
        assert_eq!(*balance, micro(&row["balance"]), "{row:?}");
    }
}

#[test]
fn what_was_at_a_moment_is_what_the_postings_until_then_come_to() {
    let database = sqlite("as-of");
    replay_into(&database, &shared("golden/cycle-static"), &[]);
    let entries = csv(&export(&database, &["entries"], "csv", &[]));
    let last = entries.last().unwrap();
    let middle = &entries[entries.len() / 2];
    let day = &middle["effective_at"][..10];
    let moments = [
        format!("entry:{}", middle["entry"]),
        "entry:0".to_owned(),
        format!("entry:{}", last["entry"]),
        day.to_owned(),
        middle["effective_at"].clone(),
        "2000-01-01".to_owned(),
    ];
    for moment in &moments {
        let more = ["--as-of", moment];
        let postings = csv(&export(&database, &["postings"], "csv", &more));
        let balances = csv(&export(&database, &["balances"], "csv", &more));
        assert_eq!(sums(&postings), stated(&balances), "{moment}");
        let statement = csv(&export(&database, &["statement", "revenue"], "csv", &more));
        let of_revenue = postings.iter().filter(|row| row["account"] == "revenue");
        assert_eq!(of_revenue.count(), statement.len(), "{moment}");
        let trial = csv(&export(&database, &["trial-balance"], "csv", &more));
        assert_eq!(trial.last().unwrap()["account"], "total");
        // The total is zero in every unit: zeros are left out.
        assert_eq!(stated(&trial), by_kind(&sums(&postings)), "{moment}");
    }
    let all = csv(&export(&database, &["balances"], "csv", &[]));
    let more = ["--as-of", &moments[2]];
    assert_eq!(csv(&export(&database, &["balances"], "csv", &more)), all);
}

#[test]
fn an_account_that_is_not_there_is_told() {
    let database = sqlite("no-account");
    replay_into(&database, &shared("golden/adjust"), &[]);
    let args = ["export", "statement", "member/nobody", "--data", &database[1], "--format", "csv"];
    assert!(fail(&args).contains("there is no account \"member/nobody\""));
}
