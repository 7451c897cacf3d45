//! Every refusal has its own explanation, and `check` finds it before anything large is fetched.

use scaffold_hub::{Diagnosis, Error, Gate, Hub, Kind, Refusal, Remedy, Silent};
use scaffold_testing::hub::{FakeRepo, FakeToken, Fault};
use serde_json::json;

use crate::common::{TOKEN, World, model, noise};

fn refusal(error: &Error) -> Refusal {
    let refusal: &Refusal = error.cause().unwrap_or_else(|| panic!("{error}"));
    eprintln!("{error}\n{refusal:?}");
    assert!(!refusal.steps().is_empty() && !refusal.meaning().is_empty(), "{refusal}");
    // Nothing that is said of the refusal is said twice where causes are told, too.
    assert!(error.to_string().contains(&refusal.to_string()), "{error}");
    assert_eq!(error.kind(), refusal.diagnosis.kind());
    refusal.clone()
}

fn refused(world: &World, hub: &Hub, name: &str) -> Refusal {
    refusal(&world.pull(hub, name).expect_err("a refusal"))
}

fn token(role: serde_json::Value) -> FakeToken {
    FakeToken { access: role, ..FakeToken::fine_grained(TOKEN, &[]) }
}

fn gated_world() -> World {
    let world = World::new();
    world.hub.add(model("org/gated", 100).gated("auto"));
    world
}

#[test]
fn a_gate_without_a_token() {
    let world = gated_world();
    let refusal = refused(&world, &world.client(), "org/gated");
    assert_eq!(refusal.diagnosis, Diagnosis::GatedWithoutToken);
    assert!(refusal.steps().contains(&Remedy::Login));
    let text = Error::from(refusal).to_string();
    for want in [
        "/org/gated",
        "Request access",
        "Fine-grained",
        "AFTER access was granted",
        "sign in with an access token",
        "TinyLlama/TinyLlama",
    ] {
        assert!(text.contains(want), "{want} is missing in: {text}");
    }
}

#[test]
fn a_gate_with_every_kind_of_token() {
    let fine = |gated: bool, scoped: serde_json::Value| {
        json!({"role": "fineGrained", "displayName": "t", "createdAt": "2024-01-02",
            "fineGrained": {"canReadGatedRepos": gated, "global": [], "scoped": scoped}})
    };
    let other = json!([{"entity": {"type": "model", "name": "org/other"}, "permissions": ["repo.content.read"]}]);
    let read = json!({"role": "read", "displayName": "t"});
    let not_listed = None;
    let vague = Some("Access to this model is restricted.");
    let table = [
        (read.clone(), not_listed, Diagnosis::AccessNotGranted),
        (read, vague, Diagnosis::WrongTokenType { role: "read".into() }),
        (fine(true, json!([])), not_listed, Diagnosis::AccessNotGranted),
        (
            fine(true, json!([])),
            vague,
            Diagnosis::TokenOlderThanAccess { created: Some("2024-01-02".into()) },
        ),
        (fine(false, json!([])), not_listed, Diagnosis::MissingPermission),
        (
            fine(false, other),
            not_listed,
            Diagnosis::RepositoryNotSelected { selected: vec!["org/other".into()] },
        ),
        (
            fine(true, json!([])),
            Some(
                "Your request to access model org/gated is awaiting a review from the repo authors.",
            ),
            Diagnosis::AwaitingReview,
        ),
        (
            fine(true, json!([])),
            Some("Your request to access model org/gated has been rejected by the repo's authors."),
            Diagnosis::AccessDeclined,
        ),
    ];
    for (access, message, want) in table {
        let world = World::new();
        let repo = model("org/gated", 100).gated("manual");
        world.hub.add(FakeRepo { refusal: message.map(str::to_owned), ..repo });
        world.hub.add_token(token(access));
        assert_eq!(refused(&world, &world.signed_in(TOKEN), "org/gated").diagnosis, want);
    }
}

#[test]
fn a_gate_that_is_open_for_this_account() {
    let world = gated_world();
    world.hub.add_token(FakeToken::fine_grained(TOKEN, &["org/gated"]));
    world.pull(&world.signed_in(TOKEN), "org/gated").unwrap();
}

#[test]
fn tokens_that_the_hub_does_not_know() {
    let world = gated_world();
    world.hub.add(model("org/open", 10));
    for name in ["org/gated", "org/open", "org/absent"] {
        assert_eq!(
            refused(&world, &world.signed_in(TOKEN), name).diagnosis,
            Diagnosis::TokenRejected,
            "{name}"
        );
    }
}

#[test]
fn absent_private_and_disabled() {
    let world = World::new();
    world.hub.add(FakeRepo { private: true, ..model("org/private", 10) });
    world.hub.add(FakeRepo { disabled: true, ..model("org/closed", 10) });
    world.hub.add(model("org/similar-name", 10));
    world.hub.add_token(FakeToken::fine_grained(TOKEN, &[]));
    let missing = refused(&world, &world.client(), "org/similar");
    let Diagnosis::NotFoundOrPrivate { signed_in: false, candidates } = &missing.diagnosis else {
        panic!("{missing}")
    };
    assert_eq!(candidates, &["org/similar-name"]);
    let text = Error::from(missing).to_string();
    assert!(text.contains("did you mean org/similar-name?"), "{text}");
    let private = refused(&world, &world.signed_in(TOKEN), "org/private");
    assert!(
        matches!(private.diagnosis, Diagnosis::NotFoundOrPrivate { signed_in: true, .. }),
        "{private}"
    );
    assert!(private.steps().contains(&Remedy::WhoAmI), "{private}");
    assert_eq!(refused(&world, &world.client(), "org/closed").diagnosis, Diagnosis::Disabled);
    let revision = refused(&world, &world.client(), "org/similar-name@v9");
    assert!(
        matches!(&revision.diagnosis, Diagnosis::RevisionNotFound { revision, .. } if revision == "v9"),
        "{revision}"
    );
}

#[test]
fn a_bare_word_is_answered_with_names_that_exist() {
    let world = World::new();
    let mut config = world.config();
    config.aliases = vec![
        ("mistral".into(), "mistralai/Mistral-7B-Instruct-v0.2".into()),
        ("tiny".into(), "org/tiny".into()),
        ("tiny:1b".into(), "org/tiny-1b".into()),
    ];
    let hub = Hub::new(config);
    let error = world.pull(&hub, "mistrl").unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
    assert!(error.to_string().contains("Did you mean mistral?"), "{error}");
    world.hub.add(model("org/tiny", 10));
    world.pull(&hub, "tiny").unwrap();
    let means = |text: &str| hub.name(text).unwrap().to_string();
    for (text, name) in [
        ("Tiny", "org/tiny"),
        (" tiny@main", "org/tiny@main"),
        ("tiny:Q4_K_M", "org/tiny:Q4_K_M"),
        ("tiny:1b", "org/tiny-1b"),
        ("tiny:1b@v2", "org/tiny-1b@v2"),
        ("org/tiny", "org/tiny"),
    ] {
        assert_eq!(means(text), name, "{text}");
    }
}

#[test]
fn the_network_the_proxy_and_firewalls() {
    let world = World::new();
    let with = |change: &dyn Fn(&mut scaffold_hub::HubConfig)| {
        let mut config = world.config();
        change(&mut config);
        refused(&world, &Hub::new(config), "org/any").diagnosis
    };
    let closed = with(&|c| c.endpoint = "http://127.0.0.1:9".into());
    assert!(matches!(closed, Diagnosis::NoNetwork { .. }), "{closed:?}");
    let unknown = with(&|c| c.endpoint = "http://hub.invalid".into());
    assert!(matches!(unknown, Diagnosis::NoNetwork { .. }), "{unknown:?}");
    let proxy = with(&|c| c.proxies.http = Some("http://127.0.0.1:9".into()));
    assert!(matches!(proxy, Diagnosis::Proxy { .. }), "{proxy:?}");
    let nonsense = with(&|c| c.proxies.http = Some("::".into()));
    assert!(matches!(nonsense, Diagnosis::Proxy { .. }), "{nonsense:?}");
    // A host that is excepted is asked directly, whatever the proxy.
    let direct = with(&|c| {
        c.proxies.http = Some("http://127.0.0.1:9".into());
        c.proxies.no_proxy = Some("127.0.0.1".into());
    });
    assert!(matches!(direct, Diagnosis::NotFoundOrPrivate { .. }), "{direct:?}");

    world.hub.spoil("/api/", 1, Fault::Status(407, vec![]));
    assert!(matches!(with(&|_| ()), Diagnosis::Proxy { .. }));
    world.hub.spoil(
        "/api/",
        1,
        Fault::Status(403, vec![("content-type".into(), "text/html".into())]),
    );
    let page = with(&|_| ());
    assert!(matches!(page, Diagnosis::Blocked { status: 403 } | Diagnosis::Forbidden), "{page:?}");
    world.hub.spoil(
        "/api/",
        99,
        Fault::Status(429, vec![("ratelimit".into(), "\"api\";r=0;t=900".into())]),
    );
    let busy = with(&|_| ());
    assert_eq!(
        busy,
        Diagnosis::RateLimited { wait: Some(std::time::Duration::from_mins(15)), signed_in: false }
    );
    world.hub.behave();
    world.hub.spoil("/api/", 99, Fault::Status(502, vec![]));
    assert_eq!(with(&|_| ()), Diagnosis::ServerTrouble { status: 502 });
}

#[test]
fn check_answers_without_fetching_the_weights() {
    let size = 3_000_000;
    let world = World::new();
    world.hub.add(model("org/model", size));
    let hub = world.client();
    let Ok(scaffold_hub::ModelName::Repo(name)) = hub.name("org/model") else { panic!() };
    let check = hub.check(&name, &mut Silent).unwrap();
    assert_eq!(
        (check.gate, check.refusal.is_none(), check.licence.as_deref()),
        (Gate::Open, true, Some("apache-2.0"))
    );
    assert_eq!(check.config.as_deref(), Some(&br#"{"model_type": "llama"}"#[..]));
    let head = check.head.as_ref().unwrap();
    assert_eq!(
        (head.file.as_str(), head.bytes.as_slice()),
        ("model.safetensors", &noise(size)[..256 * 1024])
    );
    assert_eq!(check.weight_bytes(), size as u64);
    assert_eq!(check.files.len(), 4);
    assert!(check.bytes_to_fetch() > size as u64);
    let ranges: Vec<_> = world
        .hub
        .requests_for("/objects/")
        .iter()
        .map(|r| r.header("range").map(str::to_owned))
        .collect();
    assert_eq!(ranges, [Some("bytes=0-262143".to_owned())]);
    assert!(!world.cache().exists(), "a check leaves nothing behind");
    world.pull(&hub, "org/model").unwrap();
    assert_eq!(hub.check(&name, &mut Silent).unwrap().bytes_to_fetch(), 0);
}

#[test]
fn check_tells_about_gates_and_unusable_repositories() {
    let world = gated_world();
    let hub = world.client();
    let check = |name: &str| {
        let Ok(scaffold_hub::ModelName::Repo(name)) = hub.name(name) else { panic!() };
        hub.check(&name, &mut Silent)
    };
    let gated = check("org/gated").unwrap();
    assert_eq!(gated.gate, Gate::Automatic);
    assert_eq!(gated.refusal.unwrap().diagnosis, Diagnosis::GatedWithoutToken);
    assert_eq!(gated.files.len(), 4, "the files and sizes are known all the same");
    world.hub.add(FakeRepo::new("org/pickle").file("pytorch_model.bin", "x"));
    assert!(check("org/pickle").unwrap().unusable.unwrap().contains("pytorch_model.bin"));
    world.hub.add(
        FakeRepo::new("org/gguf")
            .large_file("m-Q4_0.gguf", "GGUF")
            .large_file("m-Q8_0.gguf", "GGUFx"),
    );
    let gguf = check("org/gguf").unwrap();
    assert_eq!(gguf.quantizations.len(), 2);
    assert_eq!(gguf.head.unwrap().file, "m-Q4_0.gguf");
    world.hub.add(FakeRepo { renamed_to: Some("org/gguf".into()), ..FakeRepo::new("org/old") });
    assert!(check("org/old").unwrap().renamed);
    assert!(check("org/absent").unwrap_err().cause::<Refusal>().is_some());
}
