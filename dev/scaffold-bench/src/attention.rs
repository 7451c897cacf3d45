//! Attention of one layer of a 1.1B model, decoding and reading a prompt.

use scaffold_kernels::{
    AttendParams, AttendSpan, BidirectionalParams, Exec, KvShape, KvStore, KvType, attend,
    attend_bidirectional,
};

use crate::{
    arguments::Arguments,
    report::{Report, Work},
};

const HEADS: usize = 32;
const KV_HEADS: usize = 4;
const DIM: usize = 64;

pub(crate) fn measure(exec: &Exec, arguments: &Arguments, report: &mut Report) {
    for ty in [KvType::F32, KvType::F16, KvType::Q8] {
        for (start, rows) in [(127, 1), (1023, 1), (4095, 1), (0, 512), (3584, 512)] {
            let name = format!("attend {ty:?} {HEADS}/{KV_HEADS}x{DIM} at {start} m={rows}");
            if arguments.wants(&name) {
                causal(exec, ty, start, rows, &name, report);
            }
        }
    }
    let name = "attend both ways 12x32 8 x 128";
    if arguments.wants(name) {
        both_ways(exec, name, report);
    }
}

fn causal(exec: &Exec, ty: KvType, start: usize, rows: usize, name: &str, report: &mut Report) {
    let len = start + rows;
    let shape = KvShape {
        layers: 1,
        kv_heads: KV_HEADS,
        k_dim: DIM,
        v_dim: DIM,
        block_tokens: 32,
        blocks: len.div_ceil(32),
    };
    let mut kv = KvStore::new(shape, ty).expect("a valid shape");
    let blocks: Vec<u32> = (0..shape.blocks as u32).collect();
    let data: Vec<f32> = (0..len * HEADS * DIM).map(|i| (i % 23) as f32 / 23.0 - 0.5).collect();
    let fill = &data[..len * KV_HEADS * DIM];
    kv.write(exec, 0, fill, fill, &[AttendSpan { blocks: &blocks, start: 0, rows: len }]);
    let spans = [AttendSpan { blocks: &blocks, start, rows }];
    let params = AttendParams { heads: HEADS, scale: 0.125, softcap: None, window: None };
    let q = &data[..rows * HEADS * DIM];
    let mut out = vec![0.0; q.len()];
    let pairs: usize = (start..len).map(|position| position + 1).sum();
    let work =
        Work { fma: (pairs * HEADS * 2 * DIM) as f64, bytes: kv.bytes() as f64, ..Work::default() };
    report.time(name, work, || {
        attend(exec, &kv, 0, q, &spans, &params, &mut out);
    });
}

fn both_ways(exec: &Exec, name: &str, report: &mut Report) {
    let (heads, dim, lengths) = (12, 32, [128; 8]);
    let data: Vec<f32> = (0..1024 * heads * dim).map(|i| (i % 23) as f32 / 23.0 - 0.5).collect();
    let params = BidirectionalParams {
        heads,
        kv_heads: heads,
        head_dim: dim,
        scale: 0.2,
        bias: None,
        window: None,
    };
    let mut out = vec![0.0; data.len()];
    let work = Work { fma: (8 * 128 * 128 * heads * 2 * dim) as f64, ..Work::default() };
    report.time(name, work, || {
        attend_bidirectional(exec, [&data[..]; 3], &lengths, &params, &mut out);
    });
}
