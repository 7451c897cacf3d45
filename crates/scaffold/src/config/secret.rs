//! A value that is used but never shown.

use std::fmt;

/// A secret: `Debug` and `Display` mask it, and only [`Secret::reveal`] gives it out.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The secret itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.0.starts_with("hf_") { "hf_" } else { "" };
        write!(f, "{kind}… ({} characters, hidden)", self.0.chars().count())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_display_nor_debug_shows_it() {
        let secret = Secret::new("hf_abcdefghijklmnop");
        for shown in [secret.to_string(), format!("{secret:?}")] {
            assert!(!shown.contains("abc") && !shown.contains("nop"), "{shown}");
            assert!(shown.contains("19 characters"), "{shown}");
        }
    }
}
