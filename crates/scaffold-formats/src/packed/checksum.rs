//! XXH64, a fast 64-bit checksum.

use scaffold_error::{Error, err};

/// The XXH64 checksum of `bytes`, with the seed 0.
///
/// ```
/// assert_eq!(scaffold_formats::packed::checksum(b"abc"), 0x44bc_2cf5_ad77_0999);
/// ```
pub fn checksum(bytes: &[u8]) -> u64 {
    twox_hash::XxHash64::oneshot(0, bytes)
}

/// A checksum differs.
pub(super) fn damaged(what: &str) -> Error {
    err!(Damaged, "the file is damaged: the checksum of {what} differs")
}

#[cfg(test)]
mod tests {
    use super::checksum;

    /// Files of earlier versions stay readable. From the reference implementation, xxHash 0.8.4, by
    /// Python's package of that name:
    /// `xxhash.xxh64_intdigest(bytes((i * 131 + 7) % 256 for i in range(length)))`.
    #[test]
    fn known_values_come_out() {
        let golden = [
            (0, 0xef46db3751d8e999),
            (1, 0xa96c7f0ce858bbb7),
            (2, 0xc22c6a70ad56bba6),
            (3, 0xbed43740ee6332bb),
            (4, 0xfa212ae44b3bb23d),
            (5, 0xd339dcc9ac8e6776),
            (7, 0x2744460dd675d2c0),
            (8, 0x994b676b71ce94dd),
            (9, 0x572b84c18b983af8),
            (12, 0xb92f588ce720786e),
            (15, 0x09e6451ed2ff8b1d),
            (16, 0x94ad0095e72b24d5),
            (31, 0x6711d55e306b5d8f),
            (32, 0x07f7b8e3bc5d6e25),
            (33, 0x09f85eeb4e1cbe9f),
            (63, 0xb7c9968c066cb6a5),
            (64, 0x50d4159a0411632e),
            (65, 0xd277176bff863efc),
            (100, 0x9ddada11d3dc2d8f),
            (255, 0x15a6db05d4e83df4),
            (1000, 0x0bf0bdbcc82eb373),
            (8192, 0x5f43b52d24e18086),
        ];
        for (length, wanted) in golden {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 131 + 7) as u8).collect();
            assert_eq!(checksum(&bytes), wanted, "{length}");
        }
        assert_eq!(checksum(b"a"), 0xd24e_c4f1_a98c_6e5b);
        assert_eq!(checksum(b"abc"), 0x44bc_2cf5_ad77_0999);
        let long = b"Nobody inspects the spammish repetition";
        assert_eq!(checksum(long), 0xfbce_a83c_8a37_8bf1);
    }

    #[test]
    fn every_byte_counts() {
        let mut bytes: Vec<u8> = (0..100).collect();
        let whole = checksum(&bytes);
        for i in 0..bytes.len() {
            bytes[i] ^= 1;
            assert_ne!(checksum(&bytes), whole, "byte {i}");
            bytes[i] ^= 1;
        }
    }
}
