//! Where PostgreSQL's server programs are; on a Debian machine that has none, root installs them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::lock;

const MISSING: &str = "no PostgreSQL server on this machine: install it (Debian: apt-get install \
                       postgresql) or put the folder of initdb and postgres on PATH";

/// The folder of `initdb`, `postgres`, `pg_isready` and `psql`.
pub(super) fn folder() -> PathBuf {
    if let Some(found) = find() {
        return found;
    }
    assert!(rustix::process::geteuid().is_root(), "{MISSING}");
    let _held = lock::acquire();
    // Another process may have installed it while this one waited.
    find().unwrap_or_else(|| {
        install();
        find().expect(MISSING)
    })
}

fn find() -> Option<PathBuf> {
    packaged().or_else(configured).or_else(on_path)
}

fn has_all(folder: &Path) -> bool {
    ["initdb", "postgres", "pg_isready", "psql"].iter().all(|name| folder.join(name).is_file())
}

/// Debian keeps each major version apart, none of them on PATH; the highest is taken.
fn packaged() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())))
        .map(|(version, path)| (version, path.join("bin")))
        .filter(|(_, folder)| has_all(folder))
        .max()
        .map(|(_, folder)| folder)
}

fn configured() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    has_all(&folder).then_some(folder)
}

fn on_path() -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).find(|folder| has_all(folder))
}

/// Installs Debian's package without the cluster that it would make and start by itself: a server
/// on the machine's default port is nothing that a test may leave behind.
fn install() {
    apt(&["update"]);
    apt(&["install", "-y", "--no-install-recommends", "postgresql-common"]);
    let configuration = Path::new("/etc/postgresql-common/createcluster.conf");
    let mut text = fs::read_to_string(configuration).unwrap_or_default();
    text.push_str("\ncreate_main_cluster = false\n");
    fs::write(configuration, text).expect("PostgreSQL's packages can be told to make no cluster");
    apt(&["install", "-y", "--no-install-recommends", "postgresql"]);
}

fn apt(arguments: &[&str]) {
    let output = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .output()
        .unwrap_or_else(|error| panic!("{MISSING} (apt-get: {error})"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{MISSING} (apt-get {}: {said})", arguments.join(" "));
}
