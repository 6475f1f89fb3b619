//! The process that writes, and that all kinds of things happen to. It is this test program, told
//! by its environment to be nothing else.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use engine::Command;
use jiff::Timestamp;
use platform::sequencer::{Answer, Outcome, Request, Sequencer, Settings, Status, SubmitError};
use serde_json::Value;

use crate::dice::Dice;
use crate::place;
use crate::plan::Plan;

/// What the child is told, as JSON.
pub const TASK: &str = "SEQUENCER_CHILD";

/// Windows in flight at once.
const AHEAD_MAX: usize = 8;

#[test]
#[ignore = "run by other tests, in a process of its own"]
fn child() {
    let Ok(task) = std::env::var(TASK) else { return };
    // Whoever started this has to end it; a process that is killed, or stopped, cannot.
    let kill = rustix::process::Signal::KILL;
    rustix::process::set_parent_process_death_signal(Some(kill)).unwrap();
    let task: Value = serde_json::from_str(&task).unwrap();
    let text = |name: &str| task[name].as_str().unwrap().to_owned();
    let number = |name: &str| task[name].as_u64();
    let lines = std::fs::read_to_string(text("plan")).unwrap();
    let commands = lines.lines().map(|line| {
        let (is_after_settlement, line) = line.split_at(1);
        (is_after_settlement == "S", Command::from_json(line).unwrap())
    });
    let child = Child {
        dice: Dice::new(number("seed").unwrap()),
        commands: commands.collect(),
        from: number("from").unwrap() as usize,
        end: number("end").unwrap() as usize,
        is_patient: task["is_patient"].as_bool().unwrap(),
    };
    let settings = Settings {
        holder: text("holder"),
        lease: Duration::from_millis(number("lease").unwrap()),
        commit_timeout: Duration::from_millis(number("commit_timeout").unwrap()),
        clock: Arc::new(|| Timestamp::from_microsecond(Plan::RECORDED_AT).unwrap()),
        seed: number("seed").unwrap(),
    };
    place::runtime().block_on(async {
        let database = place::open(&text("place")).await;
        let programme = place::find(&database, &text("programme")).await;
        let sequencer = Sequencer::start(database, programme, settings).unwrap();
        let told = sequencer.clone();
        tokio::spawn(tell_status(told));
        if !child.is_patient {
            sequencer.ready().await.unwrap();
            say("R");
        }
        let is_done = child.run(&sequencer).await;
        assert!(is_done, "there was no answer");
        say("D");
        sequencer.stop().await;
        say("X");
    });
    std::process::exit(0);
}

/// A line that the parent tells from those of the test harness.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "@{text}").unwrap();
    out.flush().unwrap();
}

async fn tell_status(sequencer: Sequencer) {
    let mut status = sequencer.status();
    drop(sequencer);
    loop {
        let now = status.borrow_and_update().clone();
        match now {
            Status::Standby { holder } => say(&format!("standby {holder}")),
            Status::Loading => say("loading"),
            Status::Writing => say("writing"),
            Status::Ended(why) => say(&format!("ended {why:?}")),
        }
        if status.changed().await.is_err() {
            return;
        }
    }
}

type Answers = Pin<Box<dyn Future<Output = Result<Vec<Answer>, SubmitError>> + Send>>;

struct Child {
    dice: Dice,
    commands: Vec<(bool, Command)>,
    from: usize,
    end: usize,
    /// Whether to ask again after a failure; then only one window is in flight, so that nothing of
    /// a later one can come before it.
    is_patient: bool,
}

impl Child {
    async fn run(mut self, sequencer: &Sequencer) -> bool {
        let ahead_max = if self.is_patient { 1 } else { AHEAD_MAX };
        let (mut next, mut flying) = (self.from, VecDeque::<(usize, Answers)>::new());
        while next < self.end || !flying.is_empty() {
            if next < self.end && flying.len() < ahead_max {
                let len = self.window().min(self.end - next);
                let answers = self.submit(sequencer, next, len).await;
                flying.push_back((next, answers));
                next += len;
                continue;
            }
            let Some((from, answers)) = flying.pop_front() else { continue };
            match answers.await {
                Ok(answers) => tell(from, &answers),
                Err(error) => {
                    say(&format!("E {from} {error:?}"));

                    if !self.is_patient || error == SubmitError::Stopped {
                        return false;
                    }
                    next = from;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
        true
    }

    fn window(&mut self) -> usize {
        match self.dice.below(4) {
            0 => 1,
            1 => 1 + self.dice.below(10),
            _ => 1 + self.dice.below(200),
        }
    }

    /// Puts commands in the queue: they have their place in the order when this returns.
    async fn submit(&self, sequencer: &Sequencer, from: usize, len: usize) -> Answers {
        let mut requests = Vec::new();
        for (index, (is_after_settlement, command)) in
            self.commands.iter().enumerate().skip(from).take(len)
        {
            if *is_after_settlement {
                say(&format!("S {index}"));
            }
            let key = Some(Plan::key(index).into());
            requests.push(Request { key, command: command.clone() });
        }
        let sequencer = sequencer.clone();
        let mut answers: Answers = Box::pin(async move { sequencer.submit(requests).await });
        let mut first = None;
        poll_fn(|context| {
            if let Poll::Ready(answered) = answers.as_mut().poll(context) {
                first = Some(answered);
            }
            Poll::Ready(())
        })
        .await;
        match first {
            Some(answered) => Box::pin(std::future::ready(answered)),
            None => answers,
        }
    }
}

/// All answers of a window in one write.
fn tell(from: usize, answers: &[Answer]) {
    let mut text = String::new();
    for (index, Answer { outcome, is_repeat }) in (from..).zip(answers) {
        let outcome = match outcome {
            Outcome::Accepted { entry } => format!("accepted {entry}"),
            Outcome::Refused { reason } => format!("refused {}", reason.code()),
            Outcome::KeyReused { entry } => format!("reused {entry}"),
        };
        text.push_str(&format!(
            "@A {index} {} {outcome}\n",
            if *is_repeat { "again" } else { "first" }
        ));
    }
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).unwrap();
    out.flush().unwrap();
}
