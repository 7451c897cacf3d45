//! How memory is said: by every check, load, refusal and diagnosis alike.

use std::fmt;

use super::plan::{MemoryPlan, Suggestion};

impl fmt::Display for MemoryPlan {
    /// `5.62 GiB: 4.58 GiB weights, 1.00 GiB KV cache (8192 tokens, f16), 12.0 MiB buffers, 30.0 MiB tokenizer and program`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: usize| bytes_text(bytes as u64);
        write!(f, "{}: {} weights", text(self.total()), text(self.weight_bytes))?;
        if self.blocks > 0 {
            let (tokens, kv) = (self.context, self.kv_type);
            let all = self.blocks.saturating_mul(self.block_tokens);
            let all = if all >= tokens.saturating_add(self.block_tokens) {
                format!(" a sequence, {all} in all")
            } else {
                String::new()
            };
            let bytes = text(self.kv_bytes);
            write!(f, ", {bytes} KV cache ({tokens} tokens{all}, {kv})")?;
        }
        if self.scratch_bytes > 0 {
            write!(f, ", {} buffers", text(self.scratch_bytes))?;
        }
        if self.packing_bytes > self.kv_bytes.saturating_add(self.scratch_bytes) {
            let packing = text(self.packing_bytes);
            write!(f, " (before those, {packing} to pack the weights)")?;
        }
        if self.rest_bytes > 0 {
            write!(f, ", {} tokenizer and program", text(self.rest_bytes))?;
        }
        Ok(())
    }
}

impl MemoryPlan {
    /// `8.00 GiB may be used (what this machine has free)`.
    pub fn limit_text(&self) -> String {
        let Some(limit) = self.limit else {
            return "all may be used".to_owned();
        };
        let by = match self.limited_by.as_str() {
            "" => String::new(),
            by => format!(" ({by})"),
        };
        format!("{} may be used{by}", bytes_text(limit as u64))
    }
}

impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Context { tokens, kv } => {
                write!(f, "a context of {tokens} tokens with a cache in {kv} would fit")
            }
            Self::SmallerModel => {
                f.write_str("take a smaller model or a stronger quantization (LLM_TORCH_DTYPE=int8 for floats), or allow more memory")
            }
        }
    }
}

/// A number of bytes for people, in units of 1024.
///
/// ```
/// assert_eq!(scaffold_engine::bytes_text(1_500_000_000), "1.40 GiB");
/// assert_eq!(scaffold_engine::bytes_text(512), "512 bytes");
/// ```
pub fn bytes_text(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {}", UNITS[unit])
}
