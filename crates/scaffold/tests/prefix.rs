//! Prefixes that are kept on disk between runs.

use std::path::Path;

use scaffold::builder::FromModel as _;
use scaffold::config::{Config, Inputs};
use scaffold::hub::{LocalModel, Silent};
use scaffold::prefixes::{PrefixOptions, list};
use scaffold::{GenerateOptions, Kind, LlmManager, LoadOptions, Message, Model, RenderOptions};
use scaffold_testing::tokenizer::byte_level;
use serde_json::json;

const TEMPLATE: &str = "{% for m in messages %}{% if loop.first %}<|im_start|>{% endif %}{{ m.role }}\n{{ m.content }}\n\
                        {% endfor %}{% if add_generation_prompt %}assistant\n{% endif %}";

fn model(family: &str) -> tempfile::TempDir {
    let tiny = scaffold_testing::golden::tiny(family);
    let directory = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(tiny.dir.join(file), directory.path().join(file)).unwrap();
    }
    let write = |name: &str, value: serde_json::Value| {
        std::fs::write(directory.path().join(name), value.to_string()).unwrap();
    };
    write("tokenizer.json", byte_level());
    write(
        "tokenizer_config.json",
        json!({"eos_token": "</s>", "tokenizer_class": "PreTrainedTokenizerFast", "chat_template": TEMPLATE}),
    );
    directory
}

/// A start of the program with this model, which keeps prefixes in a directory.
fn start(model: &Path, prefixes: Option<&Path>) -> LlmManager {
    let inputs = Inputs { variable: &|_| None, project: None, file: None, flags: vec![] };
    let config = Config::load(inputs).unwrap();
    let mut options = LoadOptions::new();
    options.prefixes =
        prefixes.map(|directory| PrefixOptions { directory: directory.to_owned(), limit: 1 << 30 });
    let files = LocalModel::on_disk(model).named("tiny");
    let model = Model::open(&files, &options).unwrap();
    LlmManager::from_model(&model, &config, Vec::new(), &mut Silent).unwrap()
}

fn rules() -> [Message; 1] {
    [Message::system(
        "Answer in rhymes, never in prose, and never of bread, of rivers or of kings.",
    )]
}

/// The ids of an answer in a chat that begins with the rules, and the tokens of it that were found.
fn chat(model: &LlmManager) -> (Vec<u32>, usize) {
    let [rules] = rules();
    let options = GenerateOptions::new().greedy().max_new_tokens(8_usize);
    let answer = model.chat_with(&[rules, Message::user("And you?")], &options).unwrap();
    (answer.ids.clone(), answer.usage.cached_tokens)
}

#[test]
fn a_prefix_is_computed_once_and_then_read() {
    let (model, place) = (model("llama"), tempfile::tempdir().unwrap());
    let directory = place.path().join("prefixes");
    let (alone, none) = chat(&start(model.path(), None));
    assert_eq!(none, 0);
    for from_disk in [false, true] {
        let model = start(model.path(), Some(&directory));
        let kept = model.keep_prefix("rules", &rules(), &RenderOptions::default()).unwrap();
        assert_eq!(kept.from_disk, from_disk);
        assert!(kept.tokens >= 32, "{kept:?}");
        // The first start has computed it, the second has not.
        let computed = model.engine().unwrap().metrics().prompt_tokens;
        assert_eq!(computed == 0, from_disk, "{computed}");
        assert_eq!(chat(&model), (alone.clone(), kept.tokens));
    }
    let kept = list(&directory).unwrap();
    let about = kept[0].about.clone().unwrap();
    assert_eq!((kept.len(), &*about.name, &*about.model), (1, "rules", "tiny"));
}

#[test]
fn a_kept_file_that_is_of_no_use_is_written_anew() {
    let (model, place) = (model("llama"), tempfile::tempdir().unwrap());
    let directory = place.path().join("prefixes");
    let keep = || {
        let model = start(model.path(), Some(&directory));
        let kept = model.keep_prefix("rules", &rules(), &RenderOptions::default()).unwrap();
        (kept, model)
    };
    let (first, one) = keep();
    let wanted = chat(&one);
    // Damaged: the program says so.
    let mut bytes = std::fs::read(&first.path).unwrap();
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    std::fs::write(&first.path, &bytes).unwrap();
    let (again, model_of_damage) = keep();
    assert!(!again.from_disk);
    assert_eq!(chat(&model_of_damage), wanted);
    let notices = model_of_damage.notices();
    assert!(notices.iter().any(|notice| notice.text.contains("checksum")), "{notices:?}");
    assert!(keep().0.from_disk);
    // Other words under the same name.
    let other = start(model.path(), Some(&directory));
    let words = [Message::system("Quite another message, which is long enough to be kept, too.")];
    let kept = other.keep_prefix("rules", &words, &RenderOptions::default()).unwrap();
    assert!(!kept.from_disk && kept.path == first.path);
    // Other weights at the same place.
    keep();
    let weights = model.path().join("model.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&weights, bytes).unwrap();
    assert!(!keep().0.from_disk);
}

#[test]
fn what_cannot_be_kept_is_an_error_that_says_why() {
    let (model, place) = (model("llama"), tempfile::tempdir().unwrap());
    let nowhere = start(model.path(), None);
    let error = nowhere.keep_prefix("rules", &rules(), &RenderOptions::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "{error}");
    let somewhere = start(model.path(), Some(place.path()));
    let short = somewhere.keep_prefix_ids("few", vec![1, 2, 3]).unwrap_err();
    assert!(short.to_string().contains("3 tokens"), "{short}");
    assert!(somewhere.keep_prefix_ids("", vec![1; 64]).is_err());
    assert!(somewhere.keep_prefix_ids("unknown", vec![60_000; 64]).is_err());
    // A file where the directory should be.
    let taken = place.path().join("file");
    std::fs::write(&taken, "").unwrap();
    let error = start(model.path(), Some(&taken)).keep_prefix_ids("x", vec![1; 64]).unwrap_err();
    assert!(error.to_string().contains("file"), "{error}");
}
