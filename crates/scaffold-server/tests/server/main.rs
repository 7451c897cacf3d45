//! The real server on a free port, with tiny models, asked over sockets.

mod again;
mod anthropic;
mod client;
mod embedding;
mod forms;
mod gate;
mod house;
mod limits;
mod load;
mod made;
mod memory;
mod ollama;
mod openai;
mod openapi;
mod own;
mod page;
mod pulling;
mod responses;
mod restart;
mod secure;
mod starter;
mod states;
mod stopping;
mod thinking;
mod tools;
mod values;
