//! Codes of one row on the move, as many at a time as a word holds.

/// The low nibble of every byte.
const NIBBLES: u64 = 0x0f0f_0f0f_0f0f_0f0f;

/// Eight bytes as a word whose low byte is the first.
#[inline(always)]
pub(super) fn u64_at<const N: usize>(bytes: &[u8; N], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

/// Four bytes as a word whose low byte is the first.
#[inline(always)]
pub(super) fn u32_at<const N: usize>(bytes: &[u8; N], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

#[inline(always)]
pub(super) fn u16_at<const N: usize>(bytes: &[u8; N], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// Two quads side by side, to one in the low nibbles and one in the high nibbles of a word: first
/// the quads in the low nibbles of `pair`, then those in its high nibbles.
#[inline(always)]
pub(super) fn nibble_words(pair: u64) -> [u32; 2] {
    let (low, high) = (pair & NIBBLES, (pair >> 4) & NIBBLES);
    [(low | (low >> 28)) as u32, (high | (high >> 28)) as u32]
}

/// Turns a square of two-bit fields: field s of word g becomes field g of word s, in every byte.
#[inline(always)]
pub(super) fn turn_crumbs(mut words: [u64; 4]) -> [u64; 4] {
    let mut swap = |a: usize, b: usize, shift: u32, mask: u64| {
        let moved = ((words[a] >> shift) ^ words[b]) & mask;
        words[b] ^= moved;
        words[a] ^= moved << shift;
    };
    for (a, b) in [(0, 2), (1, 3)] {
        swap(a, b, 4, 0x0f0f_0f0f_0f0f_0f0f);
    }
    for (a, b) in [(0, 1), (2, 3)] {
        swap(a, b, 2, 0x3333_3333_3333_3333);
    }
    words
}

/// Turns a square of bits: bit s of word g becomes bit g of word s, in every byte.
#[inline(always)]
pub(super) fn turn_bits(mut words: [u32; 8]) -> [u32; 8] {
    let mut swap = |a: usize, b: usize, shift: u32, mask: u32| {
        let moved = ((words[a] >> shift) ^ words[b]) & mask;
        words[b] ^= moved;
        words[a] ^= moved << shift;
    };
    for a in [0, 1, 2, 3] {
        swap(a, a + 4, 4, 0x0f0f_0f0f);
    }
    for a in [0, 1, 4, 5] {
        swap(a, a + 2, 2, 0x3333_3333);
    }
    for a in [0, 2, 4, 6] {
        swap(a, a + 1, 1, 0x5555_5555);
    }
    words
}

/// Thirty-two bits, one a value, to one byte for each place in a quad: bit g of byte j is that of
/// value 4g + j.
#[inline(always)]
pub(super) fn bits_by_place(bits: u32) -> u32 {
    let mut word = 0;
    for place in 0..4 {
        let every_fourth = (bits >> place) & 0x1111_1111;
        let pairs = (every_fourth | (every_fourth >> 3)) & 0x0303_0303;
        let fours = (pairs | (pairs >> 6)) & 0x000f_000f;
        word |= ((fours | (fours >> 12)) & 0xff) << (8 * place);
    }
    word
}

/// Eight quads of two-bit fields (four blocks of 32 values, a field each), sorted into the two
/// words of each block.
#[inline(always)]
pub(super) fn crumb_words(bytes: &[u8; 32]) -> [[u32; 2]; 4] {
    let quad = |g: usize| u64::from(u32_at(bytes, 4 * g));
    let both = |g: usize| quad(g) | (quad(g + 4) << 32);
    turn_crumbs([both(0), both(1), both(2), both(3)]).map(|both| [both as u32, (both >> 32) as u32])
}

/// Eight quads of bits (eight blocks of 32 values, a bit each), sorted into the word of each block.
#[inline(always)]
pub(super) fn bit_words(bytes: &[u8; 32]) -> [u32; 8] {
    let quad = |g: usize| u32_at(bytes, 4 * g);
    turn_bits([quad(0), quad(1), quad(2), quad(3), quad(4), quad(5), quad(6), quad(7)])
}
