//! Tensors as plain values.

use scaffold_error::{Error, err};
use scaffold_formats::Tensor;
use scaffold_kernels::dequantize;

/// A tensor's values as `f32`; `len` of them.
pub(super) fn values(tensor: &Tensor<'_>, len: usize) -> Result<Vec<f32>, Error> {
    if tensor.len() != len {
        return Err(wrong_shape(tensor.name, tensor.shape, &format!("{len} values")));
    }
    let mut out = vec![0.0; len];
    dequantize(tensor.ty, tensor.bytes, &mut out)?;
    Ok(out)
}

/// A tensor has a shape other than the configuration asks for.
pub(super) fn wrong_shape(name: &str, found: &[usize], expected: &str) -> Error {
    err!(
        Damaged,
        "the tensor `{name}` has the shape {found:?} where the configuration asks for {expected}; the two files do not \
         belong together"
    )
    .of_tensor(name)
}
