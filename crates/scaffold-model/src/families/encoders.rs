//! BERT and its kin.

use scaffold_error::Error;
use serde_json::Value;

use super::Family;
use super::common::{activation, stack};
use super::keys::Keys;
use crate::names::{Names, Slot, Table};
use crate::spec::{
    ClassifierPool, ClassifierSpec, EncoderSpec, Kind, LearnedPositions, ModelSpec, NormKind,
    NormSpec, Presence, RelativeBias,
};

type Result<T> = std::result::Result<T, Error>;

/// BERT's own names, which RoBERTa took over.
const BERT: Table = &[
    (Slot::Embed, "embeddings.word_embeddings"),
    (Slot::Positions, "embeddings.position_embeddings"),
    (Slot::TokenTypes, "embeddings.token_type_embeddings"),
    (Slot::EmbedNorm, "embeddings.LayerNorm"),
    (Slot::Query, "encoder.layer.{l}.attention.self.query"),
    (Slot::Key, "encoder.layer.{l}.attention.self.key"),
    (Slot::Value, "encoder.layer.{l}.attention.self.value"),
    (Slot::AttnOut, "encoder.layer.{l}.attention.output.dense"),
    (Slot::AttnSumNorm, "encoder.layer.{l}.attention.output.LayerNorm"),
    (Slot::Up, "encoder.layer.{l}.intermediate.dense"),
    (Slot::Down, "encoder.layer.{l}.output.dense"),
    (Slot::MlpSumNorm, "encoder.layer.{l}.output.LayerNorm"),
];

/// A classification head of RoBERTa's shape.
const CLASSIFIER: Table =
    &[(Slot::ClassifierDense, "classifier.dense"), (Slot::ClassifierOut, "classifier.out_proj")];

/// Heads of pre-training, a pooler that a classification head does not use, buffers.
const UNUSED: &[&str] = &[
    "position_ids",
    "token_type_ids",
    "pooler.dense.weight",
    "pooler.dense.bias",
    "lm_head.",
    "cls.",
    "vocab_",
    "pooler.",
    "decoder.",
    "head.",
    "classifier.",
];

const ROBERTA_NAMES: Names = Names {
    tables: &[CLASSIFIER, BERT],
    prefixes: &["", "roberta."],
    unused: UNUSED,
    ..Names::EMPTY
};

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "bert",
        model_types: &["bert"],
        gguf: &["bert"],
        aliases: &[],
        names: Names {
            tables: &[
                &[(Slot::ClassifierDense, "pooler.dense"), (Slot::ClassifierOut, "classifier")],
                BERT,
            ],
            prefixes: &["", "bert."],
            unused: UNUSED,
            ..Names::EMPTY
        },
        spec: bert,
    },
    Family {
        name: "roberta",
        model_types: &["roberta", "camembert"],
        gguf: &[],
        aliases: &[],
        names: ROBERTA_NAMES,
        spec: roberta,
    },
    Family {
        name: "xlm-roberta",
        model_types: &["xlm-roberta"],
        gguf: &[],
        aliases: &[],
        names: ROBERTA_NAMES,
        spec: roberta,
    },
    Family {
        name: "mpnet",
        model_types: &["mpnet"],
        gguf: &[],
        aliases: &[],
        names: Names {
            tables: &[
                &[
                    (Slot::Query, "encoder.layer.{l}.attention.attn.q"),
                    (Slot::Key, "encoder.layer.{l}.attention.attn.k"),
                    (Slot::Value, "encoder.layer.{l}.attention.attn.v"),
                    (Slot::AttnOut, "encoder.layer.{l}.attention.attn.o"),
                    (Slot::AttnSumNorm, "encoder.layer.{l}.attention.LayerNorm"),
                    (Slot::RelativeBias, "encoder.relative_attention_bias"),
                ],
                CLASSIFIER,
                BERT,
            ],
            prefixes: &["", "mpnet."],
            unused: UNUSED,
            ..Names::EMPTY
        },
        spec: mpnet,
    },
    Family {
        name: "distilbert",
        model_types: &["distilbert"],
        gguf: &[],
        aliases: &[
            ("dim", "hidden_size"),
            ("n_layers", "num_hidden_layers"),
            ("n_heads", "num_attention_heads"),
            ("hidden_dim", "intermediate_size"),
            ("activation", "hidden_act"),
        ],
        names: Names {
            tables: &[
                &[
                    (Slot::Query, "transformer.layer.{l}.attention.q_lin"),
                    (Slot::Key, "transformer.layer.{l}.attention.k_lin"),
                    (Slot::Value, "transformer.layer.{l}.attention.v_lin"),
                    (Slot::AttnOut, "transformer.layer.{l}.attention.out_lin"),
                    (Slot::AttnSumNorm, "transformer.layer.{l}.sa_layer_norm"),
                    (Slot::Up, "transformer.layer.{l}.ffn.lin1"),
                    (Slot::Down, "transformer.layer.{l}.ffn.lin2"),
                    (Slot::MlpSumNorm, "transformer.layer.{l}.output_layer_norm"),
                    (Slot::ClassifierDense, "pre_classifier"),
                    (Slot::ClassifierOut, "classifier"),
                ],
                BERT,
            ],
            prefixes: &["", "distilbert."],
            unused: UNUSED,
            ..Names::EMPTY
        },
        spec: distilbert,
    },
    Family {
        name: "modernbert",
        model_types: &["modernbert"],
        gguf: &[],
        aliases: &[("hidden_activation", "hidden_act"), ("global_rope_theta", "rope_theta")],
        names: Names {
            tables: &[&[
                (Slot::Embed, "embeddings.tok_embeddings"),
                (Slot::EmbedNorm, "embeddings.norm"),
                (Slot::AttnNorm, "layers.{l}.attn_norm"),
                (Slot::Qkv, "layers.{l}.attn.Wqkv"),
                (Slot::AttnOut, "layers.{l}.attn.Wo"),
                (Slot::MlpNorm, "layers.{l}.mlp_norm"),
                (Slot::GateUp, "layers.{l}.mlp.Wi"),
                (Slot::Down, "layers.{l}.mlp.Wo"),
                (Slot::FinalNorm, "final_norm"),
                (Slot::ClassifierDense, "head.dense"),
                (Slot::ClassifierNorm, "head.norm"),
                (Slot::ClassifierOut, "classifier"),
            ]],
            prefixes: &["", "model."],
            unused: UNUSED,
            ..Names::EMPTY
        },
        spec: modernbert,
    },
];

/// Layer norms over the sums, biases everywhere, learned positions.
fn post_norm(k: &Keys) -> Result<ModelSpec> {
    k.only("is_decoder", &Value::Bool(false))?;
    k.only("is_causal", &Value::Bool(false))?;
    k.only("add_cross_attention", &Value::Bool(false))?;
    k.ignore(&["tie_word_embeddings"]);
    let mut spec = stack(k, "gelu")?;
    spec.norm = NormSpec { kind: NormKind::Layer, bias: true, ..spec.norm };
    spec.residual.norm_in = false;
    spec.residual.norm_sum = true;
    spec.attention.qkv_bias = Presence::Yes;
    spec.attention.out_bias = Presence::Yes;
    spec.mlp.gated = false;
    spec.mlp.bias = Presence::Yes;
    spec.embedding.positions =
        Some(LearnedPositions { rows: spec.context, offset: 0, padding: None });
    spec.embedding.norm = true;
    spec.kind = Kind::Encoder(EncoderSpec {
        classifier: None,
        final_norm: false,
        first_norm_is_identity: false,
        relative_bias: None,
    });
    Ok(spec)
}

/// The classification head, where the architecture names one.
fn classifier(k: &Keys, dense_activation: &str) -> Result<Option<ClassifierSpec>> {
    let named = k.opt_list("architectures")?.and_then(|l| l.first()?.as_str()).unwrap_or_default();
    if !named.ends_with("ForSequenceClassification") {
        return Ok(None);
    }
    let labels = match k.opt_map("id2label")? {
        Some(map) => {
            let mut labels: Vec<(usize, String)> = map
                .iter()
                .filter_map(|(id, label)| Some((id.parse().ok()?, label.as_str()?.to_owned())))
                .collect();
            labels.sort();
            labels.into_iter().map(|(_, label)| label).collect()
        }
        None => (0..k.opt_usize("num_labels")?.unwrap_or(2).min(1 << 16))
            .map(|i| format!("LABEL_{i}"))
            .collect(),
    };
    Ok(Some(ClassifierSpec {
        labels,
        pool: ClassifierPool::First,
        dense_activation: activation(dense_activation),
        dense_bias: Presence::Yes,
        norm: false,
    }))
}

fn with_classifier(k: &Keys, mut spec: ModelSpec, dense_activation: &str) -> Result<ModelSpec> {
    if let Kind::Encoder(encoder) = &mut spec.kind {
        encoder.classifier = classifier(k, dense_activation)?;
    }
    Ok(spec)
}

fn bert(k: &Keys) -> Result<ModelSpec> {
    let mut spec = post_norm(k)?;
    spec.embedding.token_types = k.opt_usize("type_vocab_size")?.unwrap_or(2);
    with_classifier(k, spec, "tanh")
}

/// Positions count from the padding id plus one.
fn shift_positions(k: &Keys, spec: &mut ModelSpec, padding: usize) -> Result<()> {
    let offset = padding.saturating_add(1);
    if offset >= spec.context {
        return Err(k.bad("pad_token_id", &Value::from(padding), "fewer than the positions"));
    }
    spec.embedding.positions =
        Some(LearnedPositions { rows: spec.context, offset, padding: Some(offset as u32 - 1) });
    spec.context -= offset;
    Ok(())
}

fn roberta(k: &Keys) -> Result<ModelSpec> {
    let mut spec = post_norm(k)?;
    if k.is_null("pad_token_id") {
        return Err(k.bad("pad_token_id", &Value::Null, "a token id, from which positions count"));
    }
    let padding = k.opt_usize("pad_token_id")?.unwrap_or(1);
    shift_positions(k, &mut spec, padding)?;
    spec.embedding.token_types = k.opt_usize("type_vocab_size")?.unwrap_or(1);
    with_classifier(k, spec, "tanh")
}

/// Distances between tokens add a bias to the scores.
fn mpnet(k: &Keys) -> Result<ModelSpec> {
    let mut spec = post_norm(k)?;
    // The code does not ask for the id.
    shift_positions(k, &mut spec, 1)?;
    let buckets = k.opt_usize("relative_attention_num_buckets")?.unwrap_or(32);
    if !(4..=1 << 16).contains(&buckets) || buckets % 4 != 0 {
        return Err(k.bad(
            "relative_attention_num_buckets",
            &Value::from(buckets),
            "a multiple of 4",
        ));
    }
    if let Kind::Encoder(encoder) = &mut spec.kind {
        encoder.relative_bias = Some(RelativeBias { buckets, max_distance: 128 });
    }
    with_classifier(k, spec, "tanh")
}

fn distilbert(k: &Keys) -> Result<ModelSpec> {
    // The table is stored in either case.
    k.ignore(&["sinusoidal_pos_embds"]);
    let mut spec = post_norm(k)?;
    // No key says so.
    spec.norm.eps = 1e-12;
    with_classifier(k, spec, "relu")
}

/// Norms before the parts, rope, gated blocks; two of three layers see only their neighbours.
fn modernbert(k: &Keys) -> Result<ModelSpec> {
    let mut spec = stack(k, "gelu")?;
    let norm_bias = k.bool_or("norm_bias", false)?;
    spec.norm = NormSpec { kind: NormKind::Layer, bias: norm_bias, ..spec.norm };
    spec.attention.qkv_bias = k.bool_or("attention_bias", false)?.into();
    spec.attention.out_bias = spec.attention.qkv_bias;
    spec.mlp.bias = k.bool_or("mlp_bias", false)?.into();
    spec.embedding.norm = true;
    // Attention kernels, the masked-language head and a setting that the rope stands in for.
    k.ignore(&[
        "deterministic_flash_attn",
        "reference_compile",
        "repad_logits_with_grad",
        "sparse_prediction",
        "sparse_pred_ignore_index",
        "decoder_bias",
        "tie_word_embeddings",
        "position_embedding_type",
        "sliding_window",
        "initializer_cutoff_factor",
    ]);
    let period = k.opt_usize("global_attn_every_n_layers")?.unwrap_or(3).max(1);
    let window = k.opt_usize("local_attention")?.unwrap_or(128);
    if window == 0 {
        let found = k.get("local_attention").unwrap_or(&Value::Null);
        return Err(k.bad("local_attention", found, "a number of tokens, 1 or more"));
    }
    k.windows(&mut spec, Some(window), |l| l % period != 0)?;
    let dim = spec.attention.head_dim;
    let local = k.opt_f64("local_rope_theta")?.unwrap_or(10_000.0);
    spec.ropes = vec![
        k.rope_for(Some("full_attention"), dim, 1.0, 160_000.0)?,
        k.rope_for(Some("sliding_attention"), dim, 1.0, local)?,
    ];
    for layer in &mut spec.layers {
        layer.rope = Some(usize::from(layer.window.is_some()));
    }
    let dense_activation = k.opt_str("classifier_activation")?.unwrap_or("gelu").to_owned();
    let bias = k.bool_or("classifier_bias", false)?;
    let mut head = classifier(k, &dense_activation)?;
    if let Some(head) = &mut head {
        head.norm = true;
        head.dense_bias = bias.into();
        head.pool = match k.opt_str("classifier_pooling")?.unwrap_or("cls") {
            "mean" => ClassifierPool::Mean,
            _ => ClassifierPool::First,
        };
    }
    k.ignore(&["classifier_pooling"]);
    spec.kind = Kind::Encoder(EncoderSpec {
        classifier: head,
        final_norm: true,
        first_norm_is_identity: true,
        relative_bias: None,
    });
    Ok(spec)
}
