use super::*;
use crate::compile::tests::takes;
use crate::grammar::Grammar;

fn gbnf(text: &str) -> Grammar {
    Grammar::Gbnf(text.to_owned())
}

/// The notation's own features, after llama.cpp's description of it.
#[test]
fn the_notation_is_read_as_llama_cpp_reads_it() {
    takes(
        &gbnf("# a list\nroot  ::= (\"- \" item)+\n\nitem ::= [^\\n]+ \"\\n\""),
        &["- a\n", "- a b\n- c\n"],
        &["", "- \n", "- a"],
    );
    takes(
        &gbnf(
            r#"root ::= "1. " move " " move "\n" ([1-9] [0-9]? ". " move " " move "\n")+
move ::= (pawn | nonpawn | castle) [+#]?
nonpawn ::= [NBKQR] [a-h]? [1-8]? "x"? [a-h] [1-8]
pawn ::= ([a-h] "x")? [a-h] [1-8] ("=" [NBKQR])?
castle ::= "O-O" "-O"?"#,
        ),
        &["1. e4 e5\n2. Nf3 Nc6\n", "1. e4 e5\n2. Bxf7+ O-O-O\n10. exd5 a8=Q#\n"],
        &["1. e4 e5\n", "1. e9 e5\n2. a4 a5\n"],
    );
    takes(
        &gbnf("root ::= \"\\x41\" \"\\u00e9\" \"\\U0001F600\" [\\]\\\\-] .{2} \"b\"{1,2}"),
        &["Aé😀]xyb", "Aé😀-é\nbb"],
        &["Aé😀]xb", "Aé😀]xybbb"],
    );
    takes(
        &gbnf("root ::= a{3} | \"b\"{2,} | \"c\"{,2}\na ::= [x-z]"),
        &["xyz", "bb", "bbbb", "c", "cc", ""],
        &["xy", "b", "ccc"],
    );
    takes(&gbnf("root ::= (\n  \"a\" |\n  \"b\"\n) |\n  \"c\""), &["a", "b"], &[]);
}

/// JSON, after llama.cpp's grammar of it.
#[test]
fn a_grammar_of_json_is_followed() {
    let text = r#"root   ::= object
value  ::= object | array | string | number | ("true" | "false" | "null") ws

object ::=
  "{" ws (
            string ":" ws value
    ("," ws string ":" ws value)*
  )? "}" ws

array  ::=
  "[" ws (
            value
    ("," ws value)*
  )? "]" ws

string ::=
  "\"" (
    [^"\\\x7F\x00-\x1F] |
    "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) # escapes
  )* "\"" ws

number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,15})? ws

# Optional space: by convention, applied in this grammar after literal chars when allowed
ws ::= | " " | "\n" [ \t]{0,20}
"#;
    takes(
        &gbnf(text),
        &["{}", r#"{"a": [1, -2.5e3, "x\n\u0041", true], "b": {"c": null}}"#, "{\n  \"a\": 1\n}\n"],
        &["[]", "{\"a\"}", "{\"a\": 01x}", "{\"a\": \"\x01\"}"],
    );
}

/// Arithmetic, after llama.cpp's example: white space behind a word may be the line's end, too.
#[test]
fn words_do_not_take_what_must_follow_them() {
    let text = "root  ::= (expr \"=\" ws term \"\\n\")+\nexpr  ::= term ([-+*/] term)*\nterm  ::= ident | num | \"(\" ws expr \")\" ws\n\
                ident ::= [a-z] [a-z0-9_]* ws\nnum   ::= [0-9]+ ws\nws    ::= [ \\t\\n]*";
    takes(&gbnf(text), &["x=1\n", "a+(b *2)= c\n", "x=1\ny = 2 \n\n"], &["x=1", "=1\n", "x+=1\n"]);
}

#[test]
fn recursion_of_any_kind_is_followed() {
    takes(&gbnf("root ::= \"(\" root \")\" | \"x\""), &["x", "((x))"], &["(x", "()"]);
    takes(&gbnf("root ::= root \"a\" | \"b\""), &["b", "baa"], &["a", "ab"]);
    takes(
        &gbnf("root ::= a | b\na ::= \"(\" b \")\"\nb ::= \"[\" a \"]\" | [0-9]"),
        &["5", "([(1)])"],
        &["[5]", "(])"],
    );
}

#[test]
fn what_is_written_wrongly_is_told_with_its_line() {
    for (text, words) in [
        ("", "no rule `root`"),
        ("start ::= \"a\"", "no rule `root`"),
        ("root ::= a", "names the rule `a`"),
        ("root ::= \"a\"\nroot ::= \"b\"", "line 2: the rule `root` is defined twice"),
        ("root ::= \"a", "has no end"),
        ("root ::= [a", "has no end"),
        ("root ::= [b-a]", "comes behind"),
        ("root ::= (\"a\"", "`)` is expected"),
        ("root ::= \"a\"{3,2}", "no number of repetitions"),
        ("root ::= \"a\"{x}", "no number of repetitions"),
        ("root ::= \"\\q\"", "stands for nothing"),
        ("root ::= !<[3]>", "not followed"),
        ("root = \"a\"", "`::=` is expected"),
        ("root ::= \"a\" ]", "goes on in a way"),
    ] {
        let error = to_lark(text).unwrap_err();
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
    assert!(to_lark(&format!("root ::= {}\"a\"{}", "(".repeat(100), ")".repeat(100))).is_err());
}
