//! Every level of the processor beside the one below it. The machine chooses one level, and nobody
//! looks at the others: here each does the same work, and has to be as much faster as its
//! instructions let it.

use std::time::Instant;

use scaffold_kernels::{
    Activation, Activations, AttendParams, AttendSpan, BlockType, Cpu, Exec, KvShape, KvStore,
    KvType, Level, Matrix, MatrixSource, Team, attend, matmul,
};

use crate::{
    arguments::Arguments,
    matmul::stored,
    report::{Report, processor_seconds},
};

/// Weights that stay in the second-level cache: memory would make all levels alike.
const ROWS: usize = 256;
const COLS: usize = 2048;
const ROUNDS: usize = 5;

/// What a level's work consists of.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// 8-bit dot products, for many rows.
    Dots,
    /// The same for one row, with the unpacking of codes.
    Unpacking,
    /// Operations on floats.
    Floats,
}

type Work = Box<dyn FnMut(&Exec)>;
/// Prepares a work for a level.
type Make = fn(&Exec) -> Work;

/// How many times as fast as the level below it a level is at least. A bound is about half of what
/// was measured, or less, so that it tells a mistake from noise and from one processor's or
/// another's ways; equally fast is 0.7.
fn bound(level: Level, below: Level, kind: Kind) -> f64 {
    let dots = matches!(kind, Kind::Dots);
    match (level, below) {
        (_, Level::Scalar) => 2.0,
        (Level::AvxVnni | Level::Avx512Vnni, Level::Avx2) | (Level::NeonDot, _) if dots => 1.1,
        (Level::Amx, _) if dots => 1.0,
        _ => 0.7,
    }
}

/// A level with what it did.
struct Step {
    exec: Exec,
    work: Work,
    seconds: f64,
}

pub(crate) fn measure(arguments: &Arguments, report: &mut Report) {
    if arguments.level.is_some() {
        return;
    }
    let works: [(&str, Kind, Make); 7] = [
        ("matmul Q4_0 m=64", Kind::Dots, |exec| multiply(exec, BlockType::Q4_0, 64)),
        ("matmul Q8_0 m=64", Kind::Dots, |exec| multiply(exec, BlockType::Q8_0, 64)),
        ("matmul Q4_K m=1", Kind::Unpacking, |exec| multiply(exec, BlockType::Q4_K, 1)),
        ("matmul F16 m=16", Kind::Floats, |exec| multiply(exec, BlockType::F16, 16)),
        ("attend F16 512", Kind::Floats, attention),
        ("load as 8-bit", Kind::Floats, |exec| load(exec, None)),
        ("load gated Gelu", Kind::Floats, |exec| load(exec, Some(Activation::Gelu))),
    ];
    for (name, kind, make) in works {
        let name = format!("level: {name}");
        if arguments.wants(&name) {
            compare(&name, kind, make, report);
        }
    }
}

/// Levels take turns, and the best turn of each counts.
fn compare(name: &str, kind: Kind, make: Make, report: &mut Report) {
    let cpus = Cpu::available().into_iter().filter_map(|level| Cpu::at(level).ok());
    let mut steps: Vec<Step> = cpus
        .map(|cpu| {
            let exec = Exec { cpu, team: Team::new(1) };
            let work = make(&exec);
            Step { exec, work, seconds: f64::INFINITY }
        })
        .collect();
    for _ in 0..ROUNDS {
        for step in &mut steps {
            let seconds = time(&step.exec, &mut step.work);
            step.seconds = step.seconds.min(seconds);
        }
    }
    let mut below: Option<(Level, f64)> = None;
    for step in &steps {
        let level = step.exec.cpu.level();
        let compared = below
            .map(|(below, seconds)| (below, seconds / step.seconds, bound(level, below, kind)));
        report.level(name, level, step.seconds, compared);
        below = Some((level, step.seconds));
    }
}

/// Seconds of one run, by the processor's time where the system tells it.
fn time(exec: &Exec, work: &mut Work) -> f64 {
    let start = Instant::now();
    work(exec);
    let once = start.elapsed().as_secs_f64().max(1e-7);
    let rounds = (0.04 / once).ceil() as usize;
    let (start, before) = (Instant::now(), processor_seconds());
    (0..rounds).for_each(|_| work(exec));
    let wall = start.elapsed().as_secs_f64();
    let used = before.and_then(|before| Some(processor_seconds()? - before));
    used.filter(|&used| used > 0.0).unwrap_or(wall) / rounds as f64
}

fn multiply(exec: &Exec, ty: BlockType, m: usize) -> Work {
    let bytes = stored(ty, ROWS, COLS);
    let source = MatrixSource::new(ty, ROWS, COLS, &bytes);
    let weight = Matrix::pack(exec, &[source]).expect("a valid weight");
    let input: Vec<f32> = (0..m * COLS).map(|i| (i % 17) as f32 - 8.0).collect();
    let mut x = Activations::new();
    x.load(exec, &input, COLS, weight.needs());
    let mut out = vec![0.0; m * ROWS];
    Box::new(move |exec| matmul(exec, &weight, &x, &mut out))
}

fn attention(exec: &Exec) -> Work {
    let (heads, dim, len) = (4, 64, 512);
    let shape = KvShape {
        layers: 1,
        kv_heads: 1,
        k_dim: dim,
        v_dim: dim,
        block_tokens: 32,
        blocks: len / 32,
    };
    let mut kv = KvStore::new(shape, KvType::F16).expect("a valid shape");
    let blocks: Vec<u32> = (0..shape.blocks as u32).collect();
    let q: Vec<f32> = (0..len * heads * dim).map(|i| (i % 23) as f32 / 23.0 - 0.5).collect();
    let fill = &q[..len * dim];
    kv.write(exec, 0, fill, fill, &[AttendSpan { blocks: &blocks, start: 0, rows: len }]);
    let params = AttendParams { heads, scale: 0.125, softcap: None, window: None };
    let mut out = vec![0.0; q.len()];
    Box::new(move |exec| {
        let span = AttendSpan { blocks: &blocks, start: 0, rows: len };
        attend(exec, &kv, 0, &q, &[span], &params, &mut out);
    })
}

fn load(exec: &Exec, gated: Option<Activation>) -> Work {
    const M: usize = 16;
    let bytes = stored(BlockType::Q4_0, 16, COLS);
    let source = MatrixSource::new(BlockType::Q4_0, 16, COLS, &bytes);
    let needs = Matrix::pack(exec, &[source]).expect("a valid weight").needs();
    let x: Vec<f32> = (0..M * COLS * 2).map(|i| (i % 19) as f32 / 19.0 - 0.5).collect();
    let mut activations = Activations::new();
    Box::new(move |exec| match gated {
        Some(activation) => activations.load_gated(exec, activation, &x, COLS, needs),
        None => activations.load(exec, &x, COLS, needs),
    })
}
