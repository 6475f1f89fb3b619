//! The rules of the spec, tested three ways: by its worked cases (`golden`), by a plain model that
//! follows the text without any trick (`agreement`), and by what must always hold (`laws`).
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]
mod agreement;
mod edges;
mod fold;
mod golden;
mod holes;
mod laws;
mod malformed;
mod plain;
mod recompute;
mod runner;
mod snapshot;
mod streams;
