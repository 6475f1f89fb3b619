//! Section 2: amounts, rates and rounding. Everything is an integer of 128 bits; what is kept must
//! fit 64 bits, and what does not is refused as `overflow`.

pub type Outcome<T> = Result<T, String>;

/// One million: parts per million, and micro-points per point.
pub const MILLION: i128 = 1_000_000;
/// Micro-points that are worth one fen at par.
pub const PAR: i128 = 10_000;

pub fn refuse<T>(reason: &str) -> Outcome<T> {
    Err(reason.to_string())
}

/// The range rule: a kept number fits 64 bits.
pub fn fit(number: i128) -> Outcome<i128> {
    if number < i64::MIN as i128 || number > i64::MAX as i128 {
        return refuse("overflow");
    }
    Ok(number)
}

pub fn floor_div(a: i128, b: i128) -> i128 {
    a.div_euclid(b) // b is always above 0 here
}

pub fn ceil_div(a: i128, b: i128) -> i128 {
    -((-a).div_euclid(b))
}

/// `mul(a, r) = floor(a * r / 10^6)`.
pub fn mul(amount: i128, rate: i128) -> Outcome<i128> {
    fit(floor_div(amount * rate, MILLION))
}

/// A charge: rounded up.
pub fn mul_up(amount: i128, rate: i128) -> Outcome<i128> {
    fit(ceil_div(amount * rate, MILLION))
}

/// A plain decimal with at most `decimals` digits after the point, as an integer of the smallest
/// part. `Err(bad_amount)` when it is no such text, `Err(overflow)` when it is but is too big.
fn decimal(text: &str, decimals: usize) -> Outcome<i128> {
    let (whole, part) = match text.split_once('.') {
        Some((whole, part)) => (whole, Some(part)),
        None => (text, None),
    };
    let all_digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) {
        return refuse("bad_amount");
    }
    if let Some(part) = part
        && (!all_digits(part) || part.len() > decimals)
    {
        return refuse("bad_amount");
    }
    let mut number: i128 = 0;
    let part = part.unwrap_or("");
    let zeros = "0".repeat(decimals - part.len());
    for digit in whole.chars().chain(part.chars()).chain(zeros.chars()) {
        number = number * 10 + digit.to_digit(10).unwrap() as i128;
        if number > i64::MAX as i128 + 1 {
            return refuse("overflow");
        }
    }
    Ok(number)
}

/// An amount without a sign.
pub fn amount(text: &str, decimals: usize) -> Outcome<i128> {
    fit(decimal(text, decimals)?)
}

/// An amount that may carry a minus (`member.adjust`).
pub fn signed(text: &str, decimals: usize) -> Outcome<i128> {
    match text.strip_prefix('-') {
        Some(rest) => fit(-decimal(rest, decimals)?),
        None => amount(text, decimals),
    }
}

/// A rate: "30%" with up to 4 decimals, "2.5x" with up to 6. In parts per million.
pub fn rate(text: &str) -> Outcome<i128> {
    if let Some(percent) = text.strip_suffix('%') {
        return amount(percent, 4);
    }
    if let Some(times) = text.strip_suffix('x') {
        return amount(times, 6);
    }
    refuse("bad_amount")
}

/// An amount as text, always with all its decimals.
pub fn show(number: i128, decimals: u32) -> String {
    let unit = 10_i128.pow(decimals);
    let sign = if number < 0 { "-" } else { "" };
    let size = number.abs();
    format!("{sign}{}.{:0width$}", size / unit, size % unit, width = decimals as usize)
}
