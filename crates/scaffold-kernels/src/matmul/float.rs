//! Float weights times f32 activations.

use super::Task;
use crate::{
    BlockType,
    activations::Tile,
    simd::{Kernel, Simd},
};

pub(super) struct Multiply<'a>(pub(super) Task<'a>);

/// A float type as a type.
trait Float: 'static {
    type Stored: bytemuck::Pod;
    fn load<S: Simd>(s: S, column: &[Self::Stored; 16]) -> S::F;
}

struct F32;
struct F16;
struct BF16;

impl Float for F32 {
    type Stored = f32;
    #[inline(always)]
    fn load<S: Simd>(s: S, column: &[f32; 16]) -> S::F {
        s.load(column)
    }
}

impl Float for F16 {
    type Stored = u16;
    #[inline(always)]
    fn load<S: Simd>(s: S, column: &[u16; 16]) -> S::F {
        s.load_f16(column)
    }
}

impl Float for BF16 {
    type Stored = u16;
    #[inline(always)]
    fn load<S: Simd>(s: S, column: &[u16; 16]) -> S::F {
        s.load_bf16(column)
    }
}

impl Kernel for Multiply<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match self.0.section.ty {
            BlockType::F16 => self.0.float::<S, F16>(s),
            BlockType::BF16 => self.0.float::<S, BF16>(s),
            _ => self.0.float::<S, F32>(s),
        }
    }
}

impl Task<'_> {
    #[inline(always)]
    fn float<S: Simd, W: Float>(&self, s: S) {
        for panel in self.panels.clone() {
            let columns: &[W::Stored] =
                bytemuck::cast_slice(self.weight.panel_lines(self.section, panel));
            let columns = &columns.as_chunks::<16>().0[..self.weight.cols()];
            for index in self.tiles.clone() {
                let tile = self.x.tile(index);
                match tile.width {
                    1 => direct::<S, W, 1>(s, self, panel, columns, tile),
                    2 => direct::<S, W, 2>(s, self, panel, columns, tile),
                    // Only wide register files load tiles of more than two rows.
                    _ if S::REGISTERS < 32 => unreachable!("tiles of two rows"),
                    3 => direct::<S, W, 3>(s, self, panel, columns, tile),
                    4 => direct::<S, W, 4>(s, self, panel, columns, tile),
                    5 => direct::<S, W, 5>(s, self, panel, columns, tile),
                    _ => direct::<S, W, 6>(s, self, panel, columns, tile),
                }
            }
        }
    }
}

/// One panel times one tile of `T` rows.
#[inline(always)]
fn direct<S: Simd, W: Float, const T: usize>(
    s: S,
    task: &Task<'_>,
    panel: usize,
    columns: &[[W::Stored; 16]],
    tile: Tile<'_>,
) {
    let mut total = [s.splat(0.0); T];
    for (column, x) in columns.iter().zip(tile.floats.as_chunks::<T>().0) {
        let weight = W::load(s, column);
        for t in 0..T {
            total[t] = s.mul_add(weight, s.splat(x[t]), total[t]);
        }
    }
    for (t, total) in total.into_iter().enumerate() {
        let mut values = [0.0; 16];
        s.store(total, &mut values);
        task.write(panel, tile.row + t, &values);
    }
}
