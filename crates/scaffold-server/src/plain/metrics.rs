//! `GET /metrics`, in Prometheus' text.

use std::fmt::{Display, Write as _};
use std::sync::atomic::Ordering;

use scaffold::engine::{Histogram, Metrics};

use crate::body::{Body, Reply, reply};
use crate::call::Call;

/// A text in the making.
#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn value(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = if labels.is_empty() {
            writeln!(self.0, "{name} {value}")
        } else {
            writeln!(self.0, "{name}{{{labels}}} {value}")
        };
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.head(name, kind, help);
        self.value(name, "", value);
    }

    fn histogram(&mut self, name: &str, labels: &str, histogram: &Histogram) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut below = 0;
        let bounds = Histogram::BOUNDS.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
        for (bound, count) in bounds.zip(histogram.counts) {
            below += count;
            self.value(&format!("{name}_bucket"), &format!("{labels}{comma}le=\"{bound}\""), below);
        }
        self.value(&format!("{name}_sum"), labels, histogram.sum);
        self.value(&format!("{name}_count"), labels, histogram.count);
    }
}

/// A value of a label.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

pub(crate) fn metrics(call: &Call) -> Reply {
    let mut page = Page::default();
    let watched = &call.shared.watched;
    page.head(
        "scaffold_http_requests_total",
        "counter",
        "Requests that were answered, by path and status.",
    );
    for ((path, status), count) in watched.requests() {
        let labels = format!("path=\"{path}\",status=\"{status}\"");
        page.value("scaffold_http_requests_total", &labels, count);
    }
    page.head(
        "scaffold_http_request_seconds",
        "histogram",
        "Seconds until the head of an answer was sent.",
    );
    page.histogram("scaffold_http_request_seconds", "", &watched.times());
    let open = watched.connections.load(Ordering::Relaxed);
    page.one("scaffold_http_connections", "gauge", "Connections that are open.", open);
    let all = call.models().metrics();
    for (name, help, value) in [
        ("scaffold_model_hits_total", "Requests for a model that was in memory.", all.hits),
        ("scaffold_model_loads_total", "Models that were loaded.", all.loads),
        ("scaffold_model_load_failures_total", "Loads that failed.", all.failed),
        ("scaffold_model_evictions_total", "Models that went to make room.", all.evictions),
        (
            "scaffold_model_expiries_total",
            "Models that went because nobody used them.",
            all.expiries,
        ),
    ] {
        page.one(name, "counter", help, value);
    }
    page.head("scaffold_model_load_seconds", "histogram", "Seconds that loads took.");
    page.histogram("scaffold_model_load_seconds", "", &all.load);
    page.one("scaffold_memory_bytes", "gauge", "Bytes that are counted for models.", all.memory);
    if let Some(limit) = all.memory_limit {
        page.one("scaffold_memory_limit_bytes", "gauge", "Bytes that models may take.", limit);
    }
    page.head("scaffold_model_memory_bytes", "gauge", "Bytes that are counted for a model.");
    for model in &all.models {
        let labels = format!("model=\"{}\",kind=\"{}\"", quoted(&model.name), model.kind);
        page.value("scaffold_model_memory_bytes", &labels, model.memory);
    }
    let engines: Vec<(String, &Metrics)> = all
        .models
        .iter()
        .filter_map(|model| {
            Some((format!("model=\"{}\"", quoted(&model.name)), model.engine.as_ref()?))
        })
        .collect();
    of_engines(&mut page, &engines);
    reply(200, "text/plain; version=0.0.4; charset=utf-8", Body::Whole(Some(page.0.into())))
}

/// A number of an engine: its name, its kind, what it is, and where it is.
type Row = (&'static str, &'static str, &'static str, fn(&Metrics) -> u64);

const ROWS: [Row; 21] = [
    ("scaffold_requests_waiting", "gauge", "Requests that wait.", |m| m.waiting as u64),
    ("scaffold_requests_running", "gauge", "Sequences that are computed.", |m| m.running as u64),
    ("scaffold_requests_paused", "gauge", "Requests whose readers are far behind.", |m| {
        m.paused as u64
    }),
    ("scaffold_requests_submitted_total", "counter", "Requests that were taken.", |m| m.submitted),
    (
        "scaffold_requests_joined_total",
        "counter",
        "Requests that joined an equal one at work.",
        |m| m.joined,
    ),
    ("scaffold_requests_refused_total", "counter", "Requests that were not taken.", |m| m.refused),
    ("scaffold_requests_expired_total", "counter", "Requests that were not begun in time.", |m| {
        m.expired
    }),
    ("scaffold_requests_cancelled_total", "counter", "Requests whose readers left.", |m| {
        m.cancelled
    }),
    ("scaffold_requests_failed_total", "counter", "Requests that failed.", |m| m.failed),
    (
        "scaffold_answers_stopped_total",
        "counter",
        "Answers that came to an end of their own.",
        |m| m.stopped,
    ),
    ("scaffold_answers_cut_total", "counter", "Answers that reached a limit of tokens.", |m| m.cut),
    ("scaffold_prompt_tokens_total", "counter", "Tokens of prompts that were computed.", |m| {
        m.prompt_tokens
    }),
    (
        "scaffold_cached_tokens_total",
        "counter",
        "Tokens of prompts that were found in the cache.",
        |m| m.cached_tokens,
    ),
    ("scaffold_completion_tokens_total", "counter", "New tokens.", |m| m.completion_tokens),
    (
        "scaffold_forced_tokens_total",
        "counter",
        "New tokens that were not chosen, because what the answer has to keep to left no choice.",
        |m| m.forced_tokens,
    ),
    ("scaffold_steps_total", "counter", "Steps.", |m| m.steps),
    (
        "scaffold_put_back_total",
        "counter",
        "Sequences that were put back for want of blocks.",
        |m| m.put_back,
    ),
    ("scaffold_kv_blocks", "gauge", "Blocks of the cache.", |m| m.blocks.total as u64),
    ("scaffold_kv_blocks_held", "gauge", "Blocks that running sequences hold.", |m| {
        m.blocks.held as u64
    }),
    ("scaffold_kv_blocks_idle", "gauge", "Blocks that can be used again.", |m| {
        m.blocks.idle as u64
    }),
    (
        "scaffold_kv_blocks_given_up_total",
        "counter",
        "Contents of blocks that were given up.",
        |m| m.blocks.given_up,
    ),
];

/// A time of an engine: its name, what it is, and where it is.
type Times = (&'static str, &'static str, fn(&Metrics) -> &Histogram);

fn of_engines(page: &mut Page, engines: &[(String, &Metrics)]) {
    for (name, kind, help, value) in ROWS {
        page.head(name, kind, help);
        for (labels, metrics) in engines {
            page.value(name, labels, value(metrics));
        }
    }
    let times: [Times; 4] = [
        ("scaffold_queue_seconds", "Seconds until a request was begun.", |m| &m.queue),
        ("scaffold_first_token_seconds", "Seconds until the first new token.", |m| &m.first_token),
        ("scaffold_between_tokens_seconds", "Seconds from one new token to the next.", |m| {
            &m.between_tokens
        }),
        ("scaffold_step_seconds", "Seconds that a step took.", |m| &m.step),
    ];
    for (name, help, histogram) in times {
        page.head(name, "histogram", help);
        for (labels, metrics) in engines {
            page.histogram(name, labels, histogram(metrics));
        }
    }
}
