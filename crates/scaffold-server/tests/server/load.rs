//! Many at once, those who leave, and those who come too many.

use std::io::Read as _;

use scaffold::registry::RegistryOptions;
use scaffold::{LoadOptions, MemoryLimit};
use serde_json::{Value, json};

use crate::client::send;
use crate::house::{House, load, read_some, until};

fn ask(house: &House, words: &str, more: &Value) -> Value {
    let mut body = json!({
        "model": house.chat, "messages": [{"role": "user", "content": words}], "max_tokens": 40, "temperature": 0,
        "ignore_eos": true,
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

fn registry(load: LoadOptions) -> RegistryOptions {
    RegistryOptions::new().memory(MemoryLimit::Unlimited).load(load)
}

#[test]
fn sixty_four_streams_at_once_say_what_each_says_alone() {
    let house = House::new();
    let words = |number: usize| format!("question {}", number % 8);
    let alone: Vec<Value> = (0..8)
        .map(|number| {
            let whole =
                house.good("/v1/chat/completions", &ask(&house, &words(number), &json!({})));
            whole["choices"][0]["message"]["content"].clone()
        })
        .collect();
    std::thread::scope(|scope| {
        for number in 0..64 {
            let (house, alone, words) = (&house, &alone, &words);
            scope.spawn(move || {
                let body = ask(house, &words(number), &json!({"stream": true}));
                let events = house.post("/v1/chat/completions", &body).events();
                let text: String = events
                    .iter()
                    .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
                    .collect();
                assert_eq!(json!(text), alone[number % 8]);
            });
        }
    });
    assert_eq!(house.metric("scaffold_kv_blocks_held"), 0.0);
    assert_eq!(house.metric("scaffold_requests_failed_total"), 0.0);
}

fn is_idle(house: &House) -> bool {
    ["scaffold_requests_running", "scaffold_requests_waiting", "scaffold_kv_blocks_held"]
        .iter()
        .all(|name| house.metric(name) == 0.0)
}

#[test]
fn who_hangs_up_ends_the_computing() {
    let house = House::new();
    let long = |stream: bool| {
        let more = json!({"max_tokens": 200, "n": 64, "stream": stream, "temperature": 1.0});
        ask(&house, "a long one", &more).to_string()
    };
    let mut stream = send(house.address, "POST", "/v1/chat/completions", "", long(true).as_bytes());
    assert!(read_some(&mut stream).starts_with(b"HTTP/1.1 200"));
    drop(stream);
    until("the stream's requests are gone", || is_idle(&house));
    let cancelled = house.metric("scaffold_requests_cancelled_total");
    assert!(cancelled > 0.0);
    // Also one who waits for the whole.
    let stream = send(house.address, "POST", "/v1/chat/completions", "", long(false).as_bytes());
    until("it is computed", || house.metric("scaffold_requests_running") > 0.0);
    drop(stream);
    until("the request is gone", || is_idle(&house));
    assert!(house.metric("scaffold_requests_cancelled_total") > cancelled);
}

#[test]
fn too_many_are_told_when_to_come_again() {
    let small = load().max_sequences(1_usize).max_waiting(1_usize);
    let house = House::with(|options| options.registry(registry(small)));
    let answer = house.post("/v1/chat/completions", &ask(&house, "x", &json!({"n": 8})));
    assert_eq!(answer.status, 429, "{}", answer.text());
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(answer.json()["error"]["code"], "rate_limit_exceeded");
    house.good("/v1/chat/completions", &ask(&house, "x", &json!({})));
}

#[test]
fn one_connection_asks_many_times() {
    use std::io::Write as _;

    let house = House::new();
    let mut stream = std::net::TcpStream::connect(house.address).unwrap();
    for _ in 0..3 {
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"{\"status\":\"ok\"}") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            bytes.push(byte[0]);
        }
    }
}
