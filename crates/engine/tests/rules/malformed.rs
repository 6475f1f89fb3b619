//! What the engine does with rubbish: real event files and programmes, spoilt at random. Every line
//! is refused with a message or a reason, or applied; nothing panics, and the books balance after
//! it all. `SEED` makes another run, `CASES` a longer one.

use std::any::Any;
use std::collections::BTreeMap;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use engine::{Account, Command, Described, Engine, Head, Journal, Posting, Programme, State, Unit};
use serde_json::Value;

use crate::fold::{Fold, balances};

/// A shifted date makes settlements due, up to millions. So many are given, then no more.
const MOST_SETTLEMENTS: u32 = 800;

/// The long case is cut to its first lines.
const MOST_LINES: usize = 301;

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

// ---------------------------------------------------------------- running

/// A programme and what happens under it, as the files have it.
#[derive(Clone)]
struct Case {
    programme: String,
    events: Vec<String>,
}

fn cases() -> Vec<Case> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden");
    let listing = std::fs::read_dir(&golden).unwrap_or_else(|error| {
        panic!("{}: {error}: put `shared` beside the checkout", golden.display())
    });
    let mut paths: Vec<_> = listing.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let text = |path: &Path, file| std::fs::read_to_string(path.join(file)).unwrap();
    let case = |path: &std::path::PathBuf| {
        let events = text(path, "events.jsonl");
        let events = events.lines().take(MOST_LINES).map(str::to_owned).collect();
        Case { programme: text(path, "programme.toml"), events }
    };
    paths.iter().map(case).collect()
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

/// What came of the lines, and of the programme.
#[derive(Debug, Default)]
struct Used {
    programmes: u64,
    faulty: u64,
    applied: u64,
    reasons: BTreeMap<&'static str, u64>,
    unread: u64,
}

impl Used {
    fn add(&mut self, other: Self) {
        self.programmes += other.programmes;
        self.faulty += other.faulty;
        self.applied += other.applied;
        for (reason, count) in other.reasons {
            *self.reasons.entry(reason).or_default() += count;
        }
        self.unread += other.unread;
    }

    fn rejected(&self) -> u64 {
        self.reasons.values().sum()
    }
}

fn must(holds: bool, wrong: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(wrong()) }
}

/// Reads the programme and feeds the lines as replay does. A thorough run also writes every
/// posting as text, and replays the journal.
fn use_up(case: &Case, mut settlements: u32, thorough: bool) -> Result<Used, String> {
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
            let path = Described { state, of: of.account }.to_string();
            assert!(!path.is_empty() && (of.account != Account::Pool || path == "pool"));
            let mut sink = std::io::sink();
            serde_json::to_writer(&mut sink, &Described { state, of }).unwrap();
            sink.flush().unwrap();
        }
    }

    fn close(&mut self, state: &State) {
        self.fold.close(state);
    }
}

// ---------------------------------------------------------------- spoiling

/// SplitMix64: the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn one_of<'t, T>(&mut self, list: &'t [T]) -> &'t T {
        &list[self.below(list.len())]
    }

    fn word<'t>(&mut self, list: &'t str) -> &'t str {
        let words: Vec<_> = list.split(' ').collect();
        words[self.below(words.len())]
    }
}

/// Amounts that are some, and lead to the edges.
const EDGES: &str = "0 0.00 0.01 0.000001 1 0.99 1.00 00000000000000000000001 92233720368547758.07 \
    92233720368547758.08 9223372036854.775807 9223372036854.775808 46116860184273879.03 \
    92233720368547.75 9223372036854775807 4611686018427.387904 90000000000000000 9000000000000 \
    922337203685.47 100000000 99999999.99 123456.78 30000.00 3000 10000000000000.00 1000000000";

const NO_AMOUNTS: [&str; 31] = [
    "",
    " ",
    "-",
    "-0",
    "-0.00",
    "-1",
    "-92233720368547758.08",
    "-9223372036854.775808",
    "+1",
    ".",
    "1.",
    ".5",
    "1.005",
    "0.0000001",
    "0.00000000000000000000000000000000001",
    "1e9",
    "1E-2",
    "0x10",
    "1,000.00",
    "1_000",
    "１２",
    "١٢٣",
    "１.５０",
    "∞",
    "NaN",
    "inf",
    "½",
    "\u{0}",
    "\u{202e}1",
    "99999999999999999999999999999999999999999999999999",
    "1 ",
];

const RATES: &str = "0% 0x 0.0001% 0.000001x 1% 30% 50% 99.9999% 100% 1x 100.0001% 200% 1000x 1000000x \
    9223372036854.775807x 922337203685477.5807% 9223372036854.775808x 92233720368547758070000% \
    -1% -0% % x 1x% 30 1.00001% ३०%";

/// Rates that most keys take.
const MILD_RATES: &str = "0% 0.0001% 0.01x 1% 7.7777% 33.3333% 50%";

const MOMENTS: [&str; 18] = [
    "",
    "2026-01-01",
    "2026-01-01T09:00:00",
    "2026-02-30T09:00:00+08:00",
    "2026-01-01T23:59:60+08:00",
    "2026-01-01T24:00:00+08:00",
    "2026-01-01T09:00:00+99:99",
    "2026-01-01T09:00:00-23:59",
    "2026-01-01T16:00:00Z",
    "2026-01-01T15:59:59.999999999Z",
    "9999-12-31T05:59:59+08:00",
    "9999-12-31T23:59:59Z",
    "9999-12-30T22:00:00.999999999Z",
    "-009999-01-02T01:59:59Z",
    "-009999-01-03T00:00:00+08:00",
    "0000-01-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "+262143-12-31T00:00:00Z",
];

const DAYS: [&str; 10] = [
    "",
    "2026-01-01",
    "2026-02-30",
    "9999-12-31",
    "-009999-01-01",
    "0000-00-00",
    "2026-1-1",
    "20260101",
    "2026-01-01T00:00:00",
    "1997-01-01",
];

const FIELDS: &str = "type at member sponsor order merchant amount stable reward concession points unit reason \
    operator day programme colour";

const TYPES: &str = "member.join merchant.join order.pay order.complete order.refund growth.redeem \
    growth.exchange stable.claim reward.convert member.adjust cash.withdraw programme.amend \
    day.settle order.Pay";

const KEYS: &str = "name contribution issue_price issue_cap redeem_fee exchange_fee forced_exit buyer sponsors \
    per rate split weights undistributed rate_of within min max daily generations price multiple \
    peer peer_depth volume usage";

const RAW_VALUES: [&str; 22] = [
    "true",
    "false",
    "0",
    "1",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "99999999999999999999",
    "0.5",
    "1e400",
    "inf",
    "nan",
    "[]",
    "{}",
    "[[]]",
    "1979-05-27",
    "'pro_rata'",
    "'tiers'",
    "['50%', '30%', '1000x']",
    "\"\"\"\n\"\"\"",
    "0xFF",
];

/// How many faults more than one: mostly none, so that much of it still works.
fn few(dice: &mut Dice) -> usize {
    let most = *dice.one_of(&[1, 1, 3, 6]);
    dice.below(most)
}

fn hostile(dice: &mut Dice) -> String {
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

/// One way or another, in place.
fn spoil_events(dice: &mut Dice, events: &mut Vec<String>, cases: &[Case]) {
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

/// Up to three bytes become others: a digit another digit as likely as anything else.
fn flip_bytes(dice: &mut Dice, text: &str) -> String {
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

fn cut(dice: &mut Dice, text: &str) -> String {
    let (from, to) = (dice.below(3) * dice.below(text.len()), dice.below(text.len() + 1));
    String::from_utf8_lossy(&text.as_bytes()[from.min(to)..to]).into_owned()
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

fn spoil_toml(dice: &mut Dice, text: &str) -> String {
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
