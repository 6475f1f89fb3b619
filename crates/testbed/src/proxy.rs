//! A connection that breaks at the worst moment: a TCP proxy before PostgreSQL that knows enough
//! of its protocol to see a COMMIT go by and to cut before or after it.

mod client;
mod frames;
mod state;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use self::client::{Client, Step};
use self::frames::Frames;
use self::state::{Link, State};

/// On which side of a COMMIT a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutWhen {
    /// The server never sees the COMMIT: nothing is stored, and the client learns of no outcome.
    BeforeCommit,
    /// The server has carried it out and said so, but the client never hears of it: all is stored,
    /// and to the client it looks exactly as above.
    AfterCommit,
}

/// The proxy. It goes on taking connections after a cut; on drop it cuts all and is gone.
#[derive(Debug)]
pub struct CutProxy {
    port: u16,
    state: Arc<State>,
}

impl CutProxy {
    /// Takes connections on a port of its own and passes them on to `target_port`, both on
    /// 127.0.0.1. While nothing listens there, clients are turned away.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    pub fn start(target_port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port for the proxy");
        let port = listener.local_addr().expect("the port of the proxy").port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.is_over() {
                    break;
                }
                connect(client, target_port, &shared);
            }
        });
        Self { port, state }
    }

    /// The port on 127.0.0.1 to connect to; see also [`postgres::url`](crate::postgres::url).
    pub fn port(&self) -> u16 {
        self.port
    }

    /// At the `nth` COMMIT from now on (1 is the next), over all connections, the connection it
    /// comes by is cut, once. It replaces what was told before.
    ///
    /// A COMMIT is a simple query that is nothing else, or the execution of a prepared statement
    /// that is nothing else; one at the end of a longer query text is not seen.
    ///
    /// # Panics
    ///
    /// If `nth` is 0.
    pub fn cut_on_commit(&self, nth: u64, when: CutWhen) {
        assert!(nth > 0, "commits are counted from 1");
        self.state.arm(nth, when);
    }

    /// From now on no bytes flow, in either direction, yet no connection closes: a network that
    /// swallows everything. Nothing is lost; it waits for [`thaw`](Self::thaw). (Bytes that the
    /// proxy was just passing on may still arrive.)
    pub fn freeze(&self) {
        self.state.freeze(true);
    }

    /// Everything flows again, first what was held back.
    pub fn thaw(&self) {
        self.state.freeze(false);
    }

    /// Cuts all connections there are, in whatever state; new ones are taken.
    pub fn cut_all(&self) {
        self.state.cut_all();
    }

    /// How many COMMITs came by so far, those included that were cut off.
    pub fn commits(&self) -> u64 {
        self.state.commits()
    }

    /// How many connections were cut on a COMMIT so far. A test that expects a cut should ask:
    /// one that never came would prove nothing.
    pub fn cuts(&self) -> u64 {
        self.state.cuts()
    }

    /// Waits until there were `cuts` cuts on a COMMIT, for at most `timeout`; whether there were.
    pub fn wait_cuts(&self, cuts: u64, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        while self.cuts() < cuts && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        self.cuts() >= cuts
    }
}

impl Drop for CutProxy {
    fn drop(&mut self) {
        self.state.end();
        // To wake the thread that takes connections.
        _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn connect(client: TcpStream, target_port: u16, state: &Arc<State>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", target_port)) else { return };
    let link = Arc::new(Link::new(client, server));
    state.add(&link);
    let (upward, downward) = ((Arc::clone(&link), Arc::clone(state)), (link, Arc::clone(state)));
    thread::spawn(move || {
        let (link, state) = upward;
        up(&link, &state);
        // What the server still has to say to a client that closed its side may pass.
        _ = link.server().shutdown(Shutdown::Write);
    });
    thread::spawn(move || {
        let (link, state) = downward;
        down(&link, &state);
        link.cut();
        state.forget(&link);
    });
}

/// From the client to the server, until either is gone.
fn up(link: &Link, state: &State) {
    let mut parser = Client::default();
    while let Some(bytes) = next(link.client(), link, state) {
        parser.push(&bytes);
        while let Some(step) = parser.step() {
            let passed = match step {
                Step::Pass(bytes) => link.server().write_all(&bytes).is_ok(),
                Step::Answer(bytes) => link.client().write_all(&bytes).is_ok(),
                Step::Commit(bytes) => match state.commit() {
                    Some(CutWhen::BeforeCommit) => {
                        state.cut_commit(link);
                        false
                    }
                    Some(CutWhen::AfterCommit) => {
                        // Before the bytes go out: the answer may be back at once.
                        link.swallow();
                        link.server().write_all(&bytes).is_ok()
                    }
                    None => link.server().write_all(&bytes).is_ok(),
                },
            };
            if !passed {
                return;
            }
        }
    }
}

/// From the server to the client, until either is gone.
fn down(link: &Link, state: &State) {
    let mut frames = Frames::default();
    while let Some(bytes) = next(link.server(), link, state) {
        frames.push(&bytes);
        while let Some(message) = frames.typed() {
            if link.swallows() && answers_commit(&message) {
                state.cut_commit(link);
                return;
            }
            if link.client().write_all(&message).is_err() {
                return;
            }
        }
    }
}

/// Bytes that may pass now; `None` when there will be no more.
fn next(mut from: &TcpStream, link: &Link, state: &State) -> Option<Vec<u8>> {
    let mut buffer = vec![0; 1 << 16];
    let length = from.read(&mut buffer).ok().filter(|&length| length > 0)?;
    buffer.truncate(length);
    state.wait_thawed(link).then_some(buffer)
}

/// `CommandComplete` of a COMMIT, which of a failed transaction says ROLLBACK, or an error.
/// Answers to what was sent before it are told by their own words.
fn answers_commit(message: &[u8]) -> bool {
    match message {
        [b'E', ..] => true,
        [b'C', _, _, _, _, tag @ ..] => tag == b"COMMIT\0" || tag == b"ROLLBACK\0",
        _ => false,
    }
}

#[cfg(test)]
mod tests;
