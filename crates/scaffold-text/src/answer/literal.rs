//! Texts that are expected, white space aside.

/// What a template writes between the words of a call. Models take white space less seriously than
/// templates do, so it does not count.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Literal(Vec<Segment>);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Segment {
    Text(String),
    /// A number or an id, another one in each call.
    Any,
}

/// Whether a text begins as expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Met {
    /// It does, up to here.
    Yes(usize),
    /// As far as it goes.
    More,
    No,
}

impl Literal {
    pub(super) fn new(text: &str) -> Self {
        Self::with(text, &[])
    }

    /// A text in which each of `any` stands for anything of its kind.
    pub(super) fn with(text: &str, any: &[&str]) -> Self {
        let mut segments = vec![];
        let mut rest = text;
        while let Some((at, what)) =
            any.iter().filter_map(|what| Some((rest.find(what)?, what))).min_by_key(|(at, _)| *at)
        {
            segments.push(Segment::Text(rest[..at].to_owned()));
            segments.push(Segment::Any);
            rest = &rest[at + what.len()..];
        }
        segments.push(Segment::Text(rest.to_owned()));
        segments
            .retain(|segment| !matches!(segment, Segment::Text(text) if text.trim().is_empty()));
        Self(segments)
    }

    /// Two texts with anything between them.
    pub(super) fn around(start: &str, end: &str) -> Self {
        Self(vec![Segment::Text(start.to_owned()), Segment::Any, Segment::Text(end.to_owned())])
    }

    /// Of two texts that differ in one number: what they have in common.
    pub(super) fn common(one: &str, other: &str, any: &[&str]) -> Self {
        let digits = |text: &str| text.find(|c: char| c.is_ascii_digit());
        let (Some(a), Some(b)) = (digits(one), digits(other)) else {
            return Self::with(one, any);
        };
        let number = |text: &str| text.chars().take_while(char::is_ascii_digit).count();
        let (a_end, b_end) = (a + number(&one[a..]), b + number(&other[b..]));
        if one[..a] == other[..b] && one[a_end..] == other[b_end..] && one != other {
            return Self::with(one, &[any, &[&one[a..a_end]]].concat());
        }
        Self::with(one, any)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Text(text) => Some(text.as_str()),
            Segment::Any => None,
        })
    }

    /// Its pieces: a text, or nothing for a number or an id.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Option<&str>> {
        self.0.iter().map(|segment| match segment {
            Segment::Text(text) => Some(text.as_str()),
            Segment::Any => None,
        })
    }

    /// What it begins with, white space aside.
    pub(super) fn first(&self) -> Option<&str> {
        self.texts().next().map(str::trim_start)
    }

    /// Whether `text` begins with it.
    pub(super) fn meet(&self, text: &str) -> Met {
        let mut at = 0;
        for segment in &self.0 {
            let met = match segment {
                Segment::Text(expected) => meet_text(&text[at..], expected),
                Segment::Any => meet_any(&text[at..]),
            };
            match met {
                Met::Yes(end) => at += end,
                other => return other,
            }
        }
        Met::Yes(at)
    }
}

fn meet_text(text: &str, expected: &str) -> Met {
    let mut found = text.char_indices().filter(|(_, c)| !c.is_whitespace());
    let mut end = 0;
    for wanted in expected.chars().filter(|c| !c.is_whitespace()) {
        match found.next() {
            None => return Met::More,
            Some((at, c)) if c == wanted => end = at + c.len_utf8(),
            Some(_) => return Met::No,
        }
    }
    Met::Yes(end)
}

fn meet_any(text: &str) -> Met {
    let start = text.len() - text.trim_start().len();
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    match text[start..].find(|c| !is_word(c)) {
        Some(0) => Met::No,
        Some(length) => Met::Yes(start + length),
        None => Met::More,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_does_not_count() {
        let literal = Literal::new("<tool_call>\n<function=");
        assert_eq!(literal.meet("<tool_call>  <function=name"), Met::Yes(23));
        assert_eq!(literal.meet("\n<tool_call><function=name"), Met::Yes(22));
        assert_eq!(literal.meet("<tool_call>\n<func"), Met::More);
        assert_eq!(literal.meet("<tool_call>\n{"), Met::No);
        assert_eq!(Literal::new(" \n").meet("x"), Met::Yes(0));
    }

    #[test]
    fn ids_and_numbers_may_be_any() {
        let literal = Literal::with("[CALL_ID]abc[ARGS]", &["abc"]);
        assert_eq!(literal.meet("[CALL_ID]x9-Z[ARGS]{"), Met::Yes(19));
        assert_eq!(literal.meet("[CALL_ID]x9"), Met::More);
        let numbered = Literal::common(":0<|args|>", ":1<|args|>", &[]);
        assert_eq!(numbered.meet(":12<|args|>{"), Met::Yes(11));
        assert_eq!(Literal::common("a", "b", &[]).meet("a"), Met::Yes(1));
    }
}
