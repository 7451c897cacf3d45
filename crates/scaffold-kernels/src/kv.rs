//! The cache of keys and values, in blocks of positions.

mod copy;

use std::fmt;
use std::ops::Range;

use scaffold_error::{Error, err};

use crate::{
    cpu::Cpu,
    exec::Exec,
    line::{Line, lines},
    mapped::{Mapped, no_memory, too_large},
    shared::SharedMut,
    simd::{Kernel, Simd},
    spans::AttendSpan,
};

/// How cached keys and values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KvType {
    /// 32-bit floats: nothing is lost.
    F32,
    /// 16-bit floats.
    #[default]
    F16,
    /// Signed 8-bit integers with an f32 scale for each 32 values of a head.
    Q8,
}

impl KvType {
    /// Every one, the largest first.
    pub const ALL: [Self; 3] = [Self::F32, Self::F16, Self::Q8];

    /// Bytes of one value, without scales.
    const fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
            Self::Q8 => 1,
        }
    }
}

impl fmt::Display for KvType {
    /// As settings spell it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Q8 => "q8",
        })
    }
}

/// Sizes of a [`KvStore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KvShape {
    /// Layers that cache keys and values.
    pub layers: usize,
    /// Key and value heads of a layer.
    pub kv_heads: usize,
    /// Values of one key head.
    pub k_dim: usize,
    /// Values of one value head.
    pub v_dim: usize,
    /// Positions in a block: a multiple of 16.
    pub block_tokens: usize,
    /// Blocks, shared by all sequences; a block holds all layers of its positions.
    pub blocks: usize,
}

/// Positions whose keys lie lane by lane.
pub(crate) const KEYS: usize = 16;
/// Values of a head that share a scale in 8-bit stores.
const GROUP: usize = 32;

impl KvShape {
    /// Bytes that a store of this shape and type takes; `None` if that does not fit a `usize`.
    pub fn bytes(&self, ty: KvType) -> Option<usize> {
        let head = Layout::new(self, ty).head_lines.checked_mul(64)?;
        let heads = self.layers.checked_mul(self.kv_heads)?.checked_mul(self.blocks)?;
        heads.checked_mul(head)
    }

    fn check(&self) -> Result<(), Error> {
        let fields = [
            ("layers", self.layers),
            ("kv_heads", self.kv_heads),
            ("k_dim", self.k_dim),
            ("v_dim", self.v_dim),
            ("block_tokens", self.block_tokens),
        ];
        for (what, found) in fields {
            if found == 0 || found > 1 << 20 {
                return Err(bad_shape(what, found, "it has to be between 1 and 1048576"));
            }
        }
        if !self.block_tokens.is_multiple_of(KEYS) {
            let need = "it has to be a multiple of 16";
            return Err(bad_shape("block_tokens", self.block_tokens, need));
        }
        Ok(())
    }
}

fn bad_shape(what: &str, found: usize, need: &str) -> Error {
    err!(Usage, "a KV store with {what} = {found} cannot be made: {need}")
}

/// Where things lie within one head's part of one block, in bytes.
#[derive(Debug, Clone, Copy)]
struct Layout {
    /// 16 positions of keys: `[k_dim][16]`.
    key_group: usize,
    /// Scales of 16 positions of keys: `[groups of 32 values][16]` f32.
    key_group_scales: usize,
    /// One position of values, filled up to 16.
    value: usize,
    /// Scales of one position of values.
    value_scales: usize,
    key_scales_at: usize,
    values_at: usize,
    value_scales_at: usize,
    head_lines: usize,
}

impl Layout {
    fn new(shape: &KvShape, ty: KvType) -> Self {
        let scaled = usize::from(ty == KvType::Q8);
        let groups = shape.block_tokens / KEYS;
        let key_group = shape.k_dim * KEYS * ty.bytes();
        let key_group_scales = scaled * shape.k_dim.div_ceil(GROUP) * KEYS * 4;
        let value = shape.v_dim.next_multiple_of(16) * ty.bytes();
        let value_scales = scaled * shape.v_dim.div_ceil(GROUP) * 4;
        let key_scales_at = lines(groups * key_group) * 64;
        let values_at = key_scales_at + groups * key_group_scales;
        let value_scales_at = values_at + lines(shape.block_tokens * value) * 64;
        let end = value_scales_at + shape.block_tokens * value_scales;
        Self {
            key_group,
            key_group_scales,
            value,
            value_scales,
            key_scales_at,
            values_at,
            value_scales_at,
            head_lines: lines(end),
        }
    }
}

/// 16 positions of one head.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) layer: usize,
    pub(crate) head: usize,
    pub(crate) block: u32,
    /// The first position within the block: a multiple of 16.
    pub(crate) first: usize,
}

/// Keys and values of all layers, in blocks that sequences borrow from one pool.
///
/// Keys are stored transposed, 16 positions in the lanes of a register, values row by row.
pub struct KvStore {
    shape: KvShape,
    ty: KvType,
    layout: Layout,
    data: Mapped<Line>,
}

impl KvStore {
    /// A store with all zeros.
    ///
    /// # Errors
    /// When a size is zero, when `block_tokens` is not a multiple of 16, or when the store would be
    /// larger than the address space or the system has not enough memory.
    pub fn new(shape: KvShape, ty: KvType) -> Result<Self, Error> {
        shape.check()?;
        let bytes = shape.bytes(ty).filter(|&b| isize::try_from(b).is_ok()).ok_or_else(|| {
            let sizes =
                [shape.layers, shape.blocks, shape.kv_heads, shape.block_tokens, shape.k_dim];
            too_large("a KV store", &sizes)
        })?;
        // Zeroed memory comes from the system untouched: blocks cost memory when they are used.
        let data = Mapped::parts(bytes / 64).ok_or_else(|| no_memory("a KV store", bytes))?;
        Ok(Self { shape, ty, layout: Layout::new(&shape, ty), data })
    }

    /// The sizes.
    pub fn shape(&self) -> KvShape {
        self.shape
    }

    /// How values are stored.
    pub fn kv_type(&self) -> KvType {
        self.ty
    }

    /// Memory that the store takes.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.data)
    }

    /// Stores keys `[rows, kv_heads, k_dim]` and values `[rows, kv_heads, v_dim]` of the spans'
    /// rows, one span after the other.
    ///
    /// # Panics
    /// If sizes do not fit, or a block table is too short or names a block that is not there.
    pub fn write(
        &mut self,
        exec: &Exec,
        layer: usize,
        k: &[f32],
        v: &[f32],
        spans: &[AttendSpan<'_>],
    ) {
        let KvShape { kv_heads, k_dim, v_dim, .. } = self.shape;
        let rows: usize = spans.iter().map(|span| span.rows).sum();
        assert_eq!(k.len(), rows * kv_heads * k_dim, "keys of {rows} rows");
        assert_eq!(v.len(), rows * kv_heads * v_dim, "values of {rows} rows");
        self.check(layer, spans);
        let (shape, ty, layout) = (self.shape, self.ty, self.layout);
        let shared = SharedMut::new(&mut self.data);
        exec.over_rows(kv_heads, rows * (k_dim + v_dim), &|first, count| {
            for head in first..first + count {
                let mut row = 0;
                for span in spans {
                    for position in span.start..span.start + span.rows {
                        let block = span.blocks[position / shape.block_tokens];
                        let range = head_range(&shape, &layout, layer, block, head);
                        let at = row * kv_heads + head;
                        let write = WriteRow {
                            // SAFETY: every head is given to one call, and a head's part of a
                            // block is borrowed for one row at a time.
                            bytes: bytemuck::cast_slice_mut(unsafe { shared.range(range) }),
                            ty,
                            layout,
                            slot: position % shape.block_tokens,
                            k: &k[at * k_dim..(at + 1) * k_dim],
                            v: &v[at * v_dim..(at + 1) * v_dim],
                        };
                        write.run();
                        row += 1;
                    }
                }
            }
        });
    }

    /// Panics unless the spans' block tables cover their rows.
    pub(crate) fn check(&self, layer: usize, spans: &[AttendSpan<'_>]) {
        assert!(layer < self.shape.layers, "layer {layer} of {}", self.shape.layers);
        for span in spans {
            let needed = (span.start + span.rows).div_ceil(self.shape.block_tokens);
            assert!(
                span.blocks.len() >= needed,
                "{} blocks where {needed} are needed",
                span.blocks.len()
            );
            let there = |&block: &u32| (block as usize) < self.shape.blocks;
            assert!(
                span.blocks[..needed].iter().all(there),
                "a block beyond {}",
                self.shape.blocks
            );
        }
    }

    /// Reads 16 positions as f32: keys as `[k_dim]` rows of 16 lanes written to `keys[d][at]`,
    /// values row by row.
    pub(crate) fn read(
        &self,
        cpu: Cpu,
        place: Place,
        keys: &mut [[[f32; 16]; 4]],
        at: usize,
        values: &mut [f32],
    ) {
        let bytes = bytemuck::cast_slice(&self.data[self.head_range(place)]);
        let (ty, layout, first) = (self.ty, self.layout, place.first);
        cpu.run(ReadGroup { bytes, ty, layout, first, keys, at, values });
    }

    /// Asks for what [`KvStore::read`] will read, ahead of it.
    pub(crate) fn ask(&self, cpu: Cpu, place: Place) {
        let (layout, first) = (&self.layout, place.first);
        let bytes: &[u8] = bytemuck::cast_slice(&self.data[self.head_range(place)]);
        let keys = &bytes[first / KEYS * layout.key_group..][..layout.key_group];
        let values = &bytes[layout.values_at + first * layout.value..][..KEYS * layout.value];
        cpu.run(Ask([keys, values]));
    }

    fn head_range(&self, place: Place) -> Range<usize> {
        head_range(&self.shape, &self.layout, place.layer, place.block, place.head)
    }
}

struct Ask<'a>([&'a [u8]; 2]);

impl Kernel for Ask<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for bytes in self.0 {
            for line in bytes.chunks(64) {
                s.prefetch(line.as_ptr());
            }
        }
    }
}

impl fmt::Debug for KvStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KvStore")
            .field("shape", &self.shape)
            .field("type", &self.ty)
            .finish_non_exhaustive()
    }
}

/// The lines of one head in one block of one layer.
fn head_range(
    shape: &KvShape,
    layout: &Layout,
    layer: usize,
    block: u32,
    head: usize,
) -> Range<usize> {
    let index = (layer * shape.blocks + block as usize) * shape.kv_heads + head;
    index * layout.head_lines..(index + 1) * layout.head_lines
}

/// 16 positions of one head, as f32.
struct ReadGroup<'a> {
    bytes: &'a [u8],
    ty: KvType,
    layout: Layout,
    first: usize,
    keys: &'a mut [[[f32; 16]; 4]],
    at: usize,
    values: &'a mut [f32],
}

impl Kernel for ReadGroup<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { bytes, ty, layout, first, keys, at, values } = self;
        let group = first / KEYS;
        let key_bytes = &bytes[group * layout.key_group..][..layout.key_group];
        let value_bytes = &bytes[layout.values_at + first * layout.value..][..KEYS * layout.value];
        match ty {
            KvType::F32 => {
                let source: &[[f32; 16]] = bytemuck::cast_slice(key_bytes);
                for (key, source) in keys.iter_mut().zip(source) {
                    key[at] = *source;
                }
                values.copy_from_slice(bytemuck::cast_slice(value_bytes));
            }
            KvType::F16 => {
                let source: &[[u16; 16]] = bytemuck::cast_slice(key_bytes);
                for (key, source) in keys.iter_mut().zip(source) {
                    s.store(s.load_f16(source), &mut key[at]);
                }
                let source: &[[u16; 16]] = bytemuck::cast_slice(value_bytes);
                for (value, source) in values.as_chunks_mut::<16>().0.iter_mut().zip(source) {
                    s.store(s.load_f16(source), value);
                }
            }
            KvType::Q8 => {
                let scales = &bytes[layout.key_scales_at + group * layout.key_group_scales..];
                let scales: &[[f32; 16]] = bytemuck::cast_slice(&scales[..layout.key_group_scales]);
                let source = key_bytes.as_chunks::<16>().0;
                for (d, (key, source)) in keys.iter_mut().zip(source).enumerate() {
                    s.store(s.mul(s.load_i8(source), s.load(&scales[d / GROUP])), &mut key[at]);
                }
                let scales = &bytes[layout.value_scales_at + first * layout.value_scales..];
                let scales: &[f32] = bytemuck::cast_slice(&scales[..KEYS * layout.value_scales]);
                let (row, groups) = (values.len() / KEYS, layout.value_scales / 4);
                let source = value_bytes.as_chunks::<16>().0;
                for (i, (value, source)) in
                    values.as_chunks_mut::<16>().0.iter_mut().zip(source).enumerate()
                {
                    let scale = scales[i * 16 / row * groups + i * 16 % row / GROUP];
                    s.store(s.mul(s.load_i8(source), s.splat(scale)), value);
                }
            }
        }
    }
}

struct WriteRow<'a> {
    bytes: &'a mut [u8],
    ty: KvType,
    layout: Layout,
    slot: usize,
    k: &'a [f32],
    v: &'a [f32],
}

impl WriteRow<'_> {
    fn run(self) {
        let layout = &self.layout;
        let (group, lane) = (self.slot / KEYS, self.slot % KEYS);
        let (keys, rest) = self.bytes.split_at_mut(layout.key_scales_at);
        let (key_scales, rest) = rest.split_at_mut(layout.values_at - layout.key_scales_at);
        let (values, value_scales) = rest.split_at_mut(layout.value_scales_at - layout.values_at);
        let keys = &mut keys[group * layout.key_group..][..layout.key_group];
        let values = &mut values[self.slot * layout.value..][..layout.value];
        match self.ty {
            KvType::F32 => {
                let keys: &mut [[f32; KEYS]] = bytemuck::cast_slice_mut(keys);
                for (key, k) in keys.iter_mut().zip(self.k) {
                    key[lane] = *k;
                }
                let values: &mut [f32] = bytemuck::cast_slice_mut(values);
                values[..self.v.len()].copy_from_slice(self.v);
            }
            KvType::F16 => {
                let keys: &mut [[u16; KEYS]] = bytemuck::cast_slice_mut(keys);
                for (key, k) in keys.iter_mut().zip(self.k) {
                    key[lane] = half::f16::from_f32(*k).to_bits();
                }
                let values: &mut [u16] = bytemuck::cast_slice_mut(values);
                for (value, v) in values.iter_mut().zip(self.v) {
                    *value = half::f16::from_f32(*v).to_bits();
                }
            }
            KvType::Q8 => {
                let scales =
                    &mut key_scales[group * layout.key_group_scales..][..layout.key_group_scales];
                let scales: &mut [[f32; KEYS]] = bytemuck::cast_slice_mut(scales);
                for (g, k) in self.k.chunks(GROUP).enumerate() {
                    let (scale, inverse) = scale_of(k);
                    scales[g][lane] = scale;
                    for (i, k) in k.iter().enumerate() {
                        keys[(g * GROUP + i) * KEYS + lane] = code(*k, inverse);
                    }
                }
                let scales =
                    &mut value_scales[self.slot * layout.value_scales..][..layout.value_scales];
                let scales: &mut [f32] = bytemuck::cast_slice_mut(scales);
                for (g, v) in self.v.chunks(GROUP).enumerate() {
                    let (scale, inverse) = scale_of(v);
                    scales[g] = scale;
                    for (value, v) in values[g * GROUP..].iter_mut().zip(v) {
                        *value = code(*v, inverse);
                    }
                }
            }
        }
    }
}

fn scale_of(values: &[f32]) -> (f32, f32) {
    let largest = values.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    (largest / 127.0, if largest > 0.0 { 127.0 / largest } else { 0.0 })
}

fn code(value: f32, inverse: f32) -> u8 {
    ((value * inverse).round_ties_even() as i8).cast_unsigned()
}
