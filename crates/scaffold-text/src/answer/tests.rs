//! Answers in the syntaxes of the field's templates, cut at every place.

use scaffold_jinja::Json;

use super::probe::{IDS, NAMES, arguments};
use super::{AnswerParser, AnswerSyntax, Call, Part};
use crate::chat::{ChatTemplate, Message, RenderOptions};
use crate::special::SpecialTokens;

/// A template whose answers with calls are `calls`, of which each is `call`.
fn template(calls: &str) -> ChatTemplate {
    let source = format!(
        "{{% for m in messages %}}<|{{{{ m.role }}}}|>{{% if m.reasoning_content %}}<think>\n{{{{ m.reasoning_content }}}}\n</think>\n\n\
         {{% endif %}}{{{{ m.content or '' }}}}{{% if m.tool_calls %}}{calls}{{% endif %}}<|end|>\n{{% endfor %}}\
         {{% if add_generation_prompt %}}<|assistant|>{{% endif %}}"
    );
    ChatTemplate::from_source(&source, &SpecialTokens::default()).unwrap()
}

/// The syntaxes, each as a template writes it.
const SYNTAXES: [(&str, &str); 13] = [
    (
        "hermes",
        "{% for c in m.tool_calls %}\n<tool_call>\n{\"name\": \"{{ c.function.name }}\", \"arguments\": \
         {{ c.function.arguments | tojson }}}\n</tool_call>{% endfor %}",
    ),
    (
        "mistral",
        "[TOOL_CALLS][{% for c in m.tool_calls %}{\"name\": \"{{ c.function.name }}\", \"arguments\": \
         {{ c.function.arguments | tojson }}, \"id\": \"{{ c.id }}\"}{% if not loop.last %}, {% endif %}{% endfor %}]",
    ),
    (
        "mistral, newer",
        "{% for c in m.tool_calls %}[TOOL_CALLS]{{ c.function.name }}[CALL_ID]{{ c.id }}[ARGS]\
         {{ c.function.arguments | tojson }}{% endfor %}",
    ),
    (
        "llama",
        "{\"name\": \"{{ m.tool_calls[0].function.name }}\", \"parameters\": {{ m.tool_calls[0].function.arguments | tojson }}}",
    ),
    (
        "deepseek",
        "<｜tool▁calls▁begin｜>{% for c in m.tool_calls %}<｜tool▁call▁begin｜>function<｜tool▁sep｜>{{ c.function.name }}\n```json\n\
         {{ c.function.arguments | tojson }}\n```<｜tool▁call▁end｜>{% if not loop.last %}\n{% endif %}{% endfor %}<｜tool▁calls▁end｜>",
    ),
    (
        "kimi",
        "<|tool_calls_section_begin|>{% for c in m.tool_calls %}<|tool_call_begin|>functions.{{ c.function.name }}:{{ loop.index0 }}\
         <|tool_call_argument_begin|>{{ c.function.arguments | tojson }}<|tool_call_end|>{% endfor %}<|tool_calls_section_end|>",
    ),
    (
        "qwen coder",
        "{% for c in m.tool_calls %}\n<tool_call>\n<function={{ c.function.name }}>\n{% for k, v in c.function.arguments | items %}\
         <parameter={{ k }}>\n{{ v }}\n</parameter>\n{% endfor %}</function>\n</tool_call>{% endfor %}",
    ),
    (
        "glm",
        "{% for c in m.tool_calls %}\n<tool_call>{{ c.function.name }}\n{% for k, v in c.function.arguments | items %}\
         <arg_key>{{ k }}</arg_key>\n<arg_value>{% if v is string %}{{ v }}{% else %}{{ v | tojson }}{% endif %}</arg_value>\n\
         {% endfor %}</tool_call>{% endfor %}",
    ),
    (
        "minimax",
        "\n<minimax:tool_call>\n{% for c in m.tool_calls %}<invoke name=\"{{ c.function.name }}\">\n\
         {% for k, v in c.function.arguments | items %}<parameter name=\"{{ k }}\">{{ v }}</parameter>\n{% endfor %}</invoke>\n\
         {% endfor %}</minimax:tool_call>",
    ),
    (
        "gemma",
        "{% for c in m.tool_calls %}<|tool_call>call:{{ c.function.name }}{{ '{' }}\
         {%- for k, v in c.function.arguments | items %}{{ k }}:{% if v is string %}<|\"|>{{ v }}<|\"|>{% else %}{{ v }}{% endif %}\
         {% if not loop.last %},{% endif %}{% endfor %}{{ '}' }}<tool_call|>{% endfor %}",
    ),
    (
        "pythonic",
        "[{% for c in m.tool_calls %}{{ c.function.name }}({% for k, v in c.function.arguments | items %}{{ k }}={{ v | tojson }}\
         {% if not loop.last %}, {% endif %}{% endfor %}){% if not loop.last %}, {% endif %}{% endfor %}]",
    ),
    (
        "pythonic, single quotes",
        "[{% for c in m.tool_calls %}{{ c.function.name }}({% for k, v in c.function.arguments | items %}{{ k }}=\
         {% if v is string %}'{{ v | replace('\\\\', '\\\\\\\\') | replace(\"'\", \"\\\\'\") }}'{% else %}{{ v | tojson }}{% endif %}\
         {% if not loop.last %}, {% endif %}{% endfor %}){% if not loop.last %}, {% endif %}{% endfor %}]",
    ),
    (
        "nested",
        "<tool_calls>\n[{% for c in m.tool_calls %}{\"type\": \"function\", \"function\": {\"name\": \"{{ c.function.name }}\", \
         \"arguments\": {{ c.function.arguments | tojson }}}}{% if not loop.last %}, {% endif %}{% endfor %}]\n</tool_calls>",
    ),
];

fn tools() -> Vec<Json> {
    let tool = |name: &str| {
        Json::parse(&format!(
            "{{\"type\": \"function\", \"function\": {{\"name\": \"{name}\", \"parameters\": {{\"type\": \"object\", \"properties\": {{\
             \"city\": {{\"type\": \"string\"}}, \"days\": {{\"type\": \"integer\"}}, \"code\": {{\"type\": \"string\"}}, \
             \"key_a\": {{\"type\": \"string\"}}, \"key_b\": {{\"type\": \"integer\"}}, \"key_c\": {{\"type\": \"string\"}}}}}}}}}}"
        ))
        .unwrap()
    };
    ["weather", "search.web", NAMES[0], NAMES[1]].map(tool).to_vec()
}

/// What the template writes for an answer.
fn written(template: &ChatTemplate, answer: &Message) -> String {
    let asked = [Message::user("Hello")];
    let render = |messages: &[Message], prompt| {
        let options = RenderOptions { add_generation_prompt: prompt, ..RenderOptions::default() };
        template.render(messages, &options).unwrap()
    };
    let before = render(&asked, true);
    let whole = render(&[asked[0].clone(), answer.clone()], false);
    whole[before.len()..].trim_end().trim_end_matches("<|end|>").to_owned()
}

fn parts_of(syntax: &AnswerSyntax, pieces: &[&str]) -> Vec<Part> {
    let mut parser = AnswerParser::new(syntax.clone(), tools());
    let mut parts: Vec<Part> = pieces.iter().flat_map(|piece| parser.push(piece)).collect();
    parts.extend(parser.finish());
    super::parser::join(parts)
}

fn call(name: &str, arguments: &Json) -> Part {
    Part::Call(Call { name: name.to_owned(), arguments: arguments.dumps() })
}

/// The parts, with arguments as JSON writes them.
fn plain(parts: Vec<Part>) -> Vec<Part> {
    parts
        .into_iter()
        .map(|part| match part {
            Part::Call(Call { name, arguments }) => call(&name, &Json::parse(&arguments).unwrap()),
            part => part,
        })
        .collect()
}

#[test]
fn calls_of_every_syntax_are_read_wherever_they_are_cut() {
    let city =
        Json::parse(r#"{"city": "Köln", "days": 3, "code": "if x < 1 and y: \"}\" # é"}"#).unwrap();
    for (name, source) in SYNTAXES {
        let template = template(source);
        let syntax = AnswerSyntax::of(&template);
        assert!(syntax.has_calls() && syntax.has_thoughts(), "{name}: {syntax:?}");
        let answer =
            Message::assistant("").with_tool_call(Some("x9Y8z7W6v"), "weather", city.clone());
        let mut expected = vec![call("weather", &city)];
        let answers = if name == "llama" {
            vec![answer]
        } else {
            let two = answer.clone().with_tool_call(Some("a1B2c3D4e"), "search.web", arguments());
            vec![answer, two]
        };
        for (count, answer) in answers.into_iter().enumerate() {
            if count == 1 {
                expected.push(call("search.web", &arguments()));
            }
            let text = written(&template, &answer);
            assert_eq!(plain(parts_of(&syntax, &[&text])), expected, "{name}: {text}\n{syntax:?}");
            for at in (0..text.len()).filter(|&at| text.is_char_boundary(at)) {
                let (one, other) = text.split_at(at);
                let parts = plain(parts_of(&syntax, &[one, other]));
                assert_eq!(parts, expected, "{name}: {one:?} | {other:?}");
            }
            let letters: Vec<String> = text.chars().map(String::from).collect();
            let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
            assert_eq!(plain(parts_of(&syntax, &letters)), expected, "{name}");
        }
    }
}

#[test]
fn thoughts_and_text_stand_before_calls() {
    for (name, source) in
        SYNTAXES.iter().filter(|(name, _)| !name.starts_with("pythonic") && *name != "llama")
    {
        let template = template(source);
        let syntax = AnswerSyntax::of(&template);
        let answer = Message::assistant("Let me look.")
            .with("reasoning_content", "Weather, so < a tool.")
            .with_tool_call(Some(IDS[0]), "weather", arguments());
        let text = written(&template, &answer);
        let expected = [
            Part::Thought("Weather, so < a tool.".to_owned()),
            Part::Text("Let me look.".to_owned()),
            call("weather", &arguments()),
        ];
        for at in (0..text.len()).filter(|&at| text.is_char_boundary(at)) {
            let (one, other) = text.split_at(at);
            assert_eq!(
                plain(parts_of(&syntax, &[one, other])),
                expected,
                "{name}: {one:?} | {other:?}"
            );
        }
    }
}

#[test]
fn what_only_begins_like_a_call_is_text() {
    let syntax = AnswerSyntax::of(&template(SYNTAXES[0].1));
    for text in [" \n a", "\n", "a < b, <tool> and <tool_cal", "<tool_", "x\n\n", "no calls", "é<"]
    {
        assert_eq!(parts_of(&syntax, &[text]), [Part::Text(text.to_owned())]);
    }
    for text in [
        "<tool_call>{\"name\": 7}</tool_call> so",
        "<tool_call>\n{\"name\": \"weather\", ",
        "<tool_call>none",
    ] {
        let parts = parts_of(&syntax, &[text]);
        let said: String = parts
            .iter()
            .map(|part| match part {
                Part::Text(text) | Part::Broken { text, .. } => text.as_str(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(said, text);
        assert!(matches!(parts[0], Part::Broken { .. }), "{parts:?}");
    }
    // The next one counts.
    let text = "<tool_call>{oops</tool_call>\n<tool_call>{\"name\": \"weather\", \"arguments\": {}}</tool_call>";
    let parts = parts_of(&syntax, &[text]);
    assert!(matches!(parts.last(), Some(Part::Call(call)) if call.arguments == "{}"), "{parts:?}");
    // Where calls have no mark, an answer in JSON is an answer.
    let bare = AnswerSyntax::of(&template(SYNTAXES[3].1));
    for text in [
        "{\"name\": \"nobody\", \"parameters\": {}}",
        "{\"a\": 1}",
        "[1, 2]",
        "{ not closed",
        "so {\"name\": \"weather\"}",
    ] {
        assert_eq!(parts_of(&bare, &[text]), [Part::Text(text.to_owned())]);
    }
}

/// Escapes of Python in single quotes, as models write them.
#[test]
fn texts_in_single_quotes_are_pythons() {
    let pythonic = SYNTAXES.iter().find(|(name, _)| *name == "pythonic, single quotes").unwrap();
    let syntax = AnswerSyntax::of(&template(pythonic.1));
    for (written, meant) in [
        (r"it\'s", "it's"),
        (r#"a \"b\" "c""#, "a \"b\" \"c\""),
        (r"C:\\new\\table", r"C:\new\table"),
        (r"one\ntwo\tthree\r", "one\ntwo\tthree\r"),
        (r"\x41\u00e9\U0001F600", "Aé😀"),
        (r"50\% \d \u12", r"50\% \d \u12"),
        ("a, b=1) [c", "a, b=1) [c"),
        ("", ""),
    ] {
        let text = format!("[weather(city='{written}', days=3)]");
        let expected = Json::Object(vec![
            ("city".to_owned(), Json::from(meant)),
            ("days".to_owned(), Json::from(3i64)),
        ]);
        for at in (0..=text.len()).filter(|&at| text.is_char_boundary(at)) {
            let (one, other) = text.split_at(at);
            assert_eq!(
                plain(parts_of(&syntax, &[one, other])),
                [call("weather", &expected)],
                "{text}"
            );
        }
    }
}

#[test]
fn without_tools_nothing_is_a_call() {
    let syntax = AnswerSyntax::of(&template(SYNTAXES[0].1));
    let text = "<tool_call>\n{\"name\": \"weather\", \"arguments\": {}}\n</tool_call>";
    let mut parser = AnswerParser::new(syntax, Vec::new());
    let mut parts = parser.push(text);
    parts.extend(parser.finish());
    assert_eq!(super::parser::join(parts), [Part::Text(text.to_owned())]);
}

#[test]
fn thoughts_that_the_prompt_opens_or_that_never_end() {
    let source = "{% for m in messages %}<|{{ m.role }}|>{{ m.content.split('</think>')[-1] }}{% endfor %}\
                  {% if add_generation_prompt %}<|assistant|><think>\n{% endif %}";
    let template = ChatTemplate::from_source(source, &SpecialTokens::default()).unwrap();
    let syntax = AnswerSyntax::of(&template);
    let prompt =
        template.render(&[Message::user("Hi <think>")], &RenderOptions::default()).unwrap();
    assert!(syntax.is_opened_by(&prompt) && !syntax.is_opened_by("<think>\nso</think>\n"));
    let parts = |text: &str| {
        let mut parser = AnswerParser::new(syntax.clone(), Vec::new()).in_thoughts();
        let mut parts = parser.push(text);
        parts.extend(parser.finish());
        super::parser::join(parts)
    };
    let (thought, said) = (Part::Thought("Hm.".to_owned()), Part::Text("Yes.".to_owned()));
    assert_eq!(parts("Hm.\n</think>\n\nYes."), [thought.clone(), said]);
    assert_eq!(parts("Hm."), [thought]);
    // In the middle of an answer it is a word.
    let mut parser = AnswerParser::new(syntax, Vec::new());
    let mut all = parser.push("The tag <think> opens.");
    all.extend(parser.finish());
    assert_eq!(super::parser::join(all), [Part::Text("The tag <think> opens.".to_owned())]);
}

#[test]
fn channels_are_told_apart() {
    let source = "{# analysis #}{% for m in messages %}<|start|>{{ m.role }}<|channel|>final<|message|>{{ m.content }}<|end|>{% endfor %}\
                  {% if add_generation_prompt %}<|start|>assistant{% endif %}";
    let template = ChatTemplate::from_source(source, &SpecialTokens::default()).unwrap();
    let syntax = AnswerSyntax::of(&template);
    let text = "<|channel|>analysis<|message|>Need the weather.<|end|><|start|>assistant<|channel|>commentary to=functions.weather \
                <|constrain|>json<|message|>{\"city\": \"Bonn\"}<|call|><|start|>assistant<|channel|>final<|message|>Fine.<|return|>";
    let expected = [
        Part::Thought("Need the weather.".to_owned()),
        Part::Call(Call {
            name: "weather".to_owned(),
            arguments: "{\"city\": \"Bonn\"}".to_owned(),
        }),
        Part::Text("Fine.".to_owned()),
    ];
    for at in 0..text.len() {
        let (one, other) = text.split_at(at);
        assert_eq!(parts_of(&syntax, &[one, other]), expected, "{one:?} | {other:?}");
    }
    let broken =
        parts_of(&syntax, &["<|channel|>commentary to=functions.weather<|message|>{oops<|call|>"]);
    assert!(matches!(&broken[0], Part::Broken { text, .. } if text == "{oops"), "{broken:?}");
}

proptest::proptest! {
    /// Nothing that a model writes is lost, and cuts make no difference.
    #[test]
    fn nothing_is_lost(
        words in proptest::collection::vec(proptest::sample::select(vec![
            "<tool_call>", "</tool_call>", "{\"name\": \"weather\", \"arguments\": {}}", "{\"name\": ", "<think>", "</think>",
            "\n", " ", "a", "<", "é", "}", "[", "\"",
        ]), 0..12),
        cuts in proptest::collection::vec(0usize..200, 0..4),
        which in 0usize..SYNTAXES.len(),
    ) {
        let syntax = AnswerSyntax::of(&template(SYNTAXES[which].1));
        let text: String = words.concat();
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|&at| at <= text.len() && text.is_char_boundary(at)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&str> = cuts.windows(2).map(|two| &text[two[0]..two[1]]).collect();
        let whole = parts_of(&syntax, &[&text]);
        proptest::prop_assert_eq!(&parts_of(&syntax, &pieces), &whole);
        // All but marks and the white space around them is somewhere.
        let kept = |text: &str| text.chars().filter(|c| *c == 'a' || *c == 'é').count();
        let told: usize = whole.iter().map(|part| match part {
            Part::Text(text) | Part::Thought(text) | Part::Broken { text, .. } => kept(text),
            Part::Call(_) => kept("weather arguments"),
        }).sum();
        let calls = whole.iter().filter(|part| matches!(part, Part::Call(_))).count();
        proptest::prop_assert!(told + calls * 2 >= kept(&text), "{:?}", whole);
    }
}
