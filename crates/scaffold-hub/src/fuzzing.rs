//! What the fuzz targets and the test over their corpora call. Not part of the interface.

use crate::listing::Listing;
use crate::name::ModelName;
use crate::package::simple;
use crate::url::Url;
use crate::whoami::WhoAmI;
use crate::{cache, ollama, retry};

/// Parses arbitrary text as a model's name; what parses, prints as something that parses to the
/// same.
pub fn name(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(name) = ModelName::parse(&text)
        && !matches!(name, ModelName::Local(_))
    {
        assert_eq!(ModelName::parse(&name.to_string()).as_ref(), Ok(&name));
    }
}

/// Parses arbitrary bytes as a page of a package index, of both kinds.
pub fn simple_page(data: &[u8]) {
    let Some(base) = Url::parse("https://index.example/simple/package/") else {
        return;
    };
    let text = String::from_utf8_lossy(data);
    let links = [simple::parse_json(data, &base), simple::parse_html(&text, &base)];
    for link in links.into_iter().flatten().flatten() {
        let asked = link.url.request_text();
        assert!(asked.starts_with("http://") || asked.starts_with("https://"), "{asked}");
        simple::is_wheel_of(&link.name, "package", "1.0");
    }
}

/// Parses arbitrary bytes as everything else that servers and other programs write.
pub fn descriptions(data: &[u8]) {
    let _ = Listing::parse(data, "fuzz");
    let _ = WhoAmI::parse(data, "fuzz");
    let _ = cache::parse_tree(data);
    let _ = ollama::parse_manifest(data);
    let text = String::from_utf8_lossy(data);
    let _ = retry::retry_after(Some(&text), Some(&text), Some(&text));
    let _ = Url::parse(&text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// A target's name and the function that it calls.
    type Target = (&'static str, fn(&[u8]));

    #[test]
    fn the_corpora_are_survived_whole_and_cut() {
        let targets: [Target; 3] = [
            ("hub_name", name),
            ("hub_simple_page", simple_page),
            ("hub_descriptions", descriptions),
        ];
        for (target, run) in targets {
            let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
            let mut seeds = 0;
            for entry in std::fs::read_dir(&dir).unwrap().flatten() {
                let seed = std::fs::read(entry.path()).unwrap();
                for end in 0..=seed.len() {
                    run(&seed[..end]);
                }
                for position in 0..seed.len() {
                    let mut changed = seed.clone();
                    changed[position] ^= 0x55;
                    run(&changed);
                }
                seeds += 1;
            }
            assert!(seeds > 0, "{} is empty", dir.display());
        }
    }
}
