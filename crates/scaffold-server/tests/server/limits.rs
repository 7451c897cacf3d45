//! What each key may have, and keys that change while the server runs.

use std::fs;

use scaffold_server::{Keys, Server};
use serde_json::{Value, json};

use crate::client::Answer;
use crate::house::{House, read_some, until};

const LAPTOP: &str = "0123456789abcdef";
const PHONE: &str = "fedcba9876543210";

fn house(keys: &str) -> House {
    let keys = Keys::parse(keys).unwrap();
    House::with(|options| options.keys(keys))
}

fn header(key: &str) -> String {
    format!("Authorization: Bearer {key}\r\n")
}

fn ask(house: &House, key: &str, more: &Value) -> Answer {
    let mut body = json!({"model": house.chat, "max_tokens": 4, "messages": [{"role": "user", "content": "x"}]});
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    house.ask("POST", "/v1/chat/completions", &header(key), body.to_string().as_bytes())
}

fn refused(answer: &Answer, limit: &str) {
    assert_eq!(answer.status, 429, "{}", answer.text());
    let error = answer.json()["error"].clone();
    assert_eq!(error["code"], "rate_limit_exceeded");
    assert!(error["message"].as_str().unwrap().contains(limit), "{error}");
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=600).contains(&seconds), "{seconds}");
}

#[test]
fn requests_at_once_are_counted_until_their_answers_end() {
    let house = house(&format!("laptop {LAPTOP} at-once=1\nphone {PHONE}\n"));
    let body = json!({
        "model": house.chat, "messages": [{"role": "user", "content": "x"}], "max_tokens": 400, "n": 16, "stream": true,
        "ignore_eos": true, "temperature": 1.0,
    });
    let head = header(LAPTOP);
    let path = "/v1/chat/completions";
    let mut stream =
        crate::client::send(house.address, "POST", path, &head, body.to_string().as_bytes());
    read_some(&mut stream);
    refused(&ask(&house, LAPTOP, &json!({})), "at-once=1");
    // Lists and other keys are not concerned.
    assert_eq!(house.ask("GET", "/v1/models", &head, b"").status, 200);
    assert_eq!(ask(&house, PHONE, &json!({})).status, 200);
    drop(stream);
    until("it has left", || ask(&house, LAPTOP, &json!({})).status == 200);
}

#[test]
fn requests_and_tokens_of_a_minute_have_limits() {
    let house = house(&format!(
        "laptop {LAPTOP} requests-per-minute=2\nphone {PHONE} tokens-per-minute=10\n"
    ));
    for _ in 0..2 {
        assert_eq!(ask(&house, LAPTOP, &json!({})).status, 200);
    }
    refused(&ask(&house, LAPTOP, &json!({})), "requests-per-minute=2");
    // A prompt of more tokens than there are is answered, and waited for.
    assert_eq!(ask(&house, PHONE, &json!({})).status, 200);
    until("its tokens are counted", || ask(&house, PHONE, &json!({})).status == 429);
    let answer = ask(&house, PHONE, &json!({}));
    refused(&answer, "tokens-per-minute=10");
    let embed = json!({"model": house.embedder, "input": "x"}).to_string();
    let answer = house.ask("POST", "/v1/embeddings", &header(PHONE), embed.as_bytes());
    assert_eq!(answer.status, 429);
}

#[test]
fn keys_change_while_the_server_runs_and_a_bad_file_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keys");
    fs::write(&file, format!("laptop {LAPTOP}\n")).unwrap();
    let options = crate::house::options().keys(Keys::open(&file).unwrap()).key_file(file.clone());
    let server = Server::bind(crate::house::config(directory.path()), options).unwrap();
    let (address, stopper, reloader) = (server.address(), server.stopper(), server.reloader());
    let thread = std::thread::spawn(move || server.run());
    let status = |key: &str| {
        let stream = crate::client::send(address, "GET", "/v1/models", &header(key), b"");
        crate::client::receive(stream).status
    };
    assert_eq!((status(LAPTOP), status(PHONE)), (200, 401));
    fs::write(&file, "laptop short\n").unwrap();
    let error = reloader.reload().unwrap_err();
    assert_eq!(error.place().line(), Some(1), "{error}");
    assert_eq!((status(LAPTOP), status(PHONE)), (200, 401));
    fs::write(&file, format!("phone {PHONE} at-once=2\n")).unwrap();
    reloader.reload().unwrap();
    assert_eq!((status(LAPTOP), status(PHONE)), (401, 200));
    fs::remove_file(&file).unwrap();
    assert!(reloader.reload().is_err());
    assert_eq!((status(LAPTOP), status(PHONE)), (401, 200));
    stopper.stop();
    assert!(thread.join().unwrap().unwrap());
}
