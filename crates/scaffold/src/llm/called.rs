//! Grammars of calls: in the way in which the model's own template writes them, with arguments that
//! are valid by the tools' schemas.

use scaffold_error::err;
use scaffold_grammar::{Grammar, Part};
use scaffold_text::{AnswerSyntax, CallForm, CallWriting, Json, Piece, Tokenizer};
use serde_json::{Value, json};

use crate::error::Error;

/// Whether an answer has to call tools.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToolChoice {
    /// As the model likes.
    #[default]
    Auto,
    /// One of the tools, at least.
    Required,
    /// This tool.
    Named(String),
}

/// How a model writes calls, and its tokens.
pub(super) struct Writer<'a> {
    syntax: &'a AnswerSyntax,
    tokenizer: &'a Tokenizer,
}

impl<'a> Writer<'a> {
    pub(super) fn new(syntax: &'a AnswerSyntax, tokenizer: &'a Tokenizer) -> Self {
        Self { syntax, tokenizer }
    }

    /// The grammar of an answer that has to call; `one`: once, and no more.
    pub(super) fn required(
        &self,
        choice: &ToolChoice,
        tools: &[Json],
        one: bool,
    ) -> Result<Grammar, Error> {
        let tools = chosen(choice, tools)?;
        for tool in &tools {
            Grammar::Schema(tool.parameters.clone()).check().map_err(|error| {
                error.prefixed(format!(
                    "the tool {:?} cannot be called by force: its parameters",
                    tool.name
                ))
            })?;
        }
        let mut parts = self.thoughts_in_channels();
        parts.extend(self.calls(&tools, one)?);
        Ok(Grammar::Parts(parts))
    }

    /// The grammar of an answer that is what it is to be, or calls tools instead.
    pub(super) fn either(
        &self,
        answer: Grammar,
        tools: &[Json],
        one: bool,
    ) -> Result<Grammar, Error> {
        let mut tools = chosen(&ToolChoice::Auto, tools)?;
        // Nobody asked for more than that.
        for tool in &mut tools {
            tool.parameters = json!({ "type": "object" });
        }
        let ways = vec![self.calls(&tools, one)?, self.in_channel(answer)];
        let mut parts = self.thoughts_in_channels();
        parts.push(Part::OneOf(ways));
        Ok(Grammar::Parts(parts))
    }

    /// The grammar of an answer, where the model writes it into a channel.
    pub(super) fn answer(&self, answer: Grammar) -> Grammar {
        if !self.syntax.has_channels() {
            return answer;
        }
        let mut parts = self.thoughts_in_channels();
        parts.extend(self.in_channel(answer));
        Grammar::Parts(parts)
    }

    fn in_channel(&self, answer: Grammar) -> Vec<Part> {
        let mut parts = Vec::new();
        if self.syntax.has_channels() {
            parts.extend(self.text("<|channel|>final"));
            parts.push(Part::Optional(self.text(" <|constrain|>json")));
            parts.extend(self.text("<|message|>"));
        }
        parts.push(Part::Grammar(Box::new(answer)));
        parts
    }

    /// Thoughts that stand in a channel of their own, if the model has any.
    fn thoughts_in_channels(&self) -> Vec<Part> {
        if !self.syntax.has_channels() {
            return Vec::new();
        }
        let mut thoughts = self.text("<|channel|>analysis<|message|>");
        thoughts.push(Part::Free);
        thoughts.extend(self.text("<|end|><|start|>assistant"));
        vec![Part::Optional(thoughts)]
    }

    fn calls(&self, tools: &[Tool], one: bool) -> Result<Vec<Part>, Error> {
        let writing = self.syntax.calls();
        let writing = writing
            .ok_or_else(|| err!(Unsupported, "the model's template writes no calls of tools"))?;
        let CallWriting { before, between, after, form } = &writing;
        let mut parts = self.pieces(before);
        let each = tools.iter().map(|tool| self.call(tool, form)).collect::<Result<Vec<_>, _>>()?;
        let call = Part::OneOf(each);
        let listed = matches!(form, CallForm::Object { in_list: true, .. });
        let between = if listed {
            parts.push(Part::Text("[".to_owned()));
            Some(vec![Part::Text(", ".to_owned())])
        } else {
            between.as_ref().map(|between| self.pieces(between))
        };
        parts.push(call.clone());
        if let Some(mut more) = between.filter(|_| !one) {
            more.push(call);
            parts.push(Part::Repeated(more));
        }
        if listed {
            parts.push(Part::Text("]".to_owned()));
        }
        parts.extend(self.pieces(after));
        Ok(parts)
    }

    fn call(&self, tool: &Tool, form: &CallForm) -> Result<Vec<Part>, Error> {
        let schema = |schema: &Value| Part::Grammar(Box::new(Grammar::Schema(schema.clone())));
        Ok(match form {
            CallForm::Object { name, arguments, .. } => {
                object(tool, name, arguments).ok_or_else(cannot_force)?
            }
            CallForm::Named { between } => {
                let mut parts = vec![Part::Text(tool.name.clone())];
                parts.extend(self.pieces(between));
                parts.push(schema(&tool.parameters));
                parts
            }
            CallForm::Marked { after_name, before_key, after_key, after_value, quoted: false } => {
                let mut parts = vec![Part::Text(tool.name.clone())];
                parts.extend(self.pieces(after_name));
                for (key, schema, needed) in tool.arguments()? {
                    let mut argument = self.pieces(before_key);
                    argument.push(Part::Text(key.clone()));
                    argument.extend(self.pieces(after_key));
                    argument.extend(self.value(tool, &key, &schema, after_value.trim_end())?);
                    parts.extend(if needed { argument } else { vec![Part::Optional(argument)] });
                }
                parts
            }
            _ => return Err(cannot_force()),
        })
    }

    /// The value of an argument that is not written as JSON, and what ends it.
    fn value(&self, tool: &Tool, key: &str, schema: &Value, end: &str) -> Result<Vec<Part>, Error> {
        let asked = schema.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        let silent = ["type", "title", "description", "default", "examples"];
        let asks: Vec<&str> = asked.filter(|name| !silent.contains(name)).collect();
        let ends = self.text(end);
        if schema.get("type").is_none_or(|kind| kind != "string") {
            let mut parts = vec![Part::Grammar(Box::new(Grammar::Schema(schema.clone())))];
            parts.extend(ends);
            return Ok(parts);
        }
        let texts = schema.get("enum").and_then(Value::as_array);
        match (asks.as_slice(), texts, ends.as_slice()) {
            ([], _, [Part::Text(end)]) => Ok(vec![Part::Until(end.clone())]),
            ([], _, _) => Ok([vec![Part::Free], ends].concat()),
            (["enum"], Some(texts), _) if texts.iter().all(Value::is_string) => {
                let each = texts.iter().filter_map(Value::as_str).map(|text| vec![Part::Text(text.to_owned())]);
                Ok([vec![Part::OneOf(each.collect())], ends].concat())
            }
            (asks, ..) => Err(err!(
                Unsupported,
                "the tool {:?} cannot be called by force: its parameter {key:?} asks for `{}`, and this model writes texts without \
                 quotes, which are held to nothing but `enum`",
                tool.name,
                asks.join("`, `")
            )
            .of_key("tool_choice")),
        }
    }

    fn pieces(&self, pieces: &[Piece]) -> Vec<Part> {
        let part = |piece: &Piece| match piece {
            Piece::Text(text) => self.text(text),
            Piece::Any => {
                let id = Grammar::Regex("[0-9A-Za-z]{1,9}".to_owned());
                vec![Part::Grammar(Box::new(id))]
            }
        };
        pieces.iter().flat_map(part).collect()
    }

    /// A text with the control tokens in it.
    fn text(&self, text: &str) -> Vec<Part> {
        let ids = self.tokenizer.controls_in(&[text]);
        let named = |&id: &u32| Some((self.tokenizer.id_to_piece(id)?, id));
        let controls: Vec<(String, u32)> = ids.iter().filter_map(named).collect();
        let (mut parts, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            let found = controls
                .iter()
                .filter_map(|(name, id)| Some((rest.find(&**name)?, name.len(), *id)));
            // The first, and of several there the longest.
            let first = found.min_by_key(|&(at, length, _)| (at, std::cmp::Reverse(length)));
            let (end, length) = first.map_or((rest.len(), 0), |(at, length, _)| (at, length));
            if end > 0 {
                parts.push(Part::Text(rest[..end].to_owned()));
            }
            parts.extend(first.map(|(.., id)| Part::Token(id)));
            rest = &rest[end + length..];
        }
        parts
    }
}

fn cannot_force() -> Error {
    err!(
        Unsupported,
        "a call cannot be forced with the way in which this model writes calls: ask with the choice \"auto\""
    )
    .of_key("tool_choice")
}

/// A tool that may be called.
struct Tool {
    name: String,
    parameters: Value,
}

impl Tool {
    /// Its arguments in order: the name, the schema, and whether it is needed.
    fn arguments(&self) -> Result<Vec<(String, Value, bool)>, Error> {
        let properties = self.parameters.get("properties").and_then(Value::as_object);
        let needed: Vec<&str> = self
            .parameters
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let missing =
            needed.iter().find(|name| properties.is_none_or(|known| !known.contains_key(**name)));
        if let Some(missing) = missing {
            return Err(err!(
                Unsupported,
                "the tool {:?} cannot be called by force: it needs {missing:?}, of which its parameters say nothing",
                self.name
            )
            .of_key("tool_choice"));
        }
        let each = properties.into_iter().flatten();
        Ok(each
            .map(|(name, schema)| (name.clone(), schema.clone(), needed.contains(&&**name)))
            .collect())
    }
}

/// The tools that may be called.
fn chosen(choice: &ToolChoice, tools: &[Json]) -> Result<Vec<Tool>, Error> {
    let read = |tool: &Json| {
        let tool = serde_json::to_value(tool).ok()?;
        let function = tool.get("function").unwrap_or(&tool);
        let parameters =
            function.get("parameters").filter(|it| it.as_object().is_some_and(|it| !it.is_empty()));
        let parameters = parameters.cloned().unwrap_or_else(
            || json!({ "type": "object", "properties": {}, "additionalProperties": false }),
        );
        Some(Tool { name: function.get("name")?.as_str()?.to_owned(), parameters })
    };
    let mut tools: Vec<Tool> = tools.iter().filter_map(read).collect();
    if let ToolChoice::Named(name) = choice {
        tools.retain(|tool| tool.name == *name);
    }
    if tools.is_empty() {
        let which = match choice {
            ToolChoice::Named(name) => {
                format!("the tool {name:?} is to be called, and is not among the tools")
            }
            _ => "a tool is to be called, and there are no tools".to_owned(),
        };
        return Err(
            err!(Usage, "{which}: name one of them, or let the model choose").of_key("tool_choice")
        );
    }
    Ok(tools)
}

/// The object that is a call, with name and arguments at these paths, as Python writes JSON.
fn object(tool: &Tool, name: &[String], arguments: &[String]) -> Option<Vec<Part>> {
    /// Stands for the arguments, in which schemas are on their own: their references are.
    const HERE: &str = "ARGUMENTS-9d2f";
    let mut object = Json::Object(Vec::new());
    put(&mut object, name, Json::from(tool.name.as_str()))?;
    put(&mut object, arguments, Json::from(HERE))?;
    let written = object.dumps();
    let (before, after) = written.split_once(&format!("\"{HERE}\""))?;
    let schema = Grammar::Schema(tool.parameters.clone());
    Some(vec![
        Part::Text(before.to_owned()),
        Part::Grammar(Box::new(schema)),
        Part::Text(after.to_owned()),
    ])
}

/// Puts a value into an object, at this path.
fn put(object: &mut Json, path: &[String], value: Json) -> Option<()> {
    let (first, rest) = path.split_first()?;
    let Json::Object(fields) = object else { return None };
    if rest.is_empty() {
        fields.push((first.clone(), value));
        return Some(());
    }
    let at = fields.iter().position(|(key, _)| key == first).unwrap_or_else(|| {
        fields.push((first.clone(), Json::Object(Vec::new())));
        fields.len() - 1
    });
    put(&mut fields[at].1, rest, value)
}
