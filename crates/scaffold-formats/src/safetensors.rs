//! safetensors: one file, or shards under an index.
//!
//! Source: the format's description in the `safetensors` project.

mod dtype;
mod header;
pub(crate) mod index;
mod shard;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use scaffold_error::{Error, err};

use crate::map::FileBytes;
use crate::quoted::Quoted;
use crate::tensor::{Tensor, TensorInfo, TensorSource};
use shard::Shard;

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// The tensors of a model in safetensors form.
#[derive(Debug)]
pub struct Safetensors {
    /// What was opened: the file, or the index.
    path: PathBuf,
    shards: Vec<Shard>,
    /// Which shard a tensor is in, and its place there.
    places: HashMap<String, (usize, usize)>,
    /// Further names of tensors: `safetensors` stores shared weights once and notes the other
    /// names.
    aliases: HashMap<String, String>,
    /// Tensors that the index names and their shard does not hold, with the shard.
    absent: HashMap<String, String>,
}

impl Safetensors {
    /// Opens a `.safetensors` file, an index (`….index.json`), or a directory that holds
    /// `model.safetensors` or else `model.safetensors.index.json`. The files are mapped, not read.
    ///
    /// # Errors
    /// Nothing of that kind is there, a shard is missing or not a plain file name, a file is cut
    /// short, overlaps itself or leaves gaps. Tensors of types that are not supported (buffers of
    /// integers, for instance) are no error here but when they are asked for.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        if path.is_dir() {
            return Self::open_dir(path);
        }
        if path.extension().is_some_and(|extension| extension == "json") {
            return Self::open_index(path);
        }
        Ok(Self::from_shard(Shard::open(path)?))
    }

    /// Reads a safetensors file that is in memory already; `origin` is what messages call it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_bytes(origin: impl Into<PathBuf>, bytes: Vec<u8>) -> Result<Self, Error> {
        Ok(Self::from_shard(Shard::read(origin.into(), FileBytes::Owned(bytes))?))
    }

    /// Whether a directory holds safetensors weights, or the index over them.
    pub fn is_in(dir: impl AsRef<Path>) -> bool {
        [SINGLE, INDEX].iter().any(|name| dir.as_ref().join(name).exists())
    }

    fn open_dir(dir: &Path) -> Result<Self, Error> {
        let single = dir.join(SINGLE);
        if single.exists() {
            return Ok(Self::from_shard(Shard::open(&single)?));
        }
        let index = dir.join(INDEX);
        if index.exists() {
            return Self::open_index(&index);
        }
        let pickled = ["pytorch_model.bin", "pytorch_model.bin.index.json"]
            .iter()
            .any(|name| dir.join(name).exists());
        Err(no_weights(dir, pickled))
    }

    fn from_shard(shard: Shard) -> Self {
        let places = shard.places.iter().map(|(name, &index)| (name.clone(), (0, index))).collect();
        Self {
            path: shard.path.clone(),
            aliases: shard.aliases.clone(),
            shards: vec![shard],
            places,
            absent: HashMap::new(),
        }
    }

    /// Only what the index names is visible: where two shards hold a tensor of one name, the index
    /// decides. It may name what is nowhere, such as the head of a model that shares it with the
    /// embedding; it is missed when it is needed.
    fn open_index(path: &Path) -> Result<Self, Error> {
        let mut shards: Vec<Shard> = Vec::new();
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let (mut places, mut absent) = (HashMap::new(), HashMap::new());
        for (tensor, file) in index::read(path)? {
            let number = if let Some(&number) = numbers.get(&file) {
                number
            } else {
                shards.push(Shard::open(&path.with_file_name(&file))?);
                numbers.insert(file.clone(), shards.len() - 1);
                shards.len() - 1
            };
            let Some(&place) = shards[number].places.get(&tensor) else {
                absent.insert(tensor, file);
                continue;
            };
            places.insert(tensor, (number, place));
        }
        let aliases = shards.iter().flat_map(|shard| shard.aliases.clone());
        Ok(Self { path: path.to_owned(), aliases: aliases.collect(), shards, places, absent })
    }

    /// The tensor of that name, `None` where there is none.
    ///
    /// # Errors
    /// The tensor's type is not supported; the message names tensor and type.
    pub fn tensor(&self, name: &str) -> Result<Option<Tensor<'_>>, Error> {
        let Some((shard, index)) = self.place(name) else {
            return Ok(None);
        };
        self.shards[shard].tensor(index).map(Some)
    }

    /// Where a tensor is, by its own name or another that the file notes.
    fn place(&self, name: &str) -> Option<(usize, usize)> {
        let own = || self.places.get(self.aliases.get(name)?);
        self.places.get(name).or_else(own).copied()
    }

    /// All tensors, in the order of the files.
    pub fn tensors(&self) -> impl Iterator<Item = Result<Tensor<'_>, Error>> {
        self.visible().map(|(shard, index)| shard.tensor(index))
    }

    /// What is known of every tensor without reading it, in the order of the files; supported or
    /// not.
    pub fn infos(&self) -> impl Iterator<Item = TensorInfo<'_>> {
        self.visible().map(|(shard, index)| shard.info(index))
    }

    /// The files that were opened: one, or the shards.
    pub fn paths(&self) -> impl ExactSizeIterator<Item = &Path> {
        self.shards.iter().map(|shard| shard.path.as_path())
    }

    fn visible(&self) -> impl Iterator<Item = (&Shard, usize)> {
        self.shards.iter().enumerate().flat_map(move |(number, shard)| {
            shard
                .entries
                .iter()
                .enumerate()
                .filter(move |(index, entry)| {
                    self.places.get(&entry.name) == Some(&(number, *index))
                })
                .map(move |(index, _)| (shard, index))
        })
    }
}

/// A directory holds none of the weight files that can be read; `pickled`: but some in PyTorch's
/// pickle format.
fn no_weights(dir: &Path, pickled: bool) -> Error {
    let none = "holds no safetensors weights: neither model.safetensors nor model.safetensors.index.json is there";
    let name = dir.display();
    let error = if pickled {
        err!(
            Unsupported,
            "{name} {none}; its pytorch_model.bin is a Python pickle, which can run code when it is read and is \
             therefore not supported: look for a revision or a conversion with safetensors"
        )
    } else {
        err!(NotFound, "{name} {none}")
    };
    error.of_file(dir)
}

impl TensorSource for Safetensors {
    fn tensor(&self, name: &str) -> Result<Option<Tensor<'_>>, Error> {
        Self::tensor(self, name)
    }

    fn names(&self) -> Vec<&str> {
        self.visible().map(|(shard, index)| shard.entries[index].name.as_str()).collect()
    }

    fn info(&self, name: &str) -> Option<TensorInfo<'_>> {
        let (shard, index) = self.place(name)?;
        Some(self.shards[shard].info(index))
    }

    fn broken_promise(&self, name: &str) -> Option<Error> {
        let (tensor, shard) = self.absent.get_key_value(name)?;
        let error = err!(
            Damaged,
            "the index puts tensor {} into {shard}, which does not have it: index and shards are of different versions; \
             fetch all of them again",
            Quoted(tensor)
        );
        Some(error.in_file(&self.path).of_tensor(tensor))
    }

    fn check(&self) -> Result<(), Error> {
        self.shards.iter().try_for_each(Shard::check)
    }

    fn origin(&self) -> String {
        self.path.display().to_string()
    }

    fn release(&self, name: &str) {
        if let Some(&(shard, index)) = self.places.get(name) {
            self.shards[shard].release(index);
        }
    }
}

#[cfg(test)]
mod tests;
