//! `scaffold check` of a directory or file on this disk.

use scaffold::LoadOptions;
use scaffold::about::FolderCheck;
use serde_json::json;

use super::needs::{in_words, memory_here, needs_table};
use crate::failure::Exit;
use crate::out;

pub(super) fn report(
    check: &FolderCheck,
    options: &LoadOptions,
    as_json: bool,
) -> anyhow::Result<Exit> {
    if as_json {
        out::json(&json!({
            "path": check.path.display().to_string(), "asked": false, "architecture": check.architecture,
            "supported": check.unsupported.is_none(), "unsupported": check.unsupported, "lacks": check.lacks,
            "passed_over": check.passed_over, "needs": check.need.iter().collect::<Vec<_>>(),
        }))?;
    } else {
        out::text(&text(check, options))?;
    }
    Ok(if check.unsupported.is_none() { Exit::Done } else { Exit::Refused })
}

fn text(check: &FolderCheck, options: &LoadOptions) -> String {
    let name = check.architecture.as_deref().unwrap_or("unknown");
    let verdict = match &check.unsupported {
        None => "supported",
        Some(_) => "not supported",
    };
    let mut rows = vec![
        ("path", check.path.display().to_string()),
        ("architecture", format!("{name}, {verdict}")),
        ("memory here", memory_here()),
    ];
    rows.extend(check.lacks.iter().map(|lack| ("lacks", lack.clone())));
    if !check.passed_over.is_empty() {
        rows.push(("passed over", check.passed_over.join(", ")));
    }
    let rows: Vec<_> = rows.into_iter().map(|(key, value)| vec![key.to_owned(), value]).collect();
    let mut text = out::table(&rows);
    if let Some(need) = &check.need {
        text.push('\n');
        text.push_str(&needs_table(std::slice::from_ref(need)));
        text.push_str(&in_words(Some(need), options));
    }
    if let Some(reason) = &check.unsupported {
        text.push_str(&["\n", reason, "\n"].concat());
    }
    text
}
