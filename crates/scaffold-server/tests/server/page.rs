//! The chat page, as browsers get it.

use scaffold_server::Keys;
use serde_json::json;

use crate::house::House;

const BROWSER: &str = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";

#[test]
fn browsers_get_a_page_with_all_of_its_files() {
    let house = House::new();
    let page = house.ask("GET", "/", BROWSER, b"");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    let text = page.text();
    let files: Vec<&str> = text.split('"').filter(|part| part.starts_with("/page/")).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for path in files {
        let file = house.get(path);
        assert_eq!(file.status, 200, "{path}");
        assert_eq!(file.header("cache-control"), Some("public, max-age=31536000, immutable"));
        let tag = format!("If-None-Match: {}\r\n", file.header("etag").unwrap());
        let again = house.ask("GET", path, &tag, b"");
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
    }
    for path in ["/page/", "/page/none.js", "/page/../Cargo.toml", "/page/%2e%2e/Cargo.toml"] {
        assert_eq!(house.get(path).status, 404, "{path}");
    }
    assert_eq!(house.post("/page/app.js", &json!({})).status, 405);
    // Programs go on getting what they look for.
    assert_eq!(house.get("/").text(), "Ollama is running");
    assert_eq!(house.ask("GET", "/", "Accept: */*\r\n", b"").text(), "Ollama is running");
    let head = house.ask("HEAD", "/", BROWSER, b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn the_page_needs_no_key_and_what_it_asks_does() {
    let keys = Keys::parse("laptop 0123456789abcdef\n").unwrap();
    let house = House::with(|options| options.keys(keys));
    assert_eq!(house.ask("GET", "/", BROWSER, b"").status, 200);
    assert_eq!(house.get("/page/app.css").status, 200);
    for path in ["/stages", "/names", "/api/tags", "/metrics"] {
        assert_eq!(house.get(path).status, 401, "{path}");
    }
}

#[test]
fn short_names_are_told_with_what_they_stand_for() {
    let house = House::new();
    let names = house.get("/names").json();
    assert_eq!(names["may_fetch"], true);
    let models = names["models"].as_array().unwrap();
    let starter = models.iter().find(|model| model["name"] == "starter").unwrap();
    assert_eq!(starter["repo"], "HuggingFaceTB/SmolLM2-135M-Instruct");
    assert_eq!(starter["gated"], false);
    // Each stands for one model.
    for model in models {
        let found = scaffold::aliases::find(model["name"].as_str().unwrap()).unwrap();
        assert_eq!(model["repo"], found.repo, "{model}");
    }
}

#[test]
fn stages_tell_of_what_is_in_memory() {
    let house = House::new();
    assert_eq!(house.get("/stages").json(), json!({"models": []}));
    house.good("/api/generate", &json!({"model": house.chat, "prompt": "x", "stream": false, "options": {"num_predict": 1}}));
    let stages = house.get("/stages").json();
    let model = &stages["models"][0];
    assert_eq!(
        (&model["stage"], &model["kind"], &model["in_use"]),
        (&json!("ready"), &json!("language"), &json!(0))
    );
    assert!(model["names"].as_array().unwrap().contains(&json!(house.chat)), "{stages}");
    assert!(model["memory"].as_u64().unwrap() > 0);
}
