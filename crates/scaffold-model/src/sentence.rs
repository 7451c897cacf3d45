//! From hidden states to one embedding a text, as a sentence-transformers directory asks for: `modules.json` lists a
//! pooling, maybe dense layers, maybe a normalisation.

mod pooling;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use scaffold_formats::{ConfigJson, FormatError, Safetensors, TensorSource};
use serde_json::Value;

use crate::ModelError;
use crate::backend::{Backend, CpuBackend, Linear};
use crate::families::activation;
use crate::spec::Activation;
pub use pooling::{Pooling, PoolingMode};
use scaffold_kernels::{Exec, MatrixSource, Precision, dequantize};

/// What follows the transformer: a pooling, then dense layers and normalisations in order.
pub struct SentenceModules {
    /// How the hidden states of a text become one vector.
    pub pooling: Pooling,
    /// Texts are cut to this many tokens, where the directory says so.
    pub max_tokens: Option<usize>,
    /// Texts are put into lower case before they are tokenized.
    pub lower_case: bool,
    steps: Vec<Step>,
    backend: CpuBackend,
}

enum Step {
    Dense {
        linear: Linear<CpuBackend>,
        activation: Option<Activation>,
    },
    Normalise,
}

impl SentenceModules {
    /// A pooling, and a normalisation if asked for, where no directory says otherwise.
    pub fn new(mode: PoolingMode, normalise: bool, exec: Arc<Exec>) -> Self {
        Self {
            pooling: Pooling {
                modes: vec![mode],
                include_prompt: true,
            },
            max_tokens: None,
            lower_case: false,
            steps: if normalise {
                vec![Step::Normalise]
            } else {
                Vec::new()
            },
            backend: CpuBackend::new(exec),
        }
    }

    /// Reads `modules.json` and what it names; `None` where there is no such file.
    ///
    /// # Errors
    /// A file cannot be read, or names a module that is not known here.
    pub fn from_dir(dir: &Path, exec: Arc<Exec>) -> Result<Option<Self>, ModelError> {
        let list = dir.join("modules.json");
        if !list.exists() {
            return Ok(None);
        }
        let mut modules = Self::new(PoolingMode::Mean, false, exec);
        let mut pooled = false;
        for (kind, folder) in module_list(&list)? {
            let folder = dir.join(folder);
            match kind.as_str() {
                "Transformer" => modules.read_limits(&folder)?,
                "Pooling" => {
                    modules.pooling =
                        Pooling::read(&ConfigJson::open(folder.join("config.json"))?)?;
                    pooled = true;
                }
                "Dense" => {
                    let step = modules.dense(&folder)?;
                    modules.steps.push(step);
                }
                "Normalize" => modules.steps.push(Step::Normalise),
                // Switched off where a model is only run.
                "Dropout" => {}
                _ => {
                    let known = "supported are Transformer, Pooling, Dense and Normalize";
                    return Err(bad(
                        &list,
                        format!("the module `{kind}` is not supported"),
                        known,
                    ));
                }
            }
        }
        if !pooled {
            return Err(bad(
                &list,
                "no Pooling is listed".to_owned(),
                "without one there is no embedding of a text",
            ));
        }
        Ok(Some(modules))
    }

    fn read_limits(&mut self, folder: &Path) -> Result<(), ModelError> {
        let path = folder.join("sentence_bert_config.json");
        if path.exists() {
            let config = ConfigJson::open(path)?;
            let root = config.root();
            self.max_tokens = root.get_usize("max_seq_length")?;
            self.lower_case = root.get_bool("do_lower_case")?.unwrap_or(false);
        }
        Ok(())
    }

    fn dense(&self, folder: &Path) -> Result<Step, ModelError> {
        let config = ConfigJson::open(folder.join("config.json"))?;
        let root = config.root();
        let (cols, rows) = (
            root.require_usize("in_features")?,
            root.require_usize("out_features")?,
        );
        let name = root
            .get_str("activation_function")?
            .unwrap_or("torch.nn.modules.activation.Tanh");
        let short = name.rsplit('.').next().unwrap_or_default().to_lowercase();
        let activation = match short.as_str() {
            "identity" => None,
            short => Some(activation(short).ok_or_else(|| {
                let problem = format!("the activation `{name}` is not supported");
                bad(
                    config.path(),
                    problem,
                    "supported are Identity, Tanh, GELU, ReLU and SiLU",
                )
            })?),
        };
        let weights = Safetensors::open(folder.join("model.safetensors"))?;
        let tensor = weights.require("linear.weight")?;
        if tensor.shape != [rows, cols] {
            let expected = format!("[{rows}, {cols}]");
            return Err(ModelError::TensorShape {
                name: "linear.weight".to_owned(),
                found: tensor.shape.to_vec(),
                expected,
            });
        }
        let source = MatrixSource {
            ty: tensor.ty,
            rows,
            cols,
            bytes: tensor.bytes,
        };
        let weight = self.backend.matrix(&[source], Precision::Native)?;
        let bias = if root.get_bool("bias")?.unwrap_or(true) {
            let tensor = weights.require("linear.bias")?;
            let mut values = vec![0.0; rows];
            dequantize(tensor.ty, tensor.bytes, &mut values)?;
            Some(self.backend.vector(&values))
        } else {
            None
        };
        Ok(Step::Dense {
            linear: Linear {
                weight,
                bias,
                rows,
                cols,
            },
            activation,
        })
    }

    /// Width of an embedding from hidden states of width `hidden`.
    pub fn dimensions(&self, hidden: usize) -> usize {
        let pooled = hidden * self.pooling.modes.len();
        self.steps.iter().fold(pooled, |width, step| match step {
            Step::Dense { linear, .. } => linear.rows,
            Step::Normalise => width,
        })
    }

    /// The embeddings of texts of `lengths` tokens, `[texts, dimensions]`, from their hidden states
    /// `[tokens of all texts, hidden]`. `prompt_tokens` at the head of each text are left out of the pooling where the
    /// directory says so.
    ///
    /// # Errors
    /// A dense layer takes another width than it is given.
    pub fn embed(
        &self,
        hidden: &[f32],
        width: usize,
        lengths: &[usize],
        prompt_tokens: usize,
    ) -> Result<Vec<f32>, ModelError> {
        let mut rows = Vec::with_capacity(lengths.len() * width);
        let mut at = 0;
        for length in lengths {
            self.pooling.pool(
                &hidden[at * width..(at + length) * width],
                width,
                prompt_tokens,
                &mut rows,
            );
            at += length;
        }
        let mut width = width * self.pooling.modes.len();
        for step in &self.steps {
            match step {
                Step::Normalise => rows.chunks_exact_mut(width).for_each(normalise),
                Step::Dense { linear, .. } if linear.cols != width => {
                    let found = vec![linear.rows, linear.cols];
                    let expected = format!("{width} inputs");
                    return Err(ModelError::TensorShape {
                        name: "linear.weight".to_owned(),
                        found,
                        expected,
                    });
                }
                Step::Dense { linear, activation } => {
                    rows = self.apply(linear, *activation, &rows, lengths.len());
                    width = linear.rows;
                }
            }
        }
        Ok(rows)
    }

    fn apply(
        &self,
        linear: &Linear<CpuBackend>,
        act: Option<Activation>,
        x: &[f32],
        rows: usize,
    ) -> Vec<f32> {
        let b = &self.backend;
        let (mut input, mut source, mut out) =
            (b.input(), b.buffer(x.len()), b.buffer(rows * linear.rows));
        b.write(x, &mut source);
        b.prepare(&linear.weight, &source, rows, &mut input);
        b.linear(linear, &input, rows, &mut out);
        if let Some(act) = act {
            b.activate(act, &mut out, rows * linear.rows);
        }
        b.read(&mut out, rows * linear.rows).to_vec()
    }
}

/// To length one.
fn normalise(row: &mut [f32]) {
    let norm = row
        .iter()
        .map(|x| f64::from(*x) * f64::from(*x))
        .sum::<f64>()
        .sqrt()
        .max(1e-12);
    for x in row {
        *x = (f64::from(*x) / norm) as f32;
    }
}

fn bad(file: &Path, problem: String, action: &'static str) -> ModelError {
    ModelError::Module {
        file: file.display().to_string(),
        problem,
        action,
    }
}

/// The kinds (the last part of the class's name) and folders of the modules, in order.
fn module_list(path: &PathBuf) -> Result<Vec<(String, String)>, ModelError> {
    let io = |source| FormatError::Io {
        action: "read",
        path: path.clone(),
        source,
    };
    let text = std::fs::read(path).map_err(io)?;
    let wrong = || {
        bad(
            path,
            "it is not a list of modules with a type and a path".to_owned(),
            "fetch it again",
        )
    };
    let list: Vec<Value> = serde_json::from_slice(&text).map_err(|_| wrong())?;
    list.iter()
        .map(|module| {
            let kind = module["type"].as_str().ok_or_else(wrong)?;
            let folder = module["path"].as_str().ok_or_else(wrong)?;
            // A path is a folder beside the list, never one elsewhere.
            if folder.contains("..") || Path::new(folder).is_absolute() {
                return Err(bad(
                    path,
                    format!("the path `{folder}` leads out of the model's directory"),
                    "fetch it again",
                ));
            }
            Ok((
                kind.rsplit('.').next().unwrap_or_default().to_owned(),
                folder.to_owned(),
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests;
