//! The real files that are spoilt: the worked cases.

use std::path::Path;

/// The long case is cut to its first lines.
const MOST_LINES: usize = 301;

/// A programme and what happens under it, as the files have it.
#[derive(Clone)]
pub struct Case {
    pub programme: String,
    pub events: Vec<String>,
}

pub fn cases() -> Vec<Case> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden");
    let listing = std::fs::read_dir(&golden).unwrap_or_else(|error| {
        panic!("{}: {error}: put `shared` beside the checkout", golden.display())
    });
    let mut paths: Vec<_> = listing.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let text = |path: &Path, file| std::fs::read_to_string(path.join(file)).unwrap();
    let case = |path: &std::path::PathBuf| {
        let events = text(path, "events.jsonl");
        let events = events.lines().take(MOST_LINES).map(str::to_owned).collect();
        Case { programme: text(path, "programme.toml"), events }
    };
    paths.iter().map(case).collect()
}
