//! Markup: text that is escaped for pages.

use super::argument_error;
use crate::budget::Budget;
use crate::error::{Result, value_error};
use crate::methods::is_space;
use crate::run::{Call, Run};
use crate::text::{Builder, Text};
use crate::value::Value;

/// A value escaped, unless it is markup already.
pub(crate) fn escape(value: &Value, budget: &Budget) -> Result<Text> {
    match value {
        Value::Str(text) if text.safe => Ok(text.clone()),
        _ => escape_text(&value.text(budget)?, budget),
    }
}

pub(crate) fn escape_text(text: &Text, budget: &Budget) -> Result<Text> {
    let mut out = Builder::new(budget);
    for (c, marked) in text.chars() {
        match c {
            '&' => out.piece("&amp;", marked),
            '<' => out.piece("&lt;", marked),
            '>' => out.piece("&gt;", marked),
            '\'' => out.piece("&#39;", marked),
            '"' => out.piece("&#34;", marked),
            c => out.char(c, marked),
        }
    }
    Ok(out.finish()?.with_safe(true))
}

pub(super) fn apply(run: &Run, name: &str, value: &Value, call: Call) -> Result<Value> {
    let budget = &run.budget;
    match name {
        "xmlattr" => return attributes(run, value, call),
        _ => {
            call.bind(name, &[], 0, 1)?;
        }
    }
    Ok(Value::Str(match name {
        "safe" => value.text(budget)?.with_safe(true),
        "forceescape" => escape_text(&value.text(budget)?, budget)?,
        "striptags" => strip_tags(&value.text(budget)?, budget)?.with_safe(false),
        _ => escape(value, budget)?,
    }))
}

fn attributes(run: &Run, value: &Value, call: Call) -> Result<Value> {
    let autospace = call.bind("do_xmlattr", &["autospace"], 0, 1)?.get(0);
    let Value::Dict(dict) = value else {
        return Err(argument_error(format!(
            "'{}' object has no attribute 'items'",
            value.type_name()
        )));
    };
    let mut out = run.builder();
    let mut first = !autospace.is_none_or(|space| space.truth());
    for (key, value) in dict.entries() {
        if matches!(value, Value::None | Value::Undefined(_)) {
            continue;
        }
        let key = key.text(&run.budget)?;
        if key.as_str().contains([' ', '\t', '\n', '\r', '\u{b}', '\u{c}', '/', '>', '=']) {
            return Err(value_error(format!(
                "Invalid character in attribute name: {}",
                crate::value::repr::quoted(key.as_str())
            )));
        }
        if !first {
            out.str(" ");
        }
        first = false;
        out.text(&escape_text(&key, &run.budget)?);
        out.str("=\"");
        out.text(&escape(value, &run.budget)?);
        out.str("\"");
    }
    Ok(Value::Str(out.finish()?.with_safe(run.autoescape.get())))
}

/// A text without tags and comments, its entities read and its space made single.
pub(crate) fn strip_tags(text: &Text, budget: &Budget) -> Result<Text> {
    let mut plain = text.as_str().to_owned();
    while let Some(start) = plain.find("<!--") {
        let Some(end) = plain[start..].find("-->") else {
            break;
        };
        plain.replace_range(start..start + end + 3, "");
        budget.step(plain.len() as u64 / 64 + 1)?;
    }
    while let Some(start) = plain.find('<') {
        let Some(end) = plain[start..].find('>') else {
            break;
        };
        plain.replace_range(start..=start + end, "");
        budget.step(plain.len() as u64 / 64 + 1)?;
    }
    let words: Vec<&str> = plain.split(is_space).filter(|word| !word.is_empty()).collect();
    let marked = !text.marks().is_empty();
    let mut out = Builder::new(budget);
    out.piece(&unescape(&words.join(" ")), marked);
    out.finish()
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(';').filter(|&end| end < 12);
        let entity = end.and_then(|end| {
            let name = &rest[1..end];
            let number = match name.strip_prefix('#') {
                Some(digits) => match digits.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok(),
                    None => digits.parse().ok(),
                },
                None => None,
            };
            let c = match name {
                "amp" => Some('&'),
                "lt" => Some('<'),
                "gt" => Some('>'),
                "quot" => Some('"'),
                "apos" => Some('\''),
                "nbsp" => Some('\u{a0}'),
                _ => number.and_then(char::from_u32),
            };
            c.map(|c| (c, end))
        });
        if let Some((c, end)) = entity {
            out.push(c);
            rest = &rest[end + 1..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out + rest
}
