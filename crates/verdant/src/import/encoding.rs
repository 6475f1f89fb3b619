//! Bytes to text: UTF-8, UTF-16 with a mark, GB18030, or what is asked for. Nothing is replaced:
//! malformed bytes are an error.

use std::str::FromStr;

use encoding_rs::{DecoderResult, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

use super::Error;

/// A text encoding by its name on the web: utf-8, utf-16le, gb18030, gbk, big5, ...
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodingName(&'static Encoding);

impl FromStr for EncodingName {
    type Err = String;

    fn from_str(label: &str) -> Result<Self, String> {
        Encoding::for_label_no_replacement(label.as_bytes()).map(Self).ok_or_else(|| {
            "not an encoding known here; try utf-8, utf-16le, utf-16be, gb18030 or big5".to_owned()
        })
    }
}

/// A table as text.
pub(super) struct Decoded {
    pub(super) text: String,
    pub(super) encoding: &'static str,
}

/// The bytes as text, in the encoding asked for or found, without its mark.
pub(super) fn decode(bytes: Vec<u8>, asked: Option<EncodingName>) -> Result<Decoded, Error> {
    const ZIP: &[u8] = b"PK\x03\x04";
    const OLE: &[u8] = b"\xd0\xcf\x11\xe0";
    if bytes.starts_with(ZIP) || bytes.starts_with(OLE) {
        return Err(Error::Workbook);
    }
    let (mark, mark_len) = match Encoding::for_bom(&bytes) {
        Some((encoding, len)) => (Some(encoding), len),
        None => (None, 0),
    };
    let asked = asked.map(|name| name.0);
    let decoded = match (mark, asked) {
        (Some(mark), Some(asked)) if !agree(mark, asked) => {
            return Err(Error::OtherMark { mark: mark.name(), asked: asked.name() });
        }
        (Some(encoding), _) | (None, Some(encoding)) => strict(bytes, mark_len, encoding)?,
        (None, None) => guess(bytes)?,
    };
    match decoded.text.find('\0') {
        Some(at) => Err(Error::ZeroByte(line_at(&decoded.text.as_bytes()[..at]))),
        None => Ok(decoded),
    }
}

/// Whether a mark and a wish mean the same; whoever says UTF-16 leaves its byte order to the mark.
fn agree(mark: &'static Encoding, asked: &'static Encoding) -> bool {
    let wide = [UTF_16LE, UTF_16BE];
    mark == asked || (wide.contains(&mark) && wide.contains(&asked))
}

/// UTF-8 if it is valid, else GB18030.
fn guess(bytes: Vec<u8>) -> Result<Decoded, Error> {
    let (bytes, utf8_line) = match String::from_utf8(bytes) {
        Ok(text) => return Ok(Decoded { text, encoding: UTF_8.name() }),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let bytes = error.into_bytes();
            let line = line_at(&bytes[..valid]);
            (bytes, line)
        }
    };
    strict(bytes, 0, GB18030).map_err(|error| match error {
        Error::Malformed { line, .. } => Error::UnknownEncoding { utf8_line, gb18030_line: line },
        other => other,
    })
}

/// The bytes after the mark, all of them well-formed.
fn strict(
    mut bytes: Vec<u8>,
    mark_len: usize,
    encoding: &'static Encoding,
) -> Result<Decoded, Error> {
    let name = encoding.name();
    if encoding == UTF_8 {
        bytes.drain(..mark_len);
        return match String::from_utf8(bytes) {
            Ok(text) => Ok(Decoded { text, encoding: name }),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let line = line_at(&error.as_bytes()[..valid]);
                Err(Error::Malformed { encoding: name, line, byte: mark_len + valid })
            }
        };
    }
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::new();
    let mut done = mark_len;
    loop {
        let rest = &bytes[done..];
        let wanted = decoder.max_utf8_buffer_length_without_replacement(rest.len());
        text.reserve(wanted.unwrap_or(rest.len()).max(16));
        let (result, read) = decoder.decode_to_string_without_replacement(rest, &mut text, true);
        done += read;
        match result {
            DecoderResult::InputEmpty => return Ok(Decoded { text, encoding: name }),
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(bad, after) => {
                let byte = done.saturating_sub(usize::from(bad) + usize::from(after));
                let line = line_at(text.as_bytes());
                return Err(Error::Malformed { encoding: name, line, byte });
            }
        }
    }
}

/// The number of the line that follows these bytes.
fn line_at(before: &[u8]) -> u64 {
    1 + super::table::line_breaks(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8], asked: Option<&str>) -> Result<(String, &'static str), String> {
        let asked = asked.map(|label| label.parse()).transpose()?;
        let decoded = decode(bytes.to_vec(), asked).map_err(|error| error.to_string())?;
        Ok((decoded.text, decoded.encoding))
    }

    #[test]
    fn finds_the_encoding() {
        let chinese = "会员,日期,金额";
        let gb18030 = GB18030.encode(chinese).0;
        let wide = |to: fn(u16) -> [u8; 2]| {
            let units = std::iter::once(0xfeff).chain(chinese.encode_utf16());
            units.flat_map(to).collect::<Vec<u8>>()
        };
        for (bytes, name) in [
            (chinese.as_bytes().to_vec(), "UTF-8"),
            (format!("\u{feff}{chinese}").into_bytes(), "UTF-8"),
            (gb18030.to_vec(), "gb18030"),
            (wide(u16::to_le_bytes), "UTF-16LE"),
            (wide(u16::to_be_bytes), "UTF-16BE"),
        ] {
            assert_eq!(text(&bytes, None), Ok((chinese.to_owned(), name)));
        }
        assert_eq!(text(&wide(u16::to_be_bytes), Some("utf-16")), Ok((chinese.into(), "UTF-16BE")));
        assert_eq!(
            text(&wide(u16::to_le_bytes)[2..], Some("utf-16le")).map(|t| t.0),
            Ok(chinese.into())
        );
        assert_eq!(text(&gb18030, Some("gbk")).map(|t| t.0), Ok(chinese.into()));
    }

    #[test]
    fn reports_what_is_malformed() {
        let error = text(b"a,b\n\n\xff,\xff\n", None).unwrap_err();
        assert!(error.contains("UTF-8 (line 3) nor GB18030 (line 3)"), "{error}");
        let error = text(b"a,b\r\nc\xff\n", Some("utf-8")).unwrap_err();
        assert!(error.contains("line 2 (byte 6)"), "{error}");
        let error = text(b"\xff\xfea\x00b", None).unwrap_err();
        assert!(error.contains("not UTF-16LE"), "{error}");
        let error = text(b"a\x00,\x00", None).unwrap_err();
        assert!(error.contains("--encoding utf-16le"), "{error}");
        let error = text(b"\xff\xfea\x00", Some("gbk")).unwrap_err();
        assert!(error.contains("mark of UTF-16LE"), "{error}");
        assert!(text(b"PK\x03\x04...", None).unwrap_err().contains("workbook"));
        assert!(text(b"", Some("klingon")).is_err());
    }
}
