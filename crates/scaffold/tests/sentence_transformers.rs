//! Real models, against what `sentence-transformers` computes from them. A model that is not here
//! is skipped, loudly.

use std::path::Path;

use scaffold::builder::FromModel as _;
use scaffold::config::{Config, Dtype};
use scaffold::embed::{EmbedOptions, Embedder, Similarity};
use scaffold::hub::{Hub, LocalModel, ModelName, Silent};
use scaffold::{LoadOptions, Model};
use scaffold_testing::golden::Rows;
use scaffold_testing::skip;
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

/// The model, if it is on this disk or `fetch` brings it to a place below the target directory.
fn model(repository: &str, fetch: bool) -> Option<LocalModel> {
    let mut config = Config::of_process().unwrap();
    let name = ModelName::parse(repository).unwrap();
    let here = Hub::new(config.hub.clone()).cached(&name).unwrap().is_some();
    if here {
        // Taken as it is: a test changes nothing of the user's.
        config.hub.offline = true;
    } else {
        let below = Path::new(env!("CARGO_TARGET_TMPDIR"));
        config.hub.cache_dir = below.join("hub");
        config.hub.packages_dir = below.join("packages");
    }
    if !here && !fetch {
        skip::without(&format!(
            "{repository} is not on this disk (scaffold pull {repository} would bring it)"
        ));
        return None;
    }
    match scaffold::locate::locate(&config, repository, &mut Silent) {
        Err(error) if here => panic!("{error}"),
        found => skip::model(repository, found),
    }
}

fn cut() -> EmbedOptions<'static> {
    EmbedOptions::new().truncate(true)
}

fn embedder(model: &LocalModel, options: &LoadOptions) -> Embedder {
    let config = Config::of_process().unwrap();
    Embedder::from_model(&Model::open(model, options).unwrap(), &config, Vec::new(), &mut Silent)
        .unwrap()
}

fn agrees(model: &LocalModel, golden: &Golden) {
    let embedder = embedder(model, &LoadOptions::default());
    assert_eq!(embedder.max_tokens(), Some(golden.max_seq_length));
    let embeddings = embedder.embed_batch(&golden.texts, &cut()).unwrap();
    let expected = Rows { cols: embedder.dimensions(), values: golden.embeddings.concat() };
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
    alone_as_together(&embedder, &golden.texts);
}

fn alone_as_together(embedder: &Embedder, texts: &[String]) {
    let together = embedder.embed_batch(texts, &cut()).unwrap();
    for (text, together) in texts.iter().zip(together.iter()) {
        let alone = embedder.embed_batch(&[text], &cut()).unwrap();
        assert_eq!(alone.as_slice(), together, "{text:?}");
    }
}

/// With weights in 8 bits embeddings move a little, those of odd texts more than those of
/// sentences, and similarities stay within a hundredth.
fn agrees_in_8_bits(model: &LocalModel, golden: &Golden) {
    let exact = embedder(model, &LoadOptions::default());
    let options = LoadOptions::new().dtype(Dtype::Int8);
    let small = embedder(model, &options);
    assert!(small.weight_bytes() * 3 < exact.weight_bytes());
    let embeddings = small.embed_batch(&golden.texts, &cut()).unwrap();
    for ((text, found), expected) in
        golden.texts.iter().zip(embeddings.iter()).zip(&golden.embeddings)
    {
        let is_odd = text.is_empty() || text.len() > 1000;
        let cosine = Similarity::Cosine.of(found, expected);
        assert!(cosine > if is_odd { 0.99 } else { 0.999 }, "{cosine} {text:?}");
    }
    let similarities = embeddings.similarities(Similarity::Cosine);
    for (found, expected) in similarities.iter().zip(&golden.cosine) {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 0.01, "{found} {expected}");
        }
    }
    alone_as_together(&small, &golden.texts);
}

/// 87 MiB, which this test fetches where it is not here.
#[test]
fn all_minilm_l6_v2_agrees() {
    if let Some(model) = model("sentence-transformers/all-MiniLM-L6-v2", true) {
        agrees(&model, &golden("minilm"));
        agrees_in_8_bits(&model, &golden("minilm"));
    }
}

/// 418 MiB: only where it is here already.
#[test]
fn all_mpnet_base_v2_agrees() {
    if let Some(model) = model("sentence-transformers/all-mpnet-base-v2", false) {
        agrees(&model, &golden("mpnet"));
        agrees_in_8_bits(&model, &golden("mpnet"));
    }
}
