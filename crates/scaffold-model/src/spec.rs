//! What a model is, as data: everything that the decoder and the encoder need to know, and no names
//! of models.

use std::fmt;

pub use scaffold_kernels::Activation;

use scaffold_formats::TensorInfo;

use crate::names::{Names, Slot};
use crate::rope::RopeSpec;

/// A model's description, read from a `config.json` ([`ModelSpec::from_config`]) or from the
/// metadata of a GGUF file ([`ModelSpec::from_gguf`]).
#[derive(Clone, Debug)]
pub struct ModelSpec {
    /// The family's name, for messages only: nothing computes by it.
    pub family: &'static str,
    /// Decoder or encoder, and what only that one has.
    pub kind: Kind,
    /// Rows of the token embedding. May be larger than the tokenizer's vocabulary (padding). 0
    /// where GGUF metadata do not say; a loaded model's specification has it from the embedding.
    pub vocab: usize,
    /// Width of the residual stream.
    pub hidden: usize,
    /// Longest sequence, in tokens, that the model was made for (after rope scaling, if any).
    pub context: usize,
    /// What happens between a token id and the first layer.
    pub embedding: EmbeddingSpec,
    /// The norm that is used everywhere but on queries and keys.
    pub norm: NormSpec,
    /// Where the norms stand and how a layer adds to the residual stream.
    pub residual: ResidualSpec,
    /// Attention, the same in all layers but for what [`LayerSpec`] says.
    pub attention: AttentionSpec,
    /// The rotary embeddings in use; [`LayerSpec::rope`] points into it.
    pub ropes: Vec<RopeSpec>,
    /// The dense feed-forward block.
    pub mlp: MlpSpec,
    /// The mixture of experts, for the layers that have one.
    pub moe: Option<MoeSpec>,
    /// One entry a layer.
    pub layers: Vec<LayerSpec>,
    /// Keys of a `config.json` that were passed over: `transformers` does not read them for this
    /// architecture, and what they are for is not known. Notes of other software are like that;
    /// whoever loads the model should hear of them.
    pub passed_over: Vec<String>,
    /// Where the weights are in the file.
    pub(crate) names: Names,
}

/// What happens to a key of a `config.json` that is not known.
///
/// What the architecture's own class in `transformers` does not read changes nothing and is passed
/// over in any case, unless other code may read it: the model names code of its own (`auto_map`),
/// or a newer `transformers` wrote the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownKeys {
    /// A key that such code may read is an error.
    #[default]
    Refuse,
    /// It is passed over, and [`ModelSpec::passed_over`] names it.
    PassOver,
}

impl fmt::Display for UnknownKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Refuse { "refuse" } else { "ignore" })
    }
}

/// What kind of model it is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Causal attention over a KV cache, logits over the vocabulary.
    Decoder(HeadSpec),
    /// Attention in both directions, hidden states.
    Encoder(EncoderSpec),
}

/// The way from the last hidden state to the logits.
#[derive(Clone, Debug)]
pub struct HeadSpec {
    /// The token embedding is also the output matrix. Where the configuration does not say, the
    /// file decides: an output matrix is there or not. A loaded model's specification says what
    /// came of it: an output matrix that is stored and is another one is used, whatever the
    /// configuration says.
    pub tied: Option<bool>,
    /// The output matrix has a bias.
    pub bias: Presence,
    /// Factor on the logits.
    pub scale: f32,
    /// `cap * tanh(logits / cap)`, after the scale.
    pub softcap: Option<f32>,
}

/// What only encoders have.
#[derive(Clone, Debug)]
pub struct EncoderSpec {
    /// The classification head, if the file holds one.
    pub classifier: Option<ClassifierSpec>,
    /// A norm after the last layer (otherwise each layer ends in one).
    pub final_norm: bool,
    /// The first layer has no norm before its attention (the embedding's norm stands in).
    pub first_norm_is_identity: bool,
    /// A bias on the attention scores that depends on the distance of the two tokens.
    pub relative_bias: Option<RelativeBias>,
}

/// Bucketed relative positions, as in T5 (Raffel et al. 2020) and MPNet, bidirectional.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelativeBias {
    /// Buckets in all, half of them for each direction.
    pub buckets: usize,
    /// Distances from here on share the last bucket.
    pub max_distance: usize,
}

/// A sequence-classification head: pooled state, maybe a dense layer with an activation, then one
/// logit a label.
#[derive(Clone, Debug)]
pub struct ClassifierSpec {
    /// Labels, in the order of the logits.
    pub labels: Vec<String>,
    /// What the head starts from.
    pub pool: ClassifierPool,
    /// Activation of the dense layer before the output matrix.
    pub dense_activation: Option<Activation>,
    /// The dense layer has a bias.
    pub dense_bias: Presence,
    /// A norm after the dense layer.
    pub norm: bool,
}

/// The state that a classification head starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassifierPool {
    /// The first token's.
    First,
    /// The mean over all tokens.
    Mean,
}

/// What happens between a token id and the first layer.
#[derive(Clone, Debug, Default)]
pub struct EmbeddingSpec {
    /// Factor on the token embedding.
    pub scale: Option<f32>,
    /// Learned absolute positions.
    pub positions: Option<LearnedPositions>,
    /// Rows of the token type table (0: none).
    pub token_types: usize,
    /// A norm after the sum.
    pub norm: bool,
}

/// A learned position table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearnedPositions {
    /// Rows of the table.
    pub rows: usize,
    /// The table's row of position 0.
    pub offset: usize,
    /// Tokens with this id take the row of the same number and do not count, as in RoBERTa, whose
    /// positions start after its padding id.
    pub padding: Option<u32>,
}

impl LearnedPositions {
    /// The table's row for each token of a text.
    pub(crate) fn rows_of(self, tokens: &[u32]) -> impl Iterator<Item = u32> {
        let mut next = self.offset as u32;
        tokens.iter().map(move |&token| match self.padding {
            Some(padding) if token == padding => padding,
            _ => {
                next += 1;
                next - 1
            }
        })
    }
}

/// Whether an optional tensor is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is not, and a file that has one is refused.
    No,
    /// It is, and a file without it is refused.
    Yes,
    /// The file decides (GGUF metadata does not say).
    IfPresent,
}

impl From<bool> for Presence {
    fn from(yes: bool) -> Self {
        if yes { Presence::Yes } else { Presence::No }
    }
}

/// How a norm is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormKind {
    /// `x / sqrt(mean(x²) + eps) * w` (Zhang & Sennrich 2019).
    Rms,
    /// `(x - mean) / sqrt(var + eps) * w + b` (Ba et al. 2016).
    Layer,
}

/// A norm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormSpec {
    /// The formula.
    pub kind: NormKind,
    /// Added under the root.
    pub eps: f32,
    /// Added to the stored weight (Gemma stores `w - 1`).
    pub offset: f32,
    /// A bias is added (layer norm only).
    pub bias: bool,
}

/// Where the norms of a layer stand. Each flag holds for the attention and for the feed-forward
/// part alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResidualSpec {
    /// A norm on the way in: `x + f(norm(x))`.
    pub norm_in: bool,
    /// A norm on the way out, before the addition: `x + norm(f(x))`.
    pub norm_out: bool,
    /// A norm over the sum: `norm(x + f(x))`.
    pub norm_sum: bool,
    /// Attention and feed-forward part both start from the layer's input.
    pub parallel: Parallel,
    /// Factor on what a part adds.
    pub scale: f32,
}

/// Whether the two parts of a layer run one after the other or side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parallel {
    /// One after the other.
    No,
    /// Side by side, after one shared norm.
    SharedNorm,
    /// Side by side, each after its own norm.
    OwnNorms,
}

/// Attention.
#[derive(Clone, Debug)]
pub struct AttentionSpec {
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width of a head, for queries, keys and values.
    pub head_dim: usize,
    /// Factor on the scores, usually `1 / sqrt(head_dim)`.
    pub scale: f32,
    /// `cap * tanh(score / cap)`, after the scale.
    pub softcap: Option<f32>,
    /// Queries, keys and values are clamped to `±clip`, after their norm.
    pub clip: Option<f32>,
    /// Queries, keys and values have a bias.
    pub qkv_bias: Presence,
    /// The output projection has a bias.
    pub out_bias: Presence,
    /// A norm on queries and keys, before the rope.
    pub qk_norm: Option<QkNorm>,
}

/// A norm on queries and keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QkNorm {
    /// The formula.
    pub norm: NormSpec,
    /// What one norm runs over, and what weights there are.
    pub over: QkNormOver,
    /// Whether every file of the family has it.
    pub presence: Presence,
}

/// What a norm on queries or keys runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QkNormOver {
    /// Each head, all with the same weights `[head_dim]`.
    Head,
    /// Each head with weights of its own `[heads, head_dim]`.
    EachHead,
    /// All heads of a token together, weights `[heads * head_dim]`.
    Row,
}

/// The dense feed-forward block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MlpSpec {
    /// Width between the two matrices.
    pub inner: usize,
    /// The activation.
    pub activation: Activation,
    /// `down(act(gate(x)) * up(x))` instead of `down(act(up(x)))`.
    pub gated: bool,
    /// The matrices have biases.
    pub bias: Presence,
}

/// A mixture of experts: the router's best `top_k` of `experts` gated blocks, weighted by the
/// softmax of its scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MoeSpec {
    /// Experts.
    pub experts: usize,
    /// Experts computed for a token.
    pub top_k: usize,
    /// Width inside an expert.
    pub inner: usize,
    /// The chosen weights are scaled to sum to one.
    pub normalise: bool,
    /// Width inside the expert that every token takes, scaled by a sigmoid gate of its own.
    pub shared_inner: Option<usize>,
}

/// What differs from layer to layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerSpec {
    /// A token sees itself and the `window - 1` tokens before it (encoders: `window / 2` to each
    /// side).
    pub window: Option<usize>,
    /// Which of [`ModelSpec::ropes`] rotates queries and keys.
    pub rope: Option<usize>,
    /// The feed-forward part is the mixture of experts.
    pub moe: bool,
}

impl ModelSpec {
    /// About how many weights the model has: those of its matrices, which leaves out norms and
    /// biases.
    pub fn parameters(&self) -> u64 {
        let count =
            |sizes: &[usize]| sizes.iter().fold(1_u64, |all, &n| all.saturating_mul(n as u64));
        let (hidden, a) = (self.hidden, &self.attention);
        let tables = match &self.kind {
            Kind::Decoder(head) if head.tied == Some(false) => 2,
            _ => 1,
        };
        let positions = self.embedding.positions.map_or(0, |table| table.rows);
        let embedding = count(&[self.vocab, hidden, tables])
            .saturating_add(count(&[positions + self.embedding.token_types, hidden]));
        let attention = count(&[hidden, 2 * (a.heads + a.kv_heads), a.head_dim]);
        let matrices = 2 + usize::from(self.mlp.gated);
        let dense = count(&[matrices, hidden, self.mlp.inner]);
        let sparse = self.moe.map_or(0, |moe| {
            let experts = count(&[3, hidden, moe.inner, moe.experts]);
            let shared = count(&[3, hidden, moe.shared_inner.unwrap_or(0)]);
            experts.saturating_add(shared).saturating_add(count(&[hidden, moe.experts]))
        });
        let layers = self.layers.iter().map(|layer| {
            let block = if layer.moe { sparse } else { dense };
            attention.saturating_add(block)
        });
        layers.fold(embedding, u64::saturating_add)
    }

    /// Whether a tensor of the file is none of the model's weights, so that it costs nothing: a
    /// buffer, or a part that this family leaves out.
    pub fn leaves_unused(&self, tensor: &TensorInfo<'_>) -> bool {
        let parts = self.names.unused;
        // A pooler belongs to nothing but a classification head.
        let of_head = match &self.kind {
            Kind::Encoder(EncoderSpec { classifier: Some(head), .. })
                if head.dense_activation.is_some() =>
            {
                self.names.get(Slot::ClassifierDense)
            }
            _ => None,
        };
        let in_head = of_head.is_some_and(|name| tensor.name.contains(name));
        tensor.is_buffer() || !in_head && parts.iter().any(|part| tensor.name.contains(part))
    }

    /// Whether the embedding's norm stands in for the first layer's.
    pub(crate) fn first_norm_is_identity(&self) -> bool {
        matches!(&self.kind, Kind::Encoder(encoder) if encoder.first_norm_is_identity)
    }
}
