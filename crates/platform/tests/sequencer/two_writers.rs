//! Two processes that would both write: one can, whatever happens to the other.

use std::time::Duration;

use tempfile::TempDir;
use testbed::process::Signal;

use crate::dice::{Dice, seed};
use crate::judge::judge;
use crate::place;
use crate::plan::{Plan, Size};
use crate::writer::{Answers, PATIENCE, PlanFile, Task, Writer};

#[test]
fn a_stopped_writer_on_sqlite() {
    let folder = TempDir::new().unwrap();
    take_over(folder.path().to_str().unwrap());
}

#[test]
fn a_stopped_writer_on_postgresql() {
    take_over(&testbed::postgres::shared().fresh_database());
}

fn prepare(place: &str, plan: &Plan) {
    place::runtime().block_on(async {
        let database = place::open(place).await;
        place::create(&database, "programme", &plan.programme).await;
        database.close().await;
    });
}

/// How often the writer is stopped.
const STOPS: u32 = 4;

/// The first writer is stopped in the middle of its work; the second takes over and goes on; then
/// the first goes on too, as if nothing had been.
fn take_over(place: &str) {
    let plan = Plan::make(seed(), Size::LARGE);
    let file = PlanFile::write(&plan);
    prepare(place, &plan);
    let mut dice = Dice::new(seed());
    // What both processes were answered: each knows its own.
    let mut answers = Answers::default();
    let (mut stops, mut held, mut turned_away) = (0, 0, 0);
    let mut task = Task::all(place, "programme", &plan);
    task.is_patient = true;
    task.lease = Duration::from_millis(900);
    let mut first = Writer::start(&task, &file, None);
    let mut first_answers = Answers::default();
    first.hear_until(&mut first_answers, PATIENCE, |writer, _, _| writer.status == "writing");
    while stops < STOPS && !first.is_done {
        task.holder = format!("B{stops}");
        task.seed = dice.next() >> 1;
        let mut second = Writer::start(&task, &file, None);
        let mut second_answers = Answers::default();
        // It waits, and turns its callers away.
        second.hear_until(&mut second_answers, PATIENCE, |writer, _, _| {
            writer.is_standby() && writer.failures.iter().any(|failure| failure == "NotWriter")
        });
        if !second.is_standby() {
            // Unless the first has come to its end meanwhile.
            first.hear_until(&mut first_answers, PATIENCE, |writer, _, _| writer.is_done);
            assert!(first.is_done, "{}", second.status);
            second.finish(&mut second_answers);
            answers.join(second_answers);
            break;
        }
        assert!(second_answers.first.is_empty());
        turned_away += second.failures.len();
        first.hear_for(&mut first_answers, dice.within(Duration::from_millis(60)));
        if first.is_done {
            answers.join(second_answers);
            break;
        }
        let mut is_taken_over = false;
        while !is_taken_over && !first.is_done {
            first.signal(Signal::Stop);
            // SQLite's lock is a file's: a process stopped in the middle of a commit keeps it.
            let is_server = place.starts_with("postgres");
            let wait = if is_server { PATIENCE } else { Duration::from_secs(3) };
            is_taken_over = !second.is_standby()
                || second
                    .hear_until(&mut second_answers, wait, |writer, _, _| !writer.is_standby());
            if !is_taken_over {
                assert!(!is_server, "nobody takes over");
                held += 1;
                first.signal(Signal::Cont);
                first.hear_for(&mut first_answers, dice.within(Duration::from_millis(10)));
            }
        }
        if !is_taken_over {
            answers.join(second_answers);
            break;
        }
        let enough = 1 + dice.below(300);
        second.hear_until(&mut second_answers, PATIENCE, |writer, _, answers| {
            writer.is_done || answers.first.len() >= enough
        });
        first.failures.clear();
        first.signal(Signal::Cont);
        // Whatever it was committing, it is the writer no more.
        let told = first.hear_until(&mut first_answers, PATIENCE, |writer, _, _| {
            writer.failures.iter().any(|failure| failure == "NotWriter") || writer.is_done
        });
        assert!(told);
        stops += 1;
        answers.join(first_answers);
        // The first one is killed; the second goes on in its place.
        first_answers = Answers::default();
        let mut last = Answers::default();
        first.kill(&mut last);
        answers.join(last);
        (first, first_answers) = (second, std::mem::replace(&mut first_answers, second_answers));
    }
    first.finish(&mut first_answers);
    answers.join(first_answers);
    println!("{place}: {stops} stops, {held} with the lock held, {turned_away} turned away");
    assert!(stops > 0);
    judge(&place::runtime(), place, "programme", &plan, &answers);
}

/// One that stops in order lets the next one write at once, however long its lease is.
#[test]
fn an_orderly_stop_hands_over() {
    let folder = TempDir::new().unwrap();
    let sqlite = folder.path().to_str().unwrap().to_owned();
    for place in [sqlite, testbed::postgres::shared().fresh_database()] {
        let plan = Plan::make(seed(), Size::SMALL);
        let file = PlanFile::write(&plan);
        prepare(&place, &plan);
        let mut task = Task::all(&place, "programme", &plan);
        // Longer than anybody waits here.
        task.lease = 4 * PATIENCE;
        task.end = plan.lines.len() / 2;
        let mut answers = Answers::default();
        Writer::start(&task, &file, None).finish(&mut answers);
        task.from = task.end;
        task.end = plan.lines.len();
        Writer::start(&task, &file, None).finish(&mut answers);
        judge(&place::runtime(), &place, "programme", &plan, &answers);
    }
}
