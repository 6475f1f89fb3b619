//! Commits that fail, that hang, and that nobody knows of; and callers by the dozen.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use engine::Unit;
use platform::sequencer::{Outcome, Request, Sequencer, SubmitError};
use store::AsOf;

use crate::bench::{Bench, OPEN, Trick, add_quota, join};
use crate::plan::{Plan, Size};
use crate::writer::PATIENCE;

fn quota(bench: &Bench, sequencer: &Sequencer) -> i64 {
    bench.runtime.block_on(async {
        sequencer.ready().await.unwrap();
        let reader = sequencer.reader().expect("a reader");
        let holder = reader.find("member/A").unwrap();
        reader.balances(holder, AsOf::Now).await.unwrap()[Unit::Quota as usize]
    })
}

fn submit_until_answered(bench: &Bench, sequencer: &Sequencer, asked: &[Request]) {
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = bench.submit(sequencer, asked.to_vec()) {
        assert!(error != SubmitError::Stopped && Instant::now() < deadline, "{error}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn bench() -> (Bench, Sequencer) {
    let bench = Bench::new(&Plan::make(1, Size::SMALL).programme);
    let sequencer = bench.start();
    bench.submit(&sequencer, vec![join("a", 1, "A")]).unwrap();
    (bench, sequencer)
}

#[test]
fn what_was_not_committed_is_gone() {
    for trick in [Trick::Fail, Trick::Hang] {
        let (bench, sequencer) = bench();
        bench.flaky.play(trick);
        let asked = vec![add_quota("b", 1, "A", "1.00"), add_quota("", 1, "A", "1.00")];
        let answers = bench.submit(&sequencer, asked.clone());
        assert_eq!(answers, Err(SubmitError::CommitFailed), "{trick:?}");
        assert!(bench.flaky.has_played());
        assert_eq!(quota(&bench, &sequencer), 0);
        assert_eq!(bench.verify().head.seq, 1);
        // The same process goes on, with the same numbers.
        let answers = bench.submit(&sequencer, asked).unwrap();
        assert_eq!(answers[0].outcome, Outcome::Accepted { entry: 2 });
        assert!(!answers[0].is_repeat);
        assert_eq!(quota(&bench, &sequencer), 200);
        bench.stop(&sequencer);
        bench.verify();
    }
}

#[test]
fn what_was_committed_after_all_is_answered() {
    for trick in [Trick::FailAfterCommit, Trick::HangAfterCommit] {
        let (bench, sequencer) = bench();
        bench.flaky.play(trick);
        let answers = bench.submit(&sequencer, vec![add_quota("b", 1, "A", "1.00")]).unwrap();
        assert_eq!(answers[0].outcome, Outcome::Accepted { entry: 2 }, "{trick:?}");
        assert!(!answers[0].is_repeat);
        assert_eq!(quota(&bench, &sequencer), 100);
        let again = bench.submit(&sequencer, vec![add_quota("b", 1, "A", "1.00")]).unwrap();
        assert!(again[0].is_repeat);
        bench.stop(&sequencer);
        assert_eq!(bench.verify().head.seq, 2);
    }
}

/// A lease that is lost ends nothing for good: when nobody else has it, it is taken again.
#[test]
fn a_lost_lease_is_taken_again() {
    let (bench, sequencer) = bench();
    bench.flaky.play(Trick::LoseLease);
    let asked = vec![add_quota("b", 1, "A", "1.00")];
    let answers = bench.submit(&sequencer, asked.clone());
    assert_eq!(answers, Err(SubmitError::NotWriter));
    submit_until_answered(&bench, &sequencer, &asked);
    assert_eq!(quota(&bench, &sequencer), 100);
    bench.stop(&sequencer);
    bench.verify();
}

/// A database that fails again while what it has is being loaded is asked again.
#[test]
fn reads_that_fail_while_loading_are_tried_again() {
    let (bench, sequencer) = bench();
    bench.flaky.play(Trick::Fail);
    bench.flaky.failing_reads.store(2, Ordering::SeqCst);
    let asked = vec![add_quota("b", 1, "A", "1.00")];
    assert_eq!(bench.submit(&sequencer, asked.clone()), Err(SubmitError::CommitFailed));
    submit_until_answered(&bench, &sequencer, &asked);
    assert_eq!(bench.flaky.failing_reads.load(Ordering::SeqCst), 0);
    assert_eq!(quota(&bench, &sequencer), 100);
    bench.stop(&sequencer);
    bench.verify();
}

/// While a commit is on its way nobody is answered and no reader sees it.
#[test]
fn nothing_is_told_before_it_is_committed() {
    let (bench, sequencer) = bench();
    let flaky = Arc::clone(&bench.flaky);
    bench.runtime.block_on(async {
        flaky.gate.forget_permits(OPEN);
        let mut asked = Vec::new();
        for n in 0..20 {
            let sequencer = sequencer.clone();
            asked.push(tokio::spawn(async move {
                sequencer.submit(vec![add_quota(&format!("{n}"), 1, "A", "1.00")]).await
            }));
        }
        // A repeat of what is not committed has to wait, too.
        let first = sequencer.clone();
        asked.push(tokio::spawn(async move {
            first.submit(vec![add_quota("0", 1, "A", "1.00")]).await
        }));
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(asked.iter().all(|task| !task.is_finished()));
        let reader = sequencer.reader().unwrap();
        let holder = reader.find("member/A").unwrap();
        let balances = reader.balances(holder, AsOf::Now).await.unwrap();
        assert_eq!(balances[Unit::Quota as usize], 0);
        assert_eq!(reader.statement(holder, None, None, 10).await.unwrap().lines, []);
        flaky.gate.add_permits(OPEN);
        for task in asked {
            assert_eq!(task.await.unwrap().unwrap().len(), 1);
        }
        let balances = reader.balances(holder, AsOf::Now).await.unwrap();
        assert_eq!(balances[Unit::Quota as usize], 2_000);
    });
    bench.stop(&sequencer);
    bench.verify();
}

/// Each caller finds its commands in its own order, and everybody is answered; some commits fail.
#[test]
fn many_callers() {
    for callers in [1, 8, 64] {
        let (bench, sequencer) = bench();
        let rounds = 200 / callers + 3;
        bench.runtime.block_on(async {
            let mut tasks = Vec::new();
            for caller in 0..callers {
                let sequencer = sequencer.clone();
                tasks.push(tokio::spawn(async move {
                    let mut entries = Vec::new();
                    for round in 0..rounds {
                        let ask =
                            |n: usize| add_quota(&format!("{caller} {round} {n}"), 1, "A", "0.01");
                        let asked: Vec<_> = (0..=round % 3).map(ask).collect();
                        let answers = loop {
                            match sequencer.submit(asked.clone()).await {
                                Ok(answers) => break answers,
                                Err(error) => assert_eq!(error, SubmitError::CommitFailed),
                            }
                        };
                        assert_eq!(answers.len(), asked.len());
                        for answer in answers {
                            let Outcome::Accepted { entry } = answer.outcome else {
                                panic!("{answer:?}")
                            };
                            entries.push(entry);
                        }
                    }
                    assert!(entries.is_sorted(), "{entries:?}");
                    entries
                }));
            }
            for trick in [Trick::Fail, Trick::FailAfterCommit, Trick::Fail] {
                tokio::time::sleep(Duration::from_millis(20)).await;
                bench.flaky.play(trick);
            }
            let mut all = Vec::new();
            for task in tasks {
                all.extend(task.await.unwrap());
            }
            all.sort_unstable();
            let expected: Vec<u64> = (2..2 + all.len() as u64).collect();
            assert_eq!(all, expected, "every entry is somebody's, once");
        });
        let commits = bench.flaky.appends.load(Ordering::SeqCst);
        let entries = bench.verify().head.seq;
        println!("{callers} callers: {entries} entries in {commits} commits");
        bench.stop(&sequencer);
    }
}
