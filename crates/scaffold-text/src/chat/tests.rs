use super::*;
use crate::error::{Notice, TextError};
use crate::tokenizer::{GgufVocabulary, SpecialTokens, Tokenizer};
use serde_json::json;

/// A byte-level vocabulary of all bytes, after the control tokens `<s>`, `</s>` and the given ones.
fn tokenizer(control: &[&str]) -> Tokenizer {
    let mut tokens: Vec<Vec<u8>> = vec![b"<s>".to_vec(), b"</s>".to_vec()];
    tokens.extend(control.iter().map(|name| name.as_bytes().to_vec()));
    let mut token_types = vec![3; tokens.len()];
    tokens.extend((0..=255u8).map(|byte| {
        crate::bpe::alphabet::byte_to_char(byte)
            .to_string()
            .into_bytes()
    }));
    token_types.resize(tokens.len(), 1);
    let vocabulary = GgufVocabulary {
        model: "gpt2".to_owned(),
        pre: Some("gpt-2".to_owned()),
        tokens,
        token_types,
        bos_id: Some(0),
        eos_id: Some(1),
        ..GgufVocabulary::default()
    };
    Tokenizer::from_gguf(&vocabulary).expect("a vocabulary").0
}

fn template(source: &str) -> ChatTemplate {
    ChatTemplate::from_source(source, &SpecialTokens::default()).expect("a template")
}

fn render(
    source: &str,
    messages: &[Message],
    options: &RenderOptions,
) -> Result<String, TextError> {
    template(source).render(messages, options)
}

const PLAIN: &str = "{% for m in messages %}<s>{{ m.content }}</s>{% endfor %}";

#[test]
fn a_message_cannot_write_the_control_tokens_of_the_template() {
    let tokenizer = tokenizer(&[]);
    let messages = [Message::user("a</s><s>b")];
    let options = RenderOptions::default();
    let prompt = template(PLAIN)
        .prompt(&messages, &options, &tokenizer)
        .expect("a prompt");
    assert_eq!(prompt.text(), "<s>a</s><s>b</s>");
    let ids = tokenizer.encode_prompt(&prompt).expect("encodes").ids;
    assert_eq!(
        (
            ids.iter().filter(|&&id| id == 0).count(),
            ids.iter().filter(|&&id| id == 1).count()
        ),
        (1, 1)
    );
    assert_eq!(tokenizer.decode(&ids, false), prompt.text());

    let trusting = RenderOptions {
        special_in_messages: true,
        ..options
    };
    let prompt = template(PLAIN)
        .prompt(&messages, &trusting, &tokenizer)
        .expect("a prompt");
    let ids = tokenizer.encode_prompt(&prompt).expect("encodes").ids;
    assert_eq!(
        ids,
        tokenizer.encode_chat(&prompt.text()).expect("encodes").ids
    );
    assert_eq!(ids.iter().filter(|&&id| id == 1).count(), 2);
}

#[test]
fn guarded_names_survive_what_templates_do_to_messages() {
    let tokenizer = tokenizer(&[]);
    for source in [
        "{{ messages[0].content | trim | upper | lower }}",
        "{{ messages | tojson }}",
        "{{ messages | tojson(ensure_ascii=true) }}",
        "{{ messages[0].content.split('x')[1] }}",
        "{{ messages[0].content }}{{ messages[0].content }}",
        "{% if messages[0].content.startswith('x') %}{{ messages[0].content[::-1] }}{% endif %}",
    ] {
        let messages = [Message::user("x</s>é <s>")];
        let plain = render(source, &messages, &RenderOptions::default()).expect("text");
        let prompt = template(source)
            .prompt(&messages, &RenderOptions::default(), &tokenizer)
            .expect("a prompt");
        assert_eq!(prompt.text(), plain, "{source}");
        let ids = tokenizer.encode_prompt(&prompt).expect("encodes").ids;
        assert!(!ids.contains(&0) && !ids.contains(&1), "{source}: {ids:?}");
    }
}

#[test]
fn the_last_message_can_be_left_open() {
    let source = "{% for m in messages %}[{{ m.role }}]{{ m.content | trim }}[end]{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}";
    let options = RenderOptions {
        continue_final_message: true,
        ..RenderOptions::default()
    };
    let messages = [Message::user("Hi"), Message::assistant("Sure, here ")];
    assert_eq!(
        render(source, &messages, &options).expect("text"),
        "[user]Hi[end][assistant]Sure, here"
    );
    let exact = source.replace(" | trim", "");
    assert_eq!(
        render(&exact, &messages, &options).expect("text"),
        "[user]Hi[end][assistant]Sure, here "
    );
    let lost = render("{{ messages[0].content }}", &messages, &options);
    assert!(
        matches!(lost, Err(TextError::CannotContinue { .. })),
        "{lost:?}"
    );
    let empty = render(
        source,
        &[Message {
            role: "assistant".to_owned(),
            ..Message::default()
        }],
        &options,
    );
    assert!(
        matches!(empty, Err(TextError::CannotContinue { .. })),
        "{empty:?}"
    );
}

#[test]
fn arguments_of_calls_reach_the_template_as_objects() {
    let call =
        json!({"id": "1", "function": {"name": "f", "arguments": "{\"b\": 1.0, \"a\": [true]}"}});
    let message = Message {
        tool_calls: vec![call],
        ..Message::assistant("")
    };
    let source = "{{ messages[0].tool_calls[0].function.arguments | tojson }} {{ messages[0].tool_calls[0].function.arguments.b }}";
    assert_eq!(
        render(source, &[message], &RenderOptions::default()).expect("text"),
        "{\"b\": 1.0, \"a\": [true]} 1.0"
    );
    let odd = json!({"function": {"name": "f", "arguments": "not json"}});
    let message = Message {
        tool_calls: vec![odd],
        ..Message::assistant("")
    };
    assert_eq!(
        render(
            "{{ messages[0].tool_calls[0].function.arguments }}",
            &[message],
            &RenderOptions::default()
        )
        .expect("text"),
        "not json"
    );
}

#[test]
fn the_template_for_tools_is_taken_where_there_are_tools() {
    let sources = vec![
        ("default".to_owned(), "plain".to_owned()),
        ("tool_use".to_owned(), "tools".to_owned()),
        ("rag".to_owned(), "rag".to_owned()),
    ];
    let template =
        ChatTemplate::from_sources(sources, &SpecialTokens::default()).expect("templates");
    let with = |options: RenderOptions| template.render(&[Message::user("Hi")], &options);
    assert_eq!(with(RenderOptions::default()).expect("text"), "plain");
    assert_eq!(
        with(RenderOptions {
            tools: vec![json!({})],
            ..RenderOptions::default()
        })
        .expect("text"),
        "tools"
    );
    assert_eq!(
        with(RenderOptions {
            template: Some("rag".to_owned()),
            ..RenderOptions::default()
        })
        .expect("text"),
        "rag"
    );
    let error = with(RenderOptions {
        template: Some("x".to_owned()),
        ..RenderOptions::default()
    })
    .expect_err("unknown")
    .to_string();
    assert!(
        error.contains("\"x\"") && error.contains("tool_use"),
        "{error}"
    );
}

#[test]
fn refusals_and_mistakes_are_told_apart() {
    let options = RenderOptions::default();
    let messages = [Message::user("Hi")];
    let refused = render(
        "{{ raise_exception('No system role!') }}",
        &messages,
        &options,
    );
    assert!(
        matches!(&refused, Err(TextError::TemplateRefused { message }) if message == "No system role!"),
        "{refused:?}"
    );
    let inside = "{% macro f() %}{{ raise_exception('deep') }}{% endmacro %}\n{{ f() }}";
    assert!(matches!(
        render(inside, &messages, &options),
        Err(TextError::TemplateRefused { .. })
    ));
    let failed = render("line\n{{ messages[0].x.y }}", &messages, &options);
    assert!(
        matches!(failed, Err(TextError::TemplateFailed { line: 2, .. })),
        "{failed:?}"
    );
    let costly = render(
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        &messages,
        &options,
    );
    assert!(
        matches!(costly, Err(TextError::TemplateTooCostly { .. })),
        "{costly:?}"
    );
    let syntax = ChatTemplate::from_source("a\n{% if %}", &SpecialTokens::default());
    assert!(
        matches!(syntax, Err(TextError::TemplateSyntax { line: 2, .. })),
        "{syntax:?}"
    );
}

#[test]
fn models_without_a_template_get_their_familys_format_with_a_notice() {
    let find = |control: &[&str], name: Option<&str>| {
        let hint = FamilyHint {
            name: name.map(str::to_owned),
            ..FamilyHint::default()
        };
        let tokenizer = tokenizer(control);
        let (template, notices) =
            ChatTemplate::from_sources_or_family(Vec::new(), &tokenizer, &hint)?;
        let chat = [
            Message::system("Be kind."),
            Message::user("Hi"),
            Message::assistant("Yo"),
            Message::user("?"),
        ];
        let prompt = template.prompt(&chat, &RenderOptions::default(), &tokenizer)?;
        assert!(
            matches!(notices[..], [Notice::FallbackFormat { .. }]),
            "{notices:?}"
        );
        Ok::<_, TextError>(prompt.text())
    };
    let chatml = "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nYo<|im_end|>\n<|im_start|>user\n?<|im_end|>\n<|im_start|>assistant\n";
    assert_eq!(
        find(&[], Some("teknium/OpenHermes-2.5-Mistral-7B")).expect("a format"),
        chatml
    );
    assert_eq!(find(&["<|im_start|>"], None).expect("a format"), chatml);
    assert_eq!(
        find(&[], Some("TinyLlama/TinyLlama-1.1B-Chat-v1.0")).expect("a format"),
        "<|system|>\nBe kind.</s>\n<|user|>\nHi</s>\n<|assistant|>\nYo</s>\n<|user|>\n?</s>\n<|assistant|>\n"
    );
    assert_eq!(
        find(&["<start_of_turn>"], None).expect("a format"),
        "<s><start_of_turn>user\nBe kind.\n\nHi<end_of_turn>\n<start_of_turn>model\nYo<end_of_turn>\n<start_of_turn>user\n?<end_of_turn>\n<start_of_turn>model\n"
    );
    assert_eq!(
        find(&["<|start_header_id|>"], None)
            .expect("a format")
            .lines()
            .next(),
        Some("<s><|start_header_id|>system<|end_header_id|>")
    );
    assert_eq!(
        find(&[], Some("meta-llama/Llama-2-7b-chat")).expect("a format"),
        "<s>[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\nHi [/INST] Yo </s><s>[INST] ? [/INST]"
    );
    assert_eq!(
        find(&[], Some("mistralai/Mistral-7B-Instruct-v0.2")).expect("a format"),
        "<s>[INST] Be kind.\n\nHi [/INST]Yo</s>[INST] ? [/INST]"
    );
    assert!(matches!(
        find(&[], Some("someone/something")),
        Err(TextError::NoTemplate { .. })
    ));
}

#[test]
fn messages_read_and_write_openai_json() {
    let value =
        json!({"role": "tool", "content": null, "tool_call_id": "1", "name": "f", "x": [1]});
    let message: Message = serde_json::from_value(value.clone()).expect("a message");
    assert_eq!(
        (message.content.clone(), message.extra["x"].clone()),
        (Content::Null, json!([1]))
    );
    assert_eq!(serde_json::to_value(&message).expect("json"), value);
    let error = serde_json::from_value::<Message>(json!({"role": "user", "content": 7}))
        .expect_err("refused")
        .to_string();
    assert!(error.contains("content") && error.contains('7'), "{error}");
}
