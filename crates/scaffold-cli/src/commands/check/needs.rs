//! What a model needs, in words and as a table.

use scaffold::LoadOptions;
use scaffold::about::Need;
use scaffold::machine::bytes_text;

use crate::out;

/// What may be had.
pub(super) fn memory_here() -> String {
    scaffold::memory::available().map_or_else(|| "not known".to_owned(), |a| a.to_string())
}

pub(super) fn needs_table(needs: &[Need]) -> String {
    let head = ["WEIGHTS", "DOWNLOAD", "MEMORY", "CONTEXT", "HERE"].map(str::to_owned);
    let mut rows = vec![head.to_vec()];
    for need in needs {
        let here = match (need.supported, need.fits()) {
            (false, _) => "cannot be computed with",
            (true, Some(false)) => "does not fit",
            (true, Some(true)) => "fits",
            (true, None) => "-",
        };
        let context = match need.memory().context {
            0 => "-".to_owned(),
            tokens => tokens.to_string(),
        };
        rows.push(vec![
            need.form.clone(),
            bytes_text(need.download),
            need.total_text(),
            context,
            here.to_owned(),
        ]);
    }
    out::table(&rows)
}

/// What is said of a form when it is loaded, too.
pub(super) fn in_words(need: Option<&Need>, options: &LoadOptions) -> String {
    let Some(need) = need.filter(|need| need.supported) else {
        return String::new();
    };
    let mut text = format!("\n{} needs {}\n", need.form, need.text());
    if let Some(notice) = need.notice(options) {
        text.push_str(&["note: ", &notice.to_string(), "\n"].concat());
    }
    text
}
