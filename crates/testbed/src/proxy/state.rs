//! What the threads of a proxy share.

use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::CutWhen;

/// A client's connection with the one to the server that belongs to it.
#[derive(Debug)]
pub(super) struct Link {
    client: TcpStream,
    server: TcpStream,
    cut: AtomicBool,
    swallows: AtomicBool,
}

impl Link {
    pub(super) fn new(client: TcpStream, server: TcpStream) -> Self {
        for stream in [&client, &server] {
            // Small messages must not wait for one another.
            _ = stream.set_nodelay(true);
        }
        Self { client, server, cut: AtomicBool::new(false), swallows: AtomicBool::new(false) }
    }

    pub(super) fn client(&self) -> &TcpStream {
        &self.client
    }

    pub(super) fn server(&self) -> &TcpStream {
        &self.server
    }

    pub(super) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        _ = self.client.shutdown(Shutdown::Both);
        _ = self.server.shutdown(Shutdown::Both);
    }

    /// The answer to a COMMIT is to be kept from the client.
    pub(super) fn swallow(&self) {
        self.swallows.store(true, Ordering::SeqCst);
    }

    pub(super) fn swallows(&self) -> bool {
        self.swallows.load(Ordering::SeqCst)
    }
}

#[derive(Debug, Default)]
struct Inner {
    frozen: bool,
    over: bool,
    armed: Option<(u64, CutWhen)>,
    commits: u64,
    cuts: u64,
    links: Vec<Arc<Link>>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    inner: Mutex<Inner>,
    changed: Condvar,
}

impl State {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn arm(&self, nth: u64, when: CutWhen) {
        self.inner().armed = Some((nth, when));
    }

    /// A COMMIT comes by; what is to happen to it.
    pub(super) fn commit(&self) -> Option<CutWhen> {
        let mut inner = self.inner();
        inner.commits += 1;
        let (left, when) = inner.armed?;
        inner.armed = (left > 1).then(|| (left - 1, when));
        (left == 1).then_some(when)
    }

    /// Cuts `link` on a COMMIT. It is counted first: who sees the cut also sees the count.
    pub(super) fn cut_commit(&self, link: &Link) {
        self.inner().cuts += 1;
        link.cut();
    }

    pub(super) fn commits(&self) -> u64 {
        self.inner().commits
    }

    pub(super) fn cuts(&self) -> u64 {
        self.inner().cuts
    }

    pub(super) fn freeze(&self, frozen: bool) {
        self.inner().frozen = frozen;
        self.changed.notify_all();
    }

    /// Waits as long as nothing may flow; whether `link` is still there then.
    pub(super) fn wait_thawed(&self, link: &Link) -> bool {
        let cut = || link.cut.load(Ordering::SeqCst);
        let waits = |inner: &mut Inner| inner.frozen && !cut();
        drop(self.changed.wait_while(self.inner(), waits).unwrap_or_else(PoisonError::into_inner));
        !cut()
    }

    pub(super) fn add(&self, link: &Arc<Link>) {
        let mut inner = self.inner();
        inner.links.push(Arc::clone(link));
        if inner.over {
            link.cut();
        }
    }

    pub(super) fn forget(&self, link: &Arc<Link>) {
        self.inner().links.retain(|other| !Arc::ptr_eq(other, link));
    }

    pub(super) fn cut_all(&self) {
        for link in &self.inner().links {
            link.cut();
        }
        self.changed.notify_all();
    }

    pub(super) fn end(&self) {
        self.inner().over = true;
        self.cut_all();
    }

    pub(super) fn is_over(&self) -> bool {
        self.inner().over
    }
}
