//! Models of one's own: making, showing, copying, asking and removing them.

use std::fs;

use scaffold_testing::{golden, tokenizer};
use serde_json::{Value, json};

use crate::project::{Project, Ran};

const TEMPLATE: &str = "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}";

/// A project with a model that answers in `base`, and this Modelfile.
fn project(modelfile: &str) -> Project {
    let project = Project::new();
    let base = project.path().join("base");
    fs::create_dir(&base).unwrap();
    for file in ["config.json", "model.safetensors"] {
        fs::copy(golden::tiny("llama").dir.join(file), base.join(file)).unwrap();
    }
    let config = json!({
        "bos_token": "<s>", "eos_token": "</s>", "tokenizer_class": "PreTrainedTokenizerFast", "chat_template": TEMPLATE,
    });
    fs::write(base.join("tokenizer.json"), tokenizer::byte_level().to_string()).unwrap();
    fs::write(base.join("tokenizer_config.json"), config.to_string()).unwrap();
    fs::write(project.path().join("Modelfile"), modelfile).unwrap();
    project
}

const MARIO: &str = "# mine\nFROM ./base\nPARAMETER num_predict 4\nPARAMETER temperature 0\nPARAMETER num_ctx 4096\n\
                     SYSTEM \"\"\"Be\n\"Mario\".\"\"\"\nMESSAGE user Who?\nMESSAGE assistant Me.\nREQUIRES 0.5.0\n";

fn good(project: &Project, arguments: &[&str]) -> Ran {
    let ran = project.run(arguments);
    assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
    ran
}

#[test]
fn a_modelfile_makes_a_model_that_is_called_by_its_name() {
    let project = project(MARIO);
    let made = good(&project, &["create", "mario"]);
    assert_eq!(made.stdout, "mario:latest\n");
    for word in ["num_ctx changes nothing", "REQUIRES 0.5.0"] {
        assert!(made.stderr.contains(word), "{}", made.stderr);
    }
    let chat = project.path().join("chat.json");
    fs::write(&chat, r#"[{"role": "user", "content": "Hi"}]"#).unwrap();
    let answer: Value =
        serde_json::from_str(&good(&project, &["run", "mario", "Hi", "--json"]).stdout).unwrap();
    assert_eq!(answer["output_ids"].as_array().unwrap().len(), 4);
    // The prompt has what the model begins with.
    let ids: Vec<String> =
        answer["prompt_ids"].as_array().unwrap().iter().map(ToString::to_string).collect();
    let text = good(&project, &["detokenize", "mario", &ids.join(",")]).stdout;
    let wanted = "[system] Be\n\"Mario\".\n[user] Who?\n[assistant] Me.\n[user] Hi\n[assistant] ";
    assert!(text.contains(wanted), "{text}");
    // A flag goes first.
    let flagged = good(&project, &["run", "mario", "Hi", "--json", "--max-new-tokens", "2"]);
    let flagged: Value = serde_json::from_str(&flagged.stdout).unwrap();
    assert_eq!(flagged["output_ids"].as_array().unwrap().len(), 2);

    let listed: Value = serde_json::from_str(&good(&project, &["list", "--json"]).stdout).unwrap();
    assert_eq!((&listed[0]["name"], &listed[0]["place"]), (&json!("mario:latest"), &json!("made")));
    let shown: Value =
        serde_json::from_str(&good(&project, &["show", "mario", "--json"]).stdout).unwrap();
    assert_eq!(
        (&shown["name"], &shown["system"]),
        (&json!("mario:latest"), &json!("Be\n\"Mario\"."))
    );
    assert!(good(&project, &["show", "mario"]).stdout.contains("num_predict 4"));

    // What it says makes the same model again.
    let again = good(&project, &["show", "mario", "--modelfile"]).stdout;
    fs::write(project.path().join("again"), &again).unwrap();
    good(&project, &["create", "again", "-f", "again"]);
    assert_eq!(good(&project, &["show", "again", "--modelfile"]).stdout, again);

    assert_eq!(good(&project, &["cp", "mario", "luigi:v1"]).stdout, "luigi:v1\n");
    good(&project, &["rm", "mario", "again"]);
    let listed: Value = serde_json::from_str(&good(&project, &["list", "--json"]).stdout).unwrap();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["name"]), (1, &json!("luigi:v1")));
    assert!(project.path().join("base/model.safetensors").is_file());
}

/// A name of one's own goes before a directory of that name, which is told.
#[test]
fn a_directory_of_the_same_name_is_told_and_written_otherwise() {
    let project = project("FROM ./base\nSYSTEM Mine.\n");
    let made = good(&project, &["create", "base"]);
    assert!(made.stderr.contains("./base"), "{}", made.stderr);
    let named = |name: &str| -> Value {
        serde_json::from_str(&good(&project, &["show", name, "--json"]).stdout).unwrap()
    };
    assert_eq!(named("base")["name"], "base:latest");
    assert!(named("./base")["system"].is_null());
}

#[test]
fn what_cannot_be_made_says_why_and_where() {
    for (arguments, modelfile, words) in [
        (&["create", "a/b"][..], MARIO, "has a `/`"),
        (&["create", "mistral"], MARIO, "mistral:mine"),
        (&["create", "x", "-f", "none"], MARIO, "--from"),
        (&["create", "x"], "FROM ./base\nPARAMETER heat 1", "unknown parameter"),
        (&["create", "x"], "FROM ./base\nWHAT 1", "line 2"),
        (&["create", "x"], "SYSTEM a", "no FROM line"),
        (&["create", "x"], "FROM ./base\nADAPTER ./a", "LoRA"),
        (&["create", "x"], "FROM ./base\nTEMPLATE {{ .System }}", "language of Go"),
        (&["create", "x"], "FROM ./nothing", "nothing"),
        (&["copy", "none-such", "x"], MARIO, "none-such"),
    ] {
        let project = project(modelfile);
        let ran = project.run_with(arguments, &[("HF_HUB_OFFLINE", "1")]);
        assert!(ran.code.is_some_and(|ended| ended > 0), "{arguments:?} {modelfile}: {ran:?}");
        assert!(ran.stderr.contains(words), "{arguments:?} {modelfile}: {ran:?}");
        assert_eq!(good(&project, &["list", "--json"]).stdout.trim(), "[]");
    }
}
