//! A steady decode allocates nothing: one token after the other, in one sequence and in several.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{BLOCKS, scattered, session};
use scaffold_model::{Decoder, Exec, KvType, LoadOptions, ModelSpec, Span, Want};
use scaffold_testing::golden::tiny;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps `System`'s conditions, which are this allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above; `System` allocated it.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The only test of this binary: other tests would allocate beside it.
#[test]
fn steady_decode_allocates_nothing() {
    // Grouped attention with windows and caps; experts; ropes that change with the length.
    for name in ["llama", "gemma2", "mixtral", "qwen2_moe", "gpt2", "phi3_longrope"] {
        // One thread: a worker that gets its first piece of work late would make its buffers late.
        let golden = tiny(name);
        let spec = ModelSpec::from_config(&golden.config()).expect("a specification");
        let exec = Arc::new(Exec::new(1));
        let decoder = Decoder::load(&golden.weights(), spec, exec, &LoadOptions::default())
            .map(Arc::new)
            .expect("a decoder");
        let mut session = session(&decoder, KvType::F16, 32);
        let blocks = scattered(BLOCKS);
        let (first, second) = blocks.split_at(BLOCKS / 2);
        let mut steps = |positions: std::ops::Range<usize>| {
            for start in positions {
                let token = [start as u32 % 500];
                let span =
                    Span { tokens: &token, start, blocks: first, want: Want::Last, planned: 4 };
                let other = Span { blocks: second, ..span };
                let rows = session.forward(&[span, other]).expect("a step");
                assert_eq!(rows.len(), 2 * decoder.spec().vocab);
            }
        };
        // Working memory grows with the positions; it has grown by then.
        steps(0..72);
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        steps(8..72);
        let after = ALLOCATIONS.load(Ordering::Relaxed);
        assert_eq!(after - before, 0, "{name}: allocations in 64 steps");
    }
}
