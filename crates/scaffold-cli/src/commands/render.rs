//! `scaffold render`

use std::path::{Path, PathBuf};

use clap::Args;
use scaffold::text::Json;
use scaffold::{Message, RenderOptions};
use serde::Serialize;

use crate::args::ProjectArgs;
use crate::failure::{Exit, Usage};
use crate::{out, tokenizer};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold render starter --messages chat.json             the prompt, as the model reads it
  scaffold render ./model --messages chat.json --tools tools.json --json
  echo '[{\"role\":\"user\",\"content\":\"Hi\"}]' | scaffold render starter --messages -")]
pub(crate) struct RenderArgs {
    /// A repository (org/name), a local directory or file, or an alias
    model: String,
    /// A JSON list of messages, or an object that holds it as `messages`; `-` is standard input
    #[arg(long, value_name = "FILE")]
    messages: PathBuf,
    /// A JSON list of tools
    #[arg(long, value_name = "FILE")]
    tools: Option<PathBuf>,
    /// A JSON list of documents
    #[arg(long, value_name = "FILE")]
    documents: Option<PathBuf>,
    /// Further variables of the template, as a JSON object: '{"enable_thinking": false}'
    #[arg(long, value_name = "JSON")]
    kwargs: Option<String>,
    /// Which of the model's templates
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// End after the last message
    #[arg(long)]
    no_generation_prompt: bool,
    /// Leave the last message open, to be continued
    #[arg(long, conflicts_with = "no_generation_prompt")]
    continue_final_message: bool,
    /// Where the template fails on arguments of calls that are JSON in a string, give it objects
    #[arg(long)]
    parse_arguments: bool,
    /// Let names of control tokens in messages count as those tokens
    #[arg(long)]
    special_in_messages: bool,
    /// Print {"prompt": "…", "ids": […]}
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Output {
    prompt: String,
    ids: Vec<u32>,
}

pub(crate) fn run(args: &RenderArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let messages = messages(&args.messages)?;
    let list = |path: &Option<PathBuf>| {
        path.as_ref().map_or(Ok(Vec::new()), |path| {
            let source = path.display().to_string();
            match parsed(&tokenizer::read(path)?, &source)? {
                Json::Array(list) => Ok(list),
                _ => Err(anyhow::Error::from(Usage(format!("{source} is not a JSON list")))),
            }
        })
    };
    let kwargs =
        match &args.kwargs {
            Some(kwargs) => match parsed(kwargs, "--kwargs")? {
                Json::Object(kwargs) => kwargs,
                _ => return Err(Usage(
                    "--kwargs is not a JSON object\n  to do: write '{\"enable_thinking\": false}'"
                        .to_owned(),
                )
                .into()),
            },
            None => Vec::new(),
        };
    let options = RenderOptions {
        add_generation_prompt: !args.no_generation_prompt,
        continue_final_message: args.continue_final_message,
        tools: list(&args.tools)?,
        // As `transformers`.
        tools_in_words: false,
        documents: list(&args.documents)?,
        kwargs,
        special_in_messages: args.special_in_messages,
        parse_arguments: args.parse_arguments,
        template: args.template.clone(),
        now: None,
    };
    let files = tokenizer::open(&args.model, project)?;
    let template = files.template?;
    let prompt = template.prompt(&messages, &options)?;
    if args.json {
        let ids = files.tokenizer.encode_prompt(&prompt)?.ids;
        out::json(&Output { prompt: prompt.text(), ids })?;
    } else {
        out::piece(&prompt.text())?;
    }
    Ok(Exit::Done)
}

fn messages(path: &Path) -> anyhow::Result<Vec<Message>> {
    let source = path.display().to_string();
    let mut value = parsed(&tokenizer::read(path)?, &source)?;
    if let Some(inner) = value.get_mut("messages") {
        value = std::mem::take(inner);
    }
    let Json::Array(list) = value else {
        return Err(Usage(format!("{source} is not a JSON list of messages\n  to do: write [{{\"role\": \"user\", \"content\": \"…\"}}]")).into());
    };
    let read = |(index, message): (usize, Json)| {
        Message::try_from(message)
            .map_err(|error| Usage(format!("message {index} of {source}: {error}")).into())
    };
    list.into_iter().enumerate().map(read).collect()
}

fn parsed(text: &str, source: &str) -> anyhow::Result<Json> {
    Json::parse(text).map_err(|error| {
        Usage(format!("{source} is not the JSON that is expected: {error}")).into()
    })
}
