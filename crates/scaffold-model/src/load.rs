//! From a file's tensors to packed weights: names by slot, shapes checked, one tensor at a time.

mod complete;
mod layers;
mod part;
mod values;

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::time::Instant;

use scaffold_error::{Error, err};
use scaffold_formats::{Tensor, TensorSource};

use crate::backend::{Backend, Linear, Norm};
use crate::names::{Slot, fill};
use crate::packed::{PackedStore, StoredMatrix};
use crate::precision::{Packing, Precision};
use crate::profile::Stage;
use crate::spec::{Kind, ModelSpec, NormSpec, Presence};
pub(crate) use complete::complete;
use complete::missing_tensor;
use part::Part;
use values::values;

type Result<T> = std::result::Result<T, Error>;

/// How weights are loaded.
#[derive(Clone, Copy)]
pub struct LoadOptions<'a> {
    /// As they are stored, dequantized to `f32` for exact comparisons (several times the memory),
    /// or floats as blocks (an eighth to half of the memory).
    pub precision: Precision,
    /// Where packed weights are kept between runs, if anywhere.
    pub store: Option<&'a dyn PackedStore>,
    /// Hears the memory of the matrices that are there, in bytes, after each; an error ends the
    /// loading.
    pub loaded: Option<&'a dyn Fn(usize) -> Result<()>>,
}

impl Default for LoadOptions<'_> {
    fn default() -> Self {
        Self { precision: Precision::Native, store: None, loaded: None }
    }
}

impl fmt::Debug for LoadOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadOptions").field("precision", &self.precision).finish_non_exhaustive()
    }
}

/// Loads weights of one model for one backend.
pub(crate) struct Loader<'a, B: Backend> {
    source: &'a dyn TensorSource,
    spec: &'a ModelSpec,
    backend: &'a B,
    packing: Packing<'a>,
    store: Option<&'a dyn PackedStore>,
    loaded: Option<&'a dyn Fn(usize) -> Result<()>>,
    prefix: &'static str,
    taken: RefCell<HashSet<String>>,
    bytes: RefCell<usize>,
}

impl<'a, B: Backend> Loader<'a, B> {
    pub(crate) fn new(
        source: &'a dyn TensorSource,
        spec: &'a ModelSpec,
        backend: &'a B,
        options: &LoadOptions<'a>,
    ) -> Self {
        let mut loader = Self {
            source,
            spec,
            backend,
            packing: Packing::new(options.precision, spec, source),
            store: options.store,
            loaded: options.loaded,
            prefix: "",
            taken: RefCell::default(),
            bytes: RefCell::new(0),
        };
        // The embedding tells where the body is, or the last norm where only the head's copy of it
        // was saved.
        for slot in [Slot::FinalNorm, Slot::Embed] {
            let Some(name) = spec.names.get(slot).map(|name| fill(name, 0, 0)) else {
                continue;
            };
            for prefix in spec.names.prefixes {
                if source.info(&format!("{prefix}{name}.weight")).is_some() {
                    loader.prefix = prefix;
                }
            }
        }
        loader
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
            .ok_or_else(|| self.missing(&format!("{slot:?} of layer {layer}")))?;
        // Only what belongs to the model's body carries its prefix; heads stand beside it.
        Ok(format!("{}{}", self.prefix, fill(template, layer, expert)))
    }

    fn missing(&self, name: &str) -> Error {
        let promised = self.source.broken_promise(name);
        promised.unwrap_or_else(|| missing_tensor(name, self.spec.family))
    }

    /// A tensor by its full name, also under the name without the prefix, where heads are.
    fn find(&self, name: &str) -> Result<Option<Tensor<'a>>> {
        let bare = name.strip_prefix(self.prefix).unwrap_or(name);
        for name in [name, bare] {
            if let Some(tensor) = self.source.tensor(name)? {
                // The name that it is stored by, where it has several.
                self.taken.borrow_mut().insert(tensor.name.to_owned());
                return Ok(Some(tensor));
            }
        }
        Ok(None)
    }

    /// A slot's weight; norms of the oldest checkpoints are called `gamma` and `beta`.
    fn weight(&self, slot: Slot, layer: usize, expert: usize) -> Result<Option<Tensor<'a>>> {
        for template in self.spec.names.all(slot) {
            let name = format!("{}{}", self.prefix, fill(template, layer, expert));
            for ending in ["weight", "gamma"] {
                if let Some(found) = self.find(&format!("{name}.{ending}"))? {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    fn needed(&self, slot: Slot, layer: usize, expert: usize) -> Result<Tensor<'a>> {
        let found = self.weight(slot, layer, expert)?;
        found.ok_or_else(|| match self.name(slot, layer, expert) {
            Ok(name) => self.missing(&format!("{name}.weight")),
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
            None if presence == Presence::Yes => Err(self.missing(&format!("{name}.bias"))),
            None => Ok(None),
        }
    }

    /// Packs parts into one matrix `[rows, cols]`, and lets go of their pages.
    fn pack(&self, parts: &[Part<'_>], rows: usize, cols: usize) -> Result<B::Matrix> {
        for part in parts {
            if part.cols != cols {
                return Err(part.shape_error(&format!("{cols} inputs")));
            }
        }
        let found: usize = parts.iter().map(|p| p.rows).sum();
        if found != rows {
            return Err(parts[0].shape_error(&format!("{rows} rows in all, not {found}")));
        }
        let matrix = match self.store {
            Some(store) => self.kept_or_packed(store, parts, cols)?,
            None => self.packed(parts)?,
        };
        *self.bytes.borrow_mut() += self.backend.matrix_bytes(&matrix);
        if let Some(loaded) = self.loaded {
            loaded(self.weight_bytes())?;
        }
        Ok(matrix)
    }

    fn packed(&self, parts: &[Part<'_>]) -> Result<B::Matrix> {
        let arranged: Vec<_> = parts.iter().map(Part::arranged).collect();
        let sources: Vec<_> = parts
            .iter()
            .zip(&arranged)
            .map(|(part, bytes)| part.source(bytes, &self.packing))
            .collect();
        let matrix = self.backend.matrix(&sources).map_err(|error| match parts {
            [part] => error.of_tensor(part.name),
            _ => error,
        })?;
        for part in parts {
            self.source.release(part.name);
        }
        Ok(matrix)
    }

    /// The matrix that the store has, without a look at the tensors' bytes, or a new one, which it
    /// then hears of.
    fn kept_or_packed(
        &self,
        store: &dyn PackedStore,
        parts: &[Part<'_>],
        cols: usize,
    ) -> Result<B::Matrix> {
        let labels: Vec<_> = parts.iter().map(Part::label).collect();
        let name = labels.join("+");
        let fits = |kept: &StoredMatrix| {
            let rows = kept.parts.iter().map(|(_, rows)| *rows);
            kept.cols == cols && rows.eq(parts.iter().map(|part| part.rows))
        };
        if let Some(kept) = store.get(&name).filter(fits)
            && let Some(matrix) = self.backend.stored(kept)?
        {
            return Ok(matrix);
        }
        let start = Instant::now();
        let matrix = self.packed(parts)?;
        if let Some(stored) = self.backend.store(&matrix) {
            store.packed(&name, stored, start.elapsed());
        }
        Ok(matrix)
    }

    /// The embedding of a decoder, and whether it is also the output matrix. `tied` is what the
    /// configuration says of that: one of the two is then enough, and where both are stored and are
    /// not the same, each is used as it is stored.
    pub(crate) fn embedding(&self, vocab: usize, tied: Option<bool>) -> Result<(B::Matrix, bool)> {
        let embed = self.weight(Slot::Embed, 0, 0)?;
        let head = self.weight(Slot::Head, 0, 0)?;
        let shared = match (tied, &embed, &head) {
            (Some(true), Some(a), Some(b)) => {
                a.ty == b.ty && a.shape == b.shape && a.bytes == b.bytes
            }
            (Some(tied), ..) => tied,
            (None, _, head) => head.is_none(),
        };
        let tensor = match (embed, head) {
            (Some(embed), _) => embed,
            (None, Some(head)) if shared => head,
            (None, _) => self.needed(Slot::Embed, 0, 0)?,
        };
        let weight = self.pack(&[Part::matrix(tensor)?], vocab, self.spec.hidden)?;
        Ok((weight, shared))
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
        Ok(self.with_bias(slot.stage(), weight, bias, rows, cols))
    }

    fn with_bias(
        &self,
        stage: Stage,
        weight: B::Matrix,
        bias: Option<Vec<f32>>,
        rows: usize,
        cols: usize,
    ) -> Linear<B> {
        Linear { weight, bias: bias.map(|b| self.backend.vector(&b)), rows, cols, stage }
    }

    /// One slot's matrix as the file has it, transposed to `[out, in]`.
    fn part(&self, slot: Slot, layer: usize, expert: usize) -> Result<Part<'a>> {
        let part = Part::matrix(self.needed(slot, layer, expert)?)?;
        if self.spec.names.transposed && slot != Slot::Head { part.transposed() } else { Ok(part) }
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

    /// A small matrix as plain values.
    pub(crate) fn values(&self, slot: Slot, len: usize) -> Result<Vec<f32>> {
        values(&self.needed(slot, 0, 0)?, len)
    }

    /// Refuses a file with tensors that nothing has read, and one that has lost some of them
    /// meanwhile.
    pub(crate) fn finish(&self) -> Result<()> {
        self.source.check()?;
        let taken = self.taken.borrow();
        let info = |name: &&str| self.source.info(name);
        let mut left = self.source.names().into_iter().filter(|name| {
            let unused = || info(name).is_some_and(|info| self.spec.leaves_unused(&info));
            !taken.contains(*name) && !unused()
        });
        match left.next() {
            Some(first) => {
                let (count, family) = (1 + left.count(), self.spec.family);
                Err(err!(
                    Unsupported,
                    "the tensor `{first}` has no place in a {family} model with this configuration ({count} such in all); \
                     computing without it would give another model's results"
                )
                .of_tensor(first))
            }
            None => Ok(()),
        }
    }
}

/// Refuses a specification of the other kind.
pub(crate) fn wrong_kind(spec: &ModelSpec) -> Error {
    let (is, wanted, instead) = match spec.kind {
        Kind::Encoder(_) => ("an encoder", "a decoder", "it makes embeddings or scores, not text"),
        Kind::Decoder(_) => {
            ("a decoder", "an encoder", "it makes text; embeddings want an encoder model")
        }
    };
    err!(Unsupported, "this {} model is {is}, not {wanted}; {instead}", spec.family)
}
