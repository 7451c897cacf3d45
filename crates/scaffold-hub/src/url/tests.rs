use super::*;

fn joined(base: &str, reference: &str) -> Option<String> {
    Some(Url::parse(base)?.join(reference)?.request_text())
}

#[test]
fn joins_as_browsers_do() {
    let base = "https://a.b:8/x/y/?q=1";
    for (reference, want) in [
        ("../../p/f.whl#sha256=00", "https://a.b:8/p/f.whl"),
        ("f.whl", "https://a.b:8/x/y/f.whl"),
        ("/f", "https://a.b:8/f"),
        ("//c.d/f", "https://c.d/f"),
        ("http://c.d", "http://c.d/"),
        ("?z=1", "https://a.b:8/x/y/?z=1"),
        ("../../../../f", "https://a.b:8/f"),
    ] {
        assert_eq!(joined(base, reference).as_deref(), Some(want), "{reference}");
    }
    assert_eq!(joined(base, "file:///etc/passwd"), None);
    assert_eq!(joined(base, "a b"), None);
}

#[test]
fn shows_neither_credentials_nor_signatures() {
    let url = Url::parse("https://user:secret@h/p?Signature=secret").unwrap();
    assert_eq!(format!("{url} {url:?}"), "https://h/p https://h/p");
    assert_eq!(url.userinfo(), Some("user:secret"));
    assert_eq!(url.request_text(), "https://h/p?Signature=secret");
}

#[test]
fn origins_differ_by_scheme_host_and_port() {
    let u = |s| Url::parse(s).unwrap();
    assert!(u("https://h/a").same_origin(&u("https://H:443/b")));
    for other in ["http://h/", "https://h:444/", "https://h.evil/"] {
        assert!(!u("https://h/").same_origin(&u(other)), "{other}");
    }
}

#[test]
fn this_machine_is_known_by_its_names() {
    for host in ["localhost", "LOCALHOST.", "127.0.0.1", "127.9.8.7", "[::1]", "[::ffff:127.0.0.1]"]
    {
        let url = Url::parse(&format!("http://{host}:8080/x")).unwrap();
        assert!(url.is_loopback(), "{host}");
    }
    for host in ["localhost.example", "127.0.0.1.example", "0.0.0.0", "10.0.0.1", "[::2]", "127.1"]
    {
        let url = Url::parse(&format!("http://{host}:8080/x")).unwrap();
        assert!(!url.is_loopback(), "{host}");
    }
}

#[test]
fn hosts_may_be_ip6() {
    let url = Url::parse("http://[::1]:8080/x").unwrap();
    assert_eq!((url.host(), url.port), ("[::1]", Some(8080)));
    for bad in ["", "ftp://h/", "http://", "http://h:99999/", "http://h/ü", "nothing"] {
        assert!(Url::parse(bad).is_none(), "{bad}");
    }
}

#[test]
fn raw_references_become_addresses() {
    for (raw, want) in [
        ("/a b/ü.gguf?x=%20", "/a%20b/%C3%BC.gguf?x=%20"),
        (" https://h/模 ", "https://h/%E6%A8%A1"),
        ("/a[1]{2}", "/a[1]%7B2%7D"),
    ] {
        assert_eq!(encode_raw(raw.as_bytes()), want);
    }
    // Latin-1, as old servers write it.
    assert_eq!(encode_raw(b"/\xfc"), "/%FC");
}

#[test]
fn percent_coding_round_trips() {
    let odd = "a b/ü%?#.gguf";
    let coded = encode_path(odd);
    assert_eq!(coded, "a%20b/%C3%BC%25%3F%23.gguf");
    assert_eq!(percent_decode(&coded), odd);
    assert_eq!(encode_part("a/b~c"), "a%2Fb~c");
    for left in ["100%", "%+f", "%g0", "%"] {
        assert_eq!(percent_decode(left), left);
    }
}

/// Section 5.4 of RFC 3986, with `http` addresses. What leaves the scheme is nothing that we
/// follow.
#[test]
fn references_are_resolved_as_the_rfc_does() {
    let base = "http://a/b/c/d;p?q";
    for (reference, want) in [
        // 5.4.1, normal examples.
        ("g", "http://a/b/c/g"),
        ("./g", "http://a/b/c/g"),
        ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g", "http://g/"),
        ("?y", "http://a/b/c/d;p?y"),
        ("g?y", "http://a/b/c/g?y"),
        ("#s", "http://a/b/c/d;p?q"),
        ("g#s", "http://a/b/c/g"),
        ("g?y#s", "http://a/b/c/g?y"),
        (";x", "http://a/b/c/;x"),
        ("g;x", "http://a/b/c/g;x"),
        ("g;x?y#s", "http://a/b/c/g;x?y"),
        ("", "http://a/b/c/d;p?q"),
        (".", "http://a/b/c/"),
        ("./", "http://a/b/c/"),
        ("..", "http://a/b/"),
        ("../", "http://a/b/"),
        ("../g", "http://a/b/g"),
        ("../..", "http://a/"),
        ("../../", "http://a/"),
        ("../../g", "http://a/g"),
        // 5.4.2, abnormal ones.
        ("../../../g", "http://a/g"),
        ("../../../../g", "http://a/g"),
        ("/./g", "http://a/g"),
        ("/../g", "http://a/g"),
        ("g.", "http://a/b/c/g."),
        (".g", "http://a/b/c/.g"),
        ("g..", "http://a/b/c/g.."),
        ("..g", "http://a/b/c/..g"),
        ("./../g", "http://a/b/g"),
        ("./g/.", "http://a/b/c/g/"),
        ("g/./h", "http://a/b/c/g/h"),
        ("g/../h", "http://a/b/c/h"),
        ("g;x=1/./y", "http://a/b/c/g;x=1/y"),
        ("g;x=1/../y", "http://a/b/c/y"),
        ("g?y/./x", "http://a/b/c/g?y/./x"),
        ("g?y/../x", "http://a/b/c/g?y/../x"),
        ("g#s/../x", "http://a/b/c/g"),
        // Empty segments are segments: signed addresses have them.
        ("/x//y", "http://a/x//y"),
        ("g//../h", "http://a/b/c/g/h"),
        ("/x?u=http://h//p", "http://a/x?u=http://h//p"),
        ("g?a:b//c@d", "http://a/b/c/g?a:b//c@d"),
        ("HTTP://H/x/../y", "http://h/y"),
    ] {
        assert_eq!(joined(base, reference).as_deref(), Some(want), "{reference}");
    }
    for none in
        ["g:h", "http:g", "http:///x", "ftp://h/", "a:b//c@d", "//", "//h:x/", "javascript:0"]
    {
        assert_eq!(joined(base, none), None, "{none}");
    }
}

#[test]
fn addresses_that_programs_read_differently_are_none() {
    for bad in [
        "https://good\\@evil/",
        "https:\\\\h/",
        "https://h/a\\b",
        "https://h/a\tb",
        "https://h/a\nb",
        "https://h/\u{7f}",
        "https://h/\0",
        "https://h:+80/",
        "https://h:-1/",
        "https://h:65536/",
        "https://h:8 0/",
        "https://h:80:81/",
        "https://:80/",
        "https://user@/",
        "https://[::1/",
        "https://::1/",
        "https://[::1]x/",
        "https://[fe80::1%25eth0]/",
        "https://[v1.x]/",
        "https://h%2eexample/",
        "https://b\u{fc}cher.example/",
        "https://h<i>/",
        "https//h/",
    ] {
        assert!(Url::parse(bad).is_none(), "{bad:?}");
        assert!(
            Url::parse("https://h/").unwrap().join(bad).is_none_or(|url| url.host() == "h"),
            "{bad:?}"
        );
    }
}

#[test]
fn odd_addresses_mean_one_thing() {
    for (text, host, port, target) in [
        ("https://H.Example.:443", "h.example.", 443, "/"),
        ("http://h:/x", "h", 80, "/x"),
        ("http://h:00080/x", "h", 80, "/x"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/"),
        ("http://[2001:DB8::1]:8080?q", "[2001:db8::1]", 8080, "/?q"),
        ("https://h/a[1]{2}|3?x=[4]", "h", 443, "/a%5B1%5D%7B2%7D%7C3?x=%5B4%5D"),
        ("https://h/100%/%zz/%41", "h", 443, "/100%25/%25zz/%41"),
        ("https://h?a/b@c", "h", 443, "/?a/b@c"),
    ] {
        let url = Url::parse(text).unwrap();
        let target_of = url.request_text();
        let at = target_of.find("//").unwrap() + 2;
        let slash = at + target_of[at..].find('/').unwrap();
        assert_eq!((url.host(), url.port(), &target_of[slash..]), (host, port, target), "{text}");
        assert_eq!(Url::parse(&url.request_text()), Some(url), "{text}");
    }
    // The port of the scheme is the same address without it.
    let origin = |text| Url::parse(text).unwrap().origin();
    assert_eq!(origin("https://h:443/"), "https://h");
    assert_eq!(origin("http://h:443/"), "http://h:443");
}

#[test]
fn credentials_may_hold_anything_and_go_nowhere_else() {
    for (text, userinfo) in [
        ("https://u:p@h/", "u:p"),
        ("https://u:p@ss@h/", "u:p@ss"),
        ("https://u:[p]{%}|^`@h/", "u:[p]{%}|^`"),
        ("https://u:p%40@h/", "u:p%40"),
        ("https://@h/", ""),
    ] {
        let url = Url::parse(text).unwrap();
        assert_eq!((url.host(), url.userinfo()), ("h", Some(userinfo)), "{text}");
        assert_eq!(url.request_text(), "https://h/");
        let stays = url.join("x").unwrap();
        assert_eq!(
            (stays.userinfo(), format!("{stays:?}")),
            (Some(userinfo), "https://h/x".into())
        );
        for elsewhere in ["//h/x", "https://h/x", "//evil/"] {
            assert_eq!(url.join(elsewhere).unwrap().userinfo(), None);
        }
    }
    assert_eq!(Url::parse("https://h/?u:p@x").unwrap().userinfo(), None);
}
