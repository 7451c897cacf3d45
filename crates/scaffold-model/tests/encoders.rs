//! Every encoder family against the hidden states and scores that `transformers` computed.

mod common;

use std::sync::Arc;

use common::exec;
use scaffold_formats::{ConfigJson, Safetensors};
use scaffold_model::{Encoder, EncoderSession, LoadOptions, ModelSpec, Precision, Text};
use scaffold_testing::golden::{TinyGolden, tiny_encoders};
use scaffold_testing::tolerance::{MaxAbs, SameBits, Tolerance};

fn encoder(golden: &TinyGolden) -> Arc<Encoder> {
    load(golden, &golden.config(), &golden.weights())
}

fn load(golden: &TinyGolden, config: &ConfigJson, weights: &Safetensors) -> Arc<Encoder> {
    let spec = ModelSpec::from_config(config).unwrap_or_else(|e| panic!("{}: {e}", golden.name));
    let options = LoadOptions { precision: Precision::F32, store: None, loaded: None };
    Encoder::load(weights, spec, exec(), &options)
        .map_or_else(|e| panic!("{}: {e}", golden.name), Arc::new)
}

fn text(tokens: &[u32]) -> Text<'_> {
    Text { tokens, types: &[] }
}

/// Scores of classifiers, hidden states of the others.
fn compute(encoder: &Arc<Encoder>, texts: &[Text<'_>]) -> Vec<f32> {
    let mut session = EncoderSession::new(Arc::clone(encoder), 64);
    if encoder.labels().is_empty() {
        session.hidden_states(texts).expect("hidden states").to_vec()
    } else {
        session.classify(texts).expect("scores")
    }
}

fn array(encoder: &Encoder) -> &'static str {
    if encoder.labels().is_empty() { "last_hidden_state" } else { "logits" }
}

#[test]
fn single_texts_of_every_family() {
    for golden in tiny_encoders() {
        let encoder = encoder(&golden);
        let found = compute(&encoder, &[text(&golden.input_ids)]);
        MaxAbs(1e-5).check(&golden.name, &found, golden.rows(array(&encoder)));
    }
}

/// A batch that is left between layers, for another in a session of its own, gives the same bits.
#[test]
fn layer_by_layer() {
    for golden in tiny_encoders() {
        let encoder = encoder(&golden);
        let texts = [text(&golden.input_ids), text(&golden.input_ids[..2])];
        let whole = compute(&encoder, &texts);
        let mut session = EncoderSession::new(Arc::clone(&encoder), 64);
        // What was begun before leaves nothing behind.
        session.begin(&texts[1..]).unwrap();
        session.advance();
        session.begin(&texts).unwrap();
        let mut layers = 1;
        while session.advance() {
            layers += 1;
            compute(&encoder, &texts[1..]);
        }
        assert_eq!(layers, encoder.spec().layers.len());
        let found = if encoder.labels().is_empty() {
            session.states().to_vec()
        } else {
            session.scores().unwrap()
        };
        assert!(found == whole, "{}", golden.name);
    }
}

#[test]
fn token_types() {
    let mut checked = 0;
    for golden in tiny_encoders().iter().filter(|g| !g.token_type_ids.is_empty()) {
        let encoder = encoder(golden);
        let typed = Text { tokens: &golden.input_ids, types: &golden.token_type_ids };
        let found = compute(&encoder, &[typed]);
        MaxAbs(1e-5).check(&golden.name, &found, golden.rows(&format!("tt_{}", array(&encoder))));
        checked += 1;
    }
    assert!(checked >= 2, "bert and its classifier have token types");
}

#[test]
fn texts_of_different_lengths_in_one_batch() {
    for golden in tiny_encoders() {
        let encoder = encoder(&golden);
        let texts: Vec<_> = golden.batch().iter().map(|row| text(&row.ids)).collect();
        let found = compute(&encoder, &texts);
        let mut at = 0;
        for (index, row) in golden.batch().iter().enumerate() {
            let what = format!("{} text {index}", golden.name);
            let own = &found[at..at + row.expected.values.len()];
            MaxAbs(1e-5).check(&what, own, &row.expected);
            // The other texts of the batch change no bit.
            SameBits.check_values(
                &what,
                row.expected.cols,
                own,
                &compute(&encoder, &texts[index..=index]),
            );
            at += own.len();
        }
    }
}

#[test]
fn configurations_in_the_old_style_compute_the_same() {
    for golden in tiny_encoders() {
        let dir = golden.old_style();
        let config = ConfigJson::open(dir.path()).expect("a configuration");
        let weights = Safetensors::open(dir.path()).expect("weights");
        let texts = [text(&golden.input_ids)];
        let old = compute(&load(&golden, &config, &weights), &texts);
        assert_eq!(old, compute(&encoder(&golden), &texts), "{}", golden.name);
    }
}
