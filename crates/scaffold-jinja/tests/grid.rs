//! Expressions and small templates against Jinja2 in the configuration of `transformers`: see
//! `make_goldens/grid.py`.

use flate2::read::GzDecoder;
use scaffold_jinja::{DateTime, ErrorKind, Json, Limits, Template, Variable};
use std::io::Read;

const NOW: i64 = 1_709_210_096;

/// What differs on purpose, as a part of the template, with the reason.
const KNOWN: [(&str, &str); 3] = [
    ("** (f) }}", "a complex number"),
    ("(-8) ** 0.5", "a complex number"),
    ("('<i>'|safe) * (missing)", "an error as in Jinja2, in other words"),
];

fn golden() -> Json {
    let mut text = String::new();
    GzDecoder::new(&include_bytes!("data/grid.json.gz")[..])
        .read_to_string(&mut text)
        .expect("a readable golden");
    Json::parse(&text).expect("JSON")
}

fn variables(data: &Json) -> Vec<Variable> {
    data.as_object()
        .expect("an object")
        .iter()
        .map(|(name, value)| Variable { name: name.clone(), value: value.clone(), marked: true })
        .collect()
}

/// What is wrong with a rendering, if anything.
fn difference(case: &[Json], variables: &[Variable]) -> Option<String> {
    let source = case[0].as_str().expect("a template");
    let got = Template::parse(source).and_then(|template| {
        template.render(variables, DateTime::from_unix(NOW), Limits::default())
    });
    let problem = match (case[1].as_str(), got) {
        (Some(expected), Ok(got)) if got.text == expected => return None,
        (Some(expected), Ok(got)) => format!("expected {expected:?}\n  got      {:?}", got.text),
        (Some(expected), Err(error)) => {
            format!("expected {expected:?}\n  got      {:?}: {error}", error.kind())
        }
        (None, Ok(got)) => format!("expected {} {}\n  got      {:?}", case[2], case[3], got.text),
        (None, Err(error)) => {
            // What is missing is named in Jinja2's own words.
            let named = [ErrorKind::Undefined, ErrorKind::Raised].contains(&error.kind());
            let same = case[3].as_str() == Some(error.message());
            if same || !named {
                return None;
            }
            format!("expected {} {}\n  got      {error}", case[2], case[3])
        }
    };
    Some(format!("{source}\n  {problem}"))
}

#[test]
fn templates_do_what_they_do_in_jinja2() {
    let golden = golden();
    let variables = variables(golden.get("data").expect("data"));
    let cases = golden.get("cases").and_then(Json::as_array).expect("cases");
    assert!(cases.len() > 15_000, "{}", cases.len());
    let mut differences = Vec::new();
    for case in cases {
        let case = case.as_array().expect("a case");
        if let Some(difference) = difference(case, &variables)
            && !KNOWN.iter().any(|(part, _)| difference.contains(part))
        {
            differences.push(difference);
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {} differ:\n{}",
        differences.len(),
        cases.len(),
        differences.join("\n")
    );
}
