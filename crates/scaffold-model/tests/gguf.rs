//! Every decoder family written as a GGUF file, as llama.cpp's converter would, and read again: the
//! logits are those of `transformers`.

mod common;

use std::sync::Arc;

use common::{Lone, decoder, exec, load};
use scaffold_formats::write::GgufWriter;
use scaffold_formats::{BlockType, Gguf};
use scaffold_kernels::dequantize;
use scaffold_model::{
    Decoder, Encoder, EncoderSession, KvType, LoadOptions, ModelSpec, Precision, Text,
};
use scaffold_testing::golden::{TinyGolden, tiny, tiny_decoders};
use scaffold_testing::tolerance::{MaxAbs, Tolerance, cosine};

/// The golden's model through a GGUF file with matrices of type `ty`.
fn through_gguf(golden: &TinyGolden, ty: BlockType, precision: Precision) -> Arc<Decoder> {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("model.gguf");
    golden.write_gguf(&path, ty);
    let file = Gguf::open(&path).expect("a GGUF file");
    let spec =
        ModelSpec::from_gguf(file.metadata()).unwrap_or_else(|e| panic!("{}: {e}", golden.name));
    load(&file, spec, precision).unwrap_or_else(|e| panic!("{}: {e}", golden.name))
}

fn logits(golden: &TinyGolden, decoder: &Arc<Decoder>) -> Vec<f32> {
    let mut lone = Lone::new(decoder, KvType::F32);
    lone.planned = golden.input_ids.len();
    lone.feed(&golden.input_ids)
}

/// The decoders that GGUF can hold.
fn goldens() -> Vec<TinyGolden> {
    let (held, left): (Vec<_>, Vec<_>) =
        tiny_decoders().into_iter().partition(|g| g.gguf_lacks().is_none());
    assert!(left.len() <= 1, "only the dynamic rope has no place in GGUF");
    held
}

#[test]
fn unquantized_files_give_the_logits_of_the_goldens() {
    for golden in goldens() {
        let decoder = through_gguf(&golden, BlockType::F32, Precision::Native);
        MaxAbs(1e-4).check(&golden.name, &logits(&golden, &decoder), golden.logits());
    }
}

#[test]
fn eight_bit_files_lose_little_and_nothing_more_on_the_way() {
    for golden in goldens() {
        let exact = logits(&golden, &decoder(&golden));
        let dequantized = logits(&golden, &through_gguf(&golden, BlockType::Q8_0, Precision::F32));
        let packed = logits(&golden, &through_gguf(&golden, BlockType::Q8_0, Precision::Native));
        for (what, found, least) in
            [("8-bit weights", dequantized, 0.995), ("packed 8-bit weights", packed, 0.97)]
        {
            let cosine = cosine(&found, &exact);
            assert!(
                cosine > least,
                "{}: the logits of {what} have a cosine of {cosine}",
                golden.name
            );
        }
    }
}

/// BERT's tensors by their names in GGUF files.
fn bert_name(name: &str) -> Option<String> {
    const NAMES: &[(&str, &str)] = &[
        ("embeddings.word_embeddings", "token_embd"),
        ("embeddings.position_embeddings", "position_embd"),
        ("embeddings.token_type_embeddings", "token_types"),
        ("embeddings.LayerNorm", "token_embd_norm"),
        ("attention.self.query", "attn_q"),
        ("attention.self.key", "attn_k"),
        ("attention.self.value", "attn_v"),
        ("attention.output.dense", "attn_output"),
        ("attention.output.LayerNorm", "attn_output_norm"),
        ("intermediate.dense", "ffn_up"),
        ("output.dense", "ffn_down"),
        ("output.LayerNorm", "layer_output_norm"),
    ];
    let (stem, kind) = name.rsplit_once('.')?;
    let (layer, stem) = match stem.strip_prefix("encoder.layer.") {
        Some(rest) => rest.split_once('.').map(|(layer, stem)| (format!("blk.{layer}."), stem))?,
        None => (String::new(), stem),
    };
    let (_, short) = NAMES.iter().find(|(long, _)| *long == stem)?;
    Some(format!("{layer}{short}.{kind}"))
}

#[test]
fn bert_from_a_gguf_file() {
    let golden = tiny("bert");
    let weights = golden.weights();
    let mut writer = GgufWriter::new();
    writer
        .set("general.architecture", "bert")
        .set("bert.block_count", 2_u32)
        .set("bert.context_length", 130_u32);
    writer.set("bert.embedding_length", 64_u32).set("bert.feed_forward_length", 128_u32);
    writer
        .set("bert.attention.head_count", 4_u32)
        .set("bert.attention.layer_norm_epsilon", 1e-12_f32);
    writer.set("bert.attention.causal", false).set("bert.pooling_type", 1_u32);
    writer.set("tokenizer.ggml.token_type_count", 2_u32);
    for tensor in weights.tensors() {
        let tensor = tensor.expect("a tensor");
        if let Some(name) = bert_name(tensor.name) {
            let mut values = vec![0.0; tensor.len()];
            dequantize(tensor.ty, tensor.bytes, &mut values).expect("values");
            writer.add_f32(&name, BlockType::F32, tensor.shape, &values).expect("a tensor");
        }
    }
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("bert.gguf");
    writer.write(&path).expect("a file");
    let file = Gguf::open(&path).expect("a GGUF file");
    let spec = ModelSpec::from_gguf(file.metadata()).expect("a specification");
    let encoder = Encoder::load(&file, spec, exec(), &LoadOptions::default()).map(Arc::new);
    let encoder = encoder.expect("an encoder");
    let texts = [Text { tokens: &golden.input_ids, types: &[] }];
    let mut session = EncoderSession::new(Arc::clone(&encoder), 64);
    let found = session.hidden_states(&texts).expect("hidden states");
    MaxAbs(1e-5).check("bert", found, golden.last_hidden_state());
}
