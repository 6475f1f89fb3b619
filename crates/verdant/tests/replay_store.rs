//! `verdant replay` into databases, as people run it.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod support;

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;
use support::{
    cases, databases, fail, folder, name, path, replay_into, shared, sqlite, succeed, text, verdant,
};

/// What `verify` prints, without the line of the snapshot.
fn verified(database: &[String; 2]) -> String {
    let [kind, place] = database;
    let found = succeed(&["verify", kind, place]);
    found.lines().filter(|line| !line.contains("snapshot")).collect::<Vec<_>>().join("\n")
}

fn lines(path: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_case_gives_its_state_file_and_summary_and_a_second_run_adds_nothing() {
    for database in databases("cases") {
        let folder = folder("cases-files");
        let (state, results) = (folder.join("state.json"), folder.join("results.jsonl"));
        let more = ["--state", path(&state), "--results", path(&results)];
        for case in cases() {
            let (programme, events) = (case.join("programme.toml"), case.join("events.jsonl"));
            let in_memory = succeed(&["replay", path(&programme), path(&events)]);
            assert_eq!(replay_into(&database, &case, &more), in_memory, "{}", name(&case));
            let found = std::fs::read_to_string(&state).unwrap();
            let expected = std::fs::read_to_string(case.join("state.json")).unwrap();
            assert!(found == expected, "{} differs", case.display());
            assert!(lines(&results).iter().all(|line| line.get("repeat").is_none()));
        }
        let before = verified(&database);
        assert_eq!(before.matches("zero in every unit").count(), cases().len());
        for case in cases() {
            let summary = replay_into(&database, &case, &more);
            assert!(summary.contains("What is owed"));
            let found = std::fs::read_to_string(&state).unwrap();
            let expected = std::fs::read_to_string(case.join("state.json")).unwrap();
            assert!(found == expected, "{} differs the second time", case.display());
            assert!(lines(&results).iter().all(|line| line["repeat"] == true));
        }
        assert_eq!(verified(&database), before);
    }
}

#[test]
fn every_line_has_its_result_with_its_number() {
    let case = shared("golden/rejections");
    let results = folder("results").join("results.jsonl");
    replay_into(&sqlite("results-data"), &case, &["--results", path(&results)]);
    let state: Value =
        serde_json::from_str(&std::fs::read_to_string(case.join("state.json")).unwrap()).unwrap();
    let found = lines(&results);
    let refused: Vec<Value> = found
        .iter()
        .filter(|line| line.get("refused").is_some())
        .map(|line| serde_json::json!({ "line": line["line"], "reason": line["refused"] }))
        .collect();
    assert_eq!(Value::Array(refused), state["rejected"]);
    let entries: Vec<u64> = found.iter().filter_map(|line| line["entry"].as_u64()).collect();
    assert!(entries.is_sorted() && entries[0] == 1);
    let events = std::fs::read_to_string(case.join("events.jsonl")).unwrap();
    assert_eq!(found.len(), events.lines().filter(|line| !line.trim().is_empty()).count());
}

const PROGRAMME: &str = "name = \"x\"\n";

fn join(member: &str, minute: u32) -> String {
    format!(
        "{{\"type\":\"member.join\",\"member\":\"{member}\",\
         \"at\":\"2026-01-01T09:{minute:02}:00+08:00\"}}\n"
    )
}

#[test]
fn a_line_that_came_with_another_command_is_told_and_not_applied() {
    for database in databases("reused") {
        let folder = folder("reused-files");
        let (programme, events) = (folder.join("p.toml"), folder.join("events.jsonl"));
        let results = folder.join("results.jsonl");
        std::fs::write(&programme, PROGRAMME).unwrap();
        let [kind, place] = &database;
        let args =
            ["replay", path(&programme), path(&events), kind, place, "--results", path(&results)];
        std::fs::write(&events, join("A", 1) + &join("B", 2)).unwrap();
        succeed(&args);
        // The second line says something else now, the third is new; when it came is no matter.
        std::fs::write(&events, join("A", 5) + &join("C", 2) + &join("D", 3)).unwrap();
        let message = fail(&args);
        assert!(
            message.contains("line 2 has the key events.jsonl/2 of entry 2")
                && message.contains("1 of the lines")
                && message.contains("--run"),
            "{message}"
        );
        let found: Vec<String> = lines(&results).iter().map(Value::to_string).collect();
        assert_eq!(
            found,
            [
                r#"{"line":1,"entry":1,"repeat":true}"#,
                r#"{"line":2,"key_reused":2}"#,
                r#"{"line":3,"entry":3}"#
            ]
            .map(|text| serde_json::from_str::<Value>(text).unwrap().to_string())
        );
        let other = succeed(&[&args[..], &["--run", "monday"]].concat());
        assert!(other.contains("member_exists"), "{other}");
    }
}

#[test]
fn other_rules_under_a_name_that_is_there_are_refused() {
    for database in databases("other-rules") {
        let folder = folder("other-rules-files");
        let (programme, events) = (folder.join("p.toml"), folder.join("e.jsonl"));
        std::fs::write(&programme, PROGRAMME).unwrap();
        std::fs::write(&events, join("A", 1)).unwrap();
        let [kind, place] = &database;
        let args = ["replay", path(&programme), path(&events), kind, place];
        succeed(&args);
        let changed = format!("{PROGRAMME}[growth]\ncontribution = \"10%\"\n");
        std::fs::write(&programme, changed).unwrap();
        let message = fail(&args);
        assert!(message.contains("programme.amend") && message.contains("--as"), "{message}");
        succeed(&[&args[..], &["--as", "y"]].concat());
        let message = fail(&["export", "balances", kind, place, "--format", "csv"]);
        assert!(message.contains("--programme: \"x\", \"y\""), "{message}");
        let message =
            fail(&["export", "balances", kind, place, "--format", "csv", "--programme", "z"]);
        assert!(message.contains("no programme \"z\""), "{message}");
    }
}

#[test]
fn what_came_before_a_bad_line_stays_and_is_told() {
    let folder = folder("bad-line");
    let (programme, events) = (folder.join("p.toml"), folder.join("e.jsonl"));
    let (state, results) = (folder.join("state.json"), folder.join("results.jsonl"));
    std::fs::write(&programme, PROGRAMME).unwrap();
    std::fs::write(&events, join("A", 1) + &join("B", 2) + "{\n").unwrap();
    let [kind, place] = &sqlite("bad-line-data");
    let args = ["replay", path(&programme), path(&events), kind, place];
    let files = ["--state", path(&state), "--results", path(&results)];
    let message = fail(&[&args[..], &files].concat());
    assert!(
        message.contains("line 3") && message.contains("what came before it is stored"),
        "{message}"
    );
    assert!(!state.exists());
    assert_eq!(lines(&results).len(), 2);
    std::fs::write(&events, join("A", 1) + &join("B", 2) + &join("C", 3)).unwrap();
    let output = verdant(&args);
    assert!(text(&output.stderr).contains("2 of 3 lines were there already"));
    assert!(output.status.success());
}

#[test]
fn lines_of_standard_input_are_answered_while_more_may_come() {
    let folder = folder("slow");
    let (programme, results) = (folder.join("p.toml"), folder.join("results.jsonl"));
    std::fs::write(&programme, PROGRAMME).unwrap();
    let [kind, place] = &sqlite("slow-data");
    let args = ["replay", path(&programme), "-", kind, place, "--results", path(&results)];
    let mut child = Command::new(env!("CARGO_BIN_EXE_verdant"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for (number, member) in (1..).zip(["A", "B", "C"]) {
        input.write_all(join(member, number).as_bytes()).unwrap();
        let wanted = format!("{{\"line\":{number},\"entry\":{number}}}\n");
        let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while !std::fs::read_to_string(&results).is_ok_and(|text| text.ends_with(&wanted)) {
            assert!(std::time::Instant::now() < until, "line {number} is not answered");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
    // Killed, it left what was acknowledged; the next one waits for its lease, and goes on.
    child.kill().unwrap();
    child.wait().unwrap();
    let events = folder.join("stdin");
    let all: String = (1..).zip(["A", "B", "C", "D"]).map(|(n, member)| join(member, n)).collect();
    std::fs::write(&events, all).unwrap();
    succeed(&["replay", path(&programme), path(&events), kind, place, "--results", path(&results)]);
    let found = lines(&results);
    assert_eq!(found.iter().filter(|line| line["repeat"] == true).count(), 3);
    assert_eq!(found[3].to_string(), r#"{"entry":4,"line":4}"#);
}

#[test]
fn arguments_that_do_not_go_together_are_refused_as_usage() {
    let case = shared("golden/adjust");
    let (programme, events) = (case.join("programme.toml"), case.join("events.jsonl"));
    let [kind, place] = &sqlite("usage");
    let replay = ["replay", path(&programme), path(&events)];
    for (more, expected) in [
        (vec![kind.as_str(), place, "--journal", "j"], "verdant export"),
        (vec!["--run", "x"], "--data"),
        (vec![kind, place, "--database", "postgres://x/y"], "cannot be used with"),
    ] {
        let output = verdant(&[&replay[..], &more].concat());
        assert_eq!(output.status.code(), Some(2), "{more:?}");
        assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
    }
    let output = verdant(&["export", "entries", kind, place, "--format", "parquet"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--out"));
    assert!(fail(&["verify", kind, place]).contains("no database in"));
}

#[test]
fn a_password_is_never_printed() {
    let address = testbed::postgres::shared().url();
    let port = testbed::postgres::shared().port();
    for url in [
        address.replace("verdant@", "nobody:s3cret@"),
        format!("postgres://verdant:s3cret@127.0.0.1:{port}/nowhere"),
        "postgres://verdant:s3cret@127.0.0.1:1/x".to_owned(),
        "postgres://verdant:s3cret@[x/y".to_owned(),
        "postgres://verdant:s3cret@127.0.0.1:65536/x?sslmode=no".to_owned(),
        "verdant:s3cret@127.0.0.1/x".to_owned(),
        "mysql://verdant:s3cret@127.0.0.1/x".to_owned(),
    ] {
        for command in [&["verify"][..], &["backup", "--out", "/dev/null"]] {
            let message = fail(&[command, &["--database", &url]].concat());
            assert!(!message.contains("s3cret"), "{message}");
        }
    }
}
