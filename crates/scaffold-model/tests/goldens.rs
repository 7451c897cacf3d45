//! Every decoder family against the logits that `transformers` computed, at all positions, and
//! against the tokens that it went on to generate.

mod common;

use common::{Lone, argmax, decoder, load};
use scaffold_formats::{ConfigJson, Safetensors};
use scaffold_model::{KvType, ModelSpec, Precision};
use scaffold_testing::golden::{tiny, tiny_decoders};
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
            assert_eq!(next, *expected, "{}: token {step} of the continuation", golden.name);
            logits = lone.feed(&[next]);
        }
    }
}

#[test]
fn configurations_in_the_old_style_compute_the_same() {
    for golden in tiny_decoders() {
        let dir = golden.old_style();
        let config = ConfigJson::open(dir.path()).expect("a configuration");
        let spec =
            ModelSpec::from_config(&config).unwrap_or_else(|e| panic!("{}: {e}", golden.name));
        let weights = Safetensors::open(dir.path()).expect("weights");
        let old =
            load(&weights, spec, Precision::F32).unwrap_or_else(|e| panic!("{}: {e}", golden.name));
        let logits = |decoder| {
            let mut lone = Lone::new(decoder, KvType::F32);
            lone.planned = golden.input_ids.len();
            lone.feed(&golden.input_ids)
        };
        assert_eq!(logits(&old), logits(&decoder(&golden)), "{}", golden.name);
    }
}

#[test]
fn longrope_has_short_factors_for_short_texts() {
    let golden = tiny("phi3_longrope");
    let decoder = decoder(&golden);
    let mut lone = Lone::new(&decoder, KvType::F32);
    let ids = golden.ids("short_input_ids");
    lone.planned = ids.len();
    let logits = lone.feed(&ids);
    MaxAbs(1e-4).check("short text", &logits, golden.rows("short_logits"));
}
