//! The modules after the pooling, with their weights.

use scaffold_error::err;
use std::path::Path;

use scaffold_formats::{Safetensors, Tensor};
use scaffold_kernels::{Activations, Exec, Matrix, MatrixSource, dequantize, matmul};

use super::activation::Activation;
use super::normalize;
use super::repository::modules::no_pooling;
use super::repository::{DenseSpec, LayerNormSpec, Module, Pooling, Repository};
use crate::error::Error;

/// PyTorch's default, which the module does not change.
const LAYER_NORM_EPS: f32 = 1e-5;

/// The way from hidden states to embeddings.
#[derive(Debug)]
pub(crate) struct Stages {
    pub(crate) pooling: Pooling,
    after: Vec<Stage>,
    width: usize,
}

#[derive(Debug)]
enum Stage {
    Dense(Box<Dense>),
    LayerNorm { weight: Vec<f32>, bias: Vec<f32> },
    Normalize,
}

#[derive(Debug)]
struct Dense {
    linear: Matrix,
    bias: Option<Vec<f32>>,
    activation: Activation,
    residual: Residual,
}

#[derive(Debug)]
enum Residual {
    None,
    Input,
    Linear(Matrix),
}

impl Stages {
    /// Loads the weights of a repository's modules; `hidden` is the width of a hidden state.
    pub(crate) fn load(
        repository: &Repository,
        hidden: usize,
        exec: &Exec,
    ) -> Result<Stages, Error> {
        let (Some(Module::Pooling(pooling)), rest) =
            (repository.modules.first(), repository.modules.get(1..).unwrap_or_default())
        else {
            // A repository is only read if its first module is a pooling.
            return Err(no_pooling(0).in_file(repository.transformer.join("modules.json")));
        };
        if let Some(width) = pooling.width.filter(|&width| width != hidden) {
            return Err(width_error("the pooling", width, hidden));
        }
        let mut width = pooling.output_width(hidden);
        let mut after = Vec::new();
        for module in rest {
            after.push(match module {
                Module::Dense(spec) => {
                    let dense = Dense::load(spec, width, exec)?;
                    width = spec.out_features;
                    Stage::Dense(Box::new(dense))
                }
                Module::LayerNorm(spec) => layer_norm(spec, width)?,
                Module::Normalize => Stage::Normalize,
                Module::Pooling(_) => continue,
            });
        }
        Ok(Stages { pooling: pooling.clone(), after, width })
    }

    /// Numbers in an embedding.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Takes pooled vectors, one a row, through the other modules.
    pub(crate) fn run(&self, exec: &Exec, pooled: Vec<f32>, rows: usize) -> Vec<f32> {
        self.after.iter().fold(pooled, |mut vectors, stage| {
            let width = vectors.len() / rows.max(1);
            match stage {
                _ if rows == 0 => vectors,
                Stage::Dense(dense) => dense.run(exec, &vectors, rows),
                Stage::LayerNorm { weight, bias } => {
                    for row in vectors.chunks_exact_mut(width) {
                        norm_row(row, weight, bias);
                    }
                    vectors
                }
                Stage::Normalize => {
                    vectors.chunks_exact_mut(width).for_each(normalize);
                    vectors
                }
            }
        })
    }
}

impl Dense {
    fn load(spec: &DenseSpec, width: usize, exec: &Exec) -> Result<Dense, Error> {
        if spec.in_features != width {
            return Err(width_error(&place(&spec.directory), spec.in_features, width));
        }
        let file = weights(&spec.directory)?;
        let (rows, cols) = (spec.out_features, spec.in_features);
        let linear = matrix(&file, "linear.weight", rows, cols, &spec.directory, exec)?;
        let bias = if spec.bias {
            Some(vector(&file, "linear.bias", rows, &spec.directory)?)
        } else {
            None
        };
        let residual = match (spec.residual, rows == cols) {
            (false, _) => Residual::None,
            (true, true) => Residual::Input,
            (true, false) => Residual::Linear(matrix(
                &file,
                "residual.weight",
                rows,
                cols,
                &spec.directory,
                exec,
            )?),
        };
        Ok(Dense { linear, bias, activation: spec.activation, residual })
    }

    fn run(&self, exec: &Exec, x: &[f32], rows: usize) -> Vec<f32> {
        let mut out = linear(exec, &self.linear, x, rows);
        let width = self.linear.rows();
        for row in out.chunks_exact_mut(width) {
            for (index, y) in row.iter_mut().enumerate() {
                *y = self.activation.at(*y + self.bias.as_ref().map_or(0.0, |bias| bias[index]));
            }
        }
        let added = match &self.residual {
            Residual::None => return out,
            Residual::Input => x.to_vec(),
            Residual::Linear(matrix) => linear(exec, matrix, x, rows),
        };
        out.iter_mut().zip(added).for_each(|(y, x)| *y += x);
        out
    }
}

fn linear(exec: &Exec, matrix: &Matrix, x: &[f32], rows: usize) -> Vec<f32> {
    let mut input = Activations::new();
    input.load(exec, x, matrix.cols(), matrix.needs());
    let mut out = vec![0.0; rows * matrix.rows()];
    matmul(exec, matrix, &input, &mut out);
    out
}

fn norm_row(row: &mut [f32], weight: &[f32], bias: &[f32]) {
    let count = row.len() as f32;
    let mean = row.iter().sum::<f32>() / count;
    let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / count;
    let scale = 1.0 / (variance + LAYER_NORM_EPS).sqrt();
    for ((x, weight), bias) in row.iter_mut().zip(weight).zip(bias) {
        *x = (*x - mean) * scale * weight + bias;
    }
}

fn layer_norm(spec: &LayerNormSpec, width: usize) -> Result<Stage, Error> {
    if spec.width != width {
        return Err(width_error(&place(&spec.directory), spec.width, width));
    }
    let file = weights(&spec.directory)?;
    Ok(Stage::LayerNorm {
        weight: vector(&file, "norm.weight", width, &spec.directory)?,
        bias: vector(&file, "norm.bias", width, &spec.directory)?,
    })
}

/// A module's weights. Those that Python pickled are not opened: reading them would run them.
fn weights(directory: &Path) -> Result<Safetensors, Error> {
    let path = directory.join("model.safetensors");
    if !path.is_file() && directory.join("pytorch_model.bin").is_file() {
        let path = directory.join("pytorch_model.bin");
        return Err(err!(
            Unsupported,
            "{} is a pickle, which runs code when it is read; it was not opened",
            path.display()
        )
        .of_file(path)
        .remedy("convert it to model.safetensors"));
    }
    Safetensors::open(&path)
}

fn place(directory: &Path) -> String {
    directory.display().to_string()
}

fn width_error(what: &str, said: usize, found: usize) -> Error {
    err!(
        Damaged,
        "{what} takes vectors of {said} numbers, and those before it have {found}\n  what it means: the repository's modules do \
         not belong together"
    )
}

fn checked<'a>(
    file: &'a Safetensors,
    name: &str,
    shape: &[usize],
    directory: &Path,
) -> Result<Tensor<'a>, Error> {
    let tensor = file.tensor(name)?.filter(|tensor| tensor.shape == shape);
    tensor.ok_or_else(|| {
        let path = directory.join("model.safetensors");
        err!(
            Damaged,
            "{} has no tensor {name} of the shape {shape:?}\n  what it means: the module's weights and its config.json do not \
             belong together",
            path.display()
        )
        .of_file(path)
        .of_tensor(name)
    })
}

fn matrix(
    file: &Safetensors,
    name: &str,
    rows: usize,
    cols: usize,
    directory: &Path,
    exec: &Exec,
) -> Result<Matrix, Error> {
    let tensor = checked(file, name, &[rows, cols], directory)?;
    let source = MatrixSource::new(tensor.ty, rows, cols, tensor.bytes);
    Matrix::pack(exec, &[source])
}

fn vector(
    file: &Safetensors,
    name: &str,
    length: usize,
    directory: &Path,
) -> Result<Vec<f32>, Error> {
    let tensor = checked(file, name, &[length], directory)?;
    let mut values = vec![0.0; length];
    dequantize(tensor.ty, tensor.bytes, &mut values)?;
    Ok(values)
}

#[cfg(test)]
mod tests;
