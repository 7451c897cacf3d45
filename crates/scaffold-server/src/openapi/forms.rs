//! What an answer has to keep to, and which tools it has to call.

use serde_json::{Value, json};
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, SchemaType};
use utoipa::openapi::{RefOr, Type};
use utoipa::{PartialSchema, ToSchema};

use super::shared::{FunctionWord, TextWord};
use super::words::words;

words! {
    /// Always `json_object`.
    ObjectWord: "json_object";
    /// Always `json_schema`.
    SchemaWord: "json_schema";
    /// Always `regex`.
    RegexWord: "regex";
    /// Always `grammar`.
    GrammarWord: "grammar";
    /// Whether the model calls tools: as it likes, not at all, or it has to.
    ToolChoiceWord: "auto", "none", "required";
    /// That one tool has to be called, whatever it takes.
    NamedToolWord: "function", "custom";
    /// Always `allowed_tools`.
    AllowedWord: "allowed_tools";
    /// Whether one of them is called as the model likes, or has to be.
    AllowedMode: "auto", "required";
}

fn schema_builder(types: &[Type]) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(types.iter().cloned().collect::<SchemaType>())
        .examples([json!({"type": "object", "properties": {"city": {"type": "string"}}})])
}

/// A schema of JSON that has to be there.
fn needed_schema() -> RefOr<Schema> {
    schema_builder(&[Type::Object, Type::String])
        .description(Some("The schema of JSON that the answer is valid by, or its text."))
        .into()
}

/// A schema of JSON that may be left out.
pub(super) fn json_schema() -> RefOr<Schema> {
    schema_builder(&[Type::Object, Type::String, Type::Null])
        .description(Some("The schema of JSON that the answer is valid by, or its text."))
        .into()
}

/// Ollama's form of an answer: any object, or a schema. A text that is empty says nothing.
pub(super) struct OllamaFormat;

impl PartialSchema for OllamaFormat {
    fn schema() -> RefOr<Schema> {
        let word = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["json", ""]));
        OneOfBuilder::new()
            .item(word)
            .item(schema_builder(&[Type::Object]))
            .description(Some(
                "What the answer has to be: `json` is any object, or a schema of JSON that it is valid by.",
            ))
            .examples(["json"])
            .into()
    }
}

impl ToSchema for OllamaFormat {}

/// Text, whatever it is.
#[derive(ToSchema)]
#[schema(example = json!({"type": "text"}))]
pub(super) struct FormatText {
    /// Always `text`.
    #[schema(inline)]
    r#type: TextWord,
}

/// An object of JSON.
#[derive(ToSchema)]
#[schema(example = json!({"type": "json_object"}))]
pub(super) struct FormatObject {
    /// Always `json_object`.
    #[schema(inline)]
    r#type: ObjectWord,
    #[schema(schema_with = json_schema, required = false)]
    schema: Option<Value>,
}

/// JSON that is valid by a schema.
#[derive(ToSchema)]
#[schema(example = json!({"type": "json_schema", "name": "place", "schema": {"type": "object"}}))]
pub(super) struct FormatFlatSchema {
    /// Always `json_schema`.
    #[schema(inline)]
    r#type: SchemaWord,
    /// What it is called; it says nothing here.
    #[schema(example = "place")]
    name: Option<String>,
    /// What it is for; it says nothing here.
    #[schema(example = "Where somebody lives.")]
    description: Option<String>,
    /// Whether it is kept to strictly: it always is.
    #[schema(example = true)]
    strict: Option<bool>,
    #[schema(schema_with = needed_schema)]
    schema: Value,
}

/// A schema with its name.
#[derive(ToSchema)]
#[schema(example = json!({"name": "place", "schema": {"type": "object"}}))]
pub(super) struct NamedSchema {
    /// What it is called; it says nothing here.
    #[schema(example = "place")]
    name: Option<String>,
    /// What it is for; it says nothing here.
    #[schema(example = "Where somebody lives.")]
    description: Option<String>,
    /// Whether it is kept to strictly: it always is.
    #[schema(example = true)]
    strict: Option<bool>,
    #[schema(schema_with = needed_schema)]
    schema: Value,
}

/// JSON that is valid by a schema.
#[derive(ToSchema)]
#[schema(example = json!({"type": "json_schema", "json_schema": {"name": "place", "schema": {"type": "object"}}}))]
pub(super) struct FormatSchema {
    /// Always `json_schema`.
    #[schema(inline)]
    r#type: SchemaWord,
    /// The schema.
    json_schema: NamedSchema,
}

/// Text that a regular expression matches as a whole.
#[derive(ToSchema)]
#[schema(example = json!({"type": "regex", "pattern": "[a-z]{1,3}"}))]
pub(super) struct FormatRegex {
    /// Always `regex`.
    #[schema(inline)]
    r#type: RegexWord,
    /// The regular expression.
    #[schema(example = "[a-z]{1,3}")]
    pattern: String,
}

/// Text that a grammar makes.
#[derive(ToSchema)]
#[schema(example = json!({"type": "grammar", "grammar": "root ::= \"yes\" | \"no\""}))]
pub(super) struct FormatGrammar {
    /// Always `grammar`.
    #[schema(inline)]
    r#type: GrammarWord,
    /// The grammar, as llama.cpp or Lark write it.
    #[schema(example = "root ::= \"yes\" | \"no\"")]
    grammar: String,
}

/// The form of an answer to a chat.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(example = json!({"type": "json_object"}))]
pub(super) enum ResponseFormat {
    /// Text, whatever it is.
    Text(FormatText),
    /// An object of JSON.
    Object(FormatObject),
    /// JSON that is valid by a schema.
    Schema(FormatSchema),
    /// Text that a regular expression matches.
    Regex(FormatRegex),
    /// Text that a grammar makes.
    Grammar(FormatGrammar),
}

/// The form of a response's text.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(example = json!({"type": "text"}))]
pub(super) enum ResponseTextFormat {
    /// Text, whatever it is.
    Text(FormatText),
    /// An object of JSON.
    Object(FormatObject),
    /// JSON that is valid by a schema.
    Schema(FormatFlatSchema),
    /// Text that a regular expression matches.
    Regex(FormatRegex),
    /// Text that a grammar makes.
    Grammar(FormatGrammar),
}

/// What an answer has to keep to, as vLLM has it: one of these.
#[derive(ToSchema)]
pub(super) struct StructuredOutputs {
    #[schema(schema_with = json_schema, required = false)]
    json: Option<Value>,
    /// A regular expression that matches the whole answer.
    #[schema(example = "[a-z]{1,3}")]
    regex: Option<String>,
    /// Texts of which the answer is one.
    #[schema(example = json!(["yes", "no"]))]
    choice: Option<Vec<String>>,
    /// A grammar, as llama.cpp or Lark write it.
    #[schema(example = "root ::= \"yes\" | \"no\"")]
    grammar: Option<String>,
    /// Whether the answer is an object of JSON.
    #[schema(default = false, example = true)]
    json_object: Option<bool>,
}

/// A tool by its name.
#[derive(ToSchema)]
#[schema(example = json!({"name": "weather"}))]
pub(super) struct ToolName {
    /// Its name.
    #[schema(min_length = 1, example = "weather")]
    name: String,
}

/// That this function has to be called.
#[derive(ToSchema)]
#[schema(example = json!({"type": "function", "function": {"name": "weather"}}))]
pub(super) struct ChosenFunction {
    /// Always `function`.
    #[schema(inline)]
    r#type: FunctionWord,
    /// Which one.
    function: ToolName,
}

/// That this tool has to be called.
#[derive(ToSchema)]
#[schema(example = json!({"type": "function", "name": "weather"}))]
pub(super) struct ChosenTool {
    /// What it takes: an object, or a text.
    #[schema(inline)]
    r#type: NamedToolWord,
    /// Its name.
    #[schema(min_length = 1, example = "weather")]
    name: String,
}

/// Some of the tools, and whether one of them has to be called.
#[derive(ToSchema)]
pub(super) struct AllowedFunctions {
    /// As the model likes, or it has to.
    #[schema(inline)]
    mode: Option<AllowedMode>,
    /// Which ones.
    tools: Vec<ChosenFunction>,
}

/// That some of the tools may be called.
#[derive(ToSchema)]
#[schema(example = json!({"type": "allowed_tools", "allowed_tools": {
    "mode": "required", "tools": [{"type": "function", "function": {"name": "weather"}}],
}}))]
pub(super) struct ChosenSome {
    /// Always `allowed_tools`.
    #[schema(inline)]
    r#type: AllowedWord,
    /// Which ones.
    allowed_tools: AllowedFunctions,
}

/// That some of the tools may be called.
#[derive(ToSchema)]
#[schema(example = json!({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "weather"}]}))]
pub(super) struct ChosenFlatSome {
    /// Always `allowed_tools`.
    #[schema(inline)]
    r#type: AllowedWord,
    /// As the model likes, or it has to.
    #[schema(inline)]
    mode: Option<AllowedMode>,
    /// Which ones.
    tools: Vec<ChosenTool>,
}

/// Whether the model calls tools, and which.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(example = "auto")]
pub(super) enum ToolChoice {
    /// As it likes, not at all, or it has to.
    Word(ToolChoiceWord),
    /// It has to call this one.
    Function(ChosenFunction),
    /// It may call some, or has to.
    Some(ChosenSome),
}

/// Whether the model calls tools, and which, as responses have it.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(example = "auto")]
pub(super) enum ResponseToolChoice {
    /// As it likes, not at all, or it has to.
    Word(ToolChoiceWord),
    /// It has to call this one.
    Tool(ChosenTool),
    /// It may call some, or has to.
    Some(ChosenFlatSome),
}
