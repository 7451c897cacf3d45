//! Files split into parts, `name-00001-of-00003.gguf` and so on, as llama.cpp's `gguf-split` writes
//! them.

/// What a file's name says about the part that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SplitName<'a> {
    /// What all parts begin with; it may have directories in front.
    pub prefix: &'a str,
    /// From 1 to `count`.
    pub number: u32,
    /// How many parts there are.
    pub count: u32,
    /// The name's end as it is written: `.gguf` in any case.
    suffix: &'a str,
}

impl<'a> SplitName<'a> {
    /// As many parts as five digits can say; real models have some dozens.
    pub const MOST: u32 = 99_999;

    /// Reads a name, or a path that ends in one. `None` where it is not that of a part: numbers
    /// have five digits, and the number is one of the count.
    pub fn parse(name: &'a str) -> Option<Self> {
        let (stem, suffix) = name.split_at_checked(name.len().checked_sub(5)?)?;
        if !suffix.eq_ignore_ascii_case(".gguf") {
            return None;
        }
        let (rest, count) = stem.rsplit_once("-of-")?;
        let (prefix, number) = rest.rsplit_once('-')?;
        let (number, count) = (five_digits(number)?, five_digits(count)?);
        (1..=count).contains(&number).then_some(Self { prefix, number, count, suffix })
    }

    /// The name of another part of the same file.
    pub fn part(&self, number: u32) -> String {
        let Self { prefix, count, suffix, .. } = self;
        format!("{prefix}-{number:05}-of-{count:05}{suffix}")
    }

    /// Whether both are parts of one file.
    pub fn is_beside(&self, other: &SplitName<'_>) -> bool {
        (self.prefix, self.count, self.suffix) == (other.prefix, other.count, other.suffix)
    }
}

/// A sign is no digit, though the standard library reads `+0001`.
fn five_digits(text: &str) -> Option<u32> {
    let digits = text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_parts_are_read_and_made() {
        let name = SplitName::parse("Q4/a-b-00002-of-00011.gguf").unwrap();
        assert_eq!((name.prefix, name.number, name.count), ("Q4/a-b", 2, 11));
        assert_eq!(name.part(11), "Q4/a-b-00011-of-00011.gguf");
        // Who writes the end in capitals does so for all parts.
        let loud = SplitName::parse("M-00001-of-00002.GGUF").unwrap();
        assert_eq!(loud.part(2), "M-00002-of-00002.GGUF");
        assert_eq!(SplitName::parse("a-99999-of-99999.gguf").unwrap().number, SplitName::MOST);
    }

    /// Three places read them: two took a sign for a digit, one any count, one any number.
    #[test]
    fn other_names_are_none() {
        for other in [
            "a.gguf",
            "a-1-of-2.gguf",
            "a-00001-of-00002.bin",
            "a-00001-00002.gguf",
            "-of-.gguf",
            ".gguf",
            "",
            "a-+0001-of-00002.gguf",
            "a-00001-of-+0002.gguf",
            "a-00000-of-00002.gguf",
            "a-00003-of-00002.gguf",
            "a-00000-of-00000.gguf",
            "a-000001-of-000002.gguf",
            "a-0000\u{661}-of-00002.gguf",
            "a-00001-OF-00002.gguf",
            "\u{fc}gguf",
        ] {
            assert_eq!(SplitName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn parts_of_another_split_are_not_beside() {
        let parse = |name| SplitName::parse(name).unwrap();
        let first = parse("m-00001-of-00002.gguf");
        assert!(first.is_beside(&parse("m-00002-of-00002.gguf")));
        for other in ["m-00002-of-00003.gguf", "n-00002-of-00002.gguf", "m-00002-of-00002.GGUF"] {
            assert!(!first.is_beside(&parse(other)), "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_name_is_read_or_not(name in ".{0,40}") {
            if let Some(read) = SplitName::parse(&name) {
                prop_assert_eq!(read.part(read.number), name);
            }
        }
    }
}
