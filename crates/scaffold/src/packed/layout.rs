//! What the bytes of packed weights mean, told by the code that packs them.
//!
//! A version has to be raised by whoever changes the layout, and is forgotten once. So the key of a
//! file also holds a hash of what this program makes of known weights of every block type: bytes
//! that mean something else cannot have the same.

use std::sync::OnceLock;

use scaffold_kernels::{BlockType, Error, Exec, Matrix, MatrixSource, quantize_searched};
use sha2::{Digest as _, Sha256};

/// Rows of a probe: whole panels and a part of one.
const ROWS: usize = 37;
/// Columns of a probe: two of the largest blocks.
const COLS: usize = 512;

/// The hash of this program's layout, in hexadecimal digits.
pub(super) fn layout() -> &'static str {
    static LAYOUT: OnceLock<String> = OnceLock::new();
    LAYOUT.get_or_init(|| of(&Exec::new(1)))
}

fn of(exec: &Exec) -> String {
    let mut hash = Sha256::new();
    hash.update(Matrix::LAYOUT.to_le_bytes());
    for ty in BlockType::ALL {
        hash.update(format!("{} {} {}", ty.name(), ty.values(), ty.bytes()));
        let bytes = stored(ty);
        for to in [ty, BlockType::F32] {
            match packed(exec, ty, &bytes, to) {
                Ok(matrix) => hash.update(matrix.packed()),
                // A refusal is a property of the program, too.
                Err(error) => hash.update(error.to_string()),
            }
        }
    }
    // What floats become is part of it: a better search makes other blocks. A few of them are enough.
    let values: Vec<f32> = (0..COLS).map(|i| (i as f32 * 0.37).sin()).collect();
    for ty in BlockType::ALL {
        if let Ok(blocks) = quantize_searched(exec.cpu, ty, &values, None) {
            hash.update(blocks);
        }
    }
    let digest = hash.finalize();
    let number = digest.iter().take(8).fold(0u64, |n, &byte| (n << 8) | u64::from(byte));
    format!("{number:016x}")
}

/// Two parts, because the borders between them are laid out, too.
fn packed(exec: &Exec, ty: BlockType, bytes: &[u8], to: BlockType) -> Result<Matrix, Error> {
    let part = MatrixSource::new(ty, ROWS, COLS, bytes).packed_as(to);
    Matrix::pack(exec, &[part, part])
}

/// Bytes of which each says where it stands, and which are ordinary numbers in every float type:
/// the exponents of 16 and 32 bits lie in the high bytes of each pair.
fn stored(ty: BlockType) -> Vec<u8> {
    let len = ROWS * ty.row_bytes(COLS).unwrap_or_default();
    let byte = |i: usize| {
        let mixed = (i as u32).wrapping_mul(0x9e37_79b1) >> 24;
        (if i % 2 == 1 { 0x30 | mixed & 7 } else { mixed }) as u8
    };
    (0..len).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use scaffold_kernels::{Cpu, Level, Team};

    #[test]
    fn the_layout_is_the_same_on_every_level() {
        let expected = layout();
        assert_eq!(expected.len(), 16);
        for level in Level::ALL {
            if let Ok(cpu) = Cpu::at(level) {
                let team = Team::new(1);
                assert_eq!(of(&Exec { cpu, team }), expected, "{level}");
            }
        }
    }

    #[test]
    fn every_block_type_has_a_probe() {
        for ty in BlockType::ALL {
            let bytes = stored(ty);
            assert!(!bytes.is_empty(), "{ty}");
            let matrix = packed(&Exec::new(1), ty, &bytes, ty);
            assert!(matrix.is_ok(), "{ty}: {matrix:?}");
        }
    }
}
