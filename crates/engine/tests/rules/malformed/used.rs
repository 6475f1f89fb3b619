//! What must come of a case, however it is spoilt.

use std::collections::BTreeMap;
use std::io::Write;

use engine::{Account, Command, Described, Engine, Head, Journal, Posting, Programme, State, Unit};

use super::case::Case;
use crate::fold::{Fold, balances};

/// What came of the lines, and of the programme.
#[derive(Debug, Default)]
pub struct Used {
    pub programmes: u64,
    pub faulty: u64,
    pub applied: u64,
    pub reasons: BTreeMap<&'static str, u64>,
    pub unread: u64,
}

impl Used {
    pub fn add(&mut self, other: Self) {
        self.programmes += other.programmes;
        self.faulty += other.faulty;
        self.applied += other.applied;
        for (reason, count) in other.reasons {
            *self.reasons.entry(reason).or_default() += count;
        }
        self.unread += other.unread;
    }

    pub fn rejected(&self) -> u64 {
        self.reasons.values().sum()
    }
}

fn must(holds: bool, wrong: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(wrong()) }
}

/// Reads the programme and feeds the lines as replay does. A thorough run also writes every
/// posting as text, and replays the journal.
pub fn use_up(case: &Case, mut settlements: u32, thorough: bool) -> Result<Used, String> {
    let programme = match Programme::from_toml(&case.programme) {
        Ok(programme) => programme,
        Err(faults) => {
            must(!faults.0.is_empty(), || "refused without a fault".into())?;
            let told = faults.0.iter().all(|f| !f.reason.is_empty() && !f.to_string().is_empty());
            must(told, || format!("a fault without a reason: {faults:?}"))?;
            return Ok(Used { faulty: 1, ..Used::default() });
        }
    };
    let mut used = Used { programmes: 1, ..Used::default() };
    let mut engine = Engine::new(programme.clone(), 0);
    let mut journal = Written { fold: Fold::default(), thorough };
    for line in &case.events {
        let command = match Command::from_json(line) {
            Ok(command) => command,
            Err(error) => {
                must(!error.to_string().trim().is_empty(), || format!("no message for {line}"))?;
                used.unread += 1;
                continue;
            }
        };
        while let Some(settlement) = engine.settlement_due(&command).filter(|_| settlements > 0) {
            settlements -= 1;
            if feed(&mut engine, &settlement, &mut journal, &mut used)?.is_err() {
                break;
            }
        }
        let outcome = feed(&mut engine, &command, &mut journal, &mut used)?;
        must(outcome.is_err() || reads_back(&command), || format!("not read back: {line}"))?;
    }
    in_balance(&engine, &journal.fold)?;
    let state = state_json(&engine)?;
    if thorough {
        must(state == replayed(programme, &journal.fold)?, || "the journal differs".into())?;
    }
    Ok(used)
}

fn feed(
    engine: &mut Engine,
    command: &Command,
    journal: &mut Written,
    used: &mut Used,
) -> Result<Result<(), ()>, String> {
    match engine.apply(command, journal) {
        Ok(()) => used.applied += 1,
        Err(reason) => {
            *used.reasons.entry(reason.code()).or_default() += 1;
            let told = !reason.code().is_empty() && !reason.meaning().is_empty();
            must(told, || format!("no reason: {reason:?}"))?;
            return Ok(Err(()));
        }
    }
    Ok(Ok(()))
}

/// What is written into the journal is the command that was applied.
fn reads_back(command: &Command) -> bool {
    let line = serde_json::to_string(command).unwrap();
    let again = Command::from_json(&line);
    again
        .is_ok_and(|again| serde_json::to_string(&again).unwrap() == line && again.at == command.at)
}

fn in_balance(engine: &Engine, fold: &Fold) -> Result<(), String> {
    let state = engine.state();
    for unit in Unit::ALL {
        let sum: i128 = state.accounts().map(|a| i128::from(state.balance(a, unit))).sum();
        must(sum == 0, || format!("{unit:?} adds up to {sum}"))?;
    }
    let found = balances(engine);
    must(found == fold.balances, || format!("state {found:?}\npostings {:?}", fold.balances))
}

fn state_json(engine: &Engine) -> Result<String, String> {
    serde_json::to_string(&engine.state().to_file(&[])).map_err(|error| error.to_string())
}

fn replayed(programme: Programme, fold: &Fold) -> Result<String, String> {
    let mut engine = Engine::new(programme, 1);
    for line in &fold.commands {
        let command =
            Command::from_json(line).map_err(|e| format!("{e} in the journal: {line}"))?;
        let again = engine.apply(&command, &mut engine::NoJournal);
        again.map_err(|reason| format!("{reason} for a command of the journal: {line}"))?;
    }
    state_json(&engine)
}

/// Folds the postings; a thorough one writes them too, as the journal's file would have them.
struct Written {
    fold: Fold,
    thorough: bool,
}

impl Journal for Written {
    fn open(&mut self, state: &State, head: &Head<'_>) {
        // The commands of the whole calendar would be too many to keep.
        if self.thorough {
            self.fold.open(state, head);
        }
    }

    fn post(&mut self, state: &State, postings: &[Posting]) {
        self.fold.post(state, postings);
        for &of in postings.iter().filter(|_| self.thorough) {
            let path = Described { names: state, of: of.account }.to_string();
            assert!(!path.is_empty() && (of.account != Account::Pool || path == "pool"));
            let mut sink = std::io::sink();
            serde_json::to_writer(&mut sink, &Described { names: state, of }).unwrap();
            sink.flush().unwrap();
        }
    }

    fn close(&mut self, state: &State) {
        self.fold.close(state);
    }
}
