//! PostgreSQL refuses to run as root: then it runs as a system user made for it.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::lock;

const NAME: &str = "verdant-test";

/// Who the server runs as.
#[derive(Debug, Clone, Copy)]
pub(super) enum User {
    /// Whoever runs the test.
    Same,
    /// A system user, as the test runs as root.
    Own { uid: u32, gid: u32 },
}

impl User {
    /// Makes the user if need be.
    pub(super) fn find() -> Self {
        if !rustix::process::geteuid().is_root() {
            return Self::Same;
        }
        if let Some(user) = listed() {
            return user;
        }
        let _held = lock::acquire();
        listed().unwrap_or_else(|| {
            let output = Command::new("useradd")
                .args(["--system", "--user-group", "--no-create-home"])
                .args(["--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", NAME])
                .output()
                .unwrap_or_else(|error| panic!("useradd: {error}: install Debian's passwd"));
            let said = String::from_utf8_lossy(&output.stderr);
            listed().unwrap_or_else(|| panic!("useradd has not made the user {NAME}: {said}"))
        })
    }

    /// Makes `command` run as this user. The process itself changes its user, with no helper such
    /// as `runuser` in between: its number is the server's.
    pub(super) fn become_in(self, command: &mut Command) {
        if let Self::Own { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
    }

    pub(super) fn give(self, folder: &Path) {
        if let Self::Own { uid, gid } = self {
            chown(folder, Some(uid), Some(gid)).expect("the folder can be given to its user");
        }
    }
}

fn listed() -> Option<User> {
    let users = fs::read_to_string("/etc/passwd").expect("the list of users");
    let line = users.lines().find_map(|line| line.strip_prefix(NAME)?.strip_prefix(':'))?;
    let mut fields = line.split(':').skip(1).map(|field| field.parse().ok());
    Some(User::Own { uid: fields.next()??, gid: fields.next()?? })
}
