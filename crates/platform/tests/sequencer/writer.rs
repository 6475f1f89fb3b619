//! The parent's side of a child that writes: started, watched, killed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use testbed::fault::Fault;
use testbed::process::{Signal, signal, wait_exit};

use crate::child::TASK;
use crate::plan::Plan;

/// Far longer than anything here takes.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What a child is to do.
#[derive(Debug, Clone)]
pub struct Task {
    pub place: String,
    pub programme: String,
    pub holder: String,
    pub from: usize,
    pub end: usize,
    pub seed: u64,
    pub lease: Duration,
    pub commit_timeout: Duration,
    pub is_patient: bool,
}

impl Task {
    pub fn all(place: &str, programme: &str, plan: &Plan) -> Self {
        Self {
            place: place.to_owned(),
            programme: programme.to_owned(),
            holder: "A".to_owned(),
            from: 0,
            end: plan.lines.len(),
            seed: 1,
            lease: Duration::from_millis(300),
            commit_timeout: Duration::from_secs(20),
            is_patient: false,
        }
    }
}

/// A plan in a file, for children.
pub struct PlanFile {
    _folder: TempDir,
    path: PathBuf,
}

impl PlanFile {
    pub fn write(plan: &Plan) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("plan");
        let mut text = String::new();
        for (line, is_after_settlement) in plan.lines.iter().zip(&plan.is_after_settlement) {
            text.push(if *is_after_settlement { 'S' } else { ' ' });
            text.push_str(line);
            text.push('\n');
        }
        std::fs::write(&path, text).unwrap();
        Self { _folder: folder, path }
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

/// What a child said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Ready,
    /// It asks for this command, before which a day is settled.
    Settling(usize),
    Answer {
        index: usize,
        is_repeat: bool,
        outcome: String,
    },
    Failed {
        from: usize,
        error: String,
    },
    Done,
    Stopped,
    Status(String),
}

fn parse(line: &str) -> Option<Said> {
    let mut words = line.strip_prefix('@')?.split(' ');
    let mut word = || words.next().unwrap_or_default();
    Some(match word() {
        "R" => Said::Ready,
        "S" => Said::Settling(word().parse().unwrap()),
        "A" => {
            let (index, is_repeat) = (word().parse().unwrap(), word() == "again");
            Said::Answer { index, is_repeat, outcome: words.collect::<Vec<_>>().join(" ") }
        }
        "E" => Said::Failed { from: word().parse().unwrap(), error: word().to_owned() },
        "D" => Said::Done,
        "X" => Said::Stopped,
        _ => Said::Status(line[1..].to_owned()),
    })
}

/// The first answer to each command.
#[derive(Debug, Default)]
pub struct Answers {
    pub first: BTreeMap<usize, String>,
    pub repeats: usize,
}

impl Answers {
    /// The first command without an answer.
    pub fn next(&self) -> usize {
        self.first
            .iter()
            .zip(0..)
            .find(|((index, _), n)| *index != n)
            .map_or(self.first.len(), |(_, n)| n)
    }

    /// Adds what another process was answered.
    pub fn join(&mut self, other: Self) {
        self.repeats += other.repeats;
        for (index, outcome) in other.first {
            let first = self.first.entry(index).or_insert_with(|| outcome.clone());
            assert_eq!(*first, outcome, "command {index} was answered differently elsewhere");
        }
    }

    fn note(&mut self, index: usize, is_repeat: bool, outcome: String) {
        self.repeats += usize::from(is_repeat);
        if let Some(first) = self.first.get(&index) {
            assert!(is_repeat, "command {index} was done twice");
            assert_eq!(*first, outcome, "command {index} was answered differently again");
        } else {
            self.first.insert(index, outcome);
        }
    }
}

/// A running child.
pub struct Writer {
    child: Child,
    said: Receiver<Said>,
    pub ready: bool,
    loading_since: Instant,
    /// How long it took to load.
    pub loaded_in: Duration,
    /// The settlement that has not been answered yet.
    pub settling: Option<usize>,
    pub is_done: bool,
    pub is_stopped: bool,
    pub failures: Vec<String>,
    pub status: String,
}

impl Drop for Writer {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl Writer {
    pub fn start(task: &Task, plan: &PlanFile, fault: Option<&Fault>) -> Self {
        let text = json!({
            "place": task.place,
            "programme": task.programme,
            "holder": task.holder,
            "from": task.from,
            "end": task.end,
            "seed": task.seed,
            "lease": task.lease.as_millis() as u64,
            "commit_timeout": task.commit_timeout.as_millis() as u64,
            "is_patient": task.is_patient,
            "plan": plan.path(),
        });
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child::child", "--ignored", "--nocapture", "--test-threads=1"]);
        command.env(TASK, text.to_string()).stdin(Stdio::null()).stdout(Stdio::piped());
        if let Some(fault) = fault {
            fault.command(&mut command);
        }
        let mut child = command.spawn().unwrap();
        let out = child.stdout.take().unwrap();
        let (sender, said) = channel();
        std::thread::spawn(move || {
            let mut out = BufReader::new(out);
            let mut line = String::new();
            // A line without its end was not said.
            while out.read_line(&mut line).is_ok_and(|_| line.ends_with('\n')) {
                // The harness begins a line that is ours.
                let ours = line.trim_end().find('@').map(|start| &line.trim_end()[start..]);
                if let Some(said) = ours.and_then(parse)
                    && sender.send(said).is_err()
                {
                    return;
                }
                line.clear();
            }
        });
        let failures = Vec::new();
        let status = String::new();
        Self {
            child,
            said,
            ready: false,
            loading_since: Instant::now(),
            loaded_in: Duration::ZERO,
            settling: None,
            is_done: false,
            is_stopped: false,
            failures,
            status,
        }
    }

    pub fn signal(&self, number: Signal) {
        signal(self.child.id(), number).unwrap();
    }

    pub fn is_standby(&self) -> bool {
        self.status.starts_with("standby")
    }

    fn note(&mut self, said: &Said, answers: &mut Answers) {
        match said {
            Said::Ready => self.ready = true,
            Said::Settling(index) => self.settling = Some(*index),
            Said::Answer { index, is_repeat, outcome } => {
                if self.settling.is_some_and(|settling| *index >= settling) {
                    self.settling = None;
                }
                answers.note(*index, *is_repeat, outcome.clone());
            }
            Said::Failed { error, .. } => self.failures.push(error.clone()),
            Said::Done => self.is_done = true,
            Said::Stopped => self.is_stopped = true,
            Said::Status(status) => {
                match status.as_str() {
                    "loading" => self.loading_since = Instant::now(),
                    "writing" => self.loaded_in = self.loading_since.elapsed(),
                    _ => {}
                }
                self.status.clone_from(status);
            }
        }
    }

    /// Listens until something is so, the child has ended, or the time is over: whether it is.
    pub fn hear_until(
        &mut self,
        answers: &mut Answers,
        wait: Duration,
        mut is_so: impl FnMut(&Self, &Said, &Answers) -> bool,
    ) -> bool {
        let deadline = Instant::now() + wait;
        loop {
            match self.said.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(said) => {
                    self.note(&said, answers);
                    if is_so(self, &said, answers) {
                        return true;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    /// Listens for so long, whatever is said.
    pub fn hear_for(&mut self, answers: &mut Answers, time: Duration) {
        self.hear_until(answers, time, |_, _, _| false);
    }

    /// Kills it and takes note of what it had said before.
    pub fn kill(mut self, answers: &mut Answers) -> Self {
        self.signal(Signal::Kill);
        self.end(answers);
        self
    }

    /// Waits until it has ended.
    pub fn end(&mut self, answers: &mut Answers) -> std::process::ExitStatus {
        let status = wait_exit(&mut self.child, PATIENCE).expect("the child ends");
        self.hear_for(answers, PATIENCE);
        status
    }

    /// Waits until it has come to its end by itself.
    pub fn finish(mut self, answers: &mut Answers) {
        self.hear_until(answers, PATIENCE, |_, said, _| *said == Said::Stopped);
        let status = self.end(answers);
        assert!(
            self.is_stopped && status.success(),
            "the child ended by {status}: {}",
            self.status
        );
    }
}
