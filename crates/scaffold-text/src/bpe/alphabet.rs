//! GPT-2's alphabet: every byte as one printable character, so that vocabularies can be written as
//! text.

/// The character that stands for a byte.
pub(crate) fn byte_to_char(byte: u8) -> char {
    let code = match byte {
        b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff => u32::from(byte),
        0..=b' ' => 0x100 + u32::from(byte),
        0x7f..=0xa0 => 0x121 + u32::from(byte) - 0x7f,
        0xad => 0x143,
    };
    char::from_u32(code).expect("below the surrogates")
}

/// The byte that a character stands for, if it is one of the alphabet.
pub(crate) fn char_to_byte(c: char) -> Option<u8> {
    match c as u32 {
        code @ (0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff) => Some(code as u8),
        code @ 0x100..=0x120 => Some((code - 0x100) as u8),
        code @ 0x121..=0x142 => Some((code - 0x121 + 0x7f) as u8),
        0x143 => Some(0xad),
        _ => None,
    }
}

/// The bytes of a token that is written in the alphabet. A token with any other character stands
/// for itself, as in the byte-level decoder of `tokenizers`.
pub(crate) fn token_bytes(token: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(token.len());
    push_token_bytes(token, &mut bytes);
    bytes
}

/// As [`token_bytes`], after what `out` holds already.
pub(crate) fn push_token_bytes(token: &str, out: &mut Vec<u8>) {
    let start = out.len();
    for c in token.chars() {
        if let Some(byte) = char_to_byte(c) {
            out.push(byte);
        } else {
            out.truncate(start);
            out.extend_from_slice(token.as_bytes());
            return;
        }
    }
}

/// Bytes written in the alphabet.
pub(crate) fn bytes_to_token(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| byte_to_char(byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_own_character() {
        for byte in 0..=255u8 {
            assert_eq!(char_to_byte(byte_to_char(byte)), Some(byte));
        }
        assert_eq!(byte_to_char(b' '), 'Ġ');
        assert_eq!(byte_to_char(b'\n'), 'Ċ');
        assert_eq!(byte_to_char(0xad), 'Ń');
        assert_eq!(token_bytes("Ġthe"), b" the");
        assert_eq!(token_bytes("<｜x｜>"), "<｜x｜>".as_bytes());
        assert_eq!(bytes_to_token(b" a"), "Ġa");
    }
}
