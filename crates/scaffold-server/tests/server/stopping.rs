//! The end.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{Answer, receive, send};
use crate::house::{House, read_some, until};

fn long(house: &House) -> TcpStream {
    let body = json!({
        "model": house.chat, "messages": [{"role": "user", "content": "x"}], "max_tokens": 200, "n": 64, "stream": true,
        "ignore_eos": true, "temperature": 1.0,
    });
    send(house.address, "POST", "/v1/chat/completions", "", body.to_string().as_bytes())
}

#[test]
fn answers_at_hand_come_to_their_end() {
    let mut house = House::new();
    let stream = long(&house);
    until("it is computed", || house.metric("scaffold_requests_running") > 0.0);
    let reader = std::thread::spawn(move || receive(stream));
    assert!(house.stop(), "not all answers came to their end");
    let answer: Answer = reader.join().unwrap();
    let events = answer.events();
    let ends = events.iter().filter(|event| event["choices"][0]["finish_reason"] == "length");
    assert_eq!(ends.count(), 64);
    assert!(TcpStream::connect(house.address).is_err());
}

#[test]
fn who_takes_too_long_is_not_waited_for() {
    let mut house = House::with(|options| options.drain_time(Duration::from_millis(1)));
    let mut stream = long(&house);
    read_some(&mut stream);
    let begun = Instant::now();
    let drained = house.stop();
    assert!(begun.elapsed() < Duration::from_secs(30));
    let rest = receive_rest(stream);
    assert!(!drained && !rest.ends_with("data: [DONE]\n\n\r\n0\r\n\r\n"), "{drained}");
}

fn receive_rest(mut stream: TcpStream) -> String {
    use std::io::Read as _;

    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn a_model_of_the_start_that_is_not_there_ends_it() {
    let home = tempfile::tempdir().unwrap();
    let options = crate::house::options().preload(["org/none".to_owned()]);
    let server = scaffold_server::Server::bind(crate::house::config(home.path()), options).unwrap();
    let error = server.run().unwrap_err();
    assert!(error.to_string().contains("org/none"), "{error}");
}
