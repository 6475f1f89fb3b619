//! How the lines of an event file are spoilt.

use serde_json::Value;

use super::case::Case;
use super::dice::Dice;
use super::text::{cut, flip_bytes, hostile};
use super::words::{DAYS, EDGES, FIELDS, KEYS, MOMENTS, RATES, TYPES};

/// One way or another, in place.
pub fn spoil_events(dice: &mut Dice, events: &mut Vec<String>, cases: &[Case]) {
    if events.is_empty() {
        return events.push("{}".into());
    }
    let (at, to) = (dice.below(events.len()), dice.below(events.len()));
    match dice.below(20) {
        0 => drop(events.remove(at)),
        1 => events.insert(to, events[at].clone()),
        2 => events.swap(at, to),
        3 => {
            let other = dice.one_of(cases);
            events.insert(at, dice.one_of(&other.events).clone());
        }
        4 => events[at] = flip_bytes(dice, &events[at]),
        5 => events[at] = cut(dice, &events[at]),
        6 => events[at] = nest(dice, &events[at]),
        7 => events[at] = repeat_field(dice, &events[at]),
        8 => {
            // The whole file falls at another time, as near together as it was.
            let years = ["9999-", "9998-", "0000-", "1969-", "1970-", "2024-"];
            let year = *dice.one_of(&years);
            for line in events {
                *line = line.replace("2026-", year).replace("1997-", year);
            }
        }
        9 => shift(dice, &mut events[at]),
        10..=12 => to_the_edge(dice, &mut events[at]),
        _ => events[at] = spoil_json(dice, &events[at]),
    }
}

/// Deeper than anybody writes; the text is never parsed here, so that only the engine can fail.
fn nest(dice: &mut Dice, line: &str) -> String {
    let deep = *dice.one_of(&[1, 10, 100, 120, 126, 127, 128, 1_000, 20_000]);
    let (open, shut) = *dice.one_of(&[("[", "]"), ("{\"a\":", "}"), ("[{\"name\":[", "]}]")]);
    let nested = format!("{}1{}", open.repeat(deep), shut.repeat(deep));
    match dice.below(3) {
        0 => nested,
        1 => format!(
            r#"{{"type":"programme.amend","at":"2026-01-01T09:00:00+08:00","programme":{nested}}}"#
        ),
        _ => line.replacen('{', &format!("{{\"{}\":{nested},", dice.word(FIELDS)), 1),
    }
}

fn repeat_field(dice: &mut Dice, line: &str) -> String {
    let (field, text) = (dice.word(FIELDS), Value::from(hostile(dice)));
    line.replacen('{', &format!("{{\"{field}\": {text}, "), 1)
}

/// Another day: mostly within a year or so, rarely anywhere in the calendar.
fn shift(dice: &mut Dice, line: &mut String) {
    let Ok(mut command) = serde_json::from_str::<Value>(line) else { return };
    let Some(at) = command.get("at").and_then(Value::as_str) else { return };
    let Ok(at) = at.parse::<jiff::Timestamp>() else { return };
    let days = match dice.below(10) {
        0 => dice.below(6_000_000) as i64 - 3_000_000,
        1..=3 => dice.below(801) as i64 - 400,
        _ => dice.below(5) as i64 - 2,
    };
    let moved = at.checked_add(jiff::SignedDuration::from_hours(days * 24));
    command["at"] = moved.map_or_else(|_| "far away".into(), |at| at.to_string()).into();
    *line = command.to_string();
}

/// An amount becomes another: many of these are accepted, and come back as overflows later.
fn to_the_edge(dice: &mut Dice, line: &mut String) {
    let Ok(mut command) = serde_json::from_str::<Value>(line) else { return };
    for field in ["amount", "points", "stable", "reward"] {
        if command.get(field).is_some() {
            command[field] = dice.word(EDGES).into();
            *line = command.to_string();
            return;
        }
    }
}

/// A field of a command, or of a programme in it, gets another value or name, or goes.
fn spoil_json(dice: &mut Dice, line: &str) -> String {
    let Ok(mut command) = serde_json::from_str::<Value>(line) else {
        return flip_bytes(dice, line);
    };
    spoil_value(dice, &mut command);
    command.to_string()
}

fn spoil_value(dice: &mut Dice, value: &mut Value) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let keys: Vec<_> = fields.keys().cloned().collect();
            let key = dice.one_of(&keys).clone();
            match (key.as_str(), dice.below(10)) {
                (_, 0) => drop(fields.remove(&key)),
                (_, 1) => {
                    let value = fields.remove(&key).unwrap();
                    let names = if dice.below(2) == 0 { FIELDS } else { KEYS };
                    fields.insert(dice.word(names).into(), value);
                }
                ("at", _) => fields[&key] = (*dice.one_of(&MOMENTS)).into(),
                ("day", _) => fields[&key] = (*dice.one_of(&DAYS)).into(),
                ("type", _) => fields[&key] = dice.word(TYPES).into(),
                _ => spoil_value(dice, &mut fields[&key]),
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let at = dice.below(items.len());
            match dice.below(6) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                2 => items.swap(0, at),
                _ => spoil_value(dice, &mut items[at]),
            }
        }
        _ if dice.below(12) == 0 => {
            let others = [Value::Null, true.into(), (-1).into(), 0.5.into(), u64::MAX.into()];
            *value = dice.one_of(&others).clone();
        }
        Value::String(text) if text.ends_with(['%', 'x']) => {
            *text = dice.word(RATES).to_owned();
        }
        _ => *value = hostile(dice).into(),
    }
}
