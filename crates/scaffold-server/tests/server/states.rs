//! Loading models, letting them go, and streams that tell of both.

use std::io::Read as _;
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::client::send;
use crate::house::{House, until};

/// Reads a stream of states until one is as it is wanted; all that were told.
pub(crate) fn read_until(stream: &mut TcpStream, is_it: impl Fn(&Value) -> bool) -> Vec<Value> {
    let mut text = String::new();
    loop {
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).unwrap();
        assert!(count > 0, "it ended: {text}");
        text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let told: Vec<Value> = data.filter_map(|data| serde_json::from_str(data).ok()).collect();
        if told.iter().any(&is_it) {
            return told;
        }
    }
}

fn listen(house: &House, path: &str) -> TcpStream {
    send(house.address, "GET", path, "", b"")
}

/// What a list of models says of one.
fn status(house: &House, name: &str) -> Value {
    let list = house.get("/v1/models").json();
    let mut models = list["data"].as_array().unwrap().iter();
    models.find(|model| model["id"] == name).map_or(Value::Null, |model| model["status"].clone())
}

#[test]
fn models_are_loaded_as_what_they_are_and_let_go() {
    let house = House::new();
    for (name, kind) in
        [(&house.chat, "language"), (&house.embedder, "embedder"), (&house.ranker, "cross_encoder")]
    {
        let loaded = house.good("/v1/load", &json!({"model": name, "keep_alive": "1h"}));
        assert_eq!(
            (&loaded["stage"], &loaded["kind"], &loaded["success"]),
            (&json!("ready"), &json!(kind), &json!(true)),
            "{loaded}"
        );
        assert!(loaded["load_seconds"].as_f64().is_some() && loaded["in_use"] == 0);
    }
    assert_eq!(house.metric("scaffold_model_loads_total"), 3.0);
    let again = house.good("/v1/load", &json!({"model": house.chat}));
    assert_eq!(again["stage"], "ready");
    assert_eq!(house.metric("scaffold_model_loads_total"), 3.0);
    let gone = house.good("/v1/unload", &json!({"model": house.chat}));
    assert_eq!(gone["stage"], "unloaded");
    // Said again, it is so already.
    house.good("/models/unload", &json!({"model": house.chat}));
    let stages = house.get("/stages").json();
    assert_eq!(stages["models"].as_array().unwrap().len(), 2);
    for path in ["/v1/load", "/models/load", "/v1/unload", "/models/unload"] {
        assert_eq!(house.bad(path, &json!({"model": "org/none"}), 404)["code"], "model_not_found");
        assert_eq!(house.bad(path, &json!({}), 400)["param"], "model");
    }
    let bad = house.bad("/v1/load", &json!({"model": house.chat, "keep_alive": "soon"}), 400);
    assert_eq!(bad["param"], "keep_alive");
}

#[test]
fn states_are_told_as_they_change_until_the_server_stops() {
    let mut house = House::new();
    let mut stream = listen(&house, "/v1/models/events");
    let mut late = listen(&house, "/v1/models/events");
    house.good("/v1/load", &json!({"model": house.chat}));
    let told = read_until(&mut stream, |state| state["stage"] == "ready");
    let ready = told.last().unwrap();
    assert!(ready["name"] == *house.chat && ready["memory"].as_u64().unwrap() > 0, "{told:?}");
    house.good("/v1/unload", &json!({"model": house.chat}));
    let told = read_until(&mut stream, |state| state["stage"] == "unloaded");
    assert_eq!(told.last().unwrap()["memory"], 0);
    // Who reads nothing holds up nobody.
    assert!(house.stop(), "the streams did not end");
    let mut rest = String::new();
    late.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("data: [DONE]\n\n\r\n0\r\n\r\n"), "{rest}");
}

#[test]
fn clients_of_llama_cpp_hear_their_own_words() {
    let house = House::new();
    let mut stream = listen(&house, "/models/sse");
    let begun = house.good("/models/load", &json!({"model": house.chat}));
    assert_eq!(begun, json!({"success": true}));
    let told = read_until(&mut stream, |told| told["data"]["status"] == "loaded");
    let last = told.last().unwrap();
    assert_eq!(
        *last,
        json!({"model": house.chat, "event": "model_status", "data": {"status": "loaded"}})
    );
    house.good("/models/unload", &json!({"model": house.chat}));
    let told = read_until(&mut stream, |told| told["data"]["status"] == "unloaded");
    assert_eq!(told.last().unwrap()["event"], "model_status");
}

#[test]
fn a_list_says_which_models_are_loaded() {
    let directory = crate::house::decoder_with("{{ messages[0].content }}");
    let model = directory.path().to_str().unwrap().to_owned();
    let house = House::with(|options| options.preload([model.clone()]));
    until("it is loaded", || status(&house, &model) == json!({"value": "loaded"}));
    house.good("/v1/unload", &json!({"model": model}));
    assert_eq!(status(&house, &model), json!({"value": "unloaded"}));
}

#[test]
fn a_load_is_told_as_it_goes_on_and_how_it_ends() {
    let house = House::new();
    let answer = house.post("/v1/load", &json!({"model": house.chat, "stream": true}));
    let events = answer.events();
    assert_eq!(events.last().unwrap()["stage"], "ready", "{events:?}");
    let broken = tempfile::tempdir().unwrap();
    std::fs::write(broken.path().join("config.json"), "{}").unwrap();
    let model = broken.path().to_str().unwrap();
    let answer = house.post("/v1/load", &json!({"model": model, "stream": true}));
    let failed = if answer.status == 200 {
        answer.events().last().unwrap()["error"].clone()
    } else {
        answer.json()["error"].clone()
    };
    assert!(failed["message"].as_str().is_some_and(|words| !words.is_empty()), "{failed}");
}

#[test]
fn one_client_has_so_many_streams_at_once() {
    let house = House::new();
    let open = |path: &str| {
        let mut stream = listen(&house, path);
        let mut head = [0; 12];
        stream.read_exact(&mut head).unwrap();
        (stream, head)
    };
    let mut streams = Vec::new();
    for _ in 0..16 {
        let (stream, head) = open("/v1/models/events");
        assert_eq!(&head, b"HTTP/1.1 200");
        streams.push(stream);
    }
    assert_eq!(&open("/models/sse").1, b"HTTP/1.1 429");
    streams.pop();
    until("one has left", || &open("/models/sse").1 == b"HTTP/1.1 200");
}
