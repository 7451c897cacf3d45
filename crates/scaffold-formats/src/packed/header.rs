//! The first 64 bytes.

use scaffold_error::{Error, err};

use super::checksum::{checksum, damaged};

/// Bytes of the header.
pub(super) const HEADER: usize = 64;
/// The contents begin at a multiple of this. It need not be a page: a file is always mapped from
/// its beginning, and matrices ask for multiples of 64.
pub(super) const ALIGNMENT: usize = 4096;

const MAGIC: &[u8; 8] = b"SCAFPACK";
const VERSION: u32 = 1;
/// Written as this machine writes numbers, so that a machine of the other kind reads another one.
const ORDER: u32 = 0x0102_0304;
/// The part of the header that its checksum is for.
const CHECKED: usize = 48;

/// Where things are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Header {
    /// Bytes of the index.
    pub(super) index: usize,
    pub(super) index_checksum: u64,
    /// Where the contents begin.
    pub(super) contents: usize,
    /// Bytes of the file.
    pub(super) file: usize,
}

impl Header {
    pub(super) fn write(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&ORDER.to_ne_bytes());
        let sizes = [self.index, self.contents, self.file].map(|size| size as u64);
        let numbers = [sizes[0], sizes[1], sizes[2], self.index_checksum];
        for (place, number) in bytes[16..CHECKED].as_chunks_mut::<8>().0.iter_mut().zip(numbers) {
            *place = number.to_le_bytes();
        }
        let sum = checksum(&bytes[..CHECKED]);
        bytes[CHECKED..CHECKED + 8].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Gives a file the length and the checksums that its header should have, so that changes
    /// elsewhere are not stopped by them.
    pub(super) fn repair(bytes: &mut [u8]) {
        let length = bytes.len() as u64;
        let Some((header, rest)) = bytes.split_first_chunk_mut::<HEADER>() else {
            return;
        };
        header[32..40].copy_from_slice(&length.to_le_bytes());
        let index = header[16..].first_chunk().map_or(0, |b| u64::from_le_bytes(*b));
        if let Some(index) = usize::try_from(index).ok().and_then(|index| rest.get(..index)) {
            header[40..48].copy_from_slice(&checksum(index).to_le_bytes());
        }
        let sum = checksum(&header[..CHECKED]);
        header[CHECKED..CHECKED + 8].copy_from_slice(&sum.to_le_bytes());
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let cut = |expected| {
            err!(Damaged, "the file should have {expected} bytes and has {}", bytes.len())
        };
        let header: &[u8; HEADER] = bytes.first_chunk().ok_or_else(|| cut(HEADER as u64))?;
        if !header.starts_with(MAGIC) {
            return Err(err!(Damaged, "not a file of packed weights"));
        }
        let u32_at = |at: usize| header[at..].first_chunk().map_or(0, |b| u32::from_le_bytes(*b));
        let u64_at = |at: usize| header[at..].first_chunk().map_or(0, |b| u64::from_le_bytes(*b));
        if checksum(&header[..CHECKED]) != u64_at(CHECKED) {
            return Err(damaged("its header"));
        }
        let version = u32_at(8);
        if version != VERSION {
            return Err(err!(
                Unsupported,
                "the file has version {version} of the format of packed weights; this program uses version {VERSION}"
            ));
        }
        if header[12..16] != ORDER.to_ne_bytes() {
            return Err(err!(
                Unsupported,
                "the file was written on a machine with another byte order"
            ));
        }
        let [index, contents, file] = [16, 24, 32].map(u64_at);
        if file != bytes.len() as u64 {
            return Err(cut(file));
        }
        let fits =
            index.checked_add(HEADER as u64).is_some_and(|end| end <= contents && contents <= file);
        if !fits || !contents.is_multiple_of(ALIGNMENT as u64) {
            return Err(err!(
                Damaged,
                "the file has its index or its contents where they cannot be"
            ));
        }
        Ok(Self {
            index: index as usize,
            index_checksum: u64_at(40),
            contents: contents as usize,
            file: file as usize,
        })
    }
}
