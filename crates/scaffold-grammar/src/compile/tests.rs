use std::sync::OnceLock;
use std::time::{Duration, Instant};

use scaffold_error::Kind;
use scaffold_testing::tokenizer::byte_level;
use scaffold_text::{LoadOptions, Tokenizer};

use super::*;
use crate::guide::Progress;

/// A vocabulary in which each byte is a token.
pub(crate) fn vocabulary() -> Arc<Vocabulary> {
    static MADE: OnceLock<Arc<Vocabulary>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("tokenizer.json"), byte_level().to_string()).unwrap();
        let (tokenizer, _) =
            Tokenizer::from_dir(directory.path(), &LoadOptions::default()).unwrap();
        Arc::new(Vocabulary::new(Arc::new(tokenizer)).unwrap())
    });
    Arc::clone(made)
}

fn compiled(grammar: &Grammar) -> Compiled {
    Compiled::new(grammar, vocabulary()).unwrap_or_else(|error| panic!("{grammar:?}: {error}"))
}

/// Token of each byte.
fn token(byte: u8) -> u32 {
    let tokenizer = Arc::clone(vocabulary().tokenizer());
    (0..300).find(|&id| tokenizer.token_bytes(id).as_deref() == Some(&[byte])).unwrap()
}

fn has(tokens: &[u32], id: u32) -> bool {
    tokens.get(id as usize / 32).is_some_and(|word| word >> (id % 32) & 1 == 1)
}

/// How far a text goes by a grammar: its bytes that are allowed, and what is said then.
fn follow(compiled: &Compiled, text: &str) -> (usize, Progress) {
    let mut guide = compiled.begin();
    for (at, byte) in text.bytes().enumerate() {
        let id = token(byte);
        if guide.progress() == Progress::Complete || !has(&guide.allowed().unwrap(), id) {
            return (at, guide.progress());
        }
        guide.take(id).unwrap();
    }
    (text.len(), guide.progress())
}

fn is_whole(compiled: &Compiled, text: &str) -> bool {
    let (length, progress) = follow(compiled, text);
    length == text.len() && progress != Progress::Incomplete
}

/// Each grammar takes the texts of the first list as whole, and none of the second.
pub(crate) fn takes(grammar: &Grammar, whole: &[&str], others: &[&str]) {
    let compiled = compiled(grammar);
    for text in whole {
        assert!(
            is_whole(&compiled, text),
            "{text:?} is refused: {:?}, {grammar:?}",
            follow(&compiled, text)
        );
    }
    for text in others {
        assert!(!is_whole(&compiled, text), "{text:?} is taken: {grammar:?}");
    }
}

fn schema(schema: Value) -> Grammar {
    Grammar::Schema(schema)
}

#[test]
fn schemas_take_what_is_valid_and_nothing_else() {
    takes(
        &schema(json!({
            "type": "object",
            "properties": {
                "name": { "type": "string", "minLength": 1, "maxLength": 3 },
                "age": { "type": "integer", "minimum": 0, "maximum": 120 },
            },
            "required": ["name"],
            "additionalProperties": false,
        })),
        &[
            r#"{"name":"a"}"#,
            "{\n  \"name\": \"äöü\",\n  \"age\": 7\n}",
            r#"{"name": "\n", "age": 120}"#,
        ],
        &[
            "{}",
            r#"{"name":""}"#,
            r#"{"name":"abcd"}"#,
            r#"{"name":"a","age":121}"#,
            r#"{"name":"a","x":1}"#,
            "{\n\n\"name\":\"a\"}",
            "[]",
        ],
    );
    takes(
        &schema(json!({ "enum": ["a", 1, null, [2], { "b": true }] })),
        &["\"a\"", "1", "null", "[2]", "{\"b\": true}"],
        &["\"b\"", "2", "[]"],
    );
    takes(&schema(json!(true)), &["{\"a\": [1e3, \"\"]}", "-0.5"], &["", "01", "tru", "{a: 1}"]);
    takes(&Grammar::Object, &["{}", "{\"a\": {}}"], &["[]", "1"]);
    takes(
        &schema(
            json!({ "type": "array", "items": [{ "type": "null" }], "additionalItems": { "type": "boolean" }, "minItems": 2 }),
        ),
        &["[null, true]", "[null,false,true]"],
        &["[null]", "[true, true]", "[null, null]"],
    );
    takes(
        &schema(json!({ "$ref": "#/$defs/node", "$defs": { "node": {
            "type": "object", "properties": { "next": { "anyOf": [{ "$ref": "#/$defs/node" }, { "type": "null" }] } },
            "required": ["next"], "additionalProperties": false } } })),
        &[r#"{"next": null}"#, r#"{"next":{"next":{"next":null}}}"#],
        &["{}", r#"{"next":{"next":{}}}"#],
    );
}

#[test]
fn keys_have_one_spelling() {
    let grammar = schema(
        json!({ "type": "object", "properties": { "a": { "type": "null" }, "b\n": { "type": "null" } }, "additionalProperties": true }),
    );
    takes(
        &grammar,
        &[r#"{"a":null,"c":1}"#, r#"{"b\n":null}"#],
        &[r#"{"\u0061":1}"#, r#"{"c":1,"a":1}"#, r#"{"b\u000a":1}"#, r#"{"b\n":1}"#],
    );
}

#[test]
fn properties_that_nobody_named_are_not_written_unless_it_is_said() {
    let of = |name: &str| json!({ "type": "object", "properties": { name: { "type": "null" } } });
    takes(&schema(of("a")), &["{}", r#"{"a":null}"#], &[r#"{"b":null}"#]);
    let mut open = of("a");
    open["additionalProperties"] = json!(true);
    takes(&schema(open), &[r#"{"a":null,"b":null}"#], &[]);
    // Where several schemas speak of one object, each names some of its properties.
    takes(
        &schema(json!({ "allOf": [of("a"), of("b")] })),
        &[r#"{"a":null,"b":null}"#],
        &[r#"{"a":1}"#],
    );
    takes(
        &schema(json!({ "anyOf": [of("a"), { "$ref": "#/$defs/b" }], "$defs": { "b": of("b") } })),
        &[r#"{"a":null}"#, r#"{"b":null}"#],
        &[r#"{"a":null,"b":null}"#, r#"{"c":null}"#],
    );
    takes(
        &schema(json!({ "allOf": [{ "$ref": "#/$defs/b" }, of("a")], "$defs": { "b": of("b") } })),
        &[r#"{"b":null,"a":null}"#],
        &[],
    );
}

#[test]
fn alternatives_and_needs_are_kept_to() {
    let ab = json!({ "a": { "const": 1 }, "b": { "const": 2 }, "c": { "const": 3 } });
    let with = |more: Value| {
        let mut object = json!({ "type": "object", "properties": ab });
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        schema(object)
    };
    let (a, b, both, none) = (r#"{"a":1}"#, r#"{"b":2}"#, r#"{"a":1,"b":2}"#, "{}");
    takes(
        &with(json!({ "oneOf": [{ "required": ["a"] }, { "required": ["b"] }] })),
        &[a, b, r#"{"b":2,"c":3}"#],
        &[both, none, r#"{"d":1}"#],
    );
    takes(&with(json!({ "not": { "required": ["a"] } })), &[b, none], &[a, both]);
    takes(
        &with(json!({ "not": { "anyOf": [{ "required": ["a"] }, { "required": ["b"] }] } })),
        &[none, r#"{"c":3}"#],
        &[a, b, both],
    );
    takes(&with(json!({ "dependentRequired": { "a": ["b"] } })), &[b, both, none], &[a]);
    takes(
        &with(json!({ "dependencies": { "a": ["b"], "b": ["c"] } })),
        &[none, r#"{"c":3}"#, r#"{"a":1,"b":2,"c":3}"#],
        &[a, b, both],
    );
    takes(
        &with(json!({ "dependentRequired": { "a": ["b"] }, "required": ["a"] })),
        &[both],
        &[a, b, none],
    );
    takes(
        &with(json!({ "dependentSchemas": { "a": { "properties": { "b": false } } } })),
        &[a, b, none],
        &[both],
    );
    takes(
        &schema(json!({ "not": { "type": ["object", "array", "string"] } })),
        &["1", "null", "true"],
        &["{}", "[]", "\"\""],
    );
    takes(
        &schema(json!({ "type": "object", "properties": { "a": { "not": {} } } })),
        &["{}"],
        &[a],
    );
    let named = json!({ "oneOf": [{ "$ref": "#/$defs/text" }, { "$ref": "#/$defs/list" }, { "enum": [1, 2] }],
        "$defs": { "text": { "type": "string", "maxLength": 2 }, "list": { "type": "array", "items": { "$ref": "#" } } } });
    let keys = json!({ "type": "object", "properties": {}, "propertyNames": { "$ref": "#/$defs/key" }, "additionalProperties": { "const": 1 },
        "$defs": { "key": { "enum": ["a", "b"], "type": "string", "title": "Key" } } });
    takes(&schema(keys), &["{}", a, r#"{"a":1,"b":1}"#], &[b, r#"{"c":1}"#]);
    takes(&schema(named), &["\"a\"", "[[], 1, \"b\"]", "2"], &["3", "\"abc\"", "[3]"]);
}

#[test]
fn formats_allow_only_what_they_are() {
    for (format, whole, others) in [
        (
            "date",
            &["2024-02-29", "2000-02-29", "1999-12-31"][..],
            &["2023-02-29", "1900-02-29", "2024-04-31"][..],
        ),
        (
            "date-time",
            &["2024-02-29T23:59:59Z", "2024-01-01T00:00:00.5+01:30"],
            &["2024-01-01", "2024-01-01T00:00:60Z"],
        ),
        ("ipv4", &["127.0.0.1", "255.0.99.3"], &["256.1.1.1", "1.1.1", "01.1.1.1"]),
        ("ipv6", &["::1", "2001:db8::ff00:42:8329"], &["1::2::3", ":::", "12345::"]),
        ("uuid", &["123e4567-e89b-12d3-a456-426614174000"], &["123e4567e89b12d3a456426614174000"]),
        ("email", &["a.b@example.com"], &["a@", "@a.com", "a b@c.de"]),
        ("uri", &["https://example.com/a?b=c#d"], &["example.com", "https://a b"]),
        ("hostname", &["a-b.example.com"], &["-a.com", "a..b"]),
    ] {
        let grammar = schema(json!({ "type": "string", "format": format }));
        let quoted =
            |texts: &[&str]| texts.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>();
        let (whole, others) = (quoted(whole), quoted(others));
        let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        takes(&grammar, &whole, &others);
    }
    for format in schema::FORMATS {
        compiled(&schema(json!({ "type": "string", "format": format })));
    }
}

#[test]
fn texts_are_taken_by_expressions_choices_lines_and_grammars() {
    takes(&Grammar::Regex(r"^[a-z]+\d{2}$".into()), &["ab12"], &["ab1", "ab123", "12"]);
    takes(&Grammar::Regex("a/b|\"x\"".into()), &["a/b", "\"x\""], &["a"]);
    takes(
        &Grammar::choices(["yes", "yes, \"please\"", "no\n\u{7f}"]),
        &["yes", "yes, \"please\"", "no\n\u{7f}"],
        &["y", "no"],
    );
    takes(&Grammar::Lines(json!({ "type": "integer" })), &["1", "1\n20"], &["1\n", "1 2", "\n1"]);
    takes(
        &Grammar::Lark("start: \"[\" item+ \"]\"\nitem: /[a-c]/".into()),
        &["[abc]"],
        &["[]", "[d]"],
    );
    takes(
        &Grammar::Lark("start: \"x=\" %json {\"type\": \"boolean\"}".into()),
        &["x=true"],
        &["x=1"],
    );
}

#[test]
fn control_tokens_come_only_where_a_grammar_names_them() {
    let control = vocabulary().tokenizer().token_to_id("<|im_end|>").unwrap();
    let mut guide = compiled(&Grammar::Regex("(?s:.*)".into())).begin();
    assert!(!has(&guide.allowed().unwrap(), control));
    let mut guide = compiled(&Grammar::Lark("start: <|im_end|> \"a\"".into())).begin();
    assert!(has(&guide.allowed().unwrap(), control));
    guide.take(control).unwrap();
    assert_eq!(guide.forced(5).unwrap(), [token(b'a')]);
    assert_eq!(guide.progress(), Progress::Complete);
    // As text it is text.
    takes(&Grammar::choices(["<|im_end|>"]), &["<|im_end|>"], &[]);
}

#[test]
fn grammars_are_made_of_others() {
    use crate::grammar::Part;
    let inner = |grammar| Part::Grammar(Box::new(grammar));
    let call = |name: &str| {
        let text = Part::Text(format!("<call>{name}:"));
        vec![
            text,
            inner(schema(
                json!({ "type": "object", "properties": {}, "additionalProperties": false }),
            )),
            Part::Text("</call>".into()),
        ]
    };
    let calls = Part::OneOf(vec![call("a"), call("b")]);
    takes(
        &Grammar::Parts(vec![calls.clone(), Part::Repeated(vec![Part::Text("\n".into()), calls])]),
        &["<call>a:{}</call>", "<call>a:{}</call>\n<call>b:{ }</call>"],
        &["<call>c:{}</call>", "<call>a:{}</call><call>b:{}</call>", ""],
    );
    takes(
        &Grammar::Parts(vec![
            Part::Until("</x>".into()),
            Part::Optional(vec![inner(Grammar::choices(["yes"]))]),
        ]),
        &["any < text</x>", "</x>yes"],
        &["any", "a</x>no", "a</x>b</x>"],
    );
    // Free until a mark, if it comes: from there on it is held.
    takes(
        &Grammar::Parts(vec![Part::OneOf(vec![
            vec![Part::Without("<x>".into())],
            vec![
                Part::Until("<x>".into()),
                inner(Grammar::choices(["yes"])),
                Part::Text("</x>".into()),
            ],
        ])]),
        &["", "any < text", "<x", "a <x>yes</x>", "<x>yes</x>", "<<x>yes</x>"],
        &["<x>", "a<x>no", "a<x>yes", "<x>yes</x>b", "<x>yes</x><x>"],
    );
    let control = vocabulary().tokenizer().token_to_id("<|im_end|>").unwrap();
    let mut guide = compiled(&Grammar::Parts(vec![
        Part::Free,
        Part::Token(control),
        inner(Grammar::Regex("[0-9]".into())),
    ]))
    .begin();
    guide.take(token(b'a')).unwrap();
    guide.take(control).unwrap();
    assert!(
        has(&guide.allowed().unwrap(), token(b'7')) && !has(&guide.allowed().unwrap(), token(b'a'))
    );
}

#[test]
fn what_must_come_is_forced_as_far_as_is_asked() {
    let grammar = Grammar::Regex("(ab|cd)efgh(x|y)".into());
    let mut guide = compiled(&grammar).begin();
    assert_eq!(guide.forced(9).unwrap(), [] as [u32; 0]);
    guide.take(token(b'a')).unwrap();
    assert_eq!(guide.forced(2).unwrap(), [token(b'b'), token(b'e')]);
    assert_eq!(guide.forced(9).unwrap(), [token(b'f'), token(b'g'), token(b'h')]);
    assert_eq!(guide.progress(), Progress::Incomplete);
    guide.take(token(b'x')).unwrap();
    assert_eq!((guide.progress(), guide.allowed().unwrap().len()), (Progress::Complete, 0));
}

#[test]
fn what_the_compiler_cannot_follow_is_told_in_words_of_the_schema() {
    let refused = |grammar: &Grammar| Compiled::new(grammar, vocabulary()).unwrap_err();
    for (asked, words) in [
        (
            json!({ "items": { "oneOf": [{ "minimum": 1 }, { "maximum": 5 }] } }),
            "`oneOf` at `#/items/oneOf`",
        ),
        (
            json!({ "properties": { "a": {} }, "additionalProperties": true, "minProperties": 1 }),
            "`#/minProperties`",
        ),
        (json!({ "type": "integer", "minimum": 5, "maximum": 4 }), "no value is valid"),
        (json!(false), "no value is valid"),
        (json!({ "type": "string", "const": 1 }), "no value is valid"),
    ] {
        let error = refused(&schema(asked));
        assert!(error.sentence().contains(words), "{error}");
    }
    for grammar in [
        Grammar::Lark("start: nothing".into()),
        Grammar::Lark(String::new()),
        Grammar::Lark("start: \"a".into()),
        Grammar::Choices(Vec::new()),
        Grammar::choices([""]),
    ] {
        let error = refused(&grammar);
        assert!(!error.sentence().contains("state>") && error.kind() != Kind::Internal, "{error}");
    }
}

/// What is made to take long or much ends soon, with an error that says so or with a guide.
#[test]
fn hostile_grammars_are_bounded() {
    let chain: serde_json::Map<String, Value> = (0..900)
        .map(|n| (n.to_string(), json!({ "type": "object", "properties": { "a": { "$ref": format!("#/$defs/{}", n + 1) } } })))
        .chain([("900".to_owned(), json!({ "type": "null" }))])
        .collect();
    let hostile = [
        schema(json!({ "$ref": "#/$defs/0", "$defs": chain })),
        schema(json!({ "allOf": [{ "$ref": "#" }] })),
        schema(json!({ "anyOf": [{ "$ref": "#" }, { "$ref": "#" }] })),
        schema(
            json!({ "type": "object", "properties": { "a": { "$ref": "#" } }, "required": ["a"] }),
        ),
        schema(json!({ "type": "string", "pattern": "^(a?){500}a{500}$" })),
        schema(json!({ "type": "string", "pattern": "(((a{1,100}){1,100}){1,100}){1,100}" })),
        schema(json!({ "type": "array", "minItems": 10000, "maxItems": 10000 })),
        schema(json!({ "enum": (0..9999).map(|n| format!("value {n}")).collect::<Vec<_>>() })),
        schema(
            json!({ "allOf": (0..40).map(|n| json!({ "anyOf": [{ "minLength": n }, { "pattern": format!("a{n}") }] })).collect::<Vec<_>>() }),
        ),
        Grammar::Regex("(x+x+)+y".into()),
        Grammar::Regex("(((a{1000}){1000}){1000}){1000}".into()),
        Grammar::Regex("[a-z]{1,9999}[0-9]{1,9999}".into()),
        Grammar::Regex(format!("{}a{}", "(".repeat(60), ")?".repeat(60))),
        Grammar::Lark("start: start".into()),
        Grammar::Lark("start: a a a a a a a a\na: \"x\"? a?".into()),
        Grammar::Gbnf(format!("root ::= {}", "\"a\"? ".repeat(2000))),
        Grammar::Gbnf(
            (0..900).map(|n| format!("r{n} ::= r{} \"a\"", n + 1)).collect::<Vec<_>>().join("\n")
                + "\nr900 ::= \"b\"\nroot ::= r0",
        ),
    ];
    for grammar in hostile {
        let start = Instant::now();
        let outcome = Compiled::new(&grammar, vocabulary()).and_then(|compiled| {
            let mut guide = compiled.begin();
            for _ in 0..20 {
                let allowed = guide.allowed()?;
                let Some(id) = (0..512).rev().find(|&id| has(&allowed, id)) else { break };
                guide.take(id)?;
                guide.forced(32)?;
            }
            Ok(())
        });
        let shown: String = format!("{grammar:?}").chars().take(100).collect();
        assert!(start.elapsed() < Duration::from_secs(20), "{shown} took {:?}", start.elapsed());
        if let Err(error) = outcome {
            assert_ne!(error.kind(), Kind::Internal, "{shown}: {error}");
        }
    }
}
