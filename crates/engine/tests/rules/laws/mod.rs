//! Section 5, "What always holds", checked on the engine after every command of random lives. The
//! laws read balances and postings only: nothing here knows how the engine comes to them.

mod again;
mod always;
mod book;
mod climb;
mod deep_chain;
mod life;
mod tree;

use engine::Programme;

use crate::plain::Plain;
use crate::runner::run;
use crate::streams::{Stream, refunds_in_pieces, stream};
use again::{a_batch_is_the_same, the_journal_replays};
use life::Life;

type Checked = Result<(), String>;

#[test]
fn the_laws_hold() {
    run(600, &stream(), |stream| live(&stream));
}

#[test]
fn the_laws_hold_for_refunds_in_pieces() {
    run(600, &refunds_in_pieces(), |stream| live(&stream));
}

/// The model runs along only because the steps are resolved against it.
fn live(stream: &Stream) -> Checked {
    let mut plain = Plain::new(&stream.programme)?;
    let mut life = Life::new(&stream.programme)?;
    let mut lines = Vec::new();
    let mut lived = Ok(());
    for step in &stream.steps {
        let (json, _) = step.run(&mut plain);
        lines.push(json.to_string());
        lived = life.feed(&json.to_string(), step.raw);
        if lived.is_err() {
            break;
        }
    }
    lived
        .and_then(|()| the_journal_replays(&life, &stream.programme))
        .and_then(|()| a_batch_is_the_same(&life, &stream.programme))
        .map_err(|law| format!("{law}\n{}\n{}", stream.programme, lines.join("\n")))
}

fn must(holds: bool, law: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(law()) }
}

fn programme(toml: &str) -> Result<Programme, String> {
    Programme::from_toml(toml).map_err(|faults| format!("{:?}", faults.0))
}
