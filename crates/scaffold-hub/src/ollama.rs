//! Models in Ollama's store, read in place and never written to.

#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use scaffold_error::{Error, err};
use serde_json::Value;

use crate::local::{LocalModel, ModelFiles, OllamaModel, Source};
use crate::name::OllamaName;

/// No manifest and no text layer is longer.
const LARGEST_TEXT: u64 = 4 << 20;

/// Finds a model in the first of `stores` that has it.
pub(crate) fn find(stores: &[PathBuf], name: &OllamaName) -> Result<LocalModel, Error> {
    let mut any = false;
    for store in stores {
        let manifests = store.join("manifests");
        match fs::metadata(&manifests) {
            Ok(_) => any = true,
            Err(source) if source.kind() == std::io::ErrorKind::PermissionDenied => {
                return Err(unreadable(&manifests)(source));
            }
            Err(_) => continue,
        }
        if let Some(path) = manifest_path(&manifests, name) {
            return read(store, &path, name);
        }
    }
    if !any {
        let looked: Vec<_> = stores.iter().map(|path| path.display().to_string()).collect();
        return Err(err!(
            NotFound,
            "no Ollama models are on this machine; looked in {}. If they are elsewhere, set OLLAMA_MODELS",
            looked.join(", ")
        ));
    }
    let all: Vec<String> = list(stores).iter().map(ToString::to_string).collect();
    let near = crate::nearest::nearest_models(&name.to_string(), &all);
    let has = match if near.is_empty() { all } else { near } {
        none if none.is_empty() => "; it is empty".to_owned(),
        available => format!(". It has: {}", available.join(", ")),
    };
    Err(err!(NotFound, "Ollama's store has no `{name}`{has}"))
}

/// The store may not be read.
fn unreadable(path: &Path) -> impl Fn(std::io::Error) -> Error {
    move |cause| {
        err!(
            Unavailable,
            "{} cannot be read: {cause}. The Linux service keeps its models for the user `ollama`; add yourself to its group, \
             or run as a user who may read them",
            path.display()
        )
        .of_file(path)
        .because(cause)
    }
}

/// The manifest makes no sense.
fn bad(path: &Path, problem: &str) -> Error {
    let path_text = path.display();
    err!(
        Damaged,
        "Ollama's manifest {path_text} cannot be used: {problem}. `ollama pull` the model again"
    )
    .of_file(path)
}

/// All models in the stores.
pub(crate) fn list(stores: &[PathBuf]) -> Vec<OllamaName> {
    let mut names = Vec::new();
    for store in stores {
        let root = store.join("manifests");
        for host in children(&root) {
            for namespace in children(&root.join(&host)) {
                for model in children(&root.join(&host).join(&namespace)) {
                    for tag in children(&root.join(&host).join(&namespace).join(&model)) {
                        let name = OllamaName {
                            host: host.clone(),
                            namespace: namespace.clone(),
                            model: model.clone(),
                            tag,
                        };
                        if !names.contains(&name) {
                            names.push(name);
                        }
                    }
                }
            }
        }
    }
    names
}

fn children(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|e| e.file_name().into_string().ok())
        .filter(|n| !n.starts_with('.'))
        .collect();
    names.sort();
    names
}

/// Ollama compares names without case, so each level is searched.
fn manifest_path(manifests: &Path, name: &OllamaName) -> Option<PathBuf> {
    let mut path = manifests.to_owned();
    for part in [&name.host, &name.namespace, &name.model, &name.tag] {
        let names = children(&path);
        let found = names
            .iter()
            .find(|n| *n == part)
            .or_else(|| names.iter().find(|n| n.eq_ignore_ascii_case(part)))?;
        path.push(found);
    }
    path.is_file().then_some(path)
}

fn read(store: &Path, path: &Path, name: &OllamaName) -> Result<LocalModel, Error> {
    let bad = |problem: &str| bad(path, problem);
    let text = read_text(path)?;
    let manifest = parse_manifest(text.as_bytes()).map_err(|problem| bad(&problem))?;
    let mut model = OllamaModel::default();
    let mut weights = None;
    for layer in &manifest.layers {
        let blob = blob_path(store, &layer.digest)
            .ok_or_else(|| bad(&format!("a layer's digest is {:?}", layer.digest)))?;
        match layer.kind.as_str() {
            "model" => weights = Some((blob, layer.size)),
            "template" | "prompt" => model.template = Some(read_text(&blob)?),
            "system" => model.system = Some(read_text(&blob)?),
            "params" => model.parameters = Some(read_text(&blob)?),
            "license" => model.licences.push(read_text(&blob)?),
            other => model.unused.push(other.to_owned()),
        }
    }
    let (weights, size) = weights.ok_or_else(|| {
        bad("it has no weights of the GGUF kind (models that only run in Ollama's cloud have none)")
    })?;
    let meta = fs::metadata(&weights).map_err(unreadable(&weights))?;
    if size.is_some_and(|size| size != meta.len()) {
        return Err(bad(&format!(
            "its weights have {} bytes instead of {}",
            meta.len(),
            size.unwrap_or(0)
        )));
    }
    let config = manifest.config.as_deref().and_then(|digest| blob_path(store, digest));
    let config = config
        .and_then(|path| read_text(&path).ok())
        .and_then(|t| serde_json::from_str::<Value>(&t).ok());
    if let Some(config) = config {
        let text = |key: &str| {
            config.get(key).and_then(Value::as_str).filter(|v| !v.is_empty()).map(str::to_owned)
        };
        model.size_label = text("model_type");
        model.quantization = text("file_type");
    }
    Ok(LocalModel {
        name: name.to_string(),
        files: ModelFiles::Gguf(weights),
        source: Source::Ollama,
        revision: None,
        ollama: Some(model),
        made: None,
    })
}

fn read_text(path: &Path) -> Result<String, Error> {
    let size = fs::metadata(path).map_err(unreadable(path))?.len();
    if size > LARGEST_TEXT {
        return Err(bad(path, &format!("it has {size} bytes")));
    }
    Ok(String::from_utf8_lossy(&fs::read(path).map_err(unreadable(path))?).into_owned())
}

/// `sha256:<64 hex>` as the name of a blob; anything else could lead out of the store.
pub(crate) fn blob_path(store: &Path, digest: &str) -> Option<PathBuf> {
    let hex = digest.strip_prefix("sha256:")?;
    let plain = hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit());
    plain.then(|| store.join("blobs").join(format!("sha256-{hex}")))
}

pub(crate) struct Manifest {
    pub(crate) config: Option<String>,
    pub(crate) layers: Vec<Layer>,
}

pub(crate) struct Layer {
    /// The last part of the media type: `model`, `template`, ….
    pub(crate) kind: String,
    pub(crate) digest: String,
    pub(crate) size: Option<u64>,
}

/// Parses a manifest; the error is what is wrong with it.
pub(crate) fn parse_manifest(text: &[u8]) -> Result<Manifest, String> {
    let value: Value = serde_json::from_slice(text).map_err(|e| format!("not JSON ({e})"))?;
    let layers = value.get("layers").and_then(Value::as_array).ok_or("it has no `layers`")?;
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let layers = layers
        .iter()
        .map(|layer| {
            let media = text(layer, "mediaType").ok_or("a layer has no `mediaType`")?;
            Ok(Layer {
                kind: media.rsplit('.').next().unwrap_or(&media).to_owned(),
                digest: text(layer, "digest").ok_or("a layer has no `digest`")?,
                size: layer.get("size").and_then(Value::as_u64),
            })
        })
        .collect::<Result<Vec<_>, &str>>()?;
    Ok(Manifest { config: value.get("config").and_then(|c| text(c, "digest")), layers })
}
