use proptest::prelude::*;

use super::*;
use crate::blocks::dequantize;
use crate::level::Level;

/// The types that a search is made for.
const SEARCHED: [BlockType; 9] = [
    BlockType::Q4_0,
    BlockType::Q4_1,
    BlockType::Q5_0,
    BlockType::Q5_1,
    BlockType::Q2_K,
    BlockType::Q3_K,
    BlockType::Q4_K,
    BlockType::Q5_K,
    BlockType::Q6_K,
];

/// Numbers of a bell curve, by the sum of twelve even ones.
fn bell(count: usize, mut seed: u64) -> Vec<f32> {
    let mut even = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 40) as f32 / (1u64 << 24) as f32
    };
    (0..count).map(|_| (0..12).map(|_| even()).sum::<f32>() - 6.0).collect()
}

fn back(ty: BlockType, bytes: &[u8], count: usize) -> Vec<f32> {
    let mut out = vec![0.0; count];
    dequantize(ty, bytes, &mut out).unwrap();
    out
}

/// The root of the mean square of what is lost, as a share of that of the values.
fn lost(ty: BlockType, bytes: &[u8], values: &[f32], weight: impl Fn(usize) -> f32) -> f64 {
    let back = back(ty, bytes, values.len());
    let square = |i: usize, v: f32| f64::from(weight(i)) * f64::from(v).powi(2);
    let off: f64 = (0..values.len()).map(|i| square(i, values[i] - back[i])).sum();
    let all: f64 = (0..values.len()).map(|i| square(i, values[i])).sum();
    (off / all).sqrt()
}

#[test]
fn a_block_is_written_as_it_was_read() {
    let scheme = |ty| Scheme::of(ty).unwrap();
    for ty in BlockType::ALL.into_iter().filter(|ty| ty.is_quantized()) {
        let bytes: Vec<u8> = (0..ty.bytes()).map(|i| (i * 151 + 77) as u8).collect();
        let (mut block, mut written) = (Block::new(), Vec::new());
        block.read(ty, &bytes);
        block.write(ty, &mut written);
        assert_eq!(written, bytes, "{ty} {:?}", scheme(ty));
    }
}

/// What a bell curve loses: the limits are a little above what was found.
#[test]
fn little_is_lost_of_a_bell_curve() {
    let values = bell(256 * 64, 7);
    let limits = [0.09, 0.08, 0.05, 0.05, 0.4, 0.2, 0.075, 0.04, 0.02];
    for (ty, limit) in SEARCHED.into_iter().zip(limits) {
        let bytes = quantize_searched(Cpu::detect(), ty, &values, None).unwrap();
        let lost = lost(ty, &bytes, &values, |_| 1.0);
        assert!(lost < limit, "{ty}: {lost}");
    }
}

#[test]
fn a_search_never_loses_more_than_rounding() {
    let values = bell(32 * 512, 3);
    for ty in [BlockType::Q4_0, BlockType::Q4_1, BlockType::Q5_0, BlockType::Q5_1] {
        let weights: Vec<f32> =
            values.as_chunks::<32>().0.iter().flat_map(|block| weights(block, None)).collect();
        let weigh = |bytes: &[u8]| lost(ty, bytes, &values, |i| weights[i]);
        let searched = weigh(&quantize_searched(Cpu::detect(), ty, &values, None).unwrap());
        let rounded = weigh(&quantize(ty, &values).unwrap());
        assert!(searched < rounded, "{ty}: {searched} {rounded}");
    }
}

#[test]
fn importance_moves_the_error_to_where_it_matters_less() {
    let values = bell(256 * 16, 5);
    let importance: Vec<f32> = (0..256).map(|i| if i % 4 == 0 { 100.0 } else { 1.0 }).collect();
    for ty in SEARCHED {
        let plain = quantize_searched(Cpu::detect(), ty, &values, None).unwrap();
        let held = quantize_searched(Cpu::detect(), ty, &values, Some(&importance)).unwrap();
        let of = |bytes: &[u8]| lost(ty, bytes, &values, |i| importance[i % 256]);
        assert!(of(&held) < of(&plain), "{ty}: {} {}", of(&held), of(&plain));
    }
}

#[test]
fn values_that_are_alike_or_nothing_come_back() {
    for ty in SEARCHED {
        for value in [0.0f32, 1.0, -2.5, 1e-30, 60_000.0] {
            let bytes = quantize_searched(Cpu::detect(), ty, &[value; 256], None).unwrap();
            for back in back(ty, &bytes, 256) {
                assert!((back - value).abs() <= value.abs() * 0.05 + 1e-6, "{ty}: {value} {back}");
            }
        }
    }
}

#[test]
fn what_cannot_be_written_is_said() {
    let cpu = Cpu::detect();
    let mut values = vec![0.5f32; 256];
    values[17] = f32::NAN;
    let error = quantize_searched(cpu, BlockType::Q4_K, &values, None).unwrap_err();
    assert!(error.to_string().starts_with("value 17 is NaN, which no Q4_K block"), "{error}");
    let error = quantize_searched(cpu, BlockType::IQ4_XS, &[0.0; 256], None).unwrap_err();
    assert!(error.to_string().contains("the types that can be written are"), "{error}");
    let error =
        quantize_searched(cpu, BlockType::Q4_K, &[0.0; 512], Some(&[1.0; 300])).unwrap_err();
    assert!(error.to_string().contains("300 columns"), "{error}");
    assert!(quantize_searched(cpu, BlockType::Q4_K, &[0.0; 200], None).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_level_writes_the_same_bits(seed in any::<u64>(), scale in -20i32..20, pick in 0usize..9) {
        let values: Vec<f32> = bell(512, seed).iter().map(|v| v * 2f32.powi(scale)).collect();
        let scalar = quantize_searched(Cpu::at(Level::Scalar).unwrap(), SEARCHED[pick], &values, None).unwrap();
        for level in Level::ALL {
            if let Ok(cpu) = Cpu::at(level) {
                prop_assert_eq!(&quantize_searched(cpu, SEARCHED[pick], &values, None).unwrap(), &scalar, "{}", level);
            }
        }
    }

    #[test]
    fn any_numbers_are_written_without_panic(bits in proptest::collection::vec(any::<u32>(), 256), pick in 0usize..9) {
        let values: Vec<f32> = bits.into_iter().map(f32::from_bits).collect();
        let finite: Vec<f32> = values.iter().map(|v| if v.is_finite() { *v } else { 0.0 }).collect();
        let written = quantize_searched(Cpu::detect(), SEARCHED[pick], &finite, None).unwrap();
        prop_assert_eq!(written.len(), 256 / SEARCHED[pick].values() * SEARCHED[pick].bytes());
        let _ = quantize_searched(Cpu::detect(), SEARCHED[pick], &values, None);
    }
}
