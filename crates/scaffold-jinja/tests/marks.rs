//! Which bytes of a rendering came from marked data: exactly those that did.

use scaffold_jinja::{DateTime, Json, Limits, Rendering, Template, Variable};

fn rendered(source: &str, value: &Json, marked: bool) -> Rendering {
    let variable = Variable { name: "x".to_owned(), value: value.clone(), marked };
    Template::parse(source)
        .and_then(|template| {
            template.render(&[variable], DateTime::from_unix(0), Limits::default())
        })
        .unwrap_or_else(|error| panic!("{source}: {error}"))
}

/// Data is written in capitals of the Cherokee script and templates are not, so that what is marked
/// can be told by looking.
const TEXT: &str = "ᎠᎡ ᎢᎣᎤ,ᎥᎦ";

fn is_data(c: char) -> bool {
    ('Ꭰ'..='Ᏼ').contains(&c) || ('ꭰ'..='ꮿ').contains(&c) || ('ᏸ'..='ᏽ').contains(&c)
}

#[test]
fn marks_follow_the_text_through_all_that_templates_do() {
    let value = Json::Object(vec![
        ("s".to_owned(), Json::from(TEXT)),
        ("l".to_owned(), Json::Array(vec![Json::from("Ꮷ"), Json::from("ᏘᏩ")])),
        ("Ꮀ".to_owned(), Json::from("Ꮁ")),
    ]);
    for source in [
        "a{{ x.s }}b{{ x.s }}",
        "{{ x.s ~ 'z' ~ x.l[0] }}{{ 'a' + x.s + 'b' }}{{ x.s * 2 }}",
        "{{ x.s | trim | upper }}{{ x.s | lower }}{{ x.s | title }}{{ x.s.swapcase() }}{{ x.s | capitalize }}",
        "{{ x.s.split(',')[0] }}|{{ x.s.split()[1:] | join('+') }}|{{ x.s.partition(',') | last }}|{{ x.s[2:5] }}{{ x.s[::-1] }}{{ x.s[0] }}",
        "{{ x.s.replace(',', '; ') }}{{ x.s.replace('Ꭱ', 'r') }}{{ 'a-b'.replace('-', x.s) }}{{ x.s.strip('Ꭰ') }}",
        "{{ x | tojson }}{{ x.s | tojson(indent=2) }}{{ x.l | tojson(indent=2) }}{{ x }}{{ [x.s] }}",
        "{{ x.l | join(', ') }}{{ ', '.join(x.l) }}{{ x.l | map('upper') | join }}{{ x.s | list | join('.') }}{{ x.l | reverse | join }}",
        "{{ '%s and %5s' % (x.s, x.l[0]) }}{{ '{} {:>4} {x}'.format(x.s, x.l[0], x=x.l[1]) }}{{ x.s.center(30, '*') }}{{ x.s | indent(2, true) }}",
        "{% set y %}a{{ x.s }}b{% endset %}{{ y }}{% macro m(z) %}<{{ z }}>{% endmacro %}{{ m(x.s) }}{% filter upper %}{{ x.s }}{% endfilter %}",
        "{% for c in x.s %}{{ c }}.{% endfor %}{% for k, v in x.items() %}{{ k }}={{ v }};{% endfor %}{{ x.s | truncate(5) }}{{ x.s.splitlines() | first }}",
        "{% set ns = namespace(t='') %}{% for i in x.l %}{% set ns.t = ns.t + i + ',' %}{% endfor %}{{ ns.t }}{{ x.s | e }}{{ x.s | safe }}{{ x.s | default('q') }}",
        "{% for g in x.l | groupby(0) %}{{ g.grouper }}{% endfor %}{{ x.l | sort | first }}{{ x.l | max }}{{ x.l | batch(1) | list }}{{ x.s.zfill(20) }}{{ x.s.expandtabs() }}",
    ] {
        let marked = rendered(source, &value, true);
        let plain = rendered(source, &value, false);
        assert_eq!(marked.text, plain.text, "{source}");
        assert_eq!(plain.marked, [], "{source}");
        for (at, c) in marked.text.char_indices() {
            let is_marked = marked.marked.iter().any(|range| range.contains(&at));
            let from_data = is_data(c);
            // The data's own spaces and commas are marked too, the template's are not: only letters
            // tell, except for the names of its fields.
            assert!(
                is_marked == from_data || (!from_data && !c.is_alphabetic()) || "sl".contains(c),
                "{source}: {c:?} at {at} of {:?} with {:?}",
                marked.text,
                marked.marked
            );
        }
    }
}

#[test]
fn marks_are_sorted_apart_and_whole() {
    let value = Json::Array(vec![Json::from("ab"), Json::from("cd"), Json::from("")]);
    let rendering = rendered("{{ x[0] }}{{ x[1] }}-{{ x[2] }}{{ x[0] }}", &value, true);
    assert_eq!(rendering.text, "abcd-ab");
    assert_eq!(rendering.marked, [0..4, 5..7]);
}
