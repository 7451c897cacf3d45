//! An address that may hold a password, and does not show it.

use std::fmt;

/// The address of the Hub or of a mirror. `Display` and `Debug` leave out a user name and a
/// password in it (`https://user:password@mirror.example`); only [`Address::reveal`] gives them
/// out.
///
/// ```
/// let address = scaffold_hub::Address::from("https://me:secret@mirror.example/hf");
/// assert_eq!(format!("{address} {address:?}"), "https://mirror.example/hf https://mirror.example/hf");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

/// That of the Hub itself.
impl Default for Address {
    fn default() -> Address {
        Address::from("https://huggingface.co")
    }
}

impl Address {
    /// The whole address, for the one place that asks it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Address {
    fn from(text: T) -> Address {
        Address(text.into())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_userinfo(&self.0))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `text` without what stands between `://` and the last `@` before the path. Also for texts that
/// are no addresses, and so for the messages that say so.
pub(crate) fn without_userinfo(text: &str) -> String {
    let start = text.find("//").map_or(0, |at| at + 2);
    let end = text[start..].find(['/', '?', '#']).map_or(text.len(), |at| start + at);
    // A password may hold a slash that nobody encoded: then the last `@` of all is taken.
    let at = text[start..end].rfind('@').or_else(|| text[start..].rfind('@'));
    match at {
        Some(at) => format!("{}{}", &text[..start], &text[start + at + 1..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spelling_shows_the_password() {
        for (text, shown) in [
            ("https://u:pw@h:8/x", "https://h:8/x"),
            ("http://pw@h", "http://h"),
            ("https://u:p@w@h/x@y", "https://h/x@y"),
            ("https://u:p/w@h/x", "https://h/x"),
            ("htp://u:pw@h", "htp://h"),
            ("u:pw@h", "h"),
            ("//u:pw@h", "//h"),
            ("https://h/x", "https://h/x"),
        ] {
            assert_eq!(Address::from(text).to_string(), shown);
        }
    }
}
