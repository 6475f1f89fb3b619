//! `verdant replay` as people run it.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod support;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use engine::{Engine, NoJournal, Programme};
use serde_json::Value;
use support::{cases, folder, shared, text, verdant};

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Replays a worked case with more arguments; it must succeed.
fn replay(case: &Path, more: &[&str]) -> Output {
    let (programme, events) = (case.join("programme.toml"), case.join("events.jsonl"));
    let output = verdant(&[&["replay", path(&programme), path(&events)], more].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    output
}

#[test]
fn every_case_writes_its_state_file_to_the_byte() {
    let folder = folder("state");
    for case in cases() {
        let state = folder.join("state.json");
        let output = replay(&case, &["--state", path(&state)]);
        assert!(text(&output.stdout).contains("What is owed"));
        let found = std::fs::read_to_string(&state).unwrap();
        let expected = std::fs::read_to_string(case.join("state.json")).unwrap();
        assert!(found == expected, "{} differs", case.display());
    }
}

/// An integer of the smallest step, from a text with a point.
fn steps(amount: &Value) -> i64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

#[test]
fn the_journal_file_balances_and_folds_to_the_state_file() {
    let folder = folder("journal");
    for case in cases() {
        let (state, journal) = (folder.join("state.json"), folder.join("journal.jsonl"));
        replay(&case, &["--state", path(&state), "--journal", path(&journal)]);
        let mut balances: BTreeMap<(String, String), i64> = BTreeMap::new();
        let lines = std::fs::read_to_string(&journal).unwrap();
        rebuild(&lines, &std::fs::read_to_string(&state).unwrap(), &case);
        for (number, line) in (1..).zip(lines.lines().skip(1)) {
            let entry: Value = serde_json::from_str(line).unwrap();
            assert_eq!(entry["entry"], number);
            let mut sums: BTreeMap<String, i64> = BTreeMap::new();
            for posting in entry["postings"].as_array().unwrap() {
                assert!(posting["why"]["rule"].is_string(), "{posting}");
                let name = |key: &str| posting[key].as_str().unwrap().to_owned();
                let amount = steps(&posting["amount"]);
                *sums.entry(name("unit")).or_default() += amount;
                *balances.entry((name("account"), name("unit"))).or_default() += amount;
            }
            assert!(sums.values().all(|&sum| sum == 0), "{line}");
        }
        let state: Value = serde_json::from_str(&std::fs::read_to_string(&state).unwrap()).unwrap();
        for member in state["members"].as_array().unwrap() {
            let account = format!("member/{}", member["member"].as_str().unwrap());
            for unit in ["cash", "growth", "stable", "quota", "share", "locked", "reward"] {
                let key = (account.clone(), unit.to_owned());
                let found = balances.get(&key).copied().unwrap_or(0);
                assert_eq!(found, steps(&member[unit]), "{} {account} {unit}", case.display());
            }
        }
        for (account, key) in [("pool", "pool"), ("reserve", "reserve")] {
            let unit = if account == "pool" { "cash" } else { "growth" };
            let found = balances.get(&(account.into(), unit.into())).copied().unwrap_or(0);
            assert_eq!(found, steps(&state["growth"][key]), "{}", case.display());
        }
    }
}

/// The state can be rebuilt from the journal alone: entry 0 is the programme, the others hold the
/// commands. Only the refused ones are not in it.
fn rebuild(journal: &str, state: &str, case: &Path) {
    let mut lines = journal.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let programme = Programme::from_json(&lines.next().unwrap()["programme"]).unwrap();
    let mut engine = Engine::new(programme, 5);
    for entry in lines {
        let command = engine::Command::from_json(&entry["command"].to_string()).unwrap();
        engine.apply(&command, &mut NoJournal).unwrap();
    }
    let found = serde_json::to_value(engine.state().to_file(&[])).unwrap();
    let mut expected: Value = serde_json::from_str(state).unwrap();
    expected["rejected"] = Value::Array(Vec::new());
    assert!(found == expected, "{}", case.display());
}

#[test]
fn files_that_are_one_are_refused_and_none_is_touched() {
    let folder = folder("shared-files");
    let (programme, events) = (folder.join("p.toml"), folder.join("e.jsonl"));
    std::fs::write(&programme, "name = \"x\"\n").unwrap();
    std::fs::write(&events, "\n").unwrap();
    let out = folder.join("out");
    let same = format!("{}/./out", path(&folder));
    for (state, journal) in
        [(path(&out), same.as_str()), (path(&events), path(&out)), (path(&out), path(&programme))]
    {
        let (p, e) = (path(&programme), path(&events));
        let output = verdant(&["replay", p, e, "--state", state, "--journal", journal]);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains("are the same file"), "{}", text(&output.stderr));
    }
    assert_eq!(std::fs::read_to_string(&events).unwrap(), "\n");
    assert!(!out.exists());
}

#[test]
fn a_journal_that_cannot_be_written_leaves_no_state_file() {
    let case = shared("golden/release-sponsor");
    let folder = folder("full");
    let state = folder.join("state.json");
    let output = verdant(&[
        "replay",
        path(&case.join("programme.toml")),
        path(&case.join("events.jsonl")),
        "--state",
        path(&state),
        "--journal",
        "/dev/full",
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("cannot write /dev/full"), "{}", text(&output.stderr));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure_and_files_are_written() {
    let case = shared("golden/growth-sponsor");
    let state = folder("closed").join("state.json");
    let mut child = Command::new(env!("CARGO_BIN_EXE_verdant"))
        .args(["replay", path(&case.join("programme.toml")), "-", "--state", path(&state)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let events = std::fs::read(case.join("events.jsonl")).unwrap();
    child.stdin.take().unwrap().write_all(&events).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(state.exists());
}

#[test]
fn a_bonus_names_whose_release_it_came_from() {
    let case = shared("golden/release-sponsor");
    let journal = folder("sources").join("journal.jsonl");
    replay(&case, &["--journal", path(&journal)]);
    let entries: Vec<Value> = std::fs::read_to_string(&journal)
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let bonuses: Vec<&Value> = entries
        .iter()
        .flat_map(|entry| entry["postings"].as_array().unwrap())
        .filter(|posting| posting["why"]["rule"] == "release.generation_bonus")
        .collect();
    let first = bonuses.first().unwrap();
    // B released 36.00, A is the first generation: 50 % = 18.00.
    assert_eq!(first["account"], "member/A");
    assert_eq!(first["amount"], "18.000000");
    assert_eq!(first["why"]["generation"], 1);
    assert_eq!(first["why"]["released"], "36.000000");
    assert_eq!(first["why"]["rate"], "50%");
    assert_eq!(first["from"][0]["member"], "B");
    assert_eq!(first["from"][0]["released"], "36.000000");
    assert_eq!(first["sources"], 1);
}

#[test]
fn a_team_bonus_names_what_lower_stars_were_paid_and_whose_release_it_was() {
    let case = shared("golden/release-team");
    let journal = folder("team").join("journal.jsonl");
    replay(&case, &["--journal", path(&journal)]);
    let text = std::fs::read_to_string(&journal).unwrap();
    let entries = text.lines().skip(1).map(|line| serde_json::from_str::<Value>(line).unwrap());
    let bonuses: Vec<Value> = entries
        .flat_map(|entry| entry["postings"].as_array().unwrap().clone())
        .filter(|posting| posting["why"]["rule"] == "release.team_bonus")
        .collect();
    // C's downline releases 10 000: C has 10 % of it, B 44 % less those 10 %, A 50 % less 44 %.
    for (bonus, (member, rate, paid, amount)) in bonuses.iter().zip([
        ("member/A", "50%", "4400.000000000000", "600.000000"),
        ("member/B", "44%", "1000.000000000000", "3400.000000"),
        ("member/C", "10%", "0.000000000000", "1000.000000"),
    ]) {
        assert_eq!(bonus["account"], member);
        assert_eq!(bonus["amount"], amount);
        assert_eq!(bonus["why"]["released"], "10000.000000");
        assert_eq!((&bonus["why"]["rate"], &bonus["why"]["paid"]), (&rate.into(), &paid.into()));
        assert_eq!(bonus["from"][0]["member"], "D");
    }
    assert_eq!(bonuses.len(), 3);
}

#[test]
fn a_line_that_is_no_command_stops_it_and_writes_nothing() {
    let folder = folder("stops");
    let programme = folder.join("programme.toml");
    std::fs::write(&programme, "name = \"x\"\n").unwrap();
    let good = r#"{"type":"member.join","member":"A","at":"2026-01-01T09:00:00+08:00"}"#;
    for (bad, expected) in [
        ("{\"type\":", "line 3: not valid JSON"),
        (
            r#"{"type":"member.leave","member":"A","at":"2026-01-01T09:00:00+08:00"}"#,
            "not a known command",
        ),
        (
            r#"{"type":"member.join","at":"2026-01-01T09:00:00+08:00"}"#,
            "member.join needs `member`",
        ),
        (r#"{"type":"member.join","member":"B","at":"yesterday"}"#, "`at` is \"yesterday\""),
        (
            r#"{"type":"member.join","member":"B","points":"1","at":"2026-01-01T09:00:00+08:00"}"#,
            "has no field `points`",
        ),
        (
            r#"{"type":"member.join","member":"B","colour":"red","at":"2026-01-01T09:00:00+08:00"}"#,
            "colour",
        ),
        (r#"["member.join"]"#, "not a JSON object"),
        ("\u{fffd}\u{0}", "not a JSON object"),
    ] {
        let events = folder.join("events.jsonl");
        std::fs::write(&events, format!("{good}\n\n{bad}\n{good}\n")).unwrap();
        let (state, journal) = (folder.join("state.json"), folder.join("journal.jsonl"));
        let output = verdant(&[
            "replay",
            path(&programme),
            path(&events),
            "--state",
            path(&state),
            "--journal",
            path(&journal),
        ]);
        assert_eq!(output.status.code(), Some(1));
        let message = text(&output.stderr);
        assert!(message.contains("line 3") && message.contains(expected), "{message}");
        let left: Vec<_> = std::fs::read_dir(&folder).unwrap().collect();
        assert_eq!(left.len(), 2, "only programme and events are there");
    }
}

#[test]
fn refused_commands_are_counted_by_reason_and_events_come_from_standard_input_too() {
    let case = shared("golden/rejections");
    let mut child = Command::new(env!("CARGO_BIN_EXE_verdant"))
        .args(["replay", path(&case.join("programme.toml")), "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let events = std::fs::read(case.join("events.jsonl")).unwrap();
    child.stdin.take().unwrap().write_all(&events).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let summary = text(&output.stdout);
    let row = |reason: &str| summary.lines().find(|line| line.contains(reason)).unwrap().to_owned();
    assert!(row("unknown_order").contains(" 8 "), "{summary}");
    assert!(row("day_closed").contains(" 1 "), "{summary}");
}
