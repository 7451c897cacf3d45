//! From what a template writes to the syntax behind it.

use scaffold_jinja::Json;

use super::form::{CallSyntax, Form};
use super::literal::Literal;
use super::probe::{IDS, KEYS, NAMES, NUMBER, Probe, TEXTS, arguments};
use super::scan::json_value;
use crate::chat::ChatTemplate;

/// What stands around something.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Marks {
    pub(super) open: String,
    pub(super) close: String,
}

/// Marks that a template may know without writing them where it can be seen.
const THOUGHTS: [(&str, &str); 4] = [
    ("<think>", "</think>"),
    ("[THINK]", "[/THINK]"),
    ("<thinking>", "</thinking>"),
    ("<seed:think>", "</seed:think>"),
];

/// What stands around thoughts.
pub(super) fn thoughts(template: &ChatTemplate) -> Option<Marks> {
    let probes = Probe::all(template);
    let shown = probes.iter().find_map(Probe::thought).and_then(|(written, at)| {
        let open = written[..at.start].trim();
        let close = written[at.end..].trim();
        // The last mark before it, and the first after it.
        let open = open.rfind(['<', '[']).map_or(open, |start| &open[start..]);
        let close = close.find(['>', ']']).map_or(close, |end| &close[..=end]);
        let both = !open.is_empty() && !close.is_empty();
        both.then(|| Marks { open: open.to_owned(), close: close.to_owned() })
    });
    shown.or_else(|| {
        let prompt = probes.iter().find_map(Probe::prompt).unwrap_or_default();
        let known = |(open, close): &&(&str, &str)| {
            template.mentions(close) || prompt.trim_end().ends_with(open)
        };
        let (open, close) = THOUGHTS.iter().find(known)?;
        Some(Marks { open: (*open).to_owned(), close: (*close).to_owned() })
    })
}

/// How calls are written. `thoughts`: what may stand before them.
pub(super) fn calls(template: &ChatTemplate, thoughts: Option<&Marks>) -> Option<CallSyntax> {
    let after_thoughts =
        |written: String| match thoughts.and_then(|m| written.find(&m.close).zip(Some(m))) {
            // An empty thought; in a call it would come after the name.
            Some((at, marks)) if written.find(NAMES[0]).is_some_and(|name| at < name) => {
                written[at + marks.close.len()..].to_owned()
            }
            _ => written,
        };
    let found = Probe::all(template).iter().find_map(|probe| {
        let one = after_thoughts(probe.calls(1)?);
        let two = probe.calls(2).map(after_thoughts);
        of_samples(&one, two.as_deref())
    });
    let known = || {
        let known = KNOWN.iter().find(|(mark, ..)| template.mentions(mark))?;
        let sample = |text: &str| text.replace("ARGUMENTS", &arguments().dumps());
        of_samples(&sample(known.1), known.2.map(sample).as_deref())
    };
    let mut syntax = found.or_else(known)?;
    if syntax.trigger.is_none() && template.mentions(PYTHON) {
        syntax.prefix = Some(PYTHON.to_owned());
    }
    Some(syntax)
}

/// What Llama writes before a call that is for a tool of its own, and sometimes before others.
const PYTHON: &str = "<|python_tag|>";

/// Calls that templates tell their models to write, but do not write themselves: a mark by which such
/// a template is known, and an answer of one call and of two.
const KNOWN: [(&str, &str, Option<&str>); 8] = [
    (
        "<｜tool▁calls▁begin｜>",
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>probe_first\n```json\nARGUMENTS\n```<｜tool▁call▁end｜>\
         <｜tool▁calls▁end｜>",
        Some(
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>probe_first\n```json\nARGUMENTS\n```<｜tool▁call▁end｜>\n\
             <｜tool▁call▁begin｜>function<｜tool▁sep｜>probe_second\n```json\nARGUMENTS\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        ),
    ),
    (
        "<tool_call>",
        "<tool_call>\n{\"name\": \"probe_first\", \"arguments\": ARGUMENTS}\n</tool_call>",
        None,
    ),
    ("[TOOL_CALLS]", "[TOOL_CALLS][{\"name\": \"probe_first\", \"arguments\": ARGUMENTS}]", None),
    ("<|tool_call|>", "<|tool_call|>[{\"name\": \"probe_first\", \"arguments\": ARGUMENTS}]", None),
    (
        "<TOOLCALL>",
        "<TOOLCALL>[{\"name\": \"probe_first\", \"arguments\": ARGUMENTS}]</TOOLCALL>",
        None,
    ),
    ("functools", "functools[{\"name\": \"probe_first\", \"arguments\": ARGUMENTS}]", None),
    (
        "<|tool_list_start|>",
        "<|tool_call_start|>[probe_first(key_a=\"alpha beta\", key_b=5708, key_c=\"gamma delta\")]<|tool_call_end|>",
        Some(
            "<|tool_call_start|>[probe_first(key_a=\"alpha beta\", key_b=5708, key_c=\"gamma delta\"), \
             probe_second(key_a=\"alpha beta\", key_b=5708, key_c=\"gamma delta\")]<|tool_call_end|>",
        ),
    ),
    (PYTHON, "{\"name\": \"probe_first\", \"parameters\": ARGUMENTS}", None),
];

fn of_samples(one: &str, two: Option<&str>) -> Option<CallSyntax> {
    object(one, two).or_else(|| named(one, two)).or_else(|| marked(one, two))
}

/// What tells that calls begin: the first mark before them, if there is one.
fn trigger(head: &str) -> Option<String> {
    let head = head.trim_start();
    let close = match head.chars().next()? {
        '<' => '>',
        '[' => ']',
        '｜' => '｜',
        _ => {
            let word = head.split_whitespace().next()?;
            let telling = word.len() > 4 && word.chars().any(char::is_alphabetic);
            return telling.then(|| word.to_owned());
        }
    };
    let end = head.find(close).map(|at| at + close.len_utf8());
    let mark = match end {
        Some(end) => &head[..end],
        // Such as `<function=`, whose end comes after the name.
        None => head.trim_end(),
    };
    (mark.len() > 3 && mark.chars().any(char::is_alphabetic)).then(|| mark.to_owned())
}

/// The value that begins at the first of these characters and in which the name stands.
fn value_with(text: &str, opens: &[char], name: &str) -> Option<(usize, usize, Json)> {
    let named = text.find(name)?;
    let starts = text.char_indices().filter(|&(at, c)| at < named && opens.contains(&c));
    starts.into_iter().find_map(|(at, _)| {
        let (_, end) = json_value(&text[at..])?;
        let value = Json::parse(&text[at..at + end]).ok()?;
        (at + end > named).then_some((at, at + end, value))
    })
}

/// The keys that lead to what `is` says.
fn path(value: &Json, is: &dyn Fn(&Json) -> bool) -> Option<Vec<String>> {
    if is(value) {
        return Some(Vec::new());
    }
    value.as_object()?.iter().find_map(|(key, inner)| {
        let mut rest = path(inner, is)?;
        rest.insert(0, key.clone());
        Some(rest)
    })
}

fn are_arguments(value: &Json) -> bool {
    let wanted = arguments();
    match value {
        Json::String(text) => Json::parse(text).is_ok_and(|parsed| parsed == wanted),
        other => *other == wanted,
    }
}

fn object(one: &str, two: Option<&str>) -> Option<CallSyntax> {
    let (start, end, value) = value_with(one, &['{', '['], NAMES[0])?;
    let item = match &value {
        Json::Array(items) => items.first()?,
        object => object,
    };
    let name = path(item, &|value| value.as_str() == Some(NAMES[0]))?;
    let arguments = path(item, &are_arguments)?;
    let in_list = value.as_array().is_some();
    let between = two.filter(|_| !in_list).and_then(|two| {
        let (_, first_end, _) = value_with(two, &['{'], NAMES[0])?;
        let (start, ..) = value_with(&two[first_end..], &['{'], NAMES[1])?;
        Some(Literal::with(&two[first_end..first_end + start], &IDS))
    });
    Some(CallSyntax {
        head: Literal::with(&one[..start], &IDS),
        between,
        tail: Literal::with(&one[end..], &IDS),
        form: Form::Object { name, arguments, in_list },
        trigger: trigger(&one[..start]),
        prefix: None,
    })
}

/// Where the arguments of a call stand, from `from` on.
fn arguments_at(text: &str, from: usize) -> Option<(usize, usize)> {
    let starts = text[from..].match_indices('{');
    starts.into_iter().find_map(|(at, _)| {
        let at = from + at;
        let (_, end) = json_value(&text[at..])?;
        let value = Json::parse(&text[at..at + end]).ok()?;
        are_arguments(&value).then_some((at, at + end))
    })
}

fn named(one: &str, two: Option<&str>) -> Option<CallSyntax> {
    let start = one.find(NAMES[0])?;
    let name_end = start + NAMES[0].len();
    let (from, to) = arguments_at(one, name_end)?;
    let second = two.and_then(|two| {
        let first = two.find(NAMES[0])? + NAMES[0].len();
        let (_, end) = arguments_at(two, first)?;
        let name = end + two[end..].find(NAMES[1])?;
        let name_end = name + NAMES[1].len();
        let (from, _) = arguments_at(two, name_end)?;
        Some((&two[end..name], &two[name_end..from]))
    });
    let own = &one[name_end..from];
    Some(CallSyntax {
        head: Literal::with(&one[..start], &IDS),
        between: second.map(|(between, _)| Literal::with(between, &IDS)),
        tail: Literal::with(&one[to..], &IDS),
        form: Form::Named {
            between: second.map_or_else(
                || Literal::with(own, &IDS),
                |(_, other)| Literal::common(own, other, &IDS),
            ),
        },
        trigger: trigger(&one[..start]),
        prefix: None,
    })
}

/// The longest end that two texts share.
fn common_end<'t>(one: &'t str, other: &str) -> &'t str {
    let pairs = one.chars().rev().zip(other.chars().rev());
    let length: usize = pairs.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    &one[one.len() - length..]
}

/// Two texts that differ in one word.
fn either(one: &str, other: &str) -> Option<Literal> {
    let end = common_end(one, other).trim_start_matches(char::is_alphanumeric);
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    let start: usize = same.map(|(a, _)| a.len_utf8()).sum();
    let word = one.get(start..one.len().checked_sub(end.len())?)?;
    let is_word = !word.is_empty() && word.chars().all(char::is_alphanumeric);
    is_word.then(|| Literal::around(&one[..start], end))
}

fn marked(one: &str, two: Option<&str>) -> Option<CallSyntax> {
    let start = one.find(NAMES[0])?;
    let mut at = start + NAMES[0].len();
    // What stands between the words of a call, in their order.
    let mut gap = |word: &str| {
        let found = at + one[at..].find(word)?;
        let gap = &one[at..found];
        at = found + word.len();
        Some(gap)
    };
    let to_key = gap(KEYS[0])?;
    let to_text = gap(TEXTS[0])?;
    let to_second = gap(KEYS[1])?;
    let to_number = gap(NUMBER)?;
    let to_third = gap(KEYS[2])?;
    gap(TEXTS[1])?;
    let rest = &one[at..];
    let (after_key, open) = match to_text.strip_prefix(to_number) {
        Some(open) => (Literal::new(to_number), open),
        None => (either(to_text, to_number)?, ""),
    };
    let close = to_second.strip_suffix(to_third)?;
    let before_key = common_end(to_key, to_third);
    let after_value = &to_third[..to_third.len() - before_key.len()];
    let after_name = &to_key[..to_key.len() - before_key.len()];
    // After the last argument there may be no comma.
    let rest = rest.strip_prefix(close)?;
    let tail = rest.trim_start().strip_prefix(after_value.trim()).unwrap_or(rest);
    let between = two.and_then(|two| {
        let last = two.find(TEXTS[1])? + TEXTS[1].len();
        let next = last + two[last..].find(NAMES[1])?;
        let between = two[last..next].strip_prefix(close)?;
        let between = between.trim_start().strip_prefix(after_value.trim()).unwrap_or(between);
        Some(Literal::with(between, &IDS))
    });
    Some(CallSyntax {
        head: Literal::with(&one[..start], &IDS),
        between,
        tail: Literal::with(tail, &IDS),
        form: Form::Marked {
            after_name: Literal::with(after_name, &IDS),
            before_key: Literal::new(before_key),
            after_key,
            quotes: (open.to_owned(), close.to_owned()),
            after_value: after_value.to_owned(),
            around_value: (to_number.to_owned(), after_value.to_owned()),
        },
        trigger: trigger(&one[..start]),
        prefix: None,
    })
}
