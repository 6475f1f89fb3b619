//! What spoils any text.

use super::dice::Dice;
use super::words::{EDGES, NO_AMOUNTS, RATES};

pub fn hostile(dice: &mut Dice) -> String {
    match dice.below(8) {
        0..=2 => dice.word(EDGES).to_owned(),
        3 => (*dice.one_of(&NO_AMOUNTS)).to_owned(),
        4 => dice.word(RATES).to_owned(),
        5 => (*dice.one_of(&["A", "B", "1", "2", "growth", "quota", "share", "reward", "cash"]))
            .into(),
        6 => "名🍷\u{301}\"\\\n".repeat(dice.below(40)),
        _ => "9".repeat(dice.below(300)),
    }
}

/// Up to three bytes become others: a digit another digit as likely as anything else.
pub fn flip_bytes(dice: &mut Dice, text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=dice.below(3) {
        if bytes.is_empty() {
            break;
        }
        let at = dice.below(bytes.len());
        bytes[at] = match dice.below(3) {
            0 => bytes[at] ^ (1 << dice.below(8)),
            1 => b'0' + dice.below(10) as u8,
            _ => dice.next() as u8,
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

pub fn cut(dice: &mut Dice, text: &str) -> String {
    let (from, to) = (dice.below(3) * dice.below(text.len()), dice.below(text.len() + 1));
    String::from_utf8_lossy(&text.as_bytes()[from.min(to)..to]).into_owned()
}
