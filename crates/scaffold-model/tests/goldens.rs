//! Every decoder family against the logits that `transformers` computed, at all positions, and against the tokens that it
//! went on to generate.

mod common;

use common::{Lone, argmax, decoder};
use scaffold_model::KvType;
use scaffold_testing::golden::tiny_decoders;
use scaffold_testing::tolerance::{MaxAbs, Tolerance};

#[test]
fn logits_of_every_family_at_all_positions() {
    for golden in tiny_decoders() {
        let decoder = decoder(&golden);
        let mut lone = Lone::new(&decoder, KvType::F32);
        lone.planned = golden.input_ids.len();
        let logits = lone.feed(&golden.input_ids);
        MaxAbs(1e-4).check(&golden.name, &logits, golden.logits());
    }
}

#[test]
fn greedy_tokens_of_every_family() {
    for golden in tiny_decoders() {
        let decoder = decoder(&golden);
        let mut lone = Lone::new(&decoder, KvType::F32);
        lone.planned = golden.input_ids.len();
        let vocab = decoder.spec().vocab;
        let mut logits = lone.feed(&golden.input_ids);
        for (step, expected) in golden.greedy_ids.iter().enumerate() {
            let next = argmax(&logits[logits.len() - vocab..]);
            assert_eq!(
                next, *expected,
                "{}: token {step} of the continuation",
                golden.name
            );
            logits = lone.feed(&[next]);
        }
    }
}
