//! What turns the engine and the store into a service: so far, the sequencer.

pub mod sequencer;
