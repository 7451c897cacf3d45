//! References within a schema.

use serde_json::{Map, Value};

use crate::limits;

/// What a reference means: a JSON pointer into the schema. `Err` says why it means nothing here.
pub(super) fn resolve(root: &Value, reference: &str) -> Result<String, String> {
    let own = root.get("$id").or_else(|| root.get("id")).and_then(Value::as_str);
    let own = own.map_or("", |id| id.split('#').next().unwrap_or_default());
    let (document, fragment) = reference.split_once('#').unwrap_or((reference, ""));
    if !document.is_empty() && document != own {
        return Err(format!(
            "{reference:?} is another document, and nothing is fetched: copy it into `$defs` of this one"
        ));
    }
    let fragment = decoded(fragment).ok_or_else(|| format!("{reference:?} is written wrongly"))?;
    if fragment.is_empty() || fragment == "/" {
        return Ok(String::new());
    }
    if fragment.starts_with('/') {
        return match root.pointer(&fragment) {
            Some(_) => Ok(fragment),
            None => Err(format!("there is nothing at {reference:?}")),
        };
    }
    anchor(root, &fragment, String::new(), 0)
        .ok_or_else(|| format!("there is no anchor {reference:?}"))
}

/// A fragment without its percent signs.
fn decoded(fragment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((&byte, more)) = rest.split_first() {
        rest = more;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let code = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}

/// The place of the schema with this anchor.
fn anchor(value: &Value, name: &str, at: String, depth: usize) -> Option<String> {
    if depth > limits::DEPTH {
        return None;
    }
    let named = |object: &Map<String, Value>| {
        let plain = ["$anchor", "$dynamicAnchor"]
            .iter()
            .any(|key| object.get(*key).and_then(Value::as_str) == Some(name));
        let old = ["$id", "id"].iter().filter_map(|key| object.get(*key)?.as_str());
        plain || old.filter_map(|id| id.strip_prefix('#')).any(|id| id == name)
    };
    match value {
        Value::Object(object) if named(object) => Some(at),
        Value::Object(object) => object.iter().find_map(|(key, value)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            anchor(value, name, format!("{at}/{key}"), depth + 1)
        }),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(index, value)| anchor(value, name, format!("{at}/{index}"), depth + 1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_stay_within_the_schema() {
        let root = json!({
            "$id": "https://example.com/a",
            "$defs": { "a/b c": { "type": "null" }, "named": { "$anchor": "here" }, "old": { "$id": "#there" } },
        });
        for (reference, expected) in [
            ("#", ""),
            ("", ""),
            ("#/$defs/a~1b%20c", "/$defs/a~1b c"),
            ("https://example.com/a#/$defs/named", "/$defs/named"),
            ("#here", "/$defs/named"),
            ("#there", "/$defs/old"),
        ] {
            assert_eq!(resolve(&root, reference).as_deref(), Ok(expected), "{reference}");
        }
        for reference in
            ["other.json", "https://example.com/b#/x", "#/$defs/none", "#nowhere", "#/%zz"]
        {
            assert!(resolve(&root, reference).is_err(), "{reference}");
        }
    }
}
