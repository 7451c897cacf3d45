//! Tensors as plain values.

use scaffold_formats::Tensor;
use scaffold_kernels::dequantize;

use crate::error::ModelError;

/// A tensor's values as `f32`; `len` of them.
pub(super) fn values(tensor: &Tensor<'_>, len: usize) -> Result<Vec<f32>, ModelError> {
    if tensor.len() != len {
        return Err(ModelError::TensorShape {
            name: tensor.name.to_owned(),
            found: tensor.shape.to_vec(),
            expected: format!("{len} values"),
        });
    }
    let mut out = vec![0.0; len];
    dequantize(tensor.ty, tensor.bytes, &mut out)?;
    Ok(out)
}
