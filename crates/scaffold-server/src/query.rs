//! What stands behind a path: `?limit=20&order=asc`.

use percent_encoding::percent_decode_str;

use crate::fault::Fault;

/// Parameters that are not read yet.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn read(text: &str) -> Self {
        let word = |text: &str| {
            let text = text.replace('+', " ");
            percent_decode_str(&text).decode_utf8_lossy().into_owned()
        };
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (word(name), word(value))
        };
        Self(text.split('&').filter(|part| !part.is_empty()).map(pair).collect())
    }

    /// Takes a parameter out; the last one rules where it is there twice.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let found = self.0.iter().rposition(|(known, _)| known == name)?;
        let (_, value) = self.0.remove(found);
        self.0.retain(|(known, _)| known != name);
        Some(value)
    }

    /// A whole number within bounds.
    pub(crate) fn count(
        &mut self,
        name: &str,
        least: usize,
        most: usize,
    ) -> Result<Option<usize>, Fault> {
        let Some(text) = self.take(name) else {
            return Ok(None);
        };
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        number.map(Some).ok_or_else(|| {
            let words =
                format!("{name} is no number: accepted is a whole number from {least} to {most}");
            Fault::field(name, words)
        })
    }

    /// The names of what nobody has read.
    pub(crate) fn rest(self) -> Vec<String> {
        self.0.into_iter().map(|(name, _)| format!("?{name}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_and_the_rest_is_told() {
        let mut query = Query::read("limit=20&&order=a%20s+c&x&limit=30&include[]=a");
        assert_eq!(query.take("order").as_deref(), Some("a s c"));
        assert_eq!(query.count("limit", 1, 100).unwrap(), Some(30));
        assert_eq!(query.count("limit", 1, 100).unwrap(), None);
        assert_eq!(query.rest(), ["?x", "?include[]"]);
        for bad in ["limit=0", "limit=101", "limit=", "limit=-1", "limit=1.5"] {
            assert!(Query::read(bad).count("limit", 1, 100).is_err(), "{bad}");
        }
    }
}
