//! A profile changes nothing, and its stages add up to what the model says a token takes.

mod common;

use std::sync::Arc;

use common::{BLOCKS, scattered, session};
use scaffold_model::{
    Decoder, Effort, Exec, KvType, LoadOptions, ModelSpec, Profile, Span, Stage, Want,
};
use scaffold_testing::golden::tiny;

/// Dense layers; experts; experts with a shared one.
const MODELS: [&str; 3] = ["llama", "mixtral", "qwen2_moe"];

/// The profile of one row after another, and the logits with and without it.
fn one_row(decoder: &Arc<Decoder>) -> (Profile, [Vec<f32>; 2]) {
    let mut session = session(decoder, KvType::F32, 4);
    let blocks = scattered(BLOCKS);
    let span = |start| Span { tokens: &[7], start, blocks: &blocks, want: Want::Last, planned: 0 };
    session.forward(&[span(0)]).expect("a step");
    let plain = session.forward(&[span(1)]).expect("a step").to_vec();
    let mut profile = Profile::start();
    let profiled = session.forward_profiled(&[span(1)], &mut profile).expect("a step").to_vec();
    (profile, [plain, profiled])
}

#[test]
fn a_row_takes_what_the_model_says() {
    for name in MODELS {
        let golden = tiny(name);
        let spec = ModelSpec::from_config(&golden.config()).expect("a specification");
        let exec = Arc::new(Exec::new(1));
        let decoder = Decoder::load(&golden.weights(), spec, exec, &LoadOptions::default())
            .map(Arc::new)
            .expect("a decoder");
        let (profile, [plain, profiled]) = one_row(&decoder);
        assert_eq!(plain, profiled, "{name}");
        let matrices = profile
            .stages()
            .filter(|(stage, _)| *stage != Stage::Attention)
            .map(|(_, total)| total.effort)
            .sum::<Effort>();
        let said = decoder.layers_effort() + decoder.head_effort();
        assert_eq!(matrices.fma, said.fma, "{name}");
        assert!(said.bytes <= decoder.weight_bytes() as u64, "{name}");
        let spec = decoder.spec();
        let attention = profile.stages().find(|(stage, _)| *stage == Stage::Attention);
        let pairs = 2 * spec.layers.len() * spec.attention.heads;
        let fma = (pairs * 2 * spec.attention.head_dim) as u64;
        assert_eq!(attention.map(|(_, total)| total.effort.fma), Some(fma));
    }
}
