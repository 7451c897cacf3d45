use super::*;
use proptest::prelude::*;

fn repo_parts(text: &str) -> (String, Option<String>, Part) {
    match ModelName::parse(text) {
        Ok(ModelName::Repo(r)) => (r.id.as_str().to_owned(), r.revision, r.part),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn repositories_in_every_spelling() {
    let quant = |q: &str| Part::Quantization(q.into());
    let file = |f: &str| Part::File(f.into());
    for (text, id, revision, part) in [
        ("org/name", "org/name", None, Part::Whole),
        ("gpt2", "gpt2", None, Part::Whole),
        (" org/name ", "org/name", None, Part::Whole),
        ("org/name@v1.0", "org/name", Some("v1.0"), Part::Whole),
        ("org/name@refs/pr/7", "org/name", Some("refs/pr/7"), Part::Whole),
        ("org/name@refs/pr/7:Q8_0", "org/name", Some("refs/pr/7"), quant("Q8_0")),
        ("org/name@refs/pr/7/a/b.gguf", "org/name", Some("refs/pr/7"), file("a/b.gguf")),
        ("org/name@dev/b.gguf", "org/name", Some("dev"), file("b.gguf")),
        ("org/name:Q4_K_M", "org/name", None, quant("Q4_K_M")),
        ("org/name@main:UD-Q4_K_XL", "org/name", Some("main"), quant("UD-Q4_K_XL")),
        ("hf.co/org/name:latest", "org/name", None, Part::Whole),
        ("hf.co/org/name:Q4_0", "org/name", None, quant("Q4_0")),
        ("huggingface.co/org/name", "org/name", None, Part::Whole),
        ("HTTPS://HuggingFace.co/Org/Name/", "Org/Name", None, Part::Whole),
        ("https://huggingface.co/org/name?library=x", "org/name", None, Part::Whole),
        (
            "https://huggingface.co/org/name/tree/refs%2Fpr%2F1",
            "org/name",
            Some("refs/pr/1"),
            Part::Whole,
        ),
        (
            "https://huggingface.co/org/name/blob/main/q/m.gguf",
            "org/name",
            Some("main"),
            file("q/m.gguf"),
        ),
        (
            "https://hf.co/org/name/resolve/main/m.GGUF?download=true",
            "org/name",
            Some("main"),
            file("m.GGUF"),
        ),
        ("hf://org/name@v2", "org/name", Some("v2"), Part::Whole),
        ("hf://models/org/name", "org/name", None, Part::Whole),
        ("org/name/m.gguf", "org/name", None, file("m.gguf")),
        ("org/name/", "org/name", None, Part::Whole),
        (
            "https://huggingface.co/org/name/blob/main/model.safetensors",
            "org/name",
            Some("main"),
            Part::Whole,
        ),
        (
            "https://huggingface.co/org/name/resolve/v1%2Fx/1_Pooling/config.json?download=true",
            "org/name",
            Some("v1/x"),
            Part::Whole,
        ),
        (
            "https://huggingface.co/org/name/blob/refs/pr/3/q%20x.gguf#L1",
            "org/name",
            Some("refs/pr/3"),
            file("q x.gguf"),
        ),
        ("https://huggingface.co/org/name/tree/main/onnx/", "org/name", Some("main"), Part::Whole),
        ("https://huggingface.co/gpt2/tree/main", "gpt2", Some("main"), Part::Whole),
        ("https://huggingface.co/gpt2/resolve/v1/g.gguf", "gpt2", Some("v1"), file("g.gguf")),
        ("https://huggingface.co/org/raw/tree/main", "org/raw", Some("main"), Part::Whole),
        (
            "https://huggingface.co/org/name/raw/main/README.md",
            "org/name",
            Some("main"),
            Part::Whole,
        ),
        (
            "https://huggingface.co/api/models/org/name/revision/v2?blobs=true",
            "org/name",
            Some("v2"),
            Part::Whole,
        ),
        ("https://huggingface.co/org/name.git", "org/name", None, Part::Whole),
        ("git@hf.co:org/name", "org/name", None, Part::Whole),
        ("hf.co/org/name.gguf", "org/name.gguf", None, Part::Whole),
        ("org/name/Q4/m-00001-of-00002.gguf", "org/name", None, file("Q4/m-00001-of-00002.gguf")),
    ] {
        assert_eq!(repo_parts(text), (id.to_owned(), revision.map(str::to_owned), part), "{text}");
    }
}

#[test]
fn paths_stay_paths() {
    for text in [
        "./a",
        "../a/b",
        "/models/x.gguf",
        "~/m",
        "m.gguf",
        "quant/none.gguf",
        "models/model.safetensors",
        "C:\\m",
        ".",
        "/a/b/c/d",
    ] {
        assert_eq!(
            ModelName::parse(text).unwrap(),
            ModelName::Local(PathBuf::from(text)),
            "{text}"
        );
    }
}

#[test]
fn ollama_names_get_their_defaults() {
    for (text, want) in [
        ("ollama:llama3.2", "registry.ollama.ai library llama3.2 latest"),
        ("ollama:llama3.2:1b-q4_0", "registry.ollama.ai library llama3.2 1b-q4_0"),
        ("ollama:me/mine", "registry.ollama.ai me mine latest"),
        ("ollama:hf.co/org/repo:Q4_K_M", "hf.co org repo Q4_K_M"),
        ("ollama://x", "registry.ollama.ai library x latest"),
    ] {
        let Ok(ModelName::Ollama(n)) = ModelName::parse(text) else { panic!("{text}") };
        assert_eq!(format!("{} {} {} {}", n.host, n.namespace, n.model, n.tag), want);
    }
}

#[test]
fn what_is_wrong_is_said() {
    for (text, want) in [
        ("", "it is empty"),
        ("org/na me", "contains ' '"),
        ("org/name@", "nothing follows the `@`"),
        ("org/name:", "nothing follows the `:`"),
        ("org/name/x", "more than one `/`"),
        ("-org/name", "starts or ends with"),
        ("org/name.git", "ends in `.git`"),
        ("org/a--b", "contains `--`"),
        ("org/name@../../x", "is not a branch"),
        ("org/name/../../x.gguf", "plain path inside"),
        ("https://example.com/org/name", "not one of huggingface.co"),
        ("https://huggingface.co/datasets/org/name", "names a data set"),
        ("ollama:", "nothing follows the `:`"),
        ("ollama:../../etc", "has a character that Ollama"),
        ("ollama:a/b/c/d", "more parts"),
    ] {
        let error = ModelName::parse(text).unwrap_err().to_string();
        assert!(error.contains(want) && error.contains("Write `org/name`"), "{text}: {error}");
    }
}

#[test]
fn what_would_be_read_otherwise_is_shown_as_an_address() {
    for (text, shown) in [
        ("hf.co/org/name.gguf", "hf.co/org/name.gguf"),
        ("hf.co/org/name/blob/a%2Fb/q/x.gguf", "hf.co/org/name/blob/a%2Fb/q/x.gguf"),
        ("hf.co/org/name/tree/a%2Fb", "org/name@a/b"),
        ("hf.co/org/name/blob/refs/pr/1/x.gguf", "org/name@refs/pr/1/x.gguf"),
    ] {
        let name = ModelName::parse(text).unwrap();
        assert_eq!(name.to_string(), shown);
        assert_eq!(ModelName::parse(shown).unwrap(), name);
    }
}

#[test]
fn addresses_of_the_configured_mirror_are_understood() {
    let id = |text: &str, endpoint: &str| {
        let endpoint = Url::parse(endpoint);
        match ModelName::parse_at(text, endpoint.as_ref()) {
            Ok(ModelName::Repo(repo)) => repo.to_string(),
            other => format!("{other:?}"),
        }
    };
    for (text, endpoint, want) in [
        ("http://127.0.0.1:8080/org/name", "http://127.0.0.1:8080", "org/name"),
        (
            "https://mirror.example/hf/org/name/blob/v1/x.gguf",
            "https://user:pw@Mirror.example/hf",
            "org/name@v1/x.gguf",
        ),
        ("mirror.example/org/name", "https://mirror.example", "org/name"),
        // An organisation may be called as the endpoint's host is.
        ("mirror/name", "https://mirror", "mirror/name"),
    ] {
        assert_eq!(id(text, endpoint), want, "{text}");
    }
    let other = id("https://other.example/org/name", "https://mirror.example");
    assert!(other.contains("it is an address, but not one of"), "{other}");
}

/// `huggingface_hub.utils.validate_repo_id` of version 2.4.0, asked by `tests/data/repo_ids.py`.
#[test]
fn the_limits_of_names_are_those_of_huggingface_hub() {
    let text = include_str!("../../tests/data/repo_ids.tsv");
    let mut seen = 0;
    for line in text.lines() {
        let (verdict, id) = line.split_once('\t').unwrap();
        assert_eq!(RepoId::parse(id).is_ok(), verdict == "valid", "{id}");
        seen += 1;
    }
    assert!(seen > 20);
}

proptest! {
    #[test]
    fn no_text_panics_and_display_parses_back(text in ".{0,60}") {
        if let Ok(name) = ModelName::parse(&text)
            && !matches!(name, ModelName::Local(_))
        {
            prop_assert_eq!(ModelName::parse(&name.to_string()).unwrap(), name);
        }
    }

    #[test]
    fn repository_names_print_as_they_parse(
        org in "[a-z][a-z0-9_]{0,8}", name in "[A-Z][A-Za-z0-9._]{0,12}[a-z]",
        revision in proptest::option::of("[a-z][a-z0-9]{0,8}"), label in proptest::option::of("Q[2-8]_[KM0]"),
    ) {
        let revision = revision.map(|r| format!("@{r}")).unwrap_or_default();
        let label = label.map(|l| format!(":{l}")).unwrap_or_default();
        let text = format!("{org}/{name}{revision}{label}");
        prop_assume!(!text.contains("..") && !text.to_lowercase().ends_with("gguf") && !text.to_lowercase().contains(".git"));
        prop_assert_eq!(ModelName::parse(&text).unwrap().to_string(), text);
    }

    #[test]
    fn safe_paths_never_climb(path in "[a./\\\\:]{0,20}") {
        if is_safe_path(&path) {
            let joined = Path::new("/root").join(&path);
            prop_assert!(joined.starts_with("/root"));
            prop_assert!(joined.components().all(|c| !matches!(c, std::path::Component::ParentDir)));
        }
    }
}

/// Such a name would be written down as what is read as an address.
#[test]
fn the_hub_itself_is_no_organisation() {
    for text in [
        "https://huggingface.co/huggingface.co/name",
        "hf.co/www.HuggingFace.co/name",
        "https://huggingface.co/hf.co",
    ] {
        let error = ModelName::parse(text).unwrap_err().to_string();
        assert!(error.contains("the Hub's own address"), "{error}");
    }
    assert!(ModelName::parse("hf.co/huggingface/name").is_ok());
}

/// Written down and read again, it would be another one.
#[test]
fn a_revision_is_one_that_git_has() {
    for text in [
        "f@v1 0 /",
        "org/f@v 1",
        "org/f@v~1",
        "org/f@v^",
        "org/f@a*",
        "org/f@a[b",
        "git@hf.co/it@hf.co/",
        "h/a/resolve/n%E3%80%80/p",
        "hf://it@v1@hf.co",
    ] {
        let error = ModelName::parse(text).unwrap_err().to_string();
        assert!(error.contains("is not a branch, tag, commit"), "{text}: {error}");
    }
    assert!(ModelName::parse("org/f@feature/a-b_c.1").is_ok());
}
