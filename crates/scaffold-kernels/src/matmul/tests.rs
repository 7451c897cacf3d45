use crate::{activation::gated, *};

/// A plain restatement of the order of arithmetic in this module's documentation.
fn reference(ty: BlockType, rows: usize, cols: usize, bytes: &[u8], x: &[f32]) -> Vec<f32> {
    let row_bytes = ty.row_bytes(cols).unwrap();
    let mut out = Vec::new();
    for x in x.chunks_exact(cols) {
        for row in 0..rows {
            let bytes = &bytes[row * row_bytes..(row + 1) * row_bytes];
            out.push(if ty.is_quantized() {
                integer_dot(ty, bytes, x)
            } else {
                float_dot(ty, bytes, x)
            });
        }
    }
    out
}

fn float_dot(ty: BlockType, bytes: &[u8], x: &[f32]) -> f32 {
    let mut w = vec![0.0; x.len()];
    dequantize(ty, bytes, &mut w).unwrap();
    w.iter().zip(x).fold(0.0, |sum: f32, (w, x)| w.mul_add(*x, sum))
}

fn integer_dot(ty: BlockType, bytes: &[u8], x: &[f32]) -> f32 {
    use crate::blocks::{Block, IQ4_LEVELS, Scheme};
    let scheme = Scheme::of(ty).unwrap();
    let mut block = Block::new();
    let mut total = 0.0f32;
    for (b, bytes) in bytes.chunks_exact(ty.bytes()).enumerate() {
        block.read(ty, bytes);
        for group in 0..ty.values() / scheme.group {
            let first = b * ty.values() + group * scheme.group;
            let of32 = &x[first / 32 * 32..first / 32 * 32 + 32];
            let largest = of32.iter().fold(0.0f32, |m, v| m.max(v.abs()));
            let (scale_x, inverse) =
                (largest / 127.0, if largest > 0.0 { 127.0 / largest } else { 0.0 });
            let (mut dot, mut sum) = (0i32, 0i32);
            for i in 0..scheme.group {
                let a = (x[first + i] * inverse).round_ties_even() as i32;
                let code = block.codes[group * scheme.group + i];
                let level = if scheme.table { IQ4_LEVELS[usize::from(code)] } else { code };
                dot += (i32::from(level) - scheme.zero) * a;
                sum += a;
            }
            let (scale, min) =
                scheme.scale_min(block.d, block.m, block.sub[group], block.sub_min[group]);
            total = (dot as f32 * scale).mul_add(scale_x, total);
            if scheme.has_min() {
                total = min.mul_add(scale_x * sum as f32, total);
            }
        }
    }
    total
}

/// Numbers without a pattern, the same in every run.
pub(crate) fn noise(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

/// Bytes of a weight: encoded noise, or for types without an encoder random codes with sane scales.
pub(crate) fn weight_bytes(ty: BlockType, values: usize, seed: u64) -> Vec<u8> {
    let mut next = noise(seed);
    let source: Vec<f32> = (0..values).map(|_| next()).collect();
    if let Ok(bytes) = quantize(ty, &source) {
        return bytes;
    }
    let mut bytes: Vec<u8> =
        (0..values / ty.values() * ty.bytes()).map(|_| (next() * 1e6) as i32 as u8).collect();
    let scales_at: &[usize] = match ty {
        BlockType::Q2_K => &[80, 82],
        BlockType::Q3_K => &[108],
        BlockType::Q4_K | BlockType::Q5_K => &[0, 2],
        BlockType::Q6_K => &[208],
        _ => &[0],
    };
    for block in bytes.chunks_exact_mut(ty.bytes()) {
        for &at in scales_at {
            block[at..at + 2].copy_from_slice(&half::f16::from_f32(next() * 0.05).to_le_bytes());
        }
    }
    bytes
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

fn check(ty: BlockType, rows: usize, cols: usize, m: usize, scale: f32, cpu: Cpu, threads: usize) {
    let bytes = weight_bytes(ty, rows * cols, (rows * cols) as u64);
    let mut next = noise(m as u64 + 5);
    let x: Vec<f32> = (0..m * cols).map(|_| next() * scale).collect();
    let exec = Exec { cpu, team: Team::new(threads) };
    let source = MatrixSource::new(ty, rows, cols, &bytes);
    let weight = Matrix::pack(&exec, &[source]).unwrap();
    let mut activations = Activations::new();
    activations.load(&exec, &x, cols, weight.needs());
    let mut out = vec![f32::NAN; m * rows];
    matmul(&exec, &weight, &activations, &mut out);
    let expected = reference(ty, rows, cols, &bytes, &x);
    assert_eq!(
        bits(&out),
        bits(&expected),
        "{ty} [{rows}, {cols}] times {m}, {}, {threads} threads",
        cpu.level()
    );
}

fn levels() -> Vec<Cpu> {
    Cpu::available().into_iter().map(|level| Cpu::at(level).unwrap()).collect()
}

#[test]
fn every_type_and_level_follows_the_reference_bit_for_bit() {
    for ty in BlockType::ALL {
        for cpu in levels() {
            for rows in [1, 15, 16, 17, 33, 100] {
                check(ty, rows, 512, 3, 1.0, cpu, 1);
            }
            for m in [0, 1, 2, 5, 6, 7, 12, 13, 14, 20, 31] {
                check(ty, 49, 768, m, 1.0, cpu, 2);
            }
        }
    }
}

#[test]
fn odd_columns() {
    for cpu in levels() {
        for ty in [BlockType::F32, BlockType::F16, BlockType::BF16] {
            for cols in [1, 2, 3, 31, 33, 129, 257] {
                check(ty, 19, cols, 7, 1.0, cpu, 2);
                check(ty, 19, cols, 20, 1.0, cpu, 1);
            }
        }
        for ty in [
            BlockType::Q4_0,
            BlockType::Q4_1,
            BlockType::Q5_0,
            BlockType::Q5_1,
            BlockType::Q8_0,
            BlockType::IQ4_NL,
        ] {
            for cols in [32, 64, 96, 544] {
                check(ty, 19, cols, 7, 1.0, cpu, 2);
                check(ty, 40, cols, 25, 1.0, cpu, 1);
            }
        }
    }
}

#[test]
fn many_rows_and_threads() {
    for cpu in levels().into_iter().rev().take(2) {
        for ty in [BlockType::Q4_1, BlockType::Q6_K, BlockType::F16] {
            for threads in [1, 2, 3] {
                check(ty, 130, 1280, 400, 1.0, cpu, threads);
            }
        }
    }
}

/// All codes and activations at their extremes: nothing may saturate on the way.
#[test]
fn extremes_do_not_saturate() {
    let cols = 256;
    for ty in BlockType::ALL.into_iter().filter(|ty| ty.is_quantized()) {
        for fill in [0x00, 0xff, 0x80, 0x7f] {
            let mut bytes = vec![fill; ty.row_bytes(cols).unwrap() * 16];
            let scales_at: &[usize] = match ty {
                BlockType::Q4_1 | BlockType::Q5_1 | BlockType::Q4_K | BlockType::Q5_K => &[0, 2],
                BlockType::Q2_K => &[80, 82],
                BlockType::Q3_K => &[108],
                BlockType::Q6_K => &[208],
                _ => &[0],
            };
            for block in bytes.chunks_exact_mut(ty.bytes()) {
                for &at in scales_at {
                    block[at..at + 2].copy_from_slice(&half::f16::from_f32(1.5).to_le_bytes());
                }
            }
            for sign in [1.0, -1.0] {
                let x: Vec<f32> =
                    (0..cols).map(|i| if i % 7 == 0 { -sign } else { sign }).collect();
                let expected = reference(ty, 16, cols, &bytes, &x);
                for cpu in levels() {
                    let exec = Exec { cpu, team: Team::new(1) };
                    let source = MatrixSource::new(ty, 16, cols, &bytes);
                    let weight = Matrix::pack(&exec, &[source]).unwrap();
                    let mut activations = Activations::new();
                    activations.load(&exec, &x, cols, weight.needs());
                    let mut out = vec![0.0; 16];
                    matmul(&exec, &weight, &activations, &mut out);
                    assert_eq!(bits(&out), bits(&expected), "{ty} {fill:#x} {}", cpu.level());
                }
            }
        }
    }
}

#[test]
fn stacked_parts_of_different_types_and_gathered_rows() {
    let exec = Exec::new(2);
    let cols = 256;
    let shapes =
        [(BlockType::Q4_K, 20), (BlockType::Q6_K, 33), (BlockType::F16, 5), (BlockType::Q8_0, 16)];
    let bytes: Vec<Vec<u8>> =
        shapes.iter().map(|(ty, rows)| weight_bytes(*ty, rows * cols, 3)).collect();
    let parts: Vec<MatrixSource<'_>> = shapes
        .iter()
        .zip(&bytes)
        .map(|((ty, rows), bytes)| MatrixSource::new(*ty, *rows, cols, bytes))
        .collect();
    let stacked = Matrix::pack(&exec, &parts).unwrap();
    let mut next = noise(9);
    let x: Vec<f32> = (0..4 * cols).map(|_| next()).collect();
    let mut activations = Activations::new();
    activations.load(&exec, &x, cols, stacked.needs());
    let mut out = vec![0.0; 4 * stacked.rows()];
    matmul(&exec, &stacked, &activations, &mut out);
    let mut first = 0;
    for part in &parts {
        let expected = reference(part.ty, part.rows, cols, part.bytes, &x);
        for t in 0..4 {
            let got = &out[t * stacked.rows() + first..][..part.rows];
            assert_eq!(
                bits(got),
                bits(&expected[t * part.rows..(t + 1) * part.rows]),
                "{}",
                part.ty
            );
        }
        first += part.rows;
    }
    let chosen = [&x[3 * cols..4 * cols], &x[cols..2 * cols]].concat();
    activations.load(&exec, &chosen, cols, stacked.needs());
    let mut gathered = vec![0.0; 2 * stacked.rows()];
    matmul(&exec, &stacked, &activations, &mut gathered);
    assert_eq!(bits(&gathered[..stacked.rows()]), bits(&out[3 * stacked.rows()..]));
    assert_eq!(bits(&gathered[stacked.rows()..]), bits(&out[stacked.rows()..2 * stacked.rows()]));
}

#[test]
fn a_gate_on_the_way_in_changes_no_bit() {
    let (rows, cols) = (23, 96);
    let mut next = noise(5);
    let x: Vec<f32> = (0..rows * 2 * cols).map(|_| 3.0 * next()).collect();
    for cpu in levels() {
        let exec = Exec { cpu, team: Team::new(2) };
        for (ty, m) in [(BlockType::Q4_1, rows), (BlockType::Q8_0, 5), (BlockType::F16, rows)] {
            let bytes = weight_bytes(ty, 40 * cols, 6);
            let source = MatrixSource::new(ty, 40, cols, &bytes);
            let weight = Matrix::pack(&exec, &[source]).unwrap();
            let x = &x[..m * 2 * cols];
            let mut passed = vec![0.0; m * cols];
            gated(&exec, Activation::Silu, x, cols, &mut passed);
            let (mut plain, mut fused) = (Activations::new(), Activations::new());
            plain.load(&exec, &passed, cols, weight.needs());
            fused.load_gated(&exec, Activation::Silu, x, cols, weight.needs());
            let mut outs = [vec![0.0; m * 40], vec![0.0; m * 40]];
            matmul(&exec, &weight, &plain, &mut outs[0]);
            matmul(&exec, &weight, &fused, &mut outs[1]);
            assert_eq!(outs[0], outs[1], "{ty} on {}", cpu.level());
        }
    }
}

#[test]
fn two_rows_for_one_are_nearly_exact() {
    let (rows, cols, m) = (40, 96, 9);
    let mut next = noise(7);
    let x: Vec<f32> = (0..m * cols).map(|_| 3.0 * next()).collect();
    let bytes = weight_bytes(BlockType::Q8_0, rows * cols, 8);
    let source = MatrixSource::new(BlockType::Q8_0, rows, cols, &bytes);
    let mut values = vec![0.0; rows * cols];
    dequantize(BlockType::Q8_0, &bytes, &mut values).unwrap();
    let mut seen = Vec::new();
    for cpu in levels() {
        let exec = Exec { cpu, team: Team::new(2) };
        let weight = Matrix::pack(&exec, &[source]).unwrap();
        let mut fine = Activations::new();
        fine.load_fine(&exec, &x, cols, weight.needs());
        let mut out = vec![0.0; 2 * m * rows];
        matmul(&exec, &weight, &fine, &mut out);
        add_pairs(&exec, &mut out, rows);
        out.truncate(m * rows);
        for (i, out) in out.iter().enumerate() {
            let (x, w) = (&x[i / rows * cols..][..cols], &values[i % rows * cols..][..cols]);
            let exact: f32 = x.iter().zip(w).map(|(x, w)| x * w).sum();
            // One row alone is off by up to 0.1 here.
            assert!((out - exact).abs() < 2e-3, "{out} and not {exact}");
        }
        seen.push(out);
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "levels differ");
}
