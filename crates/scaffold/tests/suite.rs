//! The JSON Schema Test Suite and schemas of real programs: of each, answers that are noise but for the grammar are valid by
//! another program, and what the suite calls invalid cannot be said; or the schema is refused.

#![allow(clippy::print_stdout, reason = "the shares are what somebody who runs it wants to see")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::sync::Arc;

use flate2::read::GzDecoder;
use jsonschema::{Draft, Validator};
use scaffold::config::{Config, Flag, Inputs, Key};
use scaffold::grammar::guide::Progress;
use scaffold::grammar::{Compiled, Vocabulary};
use scaffold::text::Tokenizer;
use scaffold::{GenerateOptions, Grammar, Kind, LlmManager};
use scaffold_testing::golden::tiny;
use scaffold_testing::tokenizer::byte_level;
use serde_json::Value;

/// Answers by each schema of the suite, and by each of real programs.
const SEEDS: u64 = 4;
const SEEDS_OF_PROGRAMS: u64 = 1;

struct Case {
    /// The file of the suite.
    of: String,
    schema: Value,
    instances: Vec<(Value, bool)>,
}

fn cases(file: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas").join(file);
    let lines = BufReader::new(GzDecoder::new(File::open(path).unwrap())).lines();
    let case = |line: String| {
        let mut line: Value = serde_json::from_str(&line).unwrap();
        let of = line["of"].as_str().unwrap().to_owned();
        let instances = line.get_mut("instances").map(Value::take).unwrap_or_default();
        let instances = serde_json::from_value::<Option<_>>(instances).unwrap().unwrap_or_default();
        Case { of, schema: line["schema"].take(), instances }
    };
    lines.map(|line| case(line.unwrap())).collect()
}

impl Case {
    fn validator(&self) -> Option<Validator> {
        let draft = match self.of.split('/').next() {
            Some("draft7") => Draft::Draft7,
            Some("draft2019-09") => Draft::Draft201909,
            _ => Draft::Draft202012,
        };
        let named = self.schema.get("$schema").is_some();
        let options = jsonschema::options().should_validate_formats(true);
        let options = if named { options } else { options.with_draft(draft) };
        options.build(&self.schema).ok()
    }
}

fn model() -> (tempfile::TempDir, LlmManager) {
    let directory = tempfile::tempdir().unwrap();
    let tiny = tiny("llama");
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(tiny.dir.join(file), directory.path().join(file)).unwrap();
    }
    std::fs::write(directory.path().join("tokenizer.json"), byte_level().to_string()).unwrap();
    let off = Flag { key: Key::PackedCache, name: "--test", value: "off".to_owned() };
    let inputs = Inputs { variable: &|_| None, project: None, file: None, flags: vec![off] };
    let name = directory.path().to_str().unwrap().to_owned();
    let config = Config::load(inputs).unwrap();
    let model = LlmManager::builder(name).config(&config).context(512).load().unwrap();
    (directory, model)
}

/// Wild, but not endless: what closes something is liked, and exponents, which may be beyond any
/// number of this program, are not.
fn wild(model: &LlmManager) -> GenerateOptions {
    let tokenizer = model.tokenizer().unwrap();
    let mut options = GenerateOptions::new().temperature(1.5).max_new_tokens(250);
    for byte in *b"\"]}, " {
        options = options.bias(token(&tokenizer, byte), 4.0);
    }
    for byte in *b"eE" {
        options = options.bias(token(&tokenizer, byte), -30.0);
    }
    options
}

fn token(tokenizer: &Tokenizer, byte: u8) -> u32 {
    (0..300).find(|&id| tokenizer.token_bytes(id).as_deref() == Some(&[byte])).unwrap()
}

/// Whether a text can be said as a whole.
fn can_say(compiled: &Compiled, tokens: &[u32], text: &str) -> bool {
    let mut guide = compiled.begin();
    for byte in text.bytes() {
        let id = tokens[byte as usize];
        let has = |allowed: Vec<u32>| {
            allowed.get(id as usize / 32).is_some_and(|word| word >> (id % 32) & 1 == 1)
        };
        if guide.progress() == Progress::Complete || !has(guide.allowed().unwrap()) {
            return false;
        }
        guide.take(id).unwrap();
    }
    guide.progress() != Progress::Incomplete
}

#[derive(Default)]
struct Count {
    accepted: usize,
    refused: BTreeMap<String, usize>,
    valid: usize,
    cut: usize,
    /// Valid instances of the suite that can be said, and all of them.
    said: (usize, usize),
    invalid: usize,
}

#[test]
fn accepted_schemas_are_kept_to_wholly() {
    let (_directory, model) = model();
    let tokenizer = model.tokenizer().unwrap();
    let tokens: Vec<u32> = (0..=255).map(|byte| token(&tokenizer, byte)).collect();
    let vocabulary = Arc::new(Vocabulary::new(Arc::clone(&tokenizer)).unwrap());
    let options = wild(&model);
    let prompt = model.plain_ids("A value.").unwrap();
    let mut count = Count::default();
    for case in cases("suite.jsonl.gz") {
        let grammar = Grammar::Schema(case.schema.clone());
        let compiled = match Compiled::new(&grammar, Arc::clone(&vocabulary)) {
            Ok(compiled) => compiled,
            Err(error) => {
                assert_ne!(error.kind(), Kind::Internal, "{}: {}: {error}", case.of, case.schema);
                *count
                    .refused
                    .entry(case.of.rsplit('/').next().unwrap().to_owned())
                    .or_default() += 1;
                continue;
            }
        };
        count.accepted += 1;
        for (instance, valid) in &case.instances {
            let said = can_say(&compiled, &tokens, &instance.to_string());
            assert!(*valid || !said, "{}: {} takes {instance}", case.of, case.schema);
            if *valid {
                count.said = (count.said.0 + usize::from(said), count.said.1 + 1);
            } else {
                count.invalid += 1;
            }
        }
        let Some(validator) = case.validator() else { continue };
        for seed in 0..SEEDS {
            let options = options.clone().seed(seed).grammar(grammar.clone());
            let answer = model.stream_ids(prompt.clone(), &options).unwrap().collect_answer();
            let answer =
                answer.unwrap_or_else(|error| panic!("{}: {}: {error}", case.of, case.schema));
            if answer.incomplete {
                count.cut += 1;
                continue;
            }
            let value: Value = serde_json::from_str(&answer.text).unwrap_or_else(|error| {
                panic!("{}: {}: {}: {error}", case.of, case.schema, answer.text)
            });
            assert!(validator.is_valid(&value), "{}: {} has {value}", case.of, case.schema);
            count.valid += 1;
        }
    }
    let refused: usize = count.refused.values().sum();
    println!(
        "{} schemas accepted, {refused} refused; {} answers valid, {} cut, none invalid; of the suite's own instances {} of {} valid \
         ones can be said, and none of {} invalid ones\nrefused: {:?}",
        count.accepted,
        count.valid,
        count.cut,
        count.said.0,
        count.said.1,
        count.invalid,
        count.refused
    );
    assert!(count.accepted >= 500 && count.valid > 1500, "{} {}", count.accepted, count.valid);
}

/// Schemas as programs have them, large ones among them: most are accepted, and of those nothing that is invalid is written.
#[test]
fn schemas_of_programs_are_kept_to_wholly() {
    let (_directory, model) = model();
    let options = wild(&model);
    let prompt = model.plain_ids("A value.").unwrap();
    let mut count = Count::default();
    for case in cases("bench.jsonl.gz") {
        let Some(validator) = case.validator() else { continue };
        for seed in 0..SEEDS_OF_PROGRAMS {
            let options = options.clone().seed(seed).schema(case.schema.clone());
            let answer = match model.stream_ids(prompt.clone(), &options) {
                Ok(stream) => {
                    stream.collect_answer().unwrap_or_else(|error| panic!("{}: {error}", case.of))
                }
                Err(error) => {
                    assert_ne!(error.kind(), Kind::Internal, "{}: {error}", case.of);
                    *count
                        .refused
                        .entry(case.of.split('/').next().unwrap().to_owned())
                        .or_default() += 1;
                    break;
                }
            };
            count.accepted += usize::from(seed == 0);
            if answer.incomplete {
                count.cut += 1;
                continue;
            }
            let value: Value = serde_json::from_str(&answer.text)
                .unwrap_or_else(|error| panic!("{}: {}: {error}", case.of, answer.text));
            assert!(validator.is_valid(&value), "{} has {value}", case.of);
            count.valid += 1;
        }
    }
    let refused: usize = count.refused.values().sum();
    println!(
        "{} schemas of programs accepted, {refused} refused; {} answers valid, {} cut, none invalid\nrefused: {:?}",
        count.accepted, count.valid, count.cut, count.refused
    );
    assert!(count.accepted >= 400 && count.valid > 200, "{} {}", count.accepted, count.valid);
}
