use scaffold_error::Kind;

use crate::{matmul::tests::noise, *};

fn random(len: usize, seed: u64) -> Vec<f32> {
    let mut next = noise(seed);
    (0..len).map(|_| next()).collect()
}

/// Softmax attention in f64 over rows of keys and values.
fn reference(
    q: &[f32],
    k: &[f32],
    v: &[f32],
    sees: impl Fn(usize) -> Option<f64>,
    scale: f64,
    cap: Option<f64>,
) -> Vec<f64> {
    let (k_dim, v_dim) = (q.len(), v.len() / (k.len() / q.len()));
    let mut weights = Vec::new();
    for (j, key) in k.chunks_exact(k_dim).enumerate() {
        let dot: f64 = key.iter().zip(q).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        let x = cap.map_or(dot * scale, |cap| cap * (dot * scale / cap).tanh());
        weights.push(sees(j).map_or(0.0, |bias| (x + bias).exp()));
    }
    let total: f64 = weights.iter().sum();
    let mut out = vec![0.0; v_dim];
    for (weight, value) in weights.iter().zip(v.chunks_exact(v_dim)) {
        for (out, value) in out.iter_mut().zip(value) {
            *out += weight / total * f64::from(*value);
        }
    }
    out
}

struct Case {
    heads: usize,
    kv_heads: usize,
    k_dim: usize,
    v_dim: usize,
    block_tokens: usize,
    len: usize,
    params: AttendParams,
}

impl Case {
    fn shape(&self) -> KvShape {
        KvShape {
            layers: 2,
            kv_heads: self.kv_heads,
            k_dim: self.k_dim,
            v_dim: self.v_dim,
            block_tokens: self.block_tokens,
            blocks: 2 * self.len.div_ceil(self.block_tokens) + 3,
        }
    }

    /// Runs the sequence in pieces that end at `cuts`, with a second sequence beside each piece.
    fn run(&self, exec: &Exec, ty: KvType, cuts: &[usize]) -> Vec<f32> {
        let q = random(self.len * self.heads * self.k_dim, 1);
        let k = random(self.len * self.kv_heads * self.k_dim, 2);
        let v = random(self.len * self.kv_heads * self.v_dim, 3);
        let mut kv = KvStore::new(self.shape(), ty).unwrap();
        let count = self.len.div_ceil(self.block_tokens) as u32;
        let blocks: Vec<u32> = (0..count).map(|i| 2 * (count - i)).collect();
        let other = [1];
        let mut out = Vec::new();
        let mut start = 0;
        for &end in cuts {
            let rows = end - start;
            let spans = [
                AttendSpan { blocks: &other, start: 3, rows: 1 },
                AttendSpan { blocks: &blocks, start, rows },
            ];
            let with_other = |data: &[f32], width: usize| {
                let mut all = data[..width].to_vec();
                all.extend_from_slice(&data[start * width..end * width]);
                all
            };
            let (kw, vw) = (self.kv_heads * self.k_dim, self.kv_heads * self.v_dim);
            kv.write(exec, 1, &with_other(&k, kw), &with_other(&v, vw), &spans);
            let mut part = vec![0.0; (rows + 1) * self.heads * self.v_dim];
            attend(
                exec,
                &kv,
                1,
                &with_other(&q, self.heads * self.k_dim),
                &spans,
                &self.params,
                &mut part,
            );
            out.extend_from_slice(&part[self.heads * self.v_dim..]);
            start = end;
        }
        out
    }

    fn check_values(&self, out: &[f32], tolerance: f64) {
        let q = random(self.len * self.heads * self.k_dim, 1);
        let k = random(self.len * self.kv_heads * self.k_dim, 2);
        let v = random(self.len * self.kv_heads * self.v_dim, 3);
        for row in [0, 1, 15, 16, 17, 63, 64, self.len / 2, self.len - 1] {
            if row >= self.len {
                continue;
            }
            for head in 0..self.heads {
                let kv_head = head / (self.heads / self.kv_heads);
                let gather = |data: &[f32], dim: usize| -> Vec<f32> {
                    (0..self.len)
                        .flat_map(|j| data[(j * self.kv_heads + kv_head) * dim..][..dim].to_vec())
                        .collect()
                };
                let low = self.params.window.map_or(0, |w| (row + 1).saturating_sub(w));
                let expected = reference(
                    &q[(row * self.heads + head) * self.k_dim..][..self.k_dim],
                    &gather(&k, self.k_dim),
                    &gather(&v, self.v_dim),
                    |j| (low..=row).contains(&j).then_some(0.0),
                    f64::from(self.params.scale),
                    self.params.softcap.map(f64::from),
                );
                let got = &out[(row * self.heads + head) * self.v_dim..][..self.v_dim];
                for (got, expected) in got.iter().zip(expected) {
                    assert!(
                        (f64::from(*got) - expected).abs() < tolerance,
                        "row {row} head {head}: {got} {expected}"
                    );
                }
            }
        }
    }
}

fn params(heads: usize) -> AttendParams {
    AttendParams { heads, scale: 0.5, softcap: None, window: None }
}

fn cases() -> Vec<Case> {
    let case = |heads, kv_heads, k_dim, v_dim, block_tokens, len, params| Case {
        heads,
        kv_heads,
        k_dim,
        v_dim,
        block_tokens,
        len,
        params,
    };
    vec![
        case(9, 3, 64, 64, 16, 130, params(9)),
        case(4, 4, 20, 12, 32, 70, params(4)),
        case(8, 1, 128, 80, 48, 200, AttendParams { softcap: Some(2.0), ..params(8) }),
        case(4, 2, 16, 16, 16, 190, AttendParams { window: Some(37), ..params(4) }),
        case(2, 1, 32, 32, 64, 1300, params(2)),
        case(2, 2, 32, 32, 64, 1300, AttendParams { window: Some(700), ..params(2) }),
        case(1, 1, 1, 1, 16, 1, params(1)),
    ]
}

#[test]
fn values_match_a_plain_softmax() {
    let exec = Exec::new(2);
    for case in cases() {
        for (ty, tolerance) in [(KvType::F32, 2e-6), (KvType::F16, 1e-3), (KvType::Q8, 2e-2)] {
            case.check_values(&case.run(&exec, ty, &[case.len]), tolerance);
        }
    }
}

#[test]
fn levels_chunkings_batches_and_threads_change_no_bit() {
    for case in cases() {
        for ty in [KvType::F32, KvType::F16, KvType::Q8] {
            let expected = case.run(&Exec::new(1), ty, &[case.len]);
            for level in Cpu::available() {
                // The scalar twin is slow: it is compared on the short cases.
                if level == Level::Scalar && case.len > 500 {
                    continue;
                }
                for threads in [1, 3] {
                    let exec = Exec { cpu: Cpu::at(level).unwrap(), team: Team::new(threads) };
                    let third = case.len / 3;
                    let cuts = [third, third + 1.min(case.len - third), case.len];
                    let cuts: Vec<usize> = cuts.into_iter().filter(|&c| c > 0).collect();
                    let out = case.run(&exec, ty, &cuts);
                    assert!(
                        out.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits()),
                        "{level} {ty:?} {threads} len {}",
                        case.len
                    );
                }
            }
            if case.len <= 1300 && ty == KvType::F16 {
                let one_by_one: Vec<usize> = (1..=case.len).collect();
                let out = case.run(&Exec::new(2), ty, &one_by_one);
                assert!(
                    out.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits()),
                    "one by one, len {}",
                    case.len
                );
            }
        }
    }
}

#[test]
fn impossible_stores_are_refused() {
    let shape =
        KvShape { layers: 1, kv_heads: 1, k_dim: 16, v_dim: 16, block_tokens: 16, blocks: 1 };
    let error = |shape| KvStore::new(shape, KvType::F16).unwrap_err();
    for (shape, kind, words) in [
        (KvShape { block_tokens: 20, ..shape }, Kind::Usage, "block_tokens = 20"),
        (KvShape { k_dim: 0, ..shape }, Kind::Usage, "k_dim = 0"),
        (KvShape { blocks: usize::MAX / 8, ..shape }, Kind::TooLarge, "a KV store of"),
    ] {
        let error = error(shape);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn encoders_see_their_whole_sequence() {
    // Short sequences have a kernel of their own where a head fills registers.
    for dim in [24, 32] {
        encoders_of_width(dim);
    }
}

fn encoders_of_width(dim: usize) {
    let (heads, kv_heads) = (4, 2);
    let lengths = [1, 70, 130, 16];
    let rows: usize = lengths.iter().sum();
    let (q, k, v) = (
        random(rows * heads * dim, 1),
        random(rows * kv_heads * dim, 2),
        random(rows * kv_heads * dim, 3),
    );
    let reach = 140;
    let table = random(heads * (2 * reach + 1), 4);
    for (bias, window) in
        [(None, None), (Some(DistanceBias { values: &table, reach }), None), (None, Some(9))]
    {
        let params =
            BidirectionalParams { heads, kv_heads, head_dim: dim, scale: 0.3, bias, window };
        let mut seen: Option<Vec<f32>> = None;
        for level in Cpu::available() {
            let exec = Exec { cpu: Cpu::at(level).unwrap(), team: Team::new(2) };
            let mut out = vec![0.0; q.len()];
            attend_bidirectional(&exec, [&q, &k, &v], &lengths, &params, &mut out);
            assert_eq!(seen.get_or_insert_with(|| out.clone()), &out, "{level}");
        }
        let out = seen.unwrap();
        let mut start = 0;
        for len in lengths {
            for row in 0..len {
                for head in 0..heads {
                    let gather = |data: &[f32]| -> Vec<f32> {
                        (start..start + len)
                            .flat_map(|j| data[(j * kv_heads + head / 2) * dim..][..dim].to_vec())
                            .collect()
                    };
                    let at = ((start + row) * heads + head) * dim;
                    let expected = reference(
                        &q[at..at + dim],
                        &gather(&k),
                        &gather(&v),
                        |j| {
                            if window.is_some_and(|w| j.abs_diff(row) > w) {
                                return None;
                            }
                            let bias =
                                bias.map(|b| b.values[head * (2 * reach + 1) + reach + j - row]);
                            Some(f64::from(bias.unwrap_or(0.0)))
                        },
                        f64::from(params.scale),
                        None,
                    );
                    for (got, expected) in out[at..at + dim].iter().zip(expected) {
                        assert!((f64::from(*got) - expected).abs() < 3e-6, "{got} {expected}");
                    }
                }
            }
            start += len;
        }
        // Alone, a sequence gives the same bits as beside the others.
        let exec = Exec::new(1);
        for (from, len) in [(71, 130), (201, 16)] {
            let to = from + len;
            let mut alone = vec![0.0; len * heads * dim];
            attend_bidirectional(
                &exec,
                [
                    &q[from * heads * dim..to * heads * dim],
                    &k[from * kv_heads * dim..to * kv_heads * dim],
                    &v[from * kv_heads * dim..to * kv_heads * dim],
                ],
                &[len],
                &params,
                &mut alone,
            );
            assert_eq!(alone, out[from * heads * dim..to * heads * dim]);
        }
    }
}
