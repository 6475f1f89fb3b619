//! Dates and times as tables write them, read as exact moments. Without an offset a time is
//! UTC+8; without a time a date is its noon.

use std::fmt;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::fault::Reason;
use super::text::{bare, excerpt, half_width};

/// The offset of the business day.
const CHINA: Offset = Offset::constant(8);
/// The time of a date that has none.
const NOON: Time = Time::constant(12, 0, 0, 0);

/// An instant, and the offset in which it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) at: Timestamp,
    pub(super) offset: Offset,
}

impl Moment {
    /// Stands for a date that waits for the rest of its column.
    pub(super) const PLACEHOLDER: Self = Self { at: Timestamp::UNIX_EPOCH, offset: CHINA };

    /// The same time of day, days later; `None` beyond the calendar.
    pub(super) fn days_later(self, days: u32) -> Option<Self> {
        let later = SignedDuration::from_secs(i64::from(days) * 86_400);
        Some(Self { at: self.at.checked_add(later).ok()?, offset: self.offset })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.at.display_with_offset(self.offset).fmt(f)
    }
}

/// What a field says: a moment, or one that depends on how the column writes dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Sure(Moment),
    YearLast(YearLast),
}

/// Whether 1/2/2026 is the first of February or the second of January.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum DateOrder {
    /// Day, month, year
    Dmy,
    /// Month, day, year
    Mdy,
}

/// A date with the year last: 1/2/2026.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct YearLast {
    first: i8,
    second: i8,
    year: i16,
    clock: Clock,
}

/// What a column's dates with the year last tell about their order.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    dmy: bool,
    mdy: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Clock {
    time: Time,
    offset: Offset,
}

impl Evidence {
    /// Notes a date that exists in one order only.
    pub(super) fn note(&mut self, date: &YearLast) {
        match (date.date(DateOrder::Dmy), date.date(DateOrder::Mdy)) {
            (Some(_), None) => self.dmy = true,
            (None, Some(_)) => self.mdy = true,
            _ => {}
        }
    }
}

impl YearLast {
    /// The moment, in the order asked for, else in the one that the column shows.
    pub(super) fn settle(
        self,
        asked: Option<DateOrder>,
        seen: &Evidence,
    ) -> Result<Moment, Reason> {
        let order = match (asked, seen.dmy, seen.mdy) {
            (Some(order), _, _) => order,
            (None, true, false) => DateOrder::Dmy,
            (None, false, true) => DateOrder::Mdy,
            (None, _, _) if self.first == self.second => DateOrder::Dmy,
            (None, false, false) if self.date(DateOrder::Dmy).is_some() => {
                return Err(Reason::DayOrMonth(self.to_string()));
            }
            (None, true, true) => return Err(Reason::MixedDates(self.to_string())),
            (None, false, false) => DateOrder::Dmy,
        };
        self.date(order)
            .and_then(|date| self.clock.on(date))
            .ok_or_else(|| Reason::NoSuchMoment(self.to_string()))
    }

    fn date(&self, order: DateOrder) -> Option<Date> {
        let (day, month) = match order {
            DateOrder::Dmy => (self.first, self.second),
            DateOrder::Mdy => (self.second, self.first),
        };
        Date::new(self.year, month, day).ok()
    }
}

impl fmt::Display for YearLast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{:04}", self.first, self.second, self.year)
    }
}

impl Clock {
    fn on(self, date: Date) -> Option<Moment> {
        let at = self.offset.to_timestamp(DateTime::from_parts(date, self.time)).ok()?;
        Some(Moment { at, offset: self.offset })
    }
}

/// Reads a date, or a date and time.
pub(super) fn read(field: &str) -> Result<Reading, Reason> {
    let folded = half_width(field);
    let text = bare(&folded);
    if text.is_empty() {
        return Err(Reason::Empty);
    }
    parse(text).map_err(|flaw| match flaw {
        Flaw::Form if is_number(text) => Reason::BareNumber(excerpt(field)),
        Flaw::Form => Reason::NotADate(excerpt(field)),
        Flaw::Range => Reason::NoSuchMoment(excerpt(field)),
    })
}

/// Why a text is not a date.
enum Flaw {
    Form,
    Range,
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && text.bytes().filter(|&byte| byte == b'.').count() <= 1
}

fn parse(text: &str) -> Result<Reading, Flaw> {
    let mut scan = Scan { rest: text };
    let (first, digits) = scan.number(8)?;
    match digits {
        8 => sure(first / 10_000, first / 100 % 100, first % 100, clock(scan)?),
        4 if scan.eat('年') => {
            let (month, _) = scan.number(2)?;
            scan.need('月')?;
            let (day, _) = scan.number(2)?;
            if !scan.eat('日') {
                scan.need('号')?;
            }
            sure(first, month, day, clock(scan)?)
        }
        4 => {
            let sign = scan.sign()?;
            let (month, _) = scan.number(2)?;
            scan.need(sign)?;
            let (day, _) = scan.number(2)?;
            sure(first, month, day, clock(scan)?)
        }
        1 | 2 => {
            let sign = scan.sign()?;
            let (second, _) = scan.number(2)?;
            scan.need(sign)?;
            let (year, digits) = scan.number(4)?;
            if digits != 4 {
                return Err(Flaw::Form);
            }
            let clock = clock(scan)?;
            let date = YearLast {
                first: narrow(first)?,
                second: narrow(second)?,
                year: narrow(year)?,
                clock,
            };
            // No calendar has it in either order: no need to wait for the rest of the column.
            if date.date(DateOrder::Dmy).or(date.date(DateOrder::Mdy)).is_none() {
                return Err(Flaw::Range);
            }
            Ok(Reading::YearLast(date))
        }
        _ => Err(Flaw::Form),
    }
}

fn sure(year: u32, month: u32, day: u32, clock: Clock) -> Result<Reading, Flaw> {
    let date = Date::new(narrow(year)?, narrow(month)?, narrow(day)?).map_err(|_| Flaw::Range)?;
    clock.on(date).map(Reading::Sure).ok_or(Flaw::Range)
}

fn narrow<T: TryFrom<u32>>(number: u32) -> Result<T, Flaw> {
    T::try_from(number).map_err(|_| Flaw::Range)
}

/// The time of day and the offset, up to the text's end.
fn clock(mut scan: Scan<'_>) -> Result<Clock, Flaw> {
    if scan.rest.is_empty() {
        return Ok(Clock { time: NOON, offset: CHINA });
    }
    let gap = scan.eat('T') || scan.eat('t') || scan.spaces();
    let (hour, _) = scan.number(2)?;
    let chinese = scan.eat('时') || scan.eat('点');
    if !chinese && !gap {
        return Err(Flaw::Form);
    }
    let (minute, second, nanos) =
        if chinese { chinese_minutes(&mut scan)? } else { minutes(&mut scan)? };
    scan.spaces();
    let offset = if scan.rest.is_empty() { CHINA } else { offset(&mut scan)? };
    if !scan.rest.is_empty() {
        return Err(Flaw::Form);
    }
    let time = Time::new(narrow(hour)?, narrow(minute)?, narrow(second)?, narrow(nanos)?)
        .map_err(|_| Flaw::Range)?;
    Ok(Clock { time, offset })
}

/// `:MM[:SS[.fff]]` as minute, second, nanoseconds.
fn minutes(scan: &mut Scan<'_>) -> Result<(u32, u32, u32), Flaw> {
    scan.need(':')?;
    let minute = scan.pair()?;
    if !scan.eat(':') {
        return Ok((minute, 0, 0));
    }
    let second = scan.pair()?;
    if !scan.eat('.') {
        return Ok((minute, second, 0));
    }
    let (fraction, digits) = scan.number(9)?;
    let nanos = (digits..9).fold(fraction, |nanos, _| nanos * 10);
    Ok((minute, second, nanos))
}

/// `[5分[7秒]]` as minute, second, nanoseconds.
fn chinese_minutes(scan: &mut Scan<'_>) -> Result<(u32, u32, u32), Flaw> {
    if !scan.digit_follows() {
        return Ok((0, 0, 0));
    }
    let (minute, _) = scan.number(2)?;
    scan.need('分')?;
    if !scan.digit_follows() {
        return Ok((minute, 0, 0));
    }
    let (second, _) = scan.number(2)?;
    scan.need('秒')?;
    Ok((minute, second, 0))
}

/// `Z`, `+08:00`, `+0800` or `+08`.
fn offset(scan: &mut Scan<'_>) -> Result<Offset, Flaw> {
    if scan.eat('Z') || scan.eat('z') {
        return Ok(Offset::UTC);
    }
    let west = scan.eat('-');
    if !west {
        scan.need('+')?;
    }
    let hours = scan.pair()?;
    let minutes = if scan.eat(':') || scan.digit_follows() { scan.pair()? } else { 0 };
    if hours > 23 || minutes > 59 {
        return Err(Flaw::Range);
    }
    let seconds: i32 = narrow(hours * 3600 + minutes * 60)?;
    Offset::from_seconds(if west { -seconds } else { seconds }).map_err(|_| Flaw::Range)
}

/// A text read from its front.
struct Scan<'a> {
    rest: &'a str,
}

impl Scan<'_> {
    /// A number of 1 to `most` digits, and how many they are; a further digit is a flaw.
    fn number(&mut self, most: usize) -> Result<(u32, usize), Flaw> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 || digits > most {
            return Err(Flaw::Form);
        }
        let (text, rest) = self.rest.split_at(digits);
        self.rest = rest;
        text.parse().map(|number| (number, digits)).map_err(|_| Flaw::Form)
    }

    /// A number of two digits, whatever follows.
    fn pair(&mut self) -> Result<u32, Flaw> {
        let text = self.rest.get(..2).ok_or(Flaw::Form)?;
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Flaw::Form);
        }
        self.rest = &self.rest[2..];
        text.parse().map_err(|_| Flaw::Form)
    }

    fn digit_follows(&self) -> bool {
        self.rest.starts_with(|c: char| c.is_ascii_digit())
    }

    fn eat(&mut self, sign: char) -> bool {
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn need(&mut self, sign: char) -> Result<(), Flaw> {
        if self.eat(sign) { Ok(()) } else { Err(Flaw::Form) }
    }

    /// The sign between the parts of a date.
    fn sign(&mut self) -> Result<char, Flaw> {
        ['-', '/', '.'].into_iter().find(|&sign| self.eat(sign)).ok_or(Flaw::Form)
    }

    fn spaces(&mut self) -> bool {
        let rest = self.rest.trim_start();
        let any = rest.len() < self.rest.len();
        self.rest = rest;
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(field: &str) -> Result<String, Reason> {
        match read(field)? {
            Reading::Sure(moment) => Ok(moment.to_string()),
            Reading::YearLast(date) => Ok(date.to_string()),
        }
    }

    #[test]
    fn reads_the_forms_that_tables_use() {
        for (field, moment) in [
            ("1997-01-01", "1997-01-01T12:00:00+08:00"),
            ("1997/1/1", "1997-01-01T12:00:00+08:00"),
            ("1997.1.1", "1997-01-01T12:00:00+08:00"),
            ("19970101", "1997-01-01T12:00:00+08:00"),
            (" '1997-01-01 ", "1997-01-01T12:00:00+08:00"),
            ("１９９７－０１－０１", "1997-01-01T12:00:00+08:00"),
            ("2024-02-29 09:05", "2024-02-29T09:05:00+08:00"),
            ("2024/2/29 9:05", "2024-02-29T09:05:00+08:00"),
            ("20240229 23:59:59", "2024-02-29T23:59:59+08:00"),
            ("2024-02-29T00:00:00.250", "2024-02-29T00:00:00.25+08:00"),
            ("2024-02-29 00:00:00.000", "2024-02-29T00:00:00+08:00"),
            ("2024-02-29T01:02:03Z", "2024-02-29T01:02:03+00:00"),
            ("2024-02-29t01:02:03z", "2024-02-29T01:02:03+00:00"),
            ("2024-02-29T01:02:03.5-05:30", "2024-02-29T01:02:03.5-05:30"),
            ("2024-02-29 01:02:03 -0500", "2024-02-29T01:02:03-05:00"),
            ("2024-02-29 01:02+08", "2024-02-29T01:02:00+08:00"),
            ("2026年1月5日", "2026-01-05T12:00:00+08:00"),
            ("2026年01月05号", "2026-01-05T12:00:00+08:00"),
            ("2026年1月5日 14时5分7秒", "2026-01-05T14:05:07+08:00"),
            ("2026年1月5日14时05分", "2026-01-05T14:05:00+08:00"),
            ("2026年1月5日 14点", "2026-01-05T14:00:00+08:00"),
            ("2026年1月5日 14:05:07", "2026-01-05T14:05:07+08:00"),
            ("1/2/2026", "1/2/2026"),
            ("01.02.2026 10:00", "1/2/2026"),
            ("9999-12-30 12:00:00", "9999-12-30T12:00:00+08:00"),
            ("0000-01-01", "0000-01-01T12:00:00+08:00"),
        ] {
            assert_eq!(written(field), Ok(moment.to_owned()), "{field}");
        }
    }

    #[test]
    fn refuses_each_with_its_reason() {
        for field in [
            "yesterday",
            "1997-01",
            "1997-1-1-1",
            "1997-01/01",
            "97-01-01",
            "1/2/26",
            "1997-01-01T",
            "1997-01-01T12",
            "1997-01-01 1:2",
            "1997-01-01+08:00",
            "1997-01-0112:00",
            "1997-01-01 12:00:00 PM",
            "2026年1月",
            "2026年1月5",
            "1997-01-01 12:00:00.",
            "1997-01-01 12:00:00.1234567890",
            "1997-001-01",
            "1997-01-01 12:00 +8",
            "年",
            "1997-01-01 12:0é",
        ] {
            assert_eq!(written(field), Err(Reason::NotADate(field.into())), "{field}");
        }
        for field in [
            "1997-02-29",
            "1997-13-01",
            "1997-00-01",
            "19971301",
            "1997-01-01 24:00",
            "1997-01-01 12:60",
            "1997-01-01 12:00:60",
            "1997-01-01T12:00:00+24:00",
            "13/13/2026",
            "0/1/2026",
            "9999-12-31T23:00:00-05:00",
            "99/99/2026",
        ] {
            assert_eq!(written(field), Err(Reason::NoSuchMoment(field.into())), "{field}");
        }
        for field in ["1700000000", "1700000000000", "45678", "45678.5", "20260105143000"] {
            assert_eq!(written(field), Err(Reason::BareNumber(field.into())), "{field}");
        }
        assert_eq!(written(" "), Err(Reason::Empty));
    }

    #[test]
    fn the_column_or_the_option_tells_day_from_month() {
        let settle = |fields: &[&str], asked: Option<DateOrder>| {
            let dates: Vec<YearLast> = fields
                .iter()
                .filter_map(|field| match read(field) {
                    Ok(Reading::YearLast(date)) => Some(date),
                    _ => None,
                })
                .collect();
            let mut seen = Evidence::default();
            dates.iter().for_each(|date| seen.note(date));
            dates
                .iter()
                .map(|date| {
                    date.settle(asked, &seen).map(|moment| moment.to_string()[..10].to_owned())
                })
                .collect::<Vec<_>>()
        };
        let day = |text: &str| Ok(text.to_owned());
        assert_eq!(
            settle(&["1/2/2026", "13/2/2026"], None),
            [day("2026-02-01"), day("2026-02-13")]
        );
        assert_eq!(
            settle(&["1/2/2026", "2-13-2026"], None),
            [day("2026-01-02"), day("2026-02-13")]
        );
        assert_eq!(
            settle(&["1/2/2026", "3/3/2026"], None),
            [Err(Reason::DayOrMonth("1/2/2026".into())), day("2026-03-03")]
        );
        let mixed = ["1/2/2026", "13/2/2026", "2/13/2026"];
        assert!(settle(&mixed, None).iter().all(|day| matches!(day, Err(Reason::MixedDates(_)))));
        assert_eq!(
            settle(&mixed, Some(DateOrder::Dmy)),
            [day("2026-02-01"), day("2026-02-13"), Err(Reason::NoSuchMoment("2/13/2026".into()))]
        );
    }
}
