//! Templates that nobody would write: those of the grid, cut up and put together anew.

use flate2::read::GzDecoder;
use scaffold_jinja::{DateTime, Json, Limits, Template, Variable};
use std::io::Read;

/// Numbers that look random and are the same each time (xorshift64*).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end.max(1)
    }
}

pub(crate) struct Corpus {
    sources: Vec<String>,
    variables: Vec<Variable>,
}

/// Pieces that are put in between: openings, closings, large numbers, and what templates do to
/// themselves.
const PIECES: [&str; 28] = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "'",
    "\\",
    "-",
    " ~ ",
    "|",
    "99999999999999999999",
    "* 10 ** 9",
    "{% for i in range(99999) %}",
    "{% endfor %}",
    "{% macro f(x) %}",
    "{{ f(f) }}",
    "{% endmacro %}",
    "{% set ns.x = [ns.x, ns.x] %}",
    "{% set ns = namespace(x=l) %}",
    "é🙂",
    "%1000000d",
];

impl Corpus {
    pub(crate) fn load() -> Self {
        let mut text = String::new();
        GzDecoder::new(&include_bytes!("../data/grid.json.gz")[..])
            .read_to_string(&mut text)
            .expect("a readable golden");
        let golden = Json::parse(&text).expect("JSON");
        let cases = golden.get("cases").and_then(Json::as_array).expect("cases");
        let source = |case: &Json| case.as_array()?.first()?.as_str().map(str::to_owned);
        let data = golden.get("data").and_then(Json::as_object).expect("data");
        let variable = |(name, value): &(String, Json)| Variable {
            name: name.clone(),
            value: value.clone(),
            marked: true,
        };
        Corpus {
            sources: cases.iter().filter_map(source).collect(),
            variables: data.iter().map(variable).collect(),
        }
    }

    /// A template out of parts of others.
    pub(crate) fn mangled(&self, random: &mut Random) -> String {
        let mut out = String::new();
        for _ in 0..=random.below(4) {
            let source = &self.sources[random.below(self.sources.len())];
            let places: Vec<usize> =
                source.char_indices().map(|(at, _)| at).chain([source.len()]).collect();
            let (a, b) = (places[random.below(places.len())], places[random.below(places.len())]);
            match random.below(3) {
                0 => out.push_str(source),
                1 => out.push_str(&source[a.min(b)..a.max(b)]),
                _ => {
                    out.push_str(&source[..a]);
                    out.push_str(PIECES[random.below(PIECES.len())]);
                    out.push_str(&source[a..]);
                }
            }
        }
        out
    }

    /// Renders a template; whatever comes of it, it must come, and the marks must fit the text.
    pub(crate) fn render(&self, source: &str) {
        let rendering = Template::parse(source).and_then(|template| {
            template.render(&self.variables, DateTime::from_unix(0), Limits::default())
        });
        if let Ok(rendering) = rendering {
            let mut last = 0;
            for range in &rendering.marked {
                assert!(range.start >= last && range.start < range.end, "{source:?}");
                assert!(rendering.text.get(range.clone()).is_some(), "{source:?}");
                last = range.end;
            }
        }
    }
}
