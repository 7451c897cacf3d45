//! Everything that can go wrong between a model's files and its logits.

use scaffold_formats::FormatError;
use scaffold_kernels::KernelError;

/// What went wrong, what it means and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The file is not readable as what it claims to be.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A kernel refused its arguments.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// No family computes this architecture.
    #[error(
        "the architecture `{found}` (from {key}) is not supported, so this model cannot be computed; supported are: \
         {supported}"
    )]
    UnsupportedArchitecture {
        /// What the file says.
        found: String,
        /// Where it says it.
        key: &'static str,
        /// What could be computed.
        supported: String,
    },
    /// A configuration says nothing about what model it is for.
    #[error(
        "{what} has no `{key}`, so the kind of model is unknown; is this a model's directory or file?"
    )]
    NoArchitecture {
        /// The file.
        what: &'static str,
        /// The missing key.
        key: &'static str,
    },
    /// A key that the family needs is missing.
    #[error(
        "{what} of this {family} model has no `{key}`, which is needed to compute it; fetch the file again"
    )]
    MissingKey {
        /// The file.
        what: &'static str,
        /// The family.
        family: &'static str,
        /// The missing key.
        key: String,
    },
    /// A key's value cannot be used.
    #[error(
        "`{key}` in {what} is {value}, which cannot be used for a {family} model: expected {expected}"
    )]
    BadValue {
        /// The file.
        what: &'static str,
        /// The family.
        family: &'static str,
        /// The key.
        key: String,
        /// What it holds.
        value: String,
        /// What it could hold.
        expected: String,
    },
    /// A key that may change the result is not understood.
    #[error(
        "`{key}` = {value} in {what} is not understood for a {family} model; as it may change what the model computes, \
         the model is refused rather than computed wrongly. If the key is only a note, remove it from the file, or set \
         SCAFFOLD_UNKNOWN_KEYS=ignore to compute all the same"
    )]
    UnknownKey {
        /// The file.
        what: &'static str,
        /// The family.
        family: &'static str,
        /// The key.
        key: String,
        /// What it holds.
        value: String,
    },
    /// A GGUF file gives its layers different values where one is computed with.
    #[error(
        "`{key}` in the GGUF metadata is {values}, one value a layer; {architecture} models are computed with the same \
         value in all layers, so this one is refused rather than computed wrongly. Look for a model whose layers are alike"
    )]
    UnequalLayers {
        /// The key.
        key: String,
        /// The architecture.
        architecture: String,
        /// The values.
        values: String,
    },
    /// A key changes what the model computes, and that is not computed here.
    #[error(
        "`{key}` = {value} in {what} changes what a {family} model computes, and is not computed here, so the model is refused \
         rather than computed wrongly; {instead}"
    )]
    UnsupportedKey {
        /// The file.
        what: &'static str,
        /// The family.
        family: &'static str,
        /// The key.
        key: String,
        /// What it holds.
        value: String,
        /// What to do next.
        instead: &'static str,
    },
    /// A tensor is missing from the file.
    #[error(
        "the tensor `{name}` is missing: the file is incomplete or not a {family} model as its configuration says; fetch it again"
    )]
    MissingTensor {
        /// The tensor.
        name: String,
        /// The family.
        family: &'static str,
    },
    /// A tensor has a shape other than the configuration asks for.
    #[error(
        "the tensor `{name}` has the shape {found:?} where the configuration asks for {expected}; the two files do not belong together"
    )]
    TensorShape {
        /// The tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// What was expected.
        expected: String,
    },
    /// The file holds a tensor that nothing would read.
    #[error(
        "the tensor `{name}` has no place in a {family} model with this configuration ({count} such in all); computing \
         without it would give another model's results"
    )]
    UnexpectedTensor {
        /// The first of them.
        name: String,
        /// How many.
        count: usize,
        /// The family.
        family: &'static str,
    },
    /// A decoder was asked for where the model is an encoder, or the other way round.
    #[error("this {family} model is {is}, not {wanted}; {instead}")]
    WrongKind {
        /// The family.
        family: &'static str,
        /// What it is.
        is: &'static str,
        /// What was asked for.
        wanted: &'static str,
        /// What to use.
        instead: &'static str,
    },
    /// A token id is not in the embedding.
    #[error(
        "the token id {id} is not below the model's vocabulary of {vocab}; the tokenizer belongs to another model"
    )]
    TokenOutOfRange {
        /// The id.
        id: u32,
        /// Rows of the embedding.
        vocab: usize,
    },
    /// A step holds more rows than its scratch was made for.
    #[error(
        "the step has {rows} rows, its scratch was made for {max}; make a larger one or split the step"
    )]
    TooManyRows {
        /// Rows of the step.
        rows: usize,
        /// Rows of the scratch.
        max: usize,
    },
    /// A sequence is longer than the learned positions or the blocks that were given.
    #[error("position {position} is beyond {what} ({limit}); shorten the sequence")]
    PositionOutOfRange {
        /// The position.
        position: usize,
        /// What ends.
        what: &'static str,
        /// Where it ends.
        limit: usize,
    },
    /// A span names a block that the KV cache does not have.
    #[error("block {block} does not exist in a KV cache of {blocks} blocks")]
    BlockOutOfRange {
        /// The block.
        block: u32,
        /// Blocks of the cache.
        blocks: usize,
    },
    /// A key or a value does not fit the cache.
    #[error(
        "layer {layer} computes a key or value beyond 65504, the largest number that an f16 cache holds; the weights are fine. \
         Keep keys and values in f32 or q8 (SCAFFOLD_KV_TYPE or --kv-type)"
    )]
    CacheOverflow {
        /// The layer, from 0.
        layer: usize,
    },
    /// A token type is not in its table.
    #[error("the token type {id} is not below the model's {types} token types")]
    TokenTypeOutOfRange {
        /// The type.
        id: u32,
        /// Rows of the table.
        types: usize,
    },
    /// Token types and tokens do not pair up.
    #[error("a text has {tokens} tokens but {types} token types; give one type a token, or none")]
    TokenTypeCount {
        /// Tokens.
        tokens: usize,
        /// Types.
        types: usize,
    },
    /// A text without tokens has no state.
    #[error(
        "text {index} of the batch has no tokens; even an empty text needs the model's special tokens"
    )]
    EmptyText {
        /// Which.
        index: usize,
    },
    /// The model has no classification head.
    #[error(
        "this {family} model has no classification head; a cross-encoder's architecture ends in ForSequenceClassification"
    )]
    NoClassifier {
        /// The family.
        family: &'static str,
    },
}
