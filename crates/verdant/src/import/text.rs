//! The text of a field: what surrounds it, what width it has, how it is shown.

use std::borrow::Cow;

use super::fault::Reason;

/// The most characters of a field that a message shows.
const EXCERPT_CHARS_MAX: usize = 40;

/// The field without what spreadsheets and shops put around it: spaces, quotes, a leading
/// apostrophe, `="..."`.
pub(super) fn bare(field: &str) -> &str {
    let mut rest = field.trim();
    if let Some(inner) = rest.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')) {
        rest = inner.trim();
    }
    for (open, close) in [('"', '"'), ('\'', '\''), ('“', '”')] {
        if let Some(inner) = rest.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)) {
            rest = inner.trim();
        }
    }
    rest.strip_prefix('\'').unwrap_or(rest).trim()
}

/// Full-width letters, digits and signs (１２，３４) as their usual, half-width selves.
pub(super) fn half_width(field: &str) -> Cow<'_, str> {
    if field.is_ascii() {
        return Cow::Borrowed(field);
    }
    let fold = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{3000}' | '\u{a0}' => ' ',
        '\u{ffe5}' => '¥',
        '\u{2212}' => '-',
        c => c,
    };
    Cow::Owned(field.chars().map(fold).collect())
}

/// A name (customer, order, sponsor, merchant) as it stands in the field; `None` when empty.
pub(super) fn name(field: &str) -> Result<Option<&str>, Reason> {
    let name = bare(field);
    if name.is_empty() {
        Ok(None)
    } else if name.contains(char::is_control) {
        Err(Reason::Control(excerpt(name)))
    } else if is_shortened(name) {
        Err(Reason::Shortened(excerpt(name)))
    } else {
        Ok(Some(name))
    }
}

/// Whether this is what a spreadsheet makes of a phone number: `1.38E+10`.
fn is_shortened(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let Some((mantissa, exponent)) = name.split_once("E+").or_else(|| name.split_once("e+")) else {
        return false;
    };
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    whole.len() == 1 && digits(whole) && digits(decimals) && digits(exponent)
}

/// A field as messages show it: short, and with nothing that could steer a terminal.
pub(super) fn excerpt(field: &str) -> String {
    let mut chars = field.trim().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
    let mut shown: String = chars.by_ref().take(EXCERPT_CHARS_MAX).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_takes_away_what_surrounds() {
        for field in ["0004", " 0004\t", "=\"0004\"", "'0004", "'0004'", "\"0004\"", "“0004”"] {
            assert_eq!(bare(field), "0004", "{field}");
        }
        for odd in ["", "\"", "'", "=\"", "=\"\"", "''"] {
            bare(odd);
        }
    }

    #[test]
    fn names_keep_their_letters() {
        assert_eq!(name(" O'Brien ０１"), Ok(Some("O'Brien ０１")));
        assert_eq!(name(" \t"), Ok(None));
        assert_eq!(name("a\nb"), Err(Reason::Control("a\u{fffd}b".into())));
        assert_eq!(name("1.38E+10"), Err(Reason::Shortened("1.38E+10".into())));
        assert_eq!(name("1E+10"), Err(Reason::Shortened("1E+10".into())));
        assert_eq!(name("12E+10"), Ok(Some("12E+10")));
        assert_eq!(name("1E+x"), Ok(Some("1E+x")));
    }

    #[test]
    fn width_and_excerpt() {
        assert_eq!(half_width("￥１，２３４．５０　元"), "¥1,234.50 元");
        assert_eq!(excerpt(&"会".repeat(41)), format!("{}…", "会".repeat(40)));
        assert_eq!(excerpt("\u{1b}[31m"), "\u{fffd}[31m");
    }
}
