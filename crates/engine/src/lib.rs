//! The programme rules of Verdant: commands in, balanced entries or rejections out.
//!
//! [`Engine::apply`] takes one [`Command`], checks it against the [`State`] in memory, and either
//! refuses it with one [`Rejection`] and no trace, or changes the state and hands the postings of
//! one balanced entry to a [`Journal`]. The rules are those of the spec, section by section; each
//! mechanism is a file.
//!
//! **Invariant**: nothing here reads a clock, a file, a socket or a random number, and no float
//! touches an amount. The same commands give the same state on any machine.
#![deny(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

mod account;
mod adjust;
mod batch;
mod change;
mod command;
mod day;
mod dividend;
mod draft;
mod dust;
mod engine;
mod event;
mod exit_queue;
mod forced_exit;
mod growth;
mod guard;
mod id;
mod journal;
mod lots;
mod names;
mod naming;
mod order;
pub mod programme;
mod refund;
mod rejection;
mod release;
mod rule;
mod settle;
mod snapshot;
mod sources;
mod stable;
mod state;
mod state_file;
mod tables;
mod team;
mod tree;
mod why;

pub use account::{Account, Unit, UnitAmount};
pub use command::{Action, Command, Given, Id, IdError, OrderPay, Party};
pub use day::Day;
pub use engine::Engine;
pub use event::EventError;
pub use id::{DividendId, LotId, MemberId, MerchantId, OrderId};
pub use journal::{Described, Head, Journal, NoJournal, PriceText};
pub use names::Names;
pub use naming::Naming;
pub use programme::{Fault, Faults, Programme};
pub use rejection::Rejection;
pub use rule::Rule;
pub use snapshot::SnapshotError;
pub use sources::ReleaseSources;
pub use state::State;
pub use state_file::{Rejected, StateFile};
pub use tables::Lot;
pub use tree::TeamVolume;
pub use why::{Parts, Posting, Sale, Why};
