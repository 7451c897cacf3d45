//! The ways in which calls are written, and reading them.

use scaffold_jinja::Json;

use super::literal::{Literal, Met};
use super::part::Call;
use super::scan::{end_of_value, json_value};
use super::values::{names, parameters, typed};

/// How a model writes calls.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CallSyntax {
    /// What stands before the first call's name or object.
    pub(super) head: Literal,
    /// What stands between two calls; `None` where there is never more than one.
    pub(super) between: Option<Literal>,
    /// What stands after the last call.
    pub(super) tail: Literal,
    pub(super) form: Form,
    /// What tells that calls begin. Without it, they are whole answers.
    pub(super) trigger: Option<String>,
    /// A mark that may stand before calls which are whole answers.
    pub(super) prefix: Option<String>,
}

/// How one call is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    /// A JSON object with name and arguments; or all calls in a list of such.
    Object {
        /// The keys that lead to the name.
        name: Vec<String>,
        /// The keys that lead to the arguments.
        arguments: Vec<String>,
        /// All of them in one list.
        in_list: bool,
    },
    /// The name, something, the arguments as a JSON object.
    Named {
        /// What stands between name and arguments.
        between: Literal,
    },
    /// The name, then each argument between marks.
    Marked {
        /// What stands between name and arguments.
        after_name: Literal,
        before_key: Literal,
        after_key: Literal,
        /// What opens and closes a text.
        quotes: (String, String),
        /// What ends a value, white space aside.
        after_value: String,
        /// The same as it is written.
        around_value: (String, String),
    },
}

/// What a text of calls turns out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Not yet known.
    More,
    /// These calls, up to here.
    Calls(Vec<Call>, usize),
    /// None, for this reason.
    Wrong(String),
}

/// One call, and what was read of it; or why there is none.
type One = Result<(Vec<Call>, usize), Stop>;

enum Stop {
    More,
    Wrong(String),
}

fn wrong<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Wrong(why.into()))
}

impl CallSyntax {
    /// The texts of all marks.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let of_form: Vec<&str> = match &self.form {
            Form::Object { .. } => Vec::new(),
            Form::Named { between } => between.texts().collect(),
            Form::Marked { after_name, before_key, after_key, quotes, after_value, .. } => {
                let literals = [after_name, before_key, after_key];
                let texts = literals.into_iter().flat_map(Literal::texts);
                texts.chain([&*quotes.0, &*quotes.1, &**after_value]).collect()
            }
        };
        let around = [Some(&self.head), self.between.as_ref(), Some(&self.tail)];
        around
            .into_iter()
            .flatten()
            .flat_map(Literal::texts)
            .chain(of_form)
            .chain(self.prefix.as_deref())
            .filter(|text| !text.trim().is_empty())
    }

    /// Reads the calls that `text` begins with; `ended`: nothing follows.
    pub(super) fn read(&self, text: &str, tools: &[Json], ended: bool) -> Outcome {
        match self.read_all(text, tools, ended) {
            Ok((calls, end)) => {
                match calls.iter().find(|call| names(tools).all(|name| name != call.name)) {
                    // Only marks tell a call from an answer that looks like one.
                    Some(call) if self.trigger.is_none() => {
                        Outcome::Wrong(format!("there is no tool `{}`", call.name))
                    }
                    _ => Outcome::Calls(calls, end),
                }
            }
            Err(Stop::More) if ended => Outcome::Wrong("it ends in the middle".to_owned()),
            Err(Stop::More) => Outcome::More,
            Err(Stop::Wrong(why)) => Outcome::Wrong(why),
        }
    }

    fn read_all(&self, text: &str, tools: &[Json], ended: bool) -> One {
        let mut at = self.prefix_of(text)?;
        at += expect(&self.head, &text[at..], "begin")?;
        let mut calls = Vec::new();
        loop {
            match self.one(&text[at..], tools) {
                Ok((more, end)) => {
                    calls.extend(more);
                    at += end;
                }
                // What is whole before one that breaks off counts, where marks have told it.
                Err(Stop::More) if ended && !calls.is_empty() => return Ok((calls, at)),
                Err(stop) => return Err(stop),
            }
            let rest = &text[at..];
            let tail = self.tail.meet(rest);
            let between = self.between.as_ref().map_or(Met::No, |between| between.meet(rest));
            match (between, tail) {
                // What ends the calls may begin with what stands between two.
                (Met::Yes(more), Met::Yes(end)) if more < end => {}
                (Met::Yes(_), Met::More) | (Met::More, Met::More | Met::No) if !ended => {
                    return Err(Stop::More);
                }
                (Met::Yes(end), _) if self.goes_on(&rest[end..]) => {
                    at += end;
                    continue;
                }
                _ => {}
            }
            return match tail {
                Met::Yes(end) => Ok((calls, at + end)),
                // Models leave the end out, or another token of the kind ends the answer.
                _ if ended => Ok((calls, at)),
                Met::More => Err(Stop::More),
                Met::No => Ok((calls, at)),
            };
        }
    }

    /// Whether calls without any mark may begin so.
    pub(super) fn may_begin(&self, text: &str, tools: &[Json]) -> bool {
        match self.form {
            Form::Object { .. } => text.starts_with(['{', '[']),
            _ => names(tools).any(|name| text.starts_with(name) || name.starts_with(text)),
        }
    }

    /// Whether another call may begin here.
    fn goes_on(&self, text: &str) -> bool {
        let between = self.between.as_ref().is_some_and(|between| !between.is_empty());
        let first = text.trim_start().chars().next();
        let object = matches!(self.form, Form::Object { .. }) && first == Some('{');
        between && !matches!(self.form, Form::Object { .. }) || object || between && first.is_none()
    }

    fn prefix_of(&self, text: &str) -> Result<usize, Stop> {
        let Some(prefix) = &self.prefix else {
            return Ok(0);
        };
        let start = text.len() - text.trim_start().len();
        if text[start..].starts_with(&**prefix) {
            Ok(start + prefix.len())
        } else if prefix.starts_with(&text[start..]) {
            Err(Stop::More)
        } else {
            Ok(0)
        }
    }

    fn one(&self, text: &str, tools: &[Json]) -> One {
        match &self.form {
            Form::Object { name, arguments, in_list } => {
                // Behind a mark, some models write a list where others write objects.
                object(text, name, arguments, *in_list || self.trigger.is_some())
            }
            Form::Named { between } => named(text, between),
            Form::Marked { .. } => self.marked(text, tools),
        }
    }

    fn marked(&self, text: &str, tools: &[Json]) -> One {
        let Form::Marked { after_name, before_key, after_key, quotes, after_value, around_value } =
            &self.form
        else {
            return wrong("");
        };
        let (name, mut at) = name(text)?;
        let schema = parameters(tools, &name);
        at += expect(after_name, &text[at..], "go on after the name")?;
        let mut arguments: Vec<(String, Json)> = Vec::new();
        // What ends the call may begin as what ends a value.
        let ends = self.ends();
        loop {
            let rest = &text[at..];
            if before_key.is_empty() || before_key.meet(rest) == Met::No {
                if ends.iter().any(|end| matches!(end.meet(rest), Met::Yes(_))) {
                    break;
                }
                if before_key.is_empty() && rest.trim_start().is_empty() {
                    return Err(Stop::More);
                }
                if !before_key.is_empty() {
                    if ends.iter().any(|end| end.meet(rest) == Met::More) {
                        return Err(Stop::More);
                    }
                    return wrong("what follows an argument is neither another one nor an end");
                }
            }
            at += expect(before_key, rest, "go on with an argument")?;
            let rest = &text[at..];
            let first = after_key.first().unwrap_or_default();
            let Some(end) = rest.find(first.trim_end()) else {
                return Err(Stop::More);
            };
            let key = rest[..end].trim().to_owned();
            at += end;
            at += expect(after_key, &text[at..], "go on after a key")?;
            let rest = &text[at..];
            let property = schema.and_then(|schema| schema.get(&key));
            let open = quotes.0.trim_start();
            let start = rest.len() - rest.trim_start().len();
            if !open.is_empty() && rest[start..].starts_with(open) {
                let body = &rest[start + open.len()..];
                let Some(end) = closing(body, &quotes.1) else {
                    return Err(Stop::More);
                };
                let value = unquoted(&body[..end], &quotes.0);
                arguments.push((key, Json::String(value)));
                at += start + open.len() + end + quotes.1.trim_end().len();
                let rest = &text[at..];
                let skipped = rest.len() - rest.trim_start().len();
                if rest[skipped..].starts_with(after_value.trim()) {
                    at += skipped + after_value.trim().len();
                } else if after_value.trim().starts_with(&rest[skipped..]) {
                    return Err(Stop::More);
                }
                continue;
            }
            if !open.is_empty() && open.starts_with(&rest[start..]) {
                return Err(Stop::More);
            }
            let (value, end) = self.bare_value(rest, after_value, open.is_empty())?;
            arguments.push((key, typed(trimmed(value, around_value), property)));
            at += end;
        }
        Ok((vec![Call { name, arguments: Json::Object(arguments).dumps() }], at))
    }

    /// A value without quotes: up to what ends values, or to what ends the call.
    fn bare_value<'t>(
        &self,
        text: &'t str,
        after_value: &str,
        raw: bool,
    ) -> Result<(&'t str, usize), Stop> {
        let end = after_value.trim();
        let tail = self.tail.first().unwrap_or_default().trim_end();
        if raw && end.len() > 1 {
            // Marks of their own end it, whatever stands in it. After the last one there may be none.
            let last = (!tail.is_empty()).then(|| text.find(tail)).flatten();
            return match (text.find(end), last) {
                (Some(at), last) if last.is_none_or(|last| at <= last) => {
                    Ok((&text[..at], at + end.len()))
                }
                (_, Some(last)) => Ok((&text[..last], last)),
                _ => Err(Stop::More),
            };
        }
        let first = tail.chars().next().map(String::from).unwrap_or_default();
        let ends: Vec<&str> = [end, &first].into_iter().filter(|end| !end.is_empty()).collect();
        match end_of_value(text, &ends) {
            Some((at, which)) if ends[which] == end => Ok((&text[..at], at + end.len())),
            Some((at, _)) => Ok((&text[..at], at)),
            None => Err(Stop::More),
        }
    }

    /// What may follow a call.
    fn ends(&self) -> Vec<&Literal> {
        [Some(&self.tail), self.between.as_ref()]
            .into_iter()
            .flatten()
            .filter(|literal| !literal.is_empty())
            .collect()
    }
}

fn expect(literal: &Literal, text: &str, what: &str) -> Result<usize, Stop> {
    match literal.meet(text) {
        Met::Yes(end) => Ok(end),
        Met::More => Err(Stop::More),
        Met::No => wrong(format!("it does not {what} as this model's calls do")),
    }
}

/// A tool's name.
fn name(text: &str) -> Result<(String, usize), Stop> {
    let start = text.len() - text.trim_start().len();
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    match text[start..].find(|c| !is_name(c)) {
        Some(0) => wrong("it has no name"),
        Some(length) => Ok((text[start..start + length].to_owned(), start + length)),
        None => Err(Stop::More),
    }
}

fn named(text: &str, between: &Literal) -> One {
    let (name, at) = name(text)?;
    let at = at + expect(between, &text[at..], "go on after the name")?;
    let rest = &text[at..];
    match rest.trim_start().chars().next() {
        None => return Err(Stop::More),
        Some('{') => {}
        Some(_) => return wrong("its arguments are no JSON object"),
    }
    let Some((start, end)) = json_value(rest) else {
        return Err(Stop::More);
    };
    let arguments = rest[start..end].to_owned();
    if let Err(error) = Json::parse(&arguments) {
        return wrong(format!("its arguments are no JSON: {error}"));
    }
    Ok((vec![Call { name, arguments }], at + end))
}

fn object(text: &str, name: &[String], arguments: &[String], in_list: bool) -> One {
    let first = text.trim_start().chars().next();
    match (first, in_list) {
        (None, _) => return Err(Stop::More),
        (Some('{'), _) | (Some('['), true) => {}
        _ => return wrong("it is no JSON"),
    }
    let Some((start, end)) = json_value(text) else {
        return Err(Stop::More);
    };
    let value = match Json::parse(&text[start..end]) {
        Ok(value) => value,
        Err(error) => return wrong(format!("it is no JSON: {error}")),
    };
    let items = match &value {
        Json::Array(items) => &items[..],
        one => std::slice::from_ref(one),
    };
    let mut calls = Vec::new();
    for item in items {
        let Some(called) = at_path(item, name).and_then(Json::as_str) else {
            return wrong("it names no tool");
        };
        let given = at_path(item, arguments).or_else(|| {
            let other = |key: &&str| at_path(item, &[(*key).to_owned()]);
            ["arguments", "parameters"].iter().find_map(other)
        });
        let arguments = match given {
            None | Some(Json::Null) => "{}".to_owned(),
            Some(Json::String(text)) => text.clone(),
            Some(object) => object.dumps(),
        };
        calls.push(Call { name: called.to_owned(), arguments });
    }
    if calls.is_empty() {
        return wrong("it is an empty list");
    }
    Ok((calls, end))
}

fn at_path<'j>(value: &'j Json, path: &[String]) -> Option<&'j Json> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

/// Where a quoted text ends: at the first closing quote that is not escaped, where quotes are ones
/// that can be.
fn closing(body: &str, close: &str) -> Option<usize> {
    let close = close.trim_end();
    if close.len() > 1 {
        return body.find(close);
    }
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if body[at..].starts_with(close) => return Some(at),
            _ => {}
        }
    }
    None
}

/// A text without its quotes, and without its escapes, where quotes have them.
fn unquoted(body: &str, open: &str) -> String {
    match open.trim() {
        "\"" => match Json::parse(&format!("\"{body}\"")) {
            Ok(Json::String(text)) => text,
            _ => body.to_owned(),
        },
        "'" => python_text(body),
        _ => body.to_owned(),
    }
}

/// A text without the escapes that Python writes in it.
fn python_text(body: &str) -> String {
    let (mut text, mut rest) = (String::with_capacity(body.len()), body.chars());
    while let Some(c) = rest.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        let before = rest.clone();
        let number = |digits: usize, rest: &mut std::str::Chars<'_>| {
            let found: String = rest.by_ref().take(digits).collect();
            let whole = found.len() == digits && found.bytes().all(|byte| byte.is_ascii_hexdigit());
            whole.then(|| u32::from_str_radix(&found, 16).ok().and_then(char::from_u32))?
        };
        let meant = match rest.next() {
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some(c @ ('\\' | '\'' | '"')) => Some(c),
            Some('x') => number(2, &mut rest),
            Some('u') => number(4, &mut rest),
            Some('U') => number(8, &mut rest),
            _ => None,
        };
        if let Some(meant) = meant {
            text.push(meant);
        } else {
            // Python leaves what it does not know as it is.
            text.push('\\');
            rest = before;
        }
    }
    text
}

/// A value without the line breaks that the template writes around it.
fn trimmed<'t>(value: &'t str, around: &(String, String)) -> &'t str {
    let value =
        if around.0.ends_with('\n') { value.strip_prefix('\n').unwrap_or(value) } else { value };
    if around.1.starts_with('\n') { value.strip_suffix('\n').unwrap_or(value) } else { value }
}
