//! The search for a token.

use scaffold_error::Error;

use super::file::read_file;
use super::{Token, TokenFiles, TokenSource, stored};
use crate::text::is_true;

/// What the search for a token came to.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) token: Option<(Token, TokenSource)>,
    pub(crate) bad: Option<Error>,
}

impl Found {
    fn from(parsed: Result<Token, Error>, origin: TokenSource) -> Found {
        match parsed {
            Ok(token) => Found { token: Some((token, origin)), bad: None },
            Err(error) => Found::unusable(error),
        }
    }

    fn unusable(error: Error) -> Found {
        Found { token: None, bad: Some(error) }
    }
}

/// Takes what was given, else looks in the token file, then in the stored tokens. The first place
/// that holds anything decides, even when it holds nonsense: silently using another token than the
/// one that was set would be worse.
pub(crate) fn find_token(
    given: Option<(Result<Token, Error>, TokenSource)>,
    var: &impl Fn(&str) -> Option<String>,
    files: &TokenFiles,
) -> Found {
    if let Some((parsed, origin)) = given {
        return Found::from(parsed, origin);
    }
    if var("HF_HUB_DISABLE_IMPLICIT_TOKEN").is_some_and(|v| is_true(&v)) {
        return Found::default();
    }
    match read_file(&files.active) {
        Ok(text) if text.trim().is_empty() => {}
        Ok(text) => {
            let origin = TokenSource::File(files.active.clone());
            return Found::from(Token::parse(&text, &origin), origin);
        }
        Err(error) => return Found::unusable(error),
    }
    match stored::only_stored(files) {
        Ok(Some((text, origin))) => Found::from(Token::parse(&text, &origin), origin),
        Ok(None) => Found::default(),
        Err(error) => Found::unusable(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HubConfig;

    const A: &str = "hf_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "hf_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    #[test]
    fn the_order_is_variables_files() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().to_string_lossy().into_owned();
        std::fs::write(dir.path().join("token"), format!("{A}\n")).unwrap();
        let config = |vars: &[(&str, &str)]| {
            let vars: Vec<(String, String)> =
                vars.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
            let home = home.clone();
            HubConfig::from_vars(
                move |n| {
                    if n == "HF_HOME" {
                        Some(home.clone())
                    } else {
                        vars.iter().find(|(k, _)| k == n).map(|(_, v)| v.clone())
                    }
                },
                "/nobody",
            )
        };
        let origin = |c: &HubConfig| c.token.as_ref().unwrap().1.clone();
        assert_eq!(origin(&config(&[])), TokenSource::File(dir.path().join("token")));
        let both = [("HUGGINGFACE_TOKEN", A), ("HUGGING_FACE_HUB_TOKEN", B)];
        assert_eq!(origin(&config(&both)), TokenSource::Variable("HUGGINGFACE_TOKEN"));
        assert!(config(&[("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")]).token.is_none());

        assert_eq!(origin(&config(&both).with_token(B).unwrap()), TokenSource::Flag);

        // A malformed token is reported, not skipped over.
        let bad = config(&[("HF_TOKEN", "hf_short")]);
        assert!(bad.token.is_none());
        let error = bad.bad_token.unwrap().to_string();
        assert!(error.contains("the environment variable HF_TOKEN"), "{error}");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let found = |stored: &str| {
            let files = TokenFiles { active: path.clone(), stored: dir.path().join(stored) };
            find_token(None, &|_| None, &files)
        };
        assert!(found("none").bad.is_none() && found("none").token.is_none());
        // As PowerShell writes it.
        let text = format!("{A}\r\n");
        let utf16 = [0xfeff].into_iter().chain(text.encode_utf16());
        let bytes: Vec<u8> = utf16.flat_map(u16::to_le_bytes).collect();
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(found("none").token.unwrap().0.reveal(), A);
        std::fs::write(&path, b"hf_\xff").unwrap();
        let bad = found("none").bad.unwrap().to_string();
        assert!(bad.contains("byte 3") && bad.contains("token"), "{bad}");
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let bad = found("none").bad.unwrap().to_string();
        assert!(bad.contains("not a file"), "{bad}");
        std::fs::remove_dir(&path).unwrap();
        std::fs::create_dir(dir.path().join("stored")).unwrap();
        let bad = found("stored").bad.unwrap().to_string();
        assert!(bad.contains("stored"), "{bad}");
    }
}
