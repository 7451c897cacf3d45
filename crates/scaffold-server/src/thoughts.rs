//! What a model thinks before it answers: text between `<think>` and `</think>` at the beginning of
//! its answer, where its template knows these words.

use scaffold::RenderOptions;

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Where an answer begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// With words: the model does not think, or goes on with a message.
    #[default]
    Words,
    /// Perhaps with a thought.
    Perhaps,
    /// In a thought, which the prompt has opened.
    Thought,
}

impl Beginning {
    /// Of an answer to a prompt that ends with this.
    pub(crate) fn after(prompt_end: &str, render: &RenderOptions) -> Self {
        if render.continue_final_message {
            Beginning::Words
        } else if prompt_end.trim_end().ends_with(OPEN) {
            Beginning::Thought
        } else {
            Beginning::Perhaps
        }
    }
}

/// A piece of an answer, told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) thought: String,
    pub(crate) text: String,
}

/// Tells thoughts and words apart while they come.
#[derive(Clone, Debug)]
pub(crate) struct Thoughts {
    state: State,
    /// What may become one of the two marks, or is space around them.
    held: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Perhaps,
    /// Nothing was thought yet, but space.
    Opened,
    Thinking,
    /// Nothing was said yet, but space.
    Closed,
    Speaking,
}

impl Thoughts {
    pub(crate) fn new(beginning: Beginning) -> Self {
        let state = match beginning {
            Beginning::Words => State::Speaking,
            Beginning::Perhaps => State::Perhaps,
            Beginning::Thought => State::Opened,
        };
        Self { state, held: String::new() }
    }

    /// The next piece of text.
    pub(crate) fn feed(&mut self, text: &str) -> Parts {
        if self.state == State::Speaking {
            return Parts { text: text.to_owned(), ..Parts::default() };
        }
        self.held.push_str(text);
        let mut parts = Parts::default();
        while self.advance(&mut parts) {}
        parts
    }

    /// What was held back, when nothing comes any more.
    pub(crate) fn finish(&mut self) -> Parts {
        let held = std::mem::take(&mut self.held);
        match self.state {
            State::Opened | State::Thinking => {
                Parts { thought: held.trim_end().to_owned(), ..Parts::default() }
            }
            State::Closed => Parts::default(),
            State::Perhaps | State::Speaking => Parts { text: held, ..Parts::default() },
        }
    }

    /// A whole answer.
    pub(crate) fn split(beginning: Beginning, text: &str) -> Parts {
        let mut thoughts = Self::new(beginning);
        let (mut parts, rest) = (thoughts.feed(text), thoughts.finish());
        parts.thought += &rest.thought;
        parts.text += &rest.text;
        parts
    }

    /// Takes what is clear out of what is held; whether more may be.
    fn advance(&mut self, parts: &mut Parts) -> bool {
        match self.state {
            State::Perhaps => {
                let words = self.held.trim_start();
                if let Some(rest) = words.strip_prefix(OPEN) {
                    self.held = rest.to_owned();
                    self.state = State::Opened;
                    return true;
                }
                if !OPEN.starts_with(words) {
                    parts.text.push_str(&std::mem::take(&mut self.held));
                    self.state = State::Speaking;
                }
                false
            }
            State::Opened => {
                self.held = self.held.trim_start().to_owned();
                if !self.held.is_empty() {
                    self.state = State::Thinking;
                }
                !self.held.is_empty()
            }
            State::Thinking => {
                if let Some(at) = self.held.find(CLOSE) {
                    parts.thought.push_str(self.held[..at].trim_end());
                    self.held = self.held.split_off(at + CLOSE.len());
                    self.state = State::Closed;
                    return true;
                }
                let clear = clear(&self.held);
                let rest = self.held.split_off(clear);
                parts.thought.push_str(&std::mem::replace(&mut self.held, rest));
                false
            }
            State::Closed => {
                let words = self.held.trim_start();
                if !words.is_empty() {
                    parts.text.push_str(words);
                    self.held.clear();
                    self.state = State::Speaking;
                }
                false
            }
            State::Speaking => {
                parts.text.push_str(&std::mem::take(&mut self.held));
                false
            }
        }
    }
}

/// How much of a thought cannot be space before its end, or the beginning of the mark.
fn clear(text: &str) -> usize {
    let partial = (1..CLOSE.len()).rev().find(|&count| text.ends_with(&CLOSE[..count]));
    text[..text.len() - partial.unwrap_or(0)].trim_end().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However an answer is cut into pieces, its parts are these.
    fn check(beginning: Beginning, whole: &str, thought: &str, text: &str) {
        let wanted = Parts { thought: thought.to_owned(), text: text.to_owned() };
        assert_eq!(Thoughts::split(beginning, whole), wanted);
        for size in 1..=whole.len() {
            let mut thoughts = Thoughts::new(beginning);
            let mut found = Parts::default();
            let letters: Vec<char> = whole.chars().collect();
            for piece in letters.chunks(size) {
                let parts = thoughts.feed(&piece.iter().collect::<String>());
                found.thought += &parts.thought;
                found.text += &parts.text;
            }
            let rest = thoughts.finish();
            found.thought += &rest.thought;
            found.text += &rest.text;
            assert_eq!(found, wanted, "{whole:?} in pieces of {size}");
        }
    }

    #[test]
    fn thoughts_and_words_are_told_apart_however_they_come() {
        check(
            Beginning::Perhaps,
            "<think>\nHm.\n\nSo < 5.\n</think>\n\nYes.\n",
            "Hm.\n\nSo < 5.",
            "Yes.\n",
        );
        check(Beginning::Perhaps, "\n<think>\n\n</think>\n\nYes.", "", "Yes.");
        check(Beginning::Perhaps, "<thin ice", "", "<thin ice");
        check(Beginning::Perhaps, " Yes <think>no</think>", "", " Yes <think>no</think>");
        check(Beginning::Perhaps, "<think>cut off </thi", "cut off </thi", "");
        check(Beginning::Thought, "Hm é.\n</think>Yes </think> no", "Hm é.", "Yes </think> no");
        check(Beginning::Thought, "never ends \n", "never ends", "");
        check(Beginning::Words, "<think>a</think>b", "", "<think>a</think>b");
        check(Beginning::Perhaps, "<thi", "", "<thi");
        check(Beginning::Perhaps, "", "", "");
    }

    #[test]
    fn a_prompt_may_open_a_thought() {
        let render = RenderOptions::default();
        assert_eq!(Beginning::after("assistant\n<think>\n", &render), Beginning::Thought);
        assert_eq!(Beginning::after("<think>\n\n</think>\n\n", &render), Beginning::Perhaps);
        let going_on = RenderOptions { continue_final_message: true, ..render };
        assert_eq!(Beginning::after("<think>\n", &going_on), Beginning::Words);
    }
}
