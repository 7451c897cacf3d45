use crate::{block_type::BlockType, level::Level};

/// What can go wrong when shapes, bytes or levels are handed to a kernel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KernelError {
    /// A row's length is not a whole number of blocks.
    #[error(
        "{values} values are not a whole number of {ty} blocks: this type stores {per_block} values a block. \
         The tensor's shape or its type is wrong; check where it comes from"
    )]
    PartialBlock {
        /// The block type asked for.
        ty: BlockType,
        /// How many values were to be stored or read.
        values: usize,
        /// Values in one block of the type.
        per_block: usize,
    },
    /// The byte count does not fit the number of values.
    #[error(
        "{values} values of type {ty} take {expected} bytes, but {found} were given. The tensor's data is cut short or its shape is wrong"
    )]
    ByteCount {
        /// The block type of the bytes.
        ty: BlockType,
        /// How many values were expected.
        values: usize,
        /// Bytes that they take.
        expected: usize,
        /// Bytes that were there.
        found: usize,
    },
    /// There is no encoder for this type.
    #[error(
        "values cannot be written as {ty}; the types that can be written are F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1 and Q8_0"
    )]
    NoEncoder {
        /// The block type asked for.
        ty: BlockType,
    },
    /// The parts of a stacked matrix disagree on the number of columns.
    #[error(
        "part {part} of a stacked matrix has {found} columns, but the first part has {expected}; stacked parts share their input, so their columns must agree"
    )]
    StackedColumns {
        /// Index of the part.
        part: usize,
        /// Columns of the first part.
        expected: usize,
        /// Columns of this part.
        found: usize,
    },
    /// A matrix without parts, rows or columns.
    #[error("a matrix of {rows} rows and {cols} columns holds nothing to multiply with")]
    EmptyMatrix {
        /// Rows of all parts together.
        rows: usize,
        /// Columns.
        cols: usize,
    },
    /// The product of sizes does not fit into memory's address range.
    #[error("{what} of {sizes:?} is larger than this machine can address")]
    TooLarge {
        /// What was to be allocated.
        what: &'static str,
        /// Its sizes, outermost first.
        sizes: Vec<usize>,
    },
    /// The system has not enough memory.
    #[error(
        "the system did not give the {bytes} bytes that {what} takes; make it smaller or free memory"
    )]
    OutOfMemory {
        /// What was to be allocated.
        what: &'static str,
        /// Its size.
        bytes: usize,
    },
    /// The CPU lacks the instructions of a level.
    #[error("this CPU cannot run the {level} kernels; it can run {}", list(.available))]
    LevelUnavailable {
        /// The level asked for.
        level: Level,
        /// The levels that this CPU has.
        available: Vec<Level>,
    },
    /// A KV store was asked for with a size that the kernels cannot serve.
    #[error("a KV store with {what} = {found} cannot be made: {need}")]
    KvShape {
        /// The field of the shape.
        what: &'static str,
        /// Its value.
        found: usize,
        /// What it has to be.
        need: &'static str,
    },
    /// A packed matrix read from storage does not hold what its header says.
    #[error("the stored packed matrix cannot be used: {reason}. Pack the original weights again")]
    StoredMatrix {
        /// What does not fit.
        reason: &'static str,
    },
}

fn list<T: std::fmt::Display>(items: &[T]) -> String {
    let names: Vec<String> = items.iter().map(ToString::to_string).collect();
    names.join(", ")
}
