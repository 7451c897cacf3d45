use scaffold_error::Error;

use super::*;
use crate::name::ModelName;

fn chosen(name: &str, files: &[&'static str]) -> Result<Selection, Error> {
    let Ok(ModelName::Repo(repo)) = ModelName::parse(name) else { panic!("{name}") };
    let files: Vec<_> = files.iter().map(|f| (*f, Some(100))).collect();
    select(&repo, &files, &|_| true)
}

#[test]
fn only_what_the_model_needs() {
    let files = [
        ".gitattributes",
        "README.md",
        "config.json",
        "consolidated.safetensors",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
        "onnx/model.onnx",
        "params.json",
        "pytorch_model.bin",
        "special_tokens_map.json",
        "tokenizer.json",
        "tf_model.h5",
        "training_args.bin",
        "additional_chat_templates/tool.jinja",
    ];
    let selection = chosen("o/n", &files).unwrap();
    assert_eq!(
        selection.files(),
        [
            "README.md",
            "config.json",
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
            "model.safetensors.index.json",
            "special_tokens_map.json",
            "tokenizer.json",
            "additional_chat_templates/tool.jinja",
        ]
    );
    let modules = [
        "1_Pooling/config.json",
        "2_Dense/model.safetensors",
        "onnx/config.json",
        "model.safetensors",
        "model-x.safetensors",
    ];
    assert_eq!(
        chosen("o/n", &modules).unwrap().files(),
        ["1_Pooling/config.json", "2_Dense/model.safetensors", "model.safetensors"]
    );
}

#[test]
fn a_quantization_must_be_clear() {
    let files = ["m-Q4_K_M.gguf", "m-Q4_K_S.gguf", "m-Q8_0.gguf"];
    assert_eq!(chosen("o/n:q8_0", &files).unwrap().files(), ["m-Q8_0.gguf"]);
    assert_eq!(chosen("o/n", &files).unwrap().files(), ["m-Q4_K_M.gguf"]);
    assert_eq!(chosen("o/n/m-Q4_K_S.gguf", &files).unwrap().files(), ["m-Q4_K_S.gguf"]);
    let ambiguous = chosen("o/n:Q4", &files).unwrap_err().to_string();
    assert!(ambiguous.contains("more than one GGUF file (Q4_K_M, Q4_K_S)"), "{ambiguous}");
    let unknown = chosen("o/n:Q5_0", &files).unwrap_err().to_string();
    assert!(
        unknown.contains("no GGUF file for `Q5_0`") && unknown.contains("Q4_K_M, Q4_K_S, Q8_0"),
        "{unknown}"
    );
    let twice = chosen("o/n:Q8_0", &["a-Q8_0.gguf", "b-Q8_0.gguf"]).unwrap_err().to_string();
    assert!(twice.contains("a-Q8_0.gguf, b-Q8_0.gguf"), "{twice}");
}

#[test]
fn what_cannot_be_used_is_named() {
    let error = chosen("o/n", &["config.json", "pytorch_model.bin"]).unwrap_err().to_string();
    assert!(error.contains("o/n has no weights") && error.contains("pytorch_model.bin"), "{error}");
    let error = chosen("o/n:Q4_0", &["model.safetensors"]).unwrap_err().to_string();
    assert!(error.contains("no GGUF files"), "{error}");
}

#[test]
fn a_snapshot_without_weights_or_tokenizer_is_not_complete() {
    let files = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let shards =
        || Some(files(&["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]));
    assert!(is_complete(&files(&["config.json", "model.safetensors", "tokenizer.json"]), || None));
    assert!(!is_complete(&files(&["config.json", "tokenizer.json"]), || None));
    assert!(!is_complete(&files(&["config.json", "model.safetensors"]), || None));
    for tokenizer in [&["qwen.tiktoken"][..], &["vocab.txt"], &["vocab.json", "merges.txt"]] {
        let names = [tokenizer, &["config.json", "model.safetensors"]].concat();
        assert!(is_complete(&files(&names), || None), "{tokenizer:?}");
    }
    let half = files(&["config.json", "model.safetensors", "vocab.json"]);
    assert!(!is_complete(&half, || None));
    let sharded = [
        "config.json",
        "tokenizer.model",
        "model.safetensors.index.json",
        "model-00001-of-00002.safetensors",
    ];
    assert!(!is_complete(&files(&sharded), shards));
}
