//! What can be wrong with a GGUF file.

use crate::quoted::Quoted;

/// What is wrong with a GGUF file. Offsets are in bytes from the start of the file.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GgufProblem {
    /// The first four bytes are not `GGUF`.
    #[error(
        "not a GGUF file: it starts with `{}` instead of `GGUF`{}",
        found.escape_ascii(),
        if found.is_empty() { "; the file is empty, probably a download that never started: fetch it again" } else { "" }
    )]
    NotGguf {
        /// The first bytes of the file, four at most.
        found: Vec<u8>,
    },
    /// A version that no reader understands yet, or none does any more.
    #[error(
        "GGUF version {version} is not supported; versions 2 and 3 are. Look for a newer conversion of the model"
    )]
    Version {
        /// The version in the header.
        version: u32,
    },
    /// The file was written for big-endian machines.
    #[error(
        "this GGUF file is big-endian, which is not supported; convert the model again for little-endian machines"
    )]
    BigEndian,
    /// Something reaches beyond the end of the file.
    #[error(
        "{what} at byte {at} needs {needs} bytes but only {left} are left: the file is cut short or damaged; \
         compare its size with the original and fetch it again"
    )]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// Where.
        at: u64,
        /// Bytes that it asks for.
        needs: u64,
        /// Bytes up to the end of the file.
        left: u64,
    },
    /// More things are announced than the file has room for, or than any real file has.
    #[error(
        "{count} {what} are announced at byte {at}, where {most} are possible at most: the file is cut short or damaged; \
         fetch it again"
    )]
    Count {
        /// What is counted.
        what: &'static str,
        /// Where.
        at: u64,
        /// How many are announced.
        count: u64,
        /// How many would fit and are allowed.
        most: u64,
    },
    /// A name is empty or absurdly long.
    #[error("{what} at byte {at} has {length} bytes; 1 to {most} are allowed: the file is damaged")]
    NameLength {
        /// What is named.
        what: &'static str,
        /// Where.
        at: u64,
        /// The length in the file.
        length: usize,
        /// The longest allowed.
        most: usize,
    },
    /// A name is not text.
    #[error("{what} at byte {at} is not UTF-8: the file is damaged")]
    NotUtf8 {
        /// What is named.
        what: &'static str,
        /// Where.
        at: u64,
    },
    /// Two metadata pairs with one key.
    #[error(
        "metadata key {} is there twice: the file is damaged or was made by a faulty tool",
        Quoted(key)
    )]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// A metadata value of a type that the format does not have.
    #[error(
        "metadata key {} has a value of type {id}; types 0 to 12 exist: the file is damaged",
        Quoted(key)
    )]
    ValueTypeId {
        /// The key.
        key: String,
        /// The type's number.
        id: u32,
    },
    /// An array of arrays.
    #[error(
        "metadata key {} is an array of arrays, which no known model uses and which is not supported",
        Quoted(key)
    )]
    NestedArray {
        /// The key.
        key: String,
    },
    /// A metadata value is of another type than the reader of that key expects.
    #[error("metadata key {} should be {wanted} but is {found}", Quoted(key))]
    ValueType {
        /// The key.
        key: String,
        /// The type that was expected.
        wanted: &'static str,
        /// What the file holds.
        found: String,
    },
    /// A text value is not text.
    #[error("metadata key {} is not UTF-8 text", Quoted(key))]
    ValueNotUtf8 {
        /// The key.
        key: String,
    },
    /// A string in an array is not text.
    #[error("element {index} of metadata key {} is not UTF-8 text", Quoted(key))]
    ElementNotUtf8 {
        /// The key.
        key: String,
        /// The index of the string, from 0.
        index: usize,
    },
    /// A metadata key that the model needs is absent.
    #[error(
        "metadata key {} is missing; the file is incomplete or was made by an outdated converter",
        Quoted(key)
    )]
    MissingKey {
        /// The key.
        key: String,
    },
    /// An alignment that is no power of two, or absurd.
    #[error(
        "general.alignment is {alignment}; it must be a power of two of {most} at most: the file is damaged"
    )]
    Alignment {
        /// The alignment in the file.
        alignment: u64,
        /// The largest allowed.
        most: u64,
    },
    /// Two tensors with one name.
    #[error(
        "tensor {} is there twice: the file is damaged or was made by a faulty tool",
        Quoted(tensor)
    )]
    DuplicateTensor {
        /// The name.
        tensor: String,
    },
    /// A tensor with more dimensions than the format has.
    #[error(
        "tensor {} has {dims} dimensions; {most} are allowed at most: the file is damaged",
        Quoted(tensor)
    )]
    Dimensions {
        /// The name.
        tensor: String,
        /// The number of dimensions.
        dims: u32,
        /// The most allowed.
        most: u32,
    },
    /// A tensor whose size cannot be computed.
    #[error(
        "tensor {} has shape {shape:?}, whose size overflows: the file is damaged",
        Quoted(tensor)
    )]
    TensorSize {
        /// The name.
        tensor: String,
        /// The shape, outermost dimension first.
        shape: Vec<u64>,
    },
    /// A tensor whose rows do not consist of whole blocks.
    #[error(
        "tensor {} has rows of {cols} values, which is no multiple of {block}, the block size of its type {type_name}: \
         the file is damaged",
        Quoted(tensor)
    )]
    RaggedRows {
        /// The name.
        tensor: String,
        /// Values per row.
        cols: usize,
        /// Values per block.
        block: usize,
        /// The type's name.
        type_name: &'static str,
    },
    /// A tensor does not start on the file's alignment.
    #[error(
        "tensor {} starts at data offset {offset}, not a multiple of the alignment {alignment}: the file is damaged",
        Quoted(tensor)
    )]
    Misaligned {
        /// The name.
        tensor: String,
        /// Its offset in the data section.
        offset: u64,
        /// The file's alignment.
        alignment: u64,
    },
    /// A tensor reaches beyond the end of the file.
    #[error(
        "tensor {} ends at byte {end} but the file has {size} bytes: it is cut short, probably an unfinished download; \
         fetch it again",
        Quoted(tensor)
    )]
    TensorBeyondEnd {
        /// The name.
        tensor: String,
        /// Where the tensor ends, from the start of the file.
        end: u64,
        /// The file's size.
        size: u64,
    },
    /// Two tensors share bytes.
    #[error("tensors {} and {} overlap: the file is damaged", Quoted(first), Quoted(second))]
    Overlap {
        /// The tensor that starts first.
        first: String,
        /// The tensor that starts before the first has ended.
        second: String,
    },
    /// A tensor of a type that cannot be computed with.
    #[error(
        "tensor {} has type {type_name} (number {id}), which is not supported; supported are {readable}. \
         Look for another quantization of the model",
        Quoted(tensor)
    )]
    TensorType {
        /// The name.
        tensor: String,
        /// The type's name, `unknown` where the number is not known.
        type_name: &'static str,
        /// The type's number in `ggml.h`.
        id: u32,
        /// The names of the types that can be read.
        readable: &'static str,
    },
    /// A part of a split file is named in a way from which the others cannot be found.
    #[error(
        "this is part {number} of {count} of a split file, but its name does not end in `-{number:05}-of-{count:05}.gguf`, \
         so the other parts cannot be found; give all parts their original names"
    )]
    SplitName {
        /// The part's number, from 1.
        number: u64,
        /// The number of parts.
        count: u64,
    },
    /// The numbers in a part's metadata contradict its name.
    #[error(
        "the file name says part {named_number} of {named_count}, its metadata says part {number} of {count}; give the parts their original names"
    )]
    SplitMismatch {
        /// The part's number in its name, from 1.
        named_number: u64,
        /// The number of parts in its name.
        named_count: u64,
        /// The part's number in its metadata, from 1.
        number: u64,
        /// The number of parts in its metadata.
        count: u64,
    },
    /// The numbers in a part's metadata make no sense.
    #[error(
        "split.no is {index} and split.count {count}; the count must be 1 to {most} and the number below it: the file is damaged"
    )]
    SplitNumbers {
        /// The part's number, from 0.
        index: u64,
        /// The number of parts.
        count: u64,
        /// The most allowed.
        most: u64,
    },
    /// The parts together hold another number of tensors than announced.
    #[error(
        "the parts hold {found} tensors together but {announced} are announced: they are not parts of one file, or one was replaced"
    )]
    SplitTensors {
        /// How many there are.
        found: u64,
        /// How many the first part announces.
        announced: u64,
    },
}
