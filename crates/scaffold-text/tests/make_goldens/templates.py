"""Renders template constructs and whole templates with Jinja2 as transformers sets it up.

Run with jinja2 >= 3.1.6 (tested with 3.1.6):  python templates.py
Writes ../data/templates.json.gz. The environment is the one of transformers' apply_chat_template: a sandboxed,
immutable environment with trimmed blocks, loop controls, a `generation` tag, `tojson` as json.dumps without
HTML escapes, `raise_exception` and `strftime_now`.
"""

import datetime
import gzip
import json
import pathlib

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2024, 2, 29, 12, 34, 56)  # 1709210096 seconds after 1970


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_call"), [], [], body).set_lineno(line)

    def _call(self, caller):
        return caller()


def environment():
    env = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda form: NOW.strftime(form)
    return env


ENV = environment()

DATA = {
    "s": "  Hello World \n",
    "name": "it's \"quoted\"",
    "n": 7,
    "neg": -7,
    "f": 0.1,
    "big": 1e16,
    "tiny": 1.5e-05,
    "whole": 2.0,
    "yes": True,
    "no": False,
    "nothing": None,
    "l": [3, 1, 2],
    "words": ["b", "A", "c"],
    "mixed": [1, "a'b", None, True, 1.0, {"k": [1]}],
    "d": {"z": 1, "a": [1, 2.5, "x<y&'z'"], "é": None},
    "uni": "naïve 日本 🙂 <b> & 'q' \x7f \u2028",
    "esc": 'tab\t nl\n quote" back\\ slash/ \x01',
    "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}],
    "text": "a,b,,c",
    "think": "<think>\nx\n</think>\n\nanswer </think> tail",
}

CONSTRUCTS = """
{{ d | tojson }}
{{ d | tojson(indent=2) }}
{{ d | tojson(ensure_ascii=True) }}
{{ d | tojson(separators=(',', ':')) }}
{{ d | tojson(sort_keys=True) }}
{{ mixed | tojson }}
{{ uni | tojson }}
{{ uni | tojson(ensure_ascii=true) }}
{{ esc | tojson }}
{{ [] | tojson }} {{ {} | tojson }} {{ {} | tojson(indent=4) }}
{{ {'a': [], 'b': {'c': []}} | tojson(indent=4) }}
{{ {2: 'a', none: 'b', true: 'c', 1.5: 'd'} | tojson }}
{{ (1, 2) | tojson }} {{ none | tojson }} {{ 'x' | tojson }} {{ 1.0 | tojson }} {{ big | tojson }} {{ tiny | tojson }}
{{ d }}
{{ mixed }}
{{ words }} {{ (1, 'a') }} {{ (1,) }}
{{ d | string }} {{ l | string | length }}
{{ name }} {{ [name] }} {{ ["it's"] }} {{ ['a"b'] }} {{ ['a\\n\\t\\\\b'] }}
{{ [uni] }}
{{ f }} {{ big }} {{ tiny }} {{ whole }} {{ 1e100 }} {{ 123456789.123 }} {{ 1/3 }} {{ -0.0 }}
{{ yes }} {{ no }} {{ nothing }} {{ undefined_thing }}|
{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ neg % 3 }} {{ 2 ** 10 }} {{ 7 / 2 }} {{ 6 / 2 }} {{ 2 ** -1 }}
{{ 10 ** 20 }} {{ 12345678901234567890 }}
{{ "%s is %d (%.2f%%)" % (name, n, f) }}
{{ "%s" % n }} {{ "%05d|%-5s|%5s" % (n, 'ab', 'cd') }}
{{ '%s' % l }} {{ '%r' % 'x' }}
{{ "{} and {}".format(n, s.strip()) }} {{ "{0}{1}{0}".format('a', 'b') }} {{ "{:>5}".format(n) }}
{{ "{x}".format(x=n) }}
{{ s.strip() }}|{{ s.lstrip() }}|{{ s.rstrip() }}|{{ s | trim }}|{{ 'xxaxx'.strip('x') }}
{{ text.split(',') }} {{ text.split(',', 1) }} {{ s.split() }} {{ text.rsplit(',', 1) }}
{{ 'a b  c'.split(' ') }} {{ ''.split() }} {{ ''.split(',') }} {{ ' a  b '.split(None, 1) }}
{{ think.split('</think>')[-1].lstrip('\\n') }}|{{ think.split('</think>')[0].rstrip('\\n').split('<think>')[-1] }}
{{ s.upper() }}{{ s.lower() }}{{ s.title() }}{{ 'hello wORLD'.capitalize() }} {{ "they're bill's".title() }}
{{ 'abc'.startswith('ab') }} {{ 'abc'.startswith(('x', 'a')) }} {{ 'abc'.endswith('bc') }} {{ 'abc'.startswith('b', 1) }}
{{ 'prefix-x'.removeprefix('prefix-') }} {{ 'x.py'.removesuffix('.py') }} {{ 'x'.removesuffix('') }}
{{ 'a-b-c'.partition('-') }} {{ 'a-b-c'.rpartition('-') }} {{ 'abc'.partition('x') }}
{{ 'hello'.index('l') }} {{ 'hello'.find('z') }} {{ 'hello'.rfind('l') }} {{ 'hello'.rindex('l') }} {{ 'hello'.count('l') }}
{{ 'a-b'.replace('-', '+') }} {{ 'aaa'.replace('a', 'b', 2) }} {{ '-'.join(words) }} {{ words | join(', ') }}
{{ 'ab'.ljust(5) }}|{{ 'ab'.rjust(5, '*') }}|{{ 'ab'.center(5) }}|{{ 'abc'.center(6) }}|{{ '7'.zfill(3) }}|{{ '-7'.zfill(4) }}
{{ 'aB'.swapcase() }} {{ 'a\\tb'.expandtabs(4) }} {{ 'a\\nb\\r\\nc'.splitlines() }}
{{ '12'.isdigit() }} {{ 'ab'.isalpha() }} {{ 'a1'.isalnum() }} {{ ' '.isspace() }} {{ 'AB'.isupper() }} {{ 'ab'.islower() }}
{{ l | sort }} {{ words | sort }} {{ l | max }} {{ l | min }} {{ l | sum }} {{ l | length }} {{ l | first }} {{ l | last }} {{ l | reverse | list }}
{{ l[::-1] }} {{ l[1:] }} {{ l[:-1] }} {{ 'hello'[1:3] }} {{ 'hello'[::-1] }} {{ l[-1] }} {{ 'hello'[0] }}
{{ l + [4] }} {{ 'a' ~ 1 ~ none ~ true ~ 1.0 }} {{ 'ab' * 3 }} {{ [0] * 2 }}
{{ 'a' in 'abc' }} {{ 3 in l }} {{ 'z' in d }} {{ 'q' not in d }} {{ 1 < 2 < 3 }} {{ 1 == 1.0 }} {{ 'a' == "a" }} {{ none == false }}
{{ 'yes' if n > 5 else 'no' }} {{ 'only' if no }}|{{ nothing or 'default' }} {{ 0 or [] or 'x' }} {{ 1 and 2 }} {{ not n }}
{{ d.z }} {{ d['z'] }} {{ d.get('z') }} {{ d.get('q') }} {{ d.get('q', 5) }} {{ d.q }}|{{ d.q is defined }} {{ d.items() | list }}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %} {% for k in d %}{{ k }},{% endfor %} {{ d.keys() | list }} {{ d.values() | list }}
{% for k, v in d | dictsort %}{{ k }}{{ v }} {% endfor %}{{ d | items | list }}
{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }} {% endfor %}
{% for x in l if x > 1 %}{{ x }}{% else %}none{% endfor %} {% for x in [] %}a{% else %}empty{% endfor %}
{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% if x == 2 %}{% break %}{% endif %}{% endfor %}
{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {{ loop.cycle('a', 'b') }} {{ loop.changed(x > 1) }};{% endfor %}
{% set ns = namespace(a=1, b='x') %}{% for x in l %}{% set ns.a = ns.a + x %}{% endfor %}{{ ns.a }}{{ ns.b }}
{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }}{% for i in [1] %}{% set x = 3 %}{% endfor %}{{ x }}
{% set block %}a{{ n }}b{% endset %}[{{ block }}] {% set a, b = (1, 2) %}{{ a }}{{ b }}
{% macro m(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ m(1) }}{{ m(1, 2) }}{{ m(b=3, a=4) }}
{% macro fact(x) %}{{ 1 if x < 2 else x }}{% if x > 1 %}*{{ fact(x - 1) }}{% endif %}{% endmacro %}{{ fact(4) }}
{% macro wrap() %}[{{ caller() }}]{% endmacro %}{% call wrap() %}inner {{ n }}{% endcall %}
{% filter upper %}abc{{ n }}{% endfilter %} {% with a = 5 %}{{ a }}{% endwith %}{{ a is defined }}
{% raw %}{{ not rendered }}{% endraw %} {# comment #}{{ '{{' }}
{{ n is defined }} {{ zz is undefined }} {{ none is none }} {{ 'a' is string }} {{ 1 is number }} {{ l is iterable }} {{ d is mapping }} {{ l is sequence }} {{ 'a' is sequence }} {{ 'a' is iterable }}
{{ yes is true }} {{ no is false }} {{ yes is boolean }} {{ 1 is integer }} {{ 1.0 is float }} {{ 4 is even }} {{ 3 is odd }} {{ 9 is divisibleby 3 }} {{ 'a' is eq 'a' }} {{ 1 is in l }}
{{ strftime_now is defined }} {{ strftime_now('%d %b %Y') }} {{ strftime_now("%Y-%m-%d %H:%M") }} {{ strftime_now('%A %-d %B') }}
{{ messages | map(attribute='role') | list }} {{ messages | selectattr('role', 'equalto', 'user') | list }} {{ messages | rejectattr('role', '==', 'user') | map(attribute='content') | join }}
{{ l | map('string') | join('-') }} {{ l | select('odd') | list }} {{ l | reject('>', 2) | list }} {{ words | map('upper') | list }} {{ messages | groupby('role') | list | length }}
{{ l | batch(2) | list }} {{ l | slice(2) | list }} {{ [1, 1, 2] | unique | list }} {{ 'abc' | list }} {{ range(3) | list }} {{ range(1, 7, 2) | list }}
{{ s | length }} {{ s | upper }} {{ 'a b' | title }} {{ 'abc' | capitalize }} {{ 'abc' | replace('b', 'x') }} {{ 'hello world' | truncate(8) }} {{ 'a b c' | wordcount }}
{{ 'x\\ny' | indent }}|{{ 'x\\ny' | indent(2, true) }}|{{ 'x\\n\\ny' | indent(2) }}|{{ 'x' | center(5) }}|
{{ 3.7 | int }} {{ '42' | int }} {{ 'x' | int(9) }} {{ '1.5' | float }} {{ 2.5 | round }} {{ 3.14159 | round(2) }} {{ -5 | abs }} {{ 2.0 | int }}
{{ zz | default('d') }} {{ '' | default('d', true) }} {{ none | default('d') }} {{ zz | default }}|{{ nothing | d('x', true) }}
{{ '<a>' | e }} {{ 'a/b c' | urlencode }} {{ ['a', 'b'] | first }} {{ [] | first }}|{{ '  ' | trim | length }} {{ 'A' | lower }}
{{ messages[0]['role'] }} {{ messages[-1].content }} {{ messages[1:] | length }} {{ (messages | last).role }} {{ messages[0].nope }}|
{{ 'a' if messages[0].content is string and messages[0]['content'] }} {{ messages | length - 1 }} {{ (messages|length) % 2 }}
{% generation %}gen{{ n }}{% endgeneration %}|{%- generation -%} x {%- endgeneration -%}|
  {% if true %}
  indented
  {% endif %}
tail {%- if true -%} tight {%- endif +%}  plus
line1
{%- for x in l %}
 {{ x }}
{%- endfor %}

end
{{ "a\\n\\tb\\"c\\\\d" }} {{ 'it\\'s' }} {{ "\\u00e9" }}
{{ dict(a=1, b='x') }} {{ dict(a=1) | tojson }} {{ {'a': 1}.a }} {{ {'a': {'b': 2}}['a']['b'] }}
{% set d2 = {'a': 1} %}{% set d3 = dict(d2, b=2) %}{{ d3 }}
{{ joiner is defined }} {% set j = joiner(', ') %}{% for x in l %}{{ j() }}{{ x }}{% endfor %} {% set c = cycler('o', 'e') %}{{ c.next() }}{{ c.next() }}
{{ raise_exception('stop: ' ~ n) }}
{{ nope.attribute }}
{{ 1 + 'a' }}
{{ l.append(4) }}
{{ 'abc'.index('z') }}
{{ d | nofilter }}
{{ [1, 2, 3] == [1, 2, 3] }} {{ {'a': 1} == {'a': 1} }} {{ [1, 2] < [1, 3] }} {{ 'b' > 'a' }} {{ '10' < '9' }}
{{ l is sameas l }} {{ 'abc' is match 'x' }}
{{ ('x', 'y') | join('+') }} {{ ['x'] + ['y'] }} {{ (1, 2) + (3,) }} {{ [l, words] | sum(start=[]) }}
{{ "a" "b" }} {{ 1_000 }} {{ 0x1F }} {{ 1.5e3 }} {{ -n }} {{ - n + 1 }} {{ 5 - -3 }}
{{ 'tool' | string | tojson }} {{ 'ünï' | upper }} {{ 'ß'.upper() }} {{ 'İ'.lower() | length }} {{ 'ﬁ'.title() }}
{{ '1,2' .split(',') | map('int') | sum }} {{ '%02d:%02d' | format(3, 7) }} {{ 'abc' | first }} {{ 'abc' | last }} {{ 'cba' | sort | join }}
{% if messages[0].content is not string %}a{% elif messages[0]['content'] | length > 1 %}b{% else %}c{% endif %}
{% for m in messages %}{% if not loop.first %}, {% endif %}{{ m.role ~ ':' ~ m['content'] }}{% endfor %}
{%- set x = namespace(found=false) -%}{%- for m in messages -%}{%- if m.role == 'user' and not x.found -%}{%- set x.found = true -%}{{ m.content }}{%- endif -%}{%- endfor -%}
{% for row in [[1, 2], [3, 4]] %}{% for c in row %}{{ loop.index }}{{ c }}{% endfor %}{{ loop.index }};{% endfor %}
{% for x in [1, [2, [3]]] recursive %}{{ x if x is number else '(' ~ loop(x) ~ ')' }}{% endfor %}
""".strip("\n")


def split_constructs():
    """One construct a line; lines that belong together start with spaces or follow an opening line."""
    lines = CONSTRUCTS.split("\n")
    out = []
    i = 0
    while i < len(lines):
        if lines[i].startswith("  {% if true"):
            out.append("\n".join(lines[i : i + 4]))
            i += 4
        elif lines[i] == "line1":
            out.append("\n".join(lines[i : i + 6]))
            i += 6
        else:
            out.append(lines[i])
            i += 1
    return out


TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Get the weather's state & \"feel\" <now>.",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "City, e.g. Zürich"},
                    "unit": {"type": "string", "enum": ["c", "f"], "default": "c"},
                    "days": {"type": "integer"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["city"],
            },
        },
    },
    {"type": "function", "function": {"name": "noop", "description": "Does nothing.", "parameters": {"type": "object", "properties": {}}}},
]
CALL = {"id": "abcdef123", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "Zürich", "days": 2, "f": 1.0, "tags": ["a'b"]}}}
USER = {"role": "user", "content": "What's the weather in <Zürich> & \"Bern\"?"}

SCENARIOS = {
    "system": {"messages": [{"role": "system", "content": "Be terse.\nBe kind. "}, USER], "add_generation_prompt": True},
    "multi-turn": {
        "messages": [
            {"role": "user", "content": " Hi \n"},
            {"role": "assistant", "content": "Hello! 🙂\n"},
            {"role": "user", "content": "日本語 please"},
            {"role": "assistant", "content": "はい。"},
            {"role": "user", "content": "Thanks"},
        ],
        "add_generation_prompt": True,
    },
    "tools": {"messages": [USER], "tools": TOOLS, "add_generation_prompt": True},
    "tool result": {
        "messages": [
            USER,
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "name": "get_weather", "tool_call_id": "abcdef123", "content": '{"temp": 21.0, "sky": "clear"}'},
        ],
        "tools": TOOLS,
        "add_generation_prompt": True,
    },
    "thinking": {
        "messages": [
            {"role": "user", "content": "2+2?"},
            {"role": "assistant", "content": "<think>\neasy\n</think>\n\n4"},
            {"role": "user", "content": "3+3?"},
            {"role": "assistant", "content": "6", "reasoning_content": "also easy"},
            {"role": "user", "content": "Sure?"},
        ],
        "enable_thinking": False,
        "thinking": True,
        "controls": {"length": "long"},
        "documents": [{"title": "T1", "text": "one"}, {"title": "T2", "text": "two"}],
        "add_generation_prompt": True,
    },
    "no generation prompt": {
        "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello", "reasoning_content": "greet"}],
        "add_generation_prompt": False,
    },
}
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}


def alias(message):
    """transformers gives the reasoning under each name that templates read."""
    reasoning = next((message[k] for k in ("reasoning_content", "thinking", "reasoning") if message.get(k) is not None), None)
    return message if reasoning is None else {"thinking": reasoning, **message, "reasoning_content": reasoning}


def render(source, variables):
    try:
        return {"text": ENV.from_string(source).render(**variables)}
    except jinja2.exceptions.TemplateError as error:
        if type(error) is jinja2.exceptions.TemplateError:
            return {"raised": str(error)}
        return {"error": type(error).__name__}
    except Exception as error:
        return {"error": type(error).__name__}


def main():
    constructs = [{"template": source, **render(source, DATA)} for source in split_constructs()]
    whole = []
    for path in sorted((HERE / "templates").glob("*.jinja")):
        source = path.read_text()
        for name, scenario in SCENARIOS.items():
            variables = {**SPECIAL, "tools": None, "documents": None, **scenario}
            # As transformers does since 5.23: fields that are null are dropped.
            kept = [{k: v for k, v in m.items() if v is not None} for m in scenario["messages"]]
            variables["messages"] = [alias(m) for m in kept]
            whole.append({"template": path.stem, "scenario": name, **render(source, variables)})
    out = {
        "made_with": f"jinja2 {jinja2.__version__}",
        "data": DATA,
        "constructs": constructs,
        "special": SPECIAL,
        "scenarios": SCENARIOS,
        "templates": {path.stem: path.read_text() for path in sorted((HERE / "templates").glob("*.jinja"))},
        "whole": whole,
    }
    text = json.dumps(out, ensure_ascii=False, indent=0)
    (HERE / "../data/templates.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    failed = [c for c in constructs + whole if "text" not in c]
    print(len(constructs), "constructs,", len(whole), "whole renderings,", len(failed), "of them refused:")
    for c in failed:
        print("  ", {k: (v if len(str(v)) < 70 else v[:70]) for k, v in c.items()})


main()
