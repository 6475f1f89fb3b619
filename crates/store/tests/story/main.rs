//! The one story that both databases must tell: journals, leases, snapshots, refusals.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops on what it did not expect")]

mod format;
mod places;

use std::sync::Arc;
use std::time::Duration;

use engine::Programme;
use places::{Place, each};
use store::{Database, DatabaseError, Head, Lease, Row, SnapshotHead, Taking, first_row};

const TTL: Duration = Duration::from_secs(60);

fn programme() -> Programme {
    Programme::from_toml("name = \"story\"\n[growth]\ncontribution = \"30%\"\n").unwrap()
}

/// Rows that are chained, but hold nothing.
fn rows(after: Head, count: u64) -> Vec<Row> {
    let mut hash = after.hash;
    (after.seq + 1..=after.seq + count)
        .map(|seq| {
            let mut row = Row {
                seq,
                entry: seq,
                is_last: seq % 3 > 0,
                effective_at: 5_000_000 - 1,
                recorded_at: i64::try_from(seq).unwrap(),
                command: (seq % 2 == 0).then(|| format!("{{\"积分\":{seq}}}")),
                key: (seq % 5 == 0).then(|| format!("key/{seq}")),
                refused: (seq % 7 == 0).then(|| "day_closed".to_owned()),
                body: vec![u8::try_from(seq % 256).unwrap(); usize::try_from(seq % 900).unwrap()],
                hash,
            };
            row.hash = row.chained(&hash);
            hash = row.hash;
            row
        })
        .collect()
}

async fn taken(database: &Arc<dyn Database>, programme: store::ProgrammeId) -> (Lease, Head) {
    match database.take_lease(programme, "me", TTL).await.unwrap() {
        Taking::Taken(lease, head) => (lease, head),
        Taking::Held { holder, .. } => panic!("{holder} has it"),
    }
}

#[test]
fn what_is_appended_is_read_in_order() {
    each(async |place| {
        let database = place.open().await;
        assert!(database.programmes().await.unwrap().is_empty());
        let first = first_row(&programme(), 7);
        let created = database.create("红酒商城", &first).await.unwrap();
        let again = database.create("红酒商城", &first).await;
        assert!(matches!(again, Err(DatabaseError::NameTaken { name }) if name == "红酒商城"));
        let other = database.create("other", &first).await.unwrap();
        assert_eq!(database.programmes().await.unwrap(), [created.clone(), other.clone()]);

        let (lease, mut head) = taken(&database, created.id).await;
        assert_eq!(head, Head { seq: 0, hash: first.hash });
        let mut all = vec![first.clone()];
        for count in [1, 7, 0, 128, 333, 2_500] {
            let batch = rows(head, count);
            head = database.append(&lease, head, batch.clone()).await.unwrap();
            all.extend(batch);
            assert_eq!(database.head(created.id).await.unwrap(), head);
        }
        // Opened again, and read in pages of any size.
        database.close().await;
        let database = place.open().await;
        for page in [1, 100, 10_000] {
            let mut read = Vec::new();
            while (read.len() as u64) <= head.seq {
                let rows = database.rows(created.id, read.len() as u64, page).await.unwrap();
                assert!(!rows.is_empty() && rows.len() <= page as usize);
                read.extend(rows);
            }
            assert_eq!(read, all);
            if page == 1 {
                assert!(database.rows(created.id, head.seq + 1, 5).await.unwrap().is_empty());
            }
        }
        assert_eq!(database.rows(other.id, 0, 9).await.unwrap(), [first]);
    });
}

#[test]
fn only_the_highest_token_commits() {
    each(async |place| {
        let (database, standby) = (place.open().await, place.open().await);
        let id = database.create("p", &first_row(&programme(), 0)).await.unwrap().id;
        let (mine, head) = taken(&database, id).await;
        let held = standby.take_lease(id, "you", TTL).await.unwrap();
        assert!(
            matches!(&held, Taking::Held { holder, left } if holder == "me" && *left <= TTL),
            "{held:?}"
        );
        let head = database.append(&mine, head, rows(head, 3)).await.unwrap();
        database.renew_lease(&mine).await.unwrap();

        // Released, it is free at once; the old token is worth nothing any more.
        database.release_lease(&mine).await.unwrap();
        let Taking::Taken(yours, found) = standby.take_lease(id, "you", TTL).await.unwrap() else {
            panic!("it was released");
        };
        assert_eq!(found, head);
        let end = standby.append(&yours, head, rows(head, 2)).await.unwrap();
        for attempt in [
            database.append(&mine, head, rows(head, 1)).await.map(drop),
            database.append(&mine, end, rows(end, 1)).await.map(drop),
            database.append(&mine, end, rows(end, 9_500)).await.map(drop),
            database.renew_lease(&mine).await,
            database.release_lease(&mine).await,
            database.retake_lease(&mine).await.map(drop),
            // The right token after the wrong row is no better.
            standby.append(&yours, head, rows(head, 1)).await.map(drop),
        ] {
            assert!(matches!(attempt, Err(DatabaseError::LeaseLost)), "{attempt:?}");
        }
        assert_eq!(database.head(id).await.unwrap(), end);
        assert_eq!(database.rows(id, end.seq + 1, 9).await.unwrap(), []);

        // A new token of one's own ends the old one, and says where the journal ends. It can be
        // asked for again, if its answer was lost; another's name does not help.
        let (lost, _) = standby.retake_lease(&yours).await.unwrap();
        let (renewed, found) = standby.retake_lease(&yours).await.unwrap();
        assert_eq!(found, end);
        assert!(renewed.token > lost.token && lost.token > yours.token);
        let forged = Lease { holder: "me".into(), ..yours.clone() };
        assert!(matches!(standby.retake_lease(&forged).await, Err(DatabaseError::LeaseLost)));
        assert!(standby.append(&yours, end, rows(end, 1)).await.is_err());
        standby.append(&renewed, end, rows(end, 1)).await.unwrap();

        // A lease that lapses can be taken.
        standby.release_lease(&renewed).await.unwrap();
        let short = Duration::from_millis(30);
        assert!(matches!(standby.take_lease(id, "short", short).await.unwrap(), Taking::Taken(..)));
        tokio::time::sleep(short * 2).await;
        taken(&database, id).await;
    });
}

#[test]
fn a_row_that_cannot_be_stored_takes_the_whole_batch_with_it() {
    each(async |place| {
        let database = place.open().await;
        let id = database.create("p", &first_row(&programme(), 0)).await.unwrap().id;
        let (lease, head) = taken(&database, id).await;
        let head = database.append(&lease, head, rows(head, 3)).await.unwrap();
        let mut batch = rows(head, 9_000);
        // A number that is there already.
        batch[8_990].seq = head.seq;
        assert!(database.append(&lease, head, batch).await.is_err());
        assert_eq!(database.head(id).await.unwrap(), head);
        assert!(database.rows(id, head.seq + 1, 9).await.unwrap().is_empty());
        let (lease, found) = database.retake_lease(&lease).await.unwrap();
        assert_eq!(found, head);
        database.append(&lease, head, rows(head, 5)).await.unwrap();
    });
}

#[test]
fn the_database_itself_refuses_to_change_the_journal() {
    each(async |place| {
        let database = place.open().await;
        let id = database.create("p", &first_row(&programme(), 0)).await.unwrap().id;
        let (lease, head) = taken(&database, id).await;
        let head = database.append(&lease, head, rows(head, 9)).await.unwrap();
        let before = database.rows(id, 0, 99).await.unwrap();
        let mut refused = vec![
            ("UPDATE journal SET recorded_at = recorded_at + 1", "never changed"),
            ("UPDATE journal SET body = hash WHERE seq = 3", "never changed"),
            ("DELETE FROM journal WHERE seq = 9", "never deleted"),
            ("DELETE FROM journal", "never deleted"),
        ];
        if matches!(place, Place::Server(_)) {
            refused.push(("TRUNCATE journal", "never deleted"));
        }
        for (statement, why) in refused {
            let error = place.run(statement).await.unwrap_err().to_string();
            assert!(error.contains(why), "{statement}: {error}");
        }
        assert_eq!(database.rows(id, 0, 99).await.unwrap(), before);
        assert_eq!(database.head(id).await.unwrap(), head);
    });
}

#[test]
fn a_snapshot_is_there_when_it_is_finished() {
    each(async |place| {
        let database = place.open().await;
        let id = database.create("p", &first_row(&programme(), 0)).await.unwrap().id;
        let other = database.create("q", &first_row(&programme(), 0)).await.unwrap().id;
        let (lease, _) = taken(&database, id).await;
        for seq in [0, 5] {
            for (chunk, byte) in [(0, 1), (1, 2), (0, 3)] {
                database.put_chunk(&lease, seq, chunk, vec![byte; 70_000]).await.unwrap();
            }
            let snapshot = SnapshotHead { seq, chunks: 2, hash: [9; 32] };
            assert_ne!(database.snapshot(id).await.unwrap(), Some(snapshot.clone()));
            database.finish_snapshot(&lease, &snapshot).await.unwrap();
            assert_eq!(database.snapshot(id).await.unwrap(), Some(snapshot));
            assert_eq!(database.chunk(id, seq, 0).await.unwrap(), Some(vec![3; 70_000]));
            assert_eq!(database.chunk(id, seq, 1).await.unwrap(), Some(vec![2; 70_000]));
        }
        assert_eq!(database.chunk(id, 0, 0).await.unwrap(), None, "the older one is dropped");
        assert_eq!(database.snapshot(other).await.unwrap(), None);
        // Whoever is no longer the writer can spoil nothing.
        let before = database.snapshot(id).await.unwrap();
        database.retake_lease(&lease).await.unwrap();
        let snapshot = SnapshotHead { seq: 3, chunks: 1, hash: [8; 32] };
        for attempt in [
            database.put_chunk(&lease, 3, 0, vec![4; 7]).await,
            database.finish_snapshot(&lease, &snapshot).await,
        ] {
            assert!(matches!(attempt, Err(DatabaseError::LeaseLost)), "{attempt:?}");
        }
        assert_eq!(database.snapshot(id).await.unwrap(), before);
        assert_eq!(database.chunk(id, 5, 1).await.unwrap(), Some(vec![2; 70_000]));
    });
}

#[test]
fn a_database_that_is_not_there_is_missing() {
    each(async |place| {
        assert!(matches!(place.open_existing().await, Err(DatabaseError::Missing { .. })));
        drop(place.open().await);
        place.open_existing().await.unwrap();
    });
}
