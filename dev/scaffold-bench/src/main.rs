//! Micro-benchmarks of the kernels, beside the roofs of the machine.
//!
//! `cargo run --release -p scaffold-bench -- [--threads N] [--level L] [--only TEXT] [--json]`
//!
//! Without `--level` every level of the processor is also held against the one below it
//! (`--only level` does nothing else); the program exits with 1 where a level is slower than its
//! instructions let expect.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // A command: it prints.

mod arguments;
mod attention;
mod levels;
mod matmul;
mod pack;
mod report;
mod rows;

use arguments::Arguments;
use report::Report;
use scaffold_kernels::{Cpu, Exec, Team, roof::Roof};

fn main() -> std::process::ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("scaffold-bench: {problem}\n{}", arguments::USAGE);
            return std::process::ExitCode::from(2);
        }
    };
    let exec = Exec {
        cpu: arguments.level.unwrap_or_else(Cpu::detect),
        team: Team::new(arguments.threads),
    };
    let mut report = Report::new(&arguments, &exec, Roof::measure(&exec.team, 512 << 20, 5));
    matmul::measure(&exec, &arguments, &mut report);
    attention::measure(&exec, &arguments, &mut report);
    pack::measure(&exec, &arguments, &mut report);
    rows::measure(&exec, &arguments, &mut report);
    levels::measure(&arguments, &mut report);
    if report.finish() { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::from(1) }
}
