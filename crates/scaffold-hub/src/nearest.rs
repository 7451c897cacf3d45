//! The nearest of some known words to one that is unknown: for "did you mean …?".

use strsim::osa_distance;

/// More than this many suggestions help nobody.
pub(crate) const MOST: usize = 5;

/// How many edits make a slip of the keyboard: a third of the letters, and one in a short word.
fn allowed(word: &str) -> usize {
    (word.chars().count() / 3).max(1)
}

/// The edits between two words in small letters, two letters that changed places being one, if they
/// are few enough for a slip.
fn slip(word: &str, other: &str) -> Option<usize> {
    let most = allowed(word);
    // A cheap look first: words come from outside and have any length.
    if word.chars().count().abs_diff(other.chars().count()) > most {
        return None;
    }
    Some(osa_distance(word, other)).filter(|edits| *edits <= most)
}

/// The candidate with the fewest edits from `word`, if it is near enough to be a slip of the
/// keyboard.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    candidates
        .filter_map(|candidate| Some((slip(&lower, &candidate.to_lowercase())?, candidate)))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Those of the `known` models that `text` may mean, the nearest first. The organisation may be
/// left out, and a part of the name is near too.
pub(crate) fn nearest_models(text: &str, known: &[String]) -> Vec<String> {
    let lower = text.to_lowercase();
    let mut near: Vec<(usize, &String)> = known
        .iter()
        .filter_map(|name| {
            let other = name.to_lowercase();
            let last = other.rsplit('/').next().filter(|_| !lower.contains('/'));
            let edits = [Some(other.as_str()), last]
                .into_iter()
                .flatten()
                .filter_map(|other| slip(&lower, other))
                .min();
            let contained = lower.len() >= 3 && other.contains(&lower);
            let rank = if contained { Some(edits.unwrap_or(1).min(1)) } else { edits };
            Some((rank?, name))
        })
        .collect();
    near.sort();
    near.dedup();
    let names = near.into_iter().take(MOST);
    names.map(|(_, name)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_words_are_offered() {
        let words = || ["mistral", "openhermes", "tinyllama"].into_iter();
        assert_eq!(nearest("mistrl", words()), Some("mistral"));
        assert_eq!(nearest("TinyLama", words()), Some("tinyllama"));
        assert_eq!(nearest("gpt-5", words()), None);
        assert_eq!(nearest("", words()), None);
        assert_eq!(nearest(&"m".repeat(1 << 20), words()), None);
    }

    #[test]
    fn near_names_come_nearest_first() {
        let known: Vec<String> = ["mistral", "tinyllama", "starter", "Qwen/Qwen2.5-7B-Instruct"]
            .iter()
            .map(|s| (*s).to_owned())
            .collect();
        let near = |text| nearest_models(text, &known);
        assert_eq!(near("mistrall"), ["mistral"]);
        assert_eq!(near("startre"), ["starter"]);
        assert_eq!(near("qwen/qwen2.5-7b-instrct"), ["Qwen/Qwen2.5-7B-Instruct"]);
        assert_eq!(near("qwen2.5-7b-instrct"), ["Qwen/Qwen2.5-7B-Instruct"]);
        assert_eq!(near("llama"), ["tinyllama"]);
        assert!(near("xyzzy").is_empty());
    }

    /// The two places that asked had a limit each: of five letters one let two be wrong.
    #[test]
    fn a_word_and_a_model_are_near_by_the_same_rule() {
        let known = ["phi-2".to_owned()];
        for word in ["phi2", "phi-3", "ph1-3", "phi", "phi-2-x", "PHI-2"] {
            let one = nearest(word, ["phi-2"].into_iter()).is_some();
            let contained = "phi-2".contains(word);
            let listed = !nearest_models(word, &known).is_empty();
            assert_eq!(one || contained, listed, "{word}");
        }
    }
}
