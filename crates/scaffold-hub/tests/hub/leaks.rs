//! No token in any output of any test.

use std::process::Command;

use crate::common::TOKEN;

const CHILD: &str = "SCAFFOLD_HUB_LEAK_TEST";

/// Runs all other tests of this program again, with everything that they print, and searches it.
#[test]
fn no_token_appears_in_any_output() {
    if std::env::var_os(CHILD).is_some() {
        return;
    }
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program)
        .args(["--nocapture", "--skip", "survival::"])
        .env(CHILD, "1")
        // What the real index serves is fetched once, and what is skipped is told once.
        .env_remove("SCAFFOLD_TEST_MODELS")
        .env_remove("SCAFFOLD_TEST_SKIPPED")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains("test tokens::"), "the other tests did not run:\n{text}");
    // Not the whole token, nor a part that would be enough to guess it.
    for part in [TOKEN, &TOKEN[..16], &TOKEN[20..]] {
        let line = text.lines().position(|l| l.contains(part));
        assert!(line.is_none(), "line {} of the output contains a token", line.unwrap_or(0));
    }
}
