use proptest::prelude::*;

use super::{RouteRule, Routing};

fn choose(scores: &[f32], rule: RouteRule) -> Routing {
    let rows = scores.len() / rule.experts;
    let mut routing = Routing::new(&rule, rows);
    routing.choose(scores, rows, &rule);
    routing
}

#[test]
fn the_best_experts_with_the_weights_of_a_softmax_over_all() {
    let rule = RouteRule { experts: 3, top_k: 2, normalise: false };
    let [half, quarter] = [0.5f32.ln(), 0.25f32.ln()];
    let routing = choose(&[half, quarter, quarter, quarter, quarter, half], rule);
    // Of equal ones the first.
    assert_eq!(routing.of(0).0, [0, 1]);
    assert_eq!((routing.of(1).0, routing.of(2).0), ([0].as_slice(), [1].as_slice()));
    let (_, weights) = routing.of(0);
    assert!((weights[0] - 0.5).abs() < 1e-6 && (weights[1] - 0.25).abs() < 1e-6, "{weights:?}");
    let normalised = choose(&[half, quarter, quarter], RouteRule { normalise: true, ..rule });
    assert!((normalised.of(0).1[0] - 2.0 / 3.0).abs() < 1e-6);
}

proptest! {
    /// Every row goes to `top_k` different experts, whatever the scores are.
    #[test]
    fn no_row_goes_to_an_expert_twice(
        experts in 1usize..9,
        share in 1usize..9,
        scores in prop::collection::vec(prop_oneof![-4.0f32..4.0, Just(f32::NAN), Just(f32::INFINITY), Just(f32::NEG_INFINITY)], 0..60),
    ) {
        let rule = RouteRule { experts, top_k: share.min(experts), normalise: true };
        let rows = scores.len() / experts;
        let routing = choose(&scores[..rows * experts], rule);
        let mut count = vec![0; rows];
        for expert in 0..experts {
            let (ids, weights) = routing.of(expert);
            prop_assert_eq!(ids.len(), weights.len());
            prop_assert!(ids.is_sorted_by(|a, b| a < b), "ascending, each once: {:?}", ids);
            for id in ids {
                count[*id as usize] += 1;
            }
        }
        prop_assert!(count.iter().all(|c| *c == rule.top_k));
    }
}
