//! Tests of the embedding model.

use std::time::Instant;

use scaffold_hub::LocalModel;

use super::{Run, Seen, Spec, fact, model};
use crate::config::Dtype;
use crate::embed::{EmbedOptions, Embedder, Embeddings, Similarity, norm};
use crate::error::Error;
use crate::report::Evidence;

const SENTENCES: [&str; 3] = [
    "What is sustainability?",
    "How do we measure environmental impact?",
    "Describe economic growth patterns.",
];

/// Similarities of the first and second, first and third, second and third sentence, as
/// sentence-transformers 6.2 computes them.
const KNOWN: [(&str, [f32; 3]); 2] = [
    ("all-MiniLM-L6-v2", [0.4467, 0.3103, 0.2490]),
    ("all-mpnet-base-v2", [0.4369, 0.2564, 0.1814]),
];

/// Half of the fourth digit, and what rounding to it may add.
const FOUR_DIGITS: f32 = 1.0e-4;
/// What weights in 8 bits may change.
const EIGHT_BITS: f32 = 0.01;

const LOADING: Spec = Spec {
    id: "embedding-model-loading",
    title: "The embedding model loads",
    expected: "the model loads",
};
const EMBEDDINGS: Spec = Spec {
    id: "embeddings",
    title: "Embeddings have the right shape and length",
    expected: "one vector of finite numbers for each text, of length 1 where the model says so, and the same bits whether a text is computed alone or with others",
};
const SIMILARITY: Spec = Spec {
    id: "similarity",
    title: "Similarities are right",
    expected: "each sentence is like itself (1.0000), both directions agree, and for models with known numbers all four digits are those of sentence-transformers (with --dtype int8 within 0.01)",
};

pub(super) fn run(run: &mut Run<'_>, name: &str) {
    let found = match run.find("embedding model", name) {
        Ok(found) => found,
        Err(because) => return run.skip(&[LOADING, EMBEDDINGS, SIMILARITY], &because),
    };
    let (config, known) = (run.config, known(&found));
    let Some(embedder) =
        run.test(LOADING, |seen| model::load(&found, config, seen, Embedder::weight_bytes))
    else {
        return run.skip(&[EMBEDDINGS, SIMILARITY], "the model did not load");
    };
    run.learnt(vec![
        ("dimensions".to_owned(), embedder.dimensions().to_string()),
        (
            "longest text".to_owned(),
            embedder
                .max_tokens()
                .map_or_else(|| "no limit".to_owned(), |most| format!("{most} tokens")),
        ),
        ("similarity".to_owned(), embedder.repository().similarity.to_string()),
    ]);
    run.test(EMBEDDINGS, |seen| shapes(&embedder, seen));
    let tolerance = match config.torch_dtype.value {
        Dtype::Int8 => EIGHT_BITS,
        _ => FOUR_DIGITS,
    };
    run.test(SIMILARITY, |seen| similarities(&embedder, known, tolerance, seen));
}

fn known(model: &LocalModel) -> Option<[f32; 3]> {
    let path = model.files.path().display().to_string();
    KNOWN
        .iter()
        .find(|(name, _)| model.name.ends_with(name) || path.ends_with(name))
        .map(|(_, values)| *values)
}

fn shapes(embedder: &Embedder, seen: &mut Seen) -> Result<(), Error> {
    let started = Instant::now();
    let together = embedder.embed_batch(&SENTENCES, &EmbedOptions::default())?;
    let milliseconds = started.elapsed().as_secs_f64() * 1e3;
    let mut same = true;
    for (sentence, row) in SENTENCES.iter().zip(together.iter()) {
        same &= embedder.embed(sentence)? == row;
    }
    let norms: Vec<f32> = together.iter().map(norm).collect();
    let finite = together.as_slice().iter().all(|x| x.is_finite());
    let unit = norms.iter().all(|norm| (norm - 1.0).abs() < 1e-4);
    let right_norms = unit || !embedder.repository().normalizes();
    let right_shape =
        together.len() == SENTENCES.len() && together.dimensions() == embedder.dimensions();
    seen.good = right_shape && finite && right_norms && same;
    let norms: Vec<String> = norms.iter().map(|norm| format!("{norm:.4}")).collect();
    seen.text = format!(
        "shape ({}, {}), lengths {}, numbers {}, alone and together {}",
        together.len(),
        together.dimensions(),
        norms.join(", "),
        if finite { "finite" } else { "not all finite" },
        if same { "the same bits" } else { "different" }
    );
    seen.evidence.push(fact("time for the three", format!("{milliseconds:.1} ms")));
    Ok(())
}

fn similarities(
    embedder: &Embedder,
    known: Option<[f32; 3]>,
    tolerance: f32,
    seen: &mut Seen,
) -> Result<(), Error> {
    let embeddings = embedder.embed_batch(&SENTENCES, &EmbedOptions::default())?;
    let matrix = embeddings.similarities(Similarity::Cosine);
    let found = [matrix[0][1], matrix[0][2], matrix[1][2]];
    let shown = |values: [f32; 3]| values.map(|value| format!("{value:.4}")).join(", ");
    seen.text = shown(found);
    let agrees = if let Some(expected) = known {
        seen.evidence.push(fact("known numbers", shown(expected)));
        let close = |(a, b): (&f32, &f32)| (a - b).abs() < tolerance;
        found.iter().zip(&expected).all(close)
    } else {
        let none = "none for this model: only what holds for every model is checked";
        seen.evidence.push(fact("known numbers", none));
        true
    };
    seen.good = agrees && is_sound(&matrix);
    seen.evidence.push(Evidence::Similarities {
        title: "Cosine similarity of the sentences".to_owned(),
        labels: SENTENCES.map(str::to_owned).to_vec(),
        values: matrix,
    });
    own_similarity(embedder, &embeddings, seen);
    Ok(())
}

/// What holds for the cosines of any model.
fn is_sound(matrix: &[Vec<f32>]) -> bool {
    matrix.iter().enumerate().all(|(i, row)| {
        row.iter().enumerate().all(|(j, &value)| {
            let diagonal = i != j || (value - 1.0).abs() < 1e-5;
            diagonal && value.abs() <= 1.0 + 1e-5 && value == matrix[j][i]
        })
    })
}

/// The model's own similarity, where it is another one.
fn own_similarity(embedder: &Embedder, embeddings: &Embeddings, seen: &mut Seen) {
    let own = embedder.repository().similarity;
    if own != Similarity::Cosine {
        let matrix = embeddings.similarities(own);
        let values = format!("{:.4}, {:.4}, {:.4}", matrix[0][1], matrix[0][2], matrix[1][2]);
        seen.evidence.push(fact(&format!("by the model's own function, {own}"), values));
    }
}
