//! Idempotency keys: the first answer is given again, whatever happened in between. And days that
//! were missed, and programmes side by side.

use engine::Rejection;
use jiff::Timestamp;
use platform::sequencer::{Answer, Outcome, Request};

use crate::bench::{Bench, add_quota, join, request};
use crate::judge::all_rows;
use crate::place;
use crate::plan::{Plan, Size};

fn again(answer: Answer) -> Answer {
    Answer { is_repeat: true, ..answer }
}

#[test]
fn the_first_answer_is_given_again() {
    let bench = Bench::new(&Plan::make(1, Size::SMALL).programme);
    let sequencer = bench.start();
    let asked = vec![
        join("a", 1, "A"),
        join("b", 1, "A"),
        add_quota("c", 1, "A", "5.00"),
        add_quota("", 1, "A", "5.00"),
    ];
    let first = bench.submit(&sequencer, asked.clone()).unwrap();
    let outcomes: Vec<_> = first.iter().map(|answer| answer.outcome).collect();
    assert_eq!(
        outcomes,
        [
            Outcome::Accepted { entry: 1 },
            Outcome::Refused { reason: Rejection::MemberExists },
            Outcome::Accepted { entry: 3 },
            Outcome::Accepted { entry: 4 },
        ]
    );
    assert!(first.iter().all(|answer| !answer.is_repeat));
    // At another time, on another day, after a restart, and after a restart without a snapshot.
    let other_day = vec![join("a", 3, "A"), join("b", 3, "A"), add_quota("c", 3, "A", "5.00")];
    let expected: Vec<_> = first[..3].iter().copied().map(again).collect();
    for asked in [asked[..3].to_vec(), other_day.clone()] {
        assert_eq!(bench.submit(&sequencer, asked).unwrap(), expected);
    }
    let another =
        vec![add_quota("a", 1, "A", "5.00"), join("b", 1, "B"), add_quota("c", 1, "A", "5.01")];
    let reused =
        [1, 2, 3].map(|entry| Answer { outcome: Outcome::KeyReused { entry }, is_repeat: true });
    assert_eq!(bench.submit(&sequencer, another.clone()).unwrap(), reused);
    bench.stop(&sequencer);
    let sequencer = bench.start();
    assert_eq!(bench.submit(&sequencer, other_day).unwrap(), expected);
    assert_eq!(bench.submit(&sequencer, another).unwrap(), reused);
    // No day was settled for what was only asked again, and nothing was written.
    assert_eq!(bench.verify().head.seq, 4);
    bench.stop(&sequencer);
}

#[test]
fn a_key_twice_in_one_breath() {
    let bench = Bench::new(&Plan::make(1, Size::SMALL).programme);
    let sequencer = bench.start();
    let asked = vec![join("a", 1, "A"), join("a", 1, "A"), join("b", 1, "B"), join("a", 1, "B")];
    let answers = bench.submit(&sequencer, asked).unwrap();
    let accepted = |entry, is_repeat| Answer { outcome: Outcome::Accepted { entry }, is_repeat };
    let reused = Answer { outcome: Outcome::KeyReused { entry: 1 }, is_repeat: true };
    assert_eq!(answers, [accepted(1, false), accepted(1, true), accepted(2, false), reused]);
    bench.stop(&sequencer);
}

/// What is refused for an amount that is none is remembered, and does not keep the journal from
/// being loaded.
#[test]
fn amounts_that_are_none_are_refused_again_after_a_restart() {
    let bench = Bench::new(&Plan::make(1, Size::SMALL).programme);
    let sequencer = bench.start();
    let pay = r#""type":"order.pay","member":"A","merchant":"M""#;
    let mut asked = vec![
        join("1", 1, "A"),
        request("2", 1, r#""type":"merchant.join","merchant":"M""#),
        request("3", 1, &format!(r#"{pay},"order":"o","amount":"20.00""#)),
        request("4", 1, r#""type":"order.refund","order":"o","amount":"x""#),
        request("5", 1, &format!(r#"{pay},"order":"p","amount":"20.00","stable":"x""#)),
        request("6", 1, &format!(r#"{pay},"order":"q","amount":"20.00","reward":"x""#)),
        request("7", 1, &format!(r#"{pay},"order":"r","amount":"20.00","concession":"x""#)),
        request("8", 1, &format!(r#"{pay},"order":"s","amount":"x""#)),
        request("9", 1, r#""type":"growth.redeem","member":"A","points":"99999999999999999999""#),
        request("10", 1, r#""type":"growth.redeem","member":"nobody","points":"x""#),
        request("11", 1, r#""type":"stable.claim","merchant":"nobody","amount":"x""#),
        request("12", 1, r#""type":"order.pay","member":"nobody","order":"t","amount":"x""#),
        request("13", 1, r#""type":"order.refund","order":"nothing","amount":"x""#),
    ];
    let first = bench.submit(&sequencer, asked.clone()).unwrap();
    for answer in &first[3..] {
        assert!(matches!(answer.outcome, Outcome::Refused { .. }), "{first:?}");
    }
    // Crashed, rather than stopped: there is no snapshot.
    drop(sequencer);
    bench.verify();
    let sequencer = bench.start();
    let expected: Vec<_> = first.into_iter().map(again).collect();
    assert_eq!(bench.submit(&sequencer, std::mem::take(&mut asked)).unwrap(), expected);
    bench.stop(&sequencer);
}

#[test]
fn missed_days_are_settled_oldest_first() {
    let bench = Bench::new(&Plan::make(1, Size::SMALL).programme);
    let sequencer = bench.start();
    let until = |text: &str| text.parse::<Timestamp>().unwrap();
    let settle = |at| bench.runtime.block_on(sequencer.settle(at)).unwrap();
    assert_eq!(settle(until("2026-01-09T12:00:00+08:00")), [], "there is no day yet");
    bench.submit(&sequencer, vec![join("a", 3, "A")]).unwrap();
    assert_eq!(settle(until("2026-01-03T23:59:59+08:00")), []);
    let answers = settle(until("2026-01-07T00:00:00+08:00"));
    let entries = [2, 3, 4, 5].map(|entry| Outcome::Accepted { entry });
    assert_eq!(answers.iter().map(|answer| answer.outcome).collect::<Vec<_>>(), entries);
    assert_eq!(settle(until("2026-01-07T00:00:00+08:00")), []);
    // A command finds its own days missed.
    bench.submit(&sequencer, vec![join("b", 9, "B")]).unwrap();
    let rows = bench.runtime.block_on(all_rows(&bench.database, bench.id));
    let days: Vec<_> = rows
        .iter()
        .filter_map(|row| row.command.as_deref())
        .filter(|command| command.contains("day.settle"))
        .map(|command| serde_json::from_str::<serde_json::Value>(command).unwrap()["day"].clone())
        .collect();
    let expected = [3, 4, 5, 6, 7, 8].map(|day| format!("2026-01-{day:02}"));
    assert_eq!(days, expected);
    bench.stop(&sequencer);
    bench.verify();
}

#[test]
fn two_programmes_side_by_side() {
    let plans = [Plan::make(5, Size::SMALL), Plan::make(6, Size::SMALL)];
    let bench = Bench::new(&plans[0].programme);
    let other =
        bench.runtime.block_on(place::create(&bench.database, "other", &plans[1].programme));
    let sequencers = [bench.start(), bench.start_for(other)];
    bench.runtime.block_on(async {
        let mut tasks = Vec::new();
        for (plan, sequencer) in plans.iter().zip(&sequencers) {
            let commands: Vec<_> = plan.commands.iter().cloned().enumerate().collect();
            let (sequencer, outcomes) = (sequencer.clone(), plan.outcomes.clone());
            tasks.push(tokio::spawn(async move {
                for window in commands.chunks(17) {
                    let requests = window.iter().map(|(index, command)| {
                        let key = Some(Plan::key(*index).into());
                        Request { key, command: command.clone() }
                    });
                    let answers = sequencer.submit(requests.collect()).await.unwrap();
                    for ((index, _), answer) in window.iter().zip(answers) {
                        let is_accepted = matches!(answer.outcome, Outcome::Accepted { .. });
                        assert!(!answer.is_repeat);
                        assert_eq!(is_accepted, outcomes[*index].is_ok());
                    }
                }
                sequencer.stop().await;
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
    });
    for (plan, id) in plans.iter().zip([bench.id, other]) {
        let verified =
            store::verify(bench.runtime.handle(), &bench.database, id, &mut |_, _| {}).unwrap();
        assert_eq!(crate::plan::file(verified.book.engine.state()), plan.state);
        assert_eq!(verified.snapshot, Some(verified.head.seq), "stopping stores a snapshot");
    }
}
