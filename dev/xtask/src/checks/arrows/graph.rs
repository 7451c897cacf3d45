//! Circles in a graph of files: strongly connected components, after Tarjan (1972).

use std::collections::{BTreeMap, BTreeSet};

type Arrows<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// The sets of files that reach each other, each sorted.
pub(super) fn circles<'a>(arrows: &Arrows<'a>) -> Vec<Vec<&'a str>> {
    let mut search = Search { arrows, seen: BTreeMap::new(), open: Vec::new(), found: Vec::new() };
    for &file in arrows.keys() {
        if !search.seen.contains_key(file) {
            search.visit(file);
        }
    }
    search.found
}

struct Search<'a, 'g> {
    arrows: &'g Arrows<'a>,
    /// The order in which files were met, and the earliest open file that they reach.
    seen: BTreeMap<&'a str, usize>,
    open: Vec<&'a str>,
    found: Vec<Vec<&'a str>>,
}

impl<'a> Search<'a, '_> {
    /// Returns the earliest open file that `file` reaches, by its number.
    fn visit(&mut self, file: &'a str) -> usize {
        let number = self.seen.len();
        self.seen.insert(file, number);
        self.open.push(file);
        let mut lowest = number;
        for &next in self.arrows.get(file).into_iter().flatten() {
            lowest = lowest.min(match self.seen.get(next) {
                None => self.visit(next),
                Some(&seen) if self.open.contains(&next) => seen,
                Some(_) => number,
            });
        }
        if lowest == number {
            let from = self.open.iter().position(|open| *open == file).unwrap_or(0);
            let mut circle = self.open.split_off(from);
            circle.sort_unstable();
            if circle.len() > 1 {
                self.found.push(circle);
            }
        }
        lowest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_circle_is_found_once_and_by_itself() {
        let arrows: Arrows<'_> = [
            ("a", vec!["b"]),
            ("b", vec!["c", "d"]),
            ("c", vec!["a"]),
            ("d", vec!["e"]),
            ("e", vec!["d", "f"]),
            ("f", vec![]),
        ]
        .into_iter()
        .map(|(from, to)| (from, to.into_iter().collect()))
        .collect();
        let mut found = circles(&arrows);
        found.sort();
        assert_eq!(found, [vec!["a", "b", "c"], vec!["d", "e"]]);
    }
}
