//! Signals to processes, and waiting for their end without waiting forever.

use std::io;
use std::process::{Child, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, kill_process};

/// The signals that tests have a use for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The process ends at once and cannot tidy up: a crash.
    Kill,
    /// The process stands still but keeps its files, locks and connections: a hang.
    Stop,
    /// A process that stands still goes on.
    Cont,
    /// The process is asked to end: an orderly stop.
    Term,
}

impl Signal {
    const fn number(self) -> rustix::process::Signal {
        match self {
            Self::Kill => rustix::process::Signal::KILL,
            Self::Stop => rustix::process::Signal::STOP,
            Self::Cont => rustix::process::Signal::CONT,
            Self::Term => rustix::process::Signal::TERM,
        }
    }
}

/// Sends `signal` to the process `pid`, directly rather than by the `kill` command: the moment
/// matters to a test that kills in the middle of something.
///
/// # Errors
///
/// As the system says it: no such process (`ESRCH`), or not ours to signal (`EPERM`).
pub fn signal(pid: u32, signal: Signal) -> io::Result<()> {
    // 0 and negative numbers mean whole groups of processes, our own among them.
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    Ok(kill_process(pid, signal.number())?)
}

/// Waits for `child` to end, for at most `timeout`; `None` if it still runs then. A test that
/// waits without a bound hangs where it should fail.
///
/// # Panics
///
/// If the system refuses to say how the child is.
pub fn wait_exit(child: &mut Child, timeout: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + timeout;
    loop {
        if let Some(status) = child.try_wait().expect("the state of a child process") {
            return Some(status);
        }
        if Instant::now() >= deadline {
            return None;
        }
        sleep(Duration::from_millis(2));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    use super::*;

    const SHORT: Duration = Duration::from_millis(100);
    const LONG: Duration = Duration::from_secs(20);

    fn sleeper() -> Child {
        Command::new("sleep").arg("60").spawn().unwrap()
    }

    fn state(child: &Child) -> String {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        stat.rsplit(") ").next().unwrap()[..1].to_owned()
    }

    fn until_state(child: &Child, wanted: &[&str]) {
        let deadline = Instant::now() + LONG;
        while !wanted.contains(&&*state(child)) {
            assert!(Instant::now() < deadline, "state {}", state(child));
            sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_killed_process_ends_by_that_signal() {
        for (sent, number) in [(Signal::Kill, 9), (Signal::Term, 15)] {
            let mut child = sleeper();
            assert_eq!(wait_exit(&mut child, SHORT), None);
            signal(child.id(), sent).unwrap();
            assert_eq!(wait_exit(&mut child, LONG).unwrap().signal(), Some(number));
        }
    }

    #[test]
    fn a_stopped_process_goes_on_when_told() {
        let mut child = sleeper();
        signal(child.id(), Signal::Stop).unwrap();
        until_state(&child, &["T"]);
        signal(child.id(), Signal::Cont).unwrap();
        until_state(&child, &["S", "R"]);
        signal(child.id(), Signal::Kill).unwrap();
        assert!(wait_exit(&mut child, LONG).is_some());
    }

    #[test]
    fn pid_zero_is_refused() {
        assert!(signal(0, Signal::Kill).is_err());
        assert!(signal(u32::MAX, Signal::Kill).is_err());
    }
}
