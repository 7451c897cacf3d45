//! Attributes that filters are told by a text.

use crate::error::Result;
use crate::state::State;
use crate::value::Value;

/// A path of attributes, as filters take them: `"a.b.0"`, or a number.
pub(crate) struct Path(Vec<Value>);

impl Path {
    pub(crate) fn of(attribute: &Value) -> Path {
        match attribute {
            Value::None => Path(Vec::new()),
            Value::Str(text) => Path(
                text.as_str()
                    .split('.')
                    .map(|part| {
                        let digits = !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
                        match part.parse() {
                            Ok(index) if digits => Value::Int(index),
                            _ => Value::str(part),
                        }
                    })
                    .collect(),
            ),
            other => Path(vec![other.clone()]),
        }
    }

    /// The value at the path; `default` takes the place of what is not there.
    pub(crate) fn get(
        &self,
        state: &State,
        value: &Value,
        default: Option<&Value>,
    ) -> Result<Value> {
        let mut value = value.clone();
        for part in &self.0 {
            value = state.item(&value, part)?;
            if let Some(default) = default
                && value.is_undefined()
            {
                value = default.clone();
            }
        }
        Ok(value)
    }
}
