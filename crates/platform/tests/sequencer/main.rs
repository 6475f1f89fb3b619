//! What a sequencer promises, put to the proof: processes that are killed, stopped and continued,
//! disks and connections that fail, servers that crash. Every acknowledged command is in the journal
//! once, and the state is that of a run nothing happened to.
//!
//! `KILLS=200` makes the crash tests longer, `SEED=7` others.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]
#![expect(clippy::expect_used, clippy::panic, reason = "a test says what is wrong by failing")]

mod bench;
mod child;
mod commits;
mod connections;
mod crash;
mod dice;
mod disk;
mod judge;
mod keys;
mod place;
mod plan;
mod reading;
mod snip;
mod two_writers;
mod writer;
