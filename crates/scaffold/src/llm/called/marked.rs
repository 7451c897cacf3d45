//! Calls whose arguments are written one by one, between marks.

use scaffold_error::err;
use scaffold_grammar::{Grammar, Part};
use scaffold_text::CallForm;
use serde_json::{Map, Value};

use super::tools::Tool;
use super::{Writer, cannot_force};
use crate::error::Error;

/// How texts stand among the arguments of a call.
enum Texts<'a> {
    /// As they are, up to what ends a value.
    Bare { end: &'a str },
    /// As JSON writes them.
    Json,
    /// As Python writes them, in single quotes.
    Python,
    /// Between marks, as they are.
    Between { open: &'a str, close: &'a str },
}

impl Writer<'_> {
    /// A call of this form: its name, and its arguments in the order of the schema.
    pub(super) fn marked(&self, tool: &Tool, form: &CallForm) -> Result<Vec<Part>, Error> {
        let CallForm::Marked { after_name, before_key, after_key, after_value, quotes } = form
        else {
            return Err(cannot_force());
        };
        let end = after_value.trim_end();
        let texts = match quotes {
            None => Texts::Bare { end },
            Some((open, close)) => match (open.trim(), close.trim()) {
                ("\"", "\"") => Texts::Json,
                ("'", "'") => Texts::Python,
                (open, close) => Texts::Between { open, close },
            },
        };
        let mut arguments = Vec::new();
        for (key, schema, needed) in tool.arguments()? {
            let mut argument = self.pieces(before_key);
            argument.push(Part::Text(key.clone()));
            argument.extend(self.pieces(after_key));
            argument.extend(self.value(tool, &key, &schema, &texts)?);
            arguments.push((argument, needed));
        }
        let mut parts = vec![Part::Text(tool.name.clone())];
        parts.extend(self.pieces(after_name));
        parts.extend(match texts {
            // Each value has an end of its own.
            Texts::Bare { .. } => arguments
                .into_iter()
                .flat_map(|(argument, needed)| once(argument, needed))
                .collect(),
            _ => joined(&arguments, &self.text(after_value)),
        });
        Ok(parts)
    }

    /// The value of an argument.
    fn value(
        &self,
        tool: &Tool,
        key: &str,
        schema: &Value,
        texts: &Texts<'_>,
    ) -> Result<Vec<Part>, Error> {
        let json = |schema: Value| Part::Grammar(Box::new(Grammar::Schema(schema)));
        let ends = match texts {
            Texts::Bare { end } => self.text(end),
            _ => Vec::new(),
        };
        let (text, others) = types(schema);
        let wrong = |asks: String| wrong(tool, key, &asks);
        let mut ways = Vec::new();
        if text {
            ways.push(match texts {
                Texts::Json => vec![json(of_type(schema, vec!["string".into()]))],
                Texts::Python => vec![python(schema).map_err(wrong)?],
                Texts::Bare { end } => self.until(schema, end.trim()).map_err(wrong)?,
                Texts::Between { open, close } => {
                    let mut parts = self.text(open);
                    parts.extend(self.until(schema, close).map_err(wrong)?);
                    parts
                }
            });
        }
        // Between no quotes each value is a text, too, if it may be one.
        if !text || !(others.is_empty() || matches!(texts, Texts::Bare { .. })) {
            let schema = if text { of_type(schema, others) } else { schema.clone() };
            ways.push([vec![json(schema)], ends].concat());
        }
        Ok(if ways.len() == 1 { ways.remove(0) } else { vec![Part::OneOf(ways)] })
    }

    /// A text as it is, up to what ends it, and that.
    fn until(&self, schema: &Value, end: &str) -> Result<Vec<Part>, String> {
        let ends = self.text(end);
        let (asks, texts) = asked(schema);
        match (asks.as_slice(), texts, ends.as_slice()) {
            (["enum" | "const"], Some(texts), _) => {
                let each = texts.into_iter().map(|text| vec![Part::Text(text)]).collect();
                Ok([vec![Part::OneOf(each)], ends].concat())
            }
            ([], _, [Part::Text(end)]) => Ok(vec![Part::Until(end.clone())]),
            ([], ..) => Ok([vec![Part::Free], ends].concat()),
            (asks, ..) => Err(asks.join("`, `")),
        }
    }
}

/// What is there, or may be.
fn once(argument: Vec<Part>, needed: bool) -> Vec<Part> {
    if needed { argument } else { vec![Part::Optional(argument)] }
}

/// Arguments with something between each two of them, whichever are there.
fn joined(arguments: &[(Vec<Part>, bool)], between: &[Part]) -> Vec<Part> {
    let behind = |rest: &[(Vec<Part>, bool)]| -> Vec<Part> {
        let with = |argument: &Vec<Part>| [between.to_vec(), argument.clone()].concat();
        rest.iter().flat_map(|(argument, needed)| once(with(argument), *needed)).collect()
    };
    // Each of those up to the first that has to be there may be the first one.
    let last = arguments.iter().position(|(_, needed)| *needed).unwrap_or(arguments.len());
    let mut ways: Vec<Vec<Part>> = arguments
        .iter()
        .enumerate()
        .take(last + 1)
        .map(|(at, (argument, _))| [argument.clone(), behind(&arguments[at + 1..])].concat())
        .collect();
    if last == arguments.len() {
        ways.push(Vec::new());
    }
    if ways.len() == 1 { ways.remove(0) } else { vec![Part::OneOf(ways)] }
}

/// Whether a value may be a text, by its `type`, and which other types it may be of.
fn types(schema: &Value) -> (bool, Vec<Value>) {
    match schema.get("type") {
        Some(Value::Array(all)) => {
            let (texts, others): (Vec<Value>, Vec<Value>) =
                all.iter().cloned().partition(|one| one == "string");
            (!texts.is_empty(), others)
        }
        one => (one.is_some_and(|one| one == "string"), Vec::new()),
    }
}

/// The same schema for values of these types.
fn of_type(schema: &Value, types: Vec<Value>) -> Value {
    let mut object: Map<String, Value> = schema.as_object().cloned().unwrap_or_default();
    object.insert("type".to_owned(), types.into());
    Value::Object(object)
}

/// What a schema asks of a text, and the texts that it names.
fn asked(schema: &Value) -> (Vec<&str>, Option<Vec<String>>) {
    let silent = ["type", "title", "description", "default", "examples", "$defs", "definitions"];
    let names = schema.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let asks: Vec<&str> = names.filter(|name| !silent.contains(name)).collect();
    let all = match (schema.get("enum"), schema.get("const")) {
        (Some(Value::Array(all)), None) => all.clone(),
        (None, Some(one)) => vec![one.clone()],
        _ => return (asks, None),
    };
    let texts: Vec<String> = all.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    // Others are of another type, and of that as JSON has them.
    (asks, (!texts.is_empty()).then_some(texts))
}

/// A text as Python writes it.
fn python(schema: &Value) -> Result<Part, String> {
    let (asks, texts) = asked(schema);
    if let (["enum" | "const"], Some(texts)) = (asks.as_slice(), texts) {
        let quoted = |text: String| {
            let text = text
                .replace('\\', "\\\\")
                .replace('\'', "\\'")
                .replace('\n', "\\n")
                .replace('\r', "\\r")
                .replace('\t', "\\t");
            vec![Part::Text(format!("'{text}'"))]
        };
        return Ok(Part::OneOf(texts.into_iter().map(quoted).collect()));
    }
    let count = |name: &str| schema.get(name).and_then(Value::as_u64);
    if !asks.iter().all(|name| matches!(*name, "minLength" | "maxLength")) {
        return Err(asks.join("`, `"));
    }
    let (least, most) = (count("minLength").unwrap_or(0), count("maxLength"));
    let most = most.map(|most| most.to_string()).unwrap_or_default();
    let letter = r"(?:[^'\\\x00-\x1F\x7F]|\\['\\nrt])";
    Ok(Part::Grammar(Box::new(Grammar::Regex(format!("'{letter}{{{least},{most}}}'")))))
}

fn wrong(tool: &Tool, key: &str, asks: &str) -> Error {
    err!(
        Unsupported,
        "calls of the tool {:?} cannot be held to its parameters: {key:?} asks for `{asks}`, and the texts that this model writes into \
         calls are held to nothing but `enum`, `const` and, in single quotes, `minLength` and `maxLength`",
        tool.name
    )
    .of_key("tool_choice")
}
