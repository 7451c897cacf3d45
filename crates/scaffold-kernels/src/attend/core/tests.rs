use super::*;

const RULES: Rules = Rules { scale: 0.25, softcap: None, k_dim: 8, v_width: 16 };

/// Keys and values made up from their position.
struct Made;

impl Keys for Made {
    fn read(
        &self,
        _: Cpu,
        positions: Range<usize>,
        keys: &mut [[[f32; 16]; 4]],
        values: &mut [f32],
    ) {
        for (at, position) in positions.enumerate() {
            let of = |index: usize| (position * 31 + index * 7) as f32 % 11.0 - 5.0;
            for (d, key) in keys.iter_mut().enumerate() {
                key[at / 16][at % 16] = of(d);
            }
            for (d, value) in values[at * RULES.v_width..][..RULES.v_width].iter_mut().enumerate() {
                *value = of(d + 100);
            }
        }
    }
}

fn totals(cpu: Cpu, queries: &[Query<'_>]) -> Vec<u32> {
    let mut scratch = vec![0.0; scratch_len(&RULES, queries.len())];
    let mut totals = vec![0.0; queries.len() * state_len(RULES.v_width)];
    run(cpu, &RULES, &Made, queries, &mut scratch, &mut totals);
    totals.into_iter().map(f32::to_bits).collect()
}

#[test]
fn no_number_of_queries_leaves_one_out() {
    let values: Vec<f32> = (0..32).map(|i| (i * 5 % 9) as f32 - 4.0).collect();
    let query = |i: usize| Query {
        values: &values[i..i + RULES.k_dim],
        low: i,
        high: BLOCK + 3 + i,
        bias: None,
    };
    for cpu in Cpu::available().into_iter().map(|level| Cpu::at(level).unwrap()) {
        let alone: Vec<u32> = (0..20).flat_map(|i| totals(cpu, &[query(i)])).collect();
        for count in 1..=20 {
            let queries: Vec<_> = (0..count).map(query).collect();
            let together = totals(cpu, &queries);
            assert_eq!(together, alone[..together.len()], "{count} queries");
        }
    }
}

#[test]
#[should_panic = "7 queries in a tile of 1 to 6"]
fn more_queries_than_a_tile_holds_are_not_cut_short() {
    let values = [1.0; RULES.k_dim];
    let queries = [Query { values: &values, low: 0, high: 1, bias: None }; MAX_TILE + 1];
    let step = Step {
        rules: &RULES,
        positions: 0..1,
        keys: &[[[0.0; 16]; 4]; RULES.k_dim],
        values: &[0.0; BLOCK * RULES.v_width],
        weights: &mut [[[0.0; 16]; 4]; MAX_TILE],
        states: &mut [0.0; (MAX_TILE + 1) * state_len(RULES.v_width)],
    };
    run_step(Cpu::detect(), step, &queries);
}
