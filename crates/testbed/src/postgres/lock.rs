//! One process at a time changes the machine (packages, users), however many tests run at once.

use std::fs::File;

/// Held until dropped, and by the system's doing given back when the process dies. Only root
/// changes the machine, hence a folder that only root writes to.
pub(super) fn acquire() -> File {
    let file = File::create("/run/verdant-testbed.lock").expect("the lock file can be opened");
    file.lock().expect("the lock on changes to this machine");
    file
}
