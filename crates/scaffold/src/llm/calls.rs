//! What a model is asked, and in which ways it answers.

use std::sync::Arc;

use scaffold_engine::{EventStream, Priority, Request, Sampling, Scores, Stop};
use scaffold_error::{Notice, Topic, err};

use super::answer::Answer;
use super::constrained::Thinks;
use super::loaded::Loaded;
use super::manager::LlmManager;
use super::options::GenerateOptions;
use super::stream::AnswerStream;
use crate::Message;
use crate::RenderOptions;
use crate::error::Error;

/// Answers. A method whose name ends in `_with` takes options; the other of its name makes answers
/// as the settings say.
impl LlmManager {
    /// The answer to a prompt.
    ///
    /// # Errors
    /// A prompt that does not fit the context, or a failure while computing.
    pub fn generate(&self, prompt: &str) -> Result<Answer, Error> {
        self.generate_with(prompt, &GenerateOptions::new())
    }

    /// The answer to a prompt, made as `options` say.
    ///
    /// # Errors
    /// As [`generate`](Self::generate), and options that contradict each other or are out of range.
    pub fn generate_with(&self, prompt: &str, options: &GenerateOptions) -> Result<Answer, Error> {
        self.generate_stream_with(prompt, options)?.collect_answer()
    }

    /// The answer to a prompt, piece by piece as it is computed. Dropping the stream cancels the
    /// rest.
    ///
    /// # Errors
    /// As [`generate`](Self::generate); what goes wrong later is an item of the stream.
    pub fn generate_stream(&self, prompt: &str) -> Result<AnswerStream, Error> {
        self.generate_stream_with(prompt, &GenerateOptions::new())
    }

    /// [`generate_stream`](Self::generate_stream), made as `options` say.
    ///
    /// # Errors
    /// As [`generate_with`](Self::generate_with).
    pub fn generate_stream_with(
        &self,
        prompt: &str,
        options: &GenerateOptions,
    ) -> Result<AnswerStream, Error> {
        self.stream_ids(self.prompt_ids(prompt)?, options)
    }

    /// The assistant's next message in a chat.
    ///
    /// # Errors
    /// As [`generate`](Self::generate), and where the model has no chat format, its template
    /// refuses the chat, or there is no message.
    pub fn chat(&self, messages: &[Message]) -> Result<Answer, Error> {
        self.chat_with(messages, &GenerateOptions::new())
    }

    /// The assistant's next message, made as `options` say.
    ///
    /// # Errors
    /// As [`chat`](Self::chat) and [`generate_with`](Self::generate_with).
    pub fn chat_with(
        &self,
        messages: &[Message],
        options: &GenerateOptions,
    ) -> Result<Answer, Error> {
        self.chat_stream_with(messages, options)?.collect_answer()
    }

    /// The assistant's next message, piece by piece.
    ///
    /// # Errors
    /// As [`chat`](Self::chat).
    pub fn chat_stream(&self, messages: &[Message]) -> Result<AnswerStream, Error> {
        self.chat_stream_with(messages, &GenerateOptions::new())
    }

    /// [`chat_stream`](Self::chat_stream), made as `options` say.
    ///
    /// # Errors
    /// As [`chat_with`](Self::chat_with).
    pub fn chat_stream_with(
        &self,
        messages: &[Message],
        options: &GenerateOptions,
    ) -> Result<AnswerStream, Error> {
        self.stream_ids(self.chat_ids(messages, &options.render)?, options)
    }

    /// The answers to several prompts, any number of them, computed together. Each is the answer
    /// that its prompt gets alone, except that without a seed all are drawn anew. They make room
    /// for answers that somebody waits for ([`Priority::Batch`]).
    pub fn batch<S: AsRef<str>>(&self, prompts: &[S]) -> Vec<Result<Answer, Error>> {
        self.batch_with(prompts, &GenerateOptions::new())
    }

    /// [`batch`](Self::batch), made as `options` say.
    pub fn batch_with<S: AsRef<str>>(
        &self,
        prompts: &[S],
        options: &GenerateOptions,
    ) -> Vec<Result<Answer, Error>> {
        // All are submitted before the first is waited for, as the engine's queue has places for
        // them: it never waits for a reader.
        let queued = |prompt: &S| {
            let (loaded, ids) = (self.loaded()?, self.prompt_ids(prompt.as_ref())?);
            let mut request = self.request(ids, options)?;
            request.standing.priority = Priority::Batch;
            self.stream(&loaded, loaded.engine.submit_when_free(request))
        };
        let streams: Vec<Result<AnswerStream, Error>> = prompts.iter().map(queued).collect();
        streams.into_iter().map(|stream| stream?.collect_answer()).collect()
    }

    /// What follows these tokens, piece by piece: for prompts of the program's own making.
    ///
    /// # Errors
    /// As [`generate_with`](Self::generate_with), and tokens that the model does not have.
    pub fn stream_ids(
        &self,
        ids: Vec<u32>,
        options: &GenerateOptions,
    ) -> Result<AnswerStream, Error> {
        self.submit(self.request(ids, options)?)
    }

    /// As [`stream_ids`](Self::stream_ids), with everything spelled out: no setting and no
    /// recommendation of the model's makers has a say.
    ///
    /// # Errors
    /// As [`stream_ids`](Self::stream_ids).
    pub fn submit(&self, request: Request) -> Result<AnswerStream, Error> {
        let loaded = self.loaded()?;
        loaded.recall(&request);
        self.stream(&loaded, loaded.engine.submit(request))
    }

    /// So many answers to one prompt, which is read once. With a seed each is drawn in its own way,
    /// and the same call gives the same answers.
    ///
    /// # Errors
    /// As [`generate_with`](Self::generate_with); the first answer that fails ends the call.
    pub fn answers(
        &self,
        prompt: &str,
        count: usize,
        options: &GenerateOptions,
    ) -> Result<Vec<Answer>, Error> {
        let streams = self.streams_ids(self.prompt_ids(prompt)?, count, options)?;
        streams.into_iter().map(AnswerStream::collect_answer).collect()
    }

    /// Of so many answers to one prompt the one whose tokens the model finds likeliest, on average.
    ///
    /// # Errors
    /// As [`answers`](Self::answers), and where not even one is asked for.
    pub fn best_of(
        &self,
        prompt: &str,
        count: usize,
        options: &GenerateOptions,
    ) -> Result<Answer, Error> {
        let logprobs = options.logprobs.unwrap_or(0);
        let answers = self.answers(prompt, count, &options.clone().logprobs(logprobs))?;
        let likelihood = |answer: &Answer| answer.mean_logprob().unwrap_or(f64::NEG_INFINITY);
        let best = answers.into_iter().reduce(|best, other| {
            if likelihood(&other) > likelihood(&best) { other } else { best }
        });
        let mut best = best.ok_or_else(|| {
            err!(Usage, "the best of 0 answers is none: ask for 1 or more").of_key("count")
        })?;
        if options.logprobs.is_none() {
            best.logprobs.clear();
        }
        Ok(best)
    }

    /// So many answers to the prompt of these tokens, which is read once, each piece by piece.
    ///
    /// # Errors
    /// As [`stream_ids`](Self::stream_ids).
    pub fn streams_ids(
        &self,
        ids: Vec<u32>,
        count: usize,
        options: &GenerateOptions,
    ) -> Result<Vec<AnswerStream>, Error> {
        let request = self.request(ids, options)?;
        let seeded = request.sampling.seed.is_some();
        let numbered = (0..count as u32).map(|number| {
            let mut request = request.clone();
            request.sampling.sequence = if seeded { number } else { 0 };
            request
        });
        self.submit_together(numbered.collect())
    }

    /// Requests whose prompts begin alike: see
    /// [`Engine::submit_together`](scaffold_engine::Engine::submit_together).
    ///
    /// # Errors
    /// As [`submit`](Self::submit); then none of them is taken.
    pub fn submit_together(&self, requests: Vec<Request>) -> Result<Vec<AnswerStream>, Error> {
        let loaded = self.loaded()?;
        let mut last = None;
        for request in
            requests.iter().filter(|request| last.replace(&request.prompt) != Some(&request.prompt))
        {
            loaded.recall(request);
        }
        let streams = self.named(loaded.engine.submit_together(requests))?;
        streams.into_iter().map(|stream| self.stream(&loaded, Ok(stream))).collect()
    }

    fn stream(
        &self,
        loaded: &Loaded,
        submitted: Result<EventStream, Error>,
    ) -> Result<AnswerStream, Error> {
        let events = self.named(submitted)?;
        Ok(AnswerStream::new(events, Arc::clone(&loaded.text.tokenizer), self.name()))
    }

    /// With the model's name in an error.
    pub(super) fn named<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| error.of_model(&*self.name()))
    }

    /// The text of the answer to a prompt, which cannot tell whether it was cut off at a limit of
    /// tokens: [`generate`](Self::generate) can. That it was is added to the
    /// [notices](Self::notices).
    ///
    /// # Errors
    /// As [`generate`](Self::generate). Never an error text as an answer.
    pub fn generate_response(&self, prompt: &str) -> Result<String, Error> {
        Ok(self.told_if_cut(self.generate(prompt)?))
    }

    /// The texts of the answers to several prompts, computed together, as
    /// [`generate_response`](Self::generate_response) gives them; [`batch`](Self::batch) gives
    /// whole answers.
    pub fn batch_generate(&self, prompts: &[&str]) -> Vec<Result<String, Error>> {
        let answers = self.batch(prompts).into_iter();
        answers.map(|answer| answer.map(|answer| self.told_if_cut(answer))).collect()
    }

    fn told_if_cut(&self, answer: Answer) -> String {
        if answer.is_cut() {
            let tokens = answer.usage.completion_tokens;
            let text = format!(
                "an answer was cut off after {tokens} new tokens, where its limit (LLM_MAX_LENGTH) or the context ended"
            );
            self.tell(Notice::new(Topic::Sampling, text));
        }
        answer.text
    }

    /// How tokens are chosen and when the answer ends, with `options` over the user's settings,
    /// what the model's `generation_config.json` recommends, and the defaults of the configuration.
    ///
    /// # Errors
    /// Options that contradict each other.
    pub fn effective(&self, options: &GenerateOptions) -> Result<(Sampling, Stop), Error> {
        self.named(options.over(&self.defaults))
    }

    pub(super) fn request(
        &self,
        prompt: Vec<u32>,
        options: &GenerateOptions,
    ) -> Result<Request, Error> {
        self.request_with(prompt, options, Thinks::IfOpened)
    }

    pub(super) fn request_with(
        &self,
        prompt: Vec<u32>,
        options: &GenerateOptions,
        thinks: Thinks,
    ) -> Result<Request, Error> {
        let (sampling, stop) = self.effective(options)?;
        let loaded = self.loaded()?;
        let constraint = self.named(self.text(&loaded).constraint(options, &prompt, thinks))?;
        // Nothing stands before the first token.
        let scores = options.prompt_logprobs.filter(|_| prompt.len() > 1);
        Ok(Request {
            sampling,
            stop,
            logprobs: options.logprobs,
            scores: scores.map(|top| Scores { from: 1, top }),
            constraint,
            standing: options.standing.clone(),
            ..Request::new(prompt)
        })
    }

    /// The ids of a prompt as [`generate`](Self::generate) reads it: in the model's chat format,
    /// unless it is written in it already
    /// ([`LoadOptions::special_as_text`](crate::LoadOptions::special_as_text) decides whether that
    /// can be).
    ///
    /// # Errors
    /// Text that the template or the tokenizer refuses.
    pub fn prompt_ids(&self, text: &str) -> Result<Vec<u32>, Error> {
        let chat = |said| self.begun(&[said]).into_owned();
        let loaded = self.loaded()?;
        self.named(self.text(&loaded).prompt(text, self.options.special_as_text, chat))
    }

    /// The ids of a text that the model continues as it is, without a chat format.
    ///
    /// # Errors
    /// Text that the tokenizer refuses.
    pub fn plain_ids(&self, text: &str) -> Result<Vec<u32>, Error> {
        self.named(self.loaded()?.text.plain(text, self.options.special_as_text))
    }

    /// The ids of a prompt after which the model writes what stands between two texts, and ends with
    /// [`middle_ends`](Self::middle_ends). No chat format is around it, and names of control tokens in
    /// the texts are text.
    ///
    /// ```no_run
    /// use scaffold::{GenerateOptions, LlmManager};
    ///
    /// let model = LlmManager::from_pretrained("Qwen/Qwen2.5-Coder-1.5B")?;
    /// let ids = model.middle_ids("def add(a, b):\n    return ", "\n\nprint(add(1, 2))\n")?;
    /// let options = model.middle_ends()?.into_iter().fold(GenerateOptions::new(), GenerateOptions::stop_id);
    /// println!("{}", model.stream_ids(ids, &options)?.collect_answer()?);
    /// # Ok::<(), scaffold::Error>(())
    /// ```
    ///
    /// # Errors
    /// A model whose tokenizer has no tokens for that, and text that it refuses.
    pub fn middle_ids(&self, before: &str, after: &str) -> Result<Vec<u32>, Error> {
        let loaded = self.loaded()?;
        self.named(self.text(&loaded).between(before, after))
    }

    /// Tokens that end what stands between two texts, besides those that end answers.
    ///
    /// # Errors
    /// The model was unloaded, or is being loaded.
    pub fn middle_ends(&self) -> Result<Vec<u32>, Error> {
        let loaded = self.loaded()?;
        let middle = self.text(&loaded).middle.as_ref();
        Ok(middle.map(|middle| middle.ends().to_vec()).unwrap_or_default())
    }

    /// The ids of a chat, with every option of its template; by default it ends where the
    /// assistant's answer begins.
    ///
    /// # Errors
    /// A model without a chat format, a chat that its template refuses, or one without messages.
    pub fn chat_ids(
        &self,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<Vec<u32>, Error> {
        let loaded = self.loaded()?;
        self.named(self.text(&loaded).chat(&self.begun(messages), options))
    }

    /// The ids of messages that follow others, which the caller has the ids of: without the system
    /// prompt and the messages that chats with a [model of one's own](crate::made) begin with.
    ///
    /// # Errors
    /// As [`chat_ids`](Self::chat_ids).
    pub fn turn_ids(
        &self,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<Vec<u32>, Error> {
        let loaded = self.loaded()?;
        self.named(self.text(&loaded).chat(messages, options))
    }

    /// The text of a chat as the model reads it.
    ///
    /// # Errors
    /// As [`chat_ids`](Self::chat_ids).
    pub fn render_chat(
        &self,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<String, Error> {
        let loaded = self.loaded()?;
        self.named(self.text(&loaded).render(&self.begun(messages), options))
    }
}
