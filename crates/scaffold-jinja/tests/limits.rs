//! Templates that are made to cost much: each is stopped, soon and with an error.

use scaffold_jinja::{DateTime, ErrorKind, Json, Limits, Template, Variable};

fn outcome(source: &str) -> Result<usize, ErrorKind> {
    let messages = Variable {
        name: "messages".to_owned(),
        value: Json::Array(vec![Json::from("Hi")]),
        marked: true,
    };
    let limits = Limits { steps: 2_000_000, bytes: 32 << 20 };
    Template::parse(source)
        .and_then(|template| template.render(&[messages], DateTime::from_unix(0), limits))
        .map(|rendering| rendering.text.len())
        .map_err(|error| error.kind())
}

#[test]
fn what_would_take_all_memory_is_stopped() {
    let doubled = |value: &str, last: &str| {
        format!(
            "{{% set ns = namespace(x={value}) %}}{{% for i in range(99) %}}{{% set ns.x = ns.x + ns.x %}}{{% endfor %}}{last}"
        )
    };
    let nested = "{% set ns = namespace(x=['a' * 100]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}";
    for source in [
        doubled("'ab'", ""),
        doubled("[1]", ""),
        doubled("(1, 2)", ""),
        format!("{nested}{{{{ ns.x }}}}"),
        format!("{nested}{{{{ ns.x | tojson }}}}"),
        "{{ 'a' * 10 ** 12 }}".to_owned(),
        "{{ [1] * 10 ** 10 }}".to_owned(),
        "{{ '%2000000000d' % 1 }}".to_owned(),
        "{{ '%.2000000000f' % 1 }}".to_owned(),
        "{{ '{:>2000000000}'.format('a') }}".to_owned(),
        "{{ '{:.2000000000f}'.format(1.5) }}".to_owned(),
        "{{ 'a'.center(10 ** 11) }}{{ 'a'.zfill(10 ** 11) }}".to_owned(),
        "{{ 'a\\nb' | indent(10 ** 11) }}".to_owned(),
        "{{ ('a' * 10000).replace('a', 'b' * 100000) }}".to_owned(),
        "{{ ('\\t' * 1000).expandtabs(10 ** 9) }}".to_owned(),
        "{{ [[]] | tojson(indent=10 ** 11) }}".to_owned(),
        "{{ [1] | batch(10 ** 11, 0) | list }}{{ [1] | slice(10 ** 11) | list }}".to_owned(),
        "{{ ('x' * 5000).join(range(90000) | map('string')) }}".to_owned(),
        "{% for i in range(90000) %}{% for j in range(90000) %}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{% endfor %}{% endfor %}".to_owned(),
    ] {
        let got = outcome(&source);
        assert!(
            matches!(
                got,
                Err(ErrorKind::Memory | ErrorKind::Steps | ErrorKind::Arithmetic | ErrorKind::Value | ErrorKind::Recursion)
            ),
            "{source}: {got:?}"
        );
    }
}

#[test]
fn what_would_not_end_is_stopped() {
    for (source, kind) in [
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", ErrorKind::Recursion),
        ("{% for x in [[1]] recursive %}{{ loop([x]) }}{% endfor %}", ErrorKind::Recursion),
        ("{{ 9 ** (9 ** 9) }}", ErrorKind::Arithmetic),
        (
            "{% set ns = namespace(n=3) %}{% for i in range(99) %}{% set ns.n = ns.n * ns.n %}{% endfor %}",
            ErrorKind::Arithmetic,
        ),
        ("{{ range(10 ** 9) }}", ErrorKind::Arithmetic),
    ] {
        assert_eq!(outcome(source), Err(kind), "{source}");
    }
}

#[test]
fn what_is_deep_or_takes_long_to_go_through_is_stopped() {
    let again = |value: &str, step: &str, last: &str| {
        format!(
            "{{% set ns = namespace(x={value}, y={value}) %}}{{% for i in range(99999) %}}{{% set ns.x = {step} %}}{{% endfor %}}{last}"
        )
    };
    for source in [
        again("[]", "[ns.x]", ""),
        again("()", "(ns.x,)", ""),
        again("{}", "{'a': ns.x}", ""),
        again("[]", "[ns.x]|map('default')", ""),
        again("''", "cycler(ns.x)", ""),
        again("''", "joiner(ns.x)", ""),
        "{% set ns = namespace(x=1) %}{% for i in range(99999) %}{% for j in [ns.x] %}{% set ns.x = loop %}{% endfor %}{% endfor %}".to_owned(),
    ] {
        assert_eq!(outcome(&source), Err(ErrorKind::Recursion), "{source}");
    }
    let twice = "{% set ns = namespace(x=(1,), y=(1,)) %}{% for i in range(60) %}{% set ns.x = (ns.x, ns.x) %}{% set ns.y = (ns.y, ns.y) %}{% endfor %}";
    let long =
        "{% set s = 'ab' * 5000000 %}{% set t = 'ab' * 5000000 %}{% for i in range(90000) %}";
    for source in [
        format!("{twice}{{{{ ns.x == ns.y }}}}"),
        format!("{twice}{{{{ ns.x < ns.y }}}}"),
        format!("{twice}{{{{ {{ns.x: 1}} }}}}"),
        format!("{twice}{{{{ ns.x in [ns.y] }}}}"),
        format!("{twice}{{{{ [ns.x]|unique|list }}}}"),
        format!("{long}{{% if s == t %}}{{% endif %}}{{% endfor %}}"),
        format!("{long}{{% if 'x' in s %}}{{% endif %}}{{% endfor %}}"),
        format!("{long}{{% if s.count('x') %}}{{% endif %}}{{% endfor %}}"),
        format!("{long}{{% if s.split('x') %}}{{% endif %}}{{% endfor %}}"),
    ] {
        let got = outcome(&source);
        assert!(matches!(got, Err(ErrorKind::Steps | ErrorKind::Memory)), "{source}: {got:?}");
    }
    let one = "{% set s = 'ab' * 5000000 %}{% for i in range(90000) %}{% set t = ";
    for last in ["s|length", "s|trim", "s|wordcount", "s is lower", "s[2:3]", "s|truncate(9)"] {
        let got = outcome(&format!("{one}{last} %}}{{% endfor %}}"));
        assert!(matches!(got, Err(ErrorKind::Steps | ErrorKind::Memory)), "{last}: {got:?}");
    }
    // Namespaces and macros that hold each other in long chains are let go one by one.
    for source in [
        "{% set ns = namespace() %}{% for i in range(99999) %}{% set ns.x = namespace(x=ns.x) %}{% endfor %}x",
        "{% set ns = namespace() %}{% for i in range(20000) %}{% set last = ns.m %}{% macro f() %}{{ last }}{% endmacro %}{% set ns.m = f %}{% endfor %}x",
    ] {
        assert_eq!(outcome(source), Ok(1), "{source}");
    }
}

#[test]
fn deep_sources_are_refused_and_not_too_much_for_the_stack() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{1:", "}"),
        ("-", ""),
        ("not ", ""),
        ("f(", ")"),
        ("1 if ", ""),
        ("x[", "]"),
    ] {
        let source = format!("{{{{ {}1{} }}}}", open.repeat(100_000), close.repeat(100_000));
        assert_eq!(outcome(&source), Err(ErrorKind::Syntax), "{open}");
        let shallow = format!("{{{{ {}1{} }}}}", open.repeat(90), close.repeat(90));
        let _ = outcome(&shallow);
    }
    let ifs = format!("{}x{}", "{% if 1 %}".repeat(5000), "{% endif %}".repeat(5000));
    assert_eq!(outcome(&ifs), Err(ErrorKind::Syntax));
    let chain = format!("{{{{ 1{} }}}}", " + 1".repeat(50_000));
    let _ = outcome(&chain);
    let filters = format!("{{{{ 1{} }}}}", " | string".repeat(50_000));
    let _ = outcome(&filters);
    let items = format!("{{{{ x{} }}}}", ".a".repeat(50_000));
    let _ = outcome(&items);
}

/// Rust's own formatting takes 65,535 digits at most. The lengths are Python's.
#[test]
fn a_number_has_as_many_digits_as_are_asked_for() {
    for (source, length) in [
        ("{{ '%.70000f' % 0.1 }}", 70_002),
        ("{{ '%.70000e' % 0.1 }}", 70_006),
        ("{{ '{:.70000f}'.format(0.1) }}", 70_002),
        ("{{ '{:.70000g}'.format(0.1) }}", 57),
        ("{{ '{:#.70000g}'.format(0.1) }}", 70_002),
        ("{{ '{:.70000%}'.format(0.5) }}", 70_004),
        ("{{ '%70000.3f' % 0.1 }}", 70_000),
        ("{{ '{:>70000}'.format('a') }}", 70_000),
        ("{{ 1.5 | round(70000) }}", 3),
    ] {
        assert_eq!(outcome(source), Ok(length), "{source}");
    }
}
