//! The order of the sources, and what is said about values that cannot be used.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use super::*;

/// A project directory with the given files.
fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

fn load(
    files: &[(&str, &str)],
    variables: &[(&str, &str)],
    flags: &[(Key, &'static str, &str)],
) -> Result<Config, Error> {
    let directory = project(files);
    let variables: HashMap<&str, &str> = variables.iter().copied().collect();
    Config::load(Inputs {
        variable: &|name| variables.get(name).map(OsString::from),
        project: Some(directory.path().to_owned()),
        file: None,
        flags: flags
            .iter()
            .map(|&(key, name, value)| Flag { key, name, value: value.to_owned() })
            .collect(),
    })
}

#[test]
fn with_nothing_set_the_defaults_are_the_guides() {
    let config = load(&[], &[], &[]).unwrap();
    assert_eq!(config.model.value, "mistralai/Mistral-7B-Instruct-v0.2");
    assert_eq!(config.max_length.value, 512);
    assert_eq!(config.temperature.value, 0.7);
    assert!(config.do_sample.value);
    assert_eq!(config.top_p.value, 0.9);
    assert_eq!(config.top_k.value, 50);
    assert_eq!((config.device.value, config.torch_dtype.value), (Device::Auto, Dtype::Auto));
    assert_eq!((config.threads.value, config.context.value, config.cpu.value), (None, None, None));
    assert_eq!(config.token, None);
    assert_eq!(config.notices, []);
    assert!(config.rows().iter().all(|row| row.source == Source::Default));
    assert_eq!(config.rows().len(), Key::all().count());
}

#[test]
fn each_source_yields_to_the_one_above_it() {
    let toml = ("scaffold.toml", "\nLLM_TOP_K = 1\n");
    let dotenv = (".env", "LLM_TOP_K=2\n");
    let variable = ("LLM_TOP_K", "3");
    let flag = (Key::TopK, "--top-k", "4");
    let top_k = |config: Config| (config.top_k.value, config.top_k.source.to_string());

    let (value, source) = top_k(load(&[toml], &[], &[]).unwrap());
    assert!(value == 1 && source.ends_with("scaffold.toml:2"), "{value} {source}");
    let (value, source) = top_k(load(&[toml, dotenv], &[], &[]).unwrap());
    assert!(value == 2 && source.ends_with(".env:1"), "{value} {source}");
    let found = top_k(load(&[toml, dotenv], &[variable], &[]).unwrap());
    assert_eq!(found, (3, "environment variable LLM_TOP_K".to_owned()));
    let found = top_k(load(&[toml, dotenv], &[variable], &[flag]).unwrap());
    assert_eq!(found, (4, "flag --top-k".to_owned()));
}

#[test]
fn tokens_are_taken_in_the_order_of_their_names() {
    let all =
        [("HUGGING_FACE_HUB_TOKEN", "hf_c"), ("HUGGINGFACE_TOKEN", "hf_b"), ("HF_TOKEN", "hf_a")];
    for (count, expected) in [(3, "hf_a"), (2, "hf_b"), (1, "hf_c")] {
        let config = load(&[(".env", "HF_TOKEN=hf_file")], &all[..count], &[]).unwrap();
        assert_eq!(config.token.unwrap().value.reveal(), expected);
    }
    let config =
        load(&[(".env", "HUGGINGFACE_TOKEN=hf_b\nHF_TOKEN=hf_old\nHF_TOKEN=hf_a")], &[], &[])
            .unwrap();
    let token = config.token.unwrap();
    assert_eq!(token.value.reveal(), "hf_a");
    assert!(token.source.to_string().ends_with(".env:3"), "{}", token.source);
}

#[test]
fn a_token_is_never_printed() {
    let secret = "hf_abcdefghijklmnopqrstuvwxyz";
    let config = load(&[], &[("HUGGINGFACE_TOKEN", secret)], &[]).unwrap();
    let shown = format!("{config:?} {:?}", config.rows());
    assert!(!shown.contains("abcdef"), "{shown}");
    let message = load(&[], &[("HUGGINGFACE_TOKEN", "hf_abc\u{7}def")], &[]).unwrap_err();
    assert!(!format!("{message} {message:?}").contains("abc"), "{message:?}");
}

#[test]
fn a_bad_value_names_key_value_accepted_values_and_source() {
    let message = load(&[], &[("LLM_TEMPERATURE", "hot")], &[]).unwrap_err().to_string();
    for part in [
        "LLM_TEMPERATURE",
        "\"hot\"",
        "a number, 0 or more",
        "environment variable",
        "default, 0.7",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let message = load(&[(".env", "\n\nLLM_DEVICE=tpu")], &[], &[]).unwrap_err().to_string();
    for part in ["LLM_DEVICE", "\"tpu\"", "auto, cpu, cuda", ".env:3"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let message = load(&[], &[], &[(Key::TopP, "--top-p", "1.5")]).unwrap_err().to_string();
    for part in ["LLM_TOP_P", "\"1.5\"", "from 0 to 1", "flag --top-p"] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn a_value_that_is_overruled_is_not_looked_at() {
    let config = load(&[(".env", "LLM_TOP_K=many")], &[("LLM_TOP_K", "7")], &[]).unwrap();
    assert_eq!(config.top_k.value, 7);
}

#[test]
fn empty_variables_count_as_not_set() {
    let config = load(&[(".env", "LLM_MODEL=starter")], &[("LLM_MODEL", "")], &[]).unwrap();
    assert_eq!(config.model.value, "starter");
}

#[test]
fn slips_in_dotenv_are_told() {
    let config =
        load(&[(".env", "LLM_TEMPRATURE=1\nHF_ENDPOINT=https://elsewhere.example\n")], &[], &[])
            .unwrap();
    assert_eq!(config.endpoint.value.reveal(), "https://huggingface.co");
    let texts: Vec<_> = config.notices.iter().map(|notice| notice.text.as_str()).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[0].contains("did you mean LLM_TEMPERATURE?"), "{texts:?}");
    assert!(texts[1].contains("HF_ENDPOINT is not read from this file"), "{texts:?}");
}

#[test]
fn a_file_that_was_asked_for_must_exist() {
    let missing = project(&[]).path().join("elsewhere.toml");
    let nothing = |_: &str| None;
    let inputs = Inputs { variable: &nothing, project: None, file: Some(missing), flags: vec![] };
    let message = Config::load(inputs).unwrap_err().to_string();
    assert!(message.contains("elsewhere.toml"), "{message}");
}

#[test]
fn paths_in_files_count_from_the_project() {
    let directory = project(&[(".env", "HF_HUB_CACHE=models")]);
    let nothing = |_: &str| None;
    let inputs = Inputs {
        variable: &nothing,
        project: Some(directory.path().to_owned()),
        file: None,
        flags: vec![],
    };
    let cache = Config::load(inputs).unwrap().hub_cache.unwrap();
    assert_eq!(cache.value, directory.path().join("models"));
}

/// Without a home there is no place for models, and the current directory is none.
#[test]
fn without_a_home_there_is_no_place_until_a_setting_names_one() {
    let load = |variables: &[(&str, &str)]| {
        let variables: HashMap<&str, &str> = variables.iter().copied().collect();
        let variable = |name: &str| variables.get(name).map(OsString::from);
        Config::load(Inputs { variable: &variable, project: None, file: None, flags: vec![] })
    };
    for none in [&[][..], &[("HOME", ""), ("USERPROFILE", "")]] {
        let config = load(none).unwrap();
        let hub = config.hub.hub_cache().unwrap_err();
        assert!(hub.to_string().contains("HF_HOME"), "{hub}");
        let packed = crate::packed::directory(&config).unwrap_err();
        assert!(packed.to_string().contains("SCAFFOLD_CACHE"), "{packed}");
        assert_eq!(crate::packed::PackedOptions::of(&config).directory, None);
        let shown = config.rows().into_iter().filter(|row| {
            [Key::HubHome, Key::HubCache, Key::PackageCache, Key::TokenPath].contains(&row.key)
        });
        assert!(shown.clone().all(|row| row.value.is_null()), "{:?}", shown.collect::<Vec<_>>());
    }
    // A relative place counts from the current directory where there is no project.
    let config = load(&[("HF_HOME", "models"), ("SCAFFOLD_CACHE", "ours")]).unwrap();
    let here = std::env::current_dir().unwrap();
    assert_eq!(config.hub_home.as_ref().unwrap().value, here.join("models"));
    assert_eq!(config.hub.hub_cache().unwrap(), here.join("models/hub"));
    assert_eq!(crate::packed::directory(&config).unwrap(), here.join("ours/packed"));
    let error = load(&[("HF_HOME", "~/models")]).unwrap_err().to_string();
    assert!(error.contains("HF_HOME") && error.contains("set HOME"), "{error}");
}

/// What was read as a path is one: nothing in it is a variable any more.
#[test]
fn a_project_may_lie_in_a_directory_with_a_dollar() {
    let outer = project(&[]);
    let directory = outer.path().join("pay$day");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join(".env"), "HF_HUB_CACHE=models").unwrap();
    let nothing = |_: &str| None;
    let project = Some(directory.clone());
    let inputs = Inputs { variable: &nothing, project, file: None, flags: vec![] };
    assert_eq!(Config::load(inputs).unwrap().hub.cache_dir, directory.join("models"));
}

#[test]
fn the_hub_client_gets_what_was_decided() {
    let variables = [
        ("HOME", "/home/someone"),
        ("HF_ENDPOINT", "https://mirror.example/"),
        ("https_proxy", "http://proxy.example:3128"),
        ("HUGGINGFACE_TOKEN", "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123"),
    ];
    let hub =
        load(&[(".env", "HF_HUB_OFFLINE=True\nHF_HOME=~/models\n")], &variables, &[]).unwrap().hub;
    assert_eq!((hub.endpoint.reveal(), hub.offline), ("https://mirror.example", true));
    assert_eq!(hub.cache_dir, Path::new("/home/someone/models/hub"));
    assert_eq!(hub.proxies.https.as_deref(), Some("http://proxy.example:3128"));
    let (_, origin) = hub.token.unwrap();
    assert_eq!(origin, scaffold_hub::TokenSource::Variable("HUGGINGFACE_TOKEN"));
    assert!(
        hub.aliases
            .contains(&("starter".to_owned(), "HuggingFaceTB/SmolLM2-135M-Instruct".to_owned()))
    );
}

#[test]
fn a_token_that_cannot_be_one_is_told_at_once() {
    let config =
        load(&[(".env", "HUGGINGFACE_TOKEN=hf_your_actual_token_here")], &[], &[]).unwrap();
    assert!(config.hub.token.is_none() && config.hub.bad_token.is_some());
    assert!(config.notices[0].text.contains("HUGGINGFACE_TOKEN"), "{:?}", config.notices);
}

#[test]
fn the_token_of_pythons_login_is_shown_masked() {
    let home = project(&[]);
    let directory = home.path().join(".cache/huggingface");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("token"), "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123\n").unwrap();
    let config = load(&[], &[("HOME", home.path().to_str().unwrap())], &[]).unwrap();
    let row = config.rows().into_iter().find(|row| row.key == Key::Token).unwrap();
    assert!(row.text().contains("hidden") && !row.text().contains("NotAReal"), "{}", row.text());
    assert!(row.source.to_string().ends_with("token:1"), "{}", row.source);
}

#[test]
fn cuda_is_refused_and_auto_says_what_it_chose() {
    let config = load(&[(".env", "LLM_DEVICE=cuda")], &[], &[]).unwrap();
    let message = config.chosen_device().unwrap_err().to_string();
    assert!(message.contains(".env:1") && message.contains("processor only"), "{message}");
    let chosen = load(&[], &[], &[]).unwrap().chosen_device().unwrap();
    assert_eq!(chosen.device, Device::Cpu);
    assert!(chosen.why.starts_with("auto"), "{}", chosen.why);
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_text_is_named() {
    use std::os::unix::ffi::OsStringExt as _;
    let environment = |name: &str| (name == "LLM_MODEL").then(|| OsString::from_vec(vec![0xff]));
    let inputs = Inputs { variable: &environment, project: None, file: None, flags: vec![] };
    assert!(Config::load(inputs).unwrap_err().to_string().contains("LLM_MODEL"));
}

/// The page lists what the table holds, so that neither can be changed alone.
#[test]
fn the_documentation_has_every_key() {
    let page = include_str!("../../../../docs/configuration.md");
    let rows = Key::all().map(|key| {
        let info = key.info();
        let default =
            if info.default.is_empty() { "–".to_owned() } else { format!("`{}`", info.default) };
        format!(
            "| `{}` | {default} | {} | {} |",
            info.names.join("`, `"),
            info.accepted,
            info.meaning
        )
    });
    let missing: Vec<_> = rows.filter(|row| !page.contains(row)).collect();
    assert!(missing.is_empty(), "docs/configuration.md lacks these rows:\n{}", missing.join("\n"));
}

#[test]
fn no_project_lets_a_token_go_over_plain_http() {
    let line = "SCAFFOLD_TOKEN_OVER_HTTP";
    let config = load(&[(".env", &format!("{line}=send"))], &[], &[]).unwrap();
    assert!(!config.hub.token_over_http);
    assert!(config.notices[0].text.contains(line), "{:?}", config.notices);
    let refused = load(&[("scaffold.toml", &format!("{line} = \"send\""))], &[], &[]);
    let text = refused.unwrap_err().to_string();
    assert!(text.contains(line), "{text}");
    assert!(load(&[], &[(line, "send")], &[]).unwrap().hub.token_over_http);
    let text = load(&[], &[(line, "yes")], &[]).unwrap_err().to_string();
    assert!(text.contains("refuse, send"), "{text}");
}

/// An embedding program that wants nothing of the user's gets nothing, and keeps all in one place.
#[test]
fn an_isolated_configuration_keeps_all_in_one_directory() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config::isolated(directory.path()).unwrap();
    assert!(config.token.is_none() && config.hub.token.is_none() && config.notices.is_empty());
    for place in [&config.hub.cache_dir, &config.hub.packages_dir] {
        assert!(place.starts_with(directory.path()), "{}", place.display());
    }
    assert!(crate::packed::directory(&config).unwrap().starts_with(directory.path()));
}
