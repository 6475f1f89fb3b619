//! `verdant`, the one binary: a file for each command.

mod check;
mod import;
mod outfile;
mod output;
mod programme_file;
mod replay;

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// With large tables most of an order's time is waiting for memory: this allocator keeps pages it
/// has, and takes large ones where `MIMALLOC_ALLOW_LARGE_OS_PAGES=1` (see docs/benchmarks.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Green-points programmes for private-domain e-commerce
///
/// Results go to standard output, progress and messages to standard error. The exit status is 0,
/// 1 when something was refused or found false, 2 when the command line was wrong.
#[derive(Debug, Parser)]
#[command(name = "verdant", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Args),
    Replay(replay::Args),
    Import(import::Args),
}

fn main() -> ExitCode {
    let result: Result<(), Box<dyn Error>> = match Cli::parse().command {
        None => Cli::command().print_help().map_err(Into::into),
        Some(Command::Check(args)) => check::run(&args).map_err(Into::into),
        Some(Command::Replay(args)) => replay::run(&args).map_err(Into::into),
        Some(Command::Import(args)) => import::run(&args).map_err(Into::into),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A closed standard error must not become a panic.
            let _ = writeln!(std::io::stderr(), "error: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

/// An error with what caused it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
