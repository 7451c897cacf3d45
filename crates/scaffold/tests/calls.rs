//! Calls that are held to the schemas of their tools, in the ways in which models write calls, from a model whose weights are
//! random: what it would like to say is noise.

use scaffold::config::{Config, Flag, Inputs, Key};
use scaffold::{Call, GenerateOptions, LlmManager, Message, RenderOptions, ToolChoice};
use scaffold_testing::golden::tiny;
use scaffold_testing::tokenizer::byte_level;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The token that marks calls where it is a control token, and where it is a word.
const MARK: u32 = 480;
const WORD: u32 = 481;

/// How templates write calls. The last column: texts may be any, and are not only those of an `enum`.
const WAYS: [(&str, &str, bool); 8] = [
    (
        "hermes",
        "{% for c in m.tool_calls %}\n<tool_call>\n{\"name\": \"{{ c.function.name }}\", \"arguments\": \
         {{ c.function.arguments | tojson }}}\n</tool_call>{% endfor %}",
        true,
    ),
    (
        "a list",
        "[TOOL_CALLS][{% for c in m.tool_calls %}{\"name\": \"{{ c.function.name }}\", \"arguments\": \
         {{ c.function.arguments | tojson }}}{% if not loop.last %}, {% endif %}{% endfor %}]",
        true,
    ),
    (
        "a name before",
        "{% for c in m.tool_calls %}[TOOL_CALLS]{{ c.function.name }}[CALL_ID]{{ c.id }}[ARGS]{{ c.function.arguments | tojson }}\
         {% endfor %}",
        true,
    ),
    (
        "bare",
        "{\"name\": \"{{ m.tool_calls[0].function.name }}\", \"parameters\": {{ m.tool_calls[0].function.arguments | tojson }}}",
        true,
    ),
    (
        "parameters",
        "{% for c in m.tool_calls %}\n<tool_call>\n<function={{ c.function.name }}>\n{% for k, v in c.function.arguments | items %}\
         <parameter={{ k }}>\n{{ v }}\n</parameter>\n{% endfor %}</function>\n</tool_call>{% endfor %}",
        false,
    ),
    (
        "marked texts",
        "{% for c in m.tool_calls %}<tool_call>call:{{ c.function.name }}{{ '{' }}{%- for k, v in c.function.arguments | items %}\
         {{ k }}:{% if v is string %}<|\"|>{{ v }}<|\"|>{% else %}{{ v | tojson }}{% endif %}{% if not loop.last %},{% endif %}\
         {% endfor %}{{ '}' }}<tool_call|>{% endfor %}",
        false,
    ),
    (
        "pythonic",
        "[{% for c in m.tool_calls %}{{ c.function.name }}({% for k, v in c.function.arguments | items %}{{ k }}={{ v | tojson }}\
         {% if not loop.last %}, {% endif %}{% endfor %}){% if not loop.last %}, {% endif %}{% endfor %}]",
        true,
    ),
    (
        "pythonic, single quotes",
        "[{% for c in m.tool_calls %}{{ c.function.name }}({% for k, v in c.function.arguments | items %}{{ k }}=\
         {% if v is string %}'{{ v }}'{% else %}{{ v | tojson }}{% endif %}{% if not loop.last %}, {% endif %}{% endfor %})\
         {% if not loop.last %}, {% endif %}{% endfor %}]",
        true,
    ),
];

fn template(calls: &str) -> String {
    format!(
        "{{% for m in messages %}}<|im_start|>{{{{ m.role }}}}\n{{{{ m.content or '' }}}}{{% if m.tool_calls %}}{calls}{{% endif %}}<|im_end|>\n\
         {{% endfor %}}{{% if add_generation_prompt %}}<|im_start|>assistant\n{{% endif %}}"
    )
}

/// A small Llama of random weights whose tokens are bytes, and one or two marks.
fn model(calls: &str) -> (TempDir, LlmManager) {
    let directory = tempfile::tempdir().unwrap();
    let tiny = tiny("llama");
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(tiny.dir.join(file), directory.path().join(file)).unwrap();
    }
    let mut file = byte_level();
    let mark = json!({ "id": MARK, "content": "<tool_call>", "special": true, "single_word": false, "lstrip": false, "rstrip": false,
                       "normalized": false });
    file["added_tokens"].as_array_mut().unwrap().push(mark);
    let words = file["model"]["vocab"].as_object_mut().unwrap();
    words.retain(|_, id| *id != MARK && *id != WORD);
    words.insert("<tool_call>".to_owned(), MARK.into());
    words.insert("[TOOL_CALLS]".to_owned(), WORD.into());
    std::fs::write(directory.path().join("tokenizer.json"), file.to_string()).unwrap();
    let config = json!({ "chat_template": template(calls), "eos_token": "<|im_end|>", "tokenizer_class": "PreTrainedTokenizerFast" });
    std::fs::write(directory.path().join("tokenizer_config.json"), config.to_string()).unwrap();
    let off = Flag { key: Key::PackedCache, name: "--test", value: "off".to_owned() };
    let inputs = Inputs { variable: &|_| None, project: None, file: None, flags: vec![off] };
    let name = directory.path().to_str().unwrap().to_owned();
    let config = Config::load(inputs).unwrap();
    let model = LlmManager::builder(name).config(&config).context(1024).load().unwrap();
    (directory, model)
}

/// Noise that comes to an end: what closes texts and lists is liked.
fn wild(model: &LlmManager, seed: u64) -> GenerateOptions {
    let tokenizer = model.tokenizer().unwrap();
    let token = |byte: u8| {
        (0..300).find(|&id| tokenizer.token_bytes(id).as_deref() == Some(&[byte])).unwrap()
    };
    let options = GenerateOptions::new().temperature(1.5).seed(seed).max_new_tokens(500);
    b"\"'])},".iter().fold(options, |options, &byte| options.bias(token(byte), 4.0))
}

/// Two tools; `texts`: one takes a text that may be any.
fn tools(texts: bool, strict: bool) -> Vec<Value> {
    let text = if texts {
        json!({ "type": "string", "maxLength": 8 })
    } else {
        json!({ "enum": ["x's \"y\"", "z\\n"], "type": "string" })
    };
    let weather = json!({
        "type": "object",
        "properties": {
            "city": { "type": "string", "enum": ["Bonn", "Rome"] },
            "days": { "type": "integer", "minimum": 1, "maximum": 9 },
            "note": text,
            "where": { "$ref": "#/$defs/place" },
            "by": { "type": ["string", "null"], "enum": ["car", null] },
        },
        "required": ["city", "where"],
        "additionalProperties": false,
        "$defs": { "place": { "type": "array", "items": { "type": "boolean" }, "minItems": 1, "maxItems": 2 } },
    });
    let optional = json!({ "type": "object", "properties": { "a": { "enum": [1, 2] }, "b": { "type": "boolean" } }, "additionalProperties": false });
    [("weather", weather), ("stop", optional)]
        .into_iter()
        .map(|(name, parameters)| json!({ "type": "function", "function": { "name": name, "parameters": parameters, "strict": strict } }))
        .collect()
}

fn render(tools: &[Value]) -> RenderOptions {
    let tools = tools.iter().map(|tool| serde_json::from_value(tool.clone()).unwrap()).collect();
    RenderOptions { tools, ..RenderOptions::default() }
}

fn check(way: &str, call: &Call, tools: &[Value]) {
    let tool = tools.iter().find(|tool| tool["function"]["name"] == *call.name).unwrap();
    let arguments: Value = serde_json::from_str(&call.arguments).unwrap();
    let validator = jsonschema::validator_for(&tool["function"]["parameters"]).unwrap();
    let faults: Vec<String> =
        validator.iter_errors(&arguments).map(|error| error.to_string()).collect();
    assert!(faults.is_empty(), "{way}: {}({arguments}): {faults:?}", call.name);
}

#[test]
fn calls_that_have_to_come_are_valid_in_every_way_of_writing_them() {
    let chat = [Message::user("Call.")];
    for (way, calls, texts) in WAYS {
        let (_directory, model) = model(calls);
        let tools = tools(texts, false);
        let (mut seen, mut cut) = (0, 0);
        for seed in 0..12 {
            let mut options =
                wild(&model, seed).render(render(&tools)).tool_choice(ToolChoice::Required);
            options.one_call = seed % 2 == 0;
            let reply = model.reply_with(&chat, &options).unwrap();
            cut += usize::from(reply.answer.incomplete);
            if reply.answer.incomplete {
                continue;
            }
            assert!(reply.text.trim().is_empty() && !reply.calls.is_empty(), "{way}: {reply:?}");
            assert!(reply.calls.len() == 1 || !options.one_call, "{way}: {reply:?}");
            reply.calls.iter().for_each(|call| check(way, call, &tools));
            seen += reply.calls.len();
        }
        assert!(seen >= 8 && cut <= 4, "{way}: {seen} calls, {cut} answers cut");
    }
}

/// Where the model need not call, it is free, and held from the mark of its calls on.
#[test]
fn strict_tools_are_held_from_the_mark_of_calls_on() {
    let chat = [Message::user("Call, if you like.")];
    for (way, calls, texts) in WAYS {
        let (_directory, model) = model(calls);
        let has_mark = calls.contains("<tool_call>") || calls.contains("[TOOL_CALLS]");
        let tools = tools(texts, true);
        let render = render(&tools);
        assert_eq!(model.holds_strict_tools(&render).unwrap(), has_mark, "{way}");
        if !has_mark {
            continue;
        }
        let (mut called, mut free) = (0, 0);
        for seed in 0..16 {
            let liked = if calls.contains("[TOOL_CALLS]") { WORD } else { MARK };
            let options = wild(&model, seed).bias(liked, 4.5).render(render.clone());
            let reply = model.reply_with(&chat, &options.max_new_tokens(300)).unwrap();
            if !reply.answer.incomplete {
                reply.calls.iter().for_each(|call| check(way, call, &tools));
                called += reply.calls.len();
            }
            free += usize::from(!reply.text.trim().is_empty());
        }
        assert!(called >= 4 && free >= 4, "{way}: {called} calls, {free} texts");
    }
}

/// Beside a form, calls of tools that are not strict may have any arguments, and those of strict ones have not.
#[test]
fn answers_are_of_a_form_or_call() {
    let chat = [Message::user("Yes?")];
    for (way, calls, texts) in WAYS {
        let (_directory, model) = model(calls);
        let (mut said, mut called) = (0, 0);
        for seed in 0..12 {
            let tools = tools(texts, seed % 2 == 0);
            let options = wild(&model, seed)
                .render(render(&tools))
                .choices(["<yes>", "[no]", "{so}"])
                .max_new_tokens(300);
            let reply = model.reply_with(&chat, &options).unwrap();
            if reply.answer.incomplete {
                continue;
            }
            assert!(reply.calls.is_empty() != reply.text.is_empty(), "{way}: {reply:?}");
            if seed % 2 == 0 {
                reply.calls.iter().for_each(|call| check(way, call, &tools));
            }
            said += usize::from(!reply.text.is_empty());
            called += reply.calls.len();
        }
        assert!(said + called >= 6, "{way}: {said} texts, {called} calls");
    }
}

#[test]
fn what_a_way_of_writing_cannot_be_held_to_is_told() {
    let (_directory, model) = model(WAYS[4].1);
    let parameters = json!({ "type": "object", "properties": { "when": { "type": "string", "pattern": "^[0-9]+$" } } });
    let tool =
        json!({ "type": "function", "function": { "name": "look", "parameters": parameters } });
    let options = GenerateOptions::new().render(render(&[tool])).tool_choice(ToolChoice::Required);
    let error = model.reply_with(&[Message::user("Call.")], &options).unwrap_err().to_string();
    assert!(
        error.contains("\"look\"") && error.contains("\"when\"") && error.contains("`pattern`"),
        "{error}"
    );
}
