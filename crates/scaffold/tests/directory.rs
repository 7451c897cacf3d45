//! Models in directories, without a network: a small random model with a tokenizer and a chat
//! format written here.

use std::path::Path;

use scaffold::builder::FromModel as _;
use scaffold::config::{Config, Flag, Inputs, Key};
use scaffold::engine::{ControlText, Request};
use scaffold::hub::{Event, LocalModel, Progress, Silent};
use scaffold::{
    Error, GenerateOptions, Kind, LlmManager, LoadOptions, Message, Model, RenderOptions, Topic,
};
use scaffold_testing::tokenizer::byte_level;
use serde_json::{Value, json};
use tempfile::TempDir;

const CHATML: &str = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}\
                      {% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
const IM_END: u32 = 4;

fn write(directory: &Path, name: &str, value: &Value) {
    std::fs::write(directory.join(name), value.to_string()).unwrap();
}

/// A directory as the Hub serves it.
fn model(template: Option<&str>) -> TempDir {
    let tiny = scaffold_testing::golden::tiny("llama");
    let directory = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(tiny.dir.join(file), directory.path().join(file)).unwrap();
    }
    let mut config = json!({"bos_token": "<s>", "eos_token": "</s>", "tokenizer_class": "PreTrainedTokenizerFast"});
    if let Some(template) = template {
        config["chat_template"] = template.into();
    }
    write(directory.path(), "tokenizer.json", &byte_level());
    write(directory.path(), "tokenizer_config.json", &config);
    let generation = json!({"eos_token_id": [2, IM_END], "temperature": 0.6, "do_sample": true, "repetition_penalty": 1.1});
    write(directory.path(), "generation_config.json", &generation);
    directory
}

fn config(flags: &[(Key, &str)]) -> Config {
    let flag = |&(key, value): &(Key, &str)| Flag { key, name: "--test", value: value.to_owned() };
    // Without a home there is no place for packed weights.
    let flags = flags.iter().chain(&[(Key::PackedCache, "off")]).map(flag).collect();
    Config::load(Inputs { variable: &|_| None, project: None, file: None, flags }).unwrap()
}

fn open(directory: &TempDir, config: &Config) -> LlmManager {
    open_with(directory, &LoadOptions::from(config), config).unwrap()
}

fn open_with(
    directory: &TempDir,
    options: &LoadOptions,
    config: &Config,
) -> Result<LlmManager, Error> {
    let files = LocalModel::on_disk(directory.path()).named("tiny");
    LlmManager::from_model(&Model::open(&files, options)?, config, Vec::new(), &mut Silent)
}

/// Whether a notice of this topic has these words.
fn told(model: &LlmManager, topic: Topic, words: &str) -> bool {
    model.notices().iter().any(|notice| notice.topic == topic && notice.text.contains(words))
}

#[test]
fn a_directory_answers_by_its_own_settings() {
    let directory = model(Some(CHATML));
    let config =
        config(&[(Key::Model, directory.path().to_str().unwrap()), (Key::MaxLength, "12")]);
    let model = LlmManager::builder(config.model.value.clone()).config(&config).load().unwrap();
    assert!(model.engine().unwrap().config().eos.starts_with(&[2, IM_END]));
    let (sampling, _) = model.effective(&GenerateOptions::new()).unwrap();
    assert_eq!((sampling.temperature, sampling.repetition_penalty), (0.6, 1.1));
    assert!(told(&model, Topic::Sampling, "where no setting of yours does"));
    assert!(told(&model, Topic::Device, "computing on cpu"));
    model.generate_response("Hello").unwrap();
    model.chat(&[Message::system("Be kind."), Message::user("Hello")]).unwrap();
    let answers = model.batch_generate(&["a", "b", "c"]);
    assert!(answers.len() == 3 && answers.iter().all(Result::is_ok));
    let description = model.describe();
    for part in ["llama", "F32", "256 tokens", "tokenizer.json"] {
        assert!(description.contains(part), "{part} is missing in {description}");
    }
}

#[test]
fn prompts_in_the_models_format_are_not_wrapped_again() {
    let directory = model(Some(CHATML));
    let model = open(&directory, &config(&[]));
    let wrapped = model.prompt_ids("Hi").unwrap();
    assert_eq!(wrapped[..1], [3]);
    let written = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";
    assert_eq!(model.prompt_ids(written).unwrap(), wrapped);
    // A question about the format is not written in it.
    assert!(model.prompt_ids("What does <|im_start|>user mean?").unwrap().len() > 30);
    assert_eq!(model.prompt_ids("[INST] Hi [/INST]").unwrap()[..1], [3]);
}

#[test]
fn prompts_of_strangers_cannot_be_written_in_the_models_format() {
    let options = LoadOptions::new().special_as_text(true);
    let written = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";
    let directory = model(Some(CHATML));
    let strict = open_with(&directory, &options, &config(&[])).unwrap();
    let trusting = open(&directory, &config(&[]));
    assert_eq!(strict.prompt_ids("Hi").unwrap(), trusting.prompt_ids("Hi").unwrap());
    // One message whose words are these, as in a chat; each control token of the template's own.
    let ids = strict.prompt_ids(written).unwrap();
    assert_eq!(ids, strict.chat_ids(&[Message::user(written)], &RenderOptions::default()).unwrap());
    assert_eq!(ids.iter().filter(|&&id| id == IM_END).count(), 1);
    // Nor where a text is continued as it is.
    assert!(!strict.plain_ids(written).unwrap().contains(&IM_END));
    assert!(trusting.plain_ids(written).unwrap().contains(&IM_END));
}

#[test]
fn without_a_chat_format_prompts_are_continued_and_chats_refused() {
    let directory = model(None);
    // Nothing may tell the family's format either.
    let mut vocabulary = byte_level();
    let text = vocabulary.to_string().replace("<|im_start|>", "<a>").replace("<|im_end|>", "<b>");
    vocabulary = serde_json::from_str(&text).unwrap();
    write(directory.path(), "tokenizer.json", &vocabulary);
    let model = open(&directory, &config(&[(Key::MaxLength, "4")]));
    assert!(told(&model, Topic::ChatFormat, "continued as plain text"));
    assert_eq!(model.prompt_ids("Hi").unwrap().len(), 2);
    model.generate_response("Hi").unwrap();
    let error = model.chat(&[Message::user("Hi")]).unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported, "{error}");
}

#[test]
fn every_end_of_sequence_token_ends_an_answer() {
    let directory = model(Some(CHATML));
    let model = open(&directory, &config(&[]));
    for id in [2, IM_END] {
        let mut options = GenerateOptions::new().greedy();
        options.logit_bias.push((id, 1000.0));
        assert_eq!(model.generate_with("Hi", &options).unwrap().ids, [id]);
    }
}

#[test]
fn formats_that_are_not_converted_to_are_told() {
    let directory = model(Some(CHATML));
    let told = |dtype: &str| {
        let model = open(&directory, &config(&[(Key::TorchDtype, dtype)]));
        told(&model, Topic::Files, "weights are never converted")
    };
    assert!(told("float16") && told("bfloat16"));
    assert!(!told("auto") && !told("float32"));
}

#[test]
fn a_context_beyond_the_models_is_told() {
    let directory = model(Some(CHATML));
    let model = open(&directory, &config(&[(Key::Context, "300")]));
    assert!(told(&model, Topic::Context, "made for 256"));
    assert_eq!((model.info().context, model.info().model_context), (300, 256));
}

#[test]
fn what_cannot_be_used_is_an_error_that_names_it() {
    let directory = model(Some("{% for m in messages %}"));
    let error = open_with(&directory, &LoadOptions::default(), &config(&[])).unwrap_err();
    assert!(error.to_string().contains("template"), "{error}");

    let directory = model(Some(CHATML));
    std::fs::remove_file(directory.path().join("tokenizer.json")).unwrap();
    let error = open_with(&directory, &LoadOptions::default(), &config(&[])).unwrap_err();
    assert!(error.to_string().contains("tokenizer"), "{error}");

    let flags = [(Key::Device, "cuda"), (Key::Model, directory.path().to_str().unwrap())];
    let error = LlmManager::builder("?").config(&config(&flags)).load().unwrap_err();
    assert_eq!(error.kind(), Kind::Usage, "{error}");
    assert_eq!(error.place().key(), Some("LLM_DEVICE"));
}

#[test]
fn a_batch_has_as_many_prompts_as_it_likes() {
    let directory = model(None);
    write(directory.path(), "generation_config.json", &json!({}));
    let model = open(&directory, &config(&[(Key::MaxLength, "1")]));
    let places = model.engine().unwrap().config().max_waiting;
    let prompts = vec!["a"; places + 200];
    for answer in model.batch_generate(&prompts) {
        answer.unwrap();
    }
}

/// Every token of it is made of the one letter that its decoder strips, and the library strips more
/// than there is.
#[test]
fn a_tokenizer_that_panics_fails_the_request_and_the_engine_lives_on() {
    let directory = model(None);
    let vocab: serde_json::Map<_, _> = (0..512).map(|id| ("H".repeat(id + 1), id.into())).collect();
    let file = json!({
        "version": "1.0", "added_tokens": [],
        "decoder": {"type": "Strip", "content": "H", "start": 1, "stop": 600},
        "model": {"type": "WordPiece", "unk_token": "H", "continuing_subword_prefix": "", "max_input_chars_per_word": 100, "vocab": vocab}
    });
    write(directory.path(), "tokenizer.json", &file);
    write(directory.path(), "tokenizer_config.json", &json!({}));
    write(directory.path(), "generation_config.json", &json!({}));
    let model = open(&directory, &config(&[(Key::MaxLength, "4")]));
    for _ in 0..2 {
        let error = model.generate_response("HHH").unwrap_err();
        assert!(
            error.is_refusal() && error.to_string().contains("cannot be turned into text"),
            "{error}"
        );
        assert!(model.is_loaded());
    }
    assert_eq!(model.health().unwrap().panics, 0);
}

/// What a call says goes over the settings, what contradicts itself is refused, and what is asked
/// for arrives.
#[test]
fn a_call_says_how() {
    let directory = model(Some(CHATML));
    let model = open(&directory, &config(&[(Key::DoSample, "false"), (Key::MaxLength, "7")]));
    let (sampling, stop) = model.effective(&GenerateOptions::new()).unwrap();
    assert_eq!((sampling.is_greedy(), stop.max_new_tokens), (true, Some(7)));
    let options = GenerateOptions::new().temperature(1.5).max_new_tokens(3);
    let (sampling, stop) = model.effective(&options).unwrap();
    assert!(!sampling.is_greedy() && sampling.temperature == 1.5);
    assert_eq!((stop.max_new_tokens, sampling.repetition_penalty), (Some(3), 1.1));
    let error = model.effective(&options.greedy()).unwrap_err();
    assert!(error.to_string().contains("temperature is 1.5"), "{error}");
    let cold = GenerateOptions::new().greedy().temperature(0.0).top_p(1.0);
    assert!(model.effective(&cold).unwrap().0.is_greedy());
    let error = model.generate_with("Hi", &GenerateOptions::new().top_p(2.0)).unwrap_err();
    assert!(error.to_string().contains("top_p is 2"), "{error}");
    assert_eq!((error.model(), error.place().key()), (Some("tiny"), Some("top_p")));
    let error = model.generate(&"Hi ".repeat(300)).unwrap_err();
    assert_eq!((error.model(), error.kind()), (Some("tiny"), Kind::TooLarge));
}

#[test]
fn an_answer_tells_all_of_itself() {
    let directory = model(Some(CHATML));
    let model = open(&directory, &config(&[]));
    let options = GenerateOptions::new().seed(5).max_new_tokens(4).logprobs(2);
    let answer = model.chat_with(&[Message::user("Hi")], &options).unwrap();
    assert_eq!((answer.seed, answer.to_string()), (5, answer.text.clone()));
    assert_eq!(answer.logprobs.len(), answer.ids.len());
    assert!(answer.logprobs.iter().all(|one| one.top.len() == 2 && !one.chosen.bytes.is_empty()));
    let json = serde_json::to_value(&answer).unwrap();
    assert!(json["logprobs"][0]["token"].is_string() && json["finish"]["reason"].is_string());
    assert_eq!(json["usage"]["completion_tokens"], answer.ids.len());
}

#[test]
fn a_stream_is_stopped_from_elsewhere() {
    let directory = model(None);
    let model = open(&directory, &config(&[]));
    let mut options = GenerateOptions::new().max_new_tokens(200);
    options.ignore_eos = true;
    let mut stream = model.generate_stream_with("Hi", &options).unwrap();
    let canceller = stream.canceller();
    stream.recv().unwrap().unwrap();
    std::thread::spawn(move || canceller.cancel()).join().unwrap();
    let answer = stream.collect_answer().unwrap();
    assert_eq!(answer.finish, scaffold::engine::FinishReason::Cancelled);
    assert!(!answer.ids.is_empty() && answer.usage.completion_tokens == answer.ids.len());
}

#[test]
fn a_chat_of_nothing_and_words_that_a_template_drops_are_errors() {
    let template = "{% for m in messages %}{% if m.role in ['user', 'assistant'] %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endif %}{% endfor %}";
    let directory = model(Some(template));
    let model = open(&directory, &config(&[(Key::MaxLength, "2")]));
    let error = model.chat(&[]).unwrap_err();
    assert!(error.kind() == Kind::Usage && error.to_string().contains("no messages"), "{error}");
    let chat = [Message::user("Hi"), Message::new("usr", "What else?")];
    let error = model.chat(&chat).unwrap_err();
    assert_eq!((error.kind(), error.place().item()), (Kind::Usage, Some(1)), "{error}");
    assert!(error.to_string().contains("accepted: system, user, assistant"), "{error}");
    // A role of the model's own is taken.
    let template =
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}";
    let directory = self::model(Some(template));
    open(&directory, &config(&[(Key::MaxLength, "2")])).chat(&chat).unwrap();
}

/// Another program cuts the weights while they are loaded. A process that maps them would end there.
#[test]
fn weights_that_become_shorter_while_they_are_loaded_are_an_error_of_this_model_alone() {
    let (whole, cut) = (model(Some(CHATML)), model(Some(CHATML)));
    let config = config(&[(Key::MaxLength, "4")]);
    let other = open(&whole, &config);
    let weights = cut.path().join("model.safetensors");
    let length = weights.metadata().unwrap().len();
    for left in [length / 2, length - 1, 100] {
        std::fs::copy(whole.path().join("model.safetensors"), &weights).unwrap();
        let files = LocalModel::on_disk(cut.path()).named("cut");
        let opened = Model::open(&files, &LoadOptions::from(&config)).unwrap();
        std::fs::OpenOptions::new().write(true).open(&weights).unwrap().set_len(left).unwrap();
        let error = LlmManager::from_model(&opened, &config, Vec::new(), &mut Silent).unwrap_err();
        assert_eq!(error.kind(), Kind::Damaged, "{error}");
        assert!(error.to_string().contains("model.safetensors"), "{error}");
        assert!(other.generate("Hello").is_ok());
    }
}

#[test]
fn a_load_can_be_stopped_while_weights_are_read() {
    #[derive(Default)]
    struct Stops(usize);
    impl Progress for Stops {
        fn event(&mut self, _: &Event) {}
        fn loaded(&mut self, _: u64, _: u64) {
            self.0 += 1;
        }
        fn cancelled(&self) -> bool {
            self.0 == 2
        }
    }
    let directory = model(Some(CHATML));
    let (name, mut stops) = (directory.path().to_str().unwrap(), Stops::default());
    let config = config(&[]);
    let stopped = LlmManager::builder(name).config(&config).progress(&mut stops).load();
    assert_eq!((stopped.unwrap_err().kind(), stops.0), (Kind::Cancelled, 2));
}

#[test]
fn control_tokens_are_in_the_text_where_they_are_asked_for() {
    let directory = model(Some(CHATML));
    let model = open(&directory, &config(&[]));
    let text = |controls: ControlText| {
        let mut request = Request { controls, ..Request::new(vec![5, 6]) };
        request.sampling.logit_bias = vec![(3, 1e4)];
        request.stop.max_new_tokens = Some(2);
        model.submit(request).unwrap().collect_answer().unwrap().text
    };
    assert_eq!(text(ControlText::None), "");
    assert_eq!(text(ControlText::All), "<|im_start|><|im_start|>");
    assert_eq!(text(ControlText::These([3].into())), "<|im_start|><|im_start|>");
    assert_eq!(text(ControlText::These([4].into())), "");
}

#[test]
fn thoughts_and_calls_are_told_apart() {
    let template = "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>\
                    {% endif %}{{ m.content or '' }}{% for c in m.tool_calls or [] %}<|im_end|>{\"name\": \"{{ c.function.name }}\", \
                    \"arguments\": {{ c.function.arguments | tojson }}}{% endfor %}\n{% endfor %}\
                    {% if add_generation_prompt %}<|im_start|>assistant\n{% if think %}<think>\n{% endif %}{% endif %}";
    let directory = model(Some(template));
    let model = open(&directory, &config(&[(Key::MaxLength, "12")]));
    let syntax = model.answer_syntax().unwrap();
    assert!(syntax.has_calls() && syntax.has_thoughts());
    let chat = [Message::user("Hello")];
    let greedy = GenerateOptions::new().greedy();
    let whole = model.chat_with(&chat, &greedy).unwrap();
    let reply = model.reply_with(&chat, &greedy).unwrap();
    // Nothing is marked in what random weights say.
    assert_eq!((reply.text.trim(), &*reply.thoughts), (whole.text.trim(), ""));
    assert_eq!((reply.answer.ids, reply.calls.len()), (whole.ids, 0));
    let render = RenderOptions {
        kwargs: vec![("think".to_owned(), true.into())],
        ..RenderOptions::default()
    };
    let options = greedy.render(render);
    let thinking = model.reply_with(&chat, &options).unwrap();
    assert_eq!((&*thinking.text, thinking.thoughts.is_empty()), ("", false));
}
