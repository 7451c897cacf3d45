//! What a model of one's own is to be made from, and what is to be said over it.

use std::collections::BTreeMap;
use std::path::Path;

use scaffold_error::{Error, Notice, Topic, err};
use scaffold_hub::{MadeMessage, ModelName};
use serde_json::{Map, Value};

use super::modelfile::{Instruction, Modelfile};
use super::parameters;

/// What a model of one's own is to be made from, and what is to be said over it. What is not said
/// is as the model that it is made from has it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Recipe {
    /// The model that it is made from: whatever a model may be called by. In place of `files`.
    pub from: Option<String>,
    /// The files that it is made of: names, and digests (`sha256:…`) of blobs that were brought.
    pub files: BTreeMap<String, String>,
    /// The chat template, in Jinja. An empty one is the model's own.
    pub template: Option<String>,
    /// The system prompt where a chat has none. An empty one is none.
    pub system: Option<String>,
    /// Parameters by Ollama's or `transformers`' names, over those that it has already.
    pub parameters: Map<String, Value>,
    /// What every chat begins with.
    pub messages: Vec<MadeMessage>,
    /// The texts of licences, besides those that it has already.
    pub licences: Vec<String>,
    /// The type that its weights are to have. Floats are quantized, into a file of the model's own; what
    /// is quantized already has to have that type.
    pub quantize: Option<String>,
    /// What was found and means nothing here.
    pub notices: Vec<Notice>,
}

impl Recipe {
    /// Made from this model, with nothing said over it yet.
    pub fn of(from: impl Into<String>) -> Self {
        Self { from: Some(from.into()), ..Self::default() }
    }

    /// What a Modelfile says; paths in it count from `directory`, that of the file.
    ///
    /// # Errors
    /// It is no Modelfile, says twice what can be said once, or asks for something that is not done.
    pub fn of_modelfile(text: &str, directory: Option<&Path>) -> Result<Self, Error> {
        let mut recipe = Self::default();
        for instruction in Modelfile::parse(text)?.instructions {
            recipe.take(instruction, directory)?;
        }
        if recipe.from.is_none() {
            return Err(err!(
                Usage,
                "the Modelfile has no FROM line, which says what the model is made from"
            )
            .remedy("add one, such as `FROM starter`, `FROM org/name` or `FROM ./model.gguf`"));
        }
        Ok(recipe)
    }

    fn take(&mut self, instruction: Instruction, directory: Option<&Path>) -> Result<(), Error> {
        match instruction {
            Instruction::From(name) if self.from.is_some() => {
                return Err(err!(
                    Usage,
                    "the Modelfile has a second FROM line ({name:?}): a model is made from one model, or from one file"
                ));
            }
            Instruction::From(name) => self.from = Some(placed(&name, directory)),
            Instruction::Parameter { name, value } => {
                parameters::add(&mut self.parameters, &name, &value)?;
            }
            Instruction::Template(text) => self.template = Some(text),
            Instruction::System(text) => self.system = Some(text),
            Instruction::Adapter(_) => return Err(no_adapters()),
            Instruction::License(text) => self.licences.push(text),
            Instruction::Message { role, content } => {
                self.messages.push(MadeMessage { role, content });
            }
            Instruction::Requires(version) => self.means_nothing(
                &format!("REQUIRES {version}"),
                "it is about Ollama's versions; a model that cannot be computed here is refused by what it is",
            ),
            Instruction::Renderer(name) => self.means_nothing(
                &format!("RENDERER {name}"),
                "it names code of Ollama's: chats are written by the model's template",
            ),
            Instruction::Parser(name) => self.means_nothing(
                &format!("PARSER {name}"),
                "it names code of Ollama's: how a model writes thoughts and calls is taken from its template",
            ),
        }
        Ok(())
    }

    fn means_nothing(&mut self, what: &str, why: &str) {
        let text = format!("{what} changes nothing here and is not kept: {why}");
        self.notices.push(Notice::new(Topic::Files, text));
    }
}

/// Adapters are not done.
pub(super) fn no_adapters() -> Error {
    err!(
        Unsupported,
        "adapters (LoRA) are not applied here yet: a model with one would answer as if it had none"
    )
    .of_key("adapters")
    .remedy("merge the adapter into the model (in Python: `model.merge_and_unload()` of PEFT), and make yours from that")
}

/// A path counts from the file that names it; whatever is no path is a name.
fn placed(name: &str, directory: Option<&Path>) -> String {
    let Some(directory) = directory else {
        return name.to_owned();
    };
    let below = directory.join(name);
    let is_own = name.starts_with('~') || !ModelName::is_path(name) && !below.exists();
    if is_own { name.to_owned() } else { below.display().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modelfile_says_what_is_made() {
        let text = "FROM starter\nPARAMETER stop a\nPARAMETER stop b\nPARAMETER temperature 0\n\
                    SYSTEM \"\"\"x\ny\"\"\"\nMESSAGE user q\nMESSAGE assistant a\nLICENSE MIT\nREQUIRES 0.9.0";
        let recipe = Recipe::of_modelfile(text, None).unwrap();
        assert_eq!(recipe.from.as_deref(), Some("starter"));
        let stops = serde_json::json!(["a", "b"]);
        assert_eq!(recipe.parameters["stop"], stops);
        assert_eq!(recipe.system.as_deref(), Some("x\ny"));
        assert_eq!((recipe.messages.len(), recipe.licences.len()), (2, 1));
        assert!(recipe.notices[0].text.contains("REQUIRES 0.9.0"), "{:?}", recipe.notices);
    }

    #[test]
    fn what_is_not_done_is_refused() {
        for (text, words) in [
            ("SYSTEM x", "no FROM line"),
            ("FROM a\nFROM b", "second FROM"),
            ("FROM a\nADAPTER ./x", "adapters"),
            ("FROM a\nPARAMETER heat 1", "unknown parameter"),
        ] {
            let error = Recipe::of_modelfile(text, None).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn paths_count_from_the_file() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a.gguf"), "").unwrap();
        let from = |name: &str| {
            let text = format!("FROM {name}");
            Recipe::of_modelfile(&text, Some(directory.path())).unwrap().from.unwrap()
        };
        let own = |name: &str| directory.path().join(name).display().to_string();
        assert_eq!(from("./b.gguf"), own("./b.gguf"));
        assert_eq!(from("a.gguf"), own("a.gguf"));
        for name in ["starter", "org/name", "~/x", "/absolute/x"] {
            assert_eq!(from(name), name);
        }
    }
}
