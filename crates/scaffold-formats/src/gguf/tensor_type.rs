//! The numbers that GGUF gives to tensor types.

use std::sync::LazyLock;

use scaffold_kernels::BlockType;

/// A tensor type as a GGUF file names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TensorType {
    pub(crate) id: u32,
    pub(crate) name: &'static str,
    /// Values and bytes per block; `None` for a number that this version does not know.
    pub(crate) block: Option<(usize, usize)>,
    /// The same type in the kernels, where they can compute with it.
    pub(crate) ty: Option<BlockType>,
}

/// The types that are computed with, by their numbers in `ggml.h`.
const READABLE: [(u32, BlockType); 15] = [
    (0, BlockType::F32),
    (1, BlockType::F16),
    (2, BlockType::Q4_0),
    (3, BlockType::Q4_1),
    (6, BlockType::Q5_0),
    (7, BlockType::Q5_1),
    (8, BlockType::Q8_0),
    (10, BlockType::Q2_K),
    (11, BlockType::Q3_K),
    (12, BlockType::Q4_K),
    (13, BlockType::Q5_K),
    (14, BlockType::Q6_K),
    (20, BlockType::IQ4_NL),
    (23, BlockType::IQ4_XS),
    (30, BlockType::BF16),
];

/// The other types of `ggml.h`, which are named and measured but not read: number, name, values and
/// bytes per block.
const NAMED: [(u32, &str, usize, usize); 22] = [
    (9, "Q8_1", 32, 36),
    (15, "Q8_K", 256, 292),
    (16, "IQ2_XXS", 256, 66),
    (17, "IQ2_XS", 256, 74),
    (18, "IQ3_XXS", 256, 98),
    (19, "IQ1_S", 256, 50),
    (21, "IQ3_S", 256, 110),
    (22, "IQ2_S", 256, 82),
    (24, "I8", 1, 1),
    (25, "I16", 1, 2),
    (26, "I32", 1, 4),
    (27, "I64", 1, 8),
    (28, "F64", 1, 8),
    (29, "IQ1_M", 256, 56),
    (34, "TQ1_0", 256, 54),
    (35, "TQ2_0", 256, 66),
    (39, "MXFP4", 32, 17),
    (40, "NVFP4", 64, 36),
    (41, "Q1_0", 128, 18),
    (42, "Q2_0", 64, 18),
    // Interleaved layouts of Q4_0 that llama.cpp removed again; their blocks are as large as
    // Q4_0's.
    (31, "Q4_0_4_4", 32, 18),
    (32, "Q4_0_4_8", 32, 18),
];

impl TensorType {
    pub(crate) fn from_id(id: u32) -> Self {
        if let Some(&(_, ty)) = READABLE.iter().find(|(known, _)| *known == id) {
            return Self {
                id,
                name: ty.name(),
                block: Some((ty.values(), ty.bytes())),
                ty: Some(ty),
            };
        }
        match NAMED.iter().find(|(known, ..)| *known == id) {
            Some(&(_, name, values, bytes)) => {
                Self { id, name, block: Some((values, bytes)), ty: None }
            }
            None => Self { id, name: "unknown", block: None, ty: None },
        }
    }

    /// The number that a block type has in a file.
    pub(crate) fn id_of(ty: BlockType) -> u32 {
        // Every block type stands in the table, which a test checks.
        READABLE.iter().find(|(_, known)| *known == ty).map_or(u32::MAX, |(id, _)| *id)
    }

    /// The names of the types that can be read, for messages.
    pub(crate) fn readable_names() -> &'static str {
        static NAMES: LazyLock<String> =
            LazyLock::new(|| READABLE.map(|(_, ty)| ty.name()).join(", "));
        &NAMES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_type_has_a_number_and_none_has_two() {
        for ty in BlockType::ALL {
            assert_eq!(TensorType::from_id(TensorType::id_of(ty)).ty, Some(ty));
        }
        let mut ids: Vec<u32> =
            READABLE.iter().map(|(id, _)| *id).chain(NAMED.iter().map(|(id, ..)| *id)).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), READABLE.len() + NAMED.len());
    }
}
