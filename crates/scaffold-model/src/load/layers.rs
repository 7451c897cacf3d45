//! The weights of a layer, put together from slots that the file may hold fused, stacked or one by
//! one.

use super::part::{self, Part};
use super::values::values;
use super::{Loader, Result};
use crate::backend::{Backend, Linear};
use crate::layer::{FeedForward, HeadNorm, Layer, Mlp, Shared};
use crate::names::{QkvRows, Slot};
use crate::profile::Stage;
use crate::spec::{MoeSpec, Parallel, Presence, QkNormOver};

impl<B: Backend> Loader<'_, B> {
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
        let one_each =
            groups > 1 && self.spec.names.get(slot).is_some_and(|name| name.contains("{e}"));
        let weight = if one_each {
            let mut weight = Vec::new();
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
        Ok(Some(HeadNorm { norm: self.with_norm(qk.norm, weight, bias, cols), factors }))
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
            mlp_norm: norm(r.norm_in && r.parallel != Parallel::SharedNorm, Slot::MlpNorm)?,
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
            if self.spec.names.qkv_rows == QkvRows::PerHead {
                part = part.heads_apart(a.heads, a.head_dim)?;
                bias = bias.map(|b| part::heads_apart(&b, a.heads, a.head_dim));
            }
            return Ok(self.with_bias(
                Stage::Qkv,
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
                return Err(part.shape_error(&format!("[{rows}, {cols}]")));
            }
            parts.push(part);
            let own = self.bias(slot, layer, presence, rows)?;
            any_bias |= own.is_some();
            bias.extend(own.unwrap_or_else(|| vec![0.0; rows]));
        }
        let rows = bias.len();
        let weight = self.pack(&parts, rows, cols)?;
        Ok(self.with_bias(slots[0].0.stage(), weight, any_bias.then_some(bias), rows, cols))
    }

    fn mlp(&self, layer: usize) -> Result<Mlp<B>> {
        let (m, hidden) = (self.spec.mlp, self.spec.hidden);
        let up = if !m.gated {
            self.linear(Slot::Up, layer, m.inner, hidden, m.bias)?
        } else if self.weight(Slot::Gate, layer, 0)?.is_some() {
            self.stacked(&[(Slot::Gate, m.inner), (Slot::Up, m.inner)], layer, m.bias, hidden)?
        } else {
            self.linear(Slot::GateUp, layer, 2 * m.inner, hidden, m.bias)?
        };
        let down = self.linear(Slot::Down, layer, hidden, m.inner, m.bias)?;
        Ok(Mlp { up, down, inner: m.inner })
    }

    fn experts(&self, layer: usize, moe: &MoeSpec) -> Result<FeedForward<B>> {
        let hidden = self.spec.hidden;
        let router = self.linear(Slot::Router, layer, moe.experts, hidden, Presence::No)?;
        let experts =
            (0..moe.experts).map(|e| self.expert(layer, e, moe)).collect::<Result<_>>()?;
        let shared = moe.shared_inner.map(|inner| self.shared(layer, inner)).transpose()?;
        Ok(FeedForward::Experts { router, experts, shared })
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
                Err(part.shape_error(&format!("[{rows}, {cols}]")))
            }
        };
        let up = self.pack(
            &[part(Slot::ExpertGate, inner, hidden)?, part(Slot::ExpertUp, inner, hidden)?],
            2 * inner,
            hidden,
        )?;
        let down = self.pack(&[part(Slot::ExpertDown, hidden, inner)?], hidden, inner)?;
        Ok(Mlp {
            up: self.with_bias(Stage::FeedForwardUp, up, None, 2 * inner, hidden),
            down: self.with_bias(Stage::FeedForwardDown, down, None, hidden, inner),
            inner,
        })
    }

    fn shared(&self, layer: usize, inner: usize) -> Result<Shared<B>> {
        let hidden = self.spec.hidden;
        // One row, which GGUF files hold without its dimension.
        let gate = Part::row(self.needed(Slot::SharedRouter, layer, 0)?);
        let gate = self.with_bias(Stage::Route, self.pack(&[gate], 1, hidden)?, None, 1, hidden);
        let up = self.stacked(
            &[(Slot::SharedGate, inner), (Slot::SharedUp, inner)],
            layer,
            Presence::No,
            hidden,
        )?;
        let down = self.linear(Slot::SharedDown, layer, hidden, inner, Presence::No)?;
        Ok(Shared { gate, mlp: Mlp { up, down, inner } })
    }
}
