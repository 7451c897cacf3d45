//! What a line that starts with `/` means.

use scaffold::hub::nearest;

/// A command of the chat.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Slash {
    Help,
    Leave,
    Clear,
    /// The parameter's name and its values, both as typed.
    SetParameter(String, Vec<String>),
    /// An empty text removes the system message.
    SetSystem(String),
    SetVerbose(bool),
    SetHistory(bool),
    Show(Show),
    /// Not understood; what to type instead.
    Unclear(String),
}

/// What `/show` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Show {
    Info,
    Parameters,
    System,
}

/// The answer to `/?`.
pub(crate) const HELP: &str = "\
  /set parameter NAME VALUE   change how answers are written (/show parameters lists them)
  /set system TEXT            tell the model how to behave; without TEXT, no more
  /set history | nohistory    send the whole conversation, or each message alone
  /set verbose | quiet        print times after each answer, or not
  /show info                  the model
  /show parameters            how answers are written
  /show system                the system message
  /clear                      forget the conversation
  /bye, /exit, /quit          leave (also Ctrl-D)
  /?, /help                   this help

  \"\"\" begins a message of several lines, and \"\"\" ends it.
  Ctrl-C stops an answer.";

const COMMANDS: [&str; 8] = ["set", "show", "clear", "bye", "exit", "quit", "help", "?"];

const SET: &str =
    "/set takes: parameter NAME VALUE, system TEXT, history, nohistory, verbose, quiet";
const SHOW: &str = "/show takes: info, parameters, system";

/// Reads a line; `None` where it is a message.
pub(crate) fn parse(line: &str) -> Option<Slash> {
    let line = line.trim();
    let rest = line.strip_prefix('/')?;
    let (command, rest) = split_word(rest);
    Some(match command {
        "?" | "help" => Slash::Help,
        "bye" | "exit" | "quit" => Slash::Leave,
        "clear" => Slash::Clear,
        "set" => set(rest),
        "show" => show(rest),
        // A path or a fraction at the start of a message.
        _ if !command.chars().all(|c| c.is_ascii_lowercase()) || command.is_empty() => return None,
        _ => {
            let near = nearest(command, COMMANDS.into_iter());
            let meant = near.map(|near| format!("did you mean /{near}? ")).unwrap_or_default();
            Slash::Unclear(format!("there is no command /{command}; {meant}/? lists them"))
        }
    })
}

fn set(rest: &str) -> Slash {
    let (what, rest) = split_word(rest);
    match what {
        "parameter" => {
            let mut words = words(rest).into_iter();
            match (words.next(), words.collect::<Vec<_>>()) {
                (Some(name), values) if !values.is_empty() => Slash::SetParameter(name, values),
                _ => Slash::Unclear("/set parameter takes a name and a value, for example: /set parameter temperature 0.2".to_owned()),
            }
        }
        "system" => Slash::SetSystem(unquoted(rest).to_owned()),
        "verbose" => Slash::SetVerbose(true),
        "quiet" => Slash::SetVerbose(false),
        "history" => Slash::SetHistory(true),
        "nohistory" => Slash::SetHistory(false),
        _ => Slash::Unclear(SET.to_owned()),
    }
}

fn show(rest: &str) -> Slash {
    match rest {
        "info" => Slash::Show(Show::Info),
        "parameters" => Slash::Show(Show::Parameters),
        "system" => Slash::Show(Show::System),
        _ => Slash::Unclear(SHOW.to_owned()),
    }
}

fn split_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

/// Words, where double quotes keep spaces together.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for c in text.chars() {
        if c == '"' {
            quoted = !quoted;
            word.get_or_insert_default();
        } else if c.is_whitespace() && !quoted {
            words.extend(word.take());
        } else {
            word.get_or_insert_default().push(c);
        }
    }
    words.extend(word);
    words
}

fn unquoted(text: &str) -> &str {
    let inside = |quote: &str| text.strip_prefix(quote)?.strip_suffix(quote);
    inside("\"\"\"").or_else(|| inside("\"")).unwrap_or(text).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_messages() {
        for line in [
            "hello",
            "",
            "  what is a/b?",
            "/usr/bin is a path, what is in it?",
            "/ is division",
            "/1 of 3",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn commands_are_read() {
        for (line, slash) in [
            ("/?", Slash::Help),
            (" /bye ", Slash::Leave),
            ("/exit", Slash::Leave),
            ("/clear", Slash::Clear),
            ("/set system You are brief.", Slash::SetSystem("You are brief.".to_owned())),
            ("/set system \"You are brief.\"", Slash::SetSystem("You are brief.".to_owned())),
            ("/set system \"\"\"Two\nlines\"\"\"", Slash::SetSystem("Two\nlines".to_owned())),
            ("/set system", Slash::SetSystem(String::new())),
            ("/set verbose", Slash::SetVerbose(true)),
            ("/set nohistory", Slash::SetHistory(false)),
            ("/show parameters", Slash::Show(Show::Parameters)),
            (
                "/set parameter top_k 5",
                Slash::SetParameter("top_k".to_owned(), vec!["5".to_owned()]),
            ),
            (
                "/set parameter stop \"a b\" c \"\"",
                Slash::SetParameter(
                    "stop".to_owned(),
                    vec!["a b".to_owned(), "c".to_owned(), String::new()],
                ),
            ),
        ] {
            assert_eq!(parse(line), Some(slash), "{line}");
        }
    }

    #[test]
    fn what_is_unclear_is_answered_with_what_there_is() {
        for (line, part) in [
            ("/frobnicate", "/?"),
            ("/hlep", "did you mean /help?"),
            ("/claer", "did you mean /clear?"),
            ("/set", "parameter NAME VALUE"),
            ("/set parameter top_k", "a name and a value"),
            ("/show weather", "info, parameters, system"),
        ] {
            let Some(Slash::Unclear(text)) = parse(line) else { panic!("{line}") };
            assert!(text.contains(part), "{text}");
        }
    }
}
