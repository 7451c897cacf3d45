//! Every decoder family written as a GGUF file, as llama.cpp's converter would, and read again: the logits are those of
//! `transformers`.

mod common;

use common::{Lone, decoder, load};
use scaffold_formats::{BlockType, Gguf};
use scaffold_model::{Decoder, KvType, ModelSpec, Precision};
use scaffold_testing::golden::{TinyGolden, tiny_decoders};
use scaffold_testing::tolerance::{MaxAbs, Tolerance, cosine};

/// The golden's model through a GGUF file with matrices of type `ty`.
fn through_gguf(golden: &TinyGolden, ty: BlockType, precision: Precision) -> Decoder {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("model.gguf");
    golden.write_gguf(&path, ty);
    let file = Gguf::open(&path).expect("a GGUF file");
    let spec =
        ModelSpec::from_gguf(file.metadata()).unwrap_or_else(|e| panic!("{}: {e}", golden.name));
    load(&file, spec, precision).unwrap_or_else(|e| panic!("{}: {e}", golden.name))
}

fn logits(golden: &TinyGolden, decoder: &Decoder) -> Vec<f32> {
    let mut lone = Lone::new(decoder, KvType::F32);
    lone.planned = golden.input_ids.len();
    lone.feed(&golden.input_ids)
}

/// The decoders that GGUF can hold.
fn goldens() -> Vec<TinyGolden> {
    let (held, left): (Vec<_>, Vec<_>) = tiny_decoders()
        .into_iter()
        .partition(|g| g.gguf_lacks().is_none());
    assert!(
        left.len() <= 1,
        "only the dynamic rope has no place in GGUF"
    );
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
        let dequantized = logits(
            &golden,
            &through_gguf(&golden, BlockType::Q8_0, Precision::F32),
        );
        let packed = logits(
            &golden,
            &through_gguf(&golden, BlockType::Q8_0, Precision::Native),
        );
        for (what, found, least) in [
            ("8-bit weights", dequantized, 0.995),
            ("packed 8-bit weights", packed, 0.97),
        ] {
            let cosine = cosine(&found, &exact);
            assert!(
                cosine > least,
                "{}: the logits of {what} have a cosine of {cosine}",
                golden.name
            );
        }
    }
}
