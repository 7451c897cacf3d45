//! Markup: text that is escaped for pages.

use crate::budget::Budget;
use crate::chars::is_space;
use crate::error::Result;
use crate::text::{Builder, Text};
use crate::value::Value;

/// A value escaped, unless it is markup already.
pub(crate) fn escape(value: &Value, budget: &Budget) -> Result<Text> {
    match value {
        Value::Str(text) if text.safe => Ok(text.clone()),
        _ => escape_text(&value.text(budget)?, budget),
    }
}

/// A text escaped, markup too.
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
