//! The inner loop, in assembly: the compiler knows no tiles.
//!
//! A *step* is one group of columns of one tile of activations. Tiles reach the vector registers
//! through memory, and a product takes longer than a step, so several steps are under way at a
//! time. Step n
//! 1. starts sums at the bias, loads activations and weights and multiplies them,
//! 2. stores the sums of step n-1 in a ring of four,
//! 3. scales the sums of step n-3 and adds them to the totals, which stay in registers.
//!
//! The tile instructions stand among those of the third part, for which the CPU has time while
//! they run. Steps follow each other from tile to tile without a break.

use std::arch::asm;

use crate::{
    activations::{BIAS_BITS, Tile, WHOLE},
    matmul::{
        Task,
        integer::unpacked::{Traits, Unpacked},
    },
    matrix::layout::BLOCK,
    simd::amx::Tiles,
};

/// Sums of a tile's rows with the rows of a panel.
pub(super) type Sums = [[f32; 16]; WHOLE];

/// Floats of a [`Ring`].
pub(super) const RING_LEN: usize = 5 * 256;

/// Four tiles of sums on their way to the totals, and one of biases.
pub(super) struct Ring<'a>(&'a mut [f32]);

impl<'a> Ring<'a> {
    /// Lays one out in `memory`, [`RING_LEN`] floats.
    pub(super) fn new(memory: &'a mut [f32]) -> Self {
        assert_eq!(memory.len(), RING_LEN);
        memory.fill(f32::from_bits(BIAS_BITS.cast_unsigned()));
        Self(memory)
    }
}

/// What the loop reads where one tile ends and the next begins. The assembly knows the fields by
/// their offsets.
#[repr(C)]
struct Places {
    /// 0: groups of a tile.
    groups: usize,
    /// 8: the first activations, and 16: from the end of a tile's groups to the next tile's.
    codes: *const [i32; 8],
    codes_jump: usize,
    /// 24: tiles whose products are to be started, and 32: whose sums are to be added.
    to_start: usize,
    to_add: usize,
    /// 40: the weights and 48: their scales.
    quads: *const u8,
    scales: *const f32,
    /// 56 and 64: from the end of a tile's scales and sums to the next tile's.
    x_scales_jump: usize,
    x_sums_jump: usize,
    /// 72: all tiles.
    tiles: usize,
}

/// All tiles of a task times some columns of a panel.
pub(super) struct Run<'a> {
    unpacked: &'a Unpacked<'a>,
    x: Tile<'a>,
    traits: Traits,
    tiles: usize,
    /// Blocks of a row.
    blocks: usize,
    /// The first block and the number of blocks.
    first: usize,
    count: usize,
}

/// Starts the product of a step: sums, activations, weights are in tiles `$sums`, `$x`, `$w`.
macro_rules! start {
    (0, $sums:literal, $x:literal, $w:literal) => {
        concat!("tileloadd 4096({ring},{row},2), %tmm", $sums, "\n")
    };
    (1, $sums:literal, $x:literal, $w:literal) => {
        concat!("tileloadd ({x},{row},1), %tmm", $x, "\n")
    };
    (2, $sums:literal, $x:literal, $w:literal) => {
        concat!("tileloadd ({w},{row},2), %tmm", $w, "\n")
    };
    (3, $sums:literal, $x:literal, $w:literal) => {
        concat!("tdpbssd %tmm", $w, ", %tmm", $x, ", %tmm", $sums, "\n")
    };
}

/// Stores the sums of tile `$sums` in slot `$slot` of the ring.
macro_rules! store {
    ($sums:literal, $slot:literal) => {
        concat!("tilestored %tmm", $sums, ", 1024*", $slot, "({ring},{row},2)\n")
    };
}

/// Goes on to the activations and weights of the next group: `$x` and `$w` bytes on, or at a
/// tile's end to the next tile (after the last to the first, whose product nobody will read).
macro_rules! advance {
    ($x:literal, $w:literal) => {
        concat!(
            "add $",
            $x,
            ", {x}\n",
            "add $",
            $w,
            ", {w}\n",
            "dec {starts}\n",
            "jne 3f\n",
            "mov 40({places}), {w}\n",
            "add 16({places}), {x}\n",
            "decq 24({places})\n",
            "jne 2f\n",
            "mov 72({places}), {starts}\n",
            "mov {starts}, 24({places})\n",
            "mov 8({places}), {x}\n",
            "2:\n",
            "mov ({places}), {starts}\n",
            "3:\n",
        )
    };
}

/// Adds row `$i` of slot `$slot` to the totals, by way of register `$t`.
macro_rules! add {
    (plain, $slot:literal, $i:literal, $t:literal) => {
        concat!(
            "vmovaps 1024*",
            $slot,
            "+64*",
            $i,
            "({ring}), %zmm",
            $t,
            "\n",
            "vfmadd213ps %zmm25, %zmm24, %zmm",
            $t,
            "\n",
            "vfmadd231ps 4*",
            $i,
            "({x_scales}){{1to16}}, %zmm",
            $t,
            ", %zmm",
            $i,
            "\n",
        )
    };
    (min, $slot:literal, $i:literal, $t:literal) => {
        concat!(
            add!(plain, $slot, $i, $t),
            "vfmadd231ps 4*",
            $i,
            "({x_sums}){{1to16}}, %zmm26, %zmm",
            $i,
            "\n",
        )
    };
}

/// Loads a group's scales, what takes the bias away, and minima.
macro_rules! load_scales {
    (plain) => {
        "vmovaps ({scales}), %zmm24\nvmovaps 64({scales}), %zmm25\n"
    };
    (min) => {
        concat!(load_scales!(plain), "vmovaps 128({scales}), %zmm26\n")
    };
}

/// Asks for the next lines of the weight: one, or four where steps are few.
macro_rules! ask {
    (1) => {
        "prefetcht1 ({ahead})\nadd $64, {ahead}\n"
    };
    (4) => {
        concat!(
            "prefetcht1 ({ahead})\nprefetcht1 64({ahead})\n",
            "prefetcht1 128({ahead})\nprefetcht1 192({ahead})\nadd $256, {ahead}\n",
        )
    };
}

/// A whole step: the tiles it starts, the tile and slot it stores, the slot it adds, and the bytes
/// to the next activations, weights, and activations' scales.
macro_rules! step {
    ($min:tt, $asked:tt, ($s:literal, $x:literal, $w:literal), $stored:literal, $to:literal, $from:literal,
     $x_step:literal, $w_step:literal, $scale_step:literal) => {
        concat!(
            load_scales!($min),
            start!(0, $s, $x, $w),
            add!($min, $from, 0, 16),
            add!($min, $from, 1, 17),
            add!($min, $from, 2, 18),
            start!(1, $s, $x, $w),
            add!($min, $from, 3, 19),
            add!($min, $from, 4, 20),
            add!($min, $from, 5, 21),
            start!(2, $s, $x, $w),
            add!($min, $from, 6, 22),
            add!($min, $from, 7, 23),
            add!($min, $from, 8, 16),
            start!(3, $s, $x, $w),
            add!($min, $from, 9, 17),
            add!($min, $from, 10, 18),
            add!($min, $from, 11, 19),
            store!($stored, $to),
            add!($min, $from, 12, 20),
            add!($min, $from, 13, 21),
            add!($min, $from, 14, 22),
            ask!($asked),
            add!($min, $from, 15, 23),
            advance!($x_step, $w_step),
            "add $192, {scales}\n",
            "add $",
            $scale_step,
            ", {x_scales}\n",
            "add $64, {x_sums}\n",
            "dec {adds}\n",
        )
    };
}

/// Moves the totals between registers and memory: `vmovaps` with its operands in either order.
macro_rules! totals {
    (store) => {
        totals!(each "vmovaps %zmm", ", 64*", "({sums})\n")
    };
    (load) => {
        concat!(
            "vmovaps ({sums}), %zmm0\nvmovaps 64({sums}), %zmm1\n",
            "vmovaps 128({sums}), %zmm2\nvmovaps 192({sums}), %zmm3\n",
            "vmovaps 256({sums}), %zmm4\nvmovaps 320({sums}), %zmm5\n",
            "vmovaps 384({sums}), %zmm6\nvmovaps 448({sums}), %zmm7\n",
            "vmovaps 512({sums}), %zmm8\nvmovaps 576({sums}), %zmm9\n",
            "vmovaps 640({sums}), %zmm10\nvmovaps 704({sums}), %zmm11\n",
            "vmovaps 768({sums}), %zmm12\nvmovaps 832({sums}), %zmm13\n",
            "vmovaps 896({sums}), %zmm14\nvmovaps 960({sums}), %zmm15\n",
        )
    };
    (each $a:literal, $b:literal, $c:literal) => {
        concat!(
            $a, 0, $b, 0, $c, $a, 1, $b, 1, $c, $a, 2, $b, 2, $c, $a, 3, $b, 3, $c,
            $a, 4, $b, 4, $c, $a, 5, $b, 5, $c, $a, 6, $b, 6, $c, $a, 7, $b, 7, $c,
            $a, 8, $b, 8, $c, $a, 9, $b, 9, $c, $a, 10, $b, 10, $c, $a, 11, $b, 11, $c,
            $a, 12, $b, 12, $c, $a, 13, $b, 13, $c, $a, 14, $b, 14, $c, $a, 15, $b, 15, $c,
        )
    };
}

/// At the end of a tile's groups: its totals go to memory, the next tile's come, or all is done.
macro_rules! next_tile {
    ($then:literal) => {
        concat!(
            totals!(store),
            "decq 32({places})\n",
            "je 90f\n",
            "add $1024, {sums}\n",
            totals!(load),
            "mov 48({places}), {scales}\n",
            "add 56({places}), {x_scales}\n",
            "add 64({places}), {x_sums}\n",
            "mov ({places}), {adds}\n",
            "jmp ",
            $then,
            "b\n",
        )
    };
}

/// The loop, for types without or with minima (`plain` or `min`). For even and odd steps: bytes to
/// the next activations and to the next activations' scales.
macro_rules! steps {
    ($min:tt, $asked:tt, $w:literal, $x_even:literal, $x_odd:literal, $s_even:literal, $s_odd:literal) => {
        concat!(
            start!(0, 0, 4, 6),
            start!(1, 0, 4, 6),
            start!(2, 0, 4, 6),
            start!(3, 0, 4, 6),
            advance!($x_even, $w),
            start!(0, 1, 5, 7),
            start!(1, 1, 5, 7),
            start!(2, 1, 5, 7),
            start!(3, 1, 5, 7),
            store!(0, 0),
            advance!($x_odd, $w),
            start!(0, 0, 4, 6),
            start!(1, 0, 4, 6),
            start!(2, 0, 4, 6),
            start!(3, 0, 4, 6),
            store!(1, 1),
            advance!($x_even, $w),
            totals!(load),
            "jmp 53f\n",
            ".p2align 6\n50:\n",
            step!($min, $asked, (0, 4, 6), 1, 3, 1, $x_even, $w, $s_even),
            "je 60f\n",
            ".p2align 6\n51:\n",
            step!($min, $asked, (1, 5, 7), 0, 0, 2, $x_odd, $w, $s_odd),
            "je 61f\n",
            ".p2align 6\n52:\n",
            step!($min, $asked, (0, 4, 6), 1, 1, 3, $x_even, $w, $s_even),
            "je 62f\n",
            ".p2align 6\n53:\n",
            step!($min, $asked, (1, 5, 7), 0, 2, 0, $x_odd, $w, $s_odd),
            "jne 50b\n",
            next_tile!(50),
            "60:\n",
            next_tile!(51),
            "61:\n",
            next_tile!(52),
            "62:\n",
            next_tile!(53),
            "90:\n",
        )
    };
}

impl<'a> Run<'a> {
    /// All tiles of the task times the `count` blocks from `first` that `unpacked` holds.
    pub(super) fn new(
        task: &'a Task<'_>,
        traits: &Traits,
        unpacked: &'a Unpacked<'a>,
        first: usize,
        count: usize,
    ) -> Self {
        Self {
            unpacked,
            x: task.x.whole_tiles(task.tiles.clone()),
            traits: *traits,
            tiles: task.tiles.len(),
            blocks: task.x.cols() / BLOCK,
            first,
            count,
        }
    }

    /// Lines of the weight that are asked for at each step: asking takes time, so only where there
    /// are few steps to a line.
    fn asked(&self) -> usize {
        if self.tiles > 4 { 1 } else { 4 }
    }

    /// Lines that [`Run::multiply`] asks for.
    pub(super) fn asks(&self) -> usize {
        self.asked() * self.tiles * self.count * self.traits.groups
    }

    /// Adds the products to `sums`, asking for lines of `ahead` on the way.
    pub(super) fn multiply(
        &self,
        _shaped: &Tiles,
        ring: &mut Ring<'_>,
        sums: &mut [Sums],
        ahead: &[[u8; 64]],
    ) {
        let Self { unpacked, x, traits, tiles, blocks, first, count } = *self;
        let groups = traits.groups;
        let (codes, x_scales) = (x.codes(), x.scales());
        let x_sums = if traits.has_min { x.sums(groups) } else { &[] };
        assert!(tiles > 0 && count > 0 && first + count <= blocks);
        assert!(codes.len() == tiles * blocks * WHOLE && x_scales.len() == codes.len());
        assert!(!traits.has_min || x_sums.len() == codes.len() * groups);
        assert!(unpacked.quads.len() >= count && unpacked.scales.len() >= count * groups);
        assert!(sums.len() == tiles);
        let left = blocks - count;
        let mut places = Places {
            groups: count * groups,
            codes: codes[first * WHOLE..].as_ptr(),
            codes_jump: left * WHOLE * 32,
            to_start: tiles,
            to_add: tiles,
            quads: unpacked.quads.as_ptr().cast(),
            scales: unpacked.scales.as_ptr().cast(),
            x_scales_jump: left * WHOLE * 4,
            x_sums_jump: left * groups * WHOLE * 4,
            tiles,
        };
        let x_scales = x_scales[first * WHOLE..].as_ptr();
        let x_sums = x_sums.as_ptr().wrapping_add(first * groups * WHOLE);
        macro_rules! run {
            ($steps:expr) => {
                // SAFETY: the loop reads `count` blocks of each tile's codes, scales and, for types
                // with minima, sums, and as many groups of the unpacked weight, and writes the sums
                // of each tile and the ring: all as long as was asserted. The ring and the sums are
                // aligned to lines, as scratch memory is. Tiles are configured, as the caller
                // shows.
                unsafe {
                    asm!(
                        $steps,
                        places = in(reg) &raw mut places,
                        x = inout(reg) places.codes => _,
                        w = inout(reg) places.quads => _,
                        scales = inout(reg) places.scales => _,
                        x_scales = inout(reg) x_scales => _,
                        x_sums = inout(reg) x_sums => _,
                        sums = inout(reg) sums.as_mut_ptr() => _,
                        ring = in(reg) ring.0.as_mut_ptr(),
                        ahead = inout(reg) ahead.as_ptr() => _,
                        starts = inout(reg) places.groups => _,
                        adds = inout(reg) places.groups => _,
                        row = in(reg) 32_usize,
                        out("zmm0") _, out("zmm1") _, out("zmm2") _, out("zmm3") _,
                        out("zmm4") _, out("zmm5") _, out("zmm6") _, out("zmm7") _,
                        out("zmm8") _, out("zmm9") _, out("zmm10") _, out("zmm11") _,
                        out("zmm12") _, out("zmm13") _, out("zmm14") _, out("zmm15") _,
                        out("zmm16") _, out("zmm17") _, out("zmm18") _, out("zmm19") _,
                        out("zmm20") _, out("zmm21") _, out("zmm22") _, out("zmm23") _,
                        out("zmm24") _, out("zmm25") _, out("zmm26") _,
                        options(att_syntax, nostack),
                    );
                }
            };
        }
        match (traits.has_min, groups, self.asked()) {
            (false, 1, 1) => run!(steps!(plain, 1, 512, 512, 512, 64, 64)),
            (false, 1, _) => run!(steps!(plain, 4, 512, 512, 512, 64, 64)),
            (true, 1, 1) => run!(steps!(min, 1, 512, 512, 512, 64, 64)),
            (true, 1, _) => run!(steps!(min, 4, 512, 512, 512, 64, 64)),
            (false, _, 1) => run!(steps!(plain, 1, 256, 16, 496, 64, 0)),
            (false, ..) => run!(steps!(plain, 4, 256, 16, 496, 64, 0)),
            (true, _, 1) => run!(steps!(min, 1, 256, 16, 496, 64, 0)),
            (true, ..) => run!(steps!(min, 4, 256, 16, 496, 64, 0)),
        }
    }
}
