//! The model's chat format: writing prompts in it, and recognising prompts that are already written
//! in it.

use scaffold_text::{
    AnswerSyntax, ChatTemplate, EncodeOptions, Message, Prompt, RenderOptions, Tokenizer,
};

/// Stands for what the user says when the format is looked at.
const PROBE: &str = "PROBE-b7e1c2";

/// A chat template with what it was found to write around a message.
#[derive(Debug)]
pub(crate) struct ChatFormat {
    template: ChatTemplate,
    markers: Option<Markers>,
}

/// What the template writes right before a user's words and right before the assistant's, in the
/// last lines there: `<|im_start|>user` and `<|im_start|>assistant`, or `[INST]` and `[/INST]`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Markers {
    user: String,
    assistant: String,
}

impl ChatFormat {
    pub(crate) fn new(template: ChatTemplate, tokenizer: &Tokenizer) -> Self {
        let markers = Markers::of(&template, tokenizer);
        Self { template, markers }
    }

    /// The text of a prompt for the assistant's next answer.
    pub(crate) fn render(
        &self,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<String, scaffold_text::Error> {
        self.template.render(messages, options)
    }

    /// The same prompt, ready to be encoded: control tokens in it count, those that stand in a
    /// message do not.
    pub(crate) fn prompt(
        &self,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<Prompt, scaffold_text::Error> {
        self.template.prompt(messages, options)
    }

    /// How answers are written.
    pub(crate) fn syntax(&self) -> AnswerSyntax {
        AnswerSyntax::of(&self.template)
    }

    /// Whether `prompt` is written in this format already: it has the words that open a user's
    /// turn, and after them those that open the assistant's.
    pub(crate) fn is_written(&self, prompt: &str) -> bool {
        self.markers.as_ref().is_some_and(|markers| markers.are_in(prompt))
    }
}

impl Markers {
    /// Renders a chat of one message and looks at what stands before and after it.
    fn of(template: &ChatTemplate, tokenizer: &Tokenizer) -> Option<Self> {
        let rendered = template.render(&[Message::user(PROBE)], &RenderOptions::default()).ok()?;
        let (before, after) = rendered.split_once(PROBE)?;
        let special = tokenizer.special_tokens();
        let ends: Vec<&str> =
            [&special.bos, &special.eos].into_iter().flatten().map(String::as_str).collect();
        let user = last_words(before, &ends)?;
        let assistant = last_words(after, &ends)?;
        (user != assistant).then_some(Self { user, assistant })
    }

    fn are_in(&self, prompt: &str) -> bool {
        prompt
            .find(&self.user)
            .is_some_and(|at| prompt[at + self.user.len()..].contains(&self.assistant))
    }
}

/// The last line with words in it, from after the last token that begins or ends a sequence.
fn last_words(text: &str, ends: &[&str]) -> Option<String> {
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    let from = ends.iter().filter_map(|end| Some(line.rfind(end)? + end.len())).max().unwrap_or(0);
    let words = line[from..].trim();
    (!words.is_empty()).then(|| words.to_owned())
}

/// The ids of a prompt that is written out by hand: control tokens in it count, and a
/// beginning-of-sequence token is put in front only where the tokenizer does so and the prompt does
/// not start with it.
pub(crate) fn encode_written(
    tokenizer: &Tokenizer,
    prompt: &str,
) -> Result<Vec<u32>, scaffold_text::Error> {
    let bos = tokenizer.special_tokens().bos.as_deref();
    let starts = bos.is_some_and(|bos| prompt.trim_start().starts_with(bos));
    let options =
        EncodeOptions { add_special: !starts && tokenizer.adds_bos(), parse_special: true };
    Ok(tokenizer.encode(prompt, &options)?.ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn markers(before: &str, after: &str, ends: &[&str]) -> Markers {
        Markers {
            user: last_words(before, ends).unwrap(),
            assistant: last_words(after, ends).unwrap(),
        }
    }

    #[test]
    fn prompts_in_the_models_format_are_recognised() {
        let chatml = markers(
            "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\n",
            "<|im_end|>\n<|im_start|>assistant\n",
            &["<|im_start|>", "<|im_end|>"][1..],
        );
        assert_eq!(chatml.user, "<|im_start|>user");
        assert!(chatml.are_in("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"));
        assert!(!chatml.are_in("What does <|im_start|>user mean?"));
        assert!(!chatml.are_in("[INST] Hi [/INST]"));

        let mistral = markers("<s>[INST] ", " [/INST]", &["<s>", "</s>"]);
        assert_eq!((mistral.user.as_str(), mistral.assistant.as_str()), ("[INST]", "[/INST]"));
        assert!(
            mistral.are_in("<s>[INST] Hi [/INST]")
                && mistral.are_in("[INST] Hi [/INST] Hello.</s>[INST] Bye [/INST]")
        );
        assert!(!mistral.are_in("Explain [/INST] and [INST]"));

        let zephyr = markers("<|user|>\n", "</s>\n<|assistant|>\n", &["<s>", "</s>"]);
        assert!(zephyr.are_in("<|user|>\nWhat is sustainability?</s>\n<|assistant|>\n"));

        let llama3 = markers(
            "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n",
            "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
            &["<|begin_of_text|>", "<|eot_id|>"],
        );
        assert_eq!(llama3.user, "<|start_header_id|>user<|end_header_id|>");
    }
}
