//! Connections to PostgreSQL that break in the middle of a commit, and servers that crash.

use std::time::Duration;

use platform::sequencer::{Outcome, SubmitError};
use testbed::postgres::{Postgres, shared, url};
use testbed::proxy::{CutProxy, CutWhen};

use crate::bench::{Bench, add_quota, join};
use crate::dice::{Dice, seed};
use crate::judge::judge;
use crate::place;
use crate::plan::{Plan, Size};
use crate::snip::Snip;
use crate::writer::{Answers, PATIENCE, PlanFile, Task, Writer};

fn behind(port: u16, address: &str) -> String {
    url(port, address.rsplit('/').next().unwrap())
}

#[test]
fn a_connection_cut_on_commit() {
    let address = shared().fresh_database();
    let proxy = Snip::start(shared().port());
    let plan = Plan::make(1, Size::SMALL);
    let bench = Bench::at(&behind(proxy.port, &address), None, &plan.programme);
    let sequencer = bench.start();
    bench.submit(&sequencer, vec![join("a", 1, "A")]).unwrap();
    let direct = bench.runtime.block_on(place::open(&address));
    let mut entry = 1;
    for round in 0..10 {
        let asked = vec![add_quota(&format!("cut {round}"), 1, "A", "1.00")];
        let cuts = proxy.cuts();
        let when = if round % 2 == 0 { CutWhen::BeforeCommit } else { CutWhen::AfterCommit };
        proxy.cut_at(&format!("cut {round}"), when);
        let answers = bench.submit(&sequencer, asked.clone());
        assert_eq!(proxy.cuts(), cuts + 1, "nothing was cut");
        let head = bench.runtime.block_on(direct.head(bench.id)).unwrap();
        if when == CutWhen::BeforeCommit {
            assert_eq!(answers, Err(SubmitError::CommitFailed));
            assert_eq!(head.seq, entry);
            let answers = bench.submit(&sequencer, asked).unwrap();
            assert!(!answers[0].is_repeat);
        } else {
            let answers = answers.unwrap();
            assert_eq!(answers[0].outcome, Outcome::Accepted { entry: entry + 1 });
            assert!(!answers[0].is_repeat);
            assert_eq!(head.seq, entry + 1);
        }
        entry += 1;
    }
    assert_eq!(bench.verify().head.seq, entry);
    bench.stop(&sequencer);
}

/// While the network swallows everything nobody is told anything: nobody could know.
#[test]
fn a_network_that_swallows_everything() {
    let address = shared().fresh_database();
    let proxy = CutProxy::start(shared().port());
    let plan = Plan::make(1, Size::SMALL);
    let bench = Bench::at(&behind(proxy.port(), &address), None, &plan.programme);
    let sequencer = bench.start();
    bench.submit(&sequencer, vec![join("a", 1, "A")]).unwrap();
    bench.runtime.block_on(async {
        for round in 0..3_u64 {
            let asked = vec![add_quota(&format!("{round}"), 1, "A", "1.00")];
            proxy.freeze();
            let (asking, wanted) = (sequencer.clone(), asked.clone());
            let task = tokio::spawn(async move { asking.submit(wanted).await });
            // Shorter and longer than a commit may take.
            tokio::time::sleep(Duration::from_millis(300 + 700 * round)).await;
            assert!(!task.is_finished(), "{:?}", task.await);
            proxy.thaw();
            let mut answers = tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap();
            while let Err(error) = answers {
                assert_ne!(error, SubmitError::Stopped);
                tokio::time::sleep(Duration::from_millis(20)).await;
                answers = sequencer.submit(asked.clone()).await;
            }
        }
    });
    let verified = bench.verify();
    assert_eq!(verified.head.seq, 4, "each is there once");
    bench.stop(&sequencer);
}

/// A whole stream through connections that are cut again and again.
#[test]
fn many_cuts() {
    let address = shared().fresh_database();
    let proxy = Snip::start(shared().port());
    let plan = Plan::make(seed(), Size::LARGE);
    let (mut writer, mut answers) = start(&address, &behind(proxy.port, &address), &plan);
    let mut dice = Dice::new(seed());
    for _ in 0..12 {
        let cuts = proxy.cuts();
        let when = if dice.is_one_in(2) { CutWhen::BeforeCommit } else { CutWhen::AfterCommit };
        proxy.cut_at(&Plan::key(answers.next() + dice.below(800)), when);
        writer.hear_until(&mut answers, PATIENCE, |writer, _, _| {
            proxy.cuts() > cuts || writer.is_done
        });
    }
    println!("{} cuts, {} failures told", proxy.cuts(), writer.failures.len());
    assert!(proxy.cuts() > 4);
    writer.finish(&mut answers);
    judge(&place::runtime(), &address, "programme", &plan, &answers);
}

fn start(address: &str, through: &str, plan: &Plan) -> (Writer, Answers) {
    place::runtime().block_on(async {
        let database = place::open(address).await;
        place::create(&database, "programme", &plan.programme).await;
        database.close().await;
    });
    let mut task = Task::all(through, "programme", plan);
    task.is_patient = true;
    task.commit_timeout = Duration::from_secs(5);
    let file = PlanFile::write(plan);
    let mut answers = Answers::default();
    let mut writer = Writer::start(&task, &file, None);
    // Then it has read the plan.
    writer.hear_until(&mut answers, PATIENCE, |writer, _, _| writer.status == "writing");
    (writer, answers)
}

/// The whole server crashes and comes back; the process that writes lives on.
#[test]
fn a_server_that_crashes() {
    let mut server = Postgres::start();
    let plan = Plan::make(seed(), Size::LARGE);
    let address = server.fresh_database();
    let (mut writer, mut answers) = start(&address, &address, &plan);
    let mut dice = Dice::new(seed());
    let mut crashes = 0;
    for _ in 0..5 {
        let enough = answers.first.len() + dice.below(1_500);
        writer.hear_until(&mut answers, PATIENCE, |writer, _, answers| {
            writer.is_done || answers.first.len() >= enough
        });
        if writer.is_done {
            break;
        }
        server.kill();
        crashes += 1;
        writer.hear_for(&mut answers, dice.within(Duration::from_millis(500)));
        server.restart();
        // Now and then again before it has recovered.
        if dice.is_one_in(2) {
            writer.hear_for(&mut answers, dice.within(Duration::from_millis(150)));
            server.kill();
            server.restart();
            crashes += 1;
        }
    }
    println!("{crashes} crashes, {} failures told", writer.failures.len());
    assert!(crashes > 2);
    writer.finish(&mut answers);
    judge(&place::runtime(), &address, "programme", &plan, &answers);
}
