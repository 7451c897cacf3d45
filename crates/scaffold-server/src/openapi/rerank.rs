//! Rankings and embeddings, as rerankers' clients ask for them.

use utoipa::ToSchema;

use super::describe::Described;
use super::errors::Shape;
use super::shared::{ListWord, Texts};

pub(super) const TAG: &str = "Rankings";

/// An object with a text.
#[derive(ToSchema)]
pub(super) struct RerankObject {
    /// The text.
    #[schema(example = "The river is long.")]
    text: String,
}

/// A document: a text, or an object with one.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(example = "The river is long.")]
pub(super) enum RerankDocument {
    /// A text.
    Text(String),
    /// An object with a text.
    Object(RerankObject),
}

/// Documents to be ranked, as Jina, Cohere and vLLM have it.
#[derive(ToSchema)]
pub(super) struct RerankDocumentsRequest {
    /// The model's name.
    #[schema(pattern = r"\S", example = "org/reranker")]
    model: String,
    /// What is looked for.
    #[schema(example = "How long is the river?")]
    query: String,
    /// What is ranked; each is cut where it is too long.
    #[schema(max_items = 8192)]
    documents: Vec<RerankDocument>,
    /// How many are given back, at most.
    #[schema(minimum = 0, example = 1)]
    top_n: Option<usize>,
    /// Whether the documents are given back.
    #[schema(default = true, example = false)]
    return_documents: Option<bool>,
    /// Whether scores are the model's own numbers, in place of numbers from 0 to 1.
    #[schema(default = false, example = true)]
    raw_scores: Option<bool>,
}

/// Texts to be ranked, as text-embeddings-inference has it.
#[derive(ToSchema)]
pub(super) struct RerankTextsRequest {
    /// The model's name; it may be left out where the server was started with one model alone.
    #[schema(pattern = r"\S", example = "org/reranker")]
    model: Option<String>,
    /// What is looked for.
    #[schema(example = "How long is the river?")]
    query: String,
    /// What is ranked.
    #[schema(max_items = 8192, example = json!(["The river is long."]))]
    texts: Vec<String>,
    /// Whether scores are the model's own numbers, in place of numbers from 0 to 1.
    #[schema(default = false, example = true)]
    raw_scores: Option<bool>,
    /// Whether the texts are given back.
    #[schema(default = false, example = true)]
    return_text: Option<bool>,
    /// Whether texts that are too long are cut.
    #[schema(default = false, example = true)]
    truncate: Option<bool>,
}

/// Documents or texts to be ranked.
#[derive(ToSchema)]
#[serde(untagged)]
pub(super) enum RerankRequest {
    /// As Jina, Cohere and vLLM have it.
    Documents(RerankDocumentsRequest),
    /// As text-embeddings-inference has it.
    Texts(RerankTextsRequest),
}

/// Tokens of a ranking.
#[derive(ToSchema)]
pub(super) struct RerankUsage {
    /// Tokens of query and documents.
    #[schema(example = 20)]
    prompt_tokens: usize,
    /// The same.
    #[schema(example = 20)]
    total_tokens: usize,
}

/// A document in its place.
#[derive(ToSchema)]
pub(super) struct RerankResult {
    /// The document's number in the request.
    #[schema(example = 0)]
    index: usize,
    /// How well it goes with the query.
    #[schema(example = 0.9)]
    relevance_score: f32,
    /// The document.
    #[schema(required = false)]
    document: RerankObject,
}

/// Documents, the best first.
#[derive(ToSchema)]
pub(super) struct RerankDocumentsAnswer {
    /// Its name.
    #[schema(example = "rerank-5f1a")]
    id: String,
    /// Always `list`.
    #[schema(inline)]
    object: ListWord,
    /// The model's name, as it was asked for.
    #[schema(example = "org/reranker")]
    model: String,
    /// How many tokens there were.
    usage: RerankUsage,
    /// The documents, the best first.
    results: Vec<RerankResult>,
}

/// A text in its place.
#[derive(ToSchema)]
pub(super) struct RerankText {
    /// The text's number in the request.
    #[schema(example = 0)]
    index: usize,
    /// How well it goes with the query.
    #[schema(example = 0.9)]
    score: f32,
    /// The text.
    #[schema(required = false, example = "The river is long.")]
    text: String,
}

/// What is ranked, the best first.
#[derive(ToSchema)]
#[serde(untagged)]
pub(super) enum RerankAnswer {
    /// To `documents`.
    Documents(RerankDocumentsAnswer),
    /// To `texts`.
    Texts(Vec<RerankText>),
}

/// Texts to be embedded, as text-embeddings-inference has it.
#[derive(ToSchema)]
pub(super) struct TeiEmbedRequest {
    /// The model's name; it may be left out where the server was started with one model alone.
    #[schema(pattern = r"\S", example = "all-minilm")]
    model: Option<String>,
    /// A text, or up to 8192.
    #[schema(example = "A sentence.")]
    inputs: Texts,
    /// Whether texts that are too long are cut.
    #[schema(default = false, example = true)]
    truncate: Option<bool>,
    /// Whether vectors have length 1.
    #[schema(default = true, example = false)]
    normalize: Option<bool>,
    /// How many numbers of each vector are kept.
    #[schema(minimum = 1, example = 4)]
    dimensions: Option<usize>,
}

/// A vector for each text.
#[derive(ToSchema)]
#[schema(example = json!([[0.6, 0.8]]))]
pub(super) struct TeiVectors(Vec<Vec<f32>>);

pub(super) fn operations() -> Vec<Described> {
    let rerank = Described::post::<RerankRequest>("/rerank", "rerank", TAG, "Rank documents")
        .about("With `documents` as Jina, Cohere and vLLM have it, with `texts` as text-embeddings-inference has it.")
        .answers::<RerankAnswer>("What is ranked, the best first.")
        .with_model()
        .shape(Shape::Rerank);
    let embed = Described::post::<TeiEmbedRequest>("/embed", "embed", TAG, "Embed texts")
        .about("As text-embeddings-inference has it.")
        .answers::<TeiVectors>("A vector for each text.")
        .with_model();
    vec![rerank.at("/v1/rerank", "rerankV1"), rerank.at("/v2/rerank", "rerankV2"), rerank, embed]
}
