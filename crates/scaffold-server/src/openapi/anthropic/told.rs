//! What clients of Anthropic are told.

use utoipa::ToSchema;

use super::asked::{AnthropicText, AnthropicThinking, AnthropicToolUse};
use crate::openapi::errors::AnthropicErrorObject;
use crate::openapi::shared::{AssistantWord, ThoughtsEnd};
use crate::openapi::words::words;

words! {
    /// Always `message`.
    MessageWord: "message";
    /// Why an answer ended: of its own, at a limit of tokens, at a text that ends it, or at calls of
    /// tools.
    StopReason: "end_turn", "max_tokens", "stop_sequence", "tool_use";
    /// Always `message_start`.
    MessageStart: "message_start";
    /// Always `content_block_start`.
    BlockStart: "content_block_start";
    /// Always `content_block_delta`.
    BlockDelta: "content_block_delta";
    /// Always `content_block_stop`.
    BlockStop: "content_block_stop";
    /// Always `message_delta`.
    MessageDelta: "message_delta";
    /// The end, or a sign that there is still somebody.
    PlainEvent: "message_stop", "ping";
    /// Always `error`.
    ErrorWord: "error";
    /// Always `text_delta`.
    TextDelta: "text_delta";
    /// Always `thinking_delta`.
    ThinkingDelta: "thinking_delta";
    /// Always `input_json_delta`.
    InputDelta: "input_json_delta";
}

/// How many tokens there were.
#[derive(ToSchema)]
pub(super) struct AnthropicUsage {
    /// Tokens of the prompt that were computed.
    #[schema(example = 4)]
    input_tokens: usize,
    /// Tokens that were put into the cache for a price: there are none.
    #[schema(required = false, example = 0)]
    cache_creation_input_tokens: usize,
    /// Tokens of the prompt that were found in the cache.
    #[schema(required = false, example = 8)]
    cache_read_input_tokens: usize,
    /// Tokens of the answer.
    #[schema(example = 3)]
    output_tokens: usize,
}

/// A block of an answer.
#[derive(ToSchema)]
#[serde(untagged)]
pub(super) enum AnthropicAnswerBlock {
    /// Text.
    Text(AnthropicText),
    /// A thought.
    Thinking(AnthropicThinking),
    /// A call of a tool.
    ToolUse(AnthropicToolUse),
}

/// An answer.
#[derive(ToSchema)]
pub(super) struct AnthropicAnswer {
    /// Its name.
    #[schema(example = "msg_5f1a")]
    id: String,
    /// Always `message`.
    #[schema(inline)]
    r#type: MessageWord,
    /// Always `assistant`.
    #[schema(inline)]
    role: AssistantWord,
    /// The model's name, as it was asked for.
    #[schema(example = "starter")]
    model: String,
    /// What the model thinks, says and calls.
    content: Vec<AnthropicAnswerBlock>,
    /// Why it ended; null until then.
    #[schema(required = true, inline)]
    stop_reason: Option<StopReason>,
    /// The text that ended it, where one did.
    #[schema(required = true, example = "\n\n")]
    stop_sequence: Option<String>,
    /// That its thoughts were closed by force, where they were.
    #[schema(required = false, inline)]
    thinking_finish_reason: ThoughtsEnd,
    /// How many tokens there were.
    usage: AnthropicUsage,
}

/// The tokens of a chat.
#[derive(ToSchema)]
pub(super) struct AnthropicCount {
    /// How many there are.
    #[schema(example = 12)]
    input_tokens: usize,
}

/// The beginning.
#[derive(ToSchema)]
pub(super) struct AnthropicMessageStart {
    /// Always `message_start`.
    #[schema(inline)]
    r#type: MessageStart,
    /// The answer, without blocks yet.
    message: AnthropicAnswer,
}

/// A block begins.
#[derive(ToSchema)]
pub(super) struct AnthropicBlockStart {
    /// Always `content_block_start`.
    #[schema(inline)]
    r#type: BlockStart,
    /// Its number.
    #[schema(example = 0)]
    index: usize,
    /// The block, without anything in it yet.
    content_block: AnthropicAnswerBlock,
}

/// More of a text.
#[derive(ToSchema)]
pub(super) struct AnthropicTextDelta {
    /// Always `text_delta`.
    #[schema(inline)]
    r#type: TextDelta,
    /// What comes.
    #[schema(example = " light")]
    text: String,
}

/// More of a thought.
#[derive(ToSchema)]
pub(super) struct AnthropicThinkingDelta {
    /// Always `thinking_delta`.
    #[schema(inline)]
    r#type: ThinkingDelta,
    /// What comes.
    #[schema(example = " sky")]
    thinking: String,
}

/// The arguments of a call.
#[derive(ToSchema)]
pub(super) struct AnthropicInputDelta {
    /// Always `input_json_delta`.
    #[schema(inline)]
    r#type: InputDelta,
    /// All of them, as JSON in a text.
    #[schema(example = "{\"city\": \"Bonn\"}")]
    partial_json: String,
}

/// More of a block.
#[derive(ToSchema)]
#[serde(untagged)]
pub(super) enum AnthropicBlockMore {
    /// More of a text.
    Text(AnthropicTextDelta),
    /// More of a thought.
    Thinking(AnthropicThinkingDelta),
    /// The arguments of a call.
    Input(AnthropicInputDelta),
}

/// What comes of a block.
#[derive(ToSchema)]
pub(super) struct AnthropicBlockDelta {
    /// Always `content_block_delta`.
    #[schema(inline)]
    r#type: BlockDelta,
    /// The block's number.
    #[schema(example = 0)]
    index: usize,
    /// What comes.
    delta: AnthropicBlockMore,
}

/// A block ends.
#[derive(ToSchema)]
pub(super) struct AnthropicBlockStop {
    /// Always `content_block_stop`.
    #[schema(inline)]
    r#type: BlockStop,
    /// Its number.
    #[schema(example = 0)]
    index: usize,
}

/// Why an answer ended.
#[derive(ToSchema)]
pub(super) struct AnthropicEnded {
    /// The reason.
    #[schema(inline)]
    stop_reason: StopReason,
    /// The text that ended it, where one did.
    #[schema(required = true, example = "\n\n")]
    stop_sequence: Option<String>,
    /// That its thoughts were closed by force, where they were.
    #[schema(required = false, inline)]
    thinking_finish_reason: ThoughtsEnd,
}

/// Why the answer ended, and how many tokens it has.
#[derive(ToSchema)]
pub(super) struct AnthropicMessageDelta {
    /// Always `message_delta`.
    #[schema(inline)]
    r#type: MessageDelta,
    /// Why it ended.
    delta: AnthropicEnded,
    /// How many tokens there were.
    usage: AnthropicUsage,
}

/// The end, or a sign that there is still somebody.
#[derive(ToSchema)]
pub(super) struct AnthropicPlainEvent {
    /// Which of the two.
    #[schema(inline)]
    r#type: PlainEvent,
}

/// What went wrong on the way.
#[derive(ToSchema)]
pub(super) struct AnthropicFailed {
    /// Always `error`.
    #[schema(inline)]
    r#type: ErrorWord,
    /// What it was.
    error: AnthropicErrorObject,
}

/// The data of an event, which is named by its `type`.
#[derive(ToSchema)]
#[serde(untagged)]
pub(super) enum AnthropicEvent {
    /// The beginning.
    Start(AnthropicMessageStart),
    /// A block begins.
    BlockStart(AnthropicBlockStart),
    /// What comes of a block.
    BlockDelta(AnthropicBlockDelta),
    /// A block ends.
    BlockStop(AnthropicBlockStop),
    /// Why the answer ended.
    Delta(AnthropicMessageDelta),
    /// The end, or a sign that there is still somebody.
    Plain(AnthropicPlainEvent),
    /// What went wrong on the way.
    Failed(AnthropicFailed),
}
