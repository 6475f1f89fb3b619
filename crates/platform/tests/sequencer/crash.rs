//! Killed at any moment, many times: while commands are written, in settlements, while loading.

use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::dice::{Dice, number, seed};
use crate::judge::judge;
use crate::place;
use crate::plan::{Plan, Size};
use crate::writer::{Answers, PATIENCE, PlanFile, Said, Task, Writer};

/// Kills in one stream; the next kills fall on another.
const KILLS_A_STREAM: u64 = 20;

#[derive(Debug, Default)]
struct Tally {
    kills: u64,
    /// While it came to the journal's end.
    loading: u64,
    /// Loading a journal that breaks off within a settlement.
    completing: u64,
    /// While a settlement was asked for and not answered.
    settling: u64,
    /// Of those, with a part of the settlement's rows committed.
    broken_off: u64,
    stops: u64,
    repeats: usize,
    streams: u64,
}

/// When to kill.
#[derive(Debug)]
enum Moment {
    Loading,
    Settling,
    Answers(usize),
    Later,
}

#[test]
fn killed_on_sqlite() {
    let folder = TempDir::new().unwrap();
    crash(folder.path().to_str().unwrap());
}

#[test]
fn killed_on_postgresql() {
    crash(&testbed::postgres::shared().fresh_database());
}

fn crash(place: &str) {
    let kills = number("KILLS").unwrap_or(20);
    let start = Instant::now();
    let runtime = place::runtime();
    let mut tally = Tally::default();
    while tally.kills < kills {
        let seed = seed() * 1_000 + tally.streams;
        let most = (tally.kills + KILLS_A_STREAM).min(kills);
        stream(&runtime, place, seed, most, &mut tally);
        tally.streams += 1;
    }
    println!("{place}: {tally:?} in {:?}", start.elapsed());
    assert!(tally.loading > 0 && tally.settling > 0 && tally.repeats > 0, "{tally:?}");
}

fn stream(runtime: &Runtime, place: &str, seed: u64, kills: u64, tally: &mut Tally) {
    let plan = Plan::make(seed, Size::LARGE);
    let plan_file = PlanFile::write(&plan);
    let programme = format!("programme {seed}");
    let id = runtime.block_on(async {
        let database = place::open(place).await;
        let id = place::create(&database, &programme, &plan.programme).await;
        database.close().await;
        id
    });
    let mut dice = Dice::new(seed);
    let mut answers = Answers::default();
    // How long loading and settling took last.
    let (mut loading, mut settling) = (Duration::from_millis(300), Duration::from_millis(100));
    while answers.next() < plan.lines.len() {
        let mut task = Task::all(place, &programme, &plan);
        task.from =
            answers.next().saturating_sub(if dice.is_one_in(3) { dice.below(500) } else { 0 });
        task.seed = dice.next() >> 1;
        if tally.kills == kills {
            Writer::start(&task, &plan_file, None).finish(&mut answers);
            break;
        }
        if dice.is_one_in(6) {
            task.end = (answers.next() + dice.below(1_000)).min(plan.lines.len());
            Writer::start(&task, &plan_file, None).finish(&mut answers);
            tally.stops += 1;
            continue;
        }
        let left = plan.lines.len() - answers.next();
        let moment = match dice.below(10) {
            0..=2 => Moment::Loading,
            3..=6 => Moment::Settling,
            7 | 8 => Moment::Answers(dice.below(left.min(2_000))),
            _ => Moment::Later,
        };
        let was_broken_off = is_broken_off(runtime, place, id);
        let mut writer = Writer::start(&task, &plan_file, None);
        if matches!(moment, Moment::Loading) {
            // First it may have to wait for the lease.
            let moment = Duration::from_millis(400);
            writer.hear_until(&mut answers, moment, |writer, _, _| {
                writer.is_standby() || writer.ready
            });
            if writer.is_standby() {
                writer.hear_until(&mut answers, PATIENCE, |writer, _, _| !writer.is_standby());
            }
            writer.hear_for(&mut answers, dice.within(loading));
        } else {
            writer.hear_until(&mut answers, PATIENCE, |writer, _, _| writer.ready);
            loading = writer.loaded_in;
        }
        match moment {
            Moment::Loading => {}
            Moment::Settling => {
                writer.hear_until(&mut answers, PATIENCE, |_, said, _| {
                    matches!(said, Said::Settling(_))
                });
                let start = Instant::now();
                let wait = dice.within(settling.mul_f64(1.2));
                if writer.hear_until(&mut answers, wait, |writer, _, _| writer.settling.is_none()) {
                    settling = start.elapsed();
                }
            }
            Moment::Answers(count) => {
                let enough = answers.first.len() + count;
                writer.hear_until(&mut answers, PATIENCE, |_, _, answers| {
                    answers.first.len() >= enough
                });
            }
            Moment::Later => {
                writer.hear_for(&mut answers, dice.within(Duration::from_millis(400)));
            }
        }
        let was_done = writer.is_done;
        let writer = writer.kill(&mut answers);
        assert!(writer.failures.is_empty(), "{:?}", writer.failures);
        if was_done {
            continue;
        }
        tally.kills += 1;
        if !writer.ready {
            tally.loading += 1;
            tally.completing += u64::from(was_broken_off);
        } else if writer.settling.is_some() {
            tally.settling += 1;
            tally.broken_off += u64::from(is_broken_off(runtime, place, id));
        }
    }
    tally.repeats += answers.repeats;
    judge(runtime, place, &programme, &plan, &answers);
}

/// Whether the journal ends within a settlement.
fn is_broken_off(runtime: &Runtime, place: &str, id: store::ProgrammeId) -> bool {
    runtime.block_on(async {
        let database = place::open(place).await;
        let head = database.head(id).await.unwrap();
        let last = database.rows(id, head.seq, 1).await.unwrap();
        database.close().await;
        !last[0].is_last
    })
}
