//! Reading little-endian fields out of untrusted bytes, each length checked before it is believed.

use scaffold_error::{Error, err};

/// Longest name of a metadata key or tensor. The GGUF specification bounds keys at 2¹⁶ − 1 bytes;
/// tensor names in public files stay far below.
const MAX_NAME_BYTES: usize = 65_535;

/// A position in the header of a GGUF file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at: at.min(bytes.len()) }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Takes the next `count` bytes.
    pub(crate) fn take(&mut self, count: u64, what: &'static str) -> Result<&'a [u8], Error> {
        let left = self.left();
        let Some(count) = usize::try_from(count).ok().filter(|&count| count <= left) else {
            let at = self.at;
            return Err(err!(
                Damaged,
                "{what} at byte {at} needs {count} bytes but only {left} are left: the file is cut short or damaged; \
                 compare its size with the original and fetch it again"
            )
            .at_offset(at as u64));
        };
        let taken = &self.bytes[self.at..self.at + count];
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Error> {
        let taken = self.take(N as u64, what)?;
        let mut array = [0; N];
        array.copy_from_slice(taken);
        Ok(array)
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, Error> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self, what: &'static str) -> Result<u64, Error> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A count of things that take at least `least` bytes each. More than the file can hold, or
    /// than `cap`, is refused here, before anything is allocated for them: a file full of holes can
    /// be far larger than the disk it lies on.
    pub(crate) fn count(
        &mut self,
        least: usize,
        cap: usize,
        what: &'static str,
    ) -> Result<usize, Error> {
        let at = self.at as u64;
        let count = self.u64(what)?;
        let most = cap.min(self.left() / least);
        usize::try_from(count).ok().filter(|&count| count <= most).ok_or_else(|| {
            err!(
                Damaged,
                "{count} {what} are announced at byte {at}, where {most} are possible at most: the file is cut short or \
                 damaged; fetch it again"
            )
            .at_offset(at)
        })
    }

    /// A length-prefixed string as raw bytes.
    pub(crate) fn string_bytes(&mut self, what: &'static str) -> Result<&'a [u8], Error> {
        let length = self.u64(what)?;
        self.take(length, what)
    }

    /// A length-prefixed name: short, UTF-8 and not empty.
    pub(crate) fn name(&mut self, what: &'static str) -> Result<&'a str, Error> {
        let at = self.at as u64;
        let bytes = self.string_bytes(what)?;
        if bytes.is_empty() || bytes.len() > MAX_NAME_BYTES {
            return Err(err!(
                Damaged,
                "{what} at byte {at} has {} bytes; 1 to {MAX_NAME_BYTES} are allowed: the file is damaged",
                bytes.len()
            )
            .at_offset(at));
        }
        std::str::from_utf8(bytes).map_err(|_| {
            err!(Damaged, "{what} at byte {at} is not UTF-8: the file is damaged").at_offset(at)
        })
    }
}
