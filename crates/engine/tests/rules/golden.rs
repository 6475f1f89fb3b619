//! Every worked case of the spec, to the last digit.
use std::path::{Path, PathBuf};

use engine::{Command, Engine, Programme, Rejected};

use crate::fold::{Fold, balances};
use crate::plain::Plain;

fn cases() -> Vec<PathBuf> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden");
    let listing = std::fs::read_dir(&golden).unwrap_or_else(|error| {
        panic!("{}: {error}: put `shared` beside the checkout", golden.display())
    });
    let mut cases: Vec<_> = listing.map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn replay(case: &Path) -> (Engine, Vec<Rejected>, Fold) {
    let text = |file: &str| std::fs::read_to_string(case.join(file)).unwrap();
    let programme = Programme::from_toml(&text("programme.toml")).unwrap();
    let mut engine = Engine::new(programme, 0);
    let (mut rejected, mut fold) = (Vec::new(), Fold::default());
    for (line, event) in (1..).zip(text("events.jsonl").lines()) {
        let command = Command::from_json(event).unwrap();
        while let Some(settlement) = engine.settlement_due(&command) {
            engine.apply(&settlement, &mut fold).unwrap();
        }
        if let Err(reason) = engine.apply(&command, &mut fold) {
            rejected.push(Rejected { line, reason });
        }
    }
    (engine, rejected, fold)
}

#[test]
fn every_case_ends_in_its_state() {
    let cases = cases();
    assert!(cases.len() >= 29, "only {} cases found", cases.len());
    for case in cases {
        let (engine, rejected, _) = replay(&case);
        let state = serde_json::to_value(engine.state().to_file(&rejected)).unwrap();
        let expected = std::fs::read_to_string(case.join("state.json")).unwrap();
        let expected: serde_json::Value = serde_json::from_str(&expected).unwrap();
        differences("", &expected, &state, &case);
    }
}

fn differences(path: &str, expected: &serde_json::Value, found: &serde_json::Value, case: &Path) {
    use serde_json::Value::{Array, Object};
    match (expected, found) {
        (Object(a), Object(b)) if a.keys().eq(b.keys()) => {
            for (key, value) in a {
                differences(&format!("{path}.{key}"), value, &b[key], case);
            }
        }
        (Array(a), Array(b)) if a.len() == b.len() => {
            for (i, value) in a.iter().enumerate() {
                differences(&format!("{path}[{i}]"), value, &b[i], case);
            }
        }
        _ => assert_eq!(expected, found, "{}: {path}", case.display()),
    }
}

#[test]
fn folding_the_postings_gives_every_balance() {
    for case in cases() {
        let (engine, _, fold) = replay(&case);
        assert_eq!(fold.balances, balances(&engine), "{}", case.display());
    }
}

/// All but the long one, which the model takes a quarter of a minute for.
#[test]
fn the_plain_model_ends_in_its_state_too() {
    for case in cases().iter().filter(|case| !case.ends_with("cdnow-growth-cycle")) {
        let text = |file: &str| std::fs::read_to_string(case.join(file)).unwrap();
        let mut plain = Plain::new(&text("programme.toml")).unwrap();
        let mut rejected = Vec::new();
        for (line, event) in (1..).zip(text("events.jsonl").lines()) {
            if let Err(reason) = plain.feed(&serde_json::from_str(event).unwrap()) {
                rejected.push((line, reason));
            }
        }
        let expected: serde_json::Value = serde_json::from_str(&text("state.json")).unwrap();
        differences("", &expected, &plain.state(&rejected), case);
    }
}
