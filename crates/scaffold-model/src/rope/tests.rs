use super::{RopeScaling, RopeSpec, RopeStyle, RopeTable};

fn rope(scaling: RopeScaling) -> RopeSpec {
    RopeSpec { base: 10_000.0, dims: 8, style: RopeStyle::Halves, scaling }
}

fn close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= e.abs() * 1e-6, "{found:?} is not {expected:?}");
    }
}

#[test]
fn plain_frequencies_fall_by_powers_of_the_base() {
    close(&rope(RopeScaling::None).frequencies(0), &[1.0, 0.1, 0.01, 0.001]);
}

#[test]
fn linear_scaling_divides_all() {
    close(
        &rope(RopeScaling::Linear { factor: 4.0 }).frequencies(0),
        &[0.25, 0.025, 0.0025, 0.00025],
    );
}

#[test]
fn dynamic_scaling_starts_behind_the_original_context() {
    let rope = rope(RopeScaling::Dynamic { factor: 2.0, original: 16 });
    close(&rope.frequencies(16), &[1.0, 0.1, 0.01, 0.001]);
    // The base becomes 10000 * (2 * 32 / 16 - 1)^(8 / 6).
    let base = 10_000.0 * 3f64.powf(8.0 / 6.0);
    let expected: Vec<f32> = (0..4).map(|i| base.powf(-f64::from(i) / 4.0) as f32).collect();
    close(&rope.frequencies(32), &expected);
    assert_eq!((rope.regime(16), rope.regime(32)), (0, 32));
}

#[test]
fn llama3_scaling_keeps_high_and_divides_low_frequencies() {
    let rope = rope(RopeScaling::Llama3 { factor: 8.0, low: 1.0, high: 4.0, original: 100 });
    let found = rope.frequencies(0);
    // 100 tokens are 15.9 turns of the first pair, 1.59 of the second, 0.159 of the third.
    let keep = (100.0 * 0.1 / (2.0 * std::f64::consts::PI) - 1.0) / 3.0;
    close(&found, &[1.0, (0.1 * (keep + (1.0 - keep) / 8.0)) as f32, 0.01 / 8.0, 0.001 / 8.0]);
}

#[test]
fn longrope_takes_its_list_by_the_length() {
    let rope = rope(RopeScaling::LongRope {
        short: vec![1.0, 1.0, 2.0, 2.0],
        long: vec![1.0, 2.0, 4.0, 8.0],
        attention_factor: 1.25,
        original: 10,
    });
    close(&rope.frequencies(10), &[1.0, 0.1, 0.005, 0.0005]);
    close(&rope.frequencies(11), &[1.0, 0.05, 0.0025, 0.000125]);
    assert_eq!(rope.attention_factor(), 1.25);
}

#[test]
fn a_prompt_is_turned_alike_however_it_is_cut() {
    let rope = rope(RopeScaling::Dynamic { factor: 2.0, original: 4 });
    let mut whole = RopeTable::new(&rope, 12);
    whole.extend(&rope, 0, 12, 9);
    let mut cut = RopeTable::new(&rope, 12);
    for start in [0, 3, 6, 9] {
        cut.extend(&rope, start, 3, 9);
    }
    assert_eq!((whole.cos, whole.sin), (cut.cos, cut.sin));
}
