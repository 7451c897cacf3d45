//! Mirrors, and what servers do that the Hub itself does not.

use std::time::Duration;

use crate::common::{Heard, TOKEN, World, assert_only_whole_files, model};
use scaffold_hub::{Diagnosis, Event, Hub, Kind, Refusal};
use scaffold_testing::hub::{FakeHub, FakeRepo, FakeToken, Fault, Reticence};

fn reticent(reticence: Reticence) -> World {
    let world = World::new();
    world.hub.add(FakeRepo { reticence, ..model("org/model", 300_000) });
    world
}

#[test]
fn hashes_come_from_the_tree_or_from_the_files_themselves() {
    for reticence in [Reticence::NamesOnly, Reticence::NoTree] {
        let world = reticent(reticence);
        let hub = world.client();
        let name = hub.name("org/model").unwrap();
        let scaffold_hub::ModelName::Repo(repo) = &name else { panic!("{name}") };
        let check = hub.check(repo, &mut Heard::default()).unwrap();
        assert_eq!(check.files.len(), 4);
        let mut heard = Heard::default();
        hub.pull(&name, &mut heard).unwrap();
        assert!(heard.bytes() > 300_000);
        assert_only_whole_files(&world.cache());
        // What arrives is compared with them.
        let world = reticent(reticence);
        world.hub.spoil("/objects/", 9, Fault::Flip(7));
        let error = world.pull(&world.client(), "org/model").unwrap_err();
        assert!(error.to_string().contains("damaged"), "{error}");
    }
}

#[test]
fn what_nobody_has_a_hash_of_is_refused() {
    let world = reticent(Reticence::NoHashes);
    let error = world.pull(&world.client(), "org/model").unwrap_err();
    assert!(error.to_string().contains("no hash to check"), "{error}");
}

#[test]
fn a_gate_behind_a_redirect_is_told_at_once() {
    let (mirror, real) = (World::new(), FakeHub::start());
    mirror.hub.add(model("org/model", 1000));
    mirror.hub.add_token(FakeToken::fine_grained(TOKEN, &[]));
    real.add(model("org/model", 1000).gated("auto"));
    let to = format!("{}/org/model/resolve/main/model.safetensors", real.url());
    mirror.hub.spoil("/resolve/", 99, Fault::Redirect(to));
    let mut heard = Heard::default();
    let hub = mirror.signed_in(TOKEN);
    let error = hub.pull(&hub.name("org/model").unwrap(), &mut heard).unwrap_err();
    let refusal: &Refusal = error.cause().unwrap_or_else(|| panic!("{error}"));
    assert!(refusal.diagnosis.is_gate(), "{refusal}");
    assert!(
        !heard.events.iter().any(|event| matches!(event, Event::Waiting { .. })),
        "{}",
        heard.text()
    );
    // The other host is not the Hub, so it does not get the token.
    assert!(real.requests().iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn hints_before_an_answer_are_passed_over() {
    let (world, _) = World::with_model(300_000);
    for pause in [0, 50] {
        let hints = || Fault::EarlyHints(Duration::from_millis(pause));
        world.hub.spoil("/api/models/", 1, hints());
        world.hub.spoil("/resolve/", 3, hints());
        world.hub.spoil("/objects/", 2, hints());
        world.pull(&world.client(), "org/model").unwrap();
        world.hub.behave();
        std::fs::remove_dir_all(world.cache()).unwrap();
    }
}

#[test]
fn a_redirect_may_hold_characters_that_no_address_has() {
    let (world, _) = World::with_model(300_000);
    let object = world.hub.store_url();
    let etag = scaffold_testing::hub::sha256(&crate::common::noise(300_000));
    for raw in [
        format!("{object}/objects/{etag}?name=\u{6a21}\u{578b} \u{fc}.safetensors").into_bytes(),
        [format!("{object}/objects/{etag}?name=").as_bytes(), b"\xfc \x7f|"].concat(),
    ] {
        let head = [
            b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: ".as_slice(),
            &raw.iter().copied().filter(|b| *b != 0x7f).collect::<Vec<_>>(),
            b"\r\n\r\n",
        ]
        .concat();
        world.hub.spoil("/resolve/", 99, Fault::Raw(head));
        world.hub.behave();
        let head = [
            b"HTTP/1.1 302 Found\r\nconnection: close\r\ncontent-length: 0\r\nlocation: "
                .as_slice(),
            &raw.iter().copied().filter(|b| *b != 0x7f).collect::<Vec<_>>(),
            b"\r\n\r\n",
        ]
        .concat();
        world.hub.spoil("/model.safetensors", 99, Fault::Raw(head));
        world.pull(&world.client(), "org/model").unwrap();
        world.hub.behave();
        std::fs::remove_dir_all(world.cache()).unwrap();
    }
}

#[test]
fn a_password_in_the_endpoint_is_never_shown() {
    let (world, _) = World::with_model(10);
    let mut config = world.config();
    config.endpoint = world.hub.url().replace("://", "://user:s3cret@").into();
    let hub = Hub::new(config.clone());
    world.pull(&hub, "org/model").unwrap();
    for name in ["org/absent", "org/model@nothing"] {
        let error = world.pull(&hub, name).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
    config.endpoint = "nonsense://user:s3cret@h".into();
    let error = Hub::new(config.clone()).route().unwrap_err();
    let shown = format!("{error} {error:?} {config:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
    assert_eq!(error.kind(), Kind::Usage, "{error}");
    let error = world.pull(&hub, "org/absent").unwrap_err();
    let diagnosis = error.cause().map(|refusal: &Refusal| &refusal.diagnosis);
    assert_ne!(diagnosis, Some(&Diagnosis::Forbidden));
}
