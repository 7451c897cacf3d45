//! Models of one's own: making and copying them, and bringing files for them.

use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType};
use utoipa::openapi::{RefOr, Type};

use super::TAG;
use super::told::{OllamaProgress, OllamaPullLine};
use crate::openapi::describe::Described;
use crate::openapi::shared::Texts;
use crate::openapi::words::words;

words! {
    /// Who says a message that chats begin with.
    MadeRole: "system", "user", "assistant";
}

fn object(about: &str, example: Value) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .description(Some(about))
        .examples([example])
        .into()
}

fn files() -> RefOr<Schema> {
    let about = "Files that were brought to `/api/blobs/{digest}`, by their names: one GGUF file, the parts of a split one, or all of a \
                 repository. In place of `from`.";
    let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    object(about, serde_json::json!({"model.gguf": digest}))
}

fn parameters() -> RefOr<Schema> {
    let about = "Parameters as a Modelfile has them. Those that mean nothing here, such as `num_ctx`, are kept, with notice.";
    object(about, serde_json::json!({"temperature": 0.7, "stop": ["x"]}))
}

/// A message that chats begin with.
#[derive(ToSchema)]
#[schema(example = json!({"role": "user", "content": "Who are you?"}))]
pub(super) struct MadeMessage {
    /// Who says it.
    #[schema(inline)]
    role: MadeRole,
    /// What is said.
    #[schema(example = "Who are you?")]
    content: String,
}

/// A model of one's own to be made.
#[derive(ToSchema)]
pub(super) struct OllamaCreateRequest {
    /// Its name.
    #[schema(pattern = r"\S", example = "my-model")]
    model: String,
    /// The model that it is made from.
    #[schema(example = "starter")]
    from: Option<String>,
    #[schema(schema_with = files, required = false)]
    files: Option<Value>,
    /// What it is told about itself.
    #[schema(example = "Be brief.")]
    system: Option<String>,
    /// Its chat template, in Jinja; templates in Go's language are refused.
    #[schema(example = "{% for message in messages %}{{ message.content }}{% endfor %}")]
    template: Option<String>,
    /// Its licences.
    #[schema(example = "MIT")]
    license: Option<Texts>,
    #[schema(schema_with = parameters, required = false)]
    parameters: Option<Value>,
    /// What chats with it begin with.
    messages: Option<Vec<MadeMessage>>,
    /// The type that its weights have: files are not converted, so that none but this is what happens.
    #[schema(example = "f32")]
    quantize: Option<String>,
    /// Whether it is told in lines how far it is: it is unless this is false.
    #[schema(default = true, example = false)]
    stream: Option<bool>,
}

/// A model to be given a further name.
#[derive(ToSchema)]
pub(super) struct OllamaCopyRequest {
    /// The model's name.
    #[schema(pattern = r"\S", example = "starter")]
    source: String,
    /// The further name.
    #[schema(pattern = r"\S", example = "my-model")]
    destination: String,
}

const DIGEST: &str = "The file's SHA-256: `sha256:` and 64 hexadecimal digits.";
const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// Who may make models.
const LEAVE: &str = "Programs on the server's own machine may ask for it, others where it was started with `--create`.";

pub(super) fn operations() -> Vec<Described> {
    vec![
        Described::post::<OllamaCreateRequest>("/api/create", "ollamaCreate", TAG, "Make a model of one's own")
            .about(&format!(
                "From another one, or from files that were brought. Tells in lines of JSON how far it is, unless `stream` is false; what goes \
                 wrong is told in the lines, too, and what there is to know in lines that begin with `note:`. {LEAVE}"
            ))
            .answers::<OllamaProgress>("It is made, or the lines of its making.")
            .lines::<OllamaPullLine>()
            .fails(&[404, 507])
            .refuses(&[("adapters", r#"{"adapter": "sha256:00"}"#), ("modelfile", r#""FROM starter""#)])
            .ignores(&[
                ("parameters.num_ctx", "4096"),
                ("renderer", r#""qwen3-coder""#),
                ("parser", r#""qwen3-coder""#),
                ("requires", r#""0.14.0""#),
            ]),
        Described::post::<OllamaCopyRequest>("/api/copy", "ollamaCopy", TAG, "Give a model a further name")
            .about(LEAVE)
            .answers_nothing("It has both names.")
            .fails(&[404]),
        Described::file("/api/blobs/{digest}", "ollamaPushBlob", TAG, "Bring a file for a model")
            .about(&format!("It goes to the disk while it comes, and is kept if all of it came and has that hash. {LEAVE}"))
            .parameter("digest", DIGEST, EMPTY)
            .answers_nothing("It is here already.")
            .also_nothing(201, "It is here now.")
            .fails(&[507]),
        Described::head("/api/blobs/{digest}", "ollamaHasBlob", TAG, "Say whether a file is here")
            .about(LEAVE)
            .parameter("digest", DIGEST, EMPTY)
            .answers_nothing("It is here.")
            .fails(&[400, 404]),
    ]
}
