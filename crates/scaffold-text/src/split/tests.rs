//! The hand-written splitters against the regular expressions that they stand for.

use super::patterns::{ANY_DIGITS, GPT2, GPT4O, LLAMA3, PLAIN_LETTERS, QWEN2, QWEN35, TEKKEN};
use super::*;
use proptest::prelude::*;

const HAND_WRITTEN: [(&str, &str); 8] = [
    ("gpt2", GPT2),
    ("llama3", LLAMA3),
    ("qwen2", QWEN2),
    ("qwen3.5", QWEN35),
    ("plain letters", PLAIN_LETTERS),
    ("any digits", ANY_DIGITS),
    ("tekken", TEKKEN),
    ("gpt-4o", GPT4O),
];

fn words(step: Step, text: &str) -> Vec<String> {
    let mut out = Vec::new();
    Splitter::new(vec![step]).words(text, &mut |from, to| out.push(text[from..to].to_owned()));
    out
}

fn check(text: &str) {
    for (name, pattern) in HAND_WRITTEN {
        let by_hand = patterns::known(pattern).expect(name);
        let regex = fancy_regex::Regex::new(pattern).expect(name);
        let by_regex = Step::Pattern(Box::new(regex), Keep::Both);
        assert_eq!(words(by_hand, text), words(by_regex, text), "{name}: {text:?}");
    }
}

#[test]
fn hand_written_splitters_cut_where_their_patterns_do() {
    for text in [
        "",
        " ",
        "  ",
        "a",
        " a",
        "  a",
        "a  b   c",
        "Hello, world!",
        "I'll DON'T we'RE 'S x'ſ '",
        "1234567 ½³ 3.14",
        "\n\n  x\r\n \t y\n ",
        "tab\t\tend\t",
        "日本語のABCテキスト",
        "ʰABCʰ abcʰDEF",
        "\u{301}\u{301} x\u{301}y ª\u{301}1",
        "A\u{301}b ǅǅx ÉÉé",
        "foo/bar//\n/",
        "!!!\n\n//x",
        " \u{a0}\u{3000}x",
        "🙂👨‍👩‍👧x",
        "__init__(self)",
        "x\u{85}y\u{2028}z",
        "'''s 't",
        "АБВгд ЖЗ",
    ] {
        check(text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn hand_written_splitters_cut_where_their_patterns_do_on_any_text(
        text in r"([a-cſA-CstdmlreveÉéǅʰª日\u{301}\u{93f}0-9½ '\n\r\t\u{a0}\u{3000}!/_🙂]|\PC){0,24}"
    ) {
        check(&text);
    }
}

#[test]
fn digits_stand_alone_or_together() {
    assert_eq!(words(Step::Digits { individual: true }, "a12 ٣b"), ["a", "1", "2", " ", "٣", "b"]);
    assert_eq!(words(Step::Digits { individual: false }, "a12 ٣b"), ["a", "12", " ", "٣", "b"]);
}
