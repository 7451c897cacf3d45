//! What a model is, without computing with it: from its files on this disk, or from the little that
//! a look at the Hub brings.

mod copy;
mod folder;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use scaffold_formats::ConfigJson;
use scaffold_hub::{Check, LocalModel, ModelFiles, is_supported_label};
use scaffold_model::{Kind, KvType, ModelSpec};
use serde::Serialize;
use serde_json::Value;

use crate::embed::repository::modules;
use crate::{Error, Weights};
pub use copy::CopyCheck;
pub use folder::FolderCheck;

/// What a model is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct About {
    /// The family, such as `llama`.
    pub architecture: String,
    /// Weights in all.
    pub parameters: u64,
    /// Tokens that the model was made for.
    pub context: usize,
    /// Width of its hidden states.
    pub embedding_length: usize,
    /// Layers.
    pub layers: usize,
    /// Bytes of the weights by the type that they are stored in, the largest first.
    pub stored: Vec<(String, u64)>,
    /// Bytes that one token of context takes in memory, with keys and values in `f16`; 0 for
    /// encoders.
    pub context_token_bytes: u64,
    /// The chat template's text.
    #[serde(skip)]
    pub template: Option<String>,
    /// The licence's identifier or name.
    pub licence: Option<String>,
    /// What it can be used for: `completion`, `tools`, `thinking`, `embedding`, `rerank`.
    pub capabilities: Vec<&'static str>,
}

impl About {
    /// Looks into a model's files.
    ///
    /// # Errors
    /// The files are not what they claim to be, or the architecture is not supported.
    pub fn of(model: &LocalModel) -> Result<About, Error> {
        let weights = match &model.files {
            // Where there are modules, the model itself may lie in a directory below.
            ModelFiles::Directory(path) => Weights::open(&modules::transformer(path)?)?,
            ModelFiles::Gguf(path) => Weights::open(path)?,
        };
        let mut stored: BTreeMap<&'static str, u64> = BTreeMap::new();
        let mut parameters = 0;
        for name in weights.tensors().names() {
            let info = weights.tensors().info(name);
            if info.is_none_or(|info| weights.spec.leaves_unused(&info)) {
                continue;
            }
            if let Some(tensor) = weights.tensors().tensor(name)? {
                *stored.entry(tensor.ty.name()).or_default() += tensor.bytes.len() as u64;
                parameters += tensor.len() as u64;
            }
        }
        let mut stored: Vec<(String, u64)> =
            stored.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
        stored.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        let (template, licence) = template_and_licence(model, &weights)?;
        let spec = &weights.spec;
        Ok(About {
            architecture: spec.family.to_owned(),
            parameters,
            context: spec.context,
            embedding_length: spec.hidden,
            layers: spec.layers.len(),
            stored,
            context_token_bytes: context_token_bytes(spec),
            capabilities: capabilities(spec, template.as_deref()),
            template,
            licence,
        })
    }

    /// The type that most of the weights are stored in.
    pub fn quantization(&self) -> &str {
        self.stored.first().map_or("-", |(name, _)| name)
    }

    /// Bytes of the weights.
    pub fn weight_bytes(&self) -> u64 {
        self.stored.iter().map(|(_, bytes)| bytes).sum()
    }
}

fn context_token_bytes(spec: &ModelSpec) -> u64 {
    match spec.kind {
        Kind::Decoder(_) => spec.kv_bytes_per_token(KvType::F16) as u64,
        Kind::Encoder(_) => 0,
    }
}

fn capabilities(spec: &ModelSpec, template: Option<&str>) -> Vec<&'static str> {
    let mut capabilities = match &spec.kind {
        Kind::Decoder(_) => vec!["completion"],
        Kind::Encoder(encoder) if encoder.classifier.is_some() => vec!["rerank"],
        Kind::Encoder(_) => vec!["embedding"],
    };
    let template = template.unwrap_or("");
    for (word, capability) in [("tools", "tools"), ("<think>", "thinking")] {
        if template.contains(word) {
            capabilities.push(capability);
        }
    }
    capabilities
}

fn template_and_licence(
    model: &LocalModel,
    weights: &Weights,
) -> Result<(Option<String>, Option<String>), Error> {
    let of_ollama = model
        .ollama
        .as_ref()
        .and_then(|o| o.licences.first()?.lines().find(|l| !l.trim().is_empty()));
    let of_package =
        scaffold_hub::packages().iter().find(|p| p.repo == model.name).map(|p| p.licence.clone());
    match (&model.files, weights.gguf()) {
        (_, Some(gguf)) => {
            let text = |key: &str| Ok::<_, Error>(gguf.metadata().get_str(key)?.map(str::to_owned));
            let licence = text("general.license")?
                .or_else(|| of_ollama.map(|l| l.trim().to_owned()))
                .or(of_package);
            Ok((text("tokenizer.chat_template")?, licence))
        }
        (ModelFiles::Directory(dir), None) => {
            Ok((template_of(dir), licence_of(dir).or(of_package)))
        }
        (ModelFiles::Gguf(_), None) => Ok((None, of_package)),
    }
}

fn template_of(dir: &Path) -> Option<String> {
    if let Ok(text) = fs::read_to_string(dir.join("chat_template.jinja")) {
        return Some(text);
    }
    let config: Value =
        serde_json::from_slice(&fs::read(dir.join("tokenizer_config.json")).ok()?).ok()?;
    match config.get("chat_template")? {
        Value::String(text) => Some(text.clone()),
        // A list of named templates.
        Value::Array(named) => named
            .iter()
            .find(|t| t["name"] == "default")
            .or(named.first())?
            .get("template")?
            .as_str()
            .map(str::to_owned),
        _ => None,
    }
}

/// The `license:` line of the model card's head.
fn licence_of(dir: &Path) -> Option<String> {
    let card = fs::read_to_string(dir.join("README.md")).ok()?;
    let head = card.strip_prefix("---")?.split("\n---").next()?;
    let value = head.lines().find_map(|l| l.strip_prefix("license:"))?;
    Some(value.trim().trim_matches(['"', '\'']).to_owned())
}

/// What can be said of a model that is not here.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// The architecture by its own account.
    pub architecture: Option<String>,
    /// Why it cannot be computed; `None` if it can, or if nothing speaks against it.
    pub unsupported: Option<String>,
    /// What each form of its weights needs.
    pub needs: Vec<Need>,
}

/// What one form of a model's weights needs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Need {
    /// The quantization label, or `safetensors`.
    pub form: String,
    /// Bytes to download.
    pub download: u64,
    /// Bytes of memory: the weights, and `context` tokens of context where their size is known.
    pub memory: u64,
    /// The tokens of context that are counted in.
    pub context: usize,
    /// Whether it fits into the memory of this machine; `None` where that is not known.
    pub fits: Option<bool>,
    /// Whether the engine computes with it.
    pub supported: bool,
}

/// Tokens of context that a need counts with, if the model has as many.
const CONTEXT: usize = 4096;

impl Judgement {
    /// Judges by what a look at the Hub has brought; `memory` is what a model may take here.
    pub fn of(check: &Check, memory: Option<u64>) -> Judgement {
        let config = check.config.as_deref().map(|text| ConfigJson::parse("config.json", text));
        let (mut architecture, mut unsupported, mut spec) = (None, None, None);
        match config {
            Some(Ok(config)) => {
                architecture =
                    config.root().get_str("model_type").ok().flatten().map(str::to_owned);
                match ModelSpec::from_config(&config) {
                    Ok(found) => spec = Some(found),
                    Err(error) => unsupported = Some(error.to_string()),
                }
            }
            Some(Err(error)) => unsupported = Some(error.to_string()),
            None => {}
        }
        if let Some(found) = check.head.as_ref().and_then(|h| gguf_architecture(&h.bytes)) {
            unsupported = ModelSpec::check_gguf_architecture(&found).err().map(|e| e.to_string());
            architecture = Some(found);
        }
        if let Some(reason) = &check.unusable {
            unsupported.get_or_insert_with(|| reason.clone());
        }
        let context = spec.as_ref().map_or(0, |s| s.context.min(CONTEXT));
        let cache = spec.as_ref().map_or(0, context_token_bytes) * context as u64;
        let need = |form: &str, bytes: u64, supported: bool| Need {
            form: form.to_owned(),
            download: bytes,
            memory: bytes + cache,
            context,
            fits: memory.map(|memory| bytes + cache <= memory),
            supported,
        };
        let mut needs = Vec::new();
        let weights = check.weight_bytes();
        if check.files.iter().any(|f| f.path.contains("safetensors")) {
            needs.push(need("safetensors", weights, unsupported.is_none()));
        }
        for choice in &check.quantizations {
            let form = if choice.label.is_empty() { &choice.files[0] } else { &choice.label };
            let supported = choice.label.is_empty() || is_supported_label(&choice.label);
            needs.push(need(form, choice.bytes.unwrap_or(0), supported));
        }
        needs.sort_by_key(|n| n.memory);
        Judgement { architecture, unsupported, needs }
    }
}

/// `general.architecture` from the first bytes of a GGUF file. It is among the first keys, so that
/// a whole header need not be there: key, type 8 (a string), length, text.
fn gguf_architecture(head: &[u8]) -> Option<String> {
    const KEY: &[u8] = b"general.architecture\x08\0\0\0";
    if !head.starts_with(b"GGUF") {
        return None;
    }
    let at = head.windows(KEY.len()).position(|w| w == KEY)? + KEY.len();
    let length = head.get(at..at + 8)?.try_into().map(u64::from_le_bytes).ok()?;
    let length = usize::try_from(length).ok().filter(|n| *n <= 64)?;
    let text = head.get(at + 8..at + 8 + length)?;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use scaffold_hub::Source;

    fn local(files: ModelFiles) -> LocalModel {
        LocalModel { name: "x".into(), files, source: Source::Disk, revision: None, ollama: None }
    }

    #[test]
    fn a_model_tells_what_it_is() {
        let llama = scaffold_testing::golden::tiny("llama");
        let about = About::of(&local(ModelFiles::Directory(llama.dir.clone()))).unwrap();
        assert_eq!(about.architecture, "llama");
        assert!(about.parameters > 1000 && about.context > 0 && about.context_token_bytes > 0);
        assert_eq!(about.capabilities[0], "completion");
        assert_eq!(about.weight_bytes() % about.parameters, 0);
    }

    #[test]
    fn a_look_is_enough_to_judge() {
        let mut check = Check {
            id: "o/n".into(),
            renamed: false,
            commit: String::new(),
            licence: None,
            task: None,
            gate: scaffold_hub::Gate::Open,
            private: false,
            refusal: None,
            files: Vec::new(),
            unusable: None,
            quantizations: scaffold_hub::gguf_choices([
                ("m-Q8_0.gguf", Some(900)),
                ("m-Q4_0.gguf", Some(500)),
                ("m-IQ1_S.gguf", Some(200)),
            ]),
            config: None,
            head: Some(scaffold_hub::Head { file: "m-Q8_0.gguf".into(), bytes: head("llama") }),
        };
        let judgement = Judgement::of(&check, Some(600));
        assert_eq!(
            (judgement.architecture.as_deref(), &judgement.unsupported),
            (Some("llama"), &None)
        );
        let shown: Vec<_> =
            judgement.needs.iter().map(|n| (n.form.as_str(), n.fits, n.supported)).collect();
        assert_eq!(
            shown,
            [("IQ1_S", Some(true), false), ("Q4_0", Some(true), true), ("Q8_0", Some(false), true)]
        );
        check.head.as_mut().unwrap().bytes = head("no-such-thing");
        let unsupported = Judgement::of(&check, None).unsupported.unwrap();
        assert!(unsupported.contains("no-such-thing"), "{unsupported}");
        check.config = Some(br#"{"model_type": "nothing-known"}"#.to_vec());
        check.head = None;
        let unsupported = Judgement::of(&check, None).unsupported.unwrap();
        assert!(unsupported.contains("nothing-known"), "{unsupported}");
    }

    fn head(architecture: &str) -> Vec<u8> {
        let mut bytes =
            b"GGUF\x03\0\0\0........pairs...\x14\0\0\0\0\0\0\0general.architecture\x08\0\0\0"
                .to_vec();
        bytes.extend((architecture.len() as u64).to_le_bytes());
        bytes.extend(architecture.as_bytes());
        bytes
    }

    #[test]
    fn cut_heads_tell_nothing() {
        let whole = head("llama");
        for length in 0..whole.len() {
            assert_eq!(gguf_architecture(&whole[..length]), None);
        }
    }
}
