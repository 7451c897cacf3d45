//! Which types the weights of a file get, and what the file says of them as a whole.

use scaffold_kernels::{BlockType, Exec, MatrixSource, convert};

use crate::Error;
use crate::arrange::Array;

/// A matrix that is to get a type.
#[derive(Clone, Copy, Debug)]
pub struct Chosen<'a> {
    /// The tensor's name in the file that is read; of several that become one, the first.
    pub source: &'a str,
    /// Its name in the file that is written.
    pub target: &'a str,
    /// What it is stored as now.
    pub stored: BlockType,
    /// Input features, which have to fill the type's blocks.
    pub cols: usize,
}

/// Which type a matrix gets. Whatever is no matrix is not asked for.
pub type Choice<'a> = &'a dyn Fn(&Chosen<'_>) -> BlockType;

/// What is small and decides much is `f32` in every GGUF file.
pub(crate) fn is_kept(target: &str) -> bool {
    ["_norm.", "ffn_gate_inp", "position_embd", "token_types"]
        .iter()
        .any(|part| target.contains(part))
}

/// An array in another type.
pub(crate) fn retyped(exec: &Exec, array: &Array<'_>, ty: BlockType) -> Result<Vec<u8>, Error> {
    let cols = array.shape.last().copied().unwrap_or(1).max(1);
    let rows = array.len() / cols;
    convert(exec, &MatrixSource::new(array.ty, rows, cols, &array.bytes).packed_as(ty))
}

/// What `general.file_type` of a GGUF file means, as `llama.h` of llama.cpp lists it (`llama_ftype`).
const FILE_TYPES: [(u32, &str); 17] = [
    (0, "F32"),
    (1, "F16"),
    (2, "Q4_0"),
    (3, "Q4_1"),
    (7, "Q8_0"),
    (8, "Q5_0"),
    (9, "Q5_1"),
    (10, "Q2_K"),
    (11, "Q3_K_S"),
    (12, "Q3_K_M"),
    (13, "Q3_K_L"),
    (14, "Q4_K_S"),
    (15, "Q4_K_M"),
    (16, "Q5_K_S"),
    (17, "Q5_K_M"),
    (18, "Q6_K"),
    (32, "BF16"),
];

/// The number of `general.file_type` for a file most of whose matrices are of this type; the types of
/// 256 values stand for the mixtures called `_M`.
pub fn file_type(ty: BlockType) -> Option<u32> {
    let name = ty.name();
    let mixed = format!("{name}_M");
    FILE_TYPES.iter().find(|(_, known)| *known == name || *known == mixed).map(|(id, _)| *id)
}

/// The name of a `general.file_type`.
pub fn file_type_name(id: u64) -> Option<&'static str> {
    FILE_TYPES.iter().find(|(known, _)| u64::from(*known) == id).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_called_by_their_mixtures() {
        assert_eq!(file_type(BlockType::Q4_K), Some(15));
        assert_eq!(file_type(BlockType::Q6_K), Some(18));
        assert_eq!(file_type(BlockType::Q8_0), Some(7));
        assert_eq!(file_type(BlockType::IQ4_XS), None);
        assert_eq!(file_type_name(15), Some("Q4_K_M"));
        assert_eq!(file_type_name(4), None);
    }
}
