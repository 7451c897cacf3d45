//! Tiny models as GGUF files, as llama.cpp's own converter would write them.

use std::path::Path;

use scaffold_convert::{Chosen, file_type, of_checkpoint};
pub use scaffold_formats::BlockType;
use scaffold_kernels::Exec;

use crate::golden::TinyGolden;

impl TinyGolden {
    /// Why a decoder cannot be written as GGUF; `None` where it can.
    pub fn gguf_lacks(&self) -> Option<String> {
        scaffold_convert::check(&self.config()).err().map(|error| error.to_string())
    }

    /// Writes a decoder as a GGUF file, its matrices as `ty` (F32, F16, BF16, Q8_0 or another that
    /// can be written), and as F16 where its rows do not divide into blocks.
    ///
    /// # Panics
    /// The model cannot be written; [`gguf_lacks`](Self::gguf_lacks) tells beforehand.
    pub fn write_gguf(&self, path: &Path, ty: BlockType) {
        let (exec, config, weights) = (Exec::new(1), self.config(), self.weights());
        let choice = |chosen: &Chosen<'_>| match ty.row_bytes(chosen.cols) {
            Some(_) => ty,
            None => BlockType::F16,
        };
        let written = of_checkpoint(&exec, &config, &weights, &|_| false, &choice);
        let mut writer = written.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let id = file_type(ty).unwrap_or_else(|| panic!("no file type for {ty}"));
        writer.set("general.file_type", id);
        writer.write(path).unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }
}
