//! Words in a schema that are no keywords of it.
//!
//! JSON Schema says that they ask for nothing, and programs do write words of their own beside its: the
//! name of a class, the order of a form. So they are passed over, but for those that ask for something
//! by another dialect, and for those that look like a keyword written wrongly: whoever wrote them
//! believes that something is asked for.

use super::keywords::{ALL, Keyword, keyword};

/// What a word may be that is no keyword.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Somebody's own: it asks for nothing.
    Own,
    /// A keyword that is written wrongly, by what it is told from.
    Slip(&'static str),
    /// A keyword of another dialect, which asks for something.
    Dialect(&'static str),
}

/// Keywords of drafts before 4, and of what Ajv can be taught.
const DIALECTS: [(&str, &str); 23] = [
    ("divisibleBy", "draft 3; it is `multipleOf` now"),
    ("disallow", "draft 3; say what is allowed"),
    ("extends", "draft 3; it is `allOf` now"),
    ("optional", "draft 2; name what is needed in `required`"),
    ("requires", "draft 2; name what is needed in `required`"),
    ("instanceof", "Ajv's; it means objects of JavaScript"),
    ("typeof", "Ajv's; it means objects of JavaScript"),
    ("range", "Ajv's; use `minimum` and `maximum`"),
    ("exclusiveRange", "Ajv's; use `exclusiveMinimum` and `exclusiveMaximum`"),
    ("regexp", "Ajv's; use `pattern`"),
    ("uniqueItemProperties", "Ajv's; items are not compared"),
    ("allRequired", "Ajv's; use `required`"),
    ("anyRequired", "Ajv's; use `anyOf`"),
    ("oneRequired", "Ajv's; use `anyOf`"),
    ("patternRequired", "Ajv's; use `required`"),
    ("prohibited", "Ajv's; use `additionalProperties`"),
    ("deepProperties", "Ajv's; use `properties`"),
    ("deepRequired", "Ajv's; use `required`"),
    ("select", "Ajv's; use `anyOf`"),
    ("selectCases", "Ajv's; use `anyOf`"),
    ("formatMinimum", "Ajv's; dates are not compared"),
    ("formatMaximum", "Ajv's; dates are not compared"),
    ("$merge", "Ajv's; use `allOf`"),
];

/// Words that are far from a keyword and still mean it.
const MEANT: [(&str, &str); 3] = [("min", "minimum"), ("max", "maximum"), ("ref", "$ref")];

/// What a word is that is no keyword.
pub(super) fn word(name: &str) -> Word {
    if name.starts_with('_') {
        return Word::Own;
    }
    if let Some((_, why)) = DIALECTS.iter().find(|(known, _)| *known == name) {
        return Word::Dialect(why);
    }
    if let Some((_, meant)) = MEANT.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)) {
        return Word::Slip(meant);
    }
    match nearest(name) {
        Some(meant) if keyword(meant) == Keyword::Silent => Word::Own,
        Some(meant) => Word::Slip(meant),
        None => Word::Own,
    }
}

/// The keyword that a word is most like, if it is like any.
fn nearest(name: &str) -> Option<&'static str> {
    /// Longer words are like none.
    const LONGEST: usize = 24;
    if name.len() > LONGEST {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    let far = |known: &&'static str| {
        let changes = changes(lower.as_bytes(), known.to_ascii_lowercase().as_bytes());
        // Short words are like many.
        let most = match known.len().min(lower.len()) {
            0..=3 => 0,
            4..=7 => 1,
            _ => 2,
        };
        (changes <= most).then_some(changes)
    };
    ALL.iter().filter_map(|known| Some((far(known)?, *known))).min().map(|(_, known)| known)
}

/// Letters that have to be put in, taken out or changed to make one word of the other.
fn changes(one: &[u8], other: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.iter().enumerate() {
        let mut before = row[0];
        row[0] = at + 1;
        for (column, wanted) in other.iter().enumerate() {
            let same = before + usize::from(letter != wanted);
            before = row[column + 1];
            row[column + 1] = same.min(before + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_like_a_keyword_is_told_from_what_is_not() {
        for (name, meant) in [
            ("requird", "required"),
            ("additonalProperties", "additionalProperties"),
            ("oneof", "oneOf"),
            ("TYPE", "type"),
            ("type:", "type"),
            ("item", "items"),
            ("min", "minimum"),
            ("enums", "enum"),
            ("pattern_", "pattern"),
        ] {
            assert_eq!(word(name), Word::Slip(meant), "{name}");
        }
        for name in [
            "self",
            "javaType",
            "readonly",
            "decription",
            "Title",
            "_format",
            "order",
            "form",
            "note",
            "name",
            "$$target",
            "preferredOrder",
            "links",
            "visible",
            "résumé",
            "a word that is much longer than any",
        ] {
            assert_eq!(word(name), Word::Own, "{name}");
        }
        assert!(matches!(word("divisibleBy"), Word::Dialect(_)));
    }
}
