use std::io::{BufRead, BufReader, Write};

use super::*;
use crate::process::{Signal, signal, wait_exit};

const LONG: Duration = Duration::from_secs(30);

#[test]
fn each_database_is_new_and_empty() {
    let (one, two) = (shared().fresh_database(), shared().fresh_database());
    assert_ne!(one, two);
    assert!(one.starts_with(&format!("postgres://verdant@127.0.0.1:{}/", shared().port())));
    assert_eq!(shared().create_database("A \"b\"").rsplit('/').next(), Some("A \"b\""));
    for url in [shared().url(), one, two] {
        let mut command = shared().program("psql");
        let output = command
            .args([
                "-XAtq",
                "-c",
                "select count(*) from pg_tables where schemaname = 'public'",
                &url,
            ])
            .output();
        assert_eq!(output.unwrap().stdout, b"0\n");
    }
    assert_eq!(shared().sql("postgres", "show synchronous_commit"), "on");
    assert_eq!(shared().sql("postgres", "show fsync"), "on");
    assert_eq!(shared().sql("postgres", "show server_encoding"), "UTF8");
}

/// An open session whose statements are sent without waiting for their end.
fn session(postgres: &Postgres) -> Child {
    let mut command = postgres.program("psql");
    command.args(["-XAtq", &postgres.url()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().unwrap()
}

#[test]
fn a_crash_loses_what_was_not_committed_and_nothing_else() {
    let mut postgres = Postgres::start_with(&[("max_connections", "20")]);
    assert_eq!(postgres.sql("postgres", "show max_connections"), "20");
    let port = postgres.port();
    postgres.sql("postgres", "create table t (n int)");
    for round in 1..=3 {
        postgres.sql("postgres", &format!("insert into t values ({round})"));
        let mut open = session(&postgres);
        let mut input = open.stdin.take().unwrap();
        writeln!(input, "begin; insert into t values (99); select 'inserted';").unwrap();
        let mut line = String::new();
        BufReader::new(open.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "inserted\n");
        let mut busy = session(&postgres);
        writeln!(busy.stdin.take().unwrap(), "select count(*) from generate_series(1, 1e12)")
            .unwrap();

        postgres.kill();
        assert_eq!(postgres.pid(), None);
        assert_eq!(crash::processes(&postgres.mark()), []);
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
        writeln!(input, "commit;").unwrap();
        drop(input);
        assert!(wait_exit(&mut open, LONG).is_some());
        assert!(wait_exit(&mut busy, LONG).is_some());

        postgres.restart();
        assert_eq!(postgres.port(), port);
        assert_eq!(
            postgres.sql("postgres", "select count(*), max(n) from t"),
            format!("{round}|{round}")
        );
    }
    assert_eq!(postgres.log().matches("database system was not properly shut down").count(), 3);
    assert_eq!(postgres.log().matches("shutting down").count(), 0);
}

#[test]
fn a_drop_leaves_nothing() {
    for crashed in [false, true] {
        let postgres = Postgres::start();
        let (folder, mark) = (postgres.folder.path().to_owned(), postgres.mark());
        assert!(crash::processes(&mark).len() > 3);
        let pidfile = fs::read_to_string(postgres.data().join("postmaster.pid")).unwrap();
        let memory = pidfile.lines().nth(6).unwrap().split_whitespace().nth(1).unwrap().to_owned();
        assert!(has_shared_memory(&memory));
        if crashed {
            postgres.kill();
            assert!(has_shared_memory(&memory));
        }
        drop(postgres);
        assert_eq!(crash::processes(&mark), []);
        assert!(!folder.exists());
        assert!(!has_shared_memory(&memory), "crashed: {crashed}");
    }
}

fn has_shared_memory(id: &str) -> bool {
    let list = fs::read_to_string("/proc/sysvipc/shm").unwrap();
    list.lines().any(|line| line.split_whitespace().nth(1) == Some(id))
}

#[test]
fn a_killed_test_leaves_nothing() {
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "postgres::tests::holder", "--ignored", "--nocapture"])
        .env("TESTBED_HOLDER", "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    let mut said =
        lines.filter_map(|line| line.unwrap().split_once("holds ").map(|(_, to)| to.to_owned()));
    let folder = PathBuf::from(said.next().unwrap());
    let mark = folder.file_name().unwrap().to_str().unwrap().to_owned();
    assert!(crash::processes(&mark).len() > 3 && folder.exists());
    signal(holder.id(), Signal::Kill).unwrap();
    assert!(wait_exit(&mut holder, LONG).is_some());
    let deadline = Instant::now() + LONG;
    while !crash::processes(&mark).is_empty() || folder.exists() {
        assert!(Instant::now() < deadline, "left: {:?}", crash::processes(&mark));
        sleep(Duration::from_millis(10));
    }
}

/// The child of the test above; the thread that starts the server ends before the process.
#[test]
#[ignore = "run by another test, in a process of its own"]
fn holder() {
    if std::env::var_os("TESTBED_HOLDER").is_none() {
        return;
    }
    std::thread::spawn(shared).join().unwrap();
    sleep(Duration::from_millis(500));
    shared().sql("postgres", "select 1");
    println!("holds {}", shared().folder.path().display());
    sleep(Duration::from_secs(120));
}

#[test]
fn a_setting_that_does_not_exist_stops_the_start() {
    let tried = std::panic::catch_unwind(|| Postgres::start_with(&[("no_such_setting", "1")]));
    let message = *tried.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("unrecognized configuration parameter"), "{message}");
}
