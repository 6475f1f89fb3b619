//! `verdant`, the one binary: a file for each command.

mod backup;
mod check;
mod database;
mod export;
mod import;
mod outfile;
mod output;
mod programme_file;
mod progress;
mod replay;
mod restore;
mod usage;
mod verify;

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
    Verify(verify::Args),
    Export(export::Args),
    Backup(backup::Args),
    Restore(restore::Args),
}

fn main() -> ExitCode {
    tell_warnings();
    let result: Result<(), Box<dyn Error>> = match Cli::parse().command {
        None => Cli::command().print_help().map_err(Into::into),
        Some(Command::Check(args)) => check::run(&args).map_err(Into::into),
        Some(Command::Replay(args)) => replay::run(&args).map_err(Into::into),
        Some(Command::Import(args)) => import::run(&args).map_err(Into::into),
        Some(Command::Verify(args)) => verify::run(&args).map_err(Into::into),
        Some(Command::Export(args)) => export::run(&args).map_err(Into::into),
        Some(Command::Backup(args)) => backup::run(&args).map_err(Into::into),
        Some(Command::Restore(args)) => restore::run(&args).map_err(Into::into),
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

/// Shows what the sequencer and the store have to say on standard error, where the logs belong.
fn tell_warnings() {
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .init();
}

/// An error with what caused it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Some errors say what caused them by themselves.
        let said = cause.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        source = cause.source();
    }
    text
}
