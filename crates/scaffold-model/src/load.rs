//! From a file's tensors to packed weights: names by slot, shapes checked, one tensor at a time.

mod part;

use std::cell::RefCell;
use std::collections::HashSet;

use scaffold_formats::{Tensor, TensorSource};
use scaffold_kernels::{Precision, dequantize};

use crate::ModelError;
use crate::backend::{Backend, Linear, Norm};
use crate::layer::{FeedForward, HeadNorm, Layer, Mlp, Shared};
use crate::names::{Slot, fill};
use crate::rope::RopeScaling;
use crate::spec::{ModelSpec, MoeSpec, NormSpec, Parallel, Presence, QkNormOver};
use part::Part;

type Result<T> = std::result::Result<T, ModelError>;

/// Loads weights of one model for one backend.
pub(crate) struct Loader<'a, B: Backend> {
    source: &'a dyn TensorSource,
    spec: &'a ModelSpec,
    backend: &'a B,
    precision: Precision,
    prefix: &'static str,
    taken: RefCell<HashSet<String>>,
    bytes: RefCell<usize>,
}

impl<'a, B: Backend> Loader<'a, B> {
    pub(crate) fn new(
        source: &'a dyn TensorSource,
        spec: &'a ModelSpec,
        backend: &'a B,
        precision: Precision,
    ) -> Result<Self> {
        let mut loader = Self {
            source,
            spec,
            backend,
            precision,
            prefix: "",
            taken: RefCell::default(),
            bytes: RefCell::new(0),
        };
        let embed = loader.name(Slot::Embed, 0, 0)?;
        for prefix in spec.names.prefixes {
            if source.tensor(&format!("{prefix}{embed}.weight"))?.is_some() {
                loader.prefix = prefix;
            }
        }
        Ok(loader)
    }

    /// Counts tensors as read that were read elsewhere.
    pub(crate) fn mark(&self, names: Vec<String>) {
        self.taken.borrow_mut().extend(names);
    }

    /// Memory of the matrices so far.
    pub(crate) fn weight_bytes(&self) -> usize {
        *self.bytes.borrow()
    }

    fn name(&self, slot: Slot, layer: usize, expert: usize) -> Result<String> {
        let template = self
            .spec
            .names
            .get(slot)
            .ok_or_else(|| self.missing(format!("{slot:?} of layer {layer}")))?;
        // Only what belongs to the model's body carries its prefix; heads stand beside it.
        Ok(format!("{}{}", self.prefix, fill(template, layer, expert)))
    }

    fn missing(&self, name: String) -> ModelError {
        ModelError::MissingTensor {
            name,
            family: self.spec.family,
        }
    }

    /// A tensor by its full name, also under the name without the prefix, where heads are.
    fn find(&self, name: &str) -> Result<Option<Tensor<'a>>> {
        let bare = name.strip_prefix(self.prefix).unwrap_or(name);
        for name in [name, bare] {
            if let Some(tensor) = self.source.tensor(name)? {
                self.taken.borrow_mut().insert(name.to_owned());
                return Ok(Some(tensor));
            }
        }
        Ok(None)
    }

    /// A slot's weight; norms of the oldest checkpoints are called `gamma` and `beta`.
    fn weight(&self, slot: Slot, layer: usize, expert: usize) -> Result<Option<Tensor<'a>>> {
        let Ok(name) = self.name(slot, layer, expert) else {
            return Ok(None);
        };
        match self.find(&format!("{name}.weight"))? {
            None => self.find(&format!("{name}.gamma")),
            found => Ok(found),
        }
    }

    fn needed(&self, slot: Slot, layer: usize, expert: usize) -> Result<Tensor<'a>> {
        let found = self.weight(slot, layer, expert)?;
        found.ok_or_else(|| match self.name(slot, layer, expert) {
            Ok(name) => self.missing(format!("{name}.weight")),
            Err(error) => error,
        })
    }

    /// A slot's bias of `len` values.
    fn bias(
        &self,
        slot: Slot,
        layer: usize,
        presence: Presence,
        len: usize,
    ) -> Result<Option<Vec<f32>>> {
        if presence == Presence::No {
            return Ok(None);
        }
        let name = self.name(slot, layer, 0)?;
        let found = match self.find(&format!("{name}.bias"))? {
            None => self.find(&format!("{name}.beta"))?,
            found => found,
        };
        match found {
            Some(tensor) => Ok(Some(values(&tensor, len)?)),
            None if presence == Presence::Yes => Err(self.missing(format!("{name}.bias"))),
            None => Ok(None),
        }
    }

    /// Packs parts into one matrix `[rows, cols]`, and lets go of their pages.
    fn pack(&self, parts: &[Part<'_>], rows: usize, cols: usize) -> Result<B::Matrix> {
        for part in parts {
            if part.cols != cols {
                return Err(part.shape_error(format!("{cols} inputs")));
            }
        }
        let found: usize = parts.iter().map(|p| p.rows).sum();
        if found != rows {
            return Err(parts[0].shape_error(format!("{rows} rows in all, not {found}")));
        }
        let sources: Vec<_> = parts.iter().map(Part::source).collect();
        let matrix = self.backend.matrix(&sources, self.precision)?;
        *self.bytes.borrow_mut() += self.backend.matrix_bytes(&matrix);
        for part in parts {
            self.source.release(part.name);
        }
        Ok(matrix)
    }

    /// A table `[rows, hidden]` that is only looked up.
    pub(crate) fn table(&self, slot: Slot, rows: usize) -> Result<B::Matrix> {
        let part = Part::matrix(self.needed(slot, 0, 0)?)?;
        self.pack(&[part], rows, self.spec.hidden)
    }

    /// One slot's matrix and bias.
    pub(crate) fn linear(
        &self,
        slot: Slot,
        layer: usize,
        rows: usize,
        cols: usize,
        bias: Presence,
    ) -> Result<Linear<B>> {
        let weight = self.pack(&[self.part(slot, layer, 0)?], rows, cols)?;
        let bias = self.bias(slot, layer, bias, rows)?;
        Ok(self.with_bias(weight, bias, rows, cols))
    }

    fn with_bias(
        &self,
        weight: B::Matrix,
        bias: Option<Vec<f32>>,
        rows: usize,
        cols: usize,
    ) -> Linear<B> {
        Linear {
            weight,
            bias: bias.map(|b| self.backend.vector(&b)),
            rows,
            cols,
        }
    }

    /// One slot's matrix as the file has it, turned to `[out, in]`.
    fn part(&self, slot: Slot, layer: usize, expert: usize) -> Result<Part<'a>> {
        let part = Part::matrix(self.needed(slot, layer, expert)?)?;
        if self.spec.names.transposed {
            part.transposed()
        } else {
            Ok(part)
        }
    }

    /// The slot's norm over `cols` values.
    pub(crate) fn norm(&self, slot: Slot, layer: usize) -> Result<Norm<B>> {
        let (norm, cols) = (self.spec.norm, self.spec.hidden);
        let weight = values(&self.needed(slot, layer, 0)?, cols)?;
        let bias = self.bias(slot, layer, norm.bias.into(), cols)?;
        Ok(self.with_norm(norm, weight, bias, cols))
    }

    fn with_norm(
        &self,
        norm: NormSpec,
        mut weight: Vec<f32>,
        bias: Option<Vec<f32>>,
        cols: usize,
    ) -> Norm<B> {
        for w in &mut weight {
            *w += norm.offset;
        }
        Norm {
            kind: norm.kind,
            eps: norm.eps,
            cols,
            weight: self.backend.vector(&weight),
            bias: bias.map(|b| self.backend.vector(&b)),
        }
    }

    /// The norm on queries or keys.
    fn qk_norm(&self, slot: Slot, layer: usize, heads: usize) -> Result<Option<HeadNorm<B>>> {
        let Some(qk) = self.spec.attention.qk_norm else {
            return Ok(None);
        };
        let here = match qk.presence {
            Presence::No => false,
            Presence::Yes => true,
            Presence::IfPresent => self.weight(slot, layer, 0)?.is_some(),
        };
        if !here {
            return Ok(None);
        }
        let head_dim = self.spec.attention.head_dim;
        let (cols, groups) = match qk.over {
            QkNormOver::Head => (head_dim, 1),
            QkNormOver::EachHead => (head_dim, heads),
            QkNormOver::Row => (heads * head_dim, 1),
        };
        // One tensor for all heads, or one a head (their names count them).
        let one_each = groups > 1
            && self
                .spec
                .names
                .get(slot)
                .is_some_and(|name| name.contains("{e}"));
        let weight = if one_each {
            let mut weight = Vec::with_capacity(cols * groups);
            for head in 0..heads {
                weight.extend(values(&self.needed(slot, layer, head)?, cols)?);
            }
            weight
        } else {
            values(&self.needed(slot, layer, 0)?, cols * groups)?
        };
        let bias = self.bias(slot, layer, qk.norm.bias.into(), cols)?;
        let (weight, factors) = if groups > 1 {
            (vec![1.0; cols], Some(self.backend.vector(&weight)))
        } else {
            (weight, None)
        };
        Ok(Some(HeadNorm {
            norm: self.with_norm(qk.norm, weight, bias, cols),
            factors,
        }))
    }

    /// Layer `index`.
    pub(crate) fn layer(&self, index: usize) -> Result<Layer<B>> {
        let spec = self.spec;
        let (a, r) = (&spec.attention, &spec.residual);
        let norm = |here: bool, slot| here.then(|| self.norm(slot, index)).transpose();
        // The embedding's norm may stand in for the first one.
        let first = index == 0 && spec.first_norm_is_identity();
        Ok(Layer {
            attn_norm: norm(r.norm_in && !first, Slot::AttnNorm)?,
            qkv: self.qkv(index)?,
            q_norm: self.qk_norm(Slot::QueryNorm, index, a.heads)?,
            k_norm: self.qk_norm(Slot::KeyNorm, index, a.kv_heads)?,
            attn_out: self.linear(
                Slot::AttnOut,
                index,
                spec.hidden,
                a.heads * a.head_dim,
                a.out_bias,
            )?,
            attn_out_norm: norm(r.norm_out, Slot::AttnOutNorm)?,
            attn_sum_norm: norm(r.norm_sum, Slot::AttnSumNorm)?,
            mlp_norm: norm(
                r.norm_in && r.parallel != Parallel::SharedNorm,
                Slot::MlpNorm,
            )?,
            mlp: match spec.moe {
                Some(moe) if spec.layers[index].moe => self.experts(index, &moe)?,
                _ => FeedForward::Dense(self.mlp(index)?),
            },
            mlp_out_norm: norm(r.norm_out, Slot::MlpOutNorm)?,
            mlp_sum_norm: norm(r.norm_sum, Slot::MlpSumNorm)?,
        })
    }

    /// Queries, keys and values, fused in the file or not.
    fn qkv(&self, layer: usize) -> Result<Linear<B>> {
        let a = &self.spec.attention;
        let (q, kv) = (a.heads * a.head_dim, a.kv_heads * a.head_dim);
        let rows = q + 2 * kv;
        if self.weight(Slot::Qkv, layer, 0)?.is_some() {
            let mut part = self.part(Slot::Qkv, layer, 0)?;
            let mut bias = self.bias(Slot::Qkv, layer, a.qkv_bias, rows)?;
            if self.spec.names.qkv_rows == crate::names::QkvRows::PerHead {
                part = part.heads_apart(a.heads, a.head_dim)?;
                bias = bias.map(|b| part::heads_apart(&b, a.heads, a.head_dim));
            }
            return Ok(self.with_bias(
                self.pack(&[part], rows, self.spec.hidden)?,
                bias,
                rows,
                self.spec.hidden,
            ));
        }
        let slots = [(Slot::Query, q), (Slot::Key, kv), (Slot::Value, kv)];
        self.stacked(&slots, layer, a.qkv_bias, self.spec.hidden)
    }

    /// Matrices of several slots stacked along their rows.
    fn stacked(
        &self,
        slots: &[(Slot, usize)],
        layer: usize,
        presence: Presence,
        cols: usize,
    ) -> Result<Linear<B>> {
        let mut parts = Vec::with_capacity(slots.len());
        let mut bias = Vec::new();
        let mut any_bias = false;
        for &(slot, rows) in slots {
            let part = self.part(slot, layer, 0)?;
            if part.rows != rows {
                return Err(part.shape_error(format!("[{rows}, {cols}]")));
            }
            parts.push(part);
            let own = self.bias(slot, layer, presence, rows)?;
            any_bias |= own.is_some();
            bias.extend(own.unwrap_or_else(|| vec![0.0; rows]));
        }
        let rows = bias.len();
        let weight = self.pack(&parts, rows, cols)?;
        Ok(self.with_bias(weight, any_bias.then_some(bias), rows, cols))
    }

    fn mlp(&self, layer: usize) -> Result<Mlp<B>> {
        let (m, hidden) = (self.spec.mlp, self.spec.hidden);
        let up = if !m.gated {
            self.linear(Slot::Up, layer, m.inner, hidden, m.bias)?
        } else if self.weight(Slot::Gate, layer, 0)?.is_some() {
            self.stacked(
                &[(Slot::Gate, m.inner), (Slot::Up, m.inner)],
                layer,
                m.bias,
                hidden,
            )?
        } else {
            self.linear(Slot::GateUp, layer, 2 * m.inner, hidden, m.bias)?
        };
        let down = self.linear(Slot::Down, layer, hidden, m.inner, m.bias)?;
        Ok(Mlp {
            up,
            down,
            inner: m.inner,
        })
    }

    fn experts(&self, layer: usize, moe: &MoeSpec) -> Result<FeedForward<B>> {
        let hidden = self.spec.hidden;
        let router = self.linear(Slot::Router, layer, moe.experts, hidden, Presence::No)?;
        let experts = (0..moe.experts)
            .map(|e| self.expert(layer, e, moe))
            .collect::<Result<_>>()?;
        let shared = moe
            .shared_inner
            .map(|inner| self.shared(layer, inner))
            .transpose()?;
        Ok(FeedForward::Experts {
            router,
            experts,
            shared,
        })
    }

    fn expert(&self, layer: usize, expert: usize, moe: &MoeSpec) -> Result<Mlp<B>> {
        let (hidden, inner) = (self.spec.hidden, moe.inner);
        let part = |slot, rows: usize, cols: usize| {
            let tensor = self.needed(slot, layer, expert)?;
            let part = if tensor.shape.len() == 3 {
                Part::slice(tensor, expert, moe.experts)?
            } else {
                Part::matrix(tensor)?
            };
            if (part.rows, part.cols) == (rows, cols) {
                Ok(part)
            } else {
                Err(part.shape_error(format!("[{rows}, {cols}]")))
            }
        };
        let up = self.pack(
            &[
                part(Slot::ExpertGate, inner, hidden)?,
                part(Slot::ExpertUp, inner, hidden)?,
            ],
            2 * inner,
            hidden,
        )?;
        let down = self.pack(&[part(Slot::ExpertDown, hidden, inner)?], hidden, inner)?;
        Ok(Mlp {
            up: self.with_bias(up, None, 2 * inner, hidden),
            down: self.with_bias(down, None, hidden, inner),
            inner,
        })
    }

    fn shared(&self, layer: usize, inner: usize) -> Result<Shared<B>> {
        let hidden = self.spec.hidden;
        // One row, which GGUF files hold without its dimension.
        let gate = Part::row(self.needed(Slot::SharedRouter, layer, 0)?);
        let gate = self.with_bias(self.pack(&[gate], 1, hidden)?, None, 1, hidden);
        let up = self.stacked(
            &[(Slot::SharedGate, inner), (Slot::SharedUp, inner)],
            layer,
            Presence::No,
            hidden,
        )?;
        let down = self.linear(Slot::SharedDown, layer, hidden, inner, Presence::No)?;
        Ok(Shared {
            gate,
            mlp: Mlp { up, down, inner },
        })
    }

    /// Whether the file holds a slot's matrix.
    pub(crate) fn has(&self, slot: Slot) -> Result<bool> {
        Ok(self.weight(slot, 0, 0)?.is_some())
    }

    /// A small matrix as plain values.
    pub(crate) fn values(&self, slot: Slot, len: usize) -> Result<Vec<f32>> {
        values(&self.needed(slot, 0, 0)?, len)
    }

    /// Refuses a file with tensors that nothing has read.
    pub(crate) fn finish(&self) -> Result<()> {
        let taken = self.taken.borrow();
        let unused = self.spec.names.unused;
        let mut left = self.source.names().into_iter().filter(|name| {
            !taken.contains(*name) && !unused.iter().any(|part| name.contains(part))
        });
        match left.next() {
            Some(first) => Err(ModelError::UnexpectedTensor {
                name: first.to_owned(),
                count: 1 + left.count(),
                family: self.spec.family,
            }),
            None => Ok(()),
        }
    }
}

/// A tensor's values as `f32`; `len` of them.
fn values(tensor: &Tensor<'_>, len: usize) -> Result<Vec<f32>> {
    if tensor.len() != len {
        return Err(ModelError::TensorShape {
            name: tensor.name.to_owned(),
            found: tensor.shape.to_vec(),
            expected: format!("{len} values"),
        });
    }
    let mut out = vec![0.0; len];
    dequantize(tensor.ty, tensor.bytes, &mut out)?;
    Ok(out)
}

/// Completes a specification by what GGUF files hold in tensors only: the rows of the embedding, and the factors of ropes.
/// Returns the names of the tensors that it took all of.
pub(crate) fn complete(source: &dyn TensorSource, spec: &mut ModelSpec) -> Result<Vec<String>> {
    let mut taken = Vec::new();
    let names = spec.names;
    if spec.vocab == 0
        && let Some(name) = names.get(Slot::Embed)
    {
        spec.vocab = source
            .require(&format!("{name}.weight"))?
            .shape
            .first()
            .copied()
            .unwrap_or(0);
    }
    let family = spec.family;
    let mut read = |slot: Slot, pairs: usize| -> Result<Option<Vec<f32>>> {
        let Some(name) = names.get(slot).map(|n| format!("{n}.weight")) else {
            return Ok(None);
        };
        let Some(tensor) = source.tensor(&name)? else {
            return Ok(None);
        };
        let factors = values(&tensor, pairs)?;
        taken.push(name);
        Ok(Some(factors))
    };
    for rope in &mut spec.ropes {
        let pairs = rope.dims / 2;
        match &mut rope.scaling {
            RopeScaling::None => {
                if let Some(factors) = read(Slot::RopeFactors, pairs)? {
                    rope.scaling = RopeScaling::Factors(factors);
                }
            }
            RopeScaling::LongRope { short, long, .. } if short.is_empty() => {
                let missing = |name: &str| ModelError::MissingTensor {
                    name: name.to_owned(),
                    family,
                };
                *short = read(Slot::RopeShortFactors, pairs)?
                    .ok_or_else(|| missing("rope_factors_short.weight"))?;
                *long = read(Slot::RopeLongFactors, pairs)?
                    .ok_or_else(|| missing("rope_factors_long.weight"))?;
            }
            _ => {}
        }
    }
    Ok(taken)
}
