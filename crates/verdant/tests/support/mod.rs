//! What the tests of the binary share.
#![allow(dead_code, reason = "each test uses its part")]

pub mod journal;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use testbed::postgres;

/// Where the order table and the worked cases are.
pub fn shared(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(path)
}

/// The worked cases, each a folder.
pub fn cases() -> Vec<PathBuf> {
    let listing = std::fs::read_dir(shared("golden")).unwrap();
    let mut cases: Vec<_> = listing.map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 29);
    cases
}

/// A folder of one test's own, empty.
pub fn folder(test: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// Runs the binary.
pub fn verdant(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_verdant")).args(args).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs the binary, which must succeed; what it wrote to standard output.
pub fn succeed(args: &[&str]) -> String {
    let output = verdant(args);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Runs the binary, which must end with status 1; what it wrote to standard error.
pub fn fail(args: &[&str]) -> String {
    let output = verdant(args);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {}", text(&output.stdout));
    text(&output.stderr)
}

/// The name of a case.
pub fn name(case: &Path) -> &str {
    case.file_name().unwrap().to_str().unwrap()
}

/// An empty database of each kind, as arguments.
pub fn databases(test: &str) -> [[String; 2]; 2] {
    [sqlite(test), ["--database".into(), postgres::shared().fresh_database()]]
}

/// An empty database in a folder, as arguments.
pub fn sqlite(test: &str) -> [String; 2] {
    ["--data".into(), path(&folder(test).join("data")).into()]
}

/// Replays a case into a database under its own name, with more arguments.
pub fn replay_into(database: &[String; 2], case: &Path, more: &[&str]) -> String {
    let (programme, events) = (case.join("programme.toml"), case.join("events.jsonl"));
    let [kind, place] = database;
    let args = ["replay", path(&programme), path(&events), kind, place, "--as", name(case)];
    succeed(&[&args, more].concat())
}
