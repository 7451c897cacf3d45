"""A grid of expressions and small templates, rendered with Jinja2 as transformers sets it up.

Run with jinja2 >= 3.1.6 (tested with 3.1.6, Python 3.11):  python grid.py
Writes ../data/grid.json.gz: the data that the templates see, and for each template its text, or the type and the words of
what it raises. Results that hold an address of memory are left out: they differ each time.
"""

import copy
import datetime
import gzip
import itertools
import json
import pathlib
import re

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


class Dict:
    def __call__(self, *args, **kwargs):
        return dict(*args, **kwargs)

    def fromkeys(self, *args, **kwargs):
        return dict.fromkeys(*args, **kwargs)


class Namespace(jinja2.utils.Namespace):
    def __init__(*args, **kwargs):
        self, args = args[0], args[1:]
        attrs = dict(*args, **kwargs)
        for name in attrs:
            Namespace.check(name)
        jinja2.utils.Namespace.__init__(self, attrs)

    def __setitem__(self, name, value):
        Namespace.check(name)
        jinja2.utils.Namespace.__setitem__(self, name, value)

    __qualname__ = "TemplateNamespace"

    @staticmethod
    def check(name):
        if isinstance(name, str) and name.startswith("_"):
            raise jinja2.exceptions.SecurityError("underscore")


# What its attributes' errors call it.
Namespace.__name__, Namespace.__module__ = "TemplateNamespace", "transformers.utils.chat_template_utils"


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
    env.globals["dict"] = Dict()
    env.globals["namespace"] = Namespace
    return env


ENV = environment()

DATA = {
    "s": "Hello World",
    "pad": "  a b\tc\n",
    "empty": "",
    "n": 7,
    "zero": 0,
    "neg": -3,
    "f": 2.5,
    "big": 10**30,
    "yes": True,
    "no": False,
    "nil": None,
    "l": [3, 1, 2],
    "words": ["b", "A", "c", "B"],
    "nothing": [],
    "d": {"a": 1, "b": "x", "B": None, "items": "mine"},
    "hollow": {},
    "mixed": [1, "a", None, 2.0, True, [1]],
    "rows": [{"k": "x", "v": 2}, {"k": "Y", "v": 1}, {"k": "x", "v": None, "deep": {"p": [5]}}],
    "html": "<b>&'\"",
    "uni": "straße ÉΣ ŉ日本🙂\u2028x",
    "num": "12",
    "float": "-3.75e1",
}

# Tuples, views, generators and the like have to be made by the template.
MADE = ["(1, 'a')", "()", "missing", "d.missing", "range(3)", "d.items()", "d.keys()", "l|map('string')", "namespace(a=1)", "'<i>'|safe"]
SCALARS = ["s", "empty", "n", "zero", "neg", "f", "big", "yes", "nil", "l", "nothing", "d", "num"]
VALUES = list(DATA) + MADE


def constructs():
    operands = SCALARS + ["mixed", "(1, 'a')", "missing", "range(3)", "'<i>'|safe"]
    operators = "+ - * / // % ** ~ == != < <= > >= in and or".split() + ["not in"]
    for (a, b), operator in itertools.product(itertools.product(operands, operands), operators):
        if operator == "**" and "big" in (a, b):
            continue
        yield "{{ (%s) %s (%s) }}" % (a, operator, b)
    for value in VALUES:
        for form in ("-(%s)", "+(%s)", "not (%s)", "%s", "[%s]", "{'k': (%s)}", "(%s)|string|length", "(%s) is %s"):
            if form == "(%s) is %s":
                for test in TESTS:
                    yield "{{ (%s) is %s }}" % (value, test)
            else:
                yield "{{ " + form % value + " }}"
    for value, name in itertools.product(VALUES, FILTERS):
        yield "{{ (%s)|%s }}" % (value, name)
    for value, call in itertools.product(["s", "pad", "empty", "uni", "html", "num", "l", "words", "mixed", "d", "rows", "n", "f", "nil", "missing", "(1, 'a')", "range(3)", "l|map('string')"], FILTER_CALLS):
        yield "{{ (%s)|%s }}" % (value, call)
    for value, call in itertools.product(["s", "pad", "empty", "uni", "num", "html", "'a,b,,c'", "'<i>'|safe"], METHODS):
        yield "{{ (%s).%s }}" % (value, call)
    for value, call in itertools.product(["l", "d", "hollow", "mixed", "(1, 'a', 1)", "range(1, 9, 3)", "n", "big", "f", "yes", "nil", "missing", "d.items()", "'x'|safe"], OTHER_METHODS):
        yield "{{ (%s).%s }}" % (value, call)
    for value, index in itertools.product(["s", "uni", "l", "d", "mixed", "(1, 'a')", "range(5)", "n", "nil", "missing", "rows", "d.keys()", "l|map('string')", "namespace(a=1)"], INDEXES):
        yield "{{ (%s)[%s] }}" % (value, index)
    for start, stop, step in itertools.product(["", "0", "1", "-2", "9", "-9", "none"], ["", "0", "2", "-1", "9", "-9"], ["", "1", "2", "-1", "-2"]):
        for value in ("'hello'", "l", "range(6)", "(1, 2, 3)"):
            yield "{{ (%s)[%s:%s:%s] }}|{{ ((%s)[%s:%s:%s])|list }}" % (value, start, stop, step, value, start, stop, step)
    for format, value in itertools.product(PERCENT, ["n", "neg", "f", "s", "big", "nil", "yes", "l", "(n,)", "(n, s)", "d", "missing", "()", "0.1", "1e100", "1234567.891"]):
        yield "{{ '%s' %% %s }}" % (format, value)
    for format, value in itertools.product(BRACES, ["n", "neg", "f", "s", "big", "nil", "yes", "l", "0.1", "1e100", "1234567.891", "0.00001234", "100.0", "missing", "'é'"]):
        yield "{{ '%s'.format(%s, s, k=l, d=d) }}" % (format, value)
    for number, digits in itertools.product(["0.5", "1.5", "2.5", "2.675", "-0.5", "1e16", "123.456", "0.1", "1e-7", "n", "25", "35", "-25", "big", "yes", "1e22", "15.0", "250.0"], ["", "0", "1", "2", "-1", "-2", "20", "none"]):
        for method in ("", ", 'ceil'", ", 'floor'"):
            if digits or not method:
                yield "{{ (%s)|round(%s%s) }}" % (number, digits, method) if digits else "{{ (%s)|round }}" % number
    yield from STATEMENTS


TESTS = """boolean callable defined escaped even false filter float integer iterable lower mapping none number odd sequence string test true
undefined upper divisibleby(2) divisibleby(0) divisibleby(num=3) eq(7) equalto('12') ne(none) gt(1) lt('a') ge(n) le(2.5) sameas(none) sameas(true)
in(l) in('Hello') in(d) greaterthan(0) lessthan(9) nosuch == != defined(1)""".split()
TESTS = [test for test in TESTS if test not in ("==", "!=")]

FILTERS = """abs capitalize center count d default dictsort e escape filesizeformat first float forceescape indent int items join last length
list lower max min reverse round safe sort string striptags sum title tojson trim truncate unique upper urlencode wordcount map
select reject selectattr rejectattr replace format batch slice groupby attr nosuch xmlattr""".split()
FILTERS += ["unique|list", "items|list", "reverse|list", "select|list", "reject|list", "batch(2)|list", "slice(2)|list", "map('upper')|list"]

FILTER_CALLS = """default('x')|default('x', true)|default(default_value='y', boolean=true)|default('x', boolean=True)|d(boolean=true)|center(15)
center(width=4)|indent(2)|indent('> ')|indent(width=1, first=true)|indent(first=True, blank=True)|indent(2, true, true)|indent('')|trim(' H')|trim(chars='ld')
replace('l', 'L')|replace('l', '', 1)|replace(old='o', new='0')|replace('', '-')|replace('', '-', 2)|replace('l', 'L', count=2)|replace(1, 2)
truncate(5)|truncate(5, true)|truncate(8, false, '…', 0)|truncate(length=3, end='', leeway=0)|truncate(1)
join(', ')|join(d='-')|join('/', 'k')|join(attribute='k')|join(1)|first|last|int(9)|int(default=-1)|int(base=16)|int(0, 2)|float(1.5)|float(default=0)
sort(reverse=true)|sort(true)|sort(case_sensitive=true)|sort(attribute='k')|sort(attribute='k,v')|sort(false, true, 'v')|sort(attribute='deep.p.0')
unique(true)|list;unique(attribute='k')|list;min(attribute='v')|max(attribute='k')|max(true)|min(case_sensitive=true)
sum(start=10)|sum('v')|sum(attribute='v', start=1)|sum('v', 0.5)|map('length')|list;map(attribute='k')|list;map(attribute='deep.p', default='none')|list
map(attribute='v', default=0)|list;map('default', 'z')|list;map('upper')|join;map('replace', 'a', 'b')|list;map('nosuch')|list;map|list;map(attribute='a', x=1)|list
select('string')|list;reject('none')|list;select('gt', 1)|list;select('in', [1, 2])|list;reject('divisibleby', 2)|list;select('equalto', 'A')|list
selectattr('v')|list;rejectattr('v')|list;selectattr('v', 'none')|list;selectattr('k', '==', 'x')|list;selectattr('deep.p.0', 'defined')|list;selectattr('k', 'in', ['Y'])|map(attribute='v')|list
groupby('k');groupby('k', case_sensitive=true);groupby('v', default=1)|list;groupby(attribute='deep', default='')|map('first')|list
batch(2, 'z')|list;batch(0)|list;slice(2, 'z')|list;slice(0)|list;slice(slices=5)|list;dictsort(true)|list;dictsort(false, 'value');dictsort(by='value', reverse=true);dictsort(by='nope')
dictsort(case_sensitive=true);tojson(indent=2);tojson(2);tojson(true);tojson(ensure_ascii=true);tojson(indent='--');tojson(separators=(',', ':'));tojson(sort_keys=true);tojson(indent=true);tojson(indent=0);tojson(indent=-1);tojson(nope=1);tojson(indent=1.5)
filesizeformat(true)|filesizeformat(binary=true)|attr('k')|attr('upper')|attr(1)|string|length(1)|upper(1)|list|reverse|list|wordcount|xmlattr(false)|format(1)|format(1, 2)|format(a=1)
e|upper;safe|upper;escape + '<';safe ~ '<';(safe + '<')|length;striptags|upper;title|lower;capitalize|upper;list|first|default('q');reverse|first;items|first;float|int;abs|string""".replace("|list\n", "|list;").replace("\n", ";")
FILTER_CALLS = [call.strip() for part in FILTER_CALLS.split(";") for call in ([part] if "list" in part or "join" in part or "map" in part or "|upper" in part or "safe" in part or "first" in part else part.split("|")) if call.strip()]

METHODS = """strip() lstrip() rstrip() strip('Hd') strip(none) strip(1) strip(chars='H') split() split('l') split(',') split(None,1) split('l',1) split(sep='o',maxsplit=1) split(maxsplit=0) split('') split(1)
rsplit() rsplit('o',1) rsplit(none,1) splitlines() splitlines(true) splitlines(keepends=True) partition('o') partition('') partition('zz') rpartition('o') rpartition('zz')
find('o') find('o',5) find('o',-3) find('zz') find('',99) rfind('o') rfind('o',0,5) index('o') index('zz') rindex('l') count('l') count('') count('l',3) count('l',0,-3)
startswith('He') startswith('lo',3) startswith(('x','H')) startswith(['H']) startswith('') startswith('',99) startswith(1) endswith('ld') endswith('W',0,7) endswith(('d',)) removeprefix('He') removesuffix('ld') removesuffix('')
replace('l','L') replace('l','L',1) replace('','.') replace('','.',3) replace('l','L',-1) replace('l') replace(1,2) replace('l','L',count=1) join(words) join(l) join('abc') join(d) join(n) join(nothing)
upper() lower() title() capitalize() swapcase() casefold() upper(1) isalpha() isalnum() isdigit() isdecimal() isnumeric() isspace() islower() isupper() istitle() isascii() isidentifier() isprintable()
center(15) center(14,'*') center(3) ljust(14) ljust(14,'.') rjust(14) rjust(14,'ab') zfill(14) zfill(2) zfill(-1) expandtabs() expandtabs(2) expandtabs(tabsize=0) expandtabs(3)
format(1) format() format_map(d) translate({}) translate({72:'J',108:none,111:48}) maketrans('a','b') maketrans({'a':1}) append(1) nosuch nosuch() __class__ __len__() upper.x _private real""".split()
OTHER_METHODS = """copy() count(1) index(1) index('zz') index(1,1) get('a') get('z') get('z',0) get('b').upper() items() keys() values() items()|list keys()|list values()|list items()|first get() get([]) fromkeys('ab') fromkeys([1],2)
append(4) pop() update({}) clear() sort() setdefault('a') items keys a b B missing missing.deeper real imag numerator denominator bit_length() bit_count() conjugate() is_integer() as_integer_ratio() hex()
start stop step isdisjoint([1]) isdisjoint(['a']) striptags() upper() __class__ 0 1 2.x""".split()
INDEXES = ["0", "1", "-1", "9", "-9", "'a'", "'items'", "'upper'", "'missing'", "none", "true", "1.0", "1.5", "'0'", "[]", "missing", "(0, 1)", "'__class__'", "'a':'b'", "'append'", "1:'x'"]
PERCENT = ["%s", "%r", "%a", "%d", "%i", "%5d|", "%-5d|", "%05d", "%+d", "% d", "%x", "%#x", "%X", "%o", "%#o", "%e", "%.2e", "%E", "%f", "%.2f", "%.0f", "%#.0f", "%10.3f|", "%-10.3f|", "%010.2f", "%+.1f", "%g", "%.3g", "%G", "%#g", "%c", "%5s|", "%-5s|", "%.2s", "%%", "%s %s", "%(a)s", "%(a)05d", "%(zz)s", "%", "%q", "%*d", "%.*f", "%ld", "100%", "%5%", "%u"]
BRACES = ["{}", "{0}", "{1}", "{0} {1}", "{} {}", "{0} {}", "{} {0}", "{5}", "{k}", "{k[0]}", "{k[9]}", "{d[a]}", "{d.a}", "{d[zz]}", "{zz}", "{!r}", "{!s}", "{!a}", "{!x}", "{!r:>20}", "{:5}|", "{:<5}|", "{:>5}|", "{:^7}|", "{:*^9}", "{:05}", "{:+}", "{: }", "{:,}", "{:_}", "{:d}", "{:x}", "{:#x}", "{:X}", "{:o}", "{:b}", "{:#b}", "{:_b}", "{:c}", "{:e}", "{:.2e}", "{:f}", "{:.2f}", "{:.0f}", "{:,.2f}", "{:012,.2f}", "{:g}", "{:.3g}", "{:G}", "{:.3}", "{:%}", "{:.1%}", "{:s}", "{:.2s}", "{:10s}|", "{:=6}", "{:0=8d}", "{:n}", "{:q}", "{:.d}", "{:{1}}", "{{}}", "{{{}}}", "{", "}", "{:z.1f}", "{:#g}", "{:<<5}", "{:08.3f}", "{:+08d}", "{0.real}", "{0[0]}", "{:5.1f}|", "{:020,}", "{:.0}", "{:#.0f}", "{: ,}"]

STATEMENTS = r"""
{% for i in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }};{% endfor %}
{% for c in 'abc' %}{{ c }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }},{% endfor %}
{% for i in l %}{{ loop.previtem }}<{{ i }}>{{ loop.nextitem }};{% endfor %}
{% for i in l|map('string') %}{{ loop.length }}{{ loop.revindex }}{{ i }}{{ loop.last }};{% endfor %}
{% for i in l|map('string') %}{{ i }}{{ loop.last }};{% endfor %}
{% for i in l if i > 1 %}{{ i }}{{ loop.index }}{{ loop.last }}{{ loop.length }};{% endfor %}
{% set ns = namespace(stop=false) %}{% for i in l if not ns.stop %}{{ i }}{% set ns.stop = true %}{% endfor %}
{% set ns = namespace(stop=false) %}{% for i in l if not ns.stop %}{{ i }}{{ loop.last }}{% set ns.stop = true %}{% endfor %}
{% for i in nothing %}x{% else %}none{% endfor %}{% for i in l %}x{% else %}none{% endfor %}
{% for i in l %}{% continue %}{% else %}E{% endfor %}|{% for i in l %}{% break %}{% else %}E{% endfor %}|{% for i in l %}{% if i == 1 %}{% break %}{% endif %}{{ i }}{% else %}E{% endfor %}
{% for a, b in d.items() %}{{ a }}={{ b }};{% endfor %}
{% for a, b in d|items %}{{ a }}={{ b }};{% endfor %}
{% for a, b in d|dictsort %}{{ a }}={{ b }};{% endfor %}
{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}
{% for a, b in l %}{% endfor %}
{% for a, b in [(1,2,3)] %}{% endfor %}
{% for a, b, c in [(1,2)] %}{% endfor %}
{% for x in nil %}{% endfor %}
{% for x in n %}{% endfor %}
{% for x in missing %}{% endfor %}ok
{% for x in d %}{{ x }},{% endfor %}
{% for x in d.missing.more %}{% endfor %}
{% for i in range(3) recursive %}{{ i }}{% endfor %}
{% for i in [[1, [2]], 3] recursive %}{% if i is sequence %}[{{ loop(i) }}]{% else %}{{ i }}{{ loop.depth }}{% endif %}{% endfor %}
{% for i in l %}{{ loop(l) }}{% endfor %}
{% for i in l %}{{ loop.cycle('a', 'b') }}{{ loop.changed(i > 1) }}{% endfor %}
{% for i in l %}{{ loop.cycle() }}{% endfor %}
{% for i in l %}{% for j in l %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}
{% for i in l %}{% set outer = loop %}{% for j in words %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}
{% for loop in l %}{% endfor %}
{% for i in l %}{% set loop = 1 %}{% endfor %}
{% set x = 1 %}{% for i in l %}{% set x = x + i %}{{ x }},{% endfor %}{{ x }}
{% for i in l %}{{ y }}{% set y = i %}{{ y }},{% endfor %}{{ y }}
{% for i in l %}{{ n }}{% set n = i %}{{ n }},{% endfor %}{{ n }}
{% for i in l %}{% if i == 1 %}{% set n = 'in' %}{% endif %}{{ n }},{% endfor %}{{ n }}
{% for i in l %}{{ n }}{% endfor %}{% set n = 9 %}{{ n }}
{% macro m() %}{{ n }}{% endmacro %}{{ m() }}{% set n = 9 %}{{ m() }}
{% macro m() %}{{ late }}{% endmacro %}{{ m() }}{% set late = 9 %}{{ m() }}
{% if yes %}{% set x = 1 %}{% endif %}{{ x }}
{% if no %}{% set n = 1 %}{% endif %}{{ n }}
{% if no %}{% set n = 1 %}{% elif yes %}{{ n }}{% set n = 2 %}{% else %}{% set q = 3 %}{% endif %}{{ n }}{{ q }}
{% if no %}a{% elif nil %}b{% elif zero %}c{% else %}d{% endif %}
{% if (1, 2) %}t{% endif %}{% if 1, 2 %}t{% endif %}
{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (c, d2) = l[:2] %}{{ c }}{{ d2 }}
{% set a, b = l %}
{% set t = 1, %}{{ t }}
{% set x %}a{{ n }}b{% endset %}{{ x }}{{ x is string }}
{% set x | upper | replace('A', 'z') %}a{{ n }}b{% endset %}{{ x }}
{% set x %}{% set inner = 5 %}{{ inner }}{% endset %}{{ x }}{{ inner }}
{% set ns = namespace(a=1, b='x') %}{% set ns.a = ns.a + 1 %}{{ ns.a }}{{ ns.b }}{{ ns.c }}{{ ns }}
{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns['b'] }}{{ ns.missing is defined }}
{% set ns = namespace() %}{% for i in l %}{% set ns.x = i %}{% endfor %}{{ ns.x }}
{% set ns = namespace() %}{% set ns.x %}block{% endset %}{{ ns.x }}
{% set ns = namespace(_a=1) %}
{% set ns = namespace() %}{% set ns._a = 1 %}
{% set d.a = 5 %}
{% set missing.a = 5 %}
{% set ns = namespace() %}{% set ns.a, ns.b = 1, 2 %}{{ ns.a }}{{ ns.b }}
{% set true = 1 %}
{% set 'a' = 1 %}
{% set l[0] = 1 %}
{% macro m(a, b=2, c=b) %}{{ a }}{{ b }}{{ c }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1) }}|{{ m(1, 3) }}|{{ m(1, 3, 4, 5, 6, z=7) }}|{{ m(a=9, c=1) }}
{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m() }}|{{ m(1, b=3) }}|{{ m.name }}{{ m.arguments }}{{ m.catch_kwargs }}{{ m.catch_varargs }}{{ m.caller }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, z=2) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}
{% macro m(a) %}{{ a.x }}{% endmacro %}{{ m() }}
{% macro m(a) %}{{ a + 1 }}{% endmacro %}{{ m() }}
{% macro m(a=1, b) %}{% endmacro %}
{% macro m(x) %}{{ caller(x + 1) }}{% endmacro %}{% call(y) m(1) %}<{{ y }}{{ n }}>{% endcall %}
{% macro m() %}{{ caller() }}{{ caller() }}{% endmacro %}{% call m() %}x{% endcall %}
{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}
{% macro m() %}{% if caller %}{{ caller() }}{% else %}no{% endif %}{% endmacro %}{{ m() }}{% call m() %}x{% endcall %}
{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}
{% macro f(x) %}{% if x > 0 %}{{ x }}{{ f(x - 1) }}{% endif %}{% endmacro %}{{ f(4) }}
{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(4) }}
{% macro outer() %}{% macro inner() %}i{% endmacro %}{{ inner() }}{% endmacro %}{{ outer() }}{{ inner is defined }}
{% call l %}x{% endcall %}
{% call nosuch() %}x{% endcall %}
{% filter upper %}a{{ s }}b{% endfilter %}
{% filter replace('a', 'b') | upper %}banana{% endfilter %}
{% with a = 1, b = n %}{{ a }}{{ b }}{% set a = 5 %}{{ a }}{% endwith %}{{ a }}
{% with %}{% set a = 1 %}{{ a }}{% endwith %}{{ a }}
{% with a, b = (1, 2) %}{{ a }}{{ b }}{% endwith %}
{% with n = n + 1, m = n %}{{ n }}{{ m }}{% endwith %}
{% generation %}a{{ n }}{% endgeneration %}b
{% generation %}{% set x = 1 %}{{ x }}{% endgeneration %}{{ x }}
{%- generation -%}  a  {%- endgeneration -%}  b
{% block b %}{{ n }}{{ x }}{% endblock %}
{% set x = 1 %}{% block b %}{{ n }}{{ x }}{% endblock b %}
{% for i in l %}{% block c %}[{{ i }}]{% endblock %}{% endfor %}
{% for i in l %}{% block c scoped %}[{{ i }}]{% endblock %}{% endfor %}
{% block a %}{% endblock %}{% block a %}{% endblock %}
{% print n, s %}
{{ self.b() }}{% block b %}[{{ n }}]{% endblock %}{{ self.b()|upper }}{{ self.zz is defined }}{{ self.zz }}
{{ self.zz() }}
{% if yes %}{% block in_if %}i{% endblock %}{% endif %}{{ self.in_if() }}{{ self is callable }}{{ self is defined }}
{% autoescape true %}{{ html }}{{ '<'|safe }}{{ html ~ '<' }}{% endautoescape %}{{ html }}
{% autoescape true %}{% set x %}<b>{% endset %}{{ x }}{{ [html]|join('<') }}{% endautoescape %}
{% include 'x' %}
{% extends 'x' %}
{% import 'x' as y %}
{% from 'x' import y %}
{% do 1 %}
{% break %}
{% nosuch %}
{% if %}{% endif %}
{% if yes %}
{% for i in l %}{% endif %}{% endfor %}
{% endif %}
{{ }}
{{ n
{{ n }
{% if yes
{# open
{% raw %}{{ x }}
{{ 'open }}
{{ 1 + }}
{{ (1 }}
{{ [1, }}
{{ n ! }}
{{ 1 is }}
{{ 1 is odd is even }}
{{ f(a=1, 2) }}
{{ dict(a=1, a=2) }}
{{ "a" "b" 'c' }}
{{ "\x41\u00e9\n\t\\\"\101\q" }}{{ '\'' }}
{{ 1_000 }}{{ 0x1F }}{{ 0b11 }}{{ 0o17 }}{{ 1e3 }}{{ 1.5e-3 }}{{ 1_0.0_1 }}{{ 007 }}
{{ 12345678901234567890123 }}{{ 1e400 }}{{ -1e400 }}{{ 1e16 }}{{ 1e15 }}{{ 1.0 }}{{ 0.0001 }}{{ 0.00001 }}{{ 123456789.123 }}
{{ 2 ** 10 }}{{ 2 ** 0.5 }}{{ 2 ** -1 }}{{ 0 ** -1 }}
{{ 2 ** 3 ** 2 }}{{ -2 ** 2 }}{{ (-8) ** 0.5 }}
{{ 10 ** 5000 }}
{{ 7 // 2 }}{{ -7 // 2 }}{{ 7 // -2 }}{{ 7 % -3 }}{{ -7 % 3 }}{{ 7.5 // 2 }}{{ -7.5 % 2 }}{{ 7 // 0 }}
{{ 1 / 3 }}{{ 4 / 2 }}{{ 10 ** 30 / 3 }}{{ 10 ** 400 / 10 ** 399 }}
{{ 1 < 2 < 3 }}{{ 1 < 3 < 2 }}{{ 1 == 1.0 == true }}{{ 1 in [1] in [[1]] }}
{{ true + true }}{{ true < 2 }}{{ true <= 0 }}{{ false == 0 }}{{ [true, 1]|unique|list }}
{{ not not n }}{{ not n and n }}{{ n and s or 1 }}{{ nil or empty }}{{ nil and 1 }}
{{ 'a' if yes }}{{ 'a' if no }}|{{ ('a' if no) is defined }}
{{ ('a' if no) + 1 }}
{{ 'a' if no else 'b' if no else 'c' }}
{{ n if n > 5 else 'x' ~ n }}
{{ a.b }}
{{ a.b.c }}
{{ d.zz.yy }}
{{ d['zz'].yy }}
{{ l[9].x }}
{{ nil.x }}{{ nil.x.y }}
{{ n.x }}{{ s.x is defined }}
{{ missing() }}
{{ missing + 1 }}
{{ 1 + d.zz }}
{{ d.zz() }}
{{ n() }}
{{ missing == missing }}{{ missing == none }}{{ missing != 1 }}{{ missing in l }}{{ 1 in missing }}
{{ missing|length }}{{ missing|list }}{{ missing|first }}{{ missing|last }}{{ missing|join }}{{ missing|items|list }}{{ missing ~ 'x' }}{{ missing|default(3) }}
{{ missing < 1 }}
{{ missing|int }}
{{ [missing] }}{{ {'a': missing} }}{{ missing|string }}|
{{ missing|tojson }}
{{ d.items }}
{{ d['items'] }}{{ d.get('items') }}{{ d|length }}
{{ d.update({'a': 2}) }}
{{ l.append(1) }}
{{ s.__class__ }}|{{ d.__class__.x }}
{{ d._x }}|{{ {'_x': 5}._x }}
{{ {1: 'a', 1.0: 'b', true: 'c'} }}{{ {'a': 1, 'a': 2} }}
{{ {[]: 1} }}
{{ {(1, 2): 3}[(1, 2)] }}{{ {none: 1} }}
{{ {2: 'a', none: 'b', true: 'c', 1.5: 'd'}|tojson }}
{{ {(1,): 2}|tojson }}
{{ {'b': 1, 1: 2}|tojson(sort_keys=true) }}
{{ dict(a=1, b=2) }}{{ dict([('a', 1), ['b', 2]]) }}{{ dict({'x': 1}, y=2) }}{{ dict.fromkeys('ab', 1) }}
{{ dict([1]) }}
{{ dict(['abc']) }}
{{ dict(1) }}
{{ range(5)|list }}{{ range(1, 9, 3)|list }}{{ range(5, 0, -2)|list }}{{ range(0)|list }}{{ range(3) }}{{ range(1, 5, 2) }}{{ 3 in range(5) }}{{ 2.0 in range(5) }}
{{ range(200000) }}
{{ range(1, 2, 0) }}
{{ range(1.5) }}
{{ range('a') }}
{{ range() }}
{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{{ c.next() }}
{{ cycler() }}
{% set j = joiner('|') %}{{ j() }}{{ j() }}{{ j() }}{% set k = joiner() %}{{ k() }}{{ k() }}
{{ raise_exception('no: ' ~ n) }}
{{ raise_exception() }}
{{ raise_exception(d) }}
{{ strftime_now('%d %b %Y %H:%M') }}{{ strftime_now('%A, %B %-d, %Y') }}{{ strftime_now('%%') }}
{{ strftime_now(1) }}
{% set gen = l|map('string') %}{{ gen|list }}{{ gen|list }}
{% set gen = l|map('string') %}{{ gen|first }}{{ gen|list }}
{% set gen = l|select('odd') %}{{ 3 in gen }}{{ gen|list }}
{{ l|map('string')|tojson }}
{{ (l|map('string'))[0] }}
{{ l|map('string')|length }}
{{ d.items()|list }}{{ d.items()|tojson }}
{{ d.keys() }}{{ d.values() }}{{ d.items() }}
{{ d.keys()|list|sort }}
{{ d.items()[0] }}
{{ ('a', 1) == ['a', 1] }}{{ (1, 2) < (1, 3) }}{{ [1, 'a'] < [1, 2] }}
{{ [1, 2] + [3] }}{{ [1] * 3 }}{{ (1,) + (2,) }}{{ 'ab' * 2 }}{{ 'ab' * -1 }}{{ [] * 5 }}
{{ [1] + (2,) }}
{{ [1] + 'a' }}
{{ 'a' + 1 }}
{{ 'a' ~ 1 ~ 2.0 ~ none ~ true ~ [1] ~ missing ~ 1e16 }}
{{ ['a', 'b']|join(', ') ~ '.' }}{{ [1, none, 2.0]|join('-') }}
{{ [html]|map('e')|join }}{{ (html|e) ~ '<' }}{{ (html|e) + '<' }}{{ '<' + (html|safe) }}{{ html|e|e }}{{ (html|safe)|e }}{{ html|e|string|e }}{{ [html|e] }}
{{ '%s' % ('<'|safe) }}{{ ('%s'|safe) % '<' }}{{ ('{}'|safe).format('<') }}{{ ('a'|safe).join(['<', '>']) }}{{ ('<'|safe) * 2 }}{{ ('a<'|safe).upper() + '<' }}
{{ 'é'.upper() }}{{ 'ß'.upper() }}{{ 'ΑΣ'.lower() }}{{ 'ΑΣΑ'.lower() }}{{ 'İ'.lower()|length }}{{ 'ǆ'.title() }}{{ 'ﬁ'.capitalize() }}{{ 'ŉx'.title() }}{{ "they're".title() }}{{ "they're bill's"|title }}{{ 'a-b (c) [d] {e} <f'|title }}
{{ '٣'.isdigit() }}{{ '²'.isdigit() }}{{ '²'.isdecimal() }}{{ '½'.isnumeric() }}{{ '½'.isdigit() }}{{ '٣'|int }}{{ ' 12 '|int }}{{ '1_000'|int }}{{ '0x1f'|int(0, 16) }}{{ '1e3'|int }}{{ 'inf'|float }}{{ 'nan'|float }}{{ '١٢'|float }}
{{ 1e400|int }}
{{ 'inf'|float|int }}
{{ 'inf'|int }}{{ 'nan'|int }}
{{ 2.9|int }}{{ -2.9|int }}{{ true|int }}{{ nil|int }}{{ l|int }}{{ '3.7'|int }}{{ ''|int(5) }}
{{ ['ß', 'Ü', 'ï', 'z', 'A']|sort }}{{ ['b', 'A']|sort(case_sensitive=true) }}{{ [3, 1.5, true]|sort }}
{{ [1, 'a']|sort }}
{{ [none, 1]|sort }}
{{ [[2], [1, 5]]|sort }}{{ [(2, 'a'), (1, 'b')]|sort(attribute=1) }}{{ [(2, 'a'), (1, 'b')]|sort(attribute='0') }}
{{ []|max }}|{{ []|min is defined }}|{{ []|first }}|{{ []|last }}|{{ []|sum }}|{{ ''|first }}
{{ []|max + 1 }}
{{ l|random }}
{{ 'a\nb\n\nc'|indent }}{{ 'a\nb\n\nc'|indent(2, true) }}{{ 'a\nb\n\nc\n'|indent(2, blank=true) }}{{ '{\n'|indent(4, first=true) }}x{{ ''|indent(2, true) }}{{ 'a\r\nb'|indent }}
{{ n|indent }}
{{ 'foo bar baz qux'|truncate(9) }}{{ 'foo bar baz qux'|truncate(9, True) }}{{ 'foo bar baz qux'|truncate(11) }}{{ 'foo bar baz qux'|truncate(11, False, '...', 0) }}
{{ 'a b/c?é'|urlencode }}{{ {'a b': 'c/d', 'e': 1}|urlencode }}{{ [('a', 'b')]|urlencode }}{{ n|urlencode }}
{{ 999|filesizeformat }}{{ 1|filesizeformat }}{{ 1000|filesizeformat }}{{ 1500000|filesizeformat }}{{ 1024|filesizeformat(true) }}{{ 10**27 |filesizeformat }}{{ '12'|filesizeformat }}
{{ {'a': 1, 'b': none, 'c': '<'}|xmlattr }}
{{ {'a b': 1}|xmlattr }}
{{ 'Hello %s %s'|format('a', 2) }}{{ '%(a)s'|format(a=1) }}
{{ rows|groupby('k')|map(attribute='grouper')|list }}{{ (rows|groupby('k')|first).list|length }}{{ (rows|groupby('k'))[0] }}{% for k, g in rows|groupby('k') %}{{ k }}{{ g|length }}{% endfor %}
{{ rows|map(attribute='deep.p.0')|list }}{{ rows|selectattr('deep')|map(attribute='k')|list }}{{ rows|sum('v.x') }}
{{ uni|tojson }}{{ uni|tojson(ensure_ascii=true) }}{{ '\x7f\x1f\u2028</script>'|tojson }}{{ [1.0, 1e16, 0.1, 1e400, -0.0]|tojson }}{{ big|tojson }}{{ ('nan'|float)|tojson }}
{{ {'a': [], 'b': {}, 'c': [{'d': ()}]}|tojson(indent=2) }}{{ (1, 2)|tojson }}{{ [[]]|tojson(indent=1) }}
{{ range(3)|tojson }}
{{ html|safe|tojson }}{{ html|tojson|safe }}
{{ [s, uni, "it's", 'a"b', "a'b\"c", '\\', '\n'] }}{{ ('a',) }}{{ () }}{{ [()] }}
{{ s is string and s is not number }}{{ n is not none }}{{ n is not defined }}{{ 3 is divisibleby 3 }}{{ 'a' is in 'abc' }}{{ s is eq 'Hello World' }}{{ n is sameas n }}
{{ n is sameas none }}{{ l is iterable and l is sequence and l is not mapping }}{{ nil is iterable }}{{ 5 is iterable }}{{ s is iterable }}{{ d is iterable }}{{ missing is iterable }}{{ (l|map('string')) is iterable }}{{ (l|map('string')) is sequence }}
{{ 'upper' is filter }}{{ 'odd' is test }}{{ 'zz' is filter }}{{ range is callable }}{{ s.upper is callable }}{{ missing is callable }}
{{ s[0] }}{{ s[-1] }}{{ s[99] }}|{{ s.0 }}{{ l.0 }}{{ l.9 }}{{ d.0 }}
{{ s['upper']() }}{{ s|attr('lower') is callable }}{{ d|attr('a') }}|{{ d|attr('get') is callable }}
{{ l[1:][0] }}{{ l[::-1] }}{{ s[::2] }}{{ s[-3:] }}{{ s[:none] }}{{ l[5:] }}{{ (1, 2, 3)[1:] }}{{ range(9)[2:5] }}{{ range(9)[::-2] }}
{{ d[1:] }}
{{ n[1:] }}
{{ l['a':] }}
{{ l[::0] }}
{{ f(*l) }}
{{ range(*[1, 4])|list }}{{ dict(**{'a': 1}) }}{{ 'a{}{}'.format(*l) }}{{ '{x}'.format(**{'x': 1}) }}
{{ dict(**l) }}
{{ dict(**{1: 2}) }}
a{% if yes %} b {% endif %}c{%- if yes -%} d {%- endif -%} e
  {% if yes %}  
  x
  {% endif %}  
y
  {%+ if yes %}x{% endif +%}  
 z
a  {{- n -}}  b {{ n }} c
{# c #}a{#- c -#} b {#+ c +#}
 x
a
{% raw %}
{{ raw }} {% x %}
{% endraw %}
b
a {%- raw -%} {{ x }} {%- endraw -%} b
{% raw %}{% endraw %}
{{ "a
b" }}
{% set x = [
 1,
 2,
] %}{{ x }}{{ {'a': 1,} }}{{ range(1,)|list }}
{%if yes%}a{%endif%}{{n}}{{ n}}{{n }}
{{ 'a' }}{{ "{{" }}{{ '}}' }}{{ '%}' }}{% if '%}' %}x{% endif %}
{{ {'a': {'b': 1}}.a.b }}{{ {'a': {'b': 1}}['a'] }}{{ [[1]][0][0] }}{{ (1) }}{{ (1,) }}
{{ n | string | length }}{{ n|string|length + 1 }}{{ -n|abs }}{{ (-n)|abs }}{{ 1 + 2|string|int }}{{ s|upper|lower is string }}{{ not s is string }}
{{ 'a' in 'abc' and 'z' not in 'abc' }}{{ 1 in [1, 2] }}{{ 'a' in d }}{{ 1 in (1,) }}{{ '' in '' }}{{ none in [none] }}{{ ('a', 1) in d.items() }}{{ 1 in d.values() }}{{ [] in [[]] }}
{{ 1 in 'a' }}
{{ [] in d }}
{{ 1 in 1 }}
{{ 1 in none }}
{{ loop }}{{ caller }}{{ self is defined }}{{ varargs is defined }}
{{ namespace }}{{ x.y if x is defined else 'undefined' }}{{ x.y is defined if x is defined }}
{{ x.y is defined }}
{{ (x is defined and x.y) or 'fallback' }}{{ d.a is defined }}{{ d.zz is defined }}{{ d['a'] is defined }}
{% if x.y %}{% endif %}
{% if d.zz %}a{% else %}b{% endif %}{% if not d.zz %}c{% endif %}{% if missing %}d{% endif %}
{{ '{}{}'.format(1) }}
{{ '{a.b}'.format(a=1) }}|{{ '{0[a]}{0[b]}'.format(d) }}{{ '{:>{w}}'.format('x', w=5) }}
{{ '{0.__class__}'.format(1) }}|
{{ '%s' % d }}{{ '%s %s' % (l, d) }}{{ '%(a)s %(b)s' % d }}
{{ '%s %s' % n }}
{{ '%s' % (1, 2) }}
{{ '%d' % 's' }}
{{ '%d' % 2.9 }}{{ '%i' % true }}{{ '%s' % true }}{{ '%5.1f|%-8s|%+d' % (2.25, 'ab', 3) }}{{ '%c%c' % (65, 'b') }}
{{ 0.1 + 0.2 }}{{ 1e22 }}{{ 1.0e-10 }}{{ 100000000000000000.0 }}{{ 5e-324 }}{{ 1.7976931348623157e308 }}{{ 1/7 }}
{{ big }}{{ big + 1 }}{{ big * big }}{{ -big }}{{ big // 7 }}{{ big % 7 }}{{ big == 1e30 }}{{ big > 1e29 }}{{ big|string|length }}{{ big / 10 }}{{ big + 0.5 }}
{{ d == {'a': 1} }}{{ {'a': 1, 'b': 2} == {'b': 2, 'a': 1} }}{{ [1, 2] == [1, 2.0] }}{{ 'a' == 'a' }}{{ none == false }}{{ 1 == '1' }}
{{ 'a' < 'b' }}{{ 'B' < 'a' }}{{ [1] < [2] }}{{ 'a' > '' }}{{ none < 1 }}
{{ {} < {} }}
{{ 'a' < 1 }}
""".strip("\n").split("\n")


def joined(lines):
    """Templates of several lines: a line that begins where the one before is not closed belongs to it."""
    starts = ("  {% if yes %}", "a", "  {%+", "{# c #}a", '{{ "a', "{% set x = [", "a {%- raw")
    multi = ["  {% if yes %}  \n  x\n  {% endif %}  \ny", "  {%+ if yes %}x{% endif +%}  \n z", "{# c #}a{#- c -#} b {#+ c +#}\n x", "a\n{% raw %}\n{{ raw }} {% x %}\n{% endraw %}\nb", '{{ "a\nb" }}', "{% set x = [\n 1,\n 2,\n] %}{{ x }}{{ {'a': 1,} }}{{ range(1,)|list }}"]
    text = "\n".join(lines)
    for block in multi:
        assert block in text, block
        text = text.replace(block + "\n", "")
    return [line for line in text.split("\n") if line] + multi + [block.replace("\n", "\r\n") for block in multi] + [block + "\n\n" for block in multi] + ["a\rb\r\n{{ n }}\r"]


STATEMENTS = joined(STATEMENTS)


# What is made from the text of an address.
ADDRESSES = ["{{ (l|map('string'))|" + name + " }}" for name in ("string|length", "wordcount", "length(1)")] + ["{{ l|random }}"]


def one(source):
    try:
        text = ENV.from_string(source).render(**copy.deepcopy(DATA))  # filters can change lists in place
    except Exception as error:
        return [source, None, type(error).__name__, str(error)]
    except SyntaxError as error:
        return [source, None, "TemplateSyntaxError", str(error)]
    if re.search(r"at 0x[0-9a-f]{6,}|sync_do_|0-x-7", text, re.I) or source in ADDRESSES:
        return None
    return [source, text]


def main():
    seen = dict.fromkeys(constructs())
    cases = [case for case in map(one, seen) if case]
    out = {"data": DATA, "cases": cases}
    target = HERE.parent / "data" / "grid.json.gz"
    with gzip.GzipFile(target, "wb", mtime=0) as file:
        file.write(json.dumps(out, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
    print(len(cases), "cases,", sum(case[1] is None for case in cases), "of them errors,", target.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
