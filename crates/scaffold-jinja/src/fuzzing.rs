//! What the fuzz target and the test over its corpus call. Not part of the interface.

use crate::budget::Limits;
use crate::error::Error;
use crate::json::Json;
use crate::run::Variable;
use crate::time::DateTime;
use crate::{PANICKED, Template};

/// Low enough that nothing takes long, high enough for loops and long texts.
const LIMITS: Limits = Limits { steps: 200_000, bytes: 16 << 20 };

/// Arbitrary bytes as a template and, after the first byte of zero, a JSON object of variables for
/// it.
pub fn jinja(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (source, variables) = text.split_once('\0').unwrap_or((text, "{}"));
    let Some(template) = survived(Template::parse(source)) else {
        return;
    };
    let Ok(Json::Object(variables)) = Json::parse(variables) else {
        return;
    };
    for marked in [true, false] {
        let variables: Vec<Variable> = variables
            .iter()
            .map(|(name, value)| Variable { name: name.clone(), value: value.clone(), marked })
            .collect();
        let now = DateTime::from_unix(1_700_000_000);
        if let Some(rendering) = survived(template.render(&variables, now, LIMITS)) {
            let mut end = 0;
            for range in &rendering.marked {
                assert!(range.start < range.end && (end == 0 || end < range.start));
                assert!(rendering.text.get(range.clone()).is_some());
                end = range.end;
            }
            assert!(marked || rendering.marked.is_empty());
        }
    }
}

/// What came of it. Templates run on a thread of their own, whose panic comes back as an error.
fn survived<T>(result: Result<T, Error>) -> Option<T> {
    let panicked = |error: &Error| error.to_string() == PANICKED;
    assert!(!result.as_ref().is_err_and(panicked), "a panic, see above");
    result.ok()
}
