//! What the engine does with rubbish: real event files and programmes, spoilt at random. Every line
//! is refused with a message or a reason, or applied; nothing panics, and the books balance after
//! it all. `SEED` makes another run, `CASES` a longer one.

mod case;
pub mod dice;
mod events;
mod programmes;
mod text;
mod used;
mod words;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use case::{Case, cases};
use dice::Dice;
use events::spoil_events;
use programmes::spoil_toml;
use used::{Used, use_up};

/// A shifted date makes settlements due, up to millions. So many are given, then no more.
const MOST_SETTLEMENTS: u32 = 800;

const SMALL: usize = 40;

#[test]
fn spoilt_events_are_refused_or_applied() {
    spoil_at_random(30_000, |dice, case, cases| {
        let mut case = case.clone();
        for _ in 0..=few(dice) {
            spoil_events(dice, &mut case.events, cases);
        }
        case
    });
}

#[test]
fn spoilt_programmes_are_refused_or_used() {
    spoil_at_random(30_000, |dice, case, cases| {
        let mut case = case.clone();
        for _ in 0..=few(dice) {
            case.programme = spoil_toml(dice, &case.programme);
        }
        if dice.below(4) == 0 {
            spoil_events(dice, &mut case.events, cases);
        }
        case
    });
}

/// All settlements from 1997 to the end of the calendar are given, and the last day stays open.
#[test]
fn the_calendar_ends() {
    let case = Case {
        programme: "name = 'x'\n[release]\n".into(),
        events: [
            r#"{"type":"member.join","member":"A","at":"1997-01-01T00:00:00+08:00"}"#,
            r#"{"type":"member.join","member":"B","at":"9999-12-31T05:00:00+08:00"}"#,
            r#"{"type":"day.settle","day":"9999-12-31","at":"9999-12-31T05:00:00+08:00"}"#,
            r#"{"type":"member.join","member":"C","at":"9999-12-30T22:00:00Z"}"#,
        ]
        .map(str::to_owned)
        .to_vec(),
    };
    let used = use_up(&case, u32::MAX, false).unwrap();
    // 1997-01-01 and 9999-12-31 as days since 1970.
    assert_eq!((used.applied, used.rejected()), (3 + 2_932_896 - 9_862, 1));
}

fn spoil_at_random(times: u64, spoil: impl Fn(&mut Dice, &Case, &[Case]) -> Case) {
    let number = |key: &str| std::env::var(key).ok().and_then(|n| n.parse::<u64>().ok());
    let seed = number("SEED").unwrap_or(1);
    let all = cases();
    let (small, large): (Vec<_>, Vec<_>) = all.iter().partition(|case| case.events.len() <= SMALL);
    let mut sum = Used::default();
    for turn in 0..number("CASES").unwrap_or(times) {
        let mut dice = Dice(seed.wrapping_mul(1 << 32).wrapping_add(turn));
        // Long cases come now and then: they take as long as all the others together.
        let of = if dice.below(30) == 0 { &large } else { &small };
        let case = *dice.one_of(of);
        let case = spoil(&mut dice, case, &all);
        let used = catch_unwind(AssertUnwindSafe(|| {
            use_up(&case, MOST_SETTLEMENTS, turn.is_multiple_of(4))
        }));
        match used.unwrap_or_else(|panic| Err(message(&*panic))) {
            Ok(used) => sum.add(used),
            Err(wrong) => {
                let lines = case.events.join("\n");
                panic!("SEED={seed}, turn {turn}: {wrong}\n{}\n{lines}", case.programme)
            }
        }
    }
    println!("{sum:?}");
    // Most of it must still mean something, or the rules are never reached.
    assert!(sum.applied > sum.rejected() + sum.unread, "{sum:?}");
    assert!(sum.unread > 0 && sum.reasons.contains_key("overflow"), "{sum:?}");
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("panicked: {}", text.unwrap_or("?"))
}

/// How many faults more than one: mostly none, so that much of it still works.
fn few(dice: &mut Dice) -> usize {
    let most = *dice.one_of(&[1, 1, 3, 6]);
    dice.below(most)
}
