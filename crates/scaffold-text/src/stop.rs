//! Stop strings, found across the borders of tokens.

/// What may be shown of a text while stop strings are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StopOutcome {
    /// Text that is certainly before any stop string.
    pub emit: String,
    /// Which stop string was met, by its place in the list. Nothing follows it.
    pub hit: Option<usize>,
}

/// Watches a text that comes in pieces for the first of several stop strings.
///
/// Text is held back as long as it could be the beginning of a stop string, and a stop string
/// itself is never given out.
///
/// ```
/// use scaffold_text::StopMatcher;
/// let mut stop = StopMatcher::new(vec!["\n\nUser:".to_owned()]);
/// assert_eq!(stop.push("Fine.\n").emit, "Fine.");
/// assert_eq!(stop.push("\nUs").emit, "");
/// let outcome = stop.push("er: and");
/// assert_eq!((outcome.emit.as_str(), outcome.hit), ("", Some(0)));
/// ```
#[derive(Clone, Debug)]
pub struct StopMatcher {
    stops: Vec<String>,
    held: String,
    done: bool,
}

impl StopMatcher {
    /// Watches for `stops`; empty strings among them match nothing.
    pub fn new(stops: Vec<String>) -> Self {
        StopMatcher { stops, held: String::new(), done: false }
    }

    /// Takes the next piece of text. After a hit, everything is dropped.
    pub fn push(&mut self, text: &str) -> StopOutcome {
        if self.done {
            return StopOutcome::default();
        }
        self.held.push_str(text);
        if let Some((at, index)) = self.first_hit() {
            self.held.truncate(at);
            self.done = true;
            return StopOutcome { emit: std::mem::take(&mut self.held), hit: Some(index) };
        }
        let keep = self.possible_start();
        let rest = self.held.split_off(keep);
        StopOutcome { emit: std::mem::replace(&mut self.held, rest), hit: None }
    }

    /// The text that was held back, once no more can come.
    pub fn finish(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.held);
        (!self.done && !rest.is_empty()).then_some(rest)
    }

    /// The stop string that ends first, and the longest of those: what a reader of single
    /// characters meets.
    fn first_hit(&self) -> Option<(usize, usize)> {
        self.stops
            .iter()
            .enumerate()
            .filter(|(_, stop)| !stop.is_empty())
            .filter_map(|(index, stop)| {
                self.held.find(stop.as_str()).map(|at| (at + stop.len(), at, index))
            })
            .min()
            .map(|(_, at, index)| (at, index))
    }

    /// Where the longest end of the text starts that could become a stop string.
    fn possible_start(&self) -> usize {
        let longest = self.stops.iter().map(String::len).max().unwrap_or(0);
        let from = self.held.len().saturating_sub(longest.saturating_sub(1));
        (from..self.held.len())
            .filter(|&at| self.held.is_char_boundary(at))
            .find(|&at| {
                self.stops.iter().any(|stop| {
                    stop.len() > self.held.len() - at && stop.starts_with(&self.held[at..])
                })
            })
            .unwrap_or(self.held.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(stops: &[&str], pieces: &[&str]) -> (String, Option<usize>) {
        let mut matcher = StopMatcher::new(stops.iter().map(|&s| s.to_owned()).collect());
        let mut out = String::new();
        for piece in pieces {
            let outcome = matcher.push(piece);
            out.push_str(&outcome.emit);
            if outcome.hit.is_some() {
                return (out, outcome.hit);
            }
        }
        out.push_str(&matcher.finish().unwrap_or_default());
        (out, None)
    }

    #[test]
    fn a_stop_string_across_pieces_never_leaks() {
        assert_eq!(run(&["END"], &["a E", "N", "D b"]), ("a ".to_owned(), Some(0)));
        assert_eq!(run(&["END"], &["a E", "N", "d"]), ("a ENd".to_owned(), None));
        assert_eq!(run(&["aab"], &["aaa", "ab"]), ("aa".to_owned(), Some(0)));
        assert_eq!(run(&[], &["x", "y"]), ("xy".to_owned(), None));
        assert_eq!(run(&[""], &["x"]), ("x".to_owned(), None));
        assert_eq!(run(&["日本"], &["今日", "日", "本x"]), ("今日".to_owned(), Some(0)));
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(text in "[abc]{0,20}", stop in "[abc]{1,3}", cut in 0usize..20) {
            let cut = cut.min(text.len());
            let whole = run(&[&stop], &[&text]);
            prop_assert_eq!(&whole, &run(&[&stop], &[&text[..cut], &text[cut..]]));
            let expected = text.find(&stop).map_or(text.clone(), |at| text[..at].to_owned());
            prop_assert_eq!(whole.0, expected);
        }
    }
}
