//! Measured lines, as a table or as JSON.

use std::time::Instant;

use scaffold_kernels::{
    Exec, Level,
    roof::{LevelRoof, Roof},
};
use serde_json::{Value, json};

use crate::arguments::Arguments;

/// What one run of a benchmark amounts to.
#[derive(Clone, Copy, Default)]
pub(crate) struct Work {
    /// Multiply-adds of 8-bit integers.
    pub(crate) int8: f64,
    /// Multiply-adds of f32.
    pub(crate) fma: f64,
    /// Bytes that have to come from memory.
    pub(crate) bytes: f64,
}

/// Processor time that this thread has used, where the system tells.
pub(crate) fn processor_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split(' ').next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}

pub(crate) struct Report {
    roof: Roof,
    repeats: usize,
    threads: usize,
    json: bool,
    lines: Vec<Value>,
    levels: Vec<Value>,
    /// Whether no level is slower than it should be.
    sound: bool,
    header: Value,
}

fn level_json(roof: &LevelRoof) -> Value {
    json!({
        "level": roof.level.name(),
        "roof_int8_gmac_s": roof.int8 / 1e9,
        "roof_fma_gmac_s": roof.fma / 1e9,
    })
}

impl Report {
    pub(crate) fn new(arguments: &Arguments, exec: &Exec, roof: Roof) -> Self {
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let header = json!({
            "level": exec.cpu.level().name(),
            "threads": exec.team.threads(),
            "load_before": load.split(' ').next().unwrap_or(""),
            "roof_read_gb_s": roof.read / 1e9,
            "roof_int8_gmac_s": roof.int8 / 1e9,
            "roof_fma_gmac_s": roof.fma / 1e9,
            "roof_levels": roof.levels.iter().map(level_json).collect::<Vec<_>>(),
        });
        let slow = roof.slow_levels();
        for (slow, lower) in &slow {
            eprintln!(
                "SLOW: {} does {:.1} G multiply-adds/s of 8-bit integers and {:.1} of floats, {} does {:.1} and {:.1}",
                slow.level,
                slow.int8 / 1e9,
                slow.fma / 1e9,
                lower.level,
                lower.int8 / 1e9,
                lower.fma / 1e9
            );
        }
        if !arguments.json {
            println!(
                "{}, {} threads, load {}; roofs: read {:.1} GB/s, int8 {:.0} GMAC/s, f32 {:.0} GMAC/s",
                exec.cpu.level(),
                exec.team.threads(),
                header["load_before"].as_str().unwrap_or(""),
                roof.read / 1e9,
                roof.int8 / 1e9,
                roof.fma / 1e9
            );
            println!(
                "{:44} {:>10} {:>9} {:>8} {:>7} {:>7}",
                "kernel", "µs", "GMAC/s", "GB/s", "compute", "read"
            );
        }
        Self {
            roof,
            repeats: arguments.repeats,
            threads: exec.team.threads(),
            json: arguments.json,
            lines: Vec::new(),
            levels: Vec::new(),
            sound: slow.is_empty(),
            header,
        }
    }

    /// Times `run`: the best of some repeats, each long enough to be measured. One thread is timed
    /// by its own processor time, which a busy machine does not stretch.
    pub(crate) fn time(&mut self, name: &str, work: Work, mut run: impl FnMut()) {
        run();
        let start = Instant::now();
        run();
        let once = start.elapsed().as_secs_f64().max(1e-7);
        let seconds = if self.threads == 1 && processor_seconds().is_some() {
            // The system accounts in ticks of some milliseconds: one long batch.
            let rounds = (0.15 / once).ceil() as usize;
            (0..self.repeats.div_ceil(2))
                .map(|_| {
                    let before = processor_seconds().unwrap_or(0.0);
                    (0..rounds).for_each(|_| run());
                    (processor_seconds().unwrap_or(0.0) - before) / rounds as f64
                })
                .fold(f64::INFINITY, f64::min)
        } else {
            // Short batches: on a busy machine the best of many falls between others' slices.
            let rounds = (0.002 / once).ceil() as usize;
            (0..self.repeats * 10)
                .map(|_| {
                    let start = Instant::now();
                    (0..rounds).for_each(|_| run());
                    start.elapsed().as_secs_f64() / rounds as f64
                })
                .fold(f64::INFINITY, f64::min)
        };
        self.line(name, work, seconds);
    }

    fn line(&mut self, name: &str, work: Work, seconds: f64) {
        let macs = (work.int8 + work.fma) / seconds;
        let compute = (work.int8 / self.roof.int8 + work.fma / self.roof.fma) / seconds;
        let (bytes, read) = (work.bytes / seconds, work.bytes / seconds / self.roof.read);
        if self.json {
            self.lines.push(json!({
                "name": name,
                "us": seconds * 1e6,
                "gmac_s": macs / 1e9,
                "gb_s": bytes / 1e9,
                "of_compute_roof": compute,
                "of_read_roof": read,
            }));
        } else {
            println!(
                "{name:44} {:10.1} {:9.1} {:8.2} {:6.0}% {:6.0}%",
                seconds * 1e6,
                macs / 1e9,
                bytes / 1e9,
                compute * 100.0,
                read * 100.0
            );
        }
    }

    /// What a level did in so many seconds: the level below with how many times as fast this one
    /// was, and at least has to be.
    pub(crate) fn level(
        &mut self,
        name: &str,
        level: Level,
        seconds: f64,
        compared: Option<(Level, f64, f64)>,
    ) {
        let slow = compared.is_some_and(|(_, times, least)| times < least);
        self.sound &= !slow;
        if self.json {
            self.levels.push(json!({
                "name": name,
                "level": level.name(),
                "us": seconds * 1e6,
                "below": compared.map(|(below, ..)| below.name()),
                "times": compared.map(|(_, times, _)| times),
                "at_least": compared.map(|(.., least)| least),
                "slow": slow,
            }));
            return;
        }
        let beside = compared.map_or(String::new(), |(below, times, least)| {
            let verdict = if slow { "SLOW" } else { "ok" };
            format!("{times:8.2} x {below}, at least {least:.1}: {verdict}")
        });
        let us = seconds * 1e6;
        println!("{name:30} {:13} {us:10.1} {beside}", level.name());
    }

    /// Prints what was not printed yet. Returns whether no level is slower than it should be.
    pub(crate) fn finish(mut self) -> bool {
        if self.json {
            self.header["kernels"] = Value::Array(std::mem::take(&mut self.lines));
            self.header["levels"] = Value::Array(std::mem::take(&mut self.levels));
            println!("{:#}", self.header);
        }
        self.sound
    }
}
