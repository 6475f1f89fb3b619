//! Every posting computed again by hand, from what an auditor has: the entry as JSON (its command,
//! its postings, the price at its head), the entries before it, and the programme. Nothing here
//! asks the engine for anything. What a bonus by the team or a dividend is computed from is taken
//! as its posting says.

mod arithmetic;
mod auditor;
mod entry;
mod known;
mod orders;
mod points;
mod refunds;
mod settlement;

use std::path::Path;

use engine::{Command, Engine};

use crate::plain::Plain;
use crate::plain::programme::Programme;
use crate::runner::run;
use crate::streams::{Stream, refunds_in_pieces, stream};
use known::Auditor;

type Checked = Result<(), String>;

#[test]
fn postings_can_be_computed_again() {
    run(500, &stream(), |stream| live(&stream));
}

#[test]
fn postings_of_refunds_in_pieces_can_be_computed_again() {
    run(300, &refunds_in_pieces(), |stream| live(&stream));
}

/// All but the long one.
#[test]
fn postings_of_the_worked_cases_can_be_computed_again() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden");
    let cases = std::fs::read_dir(golden).unwrap().map(|case| case.unwrap().path());
    let cases: Vec<_> = cases.filter(|case| !case.ends_with("cdnow-growth-cycle")).collect();
    assert!(cases.len() >= 28, "only {} cases found", cases.len());
    for case in cases {
        let text = |file: &str| std::fs::read_to_string(case.join(file)).unwrap();
        let mut audited = Audited::new(&text("programme.toml")).unwrap();
        for line in text("events.jsonl").lines() {
            audited.feed(line, false).unwrap_or_else(|wrong| panic!("{}: {wrong}", case.display()));
        }
    }
}

fn live(stream: &Stream) -> Checked {
    let mut plain = Plain::new(&stream.programme)?;
    let mut audited = Audited::new(&stream.programme)?;
    let mut lines = Vec::new();
    for step in &stream.steps {
        let (json, _) = step.run(&mut plain);
        lines.push(json.to_string());
        audited
            .feed(&json.to_string(), step.raw)
            .map_err(|wrong| format!("{wrong}\n{}\n{}", stream.programme, lines.join("\n")))?;
    }
    Ok(())
}

struct Audited {
    engine: Engine,
    auditor: Auditor,
}

impl Audited {
    fn new(toml: &str) -> Result<Self, String> {
        let programme =
            engine::Programme::from_toml(toml).map_err(|faults| format!("{:?}", faults.0))?;
        let auditor = Auditor { programme: Programme::from_toml(toml)?, ..Auditor::default() };
        Ok(Self { engine: Engine::new(programme, 0), auditor })
    }

    fn feed(&mut self, line: &str, raw: bool) -> Checked {
        let Ok(command) = Command::from_json(line) else { return Ok(()) };
        while let Some(settlement) = self.engine.settlement_due(&command).filter(|_| !raw) {
            if self.engine.apply(&settlement, &mut self.auditor).is_err() {
                break;
            }
        }
        // A refused command makes no entry, so there is nothing to compute.
        let _ = self.engine.apply(&command, &mut self.auditor);
        self.auditor.wrong.clone().map_or(Ok(()), Err)
    }
}
