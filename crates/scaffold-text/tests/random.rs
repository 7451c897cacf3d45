//! Random strings through all tokenizers of the tests, against the `tokenizers` crate: ids with and
//! without control tokens, and offsets. `examples/random_strings.rs` does the same with any number
//! of strings, and measures.

#[path = "support/compare.rs"]
mod compare;
#[path = "support/strings.rs"]
mod strings;
mod support;

use strings::{Both, Random};

/// Few enough for a slow machine; the long run is the example's.
const STRINGS: usize = 300;

#[test]
fn random_strings_have_the_ids_and_offsets_of_the_tokenizers_crate() {
    let mut wrong = Vec::new();
    for (number, (name, file)) in strings::files().into_iter().enumerate() {
        let variants = strings::variants(&file);
        let all = std::iter::once(("as it is", file)).chain(variants);
        for (variant, file) in all {
            let both = Both::new(format!("{name}, {variant}"), &file);
            let mut random = Random(number as u64);
            let names: Vec<&str> = both.names.iter().map(String::as_str).collect();
            for _ in 0..STRINGS {
                let text = strings::string(&mut random, 80, &names);
                wrong.extend(compare::difference(&both, &text));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
}
