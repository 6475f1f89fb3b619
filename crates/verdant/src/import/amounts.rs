//! Amounts of money as tables write them, read to the fen. Nothing is rounded.

use super::fault::Reason;
use super::text::{bare, excerpt, half_width};

/// What may stand before an amount, and after it.
const PREFIXES: [&str; 5] = ["¥", "$", "CNY", "RMB", "人民币"];
const SUFFIXES: [&str; 4] = ["元", "圆", "CNY", "RMB"];

/// An amount above zero, in fen.
///
/// Without `decimal_comma` a comma groups thousands and a point starts the decimals; with it they
/// change places.
pub(super) fn read(field: &str, decimal_comma: bool) -> Result<i64, Reason> {
    let folded = half_width(field);
    let text = bare(&folded);
    if text.is_empty() {
        return Err(Reason::Empty);
    }
    let (negative, number) = without_currency(text);
    let fen = fen(number, decimal_comma).map_err(|flaw| match flaw {
        Flaw::Form if decimal_comma => Reason::NotACommaAmount(excerpt(field)),
        Flaw::Form => Reason::NotAnAmount(excerpt(field)),
        Flaw::Fine => Reason::TooFine(excerpt(field)),
        Flaw::Large => Reason::TooLarge(excerpt(field)),
    })?;
    match fen {
        0 => Err(Reason::Zero(excerpt(field))),
        _ if negative => Err(Reason::Negative(excerpt(field))),
        _ => Ok(fen),
    }
}

/// Fen as the text of an event: always two decimals.
pub(super) fn write(fen: i64, out: &mut Vec<u8>) -> std::io::Result<()> {
    use std::io::Write as _;
    write!(out, "{}.{:02}", fen / 100, fen % 100)
}

/// Why a text is not a number of fen.
enum Flaw {
    Form,
    Fine,
    Large,
}

/// Whether the amount has a minus sign, and the amount without sign and currency.
fn without_currency(text: &str) -> (bool, &str) {
    let (outer, rest) = without_minus(text);
    let rest = PREFIXES.iter().find_map(|prefix| after(rest, prefix)).unwrap_or(rest);
    let rest = SUFFIXES.iter().find_map(|suffix| before(rest, suffix)).unwrap_or(rest);
    let (inner, rest) = if outer { (false, rest) } else { without_minus(rest) };
    (outer || inner, rest)
}

fn without_minus(text: &str) -> (bool, &str) {
    text.strip_prefix('-').map_or((false, text), |rest| (true, rest.trim_start()))
}

/// What follows the prefix, in whatever case it is written.
fn after<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| text[prefix.len()..].trim_start())
}

/// What precedes the suffix, in whatever case it is written.
fn before<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let start = text.len().checked_sub(suffix.len())?;
    let tail = text.get(start..)?;
    tail.eq_ignore_ascii_case(suffix).then(|| text[..start].trim_end())
}

fn fen(number: &str, decimal_comma: bool) -> Result<i64, Flaw> {
    let (group, point) = if decimal_comma { ('.', ',') } else { (',', '.') };
    let (whole, decimals) = match number.split_once(point) {
        Some((_, "")) => return Err(Flaw::Form),
        Some(("", decimals)) => ("0", decimals),
        Some(parts) => parts,
        None => (number, "0"),
    };
    if !is_whole(whole, group) || !is_digits(decimals) {
        return Err(Flaw::Form);
    }
    let (cents, finer) = decimals.split_at(decimals.len().min(2));
    if finer.bytes().any(|digit| digit != b'0') {
        return Err(Flaw::Fine);
    }
    let missing_zero = if cents.len() == 1 { "0" } else { "" };
    [whole, cents, missing_zero]
        .iter()
        .flat_map(|part| part.bytes())
        .filter(u8::is_ascii_digit)
        .try_fold(0_i64, |fen, digit| fen.checked_mul(10)?.checked_add(i64::from(digit - b'0')))
        .ok_or(Flaw::Large)
}

/// Digits, or digits in groups: 1 to 3 first, then 3 each.
fn is_whole(whole: &str, group: char) -> bool {
    let mut groups = whole.split(group);
    let Some(first) = groups.next() else { return false };
    let grouped = whole.len() > first.len();
    is_digits(first)
        && (!grouped || first.len() <= 3)
        && groups.all(|part| part.len() == 3 && is_digits(part))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_forms_that_tables_use() {
        for (field, fen) in [
            ("12.34", 1234),
            ("12", 1200),
            ("12.3", 1230),
            (".5", 50),
            ("007.10", 710),
            ("12.3400", 1234),
            ("1,234.56", 123_456),
            ("1,234,567", 123_456_700),
            ("¥12.30", 1230),
            ("￥12.3", 1230),
            ("￥ 12.3 元", 1230),
            ("$12", 1200),
            ("12元", 1200),
            ("CNY 12.00", 1200),
            ("cny12", 1200),
            ("12.00 rmb", 1200),
            ("人民币12", 1200),
            ("１，２３４．５０", 123_450),
            (" \"12.34\" ", 1234),
            ("=\"12.34\"", 1234),
            ("0.01", 1),
            ("92233720368547758.07", i64::MAX),
        ] {
            assert_eq!(read(field, false), Ok(fen), "{field}");
        }
        for (field, fen) in [("1.234,56", 123_456), ("12,3", 1230), ("1.234", 123_400)] {
            assert_eq!(read(field, true), Ok(fen), "{field}");
        }
    }

    #[test]
    fn refuses_each_with_its_reason() {
        let shown = |field: &str| field.to_owned();
        for field in ["0", "0.00", "¥0.000", "-0"] {
            assert_eq!(read(field, false), Err(Reason::Zero(shown(field))));
        }
        for field in ["-1", "¥-1", "-¥1.00", "−1", "- 1"] {
            assert_eq!(read(field, false), Err(Reason::Negative(shown(field))));
        }
        for field in ["12.345", "0.001"] {
            assert_eq!(read(field, false), Err(Reason::TooFine(shown(field))));
        }
        assert_eq!(read("12,345", true), Err(Reason::TooFine(shown("12,345"))));
        for field in ["92233720368547758.08", "1000000000000000000000000000000"] {
            assert_eq!(read(field, false), Err(Reason::TooLarge(shown(field))));
        }
        for field in [
            "abc", "12.", ".", "¥", "+5", "1.2.3", "1,23", "1234,567", ",123", "1,,234", "1e3",
            "12,34", "1.234,56", "--5", "-¥-5", "12 34", "(5.00)", "€5", "NaN", "元",
        ] {
            assert_eq!(read(field, false), Err(Reason::NotAnAmount(shown(field))), "{field}");
        }
        assert_eq!(read("1,234.56", true), Err(Reason::NotACommaAmount(shown("1,234.56"))));
        assert_eq!(read(" ", false), Err(Reason::Empty));
    }

    #[test]
    fn writes_two_decimals() {
        for (fen, text) in [(1, "0.01"), (1200, "12.00"), (i64::MAX, "92233720368547758.07")] {
            let mut out = Vec::new();
            assert!(write(fen, &mut out).is_ok());
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
    }
}
