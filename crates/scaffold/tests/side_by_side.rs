//! Models beside each other in one process: they take turns, and what they give is what each gives
//! alone, bit for bit.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use scaffold::embed::EmbedOptions;
use scaffold::engine::{Priority, Standing};
use scaffold::{Cancel, Embedder, Error, GenerateOptions, Kind, LlmManager};
use scaffold_testing::{golden, tokenizer};
use tempfile::TempDir;

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The tiny embedder of the goldens.
fn embedder(home: &TempDir) -> Embedder {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let directory = home.path().join("embedder");
    copy(&golden.join("embed/tiny/embedder"), &directory);
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(golden.join("tiny/bert").join(file), directory.join(file)).unwrap();
    }
    std::fs::copy(golden.join("embed/tiny/tokenizer.json"), directory.join("tokenizer.json"))
        .unwrap();
    Embedder::builder(name(&directory)).isolated(home.path().join("models")).load().unwrap()
}

/// The tiny Llama, which says bytes.
fn llm(home: &TempDir) -> LlmManager {
    let directory = home.path().join("llm");
    std::fs::create_dir_all(&directory).unwrap();
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(golden::tiny("llama").dir.join(file), directory.join(file)).unwrap();
    }
    std::fs::write(directory.join("tokenizer.json"), tokenizer::byte_level().to_string()).unwrap();
    LlmManager::builder(name(&directory))
        .isolated(home.path().join("models"))
        .context(128)
        .load()
        .unwrap()
}

fn name(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn texts(count: usize) -> Vec<String> {
    let words = ["water", "energy of the city", "a", "", "how do we measure growth?"];
    let text = |i: usize| (0..i % 5).map(|j| words[(i + j) % 5]).collect::<Vec<_>>().join(" ");
    (0..count).map(text).collect()
}

const CUT: fn() -> EmbedOptions<'static> = || EmbedOptions::new().truncate(true);

#[test]
fn answers_and_embeddings_are_the_same_beside_each_other() {
    let home = tempfile::tempdir().unwrap();
    let (llm, embedder) = (llm(&home), embedder(&home));
    let texts = texts(600);
    let options = GenerateOptions::new().max_new_tokens(40).greedy().ignore_eos();
    let ask = |n: usize| {
        let ids = llm.plain_ids(&format!("Tell me of {n}"))?;
        Ok::<_, Error>(llm.stream_ids(ids, &options)?.collect_answer()?.ids)
    };
    let answers: Vec<Vec<u32>> = (0..4).map(|n| ask(n).unwrap()).collect();
    let embeddings = embedder.embed_batch(&texts, &CUT()).unwrap();
    let chats_are_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let chats: Vec<_> = (0..4)
            .map(|n| {
                let (ask, expected) = (&ask, &answers[n]);
                scope.spawn(move || {
                    for _ in 0..3 {
                        assert_eq!(&ask(n).unwrap(), expected);
                    }
                })
            })
            .collect();
        for priority in [Priority::Interactive, Priority::Batch] {
            let (embedder, texts, embeddings) = (&embedder, &texts, &embeddings);
            let chats_are_over = &chats_are_over;
            scope.spawn(move || {
                let standing = Standing { priority, ..Standing::default() };
                let mut again = true;
                while again {
                    // Once more at least when the chats are over.
                    again = !chats_are_over.load(Ordering::Relaxed);
                    let options = CUT().standing(&standing);
                    let beside = embedder.embed_batch(texts, &options).unwrap();
                    assert_eq!(beside.as_slice(), embeddings.as_slice());
                }
            });
        }
        // One is loaded meanwhile, too.
        let third = self::embedder(&home);
        assert_eq!(third.embed(&texts[1]).unwrap(), embeddings.iter().nth(1).unwrap());
        for chat in chats {
            chat.join().unwrap();
        }
        chats_are_over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn each_text_fails_alone_where_that_is_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let embedder = embedder(&home);
    let long = "water ".repeat(100);
    let texts = ["water", &long, "energy"];
    let options = EmbedOptions::new();
    assert_eq!(embedder.embed_batch(&texts, &options).unwrap_err().place().item(), Some(1));
    let each = embedder.embed_each(&texts, &options);
    assert_eq!(each[0].as_ref().unwrap(), &embedder.embed("water").unwrap());
    assert_eq!(each[2].as_ref().unwrap(), &embedder.embed("energy").unwrap());
    let error = each[1].as_ref().unwrap_err();
    assert_eq!((error.kind(), error.place().item()), (Kind::TooLarge, Some(1)));
    assert!(error.model().is_some());
    let short = options.dimensions(3usize);
    assert_eq!(embedder.embed_each(&texts, &short)[2].as_ref().unwrap().len(), 3);
    // What concerns the call concerns each text.
    let cancel = Cancel::new();
    cancel.cancel();
    let each = embedder.embed_each(&texts, &options.cancel(&cancel));
    assert!(each.iter().all(|one| one.as_ref().unwrap_err().kind() == Kind::Cancelled));
    let metrics = embedder.metrics();
    assert_eq!((metrics.failed, metrics.cancelled, metrics.running), (1, 1, 0));
}
