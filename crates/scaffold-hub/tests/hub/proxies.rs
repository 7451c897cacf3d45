//! Proxies of every kind, and addresses that go past them.

use std::fs;

use crate::common::World;
use scaffold_hub::{Diagnosis, Hub, Proxies, Refusal};
use scaffold_testing::proxy::{FakeProxy, ProxyRules};

fn through(world: &World, proxy: &str, no_proxy: Option<&str>) -> Hub {
    let mut config = world.config();
    config.proxies = Proxies {
        http: Some(proxy.to_owned()),
        https: Some(proxy.to_owned()),
        no_proxy: no_proxy.map(str::to_owned),
    };
    Hub::new(config)
}

#[test]
fn plain_addresses_are_given_to_the_proxy_whole() {
    let (world, repo) = World::with_model(600_000);
    let proxy = FakeProxy::start(ProxyRules {
        tunnels_to_443_only: true,
        credentials: Some("dXNlcjpwYSBzcw==".to_owned()),
    });
    let address = format!("http://user:pa%20ss@{}", proxy.address());
    let model = world.pull(&through(&world, &address, None), "org/model").unwrap();
    let weights = fs::read(model.files.path().join("model.safetensors")).unwrap();
    assert_eq!(Some(weights), repo.files.iter().find(|f| f.large).map(|f| f.bytes.clone()));
    let asked = proxy.asked();
    assert!(asked.len() > 4, "{asked:?}");
    let whole = format!("GET {}/", world.hub.url());
    assert!(asked.iter().any(|line| line.starts_with(&whole)), "{asked:?}");
    assert!(asked.iter().all(|line| line.starts_with("GET http://")), "{asked:?}");

    // Without the password it is the proxy that is told of, not the Hub.
    let anonymous = through(&world, &proxy.address(), None);
    let error = world.pull(&anonymous, "org/absent").unwrap_err();
    assert!(
        error
            .cause()
            .is_some_and(|refusal: &Refusal| matches!(refusal.diagnosis, Diagnosis::Proxy { .. })),
        "{error}"
    );
}

#[test]
fn socks_proxies_of_every_name_work() {
    let (world, _) = World::with_model(1000);
    let proxy = FakeProxy::start(ProxyRules::default());
    for scheme in ["socks5", "socks5h", "socks", "SOCKS5"] {
        let hub = through(&world, &format!("{scheme}://{}", proxy.address()), None);
        world.pull(&hub, "org/model").unwrap();
    }
    let asked = proxy.asked();
    assert!(asked.iter().all(|line| line.starts_with("SOCKS5 127.0.0.1:")), "{asked:?}");
    assert!(asked.len() >= 4, "{asked:?}");
}

#[test]
fn a_proxy_that_cannot_be_used_is_named() {
    let (world, _) = World::with_model(10);
    let proxy = FakeProxy::start(ProxyRules::default());
    for (address, part) in [
        // It speaks version 5 alone.
        (format!("socks4://{}", proxy.address()), "proxy"),
        ("ftp://proxy:21".to_owned(), "`ftp://`"),
        ("http://127.0.0.1:1".to_owned(), "proxy"),
        ("socks5://127.0.0.1:1".to_owned(), "proxy"),
    ] {
        let error = world.pull(&through(&world, &address, None), "org/model");
        let error = error.unwrap_err().to_string();
        assert!(error.contains(part), "{address}: {error}");
    }
}

#[test]
fn excepted_networks_are_asked_directly() {
    let (world, _) = World::with_model(10);
    for list in ["127.0.0.0/8", "10.0.0.0/8, 127.0.0.1", "*", "::1 127.0.0.1"] {
        let hub = through(&world, "http://127.0.0.1:1", Some(list));
        world.pull(&hub, "org/model").unwrap();
    }
    let hub = through(&world, "http://127.0.0.1:1", Some("128.0.0.0/8"));
    world.pull(&hub, "org/model").unwrap_err();
}
