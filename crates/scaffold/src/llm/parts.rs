//! Answers whose thoughts, texts and calls are told apart.

use std::fmt;
use std::task::{Context, Poll};
use std::time::Duration;

use scaffold_engine::Canceller;
use scaffold_error::err;
use scaffold_text::{AnswerParser, AnswerSyntax, Call, Message, Part};
use serde::Serialize;

use super::answer::Answer;
use super::constrained::Thinks;
use super::manager::LlmManager;
use super::options::GenerateOptions;
use super::stream::{AnswerStream, Piece};
use crate::RenderOptions;
use crate::error::Error;

/// An answer as it arrives, its thoughts, texts and calls told apart. Dropping it cancels the rest.
pub struct PartStream {
    answers: AnswerStream,
    parser: AnswerParser,
    said: Said,
    is_over: bool,
    /// So many tokens of thoughts, marks among them, there are where they were closed by force.
    forced_at: Option<usize>,
}

/// What was told until now.
#[derive(Clone, Debug, Default)]
struct Said {
    thoughts: String,
    thought_tokens: usize,
    text: String,
    calls: Vec<Call>,
    broken: Vec<String>,
}

/// What has arrived of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Arrived {
    /// What is certain by now. It may be more or less than the piece: marks are held back until it is
    /// known what they mark.
    pub parts: Vec<Part>,
    /// The tokens, with the text as the model wrote it.
    pub piece: Piece,
}

/// A whole answer, its thoughts, texts and calls told apart.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Reply {
    /// What the model thought before it answered.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub thoughts: String,
    /// Tokens of that, the marks around it among them.
    pub thought_tokens: usize,
    /// The thoughts had had their budget, and were closed by force.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub thoughts_cut: bool,
    /// What it says.
    pub text: String,
    /// The calls of tools that it makes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call>,
    /// Why something that begins like a call is none. It is part of the text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<String>,
    /// All that is known of the answer, with the text as the model wrote it.
    pub answer: Answer,
}

impl PartStream {
    /// Waits for more; `None` after the last of it.
    pub fn recv(&mut self) -> Option<Result<Arrived, Error>> {
        match self.answers.recv() {
            Some(piece) => Some(piece.map(|piece| self.arrived(piece))),
            None => self.last().map(Ok),
        }
    }

    /// Waits for more, but no longer than `timeout`; `None` when nothing came, or after the last of it
    /// ([`is_ended`](Self::is_ended) tells the two apart).
    pub fn recv_timeout(&mut self, timeout: Duration) -> Option<Result<Arrived, Error>> {
        match self.answers.recv_timeout(timeout) {
            Some(piece) => Some(piece.map(|piece| self.arrived(piece))),
            None if self.answers.is_ended() => self.last().map(Ok),
            None => None,
        }
    }

    /// What comes next, for a task that is woken when it is there: `None` after the last of it.
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Arrived, Error>>> {
        let piece = std::task::ready!(self.answers.poll_recv(context));
        Poll::Ready(match piece {
            Some(piece) => Some(piece.map(|piece| self.arrived(piece))),
            None => self.last().map(Ok),
        })
    }

    /// Whether nothing comes any more.
    pub fn is_ended(&self) -> bool {
        self.is_over && self.answers.is_ended()
    }

    /// Whether the model is at its thoughts.
    pub fn is_thinking(&self) -> bool {
        self.parser.is_thinking()
    }

    /// Tokens of the prompt that are read until now.
    pub fn prompt_read(&self) -> usize {
        self.answers.prompt_read()
    }

    /// A handle that cancels the answer from elsewhere.
    pub fn canceller(&self) -> Canceller {
        self.answers.canceller()
    }

    /// What has come until now, as the model wrote it.
    pub fn answer(&self) -> &Answer {
        self.answers.answer()
    }

    /// Waits for the whole answer, or for as much as comes before it is cancelled.
    ///
    /// # Errors
    /// Whatever ends the answer before it is complete.
    pub fn collect_reply(mut self) -> Result<Reply, Error> {
        while let Some(arrived) = self.recv() {
            arrived?;
        }
        Ok(self.into_reply())
    }

    /// What has come until now, without the rest.
    pub fn into_reply(self) -> Reply {
        let cut = self.thoughts_cut();
        Self::told(self.said, self.answers.into_answer(), cut)
    }

    /// What has come until now.
    pub fn reply(&self) -> Reply {
        Self::told(self.said.clone(), self.answers.answer().clone(), self.thoughts_cut())
    }

    fn told(said: Said, answer: Answer, thoughts_cut: bool) -> Reply {
        let Said { thoughts, thought_tokens, text, calls, broken } = said;
        Reply { thoughts, thought_tokens, thoughts_cut, text, calls, broken, answer }
    }

    /// Whether the thoughts have had their budget and were closed by force.
    pub fn thoughts_cut(&self) -> bool {
        self.forced_at.is_some_and(|tokens| self.said.thought_tokens >= tokens)
    }

    /// Tokens of thoughts until now, the marks around them among them.
    pub fn thought_tokens(&self) -> usize {
        self.said.thought_tokens
    }

    fn arrived(&mut self, piece: Piece) -> Arrived {
        let before = self.is_thinking();
        let parts = self.parser.push(&piece.text);
        if before || self.is_thinking() {
            self.said.thought_tokens += piece.ids.len();
        }
        self.said.add(&parts);
        Arrived { parts, piece }
    }

    /// What was held back until the end.
    fn last(&mut self) -> Option<Arrived> {
        if std::mem::replace(&mut self.is_over, true) {
            return None;
        }
        let parts = self.parser.finish();
        self.said.add(&parts);
        (!parts.is_empty()).then(|| Arrived { parts, piece: Piece::default() })
    }
}

impl Said {
    fn add(&mut self, parts: &[Part]) {
        for part in parts {
            match part {
                Part::Thought(more) => self.thoughts.push_str(more),
                Part::Text(more) => self.text.push_str(more),
                Part::Call(call) => self.calls.push(call.clone()),
                Part::Broken { text, why } => {
                    self.text.push_str(text);
                    self.broken.push(why.clone());
                }
            }
        }
    }
}

impl From<AnswerStream> for PartStream {
    /// An answer in which nothing is told apart: all of it is text.
    fn from(answers: AnswerStream) -> Self {
        let parser = AnswerParser::new(AnswerSyntax::default(), Vec::new());
        Self { answers, parser, said: Said::default(), is_over: false, forced_at: None }
    }
}

impl fmt::Debug for PartStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartStream").field("answers", &self.answers).finish_non_exhaustive()
    }
}

/// Answers with thoughts and calls of tools.
impl LlmManager {
    /// The assistant's next message: its thoughts, its text, and the calls that it makes of the tools
    /// in `options.render.tools`, each in the syntax that the model's own template shows.
    ///
    /// ```no_run
    /// use scaffold::{GenerateOptions, LlmManager, Message, RenderOptions, text::Json};
    ///
    /// let model = LlmManager::from_pretrained("Qwen/Qwen2.5-0.5B-Instruct")?;
    /// let weather = Json::parse(
    ///     r#"{"type": "function", "function": {"name": "weather", "description": "The weather of a city.",
    ///         "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}"#,
    /// )
    /// .expect("it is JSON");
    /// let options = GenerateOptions::new().render(RenderOptions { tools: vec![weather], ..RenderOptions::default() });
    /// let reply = model.reply_with(&[Message::user("How is the weather in Bonn?")], &options)?;
    /// for call in &reply.calls {
    ///     println!("{} {}", call.name, call.arguments);
    /// }
    /// # Ok::<(), scaffold::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`chat_with`](Self::chat_with).
    pub fn reply_with(
        &self,
        messages: &[Message],
        options: &GenerateOptions,
    ) -> Result<Reply, Error> {
        self.parts_with(messages, options)?.collect_reply()
    }

    /// The assistant's next message as it comes, told apart.
    ///
    /// # Errors
    /// As [`chat_with`](Self::chat_with).
    pub fn parts_with(
        &self,
        messages: &[Message],
        options: &GenerateOptions,
    ) -> Result<PartStream, Error> {
        let ids = self.chat_ids(messages, &options.render)?;
        let mut streams = self.parts_ids(ids, 1, options)?;
        streams.pop().ok_or_else(|| err!(Internal, "one answer was asked for, and none was begun"))
    }

    /// So many answers to the chat of these tokens, which is read once, each as it comes, told apart.
    ///
    /// # Errors
    /// As [`streams_ids`](Self::streams_ids).
    pub fn parts_ids(
        &self,
        ids: Vec<u32>,
        count: usize,
        options: &GenerateOptions,
    ) -> Result<Vec<PartStream>, Error> {
        let loaded = self.loaded()?;
        let spoken = self.text(&loaded).spoken_in(&options.render);
        let opened = self.text(&loaded).opens_thoughts(&ids)?;
        let mut request = self.request_with(ids, options, Thinks::IfItLikes)?;
        request.controls = spoken.controls.clone();
        let seeded = request.sampling.seed.is_some();
        let requests = (0..count as u32).map(|number| {
            let mut request = request.clone();
            request.sampling.sequence = if seeded { number } else { 0 };
            request
        });
        let forced_at = options.thinking_budget.zip(spoken.thoughts.as_ref());
        let forced_at =
            forced_at.map(|(budget, marks)| budget + marks.closing() + usize::from(!opened));
        let told_apart = |answers| {
            let tools = options.render.tools.clone();
            let parser = AnswerParser::new(spoken.syntax.clone(), tools);
            let parser = if opened { parser.in_thoughts() } else { parser };
            PartStream { parser, forced_at, ..PartStream::from(answers) }
        };
        Ok(self.submit_together(requests.collect())?.into_iter().map(told_apart).collect())
    }

    /// How the model writes thoughts and calls.
    ///
    /// # Errors
    /// The model was unloaded, or is being loaded.
    pub fn answer_syntax(&self) -> Result<AnswerSyntax, Error> {
        let loaded = self.loaded()?;
        Ok(self.text(&loaded).spoken().syntax.clone())
    }

    /// Whether calls of tools that say `"strict": true` are held to the tools' schemas also where the
    /// model need not call ([`ToolChoice::Auto`](crate::ToolChoice)). It needs a mark that tells calls from
    /// other text: models whose calls are whole answers, or stand in channels, have none.
    ///
    /// # Errors
    /// The model was unloaded, or is being loaded.
    pub fn holds_strict_tools(&self, options: &RenderOptions) -> Result<bool, Error> {
        let loaded = self.loaded()?;
        Ok(self.text(&loaded).can_be_strict(options))
    }
}
