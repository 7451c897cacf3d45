//! Heads for classifying texts, and for scoring pairs of them.

use scaffold_error::Error;

use crate::backend::{Backend, Linear, Norm};
use crate::layer::Work;
use crate::load::Loader;
use crate::names::Slot;
use crate::spec::{Activation, ClassifierPool, ClassifierSpec, Presence};

/// A pooled state, maybe a dense layer with an activation and a norm, one logit a label.
pub(super) struct Classifier<B: Backend> {
    pool: ClassifierPool,
    dense: Option<(Linear<B>, Activation)>,
    norm: Option<Norm<B>>,
    out: Linear<B>,
    hidden: usize,
}

impl<B: Backend> Classifier<B> {
    pub(super) fn load(
        loader: &Loader<'_, B>,
        spec: &ClassifierSpec,
        hidden: usize,
    ) -> Result<Self, Error> {
        let dense = spec.dense_activation.map(|activation| {
            let linear =
                loader.linear(Slot::ClassifierDense, 0, hidden, hidden, spec.dense_bias)?;
            Ok::<_, Error>((linear, activation))
        });
        Ok(Self {
            pool: spec.pool,
            dense: dense.transpose()?,
            norm: spec.norm.then(|| loader.norm(Slot::ClassifierNorm, 0)).transpose()?,
            out: loader.linear(Slot::ClassifierOut, 0, spec.labels.len(), hidden, Presence::Yes)?,
            hidden,
        })
    }

    /// The logits of each text, `[texts, labels]`, from the hidden states that `work` ends with.
    pub(super) fn scores(&self, b: &B, work: &mut Work<B>, lengths: &[usize]) -> Vec<f32> {
        let texts = lengths.len();
        let mut state = b.buffer(texts * self.hidden);
        match self.pool {
            ClassifierPool::First => {
                b.gather(&work.x, &first_tokens(lengths), self.hidden, &mut state);
            }
            ClassifierPool::Mean => {
                let mut token = 0;
                for (text, &length) in lengths.iter().enumerate() {
                    let ids: Vec<u32> = (token..token + length as u32).collect();
                    b.gather(&work.x, &ids, self.hidden, &mut work.normed);
                    let weights = vec![1.0 / length as f32; length];
                    b.scatter_add(
                        &work.normed,
                        &vec![text as u32; length],
                        &weights,
                        self.hidden,
                        &mut state,
                    );
                    token += length as u32;
                }
            }
        }
        if let Some((dense, activation)) = &self.dense {
            let mut out = b.buffer(texts * self.hidden);
            b.prepare(&dense.weight, &state, texts, &mut work.input);
            b.linear(dense, &work.input, texts, &mut out);
            b.activate(*activation, &mut out, texts * self.hidden);
            state = out;
        }
        if let Some(norm) = &self.norm {
            let mut out = b.buffer(texts * self.hidden);
            b.norm(norm, &state, texts, &mut out);
            state = out;
        }
        let mut logits = b.buffer(texts * self.out.rows);
        b.prepare(&self.out.weight, &state, texts, &mut work.input);
        b.linear(&self.out, &work.input, texts, &mut logits);
        b.read(&mut logits, texts * self.out.rows).to_vec()
    }
}

/// The first row of each text.
fn first_tokens(lengths: &[usize]) -> Vec<u32> {
    let mut next = 0;
    lengths
        .iter()
        .map(|&length| {
            let first = next;
            next += length as u32;
            first
        })
        .collect()
}
