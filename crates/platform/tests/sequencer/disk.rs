//! Disks that fail under SQLite: full, with errors on commit, with half a page written; and a log
//! with a damaged end.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use platform::sequencer::{Request, SubmitError};
use tempfile::TempDir;
use testbed::fault::Fault;
use tokio::runtime::Runtime;

use crate::bench::Bench;
use crate::dice::{Dice, seed};
use crate::judge::{all_rows, are_there_once, judge};
use crate::place;
use crate::plan::{Plan, Size, file};
use crate::writer::{Answers, PATIENCE, PlanFile, Said, Task, Writer};

struct Disk {
    runtime: Runtime,
    plan: Plan,
    file: PlanFile,
    folder: TempDir,
    fault: Fault,
    answers: Answers,
    dice: Dice,
}

impl Disk {
    fn new(seed: u64, size: Size) -> Self {
        let plan = Plan::make(seed, size);
        let folder = tempfile::Builder::new().prefix("disk-").tempdir().unwrap();
        let fault = Fault::new(folder.path().file_name().unwrap().to_str().unwrap());
        let disk = Self {
            runtime: place::runtime(),
            file: PlanFile::write(&plan),
            plan,
            folder,
            fault,
            answers: Answers::default(),
            dice: Dice::new(seed),
        };
        disk.runtime.block_on(async {
            let database = place::open(disk.place()).await;
            place::create(&database, "programme", &disk.plan.programme).await;
            database.close().await;
        });
        disk
    }

    fn place(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    fn start(&mut self, is_patient: bool) -> Writer {
        let mut task = Task::all(self.place(), "programme", &self.plan);
        task.from = self.answers.next();
        task.seed = self.dice.next() >> 1;
        task.is_patient = is_patient;
        Writer::start(&task, &self.file, Some(&self.fault))
    }

    fn judge(self) {
        judge(&self.runtime, self.place(), "programme", &self.plan, &self.answers);
    }

    /// Nothing answered is lost, in the middle of a stream.
    fn is_whole_so_far(&self) {
        let rows = self.runtime.block_on(async {
            let database = place::open(self.place()).await;
            let id = place::find(&database, "programme").await;
            let rows = all_rows(&database, id).await;
            let verified = tokio::task::spawn_blocking({
                let database = database.clone();
                let runtime = self.runtime.handle().clone();
                move || store::verify(&runtime, &database, id, &mut |_, _| {}).map(drop)
            });
            verified.await.unwrap().unwrap();
            database.close().await;
            rows
        });
        are_there_once(&rows, &self.answers);
    }
}

/// The same process goes on when the disk is well again.
fn fails_and_gets_well(operation: &str, effect: &str, seed: u64) {
    let mut disk = Disk::new(seed, Size::SMALL);
    let mut writer = disk.start(true);
    let mut failures = 0;
    for _ in 0..4 {
        let enough = disk.answers.first.len() + disk.dice.below(80);
        let so = |writer: &Writer, _: &Said, answers: &Answers| {
            writer.is_done || answers.first.len() >= enough
        };
        writer.hear_until(&mut disk.answers, PATIENCE, so);
        if writer.is_done {
            break;
        }
        disk.fault.arm(operation, 1 + disk.dice.below(6) as u64, effect);
        // While the disk is ill nobody can be told anything: whether the commit happened is not
        // known before the lease is changed.
        let deadline = std::time::Instant::now() + PATIENCE;
        while !disk.fault.fired() && !writer.is_done {
            assert!(std::time::Instant::now() < deadline, "the fault never struck");
            writer.hear_for(&mut disk.answers, Duration::from_millis(5));
        }
        writer.hear_for(&mut disk.answers, disk.dice.within(Duration::from_millis(300)));
        failures += u32::from(disk.fault.fired());
        disk.fault.disarm();
    }
    assert!(failures > 0, "nothing failed");
    writer.hear_until(&mut disk.answers, PATIENCE, |writer, _, _| writer.is_done);
    let told = std::mem::take(&mut writer.failures);
    println!("{operation} {effect}: struck {failures} times, {} failures told", told.len());
    assert!(told.iter().all(|failure| failure == "CommitFailed"), "{told:?}");
    writer.finish(&mut disk.answers);
    disk.judge();
}

#[test]
fn a_full_disk() {
    fails_and_gets_well("any-write", "ENOSPC", seed());
}

#[test]
fn an_error_on_writing() {
    fails_and_gets_well("any-write", "EIO", seed() + 1);
}

#[test]
fn an_error_on_commit() {
    fails_and_gets_well("any-sync", "EIO", seed() + 2);
}

/// A file system that is really full, until something else on it is deleted. To mount one takes
/// root; elsewhere only the faults above tell.
#[test]
fn a_really_full_disk() {
    let exe = std::env::current_exe().unwrap();
    let mut command = Command::new("unshare");
    command.args(["--mount", "--"]).arg(exe);
    command.args(["--exact", "disk::on_a_small_disk", "--ignored", "--nocapture"]);
    let folder = TempDir::new().unwrap();
    let Ok(output) = command.env(SMALL_DISK, folder.path()).output() else { return };
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    if said.contains("unshare failed") || said.contains("no mount") {
        println!("nothing can be mounted here: {said}");
        return;
    }
    assert!(output.status.success(), "{said}");
    assert!(said.contains("the disk was full"), "{said}");
}

const SMALL_DISK: &str = "SEQUENCER_SMALL_DISK";

/// Its mounts are its own, and end with it.
#[test]
#[ignore = "run by another test, in a process of its own"]
fn on_a_small_disk() {
    let Some(folder) = std::env::var_os(SMALL_DISK) else { return };
    let folder = Path::new(&folder);
    let kill = rustix::process::Signal::KILL;
    rustix::process::set_parent_process_death_signal(Some(kill)).unwrap();
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=24m", "none"]).arg(folder);
    if !mount.status().is_ok_and(|status| status.success()) {
        println!("no mount");
        return;
    }
    let ballast = folder.join("ballast");
    fs::write(&ballast, vec![0; 14 << 20]).unwrap();
    let plan = Plan::make(seed(), Size::LARGE);
    let bench = Bench::at(folder.to_str().unwrap(), None, &plan.programme);
    let sequencer = bench.start();
    let mut from = 0;
    let mut is_ballast_there = true;
    while from < plan.commands.len() {
        let end = (from + 200).min(plan.commands.len());
        let requests = (from..end).map(|index| {
            let key = Some(Plan::key(index).into());
            Request { key, command: plan.commands[index].clone() }
        });
        let requests: Vec<_> = requests.collect();
        let submitted = bench.runtime.block_on(async {
            let answers = sequencer.submit(requests);
            let patience = if is_ballast_there { Duration::from_secs(3) } else { PATIENCE };
            tokio::time::timeout(patience, answers).await
        });
        match submitted {
            Ok(Ok(_)) => from = end,
            Ok(Err(error)) => assert_eq!(error, SubmitError::CommitFailed),
            // Nobody can be told anything while nothing can be written.
            Err(_) => {
                assert!(is_ballast_there, "no answer, and the disk is not full");
                fs::remove_file(&ballast).unwrap();
                is_ballast_there = false;
                println!("the disk was full after {from} commands");
            }
        }
    }
    bench.stop(&sequencer);
    assert_eq!(file(bench.verify().book.engine.state()), plan.state);
}

/// Half a page is written, then the process is dead.
#[test]
fn a_torn_page() {
    let mut disk = Disk::new(seed(), Size::SMALL);
    let mut torn = 0;
    while disk.answers.next() < disk.plan.lines.len() {
        let mut writer = disk.start(false);
        if torn == 12 {
            disk.fault.disarm();
            writer.finish(&mut disk.answers);
            break;
        }
        writer.hear_until(&mut disk.answers, PATIENCE, |writer, _, _| writer.ready);
        // A large number may be behind the end of the stream.
        let most = *disk.dice.one_of(&[3, 30, 100]);
        disk.fault.arm("any-write", 1 + disk.dice.below(most) as u64, "TORN");
        writer.end(&mut disk.answers);
        torn += u32::from(disk.fault.fired());
        disk.fault.disarm();
        disk.is_whole_so_far();
    }
    assert!(torn >= 4, "only {torn} writes were torn");
    println!("{torn} writes torn");
    disk.judge();
}

/// After a crash the log's end can hold anything: what was committed does not lie there.
#[test]
fn a_log_with_a_damaged_end() {
    let mut disk = Disk::new(seed(), Size::SMALL);
    let mut damaged = 0;
    while disk.answers.next() < disk.plan.lines.len() {
        let mut writer = disk.start(false);
        if damaged == 10 {
            writer.finish(&mut disk.answers);
            break;
        }
        let enough = disk.answers.first.len() + disk.dice.below(40);
        let so = |writer: &Writer, _: &Said, answers: &Answers| {
            writer.is_done || answers.first.len() >= enough
        };
        writer.hear_until(&mut disk.answers, PATIENCE, so);
        let was_done = writer.is_done;
        writer.kill(&mut disk.answers);
        if was_done {
            break;
        }
        let log = disk.folder.path().join("verdant.db-wal");
        damage(&mut disk.dice, &log);
        damaged += 1;
        disk.is_whole_so_far();
    }
    assert!(damaged >= 4, "only {damaged} logs were damaged");
    disk.judge();
}

/// Adds to the log, behind its last commit, what a crash may leave there.
fn damage(dice: &mut Dice, log: &Path) {
    let mut bytes = fs::read(log).unwrap();
    let end = last_commit(&bytes);
    match dice.below(4) {
        // Cut where the last commit ends, or somewhere behind it.
        0 => {
            let len = end + dice.below(bytes.len() - end + 1);
            bytes.truncate(len);
        }
        // What lies behind it is garbled.
        1 if end < bytes.len() => {
            for byte in &mut bytes[end..] {
                *byte = dice.next() as u8;
            }
        }
        // A frame copied from before, and cut in its middle.
        2 => {
            let frame = bytes[end.saturating_sub(FRAME).max(32)..end].to_vec();
            bytes.truncate(end);
            let len = dice.below(frame.len() + 1);
            bytes.extend_from_slice(&frame[..len]);
        }
        _ => {
            bytes.truncate(end);
            let len = dice.below(3 * FRAME);
            bytes.extend((0..len).map(|_| dice.next() as u8));
        }
    }
    fs::write(log, bytes).unwrap();
}

/// Bytes of a page and its header in the log.
const FRAME: usize = 24 + 16_384;

/// Where the last commit of the log ends: frames after the first 32 bytes, each with the salt of
/// the log's header; that of a commit has the size of the database.
fn last_commit(log: &[u8]) -> usize {
    let mut end = log.len().min(32);
    let salt = log.get(16..24);
    let mut at = 32;
    while let Some(frame) = log.get(at..at + FRAME) {
        if frame.get(8..16) != salt {
            break;
        }
        at += FRAME;
        if frame[4..8] != [0; 4] {
            end = at;
        }
    }
    end
}
