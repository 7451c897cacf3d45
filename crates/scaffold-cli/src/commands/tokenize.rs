//! `scaffold tokenize`

use std::io::BufRead as _;

use anyhow::Context as _;
use clap::Args;
use scaffold::text::{EncodeOptions, Tokenizer};
use serde::Serialize;

use crate::args::ProjectArgs;
use crate::failure::{Exit, Usage};
use crate::{out, tokenizer};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold tokenize starter \"Hello world\"            one token a line
  scaffold tokenize ./tokenizer \"Hello\" --json       a directory with tokenizer files will do
  scaffold tokenize starter < strings.jsonl          a JSON string a line in, a JSON object a line out

In JSON, offsets count characters, as in Python.")]
pub(crate) struct TokenizeArgs {
    /// A repository (org/name), a local directory or file, or an alias
    model: String,
    /// The text; without it, standard input holds one JSON string a line
    text: Option<String>,
    /// Put no special tokens around the text
    #[arg(long)]
    no_special: bool,
    /// Read names of control tokens in the text, such as <|im_end|>, as those tokens
    #[arg(long)]
    parse_special: bool,
    /// Print {"ids": […], "pieces": […], "offsets": [[start, end], …]}
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Output {
    ids: Vec<u32>,
    pieces: Vec<String>,
    offsets: Vec<(usize, usize)>,
}

pub(crate) fn run(args: &TokenizeArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let files = tokenizer::open(&args.model, project)?;
    let options =
        EncodeOptions { add_special: !args.no_special, parse_special: args.parse_special };
    let Some(text) = &args.text else {
        for (index, line) in std::io::stdin().lock().lines().enumerate() {
            let line = line.context("cannot read standard input")?;
            let line = tokenizer::without_mark(&line, index);
            let text = tokenizer::json_string(line).map_err(|error| {
                Usage(format!("line {} of standard input is not a JSON string: {error}\n  to do: write \"…\", one string a line", index + 1))
            })?;
            out::json(&report(&files.tokenizer, &text, options)?)?;
        }
        return Ok(Exit::Done);
    };
    let report = report(&files.tokenizer, text, options)?;
    if args.json {
        out::json(&report)?;
    } else {
        let rows = report.ids.iter().zip(&report.pieces);
        let rows: Vec<Vec<String>> =
            rows.map(|(id, piece)| vec![id.to_string(), piece.clone()]).collect();
        out::piece(&out::table(&rows))?;
    }
    Ok(Exit::Done)
}

fn report(tokenizer: &Tokenizer, text: &str, options: EncodeOptions) -> anyhow::Result<Output> {
    let encoding = tokenizer.encode(text, &options)?;
    let pieces =
        encoding.ids.iter().map(|&id| tokenizer.id_to_piece(id).unwrap_or_default()).collect();
    Ok(Output { pieces, offsets: in_characters(text, &encoding.offsets), ids: encoding.ids })
}

/// Byte offsets as character offsets.
fn in_characters(text: &str, offsets: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut characters = vec![0; text.len() + 1];
    let mut count = 0;
    for (at, place) in characters.iter_mut().enumerate() {
        if at > 0 && text.is_char_boundary(at) {
            count += 1;
        }
        *place = count;
    }
    offsets.iter().map(|&(start, end)| (characters[start], characters[end])).collect()
}

#[cfg(test)]
mod tests {
    use super::in_characters;

    #[test]
    fn offsets_count_characters() {
        assert_eq!(
            in_characters("é日a", &[(0, 2), (2, 5), (5, 6), (0, 0)]),
            [(0, 1), (1, 2), (2, 3), (0, 0)]
        );
        assert_eq!(in_characters("", &[(0, 0)]), [(0, 0)]);
    }
}
