//! `scaffold embed`

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use scaffold::embed::{Cut, EmbedOptions, Embedder, Embeddings, NpyWriter, Prompt};
use serde::Serialize;

use crate::args::{ComputeArgs, ProjectArgs};
use crate::failure::{Exit, Usage};
use crate::outfile::{OutFile, cannot_write};
use crate::progress::Display;
use crate::texts::TextArgs;
use crate::{interrupt, out};

/// Texts that are read and computed before their embeddings are written: enough to fill batches,
/// few enough to hold.
const PART_TEXTS: usize = 1024;
const PART_BYTES: usize = 4 << 20;

/// Work that is shorter needs no progress.
const QUIET: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold embed all-minilm \"What is sustainability?\"          {\"index\": 0, \"embedding\": [...]}
  scaffold embed all-minilm --file texts.txt -o texts.npy      a NumPy array, one row a line
  cat texts.txt | scaffold embed all-minilm > texts.jsonl
  scaffold embed ./model --jsonl --file texts.jsonl --query    with the model's prompt for queries
  scaffold embed all-minilm --file texts.txt --dtype int8      twice as fast, less memory, not quite the same numbers

One line of JSON is written for each text, in order. A text that is longer than the model takes is an error;
--truncate cuts it, says so, and adds \"cut\": {\"tokens\": …, \"kept\": …} to its line.")]
pub(crate) struct EmbedArgs {
    /// A repository (org/name), a local directory, or an alias such as all-minilm
    model: String,
    /// Texts; where there are none, lines of standard input
    text: Vec<String>,
    #[command(flatten)]
    texts: TextArgs,
    /// Write to this file, by its ending: .npy or .jsonl
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write lines of JSON (this is also what happens without it)
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    options: OptionArgs,
    #[command(flatten)]
    compute: ComputeArgs,
}

/// How texts are embedded
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Embedding")]
pub(crate) struct OptionArgs {
    /// Cut texts that are longer than the model takes, and say so
    #[arg(long)]
    pub(crate) truncate: bool,
    /// Use the model's prompt for things to look for
    #[arg(long, group = "which_prompt")]
    query: bool,
    /// Use the model's prompt for things to be found
    #[arg(long, group = "which_prompt")]
    document: bool,
    /// Use the model's prompt of this name
    #[arg(long, value_name = "NAME", group = "which_prompt")]
    prompt_name: Option<String>,
    /// Put this text before each text
    #[arg(long, value_name = "TEXT", group = "which_prompt")]
    prompt: Option<String>,
    /// Scale every embedding to length 1, also where the model does not
    #[arg(long)]
    normalize: bool,
    /// Keep the first N numbers of an embedding (for models that were trained for it)
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    dimensions: Option<usize>,
    /// Take what looks like a special token in a text, such as [SEP], for text;
    /// sentence-transformers takes it for that token
    #[arg(long)]
    special_as_text: bool,
}

impl OptionArgs {
    pub(crate) fn options(&self) -> EmbedOptions<'_> {
        let prompt = match (&self.prompt_name, &self.prompt) {
            (Some(name), _) => Prompt::Named(name),
            (_, Some(text)) => Prompt::Text(text),
            _ if self.query => Prompt::Query,
            _ if self.document => Prompt::Document,
            _ => Prompt::Default,
        };
        EmbedOptions::new()
            .prompt(prompt)
            .truncate(self.truncate)
            .normalize(self.normalize)
            .dimensions(self.dimensions)
            .special_as_text(self.special_as_text)
    }
}

/// Loads the embedding model called `model`, and tells what there is to tell about it.
pub(crate) fn load(
    model: &str,
    compute: &ComputeArgs,
    project: &ProjectArgs,
) -> anyhow::Result<Embedder> {
    let config = project.load(compute.flags())?;
    interrupt::install()?;
    let embedder = Embedder::builder(model).config(&config).progress(&mut Display::new()).load()?;
    out::notices(embedder.notices());
    Ok(embedder)
}

pub(crate) fn run(args: &EmbedArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let form = args.output.as_deref().map(Form::of).transpose()?;
    let embedder = load(&args.model, &args.compute, project)?;
    let options = args.options.options();
    let mut sink = Sink::open(args.output.as_deref(), form)?;
    let mut texts = args.texts.texts(&args.text);
    let mut progress = Progress::new();
    let mut done = 0;
    loop {
        let part = texts.some(PART_TEXTS, PART_BYTES)?;
        if part.is_empty() {
            break;
        }
        let embeddings =
            embedder.embed_batch(&part, &options).map_err(|error| error.after_items(done))?;
        for cut in &embeddings.cut {
            out::say(format_args!(
                "note: text {} was cut: it has {} tokens, the {} {} were computed",
                done + cut.index,
                cut.tokens,
                embedder.repository().limits.cut_side.kept(),
                cut.kept
            ));
        }
        sink.write(&embeddings, done)?;
        done += part.len();
        progress.moved(done);
    }
    progress.end(done);
    sink.close(embedder.dimensions())?;
    Ok(Exit::Done)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Npy,
    Jsonl,
}

impl Form {
    fn of(path: &Path) -> anyhow::Result<Form> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("npy") => Ok(Form::Npy),
            Some("jsonl" | "ndjson") => Ok(Form::Jsonl),
            _ => Err(Usage(format!(
                "--output {}: the file's ending says how it is written\n  accepted: .npy, .jsonl",
                path.display()
            ))
            .into()),
        }
    }
}

/// Where embeddings go.
enum Sink {
    Stdout,
    Jsonl(PathBuf, OutFile),
    /// The file, until the array begins; then the array.
    Npy(PathBuf, Option<OutFile>, Option<NpyWriter<OutFile>>),
}

impl Sink {
    fn open(path: Option<&Path>, form: Option<Form>) -> anyhow::Result<Sink> {
        Ok(match (path, form) {
            (Some(path), Some(Form::Npy)) => {
                Sink::Npy(path.to_owned(), Some(OutFile::create(path)?), None)
            }
            (Some(path), _) => Sink::Jsonl(path.to_owned(), OutFile::create(path)?),
            (None, _) => Sink::Stdout,
        })
    }

    fn write(&mut self, embeddings: &Embeddings, first: usize) -> anyhow::Result<()> {
        match self {
            Sink::Stdout => {
                for (index, row) in embeddings.iter().enumerate() {
                    out::json(&line(first, index, row, &embeddings.cut))?;
                }
            }
            Sink::Jsonl(path, file) => {
                for (index, row) in embeddings.iter().enumerate() {
                    let line = line(first, index, row, &embeddings.cut);
                    serde_json::to_writer(&mut *file, &line)
                        .map_err(std::io::Error::from)
                        .and_then(|()| file.write_all(b"\n"))
                        .with_context(|| cannot_write(path))?;
                }
            }
            Sink::Npy(path, file, writer) => {
                let writer = begun(path, file, writer, embeddings.dimensions())?;
                for row in embeddings.iter() {
                    writer.row(row).with_context(|| cannot_write(path))?;
                }
            }
        }
        Ok(())
    }

    fn close(self, width: usize) -> anyhow::Result<()> {
        match self {
            Sink::Stdout => Ok(()),
            Sink::Jsonl(_, file) => file.finish(),
            Sink::Npy(path, mut file, mut writer) => {
                // No text at all is an array of no rows.
                begun(&path, &mut file, &mut writer, width)?;
                match writer {
                    Some(writer) => writer.finish().with_context(|| cannot_write(&path))?.finish(),
                    None => Ok(()),
                }
            }
        }
    }
}

/// The array's writer, made with the first embedding, which tells the width.
fn begun<'a>(
    path: &Path,
    file: &mut Option<OutFile>,
    writer: &'a mut Option<NpyWriter<OutFile>>,
    width: usize,
) -> anyhow::Result<&'a mut NpyWriter<OutFile>> {
    if let Some(file) = file.take() {
        *writer = Some(NpyWriter::new(file, width).with_context(|| cannot_write(path))?);
    }
    writer.as_mut().context("the array was closed")
}

/// One text's line. Numbers are written as `f32`, in their shortest form.
#[derive(Serialize)]
struct Line<'a> {
    index: usize,
    embedding: &'a [f32],
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<CutLine>,
}

#[derive(Serialize)]
struct CutLine {
    tokens: usize,
    kept: usize,
}

fn line<'a>(first: usize, index: usize, row: &'a [f32], cuts: &[Cut]) -> Line<'a> {
    let cut = cuts.iter().find(|cut| cut.index == index);
    Line {
        index: first + index,
        embedding: row,
        cut: cut.map(|cut| CutLine { tokens: cut.tokens, kept: cut.kept }),
    }
}

/// How far the work is, on standard error; nothing for short work.
struct Progress {
    started: Instant,
    told: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new() -> Progress {
        Progress { started: Instant::now(), told: Instant::now(), bar: None }
    }

    fn moved(&mut self, done: usize) {
        if self.started.elapsed() < QUIET {
            return;
        }
        let text = self.text(done);
        if out::can_redraw() {
            let bar = self.bar.get_or_insert_with(|| {
                let bar = ProgressBar::new_spinner();
                if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                    bar.set_style(style);
                }
                bar
            });
            bar.set_message(text);
            bar.tick();
        } else if self.told.elapsed() >= Duration::from_secs(5) {
            self.told = Instant::now();
            out::say(text);
        }
    }

    fn text(&self, done: usize) -> String {
        let rate = done as f64 / self.started.elapsed().as_secs_f64().max(1e-9);
        format!("{done} texts, {rate:.0} per second")
    }

    fn end(&self, done: usize) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if self.started.elapsed() >= QUIET {
            out::say(self.text(done));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_of_the_file_says_how_it_is_written() {
        assert_eq!(Form::of("a/b.npy".as_ref()).unwrap(), Form::Npy);
        assert_eq!(Form::of("b.jsonl".as_ref()).unwrap(), Form::Jsonl);
        let message = Form::of("b.csv".as_ref()).unwrap_err().to_string();
        assert!(message.contains(".npy, .jsonl"), "{message}");
    }

    #[test]
    fn a_line_has_its_index_and_says_what_was_cut() {
        let cuts = [Cut { index: 1, tokens: 300, kept: 256 }];
        assert_eq!(
            serde_json::to_string(&line(1024, 0, &[0.1], &cuts)).unwrap(),
            r#"{"index":1024,"embedding":[0.1]}"#
        );
        assert_eq!(
            serde_json::to_string(&line(1024, 1, &[0.5], &cuts)).unwrap(),
            r#"{"index":1025,"embedding":[0.5],"cut":{"tokens":300,"kept":256}}"#
        );
    }
}
