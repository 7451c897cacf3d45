//! The chat: what is typed, what it means, the answer, and again.

mod input;
mod parameters;
mod slash;

use scaffold::{Answer, GenerateOptions, Message};

use crate::answer;
use crate::args::AnswerArgs;
use crate::session::Session;
use crate::{failure, out};
use input::Input;
pub(crate) use input::Keyboard;
use slash::{Show, Slash};

/// A conversation with a model.
pub(crate) struct Chat<'a> {
    session: &'a Session,
    options: GenerateOptions,
    system: Option<String>,
    verbose: bool,
    /// Whether earlier messages are sent again.
    history: bool,
    messages: Vec<Message>,
}

/// Whether the chat goes on.
#[derive(PartialEq, Eq)]
enum Next {
    Read,
    Leave,
}

impl<'a> Chat<'a> {
    /// A new conversation, answered as the flags say.
    pub(crate) fn new(session: &'a Session, args: &AnswerArgs) -> anyhow::Result<Chat<'a>> {
        Ok(Chat {
            session,
            options: args.options()?,
            system: args.system.clone(),
            verbose: args.verbose,
            history: true,
            messages: Vec::new(),
        })
    }

    /// Reads and answers until the user leaves.
    pub(crate) fn run(&mut self, keyboard: &mut Keyboard) -> anyhow::Result<()> {
        out::say("Send a message (/? for help)");
        loop {
            let text = match keyboard.read()? {
                Input::Text(text) => text,
                Input::Interrupted => {
                    out::say("Use Ctrl-D or /bye to leave");
                    continue;
                }
                Input::Ended => return Ok(()),
            };
            let next = match slash::parse(&text) {
                Some(command) => self.obey(command),
                None if text.trim().is_empty() => Next::Read,
                None => self.answer(text)?,
            };
            if next == Next::Leave {
                return Ok(());
            }
        }
    }

    fn obey(&mut self, command: Slash) -> Next {
        match command {
            Slash::Help => out::say(slash::HELP),
            Slash::Leave => return Next::Leave,
            Slash::Clear => {
                self.messages.clear();
                out::say("Forgot the conversation");
            }
            Slash::SetParameter(name, values) => {
                match parameters::set(&name, &values, &mut self.options) {
                    Ok(()) => out::say(format_args!("Set {name} to {}", values.join(" "))),
                    Err(problem) => out::say(problem),
                }
            }
            Slash::SetSystem(text) => {
                out::say(if text.is_empty() {
                    "Removed the system message"
                } else {
                    "Set the system message"
                });
                self.system = (!text.is_empty()).then_some(text);
            }
            Slash::SetVerbose(on) => {
                self.verbose = on;
                out::say(if on {
                    "Times are printed after each answer"
                } else {
                    "Times are not printed"
                });
            }
            Slash::SetHistory(on) => {
                self.history = on;
                out::say(if on {
                    "The whole conversation is sent"
                } else {
                    "Each message is sent alone"
                });
            }
            Slash::Show(what) => self.show(what),
            Slash::Unclear(text) => out::say(text),
        }
        Next::Read
    }

    fn show(&self, what: Show) {
        match what {
            Show::Info => out::say(self.session.model.describe()),
            Show::Parameters => match self.session.model.effective(&self.options) {
                Ok((sampling, stop)) => {
                    out::say(out::table(&parameters::list(&sampling, &stop)).trim_end());
                }
                Err(error) => out::say(error),
            },
            Show::System => {
                let own = self.session.model.made().and_then(|made| made.system.as_deref());
                let system = self.system.as_deref().or(own);
                out::say(system.unwrap_or("There is no system message"));
            }
        }
    }

    /// Sends a message. What is wrong with it ends the answer, not the chat.
    fn answer(&mut self, text: String) -> anyhow::Result<Next> {
        let message = Message::user(text);
        match self.send(&message) {
            Ok(answer) => {
                self.messages.push(message);
                self.messages.push(Message::assistant(answer.text));
                Ok(Next::Read)
            }
            Err(error) if error.is::<out::Closed>() => Err(error),
            Err(error) => {
                out::say(failure::render(&error));
                if self.history && !self.messages.is_empty() {
                    out::say(
                        "The message was not added to the conversation; /clear forgets the conversation",
                    );
                }
                Ok(Next::Read)
            }
        }
    }

    fn send(&self, message: &Message) -> anyhow::Result<Answer> {
        let mut messages: Vec<Message> =
            self.system.iter().map(|text| Message::system(text.clone())).collect();
        if self.history {
            messages.extend(self.messages.iter().cloned());
        }
        messages.push(message.clone());
        let stream = self.session.model.chat_stream_with(&messages, &self.options)?;
        let mut prose = out::Prose::new();
        let answer = answer::receive(stream, |text| prose.piece(text))?;
        prose.end()?;
        out::piece("\n\n")?;
        answer::say_cut_off(&answer);
        if self.verbose {
            answer::say_timings(&answer, self.session.load());
        }
        Ok(answer)
    }
}
