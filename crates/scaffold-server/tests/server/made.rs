//! Models of one's own, as clients of Ollama make them.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::client::Answer;
use crate::house::{House, decoder_with};

pub(crate) fn digest(contents: &[u8]) -> String {
    let hash = Sha256::digest(contents);
    hash.iter().fold("sha256:".to_owned(), |digits, byte| format!("{digits}{byte:02x}"))
}

fn bring(house: &House, digest: &str, contents: &[u8]) -> Answer {
    house.ask("POST", &format!("/api/blobs/{digest}"), "", contents)
}

fn create(house: &House, body: &Value) -> Vec<String> {
    let lines = house.post("/api/create", body).lines();
    assert!(lines.iter().all(|line| line["error"].is_null()), "{lines:?}");
    lines.iter().map(|line| line["status"].as_str().unwrap().to_owned()).collect()
}

/// The error of a model that is not made: before lines begin, or in the last of them.
fn refused(house: &House, body: &Value) -> String {
    let answer = house.post("/api/create", body);
    let text = answer.text();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    last["error"].as_str().unwrap_or_else(|| panic!("{text}")).to_owned()
}

fn delete(house: &House, name: &str) -> u16 {
    house.ask("DELETE", "/api/delete", "", json!({"model": name}).to_string().as_bytes()).status
}

fn mario(house: &House) -> Value {
    json!({
        "model": "mario", "from": house.chat, "system": "Be Mario.", "license": ["MIT"],
        "parameters": {"num_predict": 3, "temperature": 0, "stop": ["x", "y"], "num_ctx": 4096},
        "messages": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Me."}],
    })
}

const MARIO: &str = "<|im_start|>system\nBe Mario.<|im_end|>\n<|im_start|>user\nWho?<|im_end|>\n<|im_start|>assistant\nMe.<|im_end|>\n";
const HI: &str = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";

fn rendered(house: &House, model: &str, messages: &Value) -> String {
    let body = json!({"model": model, "messages": messages});
    house.good("/render", &body)["prompt"].as_str().unwrap().to_owned()
}

#[test]
fn a_model_of_ones_own_says_what_it_was_told() {
    let house = House::new();
    let answer = house.post("/api/create", &mario(&house));
    assert_eq!(answer.header("x-scaffold-ignored"), Some("parameters.num_ctx"));
    let lines = answer.lines();
    let statuses: Vec<&str> = lines.iter().map(|line| line["status"].as_str().unwrap()).collect();
    assert_eq!(statuses[statuses.len() - 2..], ["writing manifest", "success"], "{statuses:?}");
    assert!(statuses.iter().any(|status| status.starts_with("creating new layer sha256:")));

    let hi = json!([{"role": "user", "content": "Hi"}]);
    for name in ["mario", "mario:latest", "Mario"] {
        assert_eq!(rendered(&house, name, &hi), format!("{MARIO}{HI}"), "{name}");
    }
    // What a chat says itself goes first.
    let own =
        json!([{"role": "system", "content": "Be Luigi."}, {"role": "user", "content": "Hi"}]);
    assert_eq!(rendered(&house, "mario", &own), format!("{MARIO}{HI}").replace("Mario", "Luigi"));
    assert_eq!(rendered(&house, &house.chat, &hi), HI);

    let chat = |model: &str, options: Value| {
        house.good(
            "/api/chat",
            &json!({"model": model, "messages": hi, "stream": false, "options": options}),
        )
    };
    let said = chat("mario", json!({}));
    assert_eq!((&said["eval_count"], &said["done_reason"]), (&json!(3), &json!("length")));
    assert_eq!(chat("mario", json!({"num_predict": 5}))["eval_count"], 5);
    // The same as with the whole chat spelled out.
    let spelled = json!({
        "model": house.chat, "stream": false, "options": {"num_predict": 3, "temperature": 0, "stop": ["x", "y"]},
        "messages": [{"role": "system", "content": "Be Mario."}, {"role": "user", "content": "Who?"},
                     {"role": "assistant", "content": "Me."}, {"role": "user", "content": "Hi"}],
    });
    assert_eq!(house.good("/api/chat", &spelled)["message"], said["message"]);
    let prompt = json!({"model": "mario", "prompt": "Hi", "stream": false});
    let first = house.good("/api/generate", &prompt);
    assert_eq!(
        (&first["response"], &first["eval_count"]),
        (&said["message"]["content"], &json!(3))
    );
    // What it begins with is in the context already.
    let mut next = prompt;
    next["context"] = first["context"].clone();
    let second = house.good("/api/generate", &next);
    let (before, after) =
        (first["context"].as_array().unwrap().len(), second["prompt_eval_count"].as_u64());
    let short = house.good("/render", &json!({"model": house.chat, "messages": hi}));
    assert_eq!(after.unwrap() as usize, before + short["count"].as_u64().unwrap() as usize);
    // OpenAI's clients know it, too.
    let other = house.good("/v1/chat/completions", &json!({"model": "mario", "messages": hi}));
    assert_eq!(other["choices"][0]["message"]["content"], said["message"]["content"]);

    // One copy of the weights, under both names.
    assert_eq!(house.metric("scaffold_model_loads_total"), 1.0);
    let ps = house.get("/api/ps").json();
    let names: Vec<&str> = ps["models"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| model["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"mario:latest") && names.contains(&&*house.chat), "{names:?}");
}

#[test]
fn models_of_ones_own_are_listed_shown_copied_and_removed() {
    let house = House::new();
    create(&house, &mario(&house));
    let tags = house.get("/api/tags").json();
    let listed = &tags["models"][0];
    assert_eq!(
        (&listed["name"], &listed["model"]),
        (&json!("mario:latest"), &json!("mario:latest"))
    );
    assert_eq!(listed["details"]["parent_model"], json!(house.chat));
    assert!(listed["size"].as_u64() > Some(10_000) && listed["details"]["family"] == "llama");
    let shown = house.good("/api/show", &json!({"model": "mario"}));
    assert_eq!((&shown["system"], &shown["license"]), (&json!("Be Mario."), &json!("MIT")));
    assert_eq!(shown["messages"][1], json!({"role": "assistant", "content": "Me."}));
    let parameters: Vec<Vec<&str>> = shown["parameters"]
        .as_str()
        .unwrap()
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let wanted = [
        ["num_predict", "3"],
        ["temperature", "0"],
        ["stop", "\"x\""],
        ["stop", "\"y\""],
        ["num_ctx", "4096"],
    ];
    assert_eq!(parameters, wanted);
    let modelfile = shown["modelfile"].as_str().unwrap();
    for line in [
        &*format!("FROM {}", house.chat),
        "SYSTEM Be Mario.",
        "PARAMETER stop x",
        "MESSAGE assistant Me.",
        "LICENSE MIT",
    ] {
        assert!(modelfile.lines().any(|own| own == line), "{line}: {modelfile}");
    }
    let ids = house.get("/v1/models").json();
    assert_eq!(ids["data"][0]["id"], "mario:latest");
    assert_eq!(house.get("/v1/models/mario").json()["id"], "mario");

    let copied = house.post("/api/copy", &json!({"source": "mario", "destination": "luigi:v1"}));
    assert_eq!((copied.status, copied.body.len()), (200, 0));
    let copied = house.post("/api/copy", &json!({"source": house.chat, "destination": "plain"}));
    assert_eq!(copied.status, 200, "{}", copied.text());
    // One that is made from another has what that says, and what is said over it.
    create(
        &house,
        &json!({"model": "peach", "from": "mario", "system": "Be Peach.", "parameters": {"stop": []}}),
    );
    let names = |house: &House| -> Vec<String> {
        let tags = house.get("/api/tags").json();
        let mut names: Vec<String> = tags["models"]
            .as_array()
            .unwrap()
            .iter()
            .map(|model| model["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(&house), ["luigi:v1", "mario:latest", "peach:latest", "plain:latest"]);
    assert_eq!(delete(&house, "mario"), 200);
    assert_eq!(delete(&house, "mario"), 404);
    assert_eq!(names(&house), ["luigi:v1", "peach:latest", "plain:latest"]);
    house.bad("/api/show", &json!({"model": "mario"}), 404);
    let peach = house.good("/api/show", &json!({"model": "peach"}));
    assert_eq!(
        (&peach["system"], &peach["messages"][0]["content"]),
        (&json!("Be Peach."), &json!("Who?"))
    );
    assert!(Path::new(&house.chat).join("model.safetensors").is_file());
}

#[test]
fn a_template_of_ones_own_is_written_with_and_told() {
    let house = House::new();
    let template = "{% for m in messages %}{{ m.role }}: <think>{{ m.content }}\n{% endfor %}{% if tools %}{{ tools }}{% endif %}";
    create(&house, &json!({"model": "own", "from": house.chat, "template": template}));
    let hi = json!([{"role": "user", "content": "Hi"}]);
    assert_eq!(rendered(&house, "own", &hi), "user: <think>Hi\n");
    assert_eq!(rendered(&house, &house.chat, &hi), HI);
    let shown = house.good("/api/show", &json!({"model": "own"}));
    assert_eq!(shown["template"], template);
    assert_eq!(shown["capabilities"], json!(["completion", "tools", "thinking"]));
    let plain = house.good("/api/show", &json!({"model": house.chat}));
    assert_eq!(plain["capabilities"], json!(["completion"]));
    let tags = house.get("/api/tags").json();
    assert_eq!(tags["models"][0]["capabilities"], shown["capabilities"]);
    // What is said of it changes with it, without a load.
    create(&house, &json!({"model": "own", "from": house.chat}));
    let hi = json!([{"role": "user", "content": "Hi"}]);
    assert_eq!(rendered(&house, "own", &hi), HI);
    assert_eq!(house.metric("scaffold_model_loads_total"), 1.0);
}

#[test]
fn what_cannot_be_made_is_refused_and_leaves_nothing() {
    let house = House::new();
    for (more, words) in [
        (json!({"model": "org/mario"}), "has a `/`"),
        (json!({"model": "../mario"}), "has a `/`"),
        (json!({"model": "nul"}), "device"),
        (json!({"model": "mistral"}), "mistral:mine"),
        (json!({"from": ""}), "neither 'from' or 'files' was specified"),
        (json!({"from": "org/none"}), "org/none"),
        (json!({"from": "/nowhere/at/all"}), "/nowhere/at/all"),
        (json!({"files": {"a": "sha256:00"}}), "from and files"),
        (json!({"from": null, "files": {"a": "sha256:00"}}), "is no digest"),
        (json!({"from": null, "files": {"../a": digest(b"")}}), "../a"),
        (json!({"from": null, "files": {"a.gguf": digest(b"")}}), "/api/blobs/sha256:"),
        (json!({"adapters": {"a": digest(b"")}}), "LoRA"),
        (json!({"template": "{{ if .System }}{{ .System }}{{ end }}"}), "language of Go"),
        (json!({"template": "{% for"}), "syntax error"),
        (json!({"parameters": {"heat": 1}}), "unknown parameter \"heat\""),
        (json!({"parameters": {"top_p": 2}}), "top_p is 2"),
        (json!({"messages": [{"role": "robot", "content": "x"}]}), "messages[0].role"),
        (json!({"messages": [{"role": "user"}]}), "messages[0].content"),
        (json!({"quantize": "q3_K_S"}), "not written as \"q3_K_S\""),
        (json!({"modelfile": "FROM x"}), "scaffold create"),
    ] {
        let mut body = json!({"model": "mario", "from": house.chat});
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        let error = refused(&house, &body);
        assert!(error.contains(words), "{body}: {error}");
    }
    assert_eq!(house.get("/api/tags").json(), json!({"models": []}));
    // The type that the weights have is one that they may be asked to have.
    let body = json!({"model": "mario", "from": house.chat, "quantize": "f32", "stream": false});
    assert_eq!(house.good("/api/create", &body), json!({"status": "success"}));
    // What is not here would be fetched, which this server was told not to do.
    let wrong = json!({"model": "x", "from": "org/none", "stream": false});
    assert!(house.bad("/api/create", &wrong, 503).as_str().unwrap().contains("offline"));
    house.bad("/api/copy", &json!({"source": "nothing-here", "destination": "x"}), 404);
    house.bad("/api/copy", &json!({"source": "mario", "destination": "a/b"}), 400);
}

#[test]
fn floats_are_quantized_for_a_model_of_ones_own() {
    let house = House::new();
    let body = json!({"model": "small", "from": house.chat, "quantize": "q8_0"});
    let lines = house.post("/api/create", &body);
    let lines = lines.text();
    assert!(lines.contains("\"status\":\"quantizing model\""), "{lines}");
    assert!(lines.trim_end().ends_with("{\"status\":\"success\"}"), "{lines}");
    let shown = house.good("/api/show", &json!({"model": "small"}));
    assert_eq!(shown["details"]["quantization_level"], "Q8_0");
    assert_eq!(shown["details"]["format"], "gguf");
    let messages = json!([{"role": "user", "content": "Hi"}]);
    let chat = json!({"model": "small", "messages": messages, "stream": false, "options": {"num_predict": 4}});
    assert_eq!(house.good("/api/chat", &chat)["eval_count"], 4);
    // What is lost does not come back, and each time more is lost.
    let again = json!({"model": "smaller", "from": "small", "quantize": "q4_0", "stream": false});
    let error = house.bad("/api/create", &again, 400);
    assert!(error.as_str().unwrap().contains("Q8_0 already"), "{error}");
    let same = json!({"model": "same", "from": "small", "quantize": "Q8_0", "stream": false});
    assert_eq!(house.good("/api/create", &same), json!({"status": "success"}));
    assert_eq!(delete(&house, "small"), 200);
}

#[test]
fn files_are_brought_and_become_a_model() {
    let house = House::new();
    let mut files = json!({});
    for entry in fs::read_dir(&house.chat).unwrap().map(Result::unwrap) {
        let contents = fs::read(entry.path()).unwrap();
        let digest = digest(&contents);
        let path = format!("/api/blobs/{digest}");
        assert_eq!(house.ask("HEAD", &path, "", b"").status, 404);
        assert_eq!(bring(&house, &digest, &contents).status, 201);
        assert_eq!(house.ask("HEAD", &path, "", b"").status, 200);
        assert_eq!(bring(&house, &digest, b"").status, 200);
        files[entry.file_name().to_str().unwrap()] = json!(digest);
    }
    let statuses = create(&house, &json!({"model": "brought", "files": files, "system": "S"}));
    assert!(statuses.iter().any(|status| status.starts_with("using existing layer sha256:")));
    let ask = |model: &str, messages: Value| {
        let body = json!({"model": model, "messages": messages, "stream": false, "options": {"num_predict": 4, "temperature": 0}});
        house.good("/api/chat", &body)["message"]["content"].clone()
    };
    let user = json!({"role": "user", "content": "Hi"});
    let wanted = ask(&house.chat, json!([{"role": "system", "content": "S"}, user]));
    assert_eq!(ask("brought", json!([user])), wanted);
    let shown = house.good("/api/show", &json!({"model": "brought"}));
    assert_eq!(shown["details"]["format"], "safetensors");
    // Nobody is told where its files lie.
    let ps = house.get("/api/ps").json();
    let names: Vec<&Value> =
        ps["models"].as_array().unwrap().iter().map(|model| &model["name"]).collect();
    assert!(names.contains(&&json!("brought:latest")), "{names:?}");
    assert!(names.iter().all(|name| !name.as_str().unwrap().contains("/files/")), "{names:?}");
    // Files of a model that is not made, and of one that is removed, are gone.
    let config = files["config.json"].as_str().unwrap().to_owned();
    house.post("/api/copy", &json!({"source": "brought", "destination": "again"}));
    assert_eq!(delete(&house, "brought"), 200);
    let here = || house.ask("HEAD", &format!("/api/blobs/{config}"), "", b"").status;
    assert_eq!(here(), 200);
    assert_eq!(ask("again", json!([user])), wanted);
    assert_eq!(delete(&house, "again"), 200);
    assert_eq!(here(), 404);
}

#[test]
fn a_file_that_is_another_or_too_long_or_broken_off_is_not_kept() {
    let house = House::with(|options| options.upload_bytes(10_u64));
    let wanted = digest(b"right");
    let wrong = bring(&house, &wanted, b"wrong");
    assert_eq!(wrong.status, 400);
    assert!(
        wrong.json()["error"].as_str().unwrap().contains("digest mismatch"),
        "{}",
        wrong.text()
    );
    assert_eq!(bring(&house, &wanted, b"longer than ten bytes").status, 413);
    for bad in ["sha256:00", "sha1:00", "x", &wanted.replace("sha256", "sha512")] {
        assert_eq!(bring(&house, bad, b"").status, 400, "{bad}");
    }
    // Half of it, and then nobody is there any more.
    let mut stream = std::net::TcpStream::connect(house.address).unwrap();
    let head = format!(
        "POST /api/blobs/{wanted} HTTP/1.1\r\nHost: {}\r\nContent-Length: 5\r\n\r\nri",
        house.address
    );
    std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
    drop(stream);
    assert_eq!(house.ask("HEAD", &format!("/api/blobs/{wanted}"), "", b"").status, 404);
    assert_eq!(bring(&house, &wanted, b"right").status, 201);
}

#[test]
fn others_make_models_only_with_leave() {
    let beyond = || SocketAddr::from(([0, 0, 0, 0], 0));
    let house = House::with(|options| options.address(beyond()).open(true));
    let body = json!({"model": "mario", "from": house.chat});
    house.bad("/api/create", &body, 403);
    house.bad("/api/copy", &json!({"source": "a", "destination": "b"}), 403);
    assert_eq!(bring(&house, &digest(b"x"), b"x").status, 403);
    let other = House::new();
    let chat = other.chat.clone();
    let house = House::with(|options| {
        options.address(beyond()).open(true).create(true).preload([chat.clone()])
    });
    assert_eq!(bring(&house, &digest(b"x"), b"x").status, 201);
    // Files that nobody offered are not reached by that.
    assert!(refused(&house, &json!({"model": "mario", "from": house.chat})).contains("not found"));
    create(&house, &json!({"model": "mario", "from": chat}));
    assert_eq!(delete(&house, "mario"), 200);
    assert_eq!(delete(&house, &chat), 403);
}

/// A model whose vocabulary has StarCoder's tokens for a middle.
pub(crate) fn coder() -> tempfile::TempDir {
    let directory = decoder_with("{{ messages[0].content }}");
    let path = directory.path().join("tokenizer.json");
    let mut tokenizer: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let names = ["<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<file_sep>"];
    for (id, name) in (500..).zip(names) {
        let vocabulary = tokenizer["model"]["vocab"].as_object_mut().unwrap();
        let old = vocabulary.iter().find(|(_, known)| **known == json!(id)).unwrap().0.clone();
        vocabulary.remove(&old);
        vocabulary.insert(name.to_owned(), json!(id));
        tokenizer["added_tokens"].as_array_mut().unwrap().push(json!({
            "id": id, "content": name, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true,
        }));
    }
    fs::write(&path, tokenizer.to_string()).unwrap();
    directory
}

#[test]
fn what_stands_between_two_texts_is_written_where_a_model_can() {
    let house = House::new();
    let directory = coder();
    let model = directory.path().to_str().unwrap();
    let shown = house.good("/api/show", &json!({"model": model}));
    assert_eq!(shown["capabilities"], json!(["completion", "insert"]));
    let body = json!({
        "model": model, "prompt": "def", "suffix": "end", "stream": false, "options": {"num_predict": 3, "temperature": 0},
    });
    let answer = house.good("/api/generate", &body);
    // The three tokens, and a token for each letter.
    let tokens: Vec<u64> =
        answer["context"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap()).collect();
    assert_eq!(answer["prompt_eval_count"], 9, "{tokens:?}");
    assert_eq!((tokens[0], tokens[4], tokens[8]), (500, 501, 502), "{tokens:?}");
    let completion = json!({"model": model, "prompt": "def", "suffix": "end", "max_tokens": 3, "temperature": 0});
    let text = house.good("/v1/completions", &completion)["choices"][0]["text"].clone();
    assert_eq!(text, answer["response"]);
    // A token that begins the next file ends it.
    let mut forced = completion.clone();
    forced["logit_bias"] = json!({"503": 100});
    assert_eq!(house.good("/v1/completions", &forced)["choices"][0]["finish_reason"], "stop");
    for (more, word) in [(json!({"raw": true}), "suffix"), (json!({"context": [1]}), "suffix")] {
        let mut body = body.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert!(house.bad("/api/generate", &body, 400).as_str().unwrap().contains(word));
    }
    let mut echoed = completion;
    echoed["echo"] = json!(true);
    house.bad("/v1/completions", &echoed, 400);
}
