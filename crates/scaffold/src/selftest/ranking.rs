//! Tests of the cross-encoder.

use scaffold_hub::LocalModel;

use super::{Run, Seen, Spec, fact, model};
use crate::config::{Config, Dtype};
use crate::error::Error;
use crate::report::Evidence;
use crate::rerank::{CrossEncoder, Scale, ScoreOptions};

/// Queries with a text each; the first text answers its query, the second one does not.
const PAIRS: [(&str, &str); 3] = [
    (
        "What is sustainability?",
        "Sustainability refers to meeting current needs without compromising future generations.",
    ),
    ("What is sustainability?", "The weather is nice today."),
    (
        "How do we measure impact?",
        "Key performance indicators include carbon emissions and resource usage.",
    ),
];

/// What ms-marco-MiniLM-L-6-v2 gives for them, and how far off a right computation may be.
const KNOWN: [f32; 3] = [9.3500, -11.1714, -10.2893];
const KNOWN_NAMES: [&str; 2] = ["ms-marco-MiniLM-L-6-v2", "ms-marco-MiniLM-L6-v2"];
const TOLERANCE: f32 = 0.02;

const LOADING: Spec = Spec {
    id: "cross-encoder-loading",
    title: "The cross-encoder loads",
    expected: "the model loads and has a classification head with one label",
};
const RANKING: Spec = Spec {
    id: "ranking",
    title: "The relevant text is ranked above the irrelevant one",
    expected: "asked about sustainability, the text about it scores above the one about the weather; a model with known scores gives them within 0.02",
};

pub(super) fn run(run: &mut Run<'_>, name: &str) {
    let found = match run.find("cross-encoder", name) {
        Ok(found) => found,
        Err(because) => return run.skip(&[LOADING, RANKING], &because),
    };
    let config = run.config;
    // The known scores are those of the exact weights.
    let known = is_known(&found) && config.torch_dtype.value != Dtype::Int8;
    let Some(model) = run.test(LOADING, |seen| load(&found, config, seen)) else {
        return run.skip(&[RANKING], "the model did not load");
    };
    run.test(RANKING, |seen| ranking(&model, known, seen));
}

fn is_known(model: &LocalModel) -> bool {
    let path = model.files.path().display().to_string();
    KNOWN_NAMES.iter().any(|name| model.name.ends_with(name) || path.ends_with(name))
}

fn load(found: &LocalModel, config: &Config, seen: &mut Seen) -> Result<CrossEncoder, Error> {
    let model = model::load(found, config, seen, CrossEncoder::weight_bytes)?;
    seen.evidence.push(fact("scale of its scores", format!("{:?}", model.activation())));
    Ok(model)
}

fn ranking(model: &CrossEncoder, known: bool, seen: &mut Seen) -> Result<(), Error> {
    let options = ScoreOptions { scale: Scale::Logits, ..ScoreOptions::default() };
    let mut scores = Vec::new();
    for (query, text) in PAIRS {
        scores.extend(model.scores(query, &[text], &options)?.values);
    }
    let above = scores[0] > scores[1];
    let close = |(a, b): (&f32, &f32)| (a - b).abs() < TOLERANCE;
    let agrees = !known || scores.iter().zip(&KNOWN).all(close);
    seen.good = above && agrees;
    let shown: Vec<String> = scores.iter().map(|score| format!("{score:.4}")).collect();
    seen.text = format!("{} for the relevant text, {} for the irrelevant one", shown[0], shown[1]);
    let known = if known {
        KNOWN.map(|score| format!("{score:.4}")).join(", ")
    } else {
        "none for this model: only the order is checked".to_owned()
    };
    seen.evidence.push(fact("known scores", known));
    let rows = PAIRS
        .iter()
        .zip(&shown)
        .map(|((query, text), score)| vec![(*query).to_owned(), (*text).to_owned(), score.clone()]);
    seen.evidence.push(Evidence::Table {
        title: "Scores, before any scaling".to_owned(),
        columns: ["Query", "Text", "Score"].map(str::to_owned).to_vec(),
        rows: rows.collect(),
    });
    Ok(())
}
