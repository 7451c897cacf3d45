//! `scaffold run MODEL [PROMPT]`

use clap::Args;

use crate::args::{AnswerArgs, ProjectArgs};
use crate::chat::{Chat, Keyboard};
use crate::failure::{Exit, Usage};
use crate::session::Session;
use crate::{interrupt, stdin};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold run starter                                  a chat, if this is a terminal (/? lists its commands)
  scaffold run starter \"What is sustainability?\"        one answer
  scaffold run starter Summarise: < report.txt          standard input is appended to the prompt
  scaffold run org/name@revision \"Hello\" --greedy       the same answer every time
  scaffold run ./model.gguf \"Hello\" --json              {\"text\": ..., \"output_ids\": [...], ...}")]
pub(crate) struct RunArgs {
    /// A repository (org/name), a local directory or file, or an alias such as starter
    model: String,
    /// The message; its words are joined with spaces
    prompt: Vec<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

pub(crate) fn run(args: &RunArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let config = project.load(args.answer.flags(Some(&args.model)))?;
    if args.prompt.is_empty() && stdin::is_terminal() {
        args.answer.refuse_for_chat()?;
        // Made before Ctrl-C is watched: the line editor sets a handler of its own, which ours has
        // to replace.
        let mut keyboard =
            Keyboard::new(config.chat_history.as_ref().map(|file| file.value.as_path()))?;
        interrupt::install()?;
        let session = Session::open(&config, &args.answer)?;
        Chat::new(&session, &args.answer)?.run(&mut keyboard)?;
        return Ok(Exit::Done);
    }
    let prompt = stdin::prompt(&args.prompt, args.answer.no_stdin)?;
    if prompt.trim().is_empty() {
        let text = "there is no prompt: the arguments and standard input are empty\n  to do: give one, or run this in a \
                    terminal for a chat";
        return Err(Usage(text.to_owned()).into());
    }
    interrupt::install()?;
    Session::open(&config, &args.answer)?.answer(&prompt, &args.answer)
}
