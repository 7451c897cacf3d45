//! Templates of models of one's own: Jinja, as models have them.

use scaffold_error::{Error, Notice, Topic, err};
use scaffold_text::{ChatTemplate, SpecialTokens};

/// What stands in a template that says nothing over the model's own: nothing, or what Ollama writes
/// for a model whose template it does not know.
fn is_none(source: &str) -> bool {
    let source = source.trim();
    let inner = source.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    let inner = inner.map(|inner| inner.trim_matches(['-', ' ', '\t', '\n']));
    source.is_empty() || inner == Some(".Prompt")
}

/// Words that an action of Go's templates begins with, and none of Jinja's expressions does.
const GO: [&str; 9] =
    ["if", "else", "end", "range", "with", "define", "block", "template", "break"];

/// Whether a template is in the language of Go, which Ollama's are in.
fn is_go(source: &str) -> bool {
    let actions = source.split("{{").skip(1);
    let mut actions = actions.map(|action| action.trim_start_matches(['-', ' ', '\t', '\n']));
    !source.contains("{%")
        && actions.any(|action| {
            let word = action.split(|c: char| !c.is_ascii_alphanumeric()).next();
            let field = action.strip_prefix('.').and_then(|rest| rest.chars().next());
            action.starts_with(['$', '/'])
                || field.is_some_and(char::is_alphabetic)
                || word.is_some_and(|word| GO.contains(&word))
        })
}

/// The template that is meant, `None` where it is to be the model's own.
pub(super) fn checked(source: &str, notices: &mut Vec<Notice>) -> Result<Option<String>, Error> {
    if is_none(source) {
        if !source.trim().is_empty() {
            let text = "the template {{ .Prompt }} is what Ollama writes where it knows none: chats are written in the model's own format";
            notices.push(Notice::new(Topic::ChatFormat, text));
        }
        return Ok(None);
    }
    if is_go(source) {
        return Err(err!(
            Unsupported,
            "the template is in the language of Go, as Ollama's are, which is not read here: templates are Jinja, as models of the Hub have them"
        )
        .of_key("template")
        .remedy("leave it out: the model's own template is taken then")
        .remedy("write it in Jinja: `scaffold show MODEL --template` prints that of a model"));
    }
    // What its control tokens are called changes nothing about whether it can be read.
    ChatTemplate::from_source(source, &SpecialTokens::default())
        .map_err(|error| error.of_key("template"))?;
    Ok(Some(source.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_of_go_are_told_from_jinja() {
        for go in [
            "{{ if .System }}<|system|>{{ .System }}{{ end }}{{ .Prompt }}",
            "{{- range .Messages }}{{ .Content }}{{ end }}",
            "<s>{{ .Prompt }}",
            "{{- $last := 1 }}{{ .Response }}",
            "{{/* a comment */}}x",
        ] {
            let error = checked(go, &mut Vec::new()).unwrap_err();
            assert!(error.to_string().contains("language of Go"), "{go}: {error}");
        }
        let jinja = "{% for m in messages %}{{ m.content }}{% endfor %}";
        for source in [jinja, "{{ messages[0].content }}", "{{- bos_token }}x", "plain"] {
            assert_eq!(checked(source, &mut Vec::new()).unwrap().as_deref(), Some(source));
        }
        let error = checked("{% for m in messages %}", &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("syntax error"), "{error}");
    }

    #[test]
    fn one_that_says_nothing_is_none() {
        for (source, told) in [("", 0), (" \n", 0), ("{{ .Prompt }}", 1), ("{{- .Prompt -}}\n", 1)]
        {
            let mut notices = Vec::new();
            assert_eq!(checked(source, &mut notices).unwrap(), None, "{source}");
            assert_eq!(notices.len(), told, "{source}");
        }
    }
}
