//! The processor, the memory, and the limits on both.

use scaffold_kernels::{Cpu, Level};

use super::{Finding, Verdict};
use crate::config::Config;
use crate::machine::{Machine, bytes_text};

/// Less than this and hardly a model that answers sensibly fits.
const LITTLE_MEMORY: u64 = 2 << 30;

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    look(&Machine::look(), Cpu::detect().level(), config)
}

fn look(machine: &Machine, level: Level, config: &Config) -> Vec<Finding> {
    let mut findings = vec![processor(machine, level), cores(machine, config)];
    findings.extend(memory(machine));
    if let (Some(load), threads) = (machine.load, machine.threads)
        && load > threads as f64 * 1.5
    {
        let seen = format!("{load:.1} processes want to run on {threads} threads");
        findings.push(
            Finding::new("load", Verdict::Note, seen)
                .remedy("expect less speed until the machine is quiet"),
        );
    }
    if let Err(error) = config.chosen_device() {
        findings.push(Finding::new("device", Verdict::Bad, error.to_string()));
    }
    findings
}

fn processor(machine: &Machine, level: Level) -> Finding {
    let name = machine.processor.as_deref().unwrap_or("processor");
    let seen = format!("{name}, {}; instruction set {level}", machine.system);
    if level == Level::Scalar {
        return Finding::new("processor", Verdict::Warning, seen)
            .remedy("this processor has no vector instructions that are used here: models run, slowly. On a virtual machine, let it pass AVX2 through");
    }
    Finding::new("processor", Verdict::Good, seen)
}

fn cores(machine: &Machine, config: &Config) -> Finding {
    let cores = machine.physical_cores.map(|cores| format!("{cores} cores, ")).unwrap_or_default();
    let asked = config.threads.value.unwrap_or(machine.threads);
    let mut seen = format!("{cores}{} threads; {asked} compute", machine.threads);
    if let Some(limit) = machine.processor_limit {
        seen = format!("{seen}; the container may use {limit:.1} processors");
        if (asked as f64) > limit.ceil() {
            return Finding::new("threads", Verdict::Warning, seen).remedy(format!(
                "more threads than processors slow each other down: set SCAFFOLD_THREADS={} or raise the container's limit",
                limit.ceil().max(1.0)
            ));
        }
    }
    if asked > machine.threads {
        return Finding::new("threads", Verdict::Warning, seen).remedy(format!(
            "more threads than the machine runs at once slow each other down: set SCAFFOLD_THREADS={} or auto",
            machine.threads
        ));
    }
    Finding::new("threads", Verdict::Good, seen)
}

fn memory(machine: &Machine) -> Option<Finding> {
    let available = machine.available?;
    let usable = available.bytes as u64;
    let mut seen = available.to_string();
    if let Some(total) = machine.memory {
        seen = format!("{seen}, of {}", bytes_text(total));
    }
    if let Some((bytes, file)) = &machine.memory_limit {
        seen = format!("{seen}; the container's limit is {} ({file})", bytes_text(*bytes));
    }
    Some(if usable < LITTLE_MEMORY {
        Finding::new("memory", Verdict::Warning, seen).remedy(
            "models of more than about 1 billion parameters will be refused: end other programs, raise the container's limit, or take a small model (scaffold run starter)",
        )
    } else {
        Finding::new("memory", Verdict::Good, seen)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::config;
    use crate::memory::{Available, Bound};

    fn found(
        machine: &Machine,
        level: Level,
        subject: &str,
        variables: &[(&str, &str)],
    ) -> Finding {
        let findings = look(machine, level, &config(variables));
        findings.into_iter().find(|finding| finding.subject == subject).unwrap()
    }

    fn machine() -> Machine {
        Machine {
            threads: 4,
            physical_cores: Some(2),
            memory: Some(16 << 30),
            memory_available: Some(8 << 30),
            available: Some(Available { bytes: 8 << 30, by: Bound::Machine }),
            ..Machine::default()
        }
    }

    #[test]
    fn limits_of_a_container_lead_to_a_remedy_with_a_number() {
        let limited = Machine {
            processor_limit: Some(1.5),
            memory_limit: Some((1 << 30, "/sys/fs/cgroup/memory.max".to_owned())),
            available: Some(Available { bytes: 1 << 30, by: Bound::Group }),
            ..machine()
        };
        let threads = found(&limited, Level::Avx2, "threads", &[]);
        assert_eq!(threads.verdict, Verdict::Warning);
        assert!(threads.remedies[0].to_string().contains("SCAFFOLD_THREADS=2"));
        let memory = found(&limited, Level::Avx2, "memory", &[]);
        assert_eq!(memory.verdict, Verdict::Warning);
        for part in ["1.00 GiB may be used", "control group", "memory.max"] {
            assert!(memory.seen.contains(part), "{part}: {}", memory.seen);
        }
    }

    #[test]
    fn a_good_machine_is_good_and_a_slow_level_is_a_warning() {
        for subject in ["processor", "threads", "memory"] {
            assert_eq!(found(&machine(), Level::Avx2, subject, &[]).verdict, Verdict::Good);
        }
        assert_eq!(found(&machine(), Level::Scalar, "processor", &[]).verdict, Verdict::Warning);
        let many = found(&machine(), Level::Avx2, "threads", &[("SCAFFOLD_THREADS", "9")]);
        assert_eq!(many.verdict, Verdict::Warning);
        let device = found(&machine(), Level::Avx2, "device", &[("LLM_DEVICE", "cuda")]);
        assert_eq!(device.verdict, Verdict::Bad);
    }
}
