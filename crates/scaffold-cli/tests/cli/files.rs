//! Model files that are damaged or hostile: an error that names the file, never a crash.

use std::fs;

use scaffold_testing::golden;

use crate::project::{Project, Ran};

/// A copy of the tiny model whose file `name` went through `damage`.
fn with_damaged(name: &str, damage: impl Fn(&mut Vec<u8>)) -> Ran {
    let project = Project::new();
    let model = project.path().join("model");
    fs::create_dir(&model).unwrap();
    let tiny = golden::tiny("llama");
    for file in ["config.json", "generation_config.json", "model.safetensors"] {
        let mut bytes = fs::read(tiny.dir.join(file)).unwrap();
        if file == name {
            damage(&mut bytes);
        }
        fs::write(model.join(file), bytes).unwrap();
    }
    project.run(&["debug", "logits", "./model", "--ids", "1,2,3", "--json"])
}

fn refused(ran: &Ran, part: &str) {
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains(part), "{}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
}

#[test]
fn weights_that_are_cut_short_are_refused() {
    for length in [0, 4, 9, 1000] {
        refused(
            &with_damaged("model.safetensors", |bytes| bytes.truncate(length)),
            "model.safetensors",
        );
    }
    refused(
        &with_damaged("model.safetensors", |bytes| bytes.truncate(bytes.len() - 1)),
        "model.safetensors",
    );
}

#[test]
fn weights_that_claim_the_impossible_are_refused() {
    let length = |claimed: u64| {
        move |bytes: &mut Vec<u8>| bytes[..8].copy_from_slice(&claimed.to_le_bytes())
    };
    for claimed in [0, 1, u64::MAX, 1 << 40] {
        refused(&with_damaged("model.safetensors", length(claimed)), "model.safetensors");
    }
    refused(&with_damaged("model.safetensors", |bytes| bytes[20] ^= 0x80), "model.safetensors");
}

#[test]
fn a_configuration_of_another_kind_is_refused() {
    let replace = |from: &'static str, to: &'static str| {
        move |bytes: &mut Vec<u8>| {
            *bytes = String::from_utf8_lossy(bytes).replace(from, to).into_bytes();
        }
    };
    refused(&with_damaged("config.json", replace("\"llama\"", "\"mamba\"")), "`mamba` ");
    refused(&with_damaged("config.json", |bytes| bytes.truncate(20)), "config.json");
    refused(
        &with_damaged(
            "config.json",
            replace("\"hidden_size\": 64", "\"hidden_size\": 68719476736"),
        ),
        "",
    );
}

#[test]
fn files_that_are_no_models_are_refused() {
    for (bytes, part) in [
        (&b""[..], "not a GGUF file"),
        (b"hello", "not a GGUF file"),
        (b"GGUF", "cut short"),
        (
            b"GGUF\x03\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
            "tensors are announced",
        ),
    ] {
        let project = Project::new().file("model.bin", bytes);
        let ran = project.run(&["debug", "logits", "./model.bin", "--ids", "1"]);
        refused(&ran, part);
    }
}

#[test]
fn a_name_that_is_nothing_says_so() {
    let ran = Project::new().run(&["debug", "logits", "./nowhere", "--ids", "1"]);
    refused(&ran, "nowhere");
    let ran = Project::new().run(&["debug", "logits", "org/name", "--offline", "--ids", "1"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("org/name") && ran.stderr.contains("offline"), "{}", ran.stderr);
    let ran = Project::new().run(&["debug", "logits", "mistrl", "--offline", "--ids", "1"]);
    assert!(ran.stderr.contains("did you mean mistral?"), "{}", ran.stderr);
}
