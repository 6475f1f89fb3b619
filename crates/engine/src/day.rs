use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;

/// Seconds the business day is ahead of UTC (spec, section 4: the date in UTC+8).
const AHEAD_SECONDS: i64 = 8 * 3600;
const DAY_SECONDS: i64 = 24 * 3600;

/// 9999-12-31, the last date of the calendar.
const LAST: Day = Day(2_932_896);

/// A business day: a calendar date in UTC+8, as a count of days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl Day {
    /// The business day a moment falls on; `None` past the last date of the calendar.
    #[must_use]
    pub fn of(at: Timestamp) -> Option<Self> {
        let days = (at.as_second() + AHEAD_SECONDS).div_euclid(DAY_SECONDS);
        i32::try_from(days).ok().map(Self).filter(|&day| day <= LAST)
    }

    /// The day after; `None` past 9999-12-31.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        (self < LAST).then_some(Self(self.0 + 1))
    }

    /// The first moment of the day after: midnight in UTC+8, when the day can be settled.
    #[must_use]
    pub fn end(self) -> Option<Timestamp> {
        let midnight = (i64::from(self.0) + 1) * DAY_SECONDS - AHEAD_SECONDS;
        Timestamp::from_second(midnight).ok()
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }

    fn date(self) -> Option<Date> {
        Date::new(1970, 1, 1).ok()?.checked_add(jiff::Span::new().try_days(self.0).ok()?).ok()
    }
}

/// A moment as RFC 3339 text in UTC+8, where the business day is.
pub(crate) fn local_text(at: Timestamp) -> String {
    at.display_with_offset(jiff::tz::Offset::constant(8)).to_string()
}

impl FromStr for Day {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        let date: Date = text.parse()?;
        Ok(Self(date.since(Date::new(1970, 1, 1)?)?.get_days()))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.date() {
            Some(date) => fmt::Display::fmt(&date, f),
            None => write!(f, "day {}", self.0),
        }
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_turns_at_midnight_in_utc_plus_8() {
        let day = |text: &str| Day::of(text.parse().unwrap()).unwrap().to_string();
        assert_eq!(day("2026-01-01T15:59:59Z"), "2026-01-01");
        assert_eq!(day("2026-01-01T16:00:00Z"), "2026-01-02");
        assert_eq!(day("1969-12-31T23:59:59+08:00"), "1969-12-31");
        assert_eq!("2024-02-29".parse::<Day>().unwrap().next().unwrap().to_string(), "2024-03-01");
        assert_eq!("9999-12-31".parse::<Day>().unwrap(), LAST);
        assert_eq!(LAST.next(), None);
        let day: Day = "2026-01-01".parse().unwrap();
        assert_eq!(day.end().unwrap().to_string(), "2026-01-01T16:00:00Z");
    }
}
