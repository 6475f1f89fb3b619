//! A snapshot is the state: an engine that was written and read again now and then goes on as if
//! nothing had been, to the byte. And whatever bytes are read, nothing panics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use engine::{Command, Engine, Head, Journal, Posting, Programme, Rejection, State};

use crate::malformed::dice::Dice;
use crate::plain::Plain;
use crate::runner::run;
use crate::streams::{Stream, refunds_in_pieces, stream};

type Checked = Result<(), String>;

/// What the journal was told of one command.
#[derive(Default, PartialEq)]
struct Told {
    heads: Vec<String>,
    postings: Vec<Posting>,
}

impl Journal for Told {
    fn open(&mut self, _: &State, head: &Head<'_>) {
        self.heads.push(format!("{head:?}"));
    }

    fn post(&mut self, _: &State, postings: &[Posting]) {
        for posting in postings {
            let bytes = postcard::to_stdvec(posting).unwrap();
            assert_eq!(postcard::from_bytes(&bytes), Ok(*posting), "stored and read again");
        }
        self.postings.extend_from_slice(postings);
    }

    fn close(&mut self, _: &State) {
        self.heads.push("closed".into());
    }
}

/// An engine that lives on, and one that is written and read again now and then.
struct Pair {
    whole: Engine,
    cut: Engine,
}

impl Pair {
    fn new(toml: &str) -> Result<Self, String> {
        let programme = Programme::from_toml(toml).map_err(|faults| format!("{:?}", faults.0))?;
        Ok(Self { whole: Engine::new(programme.clone(), 0), cut: Engine::new(programme, 1) })
    }

    fn cut(&mut self) -> Checked {
        let bytes = written(&self.cut);
        if bytes != written(&self.whole) {
            return Err("the snapshots of both engines differ".into());
        }
        let mut input = bytes.as_slice();
        let again = Engine::read_snapshot(&mut input, 2).map_err(|error| error.to_string())?;
        if !input.is_empty() || written(&again) != bytes {
            return Err("a snapshot that was read is written differently".into());
        }
        self.cut = again;
        Ok(())
    }

    fn feed(&mut self, line: &str, raw: bool) -> Checked {
        let Ok(command) = Command::from_json(line) else { return Ok(()) };
        while let Some(settlement) = self.whole.settlement_due(&command).filter(|_| !raw) {
            if self.cut.settlement_due(&command).as_ref() != Some(&settlement) {
                return Err("another settlement is due".into());
            }
            if self.apply(&settlement)?.is_err() {
                break;
            }
        }
        self.apply(&command).map(|_| ())
    }

    fn apply(&mut self, command: &Command) -> Result<Result<(), Rejection>, String> {
        let (mut told, mut told_again) = (Told::default(), Told::default());
        let outcome = self.whole.apply(command, &mut told);
        let again = self.cut.apply(command, &mut told_again);
        if outcome != again {
            return Err(format!("{command:?}: {outcome:?}, after a snapshot {again:?}"));
        }
        if told != told_again {
            return Err(format!("{command:?}: another entry after a snapshot"));
        }
        Ok(outcome)
    }

    fn end(&self) -> Checked {
        let json = |engine: &Engine| serde_json::to_string(&engine.state().to_file(&[])).unwrap();
        if json(&self.whole) == json(&self.cut) && written(&self.whole) == written(&self.cut) {
            Ok(())
        } else {
            Err("another state at the end".into())
        }
    }
}

fn written(engine: &Engine) -> Vec<u8> {
    let mut bytes = Vec::new();
    engine.state().write_snapshot(&mut bytes).unwrap();
    bytes
}

#[test]
fn lives_go_on_from_snapshots() {
    run(600, &stream(), |stream| live(&stream));
}

#[test]
fn refunds_in_pieces_go_on_from_snapshots() {
    run(300, &refunds_in_pieces(), |stream| live(&stream));
}

fn live(stream: &Stream) -> Checked {
    let mut plain = Plain::new(&stream.programme)?;
    let mut pair = Pair::new(&stream.programme)?;
    let mut dice = Dice(stream.steps.len() as u64);
    let mut lines = Vec::new();
    let mut lived = Ok(());
    for step in &stream.steps {
        let (json, _) = step.run(&mut plain);
        lines.push(json.to_string());
        lived = pair.feed(&json.to_string(), step.raw);
        if dice.below(4) == 0 {
            lived = lived.and_then(|()| pair.cut());
        }
        if lived.is_err() {
            break;
        }
    }
    lived
        .and_then(|()| pair.end())
        .map_err(|wrong| format!("{wrong}\n{}\n{}", stream.programme, lines.join("\n")))
}

/// The programme and the events of every worked case.
fn cases() -> Vec<(String, Vec<String>)> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden");
    let mut cases: Vec<_> =
        std::fs::read_dir(golden).unwrap().map(|case| case.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 29, "only {} cases found", cases.len());
    let text = |case: &Path, file: &str| std::fs::read_to_string(case.join(file)).unwrap();
    cases
        .iter()
        .map(|case| {
            let events = text(case, "events.jsonl");
            (text(case, "programme.toml"), events.lines().map(str::to_owned).collect())
        })
        .collect()
}

/// Cut after every command of a short case, and at some twenty places of a long one.
#[test]
fn the_worked_cases_go_on_from_snapshots() {
    for (number, (toml, events)) in cases().iter().enumerate() {
        let mut dice = Dice(number as u64);
        let mut pair = Pair::new(toml).unwrap();
        let mut checked = pair.cut();
        for line in events {
            checked = checked.and_then(|()| pair.feed(line, false));
            if events.len() < 200 || dice.below(events.len()) < 20 {
                checked = checked.and_then(|()| pair.cut());
            }
        }
        checked
            .and_then(|()| pair.cut())
            .and_then(|()| pair.end())
            .unwrap_or_else(|wrong| panic!("{toml}\n{wrong}"));
    }
}

/// More rows than a block has, of every table; names longer than fit in a row; lots that were
/// dropped, and sums of refunds.
#[test]
fn a_large_state_goes_on_from_a_snapshot() {
    let toml = r#"
        name = "large"
        [share]
        per = "1.00"
        [release]
        daily = "40%"
        generations = ["10%"]
        [[release.packages]]
        name = "one"
        price = "1.00"
        multiple = "100%"
    "#;
    let mut pair = Pair::new(toml).unwrap();
    let mut day = 1;
    let mut feed = |event: &str, day: u32| {
        let line = format!(r#"{{{event},"at":"2026-01-{day:02}T09:00:00+08:00"}}"#);
        pair.feed(&line, false).unwrap();
        if day > 5 && event.contains("7777") {
            pair.cut().unwrap();
        }
    };
    for n in 0..9_000 {
        let member = format!("member number {n}");
        let sponsor = match n {
            0 => "null".into(),
            _ => format!(r#""member number {}""#, n / 3),
        };
        feed(&format!(r#""type":"member.join","member":"{member}","sponsor":{sponsor}"#), day);
        let order = format!(r#""type":"order.pay","order":"o{n}","member":"{member}""#);
        feed(&format!(r#"{order},"amount":"{}.50""#, 1 + n % 50), day);
        feed(&format!(r#""type":"order.complete","order":"o{n}""#), day);
        if n % 7 == 0 {
            feed(&format!(r#""type":"order.refund","order":"o{}""#, n / 2), day);
        }
        if n % 1_500 == 1_499 {
            day += 1;
        }
    }
    pair.cut().unwrap();
    for day in 8..12 {
        let line = format!(
            r#"{{"type":"member.join","member":"late {day}","at":"2026-01-{day:02}T09:00:00+08:00"}}"#
        );
        pair.feed(&line, false).unwrap();
        pair.cut().unwrap();
    }
    pair.end().unwrap();
}

/// A snapshot somewhere in a case, and what came after it.
struct Sample {
    bytes: Vec<u8>,
    rest: Vec<String>,
}

fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for (toml, events) in cases().iter().filter(|(_, events)| events.len() < 200) {
        let mut dice = Dice(7);
        let mut pair = Pair::new(toml).unwrap();
        for (done, line) in (1..).zip(events) {
            pair.feed(line, false).unwrap();
            if dice.below(8) == 0 || done == events.len() {
                samples.push(Sample { bytes: written(&pair.cut), rest: events[done..].to_vec() });
            }
        }
    }
    samples
}

fn turns(times: u64) -> (u64, u64) {
    let number = |key: &str| std::env::var(key).ok().and_then(|n| n.parse::<u64>().ok());
    (number("CASES").unwrap_or(times), number("SEED").unwrap_or(1).wrapping_mul(1 << 32))
}

/// The seals find it, whatever it is.
#[test]
fn a_damaged_snapshot_is_refused() {
    let samples = samples();
    let (turns, seed) = turns(10_000);
    for turn in 0..turns {
        let mut dice = Dice(seed.wrapping_add(turn));
        let sample = dice.one_of(&samples);
        let mut bytes = sample.bytes.clone();
        spoil(&mut dice, &mut bytes);
        if bytes != sample.bytes {
            let read = Engine::read_snapshot(&mut bytes.as_slice(), 0);
            assert!(read.is_err(), "SEED {seed}, turn {turn}: read all the same");
        }
    }
}

fn spoil(dice: &mut Dice, bytes: &mut Vec<u8>) {
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len());
        match dice.below(6) {
            0 => bytes.truncate(at.max(1)),
            1 => bytes[at] = 0xFF,
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, dice.next() as u8),
            _ => bytes[at] ^= 1 << dice.below(8),
        }
        if bytes.len() < 2 {
            return;
        }
    }
}

/// Seals made for the damage let everything through to the checks behind them; what passes those
/// too is a state like any other, and can be used.
#[test]
fn a_snapshot_with_forged_seals_never_panics() {
    let samples = samples();
    let (turns, seed) = turns(20_000);
    let mut passed = 0;
    for turn in 0..turns {
        let mut dice = Dice(seed.wrapping_add(turn));
        let sample = dice.one_of(&samples);
        let mut blocks = split(&sample.bytes);
        for _ in 0..=dice.below(2) {
            let block = dice.below(blocks.len());
            change(&mut dice, &mut blocks[block]);
        }
        let bytes = sealed(&blocks);
        let used = catch_unwind(AssertUnwindSafe(|| use_up(&bytes, &sample.rest)));
        match used {
            Ok(used) => passed += u64::from(used),
            Err(_) => panic!("SEED {seed}, turn {turn} panicked"),
        }
    }
    assert!(passed > turns / 100, "only {passed} were used");
}

fn change(dice: &mut Dice, block: &mut Vec<u8>) {
    if block.is_empty() {
        return;
    }
    let at = dice.below(block.len());
    match dice.below(8) {
        0 => block.truncate(at),
        1 => block.insert(at, dice.next() as u8),
        2 => block[at] = dice.next() as u8,
        3 => {
            // A number as long as numbers get.
            let digits = dice.below(10);
            block.splice(at..=at, (0..digits).map(|_| 0xFF).chain([1]));
        }
        // Numbers are doubled on their way in, so that the sign has the lowest bit.
        4 => block[at] = block[at].wrapping_add(2),
        5 => block[at] = block[at].wrapping_sub(2),
        _ => block[at] ^= 1 << dice.below(8),
    }
}

/// Reads it, looks at it and goes on with it. Says whether there was anything to use.
fn use_up(bytes: &[u8], rest: &[String]) -> bool {
    let Ok(mut engine) = Engine::read_snapshot(&mut &*bytes, 0) else { return false };
    let look = |engine: &Engine| {
        serde_json::to_string(&engine.state().to_file(&[])).unwrap();
        written(engine);
    };
    look(&engine);
    for line in rest {
        let command = Command::from_json(line).unwrap();
        // Another day may be open now, and be thousands of settlements away.
        for _ in 0..40 {
            let Some(settlement) = engine.settlement_due(&command) else { break };
            if engine.apply(&settlement, &mut Told::default()).is_err() {
                break;
            }
        }
        let _ = engine.apply(&command, &mut Told::default());
    }
    look(&engine);
    true
}

/// The magic and the format, then a length and a seal before each block.
const START: usize = 12;

fn split(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut blocks = Vec::new();
    let mut rest = &bytes[START..];
    while let Some((head, behind)) = rest.split_at_checked(16) {
        let len = u64::from_le_bytes(head[..8].try_into().unwrap()) as usize;
        let (block, behind) = behind.split_at(len);
        blocks.push(block.to_vec());
        rest = behind;
    }
    assert_eq!(sealed(&blocks), bytes);
    blocks
}

fn sealed(blocks: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"vrdtsnap\x01\0\0\0".to_vec();
    let mut seal = 0_u64;
    for block in blocks {
        let mut step = |word: u64| {
            seal = (seal.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        };
        step(block.len() as u64);
        let whole = block.len() / 8 * 8;
        for word in block[..whole].chunks(8) {
            step(u64::from_le_bytes(word.try_into().unwrap()));
        }
        let mut last = [0; 8];
        last[..block.len() - whole].copy_from_slice(&block[whole..]);
        step(u64::from_le_bytes(last));
        seal ^= seal >> 32;
        bytes.extend((block.len() as u64).to_le_bytes());
        bytes.extend(seal.to_le_bytes());
        bytes.extend(block);
    }
    bytes
}
