//! `scaffold check`

mod copy;
mod folder;
mod needs;

use clap::Args;
use scaffold::LoadOptions;
use scaffold::about::{CopyCheck, FolderCheck, Judgement, Need};
use scaffold::hub::{Check, Error, Gate, Hub, ModelName};
use scaffold::machine::bytes_text;
use serde_json::json;

use crate::args::{ComputeArgs, ProjectArgs};
use crate::failure::Exit;
use crate::progress::Display;
use crate::{interrupt, model, out, remedy};
use needs::{in_words, memory_here, needs_table};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold check mistralai/Mistral-7B-Instruct-v0.2
  scaffold check org/name-GGUF --json
  scaffold check ./folder        a folder on this disk, be its weights there or not

Downloads nothing but descriptions and first bytes. Where the Hub cannot be asked, the copy on this disk is checked
instead, if there is one. Exit code 1 if the model cannot be had or cannot be run.")]
pub(crate) struct CheckArgs {
    /// A repository on the Hub, a directory or GGUF file on this disk, or an alias
    model: String,
    /// Print an object with the keys id, asked, commit, licence, gate, granted, architecture,
    /// supported, files, needs, …
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    compute: ComputeArgs,
}

pub(crate) fn run(args: &CheckArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let config = project.load(args.compute.flags())?;
    let hub = model::hub(&config);
    let options = LoadOptions::for_one_answer(&config);
    let mut name = model::name(&hub, &args.model)?;
    // What is said over a model changes nothing about whether it can be had and run.
    if let ModelName::Made(own) = &name {
        let made = hub.made()?.get(own)?;
        let base = made.as_ref().map(Hub::base).transpose()?.flatten();
        let files = || anyhow::Ok(hub.cached(&name)?.map(|found| found.files.path().to_owned()));
        name = match base {
            Some(base) => base,
            None => ModelName::Local(files()?.unwrap_or_default()),
        };
    }
    let name = match name {
        ModelName::Repo(name) => name,
        ModelName::Local(path) => {
            let check = FolderCheck::of(&path, &options)?;
            return folder::report(&check, &options, args.json);
        }
        ModelName::Ollama(_) | ModelName::Made(_) => anyhow::bail!(
            "{} is in Ollama's store, which tells nothing before it is read; `scaffold show` describes models that are here",
            args.model
        ),
    };
    interrupt::install()?;
    let check = match hub.check(&name, &mut Display::new()) {
        Ok(check) => check,
        Err(error) if CopyCheck::is_called_for(&error) => {
            let repo = name.id.clone();
            let copy = CopyCheck::of(&hub, &ModelName::Repo(name), &options, &mut Display::new())?;
            return if let Some(copy) = copy {
                copy::report(&copy, &error, &options, args.json)
            } else {
                copy::say_package(&error, &args.model, repo.as_str());
                Err(error.into())
            };
        }
        Err(error) => return Err(error.into()),
    };
    let judgement = Judgement::of(&check, &options);
    if args.json {
        out::json(&as_json(&check, &judgement))?;
    } else {
        out::text(&as_text(&check, &judgement, &options))?;
    }
    let usable = check.refusal.is_none() && judgement.unsupported.is_none();
    Ok(if usable { Exit::Done } else { Exit::Refused })
}

fn gate(gate: Gate) -> &'static str {
    match gate {
        Gate::Open => "none",
        Gate::Automatic => "automatic",
        Gate::Manual => "manual",
    }
}

fn as_json(check: &Check, judgement: &Judgement) -> serde_json::Value {
    let files: Vec<_> = check
        .files
        .iter()
        .map(|f| json!({"path": f.path, "bytes": f.bytes, "present": f.present}))
        .collect();
    let refusal = check.refusal.as_ref().map(|r| {
        let steps: Vec<String> = r.steps().iter().map(remedy::words).collect();
        json!({"what": r.what(), "meaning": r.meaning(), "steps": steps, "alternatives": r.alternatives, "server": r.server_message})
    });
    json!({
        "id": check.id, "asked": true, "renamed": check.renamed, "commit": check.commit, "licence": check.licence, "task": check.task,
        "private": check.private, "gate": gate(check.gate), "granted": check.refusal.is_none(), "refusal": refusal,
        "architecture": judgement.architecture, "supported": judgement.unsupported.is_none(),
        "unsupported": judgement.unsupported, "files": files, "bytes_to_fetch": check.bytes_to_fetch(),
        "needs": judgement.needs,
    })
}

/// The form that is taken where none is asked for.
fn taken<'a>(check: &Check, judgement: &'a Judgement) -> Option<&'a Need> {
    let chosen = check
        .quantizations
        .iter()
        .find(|choice| check.files.iter().any(|f| choice.files.contains(&f.path)));
    let form = chosen.map_or("safetensors", |choice| match choice.label.as_str() {
        "" => choice.files[0].as_str(),
        label => label,
    });
    judgement.needs.iter().find(|need| need.form == form)
}

fn as_text(check: &Check, judgement: &Judgement, options: &LoadOptions) -> String {
    let access = match (&check.refusal, check.gate) {
        (Some(_), _) => "refused, see below".to_owned(),
        (None, Gate::Open) if check.private => "granted (private)".to_owned(),
        (None, Gate::Open) => "open".to_owned(),
        (None, gated) => format!("granted (gate: {})", gate(gated)),
    };
    let architecture = match (&judgement.architecture, &judgement.unsupported) {
        (Some(name), None) => format!("{name}, supported"),
        (Some(name), Some(_)) => format!("{name}, not supported"),
        (None, Some(_)) => "not supported".to_owned(),
        (None, None) => "unknown until its files may be read".to_owned(),
    };
    let dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "not stated".to_owned());
    let renamed = if check.renamed { " (this is its name now)" } else { "" };
    let rows = [
        ("model", format!("{}{renamed}", check.id)),
        ("commit", check.commit.clone()),
        ("access", access),
        ("architecture", architecture),
        ("licence", dash(&check.licence)),
        ("task", dash(&check.task)),
        (
            "download",
            format!(
                "{} in {} files",
                bytes_text(check.bytes_to_fetch()),
                check.files.iter().filter(|f| !f.present).count()
            ),
        ),
        ("memory here", memory_here()),
    ];
    let mut text = out::table(&rows.map(|(key, value)| vec![key.to_owned(), value]));
    if !judgement.needs.is_empty() {
        text.push('\n');
        text.push_str(&needs_table(&judgement.needs));
        text.push_str(&in_words(taken(check, judgement), options));
    }
    let refusal = check.refusal.clone().map(|r| Error::from(r).worded(remedy::words));
    for reason in [judgement.unsupported.clone(), refusal].into_iter().flatten() {
        text.push('\n');
        text.push_str(&reason);
        text.push('\n');
    }
    text
}
