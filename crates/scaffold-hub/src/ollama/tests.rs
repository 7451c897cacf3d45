use super::*;
use crate::name::ModelName;

fn name(text: &str) -> OllamaName {
    let Ok(ModelName::Ollama(name)) = ModelName::parse(text) else { panic!("{text}") };
    name
}

/// A store with one model, as `ollama pull` leaves it.
fn store() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let blobs = dir.path().join("blobs");
    let manifests = dir.path().join("manifests/registry.ollama.ai/library/llama3.2");
    fs::create_dir_all(&blobs).unwrap();
    fs::create_dir_all(&manifests).unwrap();
    let blob = |text: &str| {
        let hex = crate::digest::sha256(text.as_bytes(), |_| ()).unwrap();
        fs::write(blobs.join(format!("sha256-{hex}")), text).unwrap();
        format!("sha256:{hex}")
    };
    let layer = |kind: &str, text: &str| serde_json::json!({"mediaType": format!("application/vnd.ollama.image.{kind}"), "digest": blob(text), "size": text.len()});
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "config": {"digest": blob(r#"{"model_type": "3.2B", "file_type": "Q4_K_M"}"#)},
        "layers": [layer("model", "GGUF…"), layer("template", "{{ .Prompt }}"), layer("license", "L"), layer("projector", "p")],
    });
    fs::write(manifests.join("latest"), manifest.to_string()).unwrap();
    dir
}

#[test]
fn a_model_is_read_in_place() {
    let dir = store();
    let stores = [dir.path().join("absent"), dir.path().to_owned()];
    let model = find(&stores, &name("ollama:Llama3.2")).unwrap();
    assert!(model.files.path().starts_with(dir.path().join("blobs")));
    let ollama = model.ollama.unwrap();
    assert_eq!(ollama.template.as_deref(), Some("{{ .Prompt }}"));
    assert_eq!(
        (ollama.size_label.as_deref(), ollama.quantization.as_deref()),
        (Some("3.2B"), Some("Q4_K_M"))
    );
    assert_eq!((ollama.licences.len(), ollama.unused), (1, vec!["projector".to_owned()]));
}

#[test]
fn a_missing_model_is_answered_with_those_that_are_there() {
    let dir = store();
    let error = find(&[dir.path().to_owned()], &name("ollama:lama3.2")).unwrap_err().to_string();
    assert!(
        error.contains("no `ollama:lama3.2:latest`") && error.contains("ollama:llama3.2:latest"),
        "{error}"
    );
    let error = find(&[dir.path().join("absent")], &name("ollama:x")).unwrap_err().to_string();
    assert!(error.contains("OLLAMA_MODELS"), "{error}");
}

#[test]
fn manifests_cannot_lead_out_of_the_store() {
    let dir = store();
    let path = dir.path().join("manifests/registry.ollama.ai/library/llama3.2/evil");
    for (text, want) in [
        (
            r#"{"layers": [{"mediaType": "x.model", "digest": "sha256:../../../etc/passwd"}]}"#,
            "digest",
        ),
        (r#"{"layers": []}"#, "no weights"),
        ("{}", "no `layers`"),
        ("\u{0}", "not JSON"),
    ] {
        fs::write(&path, text).unwrap();
        let error =
            find(&[dir.path().to_owned()], &name("ollama:llama3.2:evil")).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    }
}
