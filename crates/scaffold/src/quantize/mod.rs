//! Writing a model as a GGUF file, with weights of fewer bits.
//!
//! A checkpoint of the Hub gets the names, metadata and vocabulary of a GGUF file; a GGUF file keeps
//! them. The scales of quantized blocks are looked for ([`quantize_searched`]), matrices that bear less
//! stay finer ([`Packing`]), and one tensor after the other is written: memory holds no more than the
//! largest. Nothing is at the file's place before all of it is on disk and was read back.
//!
//! [`quantize_searched`]: scaffold_kernels::quantize_searched
//! [`Packing`]: scaffold_model::Packing
//!
//! ```no_run
//! use std::path::Path;
//! use scaffold::{LoadOptions, Model, config::Config, hub::Silent, locate::locate, quantize};
//!
//! let config = Config::of_process()?;
//! let files = locate(&config, "org/name", &mut Silent)?;
//! let model = Model::open(&files, &LoadOptions::from(&config))?;
//! let to = quantize::weights("q4_k")?;
//! let written = quantize::write(&model, to, false, Path::new("name-q4_k.gguf"), &mut Silent)?;
//! println!("{} bytes", written.bytes);
//! # Ok::<(), scaffold::Error>(())
//! ```

mod compare;
mod vocabulary;

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use scaffold_convert::{Chosen, file_type, file_type_name, of_checkpoint, of_gguf};
use scaffold_error::err;
use scaffold_formats::ConfigJson;
use scaffold_formats::write::GgufWriter;
use scaffold_hub::{LocalModel, Progress};
use scaffold_kernels::{BlockType, Exec};
use scaffold_model::{Packing, Precision};
use serde::Serialize;

pub use compare::{Divergence, compare};

use crate::config::Quantize;
use crate::error::Error;
use crate::exec::exec;
use crate::model::Model;

/// The types that weights can be written as, by the names that are taken for them.
const TYPES: [(&str, BlockType); 10] = [
    ("q4_0", BlockType::Q4_0),
    ("q4_k", BlockType::Q4_K),
    ("q4_k_m", BlockType::Q4_K),
    ("q5_k", BlockType::Q5_K),
    ("q5_k_m", BlockType::Q5_K),
    ("q6_k", BlockType::Q6_K),
    ("q8_0", BlockType::Q8_0),
    ("f16", BlockType::F16),
    ("bf16", BlockType::BF16),
    ("f32", BlockType::F32),
];

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Written {
    /// The file.
    pub path: PathBuf,
    /// What its weights are as a whole, as GGUF files say it: `Q4_K_M`.
    pub file_type: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Bytes of the weights that it was made from.
    pub source_bytes: u64,
    /// How many tensors have which type.
    pub types: Vec<(String, usize)>,
}

/// The type of weights that goes by this name, in any case: `q4_k` and `q5_k` are the mixtures that
/// GGUF files call `Q4_K_M` and `Q5_K_M`.
///
/// # Errors
/// There is none; the message names those that there are.
pub fn weights(name: &str) -> Result<BlockType, Error> {
    let lower = name.to_ascii_lowercase();
    TYPES.iter().find(|(known, _)| *known == lower).map(|(_, ty)| *ty).ok_or_else(|| {
        let name: String = name.chars().take(40).collect();
        err!(
            Usage,
            "weights are not written as {name:?}; the types are q4_0, q4_k (or q4_K_M), q5_k (or q5_K_M), q6_k, q8_0, f16, bf16 \
             and f32"
        )
    })
}

/// What the weights of a model are as a whole: what a GGUF file says of itself, or the type of most.
///
/// # Errors
/// A weight cannot be computed with.
pub fn stored(model: &Model) -> Result<String, Error> {
    let said = match model.gguf() {
        Some(gguf) => gguf.metadata().get_u64("general.file_type")?.and_then(file_type_name),
        None => None,
    };
    Ok(said.map_or_else(|| model.size().map(|size| size.stored.name()), Ok)?.to_owned())
}

/// The setting that makes weights of this type while the model is loaded, with no file of their own.
///
/// # Errors
/// Its weights are quantized already, or the type is one of floats.
pub fn setting(model: &Model, to: BlockType) -> Result<Quantize, Error> {
    let stored = model.size()?.stored;
    let setting = match to {
        BlockType::Q4_0 => Quantize::Q4_0,
        BlockType::Q4_K => Quantize::Q4K,
        BlockType::Q5_K => Quantize::Q5K,
        BlockType::Q6_K => Quantize::Q6K,
        BlockType::Q8_0 => Quantize::Q8_0,
        _ => Quantize::None,
    };
    if stored.is_quantized() || setting == Quantize::None {
        return Err(err!(
            Usage,
            "while a model is loaded, floats become blocks, and nothing else is converted: the weights are {stored}, and {to} was \
             asked for"
        )
        .remedy("write a file with -o"));
    }
    Ok(setting)
}

/// Writes the model as a GGUF file with weights of this type. Weights that are quantized already are
/// quantized `again` only where that is asked for: each time loses something.
///
/// # Errors
/// The model cannot be written as GGUF, its weights are quantized already, a weight is damaged, it was
/// cancelled, or the disk is in the way. What was at `path` is still there then.
pub fn write(
    model: &Model,
    to: BlockType,
    again: bool,
    path: &Path,
    progress: &mut dyn Progress,
) -> Result<Written, Error> {
    let size = model.size()?;
    if to.is_quantized() && size.stored.is_quantized() && !again {
        return Err(err!(
            Unsupported,
            "the weights of {} are {} already: to quantize them again loses more than to quantize what they were made from",
            model.name(),
            size.stored
        )
        .remedy("take the model as it was published (BF16, F16 or F32)")
        .remedy("or do it all the same with --again"));
    }
    let exec = exec(model.options(), &mut Vec::new())?;
    let types = RefCell::new(Vec::new());
    let mut writer = tensors(model, &exec, to, again, &types)?;
    let file_type = file_type(to).unwrap_or_default();
    writer.set("general.file_type", file_type);
    let total = writer.bytes() as u64;
    let mut heard = |done: usize| {
        progress.written(done as u64, total);
        if progress.cancelled() {
            return Err(err!(Cancelled, "stopped on request; nothing is kept of the file"));
        }
        Ok(())
    };
    writer.write_checked(path, &mut heard, |unfinished| check(unfinished, model))?;
    let bytes = std::fs::metadata(path).map_err(Error::io("read", path))?.len();
    Ok(Written {
        path: path.to_owned(),
        file_type: file_type_name(file_type.into()).unwrap_or_default().to_owned(),
        bytes,
        source_bytes: model.weight_bytes(),
        types: counted(types.into_inner()),
    })
}

fn tensors<'m>(
    model: &'m Model,
    exec: &'m Exec,
    to: BlockType,
    again: bool,
    types: &RefCell<Vec<BlockType>>,
) -> Result<GgufWriter<'m>, Error> {
    let packing = Packing::new(Precision::Blocks(to), model.spec(), model.tensors());
    let choice = |chosen: &Chosen<'_>| {
        let ty = if to.is_quantized() {
            // What was quantized once is values like others where it is to be done again.
            let stored = if again { BlockType::F32 } else { chosen.stored };
            let ty = packing.of(chosen.source, stored, chosen.cols);
            if ty.is_quantized() { ty } else { chosen.stored }
        } else {
            to
        };
        types.borrow_mut().push(ty);
        ty
    };
    if let Some(gguf) = model.gguf() {
        return of_gguf(exec, gguf, &choice);
    }
    let Some(weights) = model.safetensors() else {
        return Err(err!(Internal, "the model is of neither kind of file"));
    };
    let config = ConfigJson::open(model.path())?;
    let spec = model.spec();
    let leave = |tensor: &scaffold_formats::Tensor<'_>| {
        model.tensors().info(tensor.name).is_some_and(|info| spec.leaves_unused(&info))
    };
    let mut writer = of_checkpoint(exec, &config, weights, &leave, &choice)?;
    let name = model.name().rsplit('/').next().unwrap_or_default().to_owned();
    writer.set("general.name", name);
    vocabulary::add(&mut writer, model)?;
    Ok(writer)
}

/// Whether what was written is a model that can be computed, and reads text as the first one does.
fn check(path: &Path, of: &Model) -> Result<(), Error> {
    let model = Model::open(&LocalModel::on_disk(path), of.options())?;
    model.size()?;
    model.text()?;
    Ok(())
}

fn counted(types: Vec<BlockType>) -> Vec<(String, usize)> {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for ty in types {
        match counts.iter_mut().find(|(name, _)| name == ty.name()) {
            Some((_, count)) => *count += 1,
            None => counts.push((ty.name().to_owned(), 1)),
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}
