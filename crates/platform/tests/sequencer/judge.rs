//! Whether a journal is what a stream of commands comes to, and has what was acknowledged.

use std::collections::HashMap;
use std::sync::Arc;

use engine::Posting;
use store::{Body, Database, ProgrammeId, Row, verify};
use tokio::runtime::Runtime;

use crate::place;
use crate::plan::{Plan, file};
use crate::writer::Answers;

pub async fn all_rows(database: &Arc<dyn Database>, programme: ProgrammeId) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    loop {
        let page = database.rows(programme, rows.len() as u64, 1_000).await.unwrap();
        if page.is_empty() {
            return rows;
        }
        rows.extend(page);
    }
}

/// After the whole stream: all of it is there once, as if nothing had happened.
pub fn judge(runtime: &Runtime, place: &str, programme: &str, plan: &Plan, answers: &Answers) {
    assert_eq!(answers.next(), plan.lines.len(), "every command is answered");
    let (database, id, rows) = runtime.block_on(async {
        let database = place::open(place).await;
        let id = place::find(&database, programme).await;
        let rows = all_rows(&database, id).await;
        (database, id, rows)
    });
    are_there_once(&rows, answers);
    for (index, outcome) in plan.outcomes.iter().enumerate() {
        let said = answers.first[&index].split_once(' ').unwrap();
        match outcome {
            Ok(()) => assert_eq!(said.0, "accepted", "command {index}"),
            Err(reason) => assert_eq!(said, ("refused", reason.code()), "command {index}"),
        }
    }
    let verified = verify(runtime.handle(), &database, id, &mut |_, _| {}).unwrap();
    assert!(!verified.is_unfinished);
    assert_eq!(file(verified.book.engine.state()), plan.state);
    assert!(postings(&rows) == plan.postings, "other postings than without interruption");
    assert_eq!(verified.head, plan.head, "the journal is the same to the last byte");
    runtime.block_on(database.close());
}

/// Whatever was answered is in the journal once, as answered.
pub fn are_there_once(rows: &[Row], answers: &Answers) {
    let mut keys: HashMap<&str, &Row> = HashMap::new();
    for row in rows {
        if let Some(key) = &row.key {
            assert!(keys.insert(key, row).is_none(), "{key} is in the journal twice");
        }
    }
    for (index, answer) in &answers.first {
        let key = Plan::key(*index);
        let row =
            keys.get(key.as_str()).unwrap_or_else(|| panic!("{key} was answered, and is lost"));
        let is = match &row.refused {
            Some(reason) => format!("refused {reason}"),
            None => format!("accepted {}", row.entry),
        };
        assert_eq!(*answer, is, "{key}");
    }
}

pub fn postings(rows: &[Row]) -> Vec<Posting> {
    rows.iter().flat_map(|row| Body::read(row.seq, &row.body).unwrap().postings).collect()
}
