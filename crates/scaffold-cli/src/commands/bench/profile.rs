//! Where the time goes: a table of the stages of reading a prompt and of writing after it.

use scaffold::config::Config;
use scaffold::profile::{Effort, Profile, Roof, StageTotal};
use scaffold::{LoadOptions, Model};
use serde_json::{Value, json};

use super::args::BenchArgs;
use super::prompt::Prompts;
use super::report::{LevelMeasurements, shown, slow_levels};
use crate::answer::rounded;
use crate::{model, out};

/// Profiles the configured model.
pub(super) fn run(args: &BenchArgs, config: &Config) -> anyhow::Result<()> {
    let files = model::locate(config)?;
    let model = Model::open(&files, &LoadOptions::from(config))?;
    let ids = Prompts::new(model.spec().vocab).next(args.prompt as usize);
    let (generate, repeats) = (args.generate as usize, args.repeats as usize);
    let profiles = scaffold::profile::profile(&model, &ids, generate, repeats)?;
    let roof = scaffold::profile::roof(config)?;
    slow_levels(&roof).into_iter().for_each(out::say);
    let parts =
        [("prefill", args.prompt, &profiles.prefill), ("decode", args.generate, &profiles.decode)];
    if args.json {
        let mut report = json!({
            "model": config.model.value,
            "prompt": args.prompt,
            "roof_gb_s": rounded(roof.read / 1e9),
            "roof_int8_gmac_s": rounded(roof.int8 / 1e9),
            "roof_fma_gmac_s": rounded(roof.fma / 1e9),
            "levels": LevelMeasurements::all(&roof),
        });
        for (name, tokens, profile) in parts {
            report[name] = as_json(profile, tokens);
        }
        return out::json(&report);
    }
    for (name, tokens, profile) in parts {
        let seconds = profile.time().as_secs_f64();
        out::line(&format!(
            "{} {name} of {tokens} tokens after {}: {:.1} ms, {:.1} tokens/s",
            shown(&config.model.value),
            if name == "prefill" { 0 } else { args.prompt },
            seconds * 1e3,
            f64::from(tokens) / seconds
        ))?;
        out::line(&out::table(&rows(profile, &roof)))?;
    }
    Ok(())
}

/// What a stage reached.
struct Rates {
    ms: f64,
    share: f64,
    gb_s: f64,
    gmac_s: f64,
}

impl Rates {
    fn of(total: &StageTotal, all: f64) -> Self {
        let seconds = total.time.as_secs_f64();
        let Effort { int8, fma, bytes } = total.effort;
        let per_second = |amount: u64| {
            if amount == 0 { 0.0 } else { amount as f64 / 1e9 / seconds }
        };
        Self {
            ms: seconds * 1e3,
            share: seconds / all,
            gb_s: per_second(bytes),
            gmac_s: per_second(int8 + fma),
        }
    }
}

/// The stages that took any time, as a table.
fn rows(profile: &Profile, roof: &Roof) -> Vec<Vec<String>> {
    let head = ["STAGE", "MS", "SHARE", "GB/S", "ROOF", "GMAC/S", "ROOF"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let all = profile.time().as_secs_f64();
    for (stage, total) in profile.stages().filter(|(_, total)| !total.time.is_zero()) {
        let rates = Rates::of(&total, all);
        // A stage may do both kinds: each has its own roof.
        let Effort { int8, fma, .. } = total.effort;
        let least = int8 as f64 / roof.int8 + fma as f64 / roof.fma;
        let of_macs = least / total.time.as_secs_f64();
        let percent = |value: f64| format!("{:.0} %", 100.0 * value);
        let or_none = |value: f64, text: String| if value > 0.0 { text } else { String::new() };
        rows.push(vec![
            stage.name().to_owned(),
            format!("{:.2}", rates.ms),
            format!("{:.1} %", 100.0 * rates.share),
            or_none(rates.gb_s, format!("{:.2}", rates.gb_s)),
            or_none(rates.gb_s, percent(rates.gb_s * 1e9 / roof.read)),
            or_none(rates.gmac_s, format!("{:.1}", rates.gmac_s)),
            or_none(rates.gmac_s, percent(of_macs)),
        ]);
    }
    rows
}

fn as_json(profile: &Profile, tokens: u32) -> Value {
    let all = profile.time().as_secs_f64();
    let stages: Vec<Value> = profile
        .stages()
        .filter(|(_, total)| !total.time.is_zero())
        .map(|(stage, total)| {
            let rates = Rates::of(&total, all);
            json!({
                "stage": stage.name(),
                "ms": rounded(rates.ms),
                "share": rounded(rates.share),
                "gb_s": rounded(rates.gb_s),
                "gmac_s": rounded(rates.gmac_s),
            })
        })
        .collect();
    json!({
        "tokens": tokens,
        "ms": rounded(all * 1e3),
        "tok_s": rounded(f64::from(tokens) / all),
        "stages": stages,
    })
}
