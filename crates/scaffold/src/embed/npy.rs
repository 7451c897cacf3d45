//! `.npy`: NumPy's file format for one array, written row by row.
//!
//! Format 1.0 of the
//! [specification](https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): magic,
//! version, a header of fixed length that describes the array as a Python dictionary, then the
//! numbers.

use std::io::{self, Seek, SeekFrom, Write};

/// Bytes up to the first number; a multiple of 64, so that the numbers are aligned when the file is
/// mapped.
const HEADER_BYTES: usize = 128;

/// Writes a two-dimensional array of `f32`, whose number of rows need not be known before the end.
///
/// ```
/// use std::io::Cursor;
/// use scaffold::embed::NpyWriter;
///
/// let mut writer = NpyWriter::new(Cursor::new(Vec::new()), 2)?;
/// writer.row(&[1.0, 2.0])?;
/// writer.row(&[3.0, 4.0])?;
/// let bytes = writer.finish()?.into_inner();
/// assert_eq!(&bytes[..6], b"\x93NUMPY");
/// assert_eq!(bytes.len(), 128 + 4 * 4);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct NpyWriter<W> {
    out: W,
    rows: usize,
    columns: usize,
}

impl<W: Write + Seek> NpyWriter<W> {
    /// Starts an array whose rows have `columns` numbers.
    ///
    /// # Errors
    /// Writing failed.
    pub fn new(mut out: W, columns: usize) -> io::Result<NpyWriter<W>> {
        out.write_all(&header(0, columns))?;
        Ok(NpyWriter { out, rows: 0, columns })
    }

    /// Appends a row.
    ///
    /// # Errors
    /// Writing failed, or the row does not have the array's number of columns.
    pub fn row(&mut self, values: &[f32]) -> io::Result<()> {
        if values.len() != self.columns {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "a row of {} numbers in an array of {} columns",
                    values.len(),
                    self.columns
                ),
            ));
        }
        let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.out.write_all(&bytes)?;
        self.rows += 1;
        Ok(())
    }

    /// Writes the number of rows into the header and returns what was written to.
    ///
    /// # Errors
    /// Writing failed.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&header(self.rows, self.columns))?;
        self.out.seek(SeekFrom::End(0))?;
        self.out.flush()?;
        Ok(self.out)
    }
}

fn header(rows: usize, columns: usize) -> [u8; HEADER_BYTES] {
    let text =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    let mut bytes = [b' '; HEADER_BYTES];
    bytes[..8].copy_from_slice(b"\x93NUMPY\x01\x00");
    bytes[8..10].copy_from_slice(&(HEADER_BYTES as u16 - 10).to_le_bytes());
    // 20 digits each at most: the text always fits.
    bytes[10..10 + text.len()].copy_from_slice(text.as_bytes());
    bytes[HEADER_BYTES - 1] = b'\n';
    bytes
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn the_header_is_the_one_that_numpy_writes() {
        let mut writer = NpyWriter::new(Cursor::new(Vec::new()), 3).unwrap();
        for row in 0..2 {
            writer.row(&[row as f32, 0.5, -1.0]).unwrap();
        }
        let bytes = writer.finish().unwrap().into_inner();
        let text = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
        assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00\x76\x00");
        assert_eq!(&bytes[10..10 + text.len()], text);
        assert!(bytes[10 + text.len()..127].iter().all(|&b| b == b' '));
        assert_eq!(bytes[127], b'\n');
        assert_eq!(&bytes[128..132], &0f32.to_le_bytes());
        assert_eq!(bytes.len(), 128 + 24);
    }

    #[test]
    fn rows_of_another_width_and_the_largest_shape_are_safe() {
        let mut writer = NpyWriter::new(Cursor::new(Vec::new()), 3).unwrap();
        assert!(writer.row(&[1.0]).is_err());
        assert_eq!(header(usize::MAX, usize::MAX).len(), HEADER_BYTES);
    }

    #[test]
    fn an_empty_array_is_an_array() {
        let writer = NpyWriter::new(Cursor::new(Vec::new()), 3).unwrap();
        assert_eq!(writer.finish().unwrap().into_inner().len(), HEADER_BYTES);
    }
}
