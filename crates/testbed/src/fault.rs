//! Disks that fail: a library loaded before libc (`fault.c`, where the rules are told in full)
//! makes chosen writes and syncs of a child process fail, or tears a write and kills the process.
//!
//! ```no_run
//! let fault = testbed::fault::Fault::new("ledger.db");
//! let mut command = std::process::Command::new("some-program");
//! fault.command(&mut command);
//! fault.arm("fsync", 5, "EIO"); // from the fifth fsync of a file named so, "EIO"
//! let status = command.status();
//! assert!(fault.fired());
//! ```

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, id};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

const SOURCE: &str = include_str!("fault.c");

const OPERATIONS: [&str; 7] =
    ["fsync", "fdatasync", "any-sync", "pwrite", "write", "any-write", "ftruncate"];
const EFFECTS: [&str; 6] = ["EIO", "ENOSPC", "EDQUOT", "EROFS", "TORN", "KILL"];

/// The compiled library, made at most once in a process. It lies beside the running test program,
/// under a name that changes with its source: what is built for tests goes with `cargo clean`, and
/// no folder stays behind after every run.
///
/// # Panics
///
/// If there is no C compiler, or if it fails.
pub fn library() -> PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(build).clone()
}

fn build() -> PathBuf {
    let program = std::env::current_exe().expect("the path of this program");
    let folder = program.parent().expect("a program lies in a folder");
    let mut hasher = DefaultHasher::new();
    SOURCE.hash(&mut hasher);
    let library = folder.join(format!("libfault-{:016x}.so", hasher.finish()));
    if !library.exists() {
        compile(folder, &library);
    }
    library
}

/// Compiles beside the goal and renames: other test programs see all of the library or none.
fn compile(folder: &Path, library: &Path) {
    let source = folder.join(format!("fault-{}.c", id()));
    let output = folder.join(format!("fault-{}.so", id()));
    fs::write(&source, SOURCE).expect("the source of the fault library can be written");
    let done = Command::new("cc")
        .args([
            "-shared",
            "-fPIC",
            "-O2",
            "-Wall",
            "-Wextra",
            "-U_FORTIFY_SOURCE",
            "-pthread",
            "-o",
        ])
        .args([&output, &source])
        .output()
        .unwrap_or_else(|error| {
            panic!("no C compiler (cc: {error}): install Debian's gcc and libc6-dev")
        });
    let messages = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "cc on fault.c (are gcc and libc6-dev there?): {messages}");
    assert!(messages.is_empty(), "cc warns of fault.c: {messages}");
    fs::rename(&output, library).expect("the fault library can be put in place");
    fs::remove_file(&source).expect("the source of the fault library can be removed");
}

/// A disk that can be told to fail, for the programs started with it.
#[derive(Debug)]
pub struct Fault {
    folder: TempDir,
    path_part: String,
    armed: AtomicU64,
}

impl Fault {
    /// Faults of regular files whose path contains `path_part`; nothing fails until
    /// [`arm`](Self::arm).
    ///
    /// # Panics
    ///
    /// If `path_part` is empty: it would fail the files of the test's own tools too.
    pub fn new(path_part: &str) -> Self {
        assert!(!path_part.is_empty(), "a fault needs to know which files it may touch");
        let folder = tempfile::Builder::new().prefix("fault-").tempdir();
        let folder = folder.expect("a temporary folder for the control file");
        Self { folder, path_part: path_part.to_owned(), armed: AtomicU64::new(0) }
    }

    /// Puts `command`, and what it starts, under this fault. Each process counts its own calls.
    pub fn command(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", library())
            .env("FAULT_PATH", &self.path_part)
            .env("FAULT_FILE", self.control());
    }

    /// From the `nth` call of `operation` after this one (1 is the next), `effect` takes place; it
    /// replaces the rule that was there and begins a new count, in running programs too.
    ///
    /// `operation`: `fsync`, `fdatasync`, `any-sync`, `pwrite`, `write`, `any-write`, `ftruncate`;
    /// `effect`: `EIO`, `ENOSPC`, `EDQUOT`, `EROFS`, `TORN` (half the bytes, then `SIGKILL`),
    /// `KILL` (nothing done, then `SIGKILL`).
    ///
    /// # Panics
    ///
    /// On an operation or effect not listed: a fault that never strikes proves nothing.
    pub fn arm(&self, operation: &str, nth: u64, effect: &str) {
        assert!(OPERATIONS.contains(&operation), "no such operation: {operation}");
        assert!(EFFECTS.contains(&effect), "no such effect: {effect}");
        assert!(nth > 0, "calls are counted from 1");
        let serial = self.armed.fetch_add(1, Ordering::Relaxed) + 1;
        // By a rename, so that no program reads half a rule; with a serial number, so that the
        // same rule twice is a change.
        let draft = self.folder.path().join("draft");
        fs::write(&draft, format!("{operation} {nth} {effect} {serial}\n"))
            .expect("the control file can be written");
        fs::rename(&draft, self.control()).expect("the control file can be put in place");
    }

    /// From now on nothing fails.
    pub fn disarm(&self) {
        let control = self.control();
        if control.exists() {
            fs::remove_file(control).expect("the control file can be removed");
        }
    }

    /// Whether the rule armed last has struck. A test that sweeps over every `nth` is at
    /// its end when a run comes through without this.
    pub fn fired(&self) -> bool {
        let serial = self.armed.load(Ordering::Relaxed);
        fs::read_to_string(self.folder.path().join("rule.fired"))
            .is_ok_and(|rule| rule.ends_with(&format!(" {serial}\n")))
    }

    fn control(&self) -> PathBuf {
        self.folder.path().join("rule")
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Output, Stdio};

    use super::*;

    fn dd(fault: &Fault, to: &Path, blocks: u32, more: &str) -> Output {
        let mut command = Command::new("dd");
        command.env("LC_ALL", "C");
        command.args(["if=/dev/zero", "bs=1000", more]);
        command.arg(format!("of={}", to.display())).arg(format!("count={blocks}"));
        fault.command(&mut command);
        command.output().unwrap()
    }

    fn size(path: &Path) -> u64 {
        fs::metadata(path).unwrap().len()
    }

    #[test]
    fn writes_fail_from_the_nth_on() {
        let folder = TempDir::new().unwrap();
        let (watched, other) = (folder.path().join("watched"), folder.path().join("other"));
        let fault = Fault::new("/watched");
        fault.arm("write", 4, "ENOSPC");
        let output = dd(&fault, &watched, 10, "status=none");
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains("No space left on device"));
        assert_eq!(size(&watched), 3000);
        assert!(fault.fired());

        fault.arm("any-write", 4, "EIO");
        assert!(!fault.fired());
        assert!(dd(&fault, &other, 10, "status=none").status.success());
        assert_eq!(size(&other), 10_000);
        assert!(!fault.fired());
        assert!(!dd(&fault, &watched, 10, "status=none").status.success());

        fault.disarm();
        assert!(dd(&fault, &watched, 10, "status=none").status.success());
        assert_eq!(size(&watched), 10_000);
    }

    #[test]
    fn a_torn_write_leaves_half_and_a_dead_process() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("torn");
        let fault = Fault::new("/torn");
        fault.arm("write", 3, "TORN");
        assert_eq!(dd(&fault, &file, 10, "status=none").status.signal(), Some(9));
        assert_eq!(size(&file), 2500);
        fault.arm("write", 3, "KILL");
        assert_eq!(dd(&fault, &file, 10, "status=none").status.signal(), Some(9));
        assert_eq!(size(&file), 2000);
    }

    #[test]
    fn syncs_and_truncations_fail() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("synced");
        let fault = Fault::new("/synced");
        for (operation, option) in [
            ("fsync", "conv=fsync"),
            ("fdatasync", "conv=fdatasync"),
            ("any-sync", "conv=fsync"),
            ("any-sync", "conv=fdatasync"),
            ("ftruncate", "seek=1"),
        ] {
            fault.disarm();
            assert!(dd(&fault, &file, 2, option).status.success());
            fault.arm(operation, 1, "EIO");
            let output = dd(&fault, &file, 2, option);
            // By what it says: of a failed truncation dd complains, and goes on.
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.contains("Input/output error"), "{operation} {option}: {said}");
            assert!(fault.fired());
            fault.arm(operation, 2, "EIO");
            assert!(dd(&fault, &file, 2, option).status.success(), "{operation} {option}");
            assert!(!fault.fired());
        }
    }

    #[test]
    fn positioned_writes_are_counted_over_all_threads() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("positioned");
        let fault = Fault::new("/positioned");
        fault.arm("pwrite", 101, "EIO");
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "fault::tests::writer", "--ignored", "--nocapture"]);
        fault.command(command.env("WRITER_FILE", &file));
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("written 100 failed 700"), "{said}");
    }

    /// The child of the test above.
    #[test]
    #[ignore = "run by another test, in a process of its own"]
    fn writer() {
        use std::os::unix::fs::FileExt;
        let Some(path) = std::env::var_os("WRITER_FILE") else { return };
        let file = fs::File::create(path).unwrap();
        let written = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (file, written) = (&file, &written);
                scope.spawn(move || {
                    for i in 0..100 {
                        let done = file.write_at(b"x", thread * 100 + i);
                        match done {
                            Ok(_) => _ = written.fetch_add(1, Ordering::Relaxed),
                            Err(error) => assert_eq!(error.raw_os_error(), Some(5)),
                        }
                    }
                });
            }
        });
        let written = written.into_inner();
        println!("written {written} failed {}", 800 - written);
    }

    #[test]
    fn a_running_program_sees_the_rule_come_and_go() {
        let folder = TempDir::new().unwrap();
        let fault = Fault::new("/shell");
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(r#"while read -r line; do echo "$line" >>"$0" 2>/dev/null && echo ok || echo bad; done"#)
            .arg(folder.path().join("shell"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        fault.command(&mut command);
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut say = || {
            writeln!(stdin, "line").unwrap();
            lines.next().unwrap().unwrap()
        };
        assert_eq!(say(), "ok");
        fault.arm("write", 2, "EIO");
        assert_eq!([say(), say(), say()], ["ok", "bad", "bad"]);
        fault.arm("write", 2, "EIO");
        assert_eq!([say(), say()], ["ok", "bad"]);
        fault.disarm();
        assert_eq!(say(), "ok");
        drop(stdin);
        assert!(child.wait().unwrap().success());
        assert_eq!(fs::read_to_string(folder.path().join("shell")).unwrap().lines().count(), 4);
    }
}
