//! Models that are written as GGUF files, with their own weights and with fewer bits.

use std::fs;
use std::path::Path;

use scaffold::config::Quantize;
use scaffold::hub::{LocalModel, Progress, Silent};
use scaffold::logits::logits;
use scaffold::text::EncodeOptions;
use scaffold::{LoadOptions, Model, quantize};
use scaffold_formats::BlockType;
use scaffold_testing::golden::{TinyGolden, tiny, tiny_decoders};
use scaffold_testing::tokenizer::byte_level;
use scaffold_testing::tolerance::{MaxAbs, Tolerance as _};
use tempfile::TempDir;

/// A golden's checkpoint with a tokenizer and a template.
fn checkpoint(golden: &TinyGolden) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(&golden.dir).unwrap().map(Result::unwrap) {
        if entry.path().is_file() {
            fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
        }
    }
    fs::write(dir.path().join("tokenizer.json"), byte_level().to_string()).unwrap();
    let config = serde_json::json!({
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>",
        "chat_template": "{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>{% endfor %}",
    });
    fs::write(dir.path().join("tokenizer_config.json"), config.to_string()).unwrap();
    dir
}

fn open(path: &Path) -> Model {
    open_as(path, Quantize::None)
}

fn open_as(path: &Path, quantize: Quantize) -> Model {
    let options = LoadOptions::new().quantize(quantize).kv_type(scaffold::engine::KvType::F32);
    Model::open(&LocalModel::on_disk(path), &options).unwrap()
}

#[test]
fn a_checkpoint_is_the_same_model_as_a_gguf_file() {
    let mut written = 0;
    for golden in tiny_decoders().iter().filter(|golden| golden.gguf_lacks().is_none()) {
        let dir = checkpoint(golden);
        let file = dir.path().join("whole.gguf");
        let model = open(dir.path());
        let done = quantize::write(&model, BlockType::F32, false, &file, &mut Silent);
        done.unwrap_or_else(|error| panic!("{}: {error}", golden.name));
        let whole = open(&file);
        let rows = logits(&whole, &golden.input_ids, true).unwrap();
        MaxAbs(1e-4).check(&golden.name, &rows.concat(), golden.logits());
        let (text, original) = (whole.text().unwrap(), model.text().unwrap());
        let ids = |text: &scaffold::model::TextFiles| {
            text.tokenizer.encode("Ähm, <s> 12 words.\n", &EncodeOptions::default()).unwrap().ids
        };
        assert_eq!(ids(&text), ids(&original), "{}", golden.name);
        // What the tokenizer's class adds beyond the model's rows is no part of the file.
        let rows = model.spec().vocab as u32;
        let ends = |text: &scaffold::model::TextFiles| -> Vec<u32> {
            text.tokenizer.eos_ids().iter().copied().filter(|id| *id < rows).collect()
        };
        assert_eq!(ends(&text), ends(&original), "{}", golden.name);
        assert!(text.template.is_ok(), "{}", golden.name);
        written += 1;
    }
    assert!(written > 20, "{written}");
}

/// What is written with fewer bits is what is computed with when a model is quantized while it is
/// loaded: the same bits.
#[test]
fn a_file_and_a_load_quantize_alike() {
    for (name, to, setting) in [
        ("llama", BlockType::Q4_K, Quantize::Q4K),
        ("qwen2", BlockType::Q8_0, Quantize::Q8_0),
        ("gemma2", BlockType::Q4_0, Quantize::Q4_0),
        ("mixtral", BlockType::Q6_K, Quantize::Q6K),
    ] {
        let golden = tiny(name);
        let dir = checkpoint(&golden);
        let file = dir.path().join("small.gguf");
        let model = open(dir.path());
        let done = quantize::write(&model, to, false, &file, &mut Silent).unwrap();
        assert!(done.bytes < fs::metadata(dir.path().join("model.safetensors")).unwrap().len());
        let of_file = logits(&open(&file), &golden.input_ids, true).unwrap().concat();
        let of_load =
            logits(&open_as(dir.path(), setting), &golden.input_ids, true).unwrap().concat();
        let whole = logits(&model, &golden.input_ids, true).unwrap().concat();
        let away = |one: &[f32], other: &[f32]| {
            one.iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
        };
        // The weights are the same bits. Rows of queries and keys are in another order in the files of
        // some families, so that their sums round otherwise, and inputs of 8 bits with them.
        let (apart, lost) = (away(&of_file, &of_load), away(&of_load, &whole));
        assert!(apart < lost / 3.0, "{name}: {apart} {lost}");
    }
}

#[test]
fn quantized_weights_are_quantized_again_only_if_asked() {
    let golden = tiny("llama");
    let dir = checkpoint(&golden);
    let (first, second) = (dir.path().join("first.gguf"), dir.path().join("second.gguf"));
    quantize::write(&open(dir.path()), BlockType::Q8_0, false, &first, &mut Silent).unwrap();
    let model = open(&first);
    let error = quantize::write(&model, BlockType::Q4_0, false, &second, &mut Silent).unwrap_err();
    assert!(error.to_string().contains("Q8_0 already"), "{error}");
    assert!(!second.exists());
    quantize::write(&model, BlockType::Q4_0, true, &second, &mut Silent).unwrap();
    assert_eq!(quantize::stored(&open(&second)).unwrap(), "Q4_0");
    // Floats are made of anything.
    quantize::write(&model, BlockType::F16, false, &second, &mut Silent).unwrap();
    assert_eq!(quantize::stored(&open(&second)).unwrap(), "F16");
    assert_eq!(quantize::weights("q4_K_M").unwrap(), BlockType::Q4_K);
    let error = quantize::weights("q3_K_S").unwrap_err().to_string();
    assert!(error.contains("\"q3_K_S\"") && error.contains("q8_0"), "{error}");
}

/// Stops at once.
struct Stopped;

impl Progress for Stopped {
    fn event(&mut self, _event: &scaffold::hub::Event) {}

    fn cancelled(&self) -> bool {
        true
    }
}

#[test]
fn nothing_half_written_is_left() {
    let dir = checkpoint(&tiny("llama"));
    let file = dir.path().join("small.gguf");
    fs::write(&file, "what was there").unwrap();
    let model = open(dir.path());
    let error = quantize::write(&model, BlockType::Q8_0, false, &file, &mut Stopped).unwrap_err();
    assert_eq!(error.kind(), scaffold::Kind::Cancelled);
    assert_eq!(fs::read(&file).unwrap(), b"what was there");
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    let unfinished = |name: &std::ffi::OsString| name.to_string_lossy().ends_with(".incomplete");
    assert!(!names.iter().any(unfinished), "{names:?}");
}

/// Where the weights fit, they stay; where they do not, the finest that fits is taken, and said.
#[test]
fn auto_takes_the_finest_that_fits() {
    let dir = checkpoint(&tiny("llama"));
    let open = |memory: scaffold::MemoryLimit| {
        let options = LoadOptions::new().quantize(Quantize::Auto).memory(memory).context(32usize);
        Model::open(&LocalModel::on_disk(dir.path()), &options).unwrap()
    };
    let model = open(scaffold::MemoryLimit::Unlimited);
    assert_eq!(model.options().quantize, Quantize::None);
    assert!(model.notices().iter().any(|n| n.text.contains("as they are stored")));
    let whole = model.need().unwrap().memory().total();
    let mut taken = vec![Quantize::None];
    for share in (50..100).rev() {
        let model = open(scaffold::MemoryLimit::Bytes(whole * share / 100));
        let quantize = model.options().quantize;
        if taken.last() != Some(&quantize) {
            assert!(model.notices().iter().any(|n| n.text.contains(&format!("become {quantize}"))));
            taken.push(quantize);
        }
    }
    assert!(taken.len() > 1, "{taken:?}");
}
