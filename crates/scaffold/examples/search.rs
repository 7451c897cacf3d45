//! A search over thousands of texts: the nearest by their embeddings, then ranked anew by a model
//! that reads each together with the query, where there is one.
//!
//! `cargo run --release --example search -- all-minilm "a river in Europe" [CROSS-ENCODER]`
#![allow(clippy::print_stdout, reason = "a program that talks")]

use scaffold::Error;
use scaffold::embed::Embedder;
use scaffold::rerank::CrossEncoder;

const RIVERS: [&str; 5] = ["Rhine", "Danube", "Nile", "Amazon", "Mekong"];
const THINGS: [&str; 8] =
    ["floods", "bridges", "trade", "fish", "delta", "source", "dams", "history"];

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let embedder = Embedder::from_pretrained(&arguments.next().unwrap_or("all-minilm".into()))?;
    let query = arguments.next().unwrap_or_else(|| "floods of the Nile".to_owned());
    let ranker = arguments.next().map(|name| CrossEncoder::from_pretrained(&name)).transpose()?;

    let texts: Vec<String> = (0..2000)
        .map(|n| {
            let (river, thing) = (RIVERS[n % RIVERS.len()], THINGS[n / 5 % THINGS.len()]);
            format!("Page {n} tells of the {river} and its {thing}.")
        })
        .collect();
    let documents = embedder.embed_documents(&texts)?;
    let nearest = embedder.search(&query, &documents, 10)?;
    let candidates: Vec<&str> = nearest.iter().map(|hit| texts[hit.index].as_str()).collect();
    match ranker {
        Some(ranker) => {
            for hit in ranker.rerank(&query, &candidates, Some(5))? {
                println!("{:8.4}  {}", hit.score, candidates[hit.index]);
            }
        }
        None => {
            for (hit, text) in nearest.iter().zip(&candidates).take(5) {
                println!("{:8.4}  {text}", hit.score);
            }
        }
    }
    Ok(())
}
