#![allow(missing_docs, unused, clippy::pedantic)]
use super::stub::*;
use super::*;
use std::sync::Arc;

pub struct CpuBackend;
impl CpuBackend {
    pub fn new(_: Arc<Exec>) -> Self {
        Self
    }
}
pub struct M {
    rows: usize,
    cols: usize,
    d: Vec<f32>,
}
pub struct K {
    shape: KvShape,
    k: Vec<f32>,
    v: Vec<f32>,
}
fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
fn erf(x: f64) -> f64 {
    // series / continued fraction
    let t = 1.0 / (1.0 + 0.5 * x.abs());
    if x.abs() < 4.5 {
        let mut s = x;
        let mut term = x;
        for n in 1..90 {
            term *= -x * x / n as f64;
            s += term / (2 * n + 1) as f64;
        }
        return s * 2.0 / std::f64::consts::PI.sqrt();
    }
    let _ = t;
    if x > 0.0 { 1.0 } else { -1.0 }
}
fn act(a: Activation, x: f32) -> f32 {
    match a {
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Gelu => {
            (0.5 * x as f64 * (1.0 + erf(x as f64 / std::f64::consts::SQRT_2))) as f32
        }
        Activation::GeluTanh => 0.5 * x * (1.0 + (0.797_884_6 * (x + 0.044715 * x * x * x)).tanh()),
        Activation::Relu => x.max(0.0),
        Activation::ReluSquared => x.max(0.0).powi(2),
        Activation::Tanh => x.tanh(),
    }
}
impl Backend for CpuBackend {
    type Matrix = M;
    type Vector = Vec<f32>;
    type Buffer = Vec<f32>;
    type Input = Vec<f32>;
    type Kv = K;
    fn matrix(&self, parts: &[MatrixSource<'_>], _: Precision) -> Result<M, ModelError> {
        let cols = parts[0].cols;
        let mut d = vec![];
        let mut rows = 0;
        for p in parts {
            let mut v = vec![0.0; p.rows * p.cols];
            dequantize(p.ty, p.bytes, &mut v)?;
            d.extend(v);
            rows += p.rows;
        }
        Ok(M { rows, cols, d })
    }
    fn matrix_bytes(&self, m: &M) -> usize {
        m.d.len() * 4
    }
    fn vector(&self, v: &[f32]) -> Vec<f32> {
        v.to_vec()
    }
    fn buffer(&self, len: usize) -> Vec<f32> {
        vec![0.0; len]
    }
    fn input(&self) -> Vec<f32> {
        vec![]
    }
    fn kv(&self, s: KvShape, _: KvType) -> Result<K, ModelError> {
        let n = s.layers * s.kv_heads * s.k_dim * s.block_tokens * s.blocks;
        Ok(K {
            shape: s,
            k: vec![0.0; n],
            v: vec![0.0; n],
        })
    }
    fn kv_bytes(&self, k: &K) -> usize {
        k.k.len() * 8
    }
    fn write(&self, v: &[f32], out: &mut Vec<f32>) {
        out.clear();
        out.extend_from_slice(v);
    }
    fn read<'b>(&self, b: &'b mut Vec<f32>, len: usize) -> &'b [f32] {
        &b[..len]
    }
    fn embed(&self, t: &M, ids: &[u32], add: bool, out: &mut Vec<f32>) {
        for (i, id) in ids.iter().enumerate() {
            for c in 0..t.cols {
                let v = t.d[*id as usize * t.cols + c];
                let o = &mut out[i * t.cols + c];
                if add { *o += v } else { *o = v }
            }
        }
    }
    fn prepare(&self, _: &M, x: &Vec<f32>, rows: usize, cols: usize, out: &mut Vec<f32>) {
        out.clear();
        out.extend_from_slice(&x[..rows * cols]);
    }
    fn linear(&self, w: &Linear<Self>, input: &Vec<f32>, rows: usize, out: &mut Vec<f32>) {
        let m = &w.weight;
        for r in 0..rows {
            for o in 0..m.rows {
                out[r * m.rows + o] = dot(
                    &m.d[o * m.cols..(o + 1) * m.cols],
                    &input[r * m.cols..(r + 1) * m.cols],
                ) + w.bias.as_ref().map_or(0.0, |b| b[o]);
            }
        }
    }
    fn norm(&self, n: &Norm<Self>, x: &Vec<f32>, rows: usize, out: &mut Vec<f32>) {
        out[..rows * n.cols].copy_from_slice(&x[..rows * n.cols]);
        self.norm_in_place(n, out, rows);
    }
    fn norm_in_place(&self, n: &Norm<Self>, x: &mut Vec<f32>, rows: usize) {
        for r in 0..rows {
            let row = &mut x[r * n.cols..(r + 1) * n.cols];
            let g = r % n.groups;
            let mean = if n.kind == NormKind::Layer {
                row.iter().sum::<f32>() / n.cols as f32
            } else {
                0.0
            };
            let var = row.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / n.cols as f32;
            let s = 1.0 / (var + n.eps).sqrt();
            for (i, v) in row.iter_mut().enumerate() {
                *v = (*v - mean) * s * n.weight[g * n.cols + i]
                    + n.bias.as_ref().map_or(0.0, |b| b[i]);
            }
        }
    }
    fn split(&self, x: &Vec<f32>, rows: usize, w: [usize; 3], out: [&mut Vec<f32>; 3]) {
        let t: usize = w.iter().sum();
        let mut at = 0;
        for (o, n) in out.into_iter().zip(w) {
            for r in 0..rows {
                o[r * n..(r + 1) * n].copy_from_slice(&x[r * t + at..r * t + at + n]);
            }
            at += n;
        }
    }
    fn rope(
        &self,
        rope: &RopeRows<'_, Self>,
        x: &mut Vec<f32>,
        rows: usize,
        heads: usize,
        hd: usize,
    ) {
        let half = rope.dims / 2;
        for r in 0..rows {
            for h in 0..heads {
                let v = &mut x[(r * heads + h) * hd..(r * heads + h + 1) * hd];
                for i in 0..half {
                    let (a, b) = match rope.pairs {
                        Pairs::Halves => (i, i + half),
                        Pairs::Adjacent => (2 * i, 2 * i + 1),
                    };
                    let (c, s) = (rope.cos[r * half + i], rope.sin[r * half + i]);
                    let (p, q) = (v[a], v[b]);
                    v[a] = p * c - q * s;
                    v[b] = q * c + p * s;
                }
            }
        }
    }
    fn write_kv(
        &self,
        kv: &mut K,
        layer: usize,
        k: &Vec<f32>,
        v: &Vec<f32>,
        spans: &[AttendSpan<'_>],
    ) {
        let s = kv.shape;
        let w = s.kv_heads * s.k_dim;
        let mut r = 0;
        for sp in spans {
            for i in 0..sp.rows {
                let p = sp.start + i;
                let at = ((layer * s.blocks + sp.blocks[p / s.block_tokens] as usize)
                    * s.block_tokens
                    + p % s.block_tokens)
                    * w;
                kv.k[at..at + w].copy_from_slice(&k[r * w..(r + 1) * w]);
                kv.v[at..at + w].copy_from_slice(&v[r * w..(r + 1) * w]);
                r += 1;
            }
        }
    }
    fn attend(
        &self,
        kv: &K,
        layer: usize,
        q: &Vec<f32>,
        spans: &[AttendSpan<'_>],
        p: &Scores,
        out: &mut Vec<f32>,
    ) {
        let s = kv.shape;
        let w = s.kv_heads * s.k_dim;
        let hd = p.head_dim;
        let mut r = 0;
        for sp in spans {
            for i in 0..sp.rows {
                let pos = sp.start + i;
                let first = p.window.map_or(0, |w| (pos + 1).saturating_sub(w));
                for h in 0..p.heads {
                    let g = h / (p.heads / p.kv_heads);
                    let qq = &q[(r * p.heads + h) * hd..(r * p.heads + h + 1) * hd];
                    let at = |j: usize| {
                        ((layer * s.blocks + sp.blocks[j / s.block_tokens] as usize)
                            * s.block_tokens
                            + j % s.block_tokens)
                            * w
                            + g * hd
                    };
                    let mut sc: Vec<f32> = (first..=pos)
                        .map(|j| {
                            let x = dot(qq, &kv.k[at(j)..at(j) + hd]) * p.scale;
                            p.softcap.map_or(x, |c| c * (x / c).tanh())
                        })
                        .collect();
                    let m = sc.iter().copied().fold(f32::MIN, f32::max);
                    let mut t = 0.0;
                    for x in &mut sc {
                        *x = (*x - m).exp();
                        t += *x;
                    }
                    let o = &mut out[(r * p.heads + h) * hd..(r * p.heads + h + 1) * hd];
                    o.fill(0.0);
                    for (j, x) in (first..=pos).zip(&sc) {
                        for (o, v) in o.iter_mut().zip(&kv.v[at(j)..at(j) + hd]) {
                            *o += x / t * v;
                        }
                    }
                }
                r += 1;
            }
        }
    }
    fn attend_both(
        &self,
        qkv: [&Vec<f32>; 3],
        lengths: &[usize],
        p: &Scores,
        bias: Option<&Vec<f32>>,
        out: &mut Vec<f32>,
    ) {
        let [q, k, v] = qkv;
        let hd = p.head_dim;
        let w = p.kv_heads * hd;
        let mut base = 0;
        for &n in lengths {
            for i in 0..n {
                for h in 0..p.heads {
                    let g = h / (p.heads / p.kv_heads);
                    let r = base + i;
                    let qq = &q[(r * p.heads + h) * hd..(r * p.heads + h + 1) * hd];
                    let (lo, hi) = p.window.map_or((0, n), |w| {
                        (i.saturating_sub(w / 2), (i + w / 2 + 1).min(n))
                    });
                    let mut sc: Vec<f32> = (lo..hi)
                        .map(|j| {
                            let at = (base + j) * w + g * hd;
                            let x = dot(qq, &k[at..at + hd]) * p.scale;
                            x + bias.map_or(0.0, |b| {
                                let reach = (b.len() / p.heads - 1) / 2;
                                let d = (j as isize - i as isize)
                                    .clamp(-(reach as isize), reach as isize)
                                    + reach as isize;
                                b[h * (2 * reach + 1) + d as usize]
                            })
                        })
                        .collect();
                    let m = sc.iter().copied().fold(f32::MIN, f32::max);
                    let mut t = 0.0;
                    for x in &mut sc {
                        *x = (*x - m).exp();
                        t += *x;
                    }
                    let o = &mut out[(r * p.heads + h) * hd..(r * p.heads + h + 1) * hd];
                    o.fill(0.0);
                    for (j, x) in (lo..hi).zip(&sc) {
                        let at = (base + j) * w + g * hd;
                        for (o, v) in o.iter_mut().zip(&v[at..at + hd]) {
                            *o += x / t * v;
                        }
                    }
                }
            }
            base += n;
        }
    }
    fn gated(&self, a: Activation, x: &Vec<f32>, rows: usize, w: usize, out: &mut Vec<f32>) {
        for r in 0..rows {
            for i in 0..w {
                out[r * w + i] = act(a, x[r * 2 * w + i]) * x[r * 2 * w + w + i];
            }
        }
    }
    fn activate(&self, a: Activation, x: &mut Vec<f32>, len: usize) {
        for v in &mut x[..len] {
            *v = act(a, *v);
        }
    }
    fn add(&self, x: &mut Vec<f32>, y: &Vec<f32>, s: f32, len: usize) {
        for (a, b) in x[..len].iter_mut().zip(y) {
            *a += s * b;
        }
    }
    fn zero(&self, x: &mut Vec<f32>, len: usize) {
        x[..len].fill(0.0);
    }
    fn scale(&self, x: &mut Vec<f32>, s: f32, len: usize) {
        for v in &mut x[..len] {
            *v *= s;
        }
    }
    fn softcap(&self, x: &mut Vec<f32>, c: f32, len: usize) {
        for v in &mut x[..len] {
            *v = c * (*v / c).tanh();
        }
    }
    fn clamp(&self, x: &mut Vec<f32>, l: f32, len: usize) {
        for v in &mut x[..len] {
            *v = v.clamp(-l, l);
        }
    }
    fn route(&self, s: &Vec<f32>, rows: usize, rule: &RouteRule, routing: &mut Routing) {
        routing.choose(s, rows, rule);
    }
    fn gates(&self, s: &Vec<f32>, rows: usize, out: &mut Vec<f32>) {
        out.clear();
        out.extend(s[..rows].iter().map(|x| 1.0 / (1.0 + (-x).exp())));
    }
    fn gather(&self, x: &Vec<f32>, ids: &[u32], cols: usize, out: &mut Vec<f32>) {
        for (i, id) in ids.iter().enumerate() {
            out[i * cols..(i + 1) * cols]
                .copy_from_slice(&x[*id as usize * cols..(*id as usize + 1) * cols]);
        }
    }
    fn scatter_add(&self, y: &Vec<f32>, ids: &[u32], w: &[f32], cols: usize, x: &mut Vec<f32>) {
        for (i, id) in ids.iter().enumerate() {
            for c in 0..cols {
                x[*id as usize * cols + c] += w[i] * y[i * cols + c];
            }
        }
    }
}
