use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

/// Reads an RFC 3339 time; `None` for anything else, also for the other forms that jiff knows.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    let (date, time) = (text.get(..10)?, text.get(10..)?);
    let clock = time.strip_prefix(['T', 't'])?;
    let (clock, offset) = clock.split_at(clock.find(['Z', 'z', '+', '-'])?);
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let is_time = has_shape(date, "0000-00-00")
        && has_shape(whole, "00:00:00")
        && !fraction.is_empty()
        && fraction.bytes().all(|b| b.is_ascii_digit())
        && (matches!(offset, "Z" | "z") || has_shape(offset.get(1..)?, "00:00"));
    let at = is_time.then(|| text.parse().ok()).flatten()?;
    Day::of(at).map(|_| at)
}

/// Whether a text has digits where the shape has, and the same signs elsewhere.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(found, wanted)| match wanted {
            b'0' => found.is_ascii_digit(),
            sign => found == sign,
        })
}

/// A text that is no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date such as 2026-01-31")]
pub struct NotADate;

impl FromStr for Day {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        if !has_shape(text, "0000-00-00") {
            return Err(NotADate);
        }
        let date: Date = text.parse().map_err(|_| NotADate)?;
        let days = Date::new(1970, 1, 1).and_then(|epoch| date.since(epoch));
        days.map(|span| Self(span.get_days())).map_err(|_| NotADate)
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

/// Text for people, the count of days for machines.
impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i32(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<S: Deserializer<'de>>(deserializer: S) -> Result<Self, S::Error> {
        if deserializer.is_human_readable() {
            let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
            return text.parse().map_err(S::Error::custom);
        }
        let day = Self(i32::deserialize(deserializer)?);
        let is_of_calendar = Self::of(Timestamp::MIN) <= Some(day) && day <= LAST;
        is_of_calendar.then_some(day).ok_or_else(|| S::Error::custom("a day off the calendar"))
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
        for text in ["2026-1-1", "20260101", "2026-02-30", "2026-01-01T05:00", "+2026-01-01"] {
            assert_eq!(text.parse::<Day>(), Err(NotADate), "{text}");
        }
        let day: Day = "2026-01-01".parse().unwrap();
        assert_eq!(day.end().unwrap().to_string(), "2026-01-01T16:00:00Z");
    }

    #[test]
    fn days_are_text_for_people_and_numbers_for_machines() {
        for text in ["1969-12-31", "2024-02-29", "9999-12-31"] {
            let day: Day = text.parse().unwrap();
            let json = serde_json::to_string(&day).unwrap();
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<Day>(&json).unwrap(), day);
            let bytes = postcard::to_stdvec(&day).unwrap();
            assert_eq!(postcard::from_bytes(&bytes), Ok(day));
        }
        for number in [LAST.0 + 1, i32::MAX, i32::MIN] {
            let bytes = postcard::to_stdvec(&number).unwrap();
            assert!(postcard::from_bytes::<Day>(&bytes).is_err(), "{number}");
        }
    }

    #[test]
    fn only_rfc_3339_is_a_time() {
        for text in [
            "2026-01-01T09:00:00+08:00",
            "2026-01-01t09:00:00.123456z",
            "2026-01-01T09:00:00Z",
            "2026-01-01T09:00:00-05:30",
        ] {
            assert!(parse_time(text).is_some(), "{text}");
        }
        for text in [
            "",
            "2026-01-01",
            "2026-01-01 09:00:00Z",
            "2026-01-01T09:00:00",
            "2026-01-01T09:00Z",
            "20260101T090000Z",
            "2026-01-01T09:00:00+08",
            "2026-01-01T09:00:00.Z",
            "2026-01-01T09:00:00+08:00[Asia/Shanghai]",
            "2026-13-01T09:00:00Z",
            "二〇二六-01-01T09:00:00Z",
        ] {
            assert!(parse_time(text).is_none(), "{text}");
        }
    }
}
