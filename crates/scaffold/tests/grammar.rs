//! Answers that keep to grammars, from a model whose weights are random: what it would like to say is
//! noise, so that only the grammar makes it right.

use std::path::Path;
use std::sync::OnceLock;

use scaffold::config::{Config, Flag, Inputs, Key};
use scaffold::{GenerateOptions, Grammar, Kind, LlmManager, Message, RenderOptions, ToolChoice};
use scaffold_testing::golden::tiny;
use scaffold_testing::tokenizer::byte_level;
use serde_json::{Value, json};
use tempfile::TempDir;

const TEMPLATE: &str = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}\
    {% if add_generation_prompt %}<|im_start|>assistant\n{% if thinking %}<think>\n{% endif %}{% endif %}\
    {# <think> reasoning_content </think> #}";

/// As gpt-oss writes: each message in a channel.
const CHANNELS: &str = "{% for m in messages %}<|start|>{{ m.role }}<|message|>{{ m.content }}<|end|>{% endfor %}\
    {% if thinking %}<|channel|>analysis{% endif %}{% if add_generation_prompt %}<|start|>assistant{% endif %}";

/// The same model, with answers in channels.
fn in_channels() -> (TempDir, LlmManager) {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path());
    let marks = [
        "<|start|>",
        "<|channel|>",
        "<|message|>",
        "<|end|>",
        "<|constrain|>",
        "<|call|>",
        "<|return|>",
    ];
    let mut file = byte_level();
    for (id, name) in (480..).zip(marks) {
        let added = json!({"id": id, "content": name, "special": true, "single_word": false, "lstrip": false, "rstrip": false,
                           "normalized": false});
        file["added_tokens"].as_array_mut().unwrap().push(added);
        file["model"]["vocab"].as_object_mut().unwrap().retain(|_, known| *known != id);
        file["model"]["vocab"][name] = id.into();
    }
    std::fs::write(directory.path().join("tokenizer.json"), file.to_string()).unwrap();
    let config = json!({ "chat_template": CHANNELS, "eos_token": "<|return|>", "tokenizer_class": "PreTrainedTokenizerFast" });
    std::fs::write(directory.path().join("tokenizer_config.json"), config.to_string()).unwrap();
    let model = open(directory.path());
    (directory, model)
}

fn open(directory: &Path) -> LlmManager {
    let name = directory.to_str().unwrap().to_owned();
    let off = Flag { key: Key::PackedCache, name: "--test", value: "off".to_owned() };
    let inputs = Inputs { variable: &|_| None, project: None, file: None, flags: vec![off] };
    let config = Config::load(inputs).unwrap();
    LlmManager::builder(name).config(&config).context(512).load().unwrap()
}

/// A small Llama of random weights whose tokens are bytes.
fn model() -> &'static LlmManager {
    static MODEL: OnceLock<(TempDir, LlmManager)> = OnceLock::new();
    &MODEL
        .get_or_init(|| {
            let directory = tempfile::tempdir().unwrap();
            write(directory.path());
            let model = open(directory.path());
            (directory, model)
        })
        .1
}

fn write(directory: &Path) {
    let tiny = tiny("llama");
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(tiny.dir.join(file), directory.join(file)).unwrap();
    }
    std::fs::write(directory.join("tokenizer.json"), byte_level().to_string()).unwrap();
    let config = json!({ "chat_template": TEMPLATE, "eos_token": "<|im_end|>", "tokenizer_class": "PreTrainedTokenizerFast" });
    std::fs::write(directory.join("tokenizer_config.json"), config.to_string()).unwrap();
}

fn wild(seed: u64) -> GenerateOptions {
    GenerateOptions::new().temperature(1.5).seed(seed).max_new_tokens(300)
}

fn city() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "minLength": 1, "maxLength": 8 },
            "inhabitants": { "type": "integer", "minimum": 0, "maximum": 40_000_000 },
            "tags": { "type": "array", "items": { "enum": ["old", "new"] }, "maxItems": 2 },
        },
        "required": ["name", "inhabitants", "tags"],
        "additionalProperties": false,
    })
}

#[derive(Debug, serde::Deserialize)]
struct City {
    name: String,
    inhabitants: u32,
    tags: Vec<String>,
}

#[test]
fn noise_becomes_what_is_asked_for() {
    for seed in 0..5 {
        let options = wild(seed).schema(city());
        let answer = model().generate_with("A city?", &options).unwrap();
        let city: City = serde_json::from_str(&answer.text).unwrap();
        assert!((1..=8).contains(&city.name.chars().count()) && city.inhabitants <= 40_000_000);
        assert!(city.tags.len() <= 2 && !answer.incomplete);

        let answer = model().generate_with("Yes?", &wild(seed).choices(["yes", "no"])).unwrap();
        assert!(["yes", "no"].contains(&&*answer.text));
        let answer =
            model().generate_with("A date?", &wild(seed).regex("[0-9]{4}-[01][0-9]")).unwrap();
        assert_eq!(answer.text.len(), 7);
        let grammar = Grammar::of_text("root ::= \"(\" [a-c]{2} \")\"");
        let answer = model().generate_with("?", &wild(seed).grammar(grammar)).unwrap();
        assert!(answer.text.starts_with('(') && answer.text.len() == 4, "{}", answer.text);
    }
    assert!(model().engine().unwrap().metrics().forced_tokens > 100);
}

#[test]
fn answers_that_keep_to_grammars_are_the_same_beside_others() {
    let options: Vec<GenerateOptions> = (0..9)
        .map(|seed| match seed % 3 {
            0 => wild(seed).max_new_tokens(40),
            1 => wild(seed).schema(city()),
            _ => wild(seed).regex("([a-z]+ ){3,9}\\."),
        })
        .collect();
    let ask = |options: &GenerateOptions| model().generate_with("Say.", options).unwrap().ids;
    let alone: Vec<_> = options.iter().map(ask).collect();
    let ids = model().prompt_ids("Say.").unwrap();
    let streams: Vec<_> =
        options.iter().map(|options| model().stream_ids(ids.clone(), options).unwrap()).collect();
    let together: Vec<_> =
        streams.into_iter().map(|stream| stream.collect_answer().unwrap().ids).collect();
    assert_eq!(together, alone);
    // Tokens that must follow are taken over or chosen: it is the same.
    let chosen: Vec<_> = options.iter().map(|options| ask(&options.clone().logprobs(0))).collect();
    assert_eq!(chosen, alone);
}

#[test]
fn replies_are_values_of_types() {
    let chat = [Message::user("A city?")];
    let city: City = model().reply_as(&chat, &wild(3).schema(city())).unwrap();
    assert!(!city.name.is_empty());
    let error = model()
        .reply_as::<City>(&chat, &wild(3).schema(self::city()).max_new_tokens(5))
        .unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge);
    assert!(error.sentence().contains("after 5 tokens"), "{error}");
    let error = model().reply_as::<City>(&chat, &wild(3).choices(["no city"])).unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
}

/// Where the prompt opens thoughts they are free, and what follows them is not.
#[test]
fn thoughts_come_before_what_keeps_to_a_grammar() {
    let kwargs = vec![("thinking".to_owned(), true.into())];
    let render = RenderOptions { kwargs, ..RenderOptions::default() };
    // The bytes of noise end thoughts by chance alone, so this makes it likely.
    let chat = [Message::user("Yes?")];
    let ids = model().chat_ids(&chat, &render).unwrap();
    let mut close = model().plain_ids("</think>").unwrap();
    let mut prompt = ids;
    prompt.append(&mut close);
    // Closed already: nothing but the answer may come.
    let answer =
        model().stream_ids(prompt, &wild(1).choices(["yes"])).unwrap().collect_answer().unwrap();
    assert_eq!(answer.text, "yes");
    let reply = model()
        .reply_with(&chat, &wild(1).choices(["yes"]).render(render).max_new_tokens(30))
        .unwrap();
    assert!(
        reply.answer.incomplete && reply.text.is_empty() && !reply.thoughts.is_empty(),
        "{reply:?}"
    );
}

/// Behind thoughts in a channel of their own comes the answer, or the call, in its channel.
#[test]
fn answers_in_channels_keep_to_grammars_too() {
    let (_directory, model) = in_channels();
    let tokenizer = model.tokenizer().unwrap();
    let like = |letter: &str| {
        let id = tokenizer.token_to_id(letter).unwrap();
        wild(4).bias(id, 60.0)
    };
    let chat = [Message::user("Yes?")];
    let reply = model.reply_with(&chat, &like("f").choices(["yes", "no"])).unwrap();
    assert!(["yes", "no"].contains(&&*reply.text) && !reply.answer.incomplete, "{reply:?}");
    let parameters = json!({ "type": "object", "properties": { "city": { "enum": ["Bonn", "Rome"] } }, "required": ["city"],
        "additionalProperties": false });
    let tool =
        json!({ "type": "function", "function": { "name": "weather", "parameters": parameters } });
    let render = RenderOptions {
        tools: vec![serde_json::from_value(tool).unwrap()],
        ..RenderOptions::default()
    };
    let options = like("c").render(render).tool_choice(ToolChoice::Required);
    let reply = model.reply_with(&chat, &options).unwrap();
    assert_eq!(reply.calls.len(), 1, "{reply:?}");
    let arguments: Value = serde_json::from_str(&reply.calls[0].arguments).unwrap();
    assert!(
        reply.calls[0].name == "weather"
            && ["Bonn", "Rome"].contains(&arguments["city"].as_str().unwrap())
    );
    // Thoughts that do not end are cut with the answer.
    let reply = model.reply_with(&chat, &like("a").choices(["yes"]).max_new_tokens(40)).unwrap();
    assert!(
        reply.answer.incomplete && reply.text.is_empty() && !reply.thoughts.is_empty(),
        "{reply:?}"
    );
}

#[test]
fn what_cannot_be_kept_to_is_refused_before_anything_is_computed() {
    // One of its own: the others' requests are counted, too.
    let directory = tempfile::tempdir().unwrap();
    write(directory.path());
    let model = open(directory.path());
    let before = model.engine().unwrap().metrics().submitted;
    for (grammar, kind, words) in [
        (Grammar::Schema(json!({ "not": { "enum": [1] } })), Kind::Unsupported, "`not` at `#/not`"),
        (Grammar::Regex("(".into()), Kind::Usage, "unclosed group"),
        (Grammar::Gbnf("x ::= y".into()), Kind::Usage, "the rule `y`"),
        (Grammar::Choices(vec![]), Kind::Usage, "the choices"),
    ] {
        let options = GenerateOptions::new().grammar(grammar);
        let error = model.generate_with("?", &options).unwrap_err();
        assert_eq!((error.kind(), error.sentence().contains(words)), (kind, true), "{error}");
        assert!(options.check().is_err());
    }
    assert_eq!(model.engine().unwrap().metrics().submitted, before);
}
