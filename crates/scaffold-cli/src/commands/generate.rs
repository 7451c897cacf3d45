//! `scaffold generate PROMPT`

use clap::Args;

use crate::args::{AnswerArgs, ProjectArgs};
use crate::failure::{Exit, Usage};
use crate::session::Session;
use crate::{interrupt, stdin};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold generate \"What is sustainability?\"           answered by the configured model (LLM_MODEL)
  scaffold generate --model tinyllama \"Hello\"
  git diff | scaffold generate \"Describe this change:\"  standard input is appended to the prompt")]
pub(crate) struct GenerateArgs {
    /// The message; its words are joined with spaces
    prompt: Vec<String>,
    /// The model that answers [LLM_MODEL]
    #[arg(long, short, value_name = "MODEL")]
    model: Option<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

pub(crate) fn run(args: &GenerateArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let config = project.load(args.answer.flags(args.model.as_deref()))?;
    let prompt = stdin::prompt(&args.prompt, args.answer.no_stdin)?;
    if prompt.trim().is_empty() {
        let text = "there is no prompt: the arguments and standard input are empty\n  to do: give one, for example: \
                    scaffold generate \"Hello\"";
        return Err(Usage(text.to_owned()).into());
    }
    interrupt::install()?;
    Session::open(&config, &args.answer)?.answer(&prompt, &args.answer)
}
