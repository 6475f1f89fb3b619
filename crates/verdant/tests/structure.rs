//! The house stands as ARCHITECTURE.md draws it: who may depend on whom, and what the pure core
//! must never touch.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What each crate of ours may depend on: ours, and others for the pure core.
const MAY_USE: [(&str, &[&str]); 6] = [
    ("ledger", &["serde", "thiserror"]),
    (
        "engine",
        &[
            "ledger",
            "foldhash",
            "hashbrown",
            "jiff",
            "postcard",
            "serde",
            "serde_json",
            "thiserror",
            "toml",
        ],
    ),
    ("store", &["engine", "ledger"]),
    ("platform", &["engine", "store"]),
    ("testbed", &[]),
    ("verdant", &["engine", "ledger", "platform", "store"]),
];

/// The crates that do nothing but compute.
const CORE: [&str; 2] = ["ledger", "engine"];

/// What no line of the pure core may say.
const NEVER_IN_THE_CORE: [&str; 10] = [
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "std::thread",
    "std::time",
    "f32",
    "f64",
    "HashMap",
    "async ",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn crates_depend_only_downwards() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages: BTreeMap<&str, Vec<&str>> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            let normal = dependencies.filter(|d| d["kind"].is_null());
            (
                package["name"].as_str().unwrap(),
                normal.map(|d| d["name"].as_str().unwrap()).collect(),
            )
        })
        .collect();
    let known: Vec<_> = MAY_USE.iter().map(|(name, _)| *name).collect();
    let mut found: Vec<_> = packages.keys().copied().collect();
    found.sort_by_key(|name| known.iter().position(|k| k == name));
    assert_eq!(found, known, "a new crate needs a row here and a reason in DECISIONS.md");
    for (name, allowed) in MAY_USE {
        let is_core = CORE.contains(&name);
        for dependency in &packages[name] {
            let ours = known.contains(dependency);
            assert!(!(ours || is_core) || allowed.contains(dependency), "{name} uses {dependency}");
        }
    }
}

#[test]
fn the_core_is_pure() {
    let mut files = Vec::new();
    for name in CORE {
        collect(&root().join("crates").join(name).join("src"), &mut files);
    }
    assert!(files.len() > 20);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for (number, line) in (1..).zip(text.lines()) {
            let code = line.split("//").next().unwrap_or_default();
            for never in NEVER_IN_THE_CORE {
                assert!(!code.contains(never), "{}:{number} says {never}", file.display());
            }
        }
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
