//! `verdant verify` on journals that were changed behind the program's back.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod support;

use std::path::{Path, PathBuf};

use store::{Body, Holder, Row, hex};
use support::journal::{Tampered, chain_again, rows};
use support::{fail, folder, path, replay_into, shared, succeed};

/// A data folder with a case in it.
fn stored(test: &str, case: &str) -> PathBuf {
    let data = folder(test).join("data");
    replay_into(&["--data".into(), path(&data).into()], &shared("golden").join(case), &[]);
    data
}

/// Changes a copy of a journal, and gives what is said of it; it must be found.
fn found(data: &Path, change: impl FnOnce(&mut Tampered)) -> String {
    let copy = data.with_file_name("copy");
    let _ = std::fs::remove_dir_all(&copy);
    std::fs::create_dir(&copy).unwrap();
    for file in std::fs::read_dir(data).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
    }
    succeed(&["verify", "--data", path(&copy)]);
    let mut tampered = Tampered::open(&copy);
    change(&mut tampered);
    tampered.close();
    fail(&["verify", "--data", path(&copy)])
}

#[track_caller]
fn says(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
}

#[test]
fn a_changed_column_is_found_with_its_row() {
    let data = stored("columns", "growth-sponsor");
    let journal = rows(&data);
    let order = journal
        .iter()
        .find(|row| row.command.as_deref().is_some_and(|text| text.contains("order.pay")))
        .unwrap();
    let (seq, row) = (order.seq, format!("row {}: the hash is not", order.seq));
    let at = format!("WHERE seq = {seq}");
    let amount = order.command.as_deref().unwrap().split("\"amount\":\"").nth(1).unwrap();
    let amount = amount.split('"').next().unwrap();
    let other = amount.replacen(amount.chars().next().unwrap(), "9", 1);
    assert_ne!(amount, other);
    let update = format!(
        "UPDATE journal SET command = replace(command, '\"{amount}\"', '\"{other}\"') {at}"
    );
    let message = found(&data, |journal| journal.sql(&update));
    says(&message, &["growth-sponsor: ", &row, "posting 1 is {", &format!("{amount}\"")]);

    for (column, change, words) in [
        ("effective_at", "effective_at + 1", "effective_at is "),
        ("recorded_at", "recorded_at + 1", ""),
        ("is_last", "1 - is_last", "is_last is false, and should be true"),
        ("entry", "entry + 1", "entry is "),
        ("key", "key || '0'", ""),
        ("refused", "'day_closed'", ""),
    ] {
        let update = format!("UPDATE journal SET {column} = {change} {at}");
        let message = found(&data, |journal| journal.sql(&update));
        says(&message, &[&format!("row {seq}: "), words]);
    }
    for (name, change) in [("hash", 31), ("hash", 0)] {
        let message = found(&data, |journal| {
            journal.change("journal", name, &format!("seq = {seq}"), |bytes| bytes[change] ^= 1);
        });
        says(&message, &[&row]);
    }
    let len = order.body.len();
    for place in 0..len {
        if place % 7 != 0 && place + 12 < len {
            continue;
        }
        let message = found(&data, |journal| {
            journal.change("journal", "body", &format!("seq = {seq}"), |bytes| bytes[place] ^= 1);
        });
        says(&message, &[&row]);
    }
}

#[test]
fn a_changed_refusal_is_found() {
    let data = stored("refusals", "rejections");
    let journal = rows(&data);
    let refused = journal.iter().find(|row| row.refused.is_some()).unwrap();
    let (seq, reason) = (refused.seq, refused.refused.as_deref().unwrap());
    for value in ["'cannot_be'", "NULL"] {
        let message = found(&data, |journal| {
            journal.sql(&format!("UPDATE journal SET refused = {value} WHERE seq = {seq}"));
        });
        says(&message, &[&format!("row {seq}: "), reason]);
    }
}

#[test]
fn rows_that_are_missing_are_found() {
    let data = stored("missing", "growth-sponsor");
    let end = rows(&data).last().unwrap().seq;
    let message = found(&data, |journal| {
        journal.sql(&format!("DELETE FROM journal WHERE seq = {end}"));
    });
    says(&message, &[&format!("ends at row {}", end - 1), &format!("noted as row {end}")]);
    for gone in [1, 3, end - 1] {
        let message = found(&data, |journal| {
            journal.sql(&format!("DELETE FROM journal WHERE seq = {gone}"));
        });
        says(&message, &[&format!("row {gone}"), "missing"]);
    }
    let message = found(&data, |journal| journal.sql("DELETE FROM journal WHERE seq = 0"));
    says(&message, &["row 0 is missing"]);
    let message = found(&data, |journal| journal.sql("DELETE FROM journal"));
    says(&message, &["row 0 is missing"]);
}

#[test]
fn a_changed_end_is_found() {
    let data = stored("end", "growth-sponsor");
    for change in ["seq = seq - 1", "seq = seq + 1", "seq = 0"] {
        let message = found(&data, |journal| {
            journal.sql(&format!("UPDATE writers SET {change}"));
        });
        says(&message, &["its end was noted as row"]);
    }
    let message = found(&data, |journal| {
        journal.change("writers", "hash", "TRUE", |bytes| bytes[7] ^= 1);
    });
    says(&message, &["its end was noted as row", "another hash"]);
}

#[test]
fn a_changed_snapshot_is_found() {
    let data = stored("snapshot", "growth-sponsor");
    let end = rows(&data).last().unwrap().seq;
    let words = format!("the snapshot after row {end} is not what the journal comes to");
    let mut tampered = Tampered::open(&data);
    let len =
        usize::try_from(tampered.number("SELECT length(bytes) FROM snapshot_chunks")).unwrap();
    tampered.close();
    let data = stored("snapshot", "growth-sponsor");
    for place in (0..len).step_by(len / 12) {
        let message = found(&data, |journal| {
            journal.change("snapshot_chunks", "bytes", "TRUE", |bytes| bytes[place] ^= 1);
        });
        says(&message, &[&words]);
    }
    let message = found(&data, |journal| journal.sql("DELETE FROM snapshot_chunks"));
    says(&message, &[&words]);
    let message =
        found(&data, |journal| journal.change("snapshots", "hash", "TRUE", |bytes| bytes[1] ^= 1));
    says(&message, &[&words]);
}

/// Changes the first body with enough postings, and makes all hashes right again.
fn forged(data: &Path, postings: usize, change: impl Fn(&mut Body<'_>)) -> (u64, String) {
    let mut journal = rows(data);
    let row = journal
        .iter_mut()
        .find(|row| Body::read(row.seq, &row.body).unwrap().postings.len() >= postings)
        .unwrap();
    let seq = row.seq;
    let bytes = row.body.clone();
    let mut body = Body::read(seq, &bytes).unwrap();
    change(&mut body);
    row.body = body.write();
    (seq, found(data, |tampered| rewrite(tampered, &mut journal)))
}

fn rewrite(tampered: &mut Tampered, journal: &mut [Row]) {
    chain_again(journal);
    tampered.write(journal);
}

#[test]
fn a_forger_who_makes_the_chain_right_again_is_found() {
    let data = stored("forger", "growth-sponsor");
    let (seq, message) = forged(&data, 6, |body| body.postings[2].steps += 1);
    says(&message, &[&format!("row {seq}: posting 3 is {{"), "}, and should be {"]);
    assert!(!message.contains("hash"), "{message}");

    let (seq, message) = forged(&data, 2, |body| {
        let is_member = |holder| matches!(holder, Holder::Account(engine::Account::Member(_)));
        let touch = body.touches.iter_mut().find(|touch| is_member(touch.holder));
        if let Some(touch) = touch {
            touch.balances[engine::Unit::Cash as usize] += 100_000;
        } else {
            body.touches[0].balances[engine::Unit::Cash as usize] += 100_000;
        }
    });
    says(&message, &[&format!("row {seq}: the balance of ")]);

    let (seq, message) = forged(&data, 6, |body| {
        let member = body.touches.iter_mut().find(|touch| touch.name == "A" || touch.name == "B");
        member.unwrap().balances[engine::Unit::Growth as usize] += 1;
    });
    says(&message, &[&format!("row {seq}: the balance of member/"), " growth, and should be "]);

    let (seq, message) = forged(&data, 2, |body| body.touches[0].links.previous = Some(1));
    says(&message, &[&format!("row {seq}: the chain of ")]);

    // The command itself, with a chain that is right.
    let mut journal = rows(&data);
    let is_pay = |row: &&mut Row| row.command.as_deref().is_some_and(|t| t.contains("order.pay"));
    let row = journal.iter_mut().find(is_pay).unwrap();
    let seq = row.seq;
    row.command = row.command.as_deref().map(|text| text.replace("order.pay", "order.refund"));
    row.command = Some(row.command.take().unwrap().replace(",\"member\":\"A\"", ""));
    let command = row.command.clone().unwrap();
    let message = found(&data, |tampered| {
        let command = command.replace('\'', "''");
        tampered.sql(&format!("UPDATE journal SET command = '{command}' WHERE seq = {seq}"));
        rewrite(tampered, &mut journal);
    });
    says(&message, &[&format!("row {seq}: ")]);
}

#[test]
fn a_head_that_was_noted_shows_that_a_journal_was_cut_off_or_made_anew() {
    let data = stored("noted", "growth-sponsor");
    let journal = rows(&data);
    let name = "growth-sponsor";
    let last = journal.last().unwrap();
    let data = data.as_path();
    for row in [&journal[3], last, &journal[0]] {
        succeed(&expecting(data, &format!("{name}@{}={}", row.seq, hex(&row.hash))));
        succeed(&expecting(data, &format!("{name}={}", hex(&row.hash))));
    }
    let head = format!("{name}@{}={}", last.seq, hex(&last.hash));
    let unnumbered = format!("{name}={}", hex(&last.hash));
    let printed = succeed(&["verify", "--data", path(data)]);
    assert!(printed.contains(&head), "{printed}");

    // Cut off after a whole entry, with the end noted as it is then: by itself it is right.
    let mut tampered = Tampered::open(data);
    let cut = journal[..last.seq as usize].iter().rev().find(|row| row.is_last).unwrap();
    tampered.sql(&format!("DELETE FROM journal WHERE seq > {}", cut.seq));
    tampered.sql("DELETE FROM snapshots");
    tampered.sql(&format!("UPDATE writers SET seq = {}, hash = x'{}'", cut.seq, hex(&cut.hash)));
    tampered.close();
    succeed(&["verify", "--data", path(data)]);
    let message = fail(&expecting(data, &head));
    says(&message, &[&format!("the journal ends at row {}", cut.seq), "cut off"]);
    says(&fail(&expecting(data, &unnumbered)), &["no row has the hash"]);

    // Made anew from the same events: what was recorded when is other.
    let data = &stored("noted", "growth-sponsor");
    says(&fail(&expecting(data, &head)), &[&format!("row {}", last.seq), "was rewritten"]);
    let other = format!("other@1={}", hex(&last.hash));
    says(&fail(&expecting(data, &other)), &["no programme \"other\""]);
    for wrong in ["x", "x=12", "x@1=zz", &hex(&last.hash)] {
        assert_eq!(support::verdant(&expecting(data, wrong)).status.code(), Some(2));
    }
}

fn expecting<'a>(data: &'a Path, noted: &'a str) -> [&'a str; 5] {
    ["verify", "--data", path(data), "--expect", noted]
}

#[test]
fn the_other_programmes_are_checked_all_the_same() {
    let folder = folder("others");
    let database = ["--data".to_owned(), path(&folder.join("data")).to_owned()];
    for case in ["growth-sponsor", "growth-dust", "adjust"] {
        replay_into(&database, &shared("golden").join(case), &[]);
    }
    let mut tampered = Tampered::open(&folder.join("data"));
    tampered.sql(
        "UPDATE journal SET key = 'x' WHERE seq = 2 AND programme = \
         (SELECT programme FROM programmes WHERE name = 'growth-dust')",
    );
    tampered.close();
    let output = support::verdant(&["verify", "--data", &database[1]]);
    assert_eq!(output.status.code(), Some(1));
    let (out, err) = (support::text(&output.stdout), support::text(&output.stderr));
    says(&out, &["growth-sponsor\n", "adjust\n"]);
    says(&err, &["growth-dust: row 2: ", "1 of 3 journals is not what it should be"]);
    succeed(&["verify", "--data", &database[1], "--programme", "adjust"]);
}

#[test]
fn a_settlement_that_broke_off_is_told_not_exported_and_completed_by_the_next_start() {
    let data = stored("unfinished", "cdnow-growth-cycle");
    let journal = rows(&data);
    let part = journal.iter().rev().find(|row| !row.is_last).unwrap();
    let mut tampered = Tampered::open(&data);
    tampered.sql(&format!("DELETE FROM journal WHERE seq > {}", part.seq));
    tampered.sql("DELETE FROM snapshots");
    let (seq, hash) = (part.seq, hex(&part.hash));
    tampered.sql(&format!("UPDATE writers SET seq = {seq}, hash = x'{hash}'"));
    tampered.close();
    let verified = succeed(&["verify", "--data", path(&data)]);
    says(&verified, &["breaks off", &format!("@{seq}=")]);
    let export = |what| {
        let text = succeed(&["export", what, "--data", path(&data), "--format", "csv"]);
        (text.lines().count() as u64, text)
    };
    let entries = journal.iter().filter(|row| row.is_last && row.seq < part.entry).count() as u64;
    assert_eq!(export("entries").0, 1 + entries);
    assert!(!export("postings").1.contains(&format!("\n{},", part.entry)));
    export("balances");
    let database = ["--data".to_owned(), path(&data).to_owned()];
    replay_into(&database, &shared("golden/cdnow-growth-cycle"), &[]);
    let after = rows(&data);
    let until = |rows: &[Row]| rows.iter().take_while(|row| row.entry <= part.entry).count();
    assert_eq!(after[..until(&after)], journal[..until(&journal)]);
}
