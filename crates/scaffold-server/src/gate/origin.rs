//! Which web pages may ask.

/// Schemes of programs on a machine that show web pages of their own, as Ollama lets them in.
const PROGRAMS: [&str; 5] =
    ["app://", "file://", "tauri://", "vscode-webview://", "vscode-file://"];

/// Web pages that may ask.
#[derive(Debug)]
pub(crate) struct Origins {
    listed: Vec<String>,
    all: bool,
}

impl Origins {
    pub(crate) fn new(listed: &[String]) -> Self {
        let listed: Vec<String> =
            listed.iter().map(|origin| origin.trim_end_matches('/').to_ascii_lowercase()).collect();
        Self { all: listed.iter().any(|origin| origin == "*"), listed }
    }

    /// Whether pages of `origin` may ask a server that is called `host`.
    pub(crate) fn allow(&self, origin: &str, host: Option<&str>) -> bool {
        let origin = origin.to_ascii_lowercase();
        if self.all || self.listed.contains(&origin) {
            return true;
        }
        if PROGRAMS.iter().any(|scheme| origin.starts_with(scheme)) {
            return true;
        }
        let Some(rest) = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))
        else {
            return false;
        };
        let is_same = host.is_some_and(|host| host.eq_ignore_ascii_case(rest));
        let name = super::host::without_port(rest);
        is_same || matches!(name, "localhost" | "127.0.0.1" | "0.0.0.0" | "[::1]")
    }
}

#[cfg(test)]
mod tests {
    use super::Origins;

    #[test]
    fn pages_of_this_machine_and_listed_ones_may_ask() {
        let origins = Origins::new(&["https://chat.example.org/".to_owned()]);
        for origin in [
            "http://localhost:3000",
            "https://127.0.0.1",
            "tauri://localhost",
            "https://chat.example.org",
            "http://me:8080",
        ] {
            assert!(origins.allow(origin, Some("me:8080")), "{origin}");
        }
        for origin in [
            "http://evil.example",
            "http://localhost.evil.example",
            "null",
            "https://chat.example.org.evil",
            "http://me",
        ] {
            assert!(!origins.allow(origin, Some("me:8080")), "{origin}");
        }
        assert!(Origins::new(&["*".to_owned()]).allow("null", None));
    }
}
