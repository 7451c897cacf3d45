//! Several tiny models in one registry: their answers are those that each gives alone, whatever
//! comes and goes beside them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use scaffold::config::{Config, Flag, Inputs, Key};
use scaffold::registry::{Ask, How, KeepAlive, Lease, RegistryOptions, Stage};
use scaffold::{
    CrossEncoder, Embedder, GenerateOptions, Kind, LlmManager, LoadOptions, MemoryLimit, Registry,
};
use scaffold_testing::golden::{tiny, tiny_root};
use scaffold_testing::tokenizer::byte_level;
use tempfile::TempDir;

const LONG: Duration = Duration::from_mins(2);

fn copy(from: &Path, to: &Path, files: &[&str]) {
    for file in files {
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A directory of a model that answers.
fn decoder(family: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    copy(&tiny(family).dir, directory.path(), &["config.json", "model.safetensors"]);
    fs::write(directory.path().join("tokenizer.json"), byte_level().to_string()).unwrap();
    directory
}

/// A directory of a model that embeds or ranks, with the files that the goldens have for it.
fn encoder(base: &str, own: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    copy(&tiny(base).dir, directory.path(), &["config.json", "model.safetensors"]);
    let embed = tiny_root().join("../embed/tiny");
    copy(&embed, directory.path(), &["tokenizer.json"]);
    copy_all(&embed.join(own), directory.path());
    directory
}

fn config() -> Config {
    // Without a home there is no place for packed weights.
    let flags = [(Key::PackedCache, "off"), (Key::Threads, "1"), (Key::DoSample, "false")];
    let flag = |(key, value): (Key, &str)| Flag { key, name: "--test", value: value.to_owned() };
    let flags = flags.map(flag).into();
    Config::load(Inputs { variable: &|_| None, project: None, file: None, flags }).unwrap()
}

fn registry(options: RegistryOptions) -> Registry {
    Registry::new(config(), options.keep_alive(KeepAlive::Forever))
}

fn name(directory: &TempDir) -> String {
    directory.path().to_str().unwrap().to_owned()
}

fn patient<'a>() -> Ask<'a> {
    Ask::new().wait(LONG)
}

fn answer(model: &LlmManager, tokens: usize) -> Vec<u32> {
    let mut options = GenerateOptions::new().greedy().max_new_tokens(tokens);
    options.ignore_eos = true;
    let ids = model.plain_ids("once upon a time").unwrap();
    model.stream_ids(ids, &options).unwrap().collect_answer().unwrap().ids
}

/// The bytes that are counted for a model alone.
fn bytes(directory: &TempDir) -> usize {
    let registry = registry(RegistryOptions::new().memory(MemoryLimit::Unlimited));
    let lease = registry.language_model(&name(directory)).unwrap();
    assert_eq!(lease.memory().unwrap().total(), registry.metrics().memory);
    registry.metrics().memory
}

fn until(mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !is_so() {
        assert!(Instant::now() < end, "it never comes to that");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Doors hand them from thread to thread.
#[test]
fn everything_may_be_used_by_several_threads() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>(_: T) {}
    shared::<Registry>();
    shared::<Lease<LlmManager>>();
    shared::<Lease<Embedder>>();
    shared::<Lease<CrossEncoder>>();
    sent(Ask::new());
}

#[test]
fn three_models_take_turns_in_the_room_of_two() {
    let models = ["llama", "qwen2", "mistral"].map(decoder);
    let alone = models.each_ref().map(|directory| {
        let model = LlmManager::builder(name(directory)).config(&config()).load().unwrap();
        answer(&model, 8)
    });
    let each = models.iter().map(bytes).max().unwrap();
    let limit = 2 * each + each / 2;
    let registry = registry(RegistryOptions::new().memory(MemoryLimit::Bytes(limit)));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (registry, models, alone) = (&registry, &models, &alone);
            scope.spawn(move || {
                for turn in 0..16 {
                    let at = (thread + turn * (1 + thread % 2)) % 3;
                    let model = registry.language_model_with(&name(&models[at]), patient());
                    assert_eq!(answer(&model.unwrap(), 8), alone[at]);
                }
            });
        }
    });
    let metrics = registry.metrics();
    assert!(metrics.evictions > 0 && metrics.memory_peak <= limit, "{metrics:?}");
    assert_eq!((metrics.failed, metrics.cancelled), (0, 0));
    // Who is neither found it there nor began its load waited for that of another.
    assert!(metrics.hits + metrics.loads <= 64 && metrics.load.count == metrics.loads);
    let engines = metrics.models.iter().map(|model| model.engine.as_ref().unwrap());
    assert!(engines.into_iter().all(|engine| engine.completion_tokens > 0));
    assert!(registry.unload_all(How::Drain(LONG)));
    let metrics = registry.metrics();
    assert_eq!((metrics.memory, metrics.models.len()), (0, 0));
}

#[test]
fn language_models_embedders_and_cross_encoders_stand_beside_each_other() {
    let (chat, embeds) = (decoder("llama"), encoder("bert", "embedder"));
    let ranks = encoder("bert_seqcls", "cross_encoder");
    let registry = registry(RegistryOptions::new());
    let answers = registry.language_model(&name(&chat)).unwrap();
    let embedder = registry.embedder(&name(&embeds)).unwrap();
    let ranker = registry.cross_encoder(&name(&ranks)).unwrap();
    assert_eq!(answer(&answers, 4).len(), 4);
    assert!(!embedder.embed("a text").unwrap().is_empty());
    ranker.score("a query", "a text").unwrap();
    let states = registry.models();
    let families: Vec<_> = states.iter().map(|m| &*m.facts.as_ref().unwrap().family).collect();
    assert_eq!(families, ["llama", "bert", "bert"]);
    assert!(states.iter().all(|model| matches!(model.stage, Stage::Ready { .. })));
    assert_eq!(states[0].facts.as_ref().unwrap().context, answers.info().context);
    // As what it is not, it is refused, and nothing is loaded for that.
    for error in [
        registry.embedder(&name(&chat)).err().unwrap(),
        registry.language_model(&name(&embeds)).err().unwrap(),
    ] {
        assert_eq!(error.kind(), Kind::Unsupported, "{error}");
    }
    assert_eq!(registry.metrics().loads, 3);
    // The memory of what cannot be ended counts until it is let go.
    let memory = registry.metrics().memory;
    assert!(!registry.unload(&name(&embeds), How::Now).unwrap());
    assert_eq!(registry.metrics().memory, memory);
    drop(embedder);
    assert!(registry.metrics().memory < memory);
    // A language model is freed although somebody holds it.
    assert!(!registry.unload(&name(&chat), How::Now).unwrap());
    assert!(registry.models().iter().all(|model| model.facts.as_ref().unwrap().family == "bert"));
    assert_eq!(answers.generate("x").unwrap_err().kind(), Kind::Unavailable);
    assert_eq!(registry.unload("org/other", How::Now).unwrap_err().kind(), Kind::NotFound);
}

#[test]
fn one_model_has_many_names() {
    let directory = decoder("llama");
    let other: PathBuf = directory.path().join("../").join(directory.path().file_name().unwrap());
    let registry = registry(RegistryOptions::new());
    let first = registry.language_model(&name(&directory)).unwrap();
    let second = registry.language_model(other.to_str().unwrap()).unwrap();
    assert!(std::ptr::eq(&raw const *first, &raw const *second));
    assert_eq!((registry.models().len(), registry.models()[0].leases), (1, 2));
    registry.pin(other.to_str().unwrap()).unwrap();
    assert!(registry.models()[0].pinned);
    drop((first.clone(), first, second));
    assert_eq!(registry.models()[0].leases, 0);
}

#[test]
fn a_broken_model_is_loaded_when_it_is_mended() {
    let (broken, other) = (decoder("llama"), decoder("qwen2"));
    let weights = broken.path().join("model.safetensors");
    let whole = fs::read(&weights).unwrap();
    fs::write(&weights, &whole[..whole.len() / 2]).unwrap();
    let registry = registry(RegistryOptions::new());
    let beside = registry.language_model(&name(&other)).unwrap();
    let errors = std::thread::scope(|scope| {
        let ask = |_| scope.spawn(|| registry.language_model(&name(&broken)).err().unwrap());
        let asked: Vec<_> = (0..3).map(ask).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(errors.iter().all(|error| error.kind() == Kind::Damaged), "{errors:?}");
    let state = registry.models().pop().unwrap();
    assert!(matches!(state.stage, Stage::Failed { .. }), "{state:?}");
    fs::write(&weights, &whole).unwrap();
    assert_eq!(answer(&registry.language_model(&name(&broken)).unwrap(), 4).len(), 4);
    assert_eq!(answer(&beside, 4).len(), 4);
}

#[test]
fn an_engine_that_ends_takes_no_other_with_it() {
    let models = ["llama", "qwen2"].map(decoder);
    let registry = registry(RegistryOptions::new());
    let leases = models.each_ref().map(|m| registry.language_model(&name(m)).unwrap());
    leases[0].engine().unwrap().shutdown();
    assert_eq!(answer(&leases[1], 4).len(), 4);
    let again = registry.language_model(&name(&models[0])).unwrap();
    assert_eq!(answer(&again, 4).len(), 4);
    assert_eq!(registry.metrics().loads, 3);
}

/// More answers than are complete in a moment.
fn many(model: &LlmManager) -> Vec<scaffold::AnswerStream> {
    let mut options = GenerateOptions::new().greedy().max_new_tokens(100);
    options.ignore_eos = true;
    let ids = model.plain_ids("once upon a time").unwrap();
    (0..200).map(|_| model.stream_ids(ids.clone(), &options).unwrap()).collect()
}

#[test]
fn draining_lets_answers_come_to_their_end_and_now_does_not() {
    let directory = decoder("llama");
    let registry = registry(RegistryOptions::new());
    let name = name(&directory);
    let lease = registry.language_model(&name).unwrap();
    let streams = many(&lease);
    std::thread::scope(|scope| {
        let drained = scope.spawn(|| registry.unload(&name, How::Drain(LONG)).unwrap());
        until(|| registry.models().iter().any(|model| matches!(model.stage, Stage::Draining)));
        // Answers without a lease are waited for as well.
        drop(lease);
        for stream in streams {
            assert_eq!(stream.collect_answer().unwrap().ids.len(), 100);
        }
        assert!(drained.join().unwrap());
    });
    assert!(registry.models().is_empty());

    let lease = registry.language_model(&name).unwrap();
    let streams = many(&lease);
    assert!(!registry.unload(&name, How::Now).unwrap());
    let last = streams.into_iter().next_back().unwrap().collect_answer().unwrap_err();
    assert_eq!(last.kind(), Kind::Unavailable, "{last}");
    assert!(registry.shutdown(LONG));
    assert_eq!(registry.language_model(&name).err().unwrap().kind(), Kind::Unavailable);
}

#[test]
fn a_model_takes_what_is_left_and_says_so() {
    let models = ["llama", "qwen2"].map(decoder);
    let each = models.each_ref().map(bytes);
    // All of one, and too little for another.
    let memory = MemoryLimit::Bytes(each[0] + each[1] / 2);
    let registry = registry(RegistryOptions::new().memory(memory));
    let held = registry.language_model(&name(&models[0])).unwrap();
    let error = registry.language_model(&name(&models[1])).err().unwrap();
    assert_eq!((error.kind(), error.model()), (Kind::Unavailable, Some(&*name(&models[1]))));
    assert!(error.to_string().contains(&name(&models[0])), "{error}");
    drop(held);
    let lease = registry.language_model(&name(&models[1])).unwrap();
    // Loaded again by hand it keeps to what is counted for it.
    lease.unload();
    lease.load().unwrap();
    assert_eq!(lease.memory().unwrap().total(), registry.metrics().memory);
}

#[test]
fn a_request_may_change_how_its_model_is_loaded() {
    let directory = decoder("llama");
    let load = LoadOptions::from(&config()).context(128usize);
    let registry = registry(RegistryOptions::new().load(load));
    let ask = Ask::new().change(|options| options.max_sequences = 3);
    let lease = registry.language_model_with(&name(&directory), ask).unwrap();
    let engine = lease.engine().unwrap();
    assert_eq!((lease.info().context, engine.config().max_sequences), (128, 3));
}
