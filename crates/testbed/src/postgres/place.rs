//! A folder and a port for a server.

use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::user::User;

/// A new folder that `user` owns and can reach, with a path short enough for a socket in it. Its
/// name is new as well: it marks the processes of its server.
pub(super) fn folder(user: User) -> TempDir {
    let base = std::env::temp_dir().canonicalize().expect("the folder for temporary files");
    let base = if suits(&base, user) { base } else { PathBuf::from("/tmp") };
    let folder = tempfile::Builder::new().prefix("verdant-").rand_bytes(12).tempdir_in(base);
    let folder = folder.expect("a temporary folder for PostgreSQL");
    user.give(folder.path());
    folder
}

/// The path of a socket may have 107 bytes. Other users get to a folder if all above it let them.
fn suits(base: &Path, user: User) -> bool {
    let reachable = |folder: &Path| {
        folder.metadata().is_ok_and(|about| about.permissions().mode() & 0o001 != 0)
    };
    base.as_os_str().len() <= 60 && (matches!(user, User::Same) || base.ancestors().all(reachable))
}

/// A port that is free now. It is below those that the system hands out for outgoing connections:
/// while a server is down, its port must not go to somebody else, nor a client that tries to come
/// back be connected to itself.
pub(super) fn free_port() -> u16 {
    let mut attempts = (0..1000).map(|_| {
        let random = RandomState::new().hash_one(()) % 16_000;
        15_000 + u16::try_from(random).expect("less than 16 000")
    });
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    attempts.find(free).expect("a free port")
}
