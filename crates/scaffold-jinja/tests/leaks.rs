//! What a rendering leaves behind: nothing, though scopes, macros and namespaces hold each other.

#![cfg(target_os = "linux")]

use scaffold_jinja::{DateTime, Limits, Template};

/// What the process has in memory, in pages.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("a line of numbers");
    let pages = text.split(' ').nth(1).and_then(|n| n.parse().ok());
    pages.expect("a number")
}

#[test]
fn nothing_stays_behind() {
    let source = "{% macro m(x) %}{{ x }}{% endmacro %}{% set ns = namespace(a='x' * 1000000) %}{% set ns.me = ns %}{{ m(ns.a)|length }}";
    let template = Template::parse(source).expect("a template");
    let render = |times: usize| {
        for _ in 0..times {
            let rendering = template
                .render(&[], DateTime::from_unix(0), Limits::default())
                .expect("a text");
            assert_eq!(rendering.text, "1000000");
        }
    };
    render(20);
    let before = resident();
    render(300);
    // A megabyte that stays for each would be 73,000 pages of 4 KiB.
    let grown = resident().saturating_sub(before);
    assert!(grown < 20_000, "{grown} pages more");
}
