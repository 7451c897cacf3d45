//! Embeddings and rankings, at every door to them.

use scaffold::embed::{EmbedOptions, Embedder};
use scaffold::rerank::CrossEncoder;
use serde_json::{Value, json};

use crate::house::{House, config};

const TEXTS: [&str; 2] = ["a red house", "the river is long"];

fn vector(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect()
}

#[test]
fn every_interface_gives_the_librarys_embeddings() {
    let house = House::new();
    let home = tempfile::tempdir().unwrap();
    let alone =
        Embedder::builder(house.embedder.clone()).config(&config(home.path())).load().unwrap();
    let wanted = alone.embed_batch(&TEXTS, &EmbedOptions::new().normalize(true)).unwrap();
    let wanted: Vec<Vec<f32>> = wanted.iter().map(<[f32]>::to_vec).collect();

    let answer = house.good("/v1/embeddings", &json!({"model": house.embedder, "input": TEXTS}));
    for (index, one) in answer["data"].as_array().unwrap().iter().enumerate() {
        assert_eq!((&one["object"], &one["index"]), (&json!("embedding"), &json!(index)));
        assert_eq!(vector(&one["embedding"]), wanted[index]);
    }
    assert!(answer["usage"]["prompt_tokens"].as_u64().unwrap() > 0);
    let packed = house.good(
        "/v1/embeddings",
        &json!({"model": house.embedder, "input": TEXTS[0], "encoding_format": "base64"}),
    );
    let bytes = decode(packed["data"][0]["embedding"].as_str().unwrap());
    let numbers: Vec<f32> =
        bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
    assert_eq!(numbers, wanted[0]);

    let answer = house.good("/api/embed", &json!({"model": house.embedder, "input": TEXTS}));
    assert_eq!(vector(&answer["embeddings"][1]), wanted[1]);
    for key in ["total_duration", "load_duration", "prompt_eval_count"] {
        assert!(answer[key].is_u64(), "{key}");
    }
    let answer =
        house.good("/api/embeddings", &json!({"model": house.embedder, "prompt": TEXTS[0]}));
    assert_eq!(vector(&answer["embedding"]), alone.embed(TEXTS[0]).unwrap());
    let answer = house.good("/embed", &json!({"model": house.embedder, "inputs": TEXTS}));
    assert_eq!(vector(&answer[0]), wanted[0]);

    let short = house.good(
        "/v1/embeddings",
        &json!({"model": house.embedder, "input": TEXTS[0], "dimensions": 4}),
    );
    let short = vector(&short["data"][0]["embedding"]);
    let length: f32 = short.iter().map(|x| x * x).sum();
    assert!(short.len() == 4 && (length - 1.0).abs() < 1e-5);
    let ids = alone.token_ids(TEXTS[0], false).unwrap();
    let of_ids = house.good("/v1/embeddings", &json!({"model": house.embedder, "input": ids}));
    assert_eq!(vector(&of_ids["data"][0]["embedding"]), wanted[0]);
}

#[test]
fn what_cannot_be_embedded_is_refused() {
    let house = House::new();
    let long = "word ".repeat(5000);
    for (path, body) in [
        ("/v1/embeddings", json!({"model": house.embedder, "input": long})),
        ("/v1/embeddings", json!({"model": house.embedder, "input": "x", "dimensions": 100_000})),
        (
            "/v1/embeddings",
            json!({"model": house.embedder, "input": "x", "encoding_format": "hex"}),
        ),
        ("/v1/embeddings", json!({"model": house.embedder, "input": []})),
        ("/v1/embeddings", json!({"model": house.embedder, "input": [5, u32::MAX]})),
        ("/v1/embeddings", json!({"model": house.embedder})),
        ("/v1/embeddings", json!({"model": house.chat, "input": "x"})),
        ("/api/embed", json!({"model": house.embedder, "input": long, "truncate": false})),
        ("/v1/rerank", json!({"model": house.embedder, "query": "x", "documents": ["y"]})),
    ] {
        house.bad(path, &body, 400);
    }
    // Ollama cuts unless it is told not to.
    house.good("/api/embed", &json!({"model": house.embedder, "input": long}));
    let error = house.post("/embed", &json!({"model": house.embedder, "inputs": long}));
    assert_eq!((error.status, &error.json()["error_type"]), (400, &json!("Validation")));
}

#[test]
fn every_interface_gives_the_librarys_ranking() {
    let house = House::new();
    let home = tempfile::tempdir().unwrap();
    let alone =
        CrossEncoder::builder(house.ranker.clone()).config(&config(home.path())).load().unwrap();
    let wanted = alone.rerank("house", &TEXTS, None).unwrap();
    for path in ["/rerank", "/v1/rerank", "/v2/rerank"] {
        let answer =
            house.good(path, &json!({"model": house.ranker, "query": "house", "documents": TEXTS}));
        let results = answer["results"].as_array().unwrap();
        assert_eq!(results.len(), 2);
        for (result, wanted) in results.iter().zip(&wanted) {
            assert_eq!(result["index"], wanted.index);
            assert_eq!(result["document"]["text"], TEXTS[wanted.index]);
            assert!((0.0..=1.0).contains(&result["relevance_score"].as_f64().unwrap()));
        }
    }
    let top = json!({"model": house.ranker, "query": "house", "documents": [{"text": TEXTS[0]}, TEXTS[1]], "top_n": 1, "return_documents": false});
    let answer = house.good("/v1/rerank", &top);
    assert_eq!(answer["results"].as_array().unwrap().len(), 1);
    assert!(answer["results"][0].get("document").is_none());
    let tei = house.good(
        "/rerank",
        &json!({"model": house.ranker, "query": "house", "texts": TEXTS, "return_text": true}),
    );
    assert_eq!(tei[0]["index"], wanted[0].index);
    assert_eq!(tei[0]["text"], TEXTS[wanted[0].index]);
    // text-embeddings-inference names no model.
    let error = house.post("/rerank", &json!({"query": "house", "texts": TEXTS}));
    assert_eq!((error.status, &error.json()["error_type"]), (400, &json!("Validation")));
}

/// Base64, the short way.
fn decode(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = 0_u32;
    let mut count = 0;
    let mut bytes = Vec::new();
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let value = LETTERS.iter().position(|known| *known == letter).unwrap() as u32;
        bits = bits << 6 | value;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}
