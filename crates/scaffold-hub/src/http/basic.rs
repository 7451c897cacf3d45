//! Names and passwords as a header says them.

use base64::Engine as _;

use crate::url::percent_decode;

/// The `Authorization` value for credentials that stand in an address.
pub(super) fn basic(userinfo: &str) -> String {
    let decoded = percent_decode(userinfo);
    if decoded.contains(':') {
        base64_basic(&decoded)
    } else {
        base64_basic(&format!("{decoded}:"))
    }
}

/// `Basic …` of `name:password`.
pub(super) fn base64_basic(credentials: &str) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(credentials);
    format!("Basic {encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_base64() {
        assert_eq!(basic("Aladdin:open%20sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(basic("token"), "Basic dG9rZW46");
    }
}
