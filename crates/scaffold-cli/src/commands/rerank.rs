//! `scaffold rerank`

use clap::Args;
use scaffold::embed::Prompt;
use scaffold::rerank::{CrossEncoder, Ranked, Scale, ScoreOptions};
use serde::Serialize;

use crate::args::{ComputeArgs, ProjectArgs};
use crate::failure::{Exit, Usage};
use crate::progress::Display;
use crate::texts::TextArgs;
use crate::{interrupt, out};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold rerank cross-encoder/ms-marco-MiniLM-L-6-v2 --query \"What is sustainability?\" \\
      \"Meeting today's needs without harming tomorrow's.\" \"Bread is baked from flour.\"
  scaffold rerank ./model --query \"water energy\" --file documents.txt --top-n 10 --json

Scores are the model's own or between 0 and 1, as its configuration says; scores of different queries are not to be
compared.")]
pub(crate) struct RerankArgs {
    /// A cross-encoder: a repository (org/name), a local directory, or an alias
    model: String,
    /// What is looked for
    #[arg(long, value_name = "TEXT")]
    query: String,
    /// Documents; where there are none, lines of standard input
    doc: Vec<String>,
    #[command(flatten)]
    texts: TextArgs,
    /// Print the best N only
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    top_n: Option<usize>,
    /// Print the model's own numbers, whatever its configuration says
    #[arg(long, conflicts_with = "sigmoid")]
    raw_scores: bool,
    /// Print numbers between 0 and 1, whatever the configuration says
    #[arg(long)]
    sigmoid: bool,
    /// Put this text before the query, instead of the model's own default prompt
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// Take what looks like a special token in a text, such as [SEP], for text;
    /// sentence-transformers takes it for that token
    #[arg(long)]
    special_as_text: bool,
    /// Cut query and document where both are longer than the model takes, and say so
    #[arg(long)]
    truncate: bool,
    /// Print {\"query\": …, \"results\": [{\"index\": …, \"score\": …, \"text\": …}, …]}, best
    /// first
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    compute: ComputeArgs,
}

#[derive(Serialize)]
struct Output<'a> {
    query: &'a str,
    results: Vec<Answer<'a>>,
}

#[derive(Serialize)]
struct Answer<'a> {
    index: usize,
    score: f32,
    text: &'a str,
}

pub(crate) fn run(args: &RerankArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let documents = args.texts.texts(&args.doc).all()?;
    if documents.is_empty() {
        return Err(Usage(
            "there is no document to rank\n  to do: give documents after the query, or one a line with --file or on standard input".to_owned(),
        )
        .into());
    }
    let config = project.load(args.compute.flags())?;
    interrupt::install()?;
    let model =
        CrossEncoder::builder(&args.model).config(&config).progress(&mut Display::new()).load()?;
    out::notices(model.notices());
    let options = ScoreOptions::new()
        .truncate(args.truncate)
        .scale(match (args.raw_scores, args.sigmoid) {
            (true, _) => Scale::Logits,
            (_, true) => Scale::Sigmoid,
            _ => Scale::Configured,
        })
        .prompt(args.prompt.as_deref().map_or(Prompt::Default, Prompt::Text))
        .special_as_text(args.special_as_text);
    let scores = model.scores(&args.query, &documents, &options)?;
    for cut in &scores.cut {
        out::say(format_args!(
            "note: document {} was cut: with the query it has {} tokens, {} were computed",
            cut.index, cut.tokens, cut.kept
        ));
    }
    let ranked = scores.ranked(args.top_n);
    if args.json {
        let results = ranked.iter().map(|one| Answer {
            index: one.index,
            score: one.score,
            text: &documents[one.index],
        });
        out::json(&Output { query: &args.query, results: results.collect() })?;
    } else {
        out::piece(&table(&ranked, &documents))?;
    }
    Ok(Exit::Done)
}

fn table(ranked: &[Ranked], documents: &[String]) -> String {
    let head = ["RANK", "SCORE", "INDEX", "TEXT"].map(str::to_owned).to_vec();
    let rows = ranked.iter().enumerate().map(|(place, one)| {
        vec![
            (place + 1).to_string(),
            format!("{:.4}", one.score),
            one.index.to_string(),
            out::shortened(&documents[one.index], 80),
        ]
    });
    out::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_ranking() {
        let documents = ["bread".to_owned(), "needs of tomorrow".to_owned()];
        let ranked = [Ranked { index: 1, score: 9.35 }, Ranked { index: 0, score: -11.17 }];
        assert_eq!(
            table(&ranked, &documents),
            "RANK  SCORE     INDEX  TEXT\n1     9.3500    1      needs of tomorrow\n2     -11.1700  0      bread\n"
        );
    }
}
