//! The whole CDNOW history end to end, as a user runs it: import, then replay, from the table to
//! the summary, with state and journal written. Beside it the plain way: the same commands, and
//! after each a look at every member for one who must be sold out.
#![expect(clippy::unwrap_used, reason = "a benchmark stops on what it did not expect")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use engine::{Account, Engine, NoJournal, Programme, Unit};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let table = root.join("../shared/data/cdnow.csv");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("replay-bench");
    std::fs::create_dir_all(&folder).unwrap();
    let events = folder.join("events.jsonl");
    let import = verdant(&["import".into(), table, "--out".into(), events.clone()]);
    println!("CDNOW, 69 579 orders of 23 502 members, 545 days; best of 3\n");
    println!("| what | seconds |\n|---|---:|");
    println!("| `verdant import` | {import:.3} |");
    let (state, journal) = (folder.join("state.json"), folder.join("journal.jsonl"));
    for name in ["wine", "packages"] {
        let programme = root.join("examples").join(format!("{name}.toml"));
        let seconds = verdant(&["replay".into(), programme.clone(), events.clone()]);
        println!("| `verdant replay examples/{name}.toml` | {seconds:.3} |");
        let seconds = verdant(&[
            "replay".into(),
            programme,
            events.clone(),
            "--state".into(),
            state.clone(),
            "--journal".into(),
            journal.clone(),
        ]);
        println!("| the same with --state and --journal | {seconds:.3} |");
    }
    let programme = std::fs::read_to_string(root.join("examples/wine.toml")).unwrap();
    let events = std::fs::read_to_string(&events).unwrap();
    // The journals are gigabytes.
    std::fs::remove_dir_all(&folder).unwrap();
    let fast = in_process(&programme, &events, false);
    let plain = in_process(&programme, &events, true);
    println!("| in process, wine | {fast:.3} |");
    println!("| in process, wine, scanning all members after each command | {plain:.3} |");
    println!("\nratio plain / ours: {:.0}", plain / fast);
}

/// Seconds of the best of three runs of the binary.
fn verdant(args: &[PathBuf]) -> f64 {
    let run = || {
        let start = Instant::now();
        let status = Command::new(env!("CARGO_BIN_EXE_verdant"))
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        start.elapsed().as_secs_f64()
    };
    (0..3).map(|_| run()).fold(f64::MAX, f64::min)
}

fn in_process(programme: &str, events: &str, scan: bool) -> f64 {
    let mut engine = Engine::new(Programme::from_toml(programme).unwrap(), 0);
    let start = Instant::now();
    for line in events.lines() {
        let command = engine::Command::from_json(line).unwrap();
        while let Some(settlement) = engine.settlement_due(&command) {
            engine.apply(&settlement, &mut NoJournal).unwrap();
        }
        engine.apply(&command, &mut NoJournal).unwrap();
        if scan {
            assert!(nobody_must_exit(&engine));
        }
    }
    start.elapsed().as_secs_f64()
}

fn nobody_must_exit(engine: &Engine) -> bool {
    let state = engine.state();
    let (pool, supply) = (i128::from(state.pool().steps()), i128::from(state.supply().steps()));
    state.members().all(|member| {
        let account = Account::Member(member);
        let points = i128::from(state.balance(account, Unit::Growth));
        let quota = i128::from(state.balance(account, Unit::Quota));
        points == 0 || points * pool < quota * supply
    })
}
