//! A GGUF file with other types.

use std::borrow::Cow;

use scaffold_formats::Gguf;
use scaffold_formats::write::GgufWriter;
use scaffold_kernels::Exec;

use crate::Error;
use crate::arrange::Array;
use crate::types::{Choice, Chosen, is_kept, retyped};

/// Keys that speak of the file that was read: how it was cut, and how its tensors lie.
const OF_THE_FILE: [&str; 4] =
    ["split.no", "split.count", "split.tensors.count", "general.alignment"];

/// The tensors of a GGUF file with the types that `choice` gives its matrices, and its metadata.
/// `general.file_type` is the caller's to set.
///
/// # Errors
/// A tensor is of a type that is not known. Values that cannot be converted are an error of the
/// writing.
pub fn of_gguf<'a>(
    exec: &'a Exec,
    source: &'a Gguf,
    choice: Choice<'_>,
) -> Result<GgufWriter<'a>, Error> {
    let mut writer = GgufWriter::new();
    let metadata = source.metadata();
    for key in metadata.keys().filter(|key| !OF_THE_FILE.contains(key)) {
        if let Some(value) = metadata.stored(key) {
            writer.set(key, value);
        }
    }
    for tensor in source.tensors() {
        let tensor = tensor?;
        let ty = match *tensor.shape {
            [_, .., cols] if !is_kept(tensor.name) => choice(&Chosen {
                source: tensor.name,
                target: tensor.name,
                stored: tensor.ty,
                cols,
            }),
            _ => tensor.ty,
        };
        writer.add_made(tensor.name, ty, tensor.shape, move || {
            if ty == tensor.ty {
                return Ok(Cow::Borrowed(tensor.bytes));
            }
            let array = Array::new(tensor.ty, tensor.shape, tensor.bytes);
            let made = retyped(exec, &array, ty).map_err(|error| error.of_tensor(tensor.name))?;
            Ok(Cow::Owned(made))
        })?;
    }
    Ok(writer)
}
