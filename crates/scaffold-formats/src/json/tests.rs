use scaffold_error::Kind;

use super::*;

fn config(text: &str) -> ConfigJson {
    ConfigJson::parse("dir/config.json", text.as_bytes()).unwrap()
}

#[test]
fn getters_convert_and_name_file_line_and_key() {
    let config = config(
        "{\n  \"hidden_size\": 64,\n  \"rope_theta\": 10000,\n  \"window\": null,\n  \"eps\": 1e-5,\n  \"n\": 2048.0,\n  \
         \"rope_parameters\": {\n    \"factor\": \"x\",\n    \"list\": [1, 2]\n  },\n  \"tie\": true\n}",
    );
    let root = config.root();
    assert_eq!(root.get_usize("hidden_size").unwrap(), Some(64));
    assert_eq!(root.get_f32("rope_theta").unwrap(), Some(10000.0));
    assert_eq!(root.get_f32("eps").unwrap(), Some(1e-5));
    assert_eq!(root.get_u64("n").unwrap(), Some(2048));
    assert_eq!(root.get_usize("window").unwrap(), None);
    assert_eq!(root.get_bool("tie").unwrap(), Some(true));
    assert_eq!(root.get_bool("absent").unwrap(), None);
    let rope = root.get_object("rope_parameters").unwrap().unwrap();
    assert_eq!(rope.get_usizes("list").unwrap(), Some(vec![1, 2]));
    assert_eq!(
        rope.get_f32("factor").unwrap_err().to_string(),
        "dir/config.json:8: key `rope_parameters.factor` should be a number but is `\"x\"`"
    );
    assert_eq!(
        root.get_usize("eps").unwrap_err().to_string(),
        "dir/config.json:5: key `eps` should be an integer that is not negative but is `0.00001`"
    );
    assert_eq!(
        root.require_usize("absent").unwrap_err().to_string(),
        "dir/config.json: key `absent` is missing"
    );
    assert!(root.get_object("tie").is_err() && root.get_strs("hidden_size").is_err());
    assert_eq!(root.keys().count(), 7);
}

#[test]
fn integers_do_not_wrap() {
    let config = config(
        r#"{"big": 18446744073709551616, "neg": -1, "huge": 1e300, "half": 0.5, "u33": 8589934592}"#,
    );
    let root = config.root();
    for key in ["big", "neg", "huge", "half"] {
        assert!(root.get_u64(key).is_err(), "{key}");
    }
    assert!(root.get_u32("u33").is_err());
    assert_eq!(root.get_i64("neg").unwrap(), Some(-1));
}

#[test]
fn broken_json_is_named_by_line() {
    let error = ConfigJson::parse("c.json", b"{\n\"a\": 1,\n}").unwrap_err().to_string();
    assert!(error.starts_with("c.json:3: not valid JSON"), "{error}");
    let error = ConfigJson::parse("c.json", b"[1]").unwrap_err().to_string();
    assert!(error.contains("holds a list"), "{error}");
    assert!(ConfigJson::parse("c.json", "[".repeat(100_000).as_bytes()).is_err());
    assert!(ConfigJson::parse("c.json", b"{\"a\":\"\xff\"}").is_err());
}

#[test]
fn files_have_a_size_limit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.json");
    std::fs::write(&path, "{\"a\": 1}").unwrap();
    assert_eq!(ConfigJson::open(dir.path()).unwrap().root().get_u64("a").unwrap(), Some(1));
    let error = read_limited(&path, 7).unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge);
    assert!(error.to_string().contains("the file has 8 bytes; at most 7 are read"), "{error}");
    assert_eq!(read_limited(&path, 8).unwrap().len(), 8);
    let absent = ConfigJson::open(dir.path().join("absent")).unwrap_err();
    assert_eq!(absent.kind(), Kind::NotFound);
    assert!(absent.cause::<std::io::Error>().is_some());
}

#[test]
fn generation_defaults_are_read_in_every_spelling() {
    let read = |text: &str| GenerationConfig::from_json(&config(text));
    assert_eq!(read(r#"{"eos_token_id": 2}"#).unwrap().eos_token_ids, [2]);
    assert_eq!(
        read(r#"{"eos_token_id": [128001, 128009, 128001]}"#).unwrap().eos_token_ids,
        [128001, 128009]
    );
    assert_eq!(
        read(r#"{"eos_token_id": null, "pad_token_id": -1}"#).unwrap(),
        GenerationConfig::default()
    );
    let full = read(
        r#"{"bos_token_id": 1, "do_sample": true, "temperature": 0.6, "top_p": 0.9, "top_k": 50}"#,
    )
    .unwrap();
    assert_eq!((full.bos_token_id, full.sampling.len()), (Some(1), 4));
    for text in [
        r#"{"eos_token_id": "</s>"}"#,
        r#"{"eos_token_id": [1, 2.5]}"#,
        r#"{"eos_token_id": 4294967296}"#,
    ] {
        let message = read(text).unwrap_err().to_string();
        assert!(
            message.contains("config.json:1: key `eos_token_id` should be a token id"),
            "{message}"
        );
    }
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(GenerationConfig::from_dir(dir.path()).unwrap(), None);
    std::fs::write(dir.path().join("generation_config.json"), r#"{"eos_token_id": 7}"#).unwrap();
    assert_eq!(GenerationConfig::from_dir(dir.path()).unwrap().unwrap().eos_token_ids, [7]);
}
