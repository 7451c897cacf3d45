//! Values that are not written as JSON.

use scaffold_jinja::Json;

/// The parameters of a tool of that name, as a schema's properties.
pub(super) fn parameters<'a>(tools: &'a [Json], name: &str) -> Option<&'a Json> {
    let function = |tool: &'a Json| tool.get("function").unwrap_or(tool);
    let of_name = |tool: &&'a Json| tool.get("name").and_then(Json::as_str) == Some(name);
    let tool = tools.iter().map(function).find(of_name)?;
    tool.get("parameters")?.get("properties")
}

/// The names of tools.
pub(super) fn names(tools: &[Json]) -> impl Iterator<Item = &str> {
    tools.iter().filter_map(|tool| tool.get("function").unwrap_or(tool).get("name")?.as_str())
}

/// What a text means for a parameter of this schema: a parameter that takes texts gets it as it is;
/// for others it is JSON, or a word of Python, or, where it is neither, a text all the same.
pub(super) fn typed(text: &str, schema: Option<&Json>) -> Json {
    let takes = |wanted: &str| match schema.and_then(|schema| schema.get("type")) {
        Some(Json::String(one)) => one == wanted,
        Some(Json::Array(several)) => several.iter().any(|one| one.as_str() == Some(wanted)),
        _ => false,
    };
    let whole = text.trim();
    let value = match whole {
        "True" => Some(Json::Bool(true)),
        "False" => Some(Json::Bool(false)),
        "None" => Some(Json::Null),
        _ => Json::parse(whole).ok(),
    };
    match value {
        Some(Json::Null) if takes("null") => Json::Null,
        _ if takes("string") => Json::String(text.to_owned()),
        Some(value) => value,
        None => Json::String(text.to_owned()),
    }
}
