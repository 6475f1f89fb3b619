//! Progress bars: shown only on a terminal, and only by those who look; `indicatif` sees to both.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How many rows are done between two looks at a bar.
const ROWS_A_TICK: u64 = 1024;

/// A bar over the bytes of a file, or over what has come of a stream.
pub fn bytes(len: Option<u64>, doing: &'static str) -> ProgressBar {
    match len {
        Some(len) => {
            styled(ProgressBar::new(len), "{msg} {wide_bar} {bytes}/{total_bytes}, {eta} left")
        }
        None => styled(ProgressBar::new_spinner(), "{spinner} {msg} {bytes} read in {elapsed}"),
    }
    .with_message(doing)
}

/// A bar over rows of a journal; how many there are is told with each step.
pub fn rows(doing: String) -> ProgressBar {
    let bar = ProgressBar::new(0).with_message(doing);
    styled(bar, "{msg} {wide_bar} {human_pos}/{human_len} rows, {eta} left")
}

/// A line that says what is waited for.
pub fn waiting(doing: String) -> ProgressBar {
    let bar = styled(ProgressBar::new_spinner(), "{spinner} {msg} ({elapsed})").with_message(doing);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Moves a bar over rows, now and then.
pub fn step(bar: &ProgressBar, done: u64, all: u64) {
    if done.is_multiple_of(ROWS_A_TICK) {
        bar.set_length(all);
        bar.set_position(done);
    }
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
