//! Event lines to the sequencer, and their answers back.

use std::io::{self, Write};
use std::time::Duration;

use engine::{Command, Rejected};
use platform::sequencer::{Answer, Outcome, Request, Sequencer, StartError, Status, SubmitError};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};

use super::events::{Events, EventsError};
use super::results::Results;
use crate::outfile::WriteError;
use crate::progress;

/// Lines handed over at once. The sequencer commits them in as many transactions as it likes, one
/// while it makes the next.
///
/// There is one window at a time, never two: had the first one failed, the second could be taken
/// before we ask for the first again, and the order would be another.
const WINDOW_LINES: usize = 8_192;

/// Lines read ahead while a window is being committed.
const AHEAD_LINES: usize = 16_384;

/// How often a window is asked for again before it is given up.
const TRIES_MAX: u32 = 8;

/// The pause after the first try; later ones are longer.
const PAUSE: Duration = Duration::from_millis(250);

/// How long another writer is waited for: the leases of runs that were killed lapse sooner.
const WAIT_MAX: Duration = Duration::from_secs(90);

/// Why not all lines have an answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A line is no command, or there is no next line.
    #[error(transparent)]
    Events(#[from] EventsError),
    /// The results cannot be written.
    #[error(transparent)]
    Results(#[from] WriteError),
    /// There is no writer.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Another process writes and does not stop.
    #[error("{holder} is writing this programme: stop it, or hand it the commands")]
    Held {
        /// As it calls itself.
        holder: String,
    },
    /// The database does not take them.
    #[error("line {line} and those after it are not known to be stored; run the same again later")]
    Submit {
        /// The first line without an answer.
        line: u64,
        /// What the sequencer said.
        source: SubmitError,
    },
}

/// What the answers come to.
#[derive(Debug, Default)]
pub struct Tally {
    /// Lines answered.
    pub lines: u64,
    /// Lines that were there already.
    pub repeats: u64,
    /// Lines that were refused, now or when they first came.
    pub rejected: Vec<Rejected>,
    /// Lines whose key came with another command before.
    pub reused: u64,
    /// The first of them, and the entry that has its key.
    pub first_reused: Option<(u64, u64)>,
}

impl Tally {
    fn add(&mut self, line: u64, answer: Answer) {
        self.lines += 1;
        match answer.outcome {
            Outcome::KeyReused { entry } => {
                self.reused += 1;
                self.first_reused.get_or_insert((line, entry));
                return;
            }
            Outcome::Refused { reason } => self.rejected.push(Rejected { line, reason }),
            Outcome::Accepted { .. } => {}
        }
        self.repeats += u64::from(answer.is_repeat);
    }
}

type Line = Result<(u64, Command), EventsError>;

/// Hands every line to the sequencer, in order, and waits for all answers.
pub async fn all(
    sequencer: &Sequencer,
    events: Events,
    run: &str,
    results: &mut Results,
    tally: &mut Tally,
) -> Result<(), Error> {
    ready(sequencer).await?;
    let mut lines = read_ahead(events);
    let (mut window, mut numbers, mut requests) = (Vec::new(), Vec::new(), Vec::new());
    while lines.recv_many(&mut window, WINDOW_LINES).await > 0 {
        let mut failed = None;
        for line in window.drain(..) {
            match line {
                Ok((number, command)) => {
                    let key = Some(format!("{run}/{number}").into());
                    numbers.push(number);
                    requests.push(Request { key, command });
                }
                Err(error) => failed = Some(error),
            }
        }
        // What came before a line that cannot be read is stored nevertheless.
        let answers = submit(sequencer, &numbers, &requests).await?;
        for (&line, &answer) in numbers.iter().zip(&answers) {
            tally.add(line, answer);
        }
        results.write(numbers.drain(..).zip(answers))?;
        requests.clear();
        if let Some(error) = failed {
            return Err(error.into());
        }
    }
    Ok(())
}

/// Reads lines in a thread of its own: it may wait for standard input forever.
fn read_ahead(mut events: Events) -> mpsc::Receiver<Line> {
    let (sender, lines) = mpsc::channel(AHEAD_LINES);
    std::thread::spawn(move || {
        while let Some(line) = events.next().transpose() {
            let is_failed = line.is_err();
            if sender.blocking_send(line).is_err() || is_failed {
                return;
            }
        }
    });
    lines
}

/// Asks again with the same keys while commits fail.
async fn submit(
    sequencer: &Sequencer,
    numbers: &[u64],
    requests: &[Request],
) -> Result<Vec<Answer>, Error> {
    let mut tries = 0;
    loop {
        let error = match sequencer.submit(requests.to_vec()).await {
            Ok(answers) => return Ok(answers),
            Err(error) => error,
        };
        tries += 1;
        if error == SubmitError::Stopped || tries == TRIES_MAX {
            let line = numbers.first().copied().unwrap_or_default();
            return Err(Error::Submit { line, source: error });
        }
        sleep(PAUSE * tries).await;
        ready(sequencer).await?;
    }
}

/// Waits until the sequencer is the writer, and says for whom it waits.
async fn ready(sequencer: &Sequencer) -> Result<(), Error> {
    let deadline = Instant::now() + WAIT_MAX;
    let mut status = sequencer.status();
    let mut shown: Option<(String, indicatif::ProgressBar)> = None;
    loop {
        let now = status.borrow_and_update().clone();
        match now {
            Status::Writing => break,
            Status::Ended(why) => {
                let why = why.unwrap_or_else(|| "the sequencer was stopped".to_owned());
                return Err(StartError::Load(why).into());
            }
            Status::Standby { holder } => {
                if shown.as_ref().is_none_or(|(known, _)| *known != holder) {
                    let text = format!("waiting for {holder} to stop writing");
                    // Progress bars are not shown to logs, but this has to be.
                    let _ = writeln!(io::stderr(), "{text}");
                    shown = Some((holder, progress::waiting(text)));
                }
            }
            Status::Loading => {}
        }
        match timeout_at(deadline, status.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => {
                return Err(StartError::Load("the writer's thread has ended".into()).into());
            }
            Err(_) if shown.is_none() => {
                // Coming to the end of a long journal may take as long as it takes.
                sequencer.ready().await?;
            }
            Err(_) => {
                let holder = shown.map(|(holder, _)| holder).unwrap_or_default();
                return Err(Error::Held { holder });
            }
        }
    }
    if let Some((_, bar)) = shown {
        bar.finish_and_clear();
    }
    Ok(())
}
