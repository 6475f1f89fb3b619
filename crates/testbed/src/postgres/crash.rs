//! The death of a whole server at once.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::process::{Signal, signal};

/// Kills the server with the main process `main` whose processes all have `mark` in their command
/// lines, and returns when none of them is left to write anything.
///
/// To kill the main process alone would not do: the others would notice only by and by, and a
/// commit could still succeed. Nor would its process group: each server process makes its own. So
/// the main process is stopped first, so that it makes no new ones and does not see the others die
/// (it would start its recovery).
pub(super) fn crash(main: u32, mark: &str) {
    signal(main, Signal::Stop).expect("the PostgreSQL server can be stopped");
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let found = processes(mark);
        if found.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "processes of PostgreSQL outlive SIGKILL: {found:?}");
        for pid in found {
            // One that has ended in the meantime is as it should be.
            _ = signal(pid, Signal::Kill);
        }
        sleep(Duration::from_millis(2));
    }
}

/// Their numbers. Every process may read the command lines of all others, which is not so for most
/// of what `/proc` tells; one that has ended and was not waited for has none.
pub(super) fn processes(mark: &str) -> Vec<u32> {
    let all = fs::read_dir("/proc").expect("the list of processes").flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| {
            fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| {
                let line = String::from_utf8_lossy(&line);
                line.find("postgres").is_some_and(|at| line[at..].contains(mark))
            })
        })
        .collect()
}
