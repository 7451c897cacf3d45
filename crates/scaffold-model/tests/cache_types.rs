//! What the smaller cache types cost: little, and as much as they save.

mod common;

use common::{BLOCK_TOKENS, Lone, decoder, sized};
use scaffold_model::{KvType, SessionSize};
use scaffold_testing::golden::tiny_decoders;
use scaffold_testing::tolerance::cosine;

#[test]
fn smaller_caches_stay_close_to_the_goldens() {
    for golden in tiny_decoders() {
        let decoder = decoder(&golden);
        for (ty, least) in [(KvType::F16, 0.9999), (KvType::Q8, 0.99)] {
            let mut lone = Lone::new(&decoder, ty);
            lone.planned = golden.input_ids.len();
            let found = lone.feed(&golden.input_ids);
            let cosine = cosine(&found, &golden.logits().values);
            assert!(
                cosine > least,
                "{} with a {ty:?} cache: the logits have a cosine of {cosine}",
                golden.name
            );
        }
    }
}

#[test]
fn a_cache_takes_what_was_planned() {
    let golden = scaffold_testing::golden::tiny("gemma2");
    let decoder = decoder(&golden);
    let sizes = [KvType::F32, KvType::F16, KvType::Q8].map(|ty| {
        let size = SessionSize { blocks: 6, block_tokens: BLOCK_TOKENS, kv_type: ty, rows: 1 };
        let kv = sized(&decoder, size).kv_bytes();
        assert_eq!(kv, decoder.spec().kv_bytes_per_token(ty) * 6 * BLOCK_TOKENS, "{ty:?}");
        kv
    });
    // Two layers of two heads of 32 values, keys and values, four bytes each.
    assert_eq!(sizes[0], 2 * 2 * 32 * 2 * 4 * 6 * BLOCK_TOKENS);
    assert_eq!(sizes[1] * 2, sizes[0]);
    assert!(sizes[2] * 3 < sizes[0]);
}
