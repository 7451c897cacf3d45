//! What a cross-encoder's configuration says about its scores.

use std::path::Path;

use scaffold_error::{Notice, Topic};
use serde::Deserialize;

use crate::embed::Activation;
use crate::embed::repository::read_json;
use crate::error::Error;

#[derive(Default, Deserialize)]
struct SentenceFile {
    activation_fn: Option<String>,
}

#[derive(Default, Deserialize)]
struct ModelFile {
    sentence_transformers: Option<SentenceFile>,
    sbert_ce_default_activation_function: Option<String>,
}

/// The activation on the head's numbers: what the newest of the places that it has been written to
/// says, else the sigmoid for one label and nothing for several.
pub(super) fn activation(
    root: &Path,
    transformer: &Path,
    labels: usize,
    notices: &mut Vec<Notice>,
) -> Result<Activation, Error> {
    let default = if labels == 1 { Activation::Sigmoid } else { Activation::Identity };
    let path = root.join("config_sentence_transformers.json");
    let newest = read_json::<SentenceFile>(&path)?.unwrap_or_default();
    let config = transformer.join("config.json");
    let model = read_json::<ModelFile>(&config)?.unwrap_or_default();
    let newer = model.sentence_transformers.unwrap_or_default().activation_fn;
    let old = model.sbert_ce_default_activation_function;
    let named = [(newest.activation_fn, path), (newer, config.clone()), (old, config)]
        .into_iter()
        .find_map(|(class, path)| Some((class?, path)));
    let Some((class, path)) = named else {
        return Ok(default);
    };
    if !class.starts_with("torch.") {
        let text = format!(
            "{}: the activation {class} would be code from the repository, which is not run; {default:?} is used, as sentence-transformers would",
            path.display()
        );
        notices.push(Notice::new(Topic::Files, text));
        return Ok(default);
    }
    Activation::by_class(&class).map_err(|error| error.in_file(path))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn of(files: &[(&str, &str)], labels: usize) -> (Result<Activation, Error>, Vec<Notice>) {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        let mut notices = Vec::new();
        (activation(directory.path(), directory.path(), labels, &mut notices), notices)
    }

    #[test]
    fn every_place_that_it_has_been_written_to_is_read() {
        const IDENTITY: &str = "torch.nn.modules.linear.Identity";
        let sections = format!(r#"{{"sentence_transformers": {{"activation_fn": "{IDENTITY}"}}}}"#);
        let old = format!(r#"{{"sbert_ce_default_activation_function": "{IDENTITY}"}}"#);
        let newest = r#"{"activation_fn": "torch.nn.modules.activation.Sigmoid"}"#;
        for (files, labels, expected) in [
            (vec![], 1, Activation::Sigmoid),
            (vec![], 3, Activation::Identity),
            (vec![("config.json", sections.as_str())], 1, Activation::Identity),
            (vec![("config.json", old.as_str())], 1, Activation::Identity),
            (
                vec![("config.json", old.as_str()), ("config_sentence_transformers.json", newest)],
                1,
                Activation::Sigmoid,
            ),
        ] {
            let (read, notices) = of(&files, labels);
            assert_eq!(read.unwrap(), expected, "{files:?}");
            assert!(notices.is_empty());
        }
    }

    #[test]
    fn code_from_the_repository_is_not_run_and_that_is_said() {
        let (read, notices) =
            of(&[("config.json", r#"{"sbert_ce_default_activation_function": "mine.Scale"}"#)], 1);
        assert_eq!(read.unwrap(), Activation::Sigmoid);
        assert!(notices[0].text.contains("mine.Scale"));
        let (read, _) = of(
            &[("config.json", r#"{"sbert_ce_default_activation_function": "torch.nn.Softplus"}"#)],
            1,
        );
        assert!(read.unwrap_err().to_string().contains("Softplus"));
    }
}
