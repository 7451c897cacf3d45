use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hyper::header::{CONTENT_TYPE, HeaderMap};

use super::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("page")
}

fn with(name: HeaderName, value: &str) -> HeaderMap {
    let value = HeaderValue::from_str(value).expect("a value of a header");
    HeaderMap::from_iter([(name, value)])
}

fn text(file: &File) -> &'static str {
    std::str::from_utf8(file.bytes).expect("the page's files are text")
}

/// What stands between quotes behind `=` or in `url(…)`, as a reference that a browser follows.
fn references(html: &str) -> Vec<&str> {
    let parts = html.split(['"', '\'', '(', ')']);
    parts.filter(|part| part.starts_with('/') || part.contains("://")).collect()
}

#[test]
fn every_file_that_the_page_names_is_there_under_a_lasting_name() {
    let named = references(text(&INDEX));
    assert_eq!(named.len(), 3, "{named:?}");
    for reference in named {
        let name = reference.strip_prefix(BELOW).expect("files of the page are below /page/");
        let reply = file(name, &HeaderMap::new()).expect("the page names files that are there");
        assert_eq!(reply.status(), 200);
        assert!(
            reply.headers()[CACHE_CONTROL].to_str().is_ok_and(|words| words.contains("immutable")),
            "{name}"
        );
    }
    // What nobody named with its digits is asked for anew.
    let reply = file("NOTICE.txt", &HeaderMap::new()).expect("the licences are there");
    assert_eq!(reply.headers()[CACHE_CONTROL], "no-cache");
    assert!(text(&FILES[0]).contains("/page/NOTICE.txt"));
    for name in ["", "app.0123456789abcdef.js", "../Cargo.toml", "SOURCE", "app.js/"] {
        assert_eq!(
            file(name, &HeaderMap::new()).err().map(|fault| fault.status),
            Some(404),
            "{name}"
        );
    }
}

#[test]
fn nothing_of_the_page_comes_from_elsewhere() {
    // What marks kinds of elements looks like an address and is none; the others stand in words of
    // warnings.
    let names = [
        "http://www.w3.org/",
        "https://github.com/highlightjs/highlight.js/",
        "https://github.com/markedjs/marked",
    ];
    for file in FILES.iter().chain([&INDEX]).filter(|file| file.name != "NOTICE.txt") {
        for (at, _) in text(file).match_indices("://") {
            let before =
                text(file)[..at].rfind(|c: char| !c.is_ascii_alphabetic()).map_or(0, |at| at + 1);
            let address: String = text(file)[before..].chars().take(60).collect();
            let is_none =
                address.len() < 8 || !address[..8].trim_end_matches("://").starts_with("http");
            // `http://` with nothing behind it is a beginning that links are looked at for.
            let rest = address.split_once("://").map_or("", |(_, rest)| rest);
            let is_bare = !rest.starts_with(|c: char| c.is_ascii_alphanumeric());
            assert!(
                is_none || is_bare || names.iter().any(|name| address.starts_with(name)),
                "{}: {address}",
                file.name
            );
        }
    }
    assert!(!text(&FILES[1]).contains("url("), "style sheets load nothing");
    assert!(!text(&FILES[1]).contains("@import"), "style sheets load nothing");
    // Nothing stands in the page that the policy forbids.
    assert!(!text(&INDEX).contains("style="));
    assert_eq!(
        text(&INDEX).matches("<script").count(),
        text(&INDEX).matches("<script type=\"module\" src=\"/page/").count()
    );
}

#[test]
fn what_is_built_belongs_to_the_sources() {
    let mut sources = BTreeMap::new();
    for name in ["build.mjs", "package-lock.json", "package.json"] {
        sources.insert(name.to_owned(), folder().join(name));
    }
    let mut folders = vec!["src".to_owned()];
    while let Some(below) = folders.pop() {
        for entry in std::fs::read_dir(folder().join(&below)).expect("the sources of the page") {
            let entry = entry.expect("an entry");
            let name = format!("{below}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push(name);
            } else {
                sources.insert(name, entry.path());
            }
        }
    }
    let mut hash = Sha256::new();
    for (name, path) in &sources {
        let bytes = std::fs::read(path).expect("a source of the page");
        hash.update(format!("{name}\0{}\0", bytes.len()));
        hash.update(bytes);
    }
    let found = hex(&hash.finalize());
    let built = std::fs::read_to_string(folder().join("dist/SOURCE")).expect("dist/SOURCE");
    assert_eq!(
        built.trim(),
        found,
        "the page's sources were changed: run `npm run build` in crates/scaffold-server/page"
    );
}

#[test]
fn browsers_get_the_page_and_programs_the_words() {
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    assert!(is_wanted(&with(ACCEPT, browser)));
    assert!(is_wanted(&with(ACCEPT, "application/json, text/html;q=0.5")));
    for accept in ["*/*", "application/json", "text/*", "text/html-not"] {
        assert!(!is_wanted(&with(ACCEPT, accept)), "{accept}");
    }
    assert!(!is_wanted(&HeaderMap::new()));
}

#[test]
fn what_is_known_is_not_sent_again_and_the_policy_goes_with_all() {
    let first = index(&HeaderMap::new());
    assert_eq!(
        (first.status().as_u16(), &first.headers()[CONTENT_TYPE]),
        (200, &HeaderValue::from_static("text/html; charset=utf-8"))
    );
    let tag = first.headers()[ETAG].to_str().expect("a tag").to_owned();
    let again = index(&with(IF_NONE_MATCH, &format!("\"other\", {tag}")));
    assert_eq!(again.status(), 304);
    assert_eq!(index(&with(IF_NONE_MATCH, "\"other\"")).status(), 200);
    for reply in [first, again, file("app.js", &HeaderMap::new()).expect("a file")] {
        let policy = reply.headers()[CONTENT_SECURITY_POLICY].to_str().expect("a policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; "), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    }
}
