//! The element types of safetensors.

use scaffold_kernels::BlockType;

/// The types that can be computed with, for messages.
pub(super) const READABLE_NAMES: &str = "F32, F16, BF16";

/// The type in the kernels, where they can compute with it.
pub(super) fn block_type(dtype: &str) -> Option<BlockType> {
    match dtype {
        "F32" => Some(BlockType::F32),
        "F16" => Some(BlockType::F16),
        "BF16" => Some(BlockType::BF16),
        _ => None,
    }
}

/// Bits of one value; `None` for a name that is not known.
pub(super) fn bits(dtype: &str) -> Option<usize> {
    Some(match dtype {
        "F4" => 4,
        "F6_E2M3" | "F6_E3M2" => 6,
        "BOOL" | "U8" | "I8" | "F8_E4M3" | "F8_E5M2" | "F8_E8M0" | "F8_E4M3FNUZ"
        | "F8_E5M2FNUZ" => 8,
        "U16" | "I16" | "F16" | "BF16" => 16,
        "U32" | "I32" | "F32" => 32,
        "U64" | "I64" | "F64" | "C64" => 64,
        _ => return None,
    })
}
