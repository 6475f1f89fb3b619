//! Command lines that are wrong in a way that the parser cannot tell.

use clap::CommandFactory;
use clap::error::ErrorKind;

/// Refuses a command line as the parser would: the message and the usage, with status 2.
pub fn refuse(command: &str, message: &str) -> ! {
    let mut cli = crate::Cli::command();
    cli.build();
    let error = match cli.find_subcommand_mut(command) {
        Some(command) => command.error(ErrorKind::ArgumentConflict, message),
        None => cli.error(ErrorKind::ArgumentConflict, message),
    };
    error.exit()
}
