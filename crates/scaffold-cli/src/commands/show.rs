//! `scaffold show`

use clap::Args;
use scaffold::about::{About, Need};
use scaffold::hub::LocalModel;
use scaffold::machine::bytes_text;
use scaffold::made::{self, Base, MadeModel};
use scaffold::{LoadOptions, Model};
use serde_json::json;

use crate::args::ProjectArgs;
use crate::failure::Exit;
use crate::{model, out};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold show starter
  scaffold show org/name --template
  scaffold show mario --modelfile              of a model of your own
  scaffold show ollama:llama3.2 --json

The model must be here; `scaffold check` looks at one that is not.")]
pub(crate) struct ShowArgs {
    /// A model that is here
    model: String,
    /// Print the chat template alone
    #[arg(long, conflicts_with = "json")]
    template: bool,
    /// Print a Modelfile that makes the same model
    #[arg(long, conflicts_with_all = ["json", "template"])]
    modelfile: bool,
    /// Print an object with the keys name, path, revision, source, architecture, parameters,
    /// context, …
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ShowArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let config = project.load(vec![])?;
    let hub = model::hub(&config);
    let name = model::name(&hub, &args.model)?;
    let Some(found) = hub.cached(&name)? else {
        anyhow::bail!(
            "{name} is not here: `scaffold pull {name}` fetches it, `scaffold check {name}` looks at it from here"
        );
    };
    let opened = Model::open(&found, &LoadOptions::for_one_answer(&config))?;
    let (about, need) = (About::of(&opened)?, opened.need()?);
    if args.modelfile {
        let modelfile = match &found.made {
            Some(made) => made::modelfile_of(made, &found.files),
            None => made::Modelfile::of_name(&name.to_string()),
        };
        out::piece(&modelfile.to_string())?;
    } else if args.template {
        let Some(template) = &about.template else {
            anyhow::bail!("{name} has no chat template");
        };
        out::line(template)?;
    } else if args.json {
        let mut object = serde_json::to_value(&about)?;
        object["name"] = json!(found.called());
        if let Some(own) = &found.made {
            object["from"] = json!(made_from(own));
            object["system"] = json!(own.system);
            object["parameters"] = json!(own.parameters);
            object["messages"] = json!(own.messages);
        }
        object["path"] = json!(found.files.path().display().to_string());
        object["revision"] = json!(found.revision.as_ref().map(ToString::to_string));
        object["source"] = json!(found.source.to_string());
        object["template"] = json!(about.template);
        object["weight_bytes"] = json!(about.weight_bytes());
        object["need"] = json!(need);
        out::json(&object)?;
    } else {
        out::piece(&as_table(&found, &about, &need))?;
    }
    Ok(Exit::Done)
}

fn as_table(found: &LocalModel, about: &About, need: &Need) -> String {
    let stored = about
        .stored
        .iter()
        .map(|(ty, bytes)| format!("{ty} {}", bytes_text(*bytes)))
        .collect::<Vec<_>>()
        .join(", ");
    let context = if about.context_token_bytes > 0 {
        format!(
            "{} tokens, {} each in memory",
            about.context,
            bytes_text(about.context_token_bytes)
        )
    } else {
        format!("{} tokens", about.context)
    };
    let mut rows = vec![("name", found.called())];
    if let Some(own) = &found.made {
        rows.push(("made from", made_from(own)));
        if let Some(system) = &own.system {
            rows.push(("system", format!("{:?}", shortened(system))));
        }
        let parameters = own.parameters.iter().map(|(name, value)| format!("{name} {value}"));
        rows.push(("settings", parameters.collect::<Vec<_>>().join(", ")));
        if !own.messages.is_empty() {
            rows.push(("messages", format!("{} before each chat", own.messages.len())));
        }
    }
    rows.extend([
        ("path", found.files.path().display().to_string()),
        ("revision", found.revision.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)),
        ("source", found.source.to_string()),
        ("architecture", about.architecture.clone()),
        ("parameters", parameters_text(about.parameters)),
        ("quantization", about.quantization().to_owned()),
        ("weights", format!("{} ({stored})", bytes_text(about.weight_bytes()))),
        ("context", context),
        ("memory", need.text()),
        ("layers", format!("{} of width {}", about.layers, about.embedding_length)),
        (
            "template",
            if about.template.is_some() {
                "yes (see --template)".to_owned()
            } else {
                "none".to_owned()
            },
        ),
        ("licence", about.licence.clone().unwrap_or_else(|| "not stated in its files".to_owned())),
        ("capabilities", about.capabilities.join(", ")),
    ]);
    let rows: Vec<_> = rows.into_iter().map(|(key, value)| vec![key.to_owned(), value]).collect();
    out::table(&rows)
}

/// What a model of one's own is made from.
fn made_from(own: &MadeModel) -> String {
    match &own.base {
        Base::From(name) => name.clone(),
        Base::Files(files) => files.keys().cloned().collect::<Vec<_>>().join(", "),
    }
}

/// The beginning of a text that may be long.
fn shortened(text: &str) -> String {
    const MOST: usize = 100;
    let mut start: String = text.chars().take(MOST).collect();
    if text.chars().count() > MOST {
        start.push('…');
    }
    start
}

/// `134.5 million`, `7.2 billion`.
fn parameters_text(count: u64) -> String {
    if count >= 1_000_000_000 {
        format!("{:.1} billion", count as f64 / 1e9)
    } else {
        format!("{:.1} million", count as f64 / 1e6)
    }
}
