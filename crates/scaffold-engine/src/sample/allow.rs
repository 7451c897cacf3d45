//! Takes the tokens out of a row of logits that the constraint of the answer does not allow.

use std::iter;

use crate::constraint::Allowed;

const BANNED: f32 = f32::NEG_INFINITY;

/// Bans what is not allowed; tokens that end the answer are, where it may end.
pub(super) fn allow(row: &mut [f32], allowed: &Allowed, ends: &[u32]) {
    let known = |id: &&u32| (**id as usize) < row.len();
    let of_ends: Vec<(u32, f32)> =
        ends.iter().filter(known).map(|&id| (id, row[id as usize])).collect();
    if let Some(words) = &allowed.tokens {
        let words = words.iter().copied().chain(iter::repeat(0));
        for (logits, word) in row.chunks_mut(32).zip(words) {
            match word {
                0 => logits.fill(BANNED),
                u32::MAX => {}
                word => {
                    for (bit, logit) in logits.iter_mut().enumerate() {
                        *logit = if word >> bit & 1 == 1 { *logit } else { BANNED };
                    }
                }
            }
        }
    }
    for (id, logit) in of_ends {
        row[id as usize] = if allowed.may_end { logit } else { BANNED };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(allowed: &Allowed, ends: &[u32]) -> Vec<usize> {
        let mut row: Vec<f32> = (0..70).map(|id| id as f32).collect();
        allow(&mut row, allowed, ends);
        (0..70).filter(|&id| row[id] == id as f32).collect()
    }

    #[test]
    fn only_allowed_tokens_are_left_and_ends_where_the_answer_may_end() {
        let tokens = Some(vec![0b1010, u32::MAX]);
        let few = Allowed { tokens: tokens.clone(), may_end: false };
        let expected: Vec<usize> = [1, 3].into_iter().chain(32..64).collect();
        assert_eq!(left(&few, &[69, 900]), expected);
        // An end that is text, too, is an end.
        assert_eq!(left(&few, &[3])[..2], [1, 32]);
        let ending = Allowed { tokens, may_end: true };
        assert_eq!(left(&ending, &[69]).last(), Some(&69));
        let all = Allowed { tokens: None, may_end: false };
        assert_eq!(left(&all, &[0]), (1..70).collect::<Vec<_>>());
        assert_eq!(left(&Allowed::ALL, &[0]).len(), 70);
    }
}
