//! What can be wrong with a safetensors file or its index.

use crate::quoted::Quoted;

/// What is wrong with a safetensors file, or with the index over several.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SafetensorsProblem {
    /// Too short for the length of the header.
    #[error(
        "the file has {size} bytes, fewer than the 8 of a safetensors length: it is cut short; fetch it again"
    )]
    TooShort {
        /// The file's size.
        size: usize,
    },
    /// The header would be longer than the file or than any real one.
    #[error(
        "not a safetensors file, or cut short: its first 8 bytes announce a header of {length} bytes, but {left} follow \
         and {most} are allowed at most"
    )]
    HeaderLength {
        /// The announced length.
        length: u64,
        /// Bytes after the length.
        left: usize,
        /// The longest header allowed.
        most: usize,
    },
    /// The header is not the JSON that it should be.
    #[error("the header is not a valid safetensors header: {0}; the file is damaged")]
    Header(serde_json::Error),
    /// Two tensors with one name.
    #[error(
        "tensor {} is there twice: the file is damaged or was made by a faulty tool",
        Quoted(tensor)
    )]
    DuplicateTensor {
        /// The name.
        tensor: String,
    },
    /// A tensor's bytes end before they start or lie beyond the end of the file.
    #[error(
        "tensor {} should lie at bytes {start}..{end} of the data, which has {size}: the file is cut short or damaged; \
         compare its size with the original and fetch it again",
        Quoted(tensor)
    )]
    TensorBeyondEnd {
        /// The name.
        tensor: String,
        /// Start within the data.
        start: u64,
        /// End within the data.
        end: u64,
        /// Size of the data.
        size: usize,
    },
    /// A tensor's bytes are not as many as its type and shape need.
    #[error(
        "tensor {} has type {dtype} and shape {shape:?}, which {}, but {length} bytes in the file: it is damaged",
        Quoted(tensor),
        needs.map_or_else(|| "overflows".to_owned(), |needs| format!("needs {needs} bytes"))
    )]
    TensorSize {
        /// The name.
        tensor: String,
        /// The type as the file names it.
        dtype: String,
        /// The shape.
        shape: Vec<u64>,
        /// Bytes in the file.
        length: usize,
        /// Bytes that type and shape ask for; `None` where that number overflows.
        needs: Option<usize>,
    },
    /// Two tensors share bytes.
    #[error("tensors {} and {} overlap: the file is damaged", Quoted(first), Quoted(second))]
    Overlap {
        /// The tensor that starts first.
        first: String,
        /// The tensor that starts before the first has ended.
        second: String,
    },
    /// Bytes that belong to no tensor, which the format forbids.
    #[error(
        "bytes {start}..{end} of the data belong to no tensor, which the format forbids: the file is damaged"
    )]
    Gap {
        /// Start within the data.
        start: usize,
        /// End within the data.
        end: usize,
    },
    /// A tensor of a type that cannot be computed with.
    #[error(
        "tensor {} has type {}, which is not supported; supported are {readable}",
        Quoted(tensor),
        Quoted(dtype)
    )]
    Dtype {
        /// The name.
        tensor: String,
        /// The type as the file names it.
        dtype: String,
        /// The names of the types that can be read.
        readable: &'static str,
    },
    /// The index is not the JSON that it should be.
    #[error("not a valid safetensors index: {0}")]
    Index(serde_json::Error),
    /// The index names a file outside its own directory.
    #[error(
        "the index puts tensor {} into {}, which is not a plain file name; shards lie beside their index, so this index \
         is damaged or hostile",
        Quoted(tensor),
        Quoted(shard)
    )]
    ShardName {
        /// The name.
        tensor: String,
        /// The shard as the index names it.
        shard: String,
    },
    /// A shard does not hold a tensor that the index puts there.
    #[error(
        "the index puts tensor {} into {shard}, which does not have it: index and shards are of different versions; \
         fetch all of them again",
        Quoted(tensor)
    )]
    NotInShard {
        /// The name.
        tensor: String,
        /// The shard.
        shard: String,
    },
}
