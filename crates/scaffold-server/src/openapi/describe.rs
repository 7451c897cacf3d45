//! How an operation is described: what is asked, what is answered, what goes wrong, and which fields
//! have no effect or are refused.

use serde_json::{Map, Value};
use utoipa::openapi::extensions::{Extensions, ExtensionsBuilder};
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::{
    Content, HttpMethod, KnownFormat, ObjectBuilder, Ref, RefOr, Required, Response, Schema,
    SchemaFormat, Type,
};
use utoipa::{PartialSchema as _, ToSchema};

use super::errors::Shape;
use super::schemas::{Schemas, named};

/// A field and a value of it, in JSON.
pub(super) type Fields = &'static [(&'static str, &'static str)];

/// An operation: a path with a method.
pub(super) struct Described {
    /// As OpenAPI writes it: `/v1/models/{model}`.
    pub(super) path: &'static str,
    pub(super) method: HttpMethod,
    pub(super) schemas: Schemas,
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    about: String,
    body: Option<RequestBody>,
    parameters: Vec<Parameter>,
    /// What it answers, unless it is there to refuse.
    answer: Option<Response>,
    shape: Shape,
    failing: Vec<u16>,
    also: Vec<(u16, Response)>,
    is_public: bool,
    refused: Vec<Fields>,
    ignored: Vec<Fields>,
    may_notice: bool,
}

impl Described {
    fn new(
        method: HttpMethod,
        path: &'static str,
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
    ) -> Self {
        let shape = Shape::of(path);
        Self {
            path,
            method,
            id,
            tag,
            summary,
            schemas: Vec::new(),
            about: String::new(),
            body: None,
            parameters: Vec::new(),
            answer: None,
            shape,
            failing: vec![401, 403, 500, 503],
            also: Vec::new(),
            is_public: false,
            refused: Vec::new(),
            ignored: Vec::new(),
            may_notice: false,
        }
    }

    pub(super) fn get(
        path: &'static str,
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
    ) -> Self {
        Self::new(HttpMethod::Get, path, id, tag, summary)
    }

    pub(super) fn post<T: ToSchema>(
        path: &'static str,
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
    ) -> Self {
        Self::new(HttpMethod::Post, path, id, tag, summary).body::<T>()
    }

    pub(super) fn delete<T: ToSchema>(
        path: &'static str,
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
    ) -> Self {
        Self::new(HttpMethod::Delete, path, id, tag, summary).body::<T>()
    }

    /// Says whether something is there, with its status alone.
    pub(super) fn head(
        path: &'static str,
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
    ) -> Self {
        Self::new(HttpMethod::Head, path, id, tag, summary)
    }

    /// Removes what the path names.
    pub(super) fn delete_named(
        path: &'static str,
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
    ) -> Self {
        Self::new(HttpMethod::Delete, path, id, tag, summary)
    }

    /// Takes a file, which is the body.
    pub(super) fn file(
        path: &'static str,
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
    ) -> Self {
        let bytes = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
        let content = Content::new(Some(Schema::from(bytes.build())));
        let mut described = Self::new(HttpMethod::Post, path, id, tag, summary);
        // A file may be empty.
        let mut body = body_of("application/octet-stream", content);
        body.required = Some(Required::False);
        described.body = Some(body);
        described.fails(&[400, 408, 413])
    }

    /// A path that is there to say why nothing is done at it.
    pub(super) fn absent(
        method: HttpMethod,
        path: &'static str,
        id: &'static str,
        tag: &'static str,
    ) -> Self {
        Self::new(method, path, id, tag, "Not done here")
    }

    /// Whether nothing is done at this path but saying why.
    #[cfg(test)]
    pub(super) fn is_absent(&self) -> bool {
        self.answer.is_none()
    }

    #[cfg(test)]
    pub(super) fn is_public(&self) -> bool {
        self.is_public
    }

    #[cfg(test)]
    pub(super) fn method_name(&self) -> String {
        let name = serde_json::to_value(&self.method).unwrap();
        name.as_str().unwrap().to_uppercase()
    }

    fn body<T: ToSchema>(mut self) -> Self {
        let schema = named::<T>(&mut self.schemas);
        self.body = Some(body_of("application/json", Content::new(Some(schema))));
        self.fails(&[400, 408, 413])
    }

    /// The same at another path.
    pub(super) fn at(&self, path: &'static str, id: &'static str) -> Self {
        Self {
            path,
            id,
            method: self.method.clone(),
            schemas: Vec::new(),
            about: self.about.clone(),
            body: self.body.clone(),
            parameters: self.parameters.clone(),
            answer: self.answer.clone(),
            failing: self.failing.clone(),
            also: self.also.clone(),
            refused: self.refused.clone(),
            ignored: self.ignored.clone(),
            ..*self
        }
    }

    /// More about it, after the summary.
    pub(super) fn about(mut self, text: &str) -> Self {
        text.clone_into(&mut self.about);
        self
    }

    /// It needs no key, and answers while the server is being stopped.
    pub(super) fn public(mut self) -> Self {
        self.is_public = true;
        self.failing.retain(|status| !matches!(status, 401 | 503));
        self
    }

    /// It needs a model in memory.
    pub(super) fn with_model(self) -> Self {
        self.fails(&[404, 429, 499])
    }

    pub(super) fn fails(mut self, statuses: &[u16]) -> Self {
        self.failing.extend(statuses);
        self.failing.sort_unstable();
        self.failing.dedup();
        self
    }

    /// Its errors have this shape, whatever its path says.
    pub(super) fn shape(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    /// A part of the path.
    pub(super) fn parameter(mut self, name: &str, about: &str, example: &str) -> Self {
        let text = String::schema();
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some(about))
            .schema(Some(text))
            .example(Some(example.into()));
        self.parameters.push(parameter.build());
        self
    }

    /// A parameter behind the path, which may be left out.
    pub(super) fn query(mut self, name: &str, about: &str, schema: impl Into<Schema>) -> Self {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(about))
            .schema(Some(schema.into()));
        self.parameters.push(parameter.build());
        self
    }

    /// What it answers, in JSON.
    pub(super) fn answers<T: ToSchema>(self, about: &str) -> Self {
        self.answers_as::<T>("application/json", about)
    }

    /// What it answers, in this type.
    pub(super) fn answers_as<T: ToSchema>(mut self, content_type: &str, about: &str) -> Self {
        let schema = named::<T>(&mut self.schemas);
        self.answer = Some(Response::new(about));
        self.add(content_type, Content::new(Some(schema)));
        self
    }

    /// What it answers, in words of these types.
    pub(super) fn answers_text(mut self, content_types: &[&str], about: &str) -> Self {
        self.answer = Some(Response::new(about));
        for content_type in content_types {
            self.add(content_type, Content::new(Some(String::schema())));
        }
        self
    }

    /// It answers with its status alone.
    pub(super) fn answers_nothing(mut self, about: &str) -> Self {
        self.answer = Some(Response::new(about));
        self
    }

    /// What each line of its answer is where that comes in lines.
    pub(super) fn lines<T: ToSchema>(mut self) -> Self {
        let schema = named::<T>(&mut self.schemas);
        self.add("application/x-ndjson", Content::new(Some(schema)));
        self
    }

    /// What the data of each event of its answer are where that comes in events.
    /// The last one may be a word.
    pub(super) fn events<T: ToSchema>(mut self, last: Option<&str>) -> Self {
        let name = ObjectBuilder::new().schema_type(Type::String).description(Some(
            "What the event is called, where it has a name: the `type` of its data.",
        ));
        let value = ObjectBuilder::new()
            .schema_type(Type::String)
            .content_media_type("application/json")
            .content_schema(Some(named::<T>(&mut self.schemas)));
        let mut data = AnyOfBuilder::new().item(value).description(Some("JSON."));
        if let Some(word) = last {
            let end = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([word]));
            data = data.item(end).description(Some(format!("JSON; {word} at the end.")));
        }
        let event =
            ObjectBuilder::new().property("event", name).property("data", data).required("data");
        self.add("text/event-stream", Content::new(Some(Schema::from(event.build()))));
        self
    }

    /// What the data of each event of its answer are, which always comes in events.
    pub(super) fn answers_events<T: ToSchema>(mut self, about: &str, last: Option<&str>) -> Self {
        self.answer = Some(Response::new(about));
        self.events::<T>(last)
    }

    fn add(&mut self, content_type: &str, content: Content) {
        let answer = self.answer.get_or_insert_default();
        answer.content.insert(content_type.to_owned(), RefOr::T(content));
    }

    /// Another answer that is its status alone.
    pub(super) fn also_nothing(mut self, status: u16, about: &str) -> Self {
        self.also.push((status, Response::new(about)));
        self
    }

    /// Another answer that is none of the common ones.
    pub(super) fn also<T: ToSchema>(mut self, status: u16, about: &str) -> Self {
        let schema = named::<T>(&mut self.schemas);
        let mut answer = Response::new(about);
        answer.content.insert("application/json".to_owned(), RefOr::T(Content::new(Some(schema))));
        self.failing.retain(|known| *known != status);
        self.also.push((status, answer));
        self
    }

    /// Something may be done in another way than usual, and is told beside the answer.
    pub(super) fn notices(mut self) -> Self {
        self.may_notice = true;
        self
    }

    /// Fields, or values of fields, that are refused.
    pub(super) fn refuses(mut self, fields: Fields) -> Self {
        self.refused.push(fields);
        self
    }

    /// Fields, or values of fields, that change nothing.
    pub(super) fn ignores(mut self, fields: Fields) -> Self {
        self.ignored.push(fields);
        self
    }

    /// As OpenAPI has it.
    pub(super) fn operation(&self) -> OperationBuilder {
        let mut operation = OperationBuilder::new()
            .tag(self.tag)
            .operation_id(Some(self.id))
            .summary(Some(self.summary))
            .description(Some(self.words()))
            .extensions(self.extensions());
        if let Some(answer) = &self.answer {
            operation = operation.response("200", self.with_headers(answer));
        }
        for parameter in &self.parameters {
            operation = operation.parameter(parameter.clone());
        }
        operation = operation.request_body(self.body.clone());
        for (status, answer) in &self.also {
            operation = operation.response(status.to_string(), answer.clone());
        }
        for status in &self.failing {
            let name = self.shape.response(*status);
            operation = operation.response(status.to_string(), Ref::from_response_name(name));
        }
        if self.is_public {
            operation = operation.securities(Some([]));
        }
        operation
    }

    fn with_headers(&self, answer: &Response) -> Response {
        let mut answer = answer.clone();
        let can_ignore = self.parameters.iter().any(|it| it.parameter_in == ParameterIn::Query);
        let ignored = (self.body.is_some() || can_ignore).then_some("x-scaffold-ignored");
        let notice = self.may_notice.then_some("x-scaffold-notice");
        let always = ["x-request-id", "x-scaffold-version"];
        for name in always.into_iter().chain(ignored).chain(notice) {
            answer.headers.insert(name.to_owned(), header_ref(name));
        }
        answer
    }

    /// Where the errors of these statuses are described.
    pub(super) fn failures(&self) -> impl Iterator<Item = (Shape, u16)> + '_ {
        self.failing.iter().map(|status| (self.shape, *status))
    }

    fn words(&self) -> String {
        let mut words = vec![self.about.clone()];
        let list = |fields: &[Fields]| {
            let names = examples(fields);
            names.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        };
        if !self.refused.is_empty() {
            words.push(format!(
                "Refused, in general or with the values of `{REFUSED}`: {}.",
                list(&self.refused)
            ));
        }
        if !self.ignored.is_empty() {
            words.push(format!(
                "Accepted without effect, and named in the header `x-scaffold-ignored`: {}, and every field that is not described.",
                list(&self.ignored)
            ));
        }
        words.retain(|text| !text.is_empty());
        words.join("\n\n")
    }

    fn extensions(&self) -> Option<Extensions> {
        let mut extensions = ExtensionsBuilder::new();
        for (name, fields) in [(REFUSED, &self.refused), (IGNORED, &self.ignored)] {
            if !fields.is_empty() {
                extensions = extensions.add(name, Value::Object(examples(fields)));
            }
        }
        let is_empty = self.refused.is_empty() && self.ignored.is_empty();
        (!is_empty).then(|| extensions.build())
    }
}

/// A body that has to be there.
fn body_of(content_type: &str, content: Content) -> RequestBody {
    RequestBodyBuilder::new().content(content_type, content).required(Some(Required::True)).build()
}

/// Fields with values that are refused.
const REFUSED: &str = "x-scaffold-refused";
/// Fields with values that change nothing.
const IGNORED: &str = "x-scaffold-ignored";

fn header_ref(name: &str) -> RefOr<utoipa::openapi::Header> {
    RefOr::Ref(Ref::new(format!("#/components/headers/{name}")))
}

/// The fields, each with its values.
fn examples(fields: &[Fields]) -> Map<String, Value> {
    let mut examples = Map::new();
    for (name, value) in fields.iter().copied().flatten() {
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(*value));
        let values = examples.entry(*name).or_insert_with(|| Value::Array(Vec::new()));
        values.as_array_mut().into_iter().for_each(|values| values.push(value.clone()));
    }
    examples
}
