//! What clients of Anthropic ask.

use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::openapi::forms::ResponseTextFormat;
use crate::openapi::shared::{TextWord, Texts, parameters};
use crate::openapi::words::words;

words! {
    /// Who speaks.
    AnthropicRole: "user", "assistant", "system";
    /// Always `thinking`.
    ThinkingWord: "thinking";
    /// Always `redacted_thinking`.
    RedactedWord: "redacted_thinking";
    /// Always `tool_use`.
    ToolUseWord: "tool_use";
    /// Always `tool_result`.
    ToolResultWord: "tool_result";
    /// Whether the model calls tools: as it likes, it has to call one, or this one, or not at all.
    AnthropicChoice: "auto", "any", "tool", "none";
    /// Whether the model thinks before it answers: it does, does not, or does as it likes.
    ThinkingMode: "enabled", "disabled", "adaptive";
}

/// A block of text.
#[derive(ToSchema)]
#[schema(example = json!({"type": "text", "text": "Why is the sky blue?"}))]
pub(super) struct AnthropicText {
    /// Always `text`.
    #[schema(inline)]
    r#type: TextWord,
    /// The text.
    #[schema(example = "Why is the sky blue?")]
    text: String,
}

/// A block of text, as a request has it.
#[derive(ToSchema)]
#[schema(example = json!({"type": "text", "text": "Why is the sky blue?"}))]
pub(super) struct AnthropicTextIn {
    /// Always `text`, also where it is not said.
    #[schema(inline, required = false)]
    r#type: TextWord,
    /// The text.
    #[schema(example = "Why is the sky blue?")]
    text: String,
}

/// A thought of the model's.
#[derive(ToSchema)]
pub(super) struct AnthropicThinking {
    /// Always `thinking`.
    #[schema(inline)]
    r#type: ThinkingWord,
    /// The thought.
    #[schema(example = "The user asks about the sky.")]
    thinking: String,
    /// Nothing is signed: it is empty.
    #[schema(example = "")]
    signature: String,
}

/// A thought that only another server can read; it is left out.
#[derive(ToSchema)]
pub(super) struct AnthropicRedacted {
    /// Always `redacted_thinking`.
    #[schema(inline)]
    r#type: RedactedWord,
}

/// A call of a tool.
#[derive(ToSchema)]
pub(super) struct AnthropicToolUse {
    /// Always `tool_use`.
    #[schema(inline)]
    r#type: ToolUseWord,
    /// By which its result is told.
    #[schema(example = "toolu_5f1a")]
    id: String,
    /// What is called.
    #[schema(example = "weather")]
    name: String,
    /// Its arguments.
    #[schema(example = json!({"city": "Bonn"}))]
    input: Map<String, Value>,
}

/// A thought of the model's, as a request has it.
#[derive(ToSchema)]
pub(super) struct AnthropicThinkingIn {
    /// Always `thinking`.
    #[schema(inline)]
    r#type: ThinkingWord,
    /// The thought.
    #[schema(example = "The user asks about the sky.")]
    thinking: Option<String>,
    /// It says nothing.
    #[schema(example = "")]
    signature: Option<String>,
}

/// A call of a tool, as a request has it.
#[derive(ToSchema)]
pub(super) struct AnthropicToolUseIn {
    /// Always `tool_use`.
    #[schema(inline)]
    r#type: ToolUseWord,
    /// By which its result is told.
    #[schema(example = "toolu_5f1a")]
    id: Option<String>,
    /// What is called.
    #[schema(example = "weather")]
    name: String,
    /// Its arguments.
    #[schema(example = json!({"city": "Bonn"}))]
    input: Option<Map<String, Value>>,
}

/// What a tool gave.
#[derive(ToSchema)]
pub(super) struct AnthropicToolResult {
    /// Always `tool_result`.
    #[schema(inline)]
    r#type: ToolResultWord,
    /// The call whose result this is.
    #[schema(example = "toolu_5f1a")]
    tool_use_id: Option<String>,
    /// What it gave.
    content: Option<AnthropicTexts>,
}

/// A text, or blocks of text.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(example = "Be brief.")]
pub(super) enum AnthropicTexts {
    /// A text.
    Text(String),
    /// Blocks of text.
    Blocks(Vec<AnthropicTextIn>),
}

/// A block of a message.
#[derive(ToSchema)]
#[serde(untagged)]
pub(super) enum AnthropicBlock {
    /// Text.
    Text(AnthropicTextIn),
    /// A thought.
    Thinking(AnthropicThinkingIn),
    /// A thought that only another server can read.
    Redacted(AnthropicRedacted),
    /// A call of a tool.
    ToolUse(AnthropicToolUseIn),
    /// What a tool gave.
    ToolResult(AnthropicToolResult),
}

/// A text, or blocks.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(example = "Why is the sky blue?")]
pub(super) enum AnthropicContent {
    /// A text.
    Text(String),
    /// Blocks.
    Blocks(Vec<AnthropicBlock>),
}

/// A message of a chat.
#[derive(ToSchema)]
#[schema(example = json!({"role": "user", "content": "Why is the sky blue?"}))]
pub(super) struct AnthropicMessage {
    /// Who speaks.
    #[schema(inline)]
    role: AnthropicRole,
    /// What is said.
    content: Option<AnthropicContent>,
}

/// A tool: a function that the model may call.
#[derive(ToSchema)]
#[schema(example = json!({"name": "weather", "input_schema": {"type": "object"}}))]
pub(super) struct AnthropicTool {
    /// `custom`, also where it is not said; tools of other types are left out, with notice.
    #[schema(example = "custom")]
    r#type: Option<String>,
    /// Its name, by which the model calls it.
    #[schema(min_length = 1, example = "weather")]
    name: String,
    /// What it does, for the model.
    #[schema(example = "The weather of a city.")]
    description: Option<String>,
    #[schema(schema_with = parameters, required = false)]
    input_schema: Option<Value>,
    /// Whether its arguments are held to its parameters where the model need not call it: they always are where it has to.
    #[schema(example = true)]
    strict: Option<bool>,
}

/// Whether the model calls tools, and which.
#[derive(ToSchema)]
#[schema(example = json!({"type": "auto"}))]
pub(super) struct AnthropicToolChoice {
    /// As it likes, it has to call one (`any`) or this one (`tool`), or not at all.
    #[schema(inline)]
    r#type: Option<AnthropicChoice>,
    /// Which one it has to call, with `tool`.
    #[schema(example = "weather")]
    name: Option<String>,
    /// Whether the first call of an answer alone is told.
    #[schema(default = false, example = true)]
    disable_parallel_tool_use: Option<bool>,
}

/// Whether the model thinks before it answers.
#[derive(ToSchema)]
#[schema(example = json!({"type": "adaptive"}))]
pub(super) struct AnthropicThinkingConfig {
    /// It does, does not, or does as it likes.
    #[schema(inline)]
    r#type: ThinkingMode,
    /// Tokens that thoughts may have; then they are closed, and the answer begins. Not with `disabled`.
    #[schema(minimum = 0, example = 4)]
    budget_tokens: Option<usize>,
}

/// How the answer is to be.
#[derive(ToSchema)]
pub(super) struct AnthropicOutputConfig {
    /// How much to think, for models whose templates know that.
    #[schema(example = "low")]
    effort: Option<String>,
    /// What it has to keep to.
    format: Option<ResponseTextFormat>,
}

macro_rules! message_request {
    ($(#[$about:meta])+ $name:ident { $($own:tt)* }) => {
        $(#[$about])+
        #[derive(ToSchema)]
        pub(super) struct $name {
            /// The model's name.
            #[schema(pattern = r"\S", example = "starter")]
            model: String,
            /// The chat until now.
            #[schema(min_items = 1)]
            messages: Vec<AnthropicMessage>,
            $($own)*
            /// What the model is told about itself.
            system: Option<AnthropicTexts>,
            /// Tools that the model may call.
            tools: Option<Vec<AnthropicTool>>,
            /// Whether the model calls them, and which.
            tool_choice: Option<AnthropicToolChoice>,
            /// Whether the model thinks before it answers.
            thinking: Option<AnthropicThinkingConfig>,
            /// How the answer is to be.
            output_config: Option<AnthropicOutputConfig>,
        }
    };
}

message_request! {
    /// A chat to be gone on with.
    AnthropicRequest {
        /// Tokens of the answer, at most.
        #[schema(minimum = 1, example = 3)]
        max_tokens: usize,
        /// Whether the answer comes in events while it is made.
        #[schema(default = false, example = true)]
        stream: Option<bool>,
        /// Texts that end an answer and are no part of it.
        #[schema(example = json!(["\n\n"]))]
        stop_sequences: Option<Texts>,
        /// How far the choice of tokens is spread; 0 always takes the likeliest.
        #[schema(minimum = 0, example = 0.7)]
        temperature: Option<f32>,
        /// Draws from the likeliest tokens that make up this share.
        #[schema(minimum = 0, maximum = 1, example = 0.9)]
        top_p: Option<f32>,
        /// Draws from so many of the likeliest tokens; below 1 from all.
        #[schema(example = 40)]
        top_k: Option<i64>,
        /// Tokens that thoughts may have; `thinking.budget_tokens` counts before it.
        #[schema(minimum = 0, example = 4)]
        thinking_budget: Option<usize>,
        /// What the answer has to keep to, as the interface called it at first: `output_config.format`.
        output_format: Option<ResponseTextFormat>,
    }
}

message_request! {
    /// A chat whose tokens are to be counted.
    AnthropicCountRequest {
    }
}
