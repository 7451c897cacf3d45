//! Metrics as Python reads them.

use scaffold::engine::Histogram;
use scaffold::{Error, Kind};
use serde::Serialize;
use serde_json::{Value, json};

/// Metrics as a JSON object, with the bounds of their histograms in seconds.
pub(crate) fn written(metrics: &impl Serialize) -> Result<String, Error> {
    let mut written = serde_json::to_value(metrics).map_err(|cause| {
        Error::new(Kind::Internal, format!("the metrics cannot be written: {cause}")).because(cause)
    })?;
    if let Value::Object(fields) = &mut written {
        fields.insert("bounds".to_owned(), json!(Histogram::BOUNDS));
    }
    Ok(written.to_string())
}
