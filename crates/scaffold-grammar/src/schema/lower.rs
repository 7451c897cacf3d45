//! Writes a schema anew, with what is followed and nothing else.

use std::collections::HashMap;

use scaffold_error::{Error, err};
use serde_json::{Map, Value, json};

use super::check::{self, TYPES};
use super::choice;
use super::formats::{self, FORMATS, format, integers};
use super::keywords::{Keyword, keyword};
use super::needs;
use super::objects;
use super::place::Place;
use super::reference::resolve;
use super::values;
use super::walk::{Object, Walk, check_least, has_applicator, pattern_of};
use crate::limits;
use crate::pattern::of_schema;

/// The drafts whose keywords are known, without their scheme and a `#` at the end.
const DRAFTS: [&str; 5] = [
    "json-schema.org/draft/2020-12/schema",
    "json-schema.org/draft/2019-09/schema",
    "json-schema.org/draft-07/schema",
    "json-schema.org/draft-06/schema",
    "json-schema.org/draft-04/schema",
];

/// A schema on its way.
pub(super) struct Lowering<'s> {
    root: &'s Value,
    /// What references mean, by their names here.
    pub(super) definitions: Map<String, Value>,
    names: HashMap<(String, bool), String>,
    /// Where each stands, its name, and whether it is all that is said of its values.
    pending: Vec<(String, String, bool)>,
    /// Whether the schema that comes next is all that is said of its values.
    alone: bool,
    schemas: usize,
    pub(super) one_of: Vec<String>,
    pub(super) counted: Vec<String>,
}

impl<'s> Lowering<'s> {
    pub(super) fn new(root: &'s Value) -> Result<Self, Error> {
        limits::check_bytes("the schema", size(root, 0)?, limits::TEXT)?;
        let draft = root.get("$schema").and_then(Value::as_str);
        if let Some(draft) = draft {
            let named = draft.trim_end_matches('#');
            let named = named.strip_prefix("https://").or(named.strip_prefix("http://"));
            if !named.is_some_and(|named| DRAFTS.contains(&named)) {
                let words = format!(
                    "names the draft {draft:?}, which is not known: accepted are {}",
                    DRAFTS.join(", ")
                );
                return Err(Place::root().at("$schema").wrong(words));
            }
        }
        Ok(Self {
            root,
            definitions: Map::new(),
            names: HashMap::new(),
            pending: Vec::new(),
            alone: true,
            schemas: 0,
            one_of: Vec::new(),
            counted: Vec::new(),
        })
    }

    /// The whole schema, and all that it refers to.
    pub(super) fn root(&mut self) -> Result<Value, Error> {
        let lowered = self.schema(self.root, &Place::root(), 0)?;
        while let Some((pointer, name, alone)) = self.pending.pop() {
            self.alone = alone;
            let target = self.root.pointer(&pointer).unwrap_or(&Value::Null);
            let lowered = self.schema(target, &Place::of(&pointer), 0)?;
            self.definitions.insert(name, lowered);
        }
        Ok(lowered)
    }

    /// What a reference becomes: a name among the definitions.
    fn reference(&mut self, reference: &str, at: &Place, alone: bool) -> Result<Value, Error> {
        let mut pointer = resolve(self.root, reference)
            .map_err(|why| at.wrong(format!("refers to nothing here: {why}")))?;
        // What refers to a reference alone refers to its end.
        for _ in 0..=limits::SCHEMAS {
            let target = self.root.pointer(&pointer).unwrap_or(&Value::Null);
            let lonely = target.as_object().filter(|object| object.len() == 1);
            let Some(next) = lonely.and_then(|object| object.get("$ref")?.as_str()) else {
                let count = self.names.len();
                let name = self.names.entry((pointer.clone(), alone)).or_insert_with(|| {
                    self.pending.push((pointer, count.to_string(), alone));
                    count.to_string()
                });
                return Ok(Value::from(format!("#/$defs/{name}")));
            };
            pointer = resolve(self.root, next)
                .map_err(|why| at.wrong(format!("refers to nothing here: {why}")))?;
        }
        Err(at.wrong("refers to itself, through references alone, and so to nothing"))
    }

    /// Schemas of one value; `alone`: each is all that is said of it.
    fn list(
        &mut self,
        value: &Value,
        at: &Place,
        depth: usize,
        alone: bool,
    ) -> Result<Vec<Value>, Error> {
        let items = value.as_array().filter(|items| !items.is_empty());
        let items =
            items.ok_or_else(|| at.wrong("has to be a list of schemas, of one at least"))?;
        let before = std::mem::replace(&mut self.alone, alone);
        let lowered: Result<Vec<Value>, Error> = items
            .iter()
            .enumerate()
            .map(|(index, item)| self.schema(item, &at.at(index), depth + 1))
            .collect();
        self.alone = before;
        lowered
    }

    /// Alternatives of which one alone may be right: those that are seen to be apart are any.
    fn one_of(
        &mut self,
        value: &Value,
        at: &Place,
        depth: usize,
        sole: bool,
        out: &mut Object,
    ) -> Result<(), Error> {
        let told = value.as_array().and_then(|all| choice::told_apart(self.root, all));
        // What else is valid counts where nothing tells them apart.
        let all = self.list(value, at, depth, sole && told.is_some())?;
        let Some(besides) = told else {
            self.one_of.push(at.to_string());
            out.insert("oneOf".to_owned(), Value::from(all));
            return Ok(());
        };
        let with = |(one, besides): (Value, Option<Value>)| match besides {
            Some(besides) => json!({ "allOf": [one, besides] }),
            None => one,
        };
        let all: Vec<Value> = all.into_iter().zip(besides).map(with).collect();
        also(out, vec![json!({ "anyOf": all })]);
        Ok(())
    }

    /// What is asked of arrays.
    fn array(
        &mut self,
        object: &Object,
        place: &Place,
        depth: usize,
        out: &mut Object,
    ) -> Result<(), Error> {
        let (mut prefix, mut items) = (object.get("prefixItems"), object.get("items"));
        let mut at = place.at("items");
        let mut prefix_at = place.at("prefixItems");
        if prefix.is_none() && items.is_some_and(Value::is_array) {
            // As drafts before 2020-12 write it.
            (prefix, items) = (items, object.get("additionalItems"));
            (prefix_at, at) = (place.at("items"), place.at("additionalItems"));
        }
        if let Some(rest) =
            object.get("unevaluatedItems").filter(|rest| **rest != Value::Bool(true))
        {
            if items.is_some() || has_applicator(object) {
                let words = "items that other schemas have seen are not told apart: use `items`";
                return Err(place.at("unevaluatedItems").unsupported("unevaluatedItems", words));
            }
            (items, at) = (Some(rest), place.at("unevaluatedItems"));
        }
        if let Some(prefix) = prefix {
            let list =
                prefix.as_array().ok_or_else(|| prefix_at.wrong("has to be a list of schemas"))?;
            let lowered = list
                .iter()
                .enumerate()
                .map(|(index, item)| self.schema(item, &prefix_at.at(index), depth + 1));
            let lowered = lowered.collect::<Result<Vec<_>, _>>()?;
            out.insert("prefixItems".to_owned(), Value::from(lowered));
        }
        if let Some(items) = items {
            let lowered = self.schema(items, &at, depth + 1)?;
            out.insert("items".to_owned(), lowered);
        }
        let unique = object.get("uniqueItems");
        let single = object.get("maxItems").and_then(Value::as_f64).is_some_and(|most| most <= 1.0);
        if unique == Some(&Value::Bool(true)) && !single {
            let words = "items are not compared with each other. Leave it out, and look for equal items in the answer yourself";
            return Err(place.at("uniqueItems").unsupported("uniqueItems", words));
        }
        Ok(())
    }
}

impl Walk for Lowering<'_> {
    fn schema(&mut self, schema: &Value, place: &Place, depth: usize) -> Result<Value, Error> {
        self.schemas += 1;
        if depth > limits::DEPTH || self.schemas > limits::SCHEMAS {
            return Err(err!(
                TooLarge,
                "the schema is too large at `{place}`: {} schemas within each other and {} in all are accepted",
                limits::DEPTH,
                limits::SCHEMAS
            )
            .of_key("schema"));
        }
        let object = match schema {
            Value::Bool(any) => return Ok(Value::Bool(*any)),
            Value::Object(object) => object,
            other => {
                return Err(place
                    .wrong(format!("is {}, and has to be an object, true or false", kind(other))));
            }
        };
        for (name, value) in object {
            check::keyword_of(name, value, object, place)?;
        }
        let mut out = Map::new();
        let alone = self.alone;
        let sole = alone && is_sole(object);
        // The same properties may be spoken of elsewhere, and what stands in them.
        self.alone = alone && !has_applicator(object);
        for (name, value) in object {
            let at = place.at(name);
            match name.as_str() {
                "$ref" => {
                    let reference = value.as_str().ok_or_else(|| at.wrong("has to be a text"))?;
                    out.insert("$ref".to_owned(), self.reference(reference, &at, sole)?);
                }
                "type" => {
                    check::types(value, &at)?;
                    out.insert(name.clone(), value.clone());
                }
                "const" => {
                    values::check(value, &at)?;
                    out.insert(name.clone(), value.clone());
                }
                "enum" => {
                    check::values_of(value, &at)?;
                    out.insert(name.clone(), value.clone());
                }
                "oneOf" => self.one_of(value, &at, depth, sole, &mut out)?,
                "allOf" | "anyOf" => {
                    let single = value.as_array().is_some_and(|all| all.len() == 1);
                    let all = self.list(value, &at, depth, sole && (name == "anyOf" || single))?;
                    match name.as_str() {
                        "allOf" => also(&mut out, all),
                        _ => drop(out.insert(name.clone(), Value::from(all))),
                    }
                }
                "not" => {
                    let words = "only `required` and `type` can be followed there, and `anyOf` and `allOf` of them. Say what the value is \
                                 with `anyOf` or `enum`, or check the answer yourself and leave it out here";
                    let opposite =
                        needs::opposite(value).ok_or_else(|| at.unsupported(name, words))?;
                    also(&mut out, vec![opposite]);
                }
                "pattern" => {
                    let pattern = value.as_str().ok_or_else(|| at.wrong("has to be a text"))?;
                    out.insert(name.clone(), Value::from(pattern_of(pattern, &at)?));
                }
                "format" => formatted(object, value, &at, &mut out)?,
                "minLength" | "minItems" => {
                    let count = values::count(value, &at)?;
                    check_least(count, &at)?;
                    out.insert(name.clone(), Value::from(count));
                }
                "maxLength" | "maxItems" => {
                    let count = values::count(value, &at)?;
                    if count <= limits::UNREACHABLE {
                        out.insert(name.clone(), Value::from(count));
                    }
                }
                "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
                    number(object, name, value, &at, &mut out)?;
                }
                _ => {}
            }
        }
        self.array(object, place, depth, &mut out)?;
        if alone && closes(object) {
            out.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
        objects::lower(self, object, place, depth, &mut out)?;
        also(&mut out, needs::dependent(self, object, place, depth)?);
        self.alone = alone;
        Ok(Value::Object(out))
    }

    fn meant<'a>(&'a self, schema: &'a Value) -> &'a Value {
        /// References to references; more lead nowhere.
        const MOST: usize = 8;
        let next = |schema: &'a Value| {
            let lonely = schema.as_object().filter(|object| object.len() == 1)?;
            let pointer = resolve(self.root, lonely.get("$ref")?.as_str()?).ok()?;
            self.root.pointer(&pointer)
        };
        let all = std::iter::successors(Some(schema), |schema| next(schema));
        all.take(MOST).last().unwrap_or(schema)
    }

    fn note_counted(&mut self, place: &Place) {
        self.counted.push(place.to_string());
    }
}

/// Whether a schema says one thing of a value, besides its type.
fn is_sole(object: &Object) -> bool {
    let asks = |name: &&String| name.as_str() != "type" && keyword(name) != Keyword::Silent;
    object.keys().filter(asks).count() == 1
}

/// Whether an object that names its properties and says nothing of others is written with those alone:
/// a model would else go on with properties of its own, for as long as it likes.
fn closes(object: &Object) -> bool {
    let silent =
        ["additionalProperties", "unevaluatedProperties", "patternProperties", "propertyNames"];
    let names =
        object.get("properties").and_then(Value::as_object).filter(|names| !names.is_empty());
    let required = object.get("required").and_then(Value::as_array).into_iter().flatten();
    let mut required = required.filter_map(Value::as_str);
    !has_applicator(object)
        && !silent.iter().any(|name| object.contains_key(*name))
        && names.is_some_and(|names| required.all(|name| names.contains_key(name)))
}

/// Adds schemas that are all asked for, beside what is there already.
fn also(out: &mut Object, schemas: Vec<Value>) {
    match out.get_mut("allOf").and_then(Value::as_array_mut) {
        Some(list) => list.extend(schemas),
        None if schemas.is_empty() => {}
        None => drop(out.insert("allOf".to_owned(), Value::from(schemas))),
    }
}

/// What is asked of numbers.
fn number(
    object: &Object,
    name: &str,
    value: &Value,
    at: &Place,
    out: &mut Object,
) -> Result<(), Error> {
    let exclusive = matches!(name, "exclusiveMinimum" | "exclusiveMaximum");
    if let (true, Value::Bool(said)) = (exclusive, value) {
        // As draft 4 writes it: whether the bound itself is left out.
        let bound = if name == "exclusiveMinimum" { "minimum" } else { "maximum" };
        if let Some(Value::Number(bound)) = object.get(bound).filter(|_| *said) {
            values::bound(bound, at)?;
            out.insert(name.to_owned(), Value::Number(bound.clone()));
        }
        return Ok(());
    }
    let Value::Number(number) = value else {
        return Err(at.wrong(format!("is {}, and has to be a number", kind(value))));
    };
    // A bound that nobody can compute with allows all that somebody can.
    let beyond = number.as_f64().filter(|value| value.abs() >= values::EXACT);
    match (name, beyond) {
        ("maximum" | "exclusiveMaximum", Some(most)) if most > 0.0 => {
            out.insert(name.to_owned(), json!(values::EXACT as i64 - 1));
            return Ok(());
        }
        ("minimum" | "exclusiveMinimum", Some(least)) if least < 0.0 => {
            out.insert(name.to_owned(), json!(1 - values::EXACT as i64));
            return Ok(());
        }
        _ => {}
    }
    let bound = values::bound(number, at)?;
    if name == "multipleOf" {
        if bound <= 0.0 {
            return Err(at.wrong(format!("is {number}, and has to be above 0")));
        }
        // Beyond that a reader's arithmetic has lost the digits that make it a multiple.
        let most =
            if bound.fract() == 0.0 { (1 << 53) - 1 } else { (1e15 * bound.min(1.0)) as i64 };
        also(out, vec![json!({ "minimum": -most, "maximum": most })]);
    }
    out.insert(name.to_owned(), value.clone());
    Ok(())
}

/// A format becomes the pattern of what it allows.
fn formatted(object: &Object, value: &Value, at: &Place, out: &mut Object) -> Result<(), Error> {
    let name = value.as_str().ok_or_else(|| at.wrong("has to be a text"))?;
    let types: Vec<&str> = match object.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => TYPES.to_vec(),
    };
    let typed = object.contains_key("type");
    let numeric = types.iter().any(|name| matches!(*name, "number" | "integer"));
    if typed && numeric && !types.contains(&"string") {
        if let Some((least, most)) = integers(name) {
            also(out, vec![json!({ "minimum": least, "maximum": most })]);
            return Ok(());
        }
        if matches!(name, "float" | "double" | "decimal") {
            return Ok(());
        }
    }
    if typed && !numeric && !types.contains(&"string") {
        // It says nothing of other values.
        return Ok(());
    }
    if formats::SILENT.contains(&name) {
        return Ok(());
    }
    let Some(format) = format(name) else {
        let words = format!("the format {name:?} is not known. Known are: {}", FORMATS.join(", "));
        return Err(at.unsupported("format", words));
    };
    let pattern = of_schema(&format!("^(?:{})$", format.pattern))?;
    also(out, vec![json!({ "pattern": pattern })]);
    Ok(())
}

/// About the bytes of a value's text; an error if it is nested too deep.
fn size(value: &Value, depth: usize) -> Result<usize, Error> {
    // A schema takes two levels: itself, and the list or the object in which it stands.
    if depth > 3 * limits::DEPTH {
        return Err(err!(
            TooLarge,
            "the schema is nested too deep: {} schemas within each other are accepted",
            limits::DEPTH
        )
        .of_key("schema"));
    }
    Ok(match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => {
            items.iter().map(|item| size(item, depth + 1)).sum::<Result<usize, _>>()?
                + items.len()
                + 2
        }
        Value::Object(object) => {
            let each = |(key, value): (&String, &Value)| {
                Ok::<_, Error>(key.len() + 4 + size(value, depth + 1)?)
            };
            object.iter().map(each).sum::<Result<usize, _>>()? + 2
        }
        _ => 8,
    })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
