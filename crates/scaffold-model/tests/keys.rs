//! Every key of every tiny model's configuration, left out, `null` or with another value, and keys
//! of other families: what `transformers` makes of it is in
//! `tests/golden/configs/outcomes.json.gz`, with the script that tried it.

mod common;

use std::io::Read;
use std::sync::Arc;

use common::{Lone, exec, load};
use flate2::read::GzDecoder;
use scaffold_formats::{ConfigJson, Safetensors};
use scaffold_model::{
    Encoder, EncoderSession, Kind, KvType, LoadOptions, ModelSpec, Precision, Text,
};
use scaffold_testing::golden::{tiny, tiny_root};
use serde_json::{Map, Value};

/// Of logits that reach thirty or so.
const TOLERANCE: f32 = 2e-4;

/// The text of the script.
const IDS: &[u32] = &[1, 17, 300, 45, 511, 3, 99, 256, 128, 77, 401, 5, 64, 222, 350, 9];

fn outcomes() -> Value {
    let path = tiny_root().join("../configs/outcomes.json.gz");
    let file = std::fs::File::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).expect("a readable file");
    serde_json::from_str(&text).expect("JSON")
}

/// The configuration with a change that goes by `name`: as the script has it, or one that its name
/// says.
fn changed(config: &Map<String, Value>, name: &str, changes: &Value) -> Map<String, Value> {
    let mut out = config.clone();
    if let Some(change) = changes.get(name) {
        for key in change["drop"].as_array().into_iter().flatten() {
            out.shift_remove(key.as_str().expect("a key"));
        }
        out.extend(change["set"].as_object().cloned().unwrap_or_default());
    } else if let Some(path) = name.strip_prefix("without ") {
        let (inner, last) = path.rsplit_once('.').map_or((None, path), |(a, b)| (Some(a), b));
        let mut at = &mut out;
        for key in inner.into_iter().flat_map(|inner| inner.split('.')) {
            at = at.get_mut(key).and_then(Value::as_object_mut).expect("an object");
        }
        at.shift_remove(last).expect("a key that is there");
    } else {
        let key = name.strip_suffix("=null").expect("a change that is known");
        out.insert(key.to_owned(), Value::Null);
    }
    out
}

/// What the script keeps: the last row of logits of a decoder, the scores of a classifier, or the
/// first hidden state.
fn computed(
    weights: &Safetensors,
    config: &Map<String, Value>,
    ids: &[u32],
) -> Result<Vec<f32>, String> {
    let text = serde_json::to_vec(config).expect("JSON");
    let config = ConfigJson::parse("config.json", &text).expect("a configuration");
    let spec = ModelSpec::from_config(&config).map_err(|e| e.to_string())?;
    if matches!(spec.kind, Kind::Decoder(_)) {
        let decoder = load(weights, spec, Precision::F32).map_err(|e| e.to_string())?;
        let mut lone = Lone::new(&decoder, KvType::F32);
        lone.planned = ids.len();
        let vocab = decoder.spec().vocab;
        let logits = lone.try_feed(ids).map_err(|e| e.to_string())?;
        return Ok(logits[logits.len() - vocab..].to_vec());
    }
    let options = LoadOptions { precision: Precision::F32, store: None, loaded: None };
    let encoder = Encoder::load(weights, spec, exec(), &options).map_err(|e| e.to_string())?;
    let encoder = Arc::new(encoder);
    let mut session = EncoderSession::new(Arc::clone(&encoder), 64);
    let text = Text { tokens: ids, types: &[] };
    let rows = if encoder.labels().is_empty() {
        session.hidden_states(&[text]).map(<[f32]>::to_vec)
    } else {
        session.classify(&[text])
    };
    rows.map_err(|e| e.to_string())
}

/// How one model fared.
#[derive(Default, Debug)]
struct Count {
    tried: usize,
    equal: usize,
    refused_by_both: usize,
    refused_here_only: usize,
    refused_there_only: usize,
}

/// Compares one model under all its changes that are `wanted`; what differs goes to `wrong`.
fn compare(
    name: &str,
    outcomes: &Value,
    changes: &Value,
    wanted: impl Fn(&str) -> bool,
    wrong: &mut Vec<String>,
) -> Count {
    let golden = tiny(name);
    let (config, weights) = (golden.config().map().clone(), golden.weights());
    let plain = computed(&weights, &config, IDS).expect("the model as it is");
    let mut count = Count::default();
    let mut check = |change: &str, expected: Option<&[f32]>| {
        if chooses_class(name, change) || !wanted(change) {
            return;
        }
        count.tried += 1;
        let found = computed(&weights, &changed(&config, change, changes), IDS);
        match (found, expected) {
            (Ok(found), Some(expected)) => {
                let far = expected.iter().zip(&found).map(|(a, b)| (a - b).abs());
                let far = far.fold(0.0, f32::max);
                if far <= TOLERANCE {
                    count.equal += 1;
                } else {
                    wrong.push(format!("{name}, {change}: {far} away"));
                }
            }
            (Err(_), None) => count.refused_by_both += 1,
            (Err(_), Some(_)) if may_refuse(name, change) => count.refused_here_only += 1,
            (Err(message), Some(_)) => wrong.push(format!("{name}, {change}: refused: {message}")),
            (Ok(_), None) if may_compute(name, change) => count.refused_there_only += 1,
            (Ok(_), None) => wrong.push(format!("{name}, {change}: computed, not refused")),
        }
    };
    for change in outcomes["same"].as_array().into_iter().flatten() {
        check(change.as_str().expect("a name"), Some(&plain));
    }
    for change in outcomes["refused"].as_array().into_iter().flatten() {
        check(change.as_str().expect("a name"), None);
    }
    for (change, values) in outcomes["values"].as_object().into_iter().flatten() {
        check(change, Some(&floats(values)));
    }
    // Computed without some of the weights, which is refused here.
    let unused = outcomes["unused"].as_object().into_iter().flatten();
    for (change, values) in unused.filter(|(change, _)| wanted(change)) {
        count.tried += 1;
        match computed(&weights, &changed(&config, change, changes), IDS) {
            Err(_) => count.refused_here_only += 1,
            Ok(found) => {
                let far = floats(values)
                    .iter()
                    .zip(&found)
                    .fold(0.0, |m, (a, b)| f32::max(m, (a - b).abs()));
                if far <= TOLERANCE {
                    count.equal += 1;
                } else {
                    wrong.push(format!("{name}, {change}: {far} away, and weights unused"));
                }
            }
        }
    }
    count
}

fn floats(values: &Value) -> Vec<f32> {
    let values = values.as_array().into_iter().flatten();
    values.map(|v| v.as_f64().expect("a number") as f32).collect()
}

/// Changes that `transformers` computes and Scaffold refuses by name.
fn may_refuse(name: &str, change: &str) -> bool {
    let odd_heads = ["head_dim=8", "head_dim=32", "without num_attention_heads"];
    // Its rope takes the width of a head from one key and its attention from another.
    (name.starts_with("gpt_neox") && odd_heads.contains(&change))
    // It computes with a window of no tokens.
    || (name == "qwen2_moe" && change.starts_with("layer_types"))
    // An activation without a kernel, scores by the layer, attention that is not a decoder's, or
    // not an encoder's.
    || [
        "scale_attn_by_inverse_layer_idx=true",
        "hidden_act=\"mish\"",
        "is_causal=false",
        "is_decoder=true",
        "use_bidirectional_attention=true",
    ]
    .contains(&change)
}

/// Changes that Scaffold computes and `transformers` refuses.
fn may_compute(name: &str, change: &str) -> bool {
    // The width of a head follows from the others, and a padding token may be none of the
    // vocabulary.
    let small = ["head_dim=null", "without pad_token_id"].contains(&change);
    // Settings of a rope that the model does not have, or does not hear.
    let has_rope = tiny(name).config().map().contains_key("rope_parameters");
    let by_kind = ["gemma3", "modernbert"].iter().any(|family| name.starts_with(family));
    let unheard = [
        "partial_rotary_factor=0.5",
        "rope_theta inside and outside",
        "rope_parameters without a base",
    ];
    // These kinds fail there over a `head_dim` that is `null`.
    let scaled = change.contains("\"yarn\"") || change.contains("\"dynamic\"");
    small
        || (!has_rope && change.starts_with("rope: "))
        || (by_kind && unheard.contains(&change))
        || (name == "mixtral" && scaled)
}

/// Whether the change says which class computes, which the script has chosen before.
fn chooses_class(name: &str, change: &str) -> bool {
    name.contains("seqcls") && ["without architectures", "architectures=null"].contains(&change)
}

/// Compares all models under the changes that are `wanted`, and prints how each fared.
#[allow(clippy::print_stdout, reason = "the table is for whoever looks at the test")]
fn compare_all(wanted: impl Fn(&str) -> bool + Copy) {
    let all = outcomes();
    let mut wrong = Vec::new();
    for (name, outcomes) in all["models"].as_object().expect("models") {
        let count = compare(name, outcomes, &all["changes"], wanted, &mut wrong);
        println!(
            "{name}: {} tried, {} equal, {} refused by both, {} refused only here, {} refused only there",
            count.tried,
            count.equal,
            count.refused_by_both,
            count.refused_here_only,
            count.refused_there_only
        );
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn leaves_out(change: &str) -> bool {
    change.starts_with("without ")
}

#[test]
fn a_key_that_is_left_out_means_what_it_means_to_transformers() {
    compare_all(leaves_out);
}

#[test]
fn a_value_means_what_it_means_to_transformers() {
    compare_all(|change| !leaves_out(change));
}
