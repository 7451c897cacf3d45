//! Tokens: signing in and out, and that they go to the Hub alone.

use std::fs;

use scaffold_hub::{Hub, HubConfig, Kind, Remedy, Token, TokenKind, TokenSource};
use scaffold_testing::hub::{FakeToken, Fault};

use crate::common::{TOKEN, World, model};

fn token() -> Token {
    Token::parse(TOKEN, &TokenSource::Flag).unwrap()
}

#[test]
fn signing_in_stores_what_python_reads() {
    let world = World::new();
    world.hub.add_token(FakeToken::fine_grained(TOKEN, &[]));
    let config = world.config();
    fs::create_dir_all(config.token_files.stored.parent().unwrap()).unwrap();
    fs::write(
        &config.token_files.stored,
        "[work]\nhf_token = hf_otherotherotherotherotherotherother\nrefresh_token = keep\n\n",
    )
    .unwrap();
    let who = Hub::new(config.clone()).login(&token()).unwrap();
    assert_eq!((who.name.as_str(), who.token_name.as_deref()), ("someone", Some("test")));
    assert!(matches!(who.kind, TokenKind::FineGrained { reads_gated: true, .. }));
    assert!(who.gated_advice().contains("every gated repository"));
    assert_eq!(fs::read_to_string(&config.token_files.active).unwrap(), TOKEN);
    let stored = fs::read_to_string(&config.token_files.stored).unwrap();
    assert!(stored.contains(&format!("[test]\nhf_token = {TOKEN}\n")), "not as Python writes it");
    assert!(
        stored.contains("[work]") && stored.contains("refresh_token = keep"),
        "another entry was lost"
    );
    #[cfg(unix)]
    for path in [&config.token_files.active, &config.token_files.stored] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600,
            "{}",
            path.display()
        );
    }

    // A fresh configuration finds it, and signing out removes it and nothing else.
    let mut found = HubConfig::new(world.home.path());
    found.endpoint = world.hub.url().into();
    assert_eq!(
        found.token.as_ref().unwrap().1,
        TokenSource::File(config.token_files.active.clone())
    );
    let hub = Hub::new(found);
    assert_eq!(hub.whoami().unwrap().name, "someone");
    assert_eq!(hub.auth_status().stored, ["test", "work"]);
    assert_eq!(hub.logout(Some("absent")).unwrap_err().kind(), Kind::NotFound);
    let out = hub.logout(Some("test")).unwrap();
    assert_eq!((out.changed.len(), out.remaining), (2, vec!["work".to_owned()]));
    assert!(!config.token_files.active.exists());
    assert!(!fs::read_to_string(&config.token_files.stored).unwrap().contains(TOKEN));
    let out = hub.logout(None).unwrap();
    assert_eq!((out.changed.len(), out.remaining.len(), out.still_in_force), (1, 0, None));
    let error = world.client().whoami().unwrap_err();
    assert!(error.to_string().contains("nobody is signed in"), "{error}");
    assert!(error.remedies().contains(&Remedy::Login), "{error}");
}

#[test]
fn a_token_that_the_hub_does_not_know_is_not_stored() {
    let world = World::new();
    let error = world.client().login(&token()).unwrap_err();
    eprintln!("{error}");
    assert!(error.to_string().contains("does not accept the access token"), "{error}");
    assert!(!world.config().token_files.active.exists());
}

#[test]
fn a_malformed_token_stops_everything_before_the_first_request() {
    let (world, _) = World::with_model(10);
    let vars = |name: &str| (name == "HF_TOKEN").then(|| format!("\"{TOKEN}\""));
    let mut config = HubConfig::from_vars(vars, world.home.path());
    config.endpoint = world.hub.url().into();
    let error = world.pull(&Hub::new(config), "org/model").unwrap_err();
    assert_eq!(error.kind(), Kind::Usage, "{error}");
    let text = error.to_string();
    assert!(
        text.contains("HF_TOKEN") && text.contains("quotation mark") && !text.contains(TOKEN),
        "{text}"
    );
    assert!(world.hub.requests().is_empty());
}

#[test]
fn the_token_goes_to_the_hub_and_nowhere_else() {
    let (world, _) = World::with_model(1000);
    world.hub.add_token(FakeToken::fine_grained(TOKEN, &[]));
    world.pull(&world.signed_in(TOKEN), "org/model").unwrap();
    let requests = world.hub.requests();
    let expected = format!("Bearer {TOKEN}");
    assert!(
        requests
            .iter()
            .filter(|r| !r.to_store)
            .all(|r| r.header("authorization") == Some(&expected))
    );
    let to_store: Vec<_> = requests.iter().filter(|r| r.to_store).collect();
    assert!(!to_store.is_empty());
    assert!(
        to_store.iter().all(|r| r.header("authorization").is_none()),
        "the token was sent to the host that a redirect named"
    );

    // Nor does it follow a redirect of a small file, or of the description.
    let other = World::with_model(10).0;
    for path in ["/resolve/", "/api/models/"] {
        world.hub.add(model("org/second", 10));
        world.hub.spoil(path, 1, Fault::Redirect(format!("{}/stolen", other.hub.url())));
        let _ = world.pull(&world.signed_in(TOKEN), "org/second");
        let stolen = other.hub.requests_for("/stolen");
        assert!(
            !stolen.is_empty() && stolen.iter().all(|r| r.header("authorization").is_none()),
            "{path}"
        );
        other.hub.forget_requests();
        world.hub.behave();
    }
}

/// On Unix this address leads to the fake Hub, and is none of this machine's own names.
#[cfg(unix)]
fn elsewhere(world: &World) -> scaffold_hub::Address {
    world.hub.url().replace("127.0.0.1", "0.0.0.0").into()
}

#[cfg(unix)]
#[test]
fn the_token_does_not_go_over_plain_http_to_another_machine() {
    let (world, _) = World::with_model(1000);
    world.hub.add_token(FakeToken::fine_grained(TOKEN, &[]));
    let mut config = world.config().with_token(TOKEN).unwrap();
    config.endpoint = elsewhere(&world);
    let hub = Hub::new(config.clone());
    let errors = [
        world.pull(&hub, "org/model").unwrap_err(),
        hub.login(&token()).unwrap_err(),
        hub.whoami().unwrap_err(),
    ];
    for error in errors {
        let text = error.to_string();
        assert!(text.contains("SCAFFOLD_TOKEN_OVER_HTTP=send"), "{text}");
        assert!(text.contains("0.0.0.0") && !text.contains(TOKEN), "{text}");
    }
    assert!(world.hub.requests().is_empty());

    // Without a token there is nothing to keep secret.
    let mut without = world.config();
    without.endpoint = elsewhere(&world);
    world.pull(&Hub::new(without), "org/model").unwrap();
    fs::remove_dir_all(world.cache()).unwrap();
    world.hub.forget_requests();

    config.token_over_http = true;
    world.pull(&Hub::new(config), "org/model").unwrap();
    let expected = format!("Bearer {TOKEN}");
    let requests = world.hub.requests();
    let mut to_hub = requests.iter().filter(|r| !r.to_store);
    assert!(to_hub.all(|r| r.header("authorization") == Some(&expected)));
}

#[test]
fn the_token_does_not_go_through_the_proxy_of_another_machine() {
    let (world, _) = World::with_model(10);
    world.hub.add_token(FakeToken::fine_grained(TOKEN, &[]));
    let mut config = world.config().with_token(TOKEN).unwrap();
    config.proxies.http = Some("http://proxy.invalid:3128".to_owned());
    let error = world.pull(&Hub::new(config.clone()), "org/model").unwrap_err();
    let text = error.to_string();
    assert!(text.contains("proxy.invalid") && text.contains("SCAFFOLD_TOKEN_OVER_HTTP"), "{text}");
    config.proxies.no_proxy = Some("127.0.0.1".to_owned());
    world.pull(&Hub::new(config), "org/model").unwrap();
}
