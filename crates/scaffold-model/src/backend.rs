//! The seam under the decoder and the encoder: what a machine must be able to do for them.
//!
//! Every operation works on a batch of rows; a row's result must not depend on the rows around it.
//! A backend owns its memory: weights, buffers, prepared inputs and the KV cache are types of its
//! own, which the layers above only hand back to it. Nothing here knows of families, sequences or
//! tokens' meaning.

mod cpu;
mod ops;
mod routing;

pub use cpu::CpuBackend;
pub(crate) use ops::Ops;
pub use routing::Routing;

use scaffold_error::Error;
use scaffold_kernels::{Activation, AttendSpan, KvShape, KvType, MatrixSource, RopeStyle, Turn};

use crate::packed::StoredMatrix;
use crate::profile::{Effort, Stage};
use crate::spec::NormKind;

/// A machine that computes layers.
///
/// Lengths are part of the contract: a call gives rows and widths, and buffers hold at least that
/// many values.
pub trait Backend: Send + Sync + 'static {
    /// A weight matrix `[rows, cols]` in the layout that [`Backend::linear`] reads.
    type Matrix: Send + Sync;
    /// A small weight: a norm's, a bias.
    type Vector: Send + Sync;
    /// Rows of `f32`.
    type Buffer: Send;
    /// Rows prepared for [`Backend::linear`] (quantized, where the weights are).
    type Input: Send;
    /// Cosines and sines of a step's rows.
    type Angles: Send;
    /// The KV cache of all layers.
    type Kv: Send;

    /// Waits for the right to compute, which the models of a process hand round; see
    /// [`Team::turn`](scaffold_kernels::Team::turn). `None` where nobody else computes.
    fn turn(&self, weight: u32) -> Option<Turn<'_>> {
        let _ = weight;
        None
    }

    /// Packs a matrix of parts stacked along the rows; reads each part once.
    ///
    /// # Errors
    /// The parts do not fit together.
    fn matrix(&self, parts: &[MatrixSource<'_>]) -> Result<Self::Matrix, Error>;
    /// A matrix out of what [`Backend::store`] gave in an earlier run; none where a backend keeps
    /// nothing.
    ///
    /// # Errors
    /// The bytes do not fit the shape.
    fn stored(&self, stored: StoredMatrix) -> Result<Option<Self::Matrix>, Error> {
        drop(stored);
        Ok(None)
    }
    /// What there is to keep of a matrix until the next run. The bytes are shared, not copied.
    fn store(&self, matrix: &Self::Matrix) -> Option<StoredMatrix> {
        let _ = matrix;
        None
    }
    /// Memory of a matrix in bytes.
    fn matrix_bytes(&self, matrix: &Self::Matrix) -> usize;
    /// Whether [`Backend::linear`] multiplies 8-bit integers with it (if not, floats).
    fn in_8_bits(&self, matrix: &Self::Matrix) -> bool;
    /// Stores a small weight.
    fn vector(&self, values: &[f32]) -> Self::Vector;
    /// A buffer of `len` zeros.
    fn buffer(&self, len: usize) -> Self::Buffer;
    /// A place for prepared rows.
    fn input(&self) -> Self::Input;
    /// A place for angles.
    fn angles(&self) -> Self::Angles;
    /// A KV cache.
    ///
    /// # Errors
    /// It is too large.
    fn kv(&self, shape: KvShape, ty: KvType) -> Result<Self::Kv, Error>;
    /// Memory of a KV cache in bytes.
    fn kv_bytes(&self, kv: &Self::Kv) -> usize;
    /// Bytes of one block of a KV cache, as they are copied out and in.
    fn kv_block_bytes(&self, kv: &Self::Kv) -> usize;
    /// Puts the contents of a block behind `out`.
    fn copy_kv_out(&self, kv: &Self::Kv, block: u32, out: &mut Vec<u8>);
    /// Makes a block what was copied out of one before.
    fn copy_kv_in(&self, kv: &mut Self::Kv, block: u32, bytes: &[u8]);

    /// The first `len` values of a buffer.
    fn read<'b>(&self, buffer: &'b mut Self::Buffer, len: usize) -> &'b [f32];

    /// Cosines and sines of a step's rows, `[rows, pairs]` each.
    fn set_angles(&self, cos: &[f32], sin: &[f32], pairs: usize, out: &mut Self::Angles);

    /// Rows `ids` of a table.
    fn embed(&self, table: &Self::Matrix, ids: &[u32], out: &mut Self::Buffer);
    /// Prepares rows of `w.cols` values as the input of `w`.
    fn prepare(&self, w: &Self::Matrix, x: &Self::Buffer, rows: usize, out: &mut Self::Input);
    /// `out = x · wᵀ + bias` for the matrix that makes logits, whose errors nothing after it evens
    /// out: where the weights are quantized, the input has about 16 bits instead of 8. `out` holds
    /// at least `2 * rows * w.rows` values.
    fn linear_fine(
        &self,
        w: &Linear<Self>,
        x: &Self::Buffer,
        rows: usize,
        input: &mut Self::Input,
        out: &mut Self::Buffer,
    );
    /// `out = input · wᵀ + bias`, `[rows, w.rows]`.
    fn linear(&self, w: &Linear<Self>, input: &Self::Input, rows: usize, out: &mut Self::Buffer);
    /// A norm of each row of `norm.cols` values.
    fn norm(&self, norm: &Norm<Self>, x: &Self::Buffer, rows: usize, out: &mut Self::Buffer);
    /// Multiplies each row by `factors`, value by value.
    fn multiply_rows(&self, factors: &Self::Vector, x: &mut Self::Buffer, rows: usize);
    /// Copies the first `len` values.
    fn copy(&self, x: &Self::Buffer, len: usize, out: &mut Self::Buffer);
    /// Cuts rows of the sum of `widths` into one buffer a width.
    fn split(&self, x: &Self::Buffer, rows: usize, widths: [usize; 3], out: [&mut Self::Buffer; 3]);
    /// Rotates the pairs of each head by its row's angles, for all rows of `angles`; what is not in a
    /// pair stays.
    fn rope(
        &self,
        angles: &Self::Angles,
        style: RopeStyle,
        x: &mut Self::Buffer,
        heads: usize,
        head_dim: usize,
    );
    /// Puts the rows' keys and values into the cache. `false` where one is larger than the cache's
    /// numbers reach: what is computed from there on is worthless.
    fn write_kv(&self, at: &mut KvLayer<'_, Self>, k: &Self::Buffer, v: &Self::Buffer) -> bool;
    /// Causal attention of the rows over their sequences in the cache.
    fn attend(
        &self,
        at: &KvLayer<'_, Self>,
        q: &Self::Buffer,
        scores: &Scores,
        out: &mut Self::Buffer,
    );
    /// Attention in both directions inside each run of `lengths` rows. `bias` is one score a head
    /// and distance (key minus query, from `-reach` on), `[heads, 2 * reach + 1]`; no run is longer
    /// than `reach + 1`.
    fn attend_both(
        &self,
        qkv: [&Self::Buffer; 3],
        lengths: &[usize],
        p: &Scores,
        bias: Option<&Self::Vector>,
        out: &mut Self::Buffer,
    );
    /// Prepares `act(gate) * up` of rows `[gate; up]`, of width `2 * w.cols`, as the input of `w`.
    fn prepare_gated(
        &self,
        w: &Self::Matrix,
        act: Activation,
        x: &Self::Buffer,
        rows: usize,
        out: &mut Self::Input,
    );
    /// `act(x)` in place.
    fn activate(&self, act: Activation, x: &mut Self::Buffer, len: usize);
    /// `x += scale * y`.
    fn add(&self, x: &mut Self::Buffer, y: &Self::Buffer, scale: f32, len: usize);
    /// `x = 0`.
    fn zero(&self, x: &mut Self::Buffer, len: usize);
    /// `x *= scale`.
    fn scale(&self, x: &mut Self::Buffer, scale: f32, len: usize);
    /// `x = cap * tanh(x / cap)`.
    fn softcap(&self, x: &mut Self::Buffer, cap: f32, len: usize);
    /// Clamps to `±limit`.
    fn clamp(&self, x: &mut Self::Buffer, limit: f32, len: usize);
    /// Chooses experts by `scores` `[rows, experts]`.
    fn route(&self, scores: &Self::Buffer, rows: usize, rule: &RouteRule, routing: &mut Routing);
    /// The sigmoid of each row's one score; may change `scores`.
    fn gates(&self, scores: &mut Self::Buffer, rows: usize, out: &mut Vec<f32>);
    /// Copies rows `ids` of width `cols`.
    fn gather(&self, x: &Self::Buffer, ids: &[u32], cols: usize, out: &mut Self::Buffer);
    /// Adds row `i` of `y`, times `weights[i]`, to row `ids[i]` of `x`.
    fn scatter_add(
        &self,
        y: &Self::Buffer,
        ids: &[u32],
        weights: &[f32],
        cols: usize,
        x: &mut Self::Buffer,
    );
}

/// A matrix with its bias.
pub struct Linear<B: Backend + ?Sized> {
    /// `[rows, cols]`.
    pub weight: B::Matrix,
    /// `[rows]`.
    pub bias: Option<B::Vector>,
    /// Outputs.
    pub rows: usize,
    /// Inputs.
    pub cols: usize,
    /// The part of a step that its time belongs to.
    pub stage: Stage,
}

/// One layer of a KV cache, and the rows that are at work in it.
pub struct KvLayer<'a, B: Backend + ?Sized> {
    /// The cache of all layers.
    pub kv: &'a mut B::Kv,
    /// The layer's number.
    pub layer: usize,
    /// The rows, and where their sequences lie.
    pub spans: &'a [AttendSpan<'a>],
    /// What a token takes in a layer of the cache, in bytes.
    pub token_bytes: usize,
}

impl<B: Backend> KvLayer<'_, B> {
    /// What attention takes: two products for every pair of a row and a token that it sees, in
    /// every head. Rows of one span read a token's key and value together.
    pub(crate) fn effort(&self, scores: &Scores) -> Effort {
        let (mut pairs, mut tokens) = (0, 0);
        for span in self.spans {
            let window = scores.window.unwrap_or(usize::MAX);
            let seen = |row: usize| (span.start + row + 1).min(window);
            pairs += (0..span.rows).map(seen).sum::<usize>();
            tokens += (span.start + span.rows).min(window.saturating_add(span.rows));
        }
        Effort {
            int8: 0,
            fma: (pairs * scores.heads * 2 * scores.head_dim) as u64,
            bytes: (tokens * self.token_bytes) as u64,
        }
    }
}

impl<B: Backend> Linear<B> {
    /// What multiplying `rows` rows with it takes.
    pub(crate) fn effort(&self, backend: &B, rows: usize) -> Effort {
        let macs = (rows * self.rows * self.cols) as u64;
        let int8 = backend.in_8_bits(&self.weight);
        Effort {
            int8: if int8 { macs } else { 0 },
            fma: if int8 { 0 } else { macs },
            bytes: backend.matrix_bytes(&self.weight) as u64,
        }
    }
}

/// A norm with its weights.
pub struct Norm<B: Backend + ?Sized> {
    /// The formula.
    pub kind: NormKind,
    /// Added under the root.
    pub eps: f32,
    /// Width of a normalised row.
    pub cols: usize,
    /// `[cols]`.
    pub weight: B::Vector,
    /// `[cols]`.
    pub bias: Option<B::Vector>,
}

/// How attention scores are made.
#[derive(Clone, Copy, Debug)]
pub struct Scores {
    /// Query heads.
    pub heads: usize,
    /// Key and value heads.
    pub kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Factor on the scores.
    pub scale: f32,
    /// Cap after the scale.
    pub softcap: Option<f32>,
    /// Sliding window: as [`crate::LayerSpec::window`].
    pub window: Option<usize>,
}

/// How experts are chosen.
#[derive(Clone, Copy, Debug)]
pub struct RouteRule {
    /// Experts.
    pub experts: usize,
    /// How many of them a row takes.
    pub top_k: usize,
    /// Scale the chosen weights to sum to one.
    pub normalise: bool,
}
