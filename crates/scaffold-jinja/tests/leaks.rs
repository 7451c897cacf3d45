//! What a rendering leaves behind: nothing, though scopes, macros and namespaces hold each other.

#![cfg(target_os = "linux")]

use scaffold_jinja::{DateTime, Limits, Template};

/// What the process has in memory, in KiB.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/status").expect("lines of numbers");
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
    kib.expect("a number")
}

#[test]
fn nothing_stays_behind() {
    let source = "{% macro m(x) %}{{ x }}{% endmacro %}{% set ns = namespace(a='x' * 1000000) %}{% set ns.me = ns %}{{ m(ns.a)|length }}";
    let template = Template::parse(source).expect("a template");
    let render = |times: usize| {
        for _ in 0..times {
            let rendering =
                template.render(&[], DateTime::from_unix(0), Limits::default()).expect("a text");
            assert_eq!(rendering.text, "1000000");
        }
    };
    render(20);
    let before = resident();
    render(300);
    // A megabyte that stays for each would be 293,000 KiB.
    let grown = resident().saturating_sub(before);
    assert!(grown < 80_000, "{grown} KiB more");
}
