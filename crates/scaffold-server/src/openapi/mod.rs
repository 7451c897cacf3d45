//! `GET /openapi.json`: the server described for programs, in OpenAPI 3.1.
//!
//! Requests are read by name ([`Fields`](crate::fields::Fields)) and answers written as JSON where they
//! are made; the types in here are neither, but say what both are. Tests send what they say and read what
//! comes back, so that neither can change alone.

#![expect(dead_code, reason = "the types are there for their schemas: none of them is ever made")]
#![expect(unused_qualifications, reason = "what the macro makes of the types has them")]
#![expect(clippy::struct_field_names, reason = "names of fields are those of the wire")]

mod anthropic;
mod describe;
mod errors;
mod forms;
mod ollama;
mod openai;
mod own;
mod rerank;
mod responses;
mod schemas;
mod shared;
mod states;
mod tidy;
mod words;

use std::sync::LazyLock;

use hyper::body::Bytes;
use serde_json::Value;
use utoipa::PartialSchema as _;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{PathItem, PathsBuilder};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder,
};

use crate::body::{Body, Reply, reply};
use describe::Described;
use schemas::Schemas;
use tidy::tidy;

/// Answers.
pub(crate) fn document() -> Reply {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| value().to_string().into());
    reply(200, "application/json; charset=utf-8", Body::Whole(Some(TEXT.clone())))
}

const ABOUT: &str = "Models on this machine, for clients of Ollama, OpenAI and Anthropic, of rerankers, and a little of its own.\n\n\
    A field that is null is not there. Fields that are not described are accepted, change nothing, and are named in the header \
    `x-scaffold-ignored`. What is refused names its field. What is done in another way than usual is told in the header \
    `x-scaffold-notice`. Every path that takes GET takes HEAD, too, but for streams of models' states.\n\n\
    The schema of an answer in lines (`application/x-ndjson`) is that of a line, and of one in events (`text/event-stream`) that of \
    an event, whose data are JSON.";

const TAGS: [(&str, &str); 5] = [
    (ollama::TAG, "What clients of Ollama ask."),
    (openai::TAG, "What clients of OpenAI ask, with what vLLM and llama.cpp take besides."),
    (anthropic::TAG, "What clients of Anthropic ask."),
    (rerank::TAG, "What clients of rerankers and of text-embeddings-inference ask."),
    (own::TAG, "What is the server's own."),
];

fn operations() -> Vec<Described> {
    let mut all = ollama::operations();
    for more in [
        openai::operations(),
        responses::operations(),
        anthropic::operations(),
        rerank::operations(),
        own::operations(),
        states::operations(),
    ] {
        all.extend(more);
    }
    all
}

/// The document.
fn value() -> Value {
    // All of it is made of texts and numbers, of which JSON can write each.
    let mut document = serde_json::to_value(whole()).unwrap_or_default();
    let schemas = document["components"]["schemas"].as_object_mut();
    schemas.into_iter().flatten().for_each(|(_, schema)| tidy(schema));
    // What is written in its place is not named anywhere.
    let text = document.to_string();
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.retain(|name, _| text.contains(&format!("\"#/components/schemas/{name}\"")));
    }
    document
}

fn whole() -> OpenApi {
    let operations = operations();
    let mut paths = PathsBuilder::new();
    for described in &operations {
        let item = PathItem::new(described.method.clone(), described.operation());
        paths = paths.path(described.path, item);
    }
    let licence =
        LicenseBuilder::new().name("Apache-2.0 OR MIT").identifier(Some("Apache-2.0 OR MIT"));
    let info = InfoBuilder::new()
        .title("Scaffold")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(licence.build()));
    let tags =
        TAGS.map(|(name, about)| TagBuilder::new().name(name).description(Some(about)).build());
    let key = |name| SecurityRequirement::new(name, [] as [&str; 0]);
    OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(components(&operations)))
        .tags(Some(tags))
        // Where the server has no keys, nobody needs one.
        .security(Some([key("bearer"), key("x-api-key"), SecurityRequirement::default()]))
        .build()
}

fn components(operations: &[Described]) -> Components {
    let mut schemas = Schemas::new();
    let mut components = ComponentsBuilder::new();
    for described in operations {
        schemas.extend(described.schemas.iter().cloned());
        for (shape, status) in described.failures() {
            let failure = shape.failure(status, &mut schemas);
            components = components.response(shape.response(status), failure);
        }
    }
    for (name, about) in [
        ("x-request-id", "The request's name, as the client or else the server gave it."),
        ("x-scaffold-version", "The server's version."),
        (
            "x-scaffold-ignored",
            "The fields that were accepted and change nothing, with commas between them.",
        ),
        (
            "x-scaffold-notice",
            "How something was done that could not be done as usual, with semicolons between them.",
        ),
        ("retry-after", "Seconds after which the same request may succeed."),
    ] {
        let header = HeaderBuilder::new().schema(Some(String::schema())).description(Some(about));
        components = components.header(name, header.build());
    }
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A key of `--api-key-file`, where the server has any."));
    let key =
        ApiKeyValue::with_description("x-api-key", "The same, as clients of Anthropic send it.");
    components
        .schemas_from_iter(schemas)
        .security_scheme("bearer", SecurityScheme::Http(bearer.build()))
        .security_scheme("x-api-key", SecurityScheme::ApiKey(ApiKey::Header(key)))
        .build()
}

/// What is described: each path, its parameters without names; its method; whether nothing is done
/// there; whether it needs no key.
#[cfg(test)]
pub(crate) fn paths() -> Vec<(String, String, bool, bool)> {
    let bare = |path: &str| match path.split_once('{') {
        Some((before, _)) => format!("{before}{{}}"),
        None => path.to_owned(),
    };
    let one = |it: &Described| (bare(it.path), it.method_name(), it.is_absent(), it.is_public());
    operations().iter().map(one).collect()
}

#[cfg(test)]
mod tests;
