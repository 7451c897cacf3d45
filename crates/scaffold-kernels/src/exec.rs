use crate::{cpu::Cpu, team::Team};

/// What every operation needs to run: an instruction set and workers.
///
/// ```
/// use scaffold_kernels::Exec;
/// let exec = Exec::new(2);
/// assert_eq!(exec.team.threads(), 2);
/// ```
#[derive(Debug)]
pub struct Exec {
    /// The instruction set.
    pub cpu: Cpu,
    /// The workers.
    pub team: Team,
}

impl Exec {
    /// The fastest instruction set of this CPU and a team of `threads`, the caller included.
    pub fn new(threads: usize) -> Self {
        Self { cpu: Cpu::detect(), team: Team::new(threads) }
    }

    /// Runs `body` over the ranges of `rows` rows, on several threads if `rows * row_cost` (in
    /// values touched) is worth it. `body` gets the first row and the number of rows.
    pub(crate) fn over_rows(
        &self,
        rows: usize,
        row_cost: usize,
        body: &(dyn Fn(usize, usize) + Sync),
    ) {
        /// Below this many values a second thread costs more than it saves.
        const WORTH: usize = 16 * 1024;
        if rows == 0 {
            return;
        }
        let chunk = (WORTH / 2).div_ceil(row_cost.max(1)).max(1);
        if self.team.threads() == 1 || rows * row_cost < WORTH || chunk >= rows {
            return body(0, rows);
        }
        self.team.run(rows.div_ceil(chunk), &|index| {
            let first = index * chunk;
            body(first, chunk.min(rows - first));
        });
    }
}
