//! The methods of Python's strings, lists and dictionaries that templates call.

use minijinja::value::{Kwargs, Tuple, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};

/// What Python strips: Unicode's white space, and four separators that ASCII once had for files and records.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

pub(super) fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// Calls a method that minijinja's values do not have.
pub(crate) fn call(
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    let own = match value.kind() {
        ValueKind::String => string_method(value.as_str().unwrap_or_default(), method, args)?,
        ValueKind::Seq => list_method(value, method, args)?,
        _ => None,
    };
    match own {
        Some(result) => Ok(result),
        None => minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args),
    }
}

/// The `trim` filter is Python's `strip`.
pub(crate) fn trim(value: &Value, chars: Option<&str>) -> String {
    let text = shown(value);
    strip(&text, chars, true, true).to_owned()
}

fn strip<'a>(text: &'a str, chars: Option<&str>, left: bool, right: bool) -> &'a str {
    let unwanted = |c: char| chars.map_or_else(|| is_space(c), |chars| chars.contains(c));
    let text = if left {
        text.trim_start_matches(unwanted)
    } else {
        text
    };
    if right {
        text.trim_end_matches(unwanted)
    } else {
        text
    }
}

fn optional(value: Option<Value>) -> Option<Value> {
    value.filter(|value| !value.is_none())
}

fn string_method(text: &str, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    Ok(Some(match method {
        "strip" | "lstrip" | "rstrip" => {
            let (chars,): (Option<Value>,) = from_args(args)?;
            let chars = optional(chars);
            let chars = chars.as_ref().and_then(Value::as_str);
            Value::from(strip(text, chars, method != "rstrip", method != "lstrip"))
        }
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(args)?;
            Value::from(text.strip_prefix(prefix).unwrap_or(text))
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(args)?;
            Value::from(text.strip_suffix(suffix).unwrap_or(text))
        }
        "split" | "rsplit" => split(text, method == "rsplit", args)?,
        "splitlines" => {
            let (keep,): (Option<bool>,) = from_args(args)?;
            Value::from(lines(text, keep.unwrap_or(false)))
        }
        "partition" | "rpartition" => partition(text, method == "rpartition", args)?,
        "find" | "rfind" | "index" | "rindex" => find(text, method, args)?,
        "count" => {
            let (what, start, end): (&str, Option<i64>, Option<i64>) = from_args(args)?;
            let (slice, _) = slice(text, start, end);
            Value::from(if what.is_empty() {
                slice.chars().count() + 1
            } else {
                slice.matches(what).count()
            })
        }
        "startswith" | "endswith" => affix(text, method == "startswith", args)?,
        "title" => Value::from(title(text)),
        "capitalize" => Value::from(capitalize(text)),
        "swapcase" => Value::from(swap_case(text)),
        "casefold" => Value::from(text.to_lowercase().replace('ß', "ss")),
        "zfill" => {
            let (width,): (usize,) = from_args(args)?;
            let (sign, digits) = text.split_at(usize::from(text.starts_with(['+', '-'])));
            let missing = checked_width(width)?.saturating_sub(text.chars().count());
            Value::from(format!("{sign}{}{digits}", "0".repeat(missing)))
        }
        "ljust" | "rjust" | "center" => justify(text, method, args)?,
        "expandtabs" => {
            let (size,): (Option<usize>,) = from_args(args)?;
            Value::from(expand_tabs(text, checked_width(size.unwrap_or(8))?))
        }
        "isspace" => Value::from(!text.is_empty() && text.chars().all(is_space)),
        "isdecimal" => Value::from(
            !text.is_empty() && text.chars().all(|c| c.is_numeric() && c.is_ascii_digit()),
        ),
        "istitle" => Value::from(title(text) == text && text.chars().any(char::is_alphabetic)),
        "join" => {
            let (values,): (&Value,) = from_args(args)?;
            let parts: Vec<String> = values.try_iter()?.map(|part| shown(&part)).collect();
            Value::from(parts.join(text))
        }
        _ => return Ok(None),
    }))
}

/// A value as Python's `str` writes it.
fn shown(value: &Value) -> String {
    super::repr::str(value).into_owned()
}

/// Widths come from the template, which is not trusted.
pub(super) fn checked_width(width: usize) -> Result<usize, Error> {
    if width <= 100_000 {
        Ok(width)
    } else {
        Err(wrong(format!("a width of {width} is too large")))
    }
}

fn list_method(list: &Value, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    match method {
        "index" => {
            let (what,): (&Value,) = from_args(args)?;
            match list.try_iter()?.position(|item| item == *what) {
                Some(index) => Ok(Some(Value::from(index))),
                None => Err(wrong(format!("{what} is not in list"))),
            }
        }
        "append" | "extend" | "insert" | "pop" | "remove" | "clear" | "sort" | "reverse" => {
            Err(wrong(format!(
                "access to attribute '{method}' of 'list' object is unsafe"
            )))
        }
        _ => Ok(None),
    }
}

fn split(text: &str, from_right: bool, args: &[Value]) -> Result<Value, Error> {
    let (separator, limit, kwargs): (Option<Value>, Option<i64>, Kwargs) = from_args(args)?;
    let separator = match separator {
        Some(value) => Some(value),
        None => kwargs.get("sep")?,
    };
    let limit = match limit {
        Some(limit) => Some(limit),
        None => kwargs.get("maxsplit")?,
    };
    kwargs.assert_all_used()?;
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    let separator = optional(separator);
    let mut parts: Vec<String> = match separator.as_ref().map(|value| value.as_str()) {
        Some(None) => return Err(wrong("must be str or None")),
        Some(Some("")) => return Err(wrong("empty separator")),
        Some(Some(separator)) => match (limit, from_right) {
            (None, _) => text.split(separator).map(str::to_owned).collect(),
            (Some(limit), false) => text
                .splitn(limit.saturating_add(1), separator)
                .map(str::to_owned)
                .collect(),
            (Some(limit), true) => {
                let mut parts: Vec<String> = text
                    .rsplitn(limit.saturating_add(1), separator)
                    .map(str::to_owned)
                    .collect();
                parts.reverse();
                parts
            }
        },
        None => words(text, limit, from_right),
    };
    Ok(Value::from(std::mem::take(&mut parts)))
}

/// Split at white space, where runs count once and the ends do not.
fn words(text: &str, limit: Option<usize>, from_right: bool) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = if from_right {
        text.trim_end_matches(is_space)
    } else {
        text.trim_start_matches(is_space)
    };
    while !rest.is_empty() {
        if limit.is_some_and(|limit| out.len() >= limit) {
            out.push(rest.to_owned());
            break;
        }
        let (word, remaining) = if from_right {
            let at = rest
                .char_indices()
                .rev()
                .find(|(_, c)| is_space(*c))
                .map_or(0, |(at, c)| at + c.len_utf8());
            (&rest[at..], rest[..at].trim_end_matches(is_space))
        } else {
            let at = rest.find(is_space).unwrap_or(rest.len());
            (&rest[..at], rest[at..].trim_start_matches(is_space))
        };
        out.push(word.to_owned());
        rest = remaining;
    }
    if from_right {
        out.reverse();
    }
    out
}

/// Lines end at more characters in Python than at `\n`.
fn lines(text: &str, keep: bool) -> Vec<String> {
    let ends = |c: char| {
        matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'
                ..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some((at, c)) = rest.char_indices().find(|(_, c)| ends(*c)) else {
            out.push(rest.to_owned());
            break;
        };
        let after = at
            + if rest[at..].starts_with("\r\n") {
                2
            } else {
                c.len_utf8()
            };
        out.push(rest[..if keep { after } else { at }].to_owned());
        rest = &rest[after..];
    }
    out
}

fn partition(text: &str, from_right: bool, args: &[Value]) -> Result<Value, Error> {
    let (separator,): (&str,) = from_args(args)?;
    if separator.is_empty() {
        return Err(wrong("empty separator"));
    }
    let found = if from_right {
        text.rfind(separator)
    } else {
        text.find(separator)
    };
    let parts = match (found, from_right) {
        (Some(at), _) => [&text[..at], separator, &text[at + separator.len()..]],
        (None, false) => [text, "", ""],
        (None, true) => ["", "", text],
    };
    Ok(Value::from(Tuple::from(parts.map(Value::from))))
}

/// `text[start:end]` by characters, and how many characters lie before it.
fn slice(text: &str, start: Option<i64>, end: Option<i64>) -> (&str, usize) {
    if start.is_none() && end.is_none() {
        return (text, 0);
    }
    let length = text.chars().count() as i64;
    let place = |at: i64| (if at < 0 { at + length } else { at }).clamp(0, length) as usize;
    let (start, end) = (place(start.unwrap_or(0)), place(end.unwrap_or(length)));
    let byte = |at: usize| {
        text.char_indices()
            .nth(at)
            .map_or(text.len(), |(byte, _)| byte)
    };
    if start >= end {
        ("", start)
    } else {
        (&text[byte(start)..byte(end)], start)
    }
}

fn find(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let (what, start, end): (&str, Option<i64>, Option<i64>) = from_args(args)?;
    let (part, before) = slice(text, start, end);
    let found = if method.starts_with('r') {
        part.rfind(what)
    } else {
        part.find(what)
    };
    match found {
        Some(at) => Ok(Value::from(before + part[..at].chars().count())),
        None if method.ends_with("index") => Err(wrong("substring not found")),
        None => Ok(Value::from(-1)),
    }
}

fn affix(text: &str, prefix: bool, args: &[Value]) -> Result<Value, Error> {
    let (what, start, end): (&Value, Option<i64>, Option<i64>) = from_args(args)?;
    let (part, _) = slice(text, start, end);
    let has = |affix: &Value| -> Result<bool, Error> {
        let affix = affix
            .as_str()
            .ok_or_else(|| wrong("the argument must be str or a tuple of str"))?;
        Ok(if prefix {
            part.starts_with(affix)
        } else {
            part.ends_with(affix)
        })
    };
    if what.as_str().is_some() {
        return has(what).map(Value::from);
    }
    for affix in what.try_iter()? {
        if has(&affix)? {
            return Ok(Value::from(true));
        }
    }
    Ok(Value::from(false))
}

fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_word = false;
    for c in text.chars() {
        if in_word {
            out.extend(c.to_lowercase());
        } else {
            out.push_str(&titlecase(c));
        }
        in_word = c.is_alphabetic();
    }
    out
}

/// The form of a character at the start of a word: what is two letters starts with one capital.
fn titlecase(c: char) -> String {
    match c {
        'Ǆ' | 'ǅ' | 'ǆ' => "ǅ".to_owned(),
        'Ǉ' | 'ǈ' | 'ǉ' => "ǈ".to_owned(),
        'Ǌ' | 'ǋ' | 'ǌ' => "ǋ".to_owned(),
        'Ǳ' | 'ǲ' | 'ǳ' => "ǲ".to_owned(),
        _ => {
            let mut upper = c.to_uppercase();
            let first = upper.next().into_iter();
            first.chain(upper.flat_map(char::to_lowercase)).collect()
        }
    }
}

fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => titlecase(first) + &chars.as_str().to_lowercase(),
        None => String::new(),
    }
}

fn swap_case(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            if c.is_uppercase() {
                c.to_lowercase().collect::<Vec<_>>()
            } else {
                c.to_uppercase().collect()
            }
        })
        .collect()
}

pub(super) fn justify(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let (width, fill): (usize, Option<&str>) = from_args(args)?;
    let fill = fill.unwrap_or(" ");
    let missing = checked_width(width)?.saturating_sub(text.chars().count());
    let left = match method {
        "ljust" => 0,
        "rjust" => missing,
        // Python puts the odd one to the left where the width is odd.
        _ => missing / 2 + (missing & width & 1),
    };
    Ok(Value::from(format!(
        "{}{text}{}",
        fill.repeat(left),
        fill.repeat(missing - left)
    )))
}

fn expand_tabs(text: &str, size: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' if size > 0 => {
                let spaces = size - column % size;
                out.push_str(&" ".repeat(spaces));
                column += spaces;
            }
            '\t' => {}
            '\n' | '\r' => {
                out.push(c);
                column = 0;
            }
            c => {
                out.push(c);
                column += 1;
            }
        }
    }
    out
}
