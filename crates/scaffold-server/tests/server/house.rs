//! A server with its models.

use std::fs;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use scaffold::config::{Config, Flag, Inputs, Key};
use scaffold::registry::RegistryOptions;
use scaffold::{Error, LoadOptions, MemoryLimit};
use scaffold_server::{Server, ServerOptions, Stopper};
use scaffold_testing::golden::{tiny, tiny_root};
use scaffold_testing::tokenizer::byte_level;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Answer, receive, send};

const CHATML: &str = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}{% if not (loop.last and continue_final_message) \
                      %}<|im_end|>\n{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

/// A running server. Dropping it stops it.
pub(crate) struct House {
    pub(crate) address: SocketAddr,
    /// The name of a model that answers.
    pub(crate) chat: String,
    pub(crate) embedder: String,
    pub(crate) ranker: String,
    pub(crate) stopper: Stopper,
    thread: Option<JoinHandle<Result<bool, Error>>>,
    _directories: Vec<TempDir>,
}

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

/// A directory of a model that answers, with a chat format.
fn decoder() -> TempDir {
    decoder_with(CHATML)
}

/// A directory of a model that answers, with this chat format.
pub(crate) fn decoder_with(template: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    copy(&tiny("llama").dir, directory.path(), &["config.json", "model.safetensors"]);
    let tokenizer = json!({
        "bos_token": "<s>", "eos_token": "</s>", "tokenizer_class": "PreTrainedTokenizerFast", "chat_template": template,
    });
    let write = |name: &str, value: &Value| {
        fs::write(directory.path().join(name), value.to_string()).unwrap();
    };
    write("tokenizer.json", &byte_level());
    write("tokenizer_config.json", &tokenizer);
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

pub(crate) fn config(home: &Path) -> Config {
    config_of(home, &[(Key::Offline, "true")])
}

fn config_of(home: &Path, more: &[(Key, &str)]) -> Config {
    let own = home.join("own").display().to_string();
    let home = home.display().to_string();
    let flags = [
        (Key::PackedCache, "off"),
        (Key::Threads, "1"),
        (Key::DoSample, "false"),
        (Key::HubCache, home.as_str()),
        (Key::MadeModels, own.as_str()),
    ];
    let flag = |&(key, value): &(Key, &str)| Flag { key, name: "--test", value: value.to_owned() };
    let flags = flags.iter().chain(more).map(flag).collect();
    Config::load(Inputs { variable: &|_| None, project: None, file: None, flags }).unwrap()
}

/// How models are loaded: a small cache, so that what is held is seen.
pub(crate) fn load() -> LoadOptions {
    LoadOptions::new().threads(1)
}

pub(crate) fn options() -> ServerOptions {
    let registry = RegistryOptions::new().memory(MemoryLimit::Unlimited).load(load());
    ServerOptions::new().address(SocketAddr::from(([127, 0, 0, 1], 0))).registry(registry)
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(|options| options)
    }

    pub(crate) fn with(change: impl FnOnce(ServerOptions) -> ServerOptions) -> Self {
        Self::at(&[(Key::Offline, "true")], change)
    }

    /// One that fetches models from this Hub.
    pub(crate) fn of_hub(url: &str, change: impl FnOnce(ServerOptions) -> ServerOptions) -> Self {
        Self::at(&[(Key::Endpoint, url)], change)
    }

    fn at(settings: &[(Key, &str)], change: impl FnOnce(ServerOptions) -> ServerOptions) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (chat, embedder, ranker) =
            (decoder(), encoder("bert", "embedder"), encoder("bert_seqcls", "cross_encoder"));
        let name = |directory: &TempDir| directory.path().to_str().unwrap().to_owned();
        let server = Server::bind(config_of(home.path(), settings), change(options())).unwrap();
        Self {
            address: server.address(),
            chat: name(&chat),
            embedder: name(&embedder),
            ranker: name(&ranker),
            stopper: server.stopper(),
            thread: Some(std::thread::spawn(move || server.run())),
            _directories: vec![home, chat, embedder, ranker],
        }
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        receive(send(self.address, method, path, headers, body))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", b"")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, "Content-Type: application/json\r\n", body.to_string().as_bytes())
    }

    /// The answer to a request that is to succeed.
    pub(crate) fn good(&self, path: &str, body: &Value) -> Value {
        let answer = self.post(path, body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The error of a request that is to fail with this status.
    pub(crate) fn bad(&self, path: &str, body: &Value, status: u16) -> Value {
        let answer = self.post(path, body);
        assert_eq!(answer.status, status, "{}", answer.text());
        answer.json()["error"].clone()
    }

    /// A number of the metrics, over all models.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").text();
        let rows = text.lines().filter(|line| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']))
        });
        rows.map(|row| row.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }

    /// Stops it, and says whether all answers came to their end.
    pub(crate) fn stop(&mut self) -> bool {
        self.stopper.stop();
        self.thread.take().unwrap().join().unwrap().unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.stopper.stop();
            self.stopper.stop();
            let _ = thread.join();
        }
    }
}

/// Reads a line of an answer that is still being sent.
pub(crate) fn read_some(stream: &mut std::net::TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    let count = stream.read(&mut bytes).unwrap();
    bytes.truncate(count);
    bytes
}

pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < end, "it never comes to that: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
