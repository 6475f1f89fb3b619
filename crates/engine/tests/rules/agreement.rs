//! The engine against the plain model: the same outcome for every command, and the same state
//! after it. The model scans all members for forced exits, lets each released point climb the
//! tree by itself, and keeps what was taken back of each grant; the engine does none of this.

use engine::{Command, Engine, NoJournal, Programme, Rejected};

use crate::plain::Plain;
use crate::runner::run;
use crate::streams::{Stream, refunds_in_pieces, stream};

#[test]
fn the_engine_agrees_with_the_plain_model() {
    run(2000, &stream(), |stream| agree(&stream));
}

#[test]
fn the_engine_agrees_on_refunds_in_pieces() {
    run(1500, &refunds_in_pieces(), |stream| agree(&stream));
}

fn agree(stream: &Stream) -> Result<(), String> {
    let mut plain = Plain::new(&stream.programme)?;
    let programme = Programme::from_toml(&stream.programme).map_err(|f| format!("{:?}", f.0))?;
    let mut engine = Engine::new(programme, 0);
    let mut commands = Vec::new();
    for step in &stream.steps {
        let (json, expected) = step.run(&mut plain);
        commands.push(json.to_string());
        let expected = expected.err().unwrap_or_else(|| "ok".into());
        let found = feed(&mut engine, &json, step.raw);
        let same =
            if expected == found { states_agree(&plain, &engine) } else { Err(String::new()) };
        same.map_err(|difference| {
            let commands = commands.join("\n");
            format!(
                "model: {expected}, engine: {found}\n{difference}\n{}\n{commands}",
                stream.programme
            )
        })?;
    }
    Ok(())
}

/// What came of a command, fed as section 4 says unless it is to be taken as it is.
pub fn feed(engine: &mut Engine, json: &serde_json::Value, raw: bool) -> String {
    let command = match Command::from_json(&json.to_string()) {
        Ok(command) => command,
        Err(error) => return error.to_string(),
    };
    while let Some(settlement) = engine.settlement_due(&command).filter(|_| !raw) {
        if engine.apply(&settlement, &mut NoJournal).is_err() {
            break;
        }
    }
    engine
        .apply(&command, &mut NoJournal)
        .map_or_else(|reason| reason.code().into(), |()| "ok".into())
}

fn states_agree(plain: &Plain, engine: &Engine) -> Result<(), String> {
    let none: [Rejected; 0] = [];
    let found = serde_json::to_value(engine.state().to_file(&none)).unwrap();
    let expected = plain.state(&[]);
    if expected == found { Ok(()) } else { Err(format!("model: {expected}\nengine: {found}")) }
}
