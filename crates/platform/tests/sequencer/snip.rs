//! A proxy that cuts a connection on one certain commit: PostgreSQL gets a batch as one statement,
//! which is known by an idempotency key among its rows. (`testbed::proxy` waits for a COMMIT.)

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use testbed::proxy::CutWhen;

pub struct Snip {
    pub port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    target: u16,
    /// The key to cut at.
    mark: Mutex<Option<(Vec<u8>, CutWhen)>>,
    cuts: AtomicU64,
    links: Mutex<Vec<(TcpStream, TcpStream)>>,
    is_over: AtomicBool,
}

impl Snip {
    pub fn start(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared { target, ..Shared::default() });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if accepting.is_over.load(Ordering::SeqCst) {
                    return;
                }
                accepting.connect(client);
            }
        });
        Self { port, shared }
    }

    /// Cuts the connection that a row with this key comes by, once, before the server has all of
    /// the statement or after it has committed it.
    pub fn cut_at(&self, key: &str, when: CutWhen) {
        *self.shared.mark.lock().unwrap() = Some((key.as_bytes().to_vec(), when));
    }

    pub fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Snip {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        for (client, server) in self.shared.links.lock().unwrap().drain(..) {
            cut(&client, &server);
        }
        _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn cut(client: &TcpStream, server: &TcpStream) {
    _ = client.shutdown(Shutdown::Both);
    _ = server.shutdown(Shutdown::Both);
}

impl Shared {
    fn connect(self: &Arc<Self>, client: TcpStream) {
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.target)) else { return };
        let clones = || (client.try_clone().unwrap(), server.try_clone().unwrap());
        self.links.lock().unwrap().push(clones());
        let swallows = Arc::new(AtomicBool::new(false));
        let (shared, swallowing, (from, to)) = (Arc::clone(self), Arc::clone(&swallows), clones());
        thread::spawn(move || {
            shared.up(&from, &to, &swallowing);
            cut(&from, &to);
        });
        let (shared, (to, from)) = (Arc::clone(self), clones());
        thread::spawn(move || {
            pass(&from, &to, |_| {
                // What comes first after the statement is told when it is committed.
                let is_cut = swallows.load(Ordering::SeqCst);
                shared.cuts.fetch_add(u64::from(is_cut), Ordering::SeqCst);
                !is_cut
            });
            cut(&from, &to);
        });
    }

    fn up(&self, client: &TcpStream, server: &TcpStream, swallows: &AtomicBool) {
        // The key may come in two pieces.
        let mut seen = Vec::new();
        pass(client, server, |bytes| {
            seen.extend_from_slice(bytes);
            let mut mark = self.mark.lock().unwrap();
            let found = mark.take_if(|(key, _)| seen.windows(key.len()).any(|part| part == key));
            seen.drain(..seen.len().saturating_sub(64));
            match found {
                None => true,
                Some((_, CutWhen::AfterCommit)) => {
                    swallows.store(true, Ordering::SeqCst);
                    true
                }
                Some((_, CutWhen::BeforeCommit)) => {
                    self.cuts.fetch_add(1, Ordering::SeqCst);
                    false
                }
            }
        });
    }
}

/// Passes bytes on until either side is gone or `may_pass` says no.
fn pass(mut from: &TcpStream, mut to: &TcpStream, mut may_pass: impl FnMut(&[u8]) -> bool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(len @ 1..) = from.read(&mut buffer) {
        if !may_pass(&buffer[..len]) || to.write_all(&buffer[..len]).is_err() {
            return;
        }
    }
}
