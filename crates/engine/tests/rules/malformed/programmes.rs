//! How a programme is spoilt.

use super::dice::Dice;
use super::text::{cut, flip_bytes, hostile};
use super::words::{EDGES, KEYS, MILD_RATES, RATES, RAW_VALUES};

pub fn spoil_toml(dice: &mut Dice, text: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        return "name".into();
    }
    let (at, to) = (dice.below(lines.len()), dice.below(lines.len()));
    match dice.below(16) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(to, lines[at].clone()),
        2 => lines.swap(at, to),
        3 => lines[at] = flip_bytes(dice, &lines[at]),
        4 => lines[at] = cut(dice, &lines[at]),
        5 => lines[at] = nested_toml(dice),
        6 => {
            let value = lines[at].split_once('=').map_or("1", |(_, value)| value).to_owned();
            lines[at] = format!("{} = {value}", dice.word(KEYS));
        }
        7 => {
            let key = lines[at].split_once('=').map_or("name", |(key, _)| key).to_owned();
            lines[at] = format!("{key}= {}", dice.one_of(&RAW_VALUES));
        }
        8 => lines.insert(at, format!("{} = '{}'", dice.word(KEYS), dice.word(RATES))),
        _ => spoil_text_in(dice, &mut lines),
    }
    lines.join("\n")
}

/// One quoted text becomes another: a rate a rate, mostly, and an amount an amount.
fn spoil_text_in(dice: &mut Dice, lines: &mut [String]) {
    let quoted: Vec<usize> = (0..lines.len()).filter(|&i| lines[i].contains('"')).collect();
    if quoted.is_empty() {
        return;
    }
    let line = &mut lines[*dice.one_of(&quoted)];
    let marks: Vec<usize> = line.match_indices('"').map(|(i, _)| i).collect();
    let pair = dice.below(marks.len() / 2) * 2;
    let (Some(&from), Some(&to)) = (marks.get(pair), marks.get(pair + 1)) else { return };
    let new = match dice.below(10) {
        0 => hostile(dice),
        1..=5 if line[from + 1..to].ends_with(['%', 'x']) => dice.word(MILD_RATES).into(),
        _ if line[from + 1..to].ends_with(['%', 'x']) => dice.word(RATES).into(),
        _ => dice.word(EDGES).into(),
    };
    line.replace_range(from + 1..to, &new);
}

fn nested_toml(dice: &mut Dice) -> String {
    let deep = *dice.one_of(&[1, 10, 70, 80, 81, 100, 1_000, 20_000]);
    match dice.below(4) {
        0 => format!("a = {}{}", "[".repeat(deep), "]".repeat(deep)),
        1 => format!("a = {}1{}", "{ a = ".repeat(deep), " }".repeat(deep)),
        2 => format!("{}a = 1", "a.".repeat(deep)),
        _ => format!("[{}a]", "a.".repeat(deep)),
    }
}
