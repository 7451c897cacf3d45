//! `scaffold similarity`

use clap::Args;
use scaffold::embed::Similarity;
use serde::Serialize;

use super::embed::{OptionArgs, load};
use crate::args::{ComputeArgs, ProjectArgs};
use crate::failure::{Exit, Usage};
use crate::out;
use crate::texts::TextArgs;

/// More texts would make a table that nobody reads and a matrix that grows with their square.
const MOST: usize = 2000;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold similarity all-minilm \"What is sustainability?\" \"How do we measure environmental impact?\"
  scaffold similarity all-minilm --file texts.txt --json | jq .matrix
  scaffold similarity all-minilm --function dot A B")]
pub(crate) struct SimilarityArgs {
    /// A repository (org/name), a local directory, or an alias such as all-minilm
    model: String,
    /// Texts, two or more; where there are none, lines of standard input
    text: Vec<String>,
    #[command(flatten)]
    texts: TextArgs,
    /// cosine, dot, euclidean or manhattan; otherwise what the model says
    #[arg(long, value_name = "NAME")]
    function: Option<String>,
    /// Print {\"similarity\": …, \"texts\": […], \"matrix\": [[…], …]}
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    options: OptionArgs,
    #[command(flatten)]
    compute: ComputeArgs,
}

#[derive(Serialize)]
struct Output<'a> {
    similarity: &'static str,
    texts: &'a [String],
    matrix: &'a [Vec<f32>],
}

pub(crate) fn run(args: &SimilarityArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let function = args.function.as_deref().map(Similarity::by_name).transpose()?;
    let texts = args.texts.texts(&args.text).all()?;
    if texts.len() < 2 || texts.len() > MOST {
        return Err(Usage(format!(
            "similarity compares 2 to {MOST} texts, and {} were given\n  to do: give them after the model, or one a line with --file or on standard input",
            texts.len()
        ))
        .into());
    }
    let embedder = load(&args.model, &args.compute, project)?;
    let embeddings = embedder.embed_batch(&texts, &args.options.options())?;
    for cut in &embeddings.cut {
        out::say(format_args!(
            "note: text {} was cut: it has {} tokens, the {} {} were computed",
            cut.index + 1,
            cut.tokens,
            embedder.repository().limits.cut_side.kept(),
            cut.kept
        ));
    }
    let function = function.unwrap_or(embedder.repository().similarity);
    let matrix = embeddings.similarities(function);
    if args.json {
        out::json(&Output { similarity: function.name(), texts: &texts, matrix: &matrix })?;
    } else {
        out::piece(&table(&texts, &matrix))?;
    }
    Ok(Exit::Done)
}

fn table(texts: &[String], matrix: &[Vec<f32>]) -> String {
    let mut head = vec![String::new()];
    head.extend((1..=texts.len()).map(|number| format!("{number:>7}")));
    head.push(String::new());
    let rows = texts.iter().zip(matrix).enumerate().map(|(index, (text, row))| {
        let mut cells = vec![(index + 1).to_string()];
        cells.extend(row.iter().map(|value| format!("{value:>7.4}")));
        cells.push(out::shortened(text, 60));
        cells
    });
    out::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_row_and_a_column_for_each_text() {
        let texts = ["one\nline".to_owned(), "two".to_owned()];
        let table = table(&texts, &[vec![1.0, -0.25], vec![-0.25, 1.0]]);
        assert_eq!(
            table,
            "         1        2\n1   1.0000  -0.2500  one line\n2  -0.2500   1.0000  two\n"
        );
    }

    #[test]
    fn an_unknown_function_is_named_with_those_that_there_are() {
        let message = Similarity::by_name("cos").unwrap_err().to_string();
        assert!(message.contains("cosine, dot"), "{message}");
    }
}
