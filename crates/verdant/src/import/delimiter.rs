//! The character between fields.

use std::str::FromStr;

/// Those looked for in the header line; the first of those met most often is taken.
const CANDIDATES: [u8; 4] = [b',', b'\t', b';', b'|'];

/// The character between fields: one ASCII sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiter(u8);

impl Delimiter {
    /// The delimiter as a byte.
    pub fn byte(self) -> u8 {
        self.0
    }

    /// The delimiter of a table, by its header line; a comma if there is none.
    pub(super) fn of(text: &str) -> Self {
        let mut counts = [0_usize; CANDIDATES.len()];
        let mut quoted = false;
        for byte in text.trim_start_matches(['\r', '\n']).bytes() {
            match byte {
                b'"' => quoted = !quoted,
                b'\r' | b'\n' if !quoted => break,
                _ if quoted => {}
                _ => {
                    if let Some(at) = CANDIDATES.iter().position(|&candidate| candidate == byte) {
                        counts[at] += 1;
                    }
                }
            }
        }
        let most = counts.iter().copied().max().unwrap_or(0);
        let at = counts.iter().position(|&count| count == most).unwrap_or(0);
        Self(CANDIDATES[at])
    }
}

impl FromStr for Delimiter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let byte = match text {
            "tab" | "\\t" => b'\t',
            "comma" => b',',
            "semicolon" => b';',
            "pipe" => b'|',
            _ => match *text.as_bytes() {
                [byte] => byte,
                _ => return Err("a delimiter is one ASCII sign, or tab; write ';' or tab".into()),
            },
        };
        let unfit = byte.is_ascii_alphanumeric() || matches!(byte, b'"' | b'\r' | b'\n' | 0);
        if unfit || !byte.is_ascii() {
            return Err(
                "a letter, digit, quote or line break cannot delimit; use ';' or tab".into()
            );
        }
        Ok(Self(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_found_in_the_header() {
        for (text, byte) in [
            ("a,b,c\n1;2;3;4;5", b','),
            ("\r\n\na;b, or c;d\r\n", b';'),
            ("a\tb\tc", b'\t'),
            ("\"x;y;z\",b\n", b','),
            ("alone\n1,2,3", b','),
            ("", b','),
        ] {
            assert_eq!(Delimiter::of(text).byte(), byte, "{text}");
        }
    }

    #[test]
    fn can_be_named() {
        for (text, byte) in [("tab", b'\t'), ("\\t", b'\t'), (";", b';'), ("^", b'^')] {
            assert_eq!(text.parse(), Ok(Delimiter(byte)));
        }
        for text in ["", "a", "5", "\"", "\n", ";;", "，"] {
            assert!(text.parse::<Delimiter>().is_err(), "{text}");
        }
    }
}
