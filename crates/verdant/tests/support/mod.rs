//! What the tests of the binary share.
#![allow(dead_code, reason = "each test uses its part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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
