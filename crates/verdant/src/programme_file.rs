//! Reading a programme from a file, for every command that needs one.

use std::io;
use std::path::{Path, PathBuf};

use engine::{Faults, Programme};

/// Why there is no programme.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the programme {}", path.display())]
    Read {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no valid programme.
    #[error("{} is refused, {} in it:{}", path.display(), count(faults), list(path, faults))]
    Faults {
        /// The file.
        path: PathBuf,
        /// Everything that is wrong with it.
        faults: Faults,
    },
}

/// Reads and checks the programme in a file.
pub fn read(path: &Path) -> Result<Programme, Error> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Programme::from_toml(text).map_err(|faults| Error::Faults { path: path.to_owned(), faults })
}

fn count(faults: &Faults) -> String {
    match faults.0.len() {
        1 => "1 fault".into(),
        many => format!("{many} faults"),
    }
}

/// One fault a line, in the form editors jump to.
fn list(path: &Path, faults: &Faults) -> String {
    let line = |fault: &engine::Fault| {
        let place = match fault.line {
            Some(line) => format!("{}:{line}", path.display()),
            None => path.display().to_string(),
        };
        match fault.key.as_str() {
            "" => format!("\n  {place}: {}", fault.reason),
            key => format!("\n  {place}: `{key}` {}", fault.reason),
        }
    };
    faults.0.iter().map(line).collect()
}
