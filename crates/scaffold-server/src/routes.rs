//! Which path is what.

use crate::call::{Answered, Call};
use crate::{anthropic, ollama, openai, openapi, page, plain, rerank, responses, states};

/// A path, and which methods it takes; a GET takes HEAD, too.
pub(crate) struct Route {
    /// As it is counted; one that ends with `/` has a name behind it.
    pub(crate) path: &'static str,
    pub(crate) methods: &'static str,
    /// Whether anybody may ask without a key.
    pub(crate) is_public: bool,
    endpoint: Endpoint,
}

#[derive(Clone, Copy)]
enum Endpoint {
    Root,
    Page,
    Version,
    Tags,
    Ps,
    Show,
    Generate,
    Chat,
    Embed,
    Embeddings,
    Pull,
    Delete,
    Copy,
    Create,
    Blob,
    Absent,
    Models,
    Model,
    ChatCompletions,
    Messages,
    CountTokens,
    Responses,
    Response,
    Completions,
    OpenAiEmbeddings,
    Rerank,
    TeiEmbed,
    Tokenize,
    Detokenize,
    Render,
    Health,
    Ready,
    Metrics,
    Stages,
    Names,
    Load,
    BeginLoad,
    Unload,
    ModelEvents,
    LlamaEvents,
    OpenApi,
}

const fn route(path: &'static str, methods: &'static str, endpoint: Endpoint) -> Route {
    Route { path, methods, is_public: false, endpoint }
}

const fn public(path: &'static str, endpoint: Endpoint) -> Route {
    Route { path, methods: "GET, HEAD", is_public: true, endpoint }
}

const GET: &str = "GET, HEAD";
const POST: &str = "POST";

static ROUTES: [Route; 50] = [
    public("/", Endpoint::Root),
    public(page::BELOW, Endpoint::Page),
    public("/api/version", Endpoint::Version),
    public("/health", Endpoint::Health),
    public("/ready", Endpoint::Ready),
    public("/openapi.json", Endpoint::OpenApi),
    route("/api/tags", GET, Endpoint::Tags),
    route("/api/ps", GET, Endpoint::Ps),
    route("/api/show", POST, Endpoint::Show),
    route("/api/generate", POST, Endpoint::Generate),
    route("/api/chat", POST, Endpoint::Chat),
    route("/api/embed", POST, Endpoint::Embed),
    route("/api/embeddings", POST, Endpoint::Embeddings),
    route("/api/pull", POST, Endpoint::Pull),
    route("/api/delete", "DELETE", Endpoint::Delete),
    route("/api/copy", POST, Endpoint::Copy),
    route("/api/create", POST, Endpoint::Create),
    route("/api/push", POST, Endpoint::Absent),
    route("/api/blobs/", "POST, HEAD", Endpoint::Blob),
    route("/api/me", POST, Endpoint::Absent),
    route("/api/signout", POST, Endpoint::Absent),
    route("/v1/models", GET, Endpoint::Models),
    route("/models", GET, Endpoint::Models),
    route("/v1/models/events", "GET", Endpoint::ModelEvents),
    route("/models/sse", "GET", Endpoint::LlamaEvents),
    route("/v1/models/", GET, Endpoint::Model),
    route("/v1/load", POST, Endpoint::Load),
    route("/models/load", POST, Endpoint::BeginLoad),
    route("/v1/unload", POST, Endpoint::Unload),
    route("/models/unload", POST, Endpoint::Unload),
    route("/v1/chat/completions", POST, Endpoint::ChatCompletions),
    route("/chat/completions", POST, Endpoint::ChatCompletions),
    route("/v1/messages", POST, Endpoint::Messages),
    route("/v1/messages/count_tokens", POST, Endpoint::CountTokens),
    route("/v1/completions", POST, Endpoint::Completions),
    route("/v1/embeddings", POST, Endpoint::OpenAiEmbeddings),
    route("/embeddings", POST, Endpoint::OpenAiEmbeddings),
    route("/rerank", POST, Endpoint::Rerank),
    route("/v1/rerank", POST, Endpoint::Rerank),
    route("/v2/rerank", POST, Endpoint::Rerank),
    route("/embed", POST, Endpoint::TeiEmbed),
    route("/tokenize", POST, Endpoint::Tokenize),
    route("/detokenize", POST, Endpoint::Detokenize),
    route("/render", POST, Endpoint::Render),
    route("/metrics", GET, Endpoint::Metrics),
    route("/stages", GET, Endpoint::Stages),
    route("/names", GET, Endpoint::Names),
    route("/api/status", GET, Endpoint::Absent),
    route("/v1/responses", POST, Endpoint::Responses),
    route("/v1/responses/", "GET, HEAD, DELETE", Endpoint::Response),
];

/// The route of a path; a slash at its end says nothing.
pub(crate) fn find(path: &str) -> Option<&'static Route> {
    let bare = if path.len() > 1 { path.strip_suffix('/').unwrap_or(path) } else { path };
    ROUTES.iter().find(|route| match route.path.strip_suffix('/') {
        Some(before) if !before.is_empty() => {
            bare.strip_prefix(before).is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
        }
        _ => route.path == bare,
    })
}

impl Route {
    pub(crate) fn takes(&self, method: &str) -> bool {
        self.methods.split(", ").any(|known| known == method)
    }

    /// Whether those ask who look again and again how things are.
    pub(crate) fn is_for_watchers(&self) -> bool {
        use Endpoint::{Health, Metrics, Page, Ready, Stages};
        matches!(self.endpoint, Health | Metrics | Page | Ready | Stages)
    }

    /// Whether it computes with a model: what limits of keys count.
    pub(crate) fn computes(&self) -> bool {
        use Endpoint::{
            Chat, ChatCompletions, Completions, Embed, Embeddings, Generate, Messages,
            OpenAiEmbeddings, Rerank, Responses, TeiEmbed,
        };
        let asks = matches!(
            self.endpoint,
            Chat | ChatCompletions | Completions | Generate | Messages | Responses
        );
        asks || matches!(self.endpoint, Embed | Embeddings | OpenAiEmbeddings | Rerank | TeiEmbed)
    }

    /// Whether bodies are files, which are as long as models and read while they come.
    pub(crate) fn takes_files(&self) -> bool {
        matches!(self.endpoint, Endpoint::Blob)
    }

    /// What is behind the path, where a name is.
    fn rest<'p>(&self, path: &'p str) -> &'p str {
        path.strip_prefix(self.path).unwrap_or_default()
    }

    /// Answers.
    pub(crate) async fn answer(&self, call: &Call) -> Answered {
        match self.endpoint {
            Endpoint::Root if page::is_wanted(&call.headers) => Ok(page::index(&call.headers)),
            Endpoint::Root => Ok(crate::body::text("Ollama is running")),
            Endpoint::Page => page::file(self.rest(&call.path), &call.headers),
            Endpoint::Version => Ok(ollama::listing::version()),
            Endpoint::Tags => ollama::listing::tags(call).await,
            Endpoint::Ps => Ok(ollama::listing::ps(call)),
            Endpoint::Show => ollama::show::show(call).await,
            Endpoint::Generate => ollama::generate::generate(call).await,
            Endpoint::Chat => ollama::chat::chat(call).await,
            Endpoint::Embed => ollama::embed::embed(call).await,
            Endpoint::Embeddings => ollama::embed::embeddings(call).await,
            Endpoint::Pull => ollama::pull::pull(call).await,
            Endpoint::Delete => ollama::manage::delete(call).await,
            Endpoint::Copy => ollama::manage::copy(call).await,
            Endpoint::Create => ollama::create::create(call).await,
            Endpoint::Blob => ollama::blobs::blob(call, self.rest(&call.path)).await,
            Endpoint::Absent => Err(ollama::manage::absent(self.path)),
            Endpoint::Models => openai::models::list(call).await,
            Endpoint::Model => openai::models::one(call, self.rest(&call.path)).await,
            Endpoint::ChatCompletions => openai::chat::chat(call).await,
            Endpoint::Messages => anthropic::messages::messages(call).await,
            Endpoint::CountTokens => anthropic::messages::count(call).await,
            Endpoint::Responses => responses::create::create(call).await,
            Endpoint::Response => responses::kept::response(call, self.rest(&call.path)),
            Endpoint::Completions => openai::completions::completions(call).await,
            Endpoint::OpenAiEmbeddings => openai::embeddings::embeddings(call).await,
            Endpoint::Rerank => rerank::rerank(call).await,
            Endpoint::TeiEmbed => rerank::embed(call).await,
            Endpoint::Tokenize => plain::text::tokenize(call).await,
            Endpoint::Detokenize => plain::text::detokenize(call).await,
            Endpoint::Render => plain::text::render(call).await,
            Endpoint::Health => Ok(plain::health::health()),
            Endpoint::Ready => Ok(plain::health::ready(call)),
            Endpoint::Metrics => Ok(plain::metrics::metrics(call)),
            Endpoint::Stages => Ok(plain::stages::stages(call)),
            Endpoint::Load => states::load::load(call).await,
            Endpoint::BeginLoad => states::load::begin(call).await,
            Endpoint::Unload => states::load::unload(call).await,
            Endpoint::ModelEvents => states::events::own(call),
            Endpoint::LlamaEvents => states::events::llama(call),
            Endpoint::Names => Ok(plain::names::names(call)),
            Endpoint::OpenApi => Ok(openapi::document()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Endpoint, ROUTES, Route, find};
    use crate::openapi;

    /// As the document writes a path: what has a name behind it has a parameter there.
    fn written(route: &Route) -> String {
        match route.path.strip_suffix('/') {
            Some(before) if !before.is_empty() => format!("{before}/{{}}"),
            _ => route.path.to_owned(),
        }
    }

    #[test]
    fn every_path_is_described_and_every_description_has_a_path() {
        let mut here = BTreeSet::new();
        for route in &ROUTES {
            let is_absent = matches!(route.endpoint, Endpoint::Absent);
            for method in route.methods.split(", ") {
                // The document says once that all of them take it.
                if method == "HEAD" && route.takes("GET") {
                    continue;
                }
                here.insert((written(route), method.to_owned(), is_absent, route.is_public));
            }
        }
        let described: BTreeSet<_> = openapi::paths().into_iter().collect();
        let missing: Vec<_> = here.difference(&described).collect();
        let wrong: Vec<_> = described.difference(&here).collect();
        assert!(
            missing.is_empty() && wrong.is_empty(),
            "not described: {missing:#?}, not there: {wrong:#?}"
        );
    }

    #[test]
    fn names_may_have_slashes_and_paths_an_end() {
        let path = |path| find(path).map(|route| route.path);
        assert_eq!(path("/"), Some("/"));
        assert_eq!(path("/api/tags/"), Some("/api/tags"));
        assert_eq!(path("/v1/models/org/name"), Some("/v1/models/"));
        assert_eq!(path("/v1/models/"), Some("/v1/models"));
        assert_eq!(path("/v1/modelsx"), None);
        assert_eq!(path("/api/blobs/sha256:00"), Some("/api/blobs/"));
        assert_eq!(path("/nothing"), None);
    }
}
