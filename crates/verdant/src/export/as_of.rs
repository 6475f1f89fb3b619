//! The moment that an export is of.

use std::str::FromStr;

use engine::Day;
use jiff::Timestamp;
use store::{AsOf, Row};

use super::text_file::end_of;

/// What `--as-of` says.
#[derive(Debug, Clone, Copy)]
pub struct Moment(pub AsOf);

/// A text is no moment.
#[derive(Debug, thiserror::Error)]
#[error(
    "must be a time such as 2026-01-31T18:00:00+08:00, a day such as 2026-01-31 (its end), or an \
     entry such as entry:1042"
)]
pub struct NoMoment;

impl FromStr for Moment {
    type Err = NoMoment;

    fn from_str(text: &str) -> Result<Self, NoMoment> {
        if let Some(entry) = text.strip_prefix("entry") {
            let number = entry.trim_start_matches([' ', ':', '=']);
            return Ok(Self(AsOf::Entry(number.parse().map_err(|_| NoMoment)?)));
        }
        if let Ok(day) = text.parse::<Day>() {
            return Ok(Self(AsOf::Effective(end_of(day).ok_or(NoMoment)?)));
        }
        let at: Timestamp = text.parse().map_err(|_| NoMoment)?;
        Ok(Self(AsOf::Effective(at.as_microsecond())))
    }
}

/// Whether a row counts at a moment. Rows that do come before all that do not.
pub fn counts(row: &Row, as_of: AsOf) -> bool {
    match as_of {
        AsOf::Now => true,
        AsOf::Entry(entry) => row.entry <= entry,
        AsOf::Effective(at) => row.effective_at <= at,
        AsOf::Recorded(at) => row.recorded_at <= at,
    }
}
