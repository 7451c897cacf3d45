//! Fetches a model by its name and prints where it is:
//! `cargo run -p scaffold-hub --example fetch -- org/name`.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use scaffold_hub::{Event, Hub, HubConfig, Progress};

struct Lines;

impl Progress for Lines {
    fn event(&mut self, event: &Event) {
        if !matches!(event, Event::Bytes { .. }) {
            eprintln!("{event:?}");
        }
    }
}

fn main() -> ExitCode {
    let Some(text) = std::env::args().nth(1) else {
        eprintln!("usage: fetch MODEL");
        return ExitCode::from(2);
    };
    let home = std::env::home_dir().unwrap_or_default();
    let hub = Hub::new(HubConfig::from_vars(|name| std::env::var(name).ok(), home));
    match hub.name(&text).and_then(|name| hub.resolve(&name, &mut Lines)) {
        Ok(model) => {
            println!("{}", model.files.path().display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
