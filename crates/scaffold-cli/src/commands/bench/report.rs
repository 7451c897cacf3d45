//! What was measured, for programs and for people.

use std::path::Path;

use scaffold::ModelInfo;
use scaffold::config::Config;
use scaffold::profile::{Effort, LevelRoof, Roof};
use serde::Serialize;

pub(super) use crate::answer::rounded;

use super::args::BenchArgs;
use super::figures::{AtContext, Measured, Together};
use crate::out;

/// One model's figures. Rates in tokens per second, `_gb_s` in 10⁹ bytes, `_gmac_s` in 10⁹
/// multiply-adds per second, shares from 0 to 1.
#[derive(Serialize)]
pub(super) struct Measurements {
    model: String,
    family: &'static str,
    /// The format of most of the weights.
    stored: &'static str,
    parameters: u64,
    threads: usize,
    cpu: String,
    /// The load average before the first model.
    load_before: Option<f64>,
    repeats: u32,
    prompt: u32,
    generate: u32,
    prefill_tok_s: f64,
    decode_tok_s: f64,
    /// How fast prefill multiplies with the weights; attention is not counted.
    prefill_gmac_s: f64,
    prefill_share: f64,
    /// How fast decode reads the weights; the cache of keys and values is not counted.
    weights_gb_s: f64,
    decode_share: f64,
    /// Bytes of the weights that one step of decode reads.
    step_bytes: u64,
    weight_bytes: usize,
    roof_gb_s: f64,
    roof_int8_gmac_s: f64,
    roof_fma_gmac_s: f64,
    /// What each of the processor's levels reaches.
    levels: Vec<LevelMeasurements>,
    load_s: f64,
    ttft_s: f64,
    peak_rss_mib: Option<u64>,
    contexts: Vec<AtContext>,
    batch: Vec<Together>,
}

/// The roofs of one level.
#[derive(Serialize)]
pub(super) struct LevelMeasurements {
    cpu: &'static str,
    roof_int8_gmac_s: f64,
    roof_fma_gmac_s: f64,
    /// Whether a lower level reaches clearly more.
    slow: bool,
}

impl LevelMeasurements {
    pub(super) fn all(roof: &Roof) -> Vec<Self> {
        let slow = roof.slow_levels();
        let report = |level: &LevelRoof| Self {
            cpu: level.level.name(),
            roof_int8_gmac_s: rounded(level.int8 / 1e9),
            roof_fma_gmac_s: rounded(level.fma / 1e9),
            slow: slow.iter().any(|(slow, _)| slow.level == level.level),
        };
        roof.levels.iter().map(report).collect()
    }
}

/// A line for each level that reaches clearly less than a lower one.
pub(super) fn slow_levels(roof: &Roof) -> Vec<String> {
    let rates = |level: &LevelRoof| {
        format!(
            "{} {:.1} (8 bits) and {:.1} (floats)",
            level.level,
            level.int8 / 1e9,
            level.fma / 1e9
        )
    };
    let slow = roof.slow_levels().into_iter();
    slow.map(|(slow, lower)| {
        format!(
            "warning: in G multiply-adds/s this program reaches with {}, but with {}: `{}` is broken here, please report it",
            rates(&slow),
            rates(&lower),
            slow.level
        )
    })
    .collect()
}

impl Measurements {
    pub(super) fn new(
        args: &BenchArgs,
        config: &Config,
        info: &ModelInfo,
        roof: &Roof,
        measured: Measured,
    ) -> Self {
        let Effort { int8, fma, .. } = info.layers;
        let step_bytes = info.layers.bytes + info.head.bytes;
        let (prefill, decode) = (measured.alone.prefill_tok_s, measured.alone.decode_tok_s);
        let read = decode * step_bytes as f64;
        Self {
            model: config.model.value.clone(),
            family: info.family,
            stored: info.stored.name(),
            parameters: info.parameters,
            threads: info.threads,
            cpu: info.cpu.to_string(),
            load_before: measured.load_before,
            repeats: args.repeats,
            prompt: args.prompt,
            generate: args.generate,
            prefill_tok_s: rounded(prefill),
            decode_tok_s: rounded(decode),
            prefill_gmac_s: rounded(prefill * (int8 + fma) as f64 / 1e9),
            prefill_share: rounded(prefill * (int8 as f64 / roof.int8 + fma as f64 / roof.fma)),
            weights_gb_s: rounded(read / 1e9),
            decode_share: rounded(read / roof.read),
            step_bytes,
            weight_bytes: info.weight_bytes,
            roof_gb_s: rounded(roof.read / 1e9),
            roof_int8_gmac_s: rounded(roof.int8 / 1e9),
            roof_fma_gmac_s: rounded(roof.fma / 1e9),
            levels: LevelMeasurements::all(roof),
            load_s: rounded(measured.load.as_secs_f64()),
            ttft_s: rounded(measured.alone.first_token),
            peak_rss_mib: measured.peak_rss_mib,
            contexts: measured.contexts,
            batch: measured.batch,
        }
    }

    /// All models: what each does, then longer prompts, then what the machine can do.
    pub(super) fn tables(reports: &[Self]) -> String {
        let mut parts = vec![out::table(&Self::main_rows(reports))];
        if reports.iter().any(|report| !report.contexts.is_empty()) {
            parts.push(out::table(&Self::context_rows(reports)));
        }
        let rates = reports.iter().map(|report| {
            format!(
                "{}: prefill {:.0} G multiply-adds/s, decode {:.2} GB/s of weights; roofs: {:.0} (8 bits), {:.0} (floats), \
                 {:.2} GB/s\n",
                shown(&report.model),
                report.prefill_gmac_s,
                report.weights_gb_s,
                report.roof_int8_gmac_s,
                report.roof_fma_gmac_s,
                report.roof_gb_s
            )
        });
        parts.push(rates.collect());
        parts.extend(reports.first().map(Self::settings));
        parts.join("\n")
    }

    fn settings(first: &Self) -> String {
        format!(
            "{} threads, {}; prompt of {} tokens, {} new ones; medians of {}\n",
            first.threads, first.cpu, first.prompt, first.generate, first.repeats
        )
    }

    fn main_rows(reports: &[Self]) -> Vec<Vec<String>> {
        let mut head: Vec<String> =
            ["MODEL", "TYPE", "PREFILL", "SHARE", "DECODE", "SHARE"].map(str::to_owned).to_vec();
        let batch = reports.first().map_or(&[][..], |report| &report.batch);
        head.extend(batch.iter().map(|b| format!("{} TOGETHER", b.sequences)));
        head.extend(["FIRST TOKEN", "LOAD", "PEAK"].map(str::to_owned));
        let mut rows = vec![head];
        for report in reports {
            let mut row = vec![
                shown(&report.model).to_owned(),
                report.stored.to_owned(),
                format!("{:.1}", report.prefill_tok_s),
                percent(report.prefill_share),
                format!("{:.1}", report.decode_tok_s),
                percent(report.decode_share),
            ];
            row.extend(report.batch.iter().map(|b| format!("{:.1}", b.tok_s)));
            row.push(format!("{:.3} s", report.ttft_s));
            row.push(format!("{:.2} s", report.load_s));
            row.push(
                report
                    .peak_rss_mib
                    .map_or_else(|| "unknown".to_owned(), |mib| format!("{mib} MiB")),
            );
            rows.push(row);
        }
        rows
    }

    fn context_rows(reports: &[Self]) -> Vec<Vec<String>> {
        let mut rows = vec![["MODEL", "CONTEXT", "PREFILL", "DECODE"].map(str::to_owned).to_vec()];
        for report in reports {
            rows.extend(report.contexts.iter().map(|at| {
                vec![
                    shown(&report.model).to_owned(),
                    at.context.to_string(),
                    format!("{:.1}", at.prefill_tok_s),
                    format!("{:.1}", at.decode_tok_s),
                ]
            }));
        }
        rows
    }
}

/// A model's name in a table: of a file, without the directories before it.
pub(super) fn shown(model: &str) -> &str {
    let path = Path::new(model);
    let name = path.file_name().and_then(|name| name.to_str());
    name.filter(|_| path.is_file()).unwrap_or(model)
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use scaffold::profile::Level;

    use super::*;

    #[test]
    fn a_level_below_a_lower_one_is_told() {
        let level = |level, int8, fma| LevelRoof { level, int8, fma };
        let mut roof = Roof {
            read: 1e9,
            int8: 128e9,
            fma: 130e9,
            levels: vec![level(Level::Scalar, 128e9, 1e9), level(Level::Avx2, 3.4e9, 130e9)],
        };
        let told = slow_levels(&roof);
        assert_eq!(told.len(), 1);
        assert!(
            told[0].contains("avx2 3.4 (8 bits)") && told[0].contains("scalar 128.0"),
            "{told:?}"
        );
        let slow: Vec<bool> =
            LevelMeasurements::all(&roof).iter().map(|report| report.slow).collect();
        assert_eq!(slow, [false, true]);
        roof.levels[1].int8 = 100e9;
        assert!(slow_levels(&roof).is_empty());
    }
}
