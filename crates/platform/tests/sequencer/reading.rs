//! What readers see: the fold of the postings, at every moment, and never half an entry.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine::Unit;
use platform::sequencer::{Request, Sequencer};
use store::{AsOf, Balances, Body, Control, Holder, Position, Reader, Row};

use crate::bench::{Bench, OPEN};
use crate::dice::{Dice, seed};
use crate::judge::all_rows;
use crate::plan::{Plan, Size};

async fn submit_all(sequencer: &Sequencer, plan: &Plan) {
    for (from, window) in plan.commands.chunks(50).enumerate() {
        let requests = window.iter().enumerate().map(|(n, command)| Request {
            key: Some(Plan::key(from * 50 + n).into()),
            command: command.clone(),
        });
        sequencer.submit(requests.collect()).await.unwrap();
    }
}

/// Each holder's postings: place, unit, steps.
type Postings = BTreeMap<Holder, Vec<(Position, Unit, i64)>>;

fn fold(rows: &[Row]) -> Postings {
    let mut postings: Postings = BTreeMap::new();
    for row in rows {
        let body = Body::read(row.seq, &row.body).unwrap();
        for (posting, number) in body.postings.iter().zip(0..) {
            let line = (Position { seq: row.seq, posting: number }, posting.unit, posting.steps);
            postings.entry(Holder::Account(posting.account)).or_default().push(line);
            if let Some(control) = Control::of(posting.account) {
                postings.entry(Holder::Control(control)).or_default().push(line);
            }
        }
    }
    postings
}

fn balances(lines: &[(Position, Unit, i64)], until: u64) -> Balances {
    let mut balances = Balances::default();
    for (_, unit, steps) in lines.iter().filter(|(at, ..)| at.seq <= until) {
        balances[*unit as usize] += steps;
    }
    balances
}

#[test]
fn statements_and_balances_are_folds() {
    let plan = Plan::make(seed(), Size::SMALL);
    let bench = Bench::new(&plan.programme);
    let sequencer = bench.start();
    bench.runtime.block_on(submit_all(&sequencer, &plan));
    let rows = bench.runtime.block_on(all_rows(&bench.database, bench.id));
    let postings = fold(&rows);
    // As it was noted row by row, and as it is after loading.
    let noted = sequencer.reader().unwrap();
    bench.runtime.block_on(check(&noted, &rows, &postings, &mut Dice::new(1)));
    bench.stop(&sequencer);
    let sequencer = bench.start();
    let loaded = sequencer.reader().unwrap();
    bench.runtime.block_on(check(&loaded, &rows, &postings, &mut Dice::new(2)));
    bench.stop(&sequencer);
}

async fn check(reader: &Reader, rows: &[Row], postings: &Postings, dice: &mut Dice) {
    let paths: Vec<(String, Holder)> = reader.paths();
    let accounts = postings.keys().filter(|holder| matches!(holder, Holder::Account(_)));
    for holder in accounts {
        assert!(paths.iter().any(|(_, other)| other == holder), "{holder:?} has no path");
    }
    let sums = Control::ALL.map(|control| (control.name().to_owned(), Holder::Control(control)));
    let mut holders: Vec<_> = paths.iter().cloned().chain(sums).collect();
    holders.sort();
    holders.retain(|_| dice.is_one_in(3));
    for (path, holder) in &holders {
        assert_eq!(reader.find(path).unwrap(), *holder);
        let empty = Vec::new();
        let lines = postings.get(holder).unwrap_or(&empty);
        let unit = Some(*dice.one_of(&Unit::ALL)).filter(|_| dice.is_one_in(2));
        let lines_max = 1 + dice.below(30);
        check_statement(reader, *holder, unit, lines_max, lines).await;
        for _ in 0..6 {
            let row = &rows[dice.below(rows.len())];
            let (as_of, last) = match dice.below(3) {
                0 => (AsOf::Entry(row.entry), last(rows, |r| r.entry <= row.entry)),
                1 => {
                    let at = row.effective_at;
                    (AsOf::Effective(at), last(rows, |r| r.effective_at <= at))
                }
                _ => {
                    let at = row.recorded_at + dice.below(5) as i64 - 2;
                    (AsOf::Recorded(at), last(rows, |r| r.seq == 0 || r.recorded_at <= at))
                }
            };
            assert_eq!(
                reader.balances(*holder, as_of).await.unwrap(),
                balances(lines, last),
                "{path} at {as_of:?}"
            );
            let trial = reader.trial_balance(as_of).await.unwrap();
            assert_eq!((trial.seq, trial.sum), (last, [0; Unit::COUNT]));
        }
        let now = reader.balances(*holder, AsOf::Now).await.unwrap();
        assert_eq!(now, balances(lines, u64::MAX), "{path}");
    }
}

fn last(rows: &[Row], counts: impl Fn(&Row) -> bool) -> u64 {
    rows.iter().rfind(|row| counts(row)).unwrap().seq
}

/// Newest first over all pages, each line once, each with the balance it left.
async fn check_statement(
    reader: &Reader,
    holder: Holder,
    unit: Option<Unit>,
    lines_max: usize,
    lines: &[(Position, Unit, i64)],
) {
    let mut after = Balances::default();
    let mut expected: Vec<_> = lines
        .iter()
        .map(|&(at, unit, steps)| {
            after[unit as usize] += steps;
            (at, unit, unit.amount(steps), unit.amount(after[unit as usize]))
        })
        .filter(|line| unit.is_none_or(|unit| unit == line.1))
        .collect();
    expected.reverse();
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = reader.statement(holder, unit, before, lines_max).await.unwrap();
        assert!(page.lines.len() <= lines_max);
        found.extend(page.lines.iter().map(|line| (line.at, line.unit, line.amount, line.balance)));
        before = page.next;
        if before.is_none() {
            break;
        }
        assert_eq!(page.lines.len(), lines_max, "only the last page is short");
    }
    assert_eq!(found, expected, "{holder:?}");
}

/// Whenever one looks, all balances add up to zero, and what is seen ends with a whole entry: in
/// the middle of a settlement, too.
#[test]
fn readers_never_see_half_an_entry() {
    let plan = Plan::make(seed(), Size::LARGE);
    let bench = Bench::new(&plan.programme);
    let sequencer = bench.start();
    let flaky = Arc::clone(&bench.flaky);
    let is_done = Arc::new(AtomicBool::new(false));
    let (mut looks, mut halves) = (0, 0);
    bench.runtime.block_on(async {
        // Commits go one by one, and what is seen is looked at in between.
        flaky.gate.forget_permits(OPEN);
        let (writing, done) = (sequencer.clone(), Arc::clone(&is_done));
        let commands = plan.commands.clone();
        let writer = tokio::spawn(async move {
            for (from, window) in commands.chunks(300).enumerate() {
                let requests = window.iter().enumerate().map(|(n, command)| Request {
                    key: Some(Plan::key(from * 300 + n).into()),
                    command: command.clone(),
                });
                writing.submit(requests.collect()).await.unwrap();
            }
            done.store(true, Ordering::SeqCst);
        });
        let reader = sequencer.reader().unwrap();
        let mut dice = Dice::new(seed());
        while !is_done.load(Ordering::SeqCst) {
            let appends = flaky.appends.load(Ordering::SeqCst);
            flaky.gate.add_permits(1);
            while flaky.appends.load(Ordering::SeqCst) == appends && !writer.is_finished() {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            let head = bench.database.head(bench.id).await.unwrap();
            let rows = bench.database.rows(bench.id, head.seq, 1).await.unwrap();
            let seen = reader.row_at(AsOf::Now).await.unwrap();
            halves += u32::from(!rows[0].is_last && seen < rows[0].entry);
            let last = bench.database.rows(bench.id, seen, 1).await.unwrap();
            assert!(last[0].is_last, "row {seen} is seen, and its entry is not whole");
            let trial = reader.trial_balance(AsOf::Now).await.unwrap();
            assert_eq!(trial.sum, [0; Unit::COUNT]);
            if seen > 0 {
                let entry = AsOf::Entry(1 + dice.next() % seen);
                let trial = reader.trial_balance(entry).await.unwrap();
                assert_eq!(trial.sum, [0; Unit::COUNT], "{entry:?}");
            }
            looks += 1;
        }
        writer.await.unwrap();
        flaky.gate.add_permits(OPEN);
    });
    println!("{looks} looks, {halves} of them within a settlement");
    assert!(halves > 0, "no settlement was committed in pieces");
    bench.stop(&sequencer);
    let verified = bench.verify();
    assert_eq!(crate::plan::file(verified.book.engine.state()), plan.state);
}
