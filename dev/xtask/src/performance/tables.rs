//! The parts of the document that are made of figures.

use serde_json::Value;

use super::figures::{Figures, Record};

/// The parts that need no arguments.
#[cfg(test)]
pub(super) const NAMES: [&str; 13] = [
    "machine",
    "versions",
    "roofs",
    "speed",
    "batch",
    "served",
    "context",
    "start",
    "others",
    "commands",
    "levels",
    "level machine",
    "served machine",
];

/// The part of this name; `profile LENGTH MODEL` takes arguments. `None` if there is no such part.
pub(super) fn part(name: &str, figures: &Figures) -> Option<String> {
    let text = match name {
        "machine" => figures.text("machine").to_owned(),
        "versions" => format!("{}. {}", figures.text("scaffold"), figures.text("versions")),
        "roofs" => roofs(figures),
        "speed" => speed(figures),
        "batch" => batch(figures),
        "served" => served(figures),
        "context" => context(figures),
        "start" => start(figures),
        "levels" => levels(figures),
        "level machine" => other_machine(figures, "level"),
        "served machine" => other_machine(figures, "served"),
        "others" => others(figures),
        "commands" => commands(figures),
        _ => {
            let (length, model) = name.strip_prefix("profile ")?.split_once(' ')?;
            profile(figures, &format!("profile {length}"), model)
        }
    };
    Some(text)
}

const NOT_MEASURED: &str = "(Not measured on this machine.)";

/// A Markdown table.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let rule = format!("|{}\n", "---|".repeat(head.len()));
    let rows: String = rows.map(|cells| line(&cells)).collect();
    if rows.is_empty() {
        return NOT_MEASURED.to_owned();
    }
    line(&head) + &rule + &rows
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "–".to_owned())
}

/// A rate with as many digits as it deserves.
fn rate(value: Option<f64>) -> String {
    or_dash(value.map(|value| match value {
        100.0.. => format!("{value:.0}"),
        _ => format!("{value:.1}"),
    }))
}

fn percent(share: Option<f64>) -> String {
    or_dash(share.map(|share| format!("{:.0} %", 100.0 * share)))
}

fn ratio(ours: Option<f64>, theirs: Option<f64>) -> String {
    or_dash(ours.zip(theirs).map(|(ours, theirs)| format!("**{:.1}×**", ours / theirs)))
}

fn roofs(figures: &Figures) -> String {
    let most = |key| figures.ours("speed").filter_map(move |r| r.value(key));
    let most = |key| most(key).fold(0.0, f64::max);
    if most("roof_gb_s") == 0.0 {
        return String::new();
    }
    format!(
        "Reading from memory: {:.1} GB/s. Multiply-adds: {:.0} G/s of 8-bit integers, {:.0} G/s of floats.",
        most("roof_gb_s"),
        most("roof_int8_gmac_s"),
        most("roof_fma_gmac_s")
    )
}

fn speed(figures: &Figures) -> String {
    let head = [
        "model",
        "threads",
        "prefill",
        "of the roof",
        "llama.cpp",
        "ratio",
        "decode",
        "of the roof",
        "llama.cpp",
        "ratio",
    ];
    let rows = figures.ours("speed").map(|ours| {
        let llama = figures.find("speed", ours, "llama.cpp");
        let mut row = vec![ours.model().to_owned(), ours.threads().to_string()];
        for what in ["prefill", "decode"] {
            let key = format!("{what}_tok_s");
            let (ours_rate, theirs) = (ours.value(&key), llama.and_then(|r| r.value(&key)));
            row.push(rate(ours_rate));
            row.push(percent(ours.value(&format!("{what}_share"))));
            row.push(rate(theirs));
            row.push(ratio(ours_rate, theirs));
        }
        row
    });
    table(&head, rows)
}

/// Where a part was measured that may be of another machine than the rest.
fn other_machine(figures: &Figures, part: &str) -> String {
    let texts = ["machine", "versions"].map(|key| figures.text(&format!("{part}_{key}")));
    texts.join(" ")
}

fn levels(figures: &Figures) -> String {
    let head = [
        "model",
        "threads",
        "level",
        "prefill",
        "llama.cpp",
        "ratio",
        "decode",
        "llama.cpp",
        "ratio",
    ];
    let rows = figures.ours("levels").map(|ours| {
        let llama = figures.find("levels", ours, "llama.cpp");
        let mut row = vec![
            ours.model().to_owned(),
            ours.threads().to_string(),
            format!("`{}`", ours.text("level")),
        ];
        for key in ["prefill_tok_s", "decode_tok_s"] {
            let (rates, theirs) = (ours.value(key), llama.and_then(|r| r.value(key)));
            row.extend([rate(rates), rate(theirs), ratio(rates, theirs)]);
        }
        row
    });
    table(&head, rows)
}

fn batch(figures: &Figures) -> String {
    let sequences = [1, 4, 8, 16];
    let mut head = vec!["model".to_owned(), "threads".to_owned()];
    head.extend(sequences.map(|count| format!("{count}: Scaffold / llama.cpp")));
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let rows = figures.ours("batch").map(|ours| {
        let llama = figures.find("batch", ours, "llama.cpp");
        let mut row = vec![ours.model().to_owned(), ours.threads().to_string()];
        row.extend(sequences.map(|count| {
            let key = format!("tok_s_{count}");
            let (ours, theirs) = (ours.value(&key), llama.and_then(|r| r.value(&key)));
            format!("{} / {} {}", rate(ours), rate(theirs), ratio(ours, theirs))
        }));
        row
    });
    table(&head, rows)
}

/// Clients of servers: their number, the words of their prompts.
fn served(figures: &Figures) -> String {
    let head = [
        "model",
        "clients",
        "words",
        "tokens/s",
        "llama-server",
        "ratio",
        "first token, median",
        "llama-server",
        "slowest 1 %",
        "llama-server",
    ];
    let levels = [1, 4, 16, 64].into_iter().flat_map(|clients| [(clients, 100), (clients, 2000)]);
    let rows = figures.ours("served").flat_map(|ours| {
        let llama = figures.find("served", ours, "llama.cpp");
        levels.clone().map(move |(clients, words)| {
            let both = |what: &str| {
                let key = format!("{what}_{clients}_{words}");
                (ours.value(&key), llama.and_then(|r| r.value(&key)))
            };
            let seconds = |value: Option<f64>| or_dash(value.map(|value| format!("{value:.2} s")));
            let (ours_rate, theirs) = both("tok_s");
            let mut row = vec![ours.model().to_owned(), clients.to_string(), words.to_string()];
            row.extend([rate(ours_rate), rate(theirs), ratio(ours_rate, theirs)]);
            for what in ["first_s", "first_p99_s"] {
                let (ours, theirs) = both(what);
                row.extend([seconds(ours), seconds(theirs)]);
            }
            row
        })
    });
    table(&head, rows)
}

fn context(figures: &Figures) -> String {
    let head = [
        "model",
        "threads",
        "prefill",
        "llama.cpp",
        "ratio",
        "attention's share",
        "decode after it",
    ];
    let rows = figures.ours("context").map(|ours| {
        let llama = figures.find("context", ours, "llama.cpp");
        let key = "prefill_tok_s";
        let (read, theirs) = (ours.value(key), llama.and_then(|r| r.value(key)));
        let attention = figures.find("profile 4096", ours, "scaffold").and_then(|profile| {
            let stages = profile.values()["prefill"]["stages"].as_array()?;
            stages.iter().find(|s| s["stage"] == "attention")?["share"].as_f64()
        });
        vec![
            ours.model().to_owned(),
            ours.threads().to_string(),
            rate(read),
            rate(theirs),
            ratio(read, theirs),
            percent(attention),
            rate(ours.value("decode_tok_s")),
        ]
    });
    table(&head, rows)
}

fn start(figures: &Figures) -> String {
    let head =
        ["model", "first token: Scaffold", "llama.cpp", "peak memory: Scaffold", "llama.cpp"];
    let rows = figures.ours("start").map(|ours| {
        let llama = figures.find("start", ours, "llama.cpp");
        let both = [Some(ours), llama];
        let values = |key: &'static str| both.map(|record| record.and_then(|r| r.value(key)));
        let mut row = vec![ours.model().to_owned()];
        row.extend(values("seconds").map(|s| or_dash(s.map(|s| format!("{s:.2} s")))));
        row.extend(values("peak_rss_mib").map(|m| or_dash(m.map(|m| format!("{m:.0} MiB")))));
        row
    });
    table(&head, rows)
}

fn others(figures: &Figures) -> String {
    let head = ["program", "model", "threads", "prefill", "Scaffold", "decode", "Scaffold"];
    let known = |record: &Record<'_>| !["scaffold", "llama.cpp"].contains(&record.program());
    let rows =
        figures.records().filter(known).filter(|record| record.part() == "speed").map(|record| {
            let ours = figures.find("speed", record, "scaffold");
            let mut row = vec![
                record.program().to_owned(),
                record.model().to_owned(),
                record.threads().to_string(),
            ];
            for key in ["prefill_tok_s", "decode_tok_s"] {
                let (theirs, ours) = (record.value(key), ours.and_then(|r| r.value(key)));
                row.push(rate(theirs));
                row.push(format!("{} {}", rate(ours), ratio(ours, theirs)));
            }
            row
        });
    table(&head, rows)
}

/// Each command once, with what else the machine did meanwhile at most.
fn commands(figures: &Figures) -> String {
    let mut lines: Vec<(Record<'_>, Option<f64>, Option<f64>)> = Vec::new();
    for record in figures.records() {
        let (load, others) = (record.number("load_before"), record.number("others_share"));
        let command = record.text("command");
        match lines.iter_mut().find(|line| line.0.text("command") == command) {
            Some(line) => {
                line.1 = larger(line.1, load);
                line.2 = larger(line.2, others);
            }
            None => lines.push((record, load, others)),
        }
    }
    let head = ["command", "date", "rounds", "load before", "other programs' share"];
    let rows = lines.into_iter().map(|(record, load, others)| {
        vec![
            format!("`{}`", record.text("command")),
            record.text("date").to_owned(),
            or_dash(record.number("rounds").map(|rounds| format!("{rounds:.0}"))),
            or_dash(load.map(|load| format!("{load:.2}"))),
            percent(others),
        ]
    });
    table(&head, rows)
}

fn larger(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    one.into_iter().chain(other).reduce(f64::max)
}

/// Where the time goes in a model, reading and writing.
fn profile(figures: &Figures, part: &str, model: &str) -> String {
    let Some(record) = figures.ours(part).find(|record| record.model() == model) else {
        return NOT_MEASURED.to_owned();
    };
    let values = record.values();
    let parts = [("Prefill", "prefill"), ("Decode", "decode")].map(|(title, key)| {
        let run = &values[key];
        format!(
            "{title} of {} tokens, {} tokens/s:\n\n{}",
            run["tokens"],
            rate(run["tok_s"].as_f64()),
            stages(run, values["roof_gb_s"].as_f64())
        )
    });
    parts.join("\n")
}

fn stages(run: &Value, roof: Option<f64>) -> String {
    let head = ["stage", "ms", "share", "GB/s", "of the read roof", "G multiply-adds/s"];
    let rows = run["stages"].as_array().into_iter().flatten().map(|stage| {
        let number = |key: &str| stage[key].as_f64().filter(|value| *value > 0.0);
        let read = number("gb_s");
        vec![
            stage["stage"].as_str().unwrap_or_default().to_owned(),
            or_dash(number("ms").map(|ms| format!("{ms:.2}"))),
            or_dash(number("share").map(|share| format!("{:.1} %", 100.0 * share))),
            or_dash(read.map(|read| format!("{read:.2}"))),
            percent(read.zip(roof).map(|(read, roof)| read / roof)),
            rate(number("gmac_s")),
        ]
    });
    table(&head, rows)
}
