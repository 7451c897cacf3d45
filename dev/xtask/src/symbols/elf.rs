//! The names of the functions in an ELF file, as the System V ABI lays it out: 64 bits, little
//! endian.

const SYMBOL_TABLE: u32 = 2;
const FUNCTION: u8 = 2;
/// Bytes of an entry of the symbol table.
const ENTRY: usize = 24;

/// Every function's name that is UTF-8. An error says why there are none.
pub(super) fn functions(file: &[u8]) -> Result<Vec<&str>, &'static str> {
    if !file.starts_with(b"\x7fELF") {
        return Err("not an ELF file, which is the only kind that can be read");
    }
    if file.get(4..6) != Some(&[2, 1]) {
        return Err("not an ELF file of 64 bits, little endian");
    }
    let sections = sections(file).ok_or("its section headers lie outside of it")?;
    let table = sections.iter().find(|section| section.kind == SYMBOL_TABLE);
    let table = table.ok_or("it has no symbol table: stripped")?;
    let names = sections.get(table.link).ok_or("its symbols have no names")?;
    let parts = table.bytes(file).zip(names.bytes(file));
    let (entries, names) = parts.ok_or("its symbols lie outside of it")?;
    let functions = entries.chunks_exact(ENTRY).filter(|entry| entry[4] & 15 == FUNCTION);
    Ok(functions
        .filter_map(|entry| {
            let rest = names.get(number(entry, 0, 4)?..)?;
            let end = rest.iter().position(|&byte| byte == 0)?;
            std::str::from_utf8(&rest[..end]).ok()
        })
        .collect())
}

struct Section {
    kind: u32,
    offset: usize,
    size: usize,
    /// Of a symbol table: the number of the section that holds the names.
    link: usize,
}

impl Section {
    fn bytes<'a>(&self, file: &'a [u8]) -> Option<&'a [u8]> {
        file.get(self.offset..self.offset.checked_add(self.size)?)
    }
}

fn sections(file: &[u8]) -> Option<Vec<Section>> {
    let start = number(file, 0x28, 8)?;
    let (size, count) = (number(file, 0x3a, 2)?, number(file, 0x3c, 2)?);
    (0..count)
        .map(|index| {
            let header = file.get(start.checked_add(index * size)?..)?;
            Some(Section {
                kind: u32::try_from(number(header, 0x04, 4)?).ok()?,
                offset: number(header, 0x18, 8)?,
                size: number(header, 0x20, 8)?,
                link: number(header, 0x28, 4)?,
            })
        })
        .collect()
}

/// A number of so many bytes, 8 at most.
fn number(bytes: &[u8], at: usize, len: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(len)?)?;
    let value = bytes.iter().rev().fold(0_u64, |value, &byte| (value << 8) | u64::from(byte));
    usize::try_from(value).ok()
}
