//! Decoding allocates nothing once its buffers have grown.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
};

use scaffold_kernels::*;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const COLS: usize = 256;

/// What one layer needs.
struct Layer {
    exec: Exec,
    quantized: Matrix,
    float: Matrix,
    kv: KvStore,
    blocks: Vec<u32>,
    angles: RopeAngles,
    activations: Activations,
    x: Vec<f32>,
    y: Vec<f32>,
    weight: Vec<f32>,
}

impl Layer {
    fn new(threads: usize) -> Self {
        let exec = Exec::new(threads);
        let values: Vec<f32> = (0..COLS * COLS).map(|i| (i % 29) as f32 / 29.0 - 0.5).collect();
        let pack = |ty| {
            let bytes = quantize(ty, &values).unwrap();
            let source = MatrixSource::new(ty, COLS, COLS, &bytes);
            Matrix::pack(&exec, &[source]).unwrap()
        };
        let (quantized, float) = (pack(BlockType::Q4_1), pack(BlockType::F16));
        let shape =
            KvShape { layers: 1, kv_heads: 2, k_dim: 64, v_dim: 64, block_tokens: 32, blocks: 64 };
        let kv = KvStore::new(shape, KvType::F16).unwrap();
        Self {
            exec,
            quantized,
            float,
            kv,
            blocks: (0..64).collect(),
            angles: RopeAngles::new(),
            activations: Activations::new(),
            x: vec![0.1; COLS],
            y: vec![0.0; COLS],
            weight: vec![1.0; COLS],
        }
    }

    fn step(&mut self, position: usize) {
        let Self { exec, quantized, float, kv, blocks, angles, activations, x, y, weight } = self;
        rms_norm(exec, x, weight, 1e-5, NormWeight::Plain, y);
        activations.load(exec, y, COLS, quantized.needs() | float.needs());
        matmul(exec, quantized, activations, x);
        angles.load(&[position as u32], &[0.5; 32], 1.0);
        rope(exec, x, 4, 64, angles, RopeStyle::Halves);
        let span = [AttendSpan { blocks, start: position, rows: 1 }];
        kv.write(exec, 0, &x[..128], &x[128..], &span);
        let params = AttendParams { heads: 4, scale: 0.125, softcap: None, window: None };
        attend(exec, kv, 0, x, &span, &params, y);
        activations.load(exec, y, COLS, float.needs());
        matmul(exec, float, activations, x);
        activate(exec, Activation::Silu, x);
        add(exec, x, y);
    }
}

fn allocations(run: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    run();
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

/// One test, because the count is the process's.
#[test]
fn decoding_allocates_nothing() {
    let mut alone = Layer::new(1);
    (0..1200).step_by(100).for_each(|position| alone.step(position));
    assert_eq!(allocations(|| (1200..1230).for_each(|position| alone.step(position))), 0);

    // A worker's own buffers grow when it first gets work, whenever that is: some run of steps
    // has to be free of allocations.
    let mut together = Layer::new(2);
    let quiet = (0..40).any(|run| {
        let steps = 1200 + 10 * run..1210 + 10 * run;
        allocations(|| steps.for_each(|position| together.step(position))) == 0
    });
    assert!(quiet);
}
