//! Sets of characters, and what they tell of rules.

use super::Node;

/// A set of characters: ranges in order, which do not touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chars(Vec<(u32, u32)>);

/// The halves of characters, which are none.
const HALVES: (u32, u32) = (0xD800, 0xDFFF);
const LAST: u32 = char::MAX as u32;

impl Chars {
    pub(super) fn of(mut ranges: Vec<(u32, u32)>) -> Self {
        ranges.sort_unstable();
        let mut out: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (from, to) in ranges {
            match out.last_mut() {
                Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
                _ => out.push((from, to)),
            }
        }
        Self(out)
    }

    pub(super) fn all() -> Self {
        Self::default().negated()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All others.
    pub(super) fn negated(&self) -> Self {
        let mut out = Vec::new();
        let mut next = 0;
        let mut taken = self.0.clone();
        taken.push(HALVES);
        for (from, to) in Self::of(taken).0 {
            if from > next {
                out.push((next, from - 1));
            }
            next = to + 1;
        }
        if next <= LAST {
            out.push((next, LAST));
        }
        Self(out)
    }

    fn add(&mut self, other: &Self) -> bool {
        let before = self.0.len();
        let joined = Self::of(self.0.iter().chain(&other.0).copied().collect());
        let changed = joined.0.len() != before || joined != *self;
        *self = joined;
        changed
    }

    fn meets(&self, other: &Self) -> bool {
        self.0.iter().any(|a| other.0.iter().any(|b| a.0 <= b.1 && b.0 <= a.1))
    }

    /// As a class of a regular expression.
    pub(super) fn regex(&self) -> String {
        let each = |&(from, to): &(u32, u32)| format!("\\x{{{from:X}}}-\\x{{{to:X}}}");
        // A class goes around the halves in the middle.
        let parts = self.0.iter().flat_map(|&(from, to)| {
            if from < HALVES.0 && to > HALVES.1 {
                vec![(from, HALVES.0 - 1), (HALVES.1 + 1, to)]
            } else {
                vec![(from, to)]
            }
        });
        format!("[{}]", parts.map(|range| each(&range)).collect::<String>())
    }
}

/// What the words of a part may begin with, go on with and hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) nullable: bool,
    pub(super) first: Chars,
    /// What may come behind a whole word and be more of it.
    pub(super) more: Chars,
    chars: Chars,
}

/// The facts of all rules.
pub(super) struct Analysis {
    facts: Vec<Facts>,
    /// What may come behind a rule.
    follow: Vec<Chars>,
    /// Rules that hold neither themselves nor a token, nor one that does.
    regular: Vec<bool>,
}

impl Analysis {
    pub(super) fn of(rules: &[Node]) -> Self {
        let count = rules.len();
        let mut analysis = Self {
            facts: vec![Facts::default(); count],
            follow: vec![Chars::default(); count],
            regular: vec![false; count],
        };
        // A rule is regular once all that it holds are.
        while let Some(next) =
            (0..count).find(|&rule| !analysis.regular[rule] && analysis.is_regular(&rules[rule]))
        {
            analysis.regular[next] = true;
        }
        loop {
            let found: Vec<Facts> = rules.iter().map(|rule| analysis.facts(rule)).collect();
            if found == analysis.facts {
                break;
            }
            analysis.facts = found;
        }
        loop {
            let mut news = false;
            for (rule, node) in rules.iter().enumerate() {
                let behind = analysis.follow[rule].clone();
                news |= analysis.spread(node, &behind);
            }
            if !news {
                break;
            }
        }
        analysis
    }

    pub(super) fn is_regular(&self, node: &Node) -> bool {
        match node {
            Node::Text(_) | Node::Class(_) => true,
            Node::Rule(rule) => self.regular[*rule],
            Node::Token(_) => false,
            Node::Seq(all) | Node::Alt(all) => all.iter().all(|node| self.is_regular(node)),
            Node::Repeat(node, ..) => self.is_regular(node),
        }
    }

    pub(super) fn behind(&self, rule: usize) -> &Chars {
        &self.follow[rule]
    }

    /// Whether a part can be a word with this behind it.
    pub(super) fn is_word(&self, node: &Node, behind: &Chars) -> bool {
        self.is_regular(node) && !self.facts(node).more.meets(behind)
    }

    pub(super) fn facts(&self, node: &Node) -> Facts {
        match node {
            Node::Text(text) => {
                let all: Vec<(u32, u32)> = text.chars().map(|c| (c as u32, c as u32)).collect();
                let first = Chars::of(all.first().copied().into_iter().collect());
                Facts {
                    nullable: text.is_empty(),
                    first,
                    more: Chars::default(),
                    chars: Chars::of(all),
                }
            }
            Node::Class(chars) => Facts {
                nullable: false,
                first: chars.clone(),
                more: Chars::default(),
                chars: chars.clone(),
            },
            Node::Token(_) => Facts::default(),
            Node::Rule(rule) => self.facts[*rule].clone(),
            Node::Seq(all) => {
                let nothing = Facts { nullable: true, ..Facts::default() };
                all.iter().fold(nothing, |facts, node| then(facts, &self.facts(node)))
            }
            Node::Alt(all) => {
                all.iter().map(|node| self.facts(node)).reduce(|a, b| or(a, &b)).unwrap_or_default()
            }
            Node::Repeat(node, min, max) => {
                let mut facts = self.facts(node);
                let (again, exact) = (max.is_none_or(|max| max > 1), *max == Some(*min));
                if again && (facts.more.meets(&facts.first) || facts.nullable) {
                    facts.more.add(&facts.chars.clone());
                } else if again && !exact {
                    facts.more.add(&facts.first.clone());
                }
                facts.nullable |= *min == 0;
                facts
            }
        }
    }

    /// What comes behind the rules in a part, if this comes behind the part; whether that is news.
    fn spread(&mut self, node: &Node, behind: &Chars) -> bool {
        let mut news = false;
        match node {
            Node::Rule(rule) => news = self.follow[*rule].add(behind),
            Node::Text(_) | Node::Class(_) | Node::Token(_) => {}
            Node::Alt(all) => {
                for node in all {
                    news |= self.spread(node, behind);
                }
            }
            Node::Seq(all) => {
                for (node, behind) in all.iter().zip(self.behind_each(all, behind)) {
                    news |= self.spread(node, &behind);
                }
            }
            Node::Repeat(node, _, max) => {
                let behind = self.behind_repeated(node, *max, behind);
                news = self.spread(node, &behind);
            }
        }
        news
    }

    /// What comes behind each part of a sequence.
    pub(super) fn behind_each(&self, all: &[Node], behind: &Chars) -> Vec<Chars> {
        let mut out = Vec::with_capacity(all.len());
        let mut behind = behind.clone();
        for node in all.iter().rev() {
            out.push(behind.clone());
            let facts = self.facts(node);
            let mut first = facts.first;
            if facts.nullable {
                first.add(&behind);
            }
            behind = first;
        }
        out.reverse();
        out
    }

    /// What comes behind something that is repeated.
    pub(super) fn behind_repeated(&self, node: &Node, max: Option<u32>, behind: &Chars) -> Chars {
        let mut behind = behind.clone();
        if max.is_none_or(|max| max > 1) {
            behind.add(&self.facts(node).first);
        }
        behind
    }
}

fn then(mut a: Facts, b: &Facts) -> Facts {
    let unclear = a.more.meets(&b.first);
    let mut more = b.more.clone();
    if b.nullable {
        more.add(&a.more);
        more.add(&b.first);
    }
    if a.nullable {
        a.first.add(&b.first);
    }
    a.chars.add(&b.chars);
    if unclear {
        // Where the one ends and the other begins is not told by the characters.
        more.add(&a.chars);
    }
    Facts { nullable: a.nullable && b.nullable, first: a.first, more, chars: a.chars }
}

fn or(mut a: Facts, b: &Facts) -> Facts {
    let unclear = a.first.meets(&b.first);
    a.more.add(&b.more);
    a.first.add(&b.first);
    a.chars.add(&b.chars);
    if a.nullable || b.nullable {
        a.more.add(&a.first.clone());
    }
    if unclear {
        // A word of the one may be the beginning of one of the other.
        a.more.add(&a.chars.clone());
    }
    a.nullable |= b.nullable;
    a
}
