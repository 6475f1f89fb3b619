//! What holds at the end of a life: the same again from the journal, and in one batch.

use engine::{Command, Engine};

use super::life::{Life, all_there_is};
use super::{Checked, must, programme};
use crate::fold::Fold;

/// The commands in the journal, without those refused, give the same state and the same journal.
pub fn the_journal_replays(life: &Life, toml: &str) -> Checked {
    let mut engine = Engine::new(programme(toml)?, 0);
    let mut fold = Fold::default();
    for line in &life.book.fold.commands {
        let command =
            Command::from_json(line).map_err(|e| format!("{e} in the journal: {line}"))?;
        let again = engine.apply(&command, &mut fold);
        again.map_err(|reason| format!("{reason} for a command of the journal: {line}"))?;
    }
    must(fold.commands == life.book.fold.commands, || "another journal".into())?;
    must(fold.balances == life.book.fold.balances, || "other postings".into())?;
    same_state(&life.engine, &engine)
}

/// Neither the seed of the names nor the batch makes a difference.
pub fn a_batch_is_the_same(life: &Life, toml: &str) -> Checked {
    let mut engine = Engine::new(programme(toml)?, 0x9E37_79B9_7F4A_7C15);
    let mut fold = Fold::default();
    let mut outcomes = Vec::new();
    engine.apply_all(&life.fed, &mut fold, |index, outcome| {
        assert_eq!(index, outcomes.len());
        outcomes.push(outcome);
    });
    must(outcomes == life.outcomes, || format!("{outcomes:?} in a batch, {:?}", life.outcomes))?;
    must(fold.balances == life.book.fold.balances, || "other postings in a batch".into())?;
    same_state(&life.engine, &engine)
}

fn same_state(first: &Engine, second: &Engine) -> Checked {
    let (first, second) = (all_there_is(first), all_there_is(second));
    must(first == second, || format!("once\n{first}\nthen\n{second}"))
}
