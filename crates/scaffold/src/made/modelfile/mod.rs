//! Ollama's Modelfile: reading and writing it.
//!
//! A line is a comment (`#`), empty, or an instruction and its value. A value that begins with `"`
//! or `"""` goes on, over lines, until a line ends with the same; nothing in it is escaped. So it is
//! in Ollama's `parser/parser.go`, whose every file is read here to the same.

mod value;

use std::fmt;

use scaffold_error::{Error, err};

/// What may begin a line.
const INSTRUCTIONS: &str =
    "FROM, PARAMETER, TEMPLATE, SYSTEM, ADAPTER, LICENSE, MESSAGE, REQUIRES, RENDERER, PARSER";

/// Who may say a message.
pub const ROLES: [&str; 3] = ["system", "user", "assistant"];

/// A Modelfile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modelfile {
    /// What it says, in its order.
    pub instructions: Vec<Instruction>,
}

/// What a line says, or several that a quoted value goes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// What the model is made from.
    From(String),
    /// A parameter of answers.
    Parameter {
        /// Its name, in small letters.
        name: String,
        /// Its value, as it is written.
        value: String,
    },
    /// How chats are written for the model.
    Template(String),
    /// The system prompt.
    System(String),
    /// Further weights.
    Adapter(String),
    /// The text of a licence.
    License(String),
    /// What every chat begins with.
    Message {
        /// Who says it.
        role: String,
        /// What is said.
        content: String,
    },
    /// The version of Ollama that the model needs.
    Requires(String),
    /// Ollama's own code for writing chats.
    Renderer(String),
    /// Ollama's own code for reading answers.
    Parser(String),
}

impl Modelfile {
    /// The one of a model over which nothing is said.
    pub fn of_name(name: &str) -> Self {
        Self { instructions: vec![Instruction::From(name.to_owned())] }
    }

    /// Reads a Modelfile.
    ///
    /// # Errors
    /// The line that is none of a Modelfile, and what is accepted there.
    ///
    /// ```
    /// use scaffold::made::Modelfile;
    ///
    /// let file = Modelfile::parse("from starter\nSYSTEM \"\"\"You are\nMario.\"\"\"\n")?;
    /// assert_eq!(file.instructions.len(), 2);
    /// # Ok::<(), scaffold::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = text.split('\n').zip(1..);
        let mut instructions = Vec::new();
        while let Some((line, number)) = lines.next() {
            let line = line.trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let read = instruction(line, &mut lines.by_ref().map(|(line, _)| line));
            instructions.push(read.map_err(|error| {
                error.prefixed(format_args!("line {number} of the Modelfile")).at_line(number)
            })?);
        }
        Ok(Self { instructions })
    }
}

/// Reads an instruction that begins with this line.
fn instruction<'t>(
    line: &str,
    more: &mut dyn Iterator<Item = &'t str>,
) -> Result<Instruction, Error> {
    let (word, rest) = split(line);
    let Some(rest) = rest else {
        let no_value = || err!(Usage, "{word} has no value");
        return Err(if is_known(word) { no_value() } else { unknown(word) });
    };
    let text = |more: &mut dyn Iterator<Item = &'t str>| value::read(rest, more);
    Ok(match word.to_ascii_lowercase().as_str() {
        "from" => Instruction::From(text(more)?),
        "template" => Instruction::Template(text(more)?),
        "system" => Instruction::System(text(more)?),
        "adapter" => Instruction::Adapter(text(more)?),
        "license" => Instruction::License(text(more)?),
        "requires" => Instruction::Requires(text(more)?),
        "renderer" => Instruction::Renderer(text(more)?),
        "parser" => Instruction::Parser(text(more)?),
        "parameter" => {
            let (name, rest) = split(rest.trim_start());
            let known = |c: char| c.is_ascii_alphanumeric() || c == '_';
            match rest {
                Some(rest) if !name.is_empty() && name.chars().all(known) => {
                    Instruction::Parameter {
                        name: name.to_ascii_lowercase(),
                        value: value::read(rest, more)?,
                    }
                }
                _ => {
                    return Err(err!(
                        Usage,
                        "PARAMETER takes a name and a value, such as `PARAMETER temperature 0.7`"
                    ));
                }
            }
        }
        "message" => {
            let (role, rest) = split(rest.trim_start());
            match rest {
                Some(rest) if ROLES.contains(&role) => Instruction::Message {
                    role: role.to_owned(),
                    content: value::read(rest, more)?,
                },
                _ => {
                    return Err(err!(
                        Usage,
                        "MESSAGE takes one of {} and a text, not {role:?}",
                        ROLES.join(", ")
                    ));
                }
            }
        }
        _ => return Err(unknown(word)),
    })
}

fn is_known(word: &str) -> bool {
    INSTRUCTIONS.split(", ").any(|known| known.eq_ignore_ascii_case(word))
}

fn unknown(word: &str) -> Error {
    let word: String = word.chars().take(40).collect();
    err!(Usage, "{word:?} is no instruction: {INSTRUCTIONS} are accepted")
}

/// A word and what is behind the space after it.
fn split(line: &str) -> (&str, Option<&str>) {
    match line.find([' ', '\t']) {
        Some(at) => (&line[..at], Some(&line[at + 1..])),
        None => (line.trim_end(), None),
    }
}

impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (words, text) = match self {
            Instruction::From(text) => ("FROM".to_owned(), text),
            Instruction::Parameter { name, value } => (format!("PARAMETER {name}"), value),
            Instruction::Template(text) => ("TEMPLATE".to_owned(), text),
            Instruction::System(text) => ("SYSTEM".to_owned(), text),
            Instruction::Adapter(text) => ("ADAPTER".to_owned(), text),
            Instruction::License(text) => ("LICENSE".to_owned(), text),
            Instruction::Message { role, content } => (format!("MESSAGE {role}"), content),
            Instruction::Requires(text) => ("REQUIRES".to_owned(), text),
            Instruction::Renderer(text) => ("RENDERER".to_owned(), text),
            Instruction::Parser(text) => ("PARSER".to_owned(), text),
        };
        match value::written(text) {
            Some(written) => write!(f, "{words} {written}"),
            // A line of the text ends as quotes do.
            None => write!(f, "# {words}: this text has quotes that no Modelfile can hold"),
        }
    }
}

impl fmt::Display for Modelfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.instructions.iter().try_for_each(|instruction| writeln!(f, "{instruction}"))
    }
}

#[cfg(test)]
mod tests;
