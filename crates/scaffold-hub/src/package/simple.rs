//! The "simple" pages of a package index: JSON (PEP 691) or HTML (PEP 503).

use serde_json::Value;

use crate::url::{Url, percent_decode};

/// One file on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) name: String,
    pub(crate) url: Url,
    pub(crate) sha256: Option<String>,
    pub(crate) size: Option<u64>,
    pub(crate) yanked: bool,
}

/// A project's name the way indexes compare it (PEP 503).
pub(crate) fn normalized(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if matches!(c, '-' | '_' | '.') {
            if !out.ends_with('-') {
                out.push('-');
            }
        } else {
            out.push(c.to_ascii_lowercase());
        }
    }
    out
}

/// Whether a file name is a wheel of exactly this package and version, for any Python (a model does
/// not care).
pub(crate) fn is_wheel_of(file: &str, package: &str, version: &str) -> bool {
    let Some(stem) = file.strip_suffix(".whl") else {
        return false;
    };
    let parts: Vec<&str> = stem.split('-').collect();
    // name-version[-build]-python-abi-platform
    (5..=6).contains(&parts.len())
        && normalized(parts[0]) == normalized(package)
        && parts[1] == version
}

/// Reads a PEP 691 page; `None` when it is not one.
pub(crate) fn parse_json(text: &[u8], base: &Url) -> Option<Vec<Link>> {
    let value: Value = serde_json::from_slice(text).ok()?;
    let files = value.get("files")?.as_array()?;
    let link = |file: &Value| {
        Some(Link {
            name: file.get("filename")?.as_str()?.to_owned(),
            url: base.join(file.get("url")?.as_str()?)?,
            sha256: file.pointer("/hashes/sha256").and_then(Value::as_str).map(str::to_owned),
            size: file.get("size").and_then(Value::as_u64),
            yanked: file
                .get("yanked")
                .is_some_and(|y| !matches!(y, Value::Bool(false) | Value::Null)),
        })
    };
    Some(files.iter().filter_map(link).collect())
}

/// Reads a PEP 503 page; `None` when nothing on it looks like HTML.
pub(crate) fn parse_html(page: &str, base: &Url) -> Option<Vec<Link>> {
    if !page.contains('<') {
        return None;
    }
    let mut base = base.clone();
    let mut links = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let Some(end) = tag_end(rest) else { break };
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        let name = tag.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or("");
        if name.eq_ignore_ascii_case("base") {
            if let Some(url) = attribute(tag, "href").and_then(|href| base.join(&href)) {
                base = url;
            }
        } else if name.eq_ignore_ascii_case("a") {
            links.extend(link(tag, &base));
        }
    }
    Some(links)
}

fn link(tag: &str, base: &Url) -> Option<Link> {
    let href = attribute(tag, "href")?;
    let (address, fragment) = href.split_once('#').unwrap_or((&href, ""));
    let url = base.join(address)?;
    let sha256 =
        fragment.split('&').find_map(|part| part.strip_prefix("sha256=")).map(percent_decode);
    Some(Link {
        name: url.file_name(),
        url,
        sha256,
        size: None,
        yanked: attribute(tag, "data-yanked").is_some(),
    })
}

/// Where the tag ends; a `>` inside quotes does not count.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(i),
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            _ => {}
        }
    }
    None
}

/// The value of an attribute of a tag, with its entities resolved.
fn attribute(tag: &str, wanted: &str) -> Option<String> {
    let mut rest = tag.trim_start_matches(|c: char| !c.is_whitespace());
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        let name_end = rest
            .find(|c: char| c.is_whitespace() || c == '=' || c == '/')
            .unwrap_or(rest.len())
            .max(1);
        // A stray character before a multi-byte one must not split it.
        let name_end = (name_end..=rest.len()).find(|&i| rest.is_char_boundary(i))?;
        let name = &rest[..name_end];
        rest = rest[name_end..].trim_start();
        let value = match rest.strip_prefix('=').map(str::trim_start) {
            None => "",
            Some(after) => {
                let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
                let (value, tail) = match quote {
                    Some(q) => after[1..].split_once(q).unwrap_or((&after[1..], "")),
                    None => after.split_at(after.find(char::is_whitespace).unwrap_or(after.len())),
                };
                rest = tail;
                value
            }
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(entities(value));
        }
    }
}

/// The five named entities, which is all that addresses are written with.
fn entities(text: &str) -> String {
    let mut out = text.to_owned();
    for (entity, plain) in
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
    {
        out = out.replace(entity, plain);
    }
    out
}
