//! What several interfaces have in common.

use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema, SchemaType};
use utoipa::openapi::{RefOr, Type};
use utoipa::{PartialSchema, ToSchema};

use super::words::words;

words! {
    /// The only type of tool there is.
    FunctionWord: "function";
    /// Why an answer ended: of its own or at a text or token that ends it, at a limit of tokens, at
    /// calls of tools, or because it was stopped.
    FinishReason: "stop", "length", "tool_calls", "cancelled";
    /// Always `list`.
    ListWord: "list";
    /// Always `text`.
    TextWord: "text";
    /// The role of what a model says.
    AssistantWord: "assistant";
    /// What can be asked of a model here.
    Capability: "completion", "tools", "thinking", "insert", "embedding", "rerank";
    /// That thoughts were closed by force: they had as many tokens as they may.
    ThoughtsEnd: "length";
}

/// How long a model stays in memory when nobody uses it: seconds, or a length of time as Go writes
/// it. Below zero it stays for ever, with 0 it goes at once.
pub(super) struct KeepAlive;

impl PartialSchema for KeepAlive {
    fn schema() -> RefOr<Schema> {
        let seconds = ObjectBuilder::new()
            .schema_type(Type::Number)
            .exclusive_maximum(Some(18_446_744_073_709_551_616.0));
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(
            r"^([-+]?[0-9]{1,9}(\.[0-9]{0,9})?|[-+]?([0-9]{1,9}(\.[0-9]{0,9})?(ns|us|µs|ms|s|m|h)){1,6})$",
        ));
        AnyOfBuilder::new()
            .item(seconds)
            .item(text)
            .description(Some(
                "How long a model stays in memory when nobody uses it: seconds, or a length of time as Go writes it. Below zero it \
                 stays for ever, with 0 it goes at once.",
            ))
            .examples(["5m"])
            .into()
    }
}

impl ToSchema for KeepAlive {}

/// A token's id.
pub(super) struct TokenId;

impl PartialSchema for TokenId {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(0))
            .maximum(Some(u32::MAX))
            .description(Some("A token's id."))
            .examples([70])
            .into()
    }
}

impl ToSchema for TokenId {}

/// A text, or several.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(example = "A sentence.")]
pub(super) enum Texts {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

/// A tool: a function that the model may call.
#[derive(ToSchema)]
#[schema(example = json!({"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}))]
pub(super) struct Tool {
    /// Always `function`, also where it is not said.
    #[schema(inline)]
    r#type: Option<FunctionWord>,
    /// The function.
    function: Function,
}

/// A function.
#[derive(ToSchema)]
pub(super) struct Function {
    /// Its name, by which the model calls it.
    #[schema(min_length = 1, example = "weather")]
    name: String,
    /// What it does, for the model.
    #[schema(example = "The weather of a city.")]
    description: Option<String>,
    #[schema(schema_with = parameters, required = false)]
    parameters: Option<Value>,
    /// Whether its arguments are held to its parameters where the model need not call it: they always are where it has to.
    #[schema(example = true)]
    strict: Option<bool>,
}

/// A call of a tool that was made before.
#[derive(ToSchema)]
pub(super) struct EarlierCall {
    /// By which its result is told.
    #[schema(example = "call_5f1a")]
    id: Option<String>,
    /// What was called.
    function: EarlierCalled,
}

/// A function that was called.
#[derive(ToSchema)]
pub(super) struct EarlierCalled {
    /// Its name.
    #[schema(example = "weather")]
    name: String,
    /// Its arguments.
    arguments: Option<Arguments>,
}

/// Arguments of a call: an object, or the same in a text.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(example = json!({"city": "Bonn"}))]
pub(super) enum Arguments {
    /// An object.
    Object(Map<String, Value>),
    /// An object of JSON in a text.
    Text(String),
}

/// A call of a tool, its arguments in a text.
#[derive(ToSchema)]
pub(super) struct TextCall {
    /// By which its result is told.
    #[schema(example = "call_5f1a")]
    id: String,
    /// Always `function`.
    #[schema(inline)]
    r#type: FunctionWord,
    /// What is called.
    function: TextCalled,
}

/// A function that is called.
#[derive(ToSchema)]
pub(super) struct TextCalled {
    /// Its name.
    #[schema(example = "weather")]
    name: String,
    /// Its arguments as the model wrote them: an object of JSON, in a text.
    #[schema(example = "{\"city\": \"Bonn\"}")]
    arguments: String,
}

/// A token of the answer, how likely it was, and what could have stood there.
#[derive(ToSchema)]
pub(super) struct Logprob {
    /// The token's text.
    #[schema(example = "Hello")]
    token: String,
    /// The logarithm of its probability.
    #[schema(example = -0.25)]
    logprob: f64,
    /// The token's bytes, which may be a part of a character.
    #[schema(example = json!([72, 101, 108, 108, 111]))]
    bytes: Vec<u8>,
    /// The likeliest tokens in its place.
    top_logprobs: Vec<Candidate>,
}

/// A token that could have stood there.
#[derive(ToSchema)]
pub(super) struct Candidate {
    /// The token's text.
    #[schema(example = "Hi")]
    token: String,
    /// The logarithm of its probability.
    #[schema(example = -1.5)]
    logprob: f64,
    /// The token's bytes.
    #[schema(example = json!([72, 105]))]
    bytes: Vec<u8>,
}

/// How a model's chat format is to be filled in, besides the messages.
pub(super) fn template_variables() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .description(Some("Variables of the model's chat template, such as `enable_thinking`."))
        .examples([json!({"enable_thinking": false})])
        .into()
}

/// What a function takes.
pub(super) fn parameters() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .description(Some("What it takes: a schema of JSON, as the model's template writes it."))
        .examples([json!({"type": "object", "properties": {"city": {"type": "string"}}})])
        .into()
}

/// Token ids and what is added to their scores.
pub(super) fn biases() -> RefOr<Schema> {
    let bias =
        ObjectBuilder::new().schema_type(Type::Number).minimum(Some(-100.0)).maximum(Some(100.0));
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .property_names(Some(
            ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[0-9]{1,9}$")).build(),
        ))
        .additional_properties(Some(RefOr::T(Schema::from(bias.build()))))
        .description(Some("What is added to the scores of tokens, by their ids."))
        .examples([json!({"70": 1.5})])
        .into()
}

/// What is always null.
pub(super) fn nothing() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::Null).description(Some("Always null.")).into()
}
