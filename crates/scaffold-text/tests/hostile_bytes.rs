//! The fuzz targets on the stable toolchain: their seeds replayed, and changed some thousand times.

use scaffold_testing::corpus::{seeds, survives};
use scaffold_text::{ChatTemplate, Message, RenderOptions, SpecialTokens, fuzzing};

const CASES: u32 = 2000;

#[test]
fn changed_tokenizer_json_is_survived() {
    survives("tokenizer_json", fuzzing::tokenizer_json, CASES);
}

#[test]
fn changed_files_of_classes_are_survived() {
    survives("tokenizer_class", fuzzing::tokenizer_class, CASES);
}

#[test]
fn changed_sentence_piece_models_are_survived() {
    survives("tokenizer_model", fuzzing::tokenizer_model, CASES);
}

#[test]
fn changed_lists_of_ranks_are_survived() {
    survives("tekken", fuzzing::tekken, CASES);
    survives("tiktoken", fuzzing::tiktoken, CASES);
}

#[test]
fn changed_templates_are_survived() {
    survives("template", fuzzing::template, CASES);
}

/// With the limits that users have, and not those of the fuzz target.
#[test]
fn templates_of_the_corpus_end_in_little_time() {
    for (name, source) in seeds("template") {
        let Ok(source) = String::from_utf8(source) else {
            continue;
        };
        let Ok(template) = ChatTemplate::from_source(&source, &SpecialTokens::default()) else {
            continue;
        };
        let messages = [Message::user("Hi <|im_end|>"), Message::assistant("Yo")];
        let start = std::time::Instant::now();
        let _ = template.render(&messages, &RenderOptions::default());
        let took = start.elapsed();
        assert!(took.as_secs() < 20, "{name} took {took:?}");
    }
}
