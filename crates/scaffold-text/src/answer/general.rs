//! Tools for models whose templates know none: they are described in words, and calls are written as
//! most models write them that were trained to call.
//!
//! The form is that of Hermes and Qwen: `<tool_call>` around a JSON object with name and arguments,
//! `<tool_response>` around what a tool gave. A model that was not trained for it calls as well as it
//! follows instructions.

use scaffold_jinja::Json;

use super::form::{CallSyntax, Form};
use super::literal::Literal;
use crate::chat::Message;

const OPEN: &str = "<tool_call>";
const CLOSE: &str = "</tool_call>";

/// How calls are written then.
pub(super) fn syntax() -> CallSyntax {
    CallSyntax {
        head: Literal::new(OPEN),
        between: Some(Literal::new(&format!("{CLOSE}\n{OPEN}"))),
        tail: Literal::new(CLOSE),
        form: Form::Object {
            name: vec!["name".to_owned()],
            arguments: vec!["arguments".to_owned()],
            in_list: false,
        },
        trigger: Some(OPEN.to_owned()),
        prefix: None,
    }
}

/// Where the tools are described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Described {
    /// In the system's message, as its end.
    BySystem,
    /// Before the user's first words, for models without a system's message; what the system says
    /// stands before it.
    ByUser,
}

/// The same chat in plain messages: tools in words, calls and what they gave as text.
pub fn in_words(messages: &[Message], tools: &[Json], described: Described) -> Vec<Message> {
    let mut written: Vec<Message> = Vec::new();
    let mut before = Vec::new();
    let mut gave_last = false;
    for message in messages {
        let gives = message.role() == "tool";
        let joins = gave_last && (gives || message.role() == "user");
        let (role, text) = match message.role() {
            "tool" => ("user", format!("<tool_response>\n{}\n</tool_response>", message.text())),
            "assistant" if !message.tool_calls().is_empty() => ("assistant", called(message)),
            "system" | "developer" if described == Described::ByUser => {
                before.push(message.text());
                continue;
            }
            _ => {
                if joins {
                    append(&mut written, "\n\n", &message.text());
                } else {
                    written.push(message.clone());
                }
                gave_last = false;
                continue;
            }
        };
        // Several results are one turn, as are they and what the user says next: templates want turns
        // to alternate.
        if joins {
            append(&mut written, "\n", &text);
        } else {
            written.push(Message::new(role, text));
        }
        gave_last = gives;
    }
    if !tools.is_empty() {
        before.push(description(tools));
    }
    describe(written, before.join("\n\n"), described)
}

fn append(written: &mut [Message], between: &str, text: &str) {
    if let Some(last) = written.last_mut() {
        *last = Message::new(last.role(), last.text() + between + text);
    }
}

fn describe(mut written: Vec<Message>, words: String, described: Described) -> Vec<Message> {
    if words.is_empty() {
        return written;
    }
    let role = match described {
        Described::BySystem => "system",
        Described::ByUser => "user",
    };
    match written.iter_mut().find(|message| message.role() == role) {
        Some(system) if described == Described::BySystem => {
            *system = Message::system(system.text() + "\n\n" + &words);
        }
        Some(user) => *user = Message::user(words + "\n\n" + &user.text()),
        None => written.insert(0, Message::new(role, words)),
    }
    written
}

fn called(message: &Message) -> String {
    let mut text = message.text();
    for call in message.tool_calls() {
        let function = call.get("function").unwrap_or(call);
        let arguments = match function.get("arguments") {
            // What the model wrote stays as it wrote it.
            Some(Json::String(written)) if !written.trim().is_empty() => written.clone(),
            Some(object @ Json::Object(_)) => object.dumps(),
            _ => "{}".to_owned(),
        };
        let name = function.get("name").cloned().unwrap_or_else(|| Json::from("")).dumps();
        if !text.is_empty() {
            text.push('\n');
        }
        text.extend([OPEN, "\n{\"name\": ", &name, ", \"arguments\": ", &arguments, "}\n", CLOSE]);
    }
    text
}

fn description(tools: &[Json]) -> String {
    let mut text = "You may call functions to help with what is asked. These are there, each as a JSON object:\n<tools>\n".to_owned();
    for tool in tools {
        text += &tool.get("function").unwrap_or(tool).dumps();
        text.push('\n');
    }
    text += "</tools>\n\nTo call a function, write its name and its arguments as a JSON object between these tags, and nothing after them:\n";
    text += OPEN;
    // What stands for name and arguments is no JSON: a small model that repeats it calls nothing.
    text += "\n{\"name\": <the function's name>, \"arguments\": <an object of its arguments>}\n";
    text += CLOSE;
    text += "\nWhat it gives comes back between <tool_response> and </tool_response>. Where no function helps, answer in plain words.";
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{AnswerParser, AnswerSyntax, Part};

    fn weather() -> Vec<Json> {
        let tool = r#"{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}"#;
        vec![Json::parse(tool).unwrap()]
    }

    fn chat() -> Vec<Message> {
        let arguments = Json::parse(r#"{"city": "Paris"}"#).unwrap();
        vec![
            Message::system("Be kind."),
            Message::user("How is the weather?"),
            Message::new("assistant", Json::Null)
                .with_tool_call(Some("1"), "weather", arguments)
                .with_tool_call(Some("2"), "weather", r#"{"city":"Rome"}"#),
            Message::tool("sunny"),
            Message::tool("rain"),
            Message::user("And tomorrow?"),
        ]
    }

    fn shown(messages: &[Message]) -> Vec<(String, String)> {
        messages.iter().map(|one| (one.role().to_owned(), one.text())).collect()
    }

    #[test]
    fn a_chat_with_tools_is_written_in_plain_turns_that_alternate() {
        let written = in_words(&chat(), &weather(), Described::BySystem);
        let turns = shown(&written);
        let roles: Vec<&str> = turns.iter().map(|(role, _)| role.as_str()).collect();
        assert_eq!(roles, ["system", "user", "assistant", "user"]);
        assert!(turns[0].1.starts_with("Be kind.\n\nYou may call functions"), "{}", turns[0].1);
        assert!(
            turns[0].1.contains(
                "{\"name\": \"weather\", \"parameters\": {\"type\": \"object\"}}\n</tools>"
            )
        );
        assert_eq!(
            turns[2].1,
            "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>\n\
             <tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\":\"Rome\"}}\n</tool_call>"
        );
        assert_eq!(
            turns[3].1,
            "<tool_response>\nsunny\n</tool_response>\n<tool_response>\nrain\n</tool_response>\n\nAnd tomorrow?"
        );
    }

    #[test]
    fn without_a_systems_message_the_user_says_it() {
        let written = in_words(&chat(), &weather(), Described::ByUser);
        let turns = shown(&written);
        assert_eq!(turns.len(), 3);
        assert!(
            turns[0].1.starts_with("Be kind.\n\nYou may call")
                && turns[0].1.ends_with("\n\nHow is the weather?")
        );
        let none = in_words(&[Message::user("Hi")], &weather(), Described::BySystem);
        assert_eq!(none.len(), 2);
        assert_eq!(
            shown(&in_words(&[Message::user("Hi")], &[], Described::ByUser)),
            shown(&[Message::user("Hi")])
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        let written = in_words(&chat(), &weather(), Described::BySystem);
        let syntax = AnswerSyntax::default().or_general();
        assert!(syntax.is_general() && syntax.has_calls());
        let mut parser = AnswerParser::new(syntax, weather());
        let mut parts = parser.push(&written[2].text());
        parts.extend(parser.finish());
        let calls: Vec<String> = parts
            .iter()
            .filter_map(|part| match part {
                Part::Call(call) => Some(call.arguments.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(calls.len(), 2, "{parts:?}");
        assert!(calls[0].contains("Paris") && calls[1].contains("Rome"));
    }
}
