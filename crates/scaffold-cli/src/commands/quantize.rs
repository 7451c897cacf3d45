//! `scaffold quantize`

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::DecimalBytes;
use scaffold::config::{Flag, Key, Quantize};
use scaffold::hub::LocalModel;
use scaffold::quantize::{self, Divergence, Written};
use scaffold::text::EncodeOptions;
use scaffold::{LoadOptions, Model};
use serde_json::json;

use crate::args::{ComputeArgs, ProjectArgs};
use crate::failure::{Exit, Usage};
use crate::progress::Display;
use crate::{interrupt, model, out};

/// What the report reads where no text is given: a few hundred tokens of plain prose.
const TEXT: &str = include_str!("quantize/text.txt");

#[derive(Debug, Args)]
#[command(after_help = "\
Types: q4_0, q4_k (Q4_K_M), q5_k (Q5_K_M), q6_k, q8_0; f16, bf16 and f32 convert and lose little or nothing.
To compute with fewer bits without a file of your own, use `scaffold run MODEL --quantize q4_k`.

Examples:
  scaffold quantize org/name --to q4_k -o name.gguf           4 bits: a GGUF file for Scaffold, llama.cpp, Ollama
  scaffold quantize org/name --to q6_k --report               how far 6 bits are from the original; writes nothing
  scaffold quantize org/name --to q4_k -o name.gguf --report --text mine.txt
  scaffold quantize starter --to q4_0 -o s.gguf --again       from weights that are quantized already

Scales are looked for, which takes some seconds for each billion weights. Nothing is at the file's place before all of it is written
and was read back.")]
pub(crate) struct QuantizeArgs {
    /// A repository (org/name), a local directory or file, or an alias
    model: String,
    /// What the weights become
    #[arg(long, value_name = "TYPE")]
    to: String,
    /// The GGUF file that is written
    #[arg(long, short, value_name = "FILE", required_unless_present = "report")]
    out: Option<PathBuf>,
    /// Compare the result with the original on a text: divergence and perplexity
    #[arg(long)]
    report: bool,
    /// The text for the report, `-` for standard input
    #[arg(long, value_name = "FILE", requires = "report")]
    text: Option<PathBuf>,
    /// Quantize weights that are quantized already
    #[arg(long)]
    again: bool,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    /// Print one object: path, file_type, bytes, source_bytes, types, and report
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    compute: ComputeArgs,
}

pub(crate) fn run(args: &QuantizeArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let to = quantize::weights(&args.to)?;
    if let Some(path) = args.out.as_ref().filter(|path| path.exists() && !args.force) {
        let path = path.display();
        return Err(Usage(format!(
            "{path} is there already\n  to do: name another file, or replace it with --force"
        ))
        .into());
    }
    let mut flags = args.compute.flags();
    flags.push(Flag { key: Key::Model, name: "MODEL", value: args.model.clone() });
    let config = project.load(flags)?;
    interrupt::install()?;
    let files = model::locate(&config)?;
    let options = LoadOptions::for_one_answer(&config).quantize(Quantize::None);
    let model = Model::open(&files, &options)?;
    out::notices(&model.notices());
    let written = match &args.out {
        Some(path) => Some(quantize::write(&model, to, args.again, path, &mut Display::new())?),
        None => None,
    };
    let report = if args.report {
        let quantized = match &written {
            Some(written) => Model::open(&LocalModel::on_disk(&written.path), &options)?,
            None => Model::open(&files, &options.quantize(quantize::setting(&model, to)?))?,
        };
        Some(compared(args.text.as_deref(), &model, &quantized)?)
    } else {
        None
    };
    if args.json {
        let mut value = serde_json::to_value(&written)?;
        if value.is_null() {
            value = json!({});
        }
        value["report"] = serde_json::to_value(&report)?;
        out::json(&value)?;
        return Ok(Exit::Done);
    }
    let summary = written.as_ref().map(summary);
    for piece in summary.iter().chain(report.as_ref().map(shown).iter()) {
        out::piece(piece)?;
    }
    Ok(Exit::Done)
}

/// How far a model is from another over a text, or over the one that is built in.
pub(super) fn compared(
    text: Option<&Path>,
    model: &Model,
    quantized: &Model,
) -> anyhow::Result<Divergence> {
    let text = match text {
        Some(path) => crate::tokenizer::read(path)?,
        None => TEXT.to_owned(),
    };
    let ids = model.text()?.tokenizer.encode(&text, &EncodeOptions::default())?.ids;
    Ok(quantize::compare(model, quantized, &ids)?)
}

fn summary(written: &Written) -> String {
    let types: Vec<String> =
        written.types.iter().map(|(name, count)| format!("{count} {name}")).collect();
    let share = written.bytes as f64 / written.source_bytes.max(1) as f64;
    out::table(&[
        vec!["file".to_owned(), written.path.display().to_string()],
        vec!["type".to_owned(), written.file_type.clone()],
        vec![
            "size".to_owned(),
            format!(
                "{}, {:.0} % of {}",
                DecimalBytes(written.bytes),
                100.0 * share,
                DecimalBytes(written.source_bytes)
            ),
        ],
        vec!["matrices".to_owned(), types.join(", ")],
    ])
}

pub(super) fn shown(report: &Divergence) -> String {
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    out::table(&[
        row(
            "divergence",
            format!("{:.4} nats a token (mean), {:.4} (99 %)", report.mean, report.p99),
        ),
        row(
            "same likeliest",
            format!("{:.1} % of {} tokens", 100.0 * report.same_top, report.tokens),
        ),
        row(
            "perplexity",
            format!("{:.3}, was {:.3}", report.perplexity_of_other, report.perplexity),
        ),
    ])
}
