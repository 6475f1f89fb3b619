//! `verdant import` as people run it.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod support;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use support::{folder, shared};

fn import(folder: &Path, table: &str, args: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_verdant"))
        .arg("import")
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(table.as_bytes());
    child.wait_with_output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

const TABLE: &str = "customer,date,amount\nA,2026-01-01,1\nB,2026-01-01,0\n";

#[test]
fn cdnow_becomes_the_golden_events() {
    let all = fs::read_to_string(shared("data/cdnow.csv")).unwrap();
    let mut lines = all.lines();
    let header = lines.next().unwrap();
    let chosen = lines.filter(|line| line.split(',').next().unwrap().ends_with('4'));
    let table: Vec<&str> = std::iter::once(header).chain(chosen).collect();
    let folder = folder("golden");
    fs::write(folder.join("orders.csv"), table.join("\n")).unwrap();

    let output = import(&folder, "", &["orders.csv", "--out", "events.jsonl"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(output.stdout.is_empty());
    assert_eq!(names(&folder), ["events.jsonl", "orders.csv"]);

    let made = fs::read_to_string(folder.join("events.jsonl")).unwrap();
    let golden = fs::read_to_string(shared("golden/cdnow-growth-cycle/events.jsonl")).unwrap();
    assert_eq!(made.lines().count(), golden.lines().count());
    for (at, (made, golden)) in made.lines().zip(golden.lines()).enumerate() {
        let [made, golden] =
            [made, golden].map(|line| serde_json::from_str::<Value>(line).unwrap());
        assert_eq!(made, golden, "line {}", at + 1);
    }
}

#[test]
fn standard_input_to_standard_output() {
    let output = import(&folder("stdin"), TABLE, &["-"]);
    assert_eq!(output.status.code(), Some(0));
    let events = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(events.lines().count(), 3);
    assert!(
        events
            .starts_with(r#"{"type":"member.join","member":"A","at":"2026-01-01T12:00:00+08:00"}"#)
    );
    let report = stderr(&output);
    assert!(report.contains("line 3, amount: \"0\" is zero"), "{report}");
    assert!(report.contains("rows 2 (UTF-8), unusable 1, orders 1"), "{report}");
}

#[test]
fn strict_leaves_no_file() {
    let folder = folder("strict");
    let args = ["-", "--strict", "--out", "events.jsonl", "--faults", "faults.csv"];
    let output = import(&folder, TABLE, &args);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("nothing written"), "{}", stderr(&output));
    assert_eq!(names(&folder), ["faults.csv"]);
    let faults = fs::read_to_string(folder.join("faults.csv")).unwrap();
    assert!(faults.starts_with("line,field,reason\n3,amount,"), "{faults}");
    assert_eq!(import(&folder, TABLE, &["-", "--strict"]).stdout, b"");
}

#[test]
fn many_faults_are_listed_in_a_file() {
    let folder = folder("faults");
    let table = format!("customer,date,amount\n{}", "A,2026-01-01,0\n".repeat(33));
    let output = import(&folder, &table, &["-", "--faults", "faults.csv"]);
    assert_eq!(output.status.code(), Some(0));
    let report = stderr(&output);
    assert!(report.contains("line 21,") && !report.contains("line 22,"), "{report}");
    assert!(report.contains("... and 13 more (use --faults FILE to list all)"), "{report}");
    assert_eq!(fs::read_to_string(folder.join("faults.csv")).unwrap().lines().count(), 34);
}

#[test]
fn an_existing_file_stays_until_the_new_one_is_whole() {
    let folder = folder("replace");
    let out = folder.join("events.jsonl");
    fs::write(&out, "old").unwrap();
    let output = import(&folder, "who,date,amount\n", &["-", "--out", "events.jsonl"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("--customer NAME"), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(&out).unwrap(), "old");
    assert_eq!(import(&folder, TABLE, &["-", "--out", "events.jsonl"]).status.code(), Some(0));
    assert_eq!(fs::read_to_string(&out).unwrap().lines().count(), 3);
    assert_eq!(names(&folder), ["events.jsonl"]);
    // A device is written as it is, never replaced.
    assert_eq!(import(&folder, TABLE, &["-", "--out", "/dev/null"]).status.code(), Some(0));
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn status_tells_refusal_from_usage() {
    let folder = folder("status");
    let status = |args: &[&str]| import(&folder, TABLE, args).status.code();
    assert_eq!(status(&["missing.csv"]), Some(1));
    assert_eq!(status(&["."]), Some(1));
    assert_eq!(status(&["-", "--out", "."]), Some(1));
    assert_eq!(status(&["-", "--out", "x", "--faults", "x"]), Some(1));
    assert_eq!(status(&[]), Some(2));
    assert_eq!(status(&["-", "--delimiter", "ab"]), Some(2));
    assert_eq!(status(&["-", "--encoding", "klingon"]), Some(2));
    assert_eq!(status(&["-", "--date-order", "ymd"]), Some(2));
    assert_eq!(status(&["-", "--complete-after", "-1"]), Some(2));
    assert_eq!(status(&["--help"]), Some(0));
    assert_eq!(names(&folder), [] as [String; 0]);
}

#[test]
fn options_reach_the_conversion() {
    let folder = folder("options");
    let table = "wer^wann^wieviel^von\nA^1/2/2026^1.234,50^B\n";
    let output = import(
        &folder,
        table,
        &[
            "-",
            "--delimiter",
            "^",
            "--customer",
            "wer",
            "--date",
            "WANN",
            "--amount",
            "wieviel",
            "--sponsor",
            "von",
            "--decimal-comma",
            "--date-order",
            "dmy",
            "--complete-after",
            "7",
        ],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap().lines().collect::<Vec<_>>(),
        [
            r#"{"type":"member.join","member":"B","at":"2026-02-01T12:00:00+08:00"}"#,
            r#"{"type":"member.join","member":"A","sponsor":"B","at":"2026-02-01T12:00:00+08:00"}"#,
            r#"{"type":"order.pay","order":"c1","member":"A","amount":"1234.50","at":"2026-02-01T12:00:00+08:00"}"#,
            r#"{"type":"order.complete","order":"c1","at":"2026-02-08T12:00:00+08:00"}"#,
        ]
    );
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let folder = folder("pipe");
    let table = format!("customer,date,amount\n{}", "A,2026-01-01,1\n".repeat(50_000));
    fs::write(folder.join("orders.csv"), table).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_verdant"))
        .args(["import", "orders.csv"])
        .current_dir(&folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
