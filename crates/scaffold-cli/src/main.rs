//! The program `scaffold`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    scaffold_cli::main_from(std::env::args_os().collect()).into()
}
