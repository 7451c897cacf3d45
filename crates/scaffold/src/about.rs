//! What a model is, without computing with it: from its files on this disk, or from the little that
//! a look at the Hub brings.

mod copy;
mod folder;
mod judgement;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use scaffold_model::{Kind, KvType, ModelSpec};
use scaffold_text::template_sources;
use serde::Serialize;

use crate::error::Error;
pub use crate::memory::Need;
use crate::model::{Model, vocabulary};
pub use copy::CopyCheck;
pub use folder::FolderCheck;
pub use judgement::Judgement;
pub(crate) use judgement::{judge, stored_width};

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
    /// Looks into an opened model.
    ///
    /// # Errors
    /// A weight is not what the files claim.
    pub fn of(model: &Model) -> Result<About, Error> {
        let mut stored: BTreeMap<&'static str, u64> = BTreeMap::new();
        let mut parameters = 0;
        for name in model.tensors().names() {
            let info = model.tensors().info(name);
            if info.is_none_or(|info| model.spec().leaves_unused(&info)) {
                continue;
            }
            if let Some(tensor) = model.tensors().tensor(name)? {
                *stored.entry(tensor.ty.name()).or_default() += tensor.bytes.len() as u64;
                parameters += tensor.len() as u64;
            }
        }
        let mut stored: Vec<(String, u64)> =
            stored.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
        stored.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        let (mut templates, mut licence) = templates_and_licence(model)?;
        if let Some(made) = &model.local().made {
            if let Some(source) = &made.template {
                templates = vec![("default".to_owned(), source.clone())];
            }
            let line =
                made.licences.first().and_then(|text| text.lines().find(|l| !l.trim().is_empty()));
            licence = line.map(|line| line.trim().to_owned()).or(licence);
        }
        let spec = model.spec();
        Ok(About {
            architecture: spec.family.to_owned(),
            parameters,
            context: spec.context,
            embedding_length: spec.hidden,
            layers: spec.layers.len(),
            stored,
            context_token_bytes: context_token_bytes(spec),
            capabilities: capabilities(spec, &templates),
            template: default_template(templates),
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

/// What a model can be used for. A chat with tools may have a template of its own.
fn capabilities(spec: &ModelSpec, templates: &[(String, String)]) -> Vec<&'static str> {
    let mut capabilities = match &spec.kind {
        Kind::Decoder(_) => vec!["completion"],
        Kind::Encoder(encoder) if encoder.classifier.is_some() => vec!["rerank"],
        Kind::Encoder(_) => vec!["embedding"],
    };
    for (word, capability) in [("tools", "tools"), ("<think>", "thinking")] {
        if templates.iter().any(|(_, source)| source.contains(word)) {
            capabilities.push(capability);
        }
    }
    capabilities
}

/// Chat templates as (name, source).
type Templates = Vec<(String, String)>;

/// The chat templates and the licence.
fn templates_and_licence(model: &Model) -> Result<(Templates, Option<String>), Error> {
    let local = model.local();
    let of_package =
        scaffold_hub::packages().iter().find(|p| p.repo == local.name).map(|p| p.licence.clone());
    let Some(gguf) = model.gguf() else {
        let directory = local.files.path();
        return Ok((template_sources(directory)?, licence_of(directory).or(of_package)));
    };
    let of_ollama = local
        .ollama
        .as_ref()
        .and_then(|o| o.licences.first()?.lines().find(|l| !l.trim().is_empty()));
    let licence = gguf
        .metadata()
        .get_str("general.license")?
        .map(str::to_owned)
        .or_else(|| of_ollama.map(|l| l.trim().to_owned()))
        .or(of_package);
    Ok((vocabulary::templates(gguf.metadata())?, licence))
}

/// The template that a chat is formatted with.
fn default_template(mut templates: Vec<(String, String)>) -> Option<String> {
    let at = templates.iter().position(|(name, _)| name == "default").unwrap_or(0);
    (!templates.is_empty()).then(|| templates.swap_remove(at).1)
}

/// The `license:` line of the model card's head.
fn licence_of(dir: &Path) -> Option<String> {
    let card = fs::read_to_string(dir.join("README.md")).ok()?;
    let head = card.strip_prefix("---")?.split("\n---").next()?;
    let value = head.lines().find_map(|l| l.strip_prefix("license:"))?;
    Some(value.trim().trim_matches(['"', '\'']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::LoadOptions;
    use scaffold_hub::LocalModel;

    fn about(directory: &Path) -> About {
        let files = LocalModel::on_disk(directory);
        About::of(&Model::open(&files, &LoadOptions::default()).unwrap()).unwrap()
    }

    /// Wherever a template may stand, it is shown, and what it can do is told.
    #[test]
    fn every_place_of_a_template_is_looked_at() {
        const TOOLS: &str = "{% if tools %}{{ tools }}{% endif %}{{ messages[0].content }}<think>";
        let object = |text: &str| format!("{{\"chat_template\": {text}}}");
        let quoted = serde_json::to_string(TOOLS).unwrap();
        let named = format!("[{{\"name\": \"default\", \"template\": {quoted}}}]");
        let plain_and_tools = format!("{{\"default\": \"plain\", \"tool_use\": {quoted}}}");
        for (file, text, shown) in [
            ("chat_template.jinja", TOOLS.to_owned(), TOOLS),
            ("additional_chat_templates/tool_use.jinja", TOOLS.to_owned(), TOOLS),
            ("chat_template.json", object(&quoted), TOOLS),
            ("tokenizer_config.json", object(&quoted), TOOLS),
            ("tokenizer_config.json", object(&named), TOOLS),
            ("tokenizer_config.json", object(&plain_and_tools), "plain"),
        ] {
            let directory = tempfile::tempdir().unwrap();
            for own in ["config.json", "model.safetensors"] {
                let from = scaffold_testing::golden::tiny("llama").dir.join(own);
                fs::copy(from, directory.path().join(own)).unwrap();
            }
            let path = directory.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
            let about = about(directory.path());
            assert_eq!(about.template.as_deref(), Some(shown), "{file}");
            assert_eq!(about.capabilities, ["completion", "tools", "thinking"], "{file}");
        }
    }

    #[test]
    fn a_model_tells_what_it_is() {
        let about = about(&scaffold_testing::golden::tiny("llama").dir);
        assert_eq!(about.architecture, "llama");
        assert!(about.parameters > 1000 && about.context > 0 && about.context_token_bytes > 0);
        assert_eq!(about.capabilities[0], "completion");
        assert_eq!(about.weight_bytes() % about.parameters, 0);
    }
}
