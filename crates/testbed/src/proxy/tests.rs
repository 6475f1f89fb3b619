use std::io::ErrorKind;
use std::process::{Output, Stdio};
use std::sync::Mutex;

use super::*;
use crate::postgres;

pub(super) fn typed(letter: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[letter], &length.to_be_bytes()[..], body].concat()
}

fn startup() -> Vec<u8> {
    vec![0, 0, 0, 9, 0, 3, 0, 0, 0]
}

fn query(text: &str) -> Vec<u8> {
    typed(b'Q', format!("{text}\0").as_bytes())
}

/// Answers every simple query with its own first word, and keeps all queries.
struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let seen = Arc::clone(&shared);
                thread::spawn(move || serve(stream.unwrap(), &seen));
            }
        });
        Self { port, seen }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, seen: &Mutex<Vec<String>>) {
    let mut frames = Frames::default();
    let mut begun = false;
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        frames.push(&buffer[..length]);
        if !begun {
            let Some(first) = frames.untyped() else { continue };
            assert_eq!(first, startup());
            begun = true;
        }
        while let Some(message) = frames.typed() {
            let text = String::from_utf8(message[5..].to_vec()).unwrap();
            let text = text.trim_end_matches('\0').to_owned();
            let tag = text.split(' ').next().unwrap().to_ascii_uppercase();
            seen.lock().unwrap().push(text);
            let complete = typed(b'C', format!("{tag}\0").as_bytes());
            let answer = [complete, typed(b'Z', b"I")].concat();
            if stream.write_all(&answer).is_err() {
                return;
            }
        }
    }
}

struct Session(TcpStream, Frames);

impl Session {
    fn open(proxy: &CutProxy) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(&[0, 0, 0, 8, 4, 210, 22, 47]).unwrap();
        let mut answer = [0];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"N");
        stream.write_all(&startup()).unwrap();
        Self(stream, Frames::default())
    }

    fn send(&mut self, text: &str) {
        self.0.write_all(&query(text)).unwrap();
    }

    /// The next tag; `None` if the connection is gone.
    fn tag(&mut self) -> Option<String> {
        loop {
            while let Some(message) = self.1.typed() {
                if message[0] == b'C' {
                    return Some(
                        String::from_utf8(message[5..message.len() - 1].to_vec()).unwrap(),
                    );
                }
            }
            let mut buffer = [0; 1024];
            match self.0.read(&mut buffer) {
                Ok(0) => return None,
                Ok(length) => self.1.push(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn ask(&mut self, text: &str) -> Option<String> {
        self.send(text);
        self.tag()
    }
}

#[test]
fn a_cut_before_keeps_the_commit_from_the_server() {
    let server = Server::start();
    let proxy = CutProxy::start(server.port);
    proxy.cut_on_commit(2, CutWhen::BeforeCommit);
    let mut one = Session::open(&proxy);
    assert_eq!(one.ask("BEGIN").unwrap(), "BEGIN");
    assert_eq!(one.ask("commit").unwrap(), "COMMIT");
    let mut two = Session::open(&proxy);
    assert_eq!(two.ask("commit"), None);
    assert_eq!(proxy.cuts(), 1);
    assert_eq!(proxy.commits(), 2);
    assert_eq!(one.ask("COMMIT").unwrap(), "COMMIT");
    assert_eq!(Session::open(&proxy).ask("COMMIT").unwrap(), "COMMIT");
    assert_eq!(server.seen(), ["BEGIN", "commit", "COMMIT", "COMMIT"]);
}

#[test]
fn a_cut_after_keeps_only_the_answer_from_the_client() {
    let server = Server::start();
    let proxy = CutProxy::start(server.port);
    proxy.cut_on_commit(1, CutWhen::AfterCommit);
    let mut session = Session::open(&proxy);
    session.send("INSERT 1");
    session.send("COMMIT");
    assert_eq!(session.tag().unwrap(), "INSERT");
    assert_eq!(session.tag(), None);
    assert_eq!(server.seen(), ["INSERT 1", "COMMIT"]);
    assert!(proxy.wait_cuts(1, Duration::ZERO));
    assert!(!proxy.wait_cuts(2, Duration::from_millis(5)));
    assert_eq!(Session::open(&proxy).ask("COMMIT").unwrap(), "COMMIT");
}

#[test]
fn what_is_frozen_waits_and_then_flows() {
    let server = Server::start();
    let proxy = CutProxy::start(server.port);
    let mut session = Session::open(&proxy);
    assert_eq!(session.ask("one").unwrap(), "ONE");
    proxy.freeze();
    session.send("two");
    session.0.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let held = session.0.read(&mut [0; 99]).map_err(|error| error.kind());
    // The end of the answer to "one" may still have been on its way.
    assert!(matches!(held, Ok(6) | Err(ErrorKind::WouldBlock)), "{held:?}");
    assert_eq!(server.seen(), ["one"]);
    proxy.thaw();
    session.0.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(session.tag().unwrap(), "TWO");

    proxy.freeze();
    session.send("three");
    proxy.cut_all();
    assert_eq!(session.tag(), None);
    proxy.thaw();
    assert_eq!(Session::open(&proxy).ask("four").unwrap(), "FOUR");
    assert_eq!(server.seen(), ["one", "two", "four"]);
}

#[test]
fn an_end_on_one_side_is_passed_to_the_other() {
    let server = Server::start();
    let proxy = CutProxy::start(server.port);
    let mut session = Session::open(&proxy);
    session.send("last");
    session.0.shutdown(Shutdown::Write).unwrap();
    assert_eq!(session.tag().unwrap(), "LAST");
    assert_eq!(session.tag(), None);

    let mut session = Session::open(&proxy);
    assert_eq!(session.ask("more").unwrap(), "MORE");
    let port = proxy.port();
    drop(proxy);
    assert_eq!(session.tag(), None);
    let gone = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(Instant::now() < gone);
    }

    let nobody = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let proxy = CutProxy::start(nobody);
    let mut turned_away = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
    assert!(matches!(turned_away.read(&mut [0]), Ok(0) | Err(_)));
}

/// One `-c` for each statement, so that each is a query of its own.
fn psql(proxy: &CutProxy, statements: &[&str]) -> Output {
    let mut command = postgres::shared().program("psql");
    command.args(["-XAtq", "-v", "ON_ERROR_STOP=1", &postgres::url(proxy.port(), "cut")]);
    for statement in statements {
        command.args(["-c", statement]);
    }
    command.output().unwrap()
}

#[test]
fn a_real_server_keeps_what_was_committed() {
    let postgres = postgres::shared();
    postgres.create_database("cut");
    postgres.sql("cut", "create table t (n int unique deferrable initially deferred)");
    let proxy = CutProxy::start(postgres.port());
    let insert = |values: &str| {
        let insert = format!("insert into t values {values}");
        psql(&proxy, &["begin", &insert, "commit"]).status.success()
    };
    assert!(insert("(1)"));
    proxy.cut_on_commit(1, CutWhen::BeforeCommit);
    assert!(!insert("(2)"));
    proxy.cut_on_commit(1, CutWhen::AfterCommit);
    assert!(!insert("(3)"));
    assert!(insert("(4)"));
    assert_eq!((proxy.commits(), proxy.cuts()), (4, 2));
    assert_eq!(postgres.sql("cut", "select n from t order by n"), "1\n3\n4");

    // A COMMIT that the server refuses is answered too.
    proxy.cut_on_commit(1, CutWhen::AfterCommit);
    assert!(!insert("(5), (5)"));
    assert_eq!(proxy.cuts(), 3);
    assert_eq!(postgres.sql("cut", "select count(*) from t"), "3");
}

#[test]
fn a_real_server_is_cut_at_prepared_commits_too() {
    let postgres = postgres::shared();
    postgres.create_database("prepared");
    postgres.sql("prepared", "create table t (n serial)");
    let proxy = CutProxy::start(postgres.port());
    for (mode, when, stored) in [
        ("extended", CutWhen::BeforeCommit, "2"),
        ("extended", CutWhen::AfterCommit, "3"),
        ("prepared", CutWhen::BeforeCommit, "2"),
        ("prepared", CutWhen::AfterCommit, "3"),
    ] {
        postgres.sql("prepared", "truncate t");
        let before = (proxy.commits(), proxy.cuts());
        proxy.cut_on_commit(3, when);
        let mut command = postgres.program("pgbench");
        command.args(["-n", "-t", "10", "-M", mode, "-f", "-", "-h", "127.0.0.1"]);
        command.args(["-p", &proxy.port().to_string(), "-U", "verdant", "prepared"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let script = b"begin;\ninsert into t default values;\ncommit;\n";
        child.stdin.take().unwrap().write_all(script).unwrap();
        assert!(!child.wait().unwrap().success());
        assert_eq!((proxy.commits(), proxy.cuts()), (before.0 + 3, before.1 + 1));
        assert_eq!(postgres.sql("prepared", "select count(*) from t"), stored, "{mode} {when:?}");
    }
}
