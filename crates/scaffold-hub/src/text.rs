//! Text out of files and pipes, in the encodings that editors and shells write it in.

/// Why bytes are not text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotText {
    /// They are not UTF-8 either.
    #[error("byte {at} is not valid UTF-8")]
    Utf8 {
        /// The first byte that is not, counted from 0.
        at: usize,
    },
    /// They begin as UTF-16 does and do not go on so.
    #[error("it begins as UTF-16 does, but is not valid UTF-16")]
    Utf16,
}

/// Decodes UTF-8, with or without a byte-order mark, and UTF-16, which Windows PowerShell writes
/// with `>`. The mark is taken off.
///
/// ```
/// assert_eq!(scaffold_hub::decode_text(b"\xef\xbb\xbfa").as_deref(), Ok("a"));
/// assert_eq!(scaffold_hub::decode_text(b"\xff\xfea\0").as_deref(), Ok("a"));
/// ```
///
/// # Errors
/// [`NotText`] when the bytes are neither.
pub fn decode_text(bytes: &[u8]) -> Result<String, NotText> {
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return utf8(rest, 3);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        return utf16(rest, u16::from_le_bytes);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        return utf16(rest, u16::from_be_bytes);
    }
    // Without a mark: text in Latin letters has a zero in every pair, which no text in UTF-8 has
    // anywhere.
    let zeros = |from: usize| {
        let pairs = bytes.len() / 2;
        pairs > 0 && bytes.iter().skip(from).step_by(2).filter(|&&b| b == 0).count() * 2 > pairs
    };
    if bytes.len().is_multiple_of(2) && zeros(1) {
        return utf16(bytes, u16::from_le_bytes);
    }
    if bytes.len().is_multiple_of(2) && zeros(0) {
        return utf16(bytes, u16::from_be_bytes);
    }
    utf8(bytes, 0)
}

fn utf8(bytes: &[u8], before: usize) -> Result<String, NotText> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(NotText::Utf8 { at: before + error.valid_up_to() }),
    }
}

fn utf16(bytes: &[u8], read: fn([u8; 2]) -> u16) -> Result<String, NotText> {
    if !bytes.len().is_multiple_of(2) {
        return Err(NotText::Utf16);
    }
    let units = bytes.chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
    char::decode_utf16(units).collect::<Result<String, _>>().map_err(|_| NotText::Utf16)
}

/// As `huggingface_hub.constants._is_true`: everything else is false.
pub(crate) fn is_true(value: &str) -> bool {
    ["1", "on", "yes", "true"].iter().any(|t| value.eq_ignore_ascii_case(t))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(text: &str, mark: bool, big: bool) -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        let bytes = |unit: u16| {
            if big { unit.to_be_bytes() } else { unit.to_le_bytes() }
        };
        units.flat_map(bytes).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text = "LLM_MODEL=größer\r\n";
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            encoded(text, true, false),
            encoded(text, true, true),
            encoded(text, false, false),
            encoded(text, false, true),
        ] {
            assert_eq!(decode_text(&bytes).as_deref(), Ok(text));
        }
        assert_eq!(decode_text(b"ab\xff"), Err(NotText::Utf8 { at: 2 }));
        assert_eq!(decode_text(b"\xff\xfea"), Err(NotText::Utf16));
        assert_eq!(decode_text(b"\xff\xfe\x00\xd8"), Err(NotText::Utf16));
        assert_eq!(decode_text(b"").as_deref(), Ok(""));
    }

    proptest! {
        #[test]
        fn marked_text_is_read_whatever_it_is(text in ".*") {
            for big in [false, true] {
                let decoded = decode_text(&encoded(&text, true, big));
                prop_assert_eq!(decoded.as_deref(), Ok(text.as_str()));
            }
        }

        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode_text(&bytes);
        }
    }
}
