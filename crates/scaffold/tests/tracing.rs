//! What `tracing` hears: that something was answered or failed, and none of its words.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use scaffold::config::{Config, Inputs};
use scaffold::{GenerateOptions, LlmManager};
use scaffold_testing::tokenizer::byte_level;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Writes all events into a text.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<String>>);

impl Visit for Heard {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0.lock().unwrap(), " {field}={value:?}");
    }
}

impl Subscriber for Heard {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "scaffold"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
        self.0.lock().unwrap().push('\n');
    }
}

#[test]
fn numbers_are_told_and_no_words() {
    let tiny = scaffold_testing::golden::tiny("llama");
    let directory = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(tiny.dir.join(file), directory.path().join(file)).unwrap();
    }
    std::fs::write(directory.path().join("tokenizer.json"), byte_level().to_string()).unwrap();
    let inputs = Inputs { variable: &|_| None, project: None, file: None, flags: vec![] };
    let config = Config::load(inputs).unwrap();
    let heard = Heard::default();
    tracing::subscriber::with_default(heard.clone(), || {
        let name = directory.path().display().to_string();
        let model = LlmManager::builder(name).config(&config).load().unwrap();
        let options = GenerateOptions::new().max_new_tokens(3);
        let answer = model.generate_with("Secret words", &options).unwrap();
        let told = heard.0.lock().unwrap().clone();
        assert_eq!(told.lines().count(), 2, "{told}");
        for part in ["loaded", "answered", "prompt_tokens=", "completion_tokens=3", "decode_s="] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert!(!told.contains("Secret") && !told.contains(answer.text.trim()), "{told}");
    });
}
