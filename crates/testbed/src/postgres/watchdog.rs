//! A shell that ends a server when the test process is gone, however it went.
//!
//! The system can kill a child when its parent dies, but it means the parent's *thread*, and test
//! threads are short-lived. The end of a pipe is closed with its process and not before.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

#[derive(Debug)]
pub(super) struct Watchdog(Child);

impl Watchdog {
    /// Watches over the server in `folder`, whether it runs already or not.
    pub(super) fn start(folder: &Path) -> Self {
        let child = Command::new("/bin/sh")
            .args(["-c", include_str!("watchdog.sh")])
            .env("TESTBED_FOLDER", folder)
            .env_remove("LD_PRELOAD")
            .stdin(Stdio::piped())
            // Whoever reads the output of the tests does not wait for the watchdog.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C at the terminal is for the tests; the watchdog has to outlive them.
            .process_group(0)
            .spawn();
        Self(child.expect("a shell to watch over PostgreSQL"))
    }

    /// Ends the server now, the same way; returns when it is done.
    pub(super) fn end(&mut self) {
        drop(self.0.stdin.take());
        _ = self.0.wait();
    }
}
