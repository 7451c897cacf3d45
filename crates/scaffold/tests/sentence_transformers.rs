//! Real models, against what `sentence-transformers` computes from them. A model that is not here is skipped, loudly.
#![allow(clippy::print_stderr, reason = "a test that is skipped must say so")]

use std::path::Path;

use scaffold::config::Config;
use scaffold::embed::{EmbedOptions, Embedder, Similarity};
use scaffold::hub::{Hub, ModelName};
use scaffold_testing::golden::Rows;
use scaffold_testing::tolerance::{MinCosine, Tolerance as _};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    max_seq_length: usize,
    texts: Vec<String>,
    embeddings: Vec<Vec<f32>>,
    cosine: Vec<Vec<f32>>,
}

fn golden(name: &str) -> Golden {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/golden/embed/{name}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The model, if it is on this disk or `fetch` brings it here.
fn model(repository: &str, fetch: bool) -> Option<Embedder> {
    let config = Config::of_process().unwrap();
    let name = ModelName::parse(repository).unwrap();
    let here = Hub::new(config.hub.clone())
        .cached(&name)
        .unwrap()
        .is_some();
    if !here && !fetch {
        eprintln!(
            "skipped: {repository} is not on this disk (scaffold pull {repository} would bring it)"
        );
        return None;
    }
    match Embedder::from_config(&config, repository, &mut scaffold::hub::Silent) {
        Ok(embedder) => Some(embedder),
        Err(error) if !here => {
            eprintln!("skipped: {repository} cannot be fetched: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn agrees(embedder: &Embedder, golden: &Golden) {
    assert_eq!(embedder.max_tokens(), Some(golden.max_seq_length));
    let options = EmbedOptions {
        truncate: true,
        ..EmbedOptions::default()
    };
    let embeddings = embedder.embed_batch(&golden.texts, &options).unwrap();
    let expected = Rows {
        cols: embedder.width(),
        values: golden.embeddings.concat(),
    };
    MinCosine(0.99999).check("embeddings", embeddings.as_slice(), &expected);
    for (found, expected) in embeddings.as_slice().iter().zip(&expected.values) {
        assert!((found - expected).abs() < 2e-5, "{found} {expected}");
    }
    let similarities = embeddings.similarities(Similarity::Cosine);
    for (found, expected) in similarities.iter().zip(&golden.cosine) {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 5e-5, "{found} {expected}");
        }
    }
    assert_eq!(embeddings.cut.len(), 1);
    for (text, together) in golden.texts.iter().zip(embeddings.iter()) {
        let alone = embedder.embed_batch(&[text], &options).unwrap();
        assert_eq!(alone.as_slice(), together, "{text:?}");
    }
}

/// 87 MiB, which this test fetches where it is not here.
#[test]
fn all_minilm_l6_v2_agrees() {
    if let Some(embedder) = model("sentence-transformers/all-MiniLM-L6-v2", true) {
        agrees(&embedder, &golden("minilm"));
    }
}

/// 418 MiB: only where it is here already.
#[test]
fn all_mpnet_base_v2_agrees() {
    if let Some(embedder) = model("sentence-transformers/all-mpnet-base-v2", false) {
        agrees(&embedder, &golden("mpnet"));
    }
}
