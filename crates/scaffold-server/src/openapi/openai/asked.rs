//! What clients of OpenAI ask.

use serde_json::Value;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema};
use utoipa::openapi::{RefOr, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::openapi::forms::{ResponseFormat, StructuredOutputs, ToolChoice, json_schema};
use crate::openapi::shared::{
    EarlierCall, KeepAlive, TextWord, Texts, TokenId, Tool, biases, template_variables,
};
use crate::openapi::words::words;

words! {
    /// How vectors are written: as lists of numbers, or as numbers of 32 bits in base64.
    EncodingFormat: "float", "base64";
}

/// What a stream tells besides.
#[derive(ToSchema)]
pub(super) struct StreamOptions {
    /// Whether the last event tells how many tokens there were.
    #[schema(default = false, example = true)]
    include_usage: Option<bool>,
}

/// A text, texts, tokens, or lists of tokens.
pub(super) struct Prompts;

impl PartialSchema for Prompts {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let ids = || {
            let id = ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(0))
                .maximum(Some(u32::MAX));
            ArrayBuilder::new().items(RefOr::T(Schema::from(id.build())))
        };
        let texts = ArrayBuilder::new().items(RefOr::T(Schema::from(text().build())));
        let lists = ArrayBuilder::new().items(RefOr::T(Schema::from(ids().build())));
        AnyOfBuilder::new()
            .item(text())
            .item(texts.min_items(Some(1)))
            .item(ids().min_items(Some(1)))
            .item(lists.min_items(Some(1)))
            .description(Some("A text, texts, tokens, or lists of tokens."))
            .examples(["The sky is"])
            .into()
    }
}

impl ToSchema for Prompts {}

/// A message of a chat. Fields that are not described reach the model's template, too.
#[derive(ToSchema)]
#[schema(example = json!({"role": "user", "content": "Why is the sky blue?"}))]
pub(in crate::openapi) struct OpenAiMessage {
    /// Who speaks: `system`, `developer` (the same), `user`, `assistant`, `tool`.
    #[schema(example = "user")]
    role: String,
    /// What is said: a text, or parts of text.
    content: Option<OpenAiContent>,
    /// What the model thought before it said that.
    #[schema(example = "Light is scattered.")]
    reasoning_content: Option<String>,
    /// Calls of tools, as an answer has them.
    #[schema(example = json!([]))]
    tool_calls: Option<Vec<EarlierCall>>,
    /// The call whose result this is.
    #[schema(example = "call_5f1a")]
    tool_call_id: Option<String>,
}

/// What is said: a text, or parts of text, which are put together with line breaks.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(example = "Why is the sky blue?")]
pub(in crate::openapi) enum OpenAiContent {
    /// A text.
    Text(String),
    /// Parts of text.
    Parts(Vec<OpenAiTextPart>),
}

/// A part of text.
#[derive(ToSchema)]
pub(in crate::openapi) struct OpenAiTextPart {
    /// Always `text`, also where it is not said.
    #[schema(inline)]
    r#type: Option<TextWord>,
    /// The text.
    #[schema(example = "Why is the sky blue?")]
    text: String,
}

/// A request with the fields that chats and completions share.
macro_rules! with_parameters {
    ($(#[$about:meta])+ $name:ident { $($own:tt)* }) => {
        $(#[$about])+
        #[derive(ToSchema)]
        pub(super) struct $name {
            /// The model's name.
            #[schema(pattern = r"\S", example = "starter")]
            model: String,
            $($own)*
            /// Whether the answer comes in events while it is made.
            #[schema(default = false, example = true)]
            stream: Option<bool>,
            /// What a stream tells besides.
            stream_options: Option<StreamOptions>,
            /// Answers to each prompt.
            #[schema(minimum = 1, maximum = 128, default = 1, example = 2)]
            n: Option<u8>,
            /// How far the choice of tokens is spread; 0 always takes the likeliest.
            #[schema(minimum = 0, example = 0.7)]
            temperature: Option<f32>,
            /// Draws from the likeliest tokens that make up this share.
            #[schema(minimum = 0, maximum = 1, example = 0.9)]
            top_p: Option<f32>,
            /// Draws from so many of the likeliest tokens; below 1 from all.
            #[schema(example = 40)]
            top_k: Option<i64>,
            /// Draws from tokens that are at least this fraction as likely as the likeliest.
            #[schema(minimum = 0, maximum = 1, example = 0.05)]
            min_p: Option<f32>,
            /// Draws from the tokens nearest to the expected surprise, up to this share.
            #[schema(exclusive_minimum = 0, maximum = 1, example = 0.95)]
            typical_p: Option<f32>,
            /// The same seed gives the same answer; -1 is another one each time.
            #[schema(minimum = -1, example = 42)]
            seed: Option<i64>,
            /// Texts that end an answer and are no part of it.
            #[schema(example = "\n\n")]
            stop: Option<Texts>,
            /// Tokens that end an answer.
            #[schema(example = json!([3]))]
            stop_token_ids: Option<Vec<TokenId>>,
            /// Taken from the score of every token that the answer has.
            #[schema(example = 0.5)]
            presence_penalty: Option<f32>,
            /// Taken from a token's score for each time the answer has it.
            #[schema(example = 0.5)]
            frequency_penalty: Option<f32>,
            /// Makes tokens that occurred less likely by this factor.
            #[schema(exclusive_minimum = 0, example = 1.1)]
            repetition_penalty: Option<f32>,
            #[schema(schema_with = biases, required = false)]
            logit_bias: Option<Value>,
            /// No end before so many tokens.
            #[schema(minimum = 0, example = 1)]
            min_tokens: Option<usize>,
            /// Whether to go on after the token that ends an answer.
            #[schema(default = false, example = true)]
            ignore_eos: Option<bool>,
            /// How long the model stays in memory.
            keep_alive: Option<KeepAlive>,
            /// Tokens that thoughts may have; then they are closed, and the answer begins.
            #[schema(minimum = 0, example = 4)]
            thinking_budget: Option<usize>,
            /// The form of the answer; of this and the fields from here to `json_schema`, one alone says it.
            response_format: Option<ResponseFormat>,
            /// What the answer has to keep to, as vLLM has it.
            structured_outputs: Option<StructuredOutputs>,
            #[schema(schema_with = json_schema, required = false)]
            guided_json: Option<Value>,
            /// A regular expression that matches the whole answer.
            #[schema(example = "[a-z]{1,3}")]
            guided_regex: Option<String>,
            /// Texts of which the answer is one.
            #[schema(example = json!(["yes", "no"]))]
            guided_choice: Option<Vec<String>>,
            /// A grammar, as llama.cpp or Lark write it.
            #[schema(example = "root ::= \"yes\" | \"no\"")]
            guided_grammar: Option<String>,
            /// A grammar, as llama.cpp or Lark write it.
            #[schema(example = "root ::= \"yes\" | \"no\"")]
            grammar: Option<String>,
            #[schema(schema_with = json_schema, required = false)]
            json_schema: Option<Value>,
            /// What the answer is: text is the only thing.
            #[schema(inline, example = json!(["text"]))]
            modalities: Option<Vec<TextWord>>,
        }
    };
}

with_parameters! {
    /// A chat to be gone on with.
    OpenAiChatRequest {
        /// The chat until now.
        #[schema(min_items = 1)]
        messages: Vec<OpenAiMessage>,
        /// Tokens of the answer, at most; it counts before `max_tokens`.
        #[schema(minimum = 1, example = 3)]
        max_completion_tokens: Option<usize>,
        /// Tokens of the answer, at most.
        #[schema(minimum = 1, example = 3)]
        max_tokens: Option<usize>,
        /// Tools that the model may call.
        tools: Option<Vec<Tool>>,
        /// Whether the model calls them, and which.
        tool_choice: Option<ToolChoice>,
        /// Whether several calls in one answer are told, or the first alone.
        #[schema(default = true, example = false)]
        parallel_tool_calls: Option<bool>,
        /// How much to think, for models whose templates know that; `none` is not at all.
        #[schema(example = "low")]
        reasoning_effort: Option<String>,
        #[schema(schema_with = template_variables, required = false)]
        chat_template_kwargs: Option<Value>,
        /// Whether the last message is gone on with in place of an answer to it.
        #[schema(default = false, example = true)]
        continue_final_message: Option<bool>,
        /// Whether the model is told that it is its turn.
        #[schema(example = true)]
        add_generation_prompt: Option<bool>,
        /// Whether to tell how likely each token was.
        #[schema(default = false, example = true)]
        logprobs: Option<bool>,
        /// How many likely tokens to tell beside each; needs `logprobs`.
        #[schema(minimum = 0, maximum = 20, example = 2)]
        top_logprobs: Option<u8>,
    }
}

with_parameters! {
    /// Prompts to be continued as they are.
    OpenAiCompletionRequest {
        /// A text, texts, tokens, or lists of tokens.
        prompt: Prompts,
        /// Tokens of the answer, at most; 0 together with `echo`.
        #[schema(minimum = 0, default = 16, example = 3)]
        max_tokens: Option<usize>,
        /// What stands after what is to be written, between it and the prompt: for models whose tokenizers have tokens for a middle.
        #[schema(example = "end")]
        suffix: Option<String>,
        /// Whether the prompt stands before the answer.
        #[schema(default = false, example = true)]
        echo: Option<bool>,
        /// How many likely tokens to tell beside each.
        #[schema(minimum = 0, maximum = 20, example = 2)]
        logprobs: Option<u8>,
        /// How many answers are made, of which the `n` likeliest are given; not in a stream.
        #[schema(minimum = 1, maximum = 128, example = 2)]
        best_of: Option<u8>,
    }
}

/// Texts to be embedded.
#[derive(ToSchema)]
pub(super) struct OpenAiEmbeddingRequest {
    /// The model's name.
    #[schema(pattern = r"\S", example = "all-minilm")]
    model: String,
    /// A text, texts, tokens, or lists of tokens; up to 8192.
    #[schema(example = "A sentence.")]
    input: Prompts,
    /// How the vectors are written.
    #[schema(inline)]
    encoding_format: Option<EncodingFormat>,
    /// How many numbers of each vector are kept.
    #[schema(minimum = 1, example = 4)]
    dimensions: Option<usize>,
    /// Whether texts that are too long are cut.
    #[schema(default = false, example = true)]
    truncate: Option<bool>,
    /// How long the model stays in memory.
    keep_alive: Option<KeepAlive>,
}
