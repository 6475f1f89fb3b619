//! What the tests and benches of other crates stand on, so that each promise about stored data can
//! be put to the proof: a real PostgreSQL server that a test may crash ([`postgres`]), connections
//! that break at the worst moment ([`proxy`]), disks that fail or tear a write ([`fault`]), and
//! processes that are stopped or killed ([`process`]).
//!
//! Linux only, threads only. Everything here panics on what it did not expect: there is nobody to
//! hand an error to but the test that asked.
#![expect(clippy::expect_used, clippy::panic, reason = "a test stops on what it did not expect")]

pub mod fault;
pub mod postgres;
pub mod process;
pub mod proxy;
