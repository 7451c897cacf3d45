//! The processor and the threads that a model is computed with.

use scaffold_error::{Notice, Topic};
use scaffold_kernels::{Cpu, Exec, Team};

use crate::error::Error;
use crate::options::LoadOptions;

/// The processor and the threads that the options ask for. Models share the threads, and take turns.
pub(crate) fn exec(options: &LoadOptions, notices: &mut Vec<Notice>) -> Result<Exec, Error> {
    let cpu = options.cpu.map_or_else(|| Ok(Cpu::detect()), Cpu::at)?;
    let processors = Team::cores();
    let mut asked = options.threads.unwrap_or(processors);
    if asked > processors {
        notices.push(Notice::new(
            Topic::Threads,
            format!(
                "{asked} threads were asked for, but only {processors} run here at once: {processors} compute, because more \
                 would only wait for each other"
            ),
        ));
        asked = processors;
    }
    let team = Team::shared(asked);
    if team.threads() < asked {
        let started = team.threads();
        let text = format!("only {started} of {asked} threads could be started");
        notices.push(Notice::new(Topic::Threads, text));
    }
    Ok(Exec { cpu, team })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_more_threads_than_run_at_once() {
        let processors = Team::cores();
        for (threads, told) in [(None, 0), (Some(1), 0), (Some(processors + 1), 1)] {
            let (options, mut notices) =
                (LoadOptions { threads, ..LoadOptions::default() }, Vec::new());
            let exec = exec(&options, &mut notices).unwrap();
            assert!(exec.team.threads() <= processors);
            assert_eq!(notices.len(), told, "{threads:?}: {notices:?}");
        }
    }
}
